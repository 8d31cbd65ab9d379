//! 3×3 convolution of stride 1 and 2 by Winograd's minimal filtering, forward and both gradients.
//!
//! Of a tile of m × m outputs, (m + 2)² inputs are transformed (`Bᵀ d B`), multiplied place by place with transformed
//! weights (`G g Gᵀ`), summed over the channels, and transformed back (`Aᵀ p A`): (m + 2)² / m² multiplications an
//! output instead of 9. Over all tiles each place is a matrix product, which is where the time goes. The gradient of
//! the input is the same with the weight turned round; that of the weight is `Gᵀ [Σ (Bᵀ x B) ∘ (A dy Aᵀ)] G`.
//! At stride 2 it is (2m + 1)² / m² multiplications, and the matrices are others (`algorithm`).
//!
//! # How exact
//! The transforms take differences of neighbours, which costs digits: the more, the larger the tile. Sums over channels
//! are made in parts (`product::TERMS`), without which 512 channels would have three times these errors. Two policies.
//! [`Auto`](super::Conv2dMethods::Auto), for training, takes tiles up to 5 × 5, and up to 4 × 4 where one side has fewer than
//! 256 channels: at most 3 · 10⁻⁶ relative root-mean-square error to f64, so that a network's gradients and its first twenty
//! steps stay as near to f64 as PyTorch's f32 (the tests of `models`). At stride 2, whose errors are smaller, 5 × 5 always may.
//! [`Fast`](super::Conv2dMethods::Fast), for inference, takes all: at most 4 · 10⁻⁶, measured up to 512 channels.
//!
//! Worst of scalar and AVX2 and of inputs of both signs and of one, times 10⁻⁶, forward / gradient of input / of weight;
//! `tests::no_tile_size_is_less_exact_than_said` and the test after it print and hold it. The last column sums 16,000 pixels for the weight:
//!
//! | tile | multiplications | 1 channel | 16 | 64 | 512 to 48 | 8 at 40 × 40 |
//! |---|---|---|---|---|---|---|
//! | direct | 9 | 0.1 / 0.1 / 0.2 | 0.2 / 0.2 / 0.2 | 0.4 / 0.4 / 0.2 | 0.4 / 0.4 / 0.2 | 0.2 / 0.2 / 0.3 |
//! | 2 × 2 | 4 | 0.1 / 0.1 / 0.3 | 0.2 / 0.2 / 0.2 | 0.2 / 0.2 / 0.2 | 0.2 / 0.2 / 0.2 | 0.1 / 0.1 / 0.4 |
//! | 3 × 3 | 2.8 | 0.4 / 0.3 / 0.4 | 0.4 / 0.4 / 0.5 | 0.6 / 0.5 / 0.5 | 0.6 / 0.5 / 0.5 | 0.4 / 0.4 / 0.8 |
//! | 4 × 4 | 2.25 | 0.4 / 0.5 / 0.8 | 0.5 / 0.5 / 0.6 | 0.7 / 0.7 / 0.6 | 0.7 / 0.6 / 0.6 | 0.5 / 0.5 / 0.9 |
//! | 5 × 5 | 1.96 | 1.0 / 1.5 / 2.0 | 1.6 / 1.6 / 1.8 | 2.1 / 2.1 / 2.0 | 2.4 / 2.0 / 2.0 | 1.6 / 1.6 / 2.7 |
//! | 6 × 6 | 1.78 | 2.2 / 2.2 / 2.4 | 2.3 / 2.3 / 2.4 | 2.8 / 2.8 / 2.4 | 3.2 / 2.7 / 2.4 | 1.9 / 1.9 / 3.2 |
//!
//! At stride 2, where two taps at most are combined, with twice the inputs along each side:
//!
//! | tile | multiplications | 1 channel | 16 | 64 | 512 to 48 | 8 at 80 × 80 |
//! |---|---|---|---|---|---|---|
//! | direct | 9 | 0.1 / 0.1 / 0.2 | 0.2 / 0.1 / 0.2 | 0.4 / 0.2 / 0.2 | 0.4 / 0.2 / 0.2 | 0.2 / 0.1 / 0.3 |
//! | 4 × 4 | 5.1 | 0.2 / 0.2 / 0.3 | 0.2 / 0.2 / 0.3 | 0.3 / 0.3 / 0.3 | 0.3 / 0.3 / 0.3 | 0.2 / 0.2 / 0.4 |
//! | 5 × 5 | 4.8 | 0.3 / 0.3 / 0.4 | 0.4 / 0.4 / 0.4 | 0.5 / 0.5 / 0.4 | 0.6 / 0.4 / 0.4 | 0.3 / 0.3 / 0.6 |
//!
//! The 4 × 4 of the usual points 0, ±1, ±2 has 2.2 times the error of these: see `points`.
//!
//! A number that is not finite reaches all outputs of its tile. Who wants neither uses
//! [`Conv2dMethods::Direct`](super::Conv2dMethods::Direct).

mod algorithm;
mod convolution;
mod forward;
mod geometry;
mod grad_weight;
mod level;
mod passes;
mod points;
mod product;
mod tile_size;
mod tiles;
mod transform;
mod weights;

#[cfg(test)]
mod tests;

use geometry::Geometry;
use level::Kernels;

use super::method::{Method, Pass};
use super::{Conv2dMethods, Conv2dShape};
use crate::Level;

/// A row of the tables: a stride and a tile size at a level.
#[derive(Debug)]
pub(crate) struct Winograd {
    name: &'static str,
    level: Level,
    stride: usize,
    /// Outputs of a tile along each axis.
    tile: usize,
    kernels: &'static Kernels,
    /// Of the gradient of the input.
    backward: &'static Kernels,
}

/// The rows of a level: of stride 1, then of stride 2.
macro_rules! rows {
    ($level:ident, $kernels:ident: $($tile:literal $name:literal),*; $($strided:literal $strided_name:literal),*) => {
        &[
            $(rows!(@ $level, $kernels, 1, $tile, $name, transform::Forward<1, $tile>),)*
            $(rows!(@ $level, $kernels, 2, $strided, $strided_name, transform::GradInput<2, $strided>),)*
        ]
    };
    (@ $level:ident, $kernels:ident, $stride:literal, $tile:literal, $name:literal, $backward:ty) => {
        Winograd {
            name: $name,
            level: Level::$level,
            stride: $stride,
            tile: $tile,
            kernels: const { &level::$kernels::kernels::<transform::Forward<$stride, $tile>>() },
            backward: const { &level::$kernels::kernels::<$backward>() },
        }
    };
}

/// The rows of all levels, the most capable first. Stride 2 was measured at AVX2 alone, and is there alone.
pub(crate) static ROWS: &[&[Winograd]] = &[
    #[cfg(target_arch = "x86_64")]
    rows!(Avx512, avx512:
        2 "winograd_f32_2x2_avx512", 3 "winograd_f32_3x3_avx512", 4 "winograd_f32_4x4_avx512",
        5 "winograd_f32_5x5_avx512", 6 "winograd_f32_6x6_avx512";),
    #[cfg(target_arch = "x86_64")]
    rows!(Avx2, avx2:
        2 "winograd_f32_2x2_avx2", 3 "winograd_f32_3x3_avx2", 4 "winograd_f32_4x4_avx2",
        5 "winograd_f32_5x5_avx2", 6 "winograd_f32_6x6_avx2";
        4 "winograd_f32_4x4s2_avx2", 5 "winograd_f32_5x5s2_avx2"),
    #[cfg(target_arch = "aarch64")]
    rows!(Neon, neon:
        2 "winograd_f32_2x2_neon", 3 "winograd_f32_3x3_neon", 4 "winograd_f32_4x4_neon",
        5 "winograd_f32_5x5_neon", 6 "winograd_f32_6x6_neon";),
    rows!(Scalar, scalar:
        2 "winograd_f32_2x2_scalar", 3 "winograd_f32_3x3_scalar", 4 "winograd_f32_4x4_scalar",
        5 "winograd_f32_5x5_scalar", 6 "winograd_f32_6x6_scalar";),
];

impl Winograd {
    fn assert_level(&self) {
        assert!(self.level.is_available(), "a method is run only where its level is available");
    }
}

impl Method for Winograd {
    fn name(&self) -> &'static str {
        self.name
    }

    fn level(&self) -> Level {
        self.level
    }

    fn fits(&self, shape: &Conv2dShape, _pass: Pass) -> bool {
        Geometry::fits(shape, self.stride)
    }

    fn is_direct(&self) -> bool {
        false
    }

    fn pays(&self, shape: &Conv2dShape, pass: Pass, methods: Conv2dMethods) -> bool {
        tile_size::best(shape, pass, methods, self.kernels) == Some(self.tile)
    }
}
