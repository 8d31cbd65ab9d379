//! Pillow's changes of colour, which torchvision calls: brightness, contrast, saturation, hue.

use crate::Picture;

/// Luma as Pillow's `convert("L")`: ITU-R 601 in 16-bit fixed point.
pub(super) fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((u32::from(red) * 19_595 + u32::from(green) * 38_470 + u32::from(blue) * 7_471 + 0x8000) >> 16) as u8
}

/// Pillow's `Image.blend` of one sample: from `from` at 0 to `to` at 1 and beyond, cut to 0 to 255, fractions dropped.
pub(super) fn blend(from: u8, to: u8, factor: f32) -> u8 {
    without_fraction((f32::from(from) + factor * (f32::from(to) - f32::from(from))).clamp(0.0, 255.0))
}

/// What `as u8` gives for 0 to 255, in instructions that are there for many numbers at once: added to 2²³, a number is rounded
/// and its last bits are the whole number.
fn without_fraction(value: f32) -> u8 {
    const SHIFT: f32 = 8_388_608.0;
    let shifted = value + SHIFT;
    let rounded_up = shifted - SHIFT > value;
    (shifted.to_bits() as u8).wrapping_sub(u8::from(rounded_up))
}

/// From black at 0 to the picture at 1 and beyond.
pub(super) fn brightness(picture: &mut Picture, factor: f64) {
    map(picture, |sample| blend(0, sample, factor as f32));
}

/// From the mean gray at 0 to the picture at 1 and beyond.
pub(super) fn contrast(picture: &mut Picture, factor: f64) {
    let sum: u64 = picture.colours().iter().map(|colour| u64::from(luma(*colour))).sum();
    let mean = (sum as f64 / picture.colours().len() as f64 + 0.5) as u8;
    map(picture, |sample| blend(mean, sample, factor as f32));
}

/// Every sample through a table: there are only 256.
fn map(picture: &mut Picture, change: impl Fn(u8) -> u8) {
    let table: [u8; 256] = std::array::from_fn(|sample| change(sample as u8));
    picture.pixels_mut().iter_mut().for_each(|sample| *sample = table[usize::from(*sample)]);
}

/// From gray at 0 to the picture at 1 and beyond.
pub(super) fn saturation(picture: &mut Picture, factor: f64) {
    /// Pixels at a time: their grays beside their samples, so that all samples are blended by the same instructions.
    const TOGETHER: usize = 64;
    let (factor, mut grays) = (factor as f32, [[0; 3]; TOGETHER]);
    for colours in picture.colours_mut().chunks_mut(TOGETHER) {
        grays.iter_mut().zip(&*colours).for_each(|(gray, colour)| *gray = [luma(*colour); 3]);
        let samples = colours.as_flattened_mut().iter_mut();
        samples.zip(grays.as_flattened()).for_each(|(sample, gray)| *sample = blend(*gray, *sample, factor));
    }
}

/// Turns the hue by a part of the circle, in 255 steps as torchvision does.
pub(super) fn hue(picture: &mut Picture, part: f64) {
    let turn = (part * 255.0) as i32 as u8;
    for colour in picture.colours_mut() {
        let [hue, saturation, value] = to_hsv(*colour);
        *colour = from_hsv([hue.wrapping_add(turn), saturation, value]);
    }
}

/// Source: `rgb2hsv_row` of Pillow's `Convert.c`, in its mixture of single and double precision.
fn to_hsv([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    if most == least {
        return [0, 0, most];
    }
    let range = f32::from(most - least);
    let below = |sample: u8| f32::from(most - sample) / range;
    let saturation = range / f32::from(most);
    let hue = if red == most {
        below(blue) - below(green)
    } else if green == most {
        (2.0 + f64::from(below(red)) - f64::from(below(blue))) as f32
    } else {
        (4.0 + f64::from(below(green)) - f64::from(below(red))) as f32
    };
    let turned = f64::from(hue) / 6.0 + 1.0;
    // Positive and small, so that cutting is the floor.
    let hue = (turned - f64::from(turned as u32)) as f32;
    // Never outside 0 to 255: hue and saturation lie within 0 and 1.
    [(f64::from(hue) * 255.0) as u8, (f64::from(saturation) * 255.0) as u8, most]
}

/// Source: `hsv2rgb_row` of Pillow's `Convert.c`.
fn from_hsv([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    if saturation == 0 {
        return [value; 3];
    }
    let place = f64::from(hue) * 6.0 / 255.0;
    let sector = place as u32;
    let (fraction, saturation) = ((place - f64::from(sector)) as f32, f32::from(saturation) / 255.0);
    // Rounds what is not negative.
    let part = |share: f64| (f64::from(value) * (1.0 - share) + 0.5) as u8;
    let p = part(f64::from(saturation));
    let q = part(f64::from(saturation * fraction));
    let t = part(f64::from(saturation) * (1.0 - f64::from(fraction)));
    match sector % 6 {
        0 => [value, t, p],
        1 => [q, value, p],
        2 => [p, value, t],
        3 => [p, q, value],
        4 => [t, p, value],
        _ => [value, p, q],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_dropped_as_a_cast_does() {
        for part in 0..=255 * 1024 {
            let value = part as f32 / 1024.0;
            assert_eq!(without_fraction(value), value as u8);
        }
        for whole in 1..=255u8 {
            let below = f32::from(whole).next_down();
            assert_eq!(without_fraction(below), whole - 1);
        }
    }
}
