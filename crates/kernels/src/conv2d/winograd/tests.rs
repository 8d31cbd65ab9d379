//! How exact each tile size is, and every order of the work against direct convolution. The table of shapes that all
//! methods are tested with is `conv2d/tests.rs`.

use super::{ROWS, Winograd};
use crate::agreement::{assert_within, exact, is_emulated, is_tested, noise};
use crate::conv2d::method::{Forward, GradInput, GradWeight};
use crate::conv2d::{Conv2dForward, Conv2dGradInput, Conv2dGradWeight, Conv2dMethods, Conv2dShape, Epilogue};
use crate::{Cpu, Floats, FloatsMut, Level, Precision, reference};

fn shape(batch: usize, size: [usize; 2], channels: [usize; 2], padding: [usize; 2]) -> Conv2dShape {
    let [[height, width], [in_channels, out_channels]] = [size, channels];
    let (kernel, stride) = ([3, 3], [1, 1]);
    Conv2dShape {
        batch,
        height,
        width,
        in_channels,
        out_channels,
        kernel,
        stride,
        padding,
        trailing: [0, 0],
        groups: 1,
    }
}

fn strided(batch: usize, size: [usize; 2], channels: [usize; 2]) -> Conv2dShape {
    Conv2dShape { stride: [2, 2], ..shape(batch, size, channels, [1, 1]) }
}

/// The rows of the levels that are tested.
fn rows() -> impl Iterator<Item = &'static Winograd> {
    ROWS.iter().copied().flatten().filter(|row| is_tested(row.level))
}

/// Whether a shape is tested: emulated, the others would take longer than all else together.
fn is_tested_shape(shape: &Conv2dShape) -> bool {
    !is_emulated() || shape.output_len() * shape.weight_len() / shape.out_channels <= 80_000_000
}

/// Tensors of a shape; x as after a ReLU, if asked for: all numbers of one sign make the sums of neighbours larger.
struct Case {
    shape: Conv2dShape,
    x: Vec<f32>,
    weight: Vec<f32>,
    dy: Vec<f32>,
}

impl Case {
    fn new(shape: Conv2dShape, rectified: bool) -> Self {
        let mut x = noise(shape.input_len(), 1);
        if rectified {
            x.iter_mut().for_each(|x| *x = x.max(0.0));
        }
        Self { shape, x, weight: noise(shape.weight_len(), 2), dy: noise(shape.output_len(), 3) }
    }

    /// Forward, gradient of the input and of the weight.
    fn run(&self, row: &Winograd, cpu: &Cpu) -> [Vec<f32>; 3] {
        let (s, threads) = (&self.shape, cpu.threads());
        let mut results = [s.output_len(), s.input_len(), s.weight_len()].map(|len| vec![f32::NAN; len]);
        let [y, dx, dweight] = &mut results;
        let mut workspace = vec![f32::NAN; Forward::workspace(row, s, threads, Precision::F32)];
        let [x, dy] = [&self.x, &self.dy].map(|map| Floats::F32(map));
        Forward::run(row, cpu, s, x, &self.weight, Epilogue::NONE, FloatsMut::F32(y), &mut workspace);
        let mut workspace = vec![f32::NAN; GradInput::workspace(row, s, threads, Precision::F32)];
        GradInput::run(row, cpu, s, dy, &self.weight, FloatsMut::F32(dx), &mut workspace);
        let mut workspace = vec![f32::NAN; GradWeight::workspace(row, s, threads, Precision::F32)];
        GradWeight::run(row, cpu, s, x, dy, dweight, &mut workspace);
        results
    }

    /// Forward with weights that were transformed before, where they are few enough.
    fn packed(&self, row: &Winograd, cpu: &Cpu) -> Option<Vec<f32>> {
        let (s, row) = (&self.shape, Forward::packed(row, &self.shape)?);
        let mut packed = vec![f32::NAN; row.packed_len(s)];
        row.pack(cpu, s, &self.weight, &mut packed);
        let mut workspace = vec![f32::NAN; row.run_workspace(s, cpu.threads(), Precision::F32)];
        let mut y = vec![f32::NAN; s.output_len()];
        let to = FloatsMut::F32(&mut y);
        row.run_packed(cpu, s, Floats::F32(&self.x), &packed, Epilogue::NONE, to, &mut workspace);
        Some(y)
    }

    fn reference(&self) -> [Vec<f64>; 3] {
        let (s, x, weight, dy) = (&self.shape, exact(&self.x), exact(&self.weight), exact(&self.dy));
        [
            reference::conv2d_forward(s, &x, &weight),
            reference::conv2d_grad_input(s, &dy, &weight),
            reference::conv2d_grad_weight(s, &x, &dy),
        ]
    }

    fn direct(&self, cpu: &Cpu) -> [Vec<f32>; 3] {
        let (s, direct) = (self.shape, Conv2dMethods::Direct);
        let mut results = [s.output_len(), s.input_len(), s.weight_len()].map(|len| vec![f32::NAN; len]);
        let [y, dx, dweight] = &mut results;
        let plan = Conv2dForward::with_methods(cpu, s, direct);
        plan.run(cpu, &self.x, &self.weight, Epilogue::NONE, y, &mut vec![0.0; plan.workspace()]);
        let plan = Conv2dGradInput::with_methods(cpu, s, direct);
        plan.run(cpu, &self.dy, &self.weight, dx, &mut vec![0.0; plan.workspace()]);
        let plan = Conv2dGradWeight::with_methods(cpu, s, direct);
        plan.run(cpu, &self.x, &self.dy, dweight, &mut vec![0.0; plan.workspace()]);
        results
    }
}

fn error(got: &[f32], want: &[f64]) -> f64 {
    let square = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|number| number * number).sum::<f64>();
    let off = square(&mut got.iter().zip(want).map(|(&got, want)| f64::from(got) - want));
    (off / square(&mut want.iter().copied())).sqrt()
}

/// The numbers of the module's page: from 1 to 512 channels no tile size is further from f64 than these; a tile of 1 is
/// direct convolution.
#[test]
fn no_tile_size_is_less_exact_than_said() {
    let small = [1, 3, 16, 64, 130].map(|channels| shape(3, [12, 13], [channels; 2], [1, 1]));
    // Long sums: over channels on both ways, and over tiles for the gradient of the weight.
    let long = [([12, 13], [512, 48], 3), ([6, 7], [48, 512], 3), ([40, 40], [8, 8], 10)];
    let long = long.map(|(size, channels, batch)| shape(batch, size, channels, [1, 1]));
    let shapes: Vec<Conv2dShape> = small.into_iter().chain(long).collect();
    check_errors(&shapes, &[(1, 1e-6), (2, 1e-6), (3, 1e-6), (4, 1e-6), (5, 3e-6), (6, 4e-6)]);
}

#[test]
fn nor_is_one_of_stride_2() {
    let small = [1, 3, 16, 64, 130].map(|channels| strided(3, [24, 25], [channels; 2]));
    let long = [([24, 26], [512, 48], 3), ([12, 13], [48, 512], 3), ([80, 80], [8, 8], 10)];
    let long = long.map(|(size, channels, batch)| strided(batch, size, channels));
    let shapes: Vec<Conv2dShape> = small.into_iter().chain(long).collect();
    check_errors(&shapes, &[(1, 1e-6), (4, 1e-6), (5, 1e-6)]);
}

/// Every row of the shapes' stride against f64: at most so far with tiles of a size.
fn check_errors(shapes: &[Conv2dShape], most: &[(usize, f64)]) {
    let cpu = Cpu::new(2, Level::best());
    let mut worst = [[0.0f64; 3]; 7];
    for shape in shapes.iter().filter(|shape| is_tested_shape(shape)) {
        let mut errors = [[0.0f64; 3]; 7];
        for rectified in [false, true] {
            let case = Case::new(*shape, rectified);
            let want = case.reference();
            let rows = rows().filter(|row| row.stride == shape.stride[0]);
            let tiles = rows.map(|row| (row.tile, case.run(row, &cpu)));
            for (tile, got) in tiles.chain([(1, case.direct(&cpu))]) {
                for (most, (got, want)) in errors[tile].iter_mut().zip(got.iter().zip(&want)) {
                    *most = most.max(error(got, want));
                }
            }
        }
        let millionths = errors.map(|errors| errors.map(|error| error * 1e6));
        eprintln!("{} to {} channels: {millionths:.1?}", shape.in_channels, shape.out_channels);
        for (worst, errors) in worst.iter_mut().zip(errors) {
            *worst = std::array::from_fn(|pass| worst[pass].max(errors[pass]));
        }
    }
    for &(tile, most) in most {
        let worst = worst[tile];
        assert!(worst.iter().all(|&error| error <= most), "tiles of {tile}: {worst:.1?} of {most:.0e}");
    }
}

/// Shapes whose work is done in each of the orders, in one group and in several, in whole blocks and with rests.
#[test]
fn every_order_agrees_with_direct_convolution_at_every_number_of_threads() {
    let shapes = [
        shape(8, [40, 41], [64, 40], [1, 1]),
        shape(3, [9, 14], [33, 70], [0, 2]),
        shape(1, [7, 3], [20, 17], [2, 0]),
        // Blocks of tiles beside weights that are not small.
        shape(9, [15, 14], [256, 50], [1, 1]),
        // Panels of weights; blocks of sums.
        shape(6, [5, 5], [200, 264], [1, 1]),
        shape(2, [7, 6], [520, 500], [1, 1]),
        // Passes: groups of tiles; groups of tiles and of panels.
        shape(140, [6, 6], [300, 48], [1, 1]),
        shape(140, [6, 6], [512, 272], [1, 1]),
        // Of stride 2: blocks of tiles, panels, and passes with weights in one group and in several.
        strided(8, [40, 41], [40, 33]),
        strided(2, [9, 10], [130, 260]),
        strided(9, [23, 22], [64, 130]),
        strided(9, [22, 23], [264, 130]),
    ];
    let (one, three) = (Cpu::new(1, Level::best()), Cpu::new(3, Level::best()));
    for shape in shapes.into_iter().filter(is_tested_shape) {
        let case = Case::new(shape, true);
        let want = case.direct(&three).map(|tensor| exact(&tensor));
        // The large ones, which only large tiles of the best level cut into groups, take the others long.
        let large = shape.batch > 100;
        let is_best = |row: &Winograd| row.tile == 6 && row.level == Level::best();
        for row in rows().filter(|row| row.stride == shape.stride[0] && (is_best(row) || !large && row.tile > 3)) {
            let [alone, got] = [&one, &three].map(|cpu| case.run(row, cpu));
            for (pass, (got, want)) in ["forward", "grad input", "grad weight"].into_iter().zip(got.iter().zip(&want)) {
                assert_within(&format!("{} {pass} {shape:?}", row.name), got, want, 1.5e-5);
            }
            let bits =
                |tensors: [Vec<f32>; 3]| tensors.map(|tensor| tensor.into_iter().map(f32::to_bits).collect::<Vec<_>>());
            if let Some(packed) = case.packed(row, &three) {
                let same = packed.iter().zip(&got[0]).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{}: kept weights give another result, {shape:?}", row.name);
            }
            assert!(bits(alone) == bits(got), "{}: one and three threads differ, {shape:?}", row.name);
        }
    }
}
