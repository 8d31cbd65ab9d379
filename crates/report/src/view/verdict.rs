//! The answer first: how good it is, on how many pictures, how sure that is.

use avizor_base::Split;
use avizor_store::{Measure, PartMetrics};

use crate::chart::{Figure, interval_strip};
use crate::finding::numbers::always_the_same;
use crate::name;
use crate::number::{self, Shown};
use crate::stored::Stored;

/// The head of the page.
pub(crate) struct Verdict {
    /// `Test accuracy`.
    pub(crate) label: String,
    pub(crate) accuracy: Shown,
    pub(crate) strip: Option<Figure>,
    /// What the number means.
    pub(crate) sentences: Vec<String>,
    pub(crate) tiles: Vec<Tile>,
}

/// One more headline number.
pub(crate) struct Tile {
    pub(crate) label: &'static str,
    pub(crate) shown: Shown,
    pub(crate) unit: &'static str,
    /// What it is.
    pub(crate) meaning: &'static str,
}

impl Verdict {
    /// `None` where nothing was evaluated.
    pub(super) fn new(stored: &Stored) -> Option<Self> {
        let (split, part) = stored.main_part()?;
        let label = match split {
            Split::Test => "Test accuracy",
            _ => "Validation accuracy",
        };
        let baseline = always_the_same(part).map(|(_, share)| share);
        let strip = part.accuracy.value().zip(part.accuracy.interval());
        Some(Self {
            label: label.to_owned(),
            accuracy: Shown::percent(&part.accuracy),
            strip: strip.map(|(value, interval)| interval_strip(value, interval, baseline)),
            sentences: sentences(part, split),
            tiles: tiles(part),
        })
    }
}

fn sentences(part: &PartMetrics, split: Split) -> Vec<String> {
    let Some(accuracy) = part.accuracy.value() else {
        let why = part.accuracy.why().unwrap_or("no picture has a label");
        return vec![format!("There is no accuracy: {}.", name::shown(why))];
    };
    let right = (accuracy * part.n as f64).round() as u64;
    let groups = part.groups.map(|groups| format!(" in {} groups", number::count(groups))).unwrap_or_default();
    let mut sentences = vec![format!(
        "Of {} in the {split} part{groups}, {} got the right name.",
        number::counted(part.n, "picture"),
        number::count(right)
    )];
    if let Some((low, high)) = part.accuracy.interval() {
        sentences.push(format!(
            "On other pictures of the same kind and origin, expect between {} and {} ({} % interval).",
            number::percent(low),
            number::percent(high),
            number::level(part.level)
        ));
    }
    if let Some((class, share)) = always_the_same(part) {
        sentences.push(format!(
            "Always answering {}, the most frequent class, would be right {} of the time.",
            name::list(&[class]),
            number::percent(share)
        ));
    }
    sentences
}

fn tiles(part: &PartMetrics) -> Vec<Tile> {
    let percent =
        |label, measure: &Measure, meaning| Tile { label, shown: Shown::percent(measure), unit: "%", meaning };
    let mut tiles = vec![
        percent("Macro F1", &part.macro_f1, "mean over the classes of F1: every class counts alike"),
        percent("Balanced accuracy", &part.balanced_accuracy, "mean share of each class that is recognised"),
    ];
    let top = [
        ("Top-3 accuracy", &part.top_3_accuracy, "the right name is among the three most probable"),
        ("Top-5 accuracy", &part.top_5_accuracy, "the right name is among the five most probable"),
    ];
    tiles.extend(
        top.into_iter().filter_map(|(label, measure, meaning)| Some(percent(label, measure.as_ref()?, meaning))),
    );
    let loss = Shown::plain(&part.log_loss);
    tiles.push(Tile {
        label: "Log loss",
        shown: loss,
        unit: "",
        meaning: "how surprised it is by the right name; 0 is never",
    });
    tiles
}
