//! Every network learns.

use avizor_base::Seed;
use avizor_engine::{
    CompileOptions, DType, GraphBuilder, Group, Optimizer, OptimizerKind, Program, State, Trainable, ops,
};
use avizor_kernels::{Bf16, Cpu, Element, Precision};
use avizor_models::{NETWORKS, NetworkOptions};

use crate::formula;
use crate::level::level;

#[test]
fn one_step_lowers_the_loss() {
    const BATCH: usize = 8;
    const CLASSES: usize = 5;
    for network in NETWORKS {
        // A large picture teaches nothing more here.
        let size = network.size.min(64) as usize;
        let mut graph = GraphBuilder::new();
        let image = graph.input("image", DType::F32, [BATCH, size, size, 3]);
        let labels = graph.input("labels", DType::I32, [BATCH]);
        let outputs = network.build(&mut graph, image, &NetworkOptions::new(CLASSES)).unwrap();
        let loss = graph.apply("loss", ops::CrossEntropy::default(), &[outputs.logits, labels]).unwrap();
        graph.output("loss", loss);
        let graph = graph.finish().unwrap();

        let cpu = Cpu::new(2, level());
        let mut state = State::new(&graph);
        state.initialise(Seed(1));
        let options = CompileOptions::train("loss", Trainable::All);
        let program = Program::compile(&graph, &options, &cpu, &mut state).unwrap();
        let names: Vec<String> =
            state.parameters().iter().filter(|p| !p.is_statistic()).map(|p| p.name.clone()).collect();
        let group = Group { parameters: names, lr_scale: 1.0, weight_decay: 0.0 };
        let optimizer = Optimizer::new(OptimizerKind::sgd(0.0), &mut state, &[group]).unwrap();

        state.input_f32_mut(&program, "image").copy_from_slice(&formula::image(1, BATCH, size));
        state.input_i32_mut(&program, "labels").copy_from_slice(&formula::labels(1, BATCH, CLASSES));
        program.run(&cpu, &mut state);
        let before = f64::from(state.output(&program, "loss")[0]);
        // A step that should win a hundredth of the loss: how long it is differs by orders of magnitude.
        let trained = state.parameters().iter().filter(|parameter| !parameter.is_statistic());
        let gradients = trained.flat_map(|parameter| state.gradient(&parameter.name).unwrap());
        let slope: f64 = gradients.map(|&g| f64::from(g).powi(2)).sum();
        optimizer.step(&cpu, &mut state, 0.01 * before / slope);
        program.run(&cpu, &mut state);
        let after = f64::from(state.output(&program, "loss")[0]);
        println!("{}: {before} became {after}", network.name);
        assert!(after < before, "{}: {before} became {after}", network.name);
    }
}

/// Maps of 16 bits: a step goes about where one of 32 goes, its memory is far less, and its bits do not depend on the
/// number of threads. Where the CPU multiplies pairs of 16 bits, convolutions round their weights: so do those that are
/// compared with then. How near differs: where fresh networks fold pictures of noise over each other, activations that
/// change sides turn the gradient. PyTorch's autocast gives cosines of 0.996, 0.934, 0.442 and 0.973 for such networks.
#[test]
fn a_step_in_16_bits_goes_where_one_in_32_goes() {
    const BATCH: usize = 16;
    for (name, size, least_cosine) in [
        ("small_cnn", 60, 0.98),
        ("resnet18", 64, 0.9),
        ("mobilenet_v2", 64, 0.3),
        ("efficientnet_b0", 64, 0.9),
        ("convnext_tiny", 64, 0.9),
        ("vit_small_patch16_224", 64, 0.9),
    ] {
        let network = avizor_models::find(name).unwrap();
        let mut graph = GraphBuilder::new();
        let image = graph.input("image", DType::F32, [BATCH, size, size, 3]);
        let labels = graph.input("labels", DType::I32, [BATCH]);
        let outputs = network.build(&mut graph, image, &NetworkOptions::new(10)).unwrap();
        let loss = graph.apply("loss", ops::CrossEntropy::default(), &[outputs.logits, labels]).unwrap();
        graph.output("loss", loss);
        let graph = graph.finish().unwrap();

        let step = |precision: Precision, threads: usize| {
            let cpu = Cpu::new(threads, level());
            let mut state = State::new(&graph);
            state.initialise(Seed(1));
            if precision == Precision::F32 && level().has_pairs() {
                round_convolutions(&mut state);
            }
            let options = CompileOptions { precision, ..CompileOptions::train("loss", Trainable::All) };
            let program = Program::compile(&graph, &options, &cpu, &mut state).unwrap();
            state.input_f32_mut(&program, "image").copy_from_slice(&formula::image(1, BATCH, size));
            state.input_i32_mut(&program, "labels").copy_from_slice(&formula::labels(1, BATCH, 10));
            program.run(&cpu, &mut state);
            let trained = state.parameters().iter().filter(|parameter| !parameter.is_statistic());
            let gradients: Vec<f32> =
                trained.flat_map(|parameter| state.gradient(&parameter.name).unwrap().to_vec()).collect();
            (f64::from(state.output(&program, "loss")[0]), gradients, program.arena_bytes())
        };
        let (wide, narrow) = (step(Precision::F32, 2), step(Precision::Bf16, 2));
        assert!(step(Precision::Bf16, 3).1 == narrow.1, "{name}: threads change bits");
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let cosine = dot(&wide.1, &narrow.1) / (dot(&wide.1, &wide.1) * dot(&narrow.1, &narrow.1)).sqrt();
        let memory = narrow.2 as f64 / wide.2 as f64;
        println!("{name}: loss {} and {}, cosine {cosine:.4}, memory {memory:.2}", wide.0, narrow.0);
        assert!((narrow.0 - wide.0).abs() < 0.02 * wide.0, "{name}: loss {} became {}", wide.0, narrow.0);
        assert!(cosine > least_cosine, "{name}: cosine {cosine}");
        assert!(memory < 0.9, "{name}: {memory} of the memory");
    }
}

/// Rounds the weights of convolutions that are not of single channels to 16 bits.
fn round_convolutions(state: &mut State) {
    for parameter in state.parameters().to_vec() {
        let shape = parameter.disk_shape();
        if shape.len() == 4 && shape[1] > 1 {
            let rounded = |&weight: &f32| Bf16::from_f32(weight).to_f32();
            let weights: Vec<f32> = state.read_disk(&parameter.name).unwrap().iter().map(rounded).collect();
            state.write_disk(&parameter.name, &shape, &weights).unwrap();
        }
    }
}
