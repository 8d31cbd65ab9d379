//! Mistakes: each is one sentence that names the thing, and what to do; nothing half-written is left behind.

use crate::sandbox::{Sandbox, files, quick_train};

/// What is wrong, the command, and what is said.
struct Case {
    make: fn(&Sandbox),
    train: &'static [&'static str],
    code: i32,
    says: &'static [&'static str],
}

fn two_classes(sandbox: &Sandbox) {
    sandbox.pictures("photos", &[("blue", 12), ("green", 12)]);
}

const CASES: &[Case] = &[
    Case { make: |_| {}, train: &["photos"], code: 1, says: &["error: photos does not exist", "help: check the path"] },
    Case {
        make: |sandbox| std::fs::create_dir(sandbox.path("photos")).unwrap(),
        train: &["photos"],
        code: 1,
        says: &["error: photos is empty", "help: put the pictures there"],
    },
    Case {
        make: |sandbox| sandbox.pictures("photos", &[("blue", 5)]),
        train: &["photos"],
        code: 1,
        says: &["error: all 5 pictures of photos belong to one class, \"blue\"", "help: a classifier needs"],
    },
    Case {
        make: |sandbox| sandbox.pictures("photos", &[("blue", 12), ("green", 1)]),
        train: &["photos"],
        code: 1,
        says: &["green", "1 picture", "help: "],
    },
    Case {
        make: two_classes,
        train: &["photos", "--set", "data.classes=[\"blue\", \"grean\"]"],
        code: 2,
        says: &["error: `data.classes` names the class \"grean\"", "help: the nearest name is \"green\""],
    },
    Case {
        make: |sandbox| {
            sandbox.pictures("photos/train", &[("blue", 12), ("green", 12)]);
            sandbox.pictures("photos/test", &[("blue", 3), ("red", 2)]);
        },
        train: &["photos"],
        code: 1,
        says: &["error: class \"red\" is in test (2 pictures) but not in train", "help: "],
    },
    Case {
        make: two_classes,
        train: &["photos", "--set", "transforms.size=0"],
        code: 2,
        says: &["error: --set transforms.size=0: transforms.size: a size is a number of pixels of at least 1"],
    },
    Case {
        make: two_classes,
        train: &["photos", "--set", "transforms.cover=256"],
        code: 2,
        says: &["transforms.cover: goes with transforms.resize = \"crop\""],
    },
    #[cfg(not(feature = "turbojpeg"))]
    Case {
        make: two_classes,
        train: &["photos", "--set", "transforms.jpeg=scaled"],
        code: 2,
        says: &[
            "error: transforms.jpeg: is \"scaled\", for which this program lacks libjpeg-turbo",
            "help: build avizor with `--features turbojpeg`, or say \"exact\"",
        ],
    },
    #[cfg(not(feature = "turbojpeg"))]
    Case {
        make: two_classes,
        train: &["photos", "--set", "transforms.jpeg=libjpeg"],
        code: 2,
        says: &["error: transforms.jpeg: is \"libjpeg\", for which this program lacks libjpeg-turbo"],
    },
    Case {
        make: two_classes,
        train: &["photos", "--set", "transforms.resize=crop", "--set", "transforms.cover=[300, 4]"],
        code: 2,
        says: &["transforms.cover: must be at least transforms.size"],
    },
    Case {
        make: |sandbox| {
            two_classes(sandbox);
            sandbox.write("recipe.toml", "[data]\npath = \"photos\"\n[train]\nepochs = \"ten\"\n");
        },
        train: &["recipe.toml"],
        code: 2,
        says: &["error: recipe.toml:4: train.epochs: is \"ten\", but must be a whole number"],
    },
    Case {
        make: |sandbox| sandbox.write("recipe.toml", "[optimizer]\nleraning_rate = 1\n"),
        train: &["recipe.toml"],
        code: 2,
        says: &["error: recipe.toml:2: [optimizer] has no option \"leraning_rate\"", "help: "],
    },
    Case {
        make: |sandbox| sandbox.write("recipe.toml", "[train]\nepochs = 3\n"),
        train: &["recipe.toml"],
        code: 2,
        says: &["does not say where the pictures are", "help: add --set data.path=FOLDER"],
    },
    Case {
        make: two_classes,
        train: &["photos", "--set", "model.name=resnet81"],
        code: 2,
        says: &["there is no network \"resnet81\"", "resnet18"],
    },
    Case {
        make: two_classes,
        train: &["photos", "--set", "model.weights=missing.safetensors"],
        code: 1,
        says: &["missing.safetensors", "help: give another file as model.weights"],
    },
    Case {
        make: two_classes,
        train: &["photos", "--set", "model.name=small_cnn", "--set", "transforms.size=12"],
        code: 2,
        says: &["small_cnn needs pictures of at least"],
    },
    Case {
        make: two_classes,
        train: &["photos", "--set", "transforms.train=[{op=\"horizontal_flip\", p=\"often\"}]"],
        code: 2,
        says: &[
            "`p` is \"often\"; it must be a number",
            "help: see every transform with `avizor recipes --transforms`",
        ],
    },
    Case {
        make: two_classes,
        train: &["photos", "--set", "transforms.train=[{op=\"random_crop\", padding=-1}]"],
        code: 2,
        says: &["`padding` is -1; it must be a whole number that is not negative"],
    },
    Case {
        make: two_classes,
        train: &["photos", "--set", "model.name=custom"],
        code: 2,
        says: &["error: custom has no layers: list them in model.layers"],
    },
    Case {
        make: two_classes,
        train: &["photos", "--set", "model.layers=[{op=\"relu\"}]"],
        code: 2,
        says: &["model.layers: goes with model.name = \"custom\""],
    },
    Case {
        make: |sandbox| {
            two_classes(sandbox);
            let layers = "layers = [\n  { op = \"relu\" },\n  { op = \"conv\", outt = 4 },\n]\n";
            sandbox.write("recipe.toml", format!("[data]\npath = \"photos\"\n[model]\nname = \"custom\"\n{layers}"));
        },
        train: &["recipe.toml"],
        code: 2,
        says: &[
            "error: recipe.toml:5: model.layers: layer 2: `conv` has no option \"outt\"; the nearest name is `out`",
            "help: see every layer with `avizor recipes --layers`",
        ],
    },
    Case {
        make: two_classes,
        train: &[
            "photos",
            "--set",
            "model.name=custom",
            "--set",
            "model.layers=[{op=\"conv\", out=4}, {op=\"dense\", out=3}]",
        ],
        code: 2,
        says: &["error: layer 2, dense: needs numbers in a row, and gets 4 maps of 6×6; put `flatten`"],
    },
];

#[test]
fn a_mistake_is_a_sentence_and_leaves_nothing_behind() {
    for case in CASES {
        let sandbox = Sandbox::new();
        (case.make)(&sandbox);
        let before = files(&sandbox.path(""));
        let said = sandbox.run(&quick_train_with(case.train));
        assert_eq!(said.code, Some(case.code), "{:?}: {}", case.train, said.err);
        for text in case.says {
            assert!(said.err.contains(text), "{:?} lacks {text:?}:\n{}", case.train, said.err);
        }
        assert!(said.err.lines().filter(|line| line.starts_with("error: ")).count() == 1, "{}", said.err);
        assert_eq!(said.out, "");
        assert_eq!(files(&sandbox.path("")), before, "{:?}", case.train);
        assert!(!sandbox.path("runs").exists(), "{:?}", case.train);
    }
}

#[test]
fn a_mistyped_command_is_told_what_was_meant() {
    let cases: &[(&[&str], &str, &str)] = &[
        // An option of the recipe is none of the command line.
        (
            &["train", "photos", "--epochs", "3"],
            "'--epochs'",
            "tip: an option of the recipe is given as '--set train.epochs=VALUE'",
        ),
        (&["train", "photos", "--weight-decay=0"], "'--weight-decay'", "'--set optimizer.weight_decay=VALUE'"),
        (&["train", "photos", "--train.batch=8"], "'--train.batch'", "'--set train.batch=VALUE'"),
        // Where a near name exists, that is said; where nothing is known, nothing.
        (&["train", "photos", "--sed", "3"], "'--sed'", "tip: a similar argument exists: '--seed'"),
        (&["predict", "run", "a.jpg", "--epochs", "3"], "'--epochs'", "Usage: avizor predict"),
        (
            &["predict", "run", "a.jpg", "--top", "many"],
            "'many' for '--top <N>'",
            "it must be a whole number from 1 to 65535",
        ),
        (&["--threads", "0", "doctor"], "'0' for '--threads <N>'", "it must be a whole number from 1 to 1024"),
        (
            &["bench", "step", "--seconds", "-1"],
            "'-1' for '--seconds <SECONDS>'",
            "it must be a number of seconds from",
        ),
    ];
    let sandbox = Sandbox::new();
    for (typed, wrong, help) in cases {
        let said = sandbox.run(typed);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{typed:?}");
        assert!(said.err.contains(wrong) && said.err.contains(help), "{typed:?}:\n{}", said.err);
        assert!(!said.err.contains("as a value, use"), "{typed:?}:\n{}", said.err);
    }
}

/// The case's own options come last and win.
fn quick_train_with(arguments: &'static [&'static str]) -> Vec<&'static str> {
    quick_train(arguments[0], &arguments[1..])
}

#[test]
fn an_unreadable_file_is_named_and_training_goes_on() {
    let sandbox = Sandbox::new();
    two_classes(&sandbox);
    sandbox.write("photos/blue/cut off.png", &crate::sandbox::picture(0, 0)[..60]);
    sandbox.succeed(&quick_train("photos", &[]));
    let audit = std::fs::read_to_string(sandbox.path(&sandbox.the_run()).join("audit.json")).unwrap();
    assert!(audit.contains("blue/cut off.png"), "{audit}");
    let samples = std::fs::read_to_string(sandbox.path(&sandbox.the_run()).join("samples.csv")).unwrap();
    assert!(!samples.contains("cut off") && samples.lines().count() == 25, "{samples}");
}

#[test]
fn a_damaged_model_is_told_not_run() {
    let sandbox = Sandbox::new();
    two_classes(&sandbox);
    sandbox.succeed(&quick_train("photos", &[]));
    let run = sandbox.the_run();
    let weights = sandbox.path(&run).join("model/model.safetensors");
    let whole = std::fs::read(&weights).unwrap();
    for damaged in [&whole[..whole.len() / 2], &b"short"[..], &[0xff; 64][..]] {
        std::fs::write(&weights, damaged).unwrap();
        let said = sandbox.run(&["predict", &run, "photos/blue/blue_0.png"]);
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
        assert!(said.err.contains("model.safetensors") && said.err.contains("help: "), "{}", said.err);
    }
    let said = sandbox.run(&["predict", "photos", "photos/blue/blue_0.png"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.starts_with("error: photos is no model"), "{}", said.err);
}

#[test]
fn a_loss_that_runs_away_stops_with_what_to_do() {
    let sandbox = Sandbox::new();
    two_classes(&sandbox);
    let said = sandbox.run(&quick_train(
        "photos",
        &["--set", "optimizer.name=sgd", "--set", "optimizer.lr=1e6", "--set", "train.epochs=50"],
    ));
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("error: the loss became ") && said.err.contains("lower optimizer.lr"), "{}", said.err);
    let info = std::fs::read_to_string(sandbox.path(&sandbox.the_run()).join("run.json")).unwrap();
    assert!(info.contains("\"state\": \"failed\""), "{info}");
}

/// The shell's limit on the size of a file stands in for a full disk: writing fails half-way in both.
#[cfg(unix)]
#[test]
fn a_full_disk_during_a_checkpoint_leaves_the_previous_one() {
    let sandbox = Sandbox::new();
    two_classes(&sandbox);
    // Weights of 8 × 8 × 3 × 4000 floats are some 3 MB; everything else is far smaller.
    let options = ["--set", "model.hidden=[4000]", "--set", "train.epochs=3"];
    // ulimit counts blocks of 512 bytes: 1 MB.
    let (code, err) = limited(&sandbox, 2000, &quick_train("photos", &options));
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("error: checkpoint ") && err.contains("help: free space"), "{err}");
    let run = sandbox.the_run();
    let left = files(&sandbox.path(&run).join("checkpoint"));
    assert!(!left.iter().any(|file| file.ends_with(".partial") || file == "current"), "{left:?}");
    // With space again the run goes on.
    sandbox.succeed(&["resume", &run]);
}

/// A folder that looks like a run has all that `resume` reads, so one that could not be filled is taken back.
#[cfg(unix)]
#[test]
fn a_full_disk_before_training_leaves_no_run() {
    let sandbox = Sandbox::new();
    two_classes(&sandbox);
    for blocks in [0, 1, 2, 4] {
        let (code, err) = limited(&sandbox, blocks, &quick_train("photos", &[]));
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains("help: free space"), "{blocks} blocks: {err}");
        assert_eq!(files(&sandbox.path("runs")), [""; 0], "{blocks} blocks");
    }
}

/// Runs the program where no file may be larger than so many blocks of 512 bytes: code and errors.
#[cfg(unix)]
fn limited(sandbox: &Sandbox, blocks: u32, arguments: &[&str]) -> (Option<i32>, String) {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let output = std::process::Command::new("sh")
        .args(["-c", &script, "sh", env!("CARGO_BIN_EXE_avizor")])
        .args(arguments)
        .current_dir(sandbox.path(""))
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}
