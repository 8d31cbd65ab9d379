//! `avizor models` as it is typed.

use avizor_train::recipe::{Freeze, Frozen};
use clap::Args;

use super::Stem;
use super::value::whole;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  avizor models
  avizor models --speed                  measures every network: a minute or some
  avizor models resnet18 --classes 10 --freeze backbone --batch 32")]
pub(crate) struct Models {
    /// Show this network layer by layer, and the memory that it takes
    pub(crate) name: Option<String>,
    /// Classes of its last layer
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "name", value_parser = whole::<u32>(1..=65_536))]
    pub(crate) classes: u32,
    /// Side of its input in pixels [default: what it was made for]
    #[arg(long, value_name = "PIXELS", requires = "name", value_parser = whole::<u32>(1..=4096))]
    pub(crate) size: Option<u32>,
    /// First layers: as published, or without the first two halvings for small pictures
    #[arg(long, default_value = "imagenet", requires = "name")]
    pub(crate) stem: Stem,
    /// What does not learn, as model.freeze says it: none, backbone, or so many stages from the first
    #[arg(long, value_name = "WHAT", default_value = "none", requires = "name", value_parser = freeze)]
    pub(crate) freeze: Freeze,
    /// Pictures of a step, for its memory [default: those of a recipe, 64]
    #[arg(long, value_name = "N", requires = "name", value_parser = whole::<u16>(1..=65535))]
    pub(crate) batch: Option<u16>,
    /// Measure how many pictures a second this machine trains and infers
    #[arg(long)]
    pub(crate) speed: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads what is frozen, in a recipe's words.
fn freeze(text: &str) -> Result<Freeze, String> {
    match text {
        "none" => Ok(Freeze::Named(Frozen::None)),
        "backbone" => Ok(Freeze::Named(Frozen::Backbone)),
        number => {
            number.parse().map(Freeze::Stages).map_err(|_| "it must be none, backbone or a number of stages".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_frozen_is_a_word_or_a_number() {
        for (text, wanted) in [("none", Freeze::NONE), ("backbone", Freeze::BACKBONE), ("3", Freeze::Stages(3))] {
            assert_eq!(freeze(text), Ok(wanted), "{text}");
        }
        for wrong in ["", "head", "-1", "1.5", "Backbone"] {
            assert!(freeze(wrong).is_err(), "{wrong}");
        }
    }
}
