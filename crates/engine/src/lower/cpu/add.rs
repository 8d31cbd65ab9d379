//! Addition.

use avizor_kernels::elementwise::{add, add_in_place};

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::Add {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        match site.overwrites {
            None => Kernel::new("add", |cpu, call| {
                let ([left, right], [y]) = call.slices();
                add(cpu, left, right, y);
            }),
            Some(_) => Kernel::new("add_in_place", |cpu, call| {
                let ([other], [y]) = call.slices();
                add_in_place(cpu, y, other);
            }),
        }
    }
}
