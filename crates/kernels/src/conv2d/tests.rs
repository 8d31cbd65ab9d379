//! Every row of the tables against the f64 reference, around the tiles and at the edges of what a shape may be.

use proptest::prelude::*;

use super::method::{
    Forward, GradInput, GradWeight, Method, PackedForward, Pass, forward_rows, grad_input_rows, grad_weight_rows,
};
use super::{Conv2dForward, Conv2dGradInput, Conv2dGradWeight, Conv2dMethods, Conv2dShape, Epilogue};
use crate::agreement::is_tested;
use crate::unary::{Unary, unary_forward};
use crate::{Bf16, Cpu, Element, Floats, FloatsMut, Level, Precision, reference};

/// One convolution in a line: batch, height × width, channels in and out, kernel, stride, padding, groups.
fn shape(
    batch: usize,
    [height, width]: [usize; 2],
    [in_channels, out_channels]: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    groups: usize,
) -> Conv2dShape {
    Conv2dShape { batch, height, width, in_channels, out_channels, kernel, stride, padding, trailing: [0, 0], groups }
}

fn shapes() -> Vec<Conv2dShape> {
    let mut shapes = vec![
        // The least there is.
        shape(1, [1, 1], [1, 1], [1, 1], [1, 1], [0, 0], 1),
        shape(1, [1, 1], [1, 1], [3, 3], [1, 1], [1, 1], 1),
        // Layers of networks, small: stem, 3×3, with stride, shortcut, the 3-channel stem of small pictures.
        shape(2, [17, 19], [3, 64], [7, 7], [2, 2], [3, 3], 1),
        shape(2, [10, 10], [64, 64], [3, 3], [1, 1], [1, 1], 1),
        shape(2, [9, 10], [33, 48], [3, 3], [2, 2], [1, 1], 1),
        shape(2, [9, 10], [33, 48], [1, 1], [2, 2], [0, 0], 1),
        shape(3, [8, 8], [3, 16], [3, 3], [1, 1], [1, 1], 1),
        shape(70, [5, 5], [40, 24], [3, 3], [1, 1], [1, 1], 1),
        // Winograd's: paddings, pictures smaller than a tile, channels that fill no panel.
        shape(1, [2, 2], [17, 16], [3, 3], [1, 1], [1, 1], 1),
        shape(2, [7, 9], [18, 21], [3, 3], [1, 1], [0, 2], 1),
        shape(2, [3, 11], [21, 18], [3, 3], [1, 1], [2, 0], 1),
        // Linear layers.
        shape(37, [1, 1], [130, 37], [1, 1], [1, 1], [0, 0], 1),
        shape(257, [1, 1], [7, 11], [1, 1], [1, 1], [0, 0], 1),
        // Deeper than what is summed at once; more segments and taps than one call takes.
        shape(1, [3, 3], [300, 17], [3, 3], [1, 1], [1, 1], 1),
        shape(1, [1, 1], [700, 9], [1, 1], [1, 1], [0, 0], 1),
        shape(1, [300, 2], [2, 3], [270, 2], [1, 1], [0, 0], 1),
        shape(1, [18, 18], [36, 5], [17, 17], [1, 1], [0, 0], 1),
        shape(1, [4, 300], [2, 3], [1, 280], [1, 2], [0, 3], 1),
        // Rows longer than a block, pictures smaller than one.
        shape(1, [3, 401], [5, 7], [3, 3], [1, 1], [1, 1], 1),
        shape(2, [2, 450], [5, 7], [1, 1], [1, 2], [0, 0], 1),
        shape(130, [2, 1], [5, 7], [2, 1], [1, 1], [1, 0], 1),
        // Stride larger than the kernel, padding larger than the input, kernel larger than the input.
        shape(2, [11, 13], [5, 7], [2, 1], [3, 4], [0, 0], 1),
        shape(2, [11, 13], [5, 7], [2, 1], [3, 4], [2, 5], 1),
        shape(1, [2, 3], [5, 7], [2, 2], [1, 1], [4, 5], 1),
        shape(2, [2, 3], [5, 7], [5, 6], [1, 1], [2, 3], 1),
        shape(2, [3, 2], [5, 7], [5, 6], [3, 2], [2, 3], 1),
        shape(2, [2, 2], [3, 4], [1, 1], [2, 2], [0, 0], 1),
        shape(2, [1, 3], [3, 4], [1, 1], [2, 1], [0, 0], 1),
        shape(2, [1, 1], [3, 4], [1, 1], [3, 3], [0, 0], 1),
        shape(1, [7, 7], [3, 4], [1, 1], [1, 1], [2, 2], 1),
        shape(1, [12, 5], [4, 6], [3, 2], [2, 1], [0, 1], 1),
        // Groups: two, many, one channel each, several results of each channel.
        shape(2, [7, 6], [8, 12], [3, 3], [1, 1], [1, 1], 2),
        shape(2, [7, 6], [36, 72], [3, 3], [2, 2], [1, 1], 4),
        shape(2, [7, 6], [30, 30], [1, 1], [1, 1], [0, 0], 10),
        shape(2, [7, 6], [6, 18], [3, 3], [1, 1], [1, 1], 6),
        shape(2, [9, 8], [37, 37], [3, 3], [1, 1], [1, 1], 37),
        shape(2, [9, 8], [16, 16], [5, 3], [2, 3], [2, 0], 16),
        shape(3, [2, 3], [5, 5], [4, 5], [1, 2], [2, 3], 5),
        shape(1, [5, 4], [2, 2], [1, 2], [3, 3], [1, 1], 2),
    ];
    // More zeros after than before.
    for (trailing, shape) in [
        ([1, 1], shape(2, [8, 10], [3, 16], [3, 3], [2, 2], [0, 0], 1)),
        ([1, 1], shape(2, [8, 9], [6, 16], [5, 5], [2, 2], [1, 1], 1)),
        ([1, 0], shape(2, [8, 10], [17, 16], [3, 3], [1, 1], [1, 1], 1)),
        ([1, 3], shape(2, [8, 10], [16, 16], [3, 3], [2, 2], [0, 0], 16)),
        ([7, 9], shape(1, [4, 5], [8, 6], [3, 2], [1, 2], [1, 0], 2)),
        ([2, 1], shape(2, [5, 6], [7, 9], [1, 1], [1, 1], [0, 0], 1)),
    ] {
        shapes.push(Conv2dShape { trailing, ..shape });
    }
    // Around the tiles of all levels, rows and columns.
    for size in [2, 3, 4, 5, 6, 7, 11, 12, 13, 15, 16, 17, 31, 32, 33] {
        shapes.push(shape(1, [1, size], [3, size], [1, 1], [1, 1], [0, 0], 1));
        shapes.push(shape(1, [3, size], [size, 5], [3, 3], [1, 1], [1, 1], 1));
    }
    shapes
}

/// Numbers in -1..1 without a pattern that a shifted index would meet again.
fn numbers(len: usize, salt: u64) -> Vec<f32> {
    let number = |i: usize| {
        let mut bits = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0xd6e8_feb8_6659_fd93);
        bits = (bits ^ (bits >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        ((bits >> 40) as f32) / (1u64 << 23) as f32 - 1.0
    };
    (0..len).map(number).collect()
}

fn wide(from: &[f32]) -> Vec<f64> {
    from.iter().map(|&x| f64::from(x)).collect()
}

fn absolute(from: &[f32]) -> Vec<f64> {
    from.iter().map(|&x| f64::from(x.abs())).collect()
}

/// Each number of a direct method may be off by what rounding every addition and multiplication of its sum can do: with
/// n products, `(n + 4) · 2⁻²⁴ · Σ |products|`, four for bias, residual and the sum of partial sums' last ones. Others
/// take differences of neighbouring numbers: each may be off by 10⁻⁴ of the tensor's root mean square, ten times what
/// the whole tensor may.
fn assert_close(what: &str, is_direct: bool, got: &[f32], want: &[f64], sizes: &[f64], products: usize) {
    let bound = (products + 4) as f64 * 2f64.powi(-24);
    let square: f64 = want.iter().map(|want| want * want).sum();
    let mean = (square / want.len() as f64).sqrt();
    let mut error = 0.0;
    for (i, ((&got, &want), &size)) in got.iter().zip(want).zip(sizes).enumerate() {
        let difference = (f64::from(got) - want).abs();
        let most = if is_direct { bound * size } else { 1e-4 * mean };
        assert!(difference <= most, "{what} [{i}]: got {got}, want {want} ± {most}");
        error += difference * difference;
    }
    assert!(error.sqrt() <= 1e-5 * square.sqrt(), "{what}: relative error {}", (error / square).sqrt());
}

fn stored<E: Element>(numbers: &[f32]) -> Vec<E> {
    numbers.iter().map(|&number| E::from_f32(number)).collect()
}

/// Tensors of a shape, and workspaces full of NaN, which must not matter.
#[derive(Clone)]
struct Case {
    shape: Conv2dShape,
    x: Vec<f32>,
    weight: Vec<f32>,
    dy: Vec<f32>,
}

impl Case {
    fn new(shape: Conv2dShape) -> Self {
        shape.check();
        let (x, weight) = (numbers(shape.input_len(), 1), numbers(shape.weight_len(), 2));
        Self { shape, x, weight, dy: numbers(shape.output_len(), 3) }
    }

    fn forward(&self, row: &dyn Forward, cpu: &Cpu, epilogue: Epilogue<'_>) -> Vec<f32> {
        self.forward_of(row, cpu, epilogue)
    }

    /// Maps stored as another type: so what is given, rounded.
    fn forward_of<E: Element>(&self, row: &dyn Forward, cpu: &Cpu, epilogue: Epilogue<'_>) -> Vec<E> {
        let mut workspace = vec![f32::NAN; row.workspace(&self.shape, cpu.threads(), E::PRECISION)];
        let mut y = stored(&vec![f32::NAN; self.shape.output_len()]);
        let (x, to) = (stored::<E>(&self.x), E::floats_mut(&mut y));
        row.run(cpu, &self.shape, E::floats(&x), &self.weight, epilogue, to, &mut workspace);
        y
    }

    /// Forward with a weight that was packed before.
    fn packed(&self, row: &dyn PackedForward, cpu: &Cpu, epilogue: Epilogue<'_>) -> Vec<f32> {
        let mut packed = vec![f32::NAN; row.packed_len(&self.shape)];
        row.pack(cpu, &self.shape, &self.weight, &mut packed);
        let mut workspace = vec![f32::NAN; row.run_workspace(&self.shape, cpu.threads(), Precision::F32)];
        let mut y = vec![f32::NAN; self.shape.output_len()];
        let to = FloatsMut::F32(&mut y);
        row.run_packed(cpu, &self.shape, Floats::F32(&self.x), &packed, epilogue, to, &mut workspace);
        y
    }

    fn grad_input(&self, row: &dyn GradInput, cpu: &Cpu) -> Vec<f32> {
        self.grad_input_of(row, cpu)
    }

    fn grad_input_of<E: Element>(&self, row: &dyn GradInput, cpu: &Cpu) -> Vec<E> {
        let mut workspace = vec![f32::NAN; row.workspace(&self.shape, cpu.threads(), E::PRECISION)];
        let mut dx = stored(&vec![f32::NAN; self.shape.input_len()]);
        let (dy, to) = (stored::<E>(&self.dy), E::floats_mut(&mut dx));
        row.run(cpu, &self.shape, E::floats(&dy), &self.weight, to, &mut workspace);
        dx
    }

    fn grad_weight(&self, row: &dyn GradWeight, cpu: &Cpu) -> Vec<f32> {
        self.grad_weight_of::<f32>(row, cpu)
    }

    fn grad_weight_of<E: Element>(&self, row: &dyn GradWeight, cpu: &Cpu) -> Vec<f32> {
        let mut workspace = vec![f32::NAN; row.workspace(&self.shape, cpu.threads(), E::PRECISION)];
        let mut dweight = vec![f32::NAN; self.shape.weight_len()];
        let (x, dy) = (stored::<E>(&self.x), stored::<E>(&self.dy));
        row.run(cpu, &self.shape, E::floats(&x), E::floats(&dy), &mut dweight, &mut workspace);
        dweight
    }

    /// Maps of 16 bits: to the bit what the same numbers give in 32, rounded.
    fn check_bf16(&self, cpu: &Cpu) {
        let shape = &self.shape;
        let rounded = |numbers: &[f32]| numbers.iter().map(|&x| Bf16::from_f32(x).to_f32()).collect::<Vec<_>>();
        let exact = Self { shape: *shape, x: rounded(&self.x), weight: self.weight.clone(), dy: rounded(&self.dy) };
        let bias = numbers(shape.out_channels, 4);
        let epilogue = Epilogue { bias: Some(&bias), residual: None, activation: Some(Unary::Relu) };
        for row in runnable(forward_rows(), Pass::Forward, shape).filter(|row| row.takes(Precision::Bf16)) {
            let (got, want) = (self.forward_of::<Bf16>(row, cpu, epilogue), exact.forward(row, cpu, epilogue));
            assert!(got == stored::<Bf16>(&want), "{} {shape:?} in 16 bits", row.name());
        }
        // By pairs of numbers, the weight is rounded too, and sums are made in another order: what is stored is what rounding
        // makes of a number that is this near.
        const NEAR: f32 = 2e-5;
        let all = Self { weight: rounded(&self.weight), ..exact.clone() };
        let largest = |numbers: &[f32]| numbers.iter().fold(0.0, |most: f32, number| most.max(number.abs()));
        let rounds = |what: &str, got: Vec<Bf16>, want: Vec<f32>| {
            let off = NEAR * largest(&want);
            for (at, (got, want)) in got.iter().zip(&want).enumerate() {
                let [low, high] = [want - off, want + off].map(|number| Bf16::from_f32(number).to_f32());
                let got = got.to_f32();
                assert!((low..=high).contains(&got), "{what} {shape:?} by pairs: {got} at {at}, wanted {want}");
            }
        };
        for row in of_pairs(forward_rows(), Pass::Forward, shape) {
            let plain = runnable(forward_rows(), Pass::Forward, shape).last().expect("plain Rust fits every shape");
            rounds(row.name(), self.forward_of(row, cpu, epilogue), all.forward(plain, cpu, epilogue));
        }
        for row in of_pairs(grad_input_rows(), Pass::GradInput, shape) {
            let plain =
                runnable(grad_input_rows(), Pass::GradInput, shape).last().expect("plain Rust fits every shape");
            rounds(row.name(), self.grad_input_of(row, cpu), all.grad_input(plain, cpu));
        }
        // Neither factor of the weight's gradient is rounded once more, nor is the gradient.
        for row in of_pairs(grad_weight_rows(), Pass::GradWeight, shape) {
            let plain =
                runnable(grad_weight_rows(), Pass::GradWeight, shape).last().expect("plain Rust fits every shape");
            let (got, want) = (self.grad_weight_of::<Bf16>(row, cpu), exact.grad_weight(plain, cpu));
            let off = NEAR * largest(&want);
            let are_near = got.iter().zip(&want).all(|(got, want)| (got - want).abs() <= off);
            assert!(are_near, "{} {shape:?} by pairs: {got:?}, wanted {want:?}", row.name());
        }
        for row in runnable(grad_input_rows(), Pass::GradInput, shape).filter(|row| row.takes(Precision::Bf16)) {
            let (got, want) = (self.grad_input_of::<Bf16>(row, cpu), exact.grad_input(row, cpu));
            assert!(got == stored::<Bf16>(&want), "grad input {} {shape:?} in 16 bits", row.name());
        }
        for row in runnable(grad_weight_rows(), Pass::GradWeight, shape).filter(|row| row.takes(Precision::Bf16)) {
            let (got, want) = (self.grad_weight_of::<Bf16>(row, cpu), exact.grad_weight(row, cpu));
            assert!(got == want, "grad weight {} {shape:?} in 16 bits", row.name());
        }
    }

    fn check_forward(&self, row: &dyn Forward, cpu: &Cpu) {
        let shape = &self.shape;
        let (bias, residual) = (numbers(shape.out_channels, 4), numbers(shape.output_len(), 5));
        let products = shape.taps() * shape.group_in();
        let plain = reference::conv2d_forward(shape, &wide(&self.x), &wide(&self.weight));
        let sizes = reference::conv2d_forward(shape, &absolute(&self.x), &absolute(&self.weight));
        let what = format!("{} {shape:?}", row.name());
        assert_close(&what, row.is_direct(), &self.forward(row, cpu, Epilogue::NONE), &plain, &sizes, products);

        let epilogue = Epilogue { bias: Some(&bias), residual: Some(&residual), activation: Some(Unary::Relu) };
        let added = |i: usize| (f64::from(bias[i % shape.out_channels]), f64::from(residual[i]));
        let want: Vec<f64> = (0..plain.len()).map(|i| (plain[i] + added(i).0 + added(i).1).max(0.0)).collect();
        let sizes: Vec<f64> = (0..plain.len()).map(|i| sizes[i] + added(i).0.abs() + added(i).1.abs()).collect();
        let got = self.forward(row, cpu, epilogue);
        assert_close(&format!("{what} with epilogue"), row.is_direct(), &got, &want, &sizes, products);
        // Other activations than ReLU: the very same function of the very same sums.
        let before = self.forward(row, cpu, Epilogue { activation: None, ..epilogue });
        for f in [Unary::Relu6, Unary::Silu] {
            let mut want = vec![0.0; before.len()];
            unary_forward(cpu, f, &before, &mut want);
            let got = self.forward(row, cpu, Epilogue { activation: Some(f), ..epilogue });
            assert!(got.iter().zip(&want).all(|(a, b)| a.to_bits() == b.to_bits()), "{what}: {f:?} is another");
        }
        if let Some(row) = row.packed(shape) {
            let packed = self.packed(row, cpu, epilogue);
            assert!(packed.iter().zip(&got).all(|(a, b)| a.to_bits() == b.to_bits()), "{what}: packed is another");
        }
    }

    fn check_grad_input(&self, row: &dyn GradInput, cpu: &Cpu) {
        let shape = &self.shape;
        let want = reference::conv2d_grad_input(shape, &wide(&self.dy), &wide(&self.weight));
        let sizes = reference::conv2d_grad_input(shape, &absolute(&self.dy), &absolute(&self.weight));
        let products = shape.taps() * shape.group_out();
        let what = format!("grad input {} {shape:?}", row.name());
        assert_close(&what, row.is_direct(), &self.grad_input(row, cpu), &want, &sizes, products);
    }

    fn check_grad_weight(&self, row: &dyn GradWeight, cpu: &Cpu) {
        let shape = &self.shape;
        let want = reference::conv2d_grad_weight(shape, &wide(&self.x), &wide(&self.dy));
        let sizes = reference::conv2d_grad_weight(shape, &absolute(&self.x), &absolute(&self.dy));
        let what = format!("grad weight {} {shape:?}", row.name());
        assert_close(&what, row.is_direct(), &self.grad_weight(row, cpu), &want, &sizes, shape.out_pixels());
    }

    fn check_all(&self, cpu: &Cpu) {
        runnable(forward_rows(), Pass::Forward, &self.shape).for_each(|row| self.check_forward(row, cpu));
        runnable(grad_input_rows(), Pass::GradInput, &self.shape).for_each(|row| self.check_grad_input(row, cpu));
        runnable(grad_weight_rows(), Pass::GradWeight, &self.shape).for_each(|row| self.check_grad_weight(row, cpu));
    }

    /// All results of all rows, as bits.
    fn bits(&self, cpu: &Cpu) -> Vec<Vec<u32>> {
        let forward =
            runnable(forward_rows(), Pass::Forward, &self.shape).map(|row| self.forward(row, cpu, Epilogue::NONE));
        let grad_input = runnable(grad_input_rows(), Pass::GradInput, &self.shape).map(|row| self.grad_input(row, cpu));
        let grad_weight =
            runnable(grad_weight_rows(), Pass::GradWeight, &self.shape).map(|row| self.grad_weight(row, cpu));
        let all = forward.chain(grad_input).chain(grad_weight);
        all.map(|numbers| numbers.into_iter().map(f32::to_bits).collect()).collect()
    }
}

fn runnable<T: Method + ?Sized + 'static>(
    rows: impl Iterator<Item = &'static T>,
    pass: Pass,
    shape: &Conv2dShape,
) -> impl Iterator<Item = &'static T> {
    runnable_in(Precision::F32, rows, pass, shape)
}

/// Rows that multiply pairs of numbers of 16 bits.
fn of_pairs<T: Method + ?Sized + 'static>(
    rows: impl Iterator<Item = &'static T>,
    pass: Pass,
    shape: &Conv2dShape,
) -> impl Iterator<Item = &'static T> {
    runnable_in(Precision::Bf16, rows, pass, shape).filter(|row| !row.takes(Precision::F32))
}

fn runnable_in<T: Method + ?Sized + 'static>(
    precision: Precision,
    rows: impl Iterator<Item = &'static T>,
    pass: Pass,
    shape: &Conv2dShape,
) -> impl Iterator<Item = &'static T> {
    let is_tested = |row: &T| is_tested(row.level()) && row.is_available();
    rows.filter(move |row| is_tested(row) && row.fits(shape, pass) && row.takes(precision))
}

#[test]
fn every_row_agrees_with_the_f64_reference() {
    let cpu = Cpu::new(2, Level::best());
    for shape in shapes() {
        Case::new(shape).check_all(&cpu);
    }
}

#[test]
fn maps_in_16_bits_are_computed_in_32() {
    let cpu = Cpu::new(2, Level::best());
    for shape in shapes() {
        Case::new(shape).check_bf16(&cpu);
    }
}

#[test]
fn one_two_three_and_eight_threads_give_equal_bits() {
    let cpus = [1, 2, 3, 8].map(|threads| Cpu::new(threads, Level::best()));
    for shape in shapes() {
        let case = Case::new(shape);
        let one = case.bits(&cpus[0]);
        for cpu in &cpus[1..] {
            assert!(case.bits(cpu) == one, "{} threads: {shape:?}", cpu.threads());
        }
    }
}

#[test]
fn what_is_not_finite_reaches_exactly_the_results_that_depend_on_it() {
    let cpu = Cpu::new(2, Level::best());
    for shape in [
        shape(2, [7, 6], [5, 19], [3, 3], [2, 1], [1, 1], 1),
        shape(2, [7, 6], [19, 19], [3, 3], [1, 2], [1, 1], 19),
        shape(9, [1, 1], [5, 19], [1, 1], [1, 1], [0, 0], 1),
    ] {
        for bad in [f32::NAN, f32::INFINITY] {
            let relu = Epilogue { activation: Some(Unary::Relu), ..Epilogue::NONE };
            let mut case = Case::new(shape);
            // The output's pixel in the middle of a picture: its window meets no padding, which is zeros that are
            // multiplied, so that NaN would rightly reach more of dweight than the reference says.
            let in_dy = (shape.out_height() / 2 * shape.out_width() + shape.out_width() / 2) * shape.out_channels + 3;
            let in_x = case.x.len() / 2;
            case.x[in_x] = bad;
            case.dy[in_dy] = bad;
            let same = |what: &str, got: Vec<f32>, want: Vec<f64>| {
                for (i, (got, want)) in got.into_iter().zip(want).enumerate() {
                    let agree = if want.is_nan() { got.is_nan() } else { got.is_finite() == want.is_finite() };
                    assert!(agree, "{what} [{i}]: got {got}, want {want} {shape:?}");
                }
            };
            let (x, weight, dy) = (wide(&case.x), wide(&case.weight), wide(&case.dy));
            let y = reference::conv2d_forward(&shape, &x, &weight);
            let y: Vec<f64> = y.into_iter().map(|y| if y < 0.0 { 0.0 } else { y }).collect();
            let dx = reference::conv2d_grad_input(&shape, &dy, &weight);
            let dweight = reference::conv2d_grad_weight(&shape, &x, &dy);
            runnable(forward_rows(), Pass::Forward, &shape)
                .for_each(|row| same(row.name(), case.forward(row, &cpu, relu), y.clone()));
            runnable(grad_input_rows(), Pass::GradInput, &shape)
                .for_each(|row| same(row.name(), case.grad_input(row, &cpu), dx.clone()));
            runnable(grad_weight_rows(), Pass::GradWeight, &shape)
                .for_each(|row| same(row.name(), case.grad_weight(row, &cpu), dweight.clone()));
        }
    }
}

#[test]
fn plans_choose_the_first_row_that_fits_the_level() {
    let dense = shape(1, [4, 4], [8, 8], [3, 3], [1, 1], [1, 1], 1);
    let depthwise = Conv2dShape { groups: 8, ..dense };
    let wide = shape(8, [20, 20], [64, 64], [3, 3], [1, 1], [1, 1], 1);
    for level in Level::available() {
        let cpu = Cpu::new(1, level);
        let direct = Conv2dForward::with_methods(&cpu, wide, Conv2dMethods::Direct);
        assert!(direct.kernel_name().starts_with("conv2d_gemm"), "{}", direct.kernel_name());
        for (shape, family) in [(dense, "conv2d_gemm"), (depthwise, "depthwise"), (wide, "winograd")] {
            let names = [
                Conv2dForward::new(&cpu, shape).kernel_name(),
                Conv2dGradInput::new(&cpu, shape).kernel_name(),
                Conv2dGradWeight::new(&cpu, shape).kernel_name(),
            ];
            assert!(names.iter().all(|name| name.starts_with(family) && name.ends_with(level.name())), "{names:?}");
        }
    }
}

#[test]
#[should_panic(expected = "y")]
fn a_slice_of_another_length_is_refused() {
    let cpu = Cpu::new(1, Level::Scalar);
    let shape = shape(1, [2, 2], [1, 1], [1, 1], [1, 1], [0, 0], 1);
    let plan = Conv2dForward::new(&cpu, shape);
    plan.run(&cpu, &[0.0; 4], &[0.0], Epilogue::NONE, &mut [0.0; 3], &mut vec![0.0; plan.workspace()]);
}

prop_compose! {
    fn any_shape()(
        batch in 1..4usize,
        size in [1..14usize, 1..14usize],
        groups in 1..4usize,
        channels in [1..12usize, 1..20usize],
        kernel in [1..6usize, 1..6usize],
        stride in [1..5usize, 1..5usize],
        padding in [0..5usize, 0..5usize],
        trailing in [0..3usize, 0..3usize],
    ) -> Conv2dShape {
        // A kernel that would not fit is made as large as the padded input.
        let kernel = [0, 1].map(|i| kernel[i].min(size[i] + 2 * padding[i]));
        let channels = channels.map(|channels| channels * groups);
        Conv2dShape { trailing, ..shape(batch, size, channels, kernel, stride, padding, groups) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_small_shape_agrees_with_the_f64_reference(shape in any_shape()) {
        let (case, cpu) = (Case::new(shape), Cpu::new(2, Level::best()));
        case.check_all(&cpu);
        case.check_bf16(&cpu);
    }
}
