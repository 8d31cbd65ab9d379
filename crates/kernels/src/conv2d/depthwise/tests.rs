//! Every level against the f64 reference, around the tiles, at edges and with channels that fill no vector.

use super::super::{Conv2dForward, Conv2dGradInput, Conv2dGradWeight};
use super::*;
use crate::agreement::{assert_agrees, exact, is_tested, noise};
use crate::reference;
use crate::unary::Unary;

/// All widths and strides that have kernels, with maps that are a point, a line, less than a tile, a tile, more; paddings
/// that are none, half the kernel, more than the map; channels below, at and above vectors and blocks.
fn shapes() -> Vec<Conv2dShape> {
    let mut shapes = Vec::new();
    let maps = [[1, 1], [1, 9], [9, 1], [2, 3], [7, 7], [5, 16], [14, 15]];
    for kernel in [3, 5, 7] {
        for stride in [1, 2] {
            for (i, [height, width]) in maps.into_iter().enumerate() {
                for (j, padding) in [0, kernel / 2, kernel + 1].into_iter().enumerate() {
                    if height.min(width) + 2 * padding < kernel {
                        continue;
                    }
                    let channels = [1, 7, 8, 33, 144][(i + 2 * j + stride) % 5];
                    let [kernel, stride, padding] = [[kernel; 2], [stride; 2], [padding; 2]];
                    let (in_channels, out_channels) = (channels, channels);
                    let groups = channels;
                    let batch = 2;
                    shapes.push(Conv2dShape {
                        batch,
                        height,
                        width,
                        in_channels,
                        out_channels,
                        kernel,
                        stride,
                        padding,
                        trailing: [0, 0],
                        groups,
                    });
                }
            }
        }
    }
    // Unequal sides, and kernels that only the plain loops know.
    let odd = shapes[shapes.len() - 1];
    for (kernel, stride) in [([1, 3], [3, 1]), ([7, 5], [1, 2]), ([2, 7], [2, 1]), ([5, 4], [1, 1]), ([3, 3], [2, 3])] {
        shapes.push(Conv2dShape { kernel, stride, padding: [1, 2], ..odd });
    }
    // More zeros after than before.
    for (kernel, trailing) in [(3, [1, 1]), (5, [1, 0]), (7, [6, 8])] {
        let padding = [(kernel - 2) / 2; 2];
        shapes.push(Conv2dShape { kernel: [kernel; 2], stride: [2, 2], padding, trailing, ..odd });
        shapes.push(Conv2dShape { kernel: [kernel; 2], stride: [1, 1], padding, trailing, ..odd });
    }
    shapes
}

/// The three passes of a plan.
fn passes(cpu: &Cpu, shape: Conv2dShape, epilogue: Epilogue<'_>) -> [Vec<f32>; 3] {
    let [x, weight, dy] = tensors(&shape);
    let forward = Conv2dForward::new(cpu, shape);
    let grad_input = Conv2dGradInput::new(cpu, shape);
    let grad_weight = Conv2dGradWeight::new(cpu, shape);
    let mut results = [shape.output_len(), shape.input_len(), shape.weight_len()].map(|len| vec![f32::NAN; len]);
    let [y, dx, dweight] = &mut results;
    forward.run(cpu, &x, &weight, epilogue, y, &mut vec![f32::NAN; forward.workspace()]);
    grad_input.run(cpu, &dy, &weight, dx, &mut vec![f32::NAN; grad_input.workspace()]);
    grad_weight.run(cpu, &x, &dy, dweight, &mut vec![f32::NAN; grad_weight.workspace()]);
    results
}

/// x, weight and dy.
fn tensors(shape: &Conv2dShape) -> [Vec<f32>; 3] {
    [noise(shape.input_len(), 1), noise(shape.weight_len(), 2), noise(shape.output_len(), 3)]
}

#[test]
fn every_level_agrees_with_the_f64_reference() {
    let cpus: Vec<_> = Level::available().filter(|&level| is_tested(level)).map(|level| Cpu::new(2, level)).collect();
    for shape in shapes() {
        let [x, weight, dy] = tensors(&shape).map(|numbers| exact(&numbers));
        let y = reference::conv2d_forward(&shape, &x, &weight);
        let dx = reference::conv2d_grad_input(&shape, &dy, &weight);
        let dweight = reference::conv2d_grad_weight(&shape, &x, &dy);
        let (bias, residual) = (noise(shape.out_channels, 4), noise(shape.output_len(), 5));
        let added = |i: usize| f64::from(bias[i % shape.out_channels]) + f64::from(residual[i]);
        let finished: Vec<f64> = y.iter().enumerate().map(|(i, y)| (y + added(i)).max(0.0)).collect();
        let epilogue = Epilogue { bias: Some(&bias), residual: Some(&residual), activation: Some(Unary::Relu) };
        for cpu in &cpus {
            let case = |pass: &str| format!("{pass} {} {shape:?}", cpu.level());
            let have = passes(cpu, shape, Epilogue::NONE);
            assert_agrees(&case("y"), &have[0], &y);
            assert_agrees(&case("dx"), &have[1], &dx);
            assert_agrees(&case("dweight"), &have[2], &dweight);
            assert_agrees(&case("finished y"), &passes(cpu, shape, epilogue)[0], &finished);
        }
    }
}

/// Sums of many products of one sign, where errors add up.
#[test]
fn long_sums_of_the_weights_gradient_keep_their_digits() {
    let cpu = Cpu::new(2, Level::best());
    let shape = Conv2dShape {
        batch: 5,
        height: 112,
        width: 112,
        in_channels: 9,
        out_channels: 9,
        kernel: [3; 2],
        stride: [1; 2],
        padding: [1; 2],
        trailing: [0, 0],
        groups: 9,
    };
    let positive = |len, salt| noise(len, salt).into_iter().map(f32::abs).collect::<Vec<f32>>();
    let (x, dy) = (positive(shape.input_len(), 1), positive(shape.output_len(), 2));
    let plan = Conv2dGradWeight::new(&cpu, shape);
    let mut dweight = vec![f32::NAN; shape.weight_len()];
    plan.run(&cpu, &x, &dy, &mut dweight, &mut vec![f32::NAN; plan.workspace()]);
    let want = reference::conv2d_grad_weight(&shape, &exact(&x), &exact(&dy));
    crate::agreement::assert_within("dweight", &dweight, &want, 2e-6);
}

#[test]
fn one_two_three_and_eight_threads_give_equal_bits() {
    let cpus = [1, 2, 3, 8].map(|threads| Cpu::new(threads, Level::best()));
    for shape in shapes() {
        let [one, others @ ..] = cpus
            .each_ref()
            .map(|cpu| passes(cpu, shape, Epilogue::NONE).concat().into_iter().map(f32::to_bits).collect::<Vec<_>>());
        assert!(others.iter().all(|other| *other == one), "{shape:?}");
    }
}
