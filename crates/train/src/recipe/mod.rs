//! What a training run is told: every option, its default, and how a text becomes it.
//!
//! A recipe is TOML. What it leaves out has a default, so a run can write down the whole resolved recipe, and that
//! trains the same run again. Values are checked once, here; what gets past [`Recipe::parse`] is in range.

mod check;
mod error;
mod parse;
mod sections;

pub use error::RecipeError;
pub use sections::{
    Balance, ClassWeights, Convolution, Data, Freeze, Frozen, Metadata, Model, OptimizerName, OptimizerOptions,
    PartSource, Role, Sampler, Schedule, ScheduleName, Select, Size, SplitOptions, Stem, Train, TransformOptions,
};

/// One option as the manual shows it.
#[derive(Clone, Debug)]
pub struct OptionDoc {
    /// The section that it stands in.
    pub section: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is, in one or two sentences.
    pub doc: String,
    /// Its default as it would stand in a recipe; empty where leaving it out is the default.
    pub default: String,
}

impl OptionDoc {
    /// As `--set` wants it: section, dot, name.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }
}

/// A whole recipe.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// `[data]`
    pub data: Data,
    /// `[split]`
    pub split: SplitOptions,
    /// `[transforms]`
    pub transforms: TransformOptions,
    /// `[balance]`
    pub balance: Balance,
    /// `[model]`
    pub model: Model,
    /// `[metadata]`
    pub metadata: Metadata,
    /// `[train]`
    pub train: Train,
    /// `[optimizer]`
    pub optimizer: OptimizerOptions,
    /// `[schedule]`
    pub schedule: Schedule,
}

/// A recipe that differs from another in some options.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its name in `[variants.NAME]`.
    pub name: String,
    /// The options in which it differs, as `section.option=value`.
    pub changes: Vec<String>,
    /// The whole of it.
    pub recipe: Recipe,
}

impl Recipe {
    /// The recipe with every option written out.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_else(|error| unreachable!("a recipe is made of plain tables: {error}"))
    }

    /// Every option in the order of the manual.
    pub fn options() -> Vec<OptionDoc> {
        let defaults = toml::Table::try_from(Self::default()).unwrap_or_default();
        let shown = |section: &str, name: &str| match defaults.get(section).and_then(|table| table.get(name)) {
            Some(value) => value.to_string(),
            None => String::new(),
        };
        sections::SECTIONS
            .iter()
            .flat_map(|(section, options)| options.iter().map(move |option| (*section, option)))
            .map(|(section, &(name, lines))| OptionDoc {
                section,
                name,
                doc: lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "),
                default: shown(section, name),
            })
            .collect()
    }
}
