//! Lists of transforms that have a name, so that a recipe need not write them.

use avizor_base::names_help;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::TransformError;

/// A list of transforms that a recipe can name: `train = "a1"`.
#[derive(Clone, Copy, Debug)]
pub struct TransformSet {
    /// The name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// Operations, and of each the options that are not the default, as a recipe writes them.
    list: &'static [(&'static str, &'static [(&'static str, &'static str)])],
}

/// Every list that has a name: the four of a study of three backbones.
pub const TRANSFORM_SETS: &[TransformSet] = &[
    TransformSet {
        name: "a1",
        doc: "Flips and turns.",
        list: &[("horizontal_flip", &[]), ("keras_affine", &[("rotation_range", "20")])],
    },
    TransformSet {
        name: "a2",
        doc: "Flips, turns and zooms.",
        list: &[("horizontal_flip", &[]), ("keras_affine", &[("rotation_range", "20"), ("zoom_range", "0.2")])],
    },
    TransformSet {
        name: "a3",
        doc: "Zooms, and changes brightness and contrast.",
        list: &[
            ("keras_affine", &[("zoom_range", "0.2")]),
            ("color_jitter", &[("brightness", "0.2"), ("contrast", "0.2")]),
        ],
    },
    TransformSet {
        name: "a4",
        doc: "Zooms, shears, crops and adds noise.",
        list: &[
            ("keras_affine", &[("zoom_range", "0.2"), ("shear_range", "15")]),
            ("random_resized_crop", &[("scale", "[0.7, 1.0]")]),
            ("gaussian_noise", &[("sigma", "0.05")]),
        ],
    },
];

impl TransformSet {
    /// The list as a recipe would write it.
    pub fn as_recipe(&self) -> String {
        let entry = |(op, options): &(&str, &[(&str, &str)])| {
            let options: String = options.iter().map(|(name, value)| format!(", {name} = {value}")).collect();
            format!("{{ op = \"{op}\"{options} }}")
        };
        format!("[{}]", self.list.iter().map(entry).collect::<Vec<_>>().join(", "))
    }

    fn entries(&self) -> Vec<Map<String, Value>> {
        // Numbers, texts and lists are written alike in recipes and in JSON.
        let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|error| unreachable!("{text}: {error}"));
        let entry = |(op, options): &(&str, &[(&str, &str)])| {
            let op = ("op".to_owned(), Value::String((*op).to_owned()));
            std::iter::once(op).chain(options.iter().map(|(name, text)| ((*name).to_owned(), value(text)))).collect()
        };
        self.list.iter().map(entry).collect()
    }
}

/// Transforms as a recipe writes them.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a list of transforms, or the name of one: `avizor recipes --transforms`")]
pub(super) enum Written {
    Set(String),
    List(Vec<Map<String, Value>>),
}

impl Written {
    /// The entries of the list.
    pub(super) fn entries(self) -> Result<Vec<Map<String, Value>>, TransformError> {
        let name = match self {
            Self::List(entries) => return Ok(entries),
            Self::Set(name) => name,
        };
        let Some(set) = TRANSFORM_SETS.iter().find(|set| set.name == name) else {
            let help = names_help(&name, TRANSFORM_SETS.iter().map(|set| set.name));
            return Err(TransformError::UnknownSet { name, help });
        };
        Ok(set.entries())
    }
}
