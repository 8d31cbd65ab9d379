//! Options that several transforms share: their spellings, their ranges, the words when they are wrong.

use avizor_base::Stream;
use serde::{Deserialize, Serialize};

/// One number, meaning from minus it to it, or two: from the first to the second. As torchvision's `degrees`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number, or two numbers in brackets")]
pub enum Spread {
    /// From minus it to it.
    Around(f64),
    /// From the first to the second.
    Between([f64; 2]),
}

impl Spread {
    /// Lower and upper end.
    pub(super) fn ends(self) -> [f64; 2] {
        match self {
            Self::Around(most) => [-most, most],
            Self::Between(ends) => ends,
        }
    }

    pub(super) fn draw(self, stream: &mut Stream) -> f64 {
        let [low, high] = self.ends();
        stream.between(low, high)
    }

    pub(super) fn check(self, name: &str) -> Result<(), String> {
        match self {
            Self::Around(most) if !(most.is_finite() && most >= 0.0) => {
                Err(format!("`{name}` is {most}; it must be a number that is not negative"))
            }
            _ => ordered(name, self.ends()),
        }
    }
}

/// One number for both directions, or one along x and one along y.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number, or two numbers in brackets")]
pub enum PerSide {
    /// The same.
    Both(f64),
    /// Along x, along y.
    Each([f64; 2]),
}

impl PerSide {
    pub(super) fn sides(self) -> [f64; 2] {
        match self {
            Self::Both(value) => [value; 2],
            Self::Each(values) => values,
        }
    }
}

/// Two ends in order, both finite.
pub(super) fn ordered(name: &str, [low, high]: [f64; 2]) -> Result<(), String> {
    if low.is_finite() && high.is_finite() && low <= high {
        return Ok(());
    }
    Err(format!("`{name}` is [{low}, {high}]; it must be two numbers, the smaller first"))
}

/// A finite number within bounds.
pub(super) fn within(name: &str, value: f64, low: f64, high: f64) -> Result<(), String> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    match high.is_finite() {
        true => Err(format!("`{name}` is {value}; it must lie between {low} and {high}")),
        false => Err(format!("`{name}` is {value}; it must be at least {low}")),
    }
}

/// `p` within 0 and 1.
pub(super) fn probability(p: f64) -> Result<(), String> {
    within("p", p, 0.0, 1.0)
}

/// A gray or an RGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a gray value from 0 to 255, or three of them in brackets")]
pub enum Colour {
    /// The same for red, green and blue.
    Gray(u8),
    /// Red, green, blue.
    Rgb([u8; 3]),
}

impl Colour {
    pub(super) fn rgb(self) -> [u8; 3] {
        match self {
            Self::Gray(gray) => [gray; 3],
            Self::Rgb(rgb) => rgb,
        }
    }
}

/// The nearest whole number, a half to the even one, of a value below 2²² in size: as `round_ties_even`, which at the
/// lowest level of x86-64 is a call for each value, while this becomes two instructions for four.
pub(super) fn whole(value: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0;
    (value + SHIFT) - SHIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_the_nearest_and_even_at_a_half() {
        for quarter in -4_000..4_000 {
            let value = quarter as f32 / 4.0;
            assert_eq!(whole(value), value.round_ties_even());
        }
    }
}
