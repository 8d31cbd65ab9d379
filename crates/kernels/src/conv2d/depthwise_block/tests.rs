//! Every level against the f64 references of the convolutions one after the other.

use super::*;
use crate::Level;
use crate::agreement::{assert_agrees, exact, is_tested, noise};
use crate::reference;

/// Maps that are a point, a line, more rows than a step has; channels below, at and above vectors and panels; hidden
/// depths above what is summed at once; paddings that make rows of zeros alone.
fn shapes() -> Vec<DepthwiseBlockShape> {
    let block = |[batch, height, width]: [usize; 3],
                 [before, hidden, after]: [usize; 3],
                 [kernel, stride, padding]: [usize; 3]| {
        let depthwise = Conv2dShape {
            batch,
            height,
            width,
            in_channels: hidden,
            out_channels: hidden,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [padding; 2],
            trailing: [0, 0],
            groups: hidden,
        };
        DepthwiseBlockShape { depthwise, before: (before > 0).then_some(before), after: (after > 0).then_some(after) }
    };
    let with_trailing = |trailing: [usize; 2], block: DepthwiseBlockShape| DepthwiseBlockShape {
        depthwise: Conv2dShape { trailing, ..block.depthwise },
        ..block
    };
    vec![
        with_trailing([1, 1], block([2, 14, 12], [3, 18, 5], [3, 2, 0])),
        with_trailing([1, 0], block([1, 8, 9], [24, 144, 24], [5, 2, 1])),
        with_trailing([4, 6], block([1, 5, 6], [4, 16, 40], [3, 1, 1])),
        block([2, 14, 13], [3, 18, 5], [3, 1, 1]),
        block([1, 28, 56], [24, 144, 24], [3, 2, 1]),
        block([3, 7, 7], [5, 600, 33], [5, 1, 2]),
        block([1, 9, 10], [8, 33, 0], [5, 2, 2]),
        block([2, 9, 10], [0, 32, 16], [3, 1, 1]),
        block([1, 9, 10], [0, 150, 16], [3, 2, 1]),
        block([1, 1, 1], [2, 7, 3], [3, 1, 1]),
        block([1, 12, 5], [4, 8, 4], [7, 2, 3]),
        block([1, 2, 3], [4, 16, 40], [3, 1, 4]),
        block([1, 31, 64], [16, 192, 0], [3, 1, 0]),
    ]
}

/// What a block reads.
struct Numbers {
    x: Vec<f32>,
    /// Weights and biases: before, depthwise, after.
    layers: [[Vec<f32>; 2]; 3],
    residual: Option<Vec<f32>>,
}

impl Numbers {
    fn new(shape: &DepthwiseBlockShape, with_residual: bool) -> Self {
        let (hidden, s) = (shape.depthwise.in_channels, &shape.depthwise);
        let layer = |[weight, channels]: [usize; 2], seed| [noise(weight, seed), noise(channels, seed + 1)];
        let [before, after] = [shape.before.unwrap_or(0), shape.after.unwrap_or(0)];
        Self {
            x: noise(shape.input_len(), 1),
            layers: [
                layer([before * hidden, hidden], 2),
                layer([s.weight_len(), hidden], 4),
                layer([hidden * after, after], 6),
            ],
            residual: with_residual.then(|| noise(shape.output_len(), 8)),
        }
    }

    fn run(&self, cpu: &Cpu, shape: DepthwiseBlockShape, [inner, last]: [Option<Unary>; 2]) -> Vec<f32> {
        let plan = DepthwiseBlock::new(cpu, shape);
        let packed = |side: Side, there: Option<usize>, weight: &[f32]| {
            let mut packed = vec![f32::NAN; plan.packed_len(side)];
            if there.is_some() {
                plan.pack(cpu, side, weight, &mut packed);
            }
            packed
        };
        let [before, depthwise, after] = &self.layers;
        let packed = [packed(Side::Before, shape.before, &before[0]), packed(Side::After, shape.after, &after[0])];
        let layer = |weight, bias, activation| BlockLayer { weight, bias, activation };
        let of_before = shape.before.map(|_| layer(&*packed[0], &*before[1], inner));
        let of_after = shape.after.map(|_| layer(&*packed[1], &*after[1], last));
        let of_depthwise = layer(&depthwise[0], &depthwise[1], if shape.after.is_some() { inner } else { last });
        let mut y = vec![f32::NAN; shape.output_len()];
        let mut workspace = vec![f32::NAN; plan.workspace()];
        plan.run(cpu, &self.x, [of_before, of_after], of_depthwise, self.residual.as_deref(), &mut y, &mut workspace);
        y
    }

    fn reference(&self, shape: &DepthwiseBlockShape, [inner, last]: [Option<Unary>; 2]) -> Vec<f64> {
        let s = &shape.depthwise;
        let one = |height, width, in_channels, out_channels| Conv2dShape {
            height,
            width,
            in_channels,
            out_channels,
            kernel: [1, 1],
            stride: [1, 1],
            padding: [0, 0],
            trailing: [0, 0],
            groups: 1,
            ..*s
        };
        let convolve = |shape: &Conv2dShape, x: &[f64], [weight, bias]: &[Vec<f32>; 2], is_last: bool| {
            let mut y = reference::conv2d_forward(shape, x, &exact(weight));
            y.iter_mut().enumerate().for_each(|(i, y)| *y += f64::from(bias[i % bias.len()]));
            if let Some(residual) = self.residual.as_ref().filter(|_| is_last) {
                y.iter_mut().zip(residual).for_each(|(y, residual)| *y += f64::from(*residual));
            }
            match if is_last { last } else { inner } {
                Some(f) => reference::unary_forward(f, &y),
                None => y,
            }
        };
        let mut x = exact(&self.x);
        if let Some(before) = shape.before {
            x = convolve(&one(s.height, s.width, before, s.in_channels), &x, &self.layers[0], false);
        }
        x = convolve(s, &x, &self.layers[1], shape.after.is_none());
        if let Some(after) = shape.after {
            x = convolve(&one(s.out_height(), s.out_width(), s.out_channels, after), &x, &self.layers[2], true);
        }
        x
    }
}

#[test]
fn every_level_agrees_with_the_f64_reference_at_every_number_of_threads() {
    let activations = [[Some(Unary::Relu6), None], [Some(Unary::Silu), Some(Unary::Relu)], [None, Some(Unary::Gelu)]];
    for (number, shape) in shapes().into_iter().enumerate() {
        let activations = activations[number % 3];
        let numbers = Numbers::new(&shape, number % 2 == 0 && shape.after.is_some());
        let want = numbers.reference(&shape, activations);
        for level in Level::available().filter(|&level| is_tested(level)) {
            let results = [1, 2, 3, 8].map(|threads| numbers.run(&Cpu::new(threads, level), shape, activations));
            assert_agrees(&format!("{level} {shape:?}"), &results[0], &want);
            assert!(results.iter().all(|y| y == &results[0]), "threads change bits: {level} {shape:?}");
        }
    }
}

#[test]
fn what_is_no_such_block_is_left_to_others() {
    let block = shapes()[0];
    assert!(block.is_worth_it());
    let with = |depthwise| DepthwiseBlockShape { depthwise, ..block };
    assert!(!with(Conv2dShape { kernel: [4, 4], ..block.depthwise }).is_worth_it());
    assert!(!with(Conv2dShape { groups: 1, ..block.depthwise }).is_worth_it());
    assert!(!with(Conv2dShape { width: 5000, ..block.depthwise }).is_worth_it(), "a row would not fit a core's cache");
    assert!(!DepthwiseBlockShape { before: None, after: None, ..block }.is_worth_it());
}
