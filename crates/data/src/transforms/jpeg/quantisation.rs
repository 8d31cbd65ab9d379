//! How coarsely each frequency is kept.

/// The standard's example for brightness, frequencies row by row. Source: ITU-T T.81, table K.1.
const BRIGHTNESS: [u16; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
];

/// The same for the two differences of colour: table K.2.
const COLOUR: [u16; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99,
];

/// The steps of a quality, for brightness and for colour. Source: libjpeg's `jpeg_quality_scaling`.
pub(super) fn tables(quality: u8) -> [[i32; 64]; 2] {
    let quality = i32::from(quality).clamp(1, 100);
    let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    [BRIGHTNESS, COLOUR].map(|table| table.map(|step| ((i32::from(step) * percent + 50) / 100).clamp(1, 255)))
}
