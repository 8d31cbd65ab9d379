//! 2-D convolution, NHWC, with groups.
//!
//! A plan ([`Conv2dForward`], [`Conv2dGradInput`], [`Conv2dGradWeight`]) is made once for a shape: it chooses the method
//! and tells the workspace. Running it allocates nothing, and gives the same bits at every number of threads. A weight
//! that stays is packed once ([`Conv2dPacked`]).
//!
//! Padding is zeros that are multiplied: an infinite weight that meets padding gives NaN.
//!
//! ```
//! use avizor_kernels::conv2d::{Conv2dForward, Conv2dShape, Epilogue};
//! use avizor_kernels::{Cpu, Level};
//!
//! let cpu = Cpu::new(2, Level::best());
//! let shape = Conv2dShape {
//!     batch: 1,
//!     height: 3,
//!     width: 3,
//!     in_channels: 1,
//!     out_channels: 1,
//!     kernel: [3, 3],
//!     stride: [1, 1],
//!     padding: [1, 1],
//!     trailing: [0, 0],
//!     groups: 1,
//! };
//! let plan = Conv2dForward::new(&cpu, shape);
//! let (mut y, mut workspace) = ([0.0; 9], vec![0.0; plan.workspace()]);
//! plan.run(&cpu, &[1.0; 9], &[1.0; 9], Epilogue::NONE, &mut y, &mut workspace);
//! assert_eq!(y, [4.0, 6.0, 4.0, 6.0, 9.0, 6.0, 4.0, 6.0, 4.0]);
//! ```

mod depthwise;
mod depthwise_block;
mod epilogue;
mod forward;
mod grad_input;
mod grad_weight;
mod implicit;
mod method;
mod normed;
mod packed;
mod pairs;
mod plan;
mod pointwise;
mod rolling;
mod shape;
mod window;
mod winograd;

#[cfg(test)]
mod tests;

pub use depthwise_block::{BlockLayer, DepthwiseBlock, DepthwiseBlockShape, Side};
pub use epilogue::Epilogue;
pub use method::Conv2dMethods;
pub use normed::{KnownNorm, NormAfter, NormedConv2d, NormedConv2dGrad, NormedGradient, NormedMap};
pub use packed::Conv2dPacked;
pub use plan::{Conv2dForward, Conv2dGradInput, Conv2dGradWeight};
pub use shape::Conv2dShape;
