//! The forward pass.

use super::AttentionShape;
use super::products::{Right, Rows, To, multiply};
use crate::Cpu;
use crate::gemm::Gemm;
use crate::loss::softmax_row;
use crate::pool::Disjoint;
use crate::workers::Workers;

/// Words of workspace that [`attention`] needs.
pub fn attention_workspace(cpu: &Cpu, shape: AttentionShape) -> usize {
    Workers::len(cpu.threads(), scratch(Gemm::at_level(cpu.level()), shape).iter().sum())
}

/// Numbers that a worker works in: keys, values and scores.
fn scratch(gemm: Gemm, shape: AttentionShape) -> [usize; 3] {
    let AttentionShape { tokens, head_width, .. } = shape;
    let packed = [Right::len(gemm, head_width, tokens), Right::len(gemm, tokens, head_width)];
    [packed[0], packed[1], shape.block() * tokens]
}

/// `y = softmax(Q · Kᵀ / √d) · V`.
///
/// # Panics
/// When a slice has not the length that the shape says, or the workspace is too small; so do all functions here.
pub fn attention(cpu: &Cpu, shape: AttentionShape, qkv: &[f32], y: &mut [f32], workspace: &mut [f32]) {
    shape.check(&[qkv.len()], &[y.len()]);
    if y.is_empty() {
        return;
    }
    let AttentionShape { tokens, head_width, .. } = shape;
    let gemm = Gemm::at_level(cpu.level());
    let lens = scratch(gemm, shape);
    let (workers, target) = (Workers::new(workspace, lens.iter().sum()), Disjoint::new(y));
    cpu.pool().run(shape.batch * shape.heads, &|task, worker| {
        let head = shape.head(task);
        let [queries, keys, values] = head.of_input(qkv);
        // SAFETY: a worker runs one task at a time.
        let (keys_to, rest) = unsafe { workers.scratch(worker) }.split_at_mut(lens[0]);
        let (values_to, rest) = rest.split_at_mut(lens[1]);
        let keys = Right::of_columns(gemm, keys, [head_width, tokens], shape.scale(), keys_to);
        let values = Right::of_rows(gemm, values, [tokens, head_width], 1.0, values_to);
        for first in (0..tokens).step_by(shape.block()) {
            let count = shape.block().min(tokens - first);
            let scores = &mut rest[..count * tokens];
            let to = To { c: &Disjoint::new(&mut *scores), first: 0, pitch: tokens };
            // SAFETY: the scores are this worker's.
            unsafe { multiply(gemm, queries.from(first), count, &keys, to) }
            scores.chunks_exact_mut(tokens).for_each(|row| softmax_row(cpu, row, &mut 0.0));
            let shares = Rows { numbers: scores, first: 0, pitch: tokens };
            let [_, pitch] = head.pitches;
            let to = To { c: &target, first: head.output + first * pitch, pitch };
            // SAFETY: a task writes the numbers of its own head and sample.
            unsafe { multiply(gemm, shares, count, &values, to) }
        }
    });
}
