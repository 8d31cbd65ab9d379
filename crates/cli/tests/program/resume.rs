//! Interruption: killed at any moment, a run goes on to the same bits.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use avizor_base::{Purpose, Seed, Stream};

use crate::sandbox::{Sandbox, picture, quick_train};

/// A name, and the options of the recipe that it stands for.
type Choice = (&'static str, &'static [&'static str]);

const OPTIMIZERS: &[Choice] = &[
    ("sgd", &["optimizer.name=sgd", "optimizer.momentum=0.9", "optimizer.lr=0.1"]),
    ("nesterov", &["optimizer.name=sgd", "optimizer.momentum=0.9", "optimizer.nesterov=true", "optimizer.lr=0.1"]),
    ("adam", &["optimizer.name=adam", "optimizer.lr=0.1"]),
    ("adamw", &["optimizer.name=adamw", "optimizer.lr=0.1"]),
    ("rmsprop", &["optimizer.name=rmsprop", "optimizer.momentum=0.9", "optimizer.lr=0.02"]),
];
const SCHEDULES: &[Choice] = &[
    ("none", &["schedule.name=none"]),
    ("plateau", &["schedule.name=plateau", "schedule.patience=0"]),
    ("cosine", &["schedule.name=cosine", "schedule.warmup_epochs=1"]),
    ("step", &["schedule.name=step", "schedule.patience=1"]),
];
const SAMPLERS: &[Choice] = &[("plain", &["balance.sampler=none"]), ("weighted", &["balance.sampler=weighted"])];
/// Small classes filled up by copies that are made once, each by noise of its own.
const FILLED: Choice =
    ("filled", &["balance.fill=16", "balance.fill_transforms=[{ op = \"gaussian_noise\", sigma = 0.1 }]"]);

const PERCEPTRON: Choice = ("mlp", &["train.epochs=4", "train.checkpoint_steps=2"]);
/// Statistics of batch norm, and checkpoints that take a while to write. Dropout is in all of them.
const RESNET: Choice = (
    "resnet18",
    &[
        "model.name=resnet18",
        "model.stem=small",
        "transforms.size=16",
        "train.batch=13",
        "train.epochs=2",
        "train.checkpoint_steps=1",
    ],
);
const CNN: Choice =
    ("small_cnn", &["model.name=small_cnn", "transforms.size=46", "train.epochs=3", "train.checkpoint_steps=1"]);

/// The head first, on features of changed pictures, then all; and everything that stands around a step.
const HEAD_FIRST: Choice = (
    "head_first",
    &[
        "model.name=mobilenet_v2",
        "transforms.size=32",
        "train.batch=13",
        "train.head_epochs=2",
        "train.epochs=2",
        "train.views=2",
        "train.accumulate=2",
        "train.ema=0.8",
        "train.clip_norm=1",
        "optimizer.layer_decay=0.5",
        "optimizer.decay_bias=false",
        "train.checkpoint_steps=1",
    ],
);
/// The head first, where nothing can be kept of the layers below it.
const HEAD_FIRST_CNN: Choice = (
    "head_first_cnn",
    &[
        "model.name=small_cnn",
        "transforms.size=46",
        "train.head_epochs=1",
        "train.epochs=2",
        "train.ema=0.9",
        "model.freeze=1",
        "train.checkpoint_steps=1",
    ],
);
/// What a table says, joined with features that are kept, then with those that learn; and by itself.
const JOINED: Choice = (
    "joined",
    &[
        "model.name=mobilenet_v2",
        "transforms.size=32",
        "train.batch=13",
        "train.head_epochs=2",
        "train.epochs=2",
        "train.views=2",
        "data.table=../known.csv",
        "data.pictures=photos",
        "data.metadata=[\"age\", \"sex\"]",
        "metadata.role=joined",
        "train.checkpoint_steps=1",
    ],
);
const ALONE: Choice = (
    "alone",
    &[
        "data.table=../known.csv",
        "data.pictures=photos",
        "data.metadata=[\"age\", \"sex\"]",
        "metadata.role=alone",
        "train.epochs=4",
        "train.checkpoint_steps=1",
    ],
);
/// Pictures mixed in pairs once all of the network learns, by one draw a step.
const MIXED: Choice = (
    "mixed",
    &[
        "model.name=mobilenet_v2",
        "model.head=[8]",
        "transforms.size=32",
        "train.batch=13",
        "train.head_epochs=1",
        "train.epochs=2",
        "train.mixup=0.4",
        "train.cutmix=1.0",
        "train.label_smoothing=0.1",
        "train.accumulate=2",
        "balance.class_weights=balanced",
        "train.checkpoint_steps=1",
    ],
);
const ONE_CYCLE: Choice = ("onecycle", &["schedule.name=onecycle"]);

/// What decides where runs are killed.
const SEED: Seed = Seed(11);
/// Kills of a run before it may end.
const KILLS: usize = 2;

#[test]
fn a_killed_run_resumes_to_the_bits_of_one_that_never_stopped() {
    let mut cases = Vec::new();
    for (row, &optimizer) in OPTIMIZERS.iter().enumerate() {
        // Half of all pairs: each optimizer with two schedules, each schedule with two or three of them.
        for (column, &schedule) in SCHEDULES.iter().enumerate().filter(|(column, _)| (row + column) % 2 == 0) {
            cases.push([PERCEPTRON, optimizer, schedule, SAMPLERS[(row + column / 2) % SAMPLERS.len()]]);
        }
    }
    let [sgd, nesterov, adam, adamw, rmsprop] = [0, 1, 2, 3, 4].map(|place| OPTIMIZERS[place]);
    let [_, plateau, cosine, step] = [0, 1, 2, 3].map(|place| SCHEDULES[place]);
    let [plain, weighted] = [0, 1].map(|place| SAMPLERS[place]);
    cases.push([RESNET, nesterov, cosine, weighted]);
    cases.push([RESNET, adamw, plateau, FILLED]);
    cases.push([CNN, adam, cosine, plain]);
    cases.push([CNN, rmsprop, step, weighted]);
    cases.push([CNN, sgd, plateau, weighted]);
    cases.push([HEAD_FIRST, adamw, ONE_CYCLE, weighted]);
    cases.push([HEAD_FIRST_CNN, adam, cosine, FILLED]);
    cases.push([HEAD_FIRST, sgd, step, FILLED]);
    cases.push([JOINED, adamw, step, weighted]);
    cases.push([ALONE, rmsprop, cosine, plain]);
    cases.push([MIXED, adamw, cosine, FILLED]);

    let sandbox = Sandbox::new();
    pictures_with_doubtful_labels(&sandbox);
    // Two at a time: most of a short run is waiting for the disk.
    let (next, checked) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let one = check(&sandbox, case);
                    checked.lock().unwrap().push(one);
                }
            });
        }
    });
    covers_what_it_should(&checked.into_inner().unwrap());
}

/// The kills fell into every epoch, after the last and into writes; the schedules did what they are there for.
fn covers_what_it_should(checked: &[Checked]) {
    let kills: Vec<&Kill> = checked.iter().flat_map(|case| &case.kills).collect();
    let torn = kills.iter().filter(|kill| kill.torn).count();
    let epochs = [0, 1, 2, 3, 4].map(|epoch| kills.iter().filter(|kill| kill.epoch == epoch).count());
    let cut = |schedule: &str| checked.iter().filter(|case| case.schedule == schedule).filter(|case| case.cut).count();
    let cuts = SCHEDULES.iter().map(|(name, _)| (*name, cut(name))).collect::<Vec<_>>();
    eprintln!(
        "{} cases, {} kills: in epochs 1 to 4 and after them {epochs:?}, {torn} while something was written; \
         the rate changed {cuts:?}",
        checked.len(),
        kills.len()
    );
    assert!(kills.len() >= checked.len() && torn > 0 && epochs.iter().all(|&count| count > 0));
    assert!(cuts.iter().all(|&(name, count)| (count > 0) == (name != "none")));
}

/// Three classes whose pictures, and what a table says of them, tell little: validation has no reason to get better, and
/// plateaus come.
fn pictures_with_doubtful_labels(sandbox: &Sandbox) {
    let mut table = "file,label,age,sex\n".to_owned();
    for (class, (name, count)) in [("blue", 30), ("green", 12), ("red", 12)].into_iter().enumerate() {
        for number in 0..count {
            sandbox.write(&format!("photos/{name}/{number}.png"), picture((class * number) % 3, 100 * class + number));
            let age = if number % 9 == 4 { String::new() } else { (17 * number % 60 + class).to_string() };
            table.push_str(&format!("{name}/{number}.png,{name},{age},{}\n", ["f", "m"][number % 2]));
        }
    }
    sandbox.write("known.csv", table);
}

/// Where a run was killed.
struct Kill {
    /// Epochs that were done.
    epoch: u64,
    /// Whether something half-written was left behind.
    torn: bool,
}

/// What came of a case.
struct Checked {
    schedule: &'static str,
    /// Whether the learning rate was not the same all the time.
    cut: bool,
    kills: Vec<Kill>,
}

/// Trains once without and once with kills, and compares.
fn check(sandbox: &Sandbox, case: &[Choice; 4]) -> Checked {
    let name = case.map(|(name, _)| name).join("-");
    let folder = |kind: &str| format!("{name}/{kind}");

    sandbox.succeed(&train(case, &folder("whole")));
    let whole = only_entry(&sandbox.path(&folder("whole"))).unwrap();
    let steps = saved_step(&whole);
    let epochs = fs::read_to_string(whole.join("history.csv")).unwrap().lines().count() as u64 - 1;
    let cut = rates(&whole) > 1;
    let moments = Moment::draw(&name, steps);
    let kills = train_and_kill(sandbox, &train(case, &folder("killed")), &sandbox.path(&folder("killed")), &moments);
    let killed = only_entry(&sandbox.path(&folder("killed"))).unwrap();
    for ((file, whole), (_, killed)) in result(&whole).into_iter().zip(result(&killed)) {
        assert!(
            whole == killed,
            "{name}: {file} is another one after kills at {moments:?} of {steps} steps ({SEED:?})"
        );
    }
    fs::remove_dir_all(sandbox.path(&name)).unwrap();
    let steps_per_epoch = steps / epochs;
    let kills = kills.into_iter().map(|(step, torn)| Kill { epoch: step / steps_per_epoch, torn }).collect();
    Checked { schedule: case[2].0, cut, kills }
}

/// The command line of a case.
fn train<'a>(case: &[Choice; 4], runs: &'a str) -> Vec<&'a str> {
    let mut more = vec!["--quiet", "--runs", runs];
    let always = ["model.dropout=0.2", "transforms.train=[{ op = \"horizontal_flip\", p = 0.5 }]"];
    let chosen = case.iter().flat_map(|(_, options)| options.iter().copied());
    more.extend(always.into_iter().chain(chosen).flat_map(|option| ["--set", option]));
    quick_train("photos", &more)
}

/// When a sitting is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// This long after the checkpoint of this step, or of the first one after it, is in place.
    After { step: u64, wait: Duration },
    /// While the next checkpoint after that is being written.
    Writing { step: u64 },
}

impl Moment {
    /// Moments of one case, in the order of steps.
    fn draw(case: &str, steps: u64) -> Vec<Self> {
        let key = case.bytes().fold(0u64, |key, byte| key.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut stream: Stream = SEED.stream(Purpose::Order, [key, 0, 0]);
        let mut at: Vec<u64> = (0..KILLS).map(|_| stream.below(steps + 1)).collect();
        at.sort_unstable();
        at.into_iter()
            .map(|step| match stream.below(2) {
                0 => Self::After { step, wait: Duration::from_micros(stream.below(8000)) },
                _ => Self::Writing { step },
            })
            .collect()
    }

    /// Whether it has come, in a run that lies here. Before the folder of checkpoints nothing can be resumed.
    fn is_reached(self, run: &Path) -> bool {
        let (Self::After { step, .. } | Self::Writing { step }) = self;
        run.join("checkpoint").is_dir()
            && saved_step(run) >= step
            && (matches!(self, Self::After { .. }) || is_writing(run))
    }
}

/// Runs the program, kills it with SIGKILL at every moment, resumes it each time, in the end to its end.
///
/// Gives the step of the last checkpoint at each kill, and whether a write was torn.
fn train_and_kill(sandbox: &Sandbox, train: &[&str], runs: &Path, moments: &[Moment]) -> Vec<(u64, bool)> {
    let start = |arguments: &[&str]| -> Child {
        sandbox.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut kills = Vec::new();
    let mut child = start(train);
    for moment in moments {
        while child.try_wait().unwrap().is_none() && !only_entry(runs).is_some_and(|run| moment.is_reached(&run)) {
            std::thread::sleep(Duration::from_micros(200));
        }
        if let Moment::After { wait, .. } = moment {
            std::thread::sleep(*wait);
        }
        child.kill().unwrap();
        let ended = child.wait().unwrap().code().is_some();
        let run = only_entry(runs).unwrap();
        if ended {
            break;
        }
        kills.push((saved_step(&run), is_writing(&run)));
        child = start(&["resume", run.to_str().unwrap(), "--threads", "1"]);
    }
    child.wait().unwrap();
    let run = only_entry(runs).unwrap();
    let info = fs::read_to_string(run.join("run.json")).unwrap();
    assert!(info.contains("\"finished\""), "{info}");
    kills
}

/// The step of the last complete checkpoint; 0 where there is none yet.
fn saved_step(run: &Path) -> u64 {
    let current = fs::read_to_string(run.join("checkpoint/current"));
    current.map_or(0, |name| name.trim_start_matches("step-").parse().unwrap())
}

/// Whether a checkpoint, or another file, has been begun and is not in place.
fn is_writing(run: &Path) -> bool {
    let saved = saved_step(run);
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    let begun = |name: &String| {
        name.ends_with(".partial")
            || name.strip_prefix("step-").is_some_and(|step| step.parse::<u64>().unwrap() > saved)
    };
    [run.to_owned(), run.join("checkpoint")].iter().any(|folder| names(folder).iter().any(begun))
}

fn only_entry(folder: &Path) -> Option<PathBuf> {
    Some(fs::read_dir(folder).ok()?.next()?.unwrap().path())
}

/// How many learning rates the history knows.
fn rates(run: &Path) -> usize {
    let history = fs::read_to_string(run.join("history.csv")).unwrap();
    let column = history.lines().next().unwrap().split(',').position(|column| column == "lr").unwrap();
    let mut rates: Vec<_> = history.lines().skip(1).map(|line| line.split(',').nth(column).unwrap()).collect();
    rates.sort_unstable();
    rates.dedup();
    rates.len()
}

/// What must be equal: model, predictions, numbers, and the history but for the time it took.
fn result(run: &Path) -> [(&'static str, Vec<u8>); 4] {
    let read = |name: &'static str| (name, fs::read(run.join(name)).unwrap());
    let (name, history) = read("history.csv");
    let history = String::from_utf8(history).unwrap();
    let seconds = history.lines().next().unwrap().split(',').position(|column| column == "seconds").unwrap();
    let timeless = history.lines().flat_map(|line| {
        line.split(',').enumerate().filter(|(place, _)| *place != seconds).map(|(_, cell)| format!("{cell},"))
    });
    let history = timeless.collect::<String>().into_bytes();
    [(name, history), read("model/model.safetensors"), read("predictions/test.csv"), read("metrics.json")]
}

#[test]
fn a_finished_run_and_changed_pictures_are_not_resumed() {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("blue", 12), ("green", 12)]);
    sandbox.succeed(&quick_train("photos", &[]));
    let run = sandbox.the_run();
    let said = sandbox.run(&["resume", &run]);
    assert_eq!(said.code, Some(1));
    assert_eq!(said.err, format!("error: {run} is finished; there is nothing to resume\n"));

    let info = sandbox.path(&run).join("run.json");
    let text = std::fs::read_to_string(&info).unwrap().replace("\"finished\"", "\"running\"");
    std::fs::write(&info, text).unwrap();
    sandbox.write("photos/blue/new.png", crate::sandbox::picture(0, 99));
    let said = sandbox.run(&["resume", &run]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("have changed since it was begun"), "{}", said.err);
}
