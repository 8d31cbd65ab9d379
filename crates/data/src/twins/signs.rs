//! Codes of 32 signs: which of one list and which of another differ in few places.
//!
//! Where two codes differ in at most [`MOST_SIGNS`] places, one half of them differs in at most half as many. So codes are
//! sorted by the value of a half, once by each, and the few values around a value are looked up. Both lists are, and it is the
//! longer one that is walked through: what is looked up in the shorter one stays in a near cache.

use super::parallel::map;

/// Signs, of 32, in which two codes may differ.
const MOST_SIGNS: u32 = 7;
/// So of 16 of them some half has at most these.
const MOST_IN_HALF: u32 = MOST_SIGNS / 2;
/// Pairs that are handed on together.
const TOGETHER: usize = 4096;
/// Values of a half that are one piece of work.
const VALUES: usize = 256;
/// Codes that are compared at once: an even vector for every CPU.
const LANES: usize = 8;

/// One of the halves of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Lower,
    Upper,
}

impl Half {
    pub(super) const BOTH: [Self; 2] = [Self::Lower, Self::Upper];

    /// By this, codes are sorted before they are compared.
    pub(super) fn value(self, code: u32) -> u16 {
        match self {
            Self::Lower => code as u16,
            Self::Upper => (code >> 16) as u16,
        }
    }

    fn other(self, code: u32) -> u16 {
        self.value(code.rotate_right(16))
    }
}

/// Hands on pairs of a code of `few` and one of `many` that differ in at most [`MOST_SIGNS`] places, by their numbers, some at a
/// time and in no order. Both lists are sorted by the value of the half. Of all pairs it finds those in which this half differs
/// in few places; after both halves every pair has been found once.
pub(super) fn pairs(half: Half, few: &[u32], many: &[u32], threads: usize, found: impl Fn(&[(u32, u32)]) + Sync) {
    let masks: Vec<u16> = (0..=u16::MAX).filter(|mask| mask.count_ones() <= MOST_IN_HALF).collect();
    let [few, many] = [few, many].map(|codes| Sorted::new(codes, half));
    // What the lower half has found, the upper need not find again.
    let least = match half {
        Half::Lower => 0,
        Half::Upper => MOST_IN_HALF as u16 + 1,
    };
    map((1 << 16) / VALUES, threads, |piece| {
        let mut pairs = Vec::with_capacity(2 * TOGETHER);
        let mut lanes = Vec::new();
        for value in (piece * VALUES..(piece + 1) * VALUES).map(|value| value as u16) {
            let (first, others) = many.of(value);
            if others.is_empty() {
                continue;
            }
            lanes.clear();
            lanes.extend(others.chunks(LANES).map(|some| {
                let mut lanes = [0; LANES];
                lanes[..some.len()].copy_from_slice(some);
                lanes
            }));
            for &mask in &masks {
                let most = (MOST_SIGNS - mask.count_ones()) as u16;
                let (number, codes) = few.of(value ^ mask);
                for (number, &code) in (number..).zip(codes) {
                    for (at, lanes) in lanes.iter().enumerate() {
                        let mut near = near(lanes, code, least, most);
                        while near != 0 {
                            let other = LANES * at + near.trailing_zeros() as usize;
                            if other < others.len() {
                                pairs.push((number, first + other as u32));
                            }
                            near &= near - 1;
                        }
                    }
                    if pairs.len() >= TOGETHER {
                        found(&pairs);
                        pairs.clear();
                    }
                }
            }
        }
        found(&pairs);
    });
}

/// Which lanes differ from a code in so many places: a bit each.
#[inline]
fn near(lanes: &[u16; LANES], code: u16, least: u16, most: u16) -> u32 {
    let apart = lanes.map(|lane| ones(lane ^ code));
    let mut near = 0;
    for (lane, &apart) in apart.iter().enumerate() {
        near |= u32::from(apart >= least && apart <= most) << lane;
    }
    near
}

/// How many bits are 1, in steps that all lanes can take together.
#[inline]
fn ones(bits: u16) -> u16 {
    let pairs = bits - ((bits >> 1) & 0x5555);
    let fours = (pairs & 0x3333) + ((pairs >> 2) & 0x3333);
    let bytes = (fours + (fours >> 4)) & 0x0f0f;
    (bytes + (bytes >> 8)) & 0x1f
}

/// Codes in the order of one half.
struct Sorted {
    /// Where each value's codes begin.
    starts: Vec<u32>,
    /// The other half of each code.
    others: Vec<u16>,
}

impl Sorted {
    fn new(codes: &[u32], half: Half) -> Self {
        debug_assert!(codes.is_sorted_by_key(|&code| half.value(code)), "codes are sorted by the half");
        let mut starts = vec![0u32; (1 << 16) + 1];
        codes.iter().for_each(|&code| starts[usize::from(half.value(code)) + 1] += 1);
        (0..1 << 16).for_each(|at| starts[at + 1] += starts[at]);
        Self { starts, others: codes.iter().map(|&code| half.other(code)).collect() }
    }

    /// Those with this value: the number of the first, and the other half of each.
    fn of(&self, value: u16) -> (u32, &[u16]) {
        let (start, end) = (self.starts[usize::from(value)], self.starts[usize::from(value) + 1]);
        (start, &self.others[start as usize..end as usize])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use avizor_base::{Purpose, Seed};

    use super::*;

    #[test]
    fn all_pairs_are_found_once() {
        let mut stream = Seed(3).stream(Purpose::Quickstart, [1, 0, 0]);
        let mut code = || (stream.unit() * 4_294_967_296.0) as u32;
        let few: Vec<u32> = (0..300).map(|_| code()).collect();
        // Some near ones, differing in 0 to 12 places wherever they are, and some of which there are many.
        let near = few.iter().enumerate().map(|(n, few)| few ^ ((1u32 << (n % 13)) - 1).rotate_left(n as u32 * 7));
        let many: Vec<u32> = near.chain((0..3000).map(|_| code())).chain([few[5]; 9]).collect();
        let mut wanted = Vec::new();
        for few in &few {
            wanted
                .extend(many.iter().filter(|many| (few ^ *many).count_ones() <= MOST_SIGNS).map(|many| (*few, *many)));
        }
        wanted.sort_unstable();
        assert!(wanted.len() > 150, "{}", wanted.len());
        for threads in [1, 3] {
            let found = Mutex::new(Vec::new());
            for half in Half::BOTH {
                let [few, many] = [&few, &many].map(|codes| {
                    let mut codes = codes.clone();
                    codes.sort_by_key(|&code| half.value(code));
                    codes
                });
                pairs(half, &few, &many, threads, |some| {
                    let codes = some.iter().map(|&(of_few, of_many)| (few[of_few as usize], many[of_many as usize]));
                    found.lock().unwrap().extend(codes);
                });
            }
            let mut found = found.into_inner().unwrap();
            found.sort_unstable();
            assert_eq!(found, wanted, "{threads} threads");
        }
        pairs(Half::Lower, &[], &[1], 2, |some| assert!(some.is_empty()));
    }

    #[test]
    fn ones_are_counted() {
        assert!((0..=u16::MAX).all(|bits| u32::from(ones(bits)) == bits.count_ones()));
    }
}
