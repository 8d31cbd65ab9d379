//! `avizor bench` as it is typed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Stem;
use super::value::{seconds, whole};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  avizor bench step                      training and inference of ResNet-18
  avizor bench loader photos             how fast pictures reach the network")]
pub(crate) struct Bench {
    #[command(subcommand)]
    pub(crate) what: BenchWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchWhat {
    /// Training steps and inference of one network, in pictures a second
    Step(BenchStep),
    /// Inference of one network: latency and pictures a second for every batch
    Infer(BenchInfer),
    /// Kernels on the layers of known networks, beside what this machine can do
    Ops(BenchOps),
    /// Reading, resizing and augmenting pictures, in pictures a second
    Loader(BenchLoader),
}

/// Which network, on what pictures.
#[derive(Debug, Args)]
pub(crate) struct BenchNetwork {
    /// Network (see `avizor models`)
    #[arg(long, default_value = "resnet18")]
    pub(crate) model: String,
    /// A recipe, whose network and size of pictures are measured: one of your own layers, for example
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "size", "stem"])]
    pub(crate) recipe: Option<PathBuf>,
    /// Side of the pictures in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 160, value_parser = whole::<u32>(1..=4096))]
    pub(crate) size: u32,
    /// Classes of the last layer
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = whole::<u32>(2..=65_536))]
    pub(crate) classes: u32,
    /// First layers: as published, or without the first two halvings for small pictures
    #[arg(long, default_value = "imagenet")]
    pub(crate) stem: Stem,
    /// Compute convolutions without Winograd's transforms
    #[arg(long)]
    pub(crate) direct: bool,
}

/// What activations are stored in.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Precision {
    F32,
    Bf16,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  avizor bench step --model resnet18 --size 160 --batch 32
  avizor bench step --model efficientnet_b0 --size 224 --batch 8 --train-only --plan
  avizor bench step --recipe recipes/cifar10.toml --classes 10 --batch 256 --plan")]
pub(crate) struct BenchStep {
    #[command(flatten)]
    pub(crate) network: BenchNetwork,
    /// Pictures a step
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = whole::<u16>(1..=65535))]
    pub(crate) batch: u16,
    /// What the training step stores activations in: f32, or bf16, half the size
    #[arg(long, value_name = "TYPE", default_value = "f32")]
    pub(crate) precision: Precision,
    /// Leave inference out: the peak of memory is then that of training
    #[arg(long)]
    pub(crate) train_only: bool,
    /// Seconds to measure each of training and inference
    #[arg(long, default_value_t = 3.0, value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) seconds: f64,
    /// Show the steps on standard error: kernels, shapes, bytes, times, share of the machine's peak
    #[arg(long)]
    pub(crate) plan: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  avizor bench infer --model mobilenet_v2 --size 224
  avizor bench infer --model resnet50 --size 224 --batch 1 --threads 1 --plan")]
pub(crate) struct BenchInfer {
    #[command(flatten)]
    pub(crate) network: BenchNetwork,
    /// Pictures at a time; several numbers by commas, each is measured
    #[arg(
        long,
        value_name = "N,…",
        value_delimiter = ',',
        default_value = "1,32",
        value_parser = whole::<u16>(1..=65535)
    )]
    pub(crate) batch: Vec<u16>,
    /// Seconds to measure each batch
    #[arg(long, default_value_t = 3.0, value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) seconds: f64,
    /// Show the steps on standard error: kernels, shapes, bytes, times, share of the machine's peak
    #[arg(long)]
    pub(crate) plan: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  avizor bench ops --filter depthwise
  AVIZOR_CPU=avx2 avizor bench ops --filter \"resnet18@160 3x3\" --json")]
pub(crate) struct BenchOps {
    /// Only rows whose family, layer and pass (as printed, one space between them) contain this
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) filter: String,
    /// Pictures at a time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = whole::<u16>(1..=1024))]
    pub(crate) batch: u16,
    /// Seconds to measure each row
    #[arg(long, default_value_t = 0.1, value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) seconds: f64,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  avizor bench loader photos --set transforms.size=224
  avizor bench loader recipes/caltech6.toml --set data.path=caltech6 --json")]
pub(crate) struct BenchLoader {
    /// Folder of pictures, or a recipe (.toml) whose pictures, size and transforms are used
    #[arg(value_name = "PATH|RECIPE")]
    pub(crate) path: PathBuf,
    /// Change one option of the recipe; may be repeated
    #[arg(long, value_name = "OPTION=VALUE")]
    pub(crate) set: Vec<String>,
    /// Seconds to go on with whole epochs, of each way
    #[arg(long, default_value_t = 3.0, value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) seconds: f64,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
