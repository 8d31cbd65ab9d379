//! The gradient of the input as products of windows of dy, one for each phase of the stride.

use super::Conv2dShape;
use super::implicit::{ImplicitGemm, Piece, Target, Tensors, WindowProduct};
use super::method::GradInput;
use super::window::{Axis, Windows};
use crate::elementwise::fill;
use crate::floats::Target as Results;
use crate::gemm::{Gemm, pack_transposed};
use crate::workers::Workers;
use crate::{Cpu, Floats, FloatsMut, Precision};

impl GradInput for ImplicitGemm {
    fn workspace(&self, shape: &Conv2dShape, threads: usize, precision: Precision) -> usize {
        workspace(shape, self.panel_columns(shape.group_in()), threads, [precision; 2])
    }

    fn run(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        dy: Floats<'_>,
        weight: &[f32],
        dx: FloatsMut<'_>,
        workspace: &mut [f32],
    ) {
        let width = self.panel_columns(shape.group_in());
        let pack = |phase: &Phase, piece: Piece, part: &mut [f32]| {
            let row = phase.row_of(shape, &piece);
            let column = piece.group * shape.group_out() + piece.channels.start;
            pack_transposed(part, width, piece.columns.len(), |j| {
                &weight[(row + j) * shape.out_channels + column..][..piece.channels.len()]
            });
        };
        run(cpu, self.gemm(), shape, width, dy, pack, dx, workspace);
    }
}

/// Numbers of workspace of [`run`], with types of dy and dx.
pub(super) fn workspace(shape: &Conv2dShape, width: usize, threads: usize, precisions: [Precision; 2]) -> usize {
    packed_len(shape, width) + Workers::len(threads, scratch_len(shape, width, precisions))
}

/// Computes dx, with a shape that counts dy's words. `pack` makes a piece of the weight of a phase.
pub(super) fn run(
    cpu: &Cpu,
    gemm: Gemm,
    shape: &Conv2dShape,
    width: usize,
    dy: Floats<'_>,
    pack: impl Fn(&Phase, Piece, &mut [f32]) + Sync,
    mut dx: FloatsMut<'_>,
    workspace: &mut [f32],
) {
    let (packed, copies) = workspace.split_at_mut(packed_len(shape, width));
    let mut rest = &mut *packed;
    for phase in phases(shape, width) {
        let (part, after) = rest.split_at_mut(phase.product.panels() * phase.product.panel_len());
        cpu.pool().for_each_chunk(part, phase.product.panel_len(), |number, panel| {
            phase.product.pack_panel(number, panel, |piece, part| pack(&phase, piece, part));
        });
        rest = after;
    }
    let workers = Workers::new(copies, scratch_len(shape, width, [dy.precision(), dx.precision()]));
    let all = phases(shape, width).map(|phase| phase.product.tasks()).sum();
    if phases(shape, width).count() < shape.stride[0].min(shape.height) * shape.stride[1].min(shape.width) {
        // Pixels that no tap meets.
        match &mut dx {
            FloatsMut::F32(dx) => fill(cpu, 0.0, dx),
            FloatsMut::Bf16(dx) => fill(cpu, 0.0, dx),
        }
    }
    let target = Results::from(dx);
    cpu.pool().run(all, &|mut task, worker| {
        let mut at = 0;
        for phase in phases(shape, width) {
            let product = phase.product;
            if task < product.tasks() {
                let packed = &packed[at..];
                let tensors = Tensors {
                    cpu,
                    source: dy,
                    packed,
                    target: &target,
                    bias: None,
                    residual: None,
                    ceiling: None,
                    late: None,
                };
                // SAFETY: a worker runs one task at a time; tasks of different numbers, and phases, write
                // different parts of dx.
                return unsafe { product.run(gemm, task, &tensors, workers.scratch(worker)) };
            }
            task -= product.tasks();
            at += product.panels() * product.panel_len();
        }
    });
}

/// The pixels of dx whose rows and columns leave the same remainders by the stride.
pub(super) struct Phase {
    product: WindowProduct,
    /// The taps that meet them, as axes of the kernel: the first one in the order of the windows, and how many.
    last_tap: [usize; 2],
    taps: [usize; 2],
}

/// The phases that some tap meets.
fn phases(shape: &Conv2dShape, panel: usize) -> impl Iterator<Item = Phase> {
    let [down, across] = shape.stride;
    (0..down.min(shape.height) * across)
        .filter_map(move |number| phase(shape, [number / across, number % across], panel))
}

fn phase(shape: &Conv2dShape, first: [usize; 2], panel: usize) -> Option<Phase> {
    let source = [shape.out_height(), shape.out_width()];
    let target = [shape.height, shape.width];
    let mut axes = [None; 2];
    for i in 0..2 {
        axes[i] = axis(shape, i, first[i], source[i], target[i]);
    }
    let [(rows, bottom), (columns, right)] = [axes[0]?, axes[1]?];
    let windows = Windows { batch: shape.batch, rows, columns, channels: shape.out_channels };
    let target =
        Target { height: shape.height, width: shape.width, channels: shape.in_channels, first, step: shape.stride };
    // Where single pixels of dy lie as those of dx do, both are one long row.
    let flat = if [rows.out, columns.out] == [target.height, target.width] { windows.flattened() } else { windows };
    let row = Target { height: flat.rows.out, width: flat.columns.out, step: [1, 1], ..target };
    let target = if flat == windows { target } else { row };
    Some(Phase {
        product: WindowProduct::new(flat, target, shape.groups, panel),
        last_tap: [bottom, right],
        taps: [rows.taps, columns.taps],
    })
}

/// Pixel `q · stride + first` of dx meets tap k where `q · stride + first + padding - k` is a multiple of the stride:
/// every stride-th tap. Their places in dy rise as k falls, so the last tap comes first. `None` where there is none.
fn axis(shape: &Conv2dShape, i: usize, first: usize, source: usize, target: usize) -> Option<(Axis, usize)> {
    let (stride, kernel) = (shape.stride[i], shape.kernel[i]);
    let place = first + shape.padding[i];
    let first_tap = place % stride;
    if first >= target || first_tap >= kernel {
        return None;
    }
    let taps = (kernel - first_tap).div_ceil(stride);
    let last_tap = first_tap + (taps - 1) * stride;
    let origin = (place as isize - last_tap as isize) / stride as isize;
    Some((Axis { source, out: (target - first).div_ceil(stride), taps, step: 1, origin }, last_tap))
}

fn scratch_len(shape: &Conv2dShape, width: usize, [dy, dx]: [Precision; 2]) -> usize {
    phases(shape, width).map(|phase| phase.product.scratch_len(dy, dx)).max().unwrap_or(0)
}

fn packed_len(shape: &Conv2dShape, width: usize) -> usize {
    phases(shape, width).map(|phase| phase.product.panels() * phase.product.panel_len()).sum()
}

impl Phase {
    /// The row of the weight, `[kernel height][kernel width][in / groups]`, that a piece starts with.
    pub(super) fn row_of(&self, shape: &Conv2dShape, piece: &Piece) -> usize {
        let [y, x] = [piece.tap / self.taps[1], piece.tap % self.taps[1]];
        let [y, x] = [self.last_tap[0] - y * shape.stride[0], self.last_tap[1] - x * shape.stride[1]];
        (y * shape.kernel[1] + x) * shape.group_in() + piece.columns.start
    }
}
