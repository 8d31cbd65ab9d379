//! How a network is written down.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::graph::{Node, Source};
use crate::{DType, Graph, GraphError, Operator, ParameterSpec, Shape, TensorType, Value};

/// More trained numbers are refused: a network of them takes 2 GiB, and as much again for its gradients.
const MOST_PARAMETERS: usize = 1 << 29;

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
        few_parameters(&self.graph)?;
        Ok(self.graph)
    }
}

/// A layer of a size that nobody meant ends here, and not where its memory would be taken.
fn few_parameters(graph: &Graph) -> Result<(), GraphError> {
    let size = |shape: &Shape| shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let sum = graph.parameters().try_fold(0usize, |sum, (_, shape, _)| sum.checked_add(size(shape)?));
    // One whose size overflows is larger than all others.
    let largest = graph.parameters().max_by_key(|(_, shape, _)| size(shape).unwrap_or(usize::MAX));
    match largest {
        Some((largest, shape, _)) if sum.is_none_or(|sum| sum > MOST_PARAMETERS) => {
            Err(GraphError::TooManyParameters {
                most: MOST_PARAMETERS,
                largest: largest.to_owned(),
                shape: shape.clone(),
            })
        }
        _ => Ok(()),
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

    #[test]
    fn weights_that_no_memory_holds_are_refused_before_they_are_there() {
        let finish = |shapes: &[[usize; 2]]| {
            let mut graph = GraphBuilder::new();
            for (at, shape) in shapes.iter().enumerate() {
                graph.parameter(&format!("{at}.weight"), *shape, ParameterSpec::LINEAR_WEIGHT);
            }
            graph.finish().map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(finish(&[[1 << 14, 1 << 14], [1 << 14, 1 << 14]]), Ok(()));
        for (shapes, largest) in [
            (&[[1 << 14, 1 << 14], [1 << 14, 1 << 14], [1, 1]][..], "1.weight is the largest, of shape 16384×16384"),
            (&[[3, 2], [1 << 20, 1 << 20]], "1.weight is the largest, of shape 1048576×1048576"),
            (&[[1 << 40, 1 << 40], [1 << 14, 1 << 14]], "0.weight is the largest"),
            (&[[1 << 62, 1], [1 << 62, 1], [1 << 62, 1], [1 << 62, 1]], "3.weight is the largest"),
        ] {
            let said = finish(shapes).unwrap_err();
            assert!(said.starts_with("the network has more than 536870912 weights; "), "{said}");
            assert!(said.contains(largest), "{said}");
        }
    }
}
