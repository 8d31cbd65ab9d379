//! Pages as the library reads them, after a look at what they declare: it takes memory for a page by the size in the page's header,
//! and for a dictionary by the number in it, before it has seen a byte of either.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use super::thrift::page_header;

/// The largest page that is read, in bytes when unpacked. Writers aim at one megabyte, but count rows a hundred or a thousand at once.
const LARGEST_PAGE: u64 = 512 << 20;

/// The header of a page has some twenty bytes; a hundred where it tells the smallest and the largest value.
const USUAL_HEADER: u64 = 256;
/// And a few kilobytes where those are long texts.
const LONGEST_HEADER: u64 = 64 << 10;

/// A file that pages are read from.
#[derive(Debug)]
pub(super) struct Source {
    file: File,
    length: u64,
}

impl Source {
    pub(super) fn open(path: &Path) -> io::Result<Arc<Self>> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Arc::new(Self { file, length }))
    }

    fn at(&self, start: u64) -> Result<File> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        Ok(file)
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Source {
    type T = Header;

    /// The library reads headers of pages so, and nothing else once the footer is known.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(Header { file: self.at(start)?, checked: None })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let left = self.length.saturating_sub(start);
        if length as u64 > left {
            return Err(ParquetError::EOF(format!("{length} bytes are to follow where there are {left}")));
        }
        let mut bytes = Vec::with_capacity(length);
        self.at(start)?.take(length as u64).read_to_end(&mut bytes)?;
        match bytes.len() == length {
            true => Ok(bytes.into()),
            false => Err(ParquetError::EOF("it ends within a page".to_owned())),
        }
    }
}

/// The header of a page, looked at before its first byte is given: the library also asks for readers that it does not use.
#[derive(Debug)]
pub(super) struct Header {
    file: File,
    checked: Option<Cursor<Vec<u8>>>,
}

impl Read for Header {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.checked {
            Some(bytes) => bytes.read(buffer),
            None => self.checked.insert(Cursor::new(checked_header(&mut self.file)?)).read(buffer),
        }
    }
}

fn checked_header(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(USUAL_HEADER as usize);
    let mut header = None;
    for most in [USUAL_HEADER, LONGEST_HEADER] {
        file.take(most - bytes.len() as u64).read_to_end(&mut bytes)?;
        header = page_header(&bytes);
        if header.is_some() {
            break;
        }
    }
    match header {
        Some(header) if header.unpacked <= LARGEST_PAGE => Ok(bytes),
        Some(header) => Err(io::Error::other(format!(
            "a page declares {} MiB, and more than {} are not read",
            header.unpacked >> 20,
            LARGEST_PAGE >> 20
        ))),
        None => Err(io::Error::other("a page has no header that makes sense")),
    }
}

/// The pages of a column chunk.
pub(super) struct Checked {
    pages: SerializedPageReader<Source>,
    /// Bytes of all pages that were given.
    given: Arc<AtomicUsize>,
}

impl Checked {
    /// The pages of one column of a row group, and a counter of the bytes of those that were unpacked.
    pub(super) fn new(
        source: Arc<Source>,
        chunk: &ColumnChunkMetaData,
        rows: usize,
    ) -> Result<(Self, Arc<AtomicUsize>)> {
        let given = Arc::new(AtomicUsize::new(0));
        let pages = SerializedPageReader::new(source, chunk, rows, None)?;
        Ok((Self { pages, given: Arc::clone(&given) }, given))
    }

    fn check(&self, page: Option<Page>) -> Result<Option<Page>> {
        let Some(page) = page else { return Ok(None) };
        let refused = |text: String| Err(ParquetError::General(text));
        // A value of a dictionary takes four bytes at least: a number, or the length of a text.
        if page.is_dictionary_page() && u64::from(page.num_values()) * 4 > page.buffer().len() as u64 {
            return refused(format!(
                "a dictionary of {} bytes declares {} values",
                page.buffer().len(),
                page.num_values()
            ));
        }
        match page.encoding() {
            Encoding::PLAIN | Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY | Encoding::RLE => {}
            // The library believes the number of values that a page of differences begins with.
            other => return refused(format!("a page is encoded as {other}, which is not read")),
        }
        self.given.fetch_add(page.buffer().len(), Ordering::Relaxed);
        Ok(Some(page))
    }
}

impl Iterator for Checked {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Checked {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        self.check(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn supports_deferred_dictionary(&self) -> bool {
        self.pages.supports_deferred_dictionary()
    }

    fn take_deferred_dictionary(&mut self) -> Result<Option<Page>> {
        let page = self.pages.take_deferred_dictionary()?;
        self.check(page)
    }
}
