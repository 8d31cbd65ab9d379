//! Rewritings of the graph that change no result.
//!
//! They look for patterns, not for modes: what helps inference helps a frozen prefix too. All run after differentiation,
//! so what they make needs no gradient.

mod dead_code;
mod fold_norm;
mod fuse_add_relu;
mod fuse_relu;
mod fuse_residual;
mod rewrite;
mod specialise;

use crate::Graph;

pub(crate) use specialise::specialise;

/// A rewriting, by name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut Graph),
}

/// All passes, in the order in which they run.
pub(crate) const PASSES: &[Pass] = &[
    Pass { name: "fold_norm", run: fold_norm::run },
    Pass { name: "fuse_residual", run: fuse_residual::run },
    Pass { name: "fuse_relu", run: fuse_relu::run },
    Pass { name: "fuse_add_relu", run: fuse_add_relu::run },
    Pass { name: "dead_code", run: dead_code::run },
];

/// Runs all passes but those named.
pub(crate) fn run(graph: &mut Graph, without: &[&'static str]) {
    for pass in PASSES.iter().filter(|pass| !without.contains(&pass.name)) {
        (pass.run)(graph);
    }
}
