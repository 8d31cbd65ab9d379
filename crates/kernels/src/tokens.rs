//! What a vision transformer makes of its patches before the first block, and reads after the last: a class token before
//! those of every sample, and a position added to each.

use crate::Cpu;
use crate::elementwise::{sum_rows, sum_rows_workspace};
use crate::parts::for_each_part;

/// Patches `[batch][patches][channels]` that become tokens `[batch][1 + patches][channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokensShape {
    /// Samples.
    pub batch: usize,
    /// Of a sample, the class token left out.
    pub patches: usize,
    /// Numbers of a patch; not 0.
    pub channels: usize,
}

impl TokensShape {
    /// Numbers of all patches.
    pub fn patches_len(&self) -> usize {
        self.batch * self.patches * self.channels
    }

    /// Numbers of all tokens.
    pub fn tokens_len(&self) -> usize {
        self.batch * self.sample_len()
    }

    /// Numbers of a sample's tokens, and of the positions.
    pub fn sample_len(&self) -> usize {
        (1 + self.patches) * self.channels
    }

    fn check(&self, patches: usize, tokens: usize, class: usize, positions: usize) {
        let lens = (self.patches_len(), self.tokens_len(), self.channels, self.sample_len());
        assert!((patches, tokens, class, positions) == lens, "patches, tokens, class token and positions are {self:?}");
    }
}

/// `y[b][0] = class + positions[0]`, `y[b][1 + p] = x[b][p] + positions[1 + p]`.
///
/// # Panics
/// When a slice has not the length that the shape says; so do all functions here.
pub fn tokens(cpu: &Cpu, shape: TokensShape, x: &[f32], class: &[f32], positions: &[f32], y: &mut [f32]) {
    shape.check(x.len(), y.len(), class.len(), positions.len());
    let patches = shape.patches * shape.channels;
    for_each_part(cpu, shape.sample_len(), [y], |range, [y]| {
        let sample = range.start / shape.sample_len();
        let (of_class, of_patches) = y.split_at_mut(shape.channels);
        of_class.copy_from_slice(class);
        of_patches.copy_from_slice(&x[sample * patches..][..patches]);
        y.iter_mut().zip(positions).for_each(|(y, position)| *y += position);
    });
}

/// Words of workspace that [`tokens_backward`] needs.
pub fn tokens_backward_workspace(shape: TokensShape) -> usize {
    sum_rows_workspace(shape.batch, shape.sample_len())
}

/// Gradients of [`tokens`]; all are overwritten. Those of positions are sums over the batch, and the class token's is its
/// position's.
pub fn tokens_backward(
    cpu: &Cpu,
    shape: TokensShape,
    dy: &[f32],
    dx: &mut [f32],
    dclass: &mut [f32],
    dpositions: &mut [f32],
    workspace: &mut [f32],
) {
    shape.check(dx.len(), dy.len(), dclass.len(), dpositions.len());
    let patches = shape.patches * shape.channels;
    for_each_part(cpu, patches.max(1), [dx], |range, [dx]| {
        let sample = &dy[range.start / patches * shape.sample_len()..][..shape.sample_len()];
        dx.copy_from_slice(&sample[shape.channels..]);
    });
    sum_rows(cpu, shape.batch, shape.sample_len(), dy, dpositions, workspace);
    dclass.copy_from_slice(&dpositions[..shape.channels]);
}

/// `y[b] = x[b][0]` of tokens `[batch][tokens][channels]`.
///
/// # Panics
/// When x is not so many times as long as y as there are tokens.
pub fn first_token(tokens: usize, channels: usize, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), tokens * y.len(), "as many tokens for every sample");
    for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(tokens * channels)) {
        y.copy_from_slice(&x[..channels]);
    }
}

/// Gradient of [`first_token`]: zero for all other tokens.
///
/// # Panics
/// As [`first_token`].
pub fn first_token_backward(tokens: usize, channels: usize, dy: &[f32], dx: &mut [f32]) {
    assert_eq!(dx.len(), tokens * dy.len(), "as many tokens for every sample");
    dx.fill(0.0);
    for (dy, dx) in dy.chunks_exact(channels).zip(dx.chunks_exact_mut(tokens * channels)) {
        dx[..channels].copy_from_slice(dy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{assert_agrees, everywhere, exact, noise};
    use crate::reference;

    #[test]
    fn tokens_and_gradients_agree_with_the_references() {
        for [batch, patches, channels] in [[1, 1, 1], [3, 4, 7], [40, 2, 33], [2, 196, 48]] {
            let shape = TokensShape { batch, patches, channels };
            let case = format!("{shape:?}");
            let (x, dy) = (noise(shape.patches_len(), 1), noise(shape.tokens_len(), 2));
            let (class, positions) = (noise(channels, 3), noise(shape.sample_len(), 4));
            let [y, dx, dclass, dpositions] = everywhere(&case, |cpu| {
                let mut y = vec![f32::NAN; shape.tokens_len()];
                let [mut dx, mut dclass, mut dpositions] =
                    [x.len(), channels, positions.len()].map(|len| vec![f32::NAN; len]);
                let mut workspace = vec![f32::NAN; tokens_backward_workspace(shape)];
                tokens(cpu, shape, &x, &class, &positions, &mut y);
                tokens_backward(cpu, shape, &dy, &mut dx, &mut dclass, &mut dpositions, &mut workspace);
                [y, dx, dclass, dpositions]
            });
            let [x, dy, class, positions] = [x, dy, class, positions].map(|numbers| exact(&numbers));
            assert_agrees(&case, &y, &reference::tokens(&shape, &x, &class, &positions));
            let want = reference::tokens_backward(&shape, &dy);
            for (have, want) in [dx, dclass, dpositions].iter().zip(&want) {
                assert_agrees(&format!("gradient of {case}"), have, want);
            }
        }
    }

    #[test]
    fn the_first_token_is_taken_and_alone_has_a_gradient() {
        let x = noise(2 * 3 * 5, 1);
        let (mut y, mut dx) = (vec![f32::NAN; 10], vec![f32::NAN; 30]);
        first_token(3, 5, &x, &mut y);
        first_token_backward(3, 5, &y, &mut dx);
        let want = |(i, x): (usize, &f32)| if i % 15 < 5 { *x } else { 0.0 };
        assert_eq!(y, [&x[..5], &x[15..20]].concat());
        assert_eq!(dx, x.iter().enumerate().map(want).collect::<Vec<_>>());
    }
}
