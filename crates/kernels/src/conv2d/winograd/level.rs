//! The passes compiled for every level and tile size.

use super::product::{self, Product, ROWS_APART, ROWS_TOGETHER};
use super::tiles::{self, Gather, Scatter};
use super::transform::{Data, Filtering, OutputsGradient};
use super::weights::{self, Pack, Unpack};
use crate::gemm::L2_BYTES;

/// The passes of an algorithm at a level. To be called only where the level is available, with the promises of the
/// passes they are made from.
#[derive(Debug)]
pub(super) struct Kernels {
    /// Tiles of the source.
    pub(super) gather: unsafe fn(&Gather<'_>),
    /// Tiles of the target's gradient.
    pub(super) gather_gradient: unsafe fn(&Gather<'_>),
    pub(super) scatter: unsafe fn(&Scatter<'_>),
    pub(super) pack: unsafe fn(&Pack<'_>),
    pub(super) unpack: unsafe fn(&Unpack<'_>),
    /// Rows of tiles, whose terms are channels.
    pub(super) multiply: unsafe fn(&mut Product<'_>),
    /// Rows of channels, whose terms are tiles.
    pub(super) multiply_gradient: unsafe fn(&mut Product<'_>),
    /// Columns of a panel and rows of a tile of the product.
    pub(super) columns: usize,
    pub(super) rows: usize,
    pub(super) lanes: usize,
    /// Bytes of a core's second cache that machines of this level have, all but few.
    pub(super) second_cache: usize,
}

/// Declares a level: `level!(name: vector, rows, vectors of a panel, bytes of the second cache, #[features])`.
macro_rules! level {
    ($name:ident: $vector:ty, $rows:literal, $vectors:literal, $second_cache:expr $(, #[$features:meta])?) => {
        pub(super) mod $name {
            use super::*;
            use crate::simd::Vector;

            pub(in super::super) const fn kernels<F: Filtering>() -> Kernels {
                Kernels {
                    gather: gather::<F>,
                    gather_gradient: gather_gradient::<F>,
                    scatter: scatter::<F>,
                    pack: pack::<F>,
                    unpack: unpack::<F>,
                    multiply: multiply::<ROWS_APART>,
                    multiply_gradient: multiply::<ROWS_TOGETHER>,
                    columns: $vectors * <$vector>::LANES,
                    rows: $rows,
                    lanes: <$vector>::LANES,
                    second_cache: $second_cache,
                }
            }

            level!(@ gather(&Gather<'_>), tiles::gather::<$vector, Data<F>> $(, #[$features])?);
            level!(@ gather_gradient(&Gather<'_>), tiles::gather::<$vector, OutputsGradient<F>> $(, #[$features])?);
            level!(@ scatter(&Scatter<'_>), tiles::scatter::<$vector, F> $(, #[$features])?);
            level!(@ pack(&Pack<'_>), weights::pack::<$vector, F> $(, #[$features])?);
            level!(@ unpack(&Unpack<'_>), weights::unpack::<$vector, F> $(, #[$features])?);

            $(#[$features])?
            unsafe fn multiply<const STEP: usize>(job: &mut Product<'_>) {
                // SAFETY: this function has the level's features; the rest is its own contract.
                unsafe { product::multiply::<$vector, $rows, $vectors, STEP>(job) }
            }
        }
    };
    (@ $pass:ident($job:ty), $body:expr $(, #[$features:meta])?) => {
        $(#[$features])?
        unsafe fn $pass<F: Filtering>(job: $job) {
            // SAFETY: this function has the level's features; the rest is its own contract.
            unsafe { $body(job) }
        }
    };
}

#[cfg(target_arch = "x86_64")]
level!(avx512: crate::simd::F32x16, 12, 2, 1 << 20, #[target_feature(enable = "avx512f")]);
#[cfg(target_arch = "x86_64")]
level!(avx2: crate::simd::F32x8, 6, 2, L2_BYTES, #[target_feature(enable = "avx2,fma")]);
#[cfg(target_arch = "aarch64")]
level!(neon: crate::simd::F32x4, 8, 2, L2_BYTES, #[target_feature(enable = "neon")]);
level!(scalar: crate::simd::Lanes<4>, 4, 2, L2_BYTES);
