//! Forward and gradient of the input.

use super::Winograd;
use super::convolution::Convolution;
use super::geometry::Geometry;
use super::passes::{Tensors, Weights};
use crate::conv2d::method::{Forward, GradInput, PackedForward};
use crate::conv2d::{Conv2dShape, Epilogue};
use crate::{Cpu, Floats, FloatsMut, Precision};

impl Forward for Winograd {
    fn packed(&self, shape: &Conv2dShape) -> Option<&dyn PackedForward> {
        self.forward(shape).has_all_weights().then_some(self)
    }

    fn workspace(&self, shape: &Conv2dShape, threads: usize, _precision: Precision) -> usize {
        self.forward(shape).workspace(threads, false)
    }

    fn run(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        x: Floats<'_>,
        weight: &[f32],
        epilogue: Epilogue<'_>,
        y: FloatsMut<'_>,
        workspace: &mut [f32],
    ) {
        self.assert_level();
        let tensors = Tensors { source: x, weights: Weights::Straight(weight), epilogue };
        self.forward(shape).run(cpu, tensors, y, workspace);
    }
}

impl PackedForward for Winograd {
    fn packed_len(&self, shape: &Conv2dShape) -> usize {
        self.forward(shape).weights_len()
    }

    fn pack(&self, cpu: &Cpu, shape: &Conv2dShape, weight: &[f32], packed: &mut [f32]) {
        self.assert_level();
        let forward = self.forward(shape);
        forward.pack_group(cpu.pool(), Weights::Straight(weight), 0..forward.all_panels(), packed);
    }

    fn run_workspace(&self, shape: &Conv2dShape, threads: usize, _precision: Precision) -> usize {
        self.forward(shape).workspace(threads, true)
    }

    fn run_packed(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        x: Floats<'_>,
        packed: &[f32],
        epilogue: Epilogue<'_>,
        y: FloatsMut<'_>,
        workspace: &mut [f32],
    ) {
        self.assert_level();
        let tensors = Tensors { source: x, weights: Weights::Kept(packed), epilogue };
        self.forward(shape).run(cpu, tensors, y, workspace);
    }
}

impl GradInput for Winograd {
    fn workspace(&self, shape: &Conv2dShape, threads: usize, _precision: Precision) -> usize {
        self.grad_input(shape).workspace(threads, false)
    }

    fn run(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        dy: Floats<'_>,
        weight: &[f32],
        dx: FloatsMut<'_>,
        workspace: &mut [f32],
    ) {
        self.assert_level();
        let tensors = Tensors { source: dy, weights: Weights::Turned(weight), epilogue: Epilogue::NONE };
        self.grad_input(shape).run(cpu, tensors, dx, workspace);
    }
}

impl Winograd {
    fn forward(&self, shape: &Conv2dShape) -> Convolution {
        Convolution::new(Geometry::forward(shape, self.tile), self.kernels)
    }

    fn grad_input(&self, shape: &Conv2dShape) -> Convolution {
        Convolution::new(Geometry::grad_input(shape, self.tile), self.backward)
    }
}
