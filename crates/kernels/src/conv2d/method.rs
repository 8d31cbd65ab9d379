//! The ways to compute a convolution: one table a direction. The first row that the machine has and the shape fits is
//! used, so a faster method for some shapes is a row put in front.

use std::fmt::Debug;

use super::depthwise::Depthwise;
use super::implicit::ImplicitGemm;
use super::{Conv2dShape, Epilogue};
use crate::{Cpu, Level};

/// What all methods tell about themselves.
pub(crate) trait Method: Debug + Sync {
    /// `family_type_tile_level`.
    fn name(&self) -> &'static str;

    /// What the machine must have for [`run`](Forward::run) to be called; it panics elsewhere.
    fn level(&self) -> Level;

    /// Whether the method can compute this shape.
    fn fits(&self, shape: &Conv2dShape) -> bool;
}

/// Computes `y`. Slices have the shape's lengths, the workspace at least what was asked for.
pub(crate) trait Forward: Method {
    fn workspace(&self, shape: &Conv2dShape, threads: usize) -> usize;

    fn run(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        x: &[f32],
        weight: &[f32],
        epilogue: Epilogue<'_>,
        y: &mut [f32],
        workspace: &mut [f32],
    );
}

/// Computes `dx`.
pub(crate) trait GradInput: Method {
    fn workspace(&self, shape: &Conv2dShape, threads: usize) -> usize;

    fn run(&self, cpu: &Cpu, shape: &Conv2dShape, dy: &[f32], weight: &[f32], dx: &mut [f32], workspace: &mut [f32]);
}

/// Computes `dweight`.
pub(crate) trait GradWeight: Method {
    fn workspace(&self, shape: &Conv2dShape, threads: usize) -> usize;

    fn run(&self, cpu: &Cpu, shape: &Conv2dShape, x: &[f32], dy: &[f32], dweight: &mut [f32], workspace: &mut [f32]);
}

/// A table whose rows are there at every level: `table!(Trait: NAME …)`.
macro_rules! table {
    ($name:ident: $trait:ident) => {
        pub(crate) static $name: &[&dyn $trait] = &[
            #[cfg(target_arch = "x86_64")]
            &Depthwise::AVX512,
            #[cfg(target_arch = "x86_64")]
            &Depthwise::AVX2,
            #[cfg(target_arch = "aarch64")]
            &Depthwise::NEON,
            &Depthwise::SCALAR,
            #[cfg(target_arch = "x86_64")]
            &ImplicitGemm::AVX512,
            #[cfg(target_arch = "x86_64")]
            &ImplicitGemm::AVX2,
            #[cfg(target_arch = "aarch64")]
            &ImplicitGemm::NEON,
            &ImplicitGemm::SCALAR,
        ];
    };
}

table!(FORWARD: Forward);
table!(GRAD_INPUT: GradInput);
table!(GRAD_WEIGHT: GradWeight);

/// The first row of a table for a level and a shape. The last row of every table needs nothing and fits everything.
pub(crate) fn choose<T: Method + ?Sized>(table: &[&'static T], level: Level, shape: &Conv2dShape) -> &'static T {
    table
        .iter()
        .find(|row| row.level() <= level && row.level().is_available() && row.fits(shape))
        .expect("the last row needs no level and fits every shape")
}
