//! What an audit found: made by `data`, stored by `store`, shown by `report`.

use serde::{Deserialize, Serialize};

/// One kind of thing that was found in a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable word, such as `exact_duplicate`.
    pub kind: String,
    /// How much it matters.
    pub severity: Severity,
    /// How many pictures it concerns, or groups where pictures belong together.
    pub count: u64,
    /// The pictures, those that belong together in one list. Paths are relative to the data folder.
    pub groups: Vec<Vec<String>>,
    /// A sentence for each group, or none at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// Why it matters, a sentence.
    pub why: String,
    /// What to do, a sentence.
    #[serde(rename = "do")]
    pub advice: String,
}

/// Names of one case that are told; files and report have them all.
const TOLD: usize = 5;

impl Finding {
    /// The cases in a line of text each, names as `short` makes them: equal files with `=` between them, otherwise the
    /// case's sentence and its names.
    pub fn cases(&self, short: impl Fn(&str) -> String) -> impl Iterator<Item = String> {
        self.groups.iter().enumerate().map(move |(at, group)| {
            let names: Vec<String> = group.iter().take(TOLD).map(|name| short(name)).collect();
            let rest = group.len() - names.len();
            let more = if rest > 0 { format!(" … and {rest} more") } else { String::new() };
            match (self.details.get(at), &names[..]) {
                (None, _) => names.join(" = ") + &more,
                (Some(detail), []) => detail.clone(),
                (Some(detail), [name]) if rest == 0 => format!("{name}: {detail}"),
                (Some(detail), _) => format!("{detail}: {}{more}", names.join(", ")),
            }
        })
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Numbers of this run are wrong or impossible because of it.
    Error,
    /// Numbers may mislead.
    Warning,
    /// Good to know.
    Info,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_a_line_that_says_what_its_names_have_to_do_with_each_other() {
        for (names, detail, line) in [
            (&["a.png", "b.png"][..], None, "a.png = b.png"),
            (&["a.png"], Some("is empty"), "a.png: is empty"),
            (&[], Some("cat has 90 pictures, dog 9"), "cat has 90 pictures, dog 9"),
            (&["a", "b"], Some("2 hidden"), "2 hidden: a, b"),
            (&["1", "2", "3", "4", "5", "6", "7"], None, "1 = 2 = 3 = 4 = 5 … and 2 more"),
        ] {
            let finding = Finding {
                kind: String::new(),
                severity: Severity::Info,
                count: 1,
                groups: vec![names.iter().map(|&name| name.to_owned()).collect()],
                details: detail.map(str::to_owned).into_iter().collect(),
                why: String::new(),
                advice: String::new(),
            };
            assert_eq!(finding.cases(str::to_owned).collect::<Vec<_>>(), [line]);
        }
    }
}
