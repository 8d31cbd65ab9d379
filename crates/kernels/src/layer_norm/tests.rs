use super::*;
use crate::agreement::{assert_agrees, assert_is_slope, everywhere, exact, noise, weigh};
use crate::{Cpu, reference};

/// Around a lane, a vector, a strip, a block and a chunk.
const SHAPES: &[[usize; 2]] = &[
    [1, 1],
    [1, 2],
    [2, 7],
    [3, 8],
    [1, 15],
    [31, 16],
    [32, 17],
    [33, 41],
    [5, 96],
    [197, 384],
    [700, 33],
    [2, 20_000],
    [0, 4],
    [3, 0],
];
const EPS: f32 = 1e-6;

struct Case {
    shape: LayerNormShape,
    x: Vec<f32>,
    dy: Vec<f32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
}

/// Every row has a mean and a deviation of its own.
fn case([rows, channels]: [usize; 2]) -> Case {
    let shape = LayerNormShape { rows, channels };
    let line = noise(2 * rows, 5);
    let numbers = noise(shape.len(), 1).into_iter().enumerate();
    Case {
        shape,
        x: numbers.map(|(i, x)| 2.0 * line[2 * (i / channels)] + (1.5 + line[2 * (i / channels) + 1]) * x).collect(),
        dy: noise(shape.len(), 2),
        gamma: noise(channels, 3).iter().map(|x| 1.0 + 0.5 * x).collect(),
        beta: noise(channels, 4),
    }
}

fn run(cpu: &Cpu, of: &Case) -> [Vec<f32>; 4] {
    let Case { shape, x, dy, gamma, beta } = of;
    let (mut y, mut dx) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
    let (mut dgamma, mut dbeta) = (vec![f32::NAN; gamma.len()], vec![f32::NAN; gamma.len()]);
    // From an odd word on: an f64 does not start there.
    let mut workspace = vec![f32::NAN; layer_norm_backward_workspace(*shape) + 1];
    layer_norm(cpu, *shape, x, gamma, beta, EPS, &mut y);
    layer_norm_backward(cpu, *shape, x, dy, gamma, EPS, &mut dx, &mut dgamma, &mut dbeta, &mut workspace[1..]);
    [y, dx, dgamma, dbeta]
}

#[test]
fn results_and_gradients_agree_with_the_references() {
    for &sizes in SHAPES {
        let of = case(sizes);
        let name = format!("{:?}", of.shape);
        let got = everywhere(&name, |cpu| run(cpu, &of));
        let [x, dy, gamma, beta] = [&of.x, &of.dy, &of.gamma, &of.beta].map(|numbers| exact(numbers));
        let y = reference::layer_norm(&of.shape, &x, &gamma, &beta, f64::from(EPS));
        let [dx, dgamma, dbeta] = reference::layer_norm_backward(&of.shape, &x, &dy, &gamma, f64::from(EPS));
        let [of_y, of_gamma, of_beta] = ["y", "dgamma", "dbeta"].map(|what| format!("{what} of {name}"));
        assert_agrees(&of_y, &got[0], &y);
        assert_agrees(&of_gamma, &got[2], &dgamma);
        assert_agrees(&of_beta, &got[3], &dbeta);
        // Of rows of two numbers the gradient is what eps leaves of it: rounding, a thousand times larger.
        if sizes[1] > 2 {
            assert_agrees(&format!("dx of {name}"), &got[1], &dx);
        }
    }
}

#[test]
fn references_are_slopes_of_their_values() {
    let of = case([3, 7]);
    let [x, dy, gamma, beta] = [&of.x, &of.dy, &of.gamma, &of.beta].map(|numbers| exact(numbers));
    let loss =
        |x: &[f64], gamma: &[f64], beta: &[f64]| weigh(&dy, &reference::layer_norm(&of.shape, x, gamma, beta, 1e-3));
    let [dx, dgamma, dbeta] = reference::layer_norm_backward(&of.shape, &x, &dy, &gamma, 1e-3);
    assert_is_slope("x", &x, &dx, |x| loss(x, &gamma, &beta));
    assert_is_slope("gamma", &gamma, &dgamma, |gamma| loss(&x, gamma, &beta));
    assert_is_slope("beta", &beta, &dbeta, |beta| loss(&x, &gamma, beta));
}

/// A mean of a thousand deviations takes ten binary digits from the numbers, not from what is made of them.
#[test]
fn a_large_mean_costs_no_digits() {
    let mut of = case([9, 96]);
    of.x.iter_mut().for_each(|x| *x += 1000.0);
    let [y, dx, dgamma, _] = everywhere("a large mean", |cpu| run(cpu, &of));
    let [x, dy, gamma, beta] = [&of.x, &of.dy, &of.gamma, &of.beta].map(|numbers| exact(numbers));
    let [want_dx, want_dgamma, _] = reference::layer_norm_backward(&of.shape, &x, &dy, &gamma, f64::from(EPS));
    assert_agrees("y", &y, &reference::layer_norm(&of.shape, &x, &gamma, &beta, f64::from(EPS)));
    assert_agrees("dx", &dx, &want_dx);
    assert_agrees("dgamma", &dgamma, &want_dgamma);
}

#[test]
fn equal_numbers_become_the_shift_and_nan_spoils_its_own_row_alone() {
    let mut of = case([3, 33]);
    of.x[..33].fill(0.1);
    of.x[40] = f32::NAN;
    let [y, ..] = everywhere("ends", |cpu| run(cpu, &of));
    assert!(y[..33].iter().zip(&of.beta).all(|(y, beta)| (y - beta).abs() < 1e-3), "{:?}", &y[..33]);
    assert!(y[33..66].iter().all(|y| y.is_nan()));
    assert!(y[66..].iter().all(|y| y.is_finite()));
}
