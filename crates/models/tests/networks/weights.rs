//! Weights as files: out and in again, of other networks, damaged.

use std::collections::HashMap;
use std::fs::{self, File};

use avizor_base::Seed;
use avizor_engine::{DType, GraphBuilder, State};
use avizor_models::{
    HeadInFile, LoadReport, NetworkOptions, ReplacedHead, find, load_weights, read_weights, save_safetensors,
    to_safetensors,
};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// A small network with a head of so many classes.
fn state(name: &str, classes: usize, seed: u64) -> State {
    let mut graph = GraphBuilder::new();
    let size = if name == "mlp" { 4 } else { 48 };
    let image = graph.input("image", DType::F32, [1, size, size, 3]);
    let options = NetworkOptions { hidden: vec![5], ..NetworkOptions::new(classes) };
    find(name).unwrap().build(&mut graph, image, &options).unwrap();
    let mut state = State::new(&graph.finish().unwrap());
    state.initialise(Seed(seed));
    state
}

fn same(a: &State, b: &State) -> Vec<String> {
    let names = a.parameters().iter().map(|parameter| parameter.name.clone());
    names.filter(|name| a.get(name) == b.get(name)).collect()
}

#[test]
fn what_is_saved_is_read_bit_for_bit() {
    for name in ["resnet18", "small_cnn", "mlp"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let (first, mut second) = (state(name, 3, 1), state(name, 3, 2));
        save_safetensors(&path, &first).unwrap();
        let report = load_weights(&path, &mut second, None).unwrap();
        assert_eq!(report, LoadReport { loaded: first.parameters().len(), replaced_head: None, resampled: None });
        assert_eq!(same(&first, &second).len(), first.parameters().len(), "{name}");
        assert_eq!(to_safetensors(&first).unwrap(), fs::read(&path).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the file is left");
    }
}

#[test]
fn files_have_the_names_and_shapes_of_pytorch() {
    let bytes = to_safetensors(&state("resnet18", 3, 1)).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("conv1.weight").unwrap().shape(), [64, 3, 7, 7]);
    assert_eq!(file.tensor("layer2.0.downsample.0.weight").unwrap().shape(), [128, 64, 1, 1]);
    assert_eq!(file.tensor("layer4.1.bn2.running_var").unwrap().shape(), [512]);
    assert_eq!(file.tensor("fc.weight").unwrap().shape(), [3, 512]);
    assert_eq!(file.len(), 102);
}

#[test]
fn a_head_of_another_size_keeps_its_values_and_is_told() {
    let bytes = to_safetensors(&state("mlp", 7, 1)).unwrap();
    let (before, mut after) = (state("mlp", 3, 2), state("mlp", 3, 2));
    let report = read_weights(&bytes, &mut after, Some("3")).unwrap();
    let replaced = ReplacedHead { head: "3".to_owned(), in_file: HeadInFile::Outputs(7), in_network: 3 };
    assert_eq!(report.replaced_head, Some(replaced));
    assert_eq!(report.to_string(), "2 parameters loaded; 3 starts anew: it has 7 outputs in the file, 3 here");
    assert_eq!(same(&before, &after), ["3.weight", "3.bias"]);

    let error = read_weights(&bytes, &mut after, None).unwrap_err();
    assert_eq!(error.to_string(), "tensor \"3.weight\" is 7×5 in the file and 3×5 in the network");

    // The same size: the file's head is taken.
    let bytes = to_safetensors(&state("mlp", 3, 1)).unwrap();
    assert_eq!(read_weights(&bytes, &mut after, Some("3")).unwrap().replaced_head, None);
    assert_eq!(same(&state("mlp", 3, 1), &after).len(), 4);
}

/// The last layer of SqueezeNet is a convolution.
#[test]
fn a_head_may_be_a_convolution() {
    let bytes = to_safetensors(&state("squeezenet1_1", 7, 1)).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("classifier.1.weight").unwrap().shape(), [7, 512, 1, 1]);
    let (before, mut after) = (state("squeezenet1_1", 3, 2), state("squeezenet1_1", 3, 2));
    let report = read_weights(&bytes, &mut after, Some("classifier.1")).unwrap();
    let said = "50 parameters loaded; classifier.1 starts anew: it has 7 outputs in the file, 3 here";
    assert_eq!(report.to_string(), said);
    // Biases start at zero in both.
    let is_head = |name: &String| name.starts_with("classifier.1.");
    assert_eq!(same(&before, &after).iter().filter(|name| is_head(name)).count(), 2);
    assert_eq!(same(&state("squeezenet1_1", 7, 1), &after).iter().filter(|name| !is_head(name)).count(), 50);
}

/// A file made of a network's tensors, changed.
fn changed(state: &State, change: impl FnOnce(&mut Vec<(String, Dtype, Vec<usize>, Vec<u8>)>)) -> Vec<u8> {
    let bytes = to_safetensors(state).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: Vec<_> = file
        .tensors()
        .into_iter()
        .map(|(name, tensor)| (name, tensor.dtype(), tensor.shape().to_vec(), tensor.data().to_vec()))
        .collect();
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    change(&mut tensors);
    let views =
        tensors.iter().map(|(name, dtype, shape, data)| (name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    safetensors::serialize(views, None::<HashMap<String, String>>).unwrap()
}

#[test]
fn what_does_not_fit_is_named_and_nothing_is_changed() {
    let first = state("mlp", 3, 1);
    let names = ["0.bias", "0.weight", "3.bias", "3.weight"];
    let nan = |tensors: &mut Vec<(String, Dtype, Vec<usize>, Vec<u8>)>| {
        tensors[3].3[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    };
    let cases: [(Vec<u8>, &str); 6] = [
        (changed(&first, nan), "tensor \"3.weight\" holds a number that is not finite"),
        (
            changed(&first, |tensors| tensors[0].1 = Dtype::I32),
            "tensor \"0.bias\" holds I32, a weight must be F32, F16, BF16 or F64",
        ),
        (
            changed(&first, |tensors| tensors[1].2 = vec![48, 5]),
            "tensor \"0.weight\" is 48×5 in the file and 5×48 in the network",
        ),
        (
            changed(&first, |tensors| drop(tensors.remove(2))),
            "the weights are those of another network: 1 missing (3.bias)",
        ),
        (
            changed(&first, |tensors| tensors[0].0 = "conv1.bias".to_owned()),
            "the weights are those of another network: 1 missing (0.bias), 1 unexpected (conv1.bias)",
        ),
        (
            to_safetensors(&state("resnet18", 3, 1)).unwrap(),
            "the weights are those of another network: 4 missing (0.bias, 0.weight, 3.bias, 3.weight), 102 unexpected \
             (bn1.bias, bn1.running_mean, bn1.running_var, bn1.weight, conv1.weight, …)",
        ),
    ];
    for (bytes, expected) in cases {
        let mut state = state("mlp", 3, 2);
        assert_eq!(read_weights(&bytes, &mut state, None).unwrap_err().to_string(), expected);
        assert_eq!(same(&state, &self::state("mlp", 3, 2)), ["0.weight", "0.bias", "3.weight", "3.bias"]);
        assert_eq!(names.len(), state.parameters().len());
    }
}

#[test]
fn batch_counts_of_pytorch_are_passed_over() {
    let bytes = changed(&state("mlp", 3, 1), |tensors| {
        tensors.push(("bn1.num_batches_tracked".to_owned(), Dtype::I64, vec![], vec![0; 8]));
    });
    assert_eq!(read_weights(&bytes, &mut state("mlp", 3, 2), None).unwrap().loaded, 4);
}

#[test]
fn a_file_without_a_head_is_a_backbone() {
    let bytes = changed(&state("mlp", 3, 1), |tensors| tensors.truncate(2));
    let report = read_weights(&bytes, &mut state("mlp", 3, 2), Some("3")).unwrap();
    assert_eq!(report.to_string(), "2 parameters loaded; 3 starts anew: the file has none");
    assert!(read_weights(&bytes, &mut state("mlp", 3, 2), None).is_err());
}

#[test]
fn damaged_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let whole = to_safetensors(&state("mlp", 3, 1)).unwrap();
    for length in [0, 1, 7, 8, 9, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = load_weights(&path, &mut state("mlp", 3, 2), None).unwrap_err().to_string();
        assert!(
            error.starts_with("the weights are damaged, or no .safetensors or .pth file"),
            "{length} bytes: {error}"
        );
    }
    let error = load_weights(&folder.path().join("none"), &mut state("mlp", 3, 2), None).unwrap_err();
    assert!(error.to_string().starts_with("No such file"), "{error}");
    // A hole of five GiB takes no room on the disk.
    File::create(&path).unwrap().set_len(5 << 30).unwrap();
    let error = load_weights(&path, &mut state("mlp", 3, 2), None).unwrap_err().to_string();
    assert_eq!(error, "the weights take 5368709120 bytes, more than 4294967296 are not read");
}

#[test]
fn no_flipped_byte_makes_a_panic() {
    let whole = to_safetensors(&state("mlp", 3, 1)).unwrap();
    let mut state = state("mlp", 3, 2);
    // The header and a little of the numbers behind it.
    for place in 0..whole.len().min(700) {
        for flip in [0x01, 0x20, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] ^= flip;
            // Some flips make another valid file; only a panic would be wrong.
            let _ = read_weights(&bytes, &mut state, Some("3"));
        }
    }
}
