//! Convolution with an epilogue.

use avizor_kernels::conv2d::{Conv2dForward, Conv2dPacked, Epilogue};
use avizor_kernels::unary::Unary;
use avizor_kernels::{Cpu, Element, Precision, elements, elements_mut};

use crate::lower::{Kernel, Lower, Maps, Site};
use crate::ops;

/// Among the inputs.
const WEIGHT: usize = 1;

impl Lower for ops::Conv2dFused {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = self.conv.kernel_shape(site.input(0), site.input(WEIGHT));
        let plan = Conv2dForward::of_maps(site.cpu, shape, site.conv2d_methods, E::PRECISION);
        let plan = plan.expect("there is a kernel for the maps that `maps` names");
        let lens = [shape.input_len(), shape.output_len()];
        let operands = Operands { bias: self.bias, residual: self.residual, activation: self.activation };
        let words = plan.workspace();
        let kernel = kernel::<E>(plan.kernel_name(), words, operands, lens, move |cpu, x, weight, epilogue, y, ws| {
            plan.run(cpu, x, weight, epilogue, y, ws);
        });
        keeping_weight::<E>(kernel, plan.packed(), site, operands, lens).counting(shape.multiply_adds())
    }

    fn maps(&self, site: &Site<'_>) -> Option<Maps> {
        let shape = self.conv.kernel_shape(site.input(0), site.input(WEIGHT));
        let plan = Conv2dForward::of_maps(site.cpu, shape, site.conv2d_methods, Precision::Bf16);
        let epilogue = Epilogue { activation: self.activation, ..Epilogue::NONE };
        let suits = !self.residual && epilogue.suits(Precision::Bf16);
        plan.filter(|_| suits).map(|_| Maps { inputs: &[0], outputs: &[0] })
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
pub(super) fn keeping_weight<E: Element>(
    plain: Kernel,
    packed: Option<Conv2dPacked>,
    site: &Site<'_>,
    operands: Operands,
    lens: [usize; 2],
) -> Kernel {
    let Some(plan) = packed.filter(|_| site.stays[WEIGHT]) else { return plain };
    kernel::<E>(plan.kernel_name(), plan.workspace(), operands, lens, move |cpu, x, packed, epilogue, y, ws| {
        plan.run(cpu, x, packed, epilogue, y, ws);
    })
    .packing(WEIGHT, plan.packed_len(), move |cpu, call| {
        let ([weight], [packed]) = call.slices();
        plan.pack(cpu, weight, packed);
    })
}

/// A kernel of a run that takes x, weight, epilogue, y and workspace; x and y have so many numbers.
pub(super) fn kernel<E: Element>(
    name: &'static str,
    words: usize,
    operands: Operands,
    [x_len, y_len]: [usize; 2],
    run: impl Fn(&Cpu, &[E], &[f32], Epilogue<'_>, &mut [E], &mut [f32]) + Send + Sync + 'static,
) -> Kernel {
    let Operands { bias, residual, activation } = operands;
    let inputs = [Some(0), Some(WEIGHT), bias.then_some(2), residual.then_some(2 + usize::from(bias))];
    Kernel::with_workspace(name, words, move |cpu, call| {
        let ([x, weight, of_bias, of_residual], [y, workspace]) = call.slices_of(inputs);
        let epilogue =
            Epilogue { bias: bias.then_some(of_bias), residual: residual.then_some(of_residual), activation };
        run(cpu, elements(x, x_len), weight, epilogue, elements_mut(y, y_len), workspace);
    })
}
