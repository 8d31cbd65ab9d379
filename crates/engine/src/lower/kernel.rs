//! What lowering an operator gives.

use std::any::Any;
use std::fmt;

use avizor_base::Seed;
use avizor_kernels::conv2d::Conv2dMethods;
use avizor_kernels::{Bf16, Cpu, Element, Memory, Place};

use super::widen::widened;
use crate::{DType, Operator, Shape, TensorType};

/// A node as its lowering sees it. Where inputs and outputs lie is settled later, but for one thing.
pub(crate) struct Site<'c> {
    pub(crate) cpu: &'c Cpu,
    pub(crate) conv2d_methods: Conv2dMethods,
    pub(crate) inputs: Vec<&'c TensorType>,
    pub(crate) outputs: &'c [TensorType],
    /// The input that the first output overwrites: the kernel finds it among what it writes only.
    pub(crate) overwrites: Option<usize>,
    /// Whether somebody reads each output.
    pub(crate) is_read: Vec<bool>,
    /// Whether each input stays as it is over many runs: in inference what parameters give.
    pub(crate) stays: Vec<bool>,
}

impl Site<'_> {
    /// Shape of an input.
    pub(crate) fn input(&self, index: usize) -> &Shape {
        &self.inputs[index].shape
    }

    /// Shape of an output.
    pub(crate) fn output(&self, index: usize) -> &Shape {
        &self.outputs[index].shape
    }

    /// Whether some map is of 16 bits.
    fn has_bf16(&self) -> bool {
        self.inputs.iter().copied().chain(self.outputs).any(|of| of.dtype == DType::Bf16)
    }

    /// Whether these maps are, and no other.
    fn has_bf16_in(&self, maps: &Maps) -> bool {
        let all = |of: &mut dyn Iterator<Item = &TensorType>, maps: &[usize]| {
            of.enumerate().all(|(i, of)| (of.dtype == DType::Bf16) == maps.contains(&i))
        };
        all(&mut self.inputs.iter().copied(), maps.inputs) && all(&mut self.outputs.iter(), maps.outputs)
    }
}

type Run = dyn Fn(&Cpu, &mut Call<'_>) + Send + Sync;

/// A kernel chosen for a node: its name, how many words of workspace it wants, the multiply-adds that its result is
/// defined by (a fast method may do with fewer), and the call.
pub(crate) struct Kernel {
    pub(crate) name: &'static str,
    pub(crate) workspace: Option<usize>,
    pub(crate) multiply_adds: usize,
    pub(crate) packings: Vec<Packing>,
    pub(crate) run: Box<Run>,
}

/// An input that stays, read in another form: made once, it takes the input's place.
pub(crate) struct Packing {
    /// Which of what the kernel reads.
    pub(crate) input: usize,
    /// Words of the form.
    pub(crate) words: usize,
    /// Reads the input, writes the form.
    pub(crate) run: Box<Run>,
}

impl Kernel {
    /// A kernel that reads the inputs and writes the outputs, then the inputs that the operator updates.
    pub(crate) fn new(name: &'static str, run: impl Fn(&Cpu, &mut Call<'_>) + Send + Sync + 'static) -> Self {
        Self { name, workspace: None, multiply_adds: 0, packings: Vec::new(), run: Box::new(run) }
    }

    /// The same, with a workspace as the last of what is written.
    pub(crate) fn with_workspace(
        name: &'static str,
        words: usize,
        run: impl Fn(&Cpu, &mut Call<'_>) + Send + Sync + 'static,
    ) -> Self {
        Self { workspace: Some(words), ..Self::new(name, run) }
    }

    /// The same, knowing its arithmetic.
    pub(crate) fn counting(self, multiply_adds: usize) -> Self {
        Self { multiply_adds, ..self }
    }

    /// The same, reading one of its inputs in a form that `pack` makes of it.
    pub(crate) fn packing(
        mut self,
        input: usize,
        words: usize,
        pack: impl Fn(&Cpu, &mut Call<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.packings.push(Packing { input, words, run: Box::new(pack) });
        self
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel").field("name", &self.name).field("workspace", &self.workspace).finish_non_exhaustive()
    }
}

/// One call of a kernel.
pub(crate) struct Call<'r> {
    pub(crate) memory: &'r mut Memory,
    pub(crate) reads: &'r [Place],
    pub(crate) writes: &'r [Place],
    pub(crate) seed_and_step: (Seed, u64),
}

impl Call<'_> {
    /// What is read, and what is written.
    ///
    /// # Panics
    /// When the node has not so many of them: a bug of the lowering.
    pub(crate) fn slices<const R: usize, const W: usize>(&mut self) -> ([&[f32]; R], [&mut [f32]; W]) {
        let reads = <[Place; R]>::try_from(self.reads).expect("a lowering knows how many inputs its node has");
        let writes = <[Place; W]>::try_from(self.writes).expect("a lowering knows how many outputs its node has");
        self.memory.access(reads, writes)
    }

    /// The inputs of these numbers, empty where there is no number, and what is written.
    ///
    /// # Panics
    /// As [`slices`](Self::slices).
    pub(crate) fn slices_of<const R: usize, const W: usize>(
        &mut self,
        inputs: [Option<usize>; R],
    ) -> ([&[f32]; R], [&mut [f32]; W]) {
        let writes = <[Place; W]>::try_from(self.writes).expect("a lowering knows how many outputs its node has");
        let nothing = Place { len: 0, ..writes[0] };
        let reads = inputs.map(|input| input.map_or(nothing, |input| self.reads[input]));
        self.memory.access(reads, writes)
    }
}

/// The bytes in words.
pub(crate) fn bytes(words: &[f32], len: usize) -> &[u8] {
    &bytemuck::cast_slice(words)[..len]
}

/// The bytes in words, to be written.
pub(crate) fn bytes_mut(words: &mut [f32], len: usize) -> &mut [u8] {
    &mut bytemuck::cast_slice_mut(words)[..len]
}

/// The integers in words.
pub(crate) fn integers(words: &[f32]) -> &[i32] {
    bytemuck::cast_slice(words)
}

/// Inputs and outputs, by their numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Maps {
    pub(crate) inputs: &'static [usize],
    pub(crate) outputs: &'static [usize],
}

/// An operator that a device has a kernel for.
pub(crate) trait Lower: Operator {
    /// Chooses the kernel for a node whose maps are of type `E`: those that [`maps`](Self::maps) names, or f32.
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel;

    /// Which inputs and outputs there is a kernel for when they, and no others, are of 16 bits.
    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        None
    }
}

/// A row of a device's table: gives the kernel if the operator is the row's.
pub(crate) type Row = fn(&dyn Operator, &Site<'_>) -> Option<Kernel>;

/// The row of an operator.
pub(crate) const fn row<O: Lower>() -> Row {
    |operator, site| {
        let operator = (operator as &dyn Any).downcast_ref::<O>()?;
        Some(match operator.maps(site) {
            _ if !site.has_bf16() => operator.lower::<f32>(site),
            Some(maps) if site.has_bf16_in(&maps) => operator.lower::<Bf16>(site),
            _ => widened(site, operator.updates(), |site| operator.lower::<f32>(site)),
        })
    }
}
