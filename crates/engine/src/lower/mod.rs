//! From operators to kernels, one folder a device.

pub(crate) mod cpu;
mod kernel;
mod widen;

pub(crate) use kernel::{Call, Kernel, Lower, Maps, Packing, Row, Site, bytes, bytes_mut, integers, row};
