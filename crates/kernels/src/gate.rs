//! Channel gates: every map of a picture times one number, as squeeze-and-excitation does.

use std::ops::Range;

use crate::column_sums::{BLOCK, RowChunks, add_up, as_f64, join, lanes, put_lanes};
use crate::parts::{PART, for_each_part};
use crate::per_element::per_element;
use crate::per_level::per_level;
use crate::pool::Disjoint;
use crate::{Cpu, Element};

/// Sizes of maps `[batch][pixels][channels]` and of their gates `[batch][channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GateShape {
    /// Pictures.
    pub batch: usize,
    /// Height times width of a map.
    pub pixels: usize,
    /// Maps of a picture.
    pub channels: usize,
}

impl GateShape {
    /// Numbers of all maps.
    pub fn map_len(&self) -> usize {
        self.batch * self.pixels * self.channels
    }

    /// Numbers of all gates.
    pub fn gate_len(&self) -> usize {
        self.batch * self.channels
    }

    /// How the pixels of a picture are cut: a batch of one has parts too.
    fn chunks(&self) -> RowChunks {
        RowChunks::new(self.pixels, self.channels)
    }

    fn check(&self, maps: &[usize], gates: &[usize]) {
        assert!(maps.iter().all(|&len| len == self.map_len()), "maps are {self:?}");
        assert!(gates.iter().all(|&len| len == self.gate_len()), "gates are {self:?}");
    }
}

per_element! {
    /// `y[b][p][c] = x[b][p][c] · gate[b][c]`.
    ///
    /// # Panics
    /// When a slice has not the length that the shape says; so do all functions here.
    pub fn gate[E](cpu: &Cpu, shape: GateShape, x: &[E], gate: &[f32], y: &mut [E]) {
        shape.check(&[x.len(), y.len()], &[gate.len()]);
        for_each_run(cpu, shape, y, |picture, range, y| gate_run(cpu, of_picture(shape, gate, picture), &x[range], y));
    }
}

per_element! {
    /// [`gate`], over the maps.
    pub fn gate_in_place[E](cpu: &Cpu, shape: GateShape, gate: &[f32], x_y: &mut [E]) {
        shape.check(&[x_y.len()], &[gate.len()]);
        for_each_run(cpu, shape, x_y, |picture, _, x_y| gate_run_in_place(cpu, of_picture(shape, gate, picture), x_y));
    }
}

/// Words of workspace that [`gate_backward`] and [`gate_backward_in_place`] need.
pub fn gate_backward_workspace(shape: GateShape) -> usize {
    shape.chunks().workspace(shape.gate_len())
}

per_element! {
    /// Both gradients of [`gate`]: `dx = dy · gate`, `dgate[b][c] = Σ_p dy[b][p][c] · x[b][p][c]`. A task is some pixels of
    /// a picture; blocks of 32 are summed in f32, the rest in f64.
    pub fn gate_backward[E](
        cpu: &Cpu,
        shape: GateShape,
        x: &[E],
        gate: &[f32],
        dy: &[E],
        dx: &mut [E],
        dgate: &mut [f32],
        workspace: &mut [f32],
    ) {
        shape.check(&[x.len(), dy.len(), dx.len()], &[gate.len(), dgate.len()]);
        backward(cpu, shape, x, gate, Some(dy), dx, dgate, workspace);
    }
}

per_element! {
    /// [`gate_backward`], with the gradient of the maps over that of the result.
    pub fn gate_backward_in_place[E](
        cpu: &Cpu,
        shape: GateShape,
        x: &[E],
        gate: &[f32],
        dy_dx: &mut [E],
        dgate: &mut [f32],
        workspace: &mut [f32],
    ) {
        shape.check(&[x.len(), dy_dx.len()], &[gate.len(), dgate.len()]);
        backward(cpu, shape, x, gate, None, dy_dx, dgate, workspace);
    }
}

/// Without `dy` it is what `dx` holds.
fn backward<E: Element>(
    cpu: &Cpu,
    shape: GateShape,
    x: &[E],
    gate: &[f32],
    dy: Option<&[E]>,
    dx: &mut [E],
    dgate: &mut [f32],
    workspace: &mut [f32],
) {
    let GateShape { batch, pixels, channels } = shape;
    if shape.map_len() == 0 {
        return dgate.fill(0.0);
    }
    let (chunks, count) = (shape.chunks(), shape.chunks().count());
    let partial = &mut as_f64(workspace)[..batch * count * channels];
    {
        let (dx, partial) = (Disjoint::new(dx), Disjoint::new(&mut *partial));
        cpu.pool().run(batch * count, &|task, _worker| {
            let (picture, rows) = (task / count, chunks.range(task % count));
            let (start, len) = ((picture * pixels + rows.start) * channels, rows.len() * channels);
            let here = start..start + len;
            let dy = dy.map(|dy| &dy[here.clone()]);
            // SAFETY: every task comes once; chunks of pixels do not overlap, nor do their sums.
            let (dx, sums) = unsafe { (dx.slice(start, len), partial.slice(task * channels, channels)) };
            sums.fill(0.0);
            backward_pixels(cpu, &x[here], of_picture(shape, gate, picture), dy, dx, sums);
        });
    }
    for (dgate, partial) in dgate.chunks_exact_mut(channels).zip(partial.chunks_exact_mut(count * channels)) {
        let totals = add_up(cpu, channels, partial);
        dgate.iter_mut().zip(totals).for_each(|(dgate, &total)| *dgate = total as f32);
    }
}

fn of_picture(shape: GateShape, gate: &[f32], picture: usize) -> &[f32] {
    &gate[picture * shape.channels..(picture + 1) * shape.channels]
}

/// Cuts maps into whole pixels, and where a picture ends; a batch of one picture has parts too.
fn for_each_run<E: Element>(
    cpu: &Cpu,
    shape: GateShape,
    maps: &mut [E],
    each: impl Fn(usize, Range<usize>, &mut [E]) + Sync,
) {
    let map = shape.pixels * shape.channels;
    if maps.is_empty() {
        return;
    }
    let part = PART.div_ceil(shape.channels) * shape.channels;
    for_each_part(cpu, part, [maps], |range, [mut rest]| {
        let mut start = range.start;
        while start < range.end {
            let picture = start / map;
            let end = ((picture + 1) * map).min(range.end);
            let (run, behind) = std::mem::take(&mut rest).split_at_mut(end - start);
            each(picture, start..end, run);
            (start, rest) = (end, behind);
        }
    });
}

per_level! {
    fn gate_run[E: Element](gate: &[f32], x: &[E], y: &mut [E]) {
        for (y, x) in y.chunks_exact_mut(gate.len()).zip(x.chunks_exact(gate.len())) {
            for ((y, x), gate) in y.iter_mut().zip(x).zip(gate) {
                *y = E::from_f32(x.to_f32() * gate);
            }
        }
    }
}

per_level! {
    fn gate_run_in_place[E: Element](gate: &[f32], x_y: &mut [E]) {
        for x_y in x_y.chunks_exact_mut(gate.len()) {
            for (x_y, gate) in x_y.iter_mut().zip(gate) {
                *x_y = E::from_f32(x_y.to_f32() * gate);
            }
        }
    }
}

per_level! {
    fn backward_pixels[E: Element](x: &[E], gate: &[f32], dy: Option<&[E]>, dx: &mut [E], totals: &mut [f64]) {
        let channels = gate.len();
        // Strips inside blocks: a block stays in the cache while its strips pass.
        for (number, dx) in dx.chunks_mut(BLOCK * channels).enumerate() {
            let here = number * BLOCK * channels..number * BLOCK * channels + dx.len();
            let (x, dy) = (&x[here.clone()], dy.map(|dy| &dy[here]));
            let mut channel = 0;
            while channel + 32 <= channels {
                backward_strip::<E, 32>(x, gate, dy, dx, channel, totals);
                channel += 32;
            }
            while channel + 8 <= channels {
                backward_strip::<E, 8>(x, gate, dy, dx, channel, totals);
                channel += 8;
            }
            while channel < channels {
                backward_strip::<E, 1>(x, gate, dy, dx, channel, totals);
                channel += 1;
            }
        }
    }
}

#[inline(always)]
fn backward_strip<E: Element, const L: usize>(
    x: &[E],
    gate: &[f32],
    dy: Option<&[E]>,
    dx: &mut [E],
    channel: usize,
    totals: &mut [f64],
) {
    let channels = gate.len();
    let gate: [f32; L] = lanes(gate, channel);
    let mut sums = [0.0; L];
    for start in (channel..x.len()).step_by(channels) {
        let x: [f32; L] = lanes(x, start);
        let dy: [f32; L] = lanes(dy.unwrap_or(dx), start);
        let mut product = [0.0; L];
        for lane in 0..L {
            sums[lane] += dy[lane] * x[lane];
            product[lane] = dy[lane] * gate[lane];
        }
        put_lanes(&product, dx, start);
    }
    join(&mut totals[channel..], &sums);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{assert_agrees, assert_is_slope, everywhere, exact, noise, weigh};
    use crate::reference;

    const SHAPES: &[[usize; 3]] = &[
        [1, 1, 1],
        [2, 7, 3],
        [3, 31, 8],
        [1, 32, 33],
        [2, 33, 41],
        [5, 65, 64],
        [1, 2000, 17],
        [4, 3136, 6],
        [3, 49, 1152],
        [2, 1, 20_000],
        [0, 4, 3],
        [2, 0, 3],
        [2, 4, 0],
    ];

    #[test]
    fn maps_and_gradients_agree_with_the_references() {
        for &[batch, pixels, channels] in SHAPES {
            let shape = GateShape { batch, pixels, channels };
            let case = format!("{shape:?}");
            let (x, dy) = (noise(shape.map_len(), 1), noise(shape.map_len(), 2));
            let gates = noise(shape.gate_len(), 3);
            let [y, y_over, dx, dgate, dx_over, dgate_over] = everywhere(&case, |cpu| {
                let (mut y, mut y_over) = (vec![f32::NAN; x.len()], x.clone());
                gate(cpu, shape, &x, &gates, &mut y);
                gate_in_place(cpu, shape, &gates, &mut y_over);
                let (mut dx, mut dgate) = (vec![f32::NAN; x.len()], vec![f32::NAN; gates.len()]);
                let (mut dx_over, mut dgate_over) = (dy.clone(), dgate.clone());
                // From an odd word on: an f64 does not start there.
                let mut workspace = vec![f32::NAN; gate_backward_workspace(shape) + 1];
                gate_backward(cpu, shape, &x, &gates, &dy, &mut dx, &mut dgate, &mut workspace[1..]);
                gate_backward_in_place(cpu, shape, &x, &gates, &mut dx_over, &mut dgate_over, &mut workspace[1..]);
                [y, y_over, dx, dgate, dx_over, dgate_over]
            });
            assert_eq!((&y, &dx, &dgate), (&y_over, &dx_over, &dgate_over), "{case}");
            let (x, gates, dy) = (exact(&x), exact(&gates), exact(&dy));
            assert_agrees(&case, &y, &reference::gate(&shape, &x, &gates));
            let (want_dx, want_dgate) = reference::gate_backward(&shape, &x, &gates, &dy);
            assert_agrees(&format!("dx of {case}"), &dx, &want_dx);
            assert_agrees(&format!("dgate of {case}"), &dgate, &want_dgate);
        }
    }

    #[test]
    fn references_are_slopes_of_their_values() {
        let shape = GateShape { batch: 2, pixels: 5, channels: 3 };
        let (x, dy) = (exact(&noise(shape.map_len(), 4)), exact(&noise(shape.map_len(), 5)));
        let gates = exact(&noise(shape.gate_len(), 6));
        let (dx, dgate) = reference::gate_backward(&shape, &x, &gates, &dy);
        assert_is_slope("maps", &x, &dx, |x| weigh(&dy, &reference::gate(&shape, x, &gates)));
        assert_is_slope("gates", &gates, &dgate, |gates| weigh(&dy, &reference::gate(&shape, &x, gates)));
    }

    #[test]
    fn nan_spreads_over_its_own_map_alone() {
        let shape = GateShape { batch: 1, pixels: 2, channels: 2 };
        let [y] = everywhere("nan", |cpu| {
            let mut y = vec![0.0; 4];
            gate(cpu, shape, &[1.0, f32::INFINITY, 3.0, -4.0], &[f32::NAN, 2.0], &mut y);
            [y]
        });
        assert!(y[0].is_nan() && y[2].is_nan());
        assert_eq!((y[1], y[3]), (f32::INFINITY, -8.0));
    }
}
