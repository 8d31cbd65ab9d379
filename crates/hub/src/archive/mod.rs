//! Packages as files: what is named is taken out of them, and nothing else is looked at.

pub(crate) mod tar;
pub(crate) mod wheel;

use std::io::{self, Read};

/// A reader that fails where more comes than there may be, instead of ending there.
pub(crate) struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R> Bounded<R> {
    pub(crate) fn new(inner: R, most: u64) -> Self {
        Self { inner, left: most }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other("it is too large unpacked"))?;
        Ok(read)
    }
}
