//! The gradient of queries, keys and values.

use super::AttentionShape;
use super::products::{Right, Rows, To, multiply, multiply_transposed};
use crate::Cpu;
use crate::gemm::Gemm;
use crate::loss::softmax_row;
use crate::per_level::per_level;
use crate::pool::Disjoint;
use crate::workers::Workers;

/// Words of workspace that [`attention_backward`] needs.
pub fn attention_backward_workspace(cpu: &Cpu, shape: AttentionShape) -> usize {
    Workers::len(cpu.threads(), scratch(Gemm::at_level(cpu.level()), shape).iter().sum())
}

/// Numbers that a worker works in: keys and values as columns, keys as rows, queries and gradients of a block as rows, and of a
/// block the shares and their gradients.
fn scratch(gemm: Gemm, shape: AttentionShape) -> [usize; 7] {
    let AttentionShape { tokens, head_width, .. } = shape;
    let columns = Right::len(gemm, head_width, tokens);
    let of_block = Right::len(gemm, shape.block(), head_width);
    let scores = shape.block() * tokens;
    [columns, columns, Right::len(gemm, tokens, head_width), of_block, of_block, scores, scores]
}

/// The gradient of [`attention`](super::attention), in the order of its input; all is overwritten.
///
/// With `P = softmax(S)`, `S = Q · Kᵀ / √d` and `dP = dY · Vᵀ`: `dV = Pᵀ · dY`, `dS = P · (dP - Σ P · dP)` along every row,
/// `dQ = dS · K / √d` and `dK = dSᵀ · Q / √d`.
pub fn attention_backward(
    cpu: &Cpu,
    shape: AttentionShape,
    qkv: &[f32],
    dy: &[f32],
    dqkv: &mut [f32],
    workspace: &mut [f32],
) {
    shape.check(&[qkv.len(), dqkv.len()], &[dy.len()]);
    if dy.is_empty() {
        return;
    }
    let AttentionShape { tokens, head_width, .. } = shape;
    let (gemm, scale) = (Gemm::at_level(cpu.level()), shape.scale());
    let lens = scratch(gemm, shape);
    let (workers, target) = (Workers::new(workspace, lens.iter().sum()), Disjoint::new(dqkv));
    cpu.pool().run(shape.batch * shape.heads, &|task, worker| {
        let head = shape.head(task);
        let ([queries, keys, values], dy) = (head.of_input(qkv), head.of_output(dy));
        // SAFETY: a worker runs one task at a time.
        let mut rest = unsafe { workers.scratch(worker) };
        let parts = lens.map(|len| {
            let (part, behind) = std::mem::take(&mut rest).split_at_mut(len);
            rest = behind;
            part
        });
        let [keys_to, values_to, key_rows_to, queries_to, dy_to, shares, gradients] = parts;
        let key_columns = Right::of_columns(gemm, keys, [head_width, tokens], scale, keys_to);
        let value_columns = Right::of_columns(gemm, values, [head_width, tokens], 1.0, values_to);
        let key_rows = Right::of_rows(gemm, keys, [tokens, head_width], scale, key_rows_to);
        let to = |part: usize, token: usize| {
            let [pitch, _] = head.pitches;
            To { c: &target, first: head.input[part] + token * pitch, pitch }
        };
        for first in (0..tokens).step_by(shape.block()) {
            let count = shape.block().min(tokens - first);
            let (queries, dy) = (queries.from(first), dy.from(first));
            let (shares, gradients) = (&mut shares[..count * tokens], &mut gradients[..count * tokens]);
            // SAFETY: shares and their gradients are this worker's.
            unsafe {
                let scores = To { c: &Disjoint::new(&mut *shares), first: 0, pitch: tokens };
                multiply(gemm, queries, count, &key_columns, scores);
                let of_shares = To { c: &Disjoint::new(&mut *gradients), first: 0, pitch: tokens };
                multiply(gemm, dy, count, &value_columns, of_shares);
            }
            for (shares, gradients) in shares.chunks_exact_mut(tokens).zip(gradients.chunks_exact_mut(tokens)) {
                softmax_row(cpu, shares, &mut 0.0);
                softmax_backward_row(cpu, shares, gradients);
            }
            let [shares, gradients] = [&*shares, &*gradients].map(|numbers| Rows { numbers, first: 0, pitch: tokens });
            let query_rows = Right::of_rows(gemm, queries, [count, head_width], scale, queries_to);
            let dy_rows = Right::of_rows(gemm, dy, [count, head_width], 1.0, dy_to);
            // SAFETY: a task writes the numbers of its own head and sample.
            unsafe {
                multiply(gemm, gradients, count, &key_rows, to(0, first));
                multiply_transposed(gemm, gradients, tokens, &query_rows, to(1, 0), first > 0);
                multiply_transposed(gemm, shares, tokens, &dy_rows, to(2, 0), first > 0);
            }
        }
    });
}

per_level! {
    /// From the gradient of a softmax's result to that of its argument.
    fn softmax_backward_row(shares: &[f32], gradient: &mut [f32]) {
        const LANES: usize = 16;
        let mut lanes = [0.0_f32; LANES];
        for (shares, gradient) in shares.chunks(LANES).zip(gradient.chunks(LANES)) {
            for ((lane, share), gradient) in lanes.iter_mut().zip(shares).zip(gradient) {
                *lane += share * gradient;
            }
        }
        let mut sum = 0.0_f64;
        for lane in lanes {
            sum += f64::from(lane);
        }
        let sum = sum as f32;
        for (gradient, share) in gradient.iter_mut().zip(shares) {
            *gradient = share * (*gradient - sum);
        }
    }
}
