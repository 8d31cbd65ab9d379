//! The forward pass as a product of windows.

use super::implicit::{ImplicitGemm, Target, Tensors, WindowProduct};
use super::method::{Forward, Method, PackedForward, Pass};
use super::window::Windows;
use super::{Conv2dShape, Epilogue};
use crate::floats::Target as Results;
use crate::gemm::{Gemm, pack_rows};
use crate::workers::Workers;
use crate::{Cpu, Floats, FloatsMut, Level, Precision};

impl Method for ImplicitGemm {
    fn name(&self) -> &'static str {
        self.name
    }

    fn level(&self) -> Level {
        self.level
    }

    fn fits(&self, _shape: &Conv2dShape, _pass: Pass) -> bool {
        true
    }
}

impl Forward for ImplicitGemm {
    fn packed(&self, _shape: &Conv2dShape) -> Option<&dyn PackedForward> {
        Some(self)
    }

    fn workspace(&self, shape: &Conv2dShape, threads: usize, precision: Precision) -> usize {
        self.packed_len(shape) + self.run_workspace(shape, threads, precision)
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
        let (packed, rest) = workspace.split_at_mut(self.packed_len(shape));
        self.pack(cpu, shape, weight, packed);
        self.run_packed(cpu, shape, x, packed, epilogue, y, rest);
    }
}

impl PackedForward for ImplicitGemm {
    fn packed_len(&self, shape: &Conv2dShape) -> usize {
        let product = product(shape, self.panel_columns(shape.group_out()));
        product.panels() * product.panel_len()
    }

    fn pack(&self, cpu: &Cpu, shape: &Conv2dShape, weight: &[f32], packed: &mut [f32]) {
        let width = self.panel_columns(shape.group_out());
        let product = product(shape, width);
        cpu.pool().for_each_chunk(packed, product.panel_len(), |number, panel| {
            product.pack_panel(number, panel, |piece, part| {
                let row = piece.tap * shape.group_in() + piece.channels.start;
                let column = piece.group * shape.group_out() + piece.columns.start;
                pack_rows(part, width, |i| &weight[(row + i) * shape.out_channels + column..][..piece.columns.len()]);
            });
        });
    }

    fn run_workspace(&self, shape: &Conv2dShape, threads: usize, precision: Precision) -> usize {
        Workers::len(threads, product(shape, self.panel_columns(shape.group_out())).scratch_len(precision, precision))
    }

    fn run_packed(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        x: Floats<'_>,
        packed: &[f32],
        epilogue: Epilogue<'_>,
        y: FloatsMut<'_>,
        workspace: &mut [f32],
    ) {
        let product = product(shape, self.panel_columns(shape.group_out()));
        run(cpu, self.gemm(), &product, x, packed, epilogue, y, workspace);
    }
}

/// Computes y by a product of windows of x's words.
pub(super) fn run(
    cpu: &Cpu,
    gemm: Gemm,
    product: &WindowProduct,
    x: Floats<'_>,
    packed: &[f32],
    epilogue: Epilogue<'_>,
    y: FloatsMut<'_>,
    workspace: &mut [f32],
) {
    let workers = Workers::new(workspace, product.scratch_len(x.precision(), y.precision()));
    let tensors = Tensors {
        cpu,
        source: x,
        packed,
        target: &Results::from(y),
        bias: epilogue.bias,
        residual: epilogue.residual,
        ceiling: epilogue.ceiling(),
        late: epilogue.late(cpu),
    };
    cpu.pool().run(product.tasks(), &|task, worker| {
        // SAFETY: a worker runs one task at a time; tasks of different numbers write different parts of y.
        unsafe { product.run(gemm, task, &tensors, workers.scratch(worker)) }
    });
}

pub(super) fn product(shape: &Conv2dShape, panel: usize) -> WindowProduct {
    let windows = Windows::of_forward(shape);
    let target = Target {
        height: windows.rows.out,
        width: windows.columns.out,
        channels: shape.out_channels,
        first: [0, 0],
        step: [1, 1],
    };
    WindowProduct::new(windows, target, shape.groups, panel)
}
