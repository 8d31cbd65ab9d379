//! Batch norm with the batch's and with running statistics, and the gradients of both.

use avizor_kernels::batch_norm::{
    batch_norm_backward, batch_norm_infer, batch_norm_infer_backward, batch_norm_train, batch_norm_workspace,
};

use crate::lower::{Kernel, Lower, Site};
use crate::ops::{self, batch_norm_shape};

impl Lower for ops::BatchNorm {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let shape = batch_norm_shape(site.input(0));
        let Self { eps, momentum } = *self;
        Kernel::with_workspace("batch_norm_train", batch_norm_workspace(shape), move |cpu, call| {
            let ([x, gamma, beta], [y, mean, inv_std, running_mean, running_var, workspace]) = call.slices();
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
                y,
                mean,
                inv_std,
                workspace,
            );
        })
    }
}

impl Lower for ops::BatchNormInfer {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let (shape, eps) = (batch_norm_shape(site.input(0)), self.eps);
        Kernel::new("batch_norm_infer", move |cpu, call| {
            let ([x, gamma, beta, running_mean, running_var], [y]) = call.slices();
            batch_norm_infer(cpu, shape, x, gamma, beta, running_mean, running_var, eps, y);
        })
    }
}

impl Lower for ops::BatchNormGrad {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let shape = batch_norm_shape(site.input(0));
        Kernel::with_workspace("batch_norm_backward", batch_norm_workspace(shape), move |cpu, call| {
            let ([x, dy, gamma, mean, inv_std], [dx, dgamma, dbeta, workspace]) = call.slices();
            batch_norm_backward(cpu, shape, x, dy, gamma, mean, inv_std, dx, dgamma, dbeta, workspace);
        })
    }
}

impl Lower for ops::BatchNormInferGrad {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let (shape, eps) = (batch_norm_shape(site.input(0)), self.eps);
        Kernel::with_workspace("batch_norm_infer_backward", batch_norm_workspace(shape), move |cpu, call| {
            let ([x, dy, gamma, mean, var], [dx, dgamma, dbeta, workspace]) = call.slices();
            batch_norm_infer_backward(cpu, shape, x, dy, gamma, mean, var, eps, dx, dgamma, dbeta, workspace);
        })
    }
}
