//! 1×1 convolutions: blocks of pixels, products of matrices.

mod backward;

use std::ops::Range;

use super::Source;
use crate::batch_norm::{BatchNormShape, batch_norm_workspace};
use crate::batch_norm::{add_moments, batch_norm_moments, join_moments};
use crate::conv2d::implicit::{self, BLOCK_PIXELS, ImplicitGemm};
use crate::conv2d::method::at_level;
use crate::conv2d::pairs::{self, PairGemm};
use crate::conv2d::pointwise::{Columns, Layer, Pointwise};
use crate::conv2d::{Conv2dShape, Epilogue};
use crate::floats::{Target, convert_part, pairs as words_of};
use crate::gemm::{Gemm, L2_BYTES};
use crate::pool::Disjoint;
use crate::workers::Workers;
use crate::{Cpu, Element, Floats, Level, Precision};

/// The work is cut into about so many chunks of pixels, enough for 16 threads to end at about the same time. It does not
/// depend on the number of threads there are.
const CHUNKS: usize = 32;
/// Numbers that the sums of all chunks take at most (8 MiB).
const MAX_SUMS: usize = 2 << 20;
/// Bytes of a block of pixels, on both sides of the convolution.
const BLOCK_BYTES: usize = L2_BYTES / 2;

/// How pixels are cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct PointwisePlan {
    method: &'static ImplicitGemm,
    pixels: usize,
    inputs: usize,
    outputs: usize,
    /// Pixels of a block; a chunk is some blocks.
    block: usize,
    chunks: usize,
    /// Tasks side by side over the columns of a block, where there are few pixels.
    sides: usize,
    /// The kernel where maps are of 16 bits and channels go two by two.
    of_pairs: Option<&'static PairGemm>,
}

impl PointwisePlan {
    fn new(level: Level, shape: &Conv2dShape) -> Option<Self> {
        let is_pointwise =
            shape.kernel == [1, 1] && shape.stride == [1, 1] && shape.padding == [0, 0] && shape.trailing == [0, 0];
        if !is_pointwise || shape.groups > 1 {
            return None;
        }
        let (pixels, inputs, outputs) = (shape.out_pixels(), shape.in_channels, shape.out_channels);
        let most = (BLOCK_BYTES / 4 / (inputs + outputs)).clamp(24, BLOCK_PIXELS);
        let block = pixels.div_ceil(pixels.div_ceil(most));
        let chunks = CHUNKS.min(pixels.div_ceil(block));
        let method = at_level(implicit::ROWS, level);
        Some(Self { method, pixels, inputs, outputs, block, chunks, sides: 1, of_pairs: None })
    }

    pub(super) fn of_forward(level: Level, shape: &Conv2dShape) -> Option<Self> {
        let mut plan = Self::new(level, shape)?;
        let panels = plan.outputs.div_ceil(plan.product().panel);
        plan.sides = CHUNKS.div_ceil(plan.chunks).min(panels);
        Some(plan)
    }

    /// Where maps are large beside the weight: every chunk has sums of its own for it, and it is read for every block.
    pub(super) fn of_backward(level: Level, shape: &Conv2dShape) -> Option<Self> {
        let mut plan = Self::new(level, shape)?;
        plan.chunks = plan.chunks.min(MAX_SUMS / shape.weight_len());
        (plan.chunks >= CHUNKS / 2).then_some(plan)
    }

    /// The same for maps of a type: of 16 bits, by pairs where the level has the instruction.
    pub(super) fn of_maps(self, level: Level, precision: Precision, summed: usize) -> Self {
        let pays = precision == Precision::Bf16 && level.has_pairs() && summed.is_multiple_of(2);
        Self { of_pairs: pays.then(|| at_level(pairs::ROWS, level)), ..self }
    }

    /// Whether the weight is rounded to 16 bits.
    #[cfg(test)]
    pub(super) fn is_of_pairs(&self) -> bool {
        self.of_pairs.is_some()
    }

    /// By pairs in plain Rust, whatever the machine has.
    #[cfg(test)]
    pub(super) fn of_plain_pairs(self) -> Self {
        Self { of_pairs: pairs::ROWS.last(), ..self }
    }

    pub(super) fn kernel_name(&self) -> &'static str {
        self.of_pairs.map_or(self.method.normed_name, |pairs| pairs.normed_name)
    }

    pub(super) fn chunks(&self) -> usize {
        self.chunks
    }

    fn blocks(&self, chunk: usize) -> Range<usize> {
        let all = self.pixels.div_ceil(self.block);
        chunk * all / self.chunks..(chunk + 1) * all / self.chunks
    }

    fn pixels_of(&self, block: usize) -> Range<usize> {
        block * self.block..((block + 1) * self.block).min(self.pixels)
    }

    fn pixels_of_chunk(&self, chunk: usize) -> usize {
        self.blocks(chunk).map(|block| self.pixels_of(block).len()).sum()
    }

    /// Its depth is words.
    fn product(&self) -> Pointwise {
        let depth = if self.of_pairs.is_some() { self.inputs / 2 } else { self.inputs };
        Pointwise { depth, columns: self.outputs, panel: self.panel_columns(self.outputs) }
    }

    fn panel_columns(&self, columns: usize) -> usize {
        self.of_pairs.map_or_else(|| self.method.panel_columns(columns), |pairs| pairs.panel_columns(columns))
    }

    fn gemm(&self) -> Gemm {
        self.of_pairs.map_or_else(|| self.method.gemm(), PairGemm::gemm)
    }
}

impl PointwisePlan {
    pub(super) fn forward_workspace(&self, threads: usize, precision: Precision) -> usize {
        let moments = if self.sides > 1 { batch_norm_workspace(self.result_shape()) } else { 0 };
        let scratch = self.block * self.inputs + self.results_len(precision, self.outputs);
        (self.product().packed_len() + Workers::len(threads, scratch)).max(moments)
    }

    /// Numbers of a block of results that are made before they are rounded.
    fn results_len(&self, precision: Precision, channels: usize) -> usize {
        match precision {
            Precision::F32 => 0,
            Precision::Bf16 => self.block * channels,
        }
    }

    fn result_shape(&self) -> BatchNormShape {
        BatchNormShape { rows: self.pixels, channels: self.outputs }
    }

    pub(super) fn forward<E: Element>(
        &self,
        cpu: &Cpu,
        source: &Source<'_, E>,
        weight: &[f32],
        y: &mut [E],
        moments: Option<&mut [f32]>,
        partial: &mut [f64],
        workspace: &mut [f32],
    ) {
        let product = self.product();
        let (packed, scratch) = workspace.split_at_mut(product.packed_len());
        match self.of_pairs {
            Some(_) => product.pack_pairs(cpu.pool(), weight, packed),
            None => product.pack(cpu.pool(), weight, packed),
        }
        {
            let layer = Layer::new(cpu, packed, Epilogue::NONE);
            let copy_len = self.block * self.inputs;
            let workers = Workers::new(scratch, copy_len + self.results_len(E::PRECISION, self.outputs));
            let target = Target::from(E::floats_mut(&mut *y));
            let parts = (moments.is_some() && self.sides == 1).then(|| Disjoint::new(&mut *partial));
            let gemm = self.gemm();
            cpu.pool().run(self.chunks * self.sides, &|task, worker| {
                let (chunk, side) = (task / self.sides, task % self.sides);
                // SAFETY: a worker runs one task at a time.
                let (copy, results) = unsafe { workers.scratch(worker) }.split_at_mut(copy_len);
                let blocks = self.blocks(chunk);
                for block in blocks.clone() {
                    let pixels = self.pixels_of(block);
                    let x = &source.x[pixels.start * self.inputs..pixels.end * self.inputs];
                    let left = self.left(cpu, source, x, copy);
                    let all = self.columns_of(side);
                    let at = pixels.start * self.outputs;
                    // SAFETY: every task has its own pixels and columns, and its own chunk of the sums.
                    unsafe {
                        let part = parts.as_ref().map(|parts| parts.slice(chunk * 3 * self.outputs, 3 * self.outputs));
                        let (len, is_first) = (pixels.len() * self.outputs, block == blocks.start);
                        match &target {
                            Target::F32(target) => {
                                let columns = Columns { all, first: 0, pitch: self.outputs };
                                product.run(gemm, &layer, left, None, columns, target, at);
                                if let Some(part) = part {
                                    add_moments(cpu, self.outputs, target.slice(at, len), is_first, part);
                                }
                            }
                            Target::Bf16(target) => {
                                let (first, width) = (all.start, all.len());
                                let columns = Columns { all, first, pitch: width };
                                product.run(gemm, &layer, left, None, columns, &Disjoint::new(results), 0);
                                for (pixel, from) in results.chunks_exact(width).enumerate().take(pixels.len()) {
                                    convert_part(cpu, from, target.slice(at + pixel * self.outputs + first, width));
                                }
                                if let Some(part) = part {
                                    add_moments(cpu, self.outputs, target.slice(at, len), is_first, part);
                                }
                            }
                        }
                    }
                }
            });
        }
        match moments {
            Some(moments) if self.sides == 1 => {
                join_moments(cpu, self.outputs, partial, |chunk| self.pixels_of_chunk(chunk), moments);
            }
            Some(moments) => batch_norm_moments(cpu, self.result_shape(), y, moments, workspace),
            None => {}
        }
    }

    /// What the convolution reads of some pixels, as words.
    fn left<'l, E: Element>(&self, cpu: &Cpu, source: &Source<'_, E>, x: &'l [E], copy: &'l mut [f32]) -> &'l [f32] {
        match (&source.norm, E::floats(x)) {
            (_, Floats::Bf16(_)) if self.of_pairs.is_some() => words_of(source.rows(cpu, x, self.inputs, copy)),
            (None, Floats::F32(x)) => x,
            (None, Floats::Bf16(x)) => {
                let copy = &mut copy[..x.len()];
                convert_part(cpu, x, copy);
                copy
            }
            (Some(norm), _) => {
                let copy = &mut copy[..x.len()];
                norm.apply(cpu, x, self.inputs, copy);
                copy
            }
        }
    }

    fn columns_of(&self, side: usize) -> Range<usize> {
        let panel = self.product().panel;
        let panels = self.outputs.div_ceil(panel);
        let place = |side: usize| (side * panels / self.sides * panel).min(self.outputs);
        place(side)..place(side + 1)
    }
}
