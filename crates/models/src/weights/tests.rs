//! PyTorch's files (`scripts/golden_pth.py`), and files that nobody should trust.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::content::tensors;
use crate::WeightsError;

fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pth");
    fs::read(folder.join(name)).expect("the golden files are there")
}

/// A program in the older layout, as the object of a file that is otherwise whole.
fn legacy(object: &[u8]) -> Vec<u8> {
    let magic: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    [magic, b"\x80\x02M\xe9\x03.", b"\x80\x02}.", object, b"\x80\x02]."].concat()
}

#[test]
fn every_layout_gives_the_same_numbers() {
    for name in ["zip.pth", "legacy.pth", "checkpoint.pth"] {
        let bytes = file(name);
        let tensors = tensors(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let shapes: [(&str, &[usize]); 10] = [
            ("plain", &[2, 3]),
            ("transposed", &[4, 3]),
            ("half", &[5]),
            ("brain", &[5]),
            ("double", &[2, 2]),
            ("parameter", &[3]),
            ("whole", &[3, 4]),
            ("row", &[4]),
            ("empty", &[0, 3]),
            ("scalar", &[]),
        ];
        for (tensor, shape) in shapes {
            let stored = &tensors[tensor];
            assert_eq!(stored.shape, shape, "{name}: {tensor}");
            let first = if tensor == "row" { 4 } else { 0 };
            let want: Vec<f32> = (0..shape.iter().product()).map(|i: usize| (i + first) as f32 / 8.0 - 1.0).collect();
            assert_eq!(stored.values(tensor).expect("floats"), want, "{name}: {tensor}");
        }
        let count = tensors["count"].values("count").expect_err("a count is no weight").to_string();
        assert_eq!(count, "tensor \"count\" holds whole numbers, a weight must be F32, F16, BF16 or F64", "{name}");
        assert_eq!(tensors.len(), shapes.len() + 1, "{name}");
    }
}

#[test]
fn a_program_that_names_anything_else_is_refused_by_name() {
    let system: &[u8] = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.";
    let evaluated: &[u8] = b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x031+1\x85R.";
    for (object, named) in [(system, "os.system"), (evaluated, "builtins.eval")] {
        let error = tensors(&legacy(object)).expect_err(named);
        assert!(matches!(&error, WeightsError::Foreign { object } if object == named), "{error}");
    }
    let whole_module = tensors(&file("module.pth")).expect_err("a whole module is a program's object");
    insta::assert_snapshot!(whole_module, @r#"the file holds torch.nn.modules.linear.Linear, and only tensors are read from it; in Python: torch.save(model.state_dict(), "weights.pth")"#);
}

#[test]
fn what_is_damaged_is_said() {
    let whole = file("zip.pth");
    let cases: [(&str, Vec<u8>); 9] = [
        ("an empty file", Vec::new()),
        ("text", b"not weights at all".to_vec()),
        ("a zip file cut short", whole[..whole.len() / 2].to_vec()),
        ("an older file cut short", file("legacy.pth")[..900].to_vec()),
        ("a list that never ends", legacy(b"\x80\x02(((((((.")),
        ("a tuple of nothing", legacy(b"\x80\x02\x87.")),
        ("a text longer than the file", legacy(b"\x80\x02X\xff\xff\xff\x7fab.")),
        ("an object that was not made", legacy(b"\x80\x02h\x07.")),
        ("no tensors", legacy(b"\x80\x02}X\x01\x00\x00\x00aK\x01s.")),
    ];
    for (what, bytes) in cases {
        let error = tensors(&bytes).err().unwrap_or_else(|| panic!("{what} is read"));
        assert!(matches!(error, WeightsError::Damaged(_)), "{what}: {error}");
    }
}

/// A program that names one thing many times makes no more of it than a file of tensors has.
#[test]
fn what_is_copied_many_times_is_refused() {
    let many = |part: &[u8], times: usize| part.repeat(times);
    let pairs = [b"](", &many(b"K\x01K\x01\x86", 40_000)[..], b"e"].concat();
    let dictionaries = [b"\x80\x02ccollections\nOrderedDict\nq\x00", &pairs[..], b"\x85q\x01"].concat();
    let sizes = [b"(", &many(b"K\x01", 40_000)[..], b"tq\x01"].concat();
    let storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQq\x02";
    let tensors_of = [b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x00", &storage[..], &sizes].concat();
    let long_name =
        [b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x00\x00\x01\x00", &many(b"k", 65_536)[..]].concat();
    let long_name = [&long_name[..], b"X\x03\x00\x00\x00cpuK\x02t"].concat();
    let cases: [(&str, Vec<u8>); 6] = [
        ("dictionaries of one list", [&dictionaries[..], &many(b"h\x00h\x01R", 20_000)].concat()),
        ("tensors of one list of sizes", [&tensors_of[..], &many(b"h\x00(h\x02K\x00h\x01h\x01tR", 20_000)].concat()),
        ("numbers of one long name", [b"\x80\x02", &long_name[..], b"q\x00", &many(b"h\x00Q", 20_000)].concat()),
        ("one object on the stack", [b"\x80\x02Nq\x00", &many(b"h\x00", 2_000_000)[..]].concat()),
        ("marks", [b"\x80\x02", &many(b"(", 2_000_000)[..]].concat()),
        ("objects", [b"\x80\x02", &many(b"N", 2_000_000)[..]].concat()),
    ];
    for (what, object) in cases {
        let error =
            tensors(&legacy(&[&object[..], b"."].concat())).err().unwrap_or_else(|| panic!("{what}: it is read"));
        let said = error.to_string();
        let told = ["more than 1048576 objects", "more than 32 axes", "a name that is too long"];
        assert!(told.iter().any(|told| said.contains(told)), "{what}: {said}");
    }
}

/// Sizes that would overflow, and more numbers than there are.
#[test]
fn a_view_shows_nothing_that_is_not_there() {
    let tensor = |shape: &str, stride: &str| {
        let storage = b"\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02NtQK\x00";
        let sizes = |text: &str| {
            let items = text.split(' ').filter(|item| !item.is_empty());
            let items = items.flat_map(|item| [&b"\x8a\x08"[..], &item.parse::<i64>().unwrap().to_le_bytes()].concat());
            [&b"("[..], &items.collect::<Vec<_>>(), b"t"].concat()
        };
        let object = [&storage[..], &sizes(shape), &sizes(stride), b"\x89}tRs."].concat();
        let mut bytes = legacy(&object);
        bytes.pop();
        bytes.extend(b"X\x01\x00\x00\x000a.");
        bytes.extend(2u64.to_le_bytes());
        bytes.extend([0; 8]);
        bytes
    };
    let read = |shape: &str, stride: &str| {
        let bytes = tensor(shape, stride);
        let tensors = tensors(&bytes).expect("the file is whole");
        tensors["a"].values("a").map_err(|error| error.to_string())
    };
    assert_eq!(read("2", "1"), Ok(vec![0.0; 2]));
    for (shape, stride) in [
        ("3", "1"),
        ("2", "2"),
        ("1000000 1000000", "0 0"),
        ("9223372036854775807 4", "1 1"),
        ("2", "9223372036854775807"),
    ] {
        let error = read(shape, stride).expect_err(shape);
        assert!(
            error.ends_with("tensor \"a\" shows numbers past the end of its storage"),
            "{shape}, {stride}: {error}"
        );
    }
    let negative = tensors(&tensor("-1", "1")).expect_err("a negative size");
    assert!(matches!(negative, WeightsError::Damaged(_)), "{negative}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Files with some bytes changed are read or refused; nothing else happens.
    #[test]
    fn changed_files_are_read_or_refused(
        which in 0..3usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        end in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = file(["zip.pth", "legacy.pth", "checkpoint.pth"][which]);
        for (place, byte) in changes {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        if cut {
            bytes.truncate(end.index(bytes.len()));
        }
        if let Ok(tensors) = tensors(&bytes) {
            for tensor in tensors.values() {
                let _ = tensor.values("any");
            }
        }
    }
}
