//! Agreement with the references over awkward windows.

use super::*;
use crate::agreement::{assert_agrees, assert_is_slope, everywhere, exact, noise, weigh};
use crate::reference;

/// Batch, height, width, channels; kernel; stride; padding, and what hangs over after it.
type Case = ([usize; 4], [usize; 2], [usize; 2], [[usize; 2]; 2]);

const CASES: &[Case] = &[
    ([2, 7, 9, 17], [3, 3], [2, 2], [[1, 1], [0, 0]]),
    ([1, 8, 8, 64], [3, 3], [2, 2], [[1, 1], [0, 0]]),
    ([3, 6, 5, 16], [2, 2], [2, 2], [[0, 0], [0, 0]]),
    ([1, 5, 4, 1], [2, 3], [1, 2], [[1, 0], [0, 0]]),
    ([2, 4, 11, 15], [1, 1], [3, 2], [[0, 0], [0, 0]]),
    ([1, 9, 1, 33], [5, 1], [2, 1], [[2, 0], [0, 0]]),
    ([1, 1, 1, 8], [2, 2], [1, 1], [[1, 1], [0, 0]]),
    ([2, 6, 6, 5], [6, 6], [1, 1], [[0, 0], [0, 0]]),
    ([1, 13, 12, 4], [3, 2], [5, 4], [[0, 0], [0, 0]]),
    ([1, 3, 3, 2], [5, 5], [1, 1], [[0, 0], [0, 0]]),
    ([0, 4, 4, 3], [2, 2], [2, 2], [[0, 0], [0, 0]]),
    ([2, 4, 4, 0], [2, 2], [2, 2], [[0, 0], [0, 0]]),
    ([1, 20, 20, 1], [16, 16], [1, 1], [[8, 8], [0, 0]]),
    ([2, 6, 8, 17], [3, 3], [2, 2], [[0, 0], [1, 1]]),
    ([1, 2, 5, 16], [3, 3], [2, 2], [[0, 0], [1, 0]]),
    ([1, 7, 4, 3], [5, 4], [3, 3], [[2, 1], [2, 1]]),
    ([1, 1, 2, 9], [3, 4], [1, 1], [[0, 0], [2, 3]]),
];

fn shape(&([batch, height, width, channels], kernel, stride, [padding, trailing]): &Case) -> Pool2dShape {
    Pool2dShape { batch, height, width, channels, kernel, stride, padding, trailing }
}

/// y, places as numbers, y without places, dx.
fn max(shape: Pool2dShape, x: &[f32], dy: &[f32]) -> [Vec<f32>; 4] {
    everywhere(&format!("{shape:?}"), |cpu| {
        let mut y = vec![f32::NAN; shape.output_len()];
        let (mut alone, mut places) = (y.clone(), vec![255; y.len()]);
        let mut dx = vec![f32::NAN; shape.input_len()];
        max_pool2d(cpu, shape, x, &mut y, Some(&mut places));
        max_pool2d(cpu, shape, x, &mut alone, None);
        max_pool2d_backward(cpu, shape, &places, dy, &mut dx);
        [y, places.into_iter().map(f32::from).collect(), alone, dx]
    })
}

#[test]
fn maxima_agree_with_the_reference() {
    for case in CASES {
        let shape = shape(case);
        // Few different values: ties everywhere. And some NaN.
        let mut x: Vec<f32> = noise(shape.input_len(), 1).iter().map(|x| (3.0 * x).round()).collect();
        let dy = noise(shape.output_len(), 2);
        for nan in [false, true] {
            x.iter_mut().step_by(13).filter(|_| nan).for_each(|x| *x = f32::NAN);
            let [y, places, alone, dx] = max(shape, &x, &dy);
            let (want, want_places) = reference::max_pool2d(&shape, &exact(&x));
            assert_agrees(&format!("{shape:?}"), &y, &want);
            assert_agrees(&format!("{shape:?}"), &alone, &want);
            let want_places_as_numbers: Vec<f32> = want_places.iter().map(|&place| f32::from(place)).collect();
            assert_eq!(places, want_places_as_numbers, "{shape:?}");
            assert_agrees(
                &format!("dx of {shape:?}"),
                &dx,
                &reference::max_pool2d_backward(&shape, &want_places, &exact(&dy)),
            );
        }
    }
}

#[test]
fn the_first_of_equals_wins_and_nan_over_all() {
    let shape = shape(&([1, 2, 2, 4], [2, 2], [1, 1], [[0, 0], [0, 0]]));
    let (nan, low) = (f32::NAN, f32::NEG_INFINITY);
    // Per channel: all equal; NaN first; NaN in the middle; nothing but -∞.
    let x = [1.0, nan, 5.0, low, 1.0, 2.0, nan, low, 1.0, 3.0, 7.0, low, 1.0, 4.0, 8.0, low];
    let [y, places, ..] = max(shape, &x, &[1.0; 4]);
    assert_eq!((y[0], y[3]), (1.0, low));
    assert!(y[1].is_nan() && y[2].is_nan());
    assert_eq!(places, [0.0, 0.0, 1.0, 0.0]);
}

#[test]
fn averages_agree_with_the_reference() {
    for case in CASES {
        let shape = shape(case);
        let (x, dy) = (noise(shape.input_len(), 3), noise(shape.output_len(), 4));
        let [y, dx] = everywhere(&format!("{shape:?}"), |cpu| {
            let (mut y, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
            avg_pool2d(cpu, shape, &x, &mut y);
            avg_pool2d_backward(cpu, shape, &dy, &mut dx);
            [y, dx]
        });
        assert_agrees(&format!("{shape:?}"), &y, &reference::avg_pool2d(&shape, &exact(&x)));
        assert_agrees(&format!("dx of {shape:?}"), &dx, &reference::avg_pool2d_backward(&shape, &exact(&dy)));
    }
}

#[test]
fn whole_maps_agree_with_the_reference() {
    for (batch, pixels, channels) in
        [(1, 1, 1), (3, 25, 17), (2, 49, 64), (1, 1600, 130), (5, 33, 15), (0, 4, 3), (2, 4, 0)]
    {
        let case = format!("{batch} × {pixels} × {channels}");
        let x: Vec<f32> = noise(batch * pixels * channels, 5).iter().map(|x| x + 3.0).collect();
        let dy = noise(batch * channels, 6);
        let [y, dx] = everywhere(&case, |cpu| {
            let (mut y, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
            global_avg_pool(cpu, batch, pixels, channels, &x, &mut y);
            global_avg_pool_backward(cpu, batch, pixels, channels, &dy, &mut dx);
            [y, dx]
        });
        assert_agrees(&case, &y, &reference::global_avg_pool(batch, pixels, channels, &exact(&x)));
        assert_agrees(&case, &dx, &reference::global_avg_pool_backward(batch, pixels, channels, &exact(&dy)));
    }
}

#[test]
fn references_are_slopes_of_their_values() {
    for case in CASES.iter().filter(|case| shape(case).input_len() < 300) {
        let shape = shape(case);
        let (x, dy) = (exact(&noise(shape.input_len(), 7)), exact(&noise(shape.output_len(), 8)));
        let (_, places) = reference::max_pool2d(&shape, &x);
        let dx = reference::max_pool2d_backward(&shape, &places, &dy);
        assert_is_slope("max", &x, &dx, |x| weigh(&dy, &reference::max_pool2d(&shape, x).0));
        let dx = reference::avg_pool2d_backward(&shape, &dy);
        assert_is_slope("average", &x, &dx, |x| weigh(&dy, &reference::avg_pool2d(&shape, x)));
    }
    let (x, dy) = (exact(&noise(2 * 6 * 3, 7)), exact(&noise(6, 8)));
    let dx = reference::global_avg_pool_backward(2, 6, 3, &dy);
    assert_is_slope("global", &x, &dx, |x| weigh(&dy, &reference::global_avg_pool(2, 6, 3, x)));
}
