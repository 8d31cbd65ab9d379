//! Activations: functions of one number.

mod hard;
mod relu;

pub(crate) use hard::{HardSigmoid, HardSwish};
pub use relu::{relu, relu_backward, relu_backward_in_place, relu_in_place};

use crate::exponential::{normals, sigmoids, softplus, tanh};
use crate::parts::{PART, for_each_part};
use crate::per_element::per_element;
use crate::per_level::{per_level, per_vector};
use crate::simd::Vector;
use crate::{Cpu, Element};

/// An activation; values and gradients are those of the PyTorch module of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x · sigmoid(x)`, also called swish.
    Silu,
    /// `x · Φ(x)`, with the exact normal distribution.
    Gelu,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `ln(1 + eˣ)`.
    Softplus,
    /// `min(max(x + 3, 0), 6) / 6`.
    HardSigmoid,
    /// `x · min(max(x + 3, 0), 6) / 6`.
    HardSwish,
}

/// What the backward pass of an activation reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Saved {
    /// The activation's input.
    Input,
    /// Its output: the input's memory is free, and the forward pass may run in place.
    Output,
}

impl Unary {
    /// All activations.
    pub const ALL: [Self; 9] = [
        Self::Relu,
        Self::Relu6,
        Self::Silu,
        Self::Gelu,
        Self::Sigmoid,
        Self::Tanh,
        Self::Softplus,
        Self::HardSigmoid,
        Self::HardSwish,
    ];

    /// What [`unary_backward`] wants as `saved`: the input of Silu, Gelu, Softplus and HardSwish, the output of the others.
    pub fn saved(self) -> Saved {
        for_activation!(Some(self), F => F::SAVED)
    }
}

per_element! {
    /// `y = f(x)`.
    ///
    /// # Panics
    /// When the slices are not equally long; so do all functions here.
    pub fn unary_forward[E](cpu: &Cpu, f: Unary, x: &[E], y: &mut [E]) {
        assert_eq!(x.len(), y.len(), "input and output are equally long");
        let part = forward_part(f);
        for_each_part(cpu, PART, [y], |range, [y]| part(cpu, &x[range], y));
    }
}

per_element! {
    /// [`unary_forward`], over its input.
    pub fn unary_forward_in_place[E](cpu: &Cpu, f: Unary, x_y: &mut [E]) {
        let part: fn(&Cpu, &mut [E]) = for_activation!(Some(f), F => in_place_of::<F, E>);
        for_each_part(cpu, PART, [x_y], |_, [x_y]| part(cpu, x_y));
    }
}

/// An activation for numbers that lie in the cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InPlace<'c> {
    cpu: &'c Cpu,
    part: fn(&Cpu, &mut [f32]),
}

impl<'c> InPlace<'c> {
    pub(crate) fn new(cpu: &'c Cpu, f: Unary) -> Self {
        Self { cpu, part: for_activation!(Some(f), F => in_place_of::<F, f32>) }
    }

    /// `x_y = f(x_y)`, on this thread.
    pub(crate) fn apply(self, x_y: &mut [f32]) {
        (self.part)(self.cpu, x_y);
    }
}

per_element! {
    /// `dx = dy · f'(x)`, from what [`Unary::saved`] names.
    pub fn unary_backward[E](cpu: &Cpu, f: Unary, saved: &[E], dy: &[E], dx: &mut [E]) {
        assert!(saved.len() == dx.len() && dy.len() == dx.len(), "saved values and gradients are equally long");
        let part = backward_part(f);
        for_each_part(cpu, PART, [dx], |range, [dx]| part(cpu, &saved[range.clone()], &dy[range], dx));
    }
}

/// An activation over vectors, of which single numbers are one. All functions are `#[inline(always)]`, as all that a loop per
/// level calls.
pub(crate) trait Activation {
    /// What `gradients` start from.
    const SAVED: Saved;

    /// `f(x)`.
    ///
    /// # Safety
    /// The machine has the level of `V`.
    unsafe fn values<V: Vector>(x: V) -> V;

    /// `dy · f'(x)`, from what is saved.
    ///
    /// # Safety
    /// The machine has the level of `V`.
    unsafe fn gradients<V: Vector>(saved: V, dy: V) -> V;

    /// `dy · f'(x)`, from the argument.
    ///
    /// # Safety
    /// The machine has the level of `V`.
    #[inline(always)]
    unsafe fn gradients_at<V: Vector>(x: V, dy: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe {
            match Self::SAVED {
                Saved::Input => Self::gradients(x, dy),
                Saved::Output => Self::gradients(Self::values(x), dy),
            }
        }
    }

    /// [`values`](Self::values) of one number.
    #[inline(always)]
    fn value(x: f32) -> f32 {
        // SAFETY: single numbers need no level.
        unsafe { Self::values(x) }
    }

    /// [`gradients`](Self::gradients) of one number.
    #[inline(always)]
    fn gradient(saved: f32, dy: f32) -> f32 {
        // SAFETY: as above.
        unsafe { Self::gradients(saved, dy) }
    }

    /// [`gradients_at`](Self::gradients_at) of one number.
    #[inline(always)]
    fn gradient_at(x: f32, dy: f32) -> f32 {
        // SAFETY: as above.
        unsafe { Self::gradients_at(x, dy) }
    }
}

/// Compiles an expression for the type of an activation, and of none.
macro_rules! for_activation {
    ($f:expr, $name:ident => $body:expr) => {{
        use crate::unary as of;
        match $f {
            None => {
                type $name = of::Identity;
                $body
            }
            Some(of::Unary::Relu) => {
                type $name = of::Relu;
                $body
            }
            Some(of::Unary::Relu6) => {
                type $name = of::Relu6;
                $body
            }
            Some(of::Unary::Silu) => {
                type $name = of::Silu;
                $body
            }
            Some(of::Unary::Gelu) => {
                type $name = of::Gelu;
                $body
            }
            Some(of::Unary::Sigmoid) => {
                type $name = of::Sigmoid;
                $body
            }
            Some(of::Unary::Tanh) => {
                type $name = of::Tanh;
                $body
            }
            Some(of::Unary::Softplus) => {
                type $name = of::Softplus;
                $body
            }
            Some(of::Unary::HardSigmoid) => {
                type $name = of::HardSigmoid;
                $body
            }
            Some(of::Unary::HardSwish) => {
                type $name = of::HardSwish;
                $body
            }
        }
    }};
}

pub(crate) use for_activation;

per_level! {
    fn forward_of[F: Activation, E: Element](x: &[E], y: &mut [E]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = E::from_f32(F::value(x.to_f32()));
        }
    }
}

per_vector! {
    fn in_place_of[V][F: Activation, E: Element](x_y: &mut [E]) {
        let (at, len) = (x_y.as_mut_ptr(), x_y.len());
        let whole = len / V::LANES * V::LANES;
        // SAFETY: the machine has the level; all places lie inside the slice.
        unsafe {
            for first in (0..whole).step_by(V::LANES) {
                F::values(V::load_as(at.add(first))).store_as(at.add(first));
            }
            if whole < len {
                let last = V::load_first_as(at.add(whole), len - whole);
                F::values(last).store_first_as(at.add(whole), len - whole);
            }
        }
    }
}

per_level! {
    fn backward_of[F: Activation, E: Element](saved: &[E], dy: &[E], dx: &mut [E]) {
        for ((dx, saved), dy) in dx.iter_mut().zip(saved).zip(dy) {
            *dx = E::from_f32(F::gradient(saved.to_f32(), dy.to_f32()));
        }
    }
}

fn forward_part<E: Element>(f: Unary) -> fn(&Cpu, &[E], &mut [E]) {
    for_activation!(Some(f), F => forward_of::<F, E>)
}

fn backward_part<E: Element>(f: Unary) -> fn(&Cpu, &[E], &[E], &mut [E]) {
    for_activation!(Some(f), F => backward_of::<F, E>)
}

/// The number itself: where no activation follows.
pub(crate) struct Identity;
pub(crate) struct Relu;
pub(crate) struct Relu6;
pub(crate) struct Silu;
pub(crate) struct Gelu;
pub(crate) struct Sigmoid;
pub(crate) struct Tanh;
pub(crate) struct Softplus;

impl Activation for Identity {
    const SAVED: Saved = Saved::Input;

    #[inline(always)]
    unsafe fn values<V: Vector>(x: V) -> V {
        x
    }

    #[inline(always)]
    unsafe fn gradients<V: Vector>(_: V, dy: V) -> V {
        dy
    }
}

impl Activation for Relu {
    const SAVED: Saved = Saved::Output;

    #[inline(always)]
    unsafe fn values<V: Vector>(x: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { x.relu() }
    }

    #[inline(always)]
    unsafe fn gradients<V: Vector>(y: V, dy: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { y.if_at_most(V::splat(0.0), V::splat(0.0), dy) }
    }

    #[inline(always)]
    unsafe fn gradients_at<V: Vector>(x: V, dy: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { Self::gradients(x, dy) }
    }
}

impl Activation for Relu6 {
    const SAVED: Saved = Saved::Output;

    #[inline(always)]
    unsafe fn values<V: Vector>(x: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { x.relu().at_most(V::splat(6.0)) }
    }

    #[inline(always)]
    unsafe fn gradients<V: Vector>(y: V, dy: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe {
            let zero = V::splat(0.0);
            V::splat(6.0).if_at_most(y, zero, y.if_at_most(zero, zero, dy))
        }
    }

    #[inline(always)]
    unsafe fn gradients_at<V: Vector>(x: V, dy: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { Self::gradients(x, dy) }
    }
}

impl Activation for Silu {
    const SAVED: Saved = Saved::Input;

    #[inline(always)]
    unsafe fn values<V: Vector>(x: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { x.mul(sigmoids(x).0) }
    }

    #[inline(always)]
    unsafe fn gradients<V: Vector>(x: V, dy: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe {
            let (s, rest) = sigmoids(x);
            dy.mul(s.add(x.mul(s).mul(rest)))
        }
    }
}

impl Activation for Gelu {
    const SAVED: Saved = Saved::Input;

    #[inline(always)]
    unsafe fn values<V: Vector>(x: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { x.mul(normals(x).0) }
    }

    #[inline(always)]
    unsafe fn gradients<V: Vector>(x: V, dy: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe {
            let (below, density) = normals(x);
            dy.mul(below.add(x.mul(density)))
        }
    }
}

impl Activation for Sigmoid {
    const SAVED: Saved = Saved::Output;

    #[inline(always)]
    unsafe fn values<V: Vector>(x: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { sigmoids(x).0 }
    }

    #[inline(always)]
    unsafe fn gradients<V: Vector>(y: V, dy: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { dy.mul(V::splat(1.0).sub(y)).mul(y) }
    }
}

impl Activation for Tanh {
    const SAVED: Saved = Saved::Output;

    #[inline(always)]
    unsafe fn values<V: Vector>(x: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { tanh(x) }
    }

    #[inline(always)]
    unsafe fn gradients<V: Vector>(y: V, dy: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { dy.mul(V::splat(1.0).sub(y.mul(y))) }
    }
}

impl Activation for Softplus {
    const SAVED: Saved = Saved::Input;

    #[inline(always)]
    unsafe fn values<V: Vector>(x: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { softplus(x) }
    }

    #[inline(always)]
    unsafe fn gradients<V: Vector>(x: V, dy: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { dy.mul(sigmoids(x).0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{LENGTHS, assert_agrees, assert_is_slope, everywhere, exact, noise, weigh};
    use crate::reference;

    /// Both sides of every bend, and beyond; but not where an output so near 1 that it was rounded must give the slope.
    fn inputs(f: Unary, len: usize) -> Vec<f32> {
        let size = if f == Unary::Tanh { 2.0 } else { 9.0 };
        noise(len, 4).iter().map(|x| size * x).collect()
    }

    #[test]
    fn values_and_gradients_agree_with_the_references() {
        for f in Unary::ALL {
            for &len in LENGTHS {
                let (x, dy) = (inputs(f, len), noise(len, 5));
                let [y, in_place, dx] = everywhere(&format!("{f:?}"), |cpu| {
                    let (mut y, mut in_place, mut dx) = (vec![f32::NAN; len], x.clone(), vec![f32::NAN; len]);
                    unary_forward(cpu, f, &x, &mut y);
                    unary_forward_in_place(cpu, f, &mut in_place);
                    let saved = if f.saved() == Saved::Input { &x } else { &y };
                    unary_backward(cpu, f, saved, &dy, &mut dx);
                    [y, in_place, dx]
                });
                let case = format!("{f:?} of {len}");
                assert_eq!(y, in_place, "{case}");
                assert_agrees(&case, &y, &reference::unary_forward(f, &exact(&x)));
                assert_agrees(&case, &dx, &reference::unary_backward(f, &exact(&x), &exact(&dy)));
            }
        }
    }

    #[test]
    fn references_are_slopes_of_their_values() {
        for f in Unary::ALL {
            let (x, dy) = (exact(&inputs(f, 101)), exact(&noise(101, 6)));
            let dx = reference::unary_backward(f, &x, &dy);
            assert_is_slope(&format!("{f:?}"), &x, &dx, |x| weigh(&dy, &reference::unary_forward(f, x)));
        }
    }

    #[test]
    fn nan_stays_nan_and_zero_has_no_slope() {
        let x = [f32::NAN, 0.0, -0.0, 6.0];
        for f in Unary::ALL {
            let [y] = everywhere("ends", |cpu| {
                let mut y = x.to_vec();
                unary_forward_in_place(cpu, f, &mut y);
                [y]
            });
            assert!(y[0].is_nan(), "{f:?}");
        }
        let cpu = Cpu::new(1, crate::Level::best());
        let mut dx = [9.0; 4];
        unary_backward(&cpu, Unary::Relu6, &x, &[1.0; 4], &mut dx);
        assert_eq!(dx[1..], [0.0, 0.0, 0.0]);
        unary_backward(&cpu, Unary::Relu, &x, &[1.0; 4], &mut dx);
        assert_eq!(dx[1..], [0.0, 0.0, 1.0]);
    }

    /// As PyTorch 2.15 has it: `hardswish(x)` and its gradient at the bends, a little inside of them and far beyond.
    #[test]
    fn hard_functions_bend_where_pytorchs_do() {
        let cpu = Cpu::new(1, crate::Level::best());
        let x = [-100.0, -3.0, -2.75, 0.0, 2.75, 3.0, 100.0];
        for (f, values, slopes) in [
            (Unary::HardSigmoid, [0.0, 0.0, 0.25 / 6.0, 0.5, 5.75 / 6.0, 1.0, 1.0], [0, 0, 2, 2, 2, 0, 0]),
            (
                Unary::HardSwish,
                [0.0, 0.0, -2.75 * 0.25 / 6.0, 0.0, 2.75 * 5.75 / 6.0, 3.0, 100.0],
                [0, 0, -5, 6, 17, 12, 12],
            ),
        ] {
            let (mut y, mut dx) = ([0.0; 7], [0.0; 7]);
            unary_forward(&cpu, f, &x, &mut y);
            let saved = if f.saved() == Saved::Input { x } else { y };
            unary_backward(&cpu, f, &saved, &[1.0; 7], &mut dx);
            for i in 0..x.len() {
                let (value, slope) = (values[i], slopes[i] as f32 / 12.0);
                assert!(
                    (y[i] - value).abs() < 1e-6 && (dx[i] - slope).abs() < 1e-6,
                    "{f:?} at {}: {}, {}",
                    x[i],
                    y[i],
                    dx[i]
                );
            }
        }
    }
}
