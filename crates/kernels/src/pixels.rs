//! From the bytes of pictures to the network's numbers.

use crate::parts::for_each_part;
use crate::per_element::per_element;
use crate::per_level::per_level;
use crate::{Cpu, Element};

/// Pixels in a part, a multiple of [`GROUP`].
const PART_PIXELS: usize = 4096;
/// Pixels done at a time: 48 numbers, whole vectors at every level.
const GROUP: usize = 16;

per_element! {
    /// `y = x · scale + shift` for each of the three channels of RGB pixels: with `scale = 1 / (255 · std)` and
    /// `shift = -mean / std`, what `ToTensor` and `Normalize` of torchvision give.
    ///
    /// # Panics
    /// When `x` or `y` is not three times `pixels` long.
    pub fn normalize_u8[E](cpu: &Cpu, pixels: usize, x: &[u8], scale: [f32; 3], shift: [f32; 3], y: &mut [E]) {
        assert!(x.len() == pixels * 3 && y.len() == pixels * 3, "x and y are {pixels} pixels of three");
        for_each_part(cpu, PART_PIXELS * 3, [y], |range, [y]| normalize_u8_part(cpu, &x[range], scale, shift, y));
    }
}

per_level! {
    fn normalize_u8_part[E: Element](x: &[u8], scale: [f32; 3], shift: [f32; 3], y: &mut [E]) {
        let mut scales = [0.0; 3 * GROUP];
        let mut shifts = [0.0; 3 * GROUP];
        for i in 0..3 * GROUP {
            scales[i] = scale[i % 3];
            shifts[i] = shift[i % 3];
        }
        for (x, y) in x.chunks(3 * GROUP).zip(y.chunks_mut(3 * GROUP)) {
            for (((y, x), scale), shift) in y.iter_mut().zip(x).zip(&scales).zip(&shifts) {
                *y = E::from_f32(f32::from(*x) * scale + shift);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{assert_agrees, everywhere};
    use crate::reference;

    #[test]
    fn every_byte_of_every_channel_becomes_its_number() {
        let (scale, shift) = ([0.017, 0.018, 0.016], [-2.1, -2.0, -1.8]);
        for pixels in [0, 1, 5, 15, 16, 17, 4095, 4097, 9001] {
            let x: Vec<u8> = (0..pixels * 3).map(|i| (i * 7 % 256) as u8).collect();
            let [y] = everywhere("normalize_u8", |cpu| {
                let mut y = vec![f32::NAN; pixels * 3];
                normalize_u8(cpu, pixels, &x, scale, shift, &mut y);
                [y]
            });
            assert_agrees("normalize_u8", &y, &reference::normalize_u8(&x, scale.map(f64::from), shift.map(f64::from)));
        }
    }
}
