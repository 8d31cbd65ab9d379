//! Channel gates, and their gradients.

use avizor_kernels::gate::{
    GateShape, gate, gate_backward, gate_backward_in_place, gate_backward_workspace, gate_in_place,
};
use avizor_kernels::{Element, elements, elements_mut};

use crate::lower::{Kernel, Lower, Maps, Site};
use crate::ops::{self, gate_shape};

impl Lower for ops::Gate {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        kernel::<E>(gate_shape(site.input(0)), site)
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0], outputs: &[0] })
    }
}

impl Lower for ops::GateGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        gradient_kernel::<E>(gate_shape(site.input(0)), site)
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0, 2], outputs: &[0] })
    }
}

/// Of maps and gates.
pub(super) fn kernel<E: Element>(shape: GateShape, site: &Site<'_>) -> Kernel {
    let len = shape.map_len();
    match site.overwrites {
        None => Kernel::new("gate", move |cpu, call| {
            let ([x, gates], [y]) = call.slices();
            gate::<E>(cpu, shape, elements(x, len), gates, elements_mut(y, len));
        }),
        Some(_) => Kernel::new("gate_in_place", move |cpu, call| {
            let ([gates], [y]) = call.slices();
            gate_in_place::<E>(cpu, shape, gates, elements_mut(y, len));
        }),
    }
}

/// Of maps, gates and the gradient of what they gave.
pub(super) fn gradient_kernel<E: Element>(shape: GateShape, site: &Site<'_>) -> Kernel {
    let (words, len) = (gate_backward_workspace(shape), shape.map_len());
    match site.overwrites {
        None => Kernel::with_workspace("gate_backward", words, move |cpu, call| {
            let ([x, gates, dy], [dx, dgates, workspace]) = call.slices();
            let [x, dy] = [x, dy].map(|map| elements::<E>(map, len));
            gate_backward(cpu, shape, x, gates, dy, elements_mut(dx, len), dgates, workspace);
        }),
        Some(_) => Kernel::with_workspace("gate_backward_in_place", words, move |cpu, call| {
            let ([x, gates], [dx, dgates, workspace]) = call.slices();
            let (x, dx) = (elements::<E>(x, len), elements_mut(dx, len));
            gate_backward_in_place(cpu, shape, x, gates, dx, dgates, workspace);
        }),
    }
}
