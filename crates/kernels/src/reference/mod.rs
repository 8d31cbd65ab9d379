//! Every operation by its definition, in f64 and without haste: what the kernels are tested against.
//!
//! Shapes and meanings are those of the module of the same name; lengths are not checked beyond slice bounds.

mod attention;
mod batch_norm;
mod concat;
mod conv2d;
mod elementwise;
mod gate;
mod layer_norm;
mod linear;
mod loss;
mod optimizer;
mod pool2d;
mod tokens;
mod unary;

pub use attention::{attention, attention_backward};
pub use batch_norm::{
    BatchNormGradients, BatchNormTrained, batch_norm_backward, batch_norm_infer, batch_norm_infer_backward,
    batch_norm_train,
};
pub use concat::{concat, split};
pub use conv2d::{conv2d_forward, conv2d_grad_input, conv2d_grad_weight};
pub use elementwise::{add, add_relu, multiply, normalize_u8, scale, sum_rows};
pub use gate::{gate, gate_backward};
pub use layer_norm::{layer_norm, layer_norm_backward};
pub use linear::{linear_forward, linear_grad_input, linear_grad_weight};
pub use loss::{cross_entropy, softmax};
pub use optimizer::{adam, rmsprop, sgd};
pub use pool2d::{
    avg_pool2d, avg_pool2d_backward, global_avg_pool, global_avg_pool_backward, max_pool2d, max_pool2d_backward,
};
pub use tokens::{tokens, tokens_backward};
pub use unary::{unary_backward, unary_forward};
