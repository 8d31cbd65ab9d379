//! A walk over a struct in Thrift's compact protocol, before the library reads it. The library counts through a list of truth values
//! without reading a byte, two billion times where five bytes say so, and copies a text of a declared length to nowhere.

/// Structs and lists in each other; those of Parquet go six deep.
const DEEPEST: u32 = 16;

/// What the start of some bytes was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageHeader {
    /// Bytes of the page when unpacked.
    pub(super) unpacked: u64,
}

/// The header of a page (`PageHeader` of parquet.thrift): its first fields are numbers, type and sizes, and it holds no list. `None`
/// for anything else, or if it does not end within these bytes.
pub(super) fn page_header(bytes: &[u8]) -> Option<PageHeader> {
    Walk { rest: bytes, lists: false }.structure(DEEPEST)?;
    /// A field of type i32 whose number is one above the last.
    const NEXT_I32: u8 = 0x15;
    let mut start = Walk { rest: bytes.strip_prefix(&[NEXT_I32])?, lists: false };
    start.varint()?;
    let mut size = Walk { rest: start.rest.strip_prefix(&[NEXT_I32])?, lists: false };
    let zigzag = size.varint()?;
    // The sign is the lowest bit.
    (zigzag & 1 == 0).then_some(PageHeader { unpacked: zigzag >> 1 })
}

/// Whether some bytes begin with a struct, as a footer is one, no list in which is longer than the bytes that could hold it.
pub(super) fn is_bounded(bytes: &[u8]) -> bool {
    Walk { rest: bytes, lists: true }.structure(DEEPEST).is_some()
}

/// What is left, and whether there may be lists in it.
struct Walk<'b> {
    rest: &'b [u8],
    lists: bool,
}

impl Walk<'_> {
    fn structure(&mut self, depth: u32) -> Option<()> {
        loop {
            let field = self.byte()?;
            if field & 0xf == 0 {
                return Some(());
            }
            // The number of the field, where it is not told as a step from the last one's.
            if field >> 4 == 0 {
                self.varint()?;
            }
            self.value(field & 0xf, depth)?;
        }
    }

    fn value(&mut self, kind: u8, depth: u32) -> Option<()> {
        match kind {
            // True and false are in the kind.
            1 | 2 => Some(()),
            3 => self.skip(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 if self.lists => self.list(depth.checked_sub(1)?),
            12 => self.structure(depth.checked_sub(1)?),
            13 => self.skip(16),
            // Maps: Parquet has none.
            _ => None,
        }
    }

    fn list(&mut self, depth: u32) -> Option<()> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        let kind = head & 0xf;
        let is_told = count <= self.rest.len() as u64 && (count == 0 || !matches!(kind, 1 | 2));
        if !is_told {
            return None;
        }
        (0..count).try_for_each(|_| self.value(kind, depth))
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn skip(&mut self, bytes: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(bytes).ok()?..)?;
        Some(())
    }

    /// Seven bits a byte, the lowest first; the last byte has no eighth bit.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(7 * place).unwrap_or(0);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_stands_where_a_header_begins() {
        let header = |bytes: &[u8]| page_header(bytes).map(|header| header.unpacked);
        for (bytes, wanted) in [
            // Type 0 (a page of data), 200 bytes, packed to 100.
            (&[0x15, 0x00, 0x15, 0x90, 0x03, 0x15, 0xc8, 0x01, 0x00][..], Some(200)),
            // With what is known of the page: two numbers.
            (&[0x15, 0x00, 0x15, 0x14, 0x15, 0x14, 0x2c, 0x15, 0x04, 0x15, 0x00, 0x00, 0x00], Some(10)),
            (&[0x15, 0x04, 0x15, 0x00, 0x00], Some(0)),
            // The largest i32; a negative one; ones cut off; other fields.
            (&[0x15, 0x00, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x00], Some(i32::MAX as u64)),
            (&[0x15, 0x00, 0x15, 0x01, 0x00], None),
            (&[0x15, 0x00, 0x15, 0x90, 0x03, 0x15, 0xc8, 0x01], None),
            (&[0x15, 0x00, 0x15, 0x90], None),
            (&[0x15, 0x00, 0x25, 0x90, 0x03, 0x00], None),
            (&[], None),
        ] {
            assert_eq!(header(bytes), wanted, "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_counted_without_being_there_is_refused() {
        const MOST: [u8; 5] = [0xff, 0xff, 0xff, 0xff, 0x07];
        let field = |start: &[u8]| [start, &MOST, &[0; 40]].concat();
        // Lists of truth values, numbers and structs, a set, a text, a map.
        for start in [&[0x19, 0xf1][..], &[0x19, 0xf2], &[0x19, 0xf5], &[0x19, 0xfc], &[0x1a, 0xf3], &[0x18], &[0x1b]] {
            assert!(!is_bounded(&field(start)), "{start:x?}");
            let header = [&[0x15, 0x00, 0x15, 0x02, 0x15, 0x02][..], &field(start)].concat();
            assert_eq!(page_header(&header), None, "{start:x?}");
        }
        assert!(is_bounded(&[0x19, 0x25, 0x02, 0x04, 0x19, 0x00, 0x00]));
        // Deeper than anything is.
        assert!(!is_bounded(&[0x1c; 100]));
        assert!(is_bounded(&[&[0x1c; 10][..], &[0; 11]].concat()));
    }
}
