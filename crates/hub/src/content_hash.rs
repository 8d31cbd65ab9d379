//! SHA-256 of what is written.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

/// Hashes what is written to it.
#[derive(Clone, Default)]
pub(crate) struct ContentHash(Sha256);

impl ContentHash {
    /// Of bytes.
    pub(crate) fn of(bytes: &[u8]) -> String {
        Self(Sha256::new_with_prefix(bytes)).so_far()
    }

    /// Of what was written, as 64 hexadecimal digits.
    pub(crate) fn so_far(&self) -> String {
        self.0.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Write for ContentHash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
