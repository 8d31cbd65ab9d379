//! A list of layers, read and written.

use avizor_base::names_help;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::layer::Layer;
use super::table::{LAYERS, Options};

/// A table of a list: `op` and options.
type Entry = Map<String, Value>;

/// Layers of a list, those in blocks included.
const MOST_LAYERS: usize = 512;
/// Blocks around a layer.
const MOST_BLOCKS: usize = 8;

/// The layers of a network, in order. Read from and written as a list of tables with an `op` each; written with every
/// option, so that a stored list says all.
///
/// ```
/// use avizor_models::Layers;
///
/// let list = r#"[{ "op": "conv", "out": 8, "padding": 1 }, { "op": "relu" }, { "op": "global_avg_pool" }]"#;
/// let layers: Layers = serde_json::from_str(list)?;
/// assert_eq!(layers.list().len(), 3);
/// let wrong = serde_json::from_str::<Layers>(r#"[{ "op": "relu" }, { "op": "conv", "outt": 8 }]"#).unwrap_err();
/// assert_eq!(wrong.to_string(), "layer 2: `conv` has no option \"outt\"; the nearest name is `out`");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Entry>", into = "Vec<Entry>")]
pub struct Layers {
    list: Vec<Layer>,
    entries: Vec<Entry>,
}

/// Why an entry of a list is no layer. `place` counts from 1; in a block "4.1".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayersError {
    /// No `op`, or not a text.
    #[error("layer {place} has no `op = \"…\"` that names it")]
    NoOp {
        /// In the list.
        place: String,
    },
    /// No row of [`LAYERS`] has this name.
    #[error("layer {place}: there is no layer \"{op}\"; {help}")]
    UnknownOp {
        /// In the list.
        place: String,
        /// As it was written.
        op: String,
        /// The nearest name, or all of them.
        help: String,
    },
    /// The layer has no such option.
    #[error("layer {place}: `{op}` has no option \"{option}\"; {help}")]
    UnknownOption {
        /// In the list.
        place: String,
        /// The layer.
        op: &'static str,
        /// As it was written.
        option: String,
        /// The nearest name, or all of them.
        help: String,
    },
    /// A value that is missing, of the wrong type or out of range.
    #[error("layer {place}, {op}: {reason}")]
    Value {
        /// In the list.
        place: String,
        /// The layer.
        op: &'static str,
        /// Names the option and what it may be.
        reason: String,
    },
    /// More layers than a network of any use has.
    #[error("more than {} layers are listed", MOST_LAYERS)]
    TooMany,
}

impl Layers {
    /// The layers.
    pub fn list(&self) -> &[Layer] {
        &self.list
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl TryFrom<Vec<Entry>> for Layers {
    type Error = LayersError;

    fn try_from(entries: Vec<Entry>) -> Result<Self, LayersError> {
        let (list, entries) = Reader { read: 0, blocks: Vec::new() }.list(entries)?;
        Ok(Self { list, entries })
    }
}

impl From<Layers> for Vec<Entry> {
    fn from(layers: Layers) -> Self {
        layers.entries
    }
}

/// Reads a list and the lists in it.
struct Reader {
    /// Layers so far.
    read: usize,
    /// Places of the blocks around.
    blocks: Vec<usize>,
}

impl Reader {
    /// The layers, and their entries with every option written out.
    fn list(&mut self, entries: Vec<Entry>) -> Result<(Vec<Layer>, Vec<Entry>), LayersError> {
        let pairs = (1..).zip(entries).map(|(number, entry)| self.entry(number, entry));
        pairs.collect::<Result<Vec<_>, _>>().map(|pairs| pairs.into_iter().unzip())
    }

    fn entry(&mut self, number: usize, mut entry: Entry) -> Result<(Layer, Entry), LayersError> {
        self.read += 1;
        if self.read > MOST_LAYERS {
            return Err(LayersError::TooMany);
        }
        let place = place(&self.blocks, number);
        let Some(Value::String(op)) = entry.remove("op") else { return Err(LayersError::NoOp { place }) };
        let Some(row) = LAYERS.iter().find(|row| row.op == op) else {
            let help = names_help(&op, LAYERS.iter().map(|row| row.op));
            return Err(LayersError::UnknownOp { place, op, help });
        };
        let names = row.options.iter().map(|option| option.name);
        if let Some(option) = entry.keys().find(|key| names.clone().all(|name| name != key.as_str())).cloned() {
            let help = match row.options {
                [] => "it has none".to_owned(),
                _ => names_help(&option, names),
            };
            return Err(LayersError::UnknownOption { place, op: row.op, option, help });
        }
        let wrong = |reason| LayersError::Value { place: place.clone(), op: row.op, reason };
        let mut options = Options::new(row, entry);
        let mut layer = (row.read)(&mut options).map_err(wrong)?;
        if let Layer::Residual { layers } = &mut layer {
            let entries = options.value("layers").and_then(block_entries).map_err(wrong)?;
            if self.blocks.len() == MOST_BLOCKS {
                return Err(wrong(format!("stands in {MOST_BLOCKS} blocks already")));
            }
            self.blocks.push(number);
            let (inner, entries) = self.list(entries)?;
            self.blocks.pop();
            *layers = inner;
            let entries = entries.into_iter().map(Value::Object).collect();
            options.resolved.insert("layers".to_owned(), Value::Array(entries));
        }
        let mut resolved = Map::from_iter([("op".to_owned(), Value::String(op))]);
        resolved.extend(options.resolved);
        Ok((layer, resolved))
    }
}

/// The entries of a block's list.
fn block_entries(value: Value) -> Result<Vec<Entry>, String> {
    let wrong = || "`layers` must be a list of layers, at least one".to_owned();
    let Value::Array(values) = value else { return Err(wrong()) };
    let tables = values.into_iter().map(|value| match value {
        Value::Object(entry) => Some(entry),
        _ => None,
    });
    tables.collect::<Option<Vec<_>>>().filter(|entries| !entries.is_empty()).ok_or_else(wrong)
}

/// The place of a layer in its blocks, each counted from 1.
pub(super) fn place(blocks: &[usize], number: usize) -> String {
    let numbers = blocks.iter().chain([&number]);
    numbers.map(usize::to_string).collect::<Vec<_>>().join(".")
}
