//! The learning-rate range test: a few hundred steps at rates that grow from next to nothing until the loss runs away.
//!
//! Source: Smith 2017, "Cyclical learning rates for training neural networks", arXiv:1506.01186.

use std::path::Path;

use avizor_base::Seed;
use avizor_store::RunFolder;

use crate::checkpoint::Checkpoints;
use crate::environment::Environment;
use crate::error::TrainError;
use crate::fit::Fit;
use crate::recipe::Recipe;
use crate::run::Prepared;
use crate::source;

/// The rates of a test, from the first step to the last.
const RATES: [f64; 2] = [1e-7, 10.0];
/// How much of the smoothed loss stays from one step to the next.
const SMOOTHING: f64 = 0.9;
/// A smoothed loss so many times the lowest one has run away.
const RUN_AWAY: f64 = 4.0;
/// The rate to begin with, as a part of the one where the loss is lowest: there it is about to rise.
const BELOW_LOWEST: f64 = 0.1;

/// How the loss went as the rate grew.
#[derive(Clone, Debug)]
pub struct RateTest {
    /// Where the plot belongs.
    pub folder: RunFolder,
    /// Rate and smoothed loss of every step.
    pub points: Vec<(f64, f64)>,
    /// The rate at which the smoothed loss was lowest.
    pub lowest: f64,
    /// The rate at which it fell fastest.
    pub steepest: f64,
    /// A good `optimizer.lr` to begin with.
    pub suggestion: f64,
}

/// Trains a recipe's network from its beginning for `steps` steps at growing rates, in a new folder below `runs`. Nothing is
/// kept of the network.
///
/// # Errors
/// As training; a loss that never falls.
pub fn test_rates(
    recipe: &Recipe,
    steps: usize,
    runs: &Path,
    env: &mut Environment<'_>,
) -> Result<RateTest, TrainError> {
    let prepared = Prepared::new(recipe, env)?;
    let (state, _) = prepared.plan.state(Seed(recipe.train.seed))?;
    let folder = RunFolder::create(runs, &format!("{}-lr", source::name(&recipe.data)), &env.today())?;
    let checkpoints = Checkpoints::open(folder.checkpoint_path())?;
    let mut fit = Fit::new(recipe, &prepared.setup, &prepared.plan, state, &prepared.cpu, checkpoints)?;
    let mut smoothed = Smoothed::default();
    let rate = |step: usize| RATES[0] * (RATES[1] / RATES[0]).powf(step as f64 / (steps - 1).max(1) as f64);
    fit.steps_at((0..steps).map(rate), env.stop, |rate, loss| smoothed.add(rate, loss))?;
    let Smoothed { points, lowest, .. } = smoothed;
    match (lowest, steepest(&points)) {
        (Some((lowest, _)), Some(steepest)) => {
            Ok(RateTest { folder, points, lowest, steepest, suggestion: lowest * BELOW_LOWEST })
        }
        _ => Err(TrainError::Data {
            problem: format!("the loss was not a number from the first of {steps} steps on"),
            help: "look at the pictures with `avizor audit`".to_owned(),
        }),
    }
}

/// The smoothed loss, and where it was lowest.
#[derive(Default)]
struct Smoothed {
    points: Vec<(f64, f64)>,
    sum: f64,
    weight: f64,
    lowest: Option<(f64, f64)>,
}

impl Smoothed {
    /// Takes in a step, and says whether the next one is worth while.
    fn add(&mut self, rate: f64, loss: f32) -> bool {
        let loss = f64::from(loss);
        if !loss.is_finite() {
            return false;
        }
        // An exponential mean over what there is so far, as Adam corrects its own.
        self.sum = SMOOTHING * self.sum + (1.0 - SMOOTHING) * loss;
        self.weight = SMOOTHING * self.weight + (1.0 - SMOOTHING);
        let value = self.sum / self.weight;
        self.points.push((rate, value));
        if self.lowest.is_none_or(|(_, lowest)| value < lowest) {
            self.lowest = Some((rate, value));
        }
        self.lowest.is_some_and(|(_, lowest)| value <= RUN_AWAY * lowest)
    }
}

/// The rate at which the loss falls fastest over the logarithm of the rate.
fn steepest(points: &[(f64, f64)]) -> Option<f64> {
    let fall = |pair: &[(f64, f64)]| (pair[1].1 - pair[0].1) / (pair[1].0 / pair[0].0).ln();
    points.windows(2).min_by(|a, b| fall(a).total_cmp(&fall(b))).map(|pair| pair[0].0).or(points.first().map(|p| p.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_off_the_smoothed_loss() {
        let mut smoothed = Smoothed::default();
        // Flat, falling over two decades from 1e-4 on, rising beyond 1e-1.
        let loss = |log: f64| match log {
            log if log < -4.0 => 2.0,
            log if log < -1.0 => 2.0 - 0.5 * (log + 4.0),
            log => 0.5 + 8.0 * (log + 1.0),
        };
        let steps = (0..161).map(|step| -7.0 + f64::from(step) * 0.05);
        let taken =
            steps.map(|log| (10f64.powf(log), loss(log) as f32)).take_while(|&(r, l)| smoothed.add(r, l)).count();
        assert!(taken < 161, "the test ends when the loss runs away");
        let (lowest, _) = smoothed.lowest.unwrap();
        assert!((0.05..0.5).contains(&lowest), "{lowest}");
        let steepest = steepest(&smoothed.points).unwrap();
        assert!((1e-4..0.1).contains(&steepest), "{steepest}");
    }

    #[test]
    fn a_loss_that_is_no_number_ends_the_test() {
        let mut smoothed = Smoothed::default();
        assert!(smoothed.add(1e-7, 2.0));
        assert!(!smoothed.add(1e-6, f32::NAN));
        assert_eq!((smoothed.points.len(), steepest(&smoothed.points)), (1, Some(1e-7)));
        assert_eq!(steepest(&[]), None);
    }
}
