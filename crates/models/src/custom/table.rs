//! The table of layers, and how an entry of a list becomes one.

use std::ops::RangeInclusive;

use avizor_engine::ops::Unary;
use serde_json::{Map, Value};

use super::layer::{Layer, Window};

/// Every layer that a list can name.
pub const LAYERS: &[LayerRow] = &[
    LayerRow {
        op: "conv",
        doc: "Convolution of square windows; torch.nn.Conv2d.",
        options: &[
            OUT,
            LayerOption { name: "kernel", default: "3", doc: "Side of the window." },
            LayerOption { name: "stride", default: "1", doc: "Step of the window." },
            LayerOption { name: "padding", default: "0", doc: "Zeros on every side." },
            LayerOption { name: "groups", default: "1", doc: "Groups that channels are cut into, each by itself." },
            LayerOption { name: "bias", default: "true", doc: "Whether a number is added to every channel." },
        ],
        read: |options| {
            Ok(Layer::Conv {
                out: options.number("out", SIZES)?,
                kernel: options.number("kernel", SIDES)?,
                stride: options.number("stride", SIDES)?,
                padding: options.number("padding", 0..=*SIDES.end())?,
                groups: options.number("groups", SIZES)?,
                bias: options.flag("bias")?,
            })
        },
    },
    plain("batch_norm", "Every channel to mean 0 and deviation 1, then scaled and shifted.", |_| Ok(Layer::BatchNorm)),
    plain("relu", "max(x, 0).", |_| Ok(Layer::Activation(Unary::Relu))),
    plain("relu6", "min(max(x, 0), 6).", |_| Ok(Layer::Activation(Unary::Relu6))),
    plain("silu", "x · sigmoid(x).", |_| Ok(Layer::Activation(Unary::Silu))),
    plain("gelu", "x · Φ(x).", |_| Ok(Layer::Activation(Unary::Gelu))),
    plain("sigmoid", "1 / (1 + exp(-x)).", |_| Ok(Layer::Activation(Unary::Sigmoid))),
    plain("tanh", "Hyperbolic tangent.", |_| Ok(Layer::Activation(Unary::Tanh))),
    plain("softplus", "ln(1 + exp(x)).", |_| Ok(Layer::Activation(Unary::Softplus))),
    plain("hard_sigmoid", "min(max(x + 3, 0), 6) / 6.", |_| Ok(Layer::Activation(Unary::HardSigmoid))),
    plain("hard_swish", "x · hard_sigmoid(x).", |_| Ok(Layer::Activation(Unary::HardSwish))),
    LayerRow {
        op: "max_pool",
        doc: "The largest number of every window; torch.nn.MaxPool2d.",
        options: POOL,
        read: |options| options.window().map(Layer::MaxPool),
    },
    LayerRow {
        op: "avg_pool",
        doc: "The mean of every window, zeros included; torch.nn.AvgPool2d.",
        options: POOL,
        read: |options| options.window().map(Layer::AvgPool),
    },
    plain("global_avg_pool", "The mean of every map: maps become numbers in a row.", |_| Ok(Layer::GlobalAvgPool)),
    LayerRow {
        op: "dropout",
        doc: "Drops numbers at random in training.",
        options: &[LayerOption { name: "p", default: "0.5", doc: "Probability of each, below 1." }],
        read: |options| Ok(Layer::Dropout { p: options.probability("p")? }),
    },
    plain("flatten", "Maps become numbers in a row.", |_| Ok(Layer::Flatten)),
    LayerRow {
        op: "dense",
        doc: "Every number out depends on every number in; torch.nn.Linear.",
        options: &[OUT],
        read: |options| Ok(Layer::Dense { out: options.number("out", SIZES)? }),
    },
    LayerRow {
        op: "residual",
        doc: "What its layers make of their input, and the input added: they must keep its shape.",
        options: &[LayerOption { name: "layers", default: "", doc: "A list of layers." }],
        // A list reads its lists itself, for it counts them.
        read: |_| Ok(Layer::Residual { layers: Vec::new() }),
    },
];

/// Of channels and of numbers in a row; of windows.
const SIZES: RangeInclusive<usize> = 1..=65_536;
const SIDES: RangeInclusive<usize> = 1..=64;

const OUT: LayerOption = LayerOption { name: "out", default: "", doc: "Channels, or numbers in a row, that come out." };

const POOL: &[LayerOption] = &[
    LayerOption { name: "size", default: "", doc: "Side of the window." },
    LayerOption { name: "stride", default: "size", doc: "Step of the window." },
    LayerOption { name: "padding", default: "0", doc: "Places on every side; at most half the size." },
];

/// A layer that a list can name.
#[derive(Clone, Copy, Debug)]
pub struct LayerRow {
    /// Its name.
    pub op: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// Its options.
    pub options: &'static [LayerOption],
    pub(super) read: fn(&mut Options) -> Result<Layer, String>,
}

/// An option of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerOption {
    /// Its name.
    pub name: &'static str,
    /// Its value where the list says nothing, as a list would write it, or the option whose value it has. Empty where it
    /// must be said.
    pub default: &'static str,
    /// What it means.
    pub doc: &'static str,
}

const fn plain(op: &'static str, doc: &'static str, read: fn(&mut Options) -> Result<Layer, String>) -> LayerRow {
    LayerRow { op, doc, options: &[], read }
}

/// The options of an entry, while they are read.
pub(super) struct Options {
    row: &'static LayerRow,
    /// As they were given.
    given: Map<String, Value>,
    /// As they are, each written out.
    pub(super) resolved: Map<String, Value>,
}

impl Options {
    /// Of an entry without `op` whose options are all the row's.
    pub(super) fn new(row: &'static LayerRow, given: Map<String, Value>) -> Self {
        Self { row, given, resolved: Map::new() }
    }

    /// The value of an option, given or by default.
    pub(super) fn value(&mut self, name: &'static str) -> Result<Value, String> {
        let default = self.row.options.iter().find(|option| option.name == name).map_or("", |option| option.default);
        let value = match (self.given.remove(name), default) {
            (Some(value), _) => value,
            (None, "") => return Err(format!("needs `{name}`, such as {}", example(name))),
            (None, default) => match self.resolved.get(default) {
                Some(same) => same.clone(),
                None => serde_json::from_str(default).map_err(|error| error.to_string())?,
            },
        };
        self.resolved.insert(name.to_owned(), value.clone());
        Ok(value)
    }

    fn number(&mut self, name: &'static str, range: RangeInclusive<usize>) -> Result<usize, String> {
        let value = self.value(name)?;
        let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            format!("`{name}` is {value}; it must be a whole number from {} to {}", range.start(), range.end())
        })
    }

    fn flag(&mut self, name: &'static str) -> Result<bool, String> {
        let value = self.value(name)?;
        value.as_bool().ok_or_else(|| format!("`{name}` is {value}; it must be true or false"))
    }

    fn probability(&mut self, name: &'static str) -> Result<f32, String> {
        let value = self.value(name)?;
        let p = value.as_f64().map(|p| p as f32).filter(|p| (0.0..1.0).contains(p));
        p.ok_or_else(|| format!("`{name}` is {value}; it must be a number from 0 to below 1"))
    }

    fn window(&mut self) -> Result<Window, String> {
        let (size, stride) = (self.number("size", SIDES)?, self.number("stride", SIDES)?);
        Ok(Window { size, stride, padding: self.number("padding", 0..=size / 2)? })
    }
}

fn example(option: &str) -> &'static str {
    match option {
        "out" => "`out = 32`",
        "size" => "`size = 2`",
        _ => "`layers = [{ op = \"conv\", out = 32, padding = 1 }]`",
    }
}
