//! `avizor models`: what networks know and take, as text and as JSON.

use serde_json::Value;

use crate::sandbox::Sandbox;

fn json(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let said = sandbox.succeed(&[&["models"], arguments, &["--json"]].concat());
    let page: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(page["format"], 1);
    page
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

#[test]
fn every_network_is_a_line_of_at_most_120_columns() {
    let sandbox = Sandbox::new();
    let text = sandbox.succeed(&["models"]);
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    let line = |name: &str| text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap_or_default();
    let words = |name: &str| line(name).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words("resnet18"), "resnet18 11,689,512 224 1.814 69.8 torchvision");
    assert_eq!(words("efficientnet_b2"), "efficientnet_b2 9,109,994 260 0.994 80.6 torchvision");
    assert_eq!(words("tf_efficientnet_lite0"), "tf_efficientnet_lite0 4,652,008 224 0.385 74.8 timm to fetch");
    assert_eq!(words("squeezenet1_1"), "squeezenet1_1 1,235,496 224 0.349 57.5 its paper by hand");
    assert_eq!(words("mlp"), "mlp 6,804,968 64 0.007");
    assert!(line("custom").contains("model.layers"), "{text}");
    assert!(text.contains("`avizor models --speed`") && text.contains("`avizor models NAME`"), "{text}");
}

#[test]
fn weights_at_hand_are_found_where_training_finds_them() {
    let sandbox = Sandbox::new();
    sandbox.write("cache/avizor/weights/squeezenet1_1.safetensors", b"not looked into");
    let page = json(&sandbox, &[]);
    let networks = page["networks"].as_array().unwrap();
    assert_eq!(networks.len(), 20);
    let of = |name: &str| networks.iter().find(|network| network["name"] == name).unwrap();
    let at_hand = of("squeezenet1_1")["weights"]["at_hand"].as_str().unwrap();
    assert!(at_hand.ends_with("squeezenet1_1.safetensors"), "{at_hand}");
    let lite = of("tf_efficientnet_lite0");
    assert!(lite["weights"]["at_hand"].is_null() && lite["weights"]["package"].is_string(), "{lite}");
    let resnet = of("resnet18");
    assert_eq!((number(&resnet["multiply_adds"]), &resnet["weights"]["known"]), (1_814_073_344, &Value::Bool(false)));
    assert_eq!(resnet["imagenet"]["weights"], "ResNet18_Weights.IMAGENET1K_V1");
    assert!((resnet["imagenet"]["top1"].as_f64().unwrap() - 0.69758).abs() < 1e-12, "{resnet}");
    assert!(of("mlp")["imagenet"].is_null() && resnet["speed"].is_null(), "{page}");
    assert!(sandbox.succeed(&["models"]).contains("its paper        at hand"));
    assert!(sandbox.succeed(&["models", "squeezenet1_1"]).contains(&format!("weights: at hand: {at_hand}")));
}

#[test]
fn what_is_frozen_does_not_learn_and_takes_less() {
    let sandbox = Sandbox::new();
    let of = |more: &[&str]| {
        let common = ["resnet18", "--classes", "10", "--size", "64", "--batch", "4"];
        json(&sandbox, &[&common, more].concat())
    };
    let mut totals = Vec::new();
    for (freeze, trainable) in
        [("none", 11_181_642), ("2", 11_181_642 - 9_536 - 147_968), ("backbone", 5_130), ("5", 5_130)]
    {
        let page = of(&["--freeze", freeze]);
        assert_eq!(number(&page["parameters"]), 11_181_642, "{freeze}");
        assert_eq!(number(&page["trainable_parameters"]), trainable, "{freeze}");
        let layers = page["layers"].as_array().unwrap();
        let sum: u64 = layers.iter().map(|layer| number(&layer["trainable_parameters"])).sum();
        assert_eq!(sum, trainable, "{freeze}");
        let memory = page["memory"].as_array().unwrap();
        let what: Vec<_> = memory.iter().map(|of| (of["what"].as_str().unwrap(), number(&of["batch"]))).collect();
        assert_eq!(what, [("training", 4), ("inference", 4), ("inference", 1)], "{freeze}");
        for of in memory {
            let parts = ["parameter", "gradient", "optimizer", "program", "arena"].map(|of| format!("{of}_bytes"));
            let sum: u64 = parts.iter().map(|part| number(&of[part])).sum();
            assert_eq!(sum, number(&of["total_bytes"]), "{of}");
            // With means and variances of 4,800 channels, and what makes cache lines whole.
            let least = 4 * (11_181_642 + 2 * 4_800);
            assert!((least..least + 10_000).contains(&number(&of["parameter_bytes"])), "{of}");
        }
        assert!((4 * trainable..4 * trainable + 10_000).contains(&number(&memory[0]["gradient_bytes"])), "{page}");
        assert_eq!(number(&memory[0]["optimizer_bytes"]), 2 * number(&memory[0]["gradient_bytes"]));
        assert_eq!(number(&memory[1]["gradient_bytes"]), 0);
        totals.push([0, 1, 2].map(|row: usize| number(&memory[row]["total_bytes"])));
    }
    // With a frozen backbone inference may take more: it packs weights that training reads as they are.
    assert!(totals[0][0] > totals[0][1] && totals[0][1] > totals[0][2], "{totals:?}");
    assert!(totals[0][0] > totals[1][0] && totals[1][0] > totals[2][0], "{totals:?}");
    assert_eq!(totals[2], totals[3], "all stages below the head are the backbone");
}

#[test]
fn a_network_is_told_layer_by_layer_with_its_sizes() {
    let sandbox = Sandbox::new();
    let text = sandbox.succeed(&["models", "resnet18", "--freeze", "backbone", "--classes", "10", "--batch", "1"]);
    for says in [
        "resnet18: Residual network of 18 layers",
        "ImageNet: 69.8 % of the validation part right at 224 px (ResNet18_Weights.IMAGENET1K_V1, says torchvision)",
        "weights: none that avizor knows",
        "parameters  trainable  multiply-adds",
        "layer1",
        "parameters    11,181,642     44.7 MB in f32",
        "trainable          5,130      0.0 MB  all but the head is frozen",
        "training step, batch 1",
        "inference, batch 1 ",
        "slots of adam",
    ] {
        assert!(text.contains(says), "{says:?} is missing:\n{text}");
    }
    assert_eq!(text.matches("inference, batch 1").count(), 1, "{text}");
    // A recipe's 64 pictures need no word.
    let text = sandbox.succeed(&["models", "small_cnn", "--classes", "18"]);
    assert!(text.contains("458,834") && text.contains("training step, batch 64"), "{text}");
    assert!(!text.contains("ImageNet"), "nobody trained it there:\n{text}");
    let folded = sandbox.succeed(&["models", "tf_mobilenet_v2", "--size", "64"]);
    let says = "trainable      3,470,760     13.9 MB  norms of its ImageNet weights are folded and never learn";
    assert!(folded.contains(says), "{folded}");
}

#[test]
fn speed_is_measured_where_it_is_asked_for() {
    let sandbox = Sandbox::new();
    let tiny = ["mlp", "--size", "8", "--classes", "3", "--batch", "4", "--speed"];
    let page = json(&sandbox, &tiny);
    assert_eq!(number(&page["speed"]["batch"]), 4);
    for rate in ["train_images_per_second", "infer_images_per_second"] {
        assert!(page["speed"][rate].as_f64().unwrap() > 0.0, "{page}");
    }
    assert!(number(&page["speed"]["train_step_seconds"]["n"]) >= 3, "{page}");
    let text = sandbox.succeed(&[&["models"], &tiny[..]].concat());
    assert!(text.contains("speed at batch 4: training") && text.contains("pictures/s (range"), "{text}");
    assert!(json(&sandbox, &tiny[..7])["speed"].is_null());
}

#[test]
fn a_mistake_is_a_sentence() {
    let sandbox = Sandbox::new();
    for (arguments, says) in [
        (&["resnet81"][..], "there is no network \"resnet81\""),
        (
            &["resnet18", "--freeze", "6"],
            "--freeze is 6, but resnet18 has 5 stages below its head: conv1, bn1, relu; layer1",
        ),
        (&["resnet18", "--freeze", "head"], "it must be none, backbone or a number of stages"),
        (&["resnet18", "--batch", "0"], "it must be a whole number from 1 to 65535"),
        (&["--batch", "4"], "NAME"),
        (&["small_cnn", "--size", "12"], "small_cnn needs pictures of at least"),
        (&["vit_small_patch16_224", "--size", "100"], "both sides must be multiples of 16"),
        (&["custom"], "custom has no layers"),
    ] {
        let said = sandbox.run(&[&["models"], arguments].concat());
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{arguments:?}: {}", said.err);
        assert!(said.err.contains(says), "{arguments:?} lacks {says:?}:\n{}", said.err);
    }
    // What fits no memory is planned all the same.
    let large = sandbox.succeed(&["models", "resnet18", "--size", "4096", "--batch", "65535"]);
    assert!(large.contains("training step, batch 65535"), "{large}");
}
