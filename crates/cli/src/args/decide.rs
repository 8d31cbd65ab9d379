//! Arguments of `avizor decide`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(
    after_help = "Decisions stand in avizor-decisions.jsonl in the data folder, a line each; every command follows them, and
a run keeps those that it followed. No picture is moved, changed or deleted.

Examples:
  avizor decide photos exclude ants/imageNotFound.gif --why \"no ant\"
  avizor decide photos exclude --found exact_duplicate
  avizor decide photos relabel --as bee wasp/0012.jpg
  avizor decide photos merge MrMime \"Mr. Mime\" --into \"Mr. Mime\"
  avizor decide photos undo 2"
)]
pub(crate) struct Decide {
    /// Folder of pictures, or a recipe
    #[arg(value_name = "PATH|RECIPE")]
    pub(crate) path: PathBuf,
    /// Change one option of the recipe; may be repeated
    #[arg(long, value_name = "OPTION=VALUE")]
    pub(crate) set: Vec<String>,
    #[command(subcommand)]
    pub(crate) what: Decided,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Decided {
    /// Show what was decided
    List {
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Leave pictures out
    Exclude {
        /// Pictures, named as the audit names them
        #[arg(value_name = "PICTURE", required_unless_present = "found")]
        pictures: Vec<String>,
        /// Those of one kind of finding of the audit: of copies all but the first, otherwise all
        #[arg(long, value_name = "KIND", conflicts_with = "pictures")]
        found: Option<String>,
        /// Why, for those who read it later
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        why: String,
    },
    /// Give pictures another class
    Relabel {
        /// Pictures, named as the audit names them
        #[arg(value_name = "PICTURE", required = true)]
        pictures: Vec<String>,
        /// The class that they show
        #[arg(long = "as", value_name = "CLASS")]
        class: String,
        /// Why, for those who read it later
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        why: String,
    },
    /// Make classes one
    Merge {
        /// The classes
        #[arg(value_name = "CLASS", required = true)]
        classes: Vec<String>,
        /// What they are called then
        #[arg(long, value_name = "CLASS")]
        into: String,
        /// Why, for those who read it later
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        why: String,
    },
    /// Take a decision back
    Undo {
        /// Its number in the list
        #[arg(value_name = "NUMBER")]
        decision: usize,
        /// Why, for those who read it later
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        why: String,
    },
}
