//! Every row of the table: plain, transposed and cut into segments, around the tile.

use super::*;

/// Around what the kernels unroll by, and primes.
const DEPTHS: &[usize] = &[1, 2, 7, 8, 9, 31, 257];

/// Small whole numbers: every sum is exact, so every level and order gives the very same.
fn number(i: usize, j: usize) -> f32 {
    ((i * 7 + j * 13) % 11) as f32 - 5.0
}

/// How the left factor lies in memory.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Rows,
    /// As rows whose numbers come in runs with gaps between them.
    Segments {
        run: usize,
    },
    Columns,
}

fn check(kernel: &'static GemmKernel, layout: Layout, rows: usize, depth: usize, columns: usize, store: Store<'_>) {
    let gemm = Gemm::new(kernel).unwrap();
    let (width, pitch) = (kernel.lanes * kernel.tiles.len(), columns + 3);
    let run = if let Layout::Segments { run } = layout { run } else { depth };
    let segments: Vec<usize> = (0..depth / run).map(|part| part * (run + 2)).collect();
    let depth = if let Layout::Columns = layout { depth } else { segments.len() * run };
    let starts: Vec<usize> = (0..rows).map(|i| i * segments.len() * (run + 2)).collect();
    // Columns two numbers apart from each other, the second first.
    let places: Vec<usize> = (0..depth).map(|p| (p ^ 1) * (rows + 2)).collect();
    let place = |i: usize, p: usize| match layout {
        Layout::Rows | Layout::Segments { .. } => starts[i] + segments[p / run] + p % run,
        Layout::Columns => 3 + i + places[p],
    };
    let last = (0..depth).map(|p| place(rows - 1, p)).max().unwrap();
    let mut a = vec![f32::NAN; last + 1];
    let mut panel = vec![0.0; depth * width];
    for p in 0..depth {
        for i in 0..rows {
            a[place(i, p)] = number(i, p);
        }
        for j in 0..columns {
            panel[p * width + j] = number(p, j);
        }
    }
    let mut c: Vec<f32> = (0..rows * pitch).map(|i| number(i, 1)).collect();
    let before = c.clone();
    let c_rows: Vec<usize> = (0..rows).map(|i| i * pitch).collect();
    let target = Disjoint::new(&mut c);
    let left = match layout {
        Layout::Rows | Layout::Segments { .. } => {
            Left::Rows { numbers: &a, rows: Places::new(&starts), segments: &segments, run }
        }
        Layout::Columns => Left::Columns { numbers: &a, first: 3, places: Places::new(&places) },
    };
    let product =
        Product { left, panel: &panel, width, c: &target, c_rows: Places::new(&c_rows), c_column: 2, columns, store };
    // SAFETY: `c` is this function's own.
    unsafe { gemm.multiply(&product) };
    for i in 0..rows {
        for j in 0..pitch {
            let at = i * pitch + j;
            let mut want = before[at];
            if (2..2 + columns).contains(&j) {
                let sum: f32 = (0..depth).map(|p| number(i, p) * number(p, j - 2)).sum();
                want = sum + if store.accumulate { before[at] } else { 0.0 };
                want += store.bias.map_or(0.0, |bias| bias[j - 2]) + store.residual.map_or(0.0, |r| r[at]);
                want = store.ceiling.map_or(want, |ceiling| want.clamp(0.0, ceiling));
            }
            assert_eq!(c[at], want, "{} {layout:?} {rows}×{depth}×{columns} [{i}][{j}]", kernel.name);
        }
    }
}

fn available() -> impl Iterator<Item = &'static GemmKernel> {
    GEMM.iter().filter(|kernel| kernel.level.is_available())
}

#[test]
fn every_level_multiplies_every_layout() {
    for kernel in available() {
        for &depth in DEPTHS {
            for rows in (1..=13).chain([23, 24, 25, 64]) {
                for columns in
                    (1..=kernel.tiles.len()).flat_map(|vectors| [vectors * kernel.lanes - 3, vectors * kernel.lanes])
                {
                    for layout in [Layout::Rows, Layout::Columns, Layout::Segments { run: depth.div_ceil(3) }] {
                        check(kernel, layout, rows, depth, columns, Store::default());
                    }
                }
            }
        }
    }
}

#[test]
fn every_level_applies_every_epilogue() {
    let (bias, residual) = ([1.0, -2.0, 3.0, 0.5].repeat(16), vec![-7.25; 13 * 70]);
    for kernel in available() {
        for columns in [1, 5, kernel.lanes * kernel.tiles.len()] {
            for mask in 0..16 {
                let store = Store {
                    accumulate: mask & 1 > 0,
                    bias: (mask & 2 > 0).then_some(&bias[..columns]),
                    residual: (mask & 4 > 0).then_some(&residual[..13 * (columns + 3)]),
                    ceiling: (mask & 8 > 0).then_some(6.0),
                };
                check(kernel, Layout::Rows, 13, 9, columns, store);
            }
        }
    }
}

#[test]
fn the_table_has_a_row_for_every_level_of_the_architecture() {
    for level in Level::available() {
        let kernel = GEMM.iter().find(|kernel| kernel.level == level).unwrap();
        assert_eq!(kernel.name, format!("gemm_f32_{level}"));
        assert!(kernel.tiles.iter().all(|tiles| tiles.len() <= MOST_ROWS));
    }
    assert!(GEMM.is_sorted_by(|a, b| a.level > b.level));
}

#[test]
#[should_panic(expected = "the left factor ends")]
fn a_left_factor_that_is_too_short_is_refused() {
    let mut c = [0.0; 8];
    let target = Disjoint::new(&mut c);
    let product = Product {
        left: Left::Columns { numbers: &[0.0; 9], first: 1, places: Places::new(&[7, 0]) },
        panel: &[0.0; 2 * 32],
        width: 32,
        c: &target,
        c_rows: Places::new(&[0, 4]),
        c_column: 0,
        columns: 4,
        store: Store::default(),
    };
    let scalar = GEMM.iter().find_map(Gemm::new).unwrap();
    // SAFETY: `c` is this function's own.
    unsafe { scalar.multiply(&product) };
}

#[test]
fn panels_are_filled_up_with_zeros() {
    let matrix: Vec<f32> = (0..20 * 5).map(|i| i as f32 + 1.0).collect();
    for width in [8, 16, 32, 48, 64] {
        let (mut rows, mut transposed) = (vec![f32::NAN; 20 * width], vec![f32::NAN; 20 * width]);
        pack_rows(&mut rows, width, |i| &matrix[i * 5..][..5]);
        let columns: Vec<Vec<f32>> = (0..5).map(|j| (0..20).map(|i| matrix[i * 5 + j]).collect()).collect();
        pack_transposed(&mut transposed, width, 5, |j| &columns[j]);
        for (at, &got) in rows.iter().enumerate() {
            let (i, j) = (at / width, at % width);
            assert_eq!(got, if j < 5 { matrix[i * 5 + j] } else { 0.0 });
        }
        assert_eq!(rows, transposed);
    }
}
