//! A convolution whose weight stays.

use super::method::PackedForward;
use super::{Conv2dForward, Conv2dShape, Epilogue};
use crate::{Cpu, Element, Precision};

/// [`Conv2dForward`] for a weight that many runs read: it is brought into the method's own form once. The results have
/// the same bits.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dPacked {
    shape: Conv2dShape,
    method: &'static dyn PackedForward,
    threads: usize,
    precision: Precision,
}

impl Conv2dForward {
    /// The same for a weight that stays; `None` where the method reads weights as they are, or where its own form is so
    /// large that reading it takes longer than making it.
    pub fn packed(&self) -> Option<Conv2dPacked> {
        let method = self.method.packed(&self.shape)?;
        Some(Conv2dPacked { shape: self.shape, method, threads: self.threads, precision: self.precision })
    }
}

impl Conv2dPacked {
    /// The method that was chosen, named as its row in the table.
    pub fn kernel_name(&self) -> &'static str {
        self.method.name()
    }

    /// Numbers of the packed weight.
    pub fn packed_len(&self) -> usize {
        self.method.packed_len(&self.shape)
    }

    /// Packs a weight.
    ///
    /// # Panics
    /// When a slice has another length than the shape and [`packed_len`](Self::packed_len) ask for.
    pub fn pack(&self, cpu: &Cpu, weight: &[f32], packed: &mut [f32]) {
        assert_eq!(weight.len(), self.shape.weight_len(), "weight");
        assert_eq!(packed.len(), self.packed_len(), "packed weight");
        self.method.pack(cpu, &self.shape, weight, packed);
    }

    /// Numbers of workspace that [`run`](Self::run) wants at least.
    pub fn workspace(&self) -> usize {
        self.method.run_workspace(&self.shape, self.threads, self.precision)
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
        packed: &[f32],
        epilogue: Epilogue<'_>,
        y: &mut [E],
        workspace: &mut [f32],
    ) {
        assert_eq!(x.len(), self.shape.input_len(), "x");
        assert_eq!(packed.len(), self.packed_len(), "packed weight");
        assert_eq!(y.len(), self.shape.output_len(), "y");
        assert_eq!(E::PRECISION, self.precision, "x and y are of the type that was planned for");
        epilogue.check(y.len(), self.shape.out_channels, E::PRECISION);
        assert!(workspace.len() >= self.workspace(), "workspace: {} of {}", workspace.len(), self.workspace());
        assert!(cpu.threads() <= self.threads, "planned for {} threads", self.threads);
        self.method.run_packed(cpu, &self.shape, E::floats(x), packed, epilogue, E::floats_mut(y), workspace);
    }
}
