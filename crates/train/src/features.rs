//! What a frozen backbone makes of pictures: the same at every visit, so it is computed once, and epochs train the head
//! alone.

use std::sync::Arc;

use avizor_base::Seed;
use avizor_data::loader::{Loader, LoaderOptions, plain_order};
use avizor_engine::{Program, State};
use avizor_kernels::Cpu;
use avizor_predict::Scores;

use crate::error::TrainError;
use crate::network::{ConstantFeatures, NetworkPlan};
use crate::setup::Setup;

/// Pictures that go through the backbone, or features through the head, together.
const TOGETHER: usize = 32;
/// Features that would take more bytes are not kept.
const MOST_BYTES: usize = 1 << 30;
/// A row without features.
const NONE: u32 = u32::MAX;

/// Features of the training and the validation part.
pub(crate) struct Features {
    kind: ConstantFeatures,
    values: Vec<f32>,
    /// Of every row of the index, where its features stand.
    places: Vec<u32>,
    /// The head for inference.
    head: Program,
}

impl Features {
    /// Those that a run keeps: the backbone must be frozen, the pictures must not change, and there must be room.
    ///
    /// # Errors
    /// A layer that does not fit.
    pub(crate) fn to_keep(plan: &NetworkPlan, setup: &Setup) -> Result<Option<ConstantFeatures>, TrainError> {
        let pictures = setup.rows.train.len() + setup.rows.val.len();
        let fits = |kind: &ConstantFeatures| pictures * kind.len * size_of::<f32>() <= MOST_BYTES;
        Ok(plan.constant_features()?.filter(fits))
    }

    /// Computes them for the training and the validation part.
    ///
    /// # Errors
    /// A picture that cannot be read any more.
    pub(crate) fn new(
        kind: ConstantFeatures,
        plan: &NetworkPlan,
        setup: &Setup,
        cpu: &Cpu,
        state: &mut State,
    ) -> Result<Self, TrainError> {
        let backbone = plan.backbone_program(TOGETHER, cpu, state)?;
        let head = plan.head_scorer(&kind, TOGETHER, cpu, state)?;
        let rows = [&setup.rows.train[..], &setup.rows.val].concat();
        let options =
            LoaderOptions { batch: TOGETHER, epoch: 0, seed: Seed(0), threads: cpu.threads(), first_batch: 0 };
        let mut loader = Loader::new(Arc::clone(&setup.prepared), plain_order(&rows), None, options)?;
        let mut values = Vec::with_capacity(rows.len() * kind.len);
        while let Some(batch) = loader.next_batch()? {
            state.input_u8_mut(&backbone, "image")[..batch.images.len()].copy_from_slice(&batch.images);
            backbone.run(cpu, state);
            values.extend_from_slice(&state.output(&backbone, "features")[..batch.len() * kind.len]);
        }
        let mut places = vec![NONE; setup.index.len()];
        rows.iter().zip(0..).for_each(|(&row, place)| places[row as usize] = place);
        Ok(Self { kind, values, places, head })
    }

    /// What they are.
    pub(crate) fn kind(&self) -> &ConstantFeatures {
        &self.kind
    }

    /// Of a row of the training or the validation part.
    fn of(&self, row: u32) -> &[f32] {
        let place = self.places[row as usize];
        assert_ne!(place, NONE, "row {row} is in the training or the validation part");
        &self.values[place as usize * self.kind.len..][..self.kind.len]
    }

    /// Fills an input with those of some rows.
    pub(crate) fn fill(&self, rows: impl Iterator<Item = u32>, input: &mut [f32]) {
        for (row, to) in rows.zip(input.chunks_exact_mut(self.kind.len)) {
            to.copy_from_slice(self.of(row));
        }
    }

    /// What the network says about some rows of these parts, in their order.
    pub(crate) fn score(&self, rows: &[u32], classes: usize, cpu: &Cpu, state: &mut State) -> Scores {
        let mut scores = Scores { classes, ..Scores::default() };
        for rows in rows.chunks(TOGETHER) {
            self.fill(rows.iter().copied(), state.input_f32_mut(&self.head, "features"));
            self.head.run(cpu, state);
            scores.logits.extend_from_slice(&state.output(&self.head, "logits")[..rows.len() * classes]);
            scores.probabilities.extend_from_slice(&state.output(&self.head, "probabilities")[..rows.len() * classes]);
        }
        scores
    }
}
