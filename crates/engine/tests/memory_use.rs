//! What is planned is what is taken.

mod network;

use avizor_engine::{CompileOptions, MemoryUse, OptimizerKind, Program, State, Trainable};
use avizor_kernels::{Cpu, Level};
use network::{Settings, network, optimizer};

const KINDS: [(OptimizerKind, usize); 4] = [
    (OptimizerKind::sgd(0.0), 0),
    (OptimizerKind::sgd(0.9), 1),
    (OptimizerKind::ADAM, 2),
    (OptimizerKind::RMS_PROP, 1),
];

#[test]
fn a_step_takes_what_was_planned() {
    for batch in [1, 5] {
        for (kind, slots) in KINDS {
            let (graph, cpu) = (network(Settings::full(batch)), Cpu::new(2, Level::best()));
            let options = CompileOptions::train("loss", Trainable::All);
            let planned = MemoryUse::of(&graph, &options, Some(kind), &cpu).unwrap();
            let mut state = State::new(&graph);
            let program = Program::compile(&graph, &options, &cpu, &mut state).unwrap();
            optimizer(kind, &mut state, 0.0);
            assert_eq!(planned.total(), state.bytes(), "batch {batch}, {kind:?}");
            assert_eq!([planned.program, planned.arena], [program.program_bytes(), program.arena_bytes()]);
            assert_eq!(planned.optimizer, slots * planned.gradients, "{kind:?}");
        }
    }
}

#[test]
fn what_is_frozen_has_no_gradient_and_inference_has_none() {
    let (graph, cpu) = (network(Settings::full(3)), Cpu::new(2, Level::best()));
    let head = Trainable::where_name(["fc.weight", "fc.bias"], |_| true);
    let all = MemoryUse::of(&graph, &CompileOptions::train("loss", Trainable::All), None, &cpu).unwrap();
    let frozen = MemoryUse::of(&graph, &CompileOptions::train("loss", head), Some(OptimizerKind::ADAM), &cpu).unwrap();
    // Sixty weights and five biases, in whole cache lines of sixteen words.
    assert_eq!((frozen.gradients, frozen.optimizer), (4 * (64 + 16), 8 * (64 + 16)));
    assert!(frozen.parameters == all.parameters && frozen.arena < all.arena, "{frozen:?} {all:?}");

    let infer = MemoryUse::of(&graph, &CompileOptions::infer(), None, &cpu).unwrap();
    let mut state = State::new(&graph);
    Program::compile(&graph, &CompileOptions::infer(), &cpu, &mut state).unwrap();
    assert_eq!((infer.gradients, infer.optimizer), (0, 0));
    // The state has room for gradients that inference never touches.
    assert_eq!(infer.total() + all.gradients, state.bytes());
}

/// Plans of what fits no memory are made all the same.
#[test]
fn nothing_is_taken() {
    let graph = network(Settings::full(1 << 34));
    let options = CompileOptions::train("loss", Trainable::All);
    let planned = MemoryUse::of(&graph, &options, Some(OptimizerKind::ADAM), &Cpu::new(1, Level::best())).unwrap();
    assert!(planned.total() > 1 << 44, "{planned:?}");
}
