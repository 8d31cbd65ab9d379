//! `model.json`: everything but the weights that is needed to use a network again.

use std::path::Path;

use avizor_base::{ClassList, Preprocess, RESAMPLING, atomic_file};
use avizor_data::decode::HAS_TURBOJPEG;
use avizor_data::metadata::MetadataEncoder;
use avizor_models::{Layers, MetadataOptions, MetadataRole, NetworkOptions, Stem};
use serde::{Deserialize, Serialize};

use crate::PredictError;

/// Version of this file's shape.
const FORMAT: u32 = 1;
/// A network's input has at most so many pixels, in a recipe too.
const MOST_PIXELS: u32 = 1 << 24;

/// The content of `model.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// Version of this file's shape: 1.
    pub format: u32,
    /// The network and its options.
    pub network: NetworkCard,
    /// Class names in the order of the logits.
    pub classes: Vec<String>,
    /// How a picture becomes the network's input.
    pub preprocess: Preprocess,
    /// Whether it answers by the mean of a picture's logits and its mirror image's; left out where it does not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test_flip: bool,
    /// What it reads beside the picture; left out where that is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<MetadataCard>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// How columns of a table enter a network, as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetadataCard {
    /// `joined` with the picture, or `alone`: then of the network's name and options its dropout and head alone count.
    pub role: String,
    /// Sizes of the layers that the numbers go through by themselves.
    pub hidden: Vec<usize>,
    /// How the columns become numbers, as the training rows were.
    pub columns: MetadataEncoder,
}

/// A network's name and options, as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkCard {
    /// As recipes call it.
    pub name: String,
    /// `imagenet` or `small`.
    pub stem: String,
    /// Probability of dropping a feature in training.
    pub dropout: f32,
    /// Dense layers between the features and the last one, or behind the join; left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub head: Vec<usize>,
    /// Hidden layers of `mlp`.
    pub hidden: Vec<usize>,
    /// Layers of `custom`, as a recipe lists them; left out where there are none.
    #[serde(default, skip_serializing_if = "Layers::is_empty")]
    pub layers: Layers,
}

/// Who made a model from what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Version of avizor.
    pub avizor: String,
    /// Name of the run.
    pub run: String,
    /// Epoch whose parameters these are, from 1.
    pub epoch: usize,
    /// Pictures it learned from.
    pub training_pictures: usize,
}

impl ModelCard {
    /// The card of a new model.
    pub fn new(network: NetworkCard, classes: &ClassList, preprocess: Preprocess, provenance: Provenance) -> Self {
        let classes = classes.names().to_vec();
        Self { format: FORMAT, network, classes, preprocess, test_flip: false, metadata: None, provenance }
    }

    /// The same, answering about a picture and its mirror image at once.
    pub fn flipping(self, test_flip: bool) -> Self {
        Self { test_flip, ..self }
    }

    /// The same with what it reads beside the picture.
    pub fn reading(self, metadata: Option<MetadataCard>) -> Self {
        Self { metadata, ..self }
    }

    /// The options to build the network with.
    ///
    /// # Errors
    /// An option that is out of range.
    pub fn options(&self) -> Result<NetworkOptions, String> {
        let metadata = self.metadata.as_ref().map(MetadataCard::options).transpose()?;
        Ok(NetworkOptions { metadata, ..self.network.options(self.classes.len())? })
    }

    /// Reads and checks a card.
    ///
    /// # Errors
    /// The file cannot be read, is not of this shape or version, or asks for another resampling than this program's, or for a
    /// way of decoding that it was built without.
    pub fn read(path: &Path) -> Result<Self, PredictError> {
        let text = std::fs::read(path).map_err(|source| PredictError::File { path: path.to_owned(), source })?;
        let wrong = |problem: String| PredictError::Card { path: path.to_owned(), problem };
        let card: Self = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if card.format != FORMAT {
            return Err(wrong(format!("format {} is not {FORMAT}, the one that this version reads", card.format)));
        }
        if card.preprocess.resampling != RESAMPLING {
            let asked = &card.preprocess.resampling;
            return Err(wrong(format!(
                "resampling \"{asked}\" is not \"{RESAMPLING}\", the one that this version has"
            )));
        }
        can_be_prepared(&card.preprocess).map_err(wrong)?;
        let jpeg = card.preprocess.jpeg;
        if !jpeg.is_exact() && !HAS_TURBOJPEG {
            return Err(PredictError::WithoutTurbojpeg { path: path.to_owned(), jpeg });
        }
        card.options().map_err(wrong)?;
        card.class_list().map_err(wrong)?;
        Ok(card)
    }

    /// Writes the card.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, path: &Path) -> Result<(), PredictError> {
        let failed = |source| PredictError::File { path: path.to_owned(), source };
        let mut text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        text.push('\n');
        atomic_file::write(path, text.as_bytes()).map_err(failed)
    }

    /// The classes in the order of the logits.
    ///
    /// # Errors
    /// A class is listed twice, or there are fewer than two.
    pub fn class_list(&self) -> Result<ClassList, String> {
        if self.classes.len() < 2 {
            return Err(format!("{} classes are too few", self.classes.len()));
        }
        ClassList::from_ordered(self.classes.clone()).map_err(|error| error.to_string())
    }
}

impl NetworkCard {
    /// A network's options as stored.
    pub fn new(name: &str, options: &NetworkOptions) -> Self {
        let stem = match options.stem {
            Stem::Imagenet => "imagenet",
            Stem::Small => "small",
        };
        Self {
            name: name.to_owned(),
            stem: stem.to_owned(),
            dropout: options.dropout,
            head: options.head.clone(),
            hidden: options.hidden.clone(),
            layers: options.layers.clone(),
        }
    }

    /// The options to build it with.
    ///
    /// # Errors
    /// A stem that is not known, a dropout that is no probability, layers of impossible sizes.
    pub fn options(&self, classes: usize) -> Result<NetworkOptions, String> {
        let stem = match self.stem.as_str() {
            "imagenet" => Stem::Imagenet,
            "small" => Stem::Small,
            other => return Err(format!("the stem \"{other}\" is neither imagenet nor small")),
        };
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(format!("a dropout of {} is no probability below 1", self.dropout));
        }
        sizes(&self.hidden)?;
        sizes(&self.head)?;
        let (head, hidden, layers) = (self.head.clone(), self.hidden.clone(), self.layers.clone());
        Ok(NetworkOptions { classes, dropout: self.dropout, stem, head, hidden, layers, metadata: None })
    }
}

impl MetadataCard {
    /// What a network reads beside the picture, with the encoder of its columns; `None` where that is nothing.
    pub fn new(options: &NetworkOptions, columns: Option<&MetadataEncoder>) -> Option<Self> {
        let MetadataOptions { role, hidden, .. } = options.metadata.clone()?;
        let role = match role {
            MetadataRole::Joined => "joined",
            MetadataRole::Alone => "alone",
        };
        Some(Self { role: role.to_owned(), hidden, columns: columns?.clone() })
    }

    fn options(&self) -> Result<MetadataOptions, String> {
        let role = match self.role.as_str() {
            "joined" => MetadataRole::Joined,
            "alone" => MetadataRole::Alone,
            other => return Err(format!("the role \"{other}\" of metadata is neither joined nor alone")),
        };
        sizes(&self.hidden)?;
        Ok(MetadataOptions { width: self.columns.width(), role, hidden: self.hidden.clone() })
    }
}

/// Whether pictures can become the input that is described.
fn can_be_prepared(preprocess: &Preprocess) -> Result<(), String> {
    let Preprocess { size, mean, std, .. } = preprocess;
    if size.area() > MOST_PIXELS {
        return Err(format!("a size of {size} is too large; a network's input has at most 16 million pixels"));
    }
    if !mean.iter().chain(std).all(|number| number.is_finite()) || std.iter().any(|&std| std <= 0.0) {
        return Err(format!("a mean of {mean:?} and a std of {std:?} normalise no picture"));
    }
    Ok(())
}

/// Whether layers may be of these sizes.
fn sizes(layers: &[usize]) -> Result<(), String> {
    if layers.iter().any(|&size| size == 0 || size > 1 << 20) || layers.len() > 1 << 10 {
        return Err("a hidden layer is empty or larger than a million, or there are more than a thousand".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use avizor_base::{ImageSize, JpegDecoding};

    fn card() -> ModelCard {
        let classes = ClassList::from_labels(["dog", "cat"]).unwrap();
        let network = NetworkCard::new("resnet18", &NetworkOptions::new(2));
        ModelCard::new(network, &classes, Preprocess::new(ImageSize::new(64, 48).unwrap()), Provenance::default())
    }

    #[test]
    fn a_card_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.json");
        card().write(&path).unwrap();
        assert_eq!(ModelCard::read(&path).unwrap(), card());
    }

    #[test]
    fn how_jpegs_are_decoded_stands_in_the_card_of_a_model_that_wants_them_scaled() {
        let text = serde_json::to_string(&card()).unwrap();
        assert!(!text.contains("jpeg"), "{text}");
        let mut card = card();
        card.preprocess.jpeg = JpegDecoding::Scaled;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.json");
        card.write(&path).unwrap();
        let read = ModelCard::read(&path);
        if HAS_TURBOJPEG {
            assert_eq!(read.unwrap(), card);
            return;
        }
        let error = read.unwrap_err();
        assert!(error.to_string().ends_with("by libjpeg-turbo, which this program was built without"), "{error}");
        assert!(error.help().is_some_and(|help| help.contains("--features turbojpeg")));
    }

    #[test]
    fn layers_stand_in_the_card_of_a_network_that_has_them() {
        let text = serde_json::to_string(&card()).unwrap();
        assert!(!text.contains("layers"), "{text}");
        let layers: Layers = serde_json::from_str(r#"[{ "op": "flatten" }, { "op": "dropout" }]"#).unwrap();
        let mut card = card();
        card.network = NetworkCard::new("custom", &NetworkOptions { layers: layers.clone(), ..NetworkOptions::new(2) });
        let text = serde_json::to_string(&card).unwrap();
        assert!(text.contains(r#""layers":[{"op":"flatten"},{"op":"dropout","p":0.5}]"#), "{text}");
        let read: ModelCard = serde_json::from_str(&text).unwrap();
        assert_eq!(read.network.options(2).unwrap().layers, layers);
        let wrong = serde_json::from_str::<ModelCard>(&text.replace("\"p\":0.5", "\"p\":2")).unwrap_err();
        assert!(wrong.to_string().starts_with("layer 2, dropout: `p` is 2"), "{wrong}");
    }

    #[test]
    fn a_head_stands_in_the_card_of_a_network_that_has_one() {
        let text = serde_json::to_string(&card()).unwrap();
        assert!(!text.contains("head"), "{text}");
        let options = NetworkOptions { head: vec![128, 7], ..NetworkOptions::new(2) };
        let card = ModelCard { network: NetworkCard::new("resnet18", &options), ..card() };
        let text = serde_json::to_string(&card).unwrap();
        let read: ModelCard = serde_json::from_str(&text).unwrap();
        assert_eq!((read.options().unwrap(), read), (options, card));
        for wrong in ["\"head\":[0]", "\"head\":[128,1048577]"] {
            let read: ModelCard = serde_json::from_str(&text.replacen("\"head\":[128,7]", wrong, 1)).unwrap();
            assert!(read.options().unwrap_err().contains("a hidden layer is empty or larger"), "{wrong}");
        }
    }

    #[test]
    fn metadata_stand_in_the_card_of_a_network_that_reads_them() {
        let text = serde_json::to_string(&card()).unwrap();
        assert!(!text.contains("metadata"), "{text}");
        let column = r#"[{"kind":"category","column":"sex","levels":["f","m"],"missing":true}]"#;
        let encoder: MetadataEncoder = serde_json::from_str(column).unwrap();
        let role = MetadataRole::Joined;
        let metadata = MetadataOptions { width: encoder.width(), role, hidden: vec![4] };
        let options = NetworkOptions { metadata: Some(metadata), head: vec![8], ..NetworkOptions::new(2) };
        let network = NetworkCard::new("resnet18", &options);
        let card = ModelCard { network, ..card() }.reading(MetadataCard::new(&options, Some(&encoder)));
        let text = serde_json::to_string(&card).unwrap();
        let read: ModelCard = serde_json::from_str(&text).unwrap();
        assert_eq!((read.options().unwrap(), read), (options, card));
        for (from, to, wanted) in [
            ("joined", "beside", "the role \"beside\" of metadata"),
            ("\"hidden\":[4]", "\"hidden\":[0]", "a hidden layer is empty"),
            ("\"head\":[8]", "\"head\":[1048577]", "larger than a million"),
        ] {
            let read: ModelCard = serde_json::from_str(&text.replacen(from, to, 1)).unwrap();
            let problem = read.options().unwrap_err();
            assert!(problem.contains(wanted), "{problem}");
        }
    }

    #[test]
    fn what_this_version_cannot_follow_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.json");
        let text = serde_json::to_string(&card()).unwrap();
        for (from, to, what) in [
            ("\"format\":1", "\"format\":9", "format 9 is not 1"),
            ("pillow-13", "opencv-4", "resampling \"opencv-4\""),
            ("\"cat\",\"dog\"", "\"cat\",\"cat\"", "class \"cat\" is listed twice"),
            ("\"cat\",\"dog\"", "\"cat\"", "1 classes are too few"),
            ("\"imagenet\"", "\"huge\"", "the stem \"huge\""),
            ("[64,48]", "[0,48]", "0 × 48 is no size of a picture"),
            ("[64,48]", "[5000,5000]", "a size of 5000 × 5000 is too large"),
            ("[0.485,", "[1e39,", "number out of range"),
            ("[0.229,", "[0.0,", "normalise no picture"),
            ("{", "", "model.json: "),
        ] {
            std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
            let error = ModelCard::read(&path).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}
