//! A small picture, written by hand so that no test needs an encoder.

use avizor_base::{Purpose, Seed};

const SIDE: usize = 48;

/// A disc on a plain ground; colours by class, place by picture. Source of the format: PNG, W3C 2003.
pub(super) fn blob(class: u32, picture: u64) -> Vec<u8> {
    let mut stream = Seed(9).stream(Purpose::Gallery, [u64::from(class), picture, 0]);
    let mut colours = Seed(9).stream(Purpose::Gallery, [u64::from(class), 0, 1]);
    let [ground, disc] = [60, 170].map(|least| [(); 3].map(|()| least + colours.below(80) as u8));
    let (x, y, radius) = (stream.between(16.0, 32.0), stream.between(16.0, 32.0), stream.between(8.0, 15.0));
    let mut rows = Vec::new();
    for row in 0..SIDE {
        rows.push(0);
        for column in 0..SIDE {
            let inside = (row as f64 - y).hypot(column as f64 - x) < radius;
            rows.extend(if inside { disc } else { ground });
        }
    }
    encode(&rows)
}

/// RGB8 rows with their filter bytes, stored without compression.
fn encode(rows: &[u8]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let side = (SIDE as u32).to_be_bytes();
    chunk(&mut png, b"IHDR", &[&side[..], &side, &[8, 2, 0, 0, 0]].concat());
    let length = rows.len() as u16;
    let (a, b) = rows.iter().fold((1u32, 0u32), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    let stream =
        [&[0x78, 0x01, 1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), rows, &(b << 16 | a).to_be_bytes()];
    chunk(&mut png, b"IDAT", &stream.concat());
    chunk(&mut png, b"IEND", &[]);
    png
}

fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    png.extend((data.len() as u32).to_be_bytes());
    let start = png.len();
    png.extend(kind);
    png.extend(data);
    let crc = png[start..].iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    });
    png.extend((!crc).to_be_bytes());
}
