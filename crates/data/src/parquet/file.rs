//! A Parquet file: opened by its footer, its texts read row group by row group, its pictures by row.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parquet::basic::Compression;
use parquet::column::page::PageReader;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::ByteArrayType;
use parquet::file::FOOTER_SIZE;
use parquet::file::metadata::{
    FooterTail, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy,
};

use super::ParquetError;
use super::cache::{PageCache, Piece};
use super::checked::{Checked, Source};
use super::columns::{Column, Kind, columns, pictures, said, texts};
use super::thrift::is_bounded;

/// The largest footer that is read. It takes some hundred bytes a column of a row group, which has a hundred rows or more.
const LARGEST_FOOTER: u64 = 32 << 20;
/// More rows are not listed.
const MOST_ROWS: u64 = 100_000_000;
/// As many values of a column are read at once.
const BATCH: u64 = 1024;
/// A page of more rows is read in pieces of so many, for a page of nulls takes next to nothing in the file.
const ROWS_OF_A_PIECE: u64 = 65_536;
/// What people call the column of the pictures, most telling first.
const PICTURE_NAMES: [&str; 6] = ["image", "images", "img", "picture", "photo", "pixel_values"];

/// A Parquet file whose rows hold pictures.
#[derive(Debug)]
pub struct ParquetFile {
    path: PathBuf,
    footer: ParquetMetaData,
    columns: Vec<Column>,
    /// Which of the columns holds the pictures, and the leaf that does.
    pictures: (usize, usize),
    /// The first row of each row group, and the number of all rows.
    starts: Vec<u64>,
    /// Of each row group, once a picture of it was asked for: where the pieces begin that its pages are read in, and its end.
    pieces: Vec<OnceLock<Result<Vec<u64>, String>>>,
    cache: Arc<PageCache>,
    number: usize,
}

impl ParquetFile {
    /// Opens a file by its footer. `pictures` names the column that holds them; by default it is the one that is called so, or
    /// the only one that could.
    ///
    /// # Errors
    /// The file system says no, a file that makes no sense or breaks a limit, no column of pictures.
    pub fn open(path: &Path, pictures: Option<&str>, cache: &Arc<PageCache>) -> Result<Self, ParquetError> {
        let damaged = |problem| ParquetError::Damaged { path: path.to_owned(), problem };
        let (footer, columns, starts) = guarded(|| {
            let footer = footer(path)?;
            let columns = columns(footer.file_metadata());
            let starts = starts(&footer)?;
            Ok((footer, columns, starts))
        })
        .map_err(damaged)?;
        let pictures = picture_column(&columns, pictures).map_err(|(problem, columns)| ParquetError::Pictures {
            path: path.to_owned(),
            problem,
            columns,
        })?;
        let codecs = footer.row_groups().iter().map(|group| group.column(pictures.1).compression());
        if let Some(codec) = codecs.filter_map(not_unpacked).next() {
            return Err(ParquetError::Codec { path: path.to_owned(), codec });
        }
        let pieces = footer.row_groups().iter().map(|_| OnceLock::new()).collect();
        let (cache, number) = (Arc::clone(cache), cache.number_file());
        Ok(Self { path: path.to_owned(), footer, columns, pictures, starts, pieces, cache, number })
    }

    /// The file itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the column of the pictures is called.
    pub fn picture_column(&self) -> &str {
        &self.columns[self.pictures.0].name
    }

    /// The names of the columns that hold text or numbers.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let of_values = |column: &&Column| matches!(column.kind, Kind::Values(_));
        self.columns.iter().filter(of_values).map(|column| column.name.as_str())
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    /// The classes that the numbers of a column stand for, where the file says so.
    pub fn class_names(&self, column: &str) -> Option<&[String]> {
        self.columns.iter().find(|have| have.name == column)?.classes.as_deref()
    }

    /// Gives every row to `each`, in order: its number, and what some of [`ParquetFile::columns`] say of it; nothing for a null.
    ///
    /// # Errors
    /// A file that makes no sense, or is no longer what it was; a column that is none of those.
    pub fn for_each_row(&self, names: &[&str], mut each: impl FnMut(u64, &[String])) -> Result<(), ParquetError> {
        guarded(|| {
            let source = Source::open(&self.path).map_err(|error| error.to_string())?;
            (0..self.pieces.len()).try_for_each(|group| self.rows_of_group(&source, group, names, &mut each))
        })
        .map_err(|problem| ParquetError::Damaged { path: self.path.clone(), problem })
    }

    fn rows_of_group(
        &self,
        source: &Arc<Source>,
        group: usize,
        names: &[&str],
        each: &mut impl FnMut(u64, &[String]),
    ) -> Result<(), String> {
        let mut open = Vec::new();
        for &name in names {
            let column = self.columns.iter().find(|column| column.name == name);
            let Some((column, Kind::Values(leaf))) = column.map(|column| (column, column.kind)) else {
                return Err(format!("it has no column \"{name}\" of text or numbers"));
            };
            open.push((column, leaf, self.reader(source, group, leaf)?.0));
        }
        let schema = self.footer.file_metadata().schema_descr();
        let (mut row, end) = (self.starts[group], self.starts[group + 1]);
        let mut fields = vec![String::new(); names.len()];
        while row < end {
            let rows = (end - row).min(BATCH);
            let mut batch = Vec::new();
            for (column, leaf, reader) in &mut open {
                batch.push(texts(reader, &schema.column(*leaf), column, rows as usize)?.into_iter());
            }
            for row in row..row + rows {
                fields.iter_mut().zip(&mut batch).for_each(|(field, texts)| *field = texts.next().unwrap_or_default());
                each(row, &fields);
            }
            row += rows;
        }
        Ok(())
    }

    /// Fills `bytes` with the picture of a row, of which no more than `most` + 1 bytes are given.
    ///
    /// # Errors
    /// There is no such row, it holds no picture, the file makes no sense or is no longer what it was.
    pub fn read(&self, row: u64, most: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.clear();
        let picture = guarded(|| {
            let group = self.starts.partition_point(|&start| start <= row);
            if group == 0 || group == self.starts.len() {
                return Err(format!("there is no row {row}"));
            }
            let (group, inside) = (group - 1, row - self.starts[group - 1]);
            let pieces = self.pieces(group)?;
            let at = pieces.partition_point(|&start| start <= inside) - 1;
            let piece = self.cache.piece((self.number, group, at), || self.piece(group, pieces[at]..pieces[at + 1]))?;
            Ok(piece.pictures[(inside - pieces[at]) as usize].clone())
        });
        let Some(picture) = picture.map_err(io::Error::other)? else {
            return Err(io::Error::other("the row holds no picture"));
        };
        let picture = picture.data();
        let length = usize::try_from(most.saturating_add(1)).unwrap_or(usize::MAX).min(picture.len());
        bytes.extend_from_slice(&picture[..length]);
        Ok(())
    }

    /// Where the pieces of a row group begin, by the headers of its pages.
    fn pieces(&self, group: usize) -> Result<&[u64], String> {
        let found = self.pieces[group].get_or_init(|| guarded(|| self.find_pieces(group)));
        found.as_deref().map_err(Clone::clone)
    }

    fn find_pieces(&self, group: usize) -> Result<Vec<u64>, String> {
        let rows = self.starts[group + 1] - self.starts[group];
        let source = Source::open(&self.path).map_err(|error| error.to_string())?;
        let (mut pages, _) = self.pages(&source, group, self.pictures.1)?;
        let (mut pieces, mut end) = (vec![0], 0);
        while let Some(page) = pages.peek_next_page().map_err(|error| said(&error))? {
            if !page.is_dict {
                let start = end;
                end += page.num_levels.unwrap_or(0) as u64;
                if end > rows {
                    return Err(format!("the pages of a row group hold {end} rows or more, and it has {rows}"));
                }
                pieces.extend((start..end).step_by(ROWS_OF_A_PIECE as usize).skip(1));
                pieces.extend((end > start).then_some(end));
            }
            pages.skip_next_page().map_err(|error| said(&error))?;
        }
        match end == rows {
            true => Ok(pieces),
            false => Err(format!("the pages of a row group hold {end} rows, and it has {rows}")),
        }
    }

    /// Reads the pictures of some rows of a row group, which are those of a page or a part of it.
    fn piece(&self, group: usize, rows: std::ops::Range<u64>) -> Result<Piece, String> {
        guarded(|| {
            let source = Source::open(&self.path).map_err(|error| error.to_string())?;
            let (mut reader, unpacked) = self.reader(&source, group, self.pictures.1)?;
            if let ColumnReader::ByteArrayColumnReader(reader) = &mut reader {
                skip(reader, rows.start as usize)?;
            }
            let levels = self.footer.file_metadata().schema_descr().column(self.pictures.1).max_def_level();
            let pictures = pictures(&mut reader, levels, (rows.end - rows.start) as usize)?;
            let bytes = unpacked.load(Ordering::Relaxed) + size_of_val(pictures.as_slice());
            Ok(Piece { pictures, bytes })
        })
    }

    fn reader(
        &self,
        source: &Arc<Source>,
        group: usize,
        leaf: usize,
    ) -> Result<(ColumnReader, Arc<AtomicUsize>), String> {
        let (pages, unpacked) = self.pages(source, group, leaf)?;
        let descriptor = self.footer.file_metadata().schema_descr().column(leaf);
        Ok((get_column_reader(descriptor, Box::new(pages)), unpacked))
    }

    fn pages(&self, source: &Arc<Source>, group: usize, leaf: usize) -> Result<(Checked, Arc<AtomicUsize>), String> {
        let rows = (self.starts[group + 1] - self.starts[group]) as usize;
        let chunk = self.footer.row_group(group).column(leaf);
        Checked::new(Arc::clone(source), chunk, rows).map_err(|error| said(&error))
    }
}

fn skip(reader: &mut ColumnReaderImpl<ByteArrayType>, rows: usize) -> Result<(), String> {
    match reader.skip_records(rows).map_err(|error| said(&error))? == rows {
        true => Ok(()),
        false => Err("its column of pictures ends too early".to_owned()),
    }
}

/// The name of a codec that pages cannot be unpacked from.
fn not_unpacked(codec: Compression) -> Option<String> {
    match codec {
        Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) => None,
        Compression::ZSTD(_) if cfg!(feature = "zstd") => None,
        Compression::ZSTD(_) => Some("zstd".to_owned()),
        other => Some(other.to_string()),
    }
}

/// The library panics on some files that make no sense: such a file is a damaged one, not the end of the program.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("its reader gave up on it".to_owned()))
}

/// What stands at the end of a file: the schema, and where every column of every row group lies.
fn footer(path: &Path) -> Result<ParquetMetaData, String> {
    let failed = |error: io::Error| error.to_string();
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let before = length.checked_sub(FOOTER_SIZE as u64).ok_or("it is too short for a Parquet file")?;
    file.seek(SeekFrom::Start(before)).map_err(failed)?;
    let mut tail = [0; FOOTER_SIZE];
    file.read_exact(&mut tail).map_err(failed)?;
    let tail = FooterTail::try_new(&tail).map_err(|_| "it does not end as a Parquet file does")?;
    if tail.is_encrypted_footer() {
        return Err("it is encrypted".to_owned());
    }
    let size = tail.metadata_length() as u64;
    if size > LARGEST_FOOTER {
        return Err(format!("its footer has {} MiB, and more than {} are not read", size >> 20, LARGEST_FOOTER >> 20));
    }
    let start = before.checked_sub(size).ok_or("its footer is longer than the file")?;
    file.seek(SeekFrom::Start(start)).map_err(failed)?;
    let mut bytes = vec![0; size as usize];
    file.read_exact(&mut bytes).map_err(failed)?;
    if !is_bounded(&bytes) {
        return Err("its footer makes no sense".to_owned());
    }
    // Nothing here asks for the smallest and largest value of a column.
    let options = ParquetMetaDataOptions::new()
        .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll);
    ParquetMetaDataReader::decode_metadata_with_options(&bytes, Some(&options)).map_err(|error| said(&error))
}

/// The first row of each row group, and the number of all rows.
fn starts(footer: &ParquetMetaData) -> Result<Vec<u64>, String> {
    let mut starts = vec![0];
    let mut end: u64 = 0;
    for group in footer.row_groups() {
        let rows = u64::try_from(group.num_rows()).map_err(|_| "a row group has fewer than no rows")?;
        end = end.saturating_add(rows);
        starts.push(end);
    }
    match end {
        0 => Err("it has no rows".to_owned()),
        1..=MOST_ROWS => Ok(starts),
        _ => Err(format!("it has {end} rows, and more than {MOST_ROWS} are not read")),
    }
}

/// Place and leaf of the column that holds the pictures; or what is wrong, and which columns could.
fn picture_column(columns: &[Column], named: Option<&str>) -> Result<(usize, usize), (String, Vec<String>)> {
    let could: Vec<(usize, usize)> = columns
        .iter()
        .enumerate()
        .filter_map(|(at, column)| match column.kind {
            Kind::Pictures(leaf) => Some((at, leaf)),
            _ => None,
        })
        .collect();
    let called = |name: &str| could.iter().copied().find(|&(at, _)| columns[at].name.eq_ignore_ascii_case(name));
    let names = || could.iter().map(|&(at, _)| columns[at].name.clone()).collect();
    if let Some(named) = named {
        let found = could.iter().copied().find(|&(at, _)| columns[at].name == named);
        return found.ok_or_else(|| (format!("has no column \"{named}\" of pictures"), names()));
    }
    match (PICTURE_NAMES.iter().find_map(|name| called(name)), could.as_slice()) {
        (Some(found), _) => Ok(found),
        (None, [only]) => Ok(*only),
        (None, []) => Err(("has no column of pictures".to_owned(), Vec::new())),
        (None, _) => Err(("has several columns that could hold the pictures".to_owned(), names())),
    }
}
