//! One step of an optimizer over flat slices, in one pass, and what goes with it: the length of gradients, the moving
//! average of parameters. Maths and meaning of every number: `torch.optim`.
//!
//! Hyperparameters are f64, as in PyTorch: `1 - 0.999` has but three right digits in f32.

mod adam;
mod average;
mod norm;
mod rmsprop;
mod sgd;

pub use adam::{Adam, adam};
pub use average::moving_average;
pub use norm::sum_of_squares;
pub use rmsprop::{RmsProp, rmsprop};
pub use sgd::{Sgd, sgd};
