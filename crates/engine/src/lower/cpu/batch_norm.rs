//! Batch norm with the batch's and with running statistics, and the gradients of both.

use avizor_kernels::batch_norm::{
    AfterNorm, SavedNorm, batch_norm_backward, batch_norm_infer, batch_norm_infer_backward, batch_norm_train,
    batch_norm_workspace,
};
use avizor_kernels::{Element, elements, elements_mut};

use crate::lower::{Kernel, Lower, Maps, Site};
use crate::ops::{self, batch_norm_shape};

impl Lower for ops::BatchNorm {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        ops::BatchNormFused { norm: *self, residual: false, activation: None }.lower::<E>(site)
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0], outputs: &[0] })
    }
}

impl Lower for ops::BatchNormFused {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = batch_norm_shape(site.input(0));
        let Self { norm: ops::BatchNorm { eps, momentum }, residual: has_residual, activation } = *self;
        let name = match (has_residual, activation) {
            (false, None) => "batch_norm_train",
            (false, Some(_)) => "batch_norm_train_act",
            (true, None) => "batch_norm_train_add",
            (true, Some(_)) => "batch_norm_train_add_act",
        };
        Kernel::with_workspace(name, batch_norm_workspace(shape), move |cpu, call| {
            let (x, gamma, beta, residual, writes);
            if has_residual {
                let ([a, b, c, d], w) = call.slices();
                (x, gamma, beta, residual, writes) = (a, b, c, Some(elements::<E>(d, shape.len())), w);
            } else {
                let ([a, b, c], w) = call.slices();
                (x, gamma, beta, residual, writes) = (a, b, c, None, w);
            }
            let [y, mean, inv_std, offset, running_mean, running_var, workspace] = writes;
            let (x, y) = (elements::<E>(x, shape.len()), elements_mut(y, shape.len()));
            let after = AfterNorm { residual, activation };
            let saved = SavedNorm { mean, inv_std, offset };
            batch_norm_train(
                cpu,
                shape,
                x,
                gamma,
                beta,
                eps,
                momentum,
                running_mean,
                running_var,
                after,
                y,
                saved,
                workspace,
            );
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: if self.residual { &[0, 3] } else { &[0] }, outputs: &[0] })
    }
}

impl Lower for ops::BatchNormInfer {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let (shape, eps) = (batch_norm_shape(site.input(0)), self.eps);
        Kernel::new("batch_norm_infer", move |cpu, call| {
            let ([x, gamma, beta, running_mean, running_var], [y]) = call.slices();
            batch_norm_infer(cpu, shape, x, gamma, beta, running_mean, running_var, eps, y);
        })
    }
}

impl Lower for ops::BatchNormGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = batch_norm_shape(site.input(0));
        let activation = self.activation;
        let name = if activation.is_some() { "batch_norm_backward_act" } else { "batch_norm_backward" };
        Kernel::with_workspace(name, batch_norm_workspace(shape), move |cpu, call| {
            let ([x, dy, gamma, mean, inv_std, offset], [dx, dgamma, dbeta, workspace]) = call.slices();
            let saved = [mean, inv_std, offset];
            let [x, dy] = [x, dy].map(|map| elements::<E>(map, shape.len()));
            let dx = elements_mut(dx, shape.len());
            batch_norm_backward(cpu, shape, activation, x, dy, gamma, saved, dx, dgamma, dbeta, workspace);
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0, 1], outputs: &[0] })
    }
}

impl Lower for ops::BatchNormInferGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let (shape, eps) = (batch_norm_shape(site.input(0)), self.eps);
        Kernel::with_workspace("batch_norm_infer_backward", batch_norm_workspace(shape), move |cpu, call| {
            let ([x, dy, gamma, mean, var], [dx, dgamma, dbeta, workspace]) = call.slices();
            batch_norm_infer_backward(cpu, shape, x, dy, gamma, mean, var, eps, dx, dgamma, dbeta, workspace);
        })
    }
}
