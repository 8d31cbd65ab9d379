//! How much training fits into a given time: network, size and epochs, from measured steps.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use avizor_base::{ClassList, Note, Purpose, Seed, Split};
use avizor_data::Prepared;
use avizor_data::index::Index;
use avizor_data::loader::{Loader, LoaderOptions, plain_order};
use avizor_engine::State;
use avizor_kernels::Cpu;
use avizor_models::{PUBLISHED, find, weights_folders};
use avizor_predict::Scores;

use crate::checkpoint::{Best, Checkpoints, Generation, NewBest, Position};
use crate::environment::Environment;
use crate::error::TrainError;
use crate::first_weights::FirstWeights;
use crate::learning::Learns;
use crate::network::NetworkPlan;
use crate::recipe::{Freeze, Recipe};
use crate::source::{self, Source};

/// A network is worth its time when it gets at least so many epochs: from weights, and from nothing.
const LEAST_EPOCHS: [usize; 2] = [6, 20];
/// So many epochs are enough, however short: they only take time from those who wait.
const MOST_EPOCHS: usize = 1000;
/// Seconds of an epoch beside its pictures: threads of the loader start, a row and events are stored. A round number: of a few
/// tiny pictures 5 s became 4.5 and 3.9 with it.
const BESIDE: f64 = 0.004;
/// Networks without weights, from light to heavy, with the side of their pictures.
const FROM_NOTHING: [(&str, u32); 4] = [("resnet18", 96), ("resnet18", 128), ("resnet18", 160), ("resnet34", 192)];
/// Pictures that are read to see how long reading takes.
const READ: usize = 64;
/// Pictures of a measured step, at most.
const TOGETHER: usize = 32;
/// A step is repeated for about so long.
const MEASURED_FOR: Duration = Duration::from_millis(1500);
/// Seconds of a head's step on one picture's features: next to nothing, but there are many.
const HEAD_STEP: f64 = 2e-5;

/// What may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freedom {
    /// Network, size of the pictures and epochs.
    All,
    /// Epochs alone.
    Epochs,
}

/// How long things take.
#[derive(Clone, Copy, Debug)]
struct Speed {
    /// Seconds a picture of a training step.
    step: f64,
    /// Seconds a picture of inference.
    infer: f64,
    /// Seconds for which the end of an epoch waits at most: what a checkpoint stores, with the best parameters, is copied.
    copying: f64,
    /// Seconds in which a thread stores that.
    storing: f64,
}

/// A network that was measured.
struct Candidate {
    recipe: Recipe,
    /// Seconds of all but the epochs of the whole network.
    fixed: f64,
    /// Seconds of one of those.
    epoch: f64,
}

/// Pictures in each part, about; of train with the copies that fill small classes up.
struct Counts {
    train: f64,
    val: f64,
    test: f64,
}

/// The recipe whose training below `runs`, evaluation and all that belongs to it take about `time`, counted from now, and what
/// was chosen and why.
///
/// # Errors
/// As training; a network that does not learn as a whole, whose time is that of reading pictures.
pub fn within(
    recipe: &Recipe,
    time: Duration,
    freedom: Freedom,
    runs: &Path,
    env: &Environment<'_>,
) -> Result<(Recipe, Note), TrainError> {
    if recipe.model.freeze == Freeze::BACKBONE {
        return Err(TrainError::Option {
            option: "model.freeze",
            problem: "a frozen network has no epochs to choose by time: all of them together take seconds".to_owned(),
            help: "leave out --time, or set train.head_epochs in place of model.freeze".to_owned(),
        });
    }
    let started = Instant::now();
    let cpu = Cpu::new(env.threads, env.level).with_conv2d_methods(recipe.train.convolution.into());
    let recipes = match freedom {
        Freedom::All => candidates(recipe)?,
        Freedom::Epochs => vec![recipe.clone()],
    };
    let least = LEAST_EPOCHS[usize::from(recipe.model.weights == "none")];
    let left = || time.as_secs_f64() - started.elapsed().as_secs_f64();
    let mut measured = Vec::new();
    for recipe in recipes {
        let candidate = Candidate::measure(recipe, &cpu, runs)?;
        let is_enough = candidate.epochs_in(left()) >= least;
        measured.push(candidate);
        // From light to heavy: what follows takes longer still.
        if !is_enough {
            break;
        }
    }
    // Measuring took its time too: what fitted when it was measured may do so no more.
    let left = left();
    let last = measured.iter().rposition(|candidate| candidate.epochs_in(left) >= least).unwrap_or(0);
    let too_slow = measured.drain(last + 1..).next();
    let Some(mut chosen) = measured.pop() else { unreachable!("there is at least one candidate") };
    let epochs = chosen.epochs_in(left);
    if epochs == 0 {
        return Err(TrainError::Data {
            problem: format!(
                "one epoch of {} takes about {:.0} s here, and reading, evaluation and it do not fit into {:.0} s",
                chosen.recipe.model.name,
                chosen.epoch,
                time.as_secs_f64()
            ),
            help: "give more time, or set model.freeze = \"backbone\" and train the head alone".to_owned(),
        });
    }
    chosen.recipe.train.epochs = epochs;
    let slow = too_slow.map(|slow| {
        let (name, fit) = (&slow.recipe.model.name, slow.epochs_in(left));
        format!("; {name} would get {fit} epochs of {:.1} s, too few", slow.epoch)
    });
    let enough = if epochs == MOST_EPOCHS { "; more than that would not help" } else { "" };
    let (seconds, slow) = (time.as_secs_f64(), slow.unwrap_or_default());
    let text = format!("{} fit into {seconds:.0} s{enough}{slow}", chosen.about());
    Ok((chosen.recipe, Note { kind: "time".to_owned(), text }))
}

/// Recipes of several networks, from light to heavy.
fn candidates(recipe: &Recipe) -> Result<Vec<Recipe>, TrainError> {
    let with = |name: &str, size: u32| {
        let mut recipe = recipe.clone();
        let changes = [format!("model.name={name}"), format!("transforms.size={size}")];
        recipe.set(changes.iter().map(String::as_str))?;
        Ok(recipe)
    };
    if recipe.model.weights != "imagenet" {
        return FROM_NOTHING.into_iter().map(|(name, size)| with(name, size)).collect();
    }
    let folders = weights_folders();
    let mut entries: Vec<_> = PUBLISHED.iter().filter(|entry| entry.find_in(&folders).is_some()).collect();
    // Norms that came folded learn nothing, and a first answer needs features that can be kept.
    entries.retain(|entry| !entry.folded_norms);
    let mut networks = Vec::new();
    for entry in entries {
        let (network, of_entry) = (find(entry.network)?, with(entry.network, 64)?);
        let classes = ClassList::from_labels(["a", "b"]).unwrap_or_else(|_| unreachable!("two classes"));
        let plan = NetworkPlan::new(&of_entry, &classes, source::preprocess(&of_entry.transforms, None)?, None, 0)?;
        if plan.constant_features()?.is_some() {
            networks.push((network, entry.accuracy()));
        }
    }
    // Work goes about with parameters and pixels. What is heavier and no better on ImageNet is not worth its time.
    networks.sort_by_key(|(network, _)| network.parameters as u64 * u64::from(network.size).pow(2));
    let mut best = 0.0;
    networks.retain(|&(_, accuracy)| {
        let is_worth_it = accuracy >= best;
        best = f64::max(best, accuracy);
        is_worth_it
    });
    match networks.as_slice() {
        [] => Ok(vec![recipe.clone()]),
        [(lightest, _), ..] => {
            let small = with(lightest.name, 160)?;
            let rest = networks.iter().map(|(network, _)| with(network.name, network.size));
            std::iter::once(Ok(small)).chain(rest).collect()
        }
    }
}

impl Candidate {
    fn measure(recipe: Recipe, cpu: &Cpu, runs: &Path) -> Result<Self, TrainError> {
        let weights = FirstWeights::of(&recipe)?;
        let preprocess = source::preprocess(&recipe.transforms, weights.as_ref())?;
        let source = Source::of(&recipe)?;
        let prepared = Arc::new(source.prepared(Prepared::DEFAULT_BUDGET));
        let index = prepared.index();
        let counts = Counts::of(index, &recipe);
        let plan = NetworkPlan::new(&recipe, index.classes(), preprocess, weights, recipe.data.metadata.len())?;
        let speed = Speed::of(&plan, recipe.train.batch.min(TOGETHER).min(index.len()), cpu, runs)?;
        let [read, load] = reading(&prepared, &recipe, cpu)?;

        let views = recipe.train.views.max(1) as f64;
        let head_first = if recipe.train.head_epochs > 0 {
            (counts.train * views + counts.val) * (speed.infer + load)
                + (HEAD_STEP * counts.train + speed.copying) * recipe.train.head_epochs as f64
                + speed.storing
        } else {
            0.0
        };
        let evaluations = if recipe.train.head_epochs > 0 { 2.0 } else { 1.0 };
        let all = counts.train + counts.val + counts.test;
        let fixed = all * read + head_first + (counts.val + evaluations * counts.test) * speed.infer + speed.storing;
        let epoch = counts.train * (speed.step + load) + counts.val * speed.infer + speed.copying + BESIDE;
        Ok(Self { recipe, fixed, epoch })
    }

    /// How many epochs fit into so many seconds, up to [`MOST_EPOCHS`].
    fn epochs_in(&self, seconds: f64) -> usize {
        (((seconds - self.fixed) / self.epoch).round().max(0.0) as usize).min(MOST_EPOCHS)
    }

    /// What it is, when its epochs are chosen.
    fn about(&self) -> String {
        let Recipe { model, transforms, train, .. } = &self.recipe;
        let size = transforms.size.image_size();
        let size = size.map_or(String::new(), |size| format!(" at {} × {}", size.height(), size.width()));
        let epoch =
            if self.epoch < 0.1 { format!("{:.0} ms", 1e3 * self.epoch) } else { format!("{:.1} s", self.epoch) };
        format!("{}{size} for {} epochs of about {epoch}", model.name, train.epochs)
    }
}

impl Counts {
    fn of(index: &Index, recipe: &Recipe) -> Self {
        let parts = Self::of_parts(index, recipe);
        let is_source = |row: usize| index.given(row).is_none_or(|part| part == Split::Train);
        let mut classes = vec![0.0; index.classes().len()];
        (0..index.len()).filter(|&row| is_source(row)).for_each(|row| classes[index.label(row).index()] += 1.0);
        let share = parts.train / classes.iter().sum::<f64>().max(1.0);
        let filled =
            |of_class: &f64| if *of_class > 0.0 { (of_class * share).max(recipe.balance.fill as f64) } else { 0.0 };
        Self { train: classes.iter().map(filled).sum(), ..parts }
    }

    fn of_parts(index: &Index, recipe: &Recipe) -> Self {
        let n = index.len() as f64;
        let [train, val, test] = recipe.split.ratios;
        if !index.has_given() {
            return Self { train: n * train, val: n * val, test: n * test };
        }
        let given = |part| (0..index.len()).filter(|&row| index.given(row) == Some(part)).count() as f64;
        let (of_train, of_val, of_test) = (given(Split::Train), given(Split::Val), given(Split::Test));
        match (of_val > 0.0, of_test > 0.0) {
            (true, true) => Self { train: of_train, val: of_val, test: of_test },
            // Where one part is missing, val is taken from train and what was given serves as test.
            _ => {
                let share = val / (train + val);
                Self { train: of_train * (1.0 - share), val: of_train * share, test: of_val + of_test }
            }
        }
    }
}

impl Speed {
    fn of(plan: &NetworkPlan, batch: usize, cpu: &Cpu, runs: &Path) -> Result<Self, TrainError> {
        let (mut state, _) = plan.state(Seed(0))?;
        let program = plan.training_program(Learns::Network, batch, cpu, &mut state)?;
        let optimizer = plan.optimizer(Learns::Network, &mut state)?;
        let mut image = Vec::new();
        if program.has_input("image") {
            let mut stream = Seed(1).stream(Purpose::Order, [0, 0, 0]);
            let input = state.input_u8_mut(&program, "image");
            input.iter_mut().for_each(|value| *value = stream.next_u32() as u8);
            image = input.to_vec();
        }
        if program.has_input("class_weights") {
            state.input_f32_mut(&program, "class_weights").fill(1.0);
        }
        let step = median(|| {
            program.run(cpu, &mut state);
            optimizer.step(cpu, &mut state, 0.0);
        });
        let scorer = plan.scorer(batch, cpu, &mut state)?;
        let metadata = vec![0.0; batch * plan.options.metadata_width()];
        let infer = median(|| scorer.score(cpu, &mut state, &image, &metadata, &mut Scores::default()));
        let [copying, storing] = storing(&state, runs)?;
        Ok(Self { step: step / batch as f64, infer: infer / batch as f64, copying, storing })
    }
}

/// Seconds of copying a state and its parameters, and of writing both where runs will write theirs.
fn storing(state: &State, runs: &Path) -> Result<[f64; 2], TrainError> {
    let folder = runs.join(format!(".time-{}", std::process::id()));
    let copied = Instant::now();
    let arrays = state.export();
    let parameters = arrays[..state.parameters().len()].to_vec();
    let copying = copied.elapsed().as_secs_f64();
    let best = Some(NewBest { file: Best::file_of(1), parameters });
    let write = || {
        let mut checkpoints = Checkpoints::open(folder.clone())?;
        let started = Instant::now();
        checkpoints.start(Generation { position: Position::start(1), arrays, best });
        checkpoints.finish()?;
        Ok::<f64, TrainError>(started.elapsed().as_secs_f64())
    };
    let seconds = write();
    // Nothing but this measurement was ever in it.
    let _ = std::fs::remove_dir_all(&folder);
    Ok([copying, seconds?])
}

/// Seconds of a run, after two that do not count.
fn median(mut run: impl FnMut()) -> f64 {
    (0..2).for_each(|_| run());
    let (begun, mut seconds) = (Instant::now(), Vec::new());
    while seconds.len() < 3 || begun.elapsed() < MEASURED_FOR {
        let started = Instant::now();
        run();
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Seconds a picture: of reading one for the first time, and of changing one that is kept.
fn reading(prepared: &Arc<Prepared>, recipe: &Recipe, cpu: &Cpu) -> Result<[f64; 2], TrainError> {
    let n = prepared.index().len();
    let every = n.div_ceil(READ);
    let mut rows: Vec<u32> = (0..n).step_by(every).map(|row| row as u32).collect();
    // A picture that cannot be read is told when all are.
    rows.retain(|&row| prepared.picture(row as usize).is_ok());
    let fresh = Arc::new(Prepared::new(
        Arc::new(prepared.index().clone()),
        prepared.preprocess().clone(),
        source::limits(&recipe.data),
        Prepared::DEFAULT_BUDGET,
    ));
    let pass = || {
        let options = LoaderOptions { batch: READ, epoch: 0, seed: Seed(0), threads: cpu.threads(), first_batch: 0 };
        let transforms = Some(recipe.transforms.train.clone());
        let mut loader = Loader::new(Arc::clone(&fresh), plain_order(&rows), transforms, options)?;
        let started = Instant::now();
        while loader.next_batch()?.is_some() {}
        Ok::<f64, TrainError>(started.elapsed().as_secs_f64() / rows.len().max(1) as f64)
    };
    let first = pass()?;
    let again = pass()?.min(pass()?);
    Ok([(first - again).max(0.0), again])
}
