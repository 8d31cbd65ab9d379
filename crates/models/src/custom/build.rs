//! A list of layers, written into a graph.

use avizor_engine::{GraphBuilder, GraphError, ParameterSpec, Value, ops};

use super::layer::{Layer, Window};
use super::list::place;
use crate::layers::{
    Bias, ConvSpec, Padding, batch_norm, channels, conv, dropout, linear, linear_after_map, pool, sides,
};
use crate::{ModelError, NetworkOptions, Outputs, Pool, Step};

/// Numbers that a layer may make of a picture, and weights that a network may have: beyond, no memory is taken.
const MOST_NUMBERS: usize = 1 << 27;
const MOST_PARAMETERS: usize = 1 << 28;

/// A network of the layers that [`NetworkOptions::layers`] lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Custom;

impl Custom {
    /// Writes the network behind a normalised picture `[batch][height][width][3]`. Its dropouts are those of the list.
    ///
    /// # Errors
    /// When the list is empty, a layer does not fit what comes before it, or the small stem or layers of a head are
    /// asked for; the text names the layer.
    pub fn build(
        self,
        graph: &mut GraphBuilder,
        image: Value,
        options: &NetworkOptions,
    ) -> Result<Outputs, ModelError> {
        options.stem.only_imagenet("custom")?;
        options.no_head("custom", "model.layers")?;
        let layers = options.layers.list();
        let Some(last) = layers.last() else { return Err(ModelError::NoLayers) };
        let mut writer = Writer { graph, blocks: Vec::new(), parameters: 0, flattened: None };
        let mut steps = Vec::new();
        let mut features = image;
        for (index, layer) in layers.iter().enumerate() {
            features = writer.layer(index, layer, features)?;
            steps.push(Step::new(format!("{index}: {}", layer.op()), features, ""));
        }
        if writer.is_map(features) {
            let problem = format!(
                "the last layer leaves {}; put `global_avg_pool` or `flatten` behind it",
                writer.shown(features)
            );
            return Err(layer_error(place(&[], layers.len()), last, problem));
        }
        let head = layers.len();
        let logits = writer.layer(head, &Layer::Dense { out: options.classes }, features)?;
        steps.push(Step::new(format!("{head}: dense"), logits, "logits"));
        Ok(Outputs { logits, features, head: head.to_string(), plain_head: None, steps })
    }
}

/// Writes layers, one behind the other.
struct Writer<'g> {
    graph: &'g mut GraphBuilder,
    /// Indices of the blocks around.
    blocks: Vec<usize>,
    /// Weights so far.
    parameters: usize,
    /// Height and width of the maps that were flattened, as long as no dense layer has read them: files count its inputs
    /// channel by channel.
    flattened: Option<[usize; 2]>,
}

impl Writer<'_> {
    /// A layer at its index in its list.
    fn layer(&mut self, index: usize, layer: &Layer, input: Value) -> Result<Value, ModelError> {
        let name = self.blocks.iter().chain([&index]).map(usize::to_string).collect::<Vec<_>>().join(".");
        let blocks: Vec<usize> = self.blocks.iter().map(|block| block + 1).collect();
        let wrong = |problem| layer_error(place(&blocks, index + 1), layer, problem);
        if let Some(problem) = self.misfit(layer, input).or_else(|| self.too_many(layer, input)) {
            return Err(wrong(problem));
        }
        let output = match layer {
            Layer::Residual { layers } => {
                self.blocks.push(index);
                let inner =
                    layers.iter().enumerate().try_fold(input, |value, (index, layer)| self.layer(index, layer, value));
                self.blocks.pop();
                let inner = inner?;
                if self.graph.shape(inner) != self.graph.shape(input) {
                    let [from, to] = [input, inner].map(|value| self.shown(value));
                    return Err(wrong(format!("its layers make {to} of {from}, and must keep the shape to be added")));
                }
                Ok(self.graph.apply(&name, ops::Add, &[inner, input])?)
            }
            layer => self.plain(&name, layer, input),
        };
        let output = output.map_err(|error| match error {
            ModelError::Graph(GraphError::Node { source, .. }) => wrong(source.to_string()),
            other => other,
        })?;
        let numbers = self.graph.shape(output)[1..].iter().product::<usize>();
        if numbers > MOST_NUMBERS {
            return Err(wrong(format!("makes {numbers} numbers of a picture; more than {MOST_NUMBERS} are not taken")));
        }
        Ok(output)
    }

    /// A layer that is no block.
    fn plain(&mut self, name: &str, layer: &Layer, input: Value) -> Result<Value, ModelError> {
        let graph = &mut *self.graph;
        let window = |Window { size, stride, padding }: Window| [size, stride, padding];
        Ok(match *layer {
            Layer::Conv { out, kernel, stride, padding, groups, bias } => {
                let bias = if bias { Bias::Uniform } else { Bias::None };
                let (padding, weight) = (Padding::Even(padding), ParameterSpec::CONV_WEIGHT);
                conv(graph, name, input, &ConvSpec { out, kernel, stride, padding, bias, groups, weight })?
            }
            Layer::BatchNorm => batch_norm(graph, name, input)?,
            Layer::Activation(function) => graph.apply(name, function, &[input])?,
            Layer::MaxPool(of) => pool(graph, name, input, Pool::Max, window(of))?,
            Layer::AvgPool(of) => pool(graph, name, input, Pool::Average, window(of))?,
            Layer::GlobalAvgPool => graph.apply(name, ops::GlobalAvgPool, &[input])?,
            Layer::Dropout { p } => dropout(graph, name, input, p)?,
            Layer::Flatten => {
                self.flattened = Some(sides(graph, input)).filter(|sides| *sides != [1, 1]);
                graph.apply(name, ops::Flatten, &[input])?
            }
            Layer::Dense { out } => self.dense(name, input, out)?,
            Layer::Residual { .. } => unreachable!("blocks are written by their layers"),
        })
    }

    fn dense(&mut self, name: &str, input: Value, out: usize) -> Result<Value, ModelError> {
        match self.flattened.take() {
            Some(map) => linear_after_map(self.graph, name, input, out, map),
            None => linear(self.graph, name, input, out),
        }
    }

    /// Why a layer cannot stand behind a value, where an operator would say less.
    fn misfit(&self, layer: &Layer, input: Value) -> Option<String> {
        let (wants, instead) = match layer {
            Layer::Conv { .. } | Layer::MaxPool(_) | Layer::AvgPool(_) | Layer::GlobalAvgPool | Layer::Flatten => {
                (true, "it must stand before `flatten` and `global_avg_pool`")
            }
            Layer::Dense { .. } => (false, "put `flatten` or `global_avg_pool` before it"),
            Layer::BatchNorm | Layer::Residual { .. } if self.flattened.is_some() => {
                return Some(
                    "cannot stand between `flatten` and the next `dense`; put it before or behind both".to_owned(),
                );
            }
            _ => return None,
        };
        if self.is_map(input) != wants {
            let needed = if wants { "maps" } else { "numbers in a row" };
            return Some(format!("needs {needed}, and gets {}; {instead}", self.shown(input)));
        }
        match *layer {
            Layer::Conv { out, groups, .. } => {
                let channels = channels(self.graph, input);
                let divides = channels.is_multiple_of(groups) && out.is_multiple_of(groups);
                (!divides).then(|| format!("`groups` is {groups}; it must divide the {channels} maps that come in and the {out} that go out"))
            }
            _ => None,
        }
    }

    /// Counts the weights of a layer that fits behind a value, those in blocks left out; and why they are too many.
    fn too_many(&mut self, layer: &Layer, input: Value) -> Option<String> {
        let channels = channels(self.graph, input);
        self.parameters += match *layer {
            Layer::Conv { out, kernel, groups, .. } => kernel * kernel * (channels / groups) * out + out,
            Layer::Dense { out } => (channels + 1) * out,
            Layer::BatchNorm => 4 * channels,
            _ => 0,
        };
        let is_over = self.parameters > MOST_PARAMETERS;
        is_over.then(|| format!("with it the network has more than {MOST_PARAMETERS} weights"))
    }

    fn is_map(&self, value: Value) -> bool {
        self.graph.shape(value).len() == 4
    }

    /// A value's shape in words, a picture's.
    fn shown(&self, value: Value) -> String {
        match self.graph.shape(value)[1..] {
            [height, width, channels] => format!("{channels} maps of {height}×{width}"),
            ref axes => format!("{} numbers in a row", axes.iter().product::<usize>()),
        }
    }
}

fn layer_error(place: String, layer: &Layer, problem: String) -> ModelError {
    ModelError::Layer { place, op: layer.op(), problem }
}
