//! What kind of source a path is.

use std::path::Path;
use std::sync::Arc;

use avizor_base::Split;

use crate::archive::{Archive, EXTENSIONS};
use crate::parquet;

use super::error::IndexError;
use super::file_kind;
use super::ignored::IgnoredKind;
use super::labelled::Labeller;
use super::options::{DataOptions, LabelRule};
use super::raw::{Raw, Rows, note};
use super::walk::{self, Listing};
use super::{embedded, parts, shards, table};

/// Finds the samples.
pub(super) fn read(options: &DataOptions) -> Result<Raw, IndexError> {
    let path = &options.path;
    if options.parts != Default::default() {
        return parts::read_separate(options);
    }
    if path.is_file() {
        return match file_kind::extension(&path.to_string_lossy()).as_str() {
            "csv" | "tsv" | "jsonl" | "ndjson" => table::read(options, path),
            // Of those packed as a whole it is said that they cannot be read so.
            "gz" | "tgz" | "bz2" | "xz" | "zst" => read_archive(options),
            extension if EXTENSIONS.contains(&extension) => read_archive(options),
            parquet::EXTENSION => read_parquet(options),
            _ => Err(IndexError::NoFolder { path: path.clone() }),
        };
    }
    let listing = walk::list(path)?;
    if listing.names.is_empty() && !listing.archives.is_empty() {
        return read_shards(options, &listing);
    }
    if listing.names.is_empty() && !listing.parquets.is_empty() {
        let names: Vec<&str> = listing.parquets.iter().map(String::as_str).collect();
        return embedded::read(options, path, &names);
    }
    if listing.is_bare() {
        return Err(IndexError::EmptyFolder { path: path.clone() });
    }
    if let Some(file) = &options.table.file {
        return table::read(options, &path.join(file));
    }
    match options.label {
        LabelRule::Column => table::read(options, &path.join(table::only_table(options, &listing)?)),
        _ if listing.names.is_empty() => {
            Err(IndexError::NoPictures { path: path.clone(), ignored: listing.ignored.to_string() })
        }
        _ => read_folder(options, listing),
    }
}

/// One Parquet file.
fn read_parquet(options: &DataOptions) -> Result<Raw, IndexError> {
    let folder = options.path.parent().unwrap_or(Path::new(""));
    let Some(name) = options.path.file_name().and_then(|name| name.to_str()) else {
        return Err(IndexError::NoFolder { path: options.path.clone() });
    };
    embedded::read(options, folder, &[name])
}

/// A folder that holds nothing but archives.
fn read_shards(options: &DataOptions, listing: &Listing) -> Result<Raw, IndexError> {
    let open = |name: &String| Ok(Arc::new(Archive::open(&options.path.join(name))?));
    let archives = listing.archives.iter().map(open).collect::<Result<Vec<_>, IndexError>>()?;
    shards::read(options, &archives)?
        .ok_or_else(|| IndexError::NoShards { path: options.path.clone(), archives: archives.len() })
}

fn read_folder(options: &DataOptions, listing: Listing) -> Result<Raw, IndexError> {
    if let Some(parts) = split_folders(&listing) {
        return parts::read_inside(options, listing, &parts);
    }
    let auto = options.label == LabelRule::Auto && listing.archive.is_none();
    if auto && listing.tables_in("").next().is_some() && top_folders(&listing, "").len() < 2 {
        match table::only_table(options, &listing) {
            Ok(table) => return table::read(options, &options.path.join(table)),
            // Somebody who names a column means a table.
            Err(wrong @ (IndexError::SeveralTables { .. } | IndexError::UnknownColumn { .. })) => return Err(wrong),
            // No table fits: the folder speaks for itself.
            Err(_) => {}
        }
    }
    read_plain(options, listing)
}

/// A zip or tar file as the folder that it would be unpacked to, or samples of files with one stem.
fn read_archive(options: &DataOptions) -> Result<Raw, IndexError> {
    let archive = Arc::new(Archive::open(&options.path)?);
    let listing = walk::list_archive(Arc::clone(&archive));
    if listing.names.is_empty() {
        return Err(IndexError::NoPictures { path: options.path.clone(), ignored: listing.ignored.to_string() });
    }
    match shards::read(options, &[archive])? {
        Some(raw) => Ok(raw),
        None => read_folder(options, listing),
    }
}

/// Class folders, or one flat folder.
fn read_plain(options: &DataOptions, listing: Listing) -> Result<Raw, IndexError> {
    let base = if options.label == LabelRule::Auto { common_base(&listing) } else { String::new() };
    let names = || listing.names.iter();
    let inside = names().filter_map(|name| name.strip_prefix(base.as_str()));
    let Some(labeller) = Labeller::choose(&options.label, inside, &[]) else {
        return Err(IndexError::NoLabels { path: options.path.clone(), pictures: listing.names.len() });
    };
    let mut rows = Rows::default();
    labeller.label(&mut rows, &base, "", names(), None);
    let mut notes = Vec::new();
    if let Labeller::Pattern(pattern) = &labeller {
        require_a_fit(&options.path, &rows, pattern.to_string(), names().next())?;
        notes.push(note("source", format!("labels from file names by the pattern \"{pattern}\"")));
    } else {
        add_empty_classes(&mut rows, &listing, &base);
        let place = if base.is_empty() { String::new() } else { format!(" in {base}") };
        notes.push(note("source", format!("labels from class folders{place}")));
    }
    for table in listing.tables_in("") {
        notes.push(note(
            "table_not_read",
            format!("{table} was not read; give it as `data.path` to take labels from it"),
        ));
    }
    let root = listing.root(&options.path);
    rows.ignored.extend(listing.ignored);
    Ok(rows.finish(options.path.clone(), vec![(String::new(), root)], notes))
}

/// A pattern that fits no name at all is a mistake.
pub(super) fn require_a_fit(path: &Path, rows: &Rows, pattern: String, first: Option<&str>) -> Result<(), IndexError> {
    match first {
        Some(example) if rows.names.is_empty() => {
            Err(IndexError::PatternFitsNothing { path: path.to_owned(), pattern, example: example.to_owned() })
        }
        _ => Ok(()),
    }
}

/// Folders directly below `base` that hold no picture.
pub(super) fn add_empty_classes(rows: &mut Rows, listing: &Listing, base: &str) {
    let full = top_folders(listing, base);
    let direct = listing.folders.iter().filter_map(|folder| Some((folder, folder.strip_prefix(base)?)));
    for (folder, rest) in direct {
        if !rest.is_empty() && !rest.contains('/') && !full.contains(&rest) {
            rows.ignored.add(IgnoredKind::EmptyClass, folder);
        }
    }
}

/// Folders directly below `base` that hold pictures, sorted.
pub(super) fn top_folders<'a>(listing: &'a Listing, base: &str) -> Vec<&'a str> {
    let mut folders: Vec<&str> = Vec::new();
    for name in listing.names.iter() {
        let folder = name.strip_prefix(base).and_then(|rest| rest.split_once('/')).map(|(folder, _)| folder);
        // Names are sorted, so equal folders follow each other, but for files between them.
        if let Some(folder) = folder
            && folders.last() != Some(&folder)
        {
            folders.push(folder);
        }
    }
    folders.sort_unstable();
    folders.dedup();
    folders
}

/// The folders that are parts: where all folders with pictures are called so, or several of them with train. They may lie in one
/// that holds everything.
fn split_folders(listing: &Listing) -> Option<Vec<(String, Split)>> {
    let base = common_base(listing);
    let bases = ["", base.as_str()];
    bases[..if base.is_empty() { 1 } else { 2 }].iter().find_map(|base| split_folders_in(listing, base))
}

fn split_folders_in(listing: &Listing, base: &str) -> Option<Vec<(String, Split)>> {
    let folders = top_folders(listing, base);
    let parts: Vec<(String, Split)> =
        folders.iter().filter_map(|&folder| Some((format!("{base}{folder}"), folder.parse().ok()?))).collect();
    let has_train = parts.iter().any(|(_, part)| *part == Split::Train);
    let all = parts.len() == folders.len() && !parts.is_empty();
    (all || (has_train && parts.len() >= 2)).then_some(parts)
}

/// The folder that holds everything, as long as one does and there are folders in it: `""` or `images/`.
fn common_base(listing: &Listing) -> String {
    let mut base = String::new();
    loop {
        let folders = top_folders(listing, &base);
        let [only] = folders[..] else { return base };
        let next = format!("{base}{only}/");
        let all_inside = listing.names.iter().all(|name| name.starts_with(&next));
        if !all_inside || top_folders(listing, &next).is_empty() {
            return base;
        }
        base = next;
    }
}
