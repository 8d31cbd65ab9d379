//! ResNet-50 under the names that Keras first had, brought to torchvision's.
//!
//! Source of the names: `keras/applications/resnet50.py` of 2016 to 2018. The conversion leaves to the network what it can:
//! - Kernels are `[height][width][in][out]` there, `[out][in][height][width]` here.
//! - Every convolution has a bias before its norm. The norm takes its mean away again, so `mean - bias` is the same without.
//! - The input is BGR from 0 to 255 minus ImageNet's mean in Caffe's numbers; here it is RGB, normalised as torchvision
//!   does. The first kernel takes the factor, the mean of the norm behind it the constant, which zero padding does not
//!   reach: at the border of a picture the two differ by less than half a level of 255.
//! - The norms' variances stay as they are, for the ε of 1e-5 that the weights were trained with in Caffe. The 0.001 that
//!   `model.json` says is Keras's default, which that file of 2016 left as it was, and no number to follow: 143 variances are
//!   smaller, and with it 224 of 250 pictures of ImageNet are seen right in place of 226, at a higher loss (0.382, not 0.371).
//!   Keras itself writes 1.001e-5 today.

use std::collections::{BTreeMap, BTreeSet};

use super::tensorflow_js::Array;
use crate::WeightsError;

/// Mean of ImageNet's pictures that the input is without, RGB, from 0 to 255.
const CAFFE_MEAN: [f64; 3] = [123.68, 116.779, 103.939];
/// As torchvision's networks want them, from 0 to 1.
const MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const STD: [f64; 3] = [0.229, 0.224, 0.225];

/// Blocks of every stage.
const BLOCKS: [usize; 4] = [3, 4, 6, 3];
/// The layer that names the classes.
const HEAD: &str = "fc1000";

/// A convolution and its norm: their names, and ours.
struct Layer {
    conv: String,
    norm: String,
    our_conv: String,
    our_norm: String,
}

/// Tensors of ResNet-50 with torchvision's names.
///
/// # Errors
/// When tensors are missing, left over, or of shapes that do not go together.
pub(super) fn resnet50(mut arrays: BTreeMap<String, Array>) -> Result<Vec<(String, Array)>, WeightsError> {
    let layers = layers();
    same_names(&arrays, &layers)?;
    // Names are known to be there; a value that is taken twice would be a mistake of ours.
    let mut take = |layer: &str, part: &str| {
        let name = format!("{layer}/{part}");
        let array = arrays.remove(&name).ok_or_else(|| wrong(format!("tensor {name:?} is missing")))?;
        Ok::<_, WeightsError>(array)
    };
    let mut tensors = Vec::new();
    for layer in &layers {
        let kernel = take(&layer.conv, "kernel")?;
        let (mut weight, channels) = transposed_kernel(kernel, &layer.conv)?;
        let mut vector = |layer: &str, part: &str| {
            let array = take(layer, part)?;
            if array.shape != [channels] {
                return Err(wrong(format!("tensor \"{layer}/{part}\" is {:?}, not [{channels}]", array.shape)));
            }
            Ok(array)
        };
        let bias = vector(&layer.conv, "bias")?;
        let mut mean = vector(&layer.norm, "moving_mean")?;
        for (mean, bias) in mean.values.iter_mut().zip(&bias.values) {
            *mean -= bias;
        }
        if layer.conv == "conv1" {
            take_rgb(&mut weight, &mut mean)?;
        }
        let norm = &layer.our_norm;
        tensors.extend([
            (format!("{}.weight", layer.our_conv), weight),
            (format!("{norm}.weight"), vector(&layer.norm, "gamma")?),
            (format!("{norm}.bias"), vector(&layer.norm, "beta")?),
            (format!("{norm}.running_mean"), mean),
            (format!("{norm}.running_var"), vector(&layer.norm, "moving_variance")?),
        ]);
    }
    let weight = take(HEAD, "kernel")?;
    let [inputs, outputs] = weight.shape[..] else {
        return Err(wrong(format!("tensor \"{HEAD}/kernel\" has {} axes, not 2", weight.shape.len())));
    };
    tensors.push(("fc.weight".to_owned(), permuted(&weight, [outputs, inputs], [1, outputs])));
    tensors.push(("fc.bias".to_owned(), take(HEAD, "bias")?));
    Ok(tensors)
}

fn layers() -> Vec<Layer> {
    let layer = |conv: &str, norm: &str, our_conv: String, our_norm: String| Layer {
        conv: conv.to_owned(),
        norm: norm.to_owned(),
        our_conv,
        our_norm,
    };
    let mut layers = vec![layer("conv1", "bn_conv1", "conv1".to_owned(), "bn1".to_owned())];
    for (stage, blocks) in BLOCKS.into_iter().enumerate() {
        for (block, letter) in (0..blocks).zip('a'..) {
            let (theirs, ours) = (format!("{}{letter}_branch", stage + 2), format!("layer{}.{block}", stage + 1));
            let mut branch = |branch: &str, our_conv: String, our_norm: String| {
                let (conv, norm) = (format!("res{theirs}{branch}"), format!("bn{theirs}{branch}"));
                layers.push(layer(&conv, &norm, our_conv, our_norm));
            };
            for (number, branch_name) in ["2a", "2b", "2c"].into_iter().enumerate() {
                branch(branch_name, format!("{ours}.conv{}", number + 1), format!("{ours}.bn{}", number + 1));
            }
            if block == 0 {
                branch("1", format!("{ours}.downsample.0"), format!("{ours}.downsample.1"));
            }
        }
    }
    layers
}

fn same_names(arrays: &BTreeMap<String, Array>, layers: &[Layer]) -> Result<(), WeightsError> {
    let of_layers = layers.iter().flat_map(|layer| {
        let conv = ["kernel", "bias"].map(|part| format!("{}/{part}", layer.conv));
        let norm = ["gamma", "beta", "moving_mean", "moving_variance"].map(|part| format!("{}/{part}", layer.norm));
        conv.into_iter().chain(norm)
    });
    let head = ["kernel", "bias"].map(|part| format!("{HEAD}/{part}"));
    let want: BTreeSet<String> = of_layers.chain(head).collect();
    let have: BTreeSet<String> = arrays.keys().cloned().collect();
    if want == have {
        return Ok(());
    }
    Err(WeightsError::Names {
        missing: want.difference(&have).cloned().collect(),
        unexpected: have.difference(&want).cloned().collect(),
    })
}

/// A kernel `[height][width][in][out]` as `[out][in][height][width]`, and its output channels.
fn transposed_kernel(kernel: Array, layer: &str) -> Result<(Array, usize), WeightsError> {
    let [height, width, inputs, outputs] = kernel.shape[..] else {
        return Err(wrong(format!("tensor \"{layer}/kernel\" has {} axes, not 4", kernel.shape.len())));
    };
    let steps = [1, outputs, width * inputs * outputs, inputs * outputs];
    Ok((permuted(&kernel, [outputs, inputs, height, width], steps), outputs))
}

/// The numbers of an array in another order of its axes: `shape`, with the `steps` that each has in the array.
fn permuted<const N: usize>(array: &Array, shape: [usize; N], steps: [usize; N]) -> Array {
    let count = array.values.len();
    let mut values = Vec::with_capacity(count);
    let mut index = [0; N];
    for _ in 0..count {
        let place: usize = index.iter().zip(steps).map(|(i, step)| i * step).sum();
        values.push(array.values[place]);
        for (i, size) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < size {
                break;
            }
            *i = 0;
        }
    }
    Array { shape: shape.to_vec(), values }
}

/// Rewrites the first convolution for the usual RGB input, and the mean of the norm behind it.
fn take_rgb(weight: &mut Array, mean: &mut Array) -> Result<(), WeightsError> {
    let [_, 3, height, width] = weight.shape[..] else {
        return Err(wrong(format!("tensor \"conv1/kernel\" is for {} channels, not 3", weight.shape[1])));
    };
    let plane = height * width;
    for (bgr, mean) in weight.values.chunks_exact_mut(3 * plane).zip(&mut mean.values) {
        let mut shift = 0.0;
        let (blue, red) = bgr.split_at_mut(2 * plane);
        blue[..plane].swap_with_slice(red);
        for (channel, kernel) in bgr.chunks_exact_mut(plane).enumerate() {
            let constant = 255.0 * MEAN[channel] - CAFFE_MEAN[channel];
            for value in kernel {
                shift += f64::from(*value) * constant;
                *value = (f64::from(*value) * (255.0 * STD[channel])) as f32;
            }
        }
        *mean = (f64::from(*mean) - shift) as f32;
    }
    Ok(())
}

fn wrong(what: String) -> WeightsError {
    WeightsError::TensorFlowJs(what)
}
