//! A network in two tables: every layer with its numbers, and the few steps that explain it.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use avizor_engine::{Graph, NodeId, Role, Shape, Source, Trainable};

use crate::Outputs;

/// A layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// Name of the layer: "layer1.0.conv2".
    pub name: String,
    /// Its operator: "conv2d".
    pub operator: &'static str,
    /// Shape of what it gives, the batch first.
    pub output: Shape,
    /// Numbers that can be trained and that no row before has counted.
    pub parameters: usize,
    /// Those of them that learn.
    pub trainable: usize,
    /// Multiplications with weights, each followed by an addition.
    pub multiply_adds: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct StepRow {
    name: String,
    output: Shape,
    meaning: &'static str,
}

/// The layers of a network, their totals and its explanation step by step. `Display` prints the layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    rows: Vec<SummaryRow>,
    steps: Vec<StepRow>,
}

impl Summary {
    /// Of a graph as the network wrote it, before it is compiled, and of what learns in it.
    pub fn new(graph: &Graph, outputs: &Outputs, trainable: &Trainable) -> Self {
        Self { rows: rows(graph, trainable), steps: steps(graph, outputs) }
    }

    /// The layers, first to last.
    pub fn rows(&self) -> &[SummaryRow] {
        &self.rows
    }

    /// Numbers of the whole network that can be trained.
    pub fn parameters(&self) -> usize {
        self.rows.iter().map(|row| row.parameters).sum()
    }

    /// Those that learn.
    pub fn trainable(&self) -> usize {
        self.rows.iter().map(|row| row.trainable).sum()
    }

    /// Multiply-adds of the whole network for the graph's batch.
    pub fn multiply_adds(&self) -> u64 {
        self.rows.iter().map(|row| row.multiply_adds).sum()
    }

    /// The network step by step: name, shape (batch × height × width × channels) and what the step does.
    pub fn steps_table(&self) -> String {
        let cells = self.steps.iter().map(|step| [step.name.clone(), step.output.to_string(), step.meaning.to_owned()]);
        table(["step", "shape", "what it does"], cells.collect(), [Align::Left; 3])
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |n: u64| if n == 0 { String::new() } else { grouped(n) };
        let mut cells: Vec<[String; 6]> = Vec::new();
        for row in &self.rows {
            // Beside parameters that are frozen a nothing is said.
            let trainable = if row.parameters > 0 { grouped(row.trainable as u64) } else { String::new() };
            let (parameters, multiply_adds) = (number(row.parameters as u64), number(row.multiply_adds));
            let (name, operator, output) = (row.name.clone(), row.operator.to_owned(), row.output.to_string());
            cells.push([name, operator, output, parameters, trainable, multiply_adds]);
        }
        let [parameters, trainable] = [self.parameters(), self.trainable()].map(|n| grouped(n as u64));
        let multiply_adds = grouped(self.multiply_adds());
        cells.push(["total".to_owned(), String::new(), String::new(), parameters, trainable, multiply_adds]);
        let align = [Align::Left, Align::Left, Align::Left, Align::Right, Align::Right, Align::Right];
        f.write_str(&table(["layer", "operator", "output", "parameters", "trainable", "multiply-adds"], cells, align))
    }
}

fn rows(graph: &Graph, trainable: &Trainable) -> Vec<SummaryRow> {
    let mut counted = BTreeSet::<NodeId>::new();
    let mut rows = Vec::new();
    for node in graph.nodes().iter().filter(|node| matches!(node.source, Source::Operator(_))) {
        let output = node.outputs[0].shape.clone();
        let positions = output.elements() / output.last().copied().unwrap_or(1).max(1);
        let (mut parameters, mut learning, mut multiply_adds) = (0, 0, 0);
        for value in &node.inputs {
            let Source::Parameter(spec) = &graph.node(value.node).source else { continue };
            let elements = graph.shape(*value).elements();
            // Every position of the output meets each weight once.
            if spec.role == Role::Weight {
                multiply_adds += positions as u64 * elements as u64;
            }
            if spec.role != Role::Statistic && counted.insert(value.node) {
                parameters += elements;
                learning += if trainable.contains(&graph.node(value.node).name) { elements } else { 0 };
            }
        }
        let (name, operator, trainable) = (node.name.clone(), node.kind(), learning);
        rows.push(SummaryRow { name, operator, output, parameters, trainable, multiply_adds });
    }
    rows
}

fn steps(graph: &Graph, outputs: &Outputs) -> Vec<StepRow> {
    let mut steps = Vec::new();
    if let Some((name, of)) = graph.inputs().next() {
        steps.push(StepRow { name: name.to_owned(), output: of.shape.clone(), meaning: "RGB, normalised" });
    }
    for step in &outputs.steps {
        let output = graph.shape(step.value).clone();
        steps.push(StepRow { name: step.name.clone(), output, meaning: step.meaning });
    }
    let output = graph.shape(outputs.logits).clone();
    steps.push(StepRow { name: "softmax".to_owned(), output, meaning: "probabilities" });
    steps
}

/// Digits in groups of three.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[derive(Clone, Copy)]
enum Align {
    Left,
    Right,
}

/// Columns as wide as their widest cell, two spaces apart.
fn table<const N: usize>(header: [&str; N], mut cells: Vec<[String; N]>, align: [Align; N]) -> String {
    cells.insert(0, header.map(str::to_owned));
    let widths = std::array::from_fn::<usize, N, _>(|column| {
        cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
    });
    let mut text = String::new();
    for row in &cells {
        let mut line = String::new();
        for ((cell, width), align) in row.iter().zip(widths).zip(align) {
            // Writing to a string cannot fail.
            let _ = match align {
                Align::Left => write!(line, "{cell:<width$}  "),
                Align::Right => write!(line, "{cell:>width$}  "),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (n, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (11_689_512, "11,689,512")] {
            assert_eq!(grouped(n), expected);
        }
    }
}
