//! Reading and writing at a place of a file, without a position that threads would share.

use std::fs::File;
use std::io;

#[cfg(unix)]
use std::os::unix::fs::FileExt;
#[cfg(windows)]
use std::os::windows::fs::FileExt;

/// Fills `bytes`.
pub(super) fn read_at(file: &File, bytes: &mut [u8], place: u64) -> io::Result<()> {
    match read_up_to(file, bytes, place)? {
        there if there == bytes.len() => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Fills `bytes` as far as the file goes, and says how far.
pub(super) fn read_up_to(file: &File, bytes: &mut [u8], place: u64) -> io::Result<usize> {
    let mut there = 0;
    while there < bytes.len() {
        let rest = &mut bytes[there..];
        #[cfg(unix)]
        let read = file.read_at(rest, place + there as u64);
        #[cfg(windows)]
        let read = file.seek_read(rest, place + there as u64);
        match read {
            Ok(0) => break,
            Ok(count) => there += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(there)
}

/// Writes all of `bytes`.
pub(super) fn write_at(file: &File, bytes: &[u8], place: u64) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        let rest = &bytes[done..];
        #[cfg(unix)]
        let written = file.write_at(rest, place + done as u64);
        #[cfg(windows)]
        let written = file.seek_write(rest, place + done as u64);
        match written {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
