//! A network whose layers the recipe lists, from the recipe to predictions.

use std::fs;

use crate::sandbox::{Sandbox, picture};

const RECIPE: &str = r#"
[data]
path = "photos"
[transforms]
size = 12
[model]
name = "custom"
layers = [
    { op = "conv", out = 8, padding = 1 },
    { op = "batch_norm" },
    { op = "relu" },
    { op = "max_pool", size = 2 },
    { op = "residual", layers = [{ op = "conv", out = 8, padding = 1 }, { op = "hard_swish" }] },
    { op = "dropout", p = 0.1 },
    { op = "flatten" },
    { op = "dense", out = 16 },
    { op = "relu" },
]
[train]
epochs = 8
batch = 8
[optimizer]
lr = 0.01
"#;

#[test]
fn listed_layers_are_trained_stored_and_asked() {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("blue", 20), ("green", 20), ("red", 20)]);
    sandbox.write("recipe.toml", RECIPE);
    sandbox.succeed(&["train", "recipe.toml", "--threads", "2"]);
    let run = sandbox.the_run();
    // The run and the model say all of the network; the recipe and the pictures may go.
    for gone in ["recipe.toml", "photos"] {
        fs::rename(sandbox.path(gone), sandbox.path(&format!("gone {gone}"))).unwrap();
    }
    let read = |file: &str| fs::read_to_string(sandbox.path(&format!("{run}/{file}"))).unwrap();
    let card: serde_json::Value = serde_json::from_str(&read("model/model.json")).unwrap();
    let layers = card["network"]["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 9);
    assert_eq!(layers[3], serde_json::json!({ "op": "max_pool", "size": 2, "stride": 2, "padding": 0 }));
    assert_eq!(layers[4]["layers"][0]["groups"], 1);
    let resolved = avizor_train::Recipe::parse(&read("recipe.toml"), "resolved").unwrap();
    assert_eq!(resolved.model.layers.list().len(), 9);
    for (class, name) in ["blue", "green", "red"].into_iter().enumerate() {
        sandbox.write("new.png", picture(class, 77));
        let said = sandbox.succeed(&["predict", &run, "new.png", "--top", "1"]);
        assert!(said.starts_with(&format!("new.png: {name} ")), "{said}");
    }
}

#[test]
fn layers_and_their_options_are_listed() {
    let said = Sandbox::new().succeed(&["recipes", "--layers"]);
    for part in ["conv\n", "    out\n", "    stride = 1\n", "    stride = size\n", "residual\n"] {
        assert!(said.contains(part), "{part:?} is missing: {said}");
    }
    assert!(Sandbox::new().succeed(&["models"]).contains("custom"));
}
