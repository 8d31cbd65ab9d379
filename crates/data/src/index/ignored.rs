//! What lies in a data folder and is no sample, counted by reason.

use std::collections::BTreeMap;
use std::fmt;

/// Why something in a data folder is not a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum IgnoredKind {
    /// The name starts with a dot: `.DS_Store`, `._picture.jpg`, `.git/`.
    Hidden,
    /// Left by an operating system: `Thumbs.db`, `desktop.ini`, `__MACOSX/`.
    SystemJunk,
    /// A table, text, archive, program or other file whose name says that it is no picture.
    Document,
    /// A name that says nothing and content that does not start like a picture.
    NotAPicture,
    /// A link to something that is not there, or to itself.
    BrokenLink,
    /// A link that leads back to a folder it lies in.
    LinkLoop,
    /// A pipe, socket or device.
    Special,
    /// A folder that may not be read.
    UnreadableFolder,
    /// A name that is not UTF-8, so that no table, report or log could name it.
    NameNotText,
    /// A class folder without a picture.
    EmptyClass,
    /// A picture that lies beside the class folders, not in one.
    OutsideClasses,
    /// A name that the pattern does not fit.
    PatternMismatch,
    /// A picture of a class that was not asked for.
    OtherClass,
    /// A picture that a person decided to leave out.
    Excluded,
    /// A picture that lies in two parts whose folders overlap.
    InTwoParts,
}

impl IgnoredKind {
    /// In words, for "3 …".
    pub fn describe(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::SystemJunk => "left by an operating system",
            Self::Document => "tables, texts and other files",
            Self::NotAPicture => "without the content of a picture",
            Self::BrokenLink => "broken links",
            Self::LinkLoop => "links in a circle",
            Self::Special => "pipes or devices",
            Self::UnreadableFolder => "folders that may not be read",
            Self::NameNotText => "with a name that is not UTF-8",
            Self::EmptyClass => "class folders without a picture",
            Self::OutsideClasses => "pictures outside the class folders",
            Self::PatternMismatch => "pictures whose name does not fit the pattern",
            Self::OtherClass => "pictures of classes not asked for",
            Self::Excluded => "excluded by decision",
            Self::InTwoParts => "pictures that lie in two parts",
        }
    }
}

/// How many things, and the names of the first ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentioned {
    /// All of them.
    pub count: usize,
    /// The first [`Mentioned::NAMES`].
    pub names: Vec<String>,
}

impl Mentioned {
    /// How many names are kept.
    pub const NAMES: usize = 200;

    pub(super) fn add(&mut self, name: &str) {
        self.count += 1;
        if self.names.len() < Self::NAMES {
            self.names.push(name.to_owned());
        }
    }
}

/// Counts and first names by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    by_kind: BTreeMap<IgnoredKind, Mentioned>,
}

impl Ignored {
    pub(super) fn add(&mut self, kind: IgnoredKind, name: &str) {
        self.by_kind.entry(kind).or_default().add(name);
    }

    pub(super) fn extend(&mut self, other: Self) {
        for (kind, mentioned) in other.by_kind {
            let mine = self.by_kind.entry(kind).or_default();
            mine.count += mentioned.count;
            let room = Mentioned::NAMES.saturating_sub(mine.names.len());
            mine.names.extend(mentioned.names.into_iter().take(room));
        }
    }

    /// How many of one kind.
    pub fn count(&self, kind: IgnoredKind) -> usize {
        self.by_kind.get(&kind).map_or(0, |mentioned| mentioned.count)
    }

    /// How many in all.
    pub fn total(&self) -> usize {
        self.by_kind.values().map(|mentioned| mentioned.count).sum()
    }

    /// The kinds that occur, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (IgnoredKind, &Mentioned)> {
        self.by_kind.iter().map(|(&kind, mentioned)| (kind, mentioned))
    }
}

impl fmt::Display for Ignored {
    /// `2 hidden, 1 tables, texts and other files`, or `nothing`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.by_kind.is_empty() {
            return f.write_str("nothing");
        }
        for (position, (kind, mentioned)) in self.by_kind.iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(f, "{comma}{} {}", mentioned.count, kind.describe())?;
        }
        Ok(())
    }
}
