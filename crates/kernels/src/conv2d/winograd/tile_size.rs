//! Which tile size a shape gets, or none where direct convolution is faster: by counting.
//!
//! The cost is that of the products, tiles that reach over the picture's edge included, at the rate that direct
//! convolution has; and that of all transforms, which few channels or few tiles do not pay back.

use super::geometry::Geometry;
use super::level::Kernels;
use crate::conv2d::method::Pass;
use crate::conv2d::{Conv2dMethods, Conv2dShape};

/// The sizes there are.
const SIZES: std::ops::RangeInclusive<usize> = 2..=6;

/// Cycles of one core for a vector of multiply-adds, at what products reach: two a cycle, 85 % of the time.
const MULTIPLY: f64 = 0.5 / 0.85;

/// Cycles of a vector's transform: two passes of `side` transforms, each `side` loads, stores and a few additions. The
/// factor is measured; it is about twice what the instructions alone would take.
const TRANSFORM: f64 = 4.0;

/// Channels below which vectors and panels stay half empty.
const LEAST_CHANNELS: usize = 16;

/// Channels of the smaller side from which a network is trained with 5 × 5: with fewer it saves nothing, and small
/// networks, whose layers are few, show its errors.
const LEAST_CHANNELS_OF_5: usize = 64;

/// Whether a size is exact enough. The error of long sums grows with the square root of the channels' parts, from what
/// was measured at 512.
fn is_exact_enough(tile: usize, shape: &Conv2dShape, methods: Conv2dMethods) -> bool {
    let channels = [shape.in_channels, shape.out_channels];
    match (tile, methods) {
        (..=4, _) => true,
        (5, Conv2dMethods::Fast) => true,
        (5, _) => channels.into_iter().min() >= Some(LEAST_CHANNELS_OF_5),
        _ => methods == Conv2dMethods::Fast,
    }
}

/// How much less the cost must be: the passes wait for each other, and small ones use less of the machine.
const WORTH: f64 = 0.9;

/// The size with the least cost; `None` where that is direct convolution.
pub(super) fn best(shape: &Conv2dShape, pass: Pass, methods: Conv2dMethods, kernels: &Kernels) -> Option<usize> {
    if shape.in_channels.min(shape.out_channels) < LEAST_CHANNELS {
        return None;
    }
    let direct = shape.multiply_adds() as f64 / kernels.lanes as f64 * MULTIPLY;
    let cost = |tile| (tile, cost(shape, pass, kernels, tile));
    let best = SIZES.filter(|&tile| is_exact_enough(tile, shape, methods)).map(cost).min_by(|a, b| a.1.total_cmp(&b.1));
    best.filter(|&(_, cost)| cost < WORTH * direct).map(|(tile, _)| tile)
}

/// Cycles, about.
fn cost(shape: &Conv2dShape, pass: Pass, kernels: &Kernels, tile: usize) -> f64 {
    let geometry = match pass {
        Pass::GradInput => Geometry::grad_input(shape, tile),
        Pass::Forward | Pass::GradWeight => Geometry::forward(shape, tile),
    };
    let places = geometry.places() as f64;
    let (tiles, depth) = (geometry.tiles() as f64, geometry.depth as f64);
    let columns = geometry.columns.next_multiple_of(kernels.columns) as f64;
    let products = tiles * places * depth * columns * MULTIPLY;
    let transforms = TRANSFORM * places * (tiles * (depth + columns) + depth * columns);
    (products + transforms) / kernels.lanes as f64
}
