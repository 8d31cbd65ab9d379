//! Layers with their parameters, under the names that torchvision gives them.

use avizor_engine::ops::{self, Unary};
use avizor_engine::{DiskLayout, GraphBuilder, Initialiser, ParameterSpec, Value};

use crate::{ModelError, NetworkOptions, Outputs, PlainHead, Pool, Step, head};

/// Zeros around a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    /// So many on every side.
    Even(usize),
    /// TensorFlow's "same": so many that ⌈size / stride⌉ places come out; of an odd number the larger half lies after.
    Same,
}

impl Padding {
    /// Those before an axis of so many places, and how many more there are after it.
    fn along(self, size: usize, kernel: usize, stride: usize) -> [usize; 2] {
        match self {
            Self::Even(zeros) => [zeros, 0],
            Self::Same => {
                let reached = size.div_ceil(stride).saturating_sub(1) * stride + kernel;
                let zeros = reached.saturating_sub(size);
                [zeros / 2, zeros % 2]
            }
        }
    }
}

/// What is added to every pixel that a convolution gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bias {
    /// Nothing, since a norm follows.
    None,
    /// Starts as `torch.nn.Conv2d`'s.
    Uniform,
    /// Starts at zero.
    Zero,
}

/// A convolution without its input.
pub(crate) struct ConvSpec {
    pub(crate) out: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: Padding,
    pub(crate) bias: Bias,
    pub(crate) groups: usize,
    pub(crate) weight: ParameterSpec,
}

impl ConvSpec {
    /// Keeps the size but for its stride, has no bias since a norm follows, and starts as torchvision's networks do.
    pub(crate) fn bare(out: usize, kernel: usize, stride: usize) -> Self {
        let weight = ParameterSpec::CONV_WEIGHT.starting(Initialiser::KaimingNormalFanOut);
        Self { out, kernel, stride, padding: Padding::Even(kernel / 2), bias: Bias::None, groups: 1, weight }
    }

    /// Cuts a map into squares that touch, a pixel of the result each. Starts as `torch.nn.Conv2d`.
    pub(crate) fn patches(out: usize, side: usize) -> Self {
        let weight = ParameterSpec::CONV_WEIGHT;
        Self { out, kernel: side, stride: side, padding: Padding::Even(0), bias: Bias::Uniform, groups: 1, weight }
    }

    /// A linear layer over the channels of every pixel, which files hold as such.
    pub(crate) fn pixelwise(out: usize) -> Self {
        Self { weight: ParameterSpec::LINEAR_WEIGHT, ..Self::patches(out, 1) }
    }

    /// The same with other zeros.
    pub(crate) fn padded(self, padding: Padding) -> Self {
        Self { padding, ..self }
    }

    /// The same with a weight that starts as told and a bias that starts at zero.
    pub(crate) fn starting(self, weight: Initialiser) -> Self {
        Self { weight: self.weight.starting(weight), bias: Bias::Zero, ..self }
    }

    /// As [`bare`](Self::bare), every channel by itself.
    pub(crate) fn depthwise(channels: usize, kernel: usize, stride: usize) -> Self {
        Self { groups: channels, ..Self::bare(channels, kernel, stride) }
    }
}

/// Parameters `{name}.weight` and, if asked for, `{name}.bias`.
pub(crate) fn conv(graph: &mut GraphBuilder, name: &str, input: Value, spec: &ConvSpec) -> Result<Value, ModelError> {
    let &ConvSpec { out, kernel, stride, padding, bias, groups, weight } = spec;
    let channels = channels(graph, input) / groups;
    let shape = [kernel, kernel, channels, out];
    let mut inputs = vec![input, graph.parameter(&format!("{name}.weight"), shape, weight)];
    let uniform = ParameterSpec::bias(kernel * kernel * channels);
    let bias = match bias {
        Bias::None => None,
        Bias::Uniform => Some(uniform),
        Bias::Zero => Some(uniform.starting(Initialiser::Constant(0.0))),
    };
    if let Some(bias) = bias {
        inputs.push(graph.parameter(&format!("{name}.bias"), [out], bias));
    }
    let [rows, columns] = sides(graph, input).map(|size| padding.along(size, kernel, stride));
    let (padding, trailing) = ([rows[0], columns[0]], [rows[1], columns[1]]);
    let conv = ops::Conv2d { stride: [stride; 2], padding, trailing, groups };
    Ok(graph.apply(name, conv, &inputs)?)
}

/// Parameters `{name}.weight`, `.bias`, `.running_mean`, `.running_var`; PyTorch's eps and momentum.
pub(crate) fn batch_norm(graph: &mut GraphBuilder, name: &str, input: Value) -> Result<Value, ModelError> {
    batch_norm_with(graph, name, input, ops::BatchNorm::default())
}

/// As [`batch_norm`], with others.
pub(crate) fn batch_norm_with(
    graph: &mut GraphBuilder,
    name: &str,
    input: Value,
    norm: ops::BatchNorm,
) -> Result<Value, ModelError> {
    let channels = channels(graph, input);
    let mut parameter = |part: &str, spec| graph.parameter(&format!("{name}.{part}"), [channels], spec);
    let inputs = [
        input,
        parameter("weight", ParameterSpec::NORM_WEIGHT),
        parameter("bias", ParameterSpec::NORM_BIAS),
        parameter("running_mean", ParameterSpec::RUNNING_MEAN),
        parameter("running_var", ParameterSpec::RUNNING_VAR),
    ];
    Ok(graph.apply(name, norm, &inputs)?)
}

/// Over the last axis, with parameters `{name}.weight` and `.bias`.
pub(crate) fn layer_norm(graph: &mut GraphBuilder, name: &str, input: Value, eps: f32) -> Result<Value, ModelError> {
    let channels = channels(graph, input);
    let mut parameter = |part: &str, spec| graph.parameter(&format!("{name}.{part}"), [channels], spec);
    let inputs = [input, parameter("weight", ParameterSpec::NORM_WEIGHT), parameter("bias", ParameterSpec::NORM_BIAS)];
    Ok(graph.apply(name, ops::LayerNorm { eps }, &inputs)?)
}

/// torchvision's `Conv2dNormActivation`: a convolution `{name}.0`, its norm `{name}.1`, and an activation if there is one.
pub(crate) fn conv_norm(
    graph: &mut GraphBuilder,
    name: &str,
    input: Value,
    spec: &ConvSpec,
    activation: Option<Unary>,
) -> Result<Value, ModelError> {
    conv_norm_with(graph, name, input, spec, activation, ops::BatchNorm::default())
}

/// As [`conv_norm`], with another eps or momentum.
pub(crate) fn conv_norm_with(
    graph: &mut GraphBuilder,
    name: &str,
    input: Value,
    spec: &ConvSpec,
    activation: Option<Unary>,
    norm: ops::BatchNorm,
) -> Result<Value, ModelError> {
    let map = conv(graph, &format!("{name}.0"), input, spec)?;
    let map = batch_norm_with(graph, &format!("{name}.1"), map, norm)?;
    match activation {
        Some(activation) => Ok(graph.apply(&format!("{name}.2"), activation, &[map])?),
        None => Ok(map),
    }
}

/// Parameters `{name}.weight` and `{name}.bias`.
pub(crate) fn linear(graph: &mut GraphBuilder, name: &str, input: Value, out: usize) -> Result<Value, ModelError> {
    linear_with(graph, name, input, out, ParameterSpec::LINEAR_WEIGHT, None)
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
    linear_with(graph, name, input, out, ParameterSpec { layout, ..ParameterSpec::LINEAR_WEIGHT }, None)
}

/// As [`linear`], with starting values of the weight and a bias that starts at zero.
pub(crate) fn linear_starting(
    graph: &mut GraphBuilder,
    name: &str,
    input: Value,
    out: usize,
    weight: ParameterSpec,
) -> Result<Value, ModelError> {
    linear_with(graph, name, input, out, weight, Some(Initialiser::Constant(0.0)))
}

fn linear_with(
    graph: &mut GraphBuilder,
    name: &str,
    input: Value,
    out: usize,
    weight: ParameterSpec,
    bias: Option<Initialiser>,
) -> Result<Value, ModelError> {
    let features = channels(graph, input);
    let weight = graph.parameter(&format!("{name}.weight"), [features, out], weight);
    let bias_spec = ParameterSpec::bias(features);
    let bias_spec = bias.map_or(bias_spec, |initialiser| bias_spec.starting(initialiser));
    let bias = graph.parameter(&format!("{name}.bias"), [out], bias_spec);
    Ok(graph.apply(name, ops::Linear, &[input, weight, bias])?)
}

/// What MobileNet and EfficientNet end with: the mean of every map, dropout `classifier.0`, the layer `classifier.1`
/// whose weight starts as told and whose bias starts at zero.
pub(crate) fn classifier(
    graph: &mut GraphBuilder,
    map: Value,
    options: &NetworkOptions,
    start: Initialiser,
    mut steps: Vec<Step>,
) -> Result<Outputs, ModelError> {
    let features = graph.apply("avgpool", ops::GlobalAvgPool, &[map])?;
    steps.push(Step::new("avgpool, flatten", features, "mean of every map"));
    plain_head(graph, ["classifier.0", "classifier.1"], features, options, start, steps)
}

/// Dropout and the last layer, whose weight starts as told and whose bias starts at zero; or the layers that stand in its
/// place.
pub(crate) fn plain_head(
    graph: &mut GraphBuilder,
    [dropped, layer]: [&str; 2],
    features: Value,
    options: &NetworkOptions,
    start: Initialiser,
    mut steps: Vec<Step>,
) -> Result<Outputs, ModelError> {
    let plain_head = PlainHead::new(dropped, layer);
    let logits = if options.head.is_empty() {
        let kept = dropout(graph, dropped, features, options.dropout)?;
        let weight = ParameterSpec::LINEAR_WEIGHT.starting(start);
        linear_starting(graph, layer, kept, options.classes, weight)?
    } else {
        plain_head.build(graph, features, options)?
    };
    steps.push(Step::new(head::step_name(dropped, layer, options), logits, "logits"));
    Ok(Outputs { logits, features, head: layer.to_owned(), plain_head: Some(plain_head), steps })
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
    pool_with(graph, name, input, pool, [[kernel; 2], [stride; 2], [padding; 2], [0, 0]])
}

/// As [`pool`], unpadded, with windows that hang over the end where it would be left out: PyTorch's `ceil_mode`.
pub(crate) fn pool_to_the_end(
    graph: &mut GraphBuilder,
    name: &str,
    input: Value,
    pool: Pool,
    [kernel, stride]: [usize; 2],
) -> Result<Value, ModelError> {
    let trailing = sides(graph, input).map(|size| {
        let reached = size.saturating_sub(kernel).div_ceil(stride) * stride + kernel;
        reached.saturating_sub(size)
    });
    pool_with(graph, name, input, pool, [[kernel; 2], [stride; 2], [0, 0], trailing])
}

fn pool_with(
    graph: &mut GraphBuilder,
    name: &str,
    input: Value,
    pool: Pool,
    [kernel, stride, padding, trailing]: [[usize; 2]; 4],
) -> Result<Value, ModelError> {
    Ok(match pool {
        Pool::Max => graph.apply(name, ops::MaxPool2d { kernel, stride, padding, trailing }, &[input])?,
        Pool::Average => graph.apply(name, ops::AvgPool2d { kernel, stride, padding, trailing }, &[input])?,
    })
}

/// Size of the last axis.
pub(crate) fn channels(graph: &GraphBuilder, value: Value) -> usize {
    graph.shape(value).last().copied().unwrap_or(0)
}

/// Refuses a picture whose sides are less than `least` pixels.
pub(crate) fn require_sides(
    graph: &GraphBuilder,
    image: Value,
    network: &'static str,
    least: usize,
) -> Result<(), ModelError> {
    let [height, width] = sides(graph, image);
    if height < least || width < least {
        return Err(ModelError::TooSmall { network, least, height, width });
    }
    Ok(())
}

/// Height and width of a batch of maps.
pub(crate) fn sides(graph: &GraphBuilder, value: Value) -> [usize; 2] {
    match **graph.shape(value) {
        [_, height, width, _] => [height, width],
        _ => [1, 1],
    }
}
