//! A model folder opened: from files, and what is known beside them, to the likeliest classes.

use std::path::{Path, PathBuf};

use avizor_base::ClassList;
use avizor_data::metadata::MetadataEncoder;
use avizor_data::{DecodeOptions, Found, Picture, read_prepared};
use avizor_engine::State;
use avizor_kernels::Cpu;
use avizor_models::{NetworkOptions, find, load_weights, save_safetensors};

use crate::scorer::likeliest;
use crate::{ModelCard, PredictError, Scorer, Scores};

/// Pictures that are read and scored together: enough to keep every core busy, little memory.
const BATCH: usize = 16;

/// A network that can be asked about pictures.
#[derive(Debug)]
pub struct Model {
    card: ModelCard,
    options: NetworkOptions,
    classes: ClassList,
    decode: DecodeOptions,
    cpu: Cpu,
    state: State,
    /// For full batches and for single pictures.
    scorers: [Scorer; 2],
}

/// What a model says about one file.
#[derive(Debug)]
pub struct Prediction {
    /// The file as it was named; of a picture in another file, that file's path with its name in there.
    pub path: PathBuf,
    /// The likeliest classes first; or why the file could not be read.
    pub result: Result<Vec<Guess>, String>,
}

/// A class and how probable it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Guess {
    /// Its name.
    pub class: String,
    /// In `0.0..=1.0`; all classes together give 1.
    pub probability: f32,
}

impl Model {
    /// Opens a model folder, or the one inside the folder of a run.
    ///
    /// # Errors
    /// There is no model; its card or weights are damaged or of another version.
    pub fn open(path: &Path, cpu: Cpu) -> Result<Self, PredictError> {
        let folder = [path.to_owned(), path.join("model")]
            .into_iter()
            .find(|folder| folder.join("model.json").is_file())
            .ok_or_else(|| PredictError::NoModel { path: path.to_owned() })?;
        let card_path = folder.join("model.json");
        let card = ModelCard::read(&card_path)?;
        let wrong = |problem| PredictError::Card { path: card_path.clone(), problem };
        let classes = card.class_list().map_err(wrong)?;
        let options = card.options().map_err(wrong)?;
        let network = find(&card.network.name)?;

        let mut state = State::new(&Scorer::graph(network, &options, &card.preprocess, 1)?);
        let weights = folder.join("model.safetensors");
        load_weights(&weights, &mut state, None)
            .map_err(|source| PredictError::Weights { path: weights.clone(), source })?;
        let mut scorer = |batch| Scorer::new(network, &options, &card.preprocess, batch, &cpu, &mut state);
        let scorers = [scorer(BATCH)?, scorer(1)?].map(|scorer| scorer.flipping(card.test_flip));
        let decode = DecodeOptions { background: card.preprocess.background, ..DecodeOptions::default() };
        Ok(Self { card, options, classes, decode, cpu, state, scorers })
    }

    /// Writes a model folder: the card and the weights.
    ///
    /// # Errors
    /// What the file system says.
    pub fn save(folder: &Path, card: &ModelCard, state: &State) -> Result<(), PredictError> {
        std::fs::create_dir_all(folder).map_err(|source| PredictError::File { path: folder.to_owned(), source })?;
        let weights = folder.join("model.safetensors");
        save_safetensors(&weights, state).map_err(|source| PredictError::Weights { path: weights.clone(), source })?;
        card.write(&folder.join("model.json"))
    }

    /// What the folder says of itself.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The classes in the order of the logits.
    pub fn classes(&self) -> &ClassList {
        &self.classes
    }

    /// How the columns beside a picture become numbers, where the network reads such.
    pub fn encoder(&self) -> Option<&MetadataEncoder> {
        self.card.metadata.as_ref().map(|metadata| &metadata.columns)
    }

    /// Whether the network sees the picture: one that reads metadata alone does not.
    pub fn sees_pictures(&self) -> bool {
        self.options.sees_pictures()
    }

    /// Asks about files, in their order, a batch at a time; `each` gets every answer. `metadata` holds the
    /// [encoder](Self::encoder)'s numbers of each file, and nothing where there is none. A file that cannot be read is answered
    /// with the reason, and the others are not kept waiting by it.
    ///
    /// # Panics
    /// When there are not so many numbers.
    pub fn predict(&mut self, found: &[Found], metadata: &[f32], top: usize, mut each: impl FnMut(Prediction)) {
        let width = self.options.metadata_width();
        assert_eq!(metadata.len(), found.len() * width, "a row of metadata a file");
        for (number, found) in found.chunks(BATCH).enumerate() {
            let pictures = self.prepare(found);
            let (mut bytes, mut numbers) = (Vec::new(), Vec::new());
            for (at, picture) in pictures.iter().enumerate() {
                let Ok(picture) = picture else { continue };
                if let Some(picture) = picture {
                    bytes.extend_from_slice(picture.pixels());
                }
                numbers.extend_from_slice(&metadata[(number * BATCH + at) * width..][..width]);
            }
            let scores = self.score(&bytes, &numbers);
            let mut row = 0;
            for (found, picture) in found.iter().zip(pictures) {
                let result = picture.map(|_| {
                    row += 1;
                    self.guesses(scores.row(row - 1), top)
                });
                each(Prediction { path: found.path(), result });
            }
        }
    }

    /// Scores prepared pictures, `u8` RGB of the model's size, and their metadata, row after row; either is empty where the
    /// network does not read it.
    ///
    /// # Panics
    /// When they are not whole rows, equally many.
    pub fn score(&mut self, pictures: &[u8], metadata: &[f32]) -> Scores {
        let mut scores = Scores { classes: self.classes.len(), ..Scores::default() };
        let picture = if self.sees_pictures() { self.card.preprocess.size.area() as usize * 3 } else { 0 };
        let width = self.options.metadata_width();
        let rows = pictures.len().checked_div(picture).unwrap_or_else(|| metadata.len() / width);
        for first in (0..rows).step_by(BATCH) {
            let end = (first + BATCH).min(rows);
            let scorer = &self.scorers[usize::from(end - first == 1)];
            let (pictures, metadata) =
                (&pictures[first * picture..end * picture], &metadata[first * width..end * width]);
            scorer.score(&self.cpu, &mut self.state, pictures, metadata, &mut scores);
        }
        scores
    }

    fn guesses(&self, probabilities: &[f32], top: usize) -> Vec<Guess> {
        let guess =
            |class: usize| Guess { class: self.classes.names()[class].clone(), probability: probabilities[class] };
        likeliest(probabilities).into_iter().take(top).map(guess).collect()
    }

    /// Reads and resizes on all threads; `None` for a network that does not see pictures.
    fn prepare(&self, found: &[Found]) -> Vec<Result<Option<Picture>, String>> {
        let mut pictures: Vec<Result<Option<Picture>, String>> = found.iter().map(|_| Ok(None)).collect();
        if self.sees_pictures() {
            let pool = self.cpu.pool();
            pool.for_each_chunk(&mut pictures, 1, |number, slot| slot[0] = self.prepare_one(&found[number]).map(Some));
        }
        pictures
    }

    fn prepare_one(&self, found: &Found) -> Result<Picture, String> {
        read_prepared(found.place(), &self.decode, &self.card.preprocess).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use avizor_base::{ImageSize, Preprocess};
    use avizor_kernels::Level;

    use super::*;
    use crate::{NetworkCard, Provenance};

    /// What a card costs is known before its memory is taken.
    #[test]
    fn a_card_of_more_than_memory_holds_is_refused() {
        let classes = ClassList::from_labels(["dog", "cat"]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut small = State::new(&avizor_engine::GraphBuilder::new().finish().unwrap());
        small.initialise(avizor_base::Seed(1));
        let hidden = vec![1 << 20, 1 << 20];
        let network = NetworkCard::new("mlp", &NetworkOptions { hidden, ..NetworkOptions::new(2) });
        let preprocess = Preprocess::new(ImageSize::new(2, 2).unwrap());
        let card = ModelCard::new(network, &classes, preprocess, Provenance::default());
        Model::save(folder.path(), &card, &small).unwrap();
        let said = Model::open(folder.path(), Cpu::new(1, Level::Scalar)).unwrap_err().to_string();
        assert!(said.starts_with("the network has more than 536870912 weights; 3.weight is the largest"), "{said}");
    }
}
