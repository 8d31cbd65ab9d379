//! The mean of whole maps.

use crate::column_sums::{BLOCK, lanes};
use crate::parts::for_each_part;
use crate::per_element::per_element;
use crate::per_level::per_level;
use crate::{Cpu, Element};

/// Channels that one task averages: few pictures have many channels.
const STRIP: usize = 64;

per_element! {
    /// `y[b][c] = Σ_p x[b][p][c] / pixels`. Blocks of 32 pixels are summed in f32, the rest in f64.
    ///
    /// # Panics
    /// When a slice has another length than `batch · pixels · channels`, or `batch · channels`.
    pub fn global_avg_pool[E](cpu: &Cpu, batch: usize, pixels: usize, channels: usize, x: &[E], y: &mut [f32]) {
        assert!(x.len() == batch * pixels * channels, "x is {batch} × {pixels} × {channels}");
        assert!(y.len() == batch * channels, "y is {batch} × {channels}");
        if channels == 0 {
            return;
        }
        for_each_part(cpu, STRIP, [y], |range, [y]| {
            // A part of the output may begin in one picture and end in another.
            let mut done = 0;
            while done < y.len() {
                let (picture, channel) = ((range.start + done) / channels, (range.start + done) % channels);
                let strip = (channels - channel).min(y.len() - done);
                let x = &x[picture * pixels * channels..(picture + 1) * pixels * channels];
                average_strip(cpu, channels, x, channel, &mut y[done..done + strip]);
                done += strip;
            }
        });
    }
}

per_element! {
    /// Gradient of [`global_avg_pool`]; `dx` is overwritten.
    ///
    /// # Panics
    /// As [`global_avg_pool`].
    pub fn global_avg_pool_backward[E](
        cpu: &Cpu,
        batch: usize,
        pixels: usize,
        channels: usize,
        dy: &[f32],
        dx: &mut [E],
    ) {
        assert!(dx.len() == batch * pixels * channels, "dx is {batch} × {pixels} × {channels}");
        assert!(dy.len() == batch * channels, "dy is {batch} × {channels}");
        let map = pixels * channels;
        if map > 0 {
            for_each_part(cpu, map, [dx], |range, [dx]| {
                spread_map(cpu, 1.0 / pixels as f32, &dy[range.start / pixels..][..channels], dx);
            });
        }
    }
}

per_level! {
    fn average_strip[E: Element](channels: usize, x: &[E], channel: usize, y: &mut [f32]) {
        let mut done = 0;
        while done + 16 <= y.len() {
            y[done..done + 16].copy_from_slice(&average::<E, 16>(channels, x, channel + done));
            done += 16;
        }
        while done < y.len() {
            y[done] = average::<E, 1>(channels, x, channel + done)[0];
            done += 1;
        }
    }
}

#[inline(always)]
fn average<E: Element, const L: usize>(channels: usize, x: &[E], channel: usize) -> [f32; L] {
    let mut total = [0.0_f64; L];
    for block in x.chunks(BLOCK * channels) {
        let mut sum = [0.0_f32; L];
        for pixel in block.chunks_exact(channels) {
            let x: [f32; L] = lanes(pixel, channel);
            for lane in 0..L {
                sum[lane] += x[lane];
            }
        }
        for lane in 0..L {
            total[lane] += f64::from(sum[lane]);
        }
    }
    let pixels = (x.len() / channels) as f64;
    let mut mean = [0.0; L];
    for lane in 0..L {
        mean[lane] = (total[lane] / pixels) as f32;
    }
    mean
}

per_level! {
    fn spread_map[E: Element](share: f32, dy: &[f32], dx: &mut [E]) {
        for dx in dx.chunks_exact_mut(dy.len()) {
            for (dx, dy) in dx.iter_mut().zip(dy) {
                *dx = E::from_f32(share * dy);
            }
        }
    }
}
