//! Arithmetic on single numbers, pixels and columns by definition.

/// `a + b`.
pub fn add(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// `a · b`.
pub fn multiply(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

/// `max(a + b, 0)`.
pub fn add_relu(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| (a + b).max(0.0)).collect()
}

/// `s · x`.
pub fn scale(s: f64, x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| s * x).collect()
}

/// `Σ_r x[r][c]`.
pub fn sum_rows(columns: usize, x: &[f64]) -> Vec<f64> {
    (0..columns).map(|c| x.iter().skip(c).step_by(columns).sum()).collect()
}

/// `x · scale + shift` for each of three channels.
pub fn normalize_u8(x: &[u8], scale: [f64; 3], shift: [f64; 3]) -> Vec<f64> {
    x.iter().enumerate().map(|(i, &x)| f64::from(x) * scale[i % 3] + shift[i % 3]).collect()
}
