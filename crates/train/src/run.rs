//! The verbs: train, resume, evaluate.

use std::path::Path;

use avizor_base::{Event, Listener, Note, Preprocess, Seed, Split};
use avizor_kernels::Cpu;
use avizor_predict::{MetadataCard, Model, ModelCard, Provenance};
use avizor_store::{
    DataInfo, EventLog, FineTuning, Format, HistoryLog, Machine, Metrics, NetworkInfo, PartMetrics, RunFolder, RunInfo,
    RunState, write_balance, write_samples,
};

use crate::audited;
use crate::checkpoint::Checkpoints;
use crate::environment::Environment;
use crate::error::TrainError;
use crate::evaluate::Evaluated;
use crate::features::Kept;
use crate::first_weights::FirstWeights;
use crate::fit::{End, Fit};
use crate::gallery::write_gallery;
use crate::learning::Learns;
use crate::metadata::Metadata;
use crate::network::NetworkPlan;
use crate::recipe::Recipe;
use crate::setup::{KEPT_BYTES, Setup};
use crate::source;

/// A run that ended, for now or for good.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its folder.
    pub run: RunFolder,
    /// Whether it was stopped before its end; `resume` goes on.
    pub interrupted: bool,
    /// Numbers of the kept epoch on the test part; `None` where there is none, or after an interruption.
    pub test: Option<PartMetrics>,
    /// Numbers of the kept epoch on the validation part.
    pub val: Option<PartMetrics>,
    /// What it gained over the head alone, where there were epochs of that.
    pub fine_tuning: Option<FineTuning>,
}

/// Trains a recipe in a new folder below `runs`, and evaluates what it kept.
///
/// # Errors
/// Whatever is wrong with recipe, data or network, before anything is written; later, what stops training.
pub fn train(recipe: &Recipe, runs: &Path, env: &mut Environment<'_>) -> Result<Outcome, TrainError> {
    train_named(recipe, runs, &source::name(&recipe.data), env)
}

/// As [`train`], in a folder of this name and not of the pictures'.
///
/// # Errors
/// As [`train`].
pub fn train_named(recipe: &Recipe, runs: &Path, name: &str, env: &mut Environment<'_>) -> Result<Outcome, TrainError> {
    let prepared = Prepared::new(recipe, env)?;
    let (state, about) = prepared.plan.state(Seed(recipe.train.seed))?;
    let run = RunFolder::create(runs, name, &env.today())?;
    let mut notes = env.notes.clone();
    notes.iter().for_each(|note| env.listener.on_event(&Event::Warning(note.clone())));
    notes.extend(prepared.setup.tell(env.listener));
    if let Some(text) = about {
        let note = Note { kind: "weights".to_owned(), text };
        env.listener.on_event(&Event::Warning(note.clone()));
        notes.push(note);
    }
    let first = if recipe.train.head_epochs > 0 { Learns::Head } else { Learns::Network };
    if let Some(kept) = Kept::of(recipe, first, &prepared.plan, &prepared.setup)? {
        let text = format!("{}, then epochs train the head alone", kept.about());
        let note = Note { kind: "features".to_owned(), text };
        env.listener.on_event(&Event::Warning(note.clone()));
        notes.push(note);
    }
    let info = prepared.first_info(recipe, env, notes);
    let parameters: usize =
        state.parameters().iter().filter(|parameter| !parameter.is_statistic()).map(|p| p.shape.elements()).sum();
    let info = RunInfo { network: Some(prepared.network_info(recipe, parameters)), ..info };
    if let Err(error) = prepared.begin(recipe, &run, &info) {
        run.remove();
        return Err(error);
    }
    prepared.fit(recipe, state, &run, info, env)
}

/// Goes on with a run that was interrupted or killed. The result is that of a run that never stopped, to the bit.
///
/// # Errors
/// A run that is finished, data that have changed, a checkpoint that cannot be read; then as [`train`].
pub fn resume(folder: &Path, env: &mut Environment<'_>) -> Result<Outcome, TrainError> {
    let run = RunFolder::open(folder)?;
    let mut info = run.read_info()?;
    let cannot = |problem: &str| TrainError::Resume { run: folder.to_owned(), problem: problem.to_owned() };
    if info.state == RunState::Finished {
        return Err(cannot("is finished; there is nothing to resume"));
    }
    if info.machine.level != env.level.name() {
        let problem = format!(
            "was begun with {} instructions and this is {}: the result would be another one (AVIZOR_CPU={} goes on)",
            info.machine.level, env.level, info.machine.level
        );
        return Err(cannot(&problem));
    }
    let recipe = Recipe::parse(&run.read_recipe()?, &run.recipe_path().display().to_string())?;
    let prepared = Prepared::new(&recipe, env)?;
    if info.data.fingerprint != prepared.fingerprint() {
        return Err(cannot("cannot go on: its pictures, labels or files have changed since it was begun"));
    }
    let (state, _) = prepared.plan.state(Seed(recipe.train.seed))?;
    info.state = RunState::Running;
    run.write_info(&info)?;
    prepared.fit(&recipe, state, &run, info, env)
}

/// Recipe, data and network of a run, found and checked.
pub(crate) struct Prepared {
    pub(crate) setup: Setup,
    pub(crate) plan: NetworkPlan,
    pub(crate) cpu: Cpu,
    data_path: String,
}

impl Prepared {
    pub(crate) fn new(recipe: &Recipe, env: &mut Environment<'_>) -> Result<Self, TrainError> {
        let weights = FirstWeights::of(recipe)?;
        let preprocess = source::preprocess(&recipe.transforms, weights.as_ref())?;
        // A network or weights that do not exist or do not fit are told before minutes of reading pictures.
        let two = avizor_base::ClassList::from_labels(["a", "b"]).unwrap_or_else(|_| unreachable!("two classes"));
        NetworkPlan::new(recipe, &two, preprocess.clone(), weights.clone(), recipe.data.metadata.len())?
            .state(Seed(0))?;
        let setup = Setup::new(recipe, preprocess.clone(), KEPT_BYTES, env)?;
        setup.require_parts()?;
        let width = setup.metadata.as_ref().map_or(0, |metadata| metadata.encoder().width());
        let plan = NetworkPlan::new(recipe, setup.classes(), preprocess, weights, width)?;
        let path = recipe.data.path.clone().or_else(|| recipe.data.train.as_ref().map(|part| part.path.clone()));
        let cpu = Cpu::new(env.threads, env.level).with_conv2d_methods(recipe.train.convolution.into());
        Ok(Self { setup, plan, cpu, data_path: path.unwrap_or_default() })
    }

    /// Writes all that [`resume`] reads. `run.json`, which makes a folder a run, comes last: one that has it is whole.
    fn begin(&self, recipe: &Recipe, run: &RunFolder, info: &RunInfo) -> Result<(), TrainError> {
        run.write_recipe(&recipe.to_toml())?;
        let decisions = self.setup.index.decisions();
        if decisions.in_force().next().is_some() {
            run.write_decisions(decisions.in_force())?;
        }
        write_samples(&run.samples_path(), &self.setup.sample_rows())?;
        run.write_audit(&audited::page(&self.setup))?;
        let balance = self.setup.balance_rows(&recipe.balance);
        if !balance.is_empty() {
            write_balance(&run.balance_path(), &balance)?;
        }
        Ok(run.write_info(info)?)
    }

    fn fingerprint(&self) -> String {
        self.setup.scan.fingerprint(&self.setup.index).to_string()
    }

    fn first_info(&self, recipe: &Recipe, env: &Environment<'_>, notes: Vec<Note>) -> RunInfo {
        RunInfo {
            format: Format,
            state: RunState::Running,
            reason: None,
            command: env.command.clone(),
            version: env.version.to_owned(),
            seed: recipe.train.seed,
            machine: Machine {
                level: env.level.name().to_owned(),
                threads: env.threads as u32,
                system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
                processor: None,
            },
            started: (env.now)(),
            ended: None,
            seconds: None,
            data: DataInfo {
                path: self.data_path.clone(),
                fingerprint: self.fingerprint(),
                samples: Split::ALL.iter().map(|&part| self.setup.rows.of(part).len() as u64).sum(),
                classes: self.setup.classes().len() as u64,
            },
            network: None,
            test_evaluations: 0,
            notes,
        }
    }

    fn network_info(&self, recipe: &Recipe, parameters: usize) -> NetworkInfo {
        NetworkInfo {
            name: self.plan.name(),
            parameters: parameters as u64,
            weights: if self.plan.options.sees_pictures() { recipe.model.weights.clone() } else { "none".to_owned() },
            input: self.plan.preprocess.size.into(),
        }
    }

    /// Trains, evaluates, writes; whatever happens, `run.json` says how it ended.
    fn fit(
        &self,
        recipe: &Recipe,
        state: avizor_engine::State,
        run: &RunFolder,
        mut info: RunInfo,
        env: &mut Environment<'_>,
    ) -> Result<Outcome, TrainError> {
        let result = self.fit_and_evaluate(recipe, state, run, &mut info, env);
        info.ended = Some((env.now)());
        match &result {
            Ok(outcome) if outcome.interrupted => {
                info.state = RunState::Interrupted;
                info.reason = Some(End::Interrupted.reason().to_owned());
            }
            Ok(_) => info.state = RunState::Finished,
            Err(error) => {
                info.state = RunState::Failed;
                info.reason = Some(error.to_string());
            }
        }
        match (result, run.write_info(&info)) {
            (Ok(_), Err(error)) => Err(error.into()),
            // The first error is the one to tell.
            (result, _) => result,
        }
    }

    fn fit_and_evaluate(
        &self,
        recipe: &Recipe,
        state: avizor_engine::State,
        run: &RunFolder,
        info: &mut RunInfo,
        env: &mut Environment<'_>,
    ) -> Result<Outcome, TrainError> {
        let now = env.now;
        let log = EventLog::open(&run.events_path(), Box::new(now))?;
        let mut listeners =
            Listeners { log, history: HistoryLog::open(run.history_path())?, other: &mut *env.listener };
        let checkpoints = Checkpoints::open(run.checkpoint_path())?;
        let mut fit = Fit::new(recipe, &self.setup, &self.plan, state, &self.cpu, checkpoints)?;
        let end = fit.run(env.stop, &mut listeners)?;
        listeners.failure()?;
        info.seconds = Some(fit.seconds());
        let interrupted = end == End::Interrupted;
        let mut outcome = Outcome { run: run.clone(), interrupted, test: None, val: None, fine_tuning: None };
        if end != End::Interrupted {
            info.reason = Some(end.reason().to_owned());
            let epoch = fit.restore_best()?.unwrap_or(recipe.train.head_epochs + recipe.train.epochs);
            self.save_model(run, info, &fit, epoch)?;
            let val = self.evaluate_part(&mut fit, run, Split::Val)?;
            let mut test = None;
            if !self.setup.rows.test.is_empty() {
                info.test_evaluations += 1;
                test = Some(self.evaluate_part(&mut fit, run, Split::Test)?);
            }
            outcome.fine_tuning = self.fine_tuning(&mut fit, test.as_ref().unwrap_or(&val))?;
            outcome.val = Some(val.metrics);
            outcome.test = test.map(|test| test.metrics);
            let metrics = Metrics {
                format: Format,
                test: outcome.test.clone(),
                val: outcome.val.clone(),
                fine_tuning: outcome.fine_tuning.clone(),
            };
            run.write_metrics(&metrics)?;
        }
        listeners.on_event(&Event::Finished { reason: end.reason().to_owned() });
        listeners.failure()?;
        Ok(outcome)
    }

    fn save_model(&self, run: &RunFolder, info: &RunInfo, fit: &Fit<'_>, epoch: usize) -> Result<(), TrainError> {
        let provenance = Provenance {
            avizor: info.version.clone(),
            run: run.name(),
            epoch,
            training_pictures: self.setup.rows.train.len(),
        };
        let preprocess: Preprocess = self.plan.preprocess.clone();
        let encoder = self.setup.metadata.as_ref().map(Metadata::encoder);
        let card = ModelCard::new(self.plan.card(), self.setup.classes(), preprocess, provenance)
            .flipping(self.plan.test_flip)
            .reading(MetadataCard::new(&self.plan.options, encoder));
        Ok(Model::save(&run.model_path(), &card, &fit.state)?)
    }

    /// The kept network beside the best head on a frozen one, on the part that says how good it is. Both are chosen by then, so
    /// nothing follows from this second look.
    fn fine_tuning(&self, fit: &mut Fit<'_>, tuned: &Evaluated) -> Result<Option<FineTuning>, TrainError> {
        let part = if self.setup.rows.test.is_empty() { Split::Val } else { Split::Test };
        if fit.position.head_best.is_none() {
            return Ok(None);
        }
        let rows = self.setup.rows.of(part);
        if !fit.restore_head()? {
            return Ok(Some(FineTuning::new(part, &tuned.metrics, None)));
        }
        let head = Evaluated::new(&self.setup, rows, fit.score(rows)?, fit.seed())?;
        let gain = tuned.gain_over(&self.setup, rows, &head, fit.seed())?;
        Ok(Some(FineTuning::new(part, &head.metrics, Some(&gain))))
    }

    fn evaluate_part(&self, fit: &mut Fit<'_>, run: &RunFolder, part: Split) -> Result<Evaluated, TrainError> {
        let rows = self.setup.rows.of(part);
        let seed = Seed(self.plan_seed(run)?);
        let evaluated = Evaluated::new(&self.setup, rows, fit.score(rows)?, seed)?;
        evaluated.write(run, part)?;
        let shown = if self.setup.rows.test.is_empty() { Split::Val } else { Split::Test };
        if part == shown {
            write_gallery(run, &self.setup, part, rows, &evaluated, seed)?;
        }
        Ok(evaluated)
    }

    fn plan_seed(&self, run: &RunFolder) -> Result<u64, TrainError> {
        Ok(run.read_info()?.seed)
    }
}

/// The run's own files, and whoever else listens.
struct Listeners<'l> {
    log: EventLog,
    history: HistoryLog,
    other: &'l mut dyn Listener,
}

impl Listeners<'_> {
    /// A log that could not be written is told at the end: it never stops a step.
    fn failure(&mut self) -> Result<(), TrainError> {
        match self.log.take_failure().or_else(|| self.history.take_failure()) {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}

impl Listener for Listeners<'_> {
    fn on_event(&mut self, event: &Event) {
        self.log.on_event(event);
        self.history.on_event(event);
        self.other.on_event(event);
    }
}
