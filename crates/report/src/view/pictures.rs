//! The gallery: errors that were made with most confidence, and a few pictures drawn at random.

use avizor_store::PictureKind;

use crate::stored::{Stored, Thumbnail};
use crate::{name, number};

/// Cards of one kind.
pub(crate) struct Pictures {
    pub(crate) cards: Vec<Card>,
}

/// A small picture and what was said about it.
pub(crate) struct Card {
    /// The whole `data:` URI; `None` where the file is gone.
    pub(crate) uri: Option<String>,
    pub(crate) sample: String,
    pub(crate) label: Option<String>,
    pub(crate) prediction: String,
    pub(crate) probability: String,
    pub(crate) is_right: bool,
    /// What a person who cannot see the picture is told.
    pub(crate) alt: String,
}

impl Pictures {
    pub(super) fn errors(stored: &Stored) -> Self {
        Self::of(stored, PictureKind::Error)
    }

    pub(super) fn samples(stored: &Stored) -> Self {
        Self::of(stored, PictureKind::Sample)
    }

    fn of(stored: &Stored, kind: PictureKind) -> Self {
        Self { cards: stored.gallery.iter().filter(|thumbnail| thumbnail.picture.kind == kind).map(card).collect() }
    }
}

fn card(thumbnail: &Thumbnail) -> Card {
    let picture = &thumbnail.picture;
    let (label, prediction) = (picture.label.as_deref().map(name::shown), name::shown(&picture.prediction));
    let probability = number::probability(picture.probability);
    let alt = match &label {
        Some(label) if *label == prediction => format!("{label}, named so with {probability}"),
        Some(label) => format!("{label}, taken for {prediction} with {probability}"),
        None => format!("without label, named {prediction} with {probability}"),
    };
    Card {
        uri: thumbnail.uri.clone(),
        sample: name::shown(&picture.sample),
        is_right: label.as_ref() == Some(&prediction),
        label,
        prediction,
        probability,
        alt,
    }
}
