//! The ways to compute a convolution: one table a direction. The first row that the machine has and the shape fits is
//! used, so a faster method for some shapes is a row put in front.

use std::fmt::Debug;

use super::depthwise::Depthwise;
use super::implicit::ImplicitGemm;
use super::winograd;
use super::{Conv2dShape, Epilogue};
use crate::{Cpu, Level};

/// Which methods a plan may choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Conv2dMethods {
    /// The fastest, as far as counting tells, whose errors stay near those of f32 sums: for training, where the errors
    /// of all layers and steps meet.
    #[default]
    Auto,
    /// The fastest, as far as counting tells, that keeps 10⁻⁵ a layer, where the weight of the forward pass stays and is
    /// [packed once](super::Conv2dPacked): for inference.
    Fast,
    /// Only those that sum the very products that define a convolution: somewhat more exact, and a number that is not
    /// finite reaches no other outputs than those it belongs to.
    Direct,
}

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    Forward,
    GradInput,
    GradWeight,
}

/// What all methods tell about themselves.
pub(crate) trait Method: Debug + Sync {
    /// `family_type_tile_level`.
    fn name(&self) -> &'static str;

    /// What the machine must have for [`run`](Forward::run) to be called; it panics elsewhere.
    fn level(&self) -> Level;

    /// Whether the method can compute this shape.
    fn fits(&self, shape: &Conv2dShape) -> bool;

    /// Whether sums are of the very products that define a convolution.
    fn is_direct(&self) -> bool {
        true
    }

    /// Whether the method is the fastest that may be used for a shape it fits, as far as counting tells.
    fn pays(&self, _shape: &Conv2dShape, _pass: Pass, _methods: Conv2dMethods) -> bool {
        true
    }
}

/// Computes `y`. Slices have the shape's lengths, the workspace at least what was asked for.
pub(crate) trait Forward: Method {
    /// The method for a weight that stays, where it has a form of its own for it that is worth its memory.
    fn packed(&self, _shape: &Conv2dShape) -> Option<&dyn PackedForward> {
        None
    }

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

/// A forward pass that reads the weight in a form of its own, which can be made once for many runs.
pub(crate) trait PackedForward: Method {
    /// Numbers of that form.
    fn packed_len(&self, shape: &Conv2dShape) -> usize;

    fn pack(&self, cpu: &Cpu, shape: &Conv2dShape, weight: &[f32], packed: &mut [f32]);

    /// Of a run, the packed weight left out.
    fn run_workspace(&self, shape: &Conv2dShape, threads: usize) -> usize;

    /// [`Forward::run`] from the packed weight.
    fn run_packed(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        x: &[f32],
        packed: &[f32],
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
            &winograd::AVX512[0],
            #[cfg(target_arch = "x86_64")]
            &winograd::AVX512[1],
            #[cfg(target_arch = "x86_64")]
            &winograd::AVX512[2],
            #[cfg(target_arch = "x86_64")]
            &winograd::AVX512[3],
            #[cfg(target_arch = "x86_64")]
            &winograd::AVX512[4],
            #[cfg(target_arch = "x86_64")]
            &ImplicitGemm::AVX512,
            #[cfg(target_arch = "x86_64")]
            &winograd::AVX2[0],
            #[cfg(target_arch = "x86_64")]
            &winograd::AVX2[1],
            #[cfg(target_arch = "x86_64")]
            &winograd::AVX2[2],
            #[cfg(target_arch = "x86_64")]
            &winograd::AVX2[3],
            #[cfg(target_arch = "x86_64")]
            &winograd::AVX2[4],
            #[cfg(target_arch = "x86_64")]
            &ImplicitGemm::AVX2,
            #[cfg(target_arch = "aarch64")]
            &winograd::NEON[0],
            #[cfg(target_arch = "aarch64")]
            &winograd::NEON[1],
            #[cfg(target_arch = "aarch64")]
            &winograd::NEON[2],
            #[cfg(target_arch = "aarch64")]
            &winograd::NEON[3],
            #[cfg(target_arch = "aarch64")]
            &winograd::NEON[4],
            #[cfg(target_arch = "aarch64")]
            &ImplicitGemm::NEON,
            &winograd::SCALAR[0],
            &winograd::SCALAR[1],
            &winograd::SCALAR[2],
            &winograd::SCALAR[3],
            &winograd::SCALAR[4],
            &ImplicitGemm::SCALAR,
        ];
    };
}

table!(FORWARD: Forward);
table!(GRAD_INPUT: GradInput);
table!(GRAD_WEIGHT: GradWeight);

/// The first row of a table that may be used, fits and pays. The last row of every table needs nothing and fits
/// everything.
pub(crate) fn choose<T: Method + ?Sized>(
    table: &[&'static T],
    pass: Pass,
    methods: Conv2dMethods,
    level: Level,
    shape: &Conv2dShape,
) -> &'static T {
    let allowed = |row: &T| row.is_direct() || methods != Conv2dMethods::Direct;
    let usable = |row: &T| row.level() <= level && row.level().is_available() && row.fits(shape);
    table
        .iter()
        .find(|row| allowed(row) && usable(row) && row.pays(shape, pass, methods))
        .expect("the last row is direct, needs no level and fits every shape")
}
