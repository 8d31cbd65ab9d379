//! What one call of the program works with: threads, CPU level, clock, Ctrl-C.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use avizor_base::{Listener, cache_folder};
use avizor_hub::{Network, is_offline};
use avizor_kernels::{Cpu, Level};
use avizor_models::{PUBLISHED, find, weights_folders};
use avizor_train::{Environment, Reading, Recipe};

use crate::args::Global;
use crate::failure::Failure;

/// Set by the first Ctrl-C; a second one ends the program at once.
static STOP: AtomicBool = AtomicBool::new(false);

/// Read once from the command line and the environment.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) threads: usize,
    pub(crate) level: Level,
    pub(crate) quiet: bool,
    pub(crate) network: Network,
    /// Folder of what is remembered of pictures; `None`: nothing is.
    pub(crate) cache: Option<PathBuf>,
}

impl Session {
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        let level = match std::env::var("AVIZOR_CPU") {
            Ok(name) if !name.is_empty() => {
                name.parse().map_err(|error| Failure::usage(format!("AVIZOR_CPU: {error}")))?
            }
            _ => Level::best(),
        };
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = global.threads.map_or_else(cores, usize::from);
        let network = if global.offline || is_offline() { Network::Forbidden } else { Network::Allowed };
        let cache = pictures_folder().filter(|_| !global.no_cache);
        Ok(Self { threads, level, quiet: global.quiet, network, cache })
    }

    pub(crate) fn cpu(&self) -> Cpu {
        Cpu::new(self.threads, self.level)
    }

    /// What training and evaluation need from the world.
    pub(crate) fn environment<'e>(
        &'e self,
        listener: &'e mut dyn Listener,
        reading: &'e mut dyn FnMut(Reading),
    ) -> Environment<'e> {
        Environment {
            threads: self.threads,
            level: self.level,
            now,
            stop: &STOP,
            command: std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect(),
            version: env!("CARGO_PKG_VERSION"),
            cache: self.cache.as_deref(),
            notes: Vec::new(),
            listener,
            reading,
        }
    }

    /// The date, as folders of runs begin with it.
    pub(crate) fn today(&self) -> String {
        now().chars().take(10).collect()
    }

    /// From here on Ctrl-C asks for an orderly end: a checkpoint is written, and `avizor resume` goes on.
    pub(crate) fn stop_on_ctrl_c(&self) -> Result<(), Failure> {
        let quiet = self.quiet;
        ctrlc::set_handler(move || {
            if STOP.swap(true, Ordering::SeqCst) {
                #[allow(clippy::exit, reason = "a second Ctrl-C asks for exactly this")]
                std::process::exit(130);
            }
            if !quiet {
                use std::io::Write;
                // The next step sees the flag whether or not this can be said.
                let _ = writeln!(anstream::stderr(), "\nstopping after this step; Ctrl-C again ends at once");
            }
        })
        .map_err(|error| Failure::run(format!("Ctrl-C cannot be caught: {error}")))
    }
}

/// Where it is remembered what pictures are: the folder that `AVIZOR_CACHE` names, or one of the user's own.
pub(crate) fn pictures_folder() -> Option<PathBuf> {
    let named = std::env::var_os("AVIZOR_CACHE").filter(|value| !value.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(cache_folder()?.join("avizor").join("pictures")))
}

/// The one place where time enters: RFC 3339, UTC, whole seconds.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default().to_string()
}

/// A recipe file, or the default recipe for a folder or table; then the changes of the command line.
pub(crate) fn recipe(path: &Path, assignments: &[String]) -> Result<Recipe, Failure> {
    let mut recipe = match is_recipe(path) {
        true => read_recipe(path)?,
        false => for_pictures(Recipe::default(), path),
    };
    recipe.set(assignments.iter().map(String::as_str))?;
    Ok(recipe)
}

/// Whether nobody has said which network: pictures without a recipe, and without a word about it.
pub(crate) fn network_is_open(path: &Path, assignments: &[String]) -> bool {
    let chooses =
        |assignment: &String| ["model.", "transforms.size"].iter().any(|of| assignment.trim_start().starts_with(of));
    !is_recipe(path) && !assignments.iter().any(chooses)
}

/// As [`recipe`], but where the network is open, training starts from the first ImageNet weights that are at hand: their
/// network comes with it.
pub(crate) fn training_recipe(path: &Path, assignments: &[String]) -> Result<(Recipe, Option<&'static str>), Failure> {
    let folders = weights_folders();
    let at_hand = PUBLISHED.iter().find(|entry| entry.find_in(&folders).is_some());
    let Some(entry) = at_hand.filter(|_| network_is_open(path, assignments)) else {
        return Ok((recipe(path, assignments)?, None));
    };
    let mut recipe = for_pictures(Recipe::parse(FINE_TUNE, "the recipe for fine-tuning")?, path);
    let size = find(entry.network)?.size;
    recipe
        .set([format!("model.name={}", entry.network), format!("transforms.size={size}")].iter().map(String::as_str))?;
    recipe.set(assignments.iter().map(String::as_str))?;
    Ok((recipe, Some(entry.network)))
}

const FINE_TUNE: &str = include_str!("fine_tune.toml");

fn is_recipe(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

/// A recipe as its file has it.
pub(crate) fn read_recipe(path: &Path) -> Result<Recipe, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())).help("check the recipe's path"))?;
    Ok(Recipe::parse(&text, &path.display().to_string())?)
}

fn for_pictures(mut recipe: Recipe, path: &Path) -> Recipe {
    recipe.data.path = Some(path.to_string_lossy().into_owned());
    recipe
}
