//! Same seed, same bits: whatever the threads, whatever ran before, stopped or not.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod network;

use avizor_base::Seed;
use avizor_engine::{CompileOptions, OptimizerKind, Program, State, StateError, Trainable};
use avizor_kernels::{Cpu, Level};
use network::{Settings, Trainer, bits, network, optimizer, write_inputs};

const KINDS: [OptimizerKind; 6] = [
    OptimizerKind::sgd(0.0),
    OptimizerKind::Sgd { momentum: 0.9, dampening: 0.1, nesterov: false },
    OptimizerKind::Sgd { momentum: 0.9, dampening: 0.0, nesterov: true },
    OptimizerKind::ADAM,
    OptimizerKind::ADAM_W,
    OptimizerKind::RmsProp { alpha: 0.9, eps: 1e-6, momentum: 0.5 },
];

#[test]
fn the_number_of_threads_changes_no_bit() {
    for level in Level::available() {
        let train = |threads| {
            let mut trainer = Trainer::new(Settings::full(7), Cpu::new(threads, level));
            let optimizer = optimizer(OptimizerKind::ADAM, &mut trainer.state, 1e-4);
            let losses: Vec<u32> = (0..2)
                .map(|step| {
                    let loss = trainer.run(step);
                    optimizer.step(&trainer.cpu, &mut trainer.state, 1e-3);
                    loss.to_bits()
                })
                .collect();
            (losses, bits(&trainer.state))
        };
        let one = train(1);
        for threads in [2, 3, 8] {
            assert!(train(threads) == one, "{threads} threads differ from one at {level}");
        }
    }
}

#[test]
fn a_run_depends_on_inputs_and_parameters_alone() {
    let settings = Settings::full(6);
    let mut trainer = Trainer::new(settings, Cpu::new(2, Level::best()));
    let first = (trainer.run(1), bits(&trainer.state));
    // Other pictures, and another program in the same arena.
    let eval = network(Settings::full(3));
    let infer = Program::compile(&eval, &CompileOptions::infer(), &trainer.cpu, &mut trainer.state).unwrap();
    write_inputs(&mut trainer.state, &infer, 9, 3);
    infer.run(&trainer.cpu, &mut trainer.state);
    trainer.run(2);
    for parameter in trainer.state.parameters().to_vec() {
        let fresh = Trainer::new(settings, Cpu::new(1, Level::best()));
        let values = fresh.state.get(&parameter.name).unwrap().to_vec();
        trainer.state.get_mut(&parameter.name).unwrap().copy_from_slice(&values);
    }
    assert!((trainer.run(1), bits(&trainer.state)) == first);
}

#[test]
fn dropout_draws_anew_every_step_and_the_same_for_the_same() {
    let mut trainer = Trainer::new(Settings::full(4), Cpu::new(1, Level::best()));
    let mut loss = |step| {
        trainer.run(1);
        trainer.state.set_step(Seed(42), step);
        trainer.program.run(&trainer.cpu, &mut trainer.state);
        trainer.state.output(&trainer.program, "loss")[0]
    };
    let (one, two, again) = (loss(1), loss(2), loss(1));
    assert_ne!(one, two);
    assert_eq!(one.to_bits(), again.to_bits());
}

#[test]
fn a_run_that_was_stopped_goes_on_with_the_same_bits() {
    for kind in KINDS {
        let steps = |trainer: &mut Trainer, steps: std::ops::Range<u64>| {
            let optimizer = optimizer(kind, &mut trainer.state, 1e-2);
            for step in steps {
                trainer.run(step);
                optimizer.step(&trainer.cpu, &mut trainer.state, 1e-2);
            }
        };
        let start = || Trainer::new(Settings::full(4), Cpu::new(2, Level::best()));
        let mut whole = start();
        steps(&mut whole, 0..4);
        let mut half = start();
        steps(&mut half, 0..2);
        let stored = half.state.export();
        let mut resumed = start();
        resumed.state.initialise(Seed(7));
        resumed.state.import(&stored).unwrap();
        assert_eq!(resumed.state.optimizer_steps(), 2);
        steps(&mut resumed, 2..4);
        assert!(bits(&resumed.state) == bits(&whole.state), "{kind:?}");
    }
}

#[test]
fn what_cannot_be_imported_is_told_and_changes_nothing() {
    let mut trainer = Trainer::new(Settings::full(2), Cpu::new(1, Level::best()));
    optimizer(OptimizerKind::sgd(0.9), &mut trainer.state, 0.0);
    let arrays = trainer.state.export();
    let before = bits(&trainer.state);
    let without = |name: &str| arrays.iter().filter(|array| array.name != name).cloned().collect::<Vec<_>>();
    for name in ["fc.bias", "optimizer.steps", "optimizer.momentum_buffer/fc.bias"] {
        let error = trainer.state.import(&without(name)).unwrap_err();
        assert_eq!(error, StateError::Missing { name: name.to_owned() });
    }
    let mut other = arrays.clone();
    other[0].shape = [1].into();
    let error = trainer.state.import(&other).unwrap_err().to_string();
    assert_eq!(error, "conv1.weight: the values are 1, the parameter is 8×3×3×3");
    other = arrays.clone();
    other[0].name = "conv9.weight".to_owned();
    assert_eq!(trainer.state.import(&other).unwrap_err().to_string(), "there is no parameter \"conv9.weight\"");
    assert!(bits(&trainer.state) == before);
}

#[test]
fn starting_values_depend_on_name_and_seed_alone() {
    let values = |batch, seed| {
        let graph = network(Settings::full(batch));
        let mut state = State::new(&graph);
        state.initialise(Seed(seed));
        (state.read_disk("layer2.conv1.weight").unwrap(), state.read_disk("fc.bias").unwrap())
    };
    assert_eq!(values(2, 1), values(9, 1));
    assert_ne!(values(2, 1).0, values(2, 2).0);
    // Uniform in ±1/√(fan in): every value inside, the variance a third of the bound's square (5 standard errors).
    let (weight, bias) = values(2, 1);
    let bound = 1.0 / (9.0_f32 * 8.0).sqrt();
    let n = weight.len() as f32;
    let variance = weight.iter().map(|w| w * w).sum::<f32>() / n;
    assert!(weight.iter().all(|w| w.abs() <= bound));
    assert!((variance / (bound * bound) - 1.0 / 3.0).abs() < 5.0 * (4.0 / 45.0 / n).sqrt());
    assert!(bias.iter().all(|b| b.abs() <= 1.0 / 12.0_f32.sqrt()) && bias.iter().any(|b| *b != 0.0));
}

#[test]
fn a_partial_batch_gives_what_a_small_one_gives() {
    // Without statistics of the batch, rows do not see each other.
    let options = CompileOptions {
        frozen_norm: avizor_engine::FrozenNorm::Running,
        ..CompileOptions::train("loss", Trainable::Named(["fc.weight".to_owned(), "fc.bias".to_owned()].into()))
    };
    let run = |batch| {
        let cpu = Cpu::new(2, Level::best());
        let mut trainer = Trainer::with_options(Settings { dropout: 0.0, ..Settings::full(batch) }, cpu, &options);
        write_inputs(&mut trainer.state, &trainer.program, 3, 3);
        trainer.program.run(&trainer.cpu, &mut trainer.state);
        let loss = trainer.state.output(&trainer.program, "loss")[0];
        (loss, trainer.state.gradient("fc.weight").unwrap().to_vec())
    };
    let (small, padded) = (run(3), run(8));
    assert!((small.0 - padded.0).abs() <= 1e-6 * small.0.abs(), "{} {}", small.0, padded.0);
    let error = small.1.iter().zip(&padded.1).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(error < 1e-6, "{error}");
}
