//! The state of a run under way, on disk.
//!
//! A checkpoint is a generation: a folder of its own, complete before the file `current` is renamed to name it. A
//! crash at any moment leaves `current` naming a complete generation. The best parameters so far lie beside the
//! generations, in a file that is never rewritten.
//!
//! A thread of its own writes them: an epoch of a small network on features takes milliseconds, and a disk's word that a
//! file is safe takes hundreds.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::panic;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use avizor_base::atomic_file;
use avizor_engine::{NamedArray, Shape};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::schedule::Plateau;

/// Where a run stands. With the parameters and the optimizer's memory this is all that resuming needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    /// Version of this file's shape.
    pub(crate) format: u32,
    /// Steps done since the start of the run.
    pub(crate) step: u64,
    /// The epoch under way, from 0.
    pub(crate) epoch: usize,
    /// Batches of it that are done.
    pub(crate) batch: usize,
    /// What the epoch's batches added up to so far.
    pub(crate) sums: EpochSums,
    /// The best epoch so far.
    pub(crate) best: Option<Best>,
    /// The best epoch of those in which the head alone learned, once they are over.
    pub(crate) head_best: Option<Best>,
    /// Epochs since then.
    pub(crate) epochs_without_better: usize,
    /// What the schedule remembers.
    pub(crate) plateau: Plateau,
    /// Seconds of work so far, earlier sittings included.
    pub(crate) seconds: f64,
}

/// The numbers of an epoch under way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EpochSums {
    /// Sum over pictures of the loss, as the bits of an f64: text would round it.
    pub(crate) loss_bits: u64,
    /// Pictures seen.
    pub(crate) pictures: u64,
    /// Confusion counts, rows truth, columns prediction.
    pub(crate) confusion: Vec<u64>,
}

/// The epoch whose parameters are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Best {
    /// From 1.
    pub(crate) epoch: usize,
    /// The metric that chose it, as the bits of an f64.
    pub(crate) value_bits: u64,
    /// The validation loss, likewise: it decides between epochs that are as good.
    pub(crate) loss_bits: u64,
    /// The file of its parameters, beside the generations.
    pub(crate) file: String,
}

/// A crash may cost a run this much more than the epoch under way. Of an epoch of six seconds a copy of the state took 0.07, and
/// a thread wrote it for 0.3 to 0.5; what leaving it out gains was not measured.
const RECENT: Duration = Duration::from_secs(30);

/// The format that this version writes and reads.
pub(crate) const FORMAT: u32 = 2;

impl Best {
    /// The name of the file of an epoch's parameters.
    pub(crate) fn file_of(epoch: usize) -> String {
        format!("best-{epoch:05}.safetensors")
    }
}

/// What a checkpoint stores.
#[derive(Clone, Debug)]
pub(crate) struct Generation {
    /// Where the run stands.
    pub(crate) position: Position,
    /// Parameters and what the optimizer remembers.
    pub(crate) arrays: Vec<NamedArray>,
    /// Parameters that became the best since the last checkpoint.
    pub(crate) best: Option<NewBest>,
}

/// Parameters that became the best, not yet on disk.
#[derive(Clone, Debug)]
pub(crate) struct NewBest {
    /// The file that they will be in.
    pub(crate) file: String,
    /// In the order of the state.
    pub(crate) parameters: Vec<NamedArray>,
}

/// The folder of checkpoints of one run.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    folder: PathBuf,
    writing: Option<JoinHandle<Result<u64, TrainError>>>,
    /// When the last one of this sitting was begun.
    begun: Option<Instant>,
}

impl Checkpoints {
    /// The folder, made where it is not there.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, TrainError> {
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        Ok(Self { folder, writing: None, begun: None })
    }

    /// Parameters that were the best.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) fn read_best(&self, best: &Best) -> Result<Vec<NamedArray>, TrainError> {
        read_arrays(&self.folder.join(&best.file))
    }

    /// Whether a generation is on its way, or was begun so recently that little would be lost without another.
    pub(crate) fn is_recent(&self) -> bool {
        self.writing.as_ref().is_some_and(|writing| !writing.is_finished())
            || self.begun.is_some_and(|begun| begun.elapsed() < RECENT)
    }

    /// Lets a thread store a generation, make it the current one, and remove what it replaces. No other may be on its way.
    pub(crate) fn start(&mut self, generation: Generation) {
        debug_assert!(self.writing.is_none(), "one generation after the other");
        let folder = self.folder.clone();
        self.begun = Some(Instant::now());
        self.writing = Some(thread::spawn(move || write(&folder, &generation)));
    }

    /// Waits until the generation on its way is complete, and returns its step.
    ///
    /// # Errors
    /// It could not be written.
    pub(crate) fn finish(&mut self) -> Result<Option<u64>, TrainError> {
        let Some(writing) = self.writing.take() else { return Ok(None) };
        writing.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked)).map(Some)
    }

    /// The current generation; `None` where there is none yet.
    pub(crate) fn read(&self) -> Result<Option<(Position, Vec<NamedArray>)>, TrainError> {
        let current = self.folder.join("current");
        let name = match fs::read_to_string(&current) {
            Ok(name) => name,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&current, &error)),
        };
        // A name with a path in it would lead outside the folder.
        if !name.starts_with("step-") || name.contains(['/', '\\', '.']) {
            return Err(damaged(&current, format!("\"{name}\" is no generation")));
        }
        let generation = self.folder.join(name);
        let path = generation.join("position.json");
        let text = fs::read(&path).map_err(|error| failed(&path, &error))?;
        let position: Position = serde_json::from_slice(&text).map_err(|error| damaged(&path, error.to_string()))?;
        if position.format != FORMAT {
            return Err(damaged(&path, format!("format {} is not {FORMAT}", position.format)));
        }
        Ok(Some((position, read_arrays(&generation.join("state.safetensors"))?)))
    }
}

impl Drop for Checkpoints {
    /// What is on its way arrives, also where the run ends with an error; nobody is left to hear of another one.
    fn drop(&mut self) {
        if let Some(writing) = self.writing.take() {
            let _ = writing.join();
        }
    }
}

/// Stores a generation and returns its step: best parameters first, `current` last.
fn write(folder: &Path, Generation { position, arrays, best }: &Generation) -> Result<u64, TrainError> {
    if let Some(NewBest { file, parameters }) = best {
        write_arrays(&folder.join(file), parameters)?;
    }
    let name = format!("step-{:09}", position.step);
    let generation = folder.join(&name);
    fs::create_dir_all(&generation).map_err(|error| failed(&generation, &error))?;
    write_arrays(&generation.join("state.safetensors"), arrays)?;
    let path = generation.join("position.json");
    let text = serde_json::to_vec_pretty(position).map_err(|error| failed(&path, &error.into()))?;
    atomic_file::write(&path, &text).map_err(|error| failed(&path, &error))?;
    let current = folder.join("current");
    atomic_file::write(&current, name.as_bytes()).map_err(|error| failed(&current, &error))?;
    let kept = position.best.iter().chain(&position.head_best).map(|best| best.file.as_str());
    remove_all_but(folder, &name, &kept.collect::<Vec<_>>());
    Ok(position.step)
}

/// Old generations are of no use; one that cannot be removed does no harm, so failures are not told.
fn remove_all_but(folder: &Path, generation: &str, best: &[&str]) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("step-") && name != generation {
            let _ = fs::remove_dir_all(entry.path());
        } else if (name.starts_with("best-") && !best.contains(&name.as_ref())) || name.ends_with(".partial") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> TrainError {
    damaged(path, error.to_string())
}

fn damaged(path: &Path, problem: String) -> TrainError {
    TrainError::Checkpoint { path: path.to_owned(), problem }
}

fn write_arrays(path: &Path, arrays: &[NamedArray]) -> Result<(), TrainError> {
    let bytes: Vec<Cow<'_, [u8]>> = arrays.iter().map(|array| little_endian(&array.values)).collect();
    let views = arrays.iter().zip(&bytes).map(|(array, bytes)| {
        let view = TensorView::new(Dtype::F32, array.shape.to_vec(), bytes);
        view.map(|view| (array.name.as_str(), view)).map_err(|error| damaged(path, error.to_string()))
    });
    let views = views.collect::<Result<Vec<_>, _>>()?;
    let file = safetensors::serialize(views, None).map_err(|error| damaged(path, error.to_string()))?;
    atomic_file::write(path, &file).map_err(|error| failed(path, &error))
}

/// As files store them; no copy on a machine that has them so in memory, which matters at hundreds of megabytes.
fn little_endian(values: &[f32]) -> Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        Cow::Borrowed(bytemuck::cast_slice(values))
    } else {
        Cow::Owned(values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }
}

fn read_arrays(path: &Path) -> Result<Vec<NamedArray>, TrainError> {
    let bytes = fs::read(path).map_err(|error| failed(path, &error))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| damaged(path, error.to_string()))?;
    let mut arrays = Vec::with_capacity(tensors.len());
    for (name, view) in tensors.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(damaged(path, format!("{name} does not hold f32 numbers")));
        }
        let (words, _) = view.data().as_chunks::<4>();
        let values = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
        arrays.push(NamedArray { name: name.to_owned(), shape: Shape::from(view.shape().to_vec()), values });
    }
    Ok(arrays)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(step: u64, best: Option<Best>) -> Position {
        Position {
            format: FORMAT,
            step,
            epoch: 1,
            batch: 2,
            sums: EpochSums { loss_bits: (0.1f64 + 0.2).to_bits(), pictures: 3, confusion: vec![1, 0, 2, 0] },
            best,
            head_best: None,
            epochs_without_better: 1,
            plateau: Plateau::default(),
            seconds: 1.5,
        }
    }

    fn arrays(values: &[f32]) -> Vec<NamedArray> {
        vec![NamedArray { name: "w".into(), shape: Shape::from(vec![values.len()]), values: values.to_vec() }]
    }

    fn write(
        checkpoints: &mut Checkpoints,
        position: Position,
        values: &[f32],
        best: Option<NewBest>,
    ) -> Result<(), TrainError> {
        let step = position.step;
        checkpoints.start(Generation { position, arrays: arrays(values), best });
        assert_eq!(checkpoints.finish()?, Some(step));
        Ok(())
    }

    #[test]
    fn the_last_whole_generation_is_read_to_the_bit() {
        let folder = tempfile::tempdir().unwrap();
        let mut checkpoints = Checkpoints::open(folder.path().join("checkpoint")).unwrap();
        assert!(checkpoints.read().unwrap().is_none());
        assert!(checkpoints.finish().unwrap().is_none() && !checkpoints.is_recent());
        let file = Best::file_of(1);
        let new_best = NewBest { file: file.clone(), parameters: arrays(&[1.0]) };
        let best = Best { epoch: 1, value_bits: 0.7f64.to_bits(), loss_bits: 0.4f64.to_bits(), file };
        let values = [f32::MIN_POSITIVE / 2.0, -0.0];
        write(&mut checkpoints, position(5, Some(best.clone())), &values, Some(new_best)).unwrap();
        write(&mut checkpoints, position(9, Some(best.clone())), &[0.1, f32::NAN], None).unwrap();
        // As a crash would leave it: a generation that was not finished, and a file that was not renamed.
        fs::create_dir(checkpoints.folder.join("step-000000012")).unwrap();
        fs::write(checkpoints.folder.join(".best.1.partial"), "x").unwrap();

        let (read, state) = checkpoints.read().unwrap().unwrap();
        assert_eq!(read, position(9, Some(best.clone())));
        assert_eq!(state[0].values[0].to_bits(), 0.1f32.to_bits());
        assert!(state[0].values[1].is_nan());
        assert_eq!(checkpoints.read_best(&best).unwrap()[0].values, [1.0]);
        assert!(checkpoints.is_recent());

        write(&mut checkpoints, position(12, Some(best)), &[2.0], None).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(&checkpoints.folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["best-00001.safetensors", "current", "step-000000012"]);
    }

    #[test]
    fn damage_is_told_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut checkpoints = Checkpoints::open(folder.path().to_owned()).unwrap();
        write(&mut checkpoints, position(5, None), &[1.0], None).unwrap();
        let generation = folder.path().join("step-000000005");
        for (path, text) in [
            (generation.join("state.safetensors"), "short"),
            (generation.join("position.json"), "{\"format\": 1"),
            (folder.path().join("current"), "../../etc"),
        ] {
            let before = fs::read(&path).unwrap();
            fs::write(&path, text).unwrap();
            let error = checkpoints.read().unwrap_err().to_string();
            assert!(error.contains(path.file_name().unwrap().to_str().unwrap()), "{error}");
            fs::write(&path, before).unwrap();
        }
        assert!(checkpoints.read().unwrap().is_some());
    }

    #[test]
    fn what_cannot_be_written_is_told_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut checkpoints = Checkpoints::open(folder.path().to_owned()).unwrap();
        fs::write(folder.path().join("step-000000007"), "in the way").unwrap();
        let error = write(&mut checkpoints, position(7, None), &[1.0], None).unwrap_err();
        assert!(error.to_string().contains("step-000000007"), "{error}");
        assert!(checkpoints.read().unwrap().is_none());
    }
}
