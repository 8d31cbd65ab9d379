//! Softmax cross-entropy.

use avizor_kernels::Element;
use avizor_kernels::loss::{CrossEntropyShape, cross_entropy, cross_entropy_workspace};

use crate::lower::{Kernel, Lower, Site, integers};
use crate::ops;

impl Lower for ops::CrossEntropy {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = CrossEntropyShape { rows: site.input(0)[0], classes: site.input(0)[1] };
        let (words, smoothing) = (cross_entropy_workspace(shape), self.label_smoothing);
        match site.inputs.len() {
            2 => Kernel::with_workspace("cross_entropy", words, move |cpu, call| {
                let ([logits, labels], [loss, dlogits, workspace]) = call.slices();
                cross_entropy(cpu, shape, logits, integers(labels), None, smoothing, loss, dlogits, workspace);
            }),
            _ => Kernel::with_workspace("cross_entropy_weighted", words, move |cpu, call| {
                let ([logits, labels, weights], [loss, dlogits, workspace]) = call.slices();
                let weights = Some(weights);
                cross_entropy(cpu, shape, logits, integers(labels), weights, smoothing, loss, dlogits, workspace);
            }),
        }
    }
}
