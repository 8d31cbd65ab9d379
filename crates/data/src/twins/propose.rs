//! Which pictures may be one: the whole of one, in any orientation, looks about like a window of another.

use super::descriptor::{Descriptor, Integral, LEN, UNIT, Window};
use super::orientation::Orientation;
use super::parallel::map;
use super::thumbnail::Thumbnail;

/// Signs, of 32, in which a picture and a window may differ.
const MOST_SIGNS: u32 = 7;
/// So of 16 of them some half has at most these.
const MOST_IN_HALF: u32 = MOST_SIGNS / 2;
/// The least cosine between their descriptors.
const LEAST_COSINE: f32 = 0.82;
/// Windows of all pictures together, at most: of many pictures, only the larger windows are tried.
const MOST_WINDOWS: usize = 4 << 20;
/// Proposals of a picture, at most, the likeliest first: a picture that looks like so many is no one's twin.
const MOST_OF_ONE: usize = 32;

/// That `whole`, laid so, may be `window` of `other`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Proposal {
    pub(super) whole: u32,
    pub(super) way: Orientation,
    pub(super) other: u32,
    pub(super) window: Window,
    pub(super) cosine: f32,
}

/// All windows of all pictures, to be found by the signs of their descriptors.
struct Windows {
    /// The mean of all whole pictures: most sets have a look of their own, which says nothing of one picture.
    usual: Descriptor,
    kinds: Vec<Window>,
    /// By window: its picture, its kind, signs and descriptor.
    picture: Vec<u32>,
    kind: Vec<u8>,
    bytes: Vec<[i8; LEN + 1]>,
    halves: [Half; 2],
}

/// Windows by the values of one half of their signs.
struct Half {
    /// Where each value's windows begin.
    starts: Vec<u32>,
    /// All signs of the windows in that order, with their number.
    order: Vec<(u32, u32)>,
}

/// For every two pictures the likeliest way in which one is a part of the other, both ways.
pub(super) fn propose(thumbnails: &[Option<Thumbnail>], threads: usize) -> Vec<Proposal> {
    let count = thumbnails.iter().flatten().count().max(1);
    let mut kinds = Window::all();
    // Whole levels of windows, so that what is tried is so everywhere.
    let room = MOST_WINDOWS / count;
    let fits = kinds
        .iter()
        .enumerate()
        .rposition(|(at, window)| at < room && kinds.get(at + 1).is_none_or(|next| next.side != window.side));
    kinds.truncate(fits.map_or(1, |last| last + 1));
    let windows = Windows::new(thumbnails, kinds, threads);
    let masks: Vec<u16> = (0..=u16::MAX).filter(|mask| mask.count_ones() <= MOST_IN_HALF).collect();
    let of_one: Vec<Vec<Proposal>> = map(thumbnails.len(), threads, |row| match &thumbnails[row] {
        Some(thumbnail) => windows.like(row as u32, thumbnail, &masks),
        None => Vec::new(),
    });
    // That two whole pictures are alike need not be asked from both sides.
    let twice = |proposal: &Proposal| {
        let back = |of: &Proposal| of.other == proposal.whole && of.window == Window::WHOLE;
        proposal.window == Window::WHOLE
            && proposal.other < proposal.whole
            && of_one[proposal.other as usize].iter().any(back)
    };
    of_one.iter().flatten().filter(|proposal| !twice(proposal)).copied().collect()
}

impl Windows {
    fn new(thumbnails: &[Option<Thumbnail>], kinds: Vec<Window>, threads: usize) -> Self {
        let wholes = map(thumbnails.len(), threads, |row| {
            thumbnails[row].as_ref().and_then(|thumbnail| Descriptor::of(&Integral::new(thumbnail), Window::WHOLE))
        });
        let usual = Descriptor::mean(&wholes.into_iter().flatten().collect::<Vec<_>>());
        let described = map(thumbnails.len(), threads, |row| {
            let Some(thumbnail) = &thumbnails[row] else { return Vec::new() };
            let integral = Integral::new(thumbnail);
            let of = |(kind, window): (usize, &Window)| Some((kind as u8, Descriptor::of(&integral, *window)?));
            kinds.iter().enumerate().filter_map(of).map(|(kind, of)| (kind, of.code(&usual), of.bytes())).collect()
        });
        let (mut picture, mut kind, mut code, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (row, windows) in described.into_iter().enumerate() {
            for window in windows {
                picture.push(row as u32);
                kind.push(window.0);
                code.push(window.1);
                bytes.push(window.2);
            }
        }
        let halves = [0, 16].map(|shift| by_value(&code, shift));
        Self { usual, kinds, picture, kind, bytes, halves }
    }

    /// The best proposal for each picture that `row` may be a part of.
    fn like(&self, row: u32, thumbnail: &Thumbnail, masks: &[u16]) -> Vec<Proposal> {
        let Some(upright) = Descriptor::of(&Integral::new(thumbnail), Window::WHOLE) else { return Vec::new() };
        let mut best: Vec<Proposal> = Vec::new();
        for way in Orientation::all() {
            let laid = upright.laid(way);
            let (code, bytes) = (laid.code(&self.usual), laid.bytes());
            for (half, Half { starts, order }) in self.halves.iter().enumerate() {
                let value = (code >> (16 * half)) as u16;
                for mask in masks {
                    let value = usize::from(value ^ mask);
                    let room = MOST_SIGNS - mask.count_ones();
                    for &(signs, at) in &order[starts[value] as usize..starts[value + 1] as usize] {
                        // The other half: this one's signs are those of the mask.
                        let apart = ones(((signs ^ code) >> (16 * (1 - half))) as u16);
                        // What the first half has found, the second need not find again.
                        if apart > room || half == 1 && apart <= MOST_IN_HALF {
                            continue;
                        }
                        let at = at as usize;
                        if self.picture[at] == row {
                            continue;
                        }
                        let cosine = product(&self.bytes[at], &bytes) as f32 / (UNIT * UNIT);
                        if cosine >= LEAST_COSINE {
                            let window = self.kinds[usize::from(self.kind[at])];
                            best.push(Proposal { whole: row, way, other: self.picture[at], window, cosine });
                        }
                    }
                }
            }
        }
        // Of one picture the likeliest, of equals the larger window, then the earlier orientation.
        best.sort_by(|a, b| {
            let side = b.window.side.total_cmp(&a.window.side);
            a.other.cmp(&b.other).then(b.cosine.total_cmp(&a.cosine)).then(side).then(a.way.cmp(&b.way))
        });
        best.dedup_by_key(|proposal| proposal.other);
        best.sort_by(|a, b| b.cosine.total_cmp(&a.cosine).then(a.other.cmp(&b.other)));
        best.truncate(MOST_OF_ONE);
        best
    }
}

fn product(a: &[i8; LEN + 1], b: &[i8; LEN + 1]) -> i32 {
    a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

/// How many bits are 1: without the instruction that not every CPU has.
fn ones(bits: u16) -> u32 {
    const OF_BYTE: [u8; 256] = {
        let mut ones = [0; 256];
        let mut byte = 1;
        while byte < 256 {
            ones[byte] = ones[byte / 2] + (byte % 2) as u8;
            byte += 1;
        }
        ones
    };
    u32::from(OF_BYTE[usize::from(bits & 0xff)]) + u32::from(OF_BYTE[usize::from(bits >> 8)])
}

/// Windows sorted by 16 of their signs.
fn by_value(codes: &[u32], shift: u32) -> Half {
    let value = |code: u32| (code >> shift) as u16 as usize;
    let mut starts = vec![0u32; (1 << 16) + 1];
    codes.iter().for_each(|&code| starts[value(code) + 1] += 1);
    (0..1 << 16).for_each(|at| starts[at + 1] += starts[at]);
    let mut next = starts.clone();
    let mut order = vec![(0, 0); codes.len()];
    for (at, &code) in codes.iter().enumerate() {
        let place = &mut next[value(code)];
        order[*place as usize] = (code, at as u32);
        *place += 1;
    }
    Half { starts, order }
}
