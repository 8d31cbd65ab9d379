//! Pixels looked up at places of the input: what all warps do once they know where.

use super::warp::{Extension, Fill, Interpolation};
use crate::Picture;

/// Where the pixels of the output look.
pub(super) trait Places {
    /// The places of a row's pixels, from the left; more of them are not asked for.
    fn of_row(&self, y: usize) -> impl Iterator<Item = Place>;
}

/// Puts into each pixel what is at its place. `before` is a buffer to reuse.
pub(super) fn look_up(
    places: &impl Places,
    interpolation: Interpolation,
    fill: Fill,
    picture: &mut Picture,
    before: &mut Vec<u8>,
) {
    before.resize(picture.pixels().len(), 0);
    *before = picture.replace_pixels(std::mem::take(before));
    let size = picture.size();
    let source =
        Source { pixels: before.as_chunks().0, height: i64::from(size.height()), width: i64::from(size.width()) };
    match fill {
        Fill::Colour(colour) => rows(places, interpolation, source, &Framed(colour.rgb()), picture),
        Fill::Extended(Extension::Nearest) => rows(places, interpolation, source, &Clamped, picture),
        Fill::Extended(Extension::Reflect) => rows(places, interpolation, source, &Mirrored, picture),
    }
}

fn rows(
    places: &impl Places,
    interpolation: Interpolation,
    source: Source<'_>,
    border: &impl Border,
    picture: &mut Picture,
) {
    let width = picture.size().width() as usize;
    for (y, row) in picture.colours_mut().chunks_exact_mut(width).enumerate() {
        match interpolation {
            Interpolation::Nearest => nearest_row(source, border, places.of_row(y), row),
            Interpolation::Bilinear => bilinear_row(source, border, places.of_row(y), row),
        }
    }
}

/// Bits after the binary point of a place.
pub(super) const FRACTION: u32 = 32;
/// Bits of a weight: two of them and eight of a sample fit 32.
const WEIGHT: u32 = 11;

/// A place in the input, in pixels of 2³² parts.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) x: i64,
    pub(super) y: i64,
}

/// The input.
#[derive(Clone, Copy)]
struct Source<'a> {
    pixels: &'a [[u8; 3]],
    height: i64,
    width: i64,
}

impl Source<'_> {
    fn at(self, y: i64, x: i64) -> [u8; 3] {
        self.pixels[(y * self.width + x) as usize]
    }

    fn holds(self, y: i64, x: i64) -> bool {
        (0..self.height).contains(&y) && (0..self.width).contains(&x)
    }
}

/// Rounded to 2⁻³² and kept within a range that no sum of a row leaves.
pub(super) fn fixed(value: f64) -> i64 {
    const MOST: f64 = (1u64 << 28) as f64;
    (value.clamp(-MOST, MOST) * (1u64 << FRACTION) as f64).round_ties_even() as i64
}

/// What lies outside.
trait Border {
    /// A colour for every pixel whose place is outside, or none where the picture goes on.
    const COLOUR: bool;

    fn colour(&self) -> [u8; 3] {
        [0; 3]
    }

    /// The index inside that stands for any index along an axis.
    fn inside(index: i64, length: i64) -> i64;
}

struct Framed([u8; 3]);
struct Clamped;
struct Mirrored;

impl Border for Framed {
    const COLOUR: bool = true;

    fn colour(&self) -> [u8; 3] {
        self.0
    }

    fn inside(index: i64, length: i64) -> i64 {
        index.clamp(0, length - 1)
    }
}

impl Border for Clamped {
    const COLOUR: bool = false;

    fn inside(index: i64, length: i64) -> i64 {
        index.clamp(0, length - 1)
    }
}

impl Border for Mirrored {
    const COLOUR: bool = false;

    fn inside(index: i64, length: i64) -> i64 {
        if (0..length).contains(&index) {
            return index;
        }
        let place = index.rem_euclid(2 * length);
        place.min(2 * length - 1 - place)
    }
}

fn nearest_row<B: Border>(source: Source<'_>, border: &B, places: impl Iterator<Item = Place>, row: &mut [[u8; 3]]) {
    for (pixel, place) in row.iter_mut().zip(places) {
        let (x, y) = (place.x >> FRACTION, place.y >> FRACTION);
        *pixel = if source.holds(y, x) {
            source.at(y, x)
        } else if B::COLOUR {
            border.colour()
        } else {
            source.at(B::inside(y, source.height), B::inside(x, source.width))
        };
    }
}

fn bilinear_row<B: Border>(source: Source<'_>, border: &B, places: impl Iterator<Item = Place>, row: &mut [[u8; 3]]) {
    const HALF: i64 = 1 << (FRACTION - 1);
    for (pixel, place) in row.iter_mut().zip(places) {
        let (x, y) = ((place.x - HALF) >> FRACTION, (place.y - HALF) >> FRACTION);
        let weight = |place: i64| ((place - HALF) as u32 >> (FRACTION - WEIGHT)) as i32;
        let weights = [weight(place.x), weight(place.y)];
        *pixel = if x >= 0 && y >= 0 && x + 1 < source.width && y + 1 < source.height {
            let corner = (y * source.width + x) as usize;
            let below = corner + source.width as usize;
            let [above, below] = [&source.pixels[corner..corner + 2], &source.pixels[below..below + 2]];
            blend([above[0], above[1], below[0], below[1]], weights)
        } else if B::COLOUR && !source.holds(place.y >> FRACTION, place.x >> FRACTION) {
            border.colour()
        } else {
            let columns = [x, x + 1].map(|x| B::inside(x, source.width));
            let rows = [y, y + 1].map(|y| B::inside(y, source.height));
            let corner = |y: usize, x: usize| source.at(rows[y], columns[x]);
            blend([corner(0, 0), corner(0, 1), corner(1, 0), corner(1, 1)], weights)
        };
    }
}

/// Four neighbours by distance, rounded to the nearest.
fn blend([a, b, c, d]: [[u8; 3]; 4], [x, y]: [i32; 2]) -> [u8; 3] {
    const HALF: i32 = 1 << (2 * WEIGHT - 1);
    std::array::from_fn(|channel| {
        let [a, b, c, d] = [a, b, c, d].map(|colour| i32::from(colour[channel]));
        let above = (a << WEIGHT) + (b - a) * x;
        let below = (c << WEIGHT) + (d - c) * x;
        (((above << WEIGHT) + (below - above) * y + HALF) >> (2 * WEIGHT)) as u8
    })
}
