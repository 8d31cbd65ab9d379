//! Resizing RGB bytes: sums of neighbouring pixels along a row or down a column, in fixed point.
//!
//! Weights are whole numbers with [`PRECISION`] bits behind the point, as Pillow's are. Sums of such are exact, so every level
//! gives the same bytes, and nobody need say which: [`Resample::default`] is of the machine's best.
//!
//! ```
//! use avizor_kernels::resample::{ONE, Resample, Taps};
//!
//! // Two pixels to one, a quarter of the first and three of the second.
//! let taps = Taps::new(vec![(0, 2)], vec![ONE / 4, 3 * (ONE / 4)]);
//! let mut pixel = [0; 3];
//! Resample::default().along_row(&taps, &[0, 40, 80, 100, 40, 0], &mut pixel);
//! assert_eq!(pixel, [75, 40, 20]);
//! ```

#[cfg(target_arch = "x86_64")]
mod avx2;
mod scalar;
mod taps;
#[cfg(test)]
mod tests;

use crate::Level;

pub use taps::Taps;

/// Bits of a weight behind the point.
pub const PRECISION: u32 = 22;
/// The weight of a pixel that is taken as it is.
pub const ONE: i32 = 1 << PRECISION;

/// What a sum begins with: the shift at its end then rounds.
const HALF: i32 = ONE / 2;

/// The byte that a sum means.
fn clip(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// Bits of a weight's lower half, see [`halves`].
const LOW: u32 = 12;

/// A weight as `high · 2^LOW + low`, both of 16 bits: x86-64 sums two products of such in one instruction, and has none at its
/// lowest level for products of 32 bits. The upper half has the sign.
fn halves(weight: i32) -> [i16; 2] {
    [(weight >> LOW) as i16, (weight & ((1 << LOW) - 1)) as i16]
}

/// A row of the table.
#[derive(Debug)]
struct ResampleKernel {
    /// `resample_u8_{level}`.
    #[cfg_attr(not(test), expect(dead_code, reason = "what a test that fails is about"))]
    name: &'static str,
    level: Level,
    /// See [`Resample::along_row`]; to be called only where the level is available, with slices of the lengths told there.
    along_row: unsafe fn(&Taps, &[u8], &mut [u8]),
    /// See [`Resample::down_columns`]; the same holds.
    down_columns: unsafe fn(&[i32], &[u8], usize, &mut [u8]),
}

/// Every kernel of the family, the most capable level first.
static RESAMPLE: &[ResampleKernel] = &[
    #[cfg(target_arch = "x86_64")]
    avx2::RESAMPLE_U8,
    scalar::RESAMPLE_U8,
];

/// The kernels of a level that this machine has: holding them is the proof.
#[derive(Clone, Copy, Debug)]
pub struct Resample(&'static ResampleKernel);

impl Default for Resample {
    fn default() -> Self {
        Self::at_level(Level::best())
    }
}

impl Resample {
    /// The kernels that a machine runs at a level.
    pub fn at_level(level: Level) -> Self {
        let mut kernels = RESAMPLE.iter().filter(|kernel| kernel.level <= level && kernel.level.is_available());
        Self(kernels.next().expect("the last row needs no level"))
    }

    /// Scales a row of pixels: each of the output is the sum of its taps.
    ///
    /// # Panics
    /// When `row` is not the pixels that the taps [need](Taps::needed), or `output` not three bytes for each of them.
    pub fn along_row(self, taps: &Taps, row: &[u8], output: &mut [u8]) {
        assert_eq!(row.len(), 3 * taps.needed().len(), "the row is the pixels that are needed");
        assert_eq!(output.len(), 3 * taps.len(), "a pixel for each of the taps");
        // SAFETY: the level is this machine's, and the lengths are right.
        unsafe { (self.0.along_row)(taps, row, output) }
    }

    /// A row of a picture whose columns are scaled: the sum of rows of the source, one for each weight, `stride` bytes apart.
    ///
    /// # Panics
    /// When the source is too short, or its rows are shorter than the output.
    pub fn down_columns(self, weights: &[i32], source: &[u8], stride: usize, output: &mut [u8]) {
        assert!(stride >= output.len(), "rows follow each other");
        let Some(before) = weights.len().checked_sub(1) else { return output.fill(0) };
        assert!(before * stride + output.len() <= source.len(), "the source has a row for each weight");
        // SAFETY: the level is this machine's, and every row lies in the source.
        unsafe { (self.0.down_columns)(weights, source, stride, output) }
    }
}
