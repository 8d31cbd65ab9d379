//! The linear layer by its definition.

use crate::linear::LinearShape;

/// `y[r][o] = Σ_i x[r][i] · weight[i][o]`.
pub fn linear_forward(shape: &LinearShape, x: &[f64], weight: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; shape.output_len()];
    for_each_product(shape, |x_at, weight_at, y_at| y[y_at] += x[x_at] * weight[weight_at]);
    y
}

/// The gradient of the input from that of the output.
pub fn linear_grad_input(shape: &LinearShape, dy: &[f64], weight: &[f64]) -> Vec<f64> {
    let mut dx = vec![0.0; shape.input_len()];
    for_each_product(shape, |x_at, weight_at, y_at| dx[x_at] += dy[y_at] * weight[weight_at]);
    dx
}

/// The gradient of the weight from that of the output.
pub fn linear_grad_weight(shape: &LinearShape, x: &[f64], dy: &[f64]) -> Vec<f64> {
    let mut dweight = vec![0.0; shape.weight_len()];
    for_each_product(shape, |x_at, weight_at, y_at| dweight[weight_at] += x[x_at] * dy[y_at]);
    dweight
}

fn for_each_product(shape: &LinearShape, mut each: impl FnMut(usize, usize, usize)) {
    for r in 0..shape.rows {
        for i in 0..shape.inputs {
            for o in 0..shape.outputs {
                each(r * shape.inputs + i, i * shape.outputs + o, r * shape.outputs + o);
            }
        }
    }
}
