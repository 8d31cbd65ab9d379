//! From what a source found to an index: classes chosen, checked and numbered.

use std::collections::BTreeMap;

use avizor_base::{ClassId, ClassList, Purpose, SampleId, Split, nearest};

use super::Index;
use super::decisions::{Decisions, FILE, Fate, Outcome};
use super::error::IndexError;
use super::ignored::IgnoredKind;
use super::options::DataOptions;
use super::raw::{MetadataColumn, Raw, note};
use super::texts::{TextColumnBuilder, Texts};

pub(super) fn build(mut raw: Raw, options: &DataOptions, known: Option<&ClassList>) -> Result<Index, IndexError> {
    if !(options.fraction > 0.0 && options.fraction <= 1.0) {
        return Err(IndexError::Fraction { fraction: options.fraction });
    }
    let decisions = Decisions::read(&options.decisions_file())?;
    let excluded = decide(&mut raw, &decisions.outcome());
    let renamed = renamed(&raw, options)?;
    require_known(options, &renamed)?;
    let mut rows = sorted_rows(&mut raw);
    leave_out(&mut raw, &mut rows, &excluded);
    keep_classes(&mut raw, &mut rows, &renamed, options);
    if rows.is_empty() {
        return Err(IndexError::NoPictures { path: raw.path, ignored: raw.ignored.to_string() });
    }
    let label = |row: u32| renamed[raw.labels.codes()[row as usize] as usize].as_str();
    let classes = match known {
        Some(classes) => require_of_model(classes, &rows, label)?,
        None => class_list(&raw, &rows, label)?,
    };
    let rows = keep_fraction(&raw, rows, options, label);
    let labels: Vec<ClassId> = rows.iter().filter_map(|&row| classes.id(label(row))).collect();
    let names: Texts = rows.iter().map(|&row| raw.names.get(row as usize)).collect();
    if options.fraction < 1.0 {
        raw.notes.push(note("fraction", format!("{} of every class is used", options.fraction)));
    }
    let select =
        |column: &MetadataColumn| MetadataColumn { name: column.name.clone(), values: column.values.select(&rows) };
    let mut roots = raw.roots;
    roots.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
    Ok(Index {
        roots,
        ids: names.iter().map(SampleId::of).collect(),
        names,
        labels,
        classes,
        groups: raw.groups.map(|groups| groups.select(&rows)),
        given: raw.given.map(|given| rows.iter().map(|&row| given[row as usize]).collect()),
        metadata: raw.metadata.iter().map(select).collect(),
        ignored: raw.ignored,
        table: raw.table,
        notes: raw.notes,
        decisions,
    })
}

/// Gives pictures and classes the labels that were decided, and tells which rows are to be left out.
fn decide(raw: &mut Raw, outcome: &Outcome<'_>) -> Vec<bool> {
    let mut excluded = vec![false; raw.names.len()];
    if outcome.is_empty() {
        return excluded;
    }
    let (mut labels, mut found, mut relabelled) = (TextColumnBuilder::default(), 0, 0);
    for (row, name) in raw.names.iter().enumerate() {
        let fate = outcome.pictures.get(name);
        found += usize::from(fate.is_some());
        excluded[row] = fate == Some(&Fate::Excluded);
        let label = match fate {
            Some(&Fate::Relabelled(class)) => class,
            _ => raw.labels.get(row),
        };
        relabelled += usize::from(label != raw.labels.get(row));
        labels.push(outcome.class(label));
    }
    let merged = outcome.merged().filter(|class| raw.labels.values().iter().any(|label| label == *class)).count();
    raw.labels = labels.finish();
    let left_out = excluded.iter().filter(|&&excluded| excluded).count();
    let strange = outcome.pictures.len() - found;
    let strange = if strange > 0 { format!("; {strange} that they name are not here") } else { String::new() };
    let text = format!(
        "by {FILE}, pictures are excluded: {left_out}, relabelled: {relabelled}; classes are merged: {merged}{strange}"
    );
    raw.notes.push(note("decisions", text));
    excluded
}

fn leave_out(raw: &mut Raw, rows: &mut Vec<u32>, excluded: &[bool]) {
    let (names, ignored) = (&raw.names, &mut raw.ignored);
    rows.retain(|&row| {
        if excluded[row as usize] {
            ignored.add(IgnoredKind::Excluded, names.get(row as usize));
        }
        !excluded[row as usize]
    });
}

/// The name of every raw label after `rename`.
fn renamed(raw: &Raw, options: &DataOptions) -> Result<Vec<String>, IndexError> {
    let found = || raw.labels.values().iter();
    for (old, _) in &options.rename {
        if !found().any(|label| label == old) {
            let nearest = nearest(old, found());
            return Err(IndexError::UnknownClass { option: "data.rename", class: old.clone(), nearest });
        }
    }
    let new_name = |label: &str| {
        let new = options.rename.iter().find(|(old, _)| old == label);
        new.map_or(label, |(_, new)| new).to_owned()
    };
    Ok(found().map(new_name).collect())
}

fn require_known(options: &DataOptions, renamed: &[String]) -> Result<(), IndexError> {
    match options.classes.iter().find(|class| !renamed.contains(class)) {
        None => Ok(()),
        Some(class) => Err(IndexError::UnknownClass {
            option: "data.classes",
            class: class.clone(),
            nearest: nearest(class, renamed.iter().map(String::as_str)),
        }),
    }
}

/// All rows by name; of two with one name the first stays.
fn sorted_rows(raw: &mut Raw) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..raw.names.len() as u32).collect();
    rows.sort_by_key(|&row| raw.names.get(row as usize));
    let mut last: Option<u32> = None;
    let (names, ignored) = (&raw.names, &mut raw.ignored);
    rows.retain(|&row| {
        let name = names.get(row as usize);
        let again = last.is_some_and(|last| names.get(last as usize) == name);
        if again {
            ignored.add(IgnoredKind::InTwoParts, name);
        }
        last = Some(row);
        !again
    });
    rows
}

fn keep_classes(raw: &mut Raw, rows: &mut Vec<u32>, renamed: &[String], options: &DataOptions) {
    if options.classes.is_empty() {
        return;
    }
    let wanted: Vec<bool> = renamed.iter().map(|class| options.classes.contains(class)).collect();
    let (names, labels, ignored) = (&raw.names, &raw.labels, &mut raw.ignored);
    rows.retain(|&row| {
        let keep = wanted[labels.codes()[row as usize] as usize];
        if !keep {
            ignored.add(IgnoredKind::OtherClass, names.get(row as usize));
        }
        keep
    });
}

fn part(raw: &Raw, row: u32) -> Option<Split> {
    raw.given.as_ref().and_then(|given| given[row as usize])
}

/// The classes of train (samples without a part may become train), at least two, none only elsewhere.
fn class_list<'a>(raw: &'a Raw, rows: &[u32], label: impl Fn(u32) -> &'a str) -> Result<ClassList, IndexError> {
    let is_train = |row: u32| matches!(part(raw, row), None | Some(Split::Train));
    let mut train = BTreeMap::new();
    rows.iter().filter(|&&row| is_train(row)).for_each(|&row| *train.entry(label(row)).or_insert(0) += 1);
    let mut elsewhere: BTreeMap<(&str, Split), usize> = BTreeMap::new();
    for &row in rows {
        if let Some(part) = part(raw, row)
            && !train.contains_key(label(row))
        {
            *elsewhere.entry((label(row), part)).or_insert(0) += 1;
        }
    }
    if let Some((&(class, part), &pictures)) = elsewhere.iter().next() {
        return Err(IndexError::OnlyInPart { class: class.to_owned(), part, pictures });
    }
    if train.len() < 2 {
        let class = train.keys().next().copied().unwrap_or_default().to_owned();
        return Err(IndexError::OneClass { path: raw.path.clone(), class, pictures: rows.len() });
    }
    Ok(ClassList::from_labels(train.into_keys())?)
}

/// The model's own list, if it has every class that is there.
fn require_of_model<'a>(
    classes: &ClassList,
    rows: &[u32],
    label: impl Fn(u32) -> &'a str,
) -> Result<ClassList, IndexError> {
    let strange = |class: &str| classes.id(class).is_none();
    let Some(first) = rows.iter().map(|&row| label(row)).filter(|class| strange(class)).min() else {
        return Ok(classes.clone());
    };
    Err(IndexError::NotOfModel {
        class: first.to_owned(),
        pictures: rows.iter().filter(|&&row| label(row) == first).count(),
        nearest: nearest(first, classes.names().iter().map(String::as_str)),
    })
}

/// Of every class, the first samples by rank of a hash; at least one. Given val and test parts stay whole.
fn keep_fraction<'a>(raw: &Raw, rows: Vec<u32>, options: &DataOptions, label: impl Fn(u32) -> &'a str) -> Vec<u32> {
    if options.fraction == 1.0 {
        return rows;
    }
    let (mut kept, mut by_class) = (Vec::new(), BTreeMap::<&str, Vec<(u64, u32)>>::new());
    for &row in &rows {
        if matches!(part(raw, row), Some(Split::Val | Split::Test)) {
            kept.push(row);
            continue;
        }
        let id = SampleId::of(raw.names.get(row as usize));
        let rank = options.seed.stream(Purpose::Subset, [id.0, 0, 0]).next_u64();
        by_class.entry(label(row)).or_default().push((rank, row));
    }
    for ranked in by_class.values_mut() {
        ranked.sort_unstable();
        let count = ((ranked.len() as f64 * options.fraction).round() as usize).max(1);
        kept.extend(ranked[..count].iter().map(|&(_, row)| row));
    }
    // Back into the order of names.
    let mut is_kept = vec![false; raw.names.len()];
    kept.iter().for_each(|&row| is_kept[row as usize] = true);
    rows.into_iter().filter(|&row| is_kept[row as usize]).collect()
}
