//! AVX2: sums of two products of 16 bits at once, four taps of a pixel or two of sixteen columns.

use std::arch::x86_64::*;

use super::scalar::{self, column_sum};
use super::{HALF, LOW, PRECISION, ResampleKernel, Taps, halves};
use crate::Level;

pub(super) const RESAMPLE_U8: ResampleKernel =
    ResampleKernel { name: "resample_u8_avx2", level: Level::Avx2, along_row, down_columns };

/// Taps that are done at once: pixels of a group.
const GROUP: usize = 4;
/// Bytes of a group, and of the load that fetches them.
const GROUP_BYTES: usize = 3 * GROUP;
const LOAD_BYTES: usize = 16;

/// Taps as this level reads them: every pixel has equally many groups, filled up with weights of zero, and no load leaves the row.
#[derive(Clone, Debug)]
pub(super) struct PackedTaps {
    /// Where the first load of each output pixel begins, in bytes of the needed pixels.
    starts: Vec<usize>,
    /// From this output pixel on a load ends with its group, and before it begins with it.
    ending: usize,
    groups: usize,
    /// Of each group of each output pixel the upper and the lower halves of its weights, in the order of [`spread`].
    weights: Vec<[[i16; 16]; 2]>,
}

impl PackedTaps {
    /// `None` where the row is too short: the last group then ends less than a load behind the row's start.
    pub(super) fn new(taps: &Taps) -> Option<Self> {
        let most = (0..taps.len()).map(|output| taps.of(output).1.len()).max()?;
        let (needed, groups) = (taps.needed(), most.div_ceil(GROUP).max(1));
        let latest = needed.len().checked_sub(GROUP * groups)?;
        let over = LOAD_BYTES - GROUP_BYTES;
        let mut packed = Self { starts: Vec::new(), ending: taps.len(), groups, weights: Vec::new() };
        for output in 0..taps.len() {
            let (first, weights) = taps.of(output);
            let first = first - needed.start;
            let start = first.min(latest);
            if output < packed.ending && 3 * start + GROUP_BYTES * groups + over > 3 * needed.len() {
                packed.ending = output;
            }
            let before = if output < packed.ending { 0 } else { over };
            packed.starts.push((3 * start).checked_sub(before)?);
            for group in 0..groups {
                // The weight of the pixel at this place of the group, zero where it is no tap.
                let weight = |place: usize| {
                    let tap = (start + GROUP * group + place).checked_sub(first);
                    tap.and_then(|tap| weights.get(tap)).copied().unwrap_or(0)
                };
                let part = |half: usize| {
                    std::array::from_fn(|place| spread(place).map_or(0, |pixel| halves(weight(pixel))[half]))
                };
                packed.weights.push([part(0), part(1)]);
            }
        }
        Some(packed)
    }
}

/// Which pixel of a group stands at a place of a vector of 16 numbers: red of the first two, green, blue, nothing; then the other two.
fn spread(place: usize) -> Option<usize> {
    (place % 8 < 6).then_some(place / 8 * 2 + place % 2)
}

#[target_feature(enable = "avx2")]
fn along_row(taps: &Taps, row: &[u8], output: &mut [u8]) {
    let Some(packed) = taps.packed() else { return scalar::along_row(taps, row, output) };
    /// Zero.
    const O: i8 = -128;
    // Bytes of a group in both halves of a vector, to numbers of 16 bits in the order of `spread`.
    let beginning = _mm256_setr_epi8(
        0, O, 3, O, 1, O, 4, O, 2, O, 5, O, O, O, O, O, 6, O, 9, O, 7, O, 10, O, 8, O, 11, O, O, O, O, O,
    );
    // Behind the bytes that a load has too many. A place of zero stays one.
    let ending = _mm256_add_epi8(beginning, _mm256_set1_epi8((LOAD_BYTES - GROUP_BYTES) as i8));
    let pixels = output.as_chunks_mut::<3>().0.iter_mut().zip(&packed.starts);
    for ((x, (pixel, &start)), weights) in pixels.enumerate().zip(packed.weights.chunks_exact(packed.groups)) {
        let order = if x < packed.ending { beginning } else { ending };
        let (mut high_sums, mut low_sums) = (_mm256_setzero_si256(), _mm256_setzero_si256());
        for (group, [high, low]) in weights.iter().enumerate() {
            // SAFETY: `PackedTaps::new` placed every load in the row, whose length was checked.
            let bytes = unsafe { _mm_loadu_si128(row.as_ptr().add(start + GROUP_BYTES * group).cast()) };
            let samples = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), order);
            // SAFETY: both are 16 numbers of 16 bits.
            let (high, low) =
                unsafe { (_mm256_loadu_si256(high.as_ptr().cast()), _mm256_loadu_si256(low.as_ptr().cast())) };
            high_sums = _mm256_add_epi32(high_sums, _mm256_madd_epi16(samples, high));
            low_sums = _mm256_add_epi32(low_sums, _mm256_madd_epi16(samples, low));
        }
        let sums = _mm256_add_epi32(_mm256_slli_epi32::<{ LOW as i32 }>(high_sums), low_sums);
        let sums = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
        let sums = _mm_srai_epi32::<{ PRECISION as i32 }>(_mm_add_epi32(sums, _mm_set1_epi32(HALF)));
        let sums = _mm_packs_epi32(sums, sums);
        let [red, green, blue, _] = _mm_cvtsi128_si32(_mm_packus_epi16(sums, sums)).to_le_bytes();
        *pixel = [red, green, blue];
    }
}

/// Columns of a block.
const BLOCK: usize = 16;

#[target_feature(enable = "avx2")]
fn down_columns(weights: &[i32], source: &[u8], stride: usize, output: &mut [u8]) {
    let width = output.len();
    let (blocks, rest) = output.as_chunks_mut::<BLOCK>();
    for (index, block) in blocks.iter_mut().enumerate() {
        // SAFETY: rows of the source are as long as the output, which this block lies in.
        *block = unsafe { weigh(weights, source.as_ptr().add(index * BLOCK), stride) };
    }
    let done = width - rest.len();
    for (column, output) in (done..).zip(rest) {
        *output = column_sum(weights, source, stride, column);
    }
}

/// A block, two rows at a time.
///
/// # Safety
/// From the pointer on, and every `stride` bytes further, there are as many bytes as a block has columns, for each weight.
#[target_feature(enable = "avx2")]
unsafe fn weigh(weights: &[i32], mut row: *const u8, stride: usize) -> [u8; BLOCK] {
    let mut sums = BlockSums { high: [_mm256_setzero_si256(); 2], low: [_mm256_set1_epi32(HALF); 2] };
    let (pairs, rest) = weights.as_chunks::<2>();
    for pair in pairs {
        // SAFETY: by the caller's promise for two weights more.
        unsafe {
            sums.add([_mm_loadu_si128(row.cast()), _mm_loadu_si128(row.add(stride).cast())], *pair);
            row = row.wrapping_add(2 * stride);
        }
    }
    if let [weight] = rest {
        // SAFETY: by the caller's promise for the last weight.
        sums.add([unsafe { _mm_loadu_si128(row.cast()) }, _mm_setzero_si128()], [*weight, 0]);
    }
    sums.bytes()
}

/// Of a block's first eight columns and of its last, what the halves of the weights make.
struct BlockSums {
    high: [__m256i; 2],
    low: [__m256i; 2],
}

impl BlockSums {
    /// Adds two rows, the samples of a column beside each other.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn add(&mut self, [first, second]: [__m128i; 2], weights: [i32; 2]) {
        let ([first_high, first_low], [second_high, second_low]) = (halves(weights[0]), halves(weights[1]));
        let pair = |first: i16, second: i16| i32::from(first) & 0xffff | i32::from(second) << 16;
        let high = _mm256_set1_epi32(pair(first_high, second_high));
        let low = _mm256_set1_epi32(pair(first_low, second_low));
        let columns = [_mm_unpacklo_epi8(first, second), _mm_unpackhi_epi8(first, second)];
        for (part, columns) in columns.into_iter().enumerate() {
            let samples = _mm256_cvtepu8_epi16(columns);
            self.high[part] = _mm256_add_epi32(self.high[part], _mm256_madd_epi16(samples, high));
            self.low[part] = _mm256_add_epi32(self.low[part], _mm256_madd_epi16(samples, low));
        }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn bytes(self) -> [u8; BLOCK] {
        let mut sums = self.low;
        for (sum, high) in sums.iter_mut().zip(self.high) {
            *sum = _mm256_add_epi32(_mm256_slli_epi32::<{ LOW as i32 }>(high), *sum);
            *sum = _mm256_srai_epi32::<{ PRECISION as i32 }>(*sum);
        }
        // Packing goes by halves of the vectors: the middle quarters change places.
        let sums = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(sums[0], sums[1]));
        let bytes = _mm_packus_epi16(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
        let mut block = [0; BLOCK];
        // SAFETY: the block is 16 bytes.
        unsafe { _mm_storeu_si128(block.as_mut_ptr().cast(), bytes) };
        block
    }
}
