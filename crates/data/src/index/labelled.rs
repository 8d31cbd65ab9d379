//! Labels from where a file lies or what it is called.

use super::file_kind;
use super::ignored::IgnoredKind;
use super::options::LabelRule;
use super::pattern::NamePattern;
use super::raw::Rows;
use avizor_base::Split;

/// A label rule after looking at the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Labeller {
    /// The first folder of the name.
    Folder,
    /// The whole name.
    Pattern(NamePattern),
    /// The longest of these classes that the file's name begins with, before anything but a letter or digit.
    Prefix(Vec<String>),
}

/// Patterns that flat folders often follow, tried in this order.
const COMMON_PATTERNS: [&str; 6] = [
    "{class}_{number}",
    "{class}-{number}",
    "{class}.{number}",
    "{class} ({number})",
    "{class} {number}",
    "{class}{number}",
];

impl Labeller {
    /// The rule that an option means for these names (relative to the part or data folder). `classes` are those of
    /// train when another part is looked at. `None` when nothing tells the class.
    pub(super) fn choose<'a>(
        rule: &LabelRule,
        names: impl Iterator<Item = &'a str> + Clone,
        classes: &[String],
    ) -> Option<Self> {
        match rule {
            LabelRule::Folder => return Some(Self::Folder),
            LabelRule::Pattern(pattern) => return Some(Self::Pattern(pattern.clone())),
            LabelRule::Column => return None,
            LabelRule::Auto => {}
        }
        let in_folders = names.clone().filter(|name| name.contains('/')).count();
        if 2 * in_folders > names.clone().count() {
            return Some(Self::Folder);
        }
        if classes.is_empty() {
            return common_pattern(names).map(Self::Pattern);
        }
        let by_prefix = Self::Prefix(classes.to_vec());
        names.clone().any(|name| by_prefix.read(name).is_some()).then_some(by_prefix)
    }

    /// Class and group (empty: none) of a name; `None` where the rule finds no class.
    pub(super) fn read<'a>(&self, name: &'a str) -> Option<(&'a str, &'a str)> {
        match self {
            Self::Folder => name.split_once('/').map(|(folder, _)| (folder, "")),
            Self::Pattern(pattern) => pattern.read(name).map(|parts| (parts.class, parts.group.unwrap_or(""))),
            Self::Prefix(classes) => {
                let stem = file_kind::stem(name.rsplit('/').next().unwrap_or(name));
                let fits = |class: &&String| {
                    stem.strip_prefix(class.as_str()).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
                };
                let class = classes.iter().filter(fits).max_by_key(|class| class.len())?;
                let start = name.len() - name.rsplit('/').next().unwrap_or(name).len();
                Some((&name[start..start + class.len()], ""))
            }
        }
    }

    /// Adds the names under `base` (empty, or ending with `/`) with their labels; what has none is counted.
    pub(super) fn label<'a>(
        &self,
        rows: &mut Rows,
        base: &str,
        shown: &str,
        names: impl Iterator<Item = &'a str>,
        part: Option<Split>,
    ) {
        let missed = match self {
            Self::Folder => IgnoredKind::OutsideClasses,
            Self::Pattern(_) | Self::Prefix(_) => IgnoredKind::PatternMismatch,
        };
        for name in names {
            let full = format!("{shown}{name}");
            match name.strip_prefix(base).and_then(|rest| self.read(rest)) {
                Some((class, group)) => rows.push(&full, class, group, part),
                None => rows.ignored.add(missed, &full),
            }
        }
    }
}

/// The first common pattern that at least nine tenths of the names follow, giving two classes or more with two
/// pictures or more on average.
fn common_pattern<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<NamePattern> {
    let total = names.clone().count();
    COMMON_PATTERNS.iter().filter_map(|text| text.parse::<NamePattern>().ok()).find(|pattern| {
        let mut classes = std::collections::BTreeSet::new();
        let fitting = names.clone().filter_map(|name| pattern.read(name)).inspect(|parts| {
            classes.insert(parts.class);
        });
        fitting.count() * 10 >= total * 9 && classes.len() >= 2 && classes.len() * 2 <= total
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_test_part_is_labelled_by_the_classes_of_train() {
        let classes = ["bart", "bart_simpson", "moe"].map(str::to_owned).to_vec();
        let labeller = Labeller::Prefix(classes);
        for (name, class) in [
            ("bart_simpson_12.jpg", Some("bart_simpson")),
            ("bart.jpg", Some("bart")),
            ("barton_1.jpg", None),
            ("deep/moe-3.jpg", Some("moe")),
        ] {
            assert_eq!(labeller.read(name).map(|(class, _)| class), class, "{name}");
        }
    }

    #[test]
    fn common_patterns_are_found_and_serial_numbers_are_not() {
        let found = |names: &[&str]| common_pattern(names.iter().copied()).map(|pattern| pattern.to_string());
        assert_eq!(found(&["cat.0.jpg", "cat.1.jpg", "dog.0.jpg", "dog.1.jpg"]).as_deref(), Some("{class}.{number}"));
        assert_eq!(found(&["IMG_1.jpg", "IMG_2.jpg"]), None);
        assert_eq!(found(&["a1b.jpg", "c2d.jpg"]), None);
    }
}
