//! `avizor data` as it is typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::value::whole;

#[derive(Debug, Args)]
pub(crate) struct Data {
    #[command(subcommand)]
    pub(crate) what: DataWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataWhat {
    /// Draw a sheet of training pictures as the network sees them: unchanged, and changed as in the first epochs
    Preview(DataPreview),
    /// Say what is remembered of pictures from one run to the next, and where; or forget it
    Cache(DataCache),
}

#[derive(Debug, Args)]
#[command(after_help = "A picture that was read before, at the same size and by the same rule, is not decoded again:
it is known by the content of its file, wherever that lies now. What is remembered never changes
a result, and may be removed at any time. All of it takes no more than 8 GiB; what was not used
for longest goes first.

  AVIZOR_CACHE=FOLDER   where it is remembered
  --no-cache            remember nothing, for one command")]
pub(crate) struct DataCache {
    /// Forget all of it
    #[arg(long)]
    pub(crate) clear: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The pictures are loaded as training loads them: the same split, size and random changes, by the same seed.
Where there are many, --set data.near_duplicates=false does not look for near-duplicates: faster, but the split may differ.

Examples:
  avizor data preview photos
  avizor data preview photos --set transforms.train=a2
  avizor data preview recipes/caltech6.toml --set data.path=caltech6 --pictures 24 --versions 4 --out caltech6.html"
)]
pub(crate) struct DataPreview {
    /// Folder of pictures, or a recipe (.toml)
    #[arg(value_name = "PATH|RECIPE")]
    pub(crate) path: PathBuf,
    /// Change one option of the recipe; may be repeated
    #[arg(long, value_name = "OPTION=VALUE")]
    pub(crate) set: Vec<String>,
    /// The page to write
    #[arg(long, value_name = "FILE.html", default_value = "preview.html")]
    pub(crate) out: PathBuf,
    /// How many pictures, of all classes in turn
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = whole::<u16>(1..=1000))]
    pub(crate) pictures: u16,
    /// How many changed versions of each
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = whole::<u16>(1..=100))]
    pub(crate) versions: u16,
    /// Seed of split and training; short for train.seed and split.seed
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}
