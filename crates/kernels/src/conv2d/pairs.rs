//! Convolutions of maps in 16 bits by instructions that sum two products of 16 bits at once: windows of words that are
//! pairs of channels, and for the gradient of the weight pairs of pixels. The weight is rounded to 16 bits too; sums
//! are f32.

use super::forward::{self, product};
use super::grad_input::{self, Phase};
use super::implicit::Piece;
use super::method::{Forward, GradInput, GradWeight, Method, Pass};
use super::{Conv2dMethods, Conv2dShape, Epilogue, grad_weight};
use crate::floats::pairs;
use crate::gemm::{GEMM_OF_PAIRS, Gemm, GemmKernel, pack_pairs, pack_transposed_pairs};
use crate::workers::Workers;
use crate::{Cpu, Floats, FloatsMut, Level, Precision};

/// The method: a kernel of the table of pairs applied to windows.
#[derive(Debug)]
pub(crate) struct PairGemm {
    name: &'static str,
    /// Its name as a 1×1 convolution with norms: see [`normed`](super::normed).
    pub(super) normed_name: &'static str,
    level: Level,
}

/// The rows of all levels that have one, the most capable first.
pub(crate) static ROWS: &[PairGemm] = &[
    #[cfg(target_arch = "x86_64")]
    PairGemm { name: "conv2d_gemm_bf16_avx512", normed_name: "pointwise_norm_bf16_avx512", level: Level::Avx512 },
    PairGemm { name: "conv2d_gemm_bf16_scalar", normed_name: "pointwise_norm_bf16_scalar", level: Level::Scalar },
];

impl PairGemm {
    fn kernel(&self) -> &'static GemmKernel {
        GEMM_OF_PAIRS
            .iter()
            .find(|kernel| kernel.level == self.level)
            .expect("the table has a row for every level here")
    }

    pub(super) fn gemm(&self) -> Gemm {
        Gemm::new(self.kernel()).expect("a method is run only where it is available")
    }

    pub(super) fn panel_columns(&self, columns: usize) -> usize {
        self.kernel().panel_columns(columns)
    }
}

/// The shape whose inputs are words.
fn of_input_words(shape: &Conv2dShape) -> Conv2dShape {
    Conv2dShape { in_channels: shape.in_channels / 2, ..*shape }
}

/// The shape whose outputs are words.
fn of_output_words(shape: &Conv2dShape) -> Conv2dShape {
    Conv2dShape { out_channels: shape.out_channels / 2, ..*shape }
}

/// [`Method::takes`] no other.
fn words(map: Floats<'_>) -> &[f32] {
    let Floats::Bf16(map) = map else { unreachable!("only bf16 is taken") };
    pairs(map)
}

impl Method for PairGemm {
    fn name(&self) -> &'static str {
        self.name
    }

    fn level(&self) -> Level {
        self.level
    }

    fn is_available(&self) -> bool {
        self.kernel().is_available()
    }

    fn fits(&self, shape: &Conv2dShape, pass: Pass) -> bool {
        match pass {
            Pass::Forward => shape.group_in().is_multiple_of(2),
            Pass::GradInput => shape.group_out().is_multiple_of(2),
            // A pixel that is left over has zeros beside it.
            Pass::GradWeight => true,
        }
    }

    fn takes(&self, precision: Precision) -> bool {
        precision == Precision::Bf16
    }

    fn pays(&self, _shape: &Conv2dShape, _pass: Pass, _methods: Conv2dMethods) -> bool {
        self.level.has_pairs()
    }
}

impl Forward for PairGemm {
    fn workspace(&self, shape: &Conv2dShape, threads: usize, _precision: Precision) -> usize {
        let product = product(&of_input_words(shape), self.panel_columns(shape.group_out()));
        let scratch = product.scratch_len(Precision::F32, Precision::Bf16);
        product.panels() * product.panel_len() + Workers::len(threads, scratch)
    }

    fn run(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        x: Floats<'_>,
        weight: &[f32],
        epilogue: Epilogue<'_>,
        y: FloatsMut<'_>,
        workspace: &mut [f32],
    ) {
        let (gemm, width) = (self.gemm(), self.panel_columns(shape.group_out()));
        let product = product(&of_input_words(shape), width);
        let (packed, scratch) = workspace.split_at_mut(product.panels() * product.panel_len());
        cpu.pool().for_each_chunk(packed, product.panel_len(), |number, panel| {
            product.pack_panel(number, panel, |piece, part| {
                let row = piece.tap * shape.group_in() + 2 * piece.channels.start;
                let column = piece.group * shape.group_out() + piece.columns.start;
                let row_of = |row: usize| &weight[row * shape.out_channels + column..][..piece.columns.len()];
                pack_pairs(part, width, |i| [row_of(row + 2 * i), row_of(row + 2 * i + 1)]);
            });
        });
        forward::run(cpu, gemm, &product, Floats::F32(words(x)), packed, epilogue, y, scratch);
    }
}

impl GradInput for PairGemm {
    fn workspace(&self, shape: &Conv2dShape, threads: usize, _precision: Precision) -> usize {
        let precisions = [Precision::F32, Precision::Bf16];
        grad_input::workspace(&of_output_words(shape), self.panel_columns(shape.group_in()), threads, precisions)
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
            let column = piece.group * shape.group_out() + 2 * piece.channels.start;
            pack_transposed_pairs(part, width, piece.columns.len(), |j| {
                &weight[(row + j) * shape.out_channels + column..][..2 * piece.channels.len()]
            });
        };
        let dy = Floats::F32(words(dy));
        grad_input::run(cpu, self.gemm(), &of_output_words(shape), width, dy, pack, dx, workspace);
    }
}

impl GradWeight for PairGemm {
    fn workspace(&self, shape: &Conv2dShape, threads: usize, _precision: Precision) -> usize {
        grad_weight::Plan::of_pairs(shape, self.panel_columns(shape.group_out())).workspace(threads)
    }

    fn run(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        x: Floats<'_>,
        dy: Floats<'_>,
        dweight: &mut [f32],
        workspace: &mut [f32],
    ) {
        let plan = grad_weight::Plan::of_pairs(shape, self.panel_columns(shape.group_out()));
        plan.run(cpu, self.gemm(), x, dy, dweight, workspace);
    }
}
