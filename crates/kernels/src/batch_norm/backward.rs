//! Gradients of the input, the scale and the shift.

use super::BatchNormShape;
use super::channelwise::{ActivationGradient, Channels, InputGradient, Layout, MapRows, map_rows, normalized};
use super::forward::{Line, line};
use crate::column_sums::{BLOCK, join, lanes};
use crate::parts::{PART, for_each_part};
use crate::per_element::per_element;
use crate::per_level::per_level;
use crate::unary::{Activation, Identity, Unary, for_activation};
use crate::{Cpu, Element};

per_element! {
    /// Gradients of [`batch_norm_train`](super::batch_norm_train), in two passes over `x` and `dy`; all are overwritten:
    /// [`batch_norm_gradient_sums`] and [`batch_norm_input_gradient`].
    ///
    /// With `n = (x - mean) · inv_std`: `dgamma = Σ dy · n`, `dbeta = Σ dy`,
    /// `dx = gamma · inv_std · (dy - dbeta / rows - n · dgamma / rows)`. Where an activation followed, `dy` is the gradient
    /// of its result, and what is said of `dy` here holds for `dy · f'`, whose argument is computed from `x` again.
    /// `saved` is [`SavedNorm`](super::SavedNorm): mean, 1/σ, offset.
    ///
    /// # Panics
    /// As the forward pass.
    pub fn batch_norm_backward[E](
        cpu: &Cpu,
        shape: BatchNormShape,
        activation: Option<Unary>,
        x: &[E],
        dy: &[E],
        gamma: &[f32],
        saved: [&[f32]; 3],
        dx: &mut [E],
        dgamma: &mut [f32],
        dbeta: &mut [f32],
        workspace: &mut [f32],
    ) {
        let (slope, rest) = workspace.split_at_mut(shape.channels);
        let (constant, rest) = rest.split_at_mut(shape.channels);
        let sums = NormGradients { dgamma, dbeta, slope, constant };
        batch_norm_gradient_sums(cpu, shape, activation, x, dy, gamma, saved, sums, rest);
        batch_norm_input_gradient(cpu, shape, activation, x, dy, gamma, saved, [slope, constant], dx, rest);
    }
}

/// What sums over the rows give, a number a channel each.
#[derive(Debug)]
pub struct NormGradients<'g> {
    /// Gradient of the scale.
    pub dgamma: &'g mut [f32],
    /// Gradient of the shift.
    pub dbeta: &'g mut [f32],
    /// `dx = dy · gamma · inv_std + (x - mean) · slope + constant`.
    pub slope: &'g mut [f32],
    /// See `slope`.
    pub constant: &'g mut [f32],
}

per_element! {
    /// The first pass of [`batch_norm_backward`].
    ///
    /// # Panics
    /// As the forward pass.
    pub fn batch_norm_gradient_sums[E](
        cpu: &Cpu,
        shape: BatchNormShape,
        activation: Option<Unary>,
        x: &[E],
        dy: &[E],
        gamma: &[f32],
        saved: [&[f32]; 3],
        gradients: NormGradients<'_>,
        workspace: &mut [f32],
    ) {
        check(shape, [x, dy], saved);
        let (factors, workspace) = workspace.split_at_mut(shape.channels);
        let line = line(gamma, saved, factors);
        let sums = sums(cpu, shape, gradient_sums(activation), x, dy, line, workspace);
        let mut gradients = gradients;
        gradients.set(shape, line, saved[1], sums);
    }
}

per_element! {
    /// The second pass of [`batch_norm_backward`]; `more` are the [slope and constant](NormGradients) that the first one gave.
    ///
    /// # Panics
    /// As the forward pass.
    pub fn batch_norm_input_gradient[E](
        cpu: &Cpu,
        shape: BatchNormShape,
        activation: Option<Unary>,
        x: &[E],
        dy: &[E],
        gamma: &[f32],
        saved: [&[f32]; 3],
        more: [&[f32]; 2],
        dx: &mut [E],
        workspace: &mut [f32],
    ) {
        check(shape, [x, dy, dx], more);
        if shape.is_empty() {
            return;
        }
        let channels = shape.channels;
        let line = line(gamma, saved, &mut workspace[..channels]);
        let part = PART.div_ceil(channels) * channels;
        let reverse = NormReverse::new(line, activation);
        for_each_part(cpu, part, [dx], |range, [dx]| {
            reverse.finish(cpu, [&x[range.clone()], &dy[range]], more, channels, dx);
        });
    }
}

impl NormGradients<'_> {
    /// From what [`gradient_sums`] summed over all rows, `[3][channels]`.
    pub(crate) fn set(&mut self, shape: BatchNormShape, line: Line<'_>, inv_std: &[f32], sums: &[f64]) {
        let Self { dgamma, dbeta, slope, constant } = self;
        let (n, channels) = (shape.rows.max(1) as f64, shape.channels);
        for slice in [&**dgamma, dbeta, slope, constant] {
            assert_eq!(slice.len(), channels, "one number a channel");
        }
        for c in 0..channels {
            let (sum_dy, sum_dy_d, sum_d) = (sums[c], sums[channels + c], sums[2 * channels + c]);
            // The saved mean was rounded to f32; what `x` lacks of adding up to zero tells by how much.
            let lost = sum_d / n;
            let inv_std = f64::from(inv_std[c]);
            let dot = (sum_dy_d - lost * sum_dy) * inv_std;
            dgamma[c] = dot as f32;
            dbeta[c] = sum_dy as f32;
            let factor = f64::from(line[1][c]);
            let slope_of_c = -factor * inv_std * dot / n;
            slope[c] = slope_of_c as f32;
            constant[c] = (-factor * sum_dy / n - slope_of_c * lost) as f32;
        }
    }
}

/// Gradients of [`batch_norm_infer`](super::batch_norm_infer), whose statistics are constants; all are overwritten.
///
/// # Panics
/// As the forward pass.
pub fn batch_norm_infer_backward(
    cpu: &Cpu,
    shape: BatchNormShape,
    x: &[f32],
    dy: &[f32],
    gamma: &[f32],
    running_mean: &[f32],
    running_var: &[f32],
    eps: f32,
    dx: &mut [f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
    workspace: &mut [f32],
) {
    let channels = shape.channels;
    check(shape, [x, dy, dx], [gamma, running_mean, running_var, dgamma, dbeta]);
    if shape.is_empty() {
        dgamma.fill(0.0);
        dbeta.fill(0.0);
        return;
    }
    let (factors, workspace) = workspace.split_at_mut(channels);
    // Without an activation, only the first of the three is read.
    let sums = sums(cpu, shape, gradient_sums(None), x, dy, [running_mean; 3], workspace);
    for c in 0..channels {
        let inv_std = 1.0 / (f64::from(running_var[c]) + f64::from(eps)).sqrt();
        dgamma[c] = (sums[channels + c] * inv_std) as f32;
        dbeta[c] = sums[c] as f32;
        factors[c] = (f64::from(gamma[c]) * inv_std) as f32;
    }
    let part = PART.div_ceil(channels) * channels;
    for_each_part(cpu, part, [dx], |range, [dx]| scale_channels_part(cpu, &dy[range], factors, dx));
}

fn check<E, const A: usize, const N: usize>(shape: BatchNormShape, activations: [&[E]; A], parameters: [&[f32]; N]) {
    let BatchNormShape { rows, channels } = shape;
    assert!(activations.iter().all(|slice| slice.len() == shape.len()), "x, dy and dx are {rows} × {channels}");
    assert!(parameters.iter().all(|slice| slice.len() == channels), "one number a channel");
}

/// Adds what some rows give to `[3][channels]` sums: x, dy, line, sums.
type SumsPart<E, G> = fn(&Cpu, &[E], &[G], Line<'_>, &mut [f64]);

/// Adds for every channel `Σ dy`, then for every channel `Σ dy · (x - mean)`, then `Σ x - mean`.
fn gradient_sums<E: Element, G: Element>(activation: Option<Unary>) -> SumsPart<E, G> {
    for_activation!(activation, F => sums_part::<F, E, G>)
}

/// What takes gradients back through a norm whose line is known and the activation that follows it, on one thread.
#[derive(Clone, Copy)]
pub(crate) struct NormReverse<'n> {
    pub(crate) line: Line<'n>,
    activation: Option<Unary>,
}

impl<'n> NormReverse<'n> {
    pub(crate) fn new(line: Line<'n>, activation: Option<Unary>) -> Self {
        Self { line, activation }
    }

    /// Takes the gradient of the activation's result to that of the norm's, and adds what it gives to `[3][channels]`
    /// sums; see [`NormGradients::set`].
    pub(crate) fn start<E: Element>(&self, cpu: &Cpu, x: &[E], dy: &mut [f32], sums: &mut [f64]) {
        if self.activation.is_some() {
            let part: MapRows<E, f32> =
                for_activation!(self.activation, F => map_rows::<ActivationGradient<F>, E, f32>);
            let channels = self.line[0].len();
            part(cpu, x, None, Channels::of(self.line), Layout { width: channels, pitch: channels }, dy);
        }
        sums_part::<Identity, E, f32>(cpu, x, dy, self.line, sums);
    }

    /// The gradient of x, from that of the activation's result and the slope and constant of the sums, to panels of so
    /// many columns, one behind the other. Of the last one, columns that do not exist are left as they are.
    pub(crate) fn finish<E: Element, T: Element>(
        &self,
        cpu: &Cpu,
        [x, dy]: [&[E]; 2],
        more: [&[f32]; 2],
        width: usize,
        dx: &mut [T],
    ) {
        let part: MapRows<E, T> = for_activation!(self.activation, F => map_rows::<InputGradient<F>, E, T>);
        let of = Channels { line: self.line, more };
        part(cpu, x, Some(dy), of, Layout { width, pitch: width }, dx);
    }
}

fn sums<'w, E: Element>(
    cpu: &Cpu,
    shape: BatchNormShape,
    part: SumsPart<E, E>,
    x: &[E],
    dy: &[E],
    line: Line<'_>,
    workspace: &'w mut [f32],
) -> &'w [f64] {
    let channels = shape.channels;
    shape.chunks().sum(cpu, 3 * channels, workspace, |rows, sums| {
        let range = rows.start * channels..rows.end * channels;
        part(cpu, &x[range.clone()], &dy[range], line, sums);
    })
}

per_level! {
    fn sums_part[F: Activation, E: Element, G: Element](x: &[E], dy: &[G], line: Line<'_>, sums: &mut [f64]) {
        let channels = line[0].len();
        for (x, dy) in x.chunks(BLOCK * channels).zip(dy.chunks(BLOCK * channels)) {
            let mut channel = 0;
            while channel + 16 <= channels {
                sums_strip::<F, E, G, 16>(x, dy, channels, channel, line, sums);
                channel += 16;
            }
            while channel + 8 <= channels {
                sums_strip::<F, E, G, 8>(x, dy, channels, channel, line, sums);
                channel += 8;
            }
            while channel < channels {
                sums_strip::<F, E, G, 1>(x, dy, channels, channel, line, sums);
                channel += 1;
            }
        }
    }
}

#[inline(always)]
fn sums_strip<F: Activation, E: Element, G: Element, const L: usize>(
    x: &[E],
    dy: &[G],
    channels: usize,
    channel: usize,
    line: Line<'_>,
    sums: &mut [f64],
) {
    let [center, factor, offset] = line.map(|numbers| lanes::<f32, L>(numbers, channel));
    let (mut sum_dy, mut sum_dy_d, mut sum_d) = ([0.0; L], [0.0; L], [0.0; L]);
    for (x, dy) in x.chunks_exact(channels).zip(dy.chunks_exact(channels)) {
        let x: [f32; L] = lanes(x, channel);
        let dy: [f32; L] = lanes(dy, channel);
        for lane in 0..L {
            let d = x[lane] - center[lane];
            let dy = F::gradient_at(normalized(x[lane], [center[lane], factor[lane], offset[lane]]), dy[lane]);
            sum_dy[lane] += dy;
            sum_dy_d[lane] += dy * d;
            sum_d[lane] += d;
        }
    }
    join(&mut sums[channel..], &sum_dy);
    join(&mut sums[channels + channel..], &sum_dy_d);
    join(&mut sums[2 * channels + channel..], &sum_d);
}

per_level! {
    fn scale_channels_part(dy: &[f32], factor: &[f32], dx: &mut [f32]) {
        for (dy, dx) in dy.chunks_exact(factor.len()).zip(dx.chunks_exact_mut(factor.len())) {
            for ((dx, dy), factor) in dx.iter_mut().zip(dy).zip(factor) {
                *dx = dy * factor;
            }
        }
    }
}
