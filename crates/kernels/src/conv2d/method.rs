//! The ways to compute a convolution. The first row that the machine has and the shape fits is used, so a faster method
//! for some shapes is a row put in front.

use std::fmt::Debug;

use super::{Conv2dShape, Epilogue, depthwise, implicit, pairs, winograd};
use crate::{Cpu, Floats, FloatsMut, Level, Precision};

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

    /// Whether the machine has all that the method is made of.
    fn is_available(&self) -> bool {
        self.level().is_available()
    }

    /// Whether the method can compute this pass of the shape.
    fn fits(&self, shape: &Conv2dShape, pass: Pass) -> bool;

    /// Whether maps may be stored in a type.
    fn takes(&self, _precision: Precision) -> bool {
        true
    }

    /// Whether sums are of the very products that define a convolution.
    fn is_direct(&self) -> bool {
        true
    }

    /// Whether the method is the fastest that may be used for a shape it fits, as far as counting tells.
    fn pays(&self, _shape: &Conv2dShape, _pass: Pass, _methods: Conv2dMethods) -> bool {
        true
    }
}

/// Computes `y`. Slices have the shape's lengths and one type, the workspace at least what was asked for.
pub(crate) trait Forward: Method {
    /// The method for a weight that stays, where it has a form of its own for it that is worth its memory.
    fn packed(&self, _shape: &Conv2dShape) -> Option<&dyn PackedForward> {
        None
    }

    fn workspace(&self, shape: &Conv2dShape, threads: usize, precision: Precision) -> usize;

    fn run(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        x: Floats<'_>,
        weight: &[f32],
        epilogue: Epilogue<'_>,
        y: FloatsMut<'_>,
        workspace: &mut [f32],
    );
}

/// A forward pass that reads the weight in a form of its own, which can be made once for many runs.
pub(crate) trait PackedForward: Method {
    /// Numbers of that form.
    fn packed_len(&self, shape: &Conv2dShape) -> usize;

    fn pack(&self, cpu: &Cpu, shape: &Conv2dShape, weight: &[f32], packed: &mut [f32]);

    /// Of a run, the packed weight left out.
    fn run_workspace(&self, shape: &Conv2dShape, threads: usize, precision: Precision) -> usize;

    /// [`Forward::run`] from the packed weight.
    fn run_packed(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        x: Floats<'_>,
        packed: &[f32],
        epilogue: Epilogue<'_>,
        y: FloatsMut<'_>,
        workspace: &mut [f32],
    );
}

/// Computes `dx`.
pub(crate) trait GradInput: Method {
    fn workspace(&self, shape: &Conv2dShape, threads: usize, precision: Precision) -> usize;

    fn run(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        dy: Floats<'_>,
        weight: &[f32],
        dx: FloatsMut<'_>,
        workspace: &mut [f32],
    );
}

/// Computes `dweight`.
pub(crate) trait GradWeight: Method {
    fn workspace(&self, shape: &Conv2dShape, threads: usize, precision: Precision) -> usize;

    /// Both maps are of one type.
    fn run(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        x: Floats<'_>,
        dy: Floats<'_>,
        dweight: &mut [f32],
        workspace: &mut [f32],
    );
}

/// The rows of all methods for a direction, in the order in which they are asked: of every level the tile sizes, then
/// products of pairs, then the implicit product, which fits everything and needs nothing at
/// the last level.
macro_rules! rows {
    ($name:ident: $trait:ident) => {
        pub(crate) fn $name() -> impl Iterator<Item = &'static dyn $trait> {
            let depthwise = depthwise::ROWS.iter().map(|row| row as &dyn $trait);
            let others = winograd::ROWS.iter().zip(implicit::ROWS).flat_map(|(tiles, product)| {
                let rows = tiles.iter().map(|row| row as &dyn $trait);
                let pairs =
                    pairs::ROWS.iter().filter(|row| row.level() == product.level()).map(|row| row as &dyn $trait);
                rows.chain(pairs).chain([product as &dyn $trait])
            });
            depthwise.chain(others)
        }
    };
}

rows!(forward_rows: Forward);
rows!(grad_input_rows: GradInput);
rows!(grad_weight_rows: GradWeight);

/// The row that a machine runs at a level, of a table whose last row needs none.
pub(crate) fn at_level<T: Method>(rows: &'static [T], level: Level) -> &'static T {
    rows.iter().find(|row| is_usable(*row, level)).expect("the last row needs no level")
}

fn is_usable<T: Method + ?Sized>(row: &T, level: Level) -> bool {
    row.level() <= level && row.is_available()
}

/// The first row that may be used, fits and pays; none where that does not take maps of a type. Rows for 16 bits alone are
/// left out where maps are of 32.
pub(crate) fn choose<T: Method + ?Sized>(
    mut rows: impl Iterator<Item = &'static T>,
    pass: Pass,
    methods: Conv2dMethods,
    level: Level,
    shape: &Conv2dShape,
    precision: Precision,
) -> Option<&'static T> {
    let allowed = |row: &T| row.is_direct() || methods != Conv2dMethods::Direct;
    let usable = |row: &T| is_usable(row, level) && row.fits(shape, pass);
    let takes = |row: &T| row.takes(Precision::F32) || row.takes(precision);
    let row = rows.find(|row| allowed(row) && takes(row) && usable(row) && row.pays(shape, pass, methods));
    row.filter(|row| row.takes(precision))
}
