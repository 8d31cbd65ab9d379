//! What a person decided about pictures: to leave some out, to give some another class, to make two classes one.
//!
//! Decisions stand in a file beside the pictures, a line each, and are only ever added to: also that one no longer holds is a
//! line of its own. Pictures are never moved or deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Name of the file in a data folder, and end of its name beside a table or an archive.
pub const FILE: &str = "avizor-decisions.jsonl";

/// The largest file that is read, in bytes.
const MOST_BYTES: u64 = 256 << 20;

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What shall be done.
    #[serde(flatten)]
    pub action: Action,
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// When, RFC 3339.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub time: String,
}

/// What shall be done. Pictures are named as in the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Pictures are left out.
    Exclude {
        /// Their names.
        pictures: Vec<String>,
    },
    /// Pictures get another class.
    Relabel {
        /// Their names.
        pictures: Vec<String>,
        /// The class.
        class: String,
    },
    /// Classes become one.
    Merge {
        /// Their names.
        classes: Vec<String>,
        /// What they are called then; may be one of them.
        into: String,
    },
    /// An earlier decision no longer holds.
    Undo {
        /// Its line, from 1.
        decision: usize,
    },
}

impl fmt::Display for Decision {
    /// In a line for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.action {
            Action::Exclude { pictures } => write!(f, "exclude {}", some(pictures))?,
            Action::Relabel { pictures, class } => write!(f, "relabel {} as {class}", some(pictures))?,
            Action::Merge { classes, into } => write!(f, "merge {} into {into}", some(classes))?,
            Action::Undo { decision } => write!(f, "undo {decision}")?,
        }
        if self.why.is_empty() { Ok(()) } else { write!(f, " ({})", self.why) }
    }
}

/// The first names, and how many more.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

/// Why a file of decisions cannot be followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecisionsError {
    /// The file system says no.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is too large.
    #[error("{path} has more than {limit} bytes; a file of decisions is shorter", limit = MOST_BYTES)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A line is no decision.
    #[error("{path}, line {line}: {problem}; mend the line, or remove it")]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A line undoes what is not there.
    #[error("{path}, line {line}: there is no decision {decision} before it that could be undone")]
    NothingToUndo {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What it names.
        decision: usize,
    },
}

/// The decisions about a data set, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    lines: Vec<Decision>,
    undone: BTreeSet<usize>,
}

impl Decisions {
    /// Those of a file; none where there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, or a line is no decision. A last line that was torn off counts as none.
    pub fn read(path: &Path) -> Result<Self, DecisionsError> {
        let failed = |source| DecisionsError::File { path: path.to_owned(), source };
        match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error)),
            Ok(metadata) if metadata.len() > MOST_BYTES => {
                return Err(DecisionsError::TooLarge { path: path.to_owned() });
            }
            Ok(_) => {}
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, DecisionsError> {
        let mut decisions = Self::default();
        for (at, line) in text.split_inclusive('\n').enumerate() {
            let decision: Decision = match serde_json::from_str(line) {
                Ok(decision) => decision,
                Err(_) if !line.ends_with('\n') => break,
                Err(error) => {
                    let problem = error.to_string();
                    return Err(DecisionsError::Line { path: path.to_owned(), line: at + 1, problem });
                }
            };
            decisions.add(decision).map_err(|decision| DecisionsError::NothingToUndo {
                path: path.to_owned(),
                line: at + 1,
                decision,
            })?;
        }
        Ok(decisions)
    }

    /// Adds one; the number that it undoes where there is no such decision in force.
    fn add(&mut self, decision: Decision) -> Result<(), usize> {
        if let Action::Undo { decision: number } = decision.action {
            let is_there = number.checked_sub(1).and_then(|at| self.lines.get(at));
            let can_be_undone = is_there.is_some_and(|line| !matches!(line.action, Action::Undo { .. }));
            if !can_be_undone || !self.undone.insert(number) {
                return Err(number);
            }
        }
        self.lines.push(decision);
        Ok(())
    }

    /// Writes one more line to the file.
    ///
    /// # Errors
    /// The file system says no, or the decision undoes what is not there.
    pub fn append(&mut self, path: &Path, decision: Decision) -> Result<(), DecisionsError> {
        let line = self.lines.len() + 1;
        let text = format!("{}\n", serde_json::to_string(&decision).unwrap_or_else(|error| unreachable!("{error}")));
        self.add(decision).map_err(|decision| DecisionsError::NothingToUndo {
            path: path.to_owned(),
            line,
            decision,
        })?;
        let write = || {
            let mut file = std::fs::OpenOptions::new().create(true).read(true).append(true).open(path)?;
            let mut before = String::new();
            file.read_to_string(&mut before)?;
            // What was torn off must not become the start of this line.
            let torn = before.rsplit('\n').next().map_or(0, str::len);
            if torn > 0 {
                file.set_len((before.len() - torn) as u64)?;
            }
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|source| DecisionsError::File { path: path.to_owned(), source })
    }

    /// All lines with their numbers, and whether each is in force.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &Decision, bool)> {
        self.lines.iter().enumerate().map(|(at, line)| {
            let in_force = !self.undone.contains(&(at + 1)) && !matches!(line.action, Action::Undo { .. });
            (at + 1, line, in_force)
        })
    }

    /// Those in force.
    pub fn in_force(&self) -> impl Iterator<Item = &Decision> {
        self.lines().filter(|line| line.2).map(|line| line.1)
    }

    /// What they come to; of several about one picture or class the last holds.
    pub(super) fn outcome(&self) -> Outcome<'_> {
        let mut outcome = Outcome::default();
        for decision in self.in_force() {
            match &decision.action {
                Action::Exclude { pictures } => {
                    outcome.pictures.extend(pictures.iter().map(|name| (name.as_str(), Fate::Excluded)));
                }
                Action::Relabel { pictures, class } => {
                    outcome.pictures.extend(pictures.iter().map(|name| (name.as_str(), Fate::Relabelled(class))));
                }
                Action::Merge { classes, into } => {
                    let others = classes.iter().filter(|class| *class != into);
                    outcome.classes.extend(others.map(|class| (class.as_str(), into.as_str())));
                }
                Action::Undo { .. } => {}
            }
        }
        outcome
    }
}

/// What becomes of pictures and classes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome<'a> {
    pub(super) pictures: BTreeMap<&'a str, Fate<'a>>,
    classes: BTreeMap<&'a str, &'a str>,
}

/// What becomes of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate<'a> {
    Excluded,
    Relabelled(&'a str),
}

impl<'a> Outcome<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.pictures.is_empty() && self.classes.is_empty()
    }

    /// What a class is called after all merging, that of the merged included.
    pub(super) fn class<'n>(&'n self, name: &'n str) -> &'n str {
        let mut name = name;
        // Merged in a circle, it ends after as many steps as there are merges.
        for _ in 0..self.classes.len() {
            match self.classes.get(name) {
                Some(into) => name = into,
                None => break,
            }
        }
        name
    }

    pub(super) fn merged(&self) -> impl Iterator<Item = &'a str> {
        self.classes.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn decision(action: Action) -> Decision {
        Decision { action, why: String::new(), time: String::new() }
    }

    #[test]
    fn what_is_written_is_read_and_the_last_word_holds() {
        let folder = tempfile::tempdir().unwrap();
        let mut decisions = Decisions::read(&folder.path().join(FILE)).unwrap();
        assert_eq!(decisions, Decisions::default());
        for action in [
            Action::Exclude { pictures: names(&["a/1.png", "a/2.png"]) },
            Action::Relabel { pictures: names(&["a/2.png"]), class: "b".into() },
            Action::Merge { classes: names(&["MrMime", "Mr. Mime"]), into: "Mr. Mime".into() },
            Action::Exclude { pictures: names(&["a/3.png"]) },
            Action::Undo { decision: 4 },
            Action::Merge { classes: names(&["Mr. Mime"]), into: "mime".into() },
        ] {
            decisions.append(&folder.path().join(FILE), decision(action)).unwrap();
        }
        let read = Decisions::read(&folder.path().join(FILE)).unwrap();
        assert_eq!(read, decisions);
        let outcome = read.outcome();
        let pictures: Vec<_> = outcome.pictures.clone().into_iter().collect();
        assert_eq!(pictures, [("a/1.png", Fate::Excluded), ("a/2.png", Fate::Relabelled("b"))]);
        assert_eq!(["MrMime", "Mr. Mime", "x"].map(|class| outcome.class(class)), ["mime", "mime", "x"]);
        let in_force: Vec<usize> = read.lines().filter(|line| line.2).map(|line| line.0).collect();
        assert_eq!(in_force, [1, 2, 3, 6]);
    }

    #[test]
    fn only_what_holds_can_be_undone() {
        let folder = tempfile::tempdir().unwrap();
        let mut decisions = Decisions::default();
        decisions.append(&folder.path().join(FILE), decision(Action::Exclude { pictures: names(&["a"]) })).unwrap();
        for number in [0, 2, usize::MAX] {
            assert!(
                decisions.append(&folder.path().join(FILE), decision(Action::Undo { decision: number })).is_err(),
                "{number}"
            );
        }
        decisions.append(&folder.path().join(FILE), decision(Action::Undo { decision: 1 })).unwrap();
        for number in [1, 2] {
            assert!(
                decisions.append(&folder.path().join(FILE), decision(Action::Undo { decision: number })).is_err(),
                "{number}"
            );
        }
        // What was refused was not written.
        assert_eq!(Decisions::read(&folder.path().join(FILE)).unwrap(), decisions);
    }

    #[test]
    fn a_bad_line_is_named_and_a_torn_last_one_is_none() {
        let path = Path::new("d.jsonl");
        let good = "{\"action\":\"exclude\",\"pictures\":[\"a\"]}\n";
        let torn = format!("{good}{{\"action\":\"excl");
        assert_eq!(Decisions::parse(&torn, path).unwrap().lines().count(), 1);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), &torn).unwrap();
        let mut decisions = Decisions::read(&folder.path().join(FILE)).unwrap();
        decisions.append(&folder.path().join(FILE), decision(Action::Undo { decision: 1 })).unwrap();
        assert_eq!(Decisions::read(&folder.path().join(FILE)).unwrap(), decisions);
        for (text, words) in [
            (format!("{good}\n"), "line 2"),
            ("{\"action\":\"remove\",\"pictures\":[]}\n".to_owned(), "unknown variant `remove`"),
            ("{\"action\":\"undo\",\"decision\":1}\n".to_owned(), "no decision 1"),
            ("{\"action\":\"exclude\",\"pictures\":[\"a\"],\"picture\":1}\n".to_owned(), "picture"),
        ] {
            let error = Decisions::parse(&text, path).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn classes_merged_in_a_circle_end() {
        let text = "{\"action\":\"merge\",\"classes\":[\"a\"],\"into\":\"b\"}\n{\"action\":\"merge\",\"classes\":[\"b\"],\"into\":\"a\"}\n";
        let decisions = Decisions::parse(text, Path::new("d")).unwrap();
        let outcome = decisions.outcome();
        assert!(["a", "b"].contains(&outcome.class("a")));
    }
}
