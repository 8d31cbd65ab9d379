//! `avizor bench`: every kind on tiny sizes gives the documented JSON, and a mistake is a sentence.

use serde_json::Value;

use crate::sandbox::Sandbox;

const TINY: &[&str] = &["--model", "mlp", "--size", "8", "--classes", "3", "--seconds", "0"];

fn json(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let said = sandbox.succeed(&[&["bench"], arguments, &["--json"]].concat());
    let page: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(page["format"], 1);
    assert_eq!(page["what"], arguments[0]);
    assert!(page["threads"].as_u64().unwrap() > 0 && page["version"].is_string(), "{page}");
    page
}

/// Some runs took some time.
fn check_times(times: &Value) {
    let [median, least, most] = ["median", "least", "most"].map(|name| times[name].as_f64().unwrap());
    assert!(0.0 < least && least <= median && median <= most, "{times}");
    assert!(times["n"].as_u64().unwrap() >= 3, "{times}");
}

fn is_positive(number: &Value) -> bool {
    number.as_f64().unwrap() > 0.0
}

#[test]
fn a_step_is_training_and_inference() {
    let sandbox = Sandbox::new();
    let page = json(&sandbox, &[&["step", "--batch", "4"], TINY].concat());
    assert_eq!([&page["model"], &page["level"]].map(Value::is_string), [true; 2]);
    assert_eq!([&page["size"], &page["batch"]].map(Value::as_u64), [Some(8), Some(4)]);
    assert!(is_positive(&page["train_images_per_second"]) && is_positive(&page["infer_images_per_second"]));
    check_times(&page["train_step_seconds"]);
    check_times(&page["infer_step_seconds"]);
    assert!(!cfg!(target_os = "linux") || is_positive(&page["peak_memory_bytes"]));

    let page = json(&sandbox, &[&["step", "--batch", "4", "--train-only"], TINY].concat());
    check_times(&page["train_step_seconds"]);
    assert!(page["infer_images_per_second"].is_null() && page["infer_step_seconds"].is_null(), "{page}");
}

#[test]
fn a_recipe_brings_its_network_and_size() {
    let sandbox = Sandbox::new();
    let recipe = "[transforms]\nsize = [8, 6]\n[model]\nname = \"custom\"\nlayers = [{ op = \"conv\", out = 4 }, { op = \"flatten\" }]";
    sandbox.write("own.toml", recipe);
    let own = ["--recipe", "own.toml", "--classes", "3", "--seconds", "0"];
    for what in ["step", "infer"] {
        let page = json(&sandbox, &[&[what, "--batch", "2"], &own[..]].concat());
        assert_eq!((page["model"].as_str(), page["size"].to_string()), (Some("custom"), "[8,6]".to_owned()));
    }
    let said = sandbox.run(&["bench", "step", "--recipe", "own.toml", "--size", "8"]);
    assert_eq!((said.code, said.err.contains("cannot be used with")), (Some(2), true), "{}", said.err);
}

#[test]
fn inference_is_measured_for_every_batch() {
    let sandbox = Sandbox::new();
    let page = json(&sandbox, &[&["infer", "--batch", "1,3"], TINY].concat());
    let batches = page["batches"].as_array().unwrap();
    assert_eq!(batches.iter().map(|batch| batch["batch"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 3]);
    for batch in batches {
        check_times(&batch["latency_seconds"]);
        assert!(batch["latency_seconds"]["p95"].as_f64() >= batch["latency_seconds"]["median"].as_f64());
        assert!(is_positive(&batch["images_per_second"]));
    }
}

#[test]
fn plans_go_to_standard_error() {
    let sandbox = Sandbox::new();
    for what in [&["step", "--batch", "2"], &["infer", "--batch", "2"]] {
        let said = sandbox.run(&[&["bench"], &what[..], TINY, &["--plan"]].concat());
        assert_eq!(said.code, Some(0), "{}", said.err);
        for column in ["node", "kernel", "ms", "GFLOP/s", "of peak", "GB/s"] {
            assert!(said.err.contains(column), "{column}:\n{}", said.err);
        }
        assert!(said.out.contains("pictures/s") && !said.out.contains("kernel"), "{}", said.out);
    }
}

#[test]
fn kernels_are_measured_by_family_layer_and_pass() {
    let sandbox = Sandbox::new();
    let ops = |filter| json(&sandbox, &["ops", "--batch", "1", "--seconds", "0", "--filter", filter]);
    let page = ops("conv2d resnet18@160 3x3/1 512->512 @5");
    assert!(is_positive(&page["peak_flops_per_second"]) && is_positive(&page["copy_bytes_per_second"]));
    let rows = page["rows"].as_array().unwrap();
    let passes: Vec<_> = rows.iter().map(|row| row["pass"].as_str().unwrap()).collect();
    assert_eq!(passes, ["forward", "infer", "grad_input", "grad_weight"]);
    for row in rows {
        check_times(&row["seconds"]);
        assert!(row["kernel"].is_string(), "{row}");
        assert!(is_positive(&row["flops_per_second"]) && is_positive(&row["share_of_peak"]), "{row}");
        assert!(is_positive(&row["bytes_per_second"]), "{row}");
        // Direct convolution stands beside what is not direct.
        assert_eq!(row["direct_seconds"].is_object(), row["kernel"].as_str().unwrap().starts_with("winograd"), "{row}");
    }
    // A pass over memory has no operations to count.
    let page = ops("resnet18@160 512 @5");
    let families: Vec<_> = page["rows"].as_array().unwrap().iter().map(|row| row["family"].as_str().unwrap()).collect();
    for family in ["batch_norm", "relu", "elementwise"] {
        assert!(families.contains(&family), "{families:?}");
    }
    assert!(page["rows"].as_array().unwrap().iter().all(|row| row["flops_per_second"].is_null()), "{page}");
}

#[test]
fn every_family_of_kernels_runs() {
    let sandbox = Sandbox::new();
    for filter in [
        "depthwise mobilenet_v2@224 3x3/1 960 @7",
        "linear small_cnn",
        "gate efficientnet_b0@224 1152 @7",
        "silu efficientnet_b0@224 1152 @7",
        "max_pool small_cnn@60",
        "avg_pool small_cnn@60",
        "global_pool resnet18@224",
        "loss ",
        "softmax ",
        "pixels 3 @160",
    ] {
        let page = json(&sandbox, &["ops", "--batch", "1", "--seconds", "0", "--filter", filter]);
        page["rows"].as_array().unwrap().iter().for_each(|row| check_times(&row["seconds"]));
    }
}

#[test]
fn pictures_are_loaded_cold_prepared_and_augmented() {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("blue", 5), ("green", 4)]);
    sandbox.write("photos/blue/page.jpg", b"<!DOCTYPE html>");
    let flip = "transforms.train=[{ op = \"horizontal_flip\", p = 0.5 }]";
    let arguments = ["loader", "photos", "--seconds", "0", "--set", "transforms.size=8", "--set", "train.batch=4"];
    let page = json(&sandbox, &[&arguments[..], &["--set", flip]].concat());
    assert_eq!(
        [&page["pictures"], &page["unreadable"], &page["batch"]].map(Value::as_u64),
        [Some(9), Some(1), Some(4)]
    );
    assert_eq!(page["size"], serde_json::json!([8, 8]));
    for way in ["decode", "file", "prepared", "augmented"] {
        assert!(is_positive(&page[way]["images_per_second"]), "{page}");
        check_times(&page[way]["epoch_seconds"]);
    }
    // The recipe of a folder has no transforms of its own.
    assert!(json(&sandbox, &arguments)["augmented"].is_null());
    let said = sandbox.succeed(&["bench", "loader", "photos", "--seconds", "0", "--set", "transforms.size=8"]);
    assert!(said.contains("1 unreadable left out") && said.contains("transforms.train is empty"), "{said}");
}

#[test]
fn a_mistake_is_a_sentence() {
    let sandbox = Sandbox::new();
    sandbox.write("junk/a/page.jpg", b"<!DOCTYPE html>");
    sandbox.write("junk/b/page.jpg", b"<!DOCTYPE html>");
    for (arguments, code, says) in [
        (&["step", "--model", "resnet81"][..], 2, "there is no network \"resnet81\""),
        (&["infer", "--model", "small_cnn", "--size", "12"], 2, "small_cnn needs pictures of at least"),
        (&["infer", "--batch", "1,0"], 2, "invalid value '0'"),
        (&["ops", "--filter", "conv4d"], 2, "error: no row contains --filter \"conv4d\""),
        (&["loader", "photos"], 1, "error: photos does not exist"),
        (&["loader", "recipe.toml"], 2, "error: recipe.toml: "),
        (&["loader", "junk"], 1, "error: none of the 2 pictures tried can be read"),
        (&["loader", "junk", "--set", "transforms.size=0"], 2, "a size is a number of pixels of at least 1"),
    ] {
        let said = sandbox.run(&[&["bench"], arguments].concat());
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{arguments:?}: {}", said.err);
        assert!(said.err.contains(says), "{arguments:?} lacks {says:?}:\n{}", said.err);
    }
}
