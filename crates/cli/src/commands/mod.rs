//! One file a command: its arguments in, its output out.

pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod data;
pub(crate) mod decide;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod fetch;
pub(crate) mod lr_find;
pub(crate) mod models;
pub(crate) mod predict;
mod predict_metadata;
pub(crate) mod recipes;
pub(crate) mod report;
pub(crate) mod split;
pub(crate) mod train;
pub(crate) mod variants;
pub(crate) mod weights;
