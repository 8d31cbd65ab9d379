//! What an audit found: made by `data`, stored by `store`, shown by `report`.

use serde::{Deserialize, Serialize};

/// One kind of thing that was found in a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable word, such as `exact_duplicate`.
    pub kind: String,
    /// How much it matters.
    pub severity: Severity,
    /// How many it concerns: pictures, groups where pictures belong together, or files and rows of a table.
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
    /// Where the groups are reasons that each hold for many, as of ignored files: how many reasons there are. `None`
    /// where every group is a case, so that `count` of them are told.
    pub fn reasons(&self) -> Option<u64> {
        let groups = self.groups.len() as u64;
        (0 < groups && groups < self.count).then_some(groups)
    }

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

    fn finding(count: u64, groups: &[&[&str]], detail: Option<&str>) -> Finding {
        Finding {
            kind: String::new(),
            severity: Severity::Info,
            count,
            groups: groups.iter().map(|group| group.iter().map(|&name| name.to_owned()).collect()).collect(),
            details: detail.map(str::to_owned).into_iter().collect(),
            why: String::new(),
            advice: String::new(),
        }
    }

    #[test]
    fn groups_are_cases_or_reasons() {
        for (count, groups, reasons) in [
            (2, &[&["a"][..], &["b"]][..], None),
            (1, &[&[]], None),
            (14, &[], None),
            (3, &[&["a", "b"], &["c"]], Some(2)),
        ] {
            assert_eq!(finding(count, groups, None).reasons(), reasons, "{count} in {groups:?}");
        }
    }

    #[test]
    fn a_case_is_a_line_that_says_what_its_names_have_to_do_with_each_other() {
        for (names, detail, line) in [
            (&["a.png", "b.png"][..], None, "a.png = b.png"),
            (&["a.png"], Some("is empty"), "a.png: is empty"),
            (&[], Some("cat has 90 pictures, dog 9"), "cat has 90 pictures, dog 9"),
            (&["a", "b"], Some("2 hidden"), "2 hidden: a, b"),
            (&["1", "2", "3", "4", "5", "6", "7"], None, "1 = 2 = 3 = 4 = 5 … and 2 more"),
        ] {
            let finding = finding(1, &[names], detail);
            assert_eq!(finding.cases(str::to_owned).collect::<Vec<_>>(), [line]);
        }
    }
}
