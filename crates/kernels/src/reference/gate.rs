//! Channel gates by definition.

use crate::gate::GateShape;

/// `x[b][p][c] · gate[b][c]`.
pub fn gate(shape: &GateShape, x: &[f64], gate: &[f64]) -> Vec<f64> {
    x.iter().enumerate().map(|(i, x)| x * gate[gate_of(shape, i)]).collect()
}

/// The gradients of the maps and of the gates.
pub fn gate_backward(shape: &GateShape, x: &[f64], gate: &[f64], dy: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut dgate = vec![0.0; shape.gate_len()];
    for (i, (x, dy)) in x.iter().zip(dy).enumerate() {
        dgate[gate_of(shape, i)] += x * dy;
    }
    (self::gate(shape, dy, gate), dgate)
}

fn gate_of(shape: &GateShape, i: usize) -> usize {
    i / (shape.pixels * shape.channels) * shape.channels + i % shape.channels
}
