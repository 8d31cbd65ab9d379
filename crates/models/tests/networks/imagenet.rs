//! Networks with real ImageNet weights equal PyTorch's: `scripts/golden_imagenet.py`.

#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::{Path, PathBuf};

use avizor_engine::{CompileOptions, DType, GraphBuilder, Program, State};
use avizor_kernels::Cpu;
use avizor_models::{HeadInFile, NetworkOptions, convert_weights, find, load_weights, published, recognise};
use safetensors::SafeTensors;
use serde_json::Value;

use crate::golden::{Golden, numbers};
use crate::level::level;

/// The largest distance of a logit, relative to the root mean square of all.
const LOGITS: f64 = 1e-3;

#[test]
fn real_weights_say_what_they_say_in_pytorch() {
    let folder = std::env::var_os("AVIZOR_WEIGHTS").map(PathBuf::from);
    for (file, golden) in Golden::open("imagenet_weights").file["cases"].as_object().unwrap() {
        for file in [Some(file.as_str()), golden.get("original").and_then(Value::as_str)].into_iter().flatten() {
            match folder.as_ref().map(|folder| folder.join(file)).filter(|path| path.is_file()) {
                Some(path) => check(&path, golden),
                None => eprintln!("skipped: real_weights_say_what_they_say_in_pytorch needs AVIZOR_WEIGHTS/{file}"),
            }
        }
    }
}

/// What Keras first published, from TensorFlow.js, is what a conversion in numpy made of it.
#[test]
fn the_keras_model_is_converted_bit_for_bit() {
    let place = |file: &str| {
        let path = PathBuf::from(std::env::var_os("AVIZOR_WEIGHTS")?).join(file);
        path.is_file().then_some(path)
    };
    let (Some(model), Some(wanted)) = (place("resnet50-keras-tfjs/model.json"), place("resnet50.safetensors")) else {
        eprintln!(
            "skipped: the_keras_model_is_converted_bit_for_bit needs AVIZOR_WEIGHTS/resnet50-keras-tfjs/model.json and \
             resnet50.safetensors"
        );
        return;
    };
    let wanted = std::fs::read(wanted).unwrap();
    let wanted = SafeTensors::deserialize(&wanted).unwrap();
    let converted = convert_weights(&model).unwrap();
    let ours = SafeTensors::deserialize(&converted.content).unwrap();
    assert_eq!((ours.len(), converted.tensors), (wanted.len(), wanted.len()));
    for (name, tensor) in ours.iter() {
        assert!(tensor == wanted.tensor(name).unwrap(), "{name}");
    }
    assert_eq!(recognise(&model).unwrap(), published("resnet50_v1"), "the model itself is known");
}

fn check(path: &Path, golden: &Value) {
    let file = path.display();
    let size = golden["size"].as_u64().unwrap() as usize;
    let mut graph = GraphBuilder::new();
    let image = graph.input("image", DType::F32, [1, size, size, 3]);
    let network = find(golden["network"].as_str().unwrap()).unwrap();
    let outputs = network.build(&mut graph, image, &NetworkOptions::new(1000)).unwrap();
    graph.output("logits", outputs.logits);
    let graph = graph.finish().unwrap();

    let cpu = Cpu::new(2, level());
    let mut state = State::new(&graph);
    load_weights(path, &mut state, None).unwrap();
    let program = Program::compile(&graph, &CompileOptions::infer(), &cpu, &mut state).unwrap();
    let plane = size * size;
    for (at, number) in state.input_f32_mut(&program, "image").iter_mut().enumerate() {
        let place = at % 3 * plane + at / 3;
        *number = (place * 7919 % 1009) as f32 / 504.0 - 1.0;
    }
    program.run(&cpu, &mut state);
    let logits = state.output(&program, "logits");

    let rms = golden["norm"].as_f64().unwrap() / (logits.len() as f64).sqrt();
    for (number, (&have, want)) in logits.iter().zip(numbers(&golden["first"])).enumerate() {
        let away = (f64::from(have) - want).abs() / rms;
        assert!(away <= LOGITS, "{file}: logit {number} is {have}, {want} in PyTorch");
    }
    let mut best: Vec<usize> = (0..logits.len()).collect();
    best.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    let want: Vec<usize> = golden["top5"].as_array().unwrap().iter().map(|i| i.as_u64().unwrap() as usize).collect();
    assert_eq!(best[..5], want, "{file}: the five likeliest classes");

    // The same below another head.
    let mut graph = GraphBuilder::new();
    let image = graph.input("image", DType::F32, [1, size, size, 3]);
    let options = NetworkOptions { head: vec![8], ..NetworkOptions::new(3) };
    let outputs = network.build(&mut graph, image, &options).unwrap();
    let mut state = State::new(&graph.finish().unwrap());
    let report = load_weights(path, &mut state, Some(&outputs.head)).unwrap();
    assert_eq!(report.loaded, state.parameters().len() - 4, "{file}");
    assert_eq!(report.replaced_head.unwrap().in_file, HeadInFile::OtherLayers, "{file}");
}
