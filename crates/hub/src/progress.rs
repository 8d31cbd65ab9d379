//! What a transfer tells while it lasts.

/// A step of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It begins.
    Begins {
        /// What is fetched, from where.
        what: String,
        /// Bytes in all, where that is known.
        bytes: Option<u64>,
    },
    /// So much of it is here, what earlier tries brought included.
    Bytes(u64),
    /// The connection broke; it is tried again from where it was.
    Again {
        /// Why it broke.
        why: String,
    },
    /// The server cannot be reached or answers badly; a file that was fetched before will do.
    Kept {
        /// Why it could not be asked.
        why: String,
    },
}
