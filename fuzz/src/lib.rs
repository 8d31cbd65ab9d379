//! What the targets share: a limit of memory, and a small network to read weights into.

use std::alloc::System;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use avizor_data::archive::Archive;
use avizor_engine::{DType, GraphBuilder, State};
use avizor_models::{NetworkOptions, find, read_weights, to_safetensors};
use cap::Cap;
use tempfile::TempDir;

/// No file here is larger than a megabyte: who asks for more than this has believed a size that it read.
const MOST_BYTES: usize = 512 << 20;
/// As much of a file in an archive is read.
const MOST_OF_A_FILE: u64 = 1 << 20;

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, MOST_BYTES);

/// A perceptron with 14 weights, of which `seeds.py` makes files.
pub fn small_state() -> State {
    let mut graph = GraphBuilder::new();
    let image = graph.input("image", DType::F32, [1, 1, 1, 3]);
    let options = NetworkOptions { hidden: vec![2], ..NetworkOptions::new(2) };
    find("mlp").and_then(|mlp| mlp.build(&mut graph, image, &options)).expect("the network can be built");
    State::new(&graph.finish().expect("it is a graph"))
}

/// Reads a file into the small network. Whatever it is: all is taken and finite, or nothing is changed.
pub fn read_into_small_state(bytes: &[u8]) {
    static STATE: Mutex<Option<State>> = Mutex::new(None);
    let mut state = STATE.lock().expect("a panic ends the process");
    let state = state.get_or_insert_with(small_state);
    let before = to_safetensors(state).expect("a state can be written");
    for head in [None, Some("3")] {
        match read_weights(bytes, state, head) {
            Ok(report) => {
                let is_finite = |name: &str| state.get(name).is_some_and(|values| values.iter().all(|v| v.is_finite()));
                assert!(state.parameters().iter().all(|parameter| is_finite(&parameter.name)), "{report}");
                assert!(read_weights(&before, state, None).is_ok(), "what was written is read");
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert!(to_safetensors(state).expect("a state can be written") == before, "{error}");
            }
        }
    }
}

/// Lists an archive and reads every file in it. What lacks the mark of its format is none of this target's.
pub fn read_archive(bytes: &[u8], mark: &[u8], at: usize) {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    if bytes.get(at..).is_none_or(|rest| !rest.starts_with(mark)) {
        return;
    }
    let path = FOLDER.get_or_init(scratch_folder).path().join("archive");
    fs::write(&path, bytes).expect("the folder can be written");
    match Archive::open(&path) {
        Ok(archive) => {
            let mut content = Vec::new();
            for name in archive.names() {
                assert!(!name.starts_with('/') && !name.split('/').any(|step| step == ".."), "{name}");
                // An error, or no more than was asked for.
                let read = archive.read(name, MOST_OF_A_FILE, &mut content);
                assert!(read.is_err() || content.len() as u64 <= MOST_OF_A_FILE + 1);
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A folder in memory where the system has one: a file is written a thousand times a second.
pub fn scratch_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}

/// Copies the files of a folder of the repository.
pub fn copy_files(from: &str, to: &Path) {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(from)).expect("the folder is there") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}
