//! Tar, as npm packs: regular files under names of at most 256 bytes.
//!
//! Source: POSIX.1-1988, "ustar". Entries whose name or size stands in another entry before them (pax, GNU) are passed
//! over, as are links and folders: none of them is a file that is looked for.

use std::io::{self, Read};
use std::str;

/// Headers and contents fill whole blocks.
const BLOCK: usize = 512;
/// A larger pax header is refused.
const MOST_PAX_BYTES: u64 = 1 << 16;

/// Gives every regular file to `take`: its name, its size and a reader of its content, which need not be read to its end.
///
/// # Errors
/// When it is damaged, and whatever `take` returns.
pub(crate) fn for_each_file(
    tar: &mut impl Read,
    mut take: impl FnMut(&str, u64, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut is_renamed = false;
    loop {
        let mut block = [0; BLOCK];
        tar.read_exact(&mut block)?;
        if block == [0; BLOCK] {
            return Ok(());
        }
        let header = Header::read(&block)?;
        let mut content = tar.take(header.size);
        match header.kind {
            b'0' | 0 => {
                if let Some(name) = header.name.filter(|_| !is_renamed) {
                    take(&name, header.size, &mut content)?;
                }
                is_renamed = false;
            }
            b'x' => is_renamed |= renames(&mut content, header.size)?,
            b'L' | b'K' => is_renamed = true,
            b'g' => {}
            _ => is_renamed = false,
        }
        // What was not read, and the rest of the last block.
        let padding = header.size.next_multiple_of(BLOCK as u64) - header.size;
        let unread = content.limit();
        skip(tar, unread)?;
        skip(tar, padding)?;
    }
}

struct Header {
    /// `None` where it is no text.
    name: Option<String>,
    size: u64,
    kind: u8,
}

impl Header {
    fn read(block: &[u8; BLOCK]) -> io::Result<Self> {
        let sum = octal(&block[148..156]).ok_or_else(|| damaged("a header without its sum"))?;
        // The sum is made with blanks in its own place.
        let bytes = block.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { b' ' } else { byte });
        if sum != bytes.map(u64::from).sum::<u64>() {
            return Err(damaged("a header whose sum is another one"));
        }
        let size = octal(&block[124..136]).ok_or_else(|| damaged("a file without a size"))?;
        if size > i64::MAX as u64 {
            return Err(damaged("a file of a size that cannot be"));
        }
        let prefix = if &block[257..263] == b"ustar\0" { text(&block[345..500]) } else { Some("") };
        let name = prefix.zip(text(&block[..100])).map(|(prefix, name)| match prefix {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        });
        Ok(Self { name, size, kind: block[156] })
    }
}

/// Whether a pax header gives the next entry another name or size.
fn renames(content: &mut impl Read, size: u64) -> io::Result<bool> {
    if size > MOST_PAX_BYTES {
        return Err(damaged("a header that is too long"));
    }
    let mut records = Vec::new();
    content.read_to_end(&mut records)?;
    let has = |key: &[u8]| records.windows(key.len()).any(|window| window == key);
    Ok(has(b" path=") || has(b" size="))
}

/// Up to the first zero byte.
fn text(field: &[u8]) -> Option<&str> {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    str::from_utf8(&field[..end]).ok()
}

/// Octal digits, with blanks before and a blank or zero byte behind.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = text(field)?.trim_matches(' ');
    if digits.starts_with('+') { None } else { u64::from_str_radix(digits, 8).ok() }
}

fn skip(reader: &mut impl Read, bytes: u64) -> io::Result<()> {
    if io::copy(&mut reader.take(bytes), &mut io::sink())? < bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it is damaged: {what}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An entry: header, content, padding.
    pub(crate) fn entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        block[156] = kind;
        block[257..265].copy_from_slice(b"ustar\x0000");
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block.extend(content);
        block.resize(block.len().next_multiple_of(BLOCK), 0);
        block
    }

    pub(crate) fn end() -> Vec<u8> {
        vec![0; 2 * BLOCK]
    }

    fn files(mut tar: &[u8]) -> io::Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        for_each_file(&mut tar, |name, _, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            files.push((name.to_owned(), bytes));
            Ok(())
        })?;
        Ok(files)
    }

    fn sample() -> Vec<u8> {
        [
            entry("package/", b'5', b""),
            entry("package/a.bin", b'0', &[7; 600]),
            entry("pax", b'x', b"20 path=package/b.bin\n"),
            entry("package/renamed", b'0', b"no"),
            entry("pax", b'x', b"18 mtime=12345.678\n"),
            entry("package/c.bin", 0, &[8; 512]),
            entry("link", b'2', b""),
            entry("package/empty", b'0', b""),
            end(),
        ]
        .concat()
    }

    #[test]
    fn regular_files_are_found() {
        let found = files(&sample()).expect("it is whole");
        let wanted = [("package/a.bin", vec![7; 600]), ("package/c.bin", vec![8; 512]), ("package/empty", Vec::new())];
        assert_eq!(found, wanted.map(|(name, content)| (name.to_owned(), content)));
        let mut names = Vec::new();
        let unread = for_each_file(&mut &sample()[..], |name, size, _| {
            names.push((name.to_owned(), size));
            Ok(())
        });
        unread.expect("contents need not be read");
        assert_eq!(names.len(), 3);
    }

    #[test]
    fn what_is_damaged_is_refused() {
        let sample = sample();
        assert!(files(&sample[..700]).is_err(), "cut in a content");
        assert!(files(&sample[..100]).is_err(), "cut in a header");
        assert!(files(&[]).is_err(), "no end");
        let mut changed = sample.clone();
        changed[BLOCK + 130] = b'7';
        assert!(files(&changed).expect_err("a size was changed").to_string().contains("sum"));
    }

    /// With its sum put right, any header is read or refused.
    fn resealed(mut tar: Vec<u8>) -> Vec<u8> {
        for block in tar.chunks_exact_mut(BLOCK) {
            if &block[257..262] == b"ustar" {
                block[148..156].fill(b' ');
                let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
                block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
            }
        }
        tar
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Tarballs with some bytes changed are read or refused; nothing else happens.
        #[test]
        fn changed_tarballs_are_read_or_refused(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
            sizes in prop::collection::vec((0..9usize, 0..12usize, any::<u8>()), 0..4),
            end in any::<prop::sample::Index>(),
            cut in any::<bool>(),
        ) {
            let mut bytes = sample();
            for (place, byte) in changes {
                let at = place.index(bytes.len());
                bytes[at] = byte;
            }
            for (block, digit, byte) in sizes {
                bytes[block * BLOCK + 124 + digit] = byte;
            }
            let mut bytes = resealed(bytes);
            if cut {
                bytes.truncate(end.index(bytes.len()));
            }
            if let Ok(files) = files(&bytes) {
                prop_assert!(files.iter().map(|(_, content)| content.len()).sum::<usize>() <= bytes.len());
            }
        }
    }
}
