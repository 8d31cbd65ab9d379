//! Pixels to numbers.

use crate::operator::require;
use crate::{DType, Operands, Operator, ShapeError, TensorType, Wide};

/// `(pixel / 255 - mean) / std` per channel: bytes `[batch][height][width][3]` to floats. It has no gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalize {
    /// Mean of each channel, of pixels in `0.0..=1.0`.
    pub mean: [f32; 3],
    /// Standard deviation of each channel, above 0.
    pub std: [f32; 3],
}

impl Normalize {
    /// The same as `pixel · scale + shift`.
    pub(crate) fn scale_and_shift(&self) -> ([f32; 3], [f32; 3]) {
        let scale = self.std.map(|std| (1.0 / (255.0 * f64::from(std))) as f32);
        let shift = [0, 1, 2].map(|channel| (-f64::from(self.mean[channel]) / f64::from(self.std[channel])) as f32);
        (scale, shift)
    }
}

impl Operator for Normalize {
    fn kind(&self) -> &'static str {
        "normalize"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["image"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        let shape = inputs.axes::<4>(0, DType::U8)?;
        require(shape[3] == 3, "number of channels", shape[3], "3")?;
        require(self.std.iter().all(|&std| std > 0.0), "standard deviation", self.std, "above 0")?;
        Ok(vec![TensorType::f32(shape)])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let normalize =
            |(i, value): (usize, &f64)| (value / 255.0 - f64::from(self.mean[i % 3])) / f64::from(self.std[i % 3]);
        vec![inputs[0].values.iter().enumerate().map(normalize).collect()]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, given, refusal};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "normalize",
        cases: || {
            vec![case(
                "image",
                Normalize { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
                [given(DType::U8, [2, 5, 7, 3])],
            )]
        },
        refusals: || {
            vec![refusal(
                Normalize { mean: [0.0; 3], std: [1.0; 3] },
                [&[1, 5, 5, 3]],
                "node: the image must be u8, not f32",
            )]
        },
    };
}
