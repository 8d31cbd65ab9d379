//! What one call of the program works with: threads, CPU level, clock, Ctrl-C.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use avizor_base::Listener;
use avizor_kernels::{Cpu, Level};
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
        Ok(Self { threads, level, quiet: global.quiet })
    }

    pub(crate) fn cpu(&self) -> Cpu {
        Cpu::new(self.threads, self.level)
    }

    /// What training and evaluation need from the world.
    pub(crate) fn environment<'e>(
        &self,
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
            listener,
            reading,
        }
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

/// The one place where time enters: RFC 3339, UTC, whole seconds.
fn now() -> String {
    jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default().to_string()
}

/// A recipe file, or the default recipe for a folder or table; then the changes of the command line.
pub(crate) fn recipe(path: &Path, assignments: &[String]) -> Result<Recipe, Failure> {
    let mut recipe = if path.extension().is_some_and(|extension| extension == "toml") {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display())).help("check the recipe's path"))?;
        Recipe::parse(&text, &path.display().to_string())?
    } else {
        let mut recipe = Recipe::default();
        recipe.data.path = Some(path.to_string_lossy().into_owned());
        recipe
    };
    for assignment in assignments {
        recipe.set(assignment)?;
    }
    Ok(recipe)
}
