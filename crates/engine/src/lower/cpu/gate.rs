//! Channel gates, and their gradients.

use avizor_kernels::gate::{gate, gate_backward, gate_backward_in_place, gate_backward_workspace, gate_in_place};

use crate::lower::{Kernel, Lower, Site};
use crate::ops::{self, gate_shape};

impl Lower for ops::Gate {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let shape = gate_shape(site.input(0));
        match site.overwrites {
            None => Kernel::new("gate", move |cpu, call| {
                let ([x, gates], [y]) = call.slices();
                gate(cpu, shape, x, gates, y);
            }),
            Some(_) => Kernel::new("gate_in_place", move |cpu, call| {
                let ([gates], [y]) = call.slices();
                gate_in_place(cpu, shape, gates, y);
            }),
        }
    }
}

impl Lower for ops::GateGrad {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let shape = gate_shape(site.input(0));
        let words = gate_backward_workspace(shape);
        match site.overwrites {
            None => Kernel::with_workspace("gate_backward", words, move |cpu, call| {
                let ([x, gates, dy], [dx, dgates, workspace]) = call.slices();
                gate_backward(cpu, shape, x, gates, dy, dx, dgates, workspace);
            }),
            Some(_) => Kernel::with_workspace("gate_backward_in_place", words, move |cpu, call| {
                let ([x, gates], [dx, dgates, workspace]) = call.slices();
                gate_backward_in_place(cpu, shape, x, gates, dx, dgates, workspace);
            }),
        }
    }
}
