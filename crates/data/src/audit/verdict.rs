//! Whether an evaluation on the data is worth anything, in one line.

use avizor_base::{Finding, Split, Trust, Verdict};

use super::across_splits::in_several_parts;
use super::equal_pictures::equal_sets;
use super::group_across_splits::groups;
use super::material::Material;

/// How something is said of so many.
type Words = fn(u64) -> String;

/// What findings cast doubt on a number although nothing leaks, and how that is said of so many.
const DOUBTS: [(&str, Words); 5] = [
    ("two_labels", |count| format!("{} two labels", some(count, "picture has", "pictures have"))),
    ("near_two_labels", |count| {
        format!("{} another label than an edited copy", some(count, "picture has", "pictures have"))
    }),
    ("lookalike_classes", |count| {
        format!("{} to be one", some(count, "pair of classes seems", "pairs of classes seem"))
    }),
    ("shortcut", |_| "classes can be told without a look at the subject".to_owned()),
    ("missing_class_in_split", |_| "a class is missing in a part".to_owned()),
];

/// `None` where pictures are in no parts.
pub fn verdict(material: &Material<'_>, findings: &[Finding]) -> Option<Verdict> {
    material.partition?;
    let leak = Leak::of(material);
    let tested = if leak.tested == 1 { "1 test picture" } else { &format!("{} test pictures", leak.tested) };
    if leak.known > 0 {
        let share = 100.0 * leak.known as f64 / leak.tested as f64;
        let sentence = format!(
            "{} of {tested} ({share:.1} %) {} in train or val too, {}: the result would be too good",
            leak.known,
            if leak.known == 1 { "is" } else { "are" },
            leak.words()
        );
        return Some(Verdict { evaluation: Trust::NotValid, sentence });
    }
    if leak.tested == 0 {
        let sentence = "there is no test part: what is measured on val helped to choose".to_owned();
        return Some(Verdict { evaluation: Trust::Doubtful, sentence });
    }
    let count = |kind: &str| findings.iter().find(|finding| finding.kind == kind).map(|finding| finding.count);
    let doubts: Vec<String> = DOUBTS.iter().filter_map(|(kind, words)| Some(words(count(kind)?))).collect();
    let looked = match material.scan.twins() {
        Some(_) => "equal or nearly so",
        None => "equal (nearly equal ones were not looked for)",
    };
    let groups = if material.index.has_groups() { ", nor one of its group" } else { "" };
    let clean = format!("none of the {tested} has a picture in train or val that is {looked}{groups}");
    let (evaluation, sentence) = match doubts.split_last() {
        None => (Trust::Valid, clean),
        Some((last, [])) => (Trust::Doubtful, format!("{last}; but {clean}")),
        Some((last, others)) => (Trust::Doubtful, format!("{} and {last}; but {clean}", others.join(", "))),
    };
    Some(Verdict { evaluation, sentence })
}

fn some(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// Test pictures that are learned, or chosen by, in one way or another.
#[derive(Default)]
struct Leak {
    tested: usize,
    known: usize,
    /// Equal, edited, of one group.
    ways: [bool; 3],
}

impl Leak {
    fn of(material: &Material<'_>) -> Self {
        let rows = material.index.len();
        let near = material.scan.twins().map(|twins| twins.sets(rows)).unwrap_or_default();
        let several = |set: &[usize]| in_several_parts(material, set);
        let ways = [
            equal_sets(material, several),
            near.into_iter().filter(|set| several(set)).collect(),
            groups(material.index).into_iter().map(|(_, rows)| rows).filter(|set| several(set)).collect(),
        ];
        let is_tested = |&row: &usize| material.part(row) == Some(Split::Test);
        let mut is_known = vec![false; rows];
        let mut leak = Self { tested: (0..rows).filter(is_tested).count(), ..Self::default() };
        for (way, sets) in ways.iter().enumerate() {
            for row in sets.iter().flatten().copied().filter(is_tested) {
                leak.known += usize::from(!is_known[row]);
                // Of what is equal it needs not be said that it is nearly so.
                leak.ways[way] |= !is_known[row];
                is_known[row] = true;
            }
        }
        leak
    }

    fn words(&self) -> String {
        let words = ["equal", "edited", "of one group"];
        let words: Vec<&str> = words.into_iter().zip(self.ways).filter(|way| way.1).map(|way| way.0).collect();
        words.join(" or ")
    }
}
