//! Batch norm in its steps.

use avizor_kernels::batch_norm::{
    AfterNorm, BatchNormShape, NormGradients, SavedNorm, batch_norm_apply, batch_norm_gradient_sums,
    batch_norm_input_gradient, batch_norm_moments, batch_norm_statistics, batch_norm_workspace,
};
use avizor_kernels::{Element, elements, elements_mut};

use crate::lower::{Kernel, Lower, Maps, Site};
use crate::ops::{self, batch_norm_shape};

impl Lower for ops::BatchNormMoments {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = batch_norm_shape(site.input(0));
        Kernel::with_workspace("batch_norm_moments", batch_norm_workspace(shape), move |cpu, call| {
            let ([x], [moments, workspace]) = call.slices();
            batch_norm_moments(cpu, shape, elements::<E>(x, shape.len()), moments, workspace);
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0], outputs: &[] })
    }
}

impl Lower for ops::BatchNormStatistics {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = BatchNormShape { rows: self.rows, channels: site.output(0).elements() };
        let ops::BatchNorm { eps, momentum } = self.norm;
        Kernel::new("batch_norm_statistics", move |_, call| {
            let ([moments, gamma, beta], [mean, inv_std, offset, running_mean, running_var]) = call.slices();
            let saved = SavedNorm { mean, inv_std, offset };
            batch_norm_statistics(shape, moments, gamma, beta, eps, momentum, running_mean, running_var, saved);
        })
    }
}

impl Lower for ops::BatchNormApply {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = batch_norm_shape(site.input(0));
        let Self { residual: has_residual, activation } = *self;
        let name = if has_residual { "batch_norm_apply_add" } else { "batch_norm_apply" };
        let inputs = [Some(0), Some(1), Some(2), Some(3), Some(4), has_residual.then_some(5)];
        Kernel::with_workspace(name, shape.channels, move |cpu, call| {
            let ([x, gamma, mean, inv_std, offset, residual], [y, workspace]) = call.slices_of(inputs);
            let residual = has_residual.then(|| elements::<E>(residual, shape.len()));
            let (x, y) = (elements::<E>(x, shape.len()), elements_mut(y, shape.len()));
            let after = AfterNorm { residual, activation };
            batch_norm_apply(cpu, shape, x, gamma, [mean, inv_std, offset], after, y, workspace);
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: if self.residual { &[0, 5] } else { &[0] }, outputs: &[0] })
    }
}

impl Lower for ops::BatchNormGradSums {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let (shape, activation) = (batch_norm_shape(site.input(0)), self.activation);
        Kernel::with_workspace("batch_norm_gradient_sums", batch_norm_workspace(shape), move |cpu, call| {
            let ([x, dy, gamma, mean, inv_std, offset], [dgamma, dbeta, slope, constant, workspace]) = call.slices();
            let [x, dy] = [x, dy].map(|map| elements::<E>(map, shape.len()));
            let (saved, sums) = ([mean, inv_std, offset], NormGradients { dgamma, dbeta, slope, constant });
            batch_norm_gradient_sums(cpu, shape, activation, x, dy, gamma, saved, sums, workspace);
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0, 1], outputs: &[] })
    }
}

impl Lower for ops::BatchNormInputGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let (shape, activation) = (batch_norm_shape(site.input(0)), self.activation);
        Kernel::with_workspace("batch_norm_input_gradient", shape.channels, move |cpu, call| {
            let ([x, dy, gamma, mean, inv_std, offset, slope, constant], [dx, workspace]) = call.slices();
            let [x, dy] = [x, dy].map(|map| elements::<E>(map, shape.len()));
            let dx = elements_mut(dx, shape.len());
            let (saved, line) = ([mean, inv_std, offset], [slope, constant]);
            batch_norm_input_gradient(cpu, shape, activation, x, dy, gamma, saved, line, dx, workspace);
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0, 1], outputs: &[0] })
    }
}
