//! A batch norm as part of the convolution before it.

use avizor_kernels::{Cpu, Element};

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::FoldNorm {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let (channels, eps) = (site.output(1)[0], f64::from(self.eps));
        match site.inputs.len() {
            5 => Kernel::with_workspace("fold_norm", channels, move |cpu, call| {
                let ([weight, norm @ ..], [folded, bias, factors]) = call.slices::<5, 3>();
                bias.fill(0.0);
                fold_bias(norm, eps, factors, bias);
                scale_channels(cpu, weight, factors, folded);
            }),
            _ => Kernel::with_workspace("fold_norm", channels, move |cpu, call| {
                let ([weight, norm @ .., before], [folded, bias, factors]) = call.slices::<6, 3>();
                bias.copy_from_slice(before);
                fold_bias(norm, eps, factors, bias);
                scale_channels(cpu, weight, factors, folded);
            }),
        }
    }
}

/// What the norm multiplies every channel with, and the bias after it.
fn fold_bias([gamma, beta, mean, var]: [&[f32]; 4], eps: f64, factors: &mut [f32], bias: &mut [f32]) {
    for (c, (factor, bias)) in factors.iter_mut().zip(bias).enumerate() {
        let exact = f64::from(gamma[c]) / (f64::from(var[c]) + eps).sqrt();
        *factor = exact as f32;
        *bias = (f64::from(beta[c]) + (f64::from(*bias) - f64::from(mean[c])) * exact) as f32;
    }
}

/// The channels are the last axis.
fn scale_channels(cpu: &Cpu, weight: &[f32], factors: &[f32], folded: &mut [f32]) {
    const ROWS: usize = 64;
    let chunk = ROWS * factors.len();
    cpu.pool().for_each_chunk(folded, chunk, |number, part| {
        let weight = &weight[number * chunk..][..part.len()];
        for (to, from) in part.chunks_exact_mut(factors.len()).zip(weight.chunks_exact(factors.len())) {
            to.iter_mut().zip(from).zip(factors).for_each(|((to, from), factor)| *to = from * factor);
        }
    });
}
