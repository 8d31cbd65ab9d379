//! Every level against the f64 references of norm and convolution one after the other.

use super::*;
use crate::agreement::{assert_agrees, assert_within, exact, is_tested, noise};
use crate::batch_norm::{
    SavedNorm, batch_norm_gradient_sums, batch_norm_input_gradient, batch_norm_moments, batch_norm_statistics,
    batch_norm_workspace,
};
use crate::reference;
use crate::{Bf16, Level, Precision};

/// Pixels below and above a block, channels around vectors and panels, more panels than are summed at once; bands,
/// strides, kernels and paddings that leave rows of inputs without outputs.
fn shapes() -> Vec<Conv2dShape> {
    let shape = |[batch, height, width]: [usize; 3], channels: [usize; 2], [kernel, stride, padding]: [usize; 3]| {
        let is_depthwise = channels[1] == 0;
        Conv2dShape {
            batch,
            height,
            width,
            in_channels: channels[0],
            out_channels: if is_depthwise { channels[0] } else { channels[1] },
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [padding; 2],
            trailing: [0, 0],
            groups: if is_depthwise { channels[0] } else { 1 },
        }
    };
    vec![
        shape([2, 40, 40], [5, 18], [1, 1, 0]),
        shape([1, 61, 50], [24, 144], [1, 1, 0]),
        shape([1, 64, 50], [16, 700], [1, 1, 0]),
        shape([3, 31, 31], [80, 64], [1, 1, 0]),
        shape([1, 60, 60], [300, 3], [1, 1, 0]),
        shape([2, 14, 13], [18, 0], [3, 1, 1]),
        Conv2dShape { trailing: [1, 1], ..shape([2, 14, 12], [18, 0], [3, 2, 0]) },
        Conv2dShape { trailing: [1, 0], ..shape([1, 28, 57], [33, 0], [5, 2, 1]) },
        shape([1, 28, 56], [144, 0], [3, 2, 1]),
        shape([3, 7, 7], [33, 0], [5, 1, 2]),
        shape([1, 29, 10], [16, 0], [5, 2, 2]),
        shape([1, 1, 1], [7, 0], [3, 1, 1]),
        shape([33, 12, 5], [8, 0], [7, 2, 3]),
        shape([1, 9, 3], [16, 0], [3, 2, 4]),
        shape([1, 32, 64], [192, 0], [3, 2, 0]),
    ]
}

const ACTIVATIONS: [Option<Unary>; 5] =
    [Some(Unary::Relu6), Some(Unary::Silu), None, Some(Unary::Relu), Some(Unary::HardSwish)];

/// A norm of some rows of numbers, its statistics those of the numbers.
struct Norm {
    shape: BatchNormShape,
    x: Vec<f32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
    saved: [Vec<f32>; 3],
    activation: Option<Unary>,
}

impl Norm {
    fn new(len: usize, channels: usize, activation: Option<Unary>, salt: u64) -> Self {
        let shape = BatchNormShape { rows: len / channels, channels };
        let x: Vec<f32> = noise(len, salt).iter().enumerate().map(|(i, x)| x + (i % channels % 5) as f32).collect();
        let gamma = noise(channels, salt + 1).iter().map(|x| 1.0 + 0.4 * x).collect::<Vec<f32>>();
        let beta = noise(channels, salt + 2);
        let cpu = Cpu::new(1, Level::Scalar);
        let mut moments = vec![0.0; 4 * channels];
        batch_norm_moments(&cpu, shape, &x, &mut moments, &mut vec![0.0; batch_norm_workspace(shape)]);
        let mut saved = [(); 3].map(|()| vec![0.0; channels]);
        let [mean, inv_std, offset] = &mut saved;
        let [mut running_mean, mut running_var] = [(); 2].map(|()| vec![0.0; channels]);
        let to = SavedNorm { mean, inv_std, offset };
        batch_norm_statistics(shape, &moments, &gamma, &beta, 1e-3, 0.1, &mut running_mean, &mut running_var, to);
        Self { shape, x, gamma, beta, saved, activation }
    }

    fn known(&self) -> KnownNorm<'_> {
        KnownNorm { gamma: &self.gamma, saved: self.saved.each_ref().map(Vec::as_slice), activation: self.activation }
    }

    fn line(&self) -> Vec<f64> {
        let channels = self.shape.channels;
        let [mean, inv_std, _] = self.saved.each_ref().map(|numbers| exact(numbers));
        let number = |(i, x): (usize, &f32)| {
            let c = i % channels;
            (f64::from(*x) - mean[c]) * inv_std[c] * f64::from(self.gamma[c]) + f64::from(self.beta[c])
        };
        self.x.iter().enumerate().map(number).collect()
    }

    fn result(&self) -> Vec<f64> {
        let line = self.line();
        self.activation.map_or(line.clone(), |f| reference::unary_forward(f, &line))
    }

    /// The gradients from that of the result.
    fn gradients(&self, dy: &[f64]) -> reference::BatchNormGradients {
        let dy = self.activation.map_or(dy.to_vec(), |f| reference::unary_backward(f, &self.line(), dy));
        let [mean, inv_std, _] = self.saved.each_ref().map(|numbers| exact(numbers));
        reference::batch_norm_backward(&self.shape, &exact(&self.x), &dy, &exact(&self.gamma), &mean, &inv_std)
    }
}

struct Numbers {
    before: Norm,
    after: Norm,
    weight: Vec<f32>,
    dy: Vec<f32>,
    /// Which norms there are.
    has: [bool; 2],
}

/// What both passes give.
#[derive(PartialEq)]
struct Results {
    y: Vec<f32>,
    moments: Vec<f32>,
    dx: Vec<f32>,
    dweight: Vec<f32>,
    /// dgamma, dbeta, slope, constant.
    of_norm: [Vec<f32>; 4],
}

impl Numbers {
    fn new(shape: &Conv2dShape, number: usize) -> Self {
        let activation = |number: usize| ACTIVATIONS[number % ACTIVATIONS.len()];
        Self {
            before: Norm::new(shape.input_len(), shape.in_channels, activation(number), 1),
            after: Norm::new(shape.output_len(), shape.out_channels, activation(number + 2), 5),
            weight: noise(shape.weight_len(), 10),
            dy: noise(shape.output_len(), 11),
            has: [number % 3 != 2, number % 5 != 3],
        }
    }

    fn map(&self) -> NormedMap<'_> {
        NormedMap { x: &self.before.x, norm: self.has[0].then(|| self.before.known()) }
    }

    fn run(&self, cpu: &Cpu, shape: Conv2dShape) -> Results {
        let nan = |len: usize| vec![f32::NAN; len];
        let channels = shape.in_channels;
        let mut results = Results {
            y: nan(shape.output_len()),
            moments: nan(4 * shape.out_channels),
            dx: nan(shape.input_len()),
            dweight: nan(shape.weight_len()),
            of_norm: [(); 4].map(|()| nan(channels)),
        };
        let plan = NormedConv2d::new(cpu, shape).expect("there is a kernel");
        let moments = Some(&mut *results.moments);
        plan.run(cpu, self.map(), &self.weight, &mut results.y, moments, &mut nan(plan.workspace()));

        let line = self.line_after(cpu);
        let [slope, constant] = line.each_ref().map(Vec::as_slice);
        let norm = NormAfter { y: &self.after.x, norm: self.after.known(), line: [slope, constant] };
        let gradient = NormedGradient { dy: &self.dy, norm: self.has[1].then_some(norm) };
        let [dgamma, dbeta, slope, constant] = &mut results.of_norm;
        let of_norm = self.has[0].then_some(NormGradients { dgamma, dbeta, slope, constant });
        let plan = NormedConv2dGrad::new(cpu, shape).expect("there is a kernel");
        let mut workspace = nan(plan.workspace());
        let (dx, dweight) = (&mut results.dx, &mut results.dweight);
        plan.run(cpu, self.map(), &self.weight, gradient, dx, dweight, of_norm, &mut workspace);
        if !self.has[0] {
            results.of_norm = [(); 4].map(|()| Vec::new());
        }
        results
    }

    /// Slope and constant of the norm behind the convolution.
    fn line_after(&self, cpu: &Cpu) -> [Vec<f32>; 2] {
        let Norm { shape, x, gamma, saved, activation, .. } = &self.after;
        let [mut dgamma, mut dbeta, mut slope, mut constant] = [(); 4].map(|()| vec![0.0; shape.channels]);
        let gradients =
            NormGradients { dgamma: &mut dgamma, dbeta: &mut dbeta, slope: &mut slope, constant: &mut constant };
        let saved = saved.each_ref().map(Vec::as_slice);
        let workspace = &mut vec![0.0; batch_norm_workspace(*shape)];
        batch_norm_gradient_sums(cpu, *shape, *activation, x, &self.dy, gamma, saved, gradients, workspace);
        [slope, constant]
    }

    fn check(&self, case: &str, cpu: &Cpu, shape: &Conv2dShape, have: &Results) {
        let source = if self.has[0] { self.before.result() } else { exact(&self.before.x) };
        let weight = exact(&self.weight);
        let y = reference::conv2d_forward(shape, &source, &weight);
        assert_agrees(&format!("y of {case}"), &have.y, &y);
        let rows = self.after.shape.rows as f64;
        let mean = |c: usize| y.iter().skip(c).step_by(shape.out_channels).sum::<f64>() / rows;
        let means: Vec<f64> = (0..shape.out_channels).map(mean).collect();
        let square =
            |c: usize| y.iter().skip(c).step_by(shape.out_channels).map(|y| (y - means[c]).powi(2)).sum::<f64>();
        let variances: Vec<f64> = (0..shape.out_channels).map(|c| square(c) / rows).collect();
        let moments: Vec<&[f32]> = have.moments.chunks_exact(shape.out_channels).collect();
        assert_agrees(&format!("means of {case}"), moments[0], &means);
        assert_agrees(&format!("variances of {case}"), moments[2], &variances);

        let dy = exact(&self.dy);
        let dz = if self.has[1] { self.after.gradients(&dy).dx } else { dy };
        let mut dx = reference::conv2d_grad_input(shape, &dz, &weight);
        let of_result = self.has[0].then(|| self.before.gradients(&dx));
        if let Some(f) = self.before.activation.filter(|_| self.has[0]) {
            dx = reference::unary_backward(f, &self.before.line(), &dx);
        }
        assert_agrees(&format!("dx of {case}"), &have.dx, &dx);
        let dweight = reference::conv2d_grad_weight(shape, &source, &dz);
        assert_agrees(&format!("dweight of {case}"), &have.dweight, &dweight);
        if let Some(want) = of_result {
            let [dgamma, dbeta, slope, constant] = have.of_norm.each_ref().map(Vec::as_slice);
            assert_agrees(&format!("dgamma of {case}"), dgamma, &want.dgamma);
            assert_agrees(&format!("dbeta of {case}"), dbeta, &want.dbeta);
            let Norm { shape, x, gamma, saved, .. } = &self.before;
            let mut through = vec![f32::NAN; x.len()];
            let saved = saved.each_ref().map(Vec::as_slice);
            let workspace = &mut vec![0.0; batch_norm_workspace(*shape)];
            batch_norm_input_gradient(
                cpu,
                *shape,
                None,
                x,
                &have.dx,
                gamma,
                saved,
                [slope, constant],
                &mut through,
                workspace,
            );
            if shape.rows > 2 {
                assert_agrees(&format!("gradient through the norm before {case}"), &through, &want.dx);
            }
        }
    }
}

#[test]
fn every_level_agrees_with_the_f64_reference_at_every_number_of_threads() {
    for (number, shape) in shapes().into_iter().enumerate() {
        let numbers = Numbers::new(&shape, number);
        for level in Level::available().filter(|&level| is_tested(level)) {
            let results = [1, 2, 3, 8].map(|threads| numbers.run(&Cpu::new(threads, level), shape));
            let case = format!("{level} {shape:?}, norms {:?}", numbers.has);
            numbers.check(&case, &Cpu::new(1, level), &shape, &results[0]);
            assert!(results.iter().all(|result| *result == results[0]), "threads change bits: {case}");
        }
    }
}

/// Maps of 16 bits: to the bit what the same numbers give in 32, rounded; moments are those of what is stored.
#[test]
fn maps_in_16_bits_are_computed_in_32() {
    fn stored(numbers: &[f32]) -> Vec<Bf16> {
        numbers.iter().map(|&number| Bf16::from_f32(number)).collect()
    }
    fn rounded(numbers: &mut Vec<f32>) {
        *numbers = stored(numbers).into_iter().map(Bf16::to_f32).collect();
    }
    let cpu = Cpu::new(2, Level::best());
    for (number, shape) in shapes().into_iter().enumerate() {
        let mut numbers = Numbers::new(&shape, number);
        for map in [&mut numbers.before.x, &mut numbers.after.x, &mut numbers.dy] {
            rounded(map);
        }
        let want = numbers.run(&cpu, shape);

        let [x, after, dy] = [&numbers.before.x, &numbers.after.x, &numbers.dy].map(|map| stored(map));
        let map = NormedMap { x: &x, norm: numbers.map().norm };
        let plan = NormedConv2d::new(&cpu, shape).unwrap().of_maps(&cpu, Precision::Bf16);
        let run = |plan: NormedConv2d| {
            let (mut y, mut moments) = (vec![Bf16::default(); want.y.len()], vec![f32::NAN; want.moments.len()]);
            let workspace = &mut vec![f32::NAN; plan.workspace()];
            plan.run(&cpu, map, &numbers.weight, &mut y, Some(&mut moments), workspace);
            (y, moments)
        };
        // By pairs of numbers, what is read is rounded once more, and so is the weight.
        let near = |y: &[Bf16]| {
            let (have, wide) = (y.iter().map(|y| y.to_f32()).collect::<Vec<_>>(), exact(&want.y));
            assert_within(&format!("y of {shape:?} by pairs"), &have, &wide, 6e-3);
        };
        let (y, moments) = run(plan);
        match plan.plan {
            Plan::Pointwise(pointwise) if pointwise.is_of_pairs() => near(&y),
            _ => assert!(y == stored(&want.y), "y of {shape:?}"),
        }
        match plan.plan {
            Plan::Pointwise(pointwise) if shape.in_channels.is_multiple_of(2) => {
                near(&run(NormedConv2d { plan: Plan::Pointwise(pointwise.of_plain_pairs()), ..plan }).0);
            }
            _ => {}
        }
        let (rows, channels) = (numbers.after.shape.rows, shape.out_channels);
        let mut of_stored = vec![f32::NAN; moments.len()];
        let moments_shape = BatchNormShape { rows, channels };
        let workspace = &mut vec![f32::NAN; batch_norm_workspace(moments_shape)];
        batch_norm_moments(&cpu, moments_shape, &y, &mut of_stored, workspace);
        for part in [0, 2] {
            let [have, want] = [&moments, &of_stored].map(|all| &all[part * channels..(part + 1) * channels]);
            assert_agrees(&format!("moments of {shape:?}"), have, &exact(want));
        }

        let line = numbers.line_after(&cpu);
        let [slope, constant] = line.each_ref().map(Vec::as_slice);
        let norm = NormAfter { y: &after, norm: numbers.after.known(), line: [slope, constant] };
        let gradient = NormedGradient { dy: &dy, norm: numbers.has[1].then_some(norm) };
        let plan = NormedConv2dGrad::new(&cpu, shape).unwrap().of_maps(&cpu, Precision::Bf16);
        let run = |plan: NormedConv2dGrad| {
            let mut of_norm = [(); 4].map(|()| vec![f32::NAN; shape.in_channels]);
            let [dgamma, dbeta, slope, constant] = &mut of_norm;
            let sums = numbers.has[0].then_some(NormGradients { dgamma, dbeta, slope, constant });
            let (mut dx, mut dweight) = (vec![Bf16::default(); x.len()], vec![f32::NAN; numbers.weight.len()]);
            let workspace = &mut vec![f32::NAN; plan.workspace()];
            plan.run(&cpu, map, &numbers.weight, gradient, &mut dx, &mut dweight, sums, workspace);
            (dx, dweight, of_norm)
        };
        let near = |(dx, dweight, of_norm): (Vec<Bf16>, Vec<f32>, [Vec<f32>; 4])| {
            let dx: Vec<_> = dx.into_iter().map(Bf16::to_f32).collect();
            assert_within(&format!("dx of {shape:?} by pairs"), &dx, &exact(&want.dx), 1e-2);
            assert_within(&format!("dweight of {shape:?} by pairs"), &dweight, &exact(&want.dweight), 1e-2);
            for (have, want) in of_norm.iter().zip(&want.of_norm).filter(|_| numbers.has[0]) {
                assert_within(&format!("gradients of the norm before {shape:?} by pairs"), have, &exact(want), 1e-2);
            }
        };
        match plan.plan {
            Plan::Pointwise(pointwise) if pointwise.is_of_pairs() => near(run(plan)),
            _ => {
                let (dx, dweight, of_norm) = run(plan);
                assert!(dx == stored(&want.dx), "dx of {shape:?}");
                assert!(dweight == want.dweight, "dweight of {shape:?}");
                assert!(!numbers.has[0] || of_norm == want.of_norm, "gradients of the norm before {shape:?}");
            }
        }
        match plan.plan {
            Plan::Pointwise(pointwise) if shape.out_channels.is_multiple_of(2) => {
                near(run(NormedConv2dGrad { plan: Plan::Pointwise(pointwise.of_plain_pairs()), ..plan }));
            }
            _ => {}
        }
    }
}

/// The bits of a norm and a convolution one after the other: a network may mix both.
#[test]
fn what_is_normalised_on_the_way_is_what_a_norm_gives() {
    use crate::batch_norm::{AfterNorm, batch_norm_apply};

    let cpu = Cpu::new(2, Level::best());
    for (number, shape) in shapes().into_iter().enumerate() {
        let numbers = Numbers { has: [true, false], ..Numbers::new(&shape, number) };
        let before = &numbers.before;
        let mut applied = vec![0.0; before.x.len()];
        let (saved, after) = (before.known().saved, AfterNorm { residual: None, activation: before.activation });
        let factors = &mut vec![0.0; shape.in_channels];
        batch_norm_apply(&cpu, before.shape, &before.x, &before.gamma, saved, after, &mut applied, factors);
        let plan = NormedConv2d::new(&cpu, shape).unwrap();
        let [fused, apart] = [numbers.map(), NormedMap { x: &applied, norm: None }].map(|map| {
            let mut y = vec![f32::NAN; shape.output_len()];
            plan.run(&cpu, map, &numbers.weight, &mut y, None, &mut vec![f32::NAN; plan.workspace()]);
            y
        });
        assert_eq!(fused, apart, "{shape:?}");
    }
}

#[test]
fn what_is_no_such_convolution_is_left_to_others() {
    let pointwise = shapes()[0];
    for other in [
        Conv2dShape { stride: [2, 2], ..pointwise },
        Conv2dShape { kernel: [3, 3], padding: [1, 1], ..pointwise },
        Conv2dShape { padding: [1, 1], ..pointwise },
        Conv2dShape { in_channels: 4, out_channels: 4, groups: 2, ..pointwise },
        Conv2dShape { kernel: [4, 4], groups: 5, out_channels: 5, ..pointwise },
    ] {
        assert!(!NormedConv2d::fits(&other) && !NormedConv2dGrad::fits(&other), "{other:?}");
    }
    let few_pixels = Conv2dShape { height: 2, width: 2, ..pointwise };
    assert!(NormedConv2d::fits(&few_pixels) && !NormedConv2dGrad::fits(&few_pixels));
}
