//! Layers with their parameters, under the names that torchvision gives them.

use avizor_engine::{DiskLayout, GraphBuilder, Initialiser, ParameterSpec, Value, ops};

use crate::{ModelError, NetworkOptions, Pool};

/// A convolution without its input.
pub(crate) struct ConvSpec {
    pub(crate) out: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    pub(crate) bias: bool,
    pub(crate) initialiser: Initialiser,
}

/// Parameters `{name}.weight` and, if asked for, `{name}.bias`.
pub(crate) fn conv(graph: &mut GraphBuilder, name: &str, input: Value, spec: &ConvSpec) -> Result<Value, ModelError> {
    let channels = channels(graph, input);
    let &ConvSpec { out, kernel, stride, padding, bias, initialiser } = spec;
    let shape = [kernel, kernel, channels, out];
    let weight = graph.parameter(&format!("{name}.weight"), shape, ParameterSpec::CONV_WEIGHT.starting(initialiser));
    let mut inputs = vec![input, weight];
    if bias {
        let fan_in = kernel * kernel * channels;
        inputs.push(graph.parameter(&format!("{name}.bias"), [out], ParameterSpec::bias(fan_in)));
    }
    let conv = ops::Conv2d { stride: [stride; 2], padding: [padding; 2], groups: 1 };
    Ok(graph.apply(name, conv, &inputs)?)
}

/// Parameters `{name}.weight`, `.bias`, `.running_mean`, `.running_var`.
pub(crate) fn batch_norm(graph: &mut GraphBuilder, name: &str, input: Value) -> Result<Value, ModelError> {
    let channels = channels(graph, input);
    let mut parameter = |part: &str, spec| graph.parameter(&format!("{name}.{part}"), [channels], spec);
    let inputs = [
        input,
        parameter("weight", ParameterSpec::NORM_WEIGHT),
        parameter("bias", ParameterSpec::NORM_BIAS),
        parameter("running_mean", ParameterSpec::RUNNING_MEAN),
        parameter("running_var", ParameterSpec::RUNNING_VAR),
    ];
    Ok(graph.apply(name, ops::BatchNorm::default(), &inputs)?)
}

/// Parameters `{name}.weight` and `{name}.bias`.
pub(crate) fn linear(graph: &mut GraphBuilder, name: &str, input: Value, out: usize) -> Result<Value, ModelError> {
    linear_with(graph, name, input, out, ParameterSpec::LINEAR_WEIGHT)
}

/// As [`linear`], for a map flattened from this height and width: files count its inputs channel by channel.
pub(crate) fn linear_after_map(
    graph: &mut GraphBuilder,
    name: &str,
    input: Value,
    out: usize,
    map: [usize; 2],
) -> Result<Value, ModelError> {
    let layout = DiskLayout::LinearAfterMap { map };
    linear_with(graph, name, input, out, ParameterSpec { layout, ..ParameterSpec::LINEAR_WEIGHT })
}

fn linear_with(
    graph: &mut GraphBuilder,
    name: &str,
    input: Value,
    out: usize,
    spec: ParameterSpec,
) -> Result<Value, ModelError> {
    let features = channels(graph, input);
    let weight = graph.parameter(&format!("{name}.weight"), [features, out], spec);
    let bias = graph.parameter(&format!("{name}.bias"), [out], ParameterSpec::bias(features));
    Ok(graph.apply(name, ops::Linear, &[input, weight, bias])?)
}

/// Dropout where there is any, then the layer that gives the logits.
pub(crate) fn head(
    graph: &mut GraphBuilder,
    name: &str,
    features: Value,
    options: &NetworkOptions,
) -> Result<Value, ModelError> {
    let kept = dropout(graph, &format!("{name}.dropout"), features, options.dropout)?;
    linear(graph, name, kept, options.classes)
}

/// Nothing where `p` is zero.
pub(crate) fn dropout(graph: &mut GraphBuilder, name: &str, input: Value, p: f32) -> Result<Value, ModelError> {
    if p == 0.0 {
        return Ok(input);
    }
    Ok(graph.apply(name, ops::Dropout { p }, &[input])?)
}

/// Pooling of square windows.
pub(crate) fn pool(
    graph: &mut GraphBuilder,
    name: &str,
    input: Value,
    pool: Pool,
    [kernel, stride, padding]: [usize; 3],
) -> Result<Value, ModelError> {
    let (kernel, stride, padding) = ([kernel; 2], [stride; 2], [padding; 2]);
    Ok(match pool {
        Pool::Max => graph.apply(name, ops::MaxPool2d { kernel, stride, padding }, &[input])?,
        Pool::Average => graph.apply(name, ops::AvgPool2d { kernel, stride, padding }, &[input])?,
    })
}

/// Size of the last axis.
pub(crate) fn channels(graph: &GraphBuilder, value: Value) -> usize {
    graph.shape(value).last().copied().unwrap_or(0)
}

/// Height and width of a batch of maps.
pub(crate) fn sides(graph: &GraphBuilder, value: Value) -> [usize; 2] {
    match **graph.shape(value) {
        [_, height, width, _] => [height, width],
        _ => [1, 1],
    }
}
