//! A small model and its conversion (`scripts/golden_tensorflow_js.py`), and models that nobody should trust.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::content::tensors;
use super::super::keras_resnet::resnet50;
use super::*;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tensorflow_js")
}

fn json() -> String {
    fs::read_to_string(golden().join("model.json")).expect("the golden model is there")
}

/// The pieces of the model, alone in a folder.
fn pieces() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for number in 1..=3 {
        let name = format!("group1-shard{number}of3.bin");
        fs::copy(golden().join(&name), folder.path().join(&name)).expect("a piece");
    }
    folder
}

fn converted(json: &[u8], folder: &Path) -> Result<Vec<(String, Array)>, WeightsError> {
    resnet50(read(json, folder)?)
}

#[test]
fn conversion_equals_that_of_numpy_bit_for_bit() {
    let bytes = fs::read(golden().join("converted.safetensors")).expect("the conversion is there");
    let wanted = tensors(&bytes).expect("safetensors");
    let ours = converted(json().as_bytes(), &golden()).expect("the model is whole");
    assert_eq!(ours.len(), wanted.len());
    for (name, array) in ours {
        let values = wanted[&name].values(&name).expect("floats");
        assert_eq!(array.shape, wanted[&name].shape, "{name}");
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&array.values), bits(&values), "{name}");
    }
}

#[test]
fn a_file_is_told_by_how_it_begins() {
    assert!(is_model(json().as_bytes()));
    assert!(is_model(b"\n {}"));
    let header_of_8827_bytes = [0x7b, 0x22, 0, 0, 0, 0, 0, 0, b'{'];
    assert!(!is_model(&header_of_8827_bytes));
    assert!(!is_model(b"") && !is_model(b"PK\x03\x04") && !is_model(b"[]"));
}

/// What is wrong with a model, and the sentence that says so.
#[test]
fn what_is_wrong_is_said() {
    let fc = r#"{"name":"fc1000/bias","shape":[3],"dtype":"float32"}"#;
    let gamma = r#"{"name":"bn_conv1/gamma","shape":[2],"dtype":"float32"}"#;
    let cases = [
        ("shard2of3.bin", "shard4of3.bin", "its piece group1-shard4of3.bin is missing beside it"),
        ("group1-shard2", "../group1-shard2", r#"its piece "../group1-shard2of3.bin" is no plain file name"#),
        ("group1-shard2", "/etc/group1-shard2", "is no plain file name"),
        ("group1-shard2", r"..\\group1-shard2", "is no plain file name"),
        ("group1-shard2", "C:group1-shard2", "is no plain file name"),
        ("group1-shard2of3.bin", "..", "is no plain file name"),
        ("group1-shard2of3.bin", "", "is no plain file name"),
        (r#","group1-shard3of3.bin""#, "", "its pieces hold 4320 of the 6476 bytes of its tensors"),
        (
            r#""group1-shard3of3.bin""#,
            r#""group1-shard3of3.bin","group1-shard1of3.bin""#,
            "from group1-shard1of3.bin on",
        ),
        ("[7,7,3,2]", "[7,7,3,18446744073709551615]", r#"tensor "conv1/kernel" are too large to be multiplied"#),
        ("[7,7,3,2]", "[4294967296,1073741824]", r#"tensor "conv1/kernel" are too large to be multiplied"#),
        ("[7,7,3,2]", "[1000000,1000000]", "the weights take 4000000005300 bytes"),
        ("[7,7,3,2]", "[7,7,3,-2]", "invalid value: integer `-2`"),
        ("[7,7,3,2]", "[7,7,0,2]", r#"tensor "conv1/kernel" holds nothing"#),
        ("[7,7,3,2]", "[7,7,6]", r#"tensor "conv1/kernel" has 3 axes, not 4"#),
        ("[7,7,3,2]", "[7,7,2,3]", r#"tensor "conv1/bias" is [2], not [3]"#),
        ("[7,7,3,2]", "[7,3,7,2]", r#"tensor "conv1/kernel" is for 7 channels, not 3"#),
        ("[6,3]", "[18]", r#"tensor "fc1000/kernel" has 1 axes, not 2"#),
        (gamma, &gamma.replace("[2]", "[2,1]"), r#"tensor "bn_conv1/gamma" is [2, 1], not [2]"#),
        (fc, &fc.replace("float32", "int32"), r#"tensor "fc1000/bias" holds int32"#),
        (
            fc,
            &fc.replace("}", r#","quantization":{"dtype":"uint8"}}"#),
            r#"tensor "fc1000/bias" holds quantized numbers"#,
        ),
        ("fc1000/bias", "fc1000/kernel", r#"it names "fc1000/kernel" twice"#),
        ("bn3a_branch1/", "bn3a_branch4/", "4 missing (bn3a_branch1/beta, "),
        ("fc1000", "predictions", "2 unexpected (predictions/bias, predictions/kernel)"),
        ("weightsManifest", "weights", "model.json: missing field `weightsManifest`"),
        ("}]}]}", "", "model.json: EOF while parsing"),
    ];
    let folder = pieces();
    for (old, new, wanted) in cases {
        let text = json();
        assert!(text.contains(old), "{old}");
        let said = converted(text.replace(old, new).as_bytes(), folder.path()).expect_err(new).to_string();
        assert!(said.contains(wanted), "{old} → {new}: {said}");
    }
    let endless = vec![b' '; MOST_BYTES + 1];
    assert!(read(&endless, folder.path()).expect_err("it is long").to_string().contains("longer than 16777216 bytes"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Models with some bytes changed are converted or refused; nothing else happens.
    #[test]
    fn changed_models_are_converted_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..6),
        end in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = json().into_bytes();
        for (place, byte, digit) in changes {
            // Digits too: as any byte they would hardly ever change a size to another one.
            let at = place.index(bytes.len());
            let number = (at..bytes.len()).find(|&at| digit && bytes[at].is_ascii_digit());
            match number {
                Some(at) => bytes[at] = b'0' + byte % 10,
                None => bytes[at] = byte,
            }
        }
        if cut {
            bytes.truncate(end.index(bytes.len()));
        }
        if let Ok(tensors) = converted(&bytes, &golden()) {
            for (name, array) in tensors {
                prop_assert_eq!(array.values.len(), array.shape.iter().product::<usize>(), "{}", name);
            }
        }
    }
}
