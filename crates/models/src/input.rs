//! From bytes to what a network reads.

use avizor_base::Preprocess;
use avizor_engine::{DType, GraphBuilder, Value, ops};

use crate::ModelError;

/// Declares the input "image" (u8, `[batch][height][width][3]`) and gives it normalised.
///
/// # Errors
/// When the batch is empty or a standard deviation is not above zero.
pub fn image_input(graph: &mut GraphBuilder, batch: usize, preprocess: &Preprocess) -> Result<Value, ModelError> {
    let (height, width) = (preprocess.size.height() as usize, preprocess.size.width() as usize);
    let image = graph.input("image", DType::U8, [batch, height, width, 3]);
    let normalize = ops::Normalize { mean: preprocess.mean, std: preprocess.std };
    Ok(graph.apply("normalize", normalize, &[image])?)
}
