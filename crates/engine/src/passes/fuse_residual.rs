//! The end of a residual block joins the convolution before it.

use std::sync::Arc;

use super::rewrite::fuse;
use crate::Graph;
use crate::ops::{Add, Conv2d, Conv2dFused};

/// conv + residual becomes one step, where nobody else reads the convolution. It stands where the addition stood, so
/// the residual is there whichever side it is; of two convolutions the later one takes it.
pub(super) fn run(graph: &mut Graph) {
    fuse::<Add>(graph, |rewrite, add, Add| {
        let (left, right) = (add.inputs[0], add.inputs[1]);
        let sides = if left < right { [(right, left), (left, right)] } else { [(left, right), (right, left)] };
        sides.into_iter().find_map(|(side, residual)| {
            let (conv, operator) = rewrite.only_for_this::<Conv2d>(side)?;
            let name = conv.name.clone();
            let mut inputs: Vec<_> = conv.inputs.iter().map(|&input| rewrite.new_value(input)).collect();
            let fused = Conv2dFused { residual: true, ..Conv2dFused::plain(operator, inputs.len() == 3) };
            inputs.push(rewrite.new_value(residual));
            rewrite.append(&name, Arc::new(fused), &inputs).ok()
        })
    });
}
