//! Which pictures may be one: the whole of one, in any orientation, looks about like a window of another.

use std::sync::{Mutex, PoisonError};

use super::descriptor::{Descriptor, Integral, LEN, UNIT, Window};
use super::orientation::Orientation;
use super::parallel::map;
use super::signs::{Half, pairs};
use super::thumbnail::Thumbnail;

/// The least cosine between the descriptors of a picture and a window.
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

impl Proposal {
    /// Of two for the same pictures, the likelier first; of equals the one of the larger window, then the earlier orientation and
    /// place.
    fn before(&self, other: &Self) -> bool {
        let place = |window: &Window| (window.top, window.left);
        let order = other.cosine.total_cmp(&self.cosine).then(other.window.side.total_cmp(&self.window.side));
        let order = order.then(self.way.cmp(&other.way));
        order.is_lt() || order.is_eq() && place(&self.window) < place(&other.window)
    }
}

/// What is looked for, and where: pictures in every orientation, or windows of pictures.
struct Described {
    codes: Vec<u32>,
    bytes: Vec<[i8; LEN + 1]>,
    /// The picture of each.
    pictures: Vec<u32>,
    /// Which orientation or window of it.
    kinds: Vec<u8>,
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
    let best = Best::new(thumbnails.len());
    let wholes = laid(thumbnails, Window::WHOLE, threads);
    let windows = Described::new(thumbnails.len(), threads, &wholes.usual, |row| {
        let Some(thumbnail) = &thumbnails[row] else { return Vec::new() };
        let integral = Integral::new(thumbnail);
        let of = |(kind, window): (u8, &Window)| Some((kind, Descriptor::of(&integral, *window)?));
        (0..).zip(&kinds).filter_map(of).collect()
    });
    search(wholes.described, windows, &kinds, threads, &best);
    // Margins that were lost, blackened by a turn or written on hide that the rest is one picture, where it was.
    let centres = laid(thumbnails, Window::CENTRE, threads);
    let upright = Described::new(thumbnails.len(), threads, &centres.usual, |row| {
        centres.uprights[row].iter().map(|upright| (0, *upright)).collect()
    });
    search(centres.described, upright, &[Window::WHOLE], threads, &best);
    let of_one = best.into_sorted();
    of_one.iter().flatten().copied().collect()
}

/// One window of every picture in every orientation, to be looked for.
struct Laid {
    uprights: Vec<Option<Descriptor>>,
    /// The mean of all: most sets have a look of their own, which says nothing of one picture.
    usual: Descriptor,
    described: Described,
}

fn laid(thumbnails: &[Option<Thumbnail>], window: Window, threads: usize) -> Laid {
    let of = |row: usize| Descriptor::of(&Integral::new(thumbnails[row].as_ref()?), window);
    let uprights = map(thumbnails.len(), threads, of);
    let usual = Descriptor::mean(&uprights.iter().flatten().copied().collect::<Vec<_>>());
    let described = Described::new(thumbnails.len(), threads, &usual, |row| {
        let laid = uprights[row].iter().flat_map(|upright| Orientation::all().map(|way| upright.laid(way)));
        (0..).zip(laid).collect()
    });
    Laid { uprights, usual, described }
}

/// Offers all of whom signs and cosine say that one, laid in the orientation of its kind, may be the window that the kind of the
/// other stands for.
fn search(mut wholes: Described, mut windows: Described, kinds: &[Window], threads: usize, best: &Best) {
    let ways = Orientation::all();
    for half in Half::BOTH {
        // What is compared with one another then lies side by side.
        wholes.sort_by(half);
        windows.sort_by(half);
        pairs(half, &wholes.codes, &windows.codes, threads, |pairs| {
            let proposal = |&(whole, window): &(u32, u32)| {
                let (at, of) = (whole as usize, window as usize);
                let cosine = product(&wholes.bytes[at], &windows.bytes[of]) as f32 / (UNIT * UNIT);
                let (whole, other) = (wholes.pictures[at], windows.pictures[of]);
                let [way, window] = [wholes.kinds[at], windows.kinds[of]].map(usize::from);
                let proposal = || Proposal { whole, way: ways[way], other, window: kinds[window], cosine };
                (cosine >= LEAST_COSINE && whole != other).then(proposal)
            };
            best.offer(pairs.iter().filter_map(proposal));
        });
    }
}

impl Described {
    /// Of rows, each with some descriptors and what they are of.
    fn new(
        rows: usize,
        threads: usize,
        usual: &Descriptor,
        of: impl Fn(usize) -> Vec<(u8, Descriptor)> + Sync,
    ) -> Self {
        let described = map(rows, threads, |row| {
            of(row).into_iter().map(|(kind, of)| (kind, of.code(usual), of.bytes())).collect::<Vec<_>>()
        });
        let mut all = Self { codes: Vec::new(), bytes: Vec::new(), pictures: Vec::new(), kinds: Vec::new() };
        for (row, described) in (0..).zip(described) {
            for (kind, code, bytes) in described {
                all.codes.push(code);
                all.bytes.push(bytes);
                all.pictures.push(row);
                all.kinds.push(kind);
            }
        }
        all
    }

    fn sort_by(&mut self, half: Half) {
        let mut order: Vec<u32> = (0..self.codes.len() as u32).collect();
        order.sort_by_key(|&at| half.value(self.codes[at as usize]));
        permuted(&mut self.codes, &order);
        permuted(&mut self.bytes, &order);
        permuted(&mut self.pictures, &order);
        permuted(&mut self.kinds, &order);
    }
}

fn permuted<T: Copy>(values: &mut Vec<T>, order: &[u32]) {
    *values = order.iter().map(|&at| values[at as usize]).collect();
}

/// Of every whole picture the likeliest proposals, one for each other picture: the same in whatever order they come.
struct Best {
    of_one: Mutex<Vec<Vec<Proposal>>>,
}

impl Best {
    fn new(rows: usize) -> Self {
        Self { of_one: Mutex::new(vec![Vec::new(); rows]) }
    }

    fn offer(&self, proposals: impl Iterator<Item = Proposal>) {
        let proposals: Vec<Proposal> = proposals.collect();
        let mut of_one = self.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        for proposal in proposals {
            let best = &mut of_one[proposal.whole as usize];
            match best.iter().position(|of| of.other == proposal.other) {
                Some(at) if proposal.before(&best[at]) => best[at] = proposal,
                Some(_) => {}
                None => best.push(proposal),
            }
            if best.len() == 2 * MOST_OF_ONE {
                shorten(best);
            }
        }
    }

    fn into_sorted(self) -> Vec<Vec<Proposal>> {
        let mut of_one = self.of_one.into_inner().unwrap_or_else(PoisonError::into_inner);
        of_one.iter_mut().for_each(shorten);
        of_one
    }
}

/// Leaves the likeliest, those first.
fn shorten(best: &mut Vec<Proposal>) {
    best.sort_by(|a, b| b.cosine.total_cmp(&a.cosine).then(a.other.cmp(&b.other)));
    best.truncate(MOST_OF_ONE);
}

fn product(a: &[i8; LEN + 1], b: &[i8; LEN + 1]) -> i32 {
    a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}
