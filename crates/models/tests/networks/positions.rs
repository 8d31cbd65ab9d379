//! Weights of a transformer for pictures of another size equal timm's: `scripts/golden_positions.py`.

use avizor_engine::{CompileOptions, DType, Graph, GraphBuilder, Program, State};
use avizor_kernels::Cpu;
use avizor_models::{NetworkOptions, find, read_weights, to_safetensors};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use crate::formula;
use crate::golden::{Golden, numbers, relative};
use crate::level::level;

/// The largest relative distance of logits.
const LOGITS: f64 = 1e-4;
const NETWORK: &str = "vit_small_patch16_224";

/// The network for so many pictures of this height and width.
fn graph([height, width]: [usize; 2], batch: usize, classes: usize) -> Graph {
    let mut graph = GraphBuilder::new();
    let image = graph.input("image", DType::F32, [batch, height, width, 3]);
    let outputs = find(NETWORK).unwrap().build(&mut graph, image, &NetworkOptions::new(classes)).unwrap();
    graph.output("logits", outputs.logits);
    graph.finish().unwrap()
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
    let mut state = State::new(&graph([32, 48], 1, 2));
    for (shape, count) in [
        ([1, 1 + 8, 384], "1×9×384"),
        ([1, 1, 384], "1×1×384"),
        ([1, 0, 384], "1×0×384"),
        ([1, 1 + 16, 192], "1×17×192"),
        ([2, 1 + 16, 384], "2×17×384"),
    ] {
        let positions = vec![0.5; shape.iter().product()];
        let bytes = with_positions(&state, &shape, &positions);
        state.get_mut("cls_token").unwrap().fill(2.0);
        let error = read_weights(&bytes, &mut state, None).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("tensor \"pos_embed\" is {count} in the file and 1×7×384 in the network")
        );
        assert!(state.get("cls_token").unwrap().iter().all(|&value| value == 2.0), "nothing is written");
        state.get_mut("cls_token").unwrap().fill(0.0);
    }
    // As many places in another arrangement are taken as they are: the network's own file may hold them.
    let own = to_safetensors(&state).unwrap();
    assert_eq!(read_weights(&own, &mut state, None).unwrap().resampled, None);
    let mut positions = vec![0.5; 17 * 384];
    positions[9] = f32::NAN;
    let error = read_weights(&with_positions(&state, &[1, 17, 384], &positions), &mut state, None).unwrap_err();
    assert_eq!(error.to_string(), "tensor \"pos_embed\" holds a number that is not finite");
}
