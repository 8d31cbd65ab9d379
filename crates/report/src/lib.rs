//! From a run folder to a page
