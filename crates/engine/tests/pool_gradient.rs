//! The way back through max poolings: activations and biases before them take the gradients of the pooled maps.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use avizor_base::Seed;
use avizor_engine::ops::{self, Unary};
use avizor_engine::{
    CompileOptions, DType, Graph, GraphBuilder, ParameterSpec, Pass, Program, State, Trainable, evaluate,
};
use avizor_kernels::{Cpu, Level};

const BATCH: usize = 3;

/// Convolution with bias, activation and pooling, twice: windows that overlap and reach over the edge, and halves.
fn network(activations: [Unary; 2]) -> Graph {
    let mut graph = GraphBuilder::new();
    let mut x = graph.input("image", DType::F32, [BATCH, 11, 10, 3]);
    let labels = graph.input("labels", DType::I32, [BATCH]);
    let pools = [
        ops::MaxPool2d { kernel: [3, 3], stride: [2, 2], padding: [1, 1], trailing: [0, 0] },
        ops::MaxPool2d { kernel: [2, 2], stride: [2, 2], padding: [0, 0], trailing: [0, 1] },
    ];
    for (number, (f, pool)) in activations.into_iter().zip(pools).enumerate() {
        let channels = graph.shape(x)[3];
        let weight = graph.parameter(&format!("w{number}"), [3, 3, channels, 5], ParameterSpec::CONV_WEIGHT);
        let bias = graph.parameter(&format!("b{number}"), [5], ParameterSpec::NORM_BIAS);
        let conv = ops::Conv2d { padding: [1, 1], ..ops::Conv2d::default() };
        x = graph.apply(&format!("conv{number}"), conv, &[x, weight, bias]).unwrap();
        x = graph.apply(&format!("act{number}"), f, &[x]).unwrap();
        x = graph.apply(&format!("pool{number}"), pool, &[x]).unwrap();
    }
    let features = graph.apply("flatten", ops::Flatten, &[x]).unwrap();
    let count = graph.shape(features)[1];
    let weight = graph.parameter("fc.weight", [count, 4], ParameterSpec::CONV_WEIGHT);
    let logits = graph.apply("fc", ops::Linear, &[features, weight]).unwrap();
    let loss = graph.apply("loss", ops::CrossEntropy::default(), &[logits, labels]).unwrap();
    graph.output("loss", loss);
    graph.finish().unwrap()
}

fn image() -> Vec<f32> {
    (0..BATCH * 11 * 10 * 3).map(|i| ((i * i % 97) as f32 / 48.0 - 1.0) * 0.7).collect()
}

#[test]
fn gradients_are_those_of_the_definition_with_and_without_the_pass() {
    for activations in [[Unary::Relu, Unary::Relu6], [Unary::Sigmoid, Unary::Relu], [Unary::Silu, Unary::Tanh]] {
        let graph = network(activations);
        let cpu = Cpu::new(2, Level::best());
        let mut sizes = Vec::new();
        for without in [vec![], vec![Pass::PoolGradient]] {
            let options = CompileOptions { without, ..CompileOptions::train("loss", Trainable::All) };
            let mut state = State::new(&graph);
            state.initialise(Seed(3));
            for name in ["b0", "b1"] {
                state.get_mut(name).unwrap().iter_mut().enumerate().for_each(|(i, b)| *b = 0.1 * i as f32 - 0.2);
            }
            let wanted = evaluate(&graph, &options, &|name| match name {
                "image" => image().into_iter().map(f64::from).collect(),
                "labels" => vec![0.0, 3.0, 1.0],
                _ => state.get(name).unwrap().iter().map(|&number| f64::from(number)).collect(),
            });
            let program = Program::compile(&graph, &options, &cpu, &mut state).unwrap();
            state.input_f32_mut(&program, "image").copy_from_slice(&image());
            state.input_i32_mut(&program, "labels").copy_from_slice(&[0, 3, 1]);
            program.run(&cpu, &mut state);
            for (name, wanted) in wanted.unwrap().gradients {
                let got = state.gradient(&name).unwrap();
                let square = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
                let off = square(&mut got.iter().zip(&wanted).map(|(got, wanted)| f64::from(*got) - wanted));
                let size = square(&mut wanted.iter().copied());
                assert!(off <= 1e-5 * size, "{activations:?}, {:?}: {name} is off by {off} of {size}", options.without);
            }
            // Pixels that activations' gradients and sums of biases walk over.
            let plan = program.plan();
            let walked = plan.rows.iter().filter(|row| row.node.ends_with("_grad") || row.node.ends_with("sum_rows"));
            sizes.push(walked.map(|row| row.inputs.last().unwrap().elements()).sum::<usize>());
        }
        assert!(sizes[0] < sizes[1], "{activations:?}: {sizes:?}");
    }
}
