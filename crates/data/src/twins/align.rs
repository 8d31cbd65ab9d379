//! Lays one picture onto another as exactly as their pixels allow: Gauss–Newton on an affine map, contrast and brightness
//! (Lucas and Kanade 1981; Baker and Matthews 2004, doi:10.1023/B:VISI.0000011205.11775.fd, forward additive).

use super::descriptor::Window;
use super::thumbnail::SIDE;

/// Pixels of a side at which alignment begins, and at which it ends and pictures are compared.
const COARSE: usize = 16;
pub(super) const FINE: usize = 32;
/// Steps on each, at most.
const STEPS: usize = 8;
/// A share of the picture that must lie on the other.
const LEAST_OVERLAP: f32 = 0.55;
/// Below it, not even where they are proposed.
const LEAST_UNALIGNED: f32 = 0.5;
/// Below it, coarse pictures are not one.
const LEAST_COARSE: f32 = 0.85;

/// The correlation that a step must promise, from the first on. Of 1,459 pairs of one picture, edited or not, in caltech6,
/// hymenoptera, pokemon150 and odir none promised less; of 81,893 proposals six tenths are given up by it.
const LEAST_PROMISED: [f64; 5] = [0.6, 0.68, 0.76, 0.82, 0.84];

/// Grey levels in a unit: near 1, so that equations of values and slopes are of one size.
pub(super) const GREY: f32 = 64.0;

/// A square grey picture at several sizes: 64, 32 and 16 pixels of a side.
pub(super) struct Pyramid {
    levels: [Vec<f32>; 3],
}

impl Pyramid {
    pub(super) fn new(luma: &[u8; SIDE * SIDE]) -> Self {
        let full: Vec<f32> = luma.iter().map(|&luma| (f32::from(luma) - 128.0) / GREY).collect();
        let half = halved(&full, SIDE);
        let quarter = halved(&half, SIDE / 2);
        Self { levels: [full, half, quarter] }
    }

    pub(super) fn level(&self, side: usize) -> &[f32] {
        &self.levels[(SIDE / side).ilog2() as usize]
    }
}

fn halved(pixels: &[f32], side: usize) -> Vec<f32> {
    let half = side / 2;
    let mean = |at: usize| {
        let corner = (at / half) * 2 * side + (at % half) * 2;
        (pixels[corner] + pixels[corner + 1] + pixels[corner + side] + pixels[corner + side + 1]) / 4.0
    };
    (0..half * half).map(mean).collect()
}

/// From places in one picture to places in another, both in shares of their sides: `u = a·x + b·y + c`, `v = d·x + e·y + f`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Affine(pub(super) [f32; 6]);

impl From<Window> for Affine {
    fn from(window: Window) -> Self {
        Self([window.side, 0.0, window.left, 0.0, window.side, window.top])
    }
}

impl Affine {
    fn apply(&self, x: f32, y: f32) -> (f32, f32) {
        let [a, b, c, d, e, f] = self.0;
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// How much smaller the first picture lies in the second.
    pub(super) fn scale(&self) -> f32 {
        let [a, b, _, d, e, _] = self.0;
        (a * e - b * d).abs().sqrt()
    }

    /// Neither turned far, nor much longer one way than the other, nor much larger or smaller than where it began.
    fn is_plausible(&self, began: Window) -> bool {
        let [a, b, _, d, e, _] = self.0;
        let (along, across) = (a.hypot(d), b.hypot(e));
        let upright = a > 0.9 * along && e > 0.9 * across;
        let even = along < 1.6 * across && across < 1.6 * along;
        let scale = (along * across).sqrt() / began.side;
        upright && even && (0.7..1.4).contains(&scale)
    }
}

/// Two pictures, laid onto each other: what both show at the places of a grid of [`FINE`] pixels of a side.
pub(super) struct Aligned {
    pub(super) map: Affine,
    pub(super) first: Vec<f32>,
    pub(super) second: Vec<f32>,
    /// Whether a place lies on the second picture.
    pub(super) on: Vec<bool>,
}

/// Lays `first` onto the window of `second`; `None` where they do not come to lie on each other.
pub(super) fn align(first: &Pyramid, second: &Pyramid, window: Window) -> Option<Aligned> {
    let before = sample(first, second, COARSE, window.into());
    if correlation(&before.first, &before.second, &before.on) < LEAST_UNALIGNED {
        return None;
    }
    let map = refine(first, second, COARSE, window.into())?;
    let coarse = sample(first, second, COARSE, map);
    if !map.is_plausible(window) || correlation(&coarse.first, &coarse.second, &coarse.on) < LEAST_COARSE {
        return None;
    }
    let map = refine(first, second, FINE, map)?;
    map.is_plausible(window).then(|| compared(first, second, map))
}

/// The same pictures at their largest size, laid onto each other once more.
pub(super) fn align_largest(first: &Pyramid, second: &Pyramid, map: Affine) -> Option<Aligned> {
    Some(sample(first, second, SIDE, refine(first, second, SIDE, map)?))
}

/// The level of the second picture whose pixels are about as large as those of the first at `side`.
fn matching(side: usize, map: Affine) -> usize {
    if map.scale() < 0.71 && side < SIDE { 2 * side } else { side }
}

fn sample(first: &Pyramid, second: &Pyramid, side: usize, map: Affine) -> Aligned {
    let level = matching(side, map);
    let pixels = second.level(level);
    let mut aligned =
        Aligned { map, first: first.level(side).to_vec(), second: Vec::with_capacity(side * side), on: Vec::new() };
    for at in 0..side * side {
        let (x, y) = centre(at, side);
        let (u, v) = map.apply(x, y);
        let inside = (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v);
        aligned.second.push(if inside { bilinear(pixels, level, u, v).0 } else { 0.0 });
        aligned.on.push(inside);
    }
    aligned
}

/// What both show at the places of the finest grid. A place of the first picture covers four pixels of its largest size; so four
/// places are looked up on the largest size of the second, whatever the map's scale.
fn compared(first: &Pyramid, second: &Pyramid, map: Affine) -> Aligned {
    let pixels = second.level(SIDE);
    let (mut values, mut on) = (Vec::with_capacity(FINE * FINE), Vec::with_capacity(FINE * FINE));
    for at in 0..FINE * FINE {
        let (row, column) = (at / FINE * 2, at % FINE * 2);
        let mut sum = 0.0;
        let mut inside = true;
        for (down, right) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let (x, y) = centre((row + down) * SIDE + column + right, SIDE);
            let (u, v) = map.apply(x, y);
            inside &= (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v);
            sum += bilinear(pixels, SIDE, u, v).0;
        }
        values.push(if inside { sum / 4.0 } else { 0.0 });
        on.push(inside);
    }
    Aligned { map, first: first.level(FINE).to_vec(), second: values, on }
}

fn centre(at: usize, side: usize) -> (f32, f32) {
    (((at % side) as f32 + 0.5) / side as f32, ((at / side) as f32 + 0.5) / side as f32)
}

/// A value between pixels, and its slopes along a side; the outermost pixels go on outside.
#[inline]
fn bilinear(pixels: &[f32], side: usize, u: f32, v: f32) -> (f32, f32, f32) {
    let last = (side - 1) as f32;
    let (x, y) = ((u * side as f32 - 0.5).clamp(0.0, last), (v * side as f32 - 0.5).clamp(0.0, last));
    let (left, top) = ((x as usize).min(side - 2), (y as usize).min(side - 2));
    let (x, y) = (x - left as f32, y - top as f32);
    let rows = &pixels[top * side + left..][..side + 2];
    let (a, b, c, d) = (rows[0], rows[1], rows[side], rows[side + 1]);
    let (upper, lower) = (a + x * (b - a), c + x * (d - c));
    let slope_x = (b - a) + y * ((d - c) - (b - a));
    (upper + y * (lower - upper), slope_x * side as f32, (lower - upper) * side as f32)
}

/// The map, moved to where the pictures differ least; `None` where they do not come to lie on each other.
fn refine(first: &Pyramid, second: &Pyramid, side: usize, mut map: Affine) -> Option<Affine> {
    for step in 0..STEPS {
        let equations = Equations::of(first, second, side, map);
        if equations.places < f64::from(LEAST_OVERLAP) * (side * side) as f64 {
            return None;
        }
        let solved = solve(equations.system)?;
        if equations.promised(&solved) < LEAST_PROMISED[step.min(LEAST_PROMISED.len() - 1)] {
            return None;
        }
        // The slopes' unknowns are steps times gain.
        let gain = solved[6];
        if gain < 0.1 {
            return None;
        }
        let mut farthest = 0.0f32;
        for (number, step) in map.0.iter_mut().zip(&solved) {
            let step = ((step / gain) as f32).clamp(-0.1, 0.1);
            *number += step;
            farthest = farthest.max(step.abs());
        }
        if farthest < 0.1 / side as f32 {
            break;
        }
    }
    Some(map)
}

/// What is known of a row of places: the slopes of the second picture, its values, ones, and what the first shows.
const FIELDS: usize = 5;
/// The unknowns of a step, each the field that it multiplies and the powers of x and y: six of the map, contrast, brightness.
const UNKNOWNS: [(usize, usize, usize); 8] =
    [(0, 1, 0), (0, 0, 1), (0, 0, 0), (1, 1, 0), (1, 0, 1), (1, 0, 0), (2, 0, 0), (3, 0, 0)];
/// What is wanted, and ones, as fields.
const WANTED: usize = 4;
const ONES: usize = 3;
/// Numbers that are summed at once: even vectors for every CPU.
const LANES: usize = 8;

/// The normal equations of first ≈ gain · (second + slopes · step) + offset.
struct Equations {
    /// The last column is what is wanted.
    system: [[f64; 9]; 8],
    /// Places of the first picture that lie on the second.
    places: f64,
    /// Sum and sum of squares of what is wanted.
    wanted: (f64, f64),
}

impl Equations {
    fn of(first: &Pyramid, second: &Pyramid, side: usize, map: Affine) -> Self {
        let level = matching(side, map);
        let pixels = second.level(level);
        // By two fields and the powers of x and y: sums over all places.
        let mut sums = [[[[0.0f64; 3]; 3]; FIELDS]; FIELDS];
        let mut xs = [0.0f32; SIDE];
        let mut fields = [[0.0f32; SIDE]; FIELDS];
        for (row, line) in first.level(side).chunks_exact(side).enumerate() {
            let y = (row as f32 + 0.5) / side as f32;
            let mut on = 0;
            for (column, &wanted) in line.iter().enumerate() {
                let x = (column as f32 + 0.5) / side as f32;
                let (u, v) = map.apply(x, y);
                if (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v) {
                    let (value, du, dv) = bilinear(pixels, level, u, v);
                    xs[on] = x;
                    for (field, value) in fields.iter_mut().zip([du, dv, value, 1.0, wanted]) {
                        field[on] = value;
                    }
                    on += 1;
                }
            }
            // Up to whole vectors, nothing.
            let end = on.next_multiple_of(LANES);
            fields.iter_mut().for_each(|field| field[on..end].fill(0.0));
            let ys = [1.0, y, y * y].map(f64::from);
            for a in 0..FIELDS {
                for b in a..FIELDS {
                    let of_row = sums_by_x(&fields[a][..end], &fields[b][..end], &xs[..end]);
                    for (sums, sum) in sums[a][b].iter_mut().zip(of_row) {
                        sums.iter_mut().zip(&ys).for_each(|(total, y)| *total += f64::from(sum) * y);
                    }
                }
            }
        }
        let sum = |(a, x, y): (usize, usize, usize), (b, also_x, also_y): (usize, usize, usize)| {
            sums[a.min(b)][a.max(b)][x + also_x][y + also_y]
        };
        let columns = |row| {
            let column = |column| {
                if column < 8 { sum(UNKNOWNS[row], UNKNOWNS[column]) } else { sum(UNKNOWNS[row], (WANTED, 0, 0)) }
            };
            std::array::from_fn(column)
        };
        Self {
            system: std::array::from_fn(columns),
            places: sums[ONES][ONES][0][0],
            wanted: (sums[ONES][WANTED][0][0], sums[WANTED][WANTED][0][0]),
        }
    }

    /// The correlation that the pictures have behind a step, as far as slopes go on as they are.
    fn promised(&self, solved: &[f64; 8]) -> f64 {
        let (sum, squares) = self.wanted;
        let explained: f64 = self.system.iter().zip(solved).map(|(equation, unknown)| equation[8] * unknown).sum();
        let total = squares - sum * sum / self.places;
        if total > 0.0 { (1.0 - (squares - explained) / total).max(0.0).sqrt() } else { 0.0 }
    }
}

/// Sums of a·b, a·b·x and a·b·x² over a row of whole vectors.
fn sums_by_x(a: &[f32], b: &[f32], x: &[f32]) -> [f32; 3] {
    let mut sums = [[0.0f32; LANES]; 3];
    for ((a, b), x) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)).zip(x.chunks_exact(LANES)) {
        for lane in 0..LANES {
            let product = a[lane] * b[lane];
            let by_x = product * x[lane];
            sums[0][lane] += product;
            sums[1][lane] += by_x;
            sums[2][lane] += by_x * x[lane];
        }
    }
    sums.map(|lanes| lanes.iter().sum())
}

/// Solves symmetric equations whose right side is their last column; a little weight on small steps keeps them solvable.
fn solve(mut system: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for (i, equation) in system.iter_mut().enumerate() {
        equation[i] = equation[i] * (1.0 + 1e-6) + 1e-6;
    }
    for i in 0..8 {
        let pivot = system[i][i];
        if pivot <= 0.0 || !pivot.is_finite() {
            return None;
        }
        for k in i + 1..8 {
            let factor = system[k][i] / pivot;
            let (above, below) = system.split_at_mut(k);
            for (to, from) in below[0].iter_mut().zip(&above[i]).skip(i) {
                *to -= factor * from;
            }
        }
    }
    let mut solved = [0.0; 8];
    for i in (0..8).rev() {
        let known: f64 = (i + 1..8).map(|j| system[i][j] * solved[j]).sum();
        solved[i] = (system[i][8] - known) / system[i][i];
    }
    solved.iter().all(|value| value.is_finite()).then_some(solved)
}

/// Pearson's, over the places that count; 0 where one side is flat.
pub(super) fn correlation(first: &[f32], second: &[f32], on: &[bool]) -> f32 {
    let pairs =
        || first.iter().zip(second).zip(on).filter(|(_, on)| **on).map(|((a, b), _)| (f64::from(*a), f64::from(*b)));
    let count = pairs().count().max(1) as f64;
    let (sum_a, sum_b) = pairs().fold((0.0, 0.0), |(sum_a, sum_b), (a, b)| (sum_a + a, sum_b + b));
    let (mean_a, mean_b) = (sum_a / count, sum_b / count);
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in pairs() {
        let (a, b) = (a - mean_a, b - mean_b);
        aa += a * a;
        bb += b * b;
        ab += a * b;
    }
    if aa * bb <= 0.0 { 0.0 } else { (ab / (aa * bb).sqrt()) as f32 }
}
