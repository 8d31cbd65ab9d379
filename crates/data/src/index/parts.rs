//! Train, val and test with places of their own.

use std::path::{Path, PathBuf};

use avizor_base::Split;

use super::error::IndexError;
use super::ignored::IgnoredKind;
use super::labelled::Labeller;
use super::options::{DataOptions, LabelRule, PartSource};
use super::raw::{MetadataColumn, Raw, Rows, note};
use super::source::{add_empty_classes, require_a_fit, top_folders};
use super::table;
use super::texts::TextColumnBuilder;
use super::walk::{self, Listing};

/// `train/`, `val/` and `test/` below one data folder.
pub(super) fn read_inside(
    options: &DataOptions,
    listing: Listing,
    parts: &[(String, Split)],
) -> Result<Raw, IndexError> {
    require_train(options, parts.iter().map(|&(_, part)| part))?;
    let mut rows = Rows::default();
    let mut notes =
        vec![note("source", format!("parts from the folders {}", join(parts.iter().map(|(name, _)| name.as_str()))))];
    let mut classes = Vec::new();
    let mut metadata: Vec<TextColumnBuilder> = options.table.metadata.iter().map(|_| Default::default()).collect();
    for (folder, part) in in_order(parts, |&(_, part)| part) {
        let base = format!("{folder}/");
        if let Some(table) = own_table(options, &listing, &base) {
            let raw = table::read(options, &options.path.join(table))?;
            take(&mut rows, &mut metadata, &raw, &base, *part);
            learn_classes(&mut classes, &rows, *part);
            notes.extend(raw.notes);
            continue;
        }
        let names = || listing.names.iter().filter(|name| name.starts_with(&base));
        let inside = names().filter_map(|name| name.strip_prefix(base.as_str()));
        let labeller = choose(options, &options.label, *part, inside, &classes)?;
        labeller.label(&mut rows, &base, "", names(), Some(*part));
        finish_part(&options.path, &mut rows, &labeller, &listing, &base, *part)?;
        learn_classes(&mut classes, &rows, *part);
        notes.extend(said(&labeller, *part));
    }
    let outside = listing.names.iter().filter(|name| !parts.iter().any(|(folder, _)| is_in(name, folder)));
    outside.for_each(|name| rows.ignored.add(IgnoredKind::OutsideClasses, name));
    let root = listing.root(&options.path);
    rows.ignored.extend(listing.ignored);
    let mut raw = rows.finish(options.path.clone(), vec![(String::new(), root)], notes);
    let columns = options.table.metadata.iter().zip(metadata);
    raw.metadata =
        columns.map(|(name, values)| MetadataColumn { name: name.clone(), values: values.finish() }).collect();
    Ok(raw)
}

/// The one table of a part that has no class folders, as data sets of the Hugging Face hub have it.
fn own_table<'l>(options: &DataOptions, listing: &'l Listing, base: &str) -> Option<&'l str> {
    let mut tables = listing.tables_in(base);
    let table = tables.next().filter(|_| tables.next().is_none())?;
    let asked = matches!(options.label, LabelRule::Auto | LabelRule::Column);
    (asked && top_folders(listing, base).len() < 2).then_some(table)
}

/// The rows of a part's own table, their names below `base`.
fn take(rows: &mut Rows, metadata: &mut [TextColumnBuilder], raw: &Raw, base: &str, part: Split) {
    for (row, name) in raw.names.iter().enumerate() {
        let group = raw.groups.as_ref().map_or("", |groups| groups.get(row));
        rows.push(&format!("{base}{name}"), raw.labels.get(row), group, Some(part));
        metadata.iter_mut().zip(&raw.metadata).for_each(|(to, from)| to.push(from.values.get(row)));
    }
}

/// Parts by option. Names are relative to the data folder where every part lies in it; otherwise they begin with the
/// part's name.
pub(super) fn read_separate(options: &DataOptions) -> Result<Raw, IndexError> {
    let given =
        [(Split::Train, &options.parts.train), (Split::Val, &options.parts.val), (Split::Test, &options.parts.test)];
    let sources: Vec<(Split, &PartSource)> =
        given.iter().filter_map(|(part, source)| Some((*part, source.as_ref()?))).collect();
    require_train(options, sources.iter().map(|&(part, _)| part))?;
    let prefixes: Option<Vec<String>> =
        sources.iter().map(|(_, source)| relative(&options.path, &source.path)).collect();
    let mut rows = Rows::default();
    let (mut classes, mut notes, mut roots) = (Vec::new(), Vec::new(), Vec::new());
    for (position, (part, source)) in sources.iter().enumerate() {
        let folder = options.path.join(&source.path);
        let listing = walk::list(&folder)?;
        let labeller = choose(options, &source.label, *part, listing.names.iter(), &classes)?;
        let shown = match &prefixes {
            Some(prefixes) => prefixes[position].clone(),
            None => format!("{part}/"),
        };
        labeller.label(&mut rows, "", &shown, listing.names.iter(), Some(*part));
        finish_part(&folder, &mut rows, &labeller, &listing, "", *part)?;
        learn_classes(&mut classes, &rows, *part);
        notes.extend(said(&labeller, *part));
        rows.ignored.extend(listing.ignored);
        roots.push((shown, folder.as_path().into()));
    }
    Ok(rows.finish(options.path.clone(), roots, notes))
}

fn require_train(options: &DataOptions, mut parts: impl Iterator<Item = Split> + Clone) -> Result<(), IndexError> {
    let part = parts.clone().filter(|&part| part != Split::Train).min();
    match part {
        Some(part) if !parts.any(|part| part == Split::Train) => {
            Err(IndexError::NoTrain { path: options.path.clone(), part })
        }
        _ => Ok(()),
    }
}

fn choose<'a>(
    options: &DataOptions,
    rule: &LabelRule,
    part: Split,
    names: impl Iterator<Item = &'a str> + Clone,
    classes: &[String],
) -> Result<Labeller, IndexError> {
    let pictures = names.clone().count();
    if pictures == 0 {
        return Err(IndexError::EmptyPart { path: options.path.clone(), part });
    }
    if *rule == LabelRule::Column {
        return Err(IndexError::ColumnInPart { part });
    }
    let classes = if part == Split::Train { &[] } else { classes };
    let nothing = || IndexError::NoLabels { path: options.path.join(part.name()), pictures };
    Labeller::choose(rule, names, classes).ok_or_else(nothing)
}

fn finish_part(
    path: &Path,
    rows: &mut Rows,
    labeller: &Labeller,
    listing: &Listing,
    base: &str,
    part: Split,
) -> Result<(), IndexError> {
    if let Labeller::Pattern(pattern) = labeller {
        require_a_fit(path, rows, pattern.to_string(), listing.names.iter().find(|name| name.starts_with(base)))?;
    }
    if *labeller == Labeller::Folder {
        add_empty_classes(rows, listing, base);
    }
    if !rows.given.contains(&Some(part)) {
        return Err(IndexError::EmptyPart { path: path.to_owned(), part });
    }
    Ok(())
}

/// The classes of train, for parts whose names begin with them. Train is always read first.
fn learn_classes(classes: &mut Vec<String>, rows: &Rows, part: Split) {
    if part == Split::Train {
        *classes = rows.labels.values().iter().map(str::to_owned).collect();
    }
}

fn said(labeller: &Labeller, part: Split) -> Option<avizor_base::Note> {
    match labeller {
        Labeller::Folder => None,
        Labeller::Pattern(pattern) => Some(note("source", format!("{part}: labels from file names by \"{pattern}\""))),
        Labeller::Prefix(_) => Some(note("source", format!("{part}: labels from the start of file names"))),
    }
}

/// Train first, whatever the folders are called.
fn in_order<T>(parts: &[T], part: impl Fn(&T) -> Split) -> Vec<&T> {
    let mut ordered: Vec<&T> = parts.iter().collect();
    ordered.sort_by_key(|item| part(item));
    ordered
}

/// `train/` for a part inside the data folder, `None` for one elsewhere.
fn relative(base: &Path, part: &PathBuf) -> Option<String> {
    let inside = if part.is_absolute() { part.strip_prefix(base).ok()? } else { part };
    let mut prefix = String::new();
    for component in inside.components() {
        match component {
            std::path::Component::Normal(name) => prefix.push_str(&format!("{}/", name.to_str()?)),
            std::path::Component::CurDir => {}
            _ => return None,
        }
    }
    Some(prefix)
}

fn is_in(name: &str, folder: &str) -> bool {
    name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
