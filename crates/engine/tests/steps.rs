//! What stands around a step: gradients of several batches, their length, the average of the parameters.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod network;

use avizor_engine::ops::Unary;
use avizor_engine::{
    Accumulator, Average, CompileOptions, DType, GraphBuilder, GraphError, OptimizerKind, Program, State,
};
use avizor_kernels::{Cpu, Level};
use network::{Settings, Trainer, bits, optimizer};

fn trainer() -> Trainer {
    Trainer::new(Settings::full(4), Cpu::new(2, Level::best()))
}

/// All gradients in the order of the parameters.
fn gradients(state: &State) -> Vec<f32> {
    state.parameters().iter().filter_map(|parameter| state.gradient(&parameter.name)).flatten().copied().collect()
}

/// All parameters, statistics included.
fn values(state: &State) -> Vec<f32> {
    state.parameters().iter().filter_map(|parameter| state.get(&parameter.name)).flatten().copied().collect()
}

fn length(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn gradients_of_batches_meet_in_their_weighted_mean() {
    let mut trainer = trainer();
    let accumulator = Accumulator::new(&mut trainer.state);
    let weights = [4.0, 4.0, 1.0];
    // Twice: what the first mean was made of must be forgotten.
    for round in 0..2 {
        let mut sum: Vec<f64> = Vec::new();
        for (batch, weight) in weights.into_iter().enumerate() {
            trainer.run(round * 3 + batch as u64);
            let now = gradients(&trainer.state);
            sum.resize(now.len(), 0.0);
            sum.iter_mut().zip(&now).for_each(|(sum, &g)| *sum += weight * f64::from(g));
            accumulator.add(&trainer.cpu, &mut trainer.state, weight);
        }
        accumulator.finish(&trainer.cpu, &mut trainer.state, 9.0);
        for (have, want) in gradients(&trainer.state).into_iter().zip(sum) {
            assert!((f64::from(have) - want / 9.0).abs() <= 1e-6 * (1.0 + want.abs()), "{have}, wanted {}", want / 9.0);
        }
    }
}

#[test]
fn long_gradients_are_shortened_and_short_ones_stay() {
    let mut trainer = trainer();
    let optimizer = optimizer(OptimizerKind::sgd(0.0), &mut trainer.state, 0.0);
    trainer.run(1);
    let before = gradients(&trainer.state);
    let long = length(&before);
    let shortened = optimizer.clone().clipping(long / 2.0);
    shortened.step(&trainer.cpu, &mut trainer.state, 0.0);
    let after = gradients(&trainer.state);
    assert!((length(&after) / (long / 2.0) - 1.0).abs() < 1e-5, "{} of {long}", length(&after));
    for (before, after) in before.iter().zip(&after) {
        assert!((before / 2.0 - after).abs() <= 1e-5 * before.abs(), "{before} became {after}");
    }
    optimizer.clipping(long).step(&trainer.cpu, &mut trainer.state, 0.0);
    assert_eq!(gradients(&trainer.state), after);
}

#[test]
fn the_average_follows_all_parameters_and_stands_in_for_them() {
    let mut trainer = trainer();
    let optimizer = optimizer(OptimizerKind::ADAM, &mut trainer.state, 0.0);
    let average = Average::new(&trainer.cpu, &mut trainer.state, 0.3);
    let mut want: Vec<f64> = values(&trainer.state).into_iter().map(f64::from).collect();
    for step in 1..=4 {
        trainer.run(step);
        optimizer.step(&trainer.cpu, &mut trainer.state, 1e-2);
        average.update(&trainer.cpu, &mut trainer.state);
        let decay = 0.3_f64.min((1.0 + step as f64) / (10.0 + step as f64));
        want.iter_mut().zip(values(&trainer.state)).for_each(|(a, p)| *a += (1.0 - decay) * (f64::from(p) - *a));
    }
    let (before, everything) = (values(&trainer.state), bits(&trainer.state));
    average.exchange(&mut trainer.state);
    for (have, want) in values(&trainer.state).into_iter().zip(want) {
        assert!((f64::from(have) - want).abs() <= 1e-5 * (1.0 + want.abs()), "{have}, wanted {want}");
    }
    let apart = values(&trainer.state).iter().zip(&before).filter(|(a, b)| a != b).count();
    assert!(apart > before.len() / 2, "statistics and values have averages of their own");
    average.exchange(&mut trainer.state);
    assert!(bits(&trainer.state) == everything);
}

#[test]
fn what_stands_around_a_step_is_stored_with_the_state() {
    let steps = |trainer: &mut Trainer, range: std::ops::Range<u64>| {
        let optimizer = optimizer(OptimizerKind::ADAM, &mut trainer.state, 0.0).clipping(0.5);
        let accumulator = Accumulator::new(&mut trainer.state);
        let average = Average::new(&trainer.cpu, &mut trainer.state, 0.9);
        for step in range {
            trainer.run(step);
            accumulator.add(&trainer.cpu, &mut trainer.state, 4.0);
            if step % 2 == 1 {
                accumulator.finish(&trainer.cpu, &mut trainer.state, 8.0);
                optimizer.step(&trainer.cpu, &mut trainer.state, 1e-2);
                average.update(&trainer.cpu, &mut trainer.state);
            }
        }
        bits(&trainer.state)
    };
    let whole = steps(&mut trainer(), 0..6);
    let mut half = trainer();
    steps(&mut half, 0..3);
    let mut resumed = trainer();
    resumed.state.import(&half.state.export()).unwrap();
    assert!(steps(&mut resumed, 3..6) == whole);
}

#[test]
fn a_batch_that_no_memory_holds_is_an_error() {
    let mut graph = GraphBuilder::new();
    let image = graph.input("image", DType::F32, [1 << 20, 1 << 12, 1 << 12, 3]);
    let map = graph.apply("relu", Unary::Relu, &[image]).unwrap();
    graph.output("map", map);
    let graph = graph.finish().unwrap();
    let mut state = State::new(&graph);
    let error =
        Program::compile(&graph, &CompileOptions::infer(), &Cpu::new(1, Level::Scalar), &mut state).unwrap_err();
    assert!(matches!(error, GraphError::Memory { bytes } if bytes >= 3 << 46), "{error}");
    let said = error.to_string();
    assert!(
        said.ends_with("GiB of working memory, more than this machine gives: make the batch or its pictures smaller")
    );
}
