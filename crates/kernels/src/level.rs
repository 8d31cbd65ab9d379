//! Which instructions the kernels may use.

use std::fmt;
use std::str::FromStr;

/// A set of CPU instructions that kernels are written for, from the least to the most capable of an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Plain Rust, on every machine.
    Scalar,
    /// 128-bit vectors of AArch64.
    Neon,
    /// AVX2 with FMA: x86-64 since about 2013.
    Avx2,
    /// AVX-512 F, VL, BW and DQ.
    Avx512,
}

impl Level {
    /// All levels, least first.
    pub const ALL: [Self; 4] = [Self::Scalar, Self::Neon, Self::Avx2, Self::Avx512];

    /// Whether this machine has the level's instructions. The standard library caches the answer.
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
            }
            _ => false,
        }
    }

    /// Whether this machine has the level's instruction for sums of two products of 16 bits ([`Bf16`](crate::Bf16)).
    pub fn has_pairs(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => self.is_available() && is_x86_feature_detected!("avx512bf16"),
            _ => false,
        }
    }

    /// The most capable level of this machine.
    pub fn best() -> Self {
        Self::ALL.into_iter().rev().find(|level| level.is_available()).unwrap_or(Self::Scalar)
    }

    /// The levels of this machine, least first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|level| level.is_available())
    }

    /// `scalar`, `neon`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no level of this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{asked}\" is no CPU level of this machine; it has {available}")]
pub struct UnknownLevel {
    /// What was asked for.
    pub asked: String,
    /// The names that would have done.
    pub available: String,
}

impl FromStr for Level {
    type Err = UnknownLevel;

    /// Only levels that this machine has: holding a parsed level is as good as having tested for it.
    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        Self::available().find(|level| level.name() == text).ok_or_else(|| UnknownLevel {
            asked: text.to_owned(),
            available: Self::available().map(Self::name).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_understood_and_others_are_told_what_there_is() {
        for level in Level::available() {
            assert_eq!(level.name().parse(), Ok(level));
        }
        let error = "sse9".parse::<Level>().unwrap_err();
        assert!(error.to_string().contains("\"sse9\"") && error.to_string().contains("scalar"));
    }
}
