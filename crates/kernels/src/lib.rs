//! Arithmetic on slices for every CPU level, its thread pool and its f64 references
