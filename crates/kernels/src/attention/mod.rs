//! Multi-head self-attention: `softmax(Q · Kᵀ / √d) · V` for every head of every sample.
//!
//! Queries, keys and values lie side by side in a token's numbers, as the layer that makes them gives them:
//! `[batch][tokens][3][heads][d]`; the result is `[batch][tokens][heads][d]`. A task is a head of a sample: some queries at a
//! time meet all keys, and their scores live in the worker's scratch memory alone. The backward pass finds them again, for one
//! product more than its five, and nothing has to be kept for it. Source: Vaswani et al. 2017, arXiv:1706.03762.

mod backward;
mod forward;
mod products;

pub use backward::{attention_backward, attention_backward_workspace};
pub use forward::{attention, attention_workspace};

use products::Rows;

/// Queries whose scores are made at once, at most.
const QUERIES: usize = 128;

/// The sizes of an attention layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttentionShape {
    /// Samples.
    pub batch: usize,
    /// Of a sample.
    pub tokens: usize,
    /// Each attends by itself.
    pub heads: usize,
    /// Numbers of a query, a key and a value: d.
    pub head_width: usize,
}

impl AttentionShape {
    /// Numbers of a token, for all heads.
    pub fn width(&self) -> usize {
        self.heads * self.head_width
    }

    /// Numbers of all queries, keys and values.
    pub fn input_len(&self) -> usize {
        3 * self.output_len()
    }

    /// Numbers of the result.
    pub fn output_len(&self) -> usize {
        self.batch * self.tokens * self.width()
    }

    /// Multiplications with addition of the forward pass.
    pub fn multiply_adds(&self) -> usize {
        2 * self.output_len() * self.tokens
    }

    /// What scores are multiplied by: 1 / √d.
    fn scale(&self) -> f32 {
        (1.0 / (self.head_width as f64).sqrt()) as f32
    }

    /// As few blocks of queries as there can be, about equally large.
    fn block(&self) -> usize {
        self.tokens.div_ceil(self.tokens.div_ceil(QUERIES).max(1)).max(1)
    }

    /// Where the numbers of a task's head start, in the result and in each third of the input.
    fn head(&self, task: usize) -> Head {
        let (sample, head) = (task / self.heads, task % self.heads);
        let (tokens, first) = (sample * self.tokens, head * self.head_width);
        let (width, pitch) = (self.width(), 3 * self.width());
        Head {
            input: [0, 1, 2].map(|part| tokens * pitch + part * width + first),
            output: tokens * width + first,
            pitches: [pitch, width],
        }
    }

    fn check(&self, input: &[usize], output: &[usize]) {
        assert!(input.iter().all(|&len| len == self.input_len()), "queries, keys and values are {self:?}");
        assert!(output.iter().all(|&len| len == self.output_len()), "results are {self:?}");
    }
}

/// A head of a sample.
#[derive(Clone, Copy, Debug)]
struct Head {
    /// First numbers of its queries, keys and values.
    input: [usize; 3],
    /// First number of its result.
    output: usize,
    /// From one token to the next, in the input and in the result.
    pitches: [usize; 2],
}

impl Head {
    /// Queries, keys and values.
    fn of_input<'m>(&self, numbers: &'m [f32]) -> [Rows<'m>; 3] {
        self.input.map(|first| Rows { numbers, first, pitch: self.pitches[0] })
    }

    fn of_output<'m>(&self, numbers: &'m [f32]) -> Rows<'m> {
        Rows { numbers, first: self.output, pitch: self.pitches[1] }
    }
}

#[cfg(test)]
mod tests;
