//! The sections of a recipe. Each stands once: type, default and manual come from the same lines.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use avizor_base::{Filter, ImageSize, JpegDecoding, ResizeRule};
use avizor_data::transforms::Transforms;
use avizor_kernels::conv2d::Conv2dMethods;
use avizor_models::{Layers, NetworkOptions};

/// Declares a section: a struct whose fields carry default and documentation, and the list that the manual prints.
macro_rules! section {
    ($(#[doc = $about:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $field:ident: $type:ty = $default:expr,)+ }) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($(#[doc = $doc])+ pub $field: $type,)+ }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $name {
            const OPTIONS: Options = &[$((stringify!($field), &[$($doc),+]),)+];
        }
    };
}

/// Names and the lines of their documentation.
type Options = &'static [(&'static str, &'static [&'static str])];

/// All sections in the order of the manual.
pub(super) const SECTIONS: &[(&str, Options)] = &[
    ("data", Data::OPTIONS),
    ("split", SplitOptions::OPTIONS),
    ("transforms", TransformOptions::OPTIONS),
    ("balance", Balance::OPTIONS),
    ("model", Model::OPTIONS),
    ("metadata", Metadata::OPTIONS),
    ("train", Train::OPTIONS),
    ("optimizer", OptimizerOptions::OPTIONS),
    ("schedule", Schedule::OPTIONS),
];

section! {
    /// Which pictures, and what is known of them.
    Data {
        /// Folder of pictures: class folders, train/val/test folders, the folder of a table, of shards or of Parquet files; or a table, a zip, a tar or a Parquet file.
        path: Option<String> = None,
        /// Where the training part lies, when the parts lie apart: `{ path = "..", label = "folder" | "pattern", pattern = ".." }`.
        train: Option<PartSource> = None,
        /// Where the validation part lies.
        val: Option<PartSource> = None,
        /// Where the test part lies.
        test: Option<PartSource> = None,
        /// Labels from flat file names, such as `"{class}_{number}"`.
        pattern: Option<String> = None,
        /// Table with a row a picture (CSV, TSV or JSON lines), relative to `path`.
        table: Option<String> = None,
        /// Folder of the table's pictures, relative to the table; default: beside and below it.
        pictures: Option<String> = None,
        /// Column of the table that names the file, or of a Parquet file that holds the pictures; default: found by looking.
        file_column: Option<String> = None,
        /// What `file_column` lacks to be a file's name, such as `".jpg"`; default: found by looking.
        suffix: String = String::new(),
        /// Column of the table that holds the class.
        label_column: Option<String> = None,
        /// Columns of the table of which the one that is 1 is called as the class, instead of `label_column`.
        label_columns: Vec<String> = Vec::new(),
        /// Column of the table that says train, val or test.
        split_column: Option<String> = None,
        /// Columns of the table that are carried along; what the network makes of them says `metadata.role`.
        metadata: Vec<String> = Vec::new(),
        /// Only these classes; default: all.
        classes: Vec<String> = Vec::new(),
        /// New names of classes; two classes with one new name become one.
        rename: BTreeMap<String, String> = BTreeMap::new(),
        /// Share of the pictures to use, the same of every class, chosen by the split's seed.
        fraction: f64 = 1.0,
        /// Look for near-duplicates: pictures that are others, cropped, turned, mirrored or otherwise edited. Takes a few
        /// milliseconds a picture; without it, `split.duplicates_together` knows equal pictures alone.
        near_duplicates: bool = true,
        /// Larger pictures are refused, in millions of pixels.
        max_megapixels: f64 = 100.0,
    }
}

/// Where one part of the data lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartSource {
    /// Folder, relative to `data.path` when that is given.
    pub path: String,
    /// `folder` or `pattern`.
    #[serde(default = "folder")]
    pub label: String,
    /// The pattern of the file names, for `label = "pattern"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

fn folder() -> String {
    "folder".to_owned()
}

section! {
    /// How samples fall into train, val and test, where the data do not say.
    SplitOptions {
        /// Shares of train, val and test; they sum to 1.
        ratios: [f64; 3] = [0.70, 0.15, 0.15],
        /// Seed of the split; another one gives another test part.
        seed: u64 = 42,
        /// Cross-validation: train and val together fall into so many folds of equal size, each of which is val once, and
        /// `ratios` say the size of test alone; 0: one val. `avizor variants --folds` trains on all of them.
        folds: usize = 0,
        /// Which fold is val, from 1.
        fold: usize = 1,
        /// Column of the table whose equal values stay on one side, such as the patient.
        group: Option<String> = None,
        /// Keep equal pictures, and near-duplicates, on one side.
        duplicates_together: bool = true,
        /// Where the data say what is train, val and test, and copies, edited copies or groups lie on both sides: leave out of
        /// train what val or test has, and out of val what test has.
        repair: bool = false,
    }
}

section! {
    /// How a picture becomes the network's input.
    TransformOptions {
        /// Side of the network's input in pixels, or height and width.
        size: Size = Size::square(160),
        /// How JPEG is decoded: exact; in programs built with `--features turbojpeg` also libjpeg, to the bit as Pillow does,
        /// or scaled: at the least of 1/8, 1/4, 1/2 and all of its size that `size` does with, which is faster and changes
        /// pixels a little.
        jpeg: JpegDecoding = JpegDecoding::Exact,
        /// How another shape is met: squash, crop or pad.
        resize: ResizeRule = ResizeRule::Squash,
        /// For `crop`: the size that is covered before `size` is cut from the middle, such as 256 for 224; default: `size`.
        cover: Option<Size> = None,
        /// Interpolation: bilinear, bicubic or lanczos, antialiased as Pillow does it.
        filter: Filter = Filter::Bilinear,
        /// RGB behind transparency and in the bars of `pad`.
        background: [u8; 3] = [255; 3],
        /// Mean per channel, of values scaled to 0–1; default: the weights' own where it is known, else ImageNet's.
        mean: Option<[f32; 3]> = None,
        /// Standard deviation per channel, of values scaled to 0–1; default: as for `mean`.
        std: Option<[f32; 3]> = None,
        /// Random changes of training pictures, in order, such as `{ op = "horizontal_flip", p = 0.5 }`; or the name of a set.
        train: Transforms = Transforms::default(),
    }
}

/// Height and width; in a recipe one number for a square, or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a size is a number of pixels of at least 1, or [height, width]")]
pub enum Size {
    /// A square.
    Square(NonZeroU32),
    /// Height and width.
    Sides([NonZeroU32; 2]),
}

impl Size {
    const fn square(side: u32) -> Self {
        match NonZeroU32::new(side) {
            Some(side) => Self::Square(side),
            None => panic!("a default size is not zero"),
        }
    }

    /// `None` when the area is beyond what a picture may have.
    pub fn image_size(self) -> Option<ImageSize> {
        match self {
            Self::Square(side) => ImageSize::new(side.get(), side.get()),
            Self::Sides([height, width]) => ImageSize::new(height.get(), width.get()),
        }
    }
}

section! {
    /// What is done about classes of unequal size. Only training sees any of it.
    Balance {
        /// `none`, or `weighted`: draw every class equally often.
        sampler: Sampler = Sampler::None,
        /// The sampler acts when the largest class has at least this many times the pictures of the smallest.
        threshold: f64 = 2.0,
        /// Weights of the classes in the loss: `none`, `balanced` (inverse to frequency, as scikit-learn), or `effective` (by the
        /// effective number of samples, between the two).
        class_weights: ClassWeights = ClassWeights::None,
        /// Beta of `effective`: 0 weighs all classes alike, close to 1 inversely to frequency.
        effective_beta: f64 = 0.999,
        /// Fill every class with fewer training pictures up to so many, by changed copies of its own; 0: none. Copies are made
        /// once and are from then on training pictures like others: `transforms.train` changes them anew in each epoch.
        fill: usize = 0,
        /// What changes a copy, as `transforms.train`; default: `transforms.train`. An empty list repeats the picture.
        fill_transforms: Option<Transforms> = None,
    }
}

/// How training pictures are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampler {
    /// Each once an epoch, in random order.
    None,
    /// With replacement, every class equally likely.
    Weighted,
}

/// How the loss weighs classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassWeights {
    /// All alike.
    None,
    /// n / (classes × n of the class).
    Balanced,
    /// (1 − β) / (1 − β^n of the class), scaled.
    Effective,
}

section! {
    /// Which network.
    Model {
        /// One of `avizor models`, or `custom`.
        name: String = "resnet18".to_owned(),
        /// `none` (random start), `imagenet` (see `avizor weights list`), the path of a `.safetensors` file, of a `.pth` that
        /// PyTorch wrote or of TensorFlow.js's `model.json`, or a file of the Hugging Face hub, `hf:ORG/NAME/FILE`.
        weights: String = "none".to_owned(),
        /// Dense layers between the network's features and the last layer, such as `[128]`, each followed by ReLU and `dropout`;
        /// `mlp` and `custom` have their own. Joined metadata are read by them too.
        head: Vec<usize> = Vec::new(),
        /// Probability of dropping a feature before the last layer, or after each layer of `head`; `custom` drops where its
        /// layers say.
        dropout: f64 = 0.2,
        /// Answer by the mean of what the network says of a picture and of its mirror image, in every evaluation and in the
        /// model: a little better where left and right mean nothing, and twice the work. What a frozen network makes of pictures is
        /// then not kept.
        test_flip: bool = false,
        /// First layers: `imagenet` (as published), or `small` (without the first two halvings) for pictures of up to about
        /// 64 pixels; not of `squeezenet1_1`, `small_cnn`, `mlp` and `custom`.
        stem: Stem = Stem::Imagenet,
        /// Hidden layers of `mlp`.
        hidden: Vec<usize> = vec![512],
        /// Layers of `custom`, in order, such as `{ op = "conv", out = 32 }`: see `avizor recipes --layers`. The last one, to the
        /// classes, comes by itself.
        layers: Layers = Layers::default(),
        /// What keeps its starting values: `none`, `backbone` (all but the head), or a number of stages from the first
        /// (they are the steps of `avizor models NAME` that have parameters).
        freeze: Freeze = Freeze::NONE,
    }
}

/// First layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stem {
    /// As published: soon a quarter of the size.
    Imagenet,
    /// Without the first two halvings: the full size.
    Small,
}

impl From<Stem> for avizor_models::Stem {
    fn from(stem: Stem) -> Self {
        match stem {
            Stem::Imagenet => Self::Imagenet,
            Stem::Small => Self::Small,
        }
    }
}

impl Model {
    /// What this section says of the network itself; metadata are another section's.
    pub fn network_options(&self, classes: usize) -> NetworkOptions {
        let Self { head, hidden, layers, .. } = self.clone();
        let (dropout, stem) = (self.dropout as f32, self.stem.into());
        NetworkOptions { classes, dropout, stem, head, hidden, layers, metadata: None }
    }
}

/// Which parameters stay as they are; in a recipe a word or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "what is frozen is \"none\", \"backbone\" or a number of stages")]
pub enum Freeze {
    /// By name.
    Named(Frozen),
    /// Those of so many stages from the first.
    Stages(usize),
}

impl Freeze {
    /// None does.
    pub const NONE: Self = Self::Named(Frozen::None);
    /// All but those of the head.
    pub const BACKBONE: Self = Self::Named(Frozen::Backbone);
}

/// What can be frozen by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Frozen {
    /// Nothing.
    None,
    /// All but the head.
    Backbone,
}

section! {
    /// What the network makes of `data.metadata`, columns of the table such as age and sex.
    Metadata {
        /// `ignored`; `joined`: layers of their own, whose numbers then stand beside the picture's features; or `alone`: no
        /// picture is seen, and of `[model]` `head` and `dropout` alone count. `model.head` reads what comes of it.
        role: Role = Role::Ignored,
        /// Layers that the metadata go through by themselves.
        hidden: Vec<usize> = vec![32],
        /// Columns whose numbers are names of categories, such as a number of the camera; columns of texts are that anyway.
        categories: Vec<String> = Vec::new(),
    }
}

/// What becomes of metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Nothing.
    Ignored,
    /// The network reads them beside the picture.
    Joined,
    /// The network reads nothing else.
    Alone,
}

section! {
    /// How long, in which steps, and which epoch is kept.
    Train {
        /// Passes over the training part.
        epochs: usize = 20,
        /// Passes before those, in which the head alone learns and the network below it keeps its starting weights: a first
        /// answer within seconds, and a head that does not upset good weights when all of the network learns.
        head_epochs: usize = 0,
        /// Where the network below the head is frozen and `transforms.train` changes pictures: so many changed versions of
        /// each picture go through it once, and their features are used in turn. 0: none is kept and every visit changes the
        /// picture anew, but for `head_epochs`, which then see unchanged pictures.
        views: usize = 0,
        /// Pictures of one step.
        batch: usize = 64,
        /// Seed of starting values, order, sampling and augmentation.
        seed: u64 = 42,
        /// The checkpoint that is kept: best by `val.loss`, `val.accuracy`, `val.macro_f1` and so on; of equals the one with the
        /// lowest validation loss.
        select: Select = Select("val.macro_f1".to_owned()),
        /// Stop after this many epochs without a better one; 0: never.
        early_stop: usize = 0,
        /// Share of the target spread over all classes.
        label_smoothing: f64 = 0.0,
        /// Above 0, pictures of a batch are blended in pairs, and their labels with them, by shares from Beta(mixup, mixup):
        /// `torchvision.transforms.v2.MixUp`. Not in `head_epochs`.
        mixup: f64 = 0.0,
        /// As `mixup`, by a rectangle of the other picture: `torchvision.transforms.v2.CutMix`. With both, each batch has one of
        /// them, by chance.
        cutmix: f64 = 0.0,
        /// Batches whose gradients join in one step, as if they were one: for large batches in little memory.
        accumulate: usize = 1,
        /// Gradients that together are longer than this are shortened to it; 0: never.
        clip_norm: f64 = 0.0,
        /// Decay of a moving average of the weights, which is evaluated and kept in their place, such as 0.999; 0: none.
        ema: f64 = 0.0,
        /// Also save a checkpoint every so many steps within an epoch; 0: at the ends of epochs, once for those that end within
        /// half a minute.
        checkpoint_steps: usize = 0,
        /// How convolutions are computed: `auto`, the fastest way, or `direct`, without Winograd's transforms: some
        /// digits more exact, about half as fast.
        convolution: Convolution = Convolution::Auto,
        /// What a training step stores activations and their gradients in: `f32`, or `bf16`, half the size with 8
        /// binary digits. Weights, sums and every evaluation are f32.
        precision: Precision = Precision::F32,
    }
}

/// What activations are stored in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    F32,
    /// The upper 16 of them.
    Bf16,
}

impl From<Precision> for avizor_kernels::Precision {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::Bf16 => Self::Bf16,
        }
    }
}

/// How convolutions are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Convolution {
    /// The fastest way for the shape.
    Auto,
    /// By the sums that define it.
    Direct,
}

impl From<Convolution> for Conv2dMethods {
    fn from(convolution: Convolution) -> Self {
        match convolution {
            Convolution::Auto => Self::Auto,
            Convolution::Direct => Self::Direct,
        }
    }
}

/// Name of the metric that chooses; checked to be one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Select(pub String);

section! {
    /// How parameters move. Meanings and defaults are those of `torch.optim`.
    OptimizerOptions {
        /// `sgd`, `adam`, `adamw` or `rmsprop`.
        name: OptimizerName = OptimizerName::Adam,
        /// Learning rate at the start; the largest one for schedules that rise.
        lr: f64 = 1e-3,
        /// Learning rate of `train.head_epochs`; default: `lr`.
        head_lr: Option<f64> = None,
        /// Each stage learns at the rate of the one above it times this; the head at `lr`. 0.5 to 0.9 suits fine-tuning.
        layer_decay: f64 = 1.0,
        /// Weight decay: added to the gradient; decoupled for `adamw`.
        weight_decay: f64 = 1e-4,
        /// Whether weight decay also acts on biases and on the scales and shifts of norms.
        decay_bias: bool = true,
        /// Momentum of `sgd` and `rmsprop`.
        momentum: f64 = 0.0,
        /// Nesterov's momentum, for `sgd`.
        nesterov: bool = false,
        /// Decay rates of the moments of `adam` and `adamw`.
        betas: [f64; 2] = [0.9, 0.999],
        /// Decay rate of `rmsprop`.
        alpha: f64 = 0.99,
        /// Added to the denominator of `adam`, `adamw` and `rmsprop`.
        eps: f64 = 1e-8,
    }
}

/// The optimizers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerName {
    /// Stochastic gradient descent.
    Sgd,
    /// Kingma & Ba 2015.
    Adam,
    /// Loshchilov & Hutter 2019: Adam with decoupled weight decay.
    AdamW,
    /// Tieleman & Hinton 2012.
    RmsProp,
}

section! {
    /// How the learning rate changes.
    Schedule {
        /// `none`, `plateau`, `cosine`, `onecycle` or `step`.
        name: ScheduleName = ScheduleName::None,
        /// What `plateau` and `step` multiply the rate by.
        factor: f64 = 0.5,
        /// Epochs without a lower validation loss before `plateau` acts; epochs between two cuts of `step`.
        patience: usize = 3,
        /// The rate never falls below this.
        min_lr: f64 = 0.0,
        /// Epochs in which the rate rises from nearly nothing to `optimizer.lr`.
        warmup_epochs: usize = 0,
    }
}

/// The schedules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleName {
    /// The rate stays.
    None,
    /// Cut when validation loss stops falling: `torch.optim.lr_scheduler.ReduceLROnPlateau`.
    Plateau,
    /// From the start to `min_lr` along half a cosine, step by step.
    Cosine,
    /// Up to `optimizer.lr` from a 25th of it in the first 30 % of the steps, then down to nearly nothing, along half a cosine
    /// each (Smith and Topin 2018, arXiv:1708.07120): `torch.optim.lr_scheduler.OneCycleLR`, momentum left alone.
    OneCycle,
    /// Cut every `patience` epochs.
    Step,
}
