//! A convolution of a certain shape, ready to run.

use super::method::{Forward, GradInput, GradWeight, Pass, choose, forward_rows, grad_input_rows, grad_weight_rows};
use super::{Conv2dMethods, Conv2dShape, Epilogue};
use crate::Cpu;

/// `y = activation(conv(x, weight) + bias + residual)`.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dForward {
    pub(super) shape: Conv2dShape,
    pub(super) method: &'static dyn Forward,
    pub(super) threads: usize,
}

impl Conv2dForward {
    /// Chooses the method for the level and the shape.
    ///
    /// # Panics
    /// When a size is zero, the channels do not divide by the groups, or the output would be empty.
    pub fn new(cpu: &Cpu, shape: Conv2dShape) -> Self {
        Self::with_methods(cpu, shape, cpu.conv2d_methods())
    }

    /// [`new`](Self::new) with a choice of methods.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn with_methods(cpu: &Cpu, shape: Conv2dShape, methods: Conv2dMethods) -> Self {
        shape.check();
        let method = choose(forward_rows(), Pass::Forward, methods, cpu.level(), &shape);
        Self { shape, method, threads: cpu.threads() }
    }

    /// The method that was chosen, named as its row in the table.
    pub fn kernel_name(&self) -> &'static str {
        self.method.name()
    }

    /// Numbers of workspace that [`run`](Self::run) wants at least.
    pub fn workspace(&self) -> usize {
        self.method.workspace(&self.shape, self.threads)
    }

    /// Computes y, whatever it held before. What the workspace holds before and after means nothing.
    ///
    /// # Panics
    /// When a slice has another length than the shape asks for, or `cpu` more threads than the plan was made for.
    pub fn run(
        &self,
        cpu: &Cpu,
        x: &[f32],
        weight: &[f32],
        epilogue: Epilogue<'_>,
        y: &mut [f32],
        workspace: &mut [f32],
    ) {
        assert_eq!(x.len(), self.shape.input_len(), "x");
        assert_eq!(weight.len(), self.shape.weight_len(), "weight");
        assert_eq!(y.len(), self.shape.output_len(), "y");
        epilogue.check(y.len(), self.shape.out_channels);
        assert!(workspace.len() >= self.workspace(), "workspace: {} of {}", workspace.len(), self.workspace());
        assert!(cpu.threads() <= self.threads, "planned for {} threads", self.threads);
        self.method.run(cpu, &self.shape, x, weight, epilogue, y, workspace);
    }
}

/// The gradient of a convolution's input.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dGradInput {
    shape: Conv2dShape,
    method: &'static dyn GradInput,
    threads: usize,
}

impl Conv2dGradInput {
    /// Chooses the method for the level and the shape.
    ///
    /// # Panics
    /// When a size is zero, the channels do not divide by the groups, or the output would be empty.
    pub fn new(cpu: &Cpu, shape: Conv2dShape) -> Self {
        Self::with_methods(cpu, shape, cpu.conv2d_methods())
    }

    /// [`new`](Self::new) with a choice of methods.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn with_methods(cpu: &Cpu, shape: Conv2dShape, methods: Conv2dMethods) -> Self {
        shape.check();
        let method = choose(grad_input_rows(), Pass::GradInput, methods, cpu.level(), &shape);
        Self { shape, method, threads: cpu.threads() }
    }

    /// The method that was chosen, named as its row in the table.
    pub fn kernel_name(&self) -> &'static str {
        self.method.name()
    }

    /// Numbers of workspace that [`run`](Self::run) wants at least.
    pub fn workspace(&self) -> usize {
        self.method.workspace(&self.shape, self.threads)
    }

    /// Computes dx, whatever it held before. What the workspace holds before and after means nothing.
    ///
    /// # Panics
    /// When a slice has another length than the shape asks for, or `cpu` more threads than the plan was made for.
    pub fn run(&self, cpu: &Cpu, dy: &[f32], weight: &[f32], dx: &mut [f32], workspace: &mut [f32]) {
        assert_eq!(dy.len(), self.shape.output_len(), "dy");
        assert_eq!(weight.len(), self.shape.weight_len(), "weight");
        assert_eq!(dx.len(), self.shape.input_len(), "dx");
        assert!(workspace.len() >= self.workspace(), "workspace: {} of {}", workspace.len(), self.workspace());
        assert!(cpu.threads() <= self.threads, "planned for {} threads", self.threads);
        self.method.run(cpu, &self.shape, dy, weight, dx, workspace);
    }
}

/// The gradient of a convolution's weight.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dGradWeight {
    shape: Conv2dShape,
    method: &'static dyn GradWeight,
    threads: usize,
}

impl Conv2dGradWeight {
    /// Chooses the method for the level and the shape.
    ///
    /// # Panics
    /// When a size is zero, the channels do not divide by the groups, or the output would be empty.
    pub fn new(cpu: &Cpu, shape: Conv2dShape) -> Self {
        Self::with_methods(cpu, shape, cpu.conv2d_methods())
    }

    /// [`new`](Self::new) with a choice of methods.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn with_methods(cpu: &Cpu, shape: Conv2dShape, methods: Conv2dMethods) -> Self {
        shape.check();
        let method = choose(grad_weight_rows(), Pass::GradWeight, methods, cpu.level(), &shape);
        Self { shape, method, threads: cpu.threads() }
    }

    /// The method that was chosen, named as its row in the table.
    pub fn kernel_name(&self) -> &'static str {
        self.method.name()
    }

    /// Numbers of workspace that [`run`](Self::run) wants at least.
    pub fn workspace(&self) -> usize {
        self.method.workspace(&self.shape, self.threads)
    }

    /// Computes dweight, whatever it held before. What the workspace holds before and after means nothing.
    ///
    /// # Panics
    /// When a slice has another length than the shape asks for, or `cpu` more threads than the plan was made for.
    pub fn run(&self, cpu: &Cpu, x: &[f32], dy: &[f32], dweight: &mut [f32], workspace: &mut [f32]) {
        assert_eq!(x.len(), self.shape.input_len(), "x");
        assert_eq!(dy.len(), self.shape.output_len(), "dy");
        assert_eq!(dweight.len(), self.shape.weight_len(), "dweight");
        assert!(workspace.len() >= self.workspace(), "workspace: {} of {}", workspace.len(), self.workspace());
        assert!(cpu.threads() <= self.threads, "planned for {} threads", self.threads);
        self.method.run(cpu, &self.shape, x, dy, dweight, workspace);
    }
}
