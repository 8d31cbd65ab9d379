//! What can be wrong with a recipe.

/// A recipe that cannot be followed. The text names the place; [`help`](Self::help) says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// Not TOML at all.
    #[error("{place}: {problem}")]
    Syntax {
        /// File and line.
        place: String,
        /// The parser's word.
        problem: String,
    },
    /// No such section.
    #[error("{place}: a recipe has no section [{section}]")]
    UnknownSection {
        /// File and line.
        place: String,
        /// As written.
        section: String,
        /// The nearest one that exists, or all.
        help: String,
    },
    /// No such option.
    #[error("{place}: [{section}] has no option \"{option}\"")]
    UnknownOption {
        /// File and line.
        place: String,
        /// The section.
        section: String,
        /// As written.
        option: String,
        /// The nearest one that exists, or all.
        help: String,
    },
    /// A value of the wrong type or out of range.
    #[error("{place}: {section}.{option}: {problem}")]
    Value {
        /// File and line.
        place: String,
        /// The section.
        section: String,
        /// The option.
        option: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A variant that is no set of options.
    #[error("{place}: variant \"{name}\" {problem}")]
    Variant {
        /// File and line.
        place: String,
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// `--set` without an equals sign or a dot.
    #[error("--set {0} is not of the form section.option=value")]
    Assignment(String),
}

impl RecipeError {
    /// What to do, where something better than the text itself can be said.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::UnknownSection { help, .. } | Self::UnknownOption { help, .. } => Some(help.clone()),
            Self::Assignment(_) => Some("for example --set train.epochs=40".to_owned()),
            Self::Value { section, option, .. } if (section.as_str(), option.as_str()) == ("transforms", "train") => {
                Some("see every transform with `avizor recipes --transforms`".to_owned())
            }
            Self::Value { section, option, .. } if (section.as_str(), option.as_str()) == ("model", "layers") => {
                Some("see every layer with `avizor recipes --layers`".to_owned())
            }
            Self::Value { .. } => Some("see every option with `avizor recipes --options`".to_owned()),
            Self::Variant { .. } => Some("the lines of a variant are \"section.option\" = value".to_owned()),
            Self::Syntax { .. } => None,
        }
    }
}
