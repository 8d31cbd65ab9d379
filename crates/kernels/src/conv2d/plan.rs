//! A convolution of a certain shape, ready to run.

use super::method::{Forward, GradInput, GradWeight, Pass, choose, forward_rows, grad_input_rows, grad_weight_rows};
use super::{Conv2dMethods, Conv2dShape, Epilogue};
use crate::{Cpu, Element, Precision};

/// `y = activation(conv(x, weight) + bias + residual)`.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dForward {
    pub(super) shape: Conv2dShape,
    pub(super) method: &'static dyn Forward,
    pub(super) threads: usize,
    pub(super) precision: Precision,
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
        Self::of_maps(cpu, shape, methods, Precision::F32)
            .expect("the last row takes f32, is direct, needs no level and fits every shape")
    }

    /// [`with_methods`](Self::with_methods) for maps of a type; `None` where the best method does not take it.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn of_maps(cpu: &Cpu, shape: Conv2dShape, methods: Conv2dMethods, precision: Precision) -> Option<Self> {
        shape.check();
        let method = choose(forward_rows(), Pass::Forward, methods, cpu.level(), &shape, precision)?;
        Some(Self { shape, method, threads: cpu.threads(), precision })
    }

    /// The method that was chosen, named as its row in the table.
    pub fn kernel_name(&self) -> &'static str {
        self.method.name()
    }

    /// Numbers of workspace that [`run`](Self::run) wants at least.
    pub fn workspace(&self) -> usize {
        self.method.workspace(&self.shape, self.threads, self.precision)
    }

    /// Computes y, whatever it held before. What the workspace holds before and after means nothing.
    ///
    /// # Panics
    /// When a slice has another length than the shape asks for, maps another type than was planned for, or
    /// `cpu` more threads.
    pub fn run<E: Element>(
        &self,
        cpu: &Cpu,
        x: &[E],
        weight: &[f32],
        epilogue: Epilogue<'_>,
        y: &mut [E],
        workspace: &mut [f32],
    ) {
        assert_eq!(x.len(), self.shape.input_len(), "x");
        assert_eq!(weight.len(), self.shape.weight_len(), "weight");
        assert_eq!(y.len(), self.shape.output_len(), "y");
        assert_eq!(E::PRECISION, self.precision, "x and y are of the type that was planned for");
        epilogue.check(y.len(), self.shape.out_channels, E::PRECISION);
        assert!(workspace.len() >= self.workspace(), "workspace: {} of {}", workspace.len(), self.workspace());
        assert!(cpu.threads() <= self.threads, "planned for {} threads", self.threads);
        self.method.run(cpu, &self.shape, E::floats(x), weight, epilogue, E::floats_mut(y), workspace);
    }
}

/// The gradient of a convolution's input.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dGradInput {
    shape: Conv2dShape,
    method: &'static dyn GradInput,
    threads: usize,
    precision: Precision,
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
        Self::of_maps(cpu, shape, methods, Precision::F32)
            .expect("the last row takes f32, is direct, needs no level and fits every shape")
    }

    /// [`with_methods`](Self::with_methods) for maps of a type; `None` where the best method does not take it.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn of_maps(cpu: &Cpu, shape: Conv2dShape, methods: Conv2dMethods, precision: Precision) -> Option<Self> {
        shape.check();
        let method = choose(grad_input_rows(), Pass::GradInput, methods, cpu.level(), &shape, precision)?;
        Some(Self { shape, method, threads: cpu.threads(), precision })
    }

    /// The method that was chosen, named as its row in the table.
    pub fn kernel_name(&self) -> &'static str {
        self.method.name()
    }

    /// Numbers of workspace that [`run`](Self::run) wants at least.
    pub fn workspace(&self) -> usize {
        self.method.workspace(&self.shape, self.threads, self.precision)
    }

    /// Computes dx, whatever it held before. What the workspace holds before and after means nothing.
    ///
    /// # Panics
    /// When a slice has another length than the shape asks for, maps another type than was planned for, or
    /// `cpu` more threads.
    pub fn run<E: Element>(&self, cpu: &Cpu, dy: &[E], weight: &[f32], dx: &mut [E], workspace: &mut [f32]) {
        assert_eq!(E::PRECISION, self.precision, "dy and dx are of the type that was planned for");
        assert_eq!(dy.len(), self.shape.output_len(), "dy");
        assert_eq!(weight.len(), self.shape.weight_len(), "weight");
        assert_eq!(dx.len(), self.shape.input_len(), "dx");
        assert!(workspace.len() >= self.workspace(), "workspace: {} of {}", workspace.len(), self.workspace());
        assert!(cpu.threads() <= self.threads, "planned for {} threads", self.threads);
        self.method.run(cpu, &self.shape, E::floats(dy), weight, E::floats_mut(dx), workspace);
    }
}

/// The gradient of a convolution's weight.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dGradWeight {
    shape: Conv2dShape,
    method: &'static dyn GradWeight,
    threads: usize,
    precision: Precision,
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
        Self::of_maps(cpu, shape, methods, Precision::F32)
            .expect("the last row takes f32, is direct, needs no level and fits every shape")
    }

    /// [`with_methods`](Self::with_methods) for maps of a type; `None` where the best method does not take it.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn of_maps(cpu: &Cpu, shape: Conv2dShape, methods: Conv2dMethods, precision: Precision) -> Option<Self> {
        shape.check();
        let method = choose(grad_weight_rows(), Pass::GradWeight, methods, cpu.level(), &shape, precision)?;
        Some(Self { shape, method, threads: cpu.threads(), precision })
    }

    /// The method that was chosen, named as its row in the table.
    pub fn kernel_name(&self) -> &'static str {
        self.method.name()
    }

    /// Numbers of workspace that [`run`](Self::run) wants at least.
    pub fn workspace(&self) -> usize {
        self.method.workspace(&self.shape, self.threads, self.precision)
    }

    /// Computes dweight, whatever it held before. What the workspace holds before and after means nothing.
    ///
    /// # Panics
    /// When a slice has another length than the shape asks for, maps another type than was planned for, or
    /// `cpu` more threads.
    pub fn run<E: Element>(&self, cpu: &Cpu, x: &[E], dy: &[E], dweight: &mut [f32], workspace: &mut [f32]) {
        assert_eq!(E::PRECISION, self.precision, "x and dy are of the type that was planned for");
        assert_eq!(x.len(), self.shape.input_len(), "x");
        assert_eq!(dy.len(), self.shape.output_len(), "dy");
        assert_eq!(dweight.len(), self.shape.weight_len(), "dweight");
        assert!(workspace.len() >= self.workspace(), "workspace: {} of {}", workspace.len(), self.workspace());
        assert!(cpu.threads() <= self.threads, "planned for {} threads", self.threads);
        self.method.run(cpu, &self.shape, E::floats(x), E::floats(dy), dweight, workspace);
    }
}
