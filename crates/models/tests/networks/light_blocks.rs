//! What MobileNet, EfficientNet and ConvNeXt have that others do not.

use std::any::Any;

use avizor_base::Seed;
use avizor_engine::ops::{self, StochasticDepth};
use avizor_engine::{CompileOptions, DType, FrozenNorm, Graph, GraphBuilder, Program, Source, State, Trainable};
use avizor_kernels::Cpu;
use avizor_models::{NetworkOptions, find};

use crate::formula;
use crate::level::level;

const BATCH: usize = 3;
const SIZE: usize = 32;

fn graph(name: &str) -> Graph {
    let mut graph = GraphBuilder::new();
    let image = graph.input("image", DType::F32, [BATCH, SIZE, SIZE, 3]);
    let labels = graph.input("labels", DType::I32, [BATCH]);
    let options = NetworkOptions { dropout: 0.2, ..NetworkOptions::new(5) };
    let logits = find(name).unwrap().build(&mut graph, image, &options).unwrap().logits;
    let loss = graph.apply("loss", ops::CrossEntropy::default(), &[logits, labels]).unwrap();
    graph.output("loss", loss);
    graph.finish().unwrap()
}

/// Names of the nodes that leave blocks out, and how probable it is.
fn left_out(graph: &Graph) -> Vec<(&str, f32)> {
    let mut probabilities = Vec::new();
    for node in graph.nodes() {
        let Source::Operator(operator) = &node.source else { continue };
        if let Some(StochasticDepth { p }) = (operator.as_ref() as &dyn Any).downcast_ref() {
            probabilities.push((node.name.as_str(), *p));
        }
    }
    probabilities
}

#[test]
fn blocks_are_left_out_the_more_often_the_deeper_they_are() {
    let graph = graph("efficientnet_b0");
    let probabilities = left_out(&graph);
    // A fifth of the share of the sixteen blocks that stand before; only blocks with a shortcut can be left out.
    let expected =
        [(2, 1, 2), (3, 1, 4), (4, 1, 6), (4, 2, 7), (5, 1, 9), (5, 2, 10), (6, 1, 12), (6, 2, 13), (6, 3, 14)];
    assert_eq!(probabilities.len(), expected.len());
    for ((name, p), (stage, block, before)) in probabilities.into_iter().zip(expected) {
        assert_eq!(name, format!("features.{stage}.{block}.stochastic_depth"));
        assert!((f64::from(p) - 0.2 * f64::from(before) / 16.0).abs() < 1e-7, "{name}: {p}");
    }
    // ConvNeXt's eighteen blocks: from zero to a tenth.
    let graph = self::graph("convnext_tiny");
    let probabilities = left_out(&graph);
    assert_eq!(probabilities.len(), 18);
    for (before, (name, p)) in (0..).zip(probabilities) {
        assert!((f64::from(p) - 0.1 * f64::from(before) / 17.0).abs() < 1e-7, "{name}: {p}");
    }
}

#[test]
fn inference_is_convolutions_that_hold_their_norms_and_sums() {
    // The two functions of every gate, on a few numbers, and that of a hidden layer; all others are part of convolutions.
    for (name, gates, functions) in
        [("resnet50", 0, 0), ("mobilenet_v2", 0, 0), ("efficientnet_b0", 16, 32), ("mobilenet_v3_large", 8, 17)]
    {
        let cpu = Cpu::new(1, level());
        let graph = graph(name);
        let mut state = State::new(&graph);
        let program = Program::compile(&graph, &CompileOptions::infer(), &cpu, &mut state).unwrap();
        let kernels: Vec<&str> = program.plan().rows.iter().map(|row| row.kernel).collect();
        for gone in ["batch_norm", "stochastic_depth", "dropout", "add", "copy"] {
            assert!(!kernels.iter().any(|kernel| kernel.contains(gone)), "{name}: {gone} in {kernels:?}");
        }
        let count = |of: &str| kernels.iter().filter(|kernel| **kernel == of).count();
        assert_eq!(count("gate_in_place"), gates, "{name}: {kernels:?}");
        assert_eq!(count("unary_in_place"), functions, "{name}: {kernels:?}");
    }
}

/// A frozen backbone is a fixed function; the dropout of the head that learns is not part of it.
#[test]
fn a_frozen_backbone_leaves_no_block_out() {
    let graph = graph("efficientnet_b0");
    let names = |is_trained: fn(&str) -> bool| {
        let mut state = State::new(&graph);
        let trained = graph.parameters().map(|(name, ..)| name).filter(|name| is_trained(name)).map(str::to_owned);
        let mut options = CompileOptions::train("loss", Trainable::Named(trained.collect()));
        options.frozen_norm = FrozenNorm::Running;
        let program = Program::compile(&graph, &options, &Cpu::new(1, level()), &mut state).unwrap();
        let names = program.plan().rows.iter().map(|row| row.node.clone()).collect::<Vec<_>>();
        ["stochastic_depth", "classifier.0"].map(|part| names.iter().filter(|name| name.contains(part)).count())
    };
    assert_eq!(names(|name| name.starts_with("classifier")), [0, 1], "of the dropout nothing frozen wants a gradient");
    let [left_out, _] = names(|name| !name.starts_with("features.0") && !name.starts_with("features.1"));
    assert_eq!(left_out, 18, "blocks that learn are left out, forward and on the way back");
}

#[test]
fn a_step_has_the_same_bits_whatever_the_threads_and_others_at_another_step() {
    let graph = graph("efficientnet_b0");
    let run = |threads: usize, step: u64| {
        let cpu = Cpu::new(threads, level());
        let mut state = State::new(&graph);
        formula::fill(&mut state, 1);
        let options = CompileOptions::train("loss", Trainable::All);
        let program = Program::compile(&graph, &options, &cpu, &mut state).unwrap();
        state.input_f32_mut(&program, "image").copy_from_slice(&formula::image(1, BATCH, SIZE));
        state.input_i32_mut(&program, "labels").copy_from_slice(&formula::labels(1, BATCH, 5));
        state.set_step(Seed(7), step);
        program.run(&cpu, &mut state);
        let names = graph.parameters().filter(|(_, _, spec)| spec.role.is_trained()).map(|(name, ..)| name);
        let gradients = names.flat_map(|name| state.gradient(name).unwrap());
        let bits: Vec<u32> = gradients.map(|value| value.to_bits()).collect();
        (state.output(&program, "loss")[0].to_bits(), bits)
    };
    let one = run(1, 3);
    assert!(run(3, 3) == one, "three threads differ from one");
    assert!(run(2, 4).0 != one.0, "another step leaves out other blocks");
}

#[test]
fn gates_are_stored_as_convolutions_and_layers_over_pixels_as_linear() {
    let state = State::new(&graph("efficientnet_b0"));
    let shape = |name: &str| state.parameter(name).unwrap().disk_shape().to_vec();
    assert_eq!(shape("features.1.0.block.1.fc1.weight"), [8, 32, 1, 1]);
    assert_eq!(shape("features.2.0.block.2.fc2.weight"), [96, 4, 1, 1]);
    assert_eq!(shape("features.6.3.block.1.0.weight"), [1152, 1, 5, 5]);
    assert_eq!(shape("classifier.1.weight"), [5, 1280]);
    let state = State::new(&graph("convnext_tiny"));
    let shape = |name: &str| state.parameter(name).unwrap().disk_shape().to_vec();
    assert_eq!(shape("features.1.0.layer_scale"), [96, 1, 1]);
    assert_eq!(shape("features.1.0.block.3.weight"), [384, 96]);
    let state = State::new(&graph("mobilenet_v2"));
    let shape = |name: &str| state.parameter(name).unwrap().disk_shape().to_vec();
    assert_eq!(shape("features.1.conv.0.0.weight"), [32, 1, 3, 3]);
    assert_eq!(shape("features.17.conv.2.weight"), [320, 960, 1, 1]);
    assert_eq!(shape("features.18.1.running_var"), [1280]);
}
