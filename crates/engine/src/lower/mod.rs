//! From operators to kernels, one folder a device.

pub(crate) mod cpu;
mod kernel;

pub(crate) use kernel::{Call, Kernel, Lower, Packing, Row, Site, bytes, bytes_mut, integers, row};
