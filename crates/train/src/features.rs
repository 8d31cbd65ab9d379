//! What a frozen backbone makes of pictures: the same whenever a picture is, so it is computed once, and epochs train the
//! head alone.

use std::collections::HashMap;
use std::sync::Arc;

use avizor_base::Seed;
use avizor_data::loader::{Loader, LoaderOptions, Visit, plain_order};
use avizor_data::transforms::Transforms;
use avizor_engine::{Program, State};
use avizor_kernels::Cpu;
use avizor_predict::Scores;

use crate::error::TrainError;
use crate::learning::Learns;
use crate::network::{ConstantFeatures, NetworkPlan};
use crate::recipe::{Freeze, Recipe};
use crate::setup::Setup;

/// Pictures that go through the backbone, or features through the head, together.
const TOGETHER: usize = 32;
/// Features that would take more bytes are not kept.
const MOST_BYTES: usize = 1 << 30;

/// What of the pictures goes through the backbone.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    kind: ConstantFeatures,
    /// How many times the training part does.
    views: usize,
    /// How training pictures are changed first, each time anew; `None`: not at all.
    transforms: Option<Transforms>,
}

impl Kept {
    /// What a part of a run keeps: the head must learn alone, pictures may change only as often as `train.views` says, and
    /// there must be room.
    ///
    /// # Errors
    /// A layer that does not fit.
    pub(crate) fn of(
        recipe: &Recipe,
        learns: Learns,
        plan: &NetworkPlan,
        setup: &Setup,
    ) -> Result<Option<Self>, TrainError> {
        let (transforms, views) = (&recipe.transforms.train, recipe.train.views);
        let is_frozen = learns == Learns::Head || plan.freeze == Freeze::BACKBONE;
        let is_changed = !transforms.is_empty() || plan.mixing.is_some();
        // The mirror image has features of its own, which are not kept.
        let is_frozen = is_frozen && !plan.test_flip;
        let changes_anew = learns == Learns::Network && is_changed && views == 0;
        if !is_frozen || changes_anew {
            return Ok(None);
        }
        let Some(kind) = plan.constant_features()? else { return Ok(None) };
        // Unchanged pictures have one view, however many are asked for.
        let kept = if views > 0 && !transforms.is_empty() {
            Self { kind, views, transforms: Some(transforms.clone()) }
        } else {
            Self { kind, views: 1, transforms: None }
        };
        let numbers = (setup.training.len() * kept.views + setup.rows.val.len()) * kept.kind.len;
        Ok((numbers * size_of::<f32>() <= MOST_BYTES).then_some(kept))
    }

    /// What a person should know of it.
    pub(crate) fn about(&self) -> String {
        match (&self.transforms, self.views) {
            (None, _) => "every picture goes through the frozen network once".to_owned(),
            (Some(_), 1) => "every training picture goes through the frozen network once, changed".to_owned(),
            (Some(_), views) => {
                format!("every training picture goes through the frozen network {views} times, each time changed anew")
            }
        }
    }
}

/// Features of the training and the validation part.
pub(crate) struct Features {
    kept: Kept,
    values: Vec<f32>,
    /// Of a row of the index and the number of a copy of its picture, where their features stand: those of its first view, for a
    /// training picture.
    places: HashMap<(u32, u32), u32>,
    /// Training pictures, copies included: the distance between two views of one.
    pictures: usize,
    /// The head for inference.
    head: Program,
}

impl Features {
    /// Computes them for the training and the validation part.
    ///
    /// # Errors
    /// A picture that cannot be read any more.
    pub(crate) fn new(
        kept: Kept,
        plan: &NetworkPlan,
        setup: &Setup,
        seed: Seed,
        cpu: &Cpu,
        state: &mut State,
    ) -> Result<Self, TrainError> {
        let backbone = plan.backbone_program(TOGETHER, cpu, state)?;
        let head = plan.head_scorer(&kept.kind, TOGETHER, cpu, state)?;
        let (train, val) = (&setup.training, plain_order(&setup.rows.val));
        let mut values = Vec::with_capacity((train.len() * kept.views + val.len()) * kept.kind.len);
        let mut pass = |visits: &[Visit], transforms: Option<Transforms>, view: usize| {
            let options =
                LoaderOptions { batch: TOGETHER, epoch: view as u64, seed, threads: cpu.threads(), first_batch: 0 };
            let mut loader = Loader::new(Arc::clone(&setup.prepared), visits.to_vec(), transforms, options)?;
            while let Some(batch) = loader.next_batch()? {
                state.input_u8_mut(&backbone, "image")[..batch.images.len()].copy_from_slice(&batch.images);
                backbone.run(cpu, state);
                values.extend_from_slice(&state.output(&backbone, "features")[..batch.len() * kept.kind.len]);
            }
            Ok::<(), TrainError>(())
        };
        for view in 0..kept.views {
            pass(train, kept.transforms.clone(), view)?;
        }
        pass(&val, None, 0)?;
        let val_start = (train.len() * kept.views) as u32;
        let in_place = train.iter().zip(0..).chain(val.iter().zip(val_start..));
        let places = in_place.map(|(visit, place)| ((visit.row, visit.copy), place)).collect();
        Ok(Self { pictures: train.len(), kept, values, places, head })
    }

    /// What they are.
    pub(crate) fn kind(&self) -> &ConstantFeatures {
        &self.kept.kind
    }

    /// Fills an input with those of some visits in an epoch: the next view of a picture every time.
    pub(crate) fn fill(&self, epoch: usize, visits: &[Visit], input: &mut [f32]) {
        let view = |visit: &Visit| (epoch + visit.occurrence as usize) % self.kept.views;
        let places = visits.iter().map(|visit| self.place(visit.row, visit.copy) + view(visit) * self.pictures);
        self.fill_places(places, input);
    }

    fn fill_places(&self, places: impl Iterator<Item = usize>, input: &mut [f32]) {
        let len = self.kept.kind.len;
        for (place, to) in places.zip(input.chunks_exact_mut(len)) {
            to.copy_from_slice(&self.values[place * len..][..len]);
        }
    }

    /// Of a row of the training or the validation part, or a copy of its picture.
    fn place(&self, row: u32, copy: u32) -> usize {
        let place = self.places.get(&(row, copy));
        let Some(&place) = place else {
            unreachable!("row {row}, copy {copy} is in the training or the validation part")
        };
        place as usize
    }

    /// What the network says about some unchanged rows of these parts, in their order.
    pub(crate) fn score(&self, setup: &Setup, rows: &[u32], cpu: &Cpu, state: &mut State) -> Scores {
        let (classes, metadata) = (setup.classes().len(), setup.metadata.as_ref());
        let mut scores = Scores { classes, ..Scores::default() };
        for rows in rows.chunks(TOGETHER) {
            let places = rows.iter().map(|&row| self.place(row, 0));
            self.fill_places(places, state.input_f32_mut(&self.head, "features"));
            if let Some(metadata) = metadata {
                metadata.fill(rows.iter().copied(), state.input_f32_mut(&self.head, "metadata"));
            }
            self.head.run(cpu, state);
            scores.logits.extend_from_slice(&state.output(&self.head, "logits")[..rows.len() * classes]);
            scores.probabilities.extend_from_slice(&state.output(&self.head, "probabilities")[..rows.len() * classes]);
        }
        scores
    }
}
