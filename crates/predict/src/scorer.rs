//! A network run over batches of prepared pictures and what is known beside them.

use avizor_base::Preprocess;
use avizor_engine::{CompileOptions, Graph, GraphBuilder, Program, State, ops};
use avizor_kernels::Cpu;
use avizor_models::{Network, NetworkOptions, build_network};

use crate::PredictError;

/// A network compiled for inference on batches of one size. It shares parameters and working memory with the other
/// programs of its [`State`].
#[derive(Debug)]
pub struct Scorer {
    program: Program,
    batch: usize,
    classes: usize,
    /// Of a picture; 0 where the network sees none.
    picture_bytes: usize,
    /// Bytes of a row of a picture.
    line_bytes: usize,
    /// Numbers of metadata a picture; 0 where the network reads none.
    metadata: usize,
    /// Whether each picture is answered together with its mirror image.
    flips: bool,
}

/// Numbers of a network about some pictures, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// Numbers a row.
    pub classes: usize,
    /// Before softmax.
    pub logits: Vec<f32>,
    /// After softmax: each row sums to 1.
    pub probabilities: Vec<f32>,
}

impl Scores {
    /// How many pictures they are about.
    pub fn rows(&self) -> usize {
        self.probabilities.len() / self.classes.max(1)
    }

    /// Probabilities of one picture.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.probabilities[row * self.classes..][..self.classes]
    }

    /// Adds the rows of other scores.
    pub fn append(&mut self, mut other: Self) {
        self.logits.append(&mut other.logits);
        self.probabilities.append(&mut other.probabilities);
    }

    /// The most probable class of each picture; the first of equals. NaN is never the most probable.
    pub fn predictions(&self) -> Vec<u32> {
        (0..self.rows()).map(|row| likeliest(self.row(row)).first().map_or(0, |&class| class as u32)).collect()
    }
}

/// Classes by falling probability, the first of equals first.
pub(crate) fn likeliest(probabilities: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    let rank = |class: usize| if probabilities[class].is_nan() { f32::NEG_INFINITY } else { probabilities[class] };
    order.sort_by(|&a, &b| rank(b).total_cmp(&rank(a)));
    order
}

impl Scorer {
    /// The graph whose outputs are `logits` and `probabilities`.
    ///
    /// # Errors
    /// The network does not fit the size.
    pub fn graph(
        network: &Network,
        options: &NetworkOptions,
        preprocess: &Preprocess,
        batch: usize,
    ) -> Result<Graph, PredictError> {
        let mut graph = GraphBuilder::new();
        let outputs = build_network(&mut graph, network, options, preprocess, batch)?;
        graph.output("logits", outputs.logits);
        let probabilities = graph.apply("probabilities", ops::Softmax, &[outputs.logits])?;
        graph.output("probabilities", probabilities);
        Ok(graph.finish()?)
    }

    /// Compiles such a graph.
    ///
    /// # Errors
    /// Parameters that the state does not have.
    pub fn new(
        network: &Network,
        options: &NetworkOptions,
        preprocess: &Preprocess,
        batch: usize,
        cpu: &Cpu,
        state: &mut State,
    ) -> Result<Self, PredictError> {
        let graph = Self::graph(network, options, preprocess, batch)?;
        let program = Program::compile(&graph, &CompileOptions::infer(), cpu, state)?;
        let picture_bytes = if options.sees_pictures() { preprocess.size.area() as usize * 3 } else { 0 };
        let line_bytes = preprocess.size.width() as usize * 3;
        let (classes, metadata) = (options.classes, options.metadata_width());
        Ok(Self { program, batch, classes, picture_bytes, line_bytes, metadata, flips: false })
    }

    /// Answers about a picture and its mirror image at once: the mean of their logits. A picture that is not seen has none.
    #[must_use]
    pub fn flipping(mut self, flips: bool) -> Self {
        self.flips = flips && self.picture_bytes > 0;
        self
    }

    /// Pictures of a batch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Adds the scores of one batch of up to [`batch`](Self::batch) rows: `pictures` holds `u8` RGB of the network's size, row by
    /// row, `metadata` its numbers; either is empty where the network does not read it. What a row scores does not depend on
    /// the others of its batch.
    ///
    /// # Panics
    /// When either is not a whole number of rows, or more than a batch, or they do not have equally many.
    pub fn score(&self, cpu: &Cpu, state: &mut State, pictures: &[u8], metadata: &[f32], into: &mut Scores) {
        let rows = match self.picture_bytes {
            0 => metadata.len() / self.metadata,
            bytes => pictures.len() / bytes,
        };
        assert_eq!(pictures.len(), rows * self.picture_bytes, "whole pictures");
        assert_eq!(metadata.len(), rows * self.metadata, "whole rows of metadata, one a picture");
        assert!(rows <= self.batch, "{rows} rows for a batch of {}", self.batch);
        if self.picture_bytes > 0 {
            state.input_u8_mut(&self.program, "image")[..pictures.len()].copy_from_slice(pictures);
        }
        if self.metadata > 0 {
            state.input_f32_mut(&self.program, "metadata")[..metadata.len()].copy_from_slice(metadata);
        }
        self.program.run(cpu, state);
        into.classes = self.classes;
        let numbers = rows * self.classes;
        let start = into.logits.len();
        into.logits.extend_from_slice(&state.output(&self.program, "logits")[..numbers]);
        if !self.flips {
            into.probabilities.extend_from_slice(&state.output(&self.program, "probabilities")[..numbers]);
            return;
        }
        let images = &mut state.input_u8_mut(&self.program, "image")[..pictures.len()];
        for (line, upright) in images.chunks_exact_mut(self.line_bytes).zip(pictures.chunks_exact(self.line_bytes)) {
            let mirrored = line.as_chunks_mut::<3>().0.iter_mut().rev();
            mirrored.zip(upright.as_chunks::<3>().0).for_each(|(to, from)| *to = *from);
        }
        self.program.run(cpu, state);
        let mirrored = &state.output(&self.program, "logits")[..numbers];
        into.logits[start..].iter_mut().zip(mirrored).for_each(|(mean, other)| *mean = 0.5 * (*mean + other));
        let rows = into.logits[start..].chunks_exact(self.classes);
        rows.for_each(|logits| into.probabilities.extend(softmax(logits)));
    }
}

fn softmax(logits: &[f32]) -> impl Iterator<Item = f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let share = move |logit: &f32| f64::from(logit - most).exp();
    let sum: f64 = logits.iter().map(share).sum();
    logits.iter().map(move |logit| (share(logit) / sum) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_is_likeliest_and_nan_never() {
        for (row, wanted) in
            [([0.2, 0.5, 0.3], vec![1, 2, 0]), ([0.5, 0.5, 0.0], vec![0, 1, 2]), ([f32::NAN, 0.1, 0.2], vec![2, 1, 0])]
        {
            assert_eq!(likeliest(&row), wanted);
        }
    }
}
