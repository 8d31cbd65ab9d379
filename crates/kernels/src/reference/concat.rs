//! Rows joined and taken apart by definition.

/// Column c of a row is that of `a`, or what is left of c that of `b`.
pub fn concat(columns: [usize; 2], a: &[f64], b: &[f64]) -> Vec<f64> {
    let row = columns[0] + columns[1];
    let at = |i: usize| match (i / row, i % row) {
        (r, c) if c < columns[0] => a[r * columns[0] + c],
        (r, c) => b[r * columns[1] + c - columns[0]],
    };
    (0..a.len() + b.len()).map(at).collect()
}

/// The columns of `a`, and those of `b`.
pub fn split(columns: [usize; 2], y: &[f64]) -> [Vec<f64>; 2] {
    let row = columns[0] + columns[1];
    let of = |is_left: bool| (0..y.len()).filter(|i| (i % row < columns[0]) == is_left).map(|i| y[i]).collect();
    [of(true), of(false)]
}
