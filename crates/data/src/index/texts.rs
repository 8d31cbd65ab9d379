//! Columns of text that stay small for a million rows.

use std::collections::HashMap;

/// Many texts in one allocation, by position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    /// Appends a text.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// The text at a position.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        (0..self.len()).map(|index| self.get(index))
    }
}

impl<'a> FromIterator<&'a str> for Texts {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut all = Self::default();
        texts.into_iter().for_each(|text| all.push(text));
        all
    }
}

/// A text a row, each distinct one stored once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextColumn {
    values: Texts,
    codes: Vec<u32>,
}

impl TextColumn {
    /// The text of a row.
    ///
    /// # Panics
    /// When there are not so many rows.
    pub fn get(&self, row: usize) -> &str {
        self.values.get(self.codes[row] as usize)
    }

    /// Which of [`TextColumn::values`] each row has.
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The distinct texts, in the order of their first row.
    pub fn values(&self) -> &Texts {
        &self.values
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The rows in the order given, some left out or moved. Distinct texts that no row has any more stay.
    pub(super) fn select(&self, rows: &[u32]) -> Self {
        Self { values: self.values.clone(), codes: rows.iter().map(|&row| self.codes[row as usize]).collect() }
    }
}

/// A [`TextColumn`] that grows.
#[derive(Debug, Default)]
pub(super) struct TextColumnBuilder {
    column: TextColumn,
    known: HashMap<Box<str>, u32>,
}

impl TextColumnBuilder {
    pub(super) fn push(&mut self, text: &str) {
        let code = match self.known.get(text) {
            Some(&code) => code,
            None => {
                let code = self.column.values.len() as u32;
                self.column.values.push(text);
                self.known.insert(text.into(), code);
                code
            }
        };
        self.column.codes.push(code);
    }

    pub(super) fn values(&self) -> &Texts {
        &self.column.values
    }

    pub(super) fn finish(self) -> TextColumn {
        self.column
    }
}

impl<'a> FromIterator<&'a str> for TextColumn {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        texts.into_iter().collect::<TextColumnBuilder>().finish()
    }
}

impl<'a> FromIterator<&'a str> for TextColumnBuilder {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut builder = Self::default();
        texts.into_iter().for_each(|text| builder.push(text));
        builder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were_put() {
        let put = ["", "ä", "", "abc"];
        let texts: Texts = put.into_iter().collect();
        assert_eq!(texts.iter().collect::<Vec<_>>(), put);
        let column = put.into_iter().collect::<TextColumnBuilder>().finish();
        assert_eq!((0..4).map(|row| column.get(row)).collect::<Vec<_>>(), put);
        assert_eq!(column.values().len(), 3);
        assert_eq!(column.select(&[3, 1]).get(0), "abc");
    }
}
