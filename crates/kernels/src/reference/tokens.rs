//! Tokens by their definition.

use crate::tokens::TokensShape;

/// The class token and then the patches of every sample, with positions added.
pub fn tokens(shape: &TokensShape, patches: &[f64], class: &[f64], positions: &[f64]) -> Vec<f64> {
    let sample = shape.patches * shape.channels;
    let of_sample = |sample: &[f64]| -> Vec<f64> {
        class.iter().chain(sample).zip(positions).map(|(number, position)| number + position).collect()
    };
    patches.chunks_exact(sample.max(1)).flat_map(of_sample).collect()
}

/// The gradients of patches, class token and positions.
pub fn tokens_backward(shape: &TokensShape, dy: &[f64]) -> [Vec<f64>; 3] {
    let sample = (shape.patches + 1) * shape.channels;
    let mut positions = vec![0.0; sample];
    let mut patches = Vec::new();
    for dy in dy.chunks_exact(sample) {
        positions.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += dy);
        patches.extend_from_slice(&dy[shape.channels..]);
    }
    let class = positions[..shape.channels].to_vec();
    [patches, class, positions]
}
