//! What the page and the Markdown show, in words and in order: everything decided, nothing drawn.

mod about;
mod classes;
pub(crate) mod data;
mod pictures;
mod verdict;

pub(crate) use about::About;
pub(crate) use classes::Classes;
pub(crate) use data::Data;
pub(crate) use pictures::Pictures;
pub(crate) use verdict::Verdict;

use crate::chart::{Figure, curves};
use crate::finding::{self, Finding};
use crate::stored::Stored;

/// The whole report.
pub(crate) struct View {
    pub(crate) about: About,
    /// `None` where nothing was evaluated.
    pub(crate) verdict: Option<Verdict>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) curves: Vec<Figure>,
    /// Which epoch was kept, of how many.
    pub(crate) kept: Option<String>,
    /// `None` where nothing was evaluated.
    pub(crate) classes: Option<Classes>,
    pub(crate) errors: Pictures,
    pub(crate) samples: Pictures,
    pub(crate) data: Data,
}

impl View {
    pub(crate) fn new(stored: &Stored) -> Self {
        Self {
            about: About::new(stored),
            verdict: Verdict::new(stored),
            findings: finding::of_run(stored),
            curves: curves(&stored.history),
            kept: kept(stored),
            classes: Classes::new(stored),
            errors: Pictures::errors(stored),
            samples: Pictures::samples(stored),
            data: Data::new(stored),
        }
    }

    /// All charts, in the order of the page.
    pub(crate) fn figures(&self) -> impl Iterator<Item = &Figure> {
        let strip = self.verdict.iter().filter_map(|verdict| verdict.strip.as_ref());
        let classes = self.classes.iter().flat_map(Classes::figures);
        strip.chain(&self.curves).chain(classes).chain(self.data.figures())
    }
}

fn kept(stored: &Stored) -> Option<String> {
    let last = stored.history.rows().last()?.epoch;
    Some(match stored.history.best_epoch() {
        Some(best) => {
            format!("Epoch {best} of {last} was the best on the validation part and was kept: the dashed line.")
        }
        None => format!("{last} epochs; none is marked as the best."),
    })
}
