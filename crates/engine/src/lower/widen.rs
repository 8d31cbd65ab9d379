//! Kernels of f32 where maps are of 16 bits: they work on copies.

use avizor_kernels::{Bf16, Cpu, Element, Memory, Place, convert, elements, elements_mut};

use super::{Call, Kernel, Site};
use crate::state::LINE_WORDS;
use crate::{DType, TensorType};

/// Most places that a kernel reads, or writes.
const MOST: usize = 16;

/// A copy of a map, in the workspace.
#[derive(Clone, Copy, Debug)]
struct Wide {
    /// Which of what is read, or written.
    place: usize,
    len: usize,
    /// Words from the start of the workspace.
    at: usize,
    /// Of what is written: the type of what it overwrites, and its own.
    before: Option<DType>,
    after: DType,
}

/// The kernel that `lower` chooses for f32, with copies of all maps of 16 bits.
pub(crate) fn widened(site: &Site<'_>, updates: &[usize], lower: impl FnOnce(&Site<'_>) -> Kernel) -> Kernel {
    let wide = |of: &TensorType| match of.dtype {
        DType::Bf16 => TensorType::f32(of.shape.clone()),
        _ => of.clone(),
    };
    let inputs: Vec<TensorType> = site.inputs.iter().map(|of| wide(of)).collect();
    let outputs: Vec<TensorType> = site.outputs.iter().map(wide).collect();
    let kernel = lower(&Site {
        inputs: inputs.iter().collect(),
        outputs: &outputs,
        is_read: site.is_read.clone(),
        stays: site.stays.clone(),
        ..*site
    });

    let own = kernel.workspace.map_or(0, |words| words.next_multiple_of(LINE_WORDS));
    let mut words = own;
    let mut copy = |place: usize, of: &TensorType, before: Option<DType>| {
        let (len, at) = (of.shape.elements(), words);
        words += len.next_multiple_of(LINE_WORDS);
        Wide { place, len, at, before, after: of.dtype }
    };
    let is_read = |input: &usize| !updates.contains(input) && site.overwrites != Some(*input);
    let read = (0..site.inputs.len()).filter(is_read).map(|input| site.inputs[input]).enumerate();
    let reads: Vec<Wide> =
        read.filter(|(_, of)| of.dtype == DType::Bf16).map(|(place, of)| copy(place, of, Some(of.dtype))).collect();
    let overwritten = |output: usize| site.overwrites.filter(|_| output == 0).map(|input| site.inputs[input].dtype);
    let written = site.outputs.iter().enumerate().map(|(output, of)| (output, of, overwritten(output)));
    let writes: Vec<Wide> = written
        .filter(|(_, of, before)| of.dtype == DType::Bf16 || *before == Some(DType::Bf16))
        .map(|(place, of, before)| copy(place, of, before))
        .collect();

    let Kernel { name, workspace, multiply_adds, packings, run } = kernel;
    let run = move |cpu: &Cpu, call: &mut Call<'_>| {
        let space = call.writes[call.writes.len() - 1];
        let (mut read, mut write) = ([space; MOST], [space; MOST]);
        read[..call.reads.len()].copy_from_slice(call.reads);
        write[..call.writes.len()].copy_from_slice(call.writes);
        let copy_of = |wide: &Wide| Place { offset: space.offset + wide.at, len: wide.len, ..space };
        for wide in &reads {
            load(cpu, call.memory, call.reads[wide.place], wide, copy_of(wide));
            read[wide.place] = copy_of(wide);
        }
        for wide in &writes {
            load(cpu, call.memory, call.writes[wide.place], wide, copy_of(wide));
            write[wide.place] = copy_of(wide);
        }
        // The kernel's own part of the workspace, if it has one, is in front.
        let last = call.writes.len() - 1;
        write[last] = Place { len: workspace.unwrap_or(0), ..space };
        let writes_len = if workspace.is_some() { last + 1 } else { last };
        let (reads_len, seed_and_step) = (call.reads.len(), call.seed_and_step);
        let (reads, all_writes) = (&read[..reads_len], &write[..writes_len]);
        run(cpu, &mut Call { memory: &mut *call.memory, reads, writes: all_writes, seed_and_step });
        for wide in &writes {
            store(cpu, call.memory, copy_of(wide), wide, call.writes[wide.place]);
        }
    };
    Kernel { multiply_adds, packings, ..Kernel::with_workspace(name, words, run) }
}

/// Fills a copy, where there is something to be read.
fn load(cpu: &Cpu, memory: &mut Memory, from: Place, wide: &Wide, to: Place) {
    match wide.before {
        Some(DType::Bf16) => copy::<Bf16, f32>(cpu, memory, from, to, wide.len),
        Some(_) => copy::<f32, f32>(cpu, memory, from, to, wide.len),
        None => {}
    }
}

/// Puts a copy in its place.
fn store(cpu: &Cpu, memory: &mut Memory, from: Place, wide: &Wide, to: Place) {
    match wide.after {
        DType::Bf16 => copy::<f32, Bf16>(cpu, memory, from, to, wide.len),
        _ => copy::<f32, f32>(cpu, memory, from, to, wide.len),
    }
}

fn copy<A: Element, B: Element>(cpu: &Cpu, memory: &mut Memory, from: Place, to: Place, len: usize) {
    let ([from], [to]) = memory.access([from], [to]);
    convert(cpu, elements::<A>(from, len), elements_mut::<B>(to, len));
}
