//! Self-attention by its definition.

use crate::attention::AttentionShape;

/// `softmax(Q · Kᵀ / √d) · V` for every head of every sample.
pub fn attention(shape: &AttentionShape, qkv: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; shape.output_len()];
    for_each_query(shape, |at, head| {
        let shares = shares(shape, qkv, at, head);
        for (token, share) in shares.iter().enumerate() {
            for i in 0..shape.head_width {
                y[output(shape, at, head) + i] += share * qkv[input(shape, [at[0], token], head, 2) + i];
            }
        }
    });
    y
}

/// The gradient of queries, keys and values.
pub fn attention_backward(shape: &AttentionShape, qkv: &[f64], dy: &[f64]) -> Vec<f64> {
    let mut dqkv = vec![0.0; qkv.len()];
    let scale = 1.0 / (shape.head_width as f64).sqrt();
    for_each_query(shape, |at, head| {
        let shares = shares(shape, qkv, at, head);
        let place = |token: usize, part: usize| input(shape, [at[0], token], head, part);
        let dy = &dy[output(shape, at, head)..][..shape.head_width];
        let of_share = |token: usize| -> f64 { (0..shape.head_width).map(|i| dy[i] * qkv[place(token, 2) + i]).sum() };
        let of_shares: Vec<f64> = (0..shape.tokens).map(of_share).collect();
        let dot: f64 = shares.iter().zip(&of_shares).map(|(share, gradient)| share * gradient).sum();
        for (token, share) in shares.iter().enumerate() {
            let of_score = share * (of_shares[token] - dot) * scale;
            for i in 0..shape.head_width {
                dqkv[place(at[1], 0) + i] += of_score * qkv[place(token, 1) + i];
                dqkv[place(token, 1) + i] += of_score * qkv[place(at[1], 0) + i];
                dqkv[place(token, 2) + i] += share * dy[i];
            }
        }
    });
    dqkv
}

/// Calls `each` with sample and token of every query, and with its head.
fn for_each_query(shape: &AttentionShape, mut each: impl FnMut([usize; 2], usize)) {
    for sample in 0..shape.batch {
        for token in 0..shape.tokens {
            (0..shape.heads).for_each(|head| each([sample, token], head));
        }
    }
}

/// How much a query takes of every token's value.
fn shares(shape: &AttentionShape, qkv: &[f64], [sample, query]: [usize; 2], head: usize) -> Vec<f64> {
    let place = |token: usize, part: usize| input(shape, [sample, token], head, part);
    let score = |token: usize| -> f64 {
        let products = (0..shape.head_width).map(|i| qkv[place(query, 0) + i] * qkv[place(token, 1) + i]);
        products.sum::<f64>() / (shape.head_width as f64).sqrt()
    };
    super::softmax(shape.tokens, &(0..shape.tokens).map(score).collect::<Vec<_>>())
}

fn input(shape: &AttentionShape, [sample, token]: [usize; 2], head: usize, part: usize) -> usize {
    (((sample * shape.tokens + token) * 3 + part) * shape.heads + head) * shape.head_width
}

fn output(shape: &AttentionShape, [sample, token]: [usize; 2], head: usize) -> usize {
    ((sample * shape.tokens + token) * shape.heads + head) * shape.head_width
}
