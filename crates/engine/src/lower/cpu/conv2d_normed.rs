//! Convolutions with the norms beside them.

use avizor_kernels::batch_norm::NormGradients;
use avizor_kernels::conv2d::{KnownNorm, NormAfter, NormedConv2d, NormedConv2dGrad, NormedGradient, NormedMap};
use avizor_kernels::{Element, elements, elements_mut};

use crate::lower::{Kernel, Lower, Maps, Site};
use crate::ops;

/// Inputs from a place on, if there are such.
fn from<const N: usize>(at: Option<usize>) -> [Option<usize>; N] {
    std::array::from_fn(|i| at.map(|at| at + i))
}

impl Lower for ops::Conv2dNormed {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = self.conv.kernel_shape(site.input(0), site.input(1));
        let kernel = NormedConv2d::new(site.cpu, shape).expect("the pass asked whether there is one");
        let kernel = kernel.of_maps(site.cpu, E::PRECISION);
        let (norm, wants_moments) = (self.norm, site.is_read[1]);
        let [gamma, mean, inv_std, offset] = from(norm.map(|_| 2));
        let inputs = [Some(0), Some(1), gamma, mean, inv_std, offset];
        Kernel::with_workspace(kernel.kernel_name(), kernel.workspace(), move |cpu, call| {
            let ([x, weight, gamma, mean, inv_std, offset], [y, moments, workspace]) = call.slices_of(inputs);
            let saved = [mean, inv_std, offset];
            let norm = norm.map(|norm| KnownNorm { gamma, saved, activation: norm.activation });
            let (x, y) = (elements::<E>(x, shape.input_len()), elements_mut(y, shape.output_len()));
            kernel.run(cpu, NormedMap { x, norm }, weight, y, wants_moments.then_some(moments), workspace);
        })
        .counting(shape.multiply_adds())
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0], outputs: &[0] })
    }
}

impl Lower for ops::Conv2dNormedGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = self.conv.kernel_shape(site.input(0), site.input(1));
        let plan = NormedConv2dGrad::new(site.cpu, shape).expect("the pass asked whether there is one");
        let plan = plan.of_maps(site.cpu, E::PRECISION);
        let (before, after) = (self.before, self.after);
        let [a, b, c, d] = from(before.map(|_| 3));
        let [e, f, g, h, i, j, k] = from(after.map(|_| self.after_at()));
        let inputs = [Some(0), Some(1), Some(2), a, b, c, d, e, f, g, h, i, j, k];
        let kernel = Kernel::with_workspace(plan.kernel_name(), plan.workspace(), move |cpu, call| {
            let reads;
            let (dx, dweight, of_norm, workspace);
            if before.is_some() {
                let (r, [x, w, dgamma, dbeta, slope, constant, rest]) = call.slices_of(inputs);
                (reads, dx, dweight, workspace) = (r, x, w, rest);
                of_norm = Some(NormGradients { dgamma, dbeta, slope, constant });
            } else {
                let (r, [x, w, rest]) = call.slices_of(inputs);
                (reads, dx, dweight, workspace) = (r, x, w, rest);
                of_norm = None;
            }
            let [x, weight, dy, gamma, mean, inv_std, offset, y, more @ ..] = reads;
            let known = |norm: ops::Norm, gamma, saved| KnownNorm { gamma, saved, activation: norm.activation };
            let (x, dy) = (elements::<E>(x, shape.input_len()), elements(dy, shape.output_len()));
            let map = NormedMap { x, norm: before.map(|norm| known(norm, gamma, [mean, inv_std, offset])) };
            let [gamma, mean, inv_std, offset, slope, constant] = more;
            let norm = after.map(|norm| NormAfter {
                y: elements(y, shape.output_len()),
                norm: known(norm, gamma, [mean, inv_std, offset]),
                line: [slope, constant],
            });
            let dx = elements_mut(dx, shape.input_len());
            plan.run(cpu, map, weight, NormedGradient { dy, norm }, dx, dweight, of_norm, workspace);
        });
        kernel.counting(2 * shape.multiply_adds())
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        // The result of the convolution, where there is a norm behind it, comes behind what the norm before it wants.
        let inputs: &[usize] = match (self.before, self.after) {
            (_, None) => &[0, 2],
            (None, Some(_)) => &[0, 2, 3],
            (Some(_), Some(_)) => &[0, 2, 7],
        };
        Some(Maps { inputs, outputs: &[0] })
    }
}
