//! The tensors of a file of weights, whatever its format.

use std::collections::BTreeMap;

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
    /// The numbers in the order of the shape; what they are where they are no floats.
    pub(super) fn values(&self) -> Result<Vec<f32>, String> {
        match &self.data {
            Data::Plain(dtype, data) => decode(*dtype, data).ok_or_else(|| format!("{dtype:?}")),
            Data::View(tensor, data) => {
                let dtype = match tensor.storage.number {
                    Number::F64 => Dtype::F64,
                    Number::F32 => Dtype::F32,
                    Number::F16 => Dtype::F16,
                    Number::Bf16 => Dtype::BF16,
                    Number::Whole(_) => return Err("whole numbers".to_owned()),
                };
                let data = &data[..tensor.storage.len * tensor.storage.number.bytes()];
                let all = decode(dtype, data).expect("the types are those of floats");
                gathered(tensor, &all).ok_or_else(|| "numbers past the end of its storage".to_owned())
            }
        }
    }
}

/// The numbers that a view shows, or none if it shows what is not there.
fn gathered(tensor: &Tensor, all: &[f32]) -> Option<Vec<f32>> {
    let count = tensor.shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size))?;
    // A view may show a number many times; one of weights shows none twice.
    if count > all.len() {
        return None;
    }
    let mut values = Vec::with_capacity(count);
    let mut index = vec![0; tensor.shape.len()];
    for _ in 0..count {
        let mut steps = index.iter().zip(&tensor.stride);
        let place = steps.try_fold(tensor.offset, |at, (i, step)| at.checked_add(usize::checked_mul(*i, *step)?))?;
        values.push(*all.get(place)?);
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
