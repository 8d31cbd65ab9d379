//! Agreement with PyTorch in float64: `scripts/golden_kernels.py` made the outputs, the inputs are formulas.

#![allow(clippy::unwrap_used, reason = "a golden file that does not read is a failed test")]

use serde_json::Value;

use crate::loss::{CrossEntropyShape, cross_entropy, cross_entropy_workspace};
use crate::optimizer::{Adam, RmsProp, Sgd, adam, moving_average, rmsprop, sgd, sum_of_squares};
use crate::pool2d::{Pool2dShape, avg_pool2d, max_pool2d};
use crate::{Cpu, Level, reference};

const LENGTH: usize = 23;
/// Slices as long as a chunk and more: every number of the golden ones comes again and again.
const LONG: usize = LENGTH * 1500;

fn golden() -> Value {
    serde_json::from_str(include_str!("../tests/golden/kernels.json")).unwrap()
}

fn parameter(i: usize) -> f64 {
    (0.37 * i as f64).sin() + 0.2
}

fn gradient(i: usize, step: usize) -> f64 {
    (0.61 * i as f64 + 1.3 * step as f64).cos() * 0.5
}

fn number(settings: &Value, name: &str) -> f64 {
    settings[name].as_f64().unwrap()
}

fn flag(settings: &Value, name: &str) -> bool {
    settings[name].as_bool().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap_or(f64::NAN)).collect()
}

fn assert_close(case: &str, have: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(have.len(), want.len(), "{case}");
    for (at, (have, want)) in have.iter().zip(want).enumerate() {
        let close = (have - want).abs() <= tolerance * (1.0 + want.abs()) || have.is_nan() && want.is_nan();
        assert!(close, "{case}: {have} at {at}, PyTorch has {want}");
    }
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

/// Follows PyTorch's parameters over its steps, in f64 by the reference and in f32 at every level.
fn follow<Settings>(
    case: &Value,
    settings: impl Fn(usize) -> Settings,
    exact: impl Fn(&Settings, &mut [f64], &[f64], &mut [f64], &mut [f64]),
    step: impl Fn(&Cpu, Settings, &mut [f32], &[f32], &mut [f32], &mut [f32]),
) {
    let name = case.to_string().chars().take(160).collect::<String>();
    let steps: Vec<Vec<f64>> = case["params"].as_array().unwrap().iter().map(numbers).collect();
    let mut params: Vec<f64> = (0..LENGTH).map(parameter).collect();
    let (mut first, mut second) = (vec![0.0; LENGTH], vec![0.0; LENGTH]);
    for (number, want) in steps.iter().enumerate() {
        let grads: Vec<f64> = (0..LENGTH).map(|i| gradient(i, number)).collect();
        exact(&settings(number), &mut params, &grads, &mut first, &mut second);
        assert_close(&name, &params, want, 1e-13);
    }
    let mut bits: Option<Vec<u32>> = None;
    for level in Level::available() {
        for threads in [1, 2, 3, 8] {
            let cpu = Cpu::new(threads, level);
            let mut params: Vec<f32> = (0..LONG).map(|i| parameter(i % LENGTH) as f32).collect();
            let (mut first, mut second) = (vec![0.0; LONG], vec![0.0; LONG]);
            for (number, want) in steps.iter().enumerate() {
                let grads: Vec<f32> = (0..LONG).map(|i| gradient(i % LENGTH, number) as f32).collect();
                step(&cpu, settings(number), &mut params, &grads, &mut first, &mut second);
                for params in params.chunks(LENGTH) {
                    assert_close(&name, &wide(params), want, 1e-6);
                }
            }
            let have: Vec<u32> = params.iter().map(|p| p.to_bits()).collect();
            assert!(*bits.get_or_insert_with(|| have.clone()) == have, "{name}: {level}, {threads} threads");
        }
    }
}

#[test]
fn sgd_follows_pytorch() {
    for case in golden()["sgd"].as_array().unwrap() {
        let settings = |step| Sgd {
            lr: number(case, "lr"),
            momentum: number(case, "momentum"),
            dampening: number(case, "dampening"),
            nesterov: flag(case, "nesterov"),
            weight_decay: number(case, "weight_decay"),
            first_step: step == 0,
        };
        follow(
            case,
            settings,
            |s, params, grads, velocity, _| reference::sgd(s, params, grads, velocity),
            |cpu, s, params, grads, velocity, _| {
                // What the velocity holds before the first step does not matter.
                if s.first_step {
                    velocity.fill(f32::NAN);
                }
                sgd(cpu, s, params, grads, velocity);
            },
        );
    }
}

#[test]
fn adam_and_adamw_follow_pytorch() {
    for case in golden()["adam"].as_array().unwrap() {
        let settings = |step| Adam {
            lr: number(case, "lr"),
            beta1: number(case, "beta1"),
            beta2: number(case, "beta2"),
            eps: number(case, "eps"),
            weight_decay: number(case, "weight_decay"),
            decoupled: flag(case, "decoupled"),
            step: step as u64 + 1,
        };
        follow(case, settings, reference::adam, adam);
    }
}

#[test]
fn rmsprop_follows_pytorch() {
    for case in golden()["rmsprop"].as_array().unwrap() {
        let settings = |_| RmsProp {
            lr: number(case, "lr"),
            alpha: number(case, "alpha"),
            eps: number(case, "eps"),
            weight_decay: number(case, "weight_decay"),
            momentum: number(case, "momentum"),
        };
        follow(case, settings, reference::rmsprop, rmsprop);
    }
}

#[test]
fn averages_and_lengths_are_pytorchs() {
    let golden = golden();
    let (case, times) = (&golden["average"], LONG / LENGTH);
    let (averages, norms) = (case["averages"].as_array().unwrap(), numbers(&case["norms"]));
    let params = |step| (0..LONG).map(move |i| (parameter(i % LENGTH) + 0.1 * gradient(i % LENGTH, step)) as f32);
    let mut bits: Option<Vec<u64>> = None;
    for level in Level::available() {
        for threads in [1, 2, 3, 8] {
            let cpu = Cpu::new(threads, level);
            let (mut average, mut have) = (params(0).collect::<Vec<f32>>(), Vec::new());
            for (step, (want, norm)) in averages.iter().zip(&norms).enumerate() {
                moving_average(&cpu, number(case, "decay"), &params(step + 1).collect::<Vec<f32>>(), &mut average);
                for average in average.chunks(LENGTH) {
                    assert_close("average", &wide(average), &numbers(want), 1e-6);
                }
                let grads: Vec<f32> = (0..LONG).map(|i| gradient(i % LENGTH, step + 1) as f32).collect();
                let squares = sum_of_squares(&cpu, &grads);
                assert_close("norm", &[(squares / times as f64).sqrt()], &[*norm], 1e-7);
                have.push(squares.to_bits());
            }
            have.extend(average.iter().map(|a| u64::from(a.to_bits())));
            assert!(*bits.get_or_insert_with(|| have.clone()) == have, "{level}, {threads} threads");
        }
    }
    assert_eq!(sum_of_squares(&Cpu::new(2, Level::best()), &[]), 0.0);
    assert_eq!(sum_of_squares(&Cpu::new(2, Level::best()), &[3.0, 4.0]), 25.0);
}

#[test]
fn without_momentum_no_buffer_is_needed() {
    let cpu = Cpu::new(1, Level::best());
    let settings =
        Sgd { lr: 0.5, momentum: 0.0, dampening: 0.0, nesterov: false, weight_decay: 0.0, first_step: false };
    let mut params = [1.0];
    sgd(&cpu, settings, &mut params, &[1.0], &mut []);
    assert_eq!(params, [0.5]);
    let settings = RmsProp { lr: 0.5, alpha: 0.0, eps: 0.0, weight_decay: 0.0, momentum: 0.0 };
    rmsprop(&cpu, settings, &mut params, &[2.0], &mut [0.0], &mut []);
    assert_eq!(params, [0.0]);
}

#[test]
fn cross_entropy_is_pytorchs() {
    let shape = CrossEntropyShape { rows: 6, classes: 5 };
    let labels = [0, 3, -1, 4, 1, -1];
    let logits: Vec<f64> = (0..30).map(|i| 3.0 * (0.9 * f64::from(i)).sin()).collect();
    let weights: Vec<f64> = (0..5).map(|c| 1.0 + 0.5 * f64::from(c)).collect();
    let narrow = |x: &[f64]| x.iter().map(|&x| x as f32).collect::<Vec<f32>>();
    let (logits_f32, weights_f32) = (narrow(&logits), narrow(&weights));
    for case in golden()["cross_entropy"].as_array().unwrap() {
        let (weighted, smoothing) = (flag(case, "weighted"), number(case, "smoothing"));
        let name = format!("weighted {weighted}, smoothing {smoothing}");
        let (want, want_gradient) = (number(case, "loss"), numbers(&case["gradient"]));
        let (loss, gradient) =
            reference::cross_entropy(&shape, &logits, &labels, weighted.then_some(&weights), smoothing);
        assert_close(&name, &[loss], &[want], 1e-13);
        assert_close(&name, &gradient, &want_gradient, 1e-13);
        for level in Level::available() {
            let cpu = Cpu::new(2, level);
            let (mut loss, mut gradient) = ([0.0], [0.0; 30]);
            let mut workspace = vec![0.0; cross_entropy_workspace(shape)];
            cross_entropy(
                &cpu,
                shape,
                &logits_f32,
                &labels,
                weighted.then_some(&weights_f32),
                smoothing as f32,
                &mut loss,
                &mut gradient,
                &mut workspace,
            );
            assert_close(&name, &wide(&loss), &[want], 1e-6);
            assert_close(&name, &wide(&gradient), &want_gradient, 1e-7);
        }
    }
}

#[test]
fn pools_are_pytorchs() {
    let cpu = Cpu::new(2, Level::best());
    for case in golden()["pool"].as_array().unwrap() {
        let pair = |name: &str| [0, 1].map(|i| case[name][i].as_u64().unwrap() as usize);
        let shape = Pool2dShape {
            batch: 2,
            height: 5,
            width: 7,
            channels: 3,
            kernel: pair("kernel"),
            stride: pair("stride"),
            padding: pair("padding"),
            trailing: pair("trailing"),
        };
        let x: Vec<f32> = (0..shape.input_len())
            .map(|i| if i % 29 == 5 { f32::NAN } else { (2.0 * (0.7 * i as f64).sin()).round_ties_even() as f32 })
            .collect();
        let (mut y, mut places) = (vec![0.0; shape.output_len()], vec![0; shape.output_len()]);
        max_pool2d(&cpu, shape, &x, &mut y, Some(&mut places));
        assert_close("max", &wide(&y), &numbers(&case["max"]), 0.0);
        let places: Vec<f64> = places.into_iter().map(f64::from).collect();
        assert_close("place", &places, &numbers(&case["place"]), 0.0);
        let x: Vec<f32> = x.iter().map(|x| if x.is_nan() { 0.0 } else { *x }).collect();
        avg_pool2d(&cpu, shape, &x, &mut y);
        assert_close("mean", &wide(&y), &numbers(&case["mean"]), 1e-6);
    }
}
