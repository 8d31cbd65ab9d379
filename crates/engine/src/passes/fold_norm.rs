//! A batch norm with running statistics becomes part of the convolution before it.

use std::sync::Arc;

use super::rewrite::fuse;
use crate::Graph;
use crate::ops::{BatchNormInfer, Conv2d, FoldNorm};

/// conv → norm becomes conv with bias, where nobody else reads the convolution. The folded weights depend on parameters
/// alone, so they are computed again only when those change.
pub(super) fn run(graph: &mut Graph) {
    fuse::<BatchNormInfer>(graph, |rewrite, norm, &BatchNormInfer { eps }| {
        let (conv, operator) = rewrite.only_for_this::<Conv2d>(norm.inputs[0])?;
        let name = conv.name.clone();
        let conv: Vec<_> = conv.inputs.iter().map(|&input| rewrite.new_value(input)).collect();
        let mut folded = vec![conv[1]];
        folded.extend(norm.inputs[1..].iter().map(|&input| rewrite.new_value(input)));
        folded.extend(&conv[2..]);
        let folded = rewrite.append(&format!("{}/fold", norm.name), Arc::new(FoldNorm { eps }), &folded).ok()?;
        rewrite.append(&name, Arc::new(operator), &[conv[0], folded[0], folded[1]]).ok()
    });
}
