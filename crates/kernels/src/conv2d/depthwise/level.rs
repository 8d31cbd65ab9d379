//! The rows compiled for every level and kernel.

use super::any;
use super::grad_weight::{self, GradWeightRow};
use super::tile::{self, Row};

/// What is done for one row, for kernels of a width and stride. To be called only where the level is available.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernels {
    pub(super) forward: unsafe fn(&mut Row<'_>),
    pub(super) grad_input: unsafe fn(&mut Row<'_>),
    /// With the promises of [`grad_weight::row`].
    pub(super) grad_weight: unsafe fn(&GradWeightRow<'_>),
}

/// A level: for widths 3, 5 and 7 with strides 1 and 2, and for all others.
#[derive(Debug)]
pub(super) struct LevelKernels {
    pub(super) tiled: [[Kernels; 2]; 3],
    pub(super) any: AnyKernels,
}

/// Rows of any kernel. To be called only where the level is available.
#[derive(Debug)]
pub(super) struct AnyKernels {
    pub(super) forward: unsafe fn(&mut any::ForwardRow<'_>),
    pub(super) grad_input: unsafe fn(&mut any::GradInputRow<'_>),
    pub(super) grad_weight: unsafe fn(&mut any::GradWeightRow<'_>),
}

/// Columns of a tile: they and the weights of a kernel's row fill at most 15 of 16 registers, and 7 divides the maps of
/// pictures of 224 pixels. From dy to dx with stride 2 it must be even.
const TILE: usize = 7;
const TILE_STRIDE_2: usize = 8;

/// Declares a level: `level!(name: vector, #[features])`.
macro_rules! level {
    ($name:ident: $vector:ty $(, #[$features:meta])?) => {
        pub(super) mod $name {
            use super::*;

            pub(in super::super) static KERNELS: LevelKernels = LevelKernels {
                tiled: [
                    [kernels::<3, 1, TILE>(), kernels::<3, 2, TILE_STRIDE_2>()],
                    [kernels::<5, 1, TILE>(), kernels::<5, 2, TILE_STRIDE_2>()],
                    [kernels::<7, 1, TILE>(), kernels::<7, 2, TILE_STRIDE_2>()],
                ],
                any: AnyKernels { forward: any_forward, grad_input: any_grad_input, grad_weight: any_grad_weight },
            };

            /// Kernels of width `K` and stride `S`, of which dx is made `T` columns at once.
            const fn kernels<const K: usize, const S: usize, const T: usize>() -> Kernels {
                Kernels { forward: forward::<K, S>, grad_input: grad_input::<K, S, T>, grad_weight: grad_weight::<K, S> }
            }

            $(#[$features])?
            unsafe fn forward<const K: usize, const S: usize>(row: &mut Row<'_>) {
                // SAFETY: this function has the level's features.
                unsafe { tile::row::<$vector, K, S, TILE, false>(row) }
            }

            $(#[$features])?
            unsafe fn grad_input<const K: usize, const S: usize, const T: usize>(row: &mut Row<'_>) {
                // SAFETY: this function has the level's features.
                unsafe { tile::row::<$vector, K, S, T, true>(row) }
            }

            $(#[$features])?
            unsafe fn grad_weight<const K: usize, const S: usize>(row: &GradWeightRow<'_>) {
                // SAFETY: this function has the level's features; the rest is its own contract.
                unsafe { grad_weight::row::<$vector, K, S, TILE>(row) }
            }

            $(#[$features])?
            unsafe fn any_forward(row: &mut any::ForwardRow<'_>) {
                // SAFETY: this function has the level's features.
                unsafe { any::forward::<$vector>(row) }
            }

            $(#[$features])?
            unsafe fn any_grad_input(row: &mut any::GradInputRow<'_>) {
                // SAFETY: this function has the level's features.
                unsafe { any::grad_input::<$vector>(row) }
            }

            $(#[$features])?
            unsafe fn any_grad_weight(row: &mut any::GradWeightRow<'_>) {
                // SAFETY: this function has the level's features.
                unsafe { any::grad_weight::<$vector>(row) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
level!(avx512: crate::simd::F32x16, #[target_feature(enable = "avx512f")]);
#[cfg(target_arch = "x86_64")]
level!(avx2: crate::simd::F32x8, #[target_feature(enable = "avx2,fma")]);
#[cfg(target_arch = "aarch64")]
level!(neon: crate::simd::F32x4, #[target_feature(enable = "neon")]);
level!(scalar: crate::simd::Lanes<4>);
