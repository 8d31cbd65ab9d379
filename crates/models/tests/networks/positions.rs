//! Weights of a transformer for pictures of another size equal timm's: `scripts/golden_positions.py`.

use avizor_engine::{CompileOptions, DType, GraphBuilder, Program, State};
use avizor_kernels::Cpu;
use avizor_models::{LoadReport, NetworkOptions, Resampled, find, read_weights, to_safetensors};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::Value;

use crate::formula;
use crate::golden::{Golden, numbers, relative};
use crate::level::level;

/// The largest distance of a position, and the largest relative one of logits. timm's shares are those of places in f32: of
/// the 14th some 14 · 2⁻²³ = 2e-6 off.
const POSITIONS: f64 = 1e-5;
const LOGITS: f64 = 1e-4;
const NETWORK: &str = "vit_small_patch16_224";

/// The network for pictures of this height and width, and whose program is for so many.
fn graph([height, width]: [usize; 2], batch: usize, classes: usize) -> avizor_engine::Graph {
    let mut graph = GraphBuilder::new();
    let image = graph.input("image", DType::F32, [batch, height, width, 3]);
    let outputs = find(NETWORK).unwrap().build(&mut graph, image, &NetworkOptions::new(classes)).unwrap();
    graph.output("logits", outputs.logits);
    graph.finish().unwrap()
}

fn state(size: [usize; 2]) -> State {
    let mut state = State::new(&graph(size, 1, 2));
    formula::fill(&mut state, 1);
    state
}

/// The file of a state with other positions.
fn with_positions(state: &State, shape: &[usize], positions: &[f32]) -> Vec<u8> {
    let bytes = to_safetensors(state).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let positions: Vec<u8> = positions.iter().flat_map(|value| value.to_le_bytes()).collect();
    let views = file.tensors().into_iter().map(|(name, tensor)| match name.as_str() {
        "pos_embed" => (name, TensorView::new(tensor.dtype(), shape.to_vec(), &positions).unwrap()),
        _ => (name, tensor),
    });
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn grids_are_resampled_as_by_timm() {
    for case in Golden::open("positions").file["grids"].as_array().unwrap() {
        let number = |field: &Value| field.as_u64().unwrap() as usize;
        let (side, few) = (number(&case["side"]), number(&case["numbers"]));
        let to = [0, 1].map(|axis| number(&case["to"][axis]));
        let mut state = state(to.map(|places| places * 16));
        let width = state.parameter("pos_embed").unwrap().shape[2];
        // Of the numbers of a place the first are the golden ones.
        let count = 1 + side * side;
        let mut positions = vec![0.0; count * width];
        for i in 0..count * few {
            positions[i / few * width + i % few] = (0.37 * i as f64).sin() as f32;
        }
        let report = read_weights(&with_positions(&state, &[1, count, width], &positions), &mut state, None).unwrap();
        let resampled = Resampled { name: "pos_embed".to_owned(), from: [side; 2], to };
        assert_eq!(report, LoadReport { loaded: 152, replaced_head: None, resampled: Some(resampled) });

        let have = state.get("pos_embed").unwrap().chunks_exact(width).flat_map(|place| &place[..few]);
        let want = numbers(&case["positions"]);
        assert_eq!(have.clone().count(), want.len(), "{side} to {to:?}");
        for (at, (&have, want)) in have.zip(want).enumerate() {
            assert!((f64::from(have) - want).abs() <= POSITIONS, "{side} to {to:?}: number {at} is {have}, not {want}");
        }
    }
}

#[test]
fn a_network_says_what_it_says_in_timm() {
    for case in Golden::open("positions").file["networks"].as_array().unwrap() {
        let [trained, size, batch, classes, seed] =
            ["trained", "size", "batch", "classes", "seed"].map(|field| case[field].as_u64().unwrap() as usize);
        let mut file = State::new(&graph([trained; 2], 1, classes));
        formula::fill(&mut file, seed as u64);
        let (graph, cpu) = (graph([size; 2], batch, classes), Cpu::new(2, level()));
        let mut state = State::new(&graph);
        let report = read_weights(&to_safetensors(&file).unwrap(), &mut state, None).unwrap();
        let [from, to] = [trained, size].map(|side| side / 16);
        let said = format!("152 parameters loaded; pos_embed resampled from a grid of {from}×{from} to {to}×{to}");
        assert_eq!(report.to_string(), said);

        let program = Program::compile(&graph, &CompileOptions::infer(), &cpu, &mut state).unwrap();
        let image = formula::image(seed as u64, batch, size);
        state.input_f32_mut(&program, "image").copy_from_slice(&image);
        program.run(&cpu, &mut state);
        let distance = relative(state.output(&program, "logits"), &numbers(&case["logits"]));
        println!("{NETWORK}, weights of {trained} px at {size} px: logits {distance:.1e}");
        assert!(distance <= LOGITS, "{trained} px to {size} px: logits are {distance:.2e} away");
    }
}

#[test]
fn what_is_no_square_grid_of_such_numbers_is_an_error() {
    let mut state = state([32, 48]);
    for (shape, count) in [
        ([1, 1 + 8, 384], "1×9×384"),
        ([1, 1, 384], "1×1×384"),
        ([1, 0, 384], "1×0×384"),
        ([1, 1 + 16, 192], "1×17×192"),
        ([2, 1 + 16, 384], "2×17×384"),
    ] {
        let before = state.get("cls_token").unwrap().to_vec();
        let positions = vec![0.5; shape.iter().product()];
        let error = read_weights(&with_positions(&state, &shape, &positions), &mut state, None).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("tensor \"pos_embed\" is {count} in the file and 1×7×384 in the network")
        );
        assert_eq!(state.get("cls_token").unwrap(), before, "nothing is written");
    }
    // As many places in another arrangement are taken as they are: the network's own file may hold them.
    let own = to_safetensors(&state).unwrap();
    assert_eq!(read_weights(&own, &mut state, None).unwrap().resampled, None);
    let mut positions = vec![0.5; 17 * 384];
    positions[9] = f32::NAN;
    let error = read_weights(&with_positions(&state, &[1, 17, 384], &positions), &mut state, None).unwrap_err();
    assert_eq!(error.to_string(), "tensor \"pos_embed\" holds a number that is not finite");
}
