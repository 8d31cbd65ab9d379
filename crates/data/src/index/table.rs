//! Samples from a table.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use avizor_base::{Note, Split, nearest};

use super::error::IndexError;
use super::file_kind;
use super::ignored::Mentioned;
use super::options::{DataOptions, TableOptions};
use super::raw::{MetadataColumn, Raw, Rows, TableReport, note};
use super::records::{Records, text};
use super::texts::{TextColumnBuilder, Texts};
use super::walk::{self, Listing};

/// How many rows are looked at to find out what the columns are.
const LOOKED_AT: usize = 1000;

/// What people call the column of the class, most telling first.
pub(super) const LABEL_NAMES: [&str; 14] = [
    "label",
    "labels",
    "class",
    "class_name",
    "classname",
    "category",
    "target",
    "species",
    "breed",
    "diagnosis",
    "dx",
    "disease",
    "tag",
    "y",
];
pub(super) const SPLIT_NAMES: [&str; 4] = ["split", "subset", "partition", "set"];
/// What people call a column of things that appear in several pictures.
pub(super) const GROUP_NAMES: [&str; 12] = [
    "patient",
    "patient_id",
    "patientid",
    "lesion_id",
    "subject",
    "subject_id",
    "person",
    "group",
    "group_id",
    "scene",
    "case_id",
    "individual",
];

/// Reads a table and lists the folder that its pictures lie in.
pub(super) fn read(options: &DataOptions, table: &Path) -> Result<Raw, IndexError> {
    let folder = pictures_folder(options, table);
    let head = Head::read(table)?;
    let listing = walk::list(&folder)?;
    if listing.names.is_empty() {
        return Err(IndexError::NoPictures { path: folder, ignored: listing.ignored.to_string() });
    }
    let (columns, rule) = Columns::find(&options.table, &head, &listing.names, &folder)?;
    let mut notes = columns.notes(&head, rule);
    let reading = Reading::new(&head, &columns, rule, &options.table.suffix, &listing.names);
    let (mut rows, metadata, report, example) = reading.run()?;
    if rows.names.is_empty() && report.rows > 0 {
        return Err(IndexError::NoRowFits { table: table.to_owned(), folder, rows: report.rows, example });
    }
    notes.extend(mismatch_note(&report));
    rows.ignored.extend(listing.ignored);
    let mut raw = rows.finish(options.path.clone(), vec![(String::new(), folder.as_path().into())], notes);
    raw.metadata = metadata;
    raw.table = Some(report);
    Ok(raw)
}

/// The one table in a folder that leads to pictures best.
pub(super) fn only_table(options: &DataOptions, listing: &Listing) -> Result<String, IndexError> {
    let mut best: Vec<(f64, &str)> = Vec::new();
    let mut first_error = None;
    for name in listing.tables_in("") {
        match fit(options, &options.path.join(name), listing) {
            Ok(fit) if best.first().is_none_or(|(most, _)| fit > *most) => best = vec![(fit, name)],
            Ok(fit) if best.first().is_some_and(|(most, _)| fit == *most) => best.push((fit, name)),
            Ok(_) => {}
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    match best[..] {
        [(_, name)] => Ok(name.to_owned()),
        [] => Err(first_error.unwrap_or_else(|| IndexError::Missing { path: options.path.join("*.csv") })),
        _ => Err(IndexError::SeveralTables {
            path: options.path.clone(),
            tables: best.iter().map(|(_, name)| (*name).to_owned()).collect(),
        }),
    }
}

/// The share of a table's first rows that lead to pictures.
fn fit(options: &DataOptions, table: &Path, listing: &Listing) -> Result<f64, IndexError> {
    let folder = pictures_folder(options, table);
    let head = Head::read(table)?;
    let (columns, rule) = Columns::find(&options.table, &head, &listing.names, &folder)?;
    let keys = Keys::new(rule, &listing.names);
    let hits = head.sample.iter().filter(|row| keys.find(&row[columns.path], &options.table.suffix).is_some()).count();
    Ok(hits as f64 / head.sample.len() as f64)
}

fn pictures_folder(options: &DataOptions, table: &Path) -> PathBuf {
    let beside = table.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    options.table.folder.as_ref().map_or(beside.to_owned(), |folder| beside.join(folder))
}

/// The names of the columns and the first rows.
pub(super) struct Head {
    table: PathBuf,
    pub(super) names: Vec<String>,
    sample: Vec<Vec<String>>,
}

impl Head {
    pub(super) fn read(table: &Path) -> Result<Self, IndexError> {
        let mut records = Records::open(table)?;
        let mut head = Self { table: table.to_owned(), names: records.names().to_vec(), sample: Vec::new() };
        let mut record = csv::ByteRecord::new();
        while head.sample.len() < LOOKED_AT && records.read(&mut record)? {
            head.sample.push(record.iter().map(text).collect());
        }
        if head.sample.is_empty() {
            return Err(IndexError::Table { table: head.table, line: None, reason: "there is no row".into() });
        }
        Ok(head)
    }

    pub(super) fn column(&self, name: &str) -> Result<usize, IndexError> {
        self.names.iter().position(|have| have == name).ok_or_else(|| IndexError::UnknownColumn {
            table: self.table.clone(),
            column: name.to_owned(),
            nearest: nearest(name, self.names.iter().map(String::as_str)),
            columns: self.names.clone(),
        })
    }

    /// Gives every row to `each`, in order.
    pub(super) fn for_each_row(&self, mut each: impl FnMut(&csv::ByteRecord)) -> Result<(), IndexError> {
        let mut records = Records::open(&self.table)?;
        let mut record = csv::ByteRecord::new();
        while records.read(&mut record)? {
            each(&record);
        }
        Ok(())
    }

    /// The first of these names that is a column's, in any case.
    fn called(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.names.iter().position(|have| have.to_lowercase() == *name))
    }
}

/// How a field names a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The path inside the folder.
    Path,
    /// The last part of the path, which only one file has.
    FileName,
    /// The same without its extension.
    Stem,
}

impl Rule {
    pub(super) const ALL: [Self; 3] = [Self::Path, Self::FileName, Self::Stem];

    fn key(self, name: &str) -> &str {
        let file = name.rsplit('/').next().unwrap_or(name);
        match self {
            Self::Path => name,
            Self::FileName => file,
            Self::Stem => file_kind::stem(file),
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Self::Path => "as paths",
            Self::FileName => "as file names",
            Self::Stem => "as file names without extension",
        }
    }
}

/// Files by what a field may say.
pub(super) struct Keys<'a> {
    rule: Rule,
    /// `None` where two files have the key.
    files: HashMap<&'a str, Option<u32>>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(rule: Rule, names: &'a Texts) -> Self {
        let mut files = HashMap::with_capacity(names.len());
        for (file, name) in names.iter().enumerate() {
            files.entry(rule.key(name)).and_modify(|file| *file = None).or_insert(Some(file as u32));
        }
        Self { rule, files }
    }

    pub(super) fn find(&self, field: &str, suffix: &str) -> Option<u32> {
        let path = format!("{field}{suffix}").replace('\\', "/");
        let path = path.trim_start_matches("./").trim_start_matches('/');
        self.files.get(self.rule.key(path)).copied().flatten()
    }
}

/// What says the class.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Label {
    /// A column holds its name.
    Named(usize),
    /// The one of these columns that is 1 is called so.
    OneHot(Vec<usize>),
}

impl Label {
    /// The class of a row; empty where there is none, or more than one.
    fn of(&self, head: &Head, record: &csv::ByteRecord) -> String {
        match self {
            Self::Named(column) => text(&record[*column]),
            Self::OneHot(columns) => {
                let mut set = columns.iter().filter(|&&column| is_set(&record[column]));
                match (set.next(), set.next()) {
                    (Some(&column), None) => head.names[column].clone(),
                    _ => String::new(),
                }
            }
        }
    }
}

/// `1`, `1.0`, `true` or `yes`.
pub(super) fn is_set(field: &[u8]) -> bool {
    let text = text(field).to_lowercase();
    matches!(text.as_str(), "true" | "yes") || text.parse::<f64>() == Ok(1.0)
}

/// Which column is what.
struct Columns {
    path: usize,
    label: Label,
    group: Option<usize>,
    split: Option<usize>,
    metadata: Vec<usize>,
}

impl Columns {
    fn find(options: &TableOptions, head: &Head, files: &Texts, folder: &Path) -> Result<(Self, Rule), IndexError> {
        let named = |name: &Option<String>| name.as_ref().map(|name| head.column(name)).transpose();
        let (label, group, split) = (named(&options.label)?, named(&options.group)?, named(&options.split)?);
        let metadata = options.metadata.iter().map(|name| head.column(name)).collect::<Result<_, _>>()?;
        let path = named(&options.path)?;
        let no_path = || IndexError::NoPathColumn { table: head.table.clone(), folder: folder.to_owned() };
        let (path, rule) = match (path_column(head, files, path, &options.suffix), path) {
            (Some(found), _) => found,
            // A later row may fit; if none does, that is said with the first row's text.
            (None, Some(path)) => (path, Rule::Path),
            (None, None) => return Err(no_path()),
        };
        let one_hot = options.one_hot.iter().map(|name| head.column(name)).collect::<Result<Vec<usize>, _>>()?;
        let label = label.or_else(|| head.called(&LABEL_NAMES).filter(|&label| label != path));
        let no_label = || IndexError::NoLabelColumn { table: head.table.clone(), columns: head.names.clone() };
        let label = if one_hot.is_empty() { Label::Named(label.ok_or_else(no_label)?) } else { Label::OneHot(one_hot) };
        let split = split.or_else(|| head.called(&SPLIT_NAMES).filter(|&column| all_are_parts(head, column)));
        Ok((Self { path, label, group, split, metadata }, rule))
    }

    fn notes(&self, head: &Head, rule: Rule) -> Vec<Note> {
        let table = head.table.file_name().unwrap_or_default().to_string_lossy();
        let name = |column: usize| &head.names[column];
        let path = name(self.path);
        let label = match &self.label {
            Label::Named(column) => format!("\"{}\"", name(*column)),
            Label::OneHot(columns) => format!("the one of {} columns that is 1", columns.len()),
        };
        let mut text = format!("table {table}: files from column \"{path}\" {}, labels from {label}", rule.describe());
        if let Some(split) = self.split {
            text.push_str(&format!(", parts from \"{}\"", name(split)));
        }
        let mut notes = vec![note("source", text)];
        if self.group.is_none()
            && let Some(group) = head.called(&GROUP_NAMES).filter(|&column| column != self.path)
        {
            let group = name(group);
            let text =
                format!("column \"{group}\" looks like a group; `split.group = \"{group}\"` keeps each on one side");
            notes.push(note("group_column", text));
        }
        notes
    }
}

/// Column and rule that lead most of the first rows to files; the first of equals.
fn path_column(head: &Head, files: &Texts, named: Option<usize>, suffix: &str) -> Option<(usize, Rule)> {
    let mut best = (0, None);
    for rule in Rule::ALL {
        let keys = Keys::new(rule, files);
        let columns = named.map_or(0..head.names.len(), |column| column..column + 1);
        for column in columns {
            let hits = head.sample.iter().filter(|row| keys.find(&row[column], suffix).is_some()).count();
            if hits > best.0 {
                best = (hits, Some((column, rule)));
            }
        }
    }
    best.1
}

fn all_are_parts(head: &Head, column: usize) -> bool {
    head.sample.iter().all(|row| row[column].parse::<Split>().is_ok())
}

/// The pass over all rows.
struct Reading<'a> {
    head: &'a Head,
    columns: &'a Columns,
    keys: Keys<'a>,
    suffix: &'a str,
    files: &'a Texts,
}

impl<'a> Reading<'a> {
    fn new(head: &'a Head, columns: &'a Columns, rule: Rule, suffix: &'a str, files: &'a Texts) -> Self {
        Self { head, columns, keys: Keys::new(rule, files), suffix, files }
    }

    /// Samples, metadata, how table and pictures fit, and what the first row calls its file.
    fn run(&self) -> Result<(Rows, Vec<MetadataColumn>, TableReport, String), IndexError> {
        let table = &self.head.table;
        let mut records = Records::open(table)?;
        let mut rows = Rows::default();
        let mut metadata: Vec<TextColumnBuilder> = self.columns.metadata.iter().map(|_| Default::default()).collect();
        let name = table.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut report = TableReport { table: name, ..Default::default() };
        let mut seen = vec![false; self.files.len()];
        let mut example = None;
        let mut record = csv::ByteRecord::new();
        while records.read(&mut record)? {
            report.rows += 1;
            let field = |column: usize| text(&record[column]);
            let path = field(self.columns.path);
            let found = self.keys.find(&path, self.suffix).map(|file| file as usize);
            example.get_or_insert_with(|| path.clone());
            let Some(file) = found else {
                report.without_file.add(&path);
                continue;
            };
            let label = self.columns.label.of(self.head, &record);
            if std::mem::replace(&mut seen[file], true) {
                report.repeated.add(self.files.get(file));
            } else if label.is_empty() {
                report.unlabelled.add(self.files.get(file));
            } else {
                let line = record.position().map(csv::Position::line);
                let group = self.columns.group.map_or(String::new(), field);
                let part = self.columns.split.map(|column| self.part(&field(column), line)).transpose()?.flatten();
                rows.push(self.files.get(file), &label, &group, part);
                metadata.iter_mut().zip(&self.columns.metadata).for_each(|(to, &column)| to.push(&field(column)));
            }
        }
        let unnamed = self.files.iter().zip(&seen).filter(|(_, seen)| !**seen);
        unnamed.for_each(|(name, _)| report.without_row.add(name));
        let names = self.columns.metadata.iter().map(|&column| self.head.names[column].clone());
        let metadata = names.zip(metadata).map(|(name, values)| MetadataColumn { name, values: values.finish() });
        Ok((rows, metadata.collect(), report, example.unwrap_or_default()))
    }

    fn part(&self, text: &str, line: Option<u64>) -> Result<Option<Split>, IndexError> {
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = |error: <Split as std::str::FromStr>::Err| IndexError::Table {
            table: self.head.table.clone(),
            line,
            reason: error.to_string(),
        };
        text.parse().map(Some).map_err(wrong)
    }
}

pub(super) fn mismatch_note(report: &TableReport) -> Option<Note> {
    let told: Vec<String> = [
        (&report.without_file, "rows without a picture"),
        (&report.without_row, "pictures without a row"),
        (&report.repeated, "rows that name a picture again"),
        (&report.unlabelled, "pictures without a class"),
    ]
    .into_iter()
    .filter(|(mentioned, _)| mentioned.count > 0)
    .map(|(mentioned, what)| format!("{} {what} ({}{})", mentioned.count, mentioned.names[0], more(mentioned)))
    .collect();
    (!told.is_empty()).then(|| note("table_mismatch", format!("{}: {}", report.table, told.join(", "))))
}

fn more(mentioned: &Mentioned) -> &'static str {
    if mentioned.count > 1 { ", …" } else { "" }
}
