//! Where everything of a run lies.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use avizor_base::Split;

use crate::{StoreError, file};

/// The folder of one run. Its place and the names in it are known here alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

/// The longest part of a name hint that reaches the folder's name, in characters.
const LONGEST_HINT: usize = 40;

impl RunFolder {
    /// Makes `parent/<today>-<hint>-<counter>`, for example `runs/2026-11-22-photos-01`, with the first counter that is
    /// free; never touches an existing folder. `today` is a date that the caller knows; of the hint, letters and
    /// digits are kept, everything else becomes a hyphen.
    ///
    /// # Errors
    /// The folder cannot be made; 9,999 are there already.
    pub fn create(parent: &Path, name_hint: &str, today: &str) -> Result<Self, StoreError> {
        fs::create_dir_all(parent).map_err(|error| StoreError::write(parent, error))?;
        let stem = format!("{}-{}", slug(today), slug(name_hint));
        for counter in 1..10_000 {
            let path = parent.join(format!("{stem}-{counter:02}"));
            // Making the folder is also the test whether it is free: two programs never get the same one.
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::write(&path, error)),
            }
        }
        Err(StoreError::Full { path: parent.to_owned() })
    }

    /// An existing run.
    ///
    /// # Errors
    /// There is no `run.json` in that folder.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let run = Self { path: path.to_owned() };
        if run.info_path().is_file() { Ok(run) } else { Err(StoreError::NotARun { path: run.path }) }
    }

    /// Removes the folder and all that is in it, as far as that can be done: of a run that could not begin.
    pub fn remove(self) {
        // Whoever asks for this has an error to tell already.
        let _ = fs::remove_dir_all(&self.path);
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder's own name: what the run is called.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// `run.json`: see [`crate::RunInfo`].
    pub fn info_path(&self) -> PathBuf {
        self.path.join("run.json")
    }

    /// `recipe.toml`, resolved.
    pub fn recipe_path(&self) -> PathBuf {
        self.path.join("recipe.toml")
    }

    /// `samples.csv`: see [`crate::SampleRow`].
    pub fn samples_path(&self) -> PathBuf {
        self.path.join("samples.csv")
    }

    /// `balance.csv`: see [`crate::BalanceRow`]; only where classes were balanced.
    pub fn balance_path(&self) -> PathBuf {
        self.path.join("balance.csv")
    }

    /// `audit.json`: see [`crate::Audit`].
    pub fn audit_path(&self) -> PathBuf {
        self.path.join("audit.json")
    }

    /// Stores `decisions.jsonl`, a line each.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write_decisions<T: serde::Serialize>(&self, decisions: impl Iterator<Item = T>) -> Result<(), StoreError> {
        file::write_json_lines(&self.decisions_path(), decisions)
    }

    /// `decisions.jsonl`: what was decided about the pictures, and followed.
    pub fn decisions_path(&self) -> PathBuf {
        self.path.join("decisions.jsonl")
    }

    /// `events.jsonl`: see [`crate::EventLog`].
    pub fn events_path(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    /// `history.csv`: see [`crate::History`].
    pub fn history_path(&self) -> PathBuf {
        self.path.join("history.csv")
    }

    /// `checkpoint/`: the last state, to resume. Its content belongs to training.
    pub fn checkpoint_path(&self) -> PathBuf {
        self.path.join("checkpoint")
    }

    /// `model/`: what is shipped. Its content belongs to prediction.
    pub fn model_path(&self) -> PathBuf {
        self.path.join("model")
    }

    /// `predictions/val.csv` or `predictions/test.csv`: see [`crate::Predictions`].
    pub fn predictions_path(&self, part: Split) -> PathBuf {
        self.path.join("predictions").join(format!("{part}.csv"))
    }

    /// `predictions/test.logits.safetensors` and the like, rows as in the CSV beside it: see [`crate::Matrix`].
    pub fn logits_path(&self, part: Split) -> PathBuf {
        self.path.join("predictions").join(format!("{part}.logits.safetensors"))
    }

    /// `predictions/test.features.safetensors` and the like, rows as in the CSV beside it: see [`crate::Matrix`].
    pub fn features_path(&self, part: Split) -> PathBuf {
        self.path.join("predictions").join(format!("{part}.features.safetensors"))
    }

    /// `metrics.json`: see [`crate::Metrics`].
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join("metrics.json")
    }

    /// `gallery/`: the small pictures that the report shows; `gallery/gallery.json` is [`crate::Gallery`].
    pub fn gallery_path(&self) -> PathBuf {
        self.path.join("gallery")
    }

    /// `report.html`.
    pub fn report_html_path(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// `report.md`.
    pub fn report_markdown_path(&self) -> PathBuf {
        self.path.join("report.md")
    }

    /// `figures/`: the report's charts as SVG.
    pub fn figures_path(&self) -> PathBuf {
        self.path.join("figures")
    }

    /// Stores the resolved recipe.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write_recipe(&self, text: &str) -> Result<(), StoreError> {
        file::write_bytes(&self.recipe_path(), text.as_bytes())
    }

    /// The resolved recipe as stored.
    ///
    /// # Errors
    /// It is not there, not text, or cannot be read.
    pub fn read_recipe(&self) -> Result<String, StoreError> {
        file::read_text(&self.recipe_path())
    }
}

/// Lower-case letters and digits, single hyphens between; `run` where nothing is left.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() || character == '_' {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug: String = slug.chars().take(LONGEST_HINT).collect();
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "run".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_never_given_twice() {
        let parent = tempfile::tempdir().unwrap();
        let make = || RunFolder::create(parent.path(), "photos", "2026-11-22").unwrap().name();
        assert_eq!([make(), make()], ["2026-11-22-photos-01", "2026-11-22-photos-02"]);
        fs::write(parent.path().join("2026-11-22-photos-03"), "a file in the way").unwrap();
        assert_eq!(make(), "2026-11-22-photos-04");
    }

    #[test]
    fn any_hint_makes_a_harmless_name() {
        for (hint, name) in [
            ("My Photos (2)", "my-photos-2"),
            ("../../etc/passwd", "etc-passwd"),
            ("", "run"),
            ("///", "run"),
            ("Fotos_größer", "fotos_größer"),
            (&"x".repeat(300), &"x".repeat(40)),
        ] {
            assert_eq!(slug(hint), name);
        }
    }

    #[test]
    fn a_folder_without_run_json_is_no_run() {
        let folder = tempfile::tempdir().unwrap();
        let error = RunFolder::open(folder.path()).unwrap_err();
        assert!(matches!(error, StoreError::NotARun { .. }));
        assert!(error.to_string().ends_with("is not a run folder: it holds no run.json"));
    }
}
