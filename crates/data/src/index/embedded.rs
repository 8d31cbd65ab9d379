//! Samples from the rows of Parquet files that hold the pictures themselves.

use std::path::Path;
use std::sync::Arc;

use avizor_base::{Note, Split, nearest};

use crate::parquet::{PageCache, ParquetFile};
use crate::picture_file::row_name;

use super::error::IndexError;
use super::options::{DataOptions, LabelRule, TableOptions};
use super::raw::{MetadataColumn, Raw, Root, Rows, TableReport, note};
use super::shards;
use super::table::{GROUP_NAMES, LABEL_NAMES, SPLIT_NAMES, is_set};
use super::texts::TextColumnBuilder;

/// Reads some files by their names relative to `folder`. A sample is called after its file and its row, counted from 0:
/// `train-00000-of-00002.parquet/000123`.
pub(super) fn read(options: &DataOptions, folder: &Path, names: &[&str]) -> Result<Raw, IndexError> {
    if !matches!(options.label, LabelRule::Auto | LabelRule::Column) {
        return Err(IndexError::NotFromNames { path: options.path.clone() });
    }
    let cache = Arc::new(PageCache::default());
    let mut found = Found {
        rows: Rows::default(),
        metadata: options.table.metadata.iter().map(|_| TextColumnBuilder::default()).collect(),
        report: TableReport::default(),
    };
    let (mut roots, mut notes) = (Vec::new(), Vec::new());
    for name in names {
        let file = ParquetFile::open(&folder.join(name), options.table.path.as_deref(), &cache)?;
        let columns = Columns::find(&options.table, &file)?;
        // One file alone is no part of anything, whatever it is called.
        let part = if names.len() > 1 { part_of(name) } else { None };
        found.file(&file, &columns, name, part)?;
        if notes.is_empty() {
            notes = columns.notes(&file, names, part.is_some());
        }
        roots.push((format!("{name}/"), Root::Parquet(Arc::new(file))));
    }
    found.report.table = title(names);
    notes.extend(super::table::mismatch_note(&found.report));
    let columns = options.table.metadata.iter().zip(found.metadata);
    let metadata =
        columns.map(|(name, values)| MetadataColumn { name: name.clone(), values: values.finish() }).collect();
    let raw = found.rows.finish(options.path.clone(), roots, notes);
    Ok(Raw { metadata, table: Some(found.report), ..raw })
}

/// A file, or how many.
fn title(names: &[&str]) -> String {
    match names {
        [name] => (*name).to_owned(),
        _ => format!("{} Parquet files", names.len()),
    }
}

/// `data/train-00000-of-00002.parquet` and `default/train/0000.parquet` are parts of train.
fn part_of(name: &str) -> Option<Split> {
    name.rsplit('/').find_map(|step| shards::part_of(step.trim_end_matches(".parquet")))
}

/// What the files were found to hold.
struct Found {
    rows: Rows,
    metadata: Vec<TextColumnBuilder>,
    report: TableReport,
}

impl Found {
    fn file(
        &mut self,
        file: &ParquetFile,
        columns: &Columns<'_>,
        name: &str,
        part: Option<Split>,
    ) -> Result<(), IndexError> {
        let wanted = columns.all();
        let mut wrong = Ok(());
        file.for_each_row(&wanted, |row, fields| {
            if wrong.is_ok() {
                wrong = self.row(file, columns, &format!("{name}/{}", row_name(row)), fields, part);
            }
        })?;
        wrong
    }

    fn row(
        &mut self,
        file: &ParquetFile,
        columns: &Columns<'_>,
        name: &str,
        fields: &[String],
        part: Option<Split>,
    ) -> Result<(), IndexError> {
        self.report.rows += 1;
        let (labels, rest) = fields.split_at(columns.labels.len());
        let (metadata, rest) = rest.split_at(self.metadata.len());
        let label = columns.label(labels);
        if label.is_empty() {
            self.report.unlabelled.add(name);
            return Ok(());
        }
        let mut rest = rest.iter().map(String::as_str);
        let group = columns.group.and_then(|_| rest.next()).unwrap_or_default();
        let said = columns.split.and_then(|_| rest.next());
        let part =
            match said {
                None => part,
                Some("") => None,
                Some(text) => Some(text.parse().map_err(|error: <Split as std::str::FromStr>::Err| {
                    IndexError::Table { table: file.path().to_owned(), line: None, reason: error.to_string() }
                })?),
            };
        self.rows.push(name, label, group, part);
        self.metadata.iter_mut().zip(metadata).for_each(|(to, text)| to.push(text));
        Ok(())
    }
}

/// Which column is what, by name.
struct Columns<'a> {
    /// One, or those of which one is 1.
    labels: Vec<&'a str>,
    is_one_hot: bool,
    metadata: Vec<&'a str>,
    group: Option<&'a str>,
    split: Option<&'a str>,
}

impl<'a> Columns<'a> {
    fn find(options: &'a TableOptions, file: &'a ParquetFile) -> Result<Self, IndexError> {
        let columns: Vec<&str> = file.columns().collect();
        let named = |name: &'a String| match columns.contains(&name.as_str()) {
            true => Ok(name.as_str()),
            false => Err(IndexError::UnknownColumn {
                table: file.path().to_owned(),
                column: name.clone(),
                nearest: nearest(name, columns.iter().copied()),
                columns: columns.iter().map(|&column| column.to_owned()).collect(),
            }),
        };
        let called = |names: &[&str]| {
            names.iter().find_map(|name| columns.iter().copied().find(|have| have.to_lowercase() == *name))
        };
        // Of a column whose numbers stand for classes it is known what it is.
        let classes: Vec<&str> = columns.iter().copied().filter(|column| file.class_names(column).is_some()).collect();
        let only = if let [only] = classes[..] { Some(only) } else { None };
        let labels = match (&options.label, &options.one_hot[..]) {
            (None, []) => {
                let label = called(&LABEL_NAMES).or(only);
                vec![label.ok_or_else(|| IndexError::NoLabelColumn {
                    table: file.path().to_owned(),
                    columns: columns.iter().map(|&column| column.to_owned()).collect(),
                })?]
            }
            (Some(label), []) => vec![named(label)?],
            (_, one_hot) => one_hot.iter().map(named).collect::<Result<_, _>>()?,
        };
        let split = match &options.split {
            Some(split) => Some(named(split)?),
            None => match called(&SPLIT_NAMES) {
                Some(split) if all_are_parts(file, split)? => Some(split),
                _ => None,
            },
        };
        Ok(Self {
            labels,
            is_one_hot: !options.one_hot.is_empty(),
            metadata: options.metadata.iter().map(named).collect::<Result<_, _>>()?,
            group: options.group.as_ref().map(named).transpose()?,
            split,
        })
    }

    /// In the order in which [`Found::row`] takes them apart.
    fn all(&self) -> Vec<&'a str> {
        let (labels, metadata) = (self.labels.iter(), self.metadata.iter());
        labels.chain(metadata).copied().chain(self.group).chain(self.split).collect()
    }

    /// The class of a row; empty where there is none, or more than one.
    fn label<'f>(&'f self, fields: &'f [String]) -> &'f str {
        if !self.is_one_hot {
            return &fields[0];
        }
        let mut set = self.labels.iter().zip(fields).filter(|(_, field)| is_set(field.as_bytes()));
        match (set.next(), set.next()) {
            (Some((column, _)), None) => column,
            _ => "",
        }
    }

    fn notes(&self, file: &ParquetFile, names: &[&str], parts_from_names: bool) -> Vec<Note> {
        let labels = match (&self.labels[..], self.is_one_hot) {
            ([label], false) => match file.class_names(label) {
                Some(classes) => format!("\"{label}\", numbers of {} names in the file", classes.len()),
                None => format!("\"{label}\""),
            },
            (columns, _) => format!("the one of {} columns that is 1", columns.len()),
        };
        let picture = file.picture_column();
        let mut text = format!("{}: pictures from column \"{picture}\", labels from {labels}", title(names));
        match self.split {
            Some(split) => text.push_str(&format!(", parts from \"{split}\"")),
            None if parts_from_names => text.push_str(", parts from the files' names"),
            None => {}
        }
        let mut notes = vec![note("source", text)];
        let group = GROUP_NAMES.iter().find_map(|name| file.columns().find(|have| have.to_lowercase() == *name));
        if let (None, Some(group)) = (self.group, group) {
            let text =
                format!("column \"{group}\" looks like a group; `split.group = \"{group}\"` keeps each on one side");
            notes.push(note("group_column", text));
        }
        notes
    }
}

fn all_are_parts(file: &ParquetFile, column: &str) -> Result<bool, IndexError> {
    let mut all = true;
    file.for_each_row(&[column], |_, fields| all &= fields[0].parse::<Split>().is_ok())?;
    Ok(all)
}
