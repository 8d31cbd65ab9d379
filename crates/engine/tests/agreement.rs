//! A whole network against its definition in f64, with and without each pass.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod network;

use std::collections::BTreeSet;

use avizor_engine::{CompileOptions, FrozenNorm, Graph, Mode, Pass, Program, State, Trainable, evaluate};
use avizor_kernels::{Cpu, Level};
use network::{CLASSES, PIXELS, Settings, Trainer, network, pixel_value, write_inputs};

/// Inputs and parameters of a trainer at step 0, in f64.
fn values(trainer: &Trainer, name: &str) -> Vec<f64> {
    match name {
        "image" => (0..trainer.batch * PIXELS).map(|i| f64::from(pixel_value(i as u64, 0))).collect(),
        "labels" => (0..trainer.batch).map(|i| ((i * i + 3 * i) % CLASSES) as f64).collect(),
        "class_weights" => (0..CLASSES).map(|class| 0.5 + 0.25 * class as f64).collect(),
        _ => trainer.state.get(name).unwrap().iter().map(|&value| f64::from(value)).collect(),
    }
}

fn error(got: &[f32], wanted: &[f64]) -> f64 {
    assert_eq!(got.len(), wanted.len());
    let distance: f64 = got.iter().zip(wanted).map(|(&got, wanted)| (f64::from(got) - wanted).powi(2)).sum();
    (distance / wanted.iter().map(|wanted| wanted * wanted).sum::<f64>()).sqrt()
}

fn moved_statistics(trainer: &mut Trainer) {
    for parameter in trainer.state.parameters().to_vec() {
        let values = trainer.state.get_mut(&parameter.name).unwrap();
        for (i, value) in values.iter_mut().enumerate().filter(|_| parameter.shape.len() == 1) {
            *value += 0.3 * (i as f32 + parameter.name.len() as f32).sin();
        }
    }
}

fn train(frozen_norm: FrozenNorm, trainable: Trainable) -> CompileOptions {
    CompileOptions { frozen_norm, ..CompileOptions::train("loss", trainable) }
}

fn names_starting(graph: &Graph, prefixes: &[&str]) -> Trainable {
    let is_trained = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
    Trainable::where_name(graph.parameters().map(|(name, ..)| name), is_trained)
}

#[test]
fn outputs_gradients_and_statistics_agree_with_the_definition() {
    let settings = Settings::smooth(5);
    let graph = network(settings);
    let head = || names_starting(&graph, &["fc."]);
    let last = || names_starting(&graph, &["layer2.", "fc."]);
    for (what, options) in [
        ("infer", CompileOptions::infer()),
        ("forward in training", CompileOptions { mode: Mode::Train, ..CompileOptions::infer() }),
        ("train", train(FrozenNorm::Batch, Trainable::All)),
        ("head", train(FrozenNorm::Running, head())),
        ("head, norms of the batch", train(FrozenNorm::Batch, head())),
        ("last block", train(FrozenNorm::Running, last())),
        ("gradient in inference", CompileOptions { mode: Mode::Infer, ..train(FrozenNorm::Batch, Trainable::All) }),
    ] {
        let withouts = [vec![], Pass::ALL.to_vec()].into_iter().chain(Pass::ALL.map(|pass| vec![pass]));
        for without in withouts {
            let what = format!("{what}, without {without:?}");
            let options = CompileOptions { without, ..options.clone() };
            let mut trainer = Trainer::with_options(settings, Cpu::new(2, Level::best()), &options);
            moved_statistics(&mut trainer);
            let wanted = evaluate(&graph, &options, &|name| values(&trainer, name)).unwrap();
            trainer.run(0);
            for (name, wanted) in &wanted.outputs {
                let error = error(trainer.state.output(&trainer.program, name), wanted);
                assert!(error < 1e-5, "{what}: {name} {error:.1e}");
            }
            for (name, wanted) in &wanted.gradients {
                let error = error(trainer.state.gradient(name).unwrap(), wanted);
                assert!(error < 1e-5, "{what}: gradient of {name} {error:.1e}");
            }
            for (name, wanted) in &wanted.updated {
                let error = error(trainer.state.get(name).unwrap(), wanted);
                assert!(error < 1e-6, "{what}: {name} {error:.1e}");
            }
            let trained: BTreeSet<&str> = wanted.gradients.keys().map(String::as_str).collect();
            let expected = graph.parameters().filter(|(name, _, spec)| {
                options.loss.is_some() && spec.role.is_trained() && options.trainable.contains(name)
            });
            assert_eq!(trained, expected.map(|(name, ..)| name).collect(), "{what}");
        }
    }
}

fn kernels(options: &CompileOptions) -> Vec<(String, String)> {
    let trainer = Trainer::with_options(Settings::full(4), Cpu::new(1, Level::best()), options);
    trainer.program.plan().rows.iter().map(|row| (row.node.clone(), row.kernel.to_owned())).collect()
}

#[test]
fn inference_is_convolutions_with_all_that_follows_in_them() {
    let kernels = kernels(&CompileOptions::infer());
    let count = |part: &str| kernels.iter().filter(|(_, kernel)| kernel.contains(part)).count();
    assert_eq!(count("fold_norm"), 6);
    for gone in ["batch_norm", "unary", "add", "dropout", "copy", "choices"] {
        assert_eq!(count(gone), 0, "{gone}: {kernels:?}");
    }
    // Six folds; weights packed for six convolutions and the linear layer; normalize, these, two pools and the loss.
    assert_eq!(kernels.len(), 6 + 7 + 1 + 7 + 2 + 1, "{kernels:?}");
}

#[test]
fn nothing_is_computed_that_no_trained_parameter_needs() {
    let graph = network(Settings::full(4));
    let all = kernels(&train(FrozenNorm::Batch, Trainable::All));
    assert!(!all.iter().any(|(node, _)| node == "conv1/conv2d_grad_input"));
    assert!(all.iter().any(|(node, _)| node == "conv1/conv2d_grad_weight"));
    let head = kernels(&train(FrozenNorm::Running, names_starting(&graph, &["fc."])));
    let backward: Vec<&str> = head.iter().map(|(node, _)| node.as_str()).filter(|node| node.contains("grad")).collect();
    assert_eq!(backward, ["fc/linear_grad_weight"]);
    // The frozen prefix is folded as in inference.
    assert!(!head.iter().any(|(_, kernel)| kernel.starts_with("batch_norm")), "{head:?}");
}

#[test]
fn in_training_a_norm_does_what_follows_it_and_finds_its_way_back_alone() {
    for settings in [Settings::full(4), Settings::smooth(4)] {
        let options = CompileOptions::train("loss", Trainable::All);
        let trainer = Trainer::with_options(settings, Cpu::new(1, Level::best()), &options);
        let kernels: Vec<&str> = trainer.program.plan().rows.iter().map(|row| row.kernel).collect();
        let count = |name: &str| kernels.iter().filter(|&&kernel| kernel == name).count();
        let norms = kernels.iter().filter(|kernel| kernel.starts_with("batch_norm_train")).count();
        assert_eq!(count("batch_norm_train_act"), count("batch_norm_backward_act"), "{kernels:?}");
        assert!(count("batch_norm_train_act") >= 2 && count("batch_norm_train") < norms / 2, "{kernels:?}");
        assert_eq!(count("unary_in_place"), 0, "{kernels:?}");
    }
}

#[test]
fn parameters_that_change_are_folded_again() {
    let settings = Settings::smooth(3);
    let mut trainer = Trainer::with_options(settings, Cpu::new(2, Level::best()), &CompileOptions::infer());
    trainer.run(0);
    let mut ran = Vec::new();
    trainer.program.run_observed(&trainer.cpu, &mut trainer.state, &mut |row| ran.push(row.kernel));
    assert!(!ran.contains(&"fold_norm"), "nothing has changed");
    moved_statistics(&mut trainer);
    let graph = network(settings);
    let wanted = evaluate(&graph, &CompileOptions::infer(), &|name| values(&trainer, name)).unwrap();
    trainer.run(0);
    let error = error(trainer.state.output(&trainer.program, "logits"), &wanted.outputs["logits"]);
    assert!(error < 1e-5, "{error:.1e}");
}

#[test]
fn programs_share_parameters_and_the_arena() {
    let mut trainer = Trainer::new(Settings::full(8), Cpu::new(2, Level::best()));
    let arena = trainer.program.arena_bytes();
    let before = trainer.state.bytes();
    let infer =
        Program::compile(&network(Settings::full(8)), &CompileOptions::infer(), &trainer.cpu, &mut trainer.state)
            .unwrap();
    assert!(infer.arena_bytes() < arena / 2);
    assert_eq!(trainer.state.bytes(), before + infer.program_bytes());
    write_inputs(&mut trainer.state, &infer, 0, 8);
    infer.run(&trainer.cpu, &mut trainer.state);
    // Values of all nodes at once would take more than twice as much.
    let all: usize =
        trainer.program.plan().rows.iter().flat_map(|row| &row.outputs).map(|shape| shape.elements() * 4).sum();
    assert!(arena * 3 < all * 2, "{arena} of {all}");
}

#[test]
fn the_plan_prints_as_a_table() {
    let trainer = Trainer::new(Settings::full(4), Cpu::new(1, Level::best()));
    let plan = trainer.program.plan();
    let text = plan.to_string();
    assert_eq!(text.lines().count(), plan.rows.len() + 2);
    assert!(text.starts_with("step  node "), "{text}");
    let norm = text.lines().find(|line| line.contains(" layer1.bn1 ")).unwrap();
    assert!(norm.contains("batch_norm_train_act") && norm.contains("4×6×6×8"), "{norm}");
    assert!(text.lines().last().unwrap().starts_with("arena "), "{text}");
    eprintln!("{text}");
}

#[test]
fn what_does_not_fit_the_state_is_told() {
    let cpu = Cpu::new(1, Level::Scalar);
    let graph = network(Settings::full(2));
    let mut other = avizor_engine::GraphBuilder::new();
    other.parameter("fc.weight", [3, 4], avizor_engine::ParameterSpec::LINEAR_WEIGHT);
    let mut state = State::new(&other.finish().unwrap());
    let error = Program::compile(&graph, &CompileOptions::infer(), &cpu, &mut state).unwrap_err();
    assert_eq!(error.to_string(), "parameter conv1.weight: the graph has 3×3×3×8, the state has nothing of this name");
    let mut state = State::new(&graph);
    let options = CompileOptions::train("los", Trainable::All);
    let error = Program::compile(&graph, &options, &cpu, &mut state).unwrap_err();
    assert_eq!(error.to_string(), "the graph has no output \"los\"; it has features, logits, loss");
    let options = CompileOptions::train("logits", Trainable::All);
    let error = Program::compile(&graph, &options, &cpu, &mut state).unwrap_err();
    assert_eq!(error.to_string(), "the output \"logits\" is 2×5, a loss must be one number");
}
