//! Every operation by its definition, in f64 and without haste: what the kernels are tested against.
//!
//! Shapes and meanings are those of the module of the same name; lengths are not checked beyond slice bounds.

mod conv2d;
mod linear;

pub use conv2d::{conv2d_forward, conv2d_grad_input, conv2d_grad_weight};
pub use linear::{linear_forward, linear_grad_input, linear_grad_weight};
