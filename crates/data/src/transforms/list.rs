//! The transforms of a recipe, in order.

use std::sync::Arc;

use avizor_base::{ImageSize, Purpose, Seed, Stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::sets::Written;
use super::{Draw, Transform, TransformError, table};

/// The transforms of a recipe, in order. Read from and written as a list of tables with an `op` each, read from the name of
/// a set too; written with every option, so that a stored recipe says all.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Vec<Map<String, Value>>")]
pub struct Transforms {
    list: Vec<Arc<dyn Transform>>,
    entries: Vec<Map<String, Value>>,
}

impl Transforms {
    /// From the entries of a recipe, each a table with `op` and options.
    ///
    /// # Errors
    /// Names the entry by its place, and what is wrong with it.
    pub fn parse(entries: Vec<Map<String, Value>>) -> Result<Self, TransformError> {
        let mut transforms = Self::default();
        for (index, entry) in entries.into_iter().enumerate() {
            let (transform, entry) = table::read(index + 1, entry)?;
            transforms.list.push(transform);
            transforms.entries.push(entry);
        }
        Ok(transforms)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The entries with every option written out.
    pub fn entries(&self) -> &[Map<String, Value>] {
        &self.entries
    }

    /// Each entry with every option, as a recipe would write it.
    pub fn as_recipe(&self) -> impl Iterator<Item = String> {
        // Numbers, texts and lists are written alike in recipes and in JSON.
        let entry = |entry: &Map<String, Value>| {
            let option =
                |(name, value): (&String, &Value)| format!("{name} = {}", value.to_string().replace(',', ", "));
            format!("{{ {} }}", entry.iter().map(option).collect::<Vec<_>>().join(", "))
        };
        self.entries.iter().map(entry)
    }

    /// What each draws for one picture of a size.
    ///
    /// Each transform has a stream of its own, seeded by one number of `stream`: how much one draws changes nothing
    /// for the next.
    pub fn draw(&self, stream: &mut Stream, size: ImageSize) -> Vec<Draw> {
        let mut draw = |transform: &Arc<dyn Transform>| {
            let mut own = Seed(stream.next_u64()).stream(Purpose::Augment, [0; 3]);
            transform.draw(&mut own, size)
        };
        self.list.iter().map(&mut draw).collect()
    }
}

impl PartialEq for Transforms {
    /// Equal where the written entries are.
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl TryFrom<Written> for Transforms {
    type Error = TransformError;

    fn try_from(written: Written) -> Result<Self, TransformError> {
        Self::parse(written.entries()?)
    }
}

impl From<Transforms> for Vec<Map<String, Value>> {
    fn from(transforms: Transforms) -> Self {
        transforms.entries
    }
}
