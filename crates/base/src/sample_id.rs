//! What a sample is called for good.

use std::fmt;

use sha2::{Digest, Sha256};

/// Stable identity of a sample: the first 64 bits of the SHA-256 of its name.
///
/// The name is the path inside the data folder with `/` between parts, or the member of an archive. It does not
/// depend on the order of listing, so adding a picture changes no other picture's id, split or augmentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleId(pub u64);

impl SampleId {
    /// The id of the sample with this name.
    pub fn of(name: &str) -> Self {
        Self(hash_text(name))
    }
}

impl fmt::Display for SampleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The first 64 bits of the SHA-256 of a text: a hash that is the same on every machine and in every version.
pub(crate) fn hash_text(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_start_of_the_sha256() {
        // The test vector of FIPS 180-2, appendix B.1.
        assert_eq!(SampleId::of("abc").to_string(), "ba7816bf8f01cfea");
    }
}
