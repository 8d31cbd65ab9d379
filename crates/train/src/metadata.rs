//! What is known of pictures beside what they show, as the numbers that a network reads.

use avizor_base::Note;
use avizor_data::index::Index;
use avizor_data::metadata::{ColumnEncoder, Gaps, MetadataEncoder};

use crate::error::TrainError;

/// The metadata of all rows of an index, encoded.
#[derive(Debug)]
pub(crate) struct Metadata {
    encoder: MetadataEncoder,
    /// Row by row.
    values: Vec<f32>,
    /// What could not be taken as it is.
    gaps: Gaps,
}

impl Metadata {
    /// Encoded as the training rows say.
    ///
    /// # Errors
    /// Columns that cannot become numbers, or none.
    pub(crate) fn fit(index: &Index, train: &[u32], categories: &[String]) -> Result<Self, TrainError> {
        Ok(Self::encode(index, MetadataEncoder::fit(index.metadata(), train, categories)?))
    }

    /// As a model has learnt them; the index has the model's columns.
    ///
    /// # Errors
    /// An index without the model's columns.
    pub(crate) fn encoded_by(index: &Index, encoder: &MetadataEncoder) -> Result<Self, TrainError> {
        let wanted: Vec<&str> = encoder.columns().iter().map(ColumnEncoder::column).collect();
        if !index.metadata().iter().map(|column| column.name.as_str()).eq(wanted.iter().copied()) {
            return Err(TrainError::Data {
                problem: format!(
                    "the model reads {} beside the picture, and these pictures have no table",
                    list(&wanted)
                ),
                help: "give a table with these columns, the files and their classes".to_owned(),
            });
        }
        Ok(Self::encode(index, encoder.clone()))
    }

    fn encode(index: &Index, encoder: MetadataEncoder) -> Self {
        let (mut values, mut gaps) = (Vec::with_capacity(index.len() * encoder.width()), Gaps::new(&encoder));
        for row in 0..index.len() {
            let texts = index.metadata().iter().map(|column| column.values.get(row));
            encoder.encode(texts, &mut values, &mut gaps);
        }
        Self { encoder, values, gaps }
    }

    pub(crate) fn encoder(&self) -> &MetadataEncoder {
        &self.encoder
    }

    /// Fills an input with those of some rows; what is left of it keeps its values.
    pub(crate) fn fill(&self, rows: impl Iterator<Item = u32>, input: &mut [f32]) {
        let width = self.encoder.width();
        for (row, to) in rows.zip(input.chunks_exact_mut(width)) {
            to.copy_from_slice(&self.values[row as usize * width..][..width]);
        }
    }

    /// What a person should know of them.
    pub(crate) fn note(&self) -> Note {
        let column = |of: &ColumnEncoder| match of {
            ColumnEncoder::Number { column, mean, std, .. } => format!("{column} ({mean:.1} ± {std:.1})"),
            ColumnEncoder::Category { column, levels, .. } if levels.len() <= 4 => {
                format!("{column} ({})", levels.join(", "))
            }
            ColumnEncoder::Category { column, levels, .. } => format!("{column} ({} categories)", levels.len()),
        };
        let columns: Vec<String> = self.encoder.columns().iter().map(column).collect();
        let gaps = if self.gaps.is_empty() { String::new() } else { format!("; {}", self.gaps) };
        Note { kind: "metadata".to_owned(), text: format!("metadata: {}{gaps}", columns.join(", ")) }
    }
}

/// "age", "age and sex", "age, sex and site".
fn list(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
