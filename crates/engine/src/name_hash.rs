//! A number from a name, the same on every machine and in every version.

/// FNV-1a, 64 bits. Source: Fowler, Noll, Vo. Streams of random numbers are keyed with it.
pub(crate) fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_keep_their_numbers() {
        assert_eq!(super::name_hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(super::name_hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
