//! On the way back through a max pooling.

use std::sync::Arc;

use avizor_kernels::unary::Saved;

use super::rewrite::fuse;
use crate::Graph;
use crate::graph::Value;
use crate::ops::{MaxPool2d, MaxPool2dGrad, SumRows, UnaryGrad};

/// What is done to gradients behind a max pooling is done before it, to a quarter of the numbers: all others are zero.
/// The slope of an activation that is found from its result is that at the largest of a window, which the pooling gave; so
/// the activation's map is not kept. And a bias gets the sum of what the windows pass on.
pub(super) fn run(graph: &mut Graph) {
    fuse::<UnaryGrad>(graph, |rewrite, node, gradient| {
        if gradient.0.saved() != Saved::Output {
            return None;
        }
        let (spread, of_pool) = rewrite.only_for_this::<MaxPool2dGrad>(node.inputs[1])?;
        let (name, choices, dy) = (spread.name.clone(), spread.inputs[0], spread.inputs[1]);
        let pool = rewrite.old.node(choices.node);
        if pool.operator::<MaxPool2d>().is_none() || pool.inputs[0] != node.inputs[0] {
            return None;
        }
        let inputs = [Value::first(choices.node), dy].map(|input| rewrite.new_value(input));
        let dy = rewrite.append(&node.name, Arc::new(*gradient), &inputs).ok()?;
        rewrite.append(&name, Arc::new(of_pool), &[rewrite.new_value(choices), dy[0]]).ok()
    });
    fuse::<SumRows>(graph, |rewrite, node, SumRows| {
        let spread = rewrite.old.node(node.inputs[0].node);
        spread.operator::<MaxPool2dGrad>()?;
        let dy = rewrite.new_value(spread.inputs[1]);
        rewrite.append(&node.name, Arc::new(SumRows), &[dy]).ok()
    });
}
