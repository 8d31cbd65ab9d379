//! What an operator is: a plain struct of attributes that knows its shapes, its gradient and its own definition.

use std::any::Any;
use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::{DType, GradientSite, GraphError, Mode, Shape, ShapeError, TensorType};

/// A kind of node: attributes, shape rule, gradient, definition. One file each under `ops`, and for each device one of
/// the same name under `lower`; nothing else knows the operators one by one.
pub trait Operator: Any + Debug + Send + Sync {
    /// Its name in listings: "conv2d".
    fn kind(&self) -> &'static str;

    /// Names of its inputs, for messages; optional ones last.
    fn operands(&self) -> &'static [&'static str];

    /// The types of what it gives.
    ///
    /// # Errors
    /// When it does not accept these inputs. Kernels rely on what is refused here.
    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError>;

    /// Whether its first output may lie where an input lies.
    fn storage(&self) -> Storage {
        Storage::Fresh
    }

    /// Whether an output of four axes is a map (batch × height × width × channels) and no gradient of a weight.
    fn gives_map(&self, _output: usize) -> bool {
        true
    }

    /// Inputs that it changes: running statistics.
    fn updates(&self) -> &'static [usize] {
        &[]
    }

    /// What stands in its place once it is known what the program is for.
    fn specialise(&self, _purpose: &NodePurpose<'_>) -> Specialised {
        Specialised::Same
    }

    /// Adds the nodes that compute the wanted gradients of its inputs from that of its first output.
    ///
    /// # Errors
    /// [`GraphError::NoGradient`] unless an operator has one.
    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        Err(site.no_gradient())
    }

    /// Its definition in f64: all outputs, then the new values of what it [`updates`](Self::updates).
    ///
    /// Integers and bytes are numbers too. Tests hold every lowering against it; no program calls it.
    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>>;
}

/// Whether an output needs memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// All outputs lie apart from all inputs.
    Fresh,
    /// The first output may overwrite one of these inputs (same number of words) when nobody reads it any more.
    InPlace(&'static [usize]),
    /// The output is the first input under another shape; nothing is computed.
    View,
}

/// What an operator is told before it says what stands in its place.
#[derive(Clone, Copy, Debug)]
pub struct NodePurpose<'g> {
    /// Train or infer.
    pub mode: Mode,
    /// Name of its node.
    pub name: &'g str,
    /// Whether batch norms use running statistics here although the mode is training: their parameters are frozen.
    pub frozen_norm: bool,
    /// Whether besides nothing before the node is trained either: it belongs to a part that is a fixed function.
    pub is_fixed: bool,
}

/// What stands in an operator's place.
#[derive(Clone, Debug)]
pub enum Specialised {
    /// The operator itself.
    Same,
    /// Another one with the same inputs, whose first outputs have the same types.
    Other(Arc<dyn Operator>),
    /// Nothing: the output is the first input.
    Vanishes,
}

/// A tensor in f64, for definitions.
#[derive(Clone, Copy, Debug)]
pub struct Wide<'v> {
    /// Sizes of the axes.
    pub shape: &'v Shape,
    /// All elements, last axis fastest.
    pub values: &'v [f64],
}

/// The types of an operator's inputs, with the questions that shape rules ask.
#[derive(Clone, Copy, Debug)]
pub struct Operands<'t> {
    names: &'static [&'static str],
    types: &'t [TensorType],
}

impl<'t> Operands<'t> {
    pub(crate) fn new(names: &'static [&'static str], types: &'t [TensorType]) -> Self {
        Self { names, types }
    }

    /// How many there are.
    #[allow(clippy::len_without_is_empty, reason = "no operator takes an empty list")]
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// The type of an input.
    pub(crate) fn type_of(&self, operand: usize) -> &'t TensorType {
        &self.types[operand]
    }

    /// Refuses another number of inputs.
    pub fn count(&self, expected: RangeInclusive<usize>) -> Result<(), ShapeError> {
        if expected.contains(&self.len()) {
            return Ok(());
        }
        let (least, most) = (expected.start(), expected.end());
        let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
        Err(ShapeError::Count { got: self.len(), expected })
    }

    /// Shape of an input of any rank, which must have this element type and no empty axis.
    pub fn of(&self, operand: usize, dtype: DType) -> Result<&'t Shape, ShapeError> {
        let TensorType { dtype: got, shape } = &self.types[operand];
        if *got != dtype {
            return Err(ShapeError::DType { operand: self.names[operand], got: *got, expected: dtype });
        }
        if shape.contains(&0) {
            return Err(ShapeError::Empty { operand: self.names[operand], shape: shape.clone() });
        }
        Ok(shape)
    }

    /// Axes of an input of this element type and rank.
    pub fn axes<const RANK: usize>(&self, operand: usize, dtype: DType) -> Result<[usize; RANK], ShapeError> {
        let shape = self.of(operand, dtype)?;
        <[usize; RANK]>::try_from(&**shape).map_err(|_| ShapeError::Rank {
            operand: self.names[operand],
            shape: shape.clone(),
            expected: RANK,
        })
    }

    /// Refuses an input whose size `got` is not the one that another input asks for.
    pub fn agree(
        &self,
        unit: &'static str,
        (operand, got): (usize, usize),
        (other, expected): (usize, usize),
    ) -> Result<(), ShapeError> {
        if got == expected {
            return Ok(());
        }
        Err(ShapeError::Size {
            unit,
            operand: self.names[operand],
            shape: self.types[operand].shape.clone(),
            got,
            other: self.names[other],
            other_shape: self.types[other].shape.clone(),
            expected,
        })
    }

    /// Refuses two inputs of different shapes.
    pub fn equal(&self, left: usize, right: usize) -> Result<(), ShapeError> {
        self.same_shape(left, self.names[right], &self.types[right].shape)
    }

    /// Refuses an input that has not the shape of something else.
    pub fn same_shape(&self, operand: usize, what: &'static str, shape: &Shape) -> Result<(), ShapeError> {
        if self.types[operand].shape == *shape {
            return Ok(());
        }
        Err(ShapeError::Unequal {
            left: self.names[operand],
            left_shape: self.types[operand].shape.clone(),
            right: what,
            right_shape: shape.clone(),
        })
    }

    /// Refuses a vector that has not one number for each channel, the last axis of the first input.
    pub fn per_channel(&self, operand: usize) -> Result<(), ShapeError> {
        let [length] = self.axes(operand, DType::F32)?;
        let channels = self.types[0].shape.last().copied().unwrap_or(0);
        self.agree("channels", (0, channels), (operand, length))
    }
}

/// Refuses an attribute outside its range.
pub(crate) fn require(
    holds: bool,
    attribute: &'static str,
    got: impl Debug,
    expected: &'static str,
) -> Result<(), ShapeError> {
    if holds { Ok(()) } else { Err(ShapeError::Attribute { attribute, got: format!("{got:?}"), expected }) }
}
