//! Depthwise convolutions: bands of rows of a picture.

use std::ops::Range;

use super::{Gradient, LINE, NormSums, Source};
use crate::batch_norm::{add_moments, join_moments};
use crate::conv2d::Conv2dShape;
use crate::conv2d::depthwise::{self, Depthwise, Finish};
use crate::conv2d::grad_weight::add_chunks;
use crate::conv2d::method::at_level;
use crate::conv2d::rolling::{RollingRows, rows_of_inputs, rows_of_outputs};
use crate::floats::{convert_part, room_for, round_into};
use crate::gemm::L2_BYTES;
use crate::pool::Disjoint;
use crate::workers::Workers;
use crate::{Cpu, Element, Level, Precision};

/// The work is cut into about so many bands. It does not depend on the number of threads there are.
const BANDS: usize = 32;
/// Rows of a band at least: its first ones are made from rows that the band before it makes too.
const LEAST_ROWS: usize = 7;
/// Bytes of the rows that a worker holds.
const ROWS_BYTES: usize = L2_BYTES / 4 * 3;

/// How the rows of pictures are cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct DepthwisePlan {
    kernels: &'static Depthwise,
    batch: usize,
    /// Of a picture.
    bands: usize,
    /// Rows of the output that are made together.
    step: usize,
}

/// Rows that are worked on together.
struct Step {
    outputs: Range<usize>,
    inputs: Range<usize>,
    /// Rows of the input that give the outputs.
    source: Range<usize>,
    /// Rows of dy that the gradients of inputs and weight read.
    gradient: Range<usize>,
}

impl DepthwisePlan {
    pub(super) fn new(level: Level, shape: &Conv2dShape) -> Option<Self> {
        let row_bytes = shape.kernel[0] * shape.width * shape.in_channels * 4;
        if !depthwise::has_tiles(shape) || row_bytes > 2 * L2_BYTES {
            return None;
        }
        let bands = BANDS.div_ceil(shape.batch).min((shape.out_height() / LEAST_ROWS).max(1));
        let kernels = at_level(depthwise::ROWS, level);
        let mut plan = Self { kernels, batch: shape.batch, bands, step: shape.out_height().div_ceil(bands) };
        while plan.step > 1 && plan.rows_len(shape).iter().sum::<usize>() * 4 > ROWS_BYTES {
            plan.step -= 1;
        }
        Some(plan)
    }

    pub(super) fn kernel_name(&self) -> &'static str {
        self.kernels.normed_name()
    }

    pub(super) fn chunks(&self) -> usize {
        self.batch * self.bands
    }

    fn outputs_of(&self, shape: &Conv2dShape, band: usize) -> Range<usize> {
        let height = shape.out_height();
        band * height / self.bands..(band + 1) * height / self.bands
    }

    /// The steps of a band, which together take every row of the output and of the input once.
    fn steps(&self, shape: &Conv2dShape, band: usize) -> impl Iterator<Item = Step> {
        let (s, step) = (*shape, self.step);
        let outputs = self.outputs_of(shape, band);
        // Inputs go with the outputs whose first tap meets them; those before the first and behind the last output too.
        let input_of = move |output: usize| match output {
            0 => 0,
            output if output == s.out_height() => s.height,
            output => (output * s.stride[0]).min(s.height),
        };
        outputs.clone().step_by(step).map(move |first| {
            let outputs = first..(first + step).min(outputs.end);
            let inputs = input_of(outputs.start)..input_of(outputs.end);
            let met = rows_of_inputs(&s, &inputs);
            let gradient =
                if met.is_empty() { outputs.clone() } else { met.start.min(outputs.start)..met.end.max(outputs.end) };
            Step { source: rows_of_outputs(&s, &outputs), gradient, inputs, outputs }
        })
    }

    /// Numbers of the rows that a worker holds: of the input, and of dy.
    fn rows_len(&self, shape: &Conv2dShape) -> [usize; 2] {
        let most = |rows: fn(&Step) -> usize| {
            let steps = (0..self.bands).flat_map(|band| self.steps(shape, band));
            steps.map(|step| rows(&step)).max().unwrap_or(0)
        };
        let [source, gradient] = [most(|step| step.source.len()), most(|step| step.gradient.len())];
        [source * shape.width, gradient * shape.out_width()]
            .map(|pixels| (pixels * shape.in_channels).next_multiple_of(LINE))
    }
}

impl DepthwisePlan {
    /// Numbers of the rows that a worker makes before they are rounded: of the output, or of dx.
    fn results_len(&self, shape: &Conv2dShape, precision: Precision) -> [usize; 2] {
        match precision {
            Precision::F32 => [0; 2],
            Precision::Bf16 => {
                let most = |rows: fn(&Step) -> usize| {
                    let steps = (0..self.bands).flat_map(|band| self.steps(shape, band));
                    steps.map(|step| rows(&step)).max().unwrap_or(0)
                };
                let [outputs, inputs] = [most(|step| step.outputs.len()), most(|step| step.inputs.len())];
                [outputs * shape.out_width(), inputs * shape.width].map(|pixels| pixels * shape.in_channels)
            }
        }
    }

    pub(super) fn forward_workspace(&self, shape: &Conv2dShape, threads: usize, precision: Precision) -> usize {
        Workers::len(threads, self.rows_len(shape)[0] + self.results_len(shape, precision)[0])
    }

    pub(super) fn forward<E: Element>(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        source: &Source<'_, E>,
        weight: &[f32],
        y: &mut [E],
        moments: Option<&mut [f32]>,
        partial: &mut [f64],
        workspace: &mut [f32],
    ) {
        let (channels, width) = (shape.in_channels, shape.out_width());
        {
            let (rows_len, results_len) = (self.rows_len(shape)[0], self.results_len(shape, E::PRECISION)[0]);
            let workers = Workers::new(workspace, rows_len + results_len);
            let (target, parts) = (Disjoint::new(y), moments.as_ref().map(|_| Disjoint::new(&mut *partial)));
            cpu.pool().run(self.chunks(), &|chunk, worker| {
                let (picture, band) = (chunk / self.bands, chunk % self.bands);
                // SAFETY: a worker runs one task at a time.
                let (rows_held, results) = unsafe { workers.scratch(worker) }.split_at_mut(rows_len);
                let mut rolling = RollingRows::new(rows_held, shape.width * channels);
                let first = self.outputs_of(shape, band).start;
                for step in self.steps(shape, band) {
                    let rows = source_rows(cpu, shape, source, picture, &step.source, &mut rolling);
                    let at = (picture * shape.out_height() + step.outputs.start) * width * channels;
                    // SAFETY: every row of every picture comes once.
                    let y = unsafe { target.slice(at, step.outputs.len() * width * channels) };
                    let made = room_for(y, results);
                    for (i, (oy, y)) in step.outputs.clone().zip(made.chunks_exact_mut(width * channels)).enumerate() {
                        let row = picture * shape.height + step.source.end + i * shape.stride[0];
                        let next = source.norm.as_ref().and_then(|_| rows_from(source.x, row, shape.width * channels));
                        let next = next.and_then(E::as_f32);
                        let finish = Finish { bias: None, residual: None, ceiling: None, next };
                        self.kernels.forward_row(shape, [rows, weight], finish, [step.source.start, oy], y);
                    }
                    round_into(cpu, results, y);
                    if let Some(parts) = &parts {
                        // SAFETY: every task has its own part.
                        let part = unsafe { parts.slice(chunk * 3 * channels, 3 * channels) };
                        add_moments(cpu, channels, y, step.outputs.start == first, part);
                    }
                }
            });
        }
        if let Some(moments) = moments {
            let rows_of = |chunk: usize| self.outputs_of(shape, chunk % self.bands).len() * width;
            join_moments(cpu, channels, partial, rows_of, moments);
        }
    }

    pub(super) fn backward_workspace(&self, shape: &Conv2dShape, threads: usize, precision: Precision) -> usize {
        let rows: usize = self.rows_len(shape).iter().sum();
        let scratch = rows + self.results_len(shape, precision)[1];
        self.chunks() * shape.weight_len() + Workers::len(threads, scratch)
    }

    pub(super) fn backward<E: Element>(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        source: &Source<'_, E>,
        weight: &[f32],
        gradient: &Gradient<'_, E>,
        (dx, dweight): (&mut [E], &mut [f32]),
        norm_sums: Option<&NormSums<'_>>,
        workspace: &mut [f32],
    ) {
        let channels = shape.in_channels;
        let (row_len, out_row_len) = (shape.width * channels, shape.out_width() * channels);
        let (weight_sums, scratch) = workspace.split_at_mut(self.chunks() * dweight.len());
        let [source_len, gradient_len] = self.rows_len(shape);
        let workers = Workers::new(scratch, source_len + gradient_len + self.results_len(shape, E::PRECISION)[1]);
        {
            let (dx, sums) = (Disjoint::new(dx), Disjoint::new(&mut *weight_sums));
            cpu.pool().run(self.chunks(), &|chunk, worker| {
                let (picture, band) = (chunk / self.bands, chunk % self.bands);
                // SAFETY: a worker runs one task at a time, and a chunk has its own sums.
                let (scratch, weight_sums) =
                    unsafe { (workers.scratch(worker), sums.slice(chunk * dweight.len(), dweight.len())) };
                weight_sums.fill(0.0);
                let (source_rows_held, rest) = scratch.split_at_mut(source_len);
                let (gradient_rows_held, results) = rest.split_at_mut(gradient_len);
                let mut source_held = RollingRows::new(source_rows_held, row_len);
                let mut gradient_held = RollingRows::new(gradient_rows_held, out_row_len);
                let first = self.outputs_of(shape, band).start;
                let first_dy = picture * shape.out_height();
                for step in self.steps(shape, band) {
                    let rows = source_rows(cpu, shape, source, picture, &step.source, &mut source_held);
                    let dy = gradient_held.hold(step.gradient.clone(), |rows, to| {
                        let range = (first_dy + rows.start) * out_row_len..(first_dy + rows.end) * out_row_len;
                        gradient.fill(cpu, range, channels, channels, to);
                    });
                    let at = (picture * shape.height + step.inputs.start) * row_len;
                    // SAFETY: every row of every picture comes once.
                    let to = unsafe { dx.slice(at, step.inputs.len() * row_len) };
                    let dx = room_for(to, results);
                    // What the next step reads is asked for meanwhile.
                    let next_out = first_dy + step.gradient.end;
                    for (i, (iy, dx)) in step.inputs.clone().zip(dx.chunks_exact_mut(row_len)).enumerate() {
                        let is_first = i % shape.stride[0] == 0;
                        let next = rows_from(gradient.dy, next_out + i / shape.stride[0], out_row_len);
                        let next = next.filter(|_| is_first).and_then(E::as_f32);
                        self.kernels.grad_input_row(shape, [dy, weight], [step.gradient.start, iy], next, dx);
                    }
                    for (i, oy) in step.outputs.clone().enumerate() {
                        let dy = &dy[(oy - step.gradient.start) * out_row_len..][..out_row_len];
                        let row = picture * shape.height + step.source.end + i * shape.stride[0];
                        let y = gradient.norm.as_ref().map_or(gradient.dy, |norm| norm.y);
                        let next = rows_from(source.x, row, row_len).zip(rows_from(y, next_out + i, out_row_len));
                        let next = next.and_then(|(x, y)| Some([E::as_f32(x)?, E::as_f32(y)?]));
                        let first = [step.source.start, oy];
                        self.kernels.add_grad_weight_row(shape, [rows, dy], first, next, weight_sums);
                    }
                    if let Some(sums) = norm_sums {
                        let x = &source.x[at..at + step.inputs.len() * row_len];
                        // SAFETY: a chunk has its own part.
                        unsafe { sums.add(cpu, chunk, step.outputs.start == first, x, dx) }
                    }
                    round_into(cpu, results, to);
                }
            });
        }
        add_chunks(cpu, weight_sums, dweight);
    }
}

/// Rows of a picture as the convolution reads them.
fn source_rows<'r, E: Element>(
    cpu: &Cpu,
    shape: &Conv2dShape,
    source: &Source<'r, E>,
    picture: usize,
    need: &Range<usize>,
    rolling: &'r mut RollingRows<'_>,
) -> &'r [f32] {
    let row_len = shape.width * shape.in_channels;
    let rows = |rows: &Range<usize>| {
        let first = picture * shape.height;
        &source.x[(first + rows.start) * row_len..(first + rows.end) * row_len]
    };
    match (&source.norm, E::as_f32(rows(need))) {
        (None, Some(rows)) => rows,
        (None, None) => rolling.hold(need.clone(), |missing, to| convert_part(cpu, rows(&missing), to)),
        (Some(norm), _) => rolling.hold(need.clone(), |missing, to| {
            norm.apply(cpu, rows(&missing), shape.in_channels, to);
        }),
    }
}

/// A map from a row on, if there is such a row.
fn rows_from<E>(map: &[E], row: usize, row_len: usize) -> Option<&[E]> {
    map.get(row * row_len..)
}
