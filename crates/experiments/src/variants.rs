//! Training of variants, one after the other.

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;

use avizor_store::{Comparison, ComparisonFolder, RunFolder, RunState};
use avizor_train::{Environment, Recipe, TrainError, Variant, resume, train_named};

use crate::compare::{Compared, compare};
use crate::error::ExperimentError;

/// What is to be trained.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The recipe's name.
    pub name: String,
    /// The variants, in order.
    pub variants: Vec<Variant>,
    /// Runs of each, with as many seeds from the recipe's on; at least one. The split stays the same, but for the fold that is
    /// val where the recipe has folds: then each seed has a run for each of them.
    pub seeds: u64,
}

/// A run that is about to begin.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'p> {
    /// The variant's name.
    pub variant: &'p str,
    /// Its seed.
    pub seed: u64,
    /// The fold that is val, from 1, and how many there are; `None` without cross-validation.
    pub fold: Option<(usize, usize)>,
    /// Its place among all runs, from 1.
    pub number: usize,
    /// All runs.
    pub all: usize,
    /// Whether it is done already, in an earlier sitting.
    pub is_done: bool,
}

/// Trains in `folder` what is not trained there yet and compares what is. `None` where it was stopped: called again with the
/// same plan and folder it goes on.
///
/// # Errors
/// The first variant that cannot be trained; files that cannot be read or written.
pub fn train_variants(
    plan: &Plan,
    folder: &ComparisonFolder,
    env: &mut Environment<'_>,
    tell: &mut dyn FnMut(Progress<'_>),
) -> Result<Option<Comparison>, ExperimentError> {
    let all = plan.variants.iter().map(|variant| plan.runs_of(variant).len()).sum();
    let mut number = 0;
    let mut compared: Vec<Compared> = Vec::new();
    for variant in &plan.variants {
        let mut runs = Vec::new();
        for recipe in plan.runs_of(variant) {
            let known = find(folder.path(), &recipe)?;
            let is_done = matches!(&known, Some((_, RunState::Finished)));
            number += 1;
            let split = &recipe.split;
            let fold = (split.folds > 0).then_some((split.fold, split.folds));
            tell(Progress { variant: &variant.name, seed: recipe.train.seed, fold, number, all, is_done });
            match run(known, &recipe, variant, folder, env)? {
                Some(run) => runs.push(run),
                None => return Ok(None),
            }
        }
        let (name, changes) = (variant.name.clone(), variant.changes.clone());
        compared.push(Compared { name, changes, folds: variant.recipe.split.folds, runs });
        // After each, so that what is done can be looked at while the rest is under way.
        folder.write(&compare(&plan.name, &compared)?)?;
    }
    Ok(Some(folder.read()?))
}

impl Plan {
    /// The recipes of all runs of a variant.
    fn runs_of(&self, variant: &Variant) -> Vec<Recipe> {
        let folds = variant.recipe.split.folds;
        let run = |seed: u64, fold: usize| {
            let mut recipe = variant.recipe.clone();
            recipe.train.seed = recipe.train.seed.wrapping_add(seed);
            if folds > 0 {
                recipe.split.fold = fold;
            }
            recipe
        };
        (0..self.seeds).flat_map(|seed| (1..=folds.max(1)).map(move |fold| run(seed, fold))).collect()
    }
}

/// Trains a recipe, or goes on with it, or finds it done; `None` where it was stopped.
fn run(
    known: Option<(RunFolder, RunState)>,
    recipe: &Recipe,
    variant: &Variant,
    folder: &ComparisonFolder,
    env: &mut Environment<'_>,
) -> Result<Option<RunFolder>, ExperimentError> {
    let failed =
        |source: TrainError| ExperimentError::Variant { variant: variant.name.clone(), source: Box::new(source) };
    let outcome = match known {
        Some((run, RunState::Finished)) => return Ok(Some(run)),
        _ if env.stop.load(Ordering::Relaxed) => return Ok(None),
        Some((run, RunState::Running | RunState::Interrupted)) => resume(run.path(), env).map_err(failed)?,
        Some((_, RunState::Failed)) | None => train_named(recipe, folder.path(), &variant.name, env).map_err(failed)?,
    };
    Ok((!outcome.interrupted).then_some(outcome.run))
}

/// The run of a recipe among those of a folder; a failed one only where there is no other.
fn find(folder: &Path, recipe: &Recipe) -> Result<Option<(RunFolder, RunState)>, ExperimentError> {
    let mut found = None;
    // What cannot be read cannot be written either, and training says so.
    let Ok(entries) = fs::read_dir(folder) else { return Ok(None) };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort_unstable();
    for path in paths {
        let Ok(run) = RunFolder::open(&path) else { continue };
        if Recipe::parse(&run.read_recipe()?, &run.recipe_path().display().to_string())? != *recipe {
            continue;
        }
        let state = run.read_info()?.state;
        let is_better = !matches!(found, Some((_, RunState::Finished))) && state != RunState::Failed;
        if found.is_none() || is_better {
            found = Some((run, state));
        }
    }
    Ok(found)
}
