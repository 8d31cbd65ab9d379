//! Every network learns.

use avizor_base::Seed;
use avizor_engine::{
    CompileOptions, DType, GraphBuilder, Group, Optimizer, OptimizerKind, Program, State, Trainable, ops,
};
use avizor_kernels::Cpu;
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
