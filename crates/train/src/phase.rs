//! A part of a run in which the same parameters learn: the epochs of the head, or the others.

use avizor_base::Seed;
use avizor_engine::{Optimizer, Program, State};
use avizor_kernels::Cpu;

use crate::error::TrainError;
use crate::features::{Features, Kept};
use crate::learning::Learns;
use crate::loss::class_weights;
use crate::mixing::Mixing;
use crate::network::NetworkPlan;
use crate::recipe::Recipe;
use crate::schedule::LearningRate;
use crate::setup::Setup;

/// What steps need in it.
pub(crate) struct Phase {
    pub(crate) learns: Learns,
    /// What the backbone makes of pictures, where that is kept.
    pub(crate) features: Option<Features>,
    /// How batches are mixed.
    pub(crate) mixing: Option<Mixing>,
    /// Weights of the classes in the loss.
    pub(crate) class_weights: Option<Vec<f32>>,
    /// With the size of their batches: for full ones, and for the last one of an epoch where it is smaller.
    programs: Vec<(usize, Program)>,
    pub(crate) optimizer: Optimizer,
    pub(crate) rate: LearningRate,
}

impl Phase {
    /// Compiles it.
    ///
    /// # Errors
    /// A layer that does not fit, a picture that cannot be read any more.
    pub(crate) fn new(
        learns: Learns,
        recipe: &Recipe,
        setup: &Setup,
        plan: &NetworkPlan,
        cpu: &Cpu,
        state: &mut State,
    ) -> Result<Self, TrainError> {
        let pictures = setup.training.len();
        let batch = recipe.train.batch.min(pictures);
        let kept = Kept::of(recipe, learns, plan, setup)?;
        let seed = Seed(recipe.train.seed);
        let features = kept.map(|kept| Features::new(kept, plan, setup, seed, cpu, state)).transpose()?;
        let mut program = |size: usize| match &features {
            Some(features) => plan.head_program(features.kind(), size, cpu, state),
            None => plan.training_program(learns, size, cpu, state),
        };
        let sizes = [batch, pictures % batch].into_iter().filter(|&size| size > 0);
        let programs = sizes.map(|size| Ok((size, program(size)?))).collect::<Result<Vec<_>, TrainError>>()?;
        let class_weights = class_weights(&recipe.balance, &setup.epoch_counts());
        for (weights, (_, program)) in
            class_weights.iter().flat_map(|weights| programs.iter().map(move |of| (weights, of)))
        {
            state.input_f32_mut(program, "class_weights").copy_from_slice(weights);
        }
        let optimizer = plan.optimizer(learns, state)?;
        let rate = rate(learns, recipe, pictures.div_ceil(batch));
        let mixing = plan.mixing.filter(|_| learns == Learns::Network);
        Ok(Self { learns, features, mixing, class_weights, programs, optimizer, rate })
    }

    /// The program for batches of a size.
    pub(crate) fn program_for(&self, size: usize) -> &Program {
        let program = self.programs.iter().find(|(of, _)| *of == size);
        let Some((_, program)) = program else { unreachable!("a batch is full, or the last one") };
        program
    }
}

/// The schedule begins with the epochs in which all of the network learns; the head's have a rate of their own.
fn rate(learns: Learns, recipe: &Recipe, steps_per_epoch: usize) -> LearningRate {
    let (train, lr) = (&recipe.train, recipe.optimizer.lr);
    match learns {
        Learns::Head => LearningRate::constant(recipe.optimizer.head_lr.unwrap_or(lr)),
        Learns::Network => {
            let first_step = (train.head_epochs * steps_per_epoch) as u64;
            LearningRate::new(recipe.schedule.clone(), lr, train.epochs, steps_per_epoch).starting_at(first_step)
        }
    }
}
