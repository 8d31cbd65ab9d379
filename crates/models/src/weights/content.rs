//! The tensors of a file of weights, whatever its format.

use std::collections::BTreeMap;
use std::ops::Range;

use safetensors::{Dtype, SafeTensors};

use super::floats::decode;
use super::pickle::{Number, Tensor};
use super::pytorch;
use crate::WeightsError;

/// A tensor of a file.
#[derive(Debug)]
pub(super) struct Stored<'b> {
    pub(super) shape: Vec<usize>,
    pub(super) data: Data<'b>,
}

/// Where its numbers lie.
#[derive(Debug)]
pub(super) enum Data<'b> {
    /// One after the other.
    Plain(Dtype, &'b [u8]),
    /// By steps in a storage.
    View(Tensor, &'b [u8]),
}

/// Reads a file of any format that is known, told by how it begins.
pub(super) fn tensors(bytes: &[u8]) -> Result<BTreeMap<String, Stored<'_>>, WeightsError> {
    if pytorch::is_pytorch(bytes) {
        return pytorch::read(bytes);
    }
    let file = SafeTensors::deserialize(bytes).map_err(|error| WeightsError::Damaged(error.to_string()))?;
    let stored = file.iter().map(|(name, view)| {
        (name.to_owned(), Stored { shape: view.shape().to_vec(), data: Data::Plain(view.dtype(), view.data()) })
    });
    Ok(stored.collect())
}

impl Stored<'_> {
    /// The numbers in the order of the shape.
    ///
    /// # Errors
    /// When they are no floats, or not all there; `name` is told.
    pub(super) fn values(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let no_floats = |dtype: String| WeightsError::DType { name: name.to_owned(), dtype };
        match &self.data {
            Data::Plain(dtype, data) => decode(*dtype, data).ok_or_else(|| no_floats(format!("{dtype:?}"))),
            Data::View(tensor, data) => {
                let dtype = match tensor.storage.number {
                    Number::F64 => Dtype::F64,
                    Number::F32 => Dtype::F32,
                    Number::F16 => Dtype::F16,
                    Number::Bf16 => Dtype::BF16,
                    Number::Whole(_) => return Err(no_floats("whole numbers".to_owned())),
                };
                let missing =
                    || WeightsError::Damaged(format!("tensor {name:?} shows numbers past the end of its storage"));
                let shown = shown(tensor).filter(|shown| shown.end <= tensor.storage.len).ok_or_else(missing)?;
                let bytes = tensor.storage.number.bytes();
                let stretch = data.get(shown.start * bytes..shown.end * bytes).ok_or_else(missing)?;
                let all = decode(dtype, stretch).ok_or_else(|| no_floats(format!("{dtype:?}")))?;
                gathered(tensor, &all).ok_or_else(missing)
            }
        }
    }
}

/// The stretch of its storage that a view shows a part of; none where its sizes overflow.
fn shown(tensor: &Tensor) -> Option<Range<usize>> {
    if tensor.shape.contains(&0) {
        return Some(0..0);
    }
    let mut axes = tensor.shape.iter().zip(&tensor.stride);
    let last = axes.try_fold(tensor.offset, |at, (size, step)| at.checked_add((size - 1).checked_mul(*step)?))?;
    Some(tensor.offset..last.checked_add(1)?)
}

/// The numbers of a view in the order of its shape, from the stretch that it [shows](shown).
fn gathered(tensor: &Tensor, stretch: &[f32]) -> Option<Vec<f32>> {
    let count = tensor.shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size))?;
    // A view may show a number many times; one of weights shows none twice.
    if count > stretch.len() {
        return None;
    }
    let mut values = Vec::with_capacity(count);
    let mut index = vec![0; tensor.shape.len()];
    for _ in 0..count {
        // Inside the stretch: no product is larger than that of its last number.
        let place: usize = index.iter().zip(&tensor.stride).map(|(i, step)| i * step).sum();
        values.push(*stretch.get(place)?);
        for (i, &size) in index.iter_mut().zip(&tensor.shape).rev() {
            *i += 1;
            if *i < size {
                break;
            }
            *i = 0;
        }
    }
    Some(values)
}
