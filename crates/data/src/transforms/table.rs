//! The table of transforms, and how an entry of a recipe becomes one.

use std::sync::Arc;

use avizor_base::{mistyped, names_help};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    Transform, affine, automatic, color_jitter, elastic, flip, gaussian_blur, gaussian_noise, grayscale, jpeg,
    keras_affine, perspective, random_crop, random_erasing, rotation, sharpness, tone,
};

/// Every transform that a recipe can name.
pub const TRANSFORMS: &[TransformRow] = &[
    flip::HORIZONTAL,
    flip::VERTICAL,
    rotation::ROW,
    affine::ROW,
    keras_affine::ROW,
    perspective::ROW,
    elastic::ROW,
    random_crop::SHIFTED,
    random_crop::RESIZED,
    color_jitter::ROW,
    grayscale::ROW,
    tone::INVERT,
    tone::POSTERIZE,
    tone::SOLARIZE,
    tone::AUTOCONTRAST,
    tone::EQUALIZE,
    sharpness::ROW,
    gaussian_blur::ROW,
    gaussian_noise::ROW,
    jpeg::ROW,
    random_erasing::ROW,
    automatic::RAND,
    automatic::TRIVIAL,
];

/// A transform that a recipe can name.
#[derive(Clone, Copy, Debug)]
pub struct TransformRow {
    /// The name: torchvision's, or Keras' with its prefix.
    pub op: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// Its options.
    pub options: &'static [OptionRow],
    parse: fn(Map<String, Value>) -> Result<Parsed, String>,
}

/// An option of a transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionRow {
    /// Its name.
    pub name: &'static str,
    /// Its value where the recipe says nothing, as a recipe would write it.
    pub default: &'static str,
    /// What it means, with its unit.
    pub doc: &'static str,
}

/// A transform and all its options, written out.
type Parsed = (Arc<dyn Transform>, Map<String, Value>);

impl TransformRow {
    pub(super) const fn new<T: Transform + Serialize + DeserializeOwned + 'static>(
        op: &'static str,
        doc: &'static str,
        options: &'static [OptionRow],
    ) -> Self {
        Self { op, doc, options, parse: parse::<T> }
    }
}

fn parse<T: Transform + Serialize + DeserializeOwned + 'static>(options: Map<String, Value>) -> Result<Parsed, String> {
    // Serde does not say which option has the wrong type: each is tried alone before all are.
    for (name, value) in &options {
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        if let Err(error) = serde_json::from_value::<T>(Value::Object(alone)) {
            let words = error.to_string();
            return Err(match mistyped(&words) {
                Some((_, wanted)) => format!("`{name}` is {value}; it must be {wanted}"),
                // What an untagged choice says is only what it expects.
                None if words.starts_with('a') => format!("`{name}` is {value}; it must be {words}"),
                None => format!("`{name}`: {words}"),
            });
        }
    }
    let transform: T = serde_json::from_value(Value::Object(options)).map_err(|error| error.to_string())?;
    transform.check()?;
    match serde_json::to_value(&transform) {
        Ok(Value::Object(resolved)) => Ok((Arc::new(transform), resolved)),
        _ => Err("its options cannot be written".to_owned()),
    }
}

/// Why an entry of a recipe's list is no transform. `place` counts from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError {
    /// No row of [`TRANSFORM_SETS`](super::TRANSFORM_SETS) has this name.
    #[error("there is no set of transforms \"{name}\"; {help}")]
    UnknownSet {
        /// As it was written.
        name: String,
        /// The nearest name, or all of them.
        help: String,
    },
    /// No `op`, or not a text.
    #[error("transform {place} has no `op = \"…\"` that names it")]
    NoOp {
        /// In the list.
        place: usize,
    },
    /// No row of [`TRANSFORMS`] has this name.
    #[error("transform {place}: there is no transform \"{op}\"; {help}")]
    UnknownOp {
        /// In the list.
        place: usize,
        /// As it was written.
        op: String,
        /// The nearest name, or all of them.
        help: String,
    },
    /// The transform has no such option.
    #[error("transform {place}: `{op}` has no option \"{option}\"; {help}")]
    UnknownOption {
        /// In the list.
        place: usize,
        /// The transform.
        op: &'static str,
        /// As it was written.
        option: String,
        /// The nearest name, or all of them.
        help: String,
    },
    /// A value of the wrong type or out of range.
    #[error("transform {place}: `{op}`: {reason}")]
    Value {
        /// In the list.
        place: usize,
        /// The transform.
        op: &'static str,
        /// Names the option and what it may be.
        reason: String,
    },
}

/// An entry of a recipe as a transform, and the same entry with every option written out.
pub(super) fn read(place: usize, mut entry: Map<String, Value>) -> Result<Parsed, TransformError> {
    let Some(Value::String(op)) = entry.remove("op") else { return Err(TransformError::NoOp { place }) };
    let Some(row) = TRANSFORMS.iter().find(|row| row.op == op) else {
        let help = names_help(&op, TRANSFORMS.iter().map(|row| row.op));
        return Err(TransformError::UnknownOp { place, op, help });
    };
    let names = row.options.iter().map(|option| option.name);
    if let Some(option) = entry.keys().find(|key| names.clone().all(|name| name != key.as_str())) {
        let help = names_help(option, names);
        return Err(TransformError::UnknownOption { place, op: row.op, option: option.clone(), help });
    }
    let (transform, options) =
        (row.parse)(entry).map_err(|reason| TransformError::Value { place, op: row.op, reason })?;
    let mut resolved = Map::new();
    resolved.insert("op".to_owned(), Value::String(op));
    resolved.extend(options);
    Ok((transform, resolved))
}
