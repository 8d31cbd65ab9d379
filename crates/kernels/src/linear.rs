//! The linear layer: a convolution of one pixel.

use crate::Cpu;
use crate::conv2d::{Conv2dForward, Conv2dGradInput, Conv2dGradWeight, Conv2dPacked, Conv2dShape, Epilogue};

/// The sizes of a linear layer: x `[rows][inputs]`, weight `[inputs][outputs]`, y `[rows][outputs]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinearShape {
    /// Samples.
    pub rows: usize,
    /// Numbers that come in, for each row.
    pub inputs: usize,
    /// Numbers that come out, for each row.
    pub outputs: usize,
}

impl LinearShape {
    /// Numbers in the input.
    pub fn input_len(&self) -> usize {
        self.rows * self.inputs
    }

    /// Numbers in the weight.
    pub fn weight_len(&self) -> usize {
        self.inputs * self.outputs
    }

    /// Numbers in the output.
    pub fn output_len(&self) -> usize {
        self.rows * self.outputs
    }

    /// Multiplications with addition.
    pub fn multiply_adds(&self) -> usize {
        self.rows * self.inputs * self.outputs
    }

    fn as_conv2d(&self) -> Conv2dShape {
        Conv2dShape {
            batch: self.rows,
            height: 1,
            width: 1,
            in_channels: self.inputs,
            out_channels: self.outputs,
            kernel: [1, 1],
            stride: [1, 1],
            padding: [0, 0],
            trailing: [0, 0],
            groups: 1,
        }
    }
}

/// `y = activation(x · weight + bias + residual)`.
#[derive(Clone, Copy, Debug)]
pub struct LinearForward(Conv2dForward);

impl LinearForward {
    /// Chooses the kernel.
    ///
    /// # Panics
    /// When a size is zero.
    pub fn new(cpu: &Cpu, shape: LinearShape) -> Self {
        Self(Conv2dForward::new(cpu, shape.as_conv2d()))
    }

    /// The same for a weight that stays, where there is a form to keep it in.
    pub fn packed(&self) -> Option<Conv2dPacked> {
        self.0.packed()
    }

    /// The kernel that was chosen.
    pub fn kernel_name(&self) -> &'static str {
        self.0.kernel_name()
    }

    /// Numbers of workspace that [`run`](Self::run) wants.
    pub fn workspace(&self) -> usize {
        self.0.workspace()
    }

    /// Computes y. What the workspace holds before and after means nothing.
    ///
    /// # Panics
    /// When a slice has another length than the shape asks for.
    pub fn run(&self, cpu: &Cpu, x: &[f32], weight: &[f32], epilogue: Epilogue<'_>, y: &mut [f32], ws: &mut [f32]) {
        self.0.run(cpu, x, weight, epilogue, y, ws);
    }
}

/// `dx = dy · weightᵀ`.
#[derive(Clone, Copy, Debug)]
pub struct LinearGradInput(Conv2dGradInput);

impl LinearGradInput {
    /// Chooses the kernel.
    ///
    /// # Panics
    /// When a size is zero.
    pub fn new(cpu: &Cpu, shape: LinearShape) -> Self {
        Self(Conv2dGradInput::new(cpu, shape.as_conv2d()))
    }

    /// The kernel that was chosen.
    pub fn kernel_name(&self) -> &'static str {
        self.0.kernel_name()
    }

    /// Numbers of workspace that [`run`](Self::run) wants.
    pub fn workspace(&self) -> usize {
        self.0.workspace()
    }

    /// Computes dx. What the workspace holds before and after means nothing.
    ///
    /// # Panics
    /// When a slice has another length than the shape asks for.
    pub fn run(&self, cpu: &Cpu, dy: &[f32], weight: &[f32], dx: &mut [f32], ws: &mut [f32]) {
        self.0.run(cpu, dy, weight, dx, ws);
    }
}

/// `dweight = xᵀ · dy`.
#[derive(Clone, Copy, Debug)]
pub struct LinearGradWeight(Conv2dGradWeight);

impl LinearGradWeight {
    /// Chooses the kernel.
    ///
    /// # Panics
    /// When a size is zero.
    pub fn new(cpu: &Cpu, shape: LinearShape) -> Self {
        Self(Conv2dGradWeight::new(cpu, shape.as_conv2d()))
    }

    /// The kernel that was chosen.
    pub fn kernel_name(&self) -> &'static str {
        self.0.kernel_name()
    }

    /// Numbers of workspace that [`run`](Self::run) wants.
    pub fn workspace(&self) -> usize {
        self.0.workspace()
    }

    /// Computes dweight, whatever it held before. What the workspace holds before and after means nothing.
    ///
    /// # Panics
    /// When a slice has another length than the shape asks for.
    pub fn run(&self, cpu: &Cpu, x: &[f32], dy: &[f32], dweight: &mut [f32], ws: &mut [f32]) {
        self.0.run(cpu, x, dy, dweight, ws);
    }
}
