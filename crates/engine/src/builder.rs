//! How a network is written down.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::graph::{Node, Source};
use crate::{DType, Graph, GraphError, Operator, ParameterSpec, Shape, TensorType, Value};

/// Writes a [`Graph`], node by node.
///
/// ```
/// use avizor_engine::{DType, GraphBuilder, ParameterSpec, ops};
///
/// let mut graph = GraphBuilder::new();
/// let image = graph.input("image", DType::U8, [8, 32, 32, 3]);
/// let pixels = graph.apply("normalize", ops::Normalize { mean: [0.5; 3], std: [0.25; 3] }, &[image])?;
/// let weight = graph.parameter("conv1.weight", [3, 3, 3, 16], ParameterSpec::CONV_WEIGHT);
/// let map = graph.apply("conv1", ops::Conv2d { padding: [1, 1], ..ops::Conv2d::default() }, &[pixels, weight])?;
/// assert_eq!(**graph.shape(map), [8, 32, 32, 16]);
/// graph.output("map", map);
/// let graph = graph.finish()?;
/// # Ok::<(), avizor_engine::GraphError>(())
/// ```
#[derive(Debug, Default)]
pub struct GraphBuilder {
    graph: Graph,
}

impl GraphBuilder {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares what the caller writes before each run.
    pub fn input(&mut self, name: &str, dtype: DType, shape: impl Into<Shape>) -> Value {
        self.leaf(name, Source::Input, TensorType::new(dtype, shape))
    }

    /// Declares a parameter with its shape in memory. Its values live in a [`State`](crate::State) under this name.
    pub fn parameter(&mut self, name: &str, shape: impl Into<Shape>, spec: ParameterSpec) -> Value {
        self.leaf(name, Source::Parameter(spec), TensorType::f32(shape))
    }

    fn leaf(&mut self, name: &str, source: Source, of: TensorType) -> Value {
        let node = Node { name: name.to_owned(), source, inputs: Vec::new(), outputs: vec![of] };
        Value::first(self.graph.push(node))
    }

    /// Applies an operator and gives its result (what else it gives is saved for its gradient).
    ///
    /// # Errors
    /// When the operator does not accept the inputs; the text names the node and the shapes.
    pub fn apply(&mut self, name: &str, operator: impl Operator, inputs: &[Value]) -> Result<Value, GraphError> {
        Ok(Value::first(self.graph.append(name.to_owned(), Arc::new(operator), inputs)?))
    }

    /// Names a value that can be read after a run.
    pub fn output(&mut self, name: &str, value: Value) {
        self.graph.outputs.push((name.to_owned(), value));
    }

    /// Forgets all that was written after a value, names of outputs included: what comes next is written behind it. Values
    /// from there on are nobody's any more.
    pub fn forget_after(&mut self, value: Value) {
        self.graph.nodes.truncate(value.node.index() + 1);
        self.graph.outputs.retain(|(_, output)| output.node <= value.node);
    }

    /// Shape of a value.
    pub fn shape(&self, value: Value) -> &Shape {
        self.graph.shape(value)
    }

    /// The finished graph.
    ///
    /// # Errors
    /// When two nodes or two outputs share a name.
    pub fn finish(self) -> Result<Graph, GraphError> {
        unique("nodes", self.graph.nodes.iter().map(|node| node.name.as_str()))?;
        unique("outputs", self.graph.outputs().map(|(name, _)| name))?;
        Ok(self.graph)
    }
}

fn unique<'n>(what: &'static str, names: impl Iterator<Item = &'n str>) -> Result<(), GraphError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(GraphError::Twice { name: name.to_owned(), what });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops;

    #[test]
    fn what_is_forgotten_leaves_its_names() {
        let mut graph = GraphBuilder::new();
        let x = graph.input("x", DType::F32, [2, 3]);
        let flat = graph.apply("flat", ops::Flatten, &[x]).unwrap();
        graph.output("kept", flat);
        for width in [4, 5] {
            graph.forget_after(flat);
            let weight = graph.parameter("last.weight", [3, width], ParameterSpec::LINEAR_WEIGHT);
            let bias = graph.parameter("last.bias", [width], ParameterSpec::bias(3));
            let y = graph.apply("last", ops::Linear, &[flat, weight, bias]).unwrap();
            graph.output("y", y);
        }
        let graph = graph.finish().unwrap();
        let shapes: Vec<String> = graph.parameters().map(|(name, shape, _)| format!("{name} {shape}")).collect();
        assert_eq!(shapes, ["last.weight 3×5", "last.bias 5"]);
        assert_eq!(graph.outputs().map(|(name, _)| name).collect::<Vec<_>>(), ["kept", "y"]);
    }
}
