//! Four-channel JPEG to RGB.
//!
//! Every program that writes them stores ink inverted, as Adobe's do, and Pillow assumes it; so do we. The decoder's
//! own conversion gets YCCK wrong, so it only hands out the raw channels. Sources: ICC-free conversion of Pillow's
//! `cmyk2rgb`; YCbCr by libjpeg's 16-bit fixed point (`jdcolor.c`).

use super::super::samples::over_255;

/// How the first three channels are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inks {
    /// Inverted cyan, magenta, yellow.
    Cmyk,
    /// The same three as luma and chroma of `255 - ink`.
    Ycck,
}

/// Raw channels, four a pixel, to RGB, in place.
pub(super) fn to_rgb(mut channels: Vec<u8>, inks: Inks) -> Vec<u8> {
    let count = channels.len() / 4;
    for index in 0..count {
        let [first, second, third, white]: [u8; 4] = std::array::from_fn(|channel| channels[4 * index + channel]);
        let paper = match inks {
            Inks::Cmyk => [first, second, third],
            // libjpeg gives 255 - RGB for the inverted inks.
            Inks::Ycck => ycc_to_rgb(first, second, third).map(|value| 255 - value),
        };
        for (channel, stored) in paper.into_iter().enumerate() {
            channels[3 * index + channel] = through_ink(255 - stored, white);
        }
    }
    channels.truncate(3 * count);
    channels.shrink_to_fit();
    channels
}

/// Light that one ink and black let through; `white` is 255 minus black.
pub(in crate::decode) fn through_ink(ink: u8, white: u8) -> u8 {
    white - over_255(u32::from(ink) * u32::from(white))
}

/// JFIF's YCbCr to RGB.
pub(in crate::decode) fn ycc_to_rgb(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    /// `round(value · 2¹⁶)`.
    const fn fixed(value: f64) -> i32 {
        (value * 65_536.0 + 0.5) as i32
    }
    const HALF: i32 = 1 << 15;
    let (luma, blue, red) = (i32::from(luma), i32::from(blue) - 128, i32::from(red) - 128);
    let clip = |value: i32| value.clamp(0, 255) as u8;
    [
        clip(luma + ((fixed(1.402) * red + HALF) >> 16)),
        clip(luma + ((-fixed(0.344_14) * blue - fixed(0.714_14) * red + HALF) >> 16)),
        clip(luma + ((fixed(1.772) * blue + HALF) >> 16)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inks_become_light() {
        // Stored inverted: 255 is no ink.
        assert_eq!(to_rgb(vec![255, 255, 255, 255], Inks::Cmyk), [255, 255, 255]);
        assert_eq!(to_rgb(vec![0, 255, 255, 255], Inks::Cmyk), [0, 255, 255]);
        assert_eq!(to_rgb(vec![255, 255, 255, 0], Inks::Cmyk), [0, 0, 0]);
        assert_eq!(to_rgb(vec![200, 100, 50, 128], Inks::Cmyk), [100, 50, 25]);
        // Luma 0 is ink 255 - 0 stored inverted: paper white.
        assert_eq!(to_rgb(vec![0, 128, 128, 255], Inks::Ycck), [255, 255, 255]);
    }
}
