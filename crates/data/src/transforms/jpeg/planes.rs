//! A picture as brightness and two differences of colour at half size, in whole blocks, and back. Source: libjpeg's
//! `jccolor.c`, `jcsample.c`, `jdsample.c` and `jdcolor.c`.

use super::super::colour::luma;
use crate::Picture;

const BLOCK: usize = 8;

/// The three planes, one behind the other in one buffer. Beyond the picture each goes on with its edge, to whole blocks.
pub(super) struct Planes<'b> {
    brightness: Plane<'b>,
    colour: [Plane<'b>; 2],
}

/// Samples in whole blocks.
pub(super) struct Plane<'b> {
    samples: &'b mut [u8],
    /// A multiple of the block's.
    width: usize,
}

impl<'b> Planes<'b> {
    pub(super) fn of(picture: &Picture, buffer: &'b mut Vec<u8>) -> Self {
        let (height, width) = (picture.size().height() as usize, picture.size().width() as usize);
        let blocks = |side: usize| side.next_multiple_of(BLOCK);
        let (full, half) = (blocks(width), blocks(width.div_ceil(2)));
        // Two rows of blocks of brightness belong to one of colour, and stand for it while it is made smaller.
        let (full_area, half_area) = (full * 2 * blocks(height.div_ceil(2)), half * blocks(height.div_ceil(2)));
        buffer.resize(full_area + 2 * half_area, 0);
        let (brightness, colour) = buffer.split_at_mut(full_area);
        let (blue, red) = colour.split_at_mut(half_area);
        let plane = |samples, width| Plane { samples, width };
        let mut planes = Self { brightness: plane(brightness, full), colour: [plane(blue, half), plane(red, half)] };
        for (y, row) in planes.brightness.samples.chunks_exact_mut(full).enumerate() {
            let colours = picture.row(y.min(height - 1)).as_chunks().0;
            for (x, sample) in row.iter_mut().enumerate() {
                *sample = luma(colours[x.min(width - 1)]);
            }
        }
        for (plane, of) in planes.colour.iter_mut().zip([blueness, redness]) {
            plane.shrink(picture, of);
        }
        planes
    }

    /// Brightness, blueness, redness.
    pub(super) fn each(&mut self) -> [Plane<'_>; 3] {
        let [blue, red] = &mut self.colour;
        [&mut self.brightness, blue, red].map(|plane| Plane { samples: &mut *plane.samples, width: plane.width })
    }

    pub(super) fn put_into(&self, picture: &mut Picture) {
        let (height, width) = (picture.size().height() as usize, picture.size().width() as usize);
        let [blue, red] = &self.colour;
        let bytes = picture.row_bytes();
        let last = height.div_ceil(2) - 1;
        for (y, row) in picture.pixels_mut().chunks_exact_mut(bytes).enumerate() {
            let near = y / 2;
            let far = if y.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(last) };
            let colour = [blue, red].map(|plane| Enlarged::new(plane.row(near), plane.row(far), width));
            let brightness = self.brightness.row(y);
            for (x, pixel) in row.as_chunks_mut().0.iter_mut().enumerate() {
                *pixel = rgb(brightness[x], colour[0].at(x), colour[1].at(x));
            }
        }
    }
}

impl Plane<'_> {
    fn row(&self, y: usize) -> &[u8] {
        &self.samples[y * self.width..][..self.width]
    }

    pub(super) fn each_block(&mut self, mut change: impl FnMut(&mut [i32; BLOCK * BLOCK])) {
        let width = self.width;
        for strip in self.samples.chunks_exact_mut(width * BLOCK) {
            for left in (0..width).step_by(BLOCK) {
                let mut block = std::array::from_fn(|at| i32::from(strip[at / BLOCK * width + left + at % BLOCK]));
                change(&mut block);
                for (row, values) in strip.chunks_exact_mut(width).zip(block.as_chunks::<BLOCK>().0) {
                    for (sample, value) in row[left..][..BLOCK].iter_mut().zip(values) {
                        // The change keeps it within 0 to 255.
                        *sample = *value as u8;
                    }
                }
            }
        }
    }

    /// Each sample is the mean of four pixels' values, whose half is rounded up in every second column alone.
    fn shrink(&mut self, picture: &Picture, of: fn([u8; 3]) -> u8) {
        let (height, width) = (picture.size().height() as usize, picture.size().width() as usize);
        let last = height.div_ceil(2) - 1;
        for (y, row) in self.samples.chunks_exact_mut(self.width).enumerate() {
            let y = y.min(last);
            let rows = [2 * y, 2 * y + 1].map(|y| picture.row(y.min(height - 1)).as_chunks().0);
            for (x, sample) in row.iter_mut().enumerate() {
                let columns = [2 * x, 2 * x + 1].map(|x| x.min(width - 1));
                let four = rows.iter().flat_map(|row| columns.map(|x| u32::from(of(row[x]))));
                *sample = ((four.sum::<u32>() + 1 + x as u32 % 2) / 4) as u8;
            }
        }
    }
}

/// A row of colour at full width: three parts of the nearer, one of the farther sample, along and across.
struct Enlarged<'p> {
    near: &'p [u8],
    far: &'p [u8],
    /// Samples within the picture.
    length: usize,
}

impl<'p> Enlarged<'p> {
    fn new(near: &'p [u8], far: &'p [u8], width: usize) -> Self {
        Self { near, far, length: width.div_ceil(2) }
    }

    fn at(&self, x: usize) -> u8 {
        let own = x / 2;
        if self.length <= 2 {
            // libjpeg does not bother with pictures of four columns.
            return self.near[own];
        }
        let across = |x: usize| 3 * u32::from(self.near[x]) + u32::from(self.far[x]);
        let (beside, half) =
            if x.is_multiple_of(2) { (own.saturating_sub(1), 8) } else { ((own + 1).min(self.length - 1), 7) };
        ((3 * across(own) + across(beside) + half) / 16) as u8
    }
}

fn blueness([red, green, blue]: [u8; 3]) -> u8 {
    difference(blue, [(red, 11_059), (green, 21_709)])
}

fn redness([red, green, blue]: [u8; 3]) -> u8 {
    difference(red, [(green, 27_439), (blue, 5_329)])
}

/// Half of one colour less the parts of the two others, 128 for gray.
fn difference(own: u8, others: [(u8, i32); 2]) -> u8 {
    let less: i32 = others.iter().map(|(sample, part)| i32::from(*sample) * part).sum();
    (((i32::from(own) << 15) - less + (128 << 16) + (1 << 15) - 1) >> 16) as u8
}

fn rgb(brightness: u8, blueness: u8, redness: u8) -> [u8; 3] {
    let (y, blue, red) = (i32::from(brightness), i32::from(blueness) - 128, i32::from(redness) - 128);
    const HALF: i32 = 1 << 15;
    [
        y + ((91_881 * red + HALF) >> 16),
        y + ((-22_554 * blue - 46_802 * red + HALF) >> 16),
        y + ((116_130 * blue + HALF) >> 16),
    ]
    .map(|sample| sample.clamp(0, 255) as u8)
}
