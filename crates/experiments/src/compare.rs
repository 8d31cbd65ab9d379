//! What stored runs say side by side.

use std::collections::{BTreeMap, BTreeSet};

use avizor_base::{Seed, Split};
use avizor_metrics::{Level, Options, PairedAccuracy, evaluate};
use avizor_store::{
    ComparedPair, ComparedVariant, Comparison, Format, Measure, PartMetrics, Predictions, RunFolder, RunInfo,
    StoreError, read_samples,
};

use crate::error::ExperimentError;

/// Replicates of a bootstrap whose interval must hold for many pairs at once: its tails are thin.
const RESAMPLES: u32 = 20_000;

/// A variant with its finished runs.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// What it changes of the recipe.
    pub changes: Vec<String>,
    /// Folds of its cross-validation; 0: none.
    pub folds: usize,
    /// Its runs, one a seed and fold; at least one.
    pub runs: Vec<RunFolder>,
}

/// The runs of a variant, read.
struct Answers {
    predictions: Vec<Predictions>,
    infos: Vec<RunInfo>,
    part: Split,
    /// Samples of the validation parts, a list a run.
    chosen_on: Vec<Vec<String>>,
    val_macro_f1: Option<f64>,
    val_log_loss: Option<f64>,
    /// Seed of the bootstrap: the first run's.
    seed: Seed,
}

/// Compares variants by what their runs have stored: on the test part, or on the validation part where there is none.
///
/// Runs of a variant with several seeds are taken together, and the answers about one picture stay together in every
/// interval. Any two variants that answered about the same pictures are compared; their intervals are widened (Bonferroni)
/// so that all of them together hold with 95 %.
///
/// # Errors
/// A run that is not finished or whose files cannot be read.
pub fn compare(name: &str, compared: &[Compared]) -> Result<Comparison, ExperimentError> {
    let answers: Vec<Answers> = compared.iter().map(Answers::read).collect::<Result<_, _>>()?;
    let variants = compared.iter().zip(&answers).map(|(of, answers)| answers.row(of)).collect::<Result<Vec<_>, _>>()?;
    let alike: Vec<(usize, usize)> = (0..answers.len())
        .flat_map(|second| (0..second).map(move |first| (first, second)))
        .filter(|&(first, second)| answers[first].asks_the_same(&answers[second]))
        .collect();
    let level = Level::DEFAULT;
    let widened = Level::new(1.0 - (1.0 - level.share()) / alike.len().max(1) as f64).unwrap_or(level);
    let pair = |&(first, second): &(usize, usize)| {
        let paired = answers[first]
            .beside(&answers[second], widened)
            .map_err(|source| ExperimentError::Predictions { variant: compared[second].name.clone(), source })?;
        let difference = Measure::from(&paired.difference);
        let told_apart = difference.interval().is_some_and(|(low, high)| low > 0.0 || high < 0.0);
        let [first, second] = [first, second].map(|of| compared[of].name.clone());
        Ok(ComparedPair { first, second, difference, told_apart })
    };
    let pairs = alike.iter().map(pair).collect::<Result<Vec<_>, ExperimentError>>()?;
    let all_alike = pairs.len() == answers.len() * answers.len().saturating_sub(1) / 2;
    let mut notes = Vec::new();
    if !all_alike {
        notes.push(
            "some variants were evaluated on other pictures or classes than others: those answer different questions and \
             are not compared"
                .to_owned(),
        );
    }
    let same_choice = answers.windows(2).all(|pair| pair[0].chosen_on == pair[1].chosen_on);
    if all_alike && !same_choice {
        notes.push(
            "the variants have different validation pictures, so their validation numbers choose none of them"
                .to_owned(),
        );
    }
    let folds = compared.iter().map(|of| of.folds).max().unwrap_or(0) as u64;
    let chosen = if all_alike && same_choice { chosen(&variants) } else { None };
    Ok(Comparison {
        format: Format,
        name: name.to_owned(),
        variants,
        folds,
        chosen,
        pairs,
        level: level.share(),
        notes,
    })
}

/// The best validation macro F1; of equals the one with the lowest validation loss, as epochs are chosen; of those the first.
fn chosen(variants: &[ComparedVariant]) -> Option<String> {
    let rank = |row: &ComparedVariant| Some((row.val_macro_f1?, -row.val_log_loss.unwrap_or(f64::INFINITY)));
    let ranked = variants.iter().filter_map(|row| Some((rank(row)?, row)));
    let best = ranked.fold(None, |best: Option<((f64, f64), &ComparedVariant)>, (value, row)| match best {
        Some((most, _)) if most >= value => best,
        _ => Some((value, row)),
    });
    best.map(|(_, row)| row.name.clone())
}

impl Answers {
    fn read(of: &Compared) -> Result<Self, ExperimentError> {
        let infos = of.runs.iter().map(RunFolder::read_info).collect::<Result<Vec<_>, _>>()?;
        let metrics = of.runs.iter().map(RunFolder::read_metrics).collect::<Result<Vec<_>, _>>()?;
        let part = if metrics.iter().all(|metrics| metrics.test.is_some()) { Split::Test } else { Split::Val };
        let read = |run: &RunFolder| Predictions::read(&run.predictions_path(part));
        let predictions = of.runs.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
        let chosen_on = of.runs.iter().map(chosen_on).collect::<Result<_, _>>()?;
        let mean = |of: fn(&PartMetrics) -> &Measure| {
            let values: Vec<f64> = metrics.iter().filter_map(|metrics| of(metrics.val.as_ref()?).value()).collect();
            (values.len() == metrics.len()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let (val_macro_f1, val_log_loss) = (mean(|part| &part.macro_f1), mean(|part| &part.log_loss));
        let seed = Seed(infos.first().map_or(0, |info| info.seed));
        Ok(Self { predictions, infos, part, chosen_on, val_macro_f1, val_log_loss, seed })
    }

    /// Samples and labels of one run, by name: what the question was.
    fn question(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let of = self.predictions.first();
        of.into_iter().flat_map(|predictions| {
            predictions.rows.iter().map(|row| (row.sample.as_str(), row.label.map(|id| predictions.classes.name(id))))
        })
    }

    /// Pictures that were answered for: each fold has a validation part of its own.
    fn samples(&self) -> usize {
        let rows = self.predictions.iter().flat_map(|predictions| &predictions.rows);
        rows.map(|row| row.sample.as_str()).collect::<BTreeSet<_>>().len()
    }

    fn asks_the_same(&self, other: &Self) -> bool {
        let classes = |answers: &Self| answers.predictions.first().map(|of| of.classes.names().to_vec());
        self.predictions.len() == other.predictions.len()
            && classes(self) == classes(other)
            && self.question().eq(other.question())
    }

    /// Labels and predictions of all runs, and which samples belong together.
    fn columns(&self) -> Columns {
        let mut columns = Columns::default();
        let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
        for predictions in &self.predictions {
            for row in &predictions.rows {
                let Some(label) = row.label else { continue };
                columns.truth.push(label.0);
                columns.prediction.push(row.prediction.0);
                columns.probabilities.extend_from_slice(&row.probabilities);
                let next = numbers.len() as u32;
                columns.groups.push(*numbers.entry(row.group.as_deref().unwrap_or(&row.sample)).or_insert(next));
                columns.has_groups |= row.group.is_some();
            }
        }
        columns.has_groups |= self.predictions.len() > 1;
        columns
    }

    fn row(&self, of: &Compared) -> Result<ComparedVariant, ExperimentError> {
        let columns = self.columns();
        let classes = self.predictions.first().map_or(0, |predictions| predictions.classes.len());
        let inputs = avizor_metrics::Predictions {
            truth: &columns.truth,
            prediction: &columns.prediction,
            probabilities: &columns.probabilities,
            classes,
            groups: columns.groups(),
        };
        let evaluation = evaluate(&inputs, self.seed, Options::default())
            .map_err(|source| ExperimentError::Predictions { variant: of.name.clone(), source })?;
        let network = self.infos.first().and_then(|info| info.network.as_ref());
        Ok(ComparedVariant {
            name: of.name.clone(),
            changes: of.changes.clone(),
            runs: of.runs.iter().map(RunFolder::name).collect(),
            network: network.map_or(String::new(), |network| network.name.clone()),
            parameters: network.map_or(0, |network| network.parameters),
            seconds: self.infos.iter().filter_map(|info| info.seconds).sum(),
            val_macro_f1: self.val_macro_f1,
            val_log_loss: self.val_log_loss,
            part: self.part,
            samples: self.samples() as u64,
            level: evaluation.options.level.share(),
            accuracy: Measure::from(&evaluation.accuracy),
            macro_f1: Measure::from(&evaluation.macro_average.f1),
        })
    }

    fn beside(&self, other: &Self, level: Level) -> Result<PairedAccuracy, avizor_metrics::LabelError> {
        let (columns, others) = (self.columns(), other.columns());
        let options = Options { level, resamples: RESAMPLES };
        let groups = columns.groups();
        PairedAccuracy::new(&columns.truth, &columns.prediction, &others.prediction, groups, self.seed, options)
    }
}

/// The samples of a run's validation part, sorted.
fn chosen_on(run: &RunFolder) -> Result<Vec<String>, StoreError> {
    let rows = read_samples(&run.samples_path())?;
    let mut samples: Vec<String> = rows.into_iter().filter(|row| row.split == Split::Val).map(|row| row.path).collect();
    samples.sort_unstable();
    Ok(samples)
}

/// What [`evaluate`] takes.
#[derive(Default)]
struct Columns {
    truth: Vec<u32>,
    prediction: Vec<u32>,
    probabilities: Vec<f32>,
    /// Answers about one sample, or one group of samples, have one number.
    groups: Vec<u32>,
    has_groups: bool,
}

impl Columns {
    fn groups(&self) -> Option<&[u32]> {
        self.has_groups.then_some(self.groups.as_slice())
    }
}
