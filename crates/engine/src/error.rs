//! What can be wrong with a graph, and with what is done to parameters.

use crate::{DType, Shape};

/// Why an operator does not accept its inputs. The node's name is added by [`GraphError::Node`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// Too few or too many inputs.
    #[error("it got {got} inputs and takes {expected}")]
    Count {
        /// How many there are.
        got: usize,
        /// How many there may be.
        expected: String,
    },
    /// An input of another element type.
    #[error("the {operand} must be {expected}, not {got}")]
    DType {
        /// Which input.
        operand: &'static str,
        /// Its type.
        got: DType,
        /// The type it must have.
        expected: DType,
    },
    /// An input with another number of axes.
    #[error("the {operand} must have {expected} axes, not the shape {shape}")]
    Rank {
        /// Which input.
        operand: &'static str,
        /// Its shape.
        shape: Shape,
        /// How many axes it must have.
        expected: usize,
    },
    /// An axis of size zero.
    #[error("the {operand} must not be empty, as the shape {shape} is")]
    Empty {
        /// Which input.
        operand: &'static str,
        /// Its shape.
        shape: Shape,
    },
    /// Two inputs disagree on a size.
    #[error(
        "the {operand} has {got} {unit}, the {other} expects {expected} ({operand} {shape}, {other} {other_shape})"
    )]
    Size {
        /// What is counted: "channels".
        unit: &'static str,
        /// Which input.
        operand: &'static str,
        /// Its shape.
        shape: Shape,
        /// Its size.
        got: usize,
        /// The input that it must agree with.
        other: &'static str,
        /// That input's shape.
        other_shape: Shape,
        /// The size that would agree.
        expected: usize,
    },
    /// Two inputs must have one shape and do not.
    #[error("the {left} and the {right} must have one shape, not {left_shape} and {right_shape}")]
    Unequal {
        /// One input.
        left: &'static str,
        /// Its shape.
        left_shape: Shape,
        /// The other input.
        right: &'static str,
        /// Its shape.
        right_shape: Shape,
    },
    /// Two inputs that are to lie side by side and differ elsewhere.
    #[error("what is joined may differ in the last axis alone, not as {left} and {right} do")]
    Joined {
        /// Shape of one input.
        left: Shape,
        /// Shape of the other.
        right: Shape,
    },
    /// A window that is larger than what it slides over.
    #[error("a window of {} does not fit the input {input} with a padding of {}", by(kernel), by(padding))]
    Window {
        /// Height and width of the window.
        kernel: [usize; 2],
        /// Rows and columns added on each side.
        padding: [usize; 2],
        /// Shape of the input.
        input: Shape,
    },
    /// An attribute outside its range.
    #[error("the {attribute} must be {expected}, not {got}")]
    Attribute {
        /// Which attribute.
        attribute: &'static str,
        /// Its value.
        got: String,
        /// What it may be.
        expected: &'static str,
    },
}

fn by(pair: &[usize; 2]) -> String {
    format!("{}×{}", pair[0], pair[1])
}

/// Why a graph cannot be built, differentiated or compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// An operator does not accept its inputs.
    #[error("{node}: {source}")]
    Node {
        /// Name of the node.
        node: String,
        /// What is wrong.
        source: Box<ShapeError>,
    },
    /// Two inputs, parameters, outputs or nodes share a name.
    #[error("the name {name:?} is used by two {what}")]
    Twice {
        /// The name.
        name: String,
        /// "inputs", "parameters", "outputs" or "nodes".
        what: &'static str,
    },
    /// A trained parameter lies before an operator that has no gradient.
    #[error("{node}: {kind} has no gradient, and a trained parameter lies before it")]
    NoGradient {
        /// Name of the node.
        node: String,
        /// Its operator.
        kind: &'static str,
    },
    /// An operator that this device has no kernel for.
    #[error("{node}: there is no kernel for {kind}")]
    NoKernel {
        /// Name of the node.
        node: String,
        /// Its operator.
        kind: &'static str,
    },
    /// More trained numbers than memory is meant to hold.
    #[error(
        "the network has more than {most} weights; {largest} is the largest, of shape {shape}: make its layers smaller"
    )]
    TooManyParameters {
        /// The most that there may be.
        most: usize,
        /// The largest parameter.
        largest: String,
        /// Its shape.
        shape: Shape,
    },
    /// More working memory than the machine gives.
    #[error(
        "a batch takes {:.1} GiB of working memory, more than this machine gives: make the batch or its pictures smaller",
        *bytes as f64 / f64::from(1 << 30)
    )]
    Memory {
        /// What was asked for.
        bytes: usize,
    },
    /// A name that the graph does not have.
    #[error("the graph has no {what} {name:?}; it has {available}")]
    Unknown {
        /// "input", "output" or "parameter".
        what: &'static str,
        /// The name.
        name: String,
        /// The names that there are.
        available: String,
    },
    /// A loss that is not one number.
    #[error("the output {name:?} is {shape}, a loss must be one number")]
    NotScalar {
        /// Name of the output.
        name: String,
        /// Its shape.
        shape: Shape,
    },
    /// A parameter that the state lacks, or holds in another shape.
    #[error("parameter {name}: the graph has {expected}, the state has {got}")]
    Parameter {
        /// Name of the parameter.
        name: String,
        /// Its shape in the graph.
        expected: Shape,
        /// Its shape in the state, or "nothing of this name".
        got: String,
    },
}

/// Why values cannot be read from or written to a [`State`](crate::State).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// A name that the state does not have.
    #[error("there is no {what} {name:?}")]
    Unknown {
        /// "parameter" or "array".
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A parameter that an optimizer's group may not name.
    #[error("{name} cannot be trained: {why}")]
    NotTrained {
        /// The name.
        name: String,
        /// The reason.
        why: &'static str,
    },
    /// Values of another shape.
    #[error("{name}: the values are {got}, the parameter is {expected}")]
    Shape {
        /// Name of the parameter.
        name: String,
        /// Shape of the values.
        got: Shape,
        /// Shape of the parameter, as on disk.
        expected: Shape,
    },
    /// An array that must be there and is not.
    #[error("the array {name:?} is missing")]
    Missing {
        /// The name.
        name: String,
    },
}
