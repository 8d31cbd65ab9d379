//! Convolution with an epilogue.

use avizor_kernels::Cpu;
use avizor_kernels::conv2d::{Conv2dForward, Conv2dPacked, Epilogue};
use avizor_kernels::unary::Unary;

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

/// Among the inputs.
const WEIGHT: usize = 1;

impl Lower for ops::Conv2dFused {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let shape = self.conv.kernel_shape(site.input(0), site.input(WEIGHT));
        let plan = Conv2dForward::with_methods(site.cpu, shape, site.conv2d_methods);
        let operands = Operands { bias: self.bias, residual: self.residual, activation: self.activation };
        let kernel = kernel(plan.kernel_name(), plan.workspace(), operands, move |cpu, x, weight, epilogue, y, ws| {
            plan.run(cpu, x, weight, epilogue, y, ws);
        });
        keeping_weight(kernel, plan.packed(), site, operands).counting(shape.multiply_adds())
    }
}

/// What a convolution reads beside input and weight, and what it does last.
#[derive(Clone, Copy)]
pub(super) struct Operands {
    pub(super) bias: bool,
    pub(super) residual: bool,
    pub(super) activation: Option<Unary>,
}

/// The same kernel, or one that keeps a weight that stays in the form that it reads.
pub(super) fn keeping_weight(
    plain: Kernel,
    packed: Option<Conv2dPacked>,
    site: &Site<'_>,
    operands: Operands,
) -> Kernel {
    let Some(plan) = packed.filter(|_| site.stays[WEIGHT]) else { return plain };
    kernel(plan.kernel_name(), plan.workspace(), operands, move |cpu, x, packed, epilogue, y, ws| {
        plan.run(cpu, x, packed, epilogue, y, ws);
    })
    .packing(WEIGHT, plan.packed_len(), move |cpu, call| {
        let ([weight], [packed]) = call.slices();
        plan.pack(cpu, weight, packed);
    })
}

/// A kernel of a run that takes x, weight, epilogue, y and workspace.
pub(super) fn kernel(
    name: &'static str,
    words: usize,
    operands: Operands,
    run: impl Fn(&Cpu, &[f32], &[f32], Epilogue<'_>, &mut [f32], &mut [f32]) + Send + Sync + 'static,
) -> Kernel {
    let Operands { bias, residual, activation } = operands;
    let inputs = [Some(0), Some(WEIGHT), bias.then_some(2), residual.then_some(2 + usize::from(bias))];
    Kernel::with_workspace(name, words, move |cpu, call| {
        let ([x, weight, of_bias, of_residual], [y, workspace]) = call.slices_of(inputs);
        let epilogue =
            Epilogue { bias: bias.then_some(of_bias), residual: residual.then_some(of_residual), activation };
        run(cpu, x, weight, epilogue, y, workspace);
    })
}
