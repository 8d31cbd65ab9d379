//! Why samples cannot be shared out.

use avizor_base::Split;

/// Why there is no split. Each is one sentence; [`SplitError::help`] says what to do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// Shares that are none.
    #[error("`split.ratios` is [{}, {}, {}], which are not three shares that add up to 1 with something for train", ratios[0], ratios[1], ratios[2])]
    Ratios {
        /// What was given.
        ratios: [f64; 3],
    },
    /// A class that cannot be both learned and measured.
    #[error("class \"{class}\" has {}", count(*pictures, *listed))]
    TooFew {
        /// The class.
        class: String,
        /// Usable pictures.
        pictures: usize,
        /// Pictures before those that cannot be read were left out.
        listed: usize,
    },
    /// Too few units to go round.
    #[error("{} gets no picture: there are only {units} groups or pictures to share out", part.name())]
    EmptyPart {
        /// The part.
        part: Split,
        /// Groups, sets of equal files and single pictures.
        units: usize,
    },
    /// All of a part leaks.
    #[error("nothing is left of {}: all its pictures, or copies or others of their groups, are in a later part", part.name())]
    NothingLeft {
        /// The part.
        part: Split,
    },
}

fn count(pictures: usize, listed: usize) -> String {
    let unread = listed - pictures;
    let of = if unread > 0 { format!(" ({unread} cannot be read)") } else { String::new() };
    match pictures {
        0 => format!("no picture{of}"),
        1 => format!("only 1 picture{of}"),
        n => format!("only {n} pictures{of}"),
    }
}

impl SplitError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Ratios { .. } => "write for example `ratios = [0.70, 0.15, 0.15]`",
            Self::TooFew { .. } => {
                "add pictures (three at least, better thirty), list the other classes in `data.classes`, \
                 or merge it with `data.rename`"
            }
            Self::NothingLeft { .. } => "share the pictures out anew, without given parts",
            Self::EmptyPart { .. } => "add pictures, or keep larger shares for val and test",
        }
    }
}
