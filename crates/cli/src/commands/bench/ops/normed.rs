//! Convolutions of a training step with the norms beside them: as one step, and one after the other.

use std::rc::Rc;

use avizor_kernels::Cpu;
use avizor_kernels::batch_norm::{
    AfterNorm, BatchNormShape, NormGradients, batch_norm_apply, batch_norm_gradient_sums, batch_norm_input_gradient,
    batch_norm_moments, batch_norm_workspace,
};
use avizor_kernels::conv2d::{
    Conv2dForward, Conv2dGradInput, Conv2dGradWeight, Conv2dShape, Epilogue, KnownNorm, NormAfter, NormedConv2d,
    NormedConv2dGrad, NormedGradient, NormedMap,
};
use avizor_kernels::unary::Unary;

use super::layers::{LAYERS, Layer};
use super::{Bench, Name, Row, Work};
use crate::failure::Failure;

const FAMILY: &str = "normed_conv2d";
/// Both ways of both directions.
const PASSES: [&str; 4] = ["forward", "forward_apart", "backward", "backward_apart"];

pub(super) fn measure(bench: &mut Bench, batch: usize) -> Result<(), Failure> {
    for layer in LAYERS {
        let shape = layer.shape(batch);
        let there_is = NormedConv2d::fits(&shape) && NormedConv2dGrad::fits(&shape);
        if there_is && bench.wants_any(FAMILY, &layer.name(), &PASSES) {
            measure_layer(bench, layer, shape)?;
        }
    }
    Ok(())
}

fn measure_layer(bench: &mut Bench, layer: &Layer, shape: Conv2dShape) -> Result<(), Failure> {
    let cpu = Rc::clone(&bench.cpu);
    let mut step = Step::new(shape, layer.activation());
    let [forward, forward_apart, backward, backward_apart] = PASSES.map(|pass| Name::new(FAMILY, &layer.name(), pass));
    let (inputs, outputs) = (shape.input_len(), shape.output_len());
    let there = Work { multiply_adds: shape.multiply_adds(), bytes: 4 * (inputs + outputs) };
    let back = Work { multiply_adds: 2 * shape.multiply_adds(), bytes: 4 * (2 * inputs + 2 * outputs) };
    if bench.wants(&forward) {
        let plan = NormedConv2d::new(&cpu, shape).expect("asked before");
        let mut workspace = vec![0.0; plan.workspace()];
        let times = bench.times(|| step.forward(&cpu, &plan, &mut workspace));
        bench.push(Row { name: forward, kernel: Some(plan.kernel_name()), work: there, times, direct: None })?;
    }
    if bench.wants(&forward_apart) {
        let plan = Conv2dForward::new(&cpu, shape);
        let mut workspace = step.workspace(plan.workspace());
        let times = bench.times(|| step.forward_apart(&cpu, &plan, &mut workspace));
        bench.push(Row { name: forward_apart, kernel: None, work: there, times, direct: None })?;
    }
    if bench.wants(&backward) {
        let plan = NormedConv2dGrad::new(&cpu, shape).expect("asked before");
        let mut workspace = vec![0.0; plan.workspace()];
        let times = bench.times(|| step.backward(&cpu, &plan, &mut workspace));
        bench.push(Row { name: backward, kernel: Some(plan.kernel_name()), work: back, times, direct: None })?;
    }
    if bench.wants(&backward_apart) {
        let plans = (Conv2dGradInput::new(&cpu, shape), Conv2dGradWeight::new(&cpu, shape));
        let mut workspace = step.workspace(plans.0.workspace().max(plans.1.workspace()));
        let times = bench.times(|| step.backward_apart(&cpu, &plans, &mut workspace));
        bench.push(Row { name: backward_apart, kernel: None, work: back, times, direct: None })?;
    }
    Ok(())
}

/// What a step reads and writes; values do not matter for its time.
struct Step {
    shape: Conv2dShape,
    activation: Unary,
    x: Vec<f32>,
    weight: Vec<f32>,
    y: Vec<f32>,
    dy: Vec<f32>,
    dx: Vec<f32>,
    dweight: Vec<f32>,
    /// What norms make of x, and the gradient of y: written only where norms stand apart.
    activated: Vec<f32>,
    own_gradient: Vec<f32>,
    /// A number a channel, as many as the wider side has.
    per_channel: Vec<f32>,
    moments: Vec<f32>,
    gradients: [Vec<f32>; 4],
}

impl Step {
    fn new(shape: Conv2dShape, activation: Unary) -> Self {
        let (inputs, outputs) = (shape.in_channels, shape.out_channels);
        Self {
            shape,
            activation,
            x: vec![0.5; shape.input_len()],
            weight: vec![0.25; shape.weight_len()],
            y: vec![0.5; shape.output_len()],
            dy: vec![0.5; shape.output_len()],
            dx: vec![0.5; shape.input_len()],
            dweight: vec![0.0; shape.weight_len()],
            activated: vec![0.0; shape.input_len()],
            own_gradient: vec![0.0; shape.output_len()],
            per_channel: vec![0.5; inputs.max(outputs)],
            moments: vec![0.0; 4 * outputs],
            gradients: [(); 4].map(|()| vec![0.0; inputs]),
        }
    }

    fn norm_shapes(&self) -> [BatchNormShape; 2] {
        [(self.x.len(), self.shape.in_channels), (self.y.len(), self.shape.out_channels)]
            .map(|(len, channels)| BatchNormShape { rows: len / channels, channels })
    }

    /// For passes one after the other.
    fn workspace(&self, conv: usize) -> Vec<f32> {
        let norms = self.norm_shapes().map(batch_norm_workspace);
        vec![0.0; norms[0].max(norms[1]).max(conv)]
    }

    fn forward(&mut self, cpu: &Cpu, plan: &NormedConv2d, workspace: &mut [f32]) {
        let c = &self.per_channel[..self.shape.in_channels];
        let norm = Some(KnownNorm { gamma: c, saved: [c; 3], activation: Some(self.activation) });
        let map = NormedMap { x: &self.x, norm };
        plan.run(cpu, map, &self.weight, &mut self.y, Some(&mut self.moments), workspace);
    }

    fn forward_apart(&mut self, cpu: &Cpu, plan: &Conv2dForward, workspace: &mut [f32]) {
        let [before, after] = self.norm_shapes();
        let c = &self.per_channel[..before.channels];
        let activation = AfterNorm { residual: None, activation: Some(self.activation) };
        batch_norm_apply(cpu, before, &self.x, c, [c; 3], activation, &mut self.activated, workspace);
        plan.run(cpu, &self.activated, &self.weight, Epilogue::NONE, &mut self.y, workspace);
        batch_norm_moments(cpu, after, &self.y, &mut self.moments, workspace);
    }

    fn backward(&mut self, cpu: &Cpu, plan: &NormedConv2dGrad, workspace: &mut [f32]) {
        let [c, d] = [self.shape.in_channels, self.shape.out_channels].map(|channels| &self.per_channel[..channels]);
        let norm = |c| KnownNorm { gamma: c, saved: [c; 3], activation: Some(self.activation) };
        let map = NormedMap { x: &self.x, norm: Some(norm(c)) };
        let after = NormAfter { y: &self.y, norm: KnownNorm { activation: None, ..norm(d) }, line: [d; 2] };
        let gradient = NormedGradient { dy: &self.dy, norm: Some(after) };
        let [dgamma, dbeta, slope, constant] = &mut self.gradients;
        let of_norm = Some(NormGradients { dgamma, dbeta, slope, constant });
        plan.run(cpu, map, &self.weight, gradient, &mut self.dx, &mut self.dweight, of_norm, workspace);
    }

    fn backward_apart(
        &mut self,
        cpu: &Cpu,
        (of_input, of_weight): &(Conv2dGradInput, Conv2dGradWeight),
        workspace: &mut [f32],
    ) {
        let [before, after] = self.norm_shapes();
        let [c, d] = [before, after].map(|shape| &self.per_channel[..shape.channels]);
        let own = &mut self.own_gradient;
        batch_norm_input_gradient(cpu, after, None, &self.y, &self.dy, d, [d; 3], [d; 2], own, workspace);
        of_input.run(cpu, own, &self.weight, &mut self.dx, workspace);
        of_weight.run(cpu, &self.activated, own, &mut self.dweight, workspace);
        let [dgamma, dbeta, slope, constant] = &mut self.gradients;
        let sums = NormGradients { dgamma, dbeta, slope, constant };
        let activation = Some(self.activation);
        batch_norm_gradient_sums(cpu, before, activation, &self.x, &self.dx, c, [c; 3], sums, workspace);
    }
}
