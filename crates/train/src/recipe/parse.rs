//! From text to a [`Recipe`], with the line of whatever is wrong.

use std::collections::BTreeMap;

use avizor_base::mistyped;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::check::{OutOfRange, check};
use super::sections::SECTIONS;
use super::{Recipe, RecipeError};

/// Where each option of a text stands: (section, option) → place.
type Places = BTreeMap<(String, String), String>;

impl Recipe {
    /// Reads a recipe. `name` is what errors call the text, usually the path of its file.
    ///
    /// # Errors
    /// Bad TOML, an unknown section or option (with the nearest name), a value of the wrong type or out of range.
    pub fn parse(text: &str, name: &str) -> Result<Self, RecipeError> {
        let lines = Lines { text, name };
        let table = DeTable::parse(text).map_err(|error| lines.syntax(&error))?;
        let places = known_names_only(table.get_ref(), &lines)?;
        let recipe = deserialize(text, &lines, &places)?;
        check(&recipe).map_err(|wrong| wrong.at(place_of(&wrong, &places, name)))?;
        Ok(recipe)
    }

    /// Applies one `section.option=value`. The value is TOML; what is not counts as text, so that
    /// `model.name=resnet18` needs no quotes.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), or a text that is no assignment.
    pub fn set(&mut self, assignment: &str) -> Result<(), RecipeError> {
        let malformed = || RecipeError::Assignment(assignment.to_owned());
        let (path, value) = assignment.split_once('=').ok_or_else(malformed)?;
        let (section, option) = path.trim().split_once('.').ok_or_else(malformed)?;
        let value = value.trim();
        let line = format!("[{section}]\n{option} = {value}");
        let quoted = format!("[{section}]\n{option} = {}", toml::Value::String(value.to_owned()));
        let text = if line.parse::<toml::Table>().is_ok() { line } else { quoted };
        let name = format!("--set {assignment}");

        // Checked on its own first, so that the message is about this assignment and not about the whole recipe.
        let lines = Lines { text: &text, name: &name };
        let table = DeTable::parse(&text).map_err(|_| malformed())?;
        let mut places = known_names_only(table.get_ref(), &lines).map_err(|error| error.without_line(&name))?;
        places.values_mut().for_each(|place| place.clone_from(&name));
        deserialize(&text, &lines, &places).map_err(|error| error.without_line(&name))?;

        let mut whole = toml::Table::try_from(&*self).map_err(|_| malformed())?;
        let new: toml::Table = text.parse().map_err(|_| malformed())?;
        for (section, options) in new {
            if let (Some(toml::Value::Table(into)), toml::Value::Table(options)) = (whole.get_mut(&section), options) {
                into.extend(options);
            }
        }
        let changed: Self = whole.try_into().map_err(|_| malformed())?;
        check(&changed).map_err(|wrong| wrong.at(name.clone()))?;
        *self = changed;
        Ok(())
    }
}

/// A text whose lines can be named.
struct Lines<'t> {
    text: &'t str,
    name: &'t str,
}

impl Lines<'_> {
    fn place(&self, byte: usize) -> String {
        let line = 1 + self.text.bytes().take(byte).filter(|&byte| byte == b'\n').count();
        format!("{}:{line}", self.name)
    }

    fn syntax(&self, error: &toml::de::Error) -> RecipeError {
        let place = error.span().map_or_else(|| self.name.to_owned(), |span| self.place(span.start));
        RecipeError::Syntax { place, problem: error.message().trim_end().to_owned() }
    }
}

fn known_names_only(table: &DeTable<'_>, lines: &Lines<'_>) -> Result<Places, RecipeError> {
    let mut places = Places::new();
    for (section, content) in table {
        let Some((_, options)) = SECTIONS.iter().find(|(name, _)| *name == section.get_ref().as_ref()) else {
            return Err(RecipeError::UnknownSection {
                place: lines.place(section.span().start),
                section: section.get_ref().to_string(),
                help: nearest(section.get_ref(), SECTIONS.iter().map(|(name, _)| *name)),
            });
        };
        let DeValue::Table(content) = content.get_ref() else { continue };
        for option in content.keys() {
            known_option(section.get_ref(), options.iter().map(|(name, _)| *name), option, lines)?;
            let key = (section.get_ref().to_string(), option.get_ref().to_string());
            places.insert(key, lines.place(option.span().start));
        }
    }
    Ok(places)
}

fn known_option(
    section: &str,
    mut names: impl Iterator<Item = &'static str> + Clone,
    option: &Spanned<std::borrow::Cow<'_, str>>,
    lines: &Lines<'_>,
) -> Result<(), RecipeError> {
    if names.clone().any(|name| name == option.get_ref().as_ref()) {
        return Ok(());
    }
    Err(RecipeError::UnknownOption {
        place: lines.place(option.span().start),
        section: section.to_owned(),
        option: option.get_ref().to_string(),
        help: nearest(option.get_ref(), names.by_ref()),
    })
}

/// The nearest of some names, or all of them when none is near.
fn nearest<'n>(text: &str, names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    let likeness = |name: &&&str| (strsim::jaro_winkler(text, name) * 1000.0) as u32;
    match names.iter().max_by_key(likeness) {
        Some(name) if likeness(&name) >= 750 => format!("the nearest name is `{name}`"),
        _ => format!("there are {}", names.join(", ")),
    }
}

/// Types are checked by serde; the path says which option, the map where it stands.
fn deserialize(text: &str, lines: &Lines<'_>, places: &Places) -> Result<Recipe, RecipeError> {
    let source = toml::Deserializer::parse(text).map_err(|error| lines.syntax(&error))?;
    serde_path_to_error::deserialize(source).map_err(|error| {
        let path = error.path().to_string();
        let mut names = path.splitn(3, ['.', '[']).map(str::to_owned);
        let (section, option) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        let words = error.inner().message().trim_end();
        let problem = match mistyped(words) {
            Some((got, wanted)) => format!("is {got}, but must be {wanted}"),
            None => words.to_owned(),
        };
        let place = places.get(&(section.clone(), option.clone())).cloned();
        let place = place.unwrap_or_else(|| match error.inner().span() {
            Some(span) => lines.place(span.start),
            None => lines.name.to_owned(),
        });
        RecipeError::Value { place, section, option, problem }
    })
}

fn place_of(wrong: &OutOfRange, places: &Places, name: &str) -> String {
    places.get(&(wrong.section.to_owned(), wrong.option.to_owned())).cloned().unwrap_or_else(|| name.to_owned())
}

impl OutOfRange {
    fn at(&self, place: String) -> RecipeError {
        RecipeError::Value {
            place,
            section: self.section.to_owned(),
            option: self.option.to_owned(),
            problem: self.problem.clone(),
        }
    }
}

impl RecipeError {
    /// The same error for an assignment on the command line, which has no lines.
    fn without_line(self, name: &str) -> Self {
        match self {
            Self::Value { section, option, problem, .. } => {
                Self::Value { place: name.to_owned(), section, option, problem }
            }
            Self::UnknownSection { section, help, .. } => {
                Self::UnknownSection { place: name.to_owned(), section, help }
            }
            Self::UnknownOption { section, option, help, .. } => {
                Self::UnknownOption { place: name.to_owned(), section, option, help }
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        let error = Recipe::parse(text, "recipe.toml").unwrap_err();
        match error.help() {
            Some(help) => format!("{error} | {help}"),
            None => error.to_string(),
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_the_nearest_name() {
        let cases = [
            (
                "[optimizer]\nlr = 0.1\nleraning_rate = 1",
                "recipe.toml:3: [optimizer] has no option \"leraning_rate\" | there are name, lr, weight_decay, \
                 momentum, nesterov, betas, alpha, eps",
            ),
            ("[train]\nepoch = 3", "recipe.toml:2: [train] has no option \"epoch\" | the nearest name is `epochs`"),
            ("[trian]\n", "recipe.toml:1: a recipe has no section [trian] | the nearest name is `train`"),
            (
                "\n[train]\nepochs = \"ten\"",
                "recipe.toml:3: train.epochs: is \"ten\", but must be a whole number | see every option with `avizor \
                 recipes --options`",
            ),
            (
                "[optimizer]\nname = \"sdg\"",
                "recipe.toml:2: optimizer.name: is `sdg`, but must be one of `sgd`, `adam`, `adamw`, `rmsprop` | see \
                 every option with `avizor recipes --options`",
            ),
            (
                "[optimizer]\nnesterov = 1\n",
                "recipe.toml:2: optimizer.nesterov: is `1`, but must be true or false | see every option with `avizor \
                 recipes --options`",
            ),
            (
                "[transforms]\nsize = 0",
                "recipe.toml:2: transforms.size: a size is a number of pixels of at least 1, or [height, width] | see \
                 every option with `avizor recipes --options`",
            ),
            (
                "[train]\nbatch = 0",
                "recipe.toml:2: train.batch: is 0, but must be at least 1 | see every option with `avizor recipes \
                 --options`",
            ),
            ("[train\n", "recipe.toml:1: unclosed table, expected `]`"),
        ];
        for (text, expected) in cases {
            assert_eq!(message(text), expected, "{text}");
        }
    }

    #[test]
    fn an_assignment_changes_one_option() {
        let mut recipe = Recipe::default();
        recipe.set("train.epochs=3").unwrap();
        recipe.set("model.name=small_cnn").unwrap();
        recipe.set("transforms.size=[64, 32]").unwrap();
        recipe.set("data.path=a b/c=d").unwrap();
        assert_eq!((recipe.train.epochs, recipe.model.name.as_str()), (3, "small_cnn"));
        assert_eq!(recipe.data.path.as_deref(), Some("a b/c=d"));
        for wrong in ["train.epochs", "epochs=3", "train.epochs=many", "train.epoch=3", "train.epochs=0"] {
            let before = recipe.clone();
            let error = recipe.set(wrong).unwrap_err();
            assert!(error.to_string().starts_with(&format!("--set {wrong}")), "{error}");
            assert!(!error.to_string().contains(":2:"), "an assignment has no lines: {error}");
            assert_eq!(recipe, before);
        }
    }

    #[test]
    fn the_resolved_recipe_is_the_same_recipe() {
        let text = "[transforms]\ntrain = [{ op = \"rotation\", degrees = 20 }]\n[data]\npath = \"p\"\n";
        let recipe = Recipe::parse(text, "r").unwrap();
        assert_eq!(Recipe::parse(&recipe.to_toml(), "resolved").unwrap(), recipe);
    }

    #[test]
    fn every_option_is_documented() {
        for option in Recipe::options() {
            assert!(option.doc.ends_with('.') || option.doc.ends_with('`'), "{}.{}", option.section, option.name);
        }
    }
}
