//! Passes over rows in which a number becomes a function of itself, its channel and perhaps a second number.
//!
//! Written over vectors and not as plain loops: rows are short, and what of a row the compiler's vectors leave over would
//! take as long as the rest. A level computes the same bits as every other.

use super::forward::Line;
use crate::per_level::per_vector;
use crate::simd::{Vector, prefetch_ahead};
use crate::unary::Activation;
use crate::{Cpu, Element};

/// Rows that are worked on together: what is known of a channel is loaded once for all.
const ROWS: usize = 4;

/// What a pass computes. All functions are `#[inline(always)]`.
pub(super) trait Channelwise {
    /// Whether there is a second number.
    const READS_OTHER: bool;
    /// Whether slope and constant are read.
    const READS_MORE: bool;

    /// From x, the other number, center, factor and offset of the norm, slope and constant of its gradient.
    ///
    /// # Safety
    /// The machine has the level of `V`.
    unsafe fn at<V: Vector>(x: V, other: V, line: [V; 3], more: [V; 2]) -> V;
}

/// `activation(norm(x))`.
pub(super) struct Normalize<F>(F);
/// `activation(norm(x) + other)`.
pub(super) struct NormalizeAdd<F>(F);
/// `other · f'(norm(x))`.
pub(super) struct ActivationGradient<F>(F);
/// The gradient of x from that of the activation's result.
pub(super) struct InputGradient<F>(F);

/// A normalised number; the same bits on the way there and on the way back.
#[inline(always)]
pub(super) fn normalized(x: f32, line: [f32; 3]) -> f32 {
    // SAFETY: single numbers need no level.
    unsafe { normalized_of(x, line) }
}

/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
unsafe fn normalized_of<V: Vector>(x: V, [center, factor, offset]: [V; 3]) -> V {
    // SAFETY: by the caller's promise.
    unsafe { x.sub(center).mul(factor).add(offset) }
}

impl<F: Activation> Channelwise for Normalize<F> {
    const READS_OTHER: bool = false;
    const READS_MORE: bool = false;

    #[inline(always)]
    unsafe fn at<V: Vector>(x: V, _: V, line: [V; 3], _: [V; 2]) -> V {
        // SAFETY: by the caller's promise.
        unsafe { F::values(normalized_of(x, line)) }
    }
}

impl<F: Activation> Channelwise for NormalizeAdd<F> {
    const READS_OTHER: bool = true;
    const READS_MORE: bool = false;

    #[inline(always)]
    unsafe fn at<V: Vector>(x: V, other: V, line: [V; 3], _: [V; 2]) -> V {
        // SAFETY: by the caller's promise.
        unsafe { F::values(normalized_of(x, line).add(other)) }
    }
}

impl<F: Activation> Channelwise for ActivationGradient<F> {
    const READS_OTHER: bool = true;
    const READS_MORE: bool = false;

    #[inline(always)]
    unsafe fn at<V: Vector>(x: V, other: V, line: [V; 3], _: [V; 2]) -> V {
        // SAFETY: by the caller's promise.
        unsafe { F::gradients_at(normalized_of(x, line), other) }
    }
}

impl<F: Activation> Channelwise for InputGradient<F> {
    const READS_OTHER: bool = true;
    const READS_MORE: bool = true;

    #[inline(always)]
    unsafe fn at<V: Vector>(x: V, other: V, line: [V; 3], [slope, constant]: [V; 2]) -> V {
        // SAFETY: by the caller's promise.
        unsafe {
            let dy = F::gradients_at(normalized_of(x, line), other);
            dy.mul(line[1]).add(x.sub(line[0]).mul(slope)).add(constant)
        }
    }
}

/// What a pass knows of the channels: a number each.
#[derive(Clone, Copy)]
pub(super) struct Channels<'c> {
    pub(super) line: Line<'c>,
    pub(super) more: [&'c [f32]; 2],
}

impl<'c> Channels<'c> {
    /// For passes that need no slope and constant.
    pub(super) fn of(line: Line<'c>) -> Self {
        Self { line, more: [line[0]; 2] }
    }
}

/// Where a pass writes: panels of so many columns, one behind the other, whose rows start so many words after one another.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) width: usize,
    pub(super) pitch: usize,
}

/// A pass, compiled for a function: rows of `to` from rows of x and of another map; where that is not given, of what is
/// there.
pub(super) type MapRows<E, T> = fn(&Cpu, &[E], Option<&[E]>, Channels<'_>, Layout, &mut [T]);

/// A [`MapRows`].
pub(super) fn map_rows<C: Channelwise, E: Element, T: Element>(
    cpu: &Cpu,
    x: &[E],
    other: Option<&[E]>,
    channels: Channels<'_>,
    layout: Layout,
    to: &mut [T],
) {
    check(channels, layout, x.len(), other.map_or(x.len(), <[E]>::len), to.len());
    let pass = Pass { x, other: other.map(<[E]>::as_ptr), channels, layout, to: to.as_mut_ptr() };
    run::<C, E, T>(cpu, &pass);
}

/// That a pass stays inside what it was given, by their lengths; apart, so that it is compiled once.
fn check(channels: Channels<'_>, layout: Layout, x: usize, other: usize, to: usize) {
    let count = channels.line[0].len();
    assert!(channels.line.iter().chain(&channels.more).all(|numbers| numbers.len() == count), "one number a channel");
    assert!(layout.pitch >= layout.width.min(count) && layout.width > 0, "rows that overlap");
    let (rows, panels) = (x / count, count.div_ceil(layout.width));
    let last = layout.width.min(count - (panels - 1) * layout.width);
    let end = if rows == 0 { 0 } else { ((panels - 1) * rows + rows - 1) * layout.pitch + last };
    assert!(to >= end, "results for {end} words in {to}");
    assert!(other == x, "two maps of one shape");
}

per_vector! {
    fn run[V][C: Channelwise, E: Element, T: Element](pass: &Pass<'_, E, T>) {
        let rows = pass.x.len() / pass.channels.line[0].len();
        for row in (0..rows).step_by(ROWS) {
            let count = ROWS.min(rows - row);
            for row in row..row + count {
                pass.ask_ahead(row);
            }
            // SAFETY: the machine has the level; the lengths were checked, and these rows exist.
            unsafe { pass.rows::<V, C>(row, count, rows) }
        }
    }
}

/// What a pass works on, its lengths checked.
struct Pass<'p, E, T> {
    x: &'p [E],
    /// As long as x.
    other: Option<*const E>,
    channels: Channels<'p>,
    layout: Layout,
    to: *mut T,
}

impl<E: Element, T: Element> Pass<'_, E, T> {
    #[inline(always)]
    fn ask_ahead(&self, row: usize) {
        let count = self.channels.line[0].len();
        prefetch_ahead(self.x.as_ptr().wrapping_add(row * count), count);
        if let Some(other) = self.other {
            prefetch_ahead(other.wrapping_add(row * count), count);
        }
    }

    /// So many rows from one on, [`ROWS`] at most, of so many in all.
    ///
    /// # Safety
    /// The machine has the level of `V`; the lengths were checked, and these rows exist.
    #[inline(always)]
    unsafe fn rows<V: Vector, C: Channelwise>(&self, row: usize, rows: usize, all: usize) {
        let Layout { width, pitch } = self.layout;
        let count = self.channels.line[0].len();
        let mut to = self.to.wrapping_add(row * pitch);
        let mut first = 0;
        while first < count {
            let end = (first + width).min(count);
            let mut column = first;
            // SAFETY: by the caller's promise; these columns exist.
            unsafe {
                while rows == ROWS && column + V::LANES <= end {
                    self.strip::<V, C, ROWS>([row, column], V::LANES, to.wrapping_add(column - first));
                    column += V::LANES;
                }
                // What is left, in one place for all kinds of it: for each the compiler would repeat the function.
                while column < end {
                    let len = V::LANES.min(end - column);
                    for i in 0..rows {
                        let to = to.wrapping_add(i * pitch + column - first);
                        self.strip::<V, C, 1>([row + i, column], len, to);
                    }
                    column += len;
                }
            }
            to = to.wrapping_add(all * pitch);
            first = end;
        }
    }

    /// Some columns of `R` rows; `len` is the vector's, or less.
    ///
    /// # Safety
    /// As for [`rows`](Self::rows), and these columns exist.
    #[inline(always)]
    unsafe fn strip<V: Vector, C: Channelwise, const R: usize>(
        &self,
        [row, column]: [usize; 2],
        len: usize,
        to: *mut T,
    ) {
        let Channels { line: [center, factor, offset], more: [slope, constant] } = self.channels;
        let count = center.len();
        // SAFETY: by the caller's promise.
        unsafe {
            let load = |numbers: &[f32]| {
                let from = numbers.as_ptr().add(column);
                if len == V::LANES { V::load(from) } else { V::load_first(from, len) }
            };
            let load_map =
                |from: *const E| if len == V::LANES { V::load_as(from) } else { V::load_first_as(from, len) };
            let zero = V::splat(0.0);
            let line = [load(center), load(factor), load(offset)];
            let more = if C::READS_MORE { [load(slope), load(constant)] } else { [zero; 2] };
            for i in 0..R {
                let from = (row + i) * count + column;
                let to = to.add(i * self.layout.pitch);
                let x = load_map(self.x.as_ptr().add(from));
                let other = match self.other {
                    _ if !C::READS_OTHER => zero,
                    Some(other) => load_map(other.add(from)),
                    None if len == V::LANES => V::load_as(to),
                    None => V::load_first_as(to, len),
                };
                let result = C::at(x, other, line, more);
                if len == V::LANES { result.store_as(to) } else { result.store_first_as(to, len) }
            }
        }
    }
}
