//! The float formats of weight files, all to f32.

use safetensors::Dtype;

/// The numbers of a little-endian tensor, or `None` when it is not made of floats.
pub(super) fn decode(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    Some(match dtype {
        Dtype::F32 => words(bytes).map(f32::from_le_bytes).collect(),
        Dtype::F64 => words(bytes).map(|word| f64::from_le_bytes(word) as f32).collect(),
        Dtype::F16 => words(bytes).map(|word| from_f16(u16::from_le_bytes(word))).collect(),
        Dtype::BF16 => words(bytes).map(|word| f32::from_bits(u32::from(u16::from_le_bytes(word)) << 16)).collect(),
        _ => return None,
    })
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.as_chunks::<N>().0.iter().copied()
}

/// IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. Every one is exact in f32.
fn from_f16(half: u16) -> f32 {
    let sign = if half >> 15 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(half >> 10 & 0x1f);
    let fraction = f32::from(half & 0x3ff);
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * 2f32.powi(exponent - 25),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_exact() {
        // numpy 2.4: numpy.array([bits], numpy.uint16).view(numpy.float16)
        let cases = [
            (0x0000, 0.0),
            (0x8000, -0.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x7c00, f32::INFINITY),
            (0xfc00, f32::NEG_INFINITY),
        ];
        for (bits, expected) in cases {
            assert_eq!(from_f16(bits).to_bits(), f32::to_bits(expected), "{bits:#06x}");
        }
        assert!(from_f16(0x7e00).is_nan());
    }

    #[test]
    fn every_width_reads_the_same_number() {
        let read = |dtype, bytes: &[u8]| decode(dtype, bytes);
        assert_eq!(read(Dtype::F32, &(-1.5f32).to_le_bytes()), Some(vec![-1.5]));
        assert_eq!(read(Dtype::F64, &(-1.5f64).to_le_bytes()), Some(vec![-1.5]));
        assert_eq!(read(Dtype::F16, &0xbe00u16.to_le_bytes()), Some(vec![-1.5]));
        assert_eq!(read(Dtype::BF16, &0xbfc0u16.to_le_bytes()), Some(vec![-1.5]));
        assert_eq!(read(Dtype::I64, &[0; 8]), None);
    }
}
