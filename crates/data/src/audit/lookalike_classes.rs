//! Two classes that seem to be one.

use std::collections::BTreeMap;

use avizor_base::{ClassId, Severity};

use super::Check;
use super::equal_pictures::{equal_sets, one_class};
use super::material::{Found, Material};

pub(super) const CHECK: Check = Check {
    kind: "lookalike_classes",
    severity: Severity::Warning,
    why: "where one thing has two names, no answer is right for both, and each error between them is none",
    advice: "if they are one, merge them; if not, give their shared pictures to the right one",
    find,
};

/// Share of the smaller class that both must have in common where the names are alike, or are not.
const SHARED: [f64; 2] = [0.2, 0.3];
/// And as many pictures at least; of names that differ only in case, spaces or signs one is enough.
const FEWEST: usize = 3;
/// Names with this similarity are alike; 1 is equal.
const ALIKE: f64 = 0.75;

fn find(material: &Material<'_>) -> Found {
    let (classes, counts) = (material.index.classes(), material.index.class_counts());
    let mut found = Found::default();
    for ((a, b), shared) in shared_pictures(material) {
        let names = [classes.name(a), classes.name(b)];
        let smaller = counts[a.index()].min(counts[b.index()]);
        let [plain, other] = names.map(plain);
        let is_one = if plain == other {
            shared > 0
        } else {
            let share = SHARED[usize::from(!are_alike(&plain, &other))];
            shared >= FEWEST && shared as f64 >= share * smaller as f64
        };
        if is_one {
            let pictures = if shared == 1 { "1 picture".to_owned() } else { format!("{shared} pictures") };
            let detail = format!("{} and {} have {pictures} in common, of {smaller}", names[0], names[1]);
            found.add(Vec::new(), detail);
        }
    }
    found
}

/// For every two classes in how many pictures, or sets of copies of one, they meet.
fn shared_pictures(material: &Material<'_>) -> BTreeMap<(ClassId, ClassId), usize> {
    let mut sets = match material.scan.twins() {
        // What is equal is near, too.
        Some(twins) => twins.sets(material.index.len()),
        None => Vec::new(),
    };
    let mut known = vec![false; material.index.len()];
    sets.iter().flatten().for_each(|&row| known[row] = true);
    let equal = equal_sets(material, |set| !one_class(material, set) && !set.iter().all(|&row| known[row]));
    sets.extend(equal);
    let mut shared = BTreeMap::new();
    for set in sets {
        let mut classes: Vec<ClassId> = set.iter().map(|&row| material.index.label(row)).collect();
        classes.sort_unstable();
        classes.dedup();
        for (at, &a) in classes.iter().enumerate() {
            classes[at + 1..].iter().for_each(|&b| *shared.entry((a, b)).or_default() += 1);
        }
    }
    shared
}

/// A name without case, spaces and signs.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether one of two plain names begins or ends with the other, or few letters differ.
fn are_alike(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let part = !short.is_empty() && (long.starts_with(short) || long.ends_with(short));
    part || strsim::normalized_damerau_levenshtein(a, b) >= ALIKE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_alike_in_letters() {
        for (a, b, alike) in [
            ("Mr. Mime", "MrMime", true),
            ("Faces", "Faces_easy", true),
            ("Sandslash", "Alolan Sandslash", true),
            ("colour tv", "color-tv", true),
            ("cat", "dog", false),
            ("Kabuto", "Krabby", false),
            ("", "x", false),
        ] {
            assert_eq!(are_alike(&plain(a), &plain(b)), alike, "{a}, {b}");
        }
        assert_eq!(plain("Mr. Mime"), plain("MrMime"));
    }
}
