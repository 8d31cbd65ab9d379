//! Cases of operators: what every one of them must agree on with its definition, and what it must refuse.

use std::sync::Arc;

use avizor_base::{Purpose, Seed};

use crate::name_hash::name_hash;
use crate::{DType, Operator, Shape, TensorType};

/// An operator's row in the table of operators.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) cases: fn() -> Vec<Case>,
    pub(crate) refusals: fn() -> Vec<Refusal>,
}

/// An operator with its inputs.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) operator: Arc<dyn Operator>,
    pub(crate) operands: Vec<Operand>,
}

/// Inputs that an operator must refuse, and how.
pub(crate) struct Refusal {
    pub(crate) operator: Arc<dyn Operator>,
    pub(crate) inputs: Vec<TensorType>,
    pub(crate) says: &'static str,
}

/// What an input is to the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Part {
    /// Its gradient is wanted.
    Trained,
    /// A running statistic.
    Statistic,
    /// From outside.
    Given,
}

/// An input of a case.
#[derive(Clone, Debug)]
pub(crate) struct Operand {
    pub(crate) of: TensorType,
    pub(crate) part: Part,
    /// Values are uniform in this range, and whole where the type is.
    range: (f64, f64),
    exact: Option<Vec<f64>>,
}

impl Operand {
    /// Other values: uniform in `low..high`.
    pub(crate) fn between(self, low: f64, high: f64) -> Self {
        Self { range: (low, high), ..self }
    }

    /// Values that a kernel of f32 holds exactly; the same for the same case and place.
    pub(crate) fn values(&self, case: &str, place: usize) -> Vec<f64> {
        if let Some(exact) = &self.exact {
            return exact.clone();
        }
        let mut stream = Seed(1).stream(Purpose::Init, [name_hash(case), place as u64, 0]);
        let (low, high) = self.range;
        let value = |_| match self.of.dtype {
            DType::F32 => f64::from(stream.between(low, high) as f32),
            DType::Bf16 => unreachable!("inputs and parameters are never of 16 bits"),
            DType::U8 => stream.below(256) as f64,
            DType::I32 => low + stream.below((high - low) as u64) as f64,
        };
        (0..self.of.shape.elements()).map(value).collect()
    }
}

/// Floats from -1 to 1 whose gradient is wanted.
pub(crate) fn trained(shape: impl Into<Shape>) -> Operand {
    Operand { of: TensorType::f32(shape), part: Part::Trained, range: (-1.0, 1.0), exact: None }
}

/// Floats from 0.5 to 1.5 that are updated or only read.
pub(crate) fn statistic(shape: impl Into<Shape>) -> Operand {
    Operand { part: Part::Statistic, range: (0.5, 1.5), ..trained(shape) }
}

/// Values from outside: floats from -1 to 1, any bytes, or as said by [`Operand::between`].
pub(crate) fn given(dtype: DType, shape: impl Into<Shape>) -> Operand {
    Operand { of: TensorType::new(dtype, shape), part: Part::Given, ..trained([0]) }
}

/// These integers, from outside.
pub(crate) fn labels(values: &[i32]) -> Operand {
    Operand { exact: Some(values.iter().map(|&v| f64::from(v)).collect()), ..given(DType::I32, [values.len()]) }
}

pub(crate) fn case<const N: usize>(name: &'static str, operator: impl Operator, operands: [Operand; N]) -> Case {
    Case { name, operator: Arc::new(operator), operands: operands.into() }
}

/// Floats of these shapes are refused.
pub(crate) fn refusal<const N: usize>(operator: impl Operator, shapes: [&[usize]; N], says: &'static str) -> Refusal {
    Refusal { operator: Arc::new(operator), inputs: shapes.map(TensorType::f32).into(), says }
}
