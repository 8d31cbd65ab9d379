//! The blocks of a light network in inference: as one step, and as one convolution after the other.

use std::rc::Rc;

use avizor_kernels::conv2d::{
    BlockLayer, Conv2dForward, Conv2dMethods, Conv2dShape, DepthwiseBlock, DepthwiseBlockShape, Epilogue, Side,
};
use avizor_kernels::unary::Unary;

use super::{Bench, Name, Row, Times, Work};
use crate::failure::Failure;

/// Blocks of MobileNetV2 at 224 px: channels that come in, inside, and that go out; stride; pixels of the map.
const BLOCKS: [([usize; 3], usize, usize); 6] = [
    ([16, 96, 24], 2, 112),
    ([24, 144, 24], 1, 56),
    ([32, 192, 32], 1, 28),
    ([64, 384, 64], 1, 14),
    ([96, 576, 96], 1, 14),
    ([160, 960, 160], 1, 7),
];

const PASSES: [&str; 2] = ["one_step", "three_steps"];

pub(super) fn measure(bench: &mut Bench, batch: usize) -> Result<(), Failure> {
    for (channels @ [before, hidden, after], stride, size) in BLOCKS {
        let layer = format!("mobilenet_v2@224 {before}->{hidden}->{after} 3x3/{stride} @{size}");
        let [one, three] = PASSES.map(|pass| Name::new("depthwise_block", &layer, pass));
        let depthwise = Conv2dShape {
            batch,
            height: size,
            width: size,
            in_channels: hidden,
            out_channels: hidden,
            kernel: [3, 3],
            stride: [stride, stride],
            padding: [1, 1],
            trailing: [0, 0],
            groups: hidden,
        };
        let shape = DepthwiseBlockShape { depthwise, before: Some(before), after: Some(after) };
        let work = Work { multiply_adds: shape.multiply_adds(), bytes: 4 * (shape.input_len() + shape.output_len()) };
        let numbers = Numbers::new(&shape, channels);
        if bench.wants(&one) {
            let (kernel, times) = numbers.one_step(bench, shape);
            bench.push(Row { name: one, kernel: Some(kernel), work, times, direct: None })?;
        }
        if bench.wants(&three) {
            let times = numbers.three_steps(bench, shape);
            bench.push(Row { name: three, kernel: None, work, times, direct: None })?;
        }
    }
    Ok(())
}

/// What a block reads; values do not matter for its time.
struct Numbers {
    x: Vec<f32>,
    weights: [Vec<f32>; 3],
    biases: [Vec<f32>; 3],
}

impl Numbers {
    fn new(shape: &DepthwiseBlockShape, [before, hidden, after]: [usize; 3]) -> Self {
        let weights = [before * hidden, shape.depthwise.weight_len(), hidden * after];
        Self {
            x: vec![0.5; shape.input_len()],
            weights: weights.map(|len| vec![0.25; len]),
            biases: [hidden, hidden, after].map(|len| vec![0.125; len]),
        }
    }

    fn one_step(&self, bench: &Bench, shape: DepthwiseBlockShape) -> (&'static str, Times) {
        let cpu = Rc::clone(&bench.cpu);
        let plan = DepthwiseBlock::new(&cpu, shape);
        let pack = |side, weight: &[f32]| {
            let mut packed = vec![0.0; plan.packed_len(side)];
            plan.pack(&cpu, side, weight, &mut packed);
            packed
        };
        let packed = [pack(Side::Before, &self.weights[0]), pack(Side::After, &self.weights[2])];
        let layer = |weight, bias, activation| BlockLayer { weight, bias, activation };
        let [first, second, third] = &self.biases;
        let around = [Some(layer(&*packed[0], &**first, Some(Unary::Relu6))), Some(layer(&*packed[1], &**third, None))];
        let depthwise = layer(&self.weights[1], second, Some(Unary::Relu6));
        let (mut y, mut workspace) = (vec![0.0; shape.output_len()], vec![0.0; plan.workspace()]);
        let times = bench.times(|| plan.run(&cpu, &self.x, around, depthwise, None, &mut y, &mut workspace));
        (plan.kernel_name(), times)
    }

    fn three_steps(&self, bench: &Bench, shape: DepthwiseBlockShape) -> Times {
        let cpu = Rc::clone(&bench.cpu);
        let s = shape.depthwise;
        let pointwise = |height, width, in_channels, out_channels| Conv2dShape {
            height,
            width,
            in_channels,
            out_channels,
            kernel: [1, 1],
            stride: [1, 1],
            padding: [0, 0],
            trailing: [0, 0],
            groups: 1,
            ..s
        };
        let shapes = [
            pointwise(s.height, s.width, shape.before.unwrap_or(s.in_channels), s.in_channels),
            s,
            pointwise(s.out_height(), s.out_width(), s.out_channels, shape.out_channels()),
        ];
        let plans = shapes.map(|shape| Conv2dForward::with_methods(&cpu, shape, Conv2dMethods::Fast));
        let packed = [0, 1, 2].map(|number| {
            let plan = plans[number].packed()?;
            let mut packed = vec![0.0; plan.packed_len()];
            plan.pack(&cpu, &self.weights[number], &mut packed);
            Some((plan, packed))
        });
        let mut maps = shapes.map(|shape| vec![0.0; shape.output_len()]);
        let workspace = plans.iter().map(Conv2dForward::workspace).max().unwrap_or(0);
        let mut workspace = vec![0.0; workspace];
        bench.times(|| {
            for number in 0..plans.len() {
                let (done, rest) = maps.split_at_mut(number);
                let x = done.last().unwrap_or(&self.x);
                let activation = (number < 2).then_some(Unary::Relu6);
                let epilogue = Epilogue { bias: Some(&self.biases[number]), residual: None, activation };
                match &packed[number] {
                    Some((plan, packed)) => plan.run(&cpu, x, packed, epilogue, &mut rest[0], &mut workspace),
                    None => plans[number].run(&cpu, x, &self.weights[number], epilogue, &mut rest[0], &mut workspace),
                }
            }
        })
    }
}
