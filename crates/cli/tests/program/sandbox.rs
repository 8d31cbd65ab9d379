//! An empty folder, the program run in it, and pictures to give it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use avizor_base::{ImageSize, Purpose, Seed};
use avizor_data::Picture;
use tempfile::TempDir;

/// A folder of its own that is removed at the end.
pub(crate) struct Sandbox {
    folder: TempDir,
    /// Pictures are remembered here, and not left behind in the folder.
    cache: TempDir,
}

/// What a run of the program said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), cache: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// The program with this folder as the current one.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_avizor"));
        command.args(arguments).current_dir(self.folder.path());
        command.env_remove("AVIZOR_CPU").env("NO_COLOR", "1");
        // Weights that happen to be at hand would change what is trained.
        command.env_remove("AVIZOR_WEIGHTS").env("XDG_CACHE_HOME", self.path("cache"));
        command.env("AVIZOR_CACHE", self.cache.path());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().unwrap())
    }

    /// Runs and expects success; gives what was printed.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(0), "avizor {}\n{}", arguments.join(" "), said.err);
        said.out
    }

    /// Class folders of noise round a colour of the class: easy to tell apart, each picture different.
    pub(crate) fn pictures(&self, folder: &str, classes: &[(&str, usize)]) {
        for (class, (name, count)) in classes.iter().enumerate() {
            for number in 0..*count {
                self.write(&format!("{folder}/{name}/{name}_{number}.png"), picture(class, number));
            }
        }
    }

    /// The only run below `runs`.
    pub(crate) fn the_run(&self) -> String {
        let mut runs: Vec<_> =
            fs::read_dir(self.path("runs")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        format!("runs/{}", runs.remove(0).to_str().unwrap())
    }
}

impl Said {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A small PNG: the class chooses its mean colour, the number its noise.
pub(crate) fn picture(class: usize, number: usize) -> Vec<u8> {
    let mut stream = Seed(9).stream(Purpose::Quickstart, [class as u64, number as u64, 0]);
    let mean = [[200, 60, 60], [60, 200, 60], [60, 60, 200], [190, 190, 60]][class % 4];
    let size = ImageSize::new(12 + number as u32 % 5, 14).unwrap();
    let pixels = (0..size.area()).flat_map(|_| mean.map(|mean: u64| (mean - 40 + stream.below(80)) as u8)).collect();
    Picture::new(size, pixels).unwrap().to_png()
}

/// The options of a training that takes a fraction of a second.
pub(crate) const QUICK: &[&str] = &[
    "--set",
    "model.name=mlp",
    "--set",
    "model.hidden=[8]",
    "--set",
    "transforms.size=8",
    "--set",
    "train.epochs=2",
    "--set",
    "train.batch=8",
    "--threads",
    "2",
];

/// `train PATH` with [`QUICK`] and more.
pub(crate) fn quick_train<'a>(path: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["train", path], QUICK, more].concat()
}

/// All files below a folder, sorted, relative to it.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}
