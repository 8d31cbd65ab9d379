//! A depthwise convolution between 1×1 convolutions.

use avizor_kernels::Element;
use avizor_kernels::conv2d::{BlockLayer, DepthwiseBlock, Side};

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::DepthwiseBlock {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = self.kernel_shape(&site.inputs);
        let plan = DepthwiseBlock::new(site.cpu, shape);
        let at = usize::from(self.before.is_some());
        let before = self.before.map(|layer| (self.place_of(0), layer.activation));
        let depthwise = (self.place_of(at), self.depthwise.activation);
        let after = self.after.map(|layer| (self.place_of(at + 1), layer.activation));
        let residual = self.has_residual().then_some(site.inputs.len() - 1);
        let place = |layer: Option<([usize; 2], _)>, which: usize| layer.map(|(places, _)| places[which]);
        let inputs = [
            Some(0),
            place(before, 0),
            place(before, 1),
            Some(depthwise.0[0]),
            Some(depthwise.0[1]),
            place(after, 0),
            place(after, 1),
            residual,
        ];
        let sides = [(Side::Before, place(before, 0)), (Side::After, place(after, 0))];
        let weights = sides.into_iter().filter_map(|(side, weight)| Some((side, weight?)));
        let stay = weights.clone().all(|(_, weight)| site.stays[weight]);
        // Weights that do not stay are packed in every run, at the front of the workspace.
        let packed_len = sides.map(|(side, _)| if stay { 0 } else { plan.packed_len(side) });
        let words = packed_len.iter().sum::<usize>() + plan.workspace();
        let mut kernel = Kernel::with_workspace(plan.kernel_name(), words, move |cpu, call| {
            let (reads, [y, workspace]) = call.slices_of(inputs);
            let [x, mut weight_before, bias_before, weight, bias, mut weight_after, bias_after, of_residual] = reads;
            let (first, rest) = workspace.split_at_mut(packed_len[0]);
            let (second, workspace) = rest.split_at_mut(packed_len[1]);
            if !stay {
                for (side, weight, packed) in
                    [(Side::Before, &mut weight_before, first), (Side::After, &mut weight_after, second)]
                {
                    if !packed.is_empty() {
                        plan.pack(cpu, side, weight, packed);
                        *weight = packed;
                    }
                }
            }
            let layer = |weight, bias, activation| BlockLayer { weight, bias, activation };
            let around = [
                before.map(|(_, activation)| layer(weight_before, bias_before, activation)),
                after.map(|(_, activation)| layer(weight_after, bias_after, activation)),
            ];
            let residual = residual.map(|_| of_residual);
            plan.run(cpu, x, around, layer(weight, bias, depthwise.1), residual, y, workspace);
        })
        .counting(shape.multiply_adds());
        for (side, weight) in weights.filter(|_| stay) {
            kernel = kernel.packing(weight, plan.packed_len(side), move |cpu, call| {
                let ([weight], [packed]) = call.slices();
                plan.pack(cpu, side, weight, packed);
            });
        }
        kernel
    }
}
