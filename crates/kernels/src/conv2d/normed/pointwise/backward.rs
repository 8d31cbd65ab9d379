//! The way back of a 1×1 convolution: both gradients, block by block.

use std::ops::Range;

use super::super::{Gradient, LINE, NormSums, Source};
use super::PointwisePlan;
use crate::conv2d::grad_weight::add_chunks;
use crate::conv2d::implicit::BLOCK_DEPTH;
use crate::conv2d::window::copy_short;
use crate::floats::{join, pairs, room_for, round_into};
use crate::gemm::{Gemm, Left, MAX_ROWS, Places, Product, Store, pack_pairs, pack_transposed, pack_transposed_pairs};
use crate::pool::Disjoint;
use crate::workers::Workers;
use crate::{Cpu, Element, Precision};

/// The matrices of the way back: for every block of pixels `dx = dy · weightᵀ` and `dweight += xᵀ · dy`.
///
/// dy lies in panels: rows of one are what the second product reads, and segments of a row what the first does. By pairs,
/// the first sums pairs of channels and reads rows as maps have them; the second sums pairs of pixels.
#[derive(Clone, Copy)]
struct Backward<'p> {
    plan: &'p PointwisePlan,
    gemm: Gemm,
    /// Columns of a panel of dy, and of the packed weight.
    dy_panel: usize,
    dx_panel: usize,
}

impl<'p> Backward<'p> {
    fn new(plan: &'p PointwisePlan) -> Self {
        let [dy_panel, dx_panel] = [plan.outputs, plan.inputs].map(|columns| plan.panel_columns(columns));
        Self { plan, gemm: plan.gemm(), dy_panel, dx_panel }
    }

    fn is_of_pairs(&self) -> bool {
        self.plan.of_pairs.is_some()
    }

    fn dy_panels(&self) -> usize {
        self.plan.outputs.div_ceil(self.dy_panel)
    }

    /// Columns of all panels of dy; those of the last one that do not exist count.
    fn dy_columns(&self) -> usize {
        self.dy_panels() * self.dy_panel
    }

    /// Words that the product sums which gives dx.
    fn depth(&self) -> usize {
        if self.is_of_pairs() { self.plan.outputs / 2 } else { self.dy_columns() }
    }

    /// Words that the product sums which gives dweight, of so many pixels.
    fn words(&self, pixels: usize) -> usize {
        if self.is_of_pairs() { pixels.div_ceil(2) } else { pixels }
    }

    fn packed_len(&self) -> usize {
        self.plan.inputs.div_ceil(self.dx_panel) * self.depth() * self.dx_panel
    }

    fn pack(&self, cpu: &Cpu, weight: &[f32], packed: &mut [f32]) {
        let PointwisePlan { inputs, outputs, .. } = *self.plan;
        let width = self.dx_panel;
        cpu.pool().for_each_chunk(packed, self.depth() * width, |number, panel| {
            let first = number * width;
            let (columns, column) = (width.min(inputs - first), |j| &weight[(first + j) * outputs..][..outputs]);
            if self.is_of_pairs() {
                pack_transposed_pairs(panel, width, columns, column);
            } else {
                let (there, rest) = panel.split_at_mut(outputs * width);
                pack_transposed(there, width, columns, column);
                rest.fill(0.0);
            }
        });
    }

    /// Numbers from one pixel of x to the next: an odd number of cache lines, so that a strip of pixels spreads over all
    /// sets of the cache.
    fn pitch(&self) -> usize {
        if self.plan.inputs < LINE { self.plan.inputs } else { (self.plan.inputs.div_ceil(LINE) | 1) * LINE }
    }

    /// Of a worker: x, dy in panels, and for pairs rows of either.
    fn scratch_len(&self) -> [usize; 3] {
        let words = self.words(self.plan.block);
        let rows = if self.is_of_pairs() { self.plan.block * self.plan.inputs.max(self.plan.outputs) } else { 0 };
        let whole_lines = |len: usize| len.next_multiple_of(LINE);
        [whole_lines(words * self.pitch()), whole_lines(words * self.dy_columns()), whole_lines(rows.div_ceil(2))]
    }

    /// What the convolution read, in rows with gaps.
    fn copy_source<E: Element>(
        &self,
        cpu: &Cpu,
        source: &Source<'_, E>,
        pixels: &Range<usize>,
        x: &mut [f32],
        rows: &mut [f32],
    ) {
        let inputs = self.plan.inputs;
        let from = &source.x[pixels.start * inputs..pixels.end * inputs];
        if self.is_of_pairs() {
            let rows = source.rows(cpu, from, inputs, rows);
            for (pair, to) in rows.chunks(2 * inputs).zip(x.chunks_mut(self.pitch())) {
                let (first, second) = pair.split_at(inputs);
                join(first, second, &mut to[..inputs]);
            }
            return;
        }
        match &source.norm {
            Some(norm) => norm.apply(cpu, from, self.pitch(), x),
            None => {
                for (from, to) in from.chunks_exact(inputs).zip(x.chunks_mut(self.pitch())) {
                    copy_short(from, to);
                }
            }
        }
    }

    /// The convolution's own gradient, in panels, and where the rows of some pixels of it lie.
    fn copy_gradient<'d, E: Element>(
        &self,
        cpu: &Cpu,
        gradient: &Gradient<'d, E>,
        pixels: &Range<usize>,
        panels: &'d mut [f32],
        rows: &'d mut [f32],
    ) -> DyRows<'d> {
        let (width, outputs, count) = (self.dy_panel, self.plan.outputs, pixels.len());
        let range = pixels.start * outputs..pixels.end * outputs;
        if !self.is_of_pairs() {
            gradient.fill(cpu, range, width, outputs, panels);
            return DyRows { words: panels, pixels: count, pitch: width, segments: self.dy_panels(), run: width };
        }
        let rows = gradient.rows(cpu, range, outputs, rows);
        for (number, panel) in panels.chunks_exact_mut(self.words(count) * width).enumerate() {
            let columns = number * width..((number + 1) * width).min(outputs);
            let row = |pixel: usize| rows.get(pixel * outputs..).filter(|rest| !rest.is_empty());
            let row = |pixel| row(pixel).map_or(&[][..], |row| &row[columns.clone()]);
            pack_pairs(panel, width, |i| [row(2 * i), row(2 * i + 1)]);
        }
        DyRows { words: pairs(rows), pixels: count, pitch: outputs / 2, segments: 1, run: outputs / 2 }
    }

    /// `dx = dy · weightᵀ`.
    ///
    /// # Safety
    /// Nobody else touches these pixels of dx.
    unsafe fn input_gradient(&self, dy: &DyRows<'_>, packed: &[f32], next: [&[f32]; 3], dx: &Disjoint<'_, f32>) {
        let inputs = self.plan.inputs;
        let (mut starts, mut results) = ([0; MAX_ROWS], [0; MAX_ROWS]);
        for (pixel, (start, result)) in starts.iter_mut().zip(&mut results).enumerate().take(dy.pixels) {
            *start = pixel * dy.pitch;
            *result = pixel * inputs;
        }
        let (rows, results) = (Places::new(&starts[..dy.pixels]), Places::new(&results[..dy.pixels]));
        let together = (BLOCK_DEPTH / dy.run).max(1);
        let products = dy.segments.div_ceil(together) * self.plan.inputs.div_ceil(self.dx_panel);
        let mut done = 0;
        for first in (0..dy.segments).step_by(together) {
            let mut segments = [0; MAX_ROWS];
            let segments = &mut segments[..together.min(dy.segments - first)];
            segments.iter_mut().zip(first..).for_each(|(segment, i)| *segment = i * dy.pixels * dy.run);
            let depth = first * dy.run..(first + segments.len()) * dy.run;
            for (number, packed) in packed.chunks_exact(self.depth() * self.dx_panel).enumerate() {
                let column = number * self.dx_panel;
                let product = Product {
                    left: Left::Rows { numbers: dy.words, rows, segments, run: dy.run },
                    panel: &packed[depth.start * self.dx_panel..depth.end * self.dx_panel],
                    width: self.dx_panel,
                    c: dx,
                    c_rows: results,
                    c_column: column,
                    columns: self.dx_panel.min(inputs - column),
                    store: Store { accumulate: first > 0, ..Store::default() },
                };
                let share = next.map(|next| &next[next.len() * done / products..next.len() * (done + 1) / products]);
                done += 1;
                // SAFETY: by the caller's promise.
                unsafe { self.gemm.multiply_asking(&product, &share) }
            }
        }
    }

    /// `sums += xᵀ · dy`, or `=` for the first block; the sums start at a place.
    ///
    /// # Safety
    /// Nobody else touches these sums.
    unsafe fn add_weight_gradient(
        &self,
        x: &[f32],
        panels: &[f32],
        is_first: bool,
        sums: &Disjoint<'_, f32>,
        at: usize,
    ) {
        let PointwisePlan { inputs, outputs, .. } = *self.plan;
        let (width, count) = (self.dy_panel, panels.len() / self.dy_columns());
        let mut places = [0; MAX_ROWS];
        places.iter_mut().enumerate().for_each(|(word, place)| *place = word * self.pitch());
        let places = Places::new(&places[..count]);
        for first in (0..inputs).step_by(MAX_ROWS) {
            let rows = MAX_ROWS.min(inputs - first);
            let mut results = [0; MAX_ROWS];
            results.iter_mut().zip(first..).for_each(|(result, row)| *result = at + row * outputs);
            let results = Places::new(&results[..rows]);
            for (number, panel) in panels.chunks_exact(count * width).enumerate() {
                let column = number * width;
                let product = Product {
                    left: Left::Columns { numbers: x, first, places },
                    panel,
                    width,
                    c: sums,
                    c_rows: results,
                    c_column: column,
                    columns: width.min(outputs - column),
                    store: Store { accumulate: !is_first, ..Store::default() },
                };
                // SAFETY: by the caller's promise.
                unsafe { self.gemm.multiply(&product) }
            }
        }
    }
}

/// Rows of dy as a product reads them: pixels `pitch` words apart, in segments of `run` words, one behind the other for
/// all pixels.
struct DyRows<'d> {
    words: &'d [f32],
    pixels: usize,
    pitch: usize,
    segments: usize,
    run: usize,
}

impl PointwisePlan {
    pub(in crate::conv2d::normed) fn backward_workspace(&self, threads: usize, precision: Precision) -> usize {
        let matrices = Backward::new(self);
        let factors: usize = matrices.scratch_len().iter().sum();
        let scratch = factors + self.results_len(precision, self.inputs);
        matrices.packed_len() + self.chunks * self.inputs * self.outputs + Workers::len(threads, scratch)
    }

    pub(in crate::conv2d::normed) fn backward<E: Element>(
        &self,
        cpu: &Cpu,
        source: &Source<'_, E>,
        weight: &[f32],
        gradient: &Gradient<'_, E>,
        (dx, dweight): (&mut [E], &mut [f32]),
        norm_sums: Option<&NormSums<'_>>,
        workspace: &mut [f32],
    ) {
        let matrices = Backward::new(self);
        let (packed, workspace) = workspace.split_at_mut(matrices.packed_len());
        let (weight_sums, scratch) = workspace.split_at_mut(self.chunks * dweight.len());
        matrices.pack(cpu, weight, packed);
        let [x_len, panels_len, rows_len] = matrices.scratch_len();
        let results_len = self.results_len(E::PRECISION, self.inputs);
        let workers = Workers::new(scratch, x_len + panels_len + rows_len + results_len);
        {
            let (dx, sums) = (Disjoint::new(dx), Disjoint::new(&mut *weight_sums));
            cpu.pool().run(self.chunks, &|chunk, worker| {
                // SAFETY: a worker runs one task at a time.
                let (x, rest) = unsafe { workers.scratch(worker) }.split_at_mut(x_len);
                let (panels, rest) = rest.split_at_mut(panels_len);
                let (rows, results) = rest.split_at_mut(rows_len);
                let blocks = self.blocks(chunk);
                for block in blocks.clone() {
                    let pixels = self.pixels_of(block);
                    let panels = &mut panels[..matrices.words(pixels.len()) * matrices.dy_columns()];
                    matrices.copy_source(cpu, source, &pixels, x, rows);
                    let dy = matrices.copy_gradient(cpu, gradient, &pixels, panels, rows);
                    let after = if block + 1 < blocks.end { self.pixels_of(block + 1) } else { 0..0 };
                    let next = next_reads(source, gradient, &after, [self.inputs, self.outputs]);
                    let (is_first, range) =
                        (block == blocks.start, pixels.start * self.inputs..pixels.end * self.inputs);
                    // SAFETY: every task has its own pixels.
                    let to = unsafe { dx.slice(range.start, range.len()) };
                    let made = room_for(to, results);
                    // SAFETY: what is made is this task's; every task has its own sums.
                    unsafe {
                        matrices.input_gradient(&dy, packed, next, &Disjoint::new(made));
                        matrices.add_weight_gradient(x, panels, is_first, &sums, chunk * dweight.len());
                    }
                    if let Some(sums) = norm_sums {
                        // SAFETY: as above.
                        unsafe { sums.add(cpu, chunk, is_first, &source.x[range.clone()], made) }
                    }
                    round_into(cpu, results, to);
                }
            });
        }
        add_chunks(cpu, weight_sums, dweight);
    }
}

/// What is read of some pixels, as whole words.
fn next_reads<'n, E: Element>(
    source: &Source<'n, E>,
    gradient: &Gradient<'n, E>,
    pixels: &Range<usize>,
    [inputs, outputs]: [usize; 2],
) -> [&'n [f32]; 3] {
    let of =
        |map: &'n [E], channels: usize| bytemuck::pod_align_to(&map[pixels.start * channels..pixels.end * channels]).1;
    let y = gradient.norm.as_ref().map_or(&[][..], |norm| of(norm.y, outputs));
    [of(source.x, inputs), of(gradient.dy, outputs), y]
}
