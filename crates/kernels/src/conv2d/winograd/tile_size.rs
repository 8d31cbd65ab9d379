//! Which tile size a shape gets, or none where direct convolution is faster: by counting.
//!
//! The cost is that of the products, tiles that reach over the picture's edge included, at the rate that direct
//! convolution has; and that of all transforms, which few channels or few tiles do not pay back.

use super::convolution::{Convolution, Order};
use super::geometry::Geometry;
use super::level::Kernels;
use super::weights::is_large;
use crate::conv2d::method::Pass;
use crate::conv2d::{Conv2dMethods, Conv2dShape};

/// The sizes there are for a stride.
fn sizes(stride: usize) -> std::ops::RangeInclusive<usize> {
    if stride == 1 { 2..=6 } else { 4..=5 }
}

/// Cycles of one core for a vector of multiply-adds, at what products reach: two a cycle, 85 % of the time.
const MULTIPLY: f64 = 0.5 / 0.85;

/// Cycles of a vector's transform: two passes of `side` transforms, each `side` loads, stores and a few additions. The
/// factor is measured; it is about twice what the instructions alone would take.
const TRANSFORM: f64 = 4.0;

/// At stride 2, where a side has nine places and more that registers do not hold: for each of them. And of weights, turned
/// round in groups for the gradient of the input. Measured at AVX2.
const TRANSFORM_STRIDED: f64 = 1.5;
const TRANSFORM_STRIDED_WEIGHTS: f64 = 7.0;
const TRANSFORM_TURNED_WEIGHTS: f64 = 20.0;

/// The same for weights that come from memory.
const TRANSFORM_LARGE_WEIGHTS: f64 = 10.0;

/// The same in inference, where weights are kept unless they are several groups: few tiles then wait for each group.
const TRANSFORM_AGAIN: f64 = 35.0;

/// Cycles of packing a vector of weights for direct convolution, where weights are not kept; and of those from memory.
const PACK: f64 = 14.0;
const PACK_LARGE: f64 = 27.0;

/// Cycles of one core for a number of kept weights, which comes from memory or the third cache: where pictures are few, that counts
/// more than all else, and a tile's weights are two to seven times those of direct convolution.
const READ: f64 = 0.5;

/// Channels below which vectors and panels stay half empty.
const LEAST_CHANNELS: usize = 16;

/// Channels of the smaller side from which a network is trained with 5 × 5. Layers of fewer have larger maps, which 4 × 4
/// tiles fill as well; and small networks, whose layers are few, would show the larger errors.
const LEAST_CHANNELS_OF_5: usize = 256;

/// Whether a size is exact enough: see the table in `mod.rs`.
fn is_exact_enough(tile: usize, shape: &Conv2dShape, methods: Conv2dMethods) -> bool {
    let channels = [shape.in_channels, shape.out_channels];
    match (tile, methods) {
        (..=4, _) => true,
        // Two taps at a time.
        (5, _) if shape.stride != [1, 1] => true,
        (5, Conv2dMethods::Fast) => true,
        (5, _) => channels.into_iter().min() >= Some(LEAST_CHANNELS_OF_5),
        _ => methods == Conv2dMethods::Fast,
    }
}

/// How much less the cost must be: the passes wait for each other, and small ones use less of the machine.
fn worth(stride: usize, pass: Pass) -> f64 {
    match (stride, pass) {
        (1, _) => 0.9,
        (_, Pass::Forward) => 0.97,
        (_, Pass::GradInput) => 0.92,
        // What it takes to add up the sums of so many places is not counted.
        (_, Pass::GradWeight) => 0.7,
    }
}

/// Cycles of one core for a vector of multiply-adds of direct convolution. At stride 2 passes differ, as measured at AVX2.
fn direct_multiply(stride: usize, pass: Pass) -> f64 {
    match (stride, pass) {
        (1, _) => MULTIPLY,
        (_, Pass::Forward) => 0.5 / 0.95,
        (_, Pass::GradInput) => 0.5 / 0.8,
        (_, Pass::GradWeight) => 0.5 / 0.62,
    }
}

/// The size with the least cost; `None` where that is direct convolution.
pub(super) fn best(
    shape: &Conv2dShape,
    pass: Pass,
    methods: Conv2dMethods,
    kernels: &'static Kernels,
) -> Option<usize> {
    if shape.in_channels.min(shape.out_channels) < LEAST_CHANNELS {
        return None;
    }
    let direct = direct_cost(shape, pass, methods, kernels);
    let cost = |tile| (tile, cost(shape, pass, methods, kernels, tile));
    let sizes = sizes(shape.stride[0]).filter(|&tile| is_exact_enough(tile, shape, methods));
    let best = sizes.map(cost).min_by(|a, b| a.1.total_cmp(&b.1));
    best.filter(|&(_, cost)| cost < worth(shape.stride[0], pass) * direct).map(|(tile, _)| tile)
}

/// Whether weights are kept in the form that a method reads, where it has one: see [`Conv2dMethods::Fast`].
fn keeps_weights(pass: Pass, methods: Conv2dMethods) -> bool {
    pass == Pass::Forward && methods == Conv2dMethods::Fast
}

/// Cycles of direct convolution, about.
fn direct_cost(shape: &Conv2dShape, pass: Pass, methods: Conv2dMethods, kernels: &Kernels) -> f64 {
    let pack = match pass {
        _ if keeps_weights(pass, methods) => 0.0,
        Pass::GradWeight => 0.0,
        Pass::Forward | Pass::GradInput if is_large(shape.weight_len()) => PACK_LARGE,
        Pass::Forward | Pass::GradInput => PACK,
    };
    let read = if keeps_weights(pass, methods) { READ * shape.weight_len() as f64 } else { 0.0 };
    // On the way back every pixel meets all taps of its phase, those that reach over the edge of a smaller output included.
    let multiply_adds = match pass {
        Pass::GradInput => {
            let pixels = shape.batch * shape.height * shape.width;
            let phases = shape.stride[0] * shape.stride[1];
            pixels * shape.taps() * shape.group_in() * shape.out_channels / phases
        }
        Pass::Forward | Pass::GradWeight => shape.multiply_adds(),
    };
    (multiply_adds as f64 * direct_multiply(shape.stride[0], pass) + shape.weight_len() as f64 * pack)
        / kernels.lanes as f64
        + read
}

/// Cycles with tiles of a size, about.
fn cost(shape: &Conv2dShape, pass: Pass, methods: Conv2dMethods, kernels: &'static Kernels, tile: usize) -> f64 {
    let geometry = match pass {
        Pass::GradInput => Geometry::grad_input(shape, tile),
        Pass::Forward | Pass::GradWeight => Geometry::forward(shape, tile),
    };
    let places = geometry.places() as f64;
    let (tiles, depth) = (geometry.tiles() as f64, geometry.depth as f64);
    let columns = geometry.columns.next_multiple_of(kernels.columns) as f64;
    let products = tiles * places * depth * columns * MULTIPLY;
    let may_keep = keeps_weights(pass, methods);
    let convolution = Convolution::new(geometry, kernels);
    let is_kept = may_keep && convolution.has_all_weights();
    let is_strided = shape.stride != [1, 1];
    let per_weight = match is_large(shape.weight_len()) {
        _ if is_kept => 0.0,
        _ if may_keep => TRANSFORM_AGAIN,
        _ if is_strided && pass == Pass::GradInput && convolution.order == Order::Passes => TRANSFORM_TURNED_WEIGHTS,
        _ if is_strided => TRANSFORM_STRIDED_WEIGHTS,
        true => TRANSFORM_LARGE_WEIGHTS,
        false => TRANSFORM,
    };
    // Stride 1 was measured without that.
    let groups = if is_strided && pass != Pass::GradWeight { convolution.weight_groups() } else { 1 };
    let weights = per_weight * depth * columns * groups as f64;
    let transform = if is_strided { TRANSFORM_STRIDED * geometry.sizes.places as f64 } else { TRANSFORM };
    let transforms = places * (transform * tiles * (depth + columns) + weights);
    let read = if is_kept { READ * places * depth * columns } else { 0.0 };
    (products + transforms) / kernels.lanes as f64 + read
}
