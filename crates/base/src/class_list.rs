//! The one list of classes that every part of a run shares.

use std::fmt;

/// Index of a class in its [`ClassList`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u32);

impl ClassId {
    /// As an index into per-class tables.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Class names, each once, sorted by bytes: the order does not depend on how files were listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassList {
    names: Vec<String>,
}

/// Why a list of names is no class list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClassListError {
    /// A name is there twice.
    #[error("class \"{0}\" is listed twice")]
    Twice(String),
    /// More classes than an index can count.
    #[error("{0} classes are more than the 65,536 that a class list may hold")]
    TooMany(usize),
}

impl ClassList {
    /// The distinct names, sorted by bytes.
    ///
    /// # Errors
    /// More than 65,536 classes.
    pub fn from_labels<'a>(labels: impl IntoIterator<Item = &'a str>) -> Result<Self, ClassListError> {
        let distinct: std::collections::BTreeSet<&str> = labels.into_iter().collect();
        Self::from_ordered(distinct.into_iter().map(str::to_owned).collect())
    }

    /// The names in the order given: that of a stored model.
    ///
    /// # Errors
    /// A name listed twice; more than 65,536 classes.
    pub fn from_ordered(names: Vec<String>) -> Result<Self, ClassListError> {
        if names.len() > 1 << 16 {
            return Err(ClassListError::TooMany(names.len()));
        }
        let mut sorted: Vec<&str> = names.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ClassListError::Twice(pair[0].to_owned()));
        }
        Ok(Self { names })
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no class.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The class of that name.
    pub fn id(&self, name: &str) -> Option<ClassId> {
        // Sorted lists (all but some stored ones) are searched by halves.
        let index = match self.names.binary_search_by(|have| have.as_str().cmp(name)) {
            Ok(index) => Some(index),
            Err(_) => self.names.iter().position(|have| have == name),
        };
        index.map(|index| ClassId(index as u32))
    }

    /// The name of a class of this list.
    ///
    /// # Panics
    /// When the id belongs to a longer list.
    pub fn name(&self, id: ClassId) -> &str {
        &self.names[id.index()]
    }

    /// All names in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// All ids in order.
    pub fn ids(&self) -> impl Iterator<Item = ClassId> + use<> {
        (0..self.names.len() as u32).map(ClassId)
    }
}

impl fmt::Display for ClassList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_by_bytes_and_not_by_listing() {
        let list = ClassList::from_labels(["b", "a", "Z", "b", "é"]).unwrap();
        assert_eq!(list.names(), ["Z", "a", "b", "é"]);
        assert_eq!(list.id("b"), Some(ClassId(2)));
        assert_eq!(list.name(ClassId(3)), "é");
        assert_eq!(list.id("c"), None);
    }

    #[test]
    fn a_stored_order_is_kept_and_searched() {
        let list = ClassList::from_ordered(vec!["z".into(), "a".into(), "m".into()]).unwrap();
        for (index, name) in ["z", "a", "m"].iter().enumerate() {
            assert_eq!(list.id(name), Some(ClassId(index as u32)));
        }
        assert_eq!(
            ClassList::from_ordered(vec!["a".into(), "b".into(), "a".into()]),
            Err(ClassListError::Twice("a".into()))
        );
    }
}
