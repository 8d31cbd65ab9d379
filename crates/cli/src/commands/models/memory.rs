//! The memory that a network takes, as its compiled programs lay it out.

use avizor_base::Preprocess;
use avizor_engine::{CompileOptions, DType, FrozenNorm, GraphBuilder, MemoryUse, OptimizerKind, Trainable, ops};
use avizor_kernels::Cpu;
use avizor_models::{Network, NetworkOptions, image_input};
use avizor_predict::Scorer;
use serde_json::{Value, json};

use crate::failure::Failure;

/// What steps parameters where a recipe does not say otherwise, and its name.
pub(super) const OPTIMIZER: (OptimizerKind, &str) = (OptimizerKind::ADAM, "adam");

/// Bytes of one program and the state that it works on.
pub(super) struct Memory {
    pub(super) what: &'static str,
    pub(super) batch: usize,
    pub(super) bytes: MemoryUse,
}

/// A network for pictures of a size.
pub(super) struct Sized<'n> {
    pub(super) network: &'n Network,
    pub(super) options: &'n NetworkOptions,
    pub(super) preprocess: &'n Preprocess,
}

impl Sized<'_> {
    /// A training step as training compiles it, and inference.
    pub(super) fn memory(&self, batch: usize, trainable: &Trainable, cpu: &Cpu) -> Result<Vec<Memory>, Failure> {
        let training = Memory { what: "training step", batch, bytes: self.training(batch, trainable, cpu)? };
        let infer = |batch| Ok(Memory { what: "inference", batch, bytes: self.inference(batch, cpu)? });
        // Beside the same batch a single picture, which is what a program that answers people infers.
        let inference = [Some(batch), (batch != 1).then_some(1)].into_iter().flatten().map(infer);
        std::iter::once(Ok(training)).chain(inference).collect()
    }

    fn training(&self, batch: usize, trainable: &Trainable, cpu: &Cpu) -> Result<MemoryUse, Failure> {
        let mut graph = GraphBuilder::new();
        let image = image_input(&mut graph, batch, self.preprocess)?;
        let outputs = self.network.build(&mut graph, image, self.options)?;
        let labels = graph.input("labels", DType::I32, [batch]);
        let loss = ops::CrossEntropy { label_smoothing: 0.0 };
        let loss = graph.apply("loss", loss, &[outputs.logits, labels]).map_err(unfit)?;
        graph.output("logits", outputs.logits);
        graph.output("loss", loss);
        let options =
            CompileOptions { frozen_norm: FrozenNorm::Running, ..CompileOptions::train("loss", trainable.clone()) };
        MemoryUse::of(&graph.finish().map_err(unfit)?, &options, Some(OPTIMIZER.0), cpu).map_err(unfit)
    }

    fn inference(&self, batch: usize, cpu: &Cpu) -> Result<MemoryUse, Failure> {
        let graph = Scorer::graph(self.network, self.options, self.preprocess, batch).map_err(unfit)?;
        MemoryUse::of(&graph, &CompileOptions::infer(), None, cpu).map_err(unfit)
    }
}

/// A network that does not fit the size or batch it was asked for.
fn unfit(error: impl std::fmt::Display) -> Failure {
    Failure::usage(error.to_string())
}

impl Memory {
    /// Title and numbers of a row of the table, in MB.
    fn cells(&self) -> [String; 7] {
        let MemoryUse { parameters, gradients, optimizer, program, arena } = self.bytes;
        let megabytes = |bytes: usize| if bytes == 0 { String::new() } else { format!("{:.1}", bytes as f64 / 1e6) };
        let title = format!("{}, batch {}", self.what, self.batch);
        let total = self.bytes.total();
        let numbers = [parameters, gradients, optimizer, program, arena, total].map(megabytes);
        let [parameters, gradients, optimizer, program, arena, total] = numbers;
        [title, parameters, gradients, optimizer, program, arena, total]
    }

    pub(super) fn json(&self) -> Value {
        let MemoryUse { parameters, gradients, optimizer, program, arena } = self.bytes;
        json!({
            "what": if self.what == "inference" { "inference" } else { "training" },
            "batch": self.batch,
            "parameter_bytes": parameters,
            "gradient_bytes": gradients,
            "optimizer_bytes": optimizer,
            "program_bytes": program,
            "arena_bytes": arena,
            "total_bytes": self.bytes.total(),
        })
    }
}

/// The table, and what is counted.
pub(super) fn table(memory: &[Memory], level: &str) -> String {
    let header = ["memory in MB", "parameters", "gradients", "optimizer", "in, out, packed", "arena", "total"];
    let rows: Vec<[String; 7]> = memory.iter().map(Memory::cells).collect();
    let width = rows.iter().map(|row| row[0].chars().count()).chain([header[0].len()]).max().unwrap_or(0);
    let mut text = String::new();
    for row in std::iter::once(header.map(str::to_owned)).chain(rows) {
        let [title, numbers @ ..] = row;
        text.push_str(&format!("{title:<width$}"));
        for (number, header) in numbers.iter().zip(&header[1..]) {
            text.push_str(&format!("  {number:>0$}", header.len().max(9)));
        }
        text.push('\n');
    }
    let (_, optimizer) = OPTIMIZER;
    text.push_str(&format!(
        "Counted is what the compiled programs lay out in f32 with this machine's kernels ({level}): parameters with running
statistics, gradients and the slots of {optimizer} of what learns, a program's inputs, outputs and packed weights, and the
arena of activations, their gradients and workspaces. The program itself and pictures that wait to be read come on top.\n"
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use avizor_train::Recipe;
    use avizor_train::recipe::OptimizerName;

    #[test]
    fn a_recipe_says_the_same_optimizer() {
        assert_eq!(Recipe::default().optimizer.name, OptimizerName::Adam);
        assert_eq!(OPTIMIZER, (OptimizerKind::ADAM, "adam"));
    }
}
