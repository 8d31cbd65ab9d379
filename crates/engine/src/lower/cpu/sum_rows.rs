//! Sums over everything but the channels.

use avizor_kernels::elementwise::{sum_rows, sum_rows_workspace};
use avizor_kernels::{Element, elements};

use crate::lower::{Kernel, Lower, Maps, Site};
use crate::ops;

impl Lower for ops::SumRows {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let channels = site.output(0)[0];
        let rows = site.input(0).elements() / channels;
        Kernel::with_workspace("sum_rows", sum_rows_workspace(rows, channels), move |cpu, call| {
            let ([x], [sums, workspace]) = call.slices();
            sum_rows(cpu, rows, channels, elements::<E>(x, rows * channels), sums, workspace);
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0], outputs: &[] })
    }
}
