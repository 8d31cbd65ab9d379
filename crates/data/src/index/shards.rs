//! Samples in archives as WebDataset writes them: files with one stem are one sample, `0001.jpg` with `0001.cls` or `0001.json`.

use std::collections::HashMap;
use std::sync::Arc;

use avizor_base::Split;
use serde_json::{Map, Value};

use crate::archive::Archive;

use super::error::IndexError;
use super::ignored::IgnoredKind;
use super::options::{DataOptions, LabelRule};
use super::raw::{MetadataColumn, Raw, Root, Rows, note};
use super::table::LABEL_NAMES;
use super::texts::TextColumnBuilder;
use super::walk;

/// The largest companion that is read, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// `None` where no picture has a companion that says its class.
///
/// # Errors
/// A companion that cannot be read, or makes no sense.
pub(super) fn read(options: &DataOptions, archives: &[Arc<Archive>]) -> Result<Option<Raw>, IndexError> {
    if !matches!(options.label, LabelRule::Auto | LabelRule::Column) {
        return Ok(None);
    }
    let mut shards = Shards {
        options,
        rows: Rows::default(),
        metadata: options.table.metadata.iter().map(|_| TextColumnBuilder::default()).collect(),
    };
    let mut roots = Vec::new();
    for archive in archives {
        let stem = archive.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // The samples of several shards may have equal names.
        let prefix = if archives.len() > 1 { format!("{stem}/") } else { String::new() };
        shards.archive(archive, &prefix, part_of(&stem))?;
        roots.push((prefix, Root::Archive(Arc::clone(archive))));
    }
    if shards.rows.names.is_empty() {
        return Ok(None);
    }
    let text = match archives.len() {
        1 => "labels from files beside the pictures in the archive".to_owned(),
        count => format!("{count} shards, labels from files beside the pictures"),
    };
    let mut raw = shards.rows.finish(options.path.clone(), roots, vec![note("source", text)]);
    let columns = options.table.metadata.iter().zip(shards.metadata);
    raw.metadata =
        columns.map(|(name, values)| MetadataColumn { name: name.clone(), values: values.finish() }).collect();
    Ok(Some(raw))
}

struct Shards<'a> {
    options: &'a DataOptions,
    rows: Rows,
    metadata: Vec<TextColumnBuilder>,
}

impl Shards<'_> {
    fn archive(&mut self, archive: &Arc<Archive>, prefix: &str, part: Option<Split>) -> Result<(), IndexError> {
        let mut companions: HashMap<&str, [Option<&str>; 2]> = HashMap::new();
        for name in archive.names() {
            let (key, extension) = key(name);
            let place = match extension {
                "cls" => 0,
                "json" => 1,
                _ => continue,
            };
            companions.entry(key).or_default()[place] = Some(name);
        }
        if companions.is_empty() {
            return Ok(());
        }
        let listing = walk::list_archive(Arc::clone(archive));
        for name in listing.names.iter() {
            let said = companions.get(key(name).0).copied().unwrap_or_default();
            self.sample(archive, name, said, prefix, part)?;
        }
        // What the companions are is no surprise.
        self.rows.ignored.extend(listing.ignored);
        Ok(())
    }

    fn sample(
        &mut self,
        archive: &Archive,
        name: &str,
        [cls, json]: [Option<&str>; 2],
        prefix: &str,
        part: Option<Split>,
    ) -> Result<(), IndexError> {
        let object = json.map(|json| object(archive, json)).transpose()?.unwrap_or_default();
        let member = |column: &str| object.get(column).map(words).unwrap_or_default();
        let label = match (&self.options.table.label, cls) {
            (Some(column), _) => member(column),
            (None, Some(cls)) => text(archive, cls)?,
            (None, None) => {
                let known = LABEL_NAMES.iter().find_map(|name| object.get(*name));
                known.map(words).unwrap_or_default()
            }
        };
        let full = format!("{prefix}{name}");
        if label.is_empty() {
            self.rows.ignored.add(IgnoredKind::OutsideClasses, &full);
            return Ok(());
        }
        let group = self.options.table.group.as_deref().map(member).unwrap_or_default();
        self.rows.push(&full, &label, &group, part);
        self.metadata.iter_mut().zip(&self.options.table.metadata).for_each(|(to, column)| to.push(&member(column)));
        Ok(())
    }
}

/// Stem and extension: a name up to the first point after its last `/`, and from the last one.
fn key(name: &str) -> (&str, &str) {
    let file = name.rfind('/').map_or(0, |at| at + 1);
    let stem = name[file..].find('.').map_or(name.len(), |at| file + at);
    (&name[..stem], name[file..].rsplit_once('.').map_or("", |(_, extension)| extension))
}

/// `imagenet-train-000012` is a part of train.
pub(super) fn part_of(stem: &str) -> Option<Split> {
    stem.split(|letter: char| !letter.is_alphabetic()).find_map(|word| word.parse().ok())
}

fn text(archive: &Archive, name: &str) -> Result<String, IndexError> {
    let mut bytes = Vec::new();
    archive.read(name, MOST_BYTES, &mut bytes).map_err(|error| wrong(archive, name, error.to_string()))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(wrong(archive, name, format!("has more than {MOST_BYTES} bytes")));
    }
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

fn object(archive: &Archive, name: &str) -> Result<Map<String, Value>, IndexError> {
    let text = text(archive, name)?;
    serde_json::from_str(&text).map_err(|error| wrong(archive, name, format!("is no object of JSON: {error}")))
}

/// A member as a field would say it.
fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}

fn wrong(archive: &Archive, name: &str, reason: String) -> IndexError {
    IndexError::Table { table: archive.path().join(name), line: None, reason }
}
