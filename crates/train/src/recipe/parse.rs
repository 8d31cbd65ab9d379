//! From text to a [`Recipe`], with the line of whatever is wrong.

use std::collections::BTreeMap;

use avizor_base::mistyped;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::check::{OutOfRange, check};
use super::sections::SECTIONS;
use super::{Recipe, RecipeError, Variant};

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
        // Variants are told when they are wrong, whether they are wanted or not.
        variants(&recipe, table.get_ref(), &lines)?;
        Ok(recipe)
    }

    /// The `[variants.NAME]` of a recipe's text, in the order of the text: sets of options in which they differ from it.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn variants(text: &str, name: &str) -> Result<Vec<Variant>, RecipeError> {
        let recipe = Self::parse(text, name)?;
        let lines = Lines { text, name };
        let table = DeTable::parse(text).map_err(|error| lines.syntax(&error))?;
        variants(&recipe, table.get_ref(), &lines)
    }

    /// Applies assignments `section.option=value`. A value is TOML; what is not counts as text, so that
    /// `model.name=resnet18` needs no quotes. Values are checked when all are set, so that their order does not matter.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), or a text that is no assignment; nothing is changed then.
    pub fn set<'a>(&mut self, assignments: impl IntoIterator<Item = &'a str>) -> Result<(), RecipeError> {
        *self = self.with(assignments.into_iter().map(|assignment| (assignment, format!("--set {assignment}"))))?;
        Ok(())
    }

    /// The recipe with assignments, each with the place that errors name.
    fn with<A: AsRef<str>>(&self, assignments: impl IntoIterator<Item = (A, String)>) -> Result<Self, RecipeError> {
        let mut whole = toml::Table::try_from(self)
            .unwrap_or_else(|error| unreachable!("a recipe is made of plain tables: {error}"));
        let mut places = Places::new();
        for (assignment, place) in assignments {
            places.extend(set_one(&mut whole, assignment.as_ref(), &place)?);
        }
        let changed: Self = whole
            .try_into()
            .unwrap_or_else(|error| unreachable!("every assignment was read by itself, as was the recipe: {error}"));
        check(&changed).map_err(|wrong| wrong.at(place_of(&wrong, &places, "the recipe")))?;
        Ok(changed)
    }
}

/// Puts one assignment into a table of sections, and says where its option stands.
fn set_one(whole: &mut toml::Table, assignment: &str, name: &str) -> Result<Places, RecipeError> {
    let malformed = || RecipeError::Assignment(assignment.to_owned());
    let (path, value) = assignment.split_once('=').ok_or_else(malformed)?;
    let (section, option) = path.trim().split_once('.').ok_or_else(malformed)?;
    let value = value.trim();
    let line = format!("[{section}]\n{option} = {value}");
    let quoted = format!("[{section}]\n{option} = {}", toml::Value::String(value.to_owned()));
    let text = if line.parse::<toml::Table>().is_ok() { line } else { quoted };

    // Checked on its own first, so that the message is about this assignment and not about the whole recipe.
    let lines = Lines { text: &text, name };
    let table = DeTable::parse(&text).map_err(|_| malformed())?;
    let mut places = known_names_only(table.get_ref(), &lines).map_err(|error| error.without_line(name))?;
    places.values_mut().for_each(|place| name.clone_into(place));
    deserialize(&text, &lines, &places).map_err(|error| error.without_line(name))?;

    let new: toml::Table = text.parse().map_err(|_| malformed())?;
    for (section, options) in new {
        if let (Some(toml::Value::Table(into)), toml::Value::Table(options)) = (whole.get_mut(&section), options) {
            into.extend(options);
        }
    }
    Ok(places)
}

/// Name of the table of variants.
const VARIANTS: &str = "variants";

/// Variants of a recipe, in the order of the text.
fn variants(recipe: &Recipe, table: &DeTable<'_>, lines: &Lines<'_>) -> Result<Vec<Variant>, RecipeError> {
    let wrong = |place: usize, name: &str, problem: &str| RecipeError::Variant {
        place: lines.place(place),
        name: name.to_owned(),
        problem: problem.to_owned(),
    };
    let Some(tables) = table.iter().find(|(name, _)| name.get_ref() == VARIANTS) else { return Ok(Vec::new()) };
    let DeValue::Table(tables) = tables.1.get_ref() else {
        return Err(wrong(tables.0.span().start, VARIANTS, "is no table of options"));
    };
    let mut found = Vec::new();
    for (name, options) in tables {
        let DeValue::Table(options) = options.get_ref() else {
            return Err(wrong(name.span().start, name.get_ref(), "is no table of options"));
        };
        // `"model.name" = …` and `model.name = …`, which is a table in a table.
        let mut changes = Vec::new();
        for (key, value) in options {
            match (key.get_ref().contains('.'), value.get_ref()) {
                (true, value) => changes.push((key.span().start, format!("{}={}", key.get_ref(), literal(value)))),
                (false, DeValue::Table(inner)) => changes.extend(inner.iter().map(|(option, value)| {
                    let path = format!("{}.{}", key.get_ref(), option.get_ref());
                    (option.span().start, format!("{path}={}", literal(value.get_ref())))
                })),
                (false, _) => {
                    let problem = format!("changes \"{}\", which is not of the form section.option", key.get_ref());
                    return Err(wrong(key.span().start, name.get_ref(), &problem));
                }
            }
        }
        changes.sort_unstable_by_key(|(start, _)| *start);
        let with = recipe.with(changes.iter().map(|(start, change)| (change, lines.place(*start))))?;
        let changes = changes.into_iter().map(|(_, change)| change).collect();
        found.push((name.span().start, Variant { name: name.get_ref().to_string(), changes, recipe: with }));
    }
    found.sort_by_key(|(start, _)| *start);
    Ok(found.into_iter().map(|(_, variant)| variant).collect())
}

/// A value as it would stand in a recipe.
fn literal(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| literal(item.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(entries) => {
            // Tables are sorted by name; a person wrote them in an order.
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| key.span().start);
            let entry = |(key, value): &(&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                format!("{} = {}", bare_or_quoted(key.get_ref()), literal(value.get_ref()))
            };
            format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        DeValue::String(text) => toml::Value::String(text.to_string()).to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(time) => time.to_string(),
    }
}

/// A key as TOML wants it.
fn bare_or_quoted(key: &str) -> String {
    let is_bare = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    if !key.is_empty() && key.chars().all(is_bare) {
        return key.to_owned();
    }
    toml::Value::String(key.to_owned()).to_string()
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
    for (section, content) in table.iter().filter(|(section, _)| section.get_ref() != VARIANTS) {
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
    let mut whole: toml::Table = text.parse().map_err(|error| lines.syntax(&error))?;
    whole.remove(VARIANTS);
    serde_path_to_error::deserialize(whole).map_err(|error| {
        let path = error.path().to_string();
        let mut names = path.splitn(3, ['.', '[']).map(str::to_owned);
        let (section, option) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        let words = error.inner().message().trim_end();
        let problem = match mistyped(words) {
            Some((got, wanted)) => format!("is {got}, but must be {wanted}"),
            None => words.to_owned(),
        };
        let place = places.get(&(section.clone(), option.clone())).cloned();
        let place = place.unwrap_or_else(|| lines.name.to_owned());
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
                "recipe.toml:3: [optimizer] has no option \"leraning_rate\" | there are name, lr, head_lr, \
                 layer_decay, weight_decay, decay_bias, momentum, nesterov, betas, alpha, eps",
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
            (
                "[model]\nfreeze = \"stem\"",
                "recipe.toml:2: model.freeze: what is frozen is \"none\", \"backbone\" or a number of stages | see every \
                 option with `avizor recipes --options`",
            ),
            (
                "[train]\nhead_epochs = 2\n[model]\nfreeze = \"backbone\"",
                "recipe.toml:2: train.head_epochs: goes with a network that learns after them, but model.freeze is \
                 \"backbone\" | see every option with `avizor recipes --options`",
            ),
            (
                "[metadata]\nrole = \"joined\"",
                "recipe.toml:2: metadata.role: needs columns of the table: name them in data.metadata | see every option \
                 with `avizor recipes --options`",
            ),
            (
                "[data]\nmetadata = [\"age\"]\n[metadata]\ncategories = [\"site\"]",
                "recipe.toml:4: metadata.categories: names \"site\", which is no column of data.metadata | see every option \
                 with `avizor recipes --options`",
            ),
            (
                "[model]\nhead = [128, 0]",
                "recipe.toml:2: model.head: has a layer of size 0, or one of more than a million | see every option with \
                 `avizor recipes --options`",
            ),
            (
                "[model]\nname = \"mlp\"\nhead = [128]",
                "recipe.toml:3: model.head: does not go with \"mlp\": list all of its layers in model.hidden | see every \
                 option with `avizor recipes --options`",
            ),
            (
                "[train]\ncutmix = -1",
                "recipe.toml:2: train.cutmix: is -1, but must be 0 or lie between 0.001 and 100 | see every option with `avizor \
                 recipes --options`",
            ),
            (
                "[train]\nmixup = 0.2\n[data]\nmetadata = [\"age\"]\n[metadata]\nrole = \"alone\"",
                "recipe.toml:2: train.mixup: mixes pictures, but metadata.role is \"alone\": none is seen | see every option \
                 with `avizor recipes --options`",
            ),
            (
                "[model]\nfreeze = \"backbone\"\n[train]\nviews = 2\ncutmix = 1.0",
                "recipe.toml:5: train.cutmix: mixes pictures as they come, but train.views keeps features of them: set one \
                 of the two to 0 | see every option with `avizor recipes --options`",
            ),
            (
                "[schedule]\nname = \"onecycle\"\nwarmup_epochs = 1",
                "recipe.toml:3: schedule.warmup_epochs: goes with other schedules: onecycle rises by itself | see every \
                 option with `avizor recipes --options`",
            ),
            (
                "[balance]\neffective_beta = 1.0",
                "recipe.toml:2: balance.effective_beta: is 1, but must be at least 0 and less than 1 | see every option with \
                 `avizor recipes --options`",
            ),
            (
                "[balance]\nfill = 400\nsampler = \"weighted\"",
                "recipe.toml:2: balance.fill: evens classes out, as balance.sampler = \"weighted\" does: set fill to 0 or the \
                 sampler to \"none\" | see every option with `avizor recipes --options`",
            ),
            (
                "[balance]\nfill = 100001",
                "recipe.toml:2: balance.fill: is 100001, but must be at most 100,000 | see every option with `avizor recipes \
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
        recipe.set(["train.epochs=3", "model.name=small_cnn"]).unwrap();
        recipe.set(["transforms.size=[64, 32]", "data.path=a b/c=d"]).unwrap();
        assert_eq!((recipe.train.epochs, recipe.model.name.as_str()), (3, "small_cnn"));
        assert_eq!(recipe.data.path.as_deref(), Some("a b/c=d"));
        for wrong in ["train.epochs", "epochs=3", "train.epochs=many", "train.epoch=3", "train.epochs=0"] {
            let before = recipe.clone();
            let error = recipe.set([wrong]).unwrap_err();
            assert!(error.to_string().starts_with(&format!("--set {wrong}")), "{error}");
            assert!(!error.to_string().contains(":2:"), "an assignment has no lines: {error}");
            assert_eq!(recipe, before);
        }
    }

    #[test]
    fn variants_differ_from_their_recipe_in_the_order_of_the_text() {
        let text = "[train]\nepochs = 3\n[variants.z]\n\"model.name\" = \"mlp\"\n\"transforms.train\" = [{ op = \
                    \"rotation\", degrees = 20 }]\n[variants.a]\ntrain.epochs = 5\n\"optimizer.lr\" = 1e-4\n";
        let base = Recipe::parse(text, "r").unwrap();
        assert_eq!((base.train.epochs, base.model.name.as_str()), (3, "resnet18"));
        let variants = Recipe::variants(text, "r").unwrap();
        let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
        assert_eq!(names, ["z", "a"]);
        assert_eq!((variants[0].recipe.model.name.as_str(), variants[0].recipe.train.epochs), ("mlp", 3));
        assert_eq!(variants[0].recipe.transforms.train.len(), 1);
        assert_eq!(variants[0].changes[1], "transforms.train=[{ op = \"rotation\", degrees = 20 }]");
        assert_eq!(variants[1].changes, ["train.epochs=5", "optimizer.lr=1e-4"]);
        assert_eq!((variants[1].recipe.optimizer.lr, variants[1].recipe.train.epochs), (1e-4, 5));
    }

    #[test]
    fn what_is_wrong_with_a_variant_is_told_with_its_line() {
        for (text, expected) in [
            (
                "[variants.a]\n\"model.nam\" = 1",
                "recipe.toml:2: [model] has no option \"nam\" | the nearest name is `name`",
            ),
            (
                "[variants.a]\nepochs = 1",
                "recipe.toml:2: variant \"a\" changes \"epochs\", which is not of the form section.option | the lines of a \
                 variant are \"section.option\" = value",
            ),
            (
                "[variants.a]\n\"train.epochs\" = 0",
                "recipe.toml:2: train.epochs: is 0, but must be at least 1 | see every option with `avizor recipes \
                 --options`",
            ),
            (
                "[variants]\na = 1",
                "recipe.toml:2: variant \"a\" is no table of options | the lines of a variant are \"section.option\" = value",
            ),
        ] {
            assert_eq!(message(text), expected, "{text}");
        }
    }

    #[test]
    fn assignments_are_judged_together() {
        let mut recipe = Recipe::default();
        let flip = "transforms.train=[{ op = \"horizontal_flip\" }]";
        recipe.set(["train.views=3", "train.head_epochs=2", flip]).unwrap();
        let error = recipe.set(["train.epochs=3", "train.head_epochs=0"]).unwrap_err().to_string();
        assert!(error.starts_with("the recipe: train.views: needs a frozen network"), "{error}");
        let error = recipe.set(["model.freeze=backbone", "train.head_epochs=3"]).unwrap_err().to_string();
        assert!(error.starts_with("--set train.head_epochs=3: train.head_epochs: goes with"), "{error}");
        assert_eq!((recipe.train.epochs, recipe.train.head_epochs), (20, 2));
    }

    #[test]
    fn the_resolved_recipe_is_the_same_recipe() {
        let text = r#"
            transforms.train = [{ op = "rotation", degrees = 20 }]
            data.path = "p"
            [model]
            name = "custom"
            layers = [{ op = "residual", layers = [{ op = "relu" }] }, { op = "global_avg_pool" }]
            freeze = "backbone"
        "#;
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
