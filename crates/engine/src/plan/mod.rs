//! Where values lie: which share a buffer, and where each buffer lies in memory.

mod arrange;
mod buffers;

pub(crate) use arrange::{Extent, arrange};
pub(crate) use buffers::{Buffers, Home, is_view};
