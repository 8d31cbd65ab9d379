//! Changes that have no numbers of their own: all that is drawn is whether they happen.

use std::fmt;
use std::marker::PhantomData;

use avizor_base::{ImageSize, Stream};
use serde::{Deserialize, Serialize};

use super::options::probability;
use super::{Draw, Transform};

/// A change without numbers.
pub(super) trait Plain: fmt::Debug + Send + Sync {
    /// The probability where a recipe names none: torchvision's.
    const P: f64 = 0.5;
    /// What it is.
    const DRAW: Draw;
}

/// Makes a change with probability `p`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, bound = "C: Plain")]
pub(super) struct Sometimes<C> {
    p: f64,
    #[serde(skip)]
    change: PhantomData<C>,
}

impl<C: Plain> Default for Sometimes<C> {
    fn default() -> Self {
        Self { p: C::P, change: PhantomData }
    }
}

impl<C: Plain> Transform for Sometimes<C> {
    fn check(&self) -> Result<(), String> {
        probability(self.p)
    }

    fn draw(&self, stream: &mut Stream, _: ImageSize) -> Draw {
        if stream.chance(self.p) { C::DRAW } else { Draw::Nothing }
    }
}
