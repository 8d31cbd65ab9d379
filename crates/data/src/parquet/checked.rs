//! Pages as the library reads them, after a look at what they declare: it takes memory for a page by the size in the page's header,
//! and for a dictionary by the number in it, before it has seen a byte of either.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
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

/// The largest page that is read, in bytes when unpacked. Writers aim at one megabyte, but count rows a hundred or a thousand at once.
const LARGEST_PAGE: u64 = 512 << 20;

/// A file that pages are read from.
#[derive(Debug)]
pub(super) struct Source {
    file: File,
    length: u64,
}

impl Source {
    pub(super) fn open(path: &Path) -> std::io::Result<Arc<Self>> {
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
    type T = BufReader<File>;

    /// The library reads headers of pages so, and nothing else once the footer is known.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut header = Vec::with_capacity(16);
        self.at(start)?.take(16).read_to_end(&mut header)?;
        match declared_bytes(&header) {
            Some(bytes) if bytes <= LARGEST_PAGE => Ok(BufReader::with_capacity(256, self.at(start)?)),
            Some(bytes) => Err(ParquetError::General(format!(
                "a page declares {} MiB, and more than {} are not read",
                bytes >> 20,
                LARGEST_PAGE >> 20
            ))),
            None => Err(ParquetError::General("a page has no header".to_owned())),
        }
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

/// How many bytes a page has when unpacked, by the start of its header: a struct in Thrift's compact protocol, whose first fields
/// are the type and the size (`PageHeader` of parquet.thrift).
fn declared_bytes(header: &[u8]) -> Option<u64> {
    /// A field of type i32 whose number is one above the last.
    const NEXT_I32: u8 = 0x15;
    let mut rest = header.strip_prefix(&[NEXT_I32])?;
    varint(&mut rest)?;
    rest = rest.strip_prefix(&[NEXT_I32])?;
    let zigzag = varint(&mut rest)?;
    // The sign is the lowest bit.
    (zigzag & 1 == 0).then_some(zigzag >> 1)
}

/// Seven bits a byte, the lowest first; the last byte has no eighth bit. An i32 takes five at most.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..5 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_stands_where_a_header_begins() {
        for (header, wanted) in [
            // Type 0 (a page of data), 200 bytes, packed to 100.
            (&[0x15, 0x00, 0x15, 0x90, 0x03, 0x15, 0xc8, 0x01][..], Some(200)),
            (&[0x15, 0x04, 0x15, 0x00], Some(0)),
            // The largest i32; one of six bytes; a negative one; one cut off; other fields.
            (&[0x15, 0x00, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f], Some(i32::MAX as u64)),
            (&[0x15, 0x00, 0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], None),
            (&[0x15, 0x00, 0x15, 0x01], None),
            (&[0x15, 0x00, 0x15, 0x90], None),
            (&[0x15, 0x00, 0x25, 0x90, 0x03], None),
            (&[], None),
        ] {
            assert_eq!(declared_bytes(header), wanted, "{header:x?}");
        }
    }
}
