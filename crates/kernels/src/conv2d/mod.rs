//! 2-D convolution, NHWC, with groups.

mod epilogue;
mod shape;

pub use epilogue::{Activation, Epilogue};
pub use shape::Conv2dShape;

use crate::Cpu;
use crate::reference;

fn wide(from: &[f32]) -> Vec<f64> {
    from.iter().map(|&v| f64::from(v)).collect()
}

/// `y = activation(conv(x, weight) + bias + residual)`.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dForward {
    shape: Conv2dShape,
}

impl Conv2dForward {
    /// Chooses the kernel.
    ///
    /// # Panics
    /// When a size is zero, the channels do not divide by the groups, or the output would be empty.
    pub fn new(_cpu: &Cpu, shape: Conv2dShape) -> Self {
        shape.check();
        Self { shape }
    }

    /// The kernel that was chosen.
    pub fn kernel_name(&self) -> &'static str {
        "conv2d_naive"
    }

    /// Numbers of workspace that [`run`](Self::run) wants.
    pub fn workspace(&self) -> usize {
        0
    }

    /// Computes y. What the workspace holds before and after means nothing.
    ///
    /// # Panics
    /// When a slice has another length than the shape asks for.
    pub fn run(
        &self,
        _cpu: &Cpu,
        x: &[f32],
        weight: &[f32],
        epilogue: Epilogue<'_>,
        y: &mut [f32],
        workspace: &mut [f32],
    ) {
        assert_eq!(x.len(), self.shape.input_len(), "x");
        assert_eq!(weight.len(), self.shape.weight_len(), "weight");
        assert_eq!(y.len(), self.shape.output_len(), "y");
        assert!(workspace.len() >= self.workspace(), "workspace");
        epilogue.check(y.len(), self.shape.out_channels);
        let result = reference::conv2d_forward(&self.shape, &wide(x), &wide(weight));
        for (i, (y, result)) in y.iter_mut().zip(result).enumerate() {
            *y = result as f32;
            *y += epilogue.bias.map_or(0.0, |bias| bias[i % self.shape.out_channels]);
            *y += epilogue.residual.map_or(0.0, |residual| residual[i]);
            if epilogue.activation == Activation::Relu && *y < 0.0 {
                *y = 0.0;
            }
        }
    }
}

/// The gradient of a convolution's input.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dGradInput {
    shape: Conv2dShape,
}

impl Conv2dGradInput {
    /// Chooses the kernel.
    ///
    /// # Panics
    /// When a size is zero, the channels do not divide by the groups, or the output would be empty.
    pub fn new(_cpu: &Cpu, shape: Conv2dShape) -> Self {
        shape.check();
        Self { shape }
    }

    /// The kernel that was chosen.
    pub fn kernel_name(&self) -> &'static str {
        "conv2d_naive"
    }

    /// Numbers of workspace that [`run`](Self::run) wants.
    pub fn workspace(&self) -> usize {
        0
    }

    /// Computes dx. What the workspace holds before and after means nothing.
    ///
    /// # Panics
    /// When a slice has another length than the shape asks for.
    pub fn run(&self, _cpu: &Cpu, dy: &[f32], weight: &[f32], dx: &mut [f32], workspace: &mut [f32]) {
        assert_eq!(dy.len(), self.shape.output_len(), "dy");
        assert_eq!(weight.len(), self.shape.weight_len(), "weight");
        assert_eq!(dx.len(), self.shape.input_len(), "dx");
        assert!(workspace.len() >= self.workspace(), "workspace");
        let result = reference::conv2d_grad_input(&self.shape, &wide(dy), &wide(weight));
        dx.iter_mut().zip(result).for_each(|(dx, result)| *dx = result as f32);
    }
}

/// The gradient of a convolution's weight.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dGradWeight {
    shape: Conv2dShape,
}

impl Conv2dGradWeight {
    /// Chooses the kernel.
    ///
    /// # Panics
    /// When a size is zero, the channels do not divide by the groups, or the output would be empty.
    pub fn new(_cpu: &Cpu, shape: Conv2dShape) -> Self {
        shape.check();
        Self { shape }
    }

    /// The kernel that was chosen.
    pub fn kernel_name(&self) -> &'static str {
        "conv2d_naive"
    }

    /// Numbers of workspace that [`run`](Self::run) wants.
    pub fn workspace(&self) -> usize {
        0
    }

    /// Computes dweight, whatever it held before. What the workspace holds before and after means nothing.
    ///
    /// # Panics
    /// When a slice has another length than the shape asks for.
    pub fn run(&self, _cpu: &Cpu, x: &[f32], dy: &[f32], dweight: &mut [f32], workspace: &mut [f32]) {
        assert_eq!(x.len(), self.shape.input_len(), "x");
        assert_eq!(dy.len(), self.shape.output_len(), "dy");
        assert_eq!(dweight.len(), self.shape.weight_len(), "dweight");
        assert!(workspace.len() >= self.workspace(), "workspace");
        let result = reference::conv2d_grad_weight(&self.shape, &wide(x), &wide(dy));
        dweight.iter_mut().zip(result).for_each(|(dweight, result)| *dweight = result as f32);
    }
}
