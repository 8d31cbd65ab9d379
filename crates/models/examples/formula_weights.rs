//! Writes networks with the golden formula's weights, for `scripts/check_torchvision_loads.py`.
//!
//! ```text
//! cargo run -p avizor-models --example formula_weights -- FOLDER
//! ```

use std::path::PathBuf;

use avizor_engine::{DType, GraphBuilder, State};
use avizor_models::{NetworkOptions, Stem, find, save_safetensors};

#[path = "../tests/networks/formula.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "a file of the tests, which use the rest")]
mod formula;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("which folder?")?);
    let small_stem = NetworkOptions { stem: Stem::Small, ..NetworkOptions::new(10) };
    let cases = [
        ("resnet18", "resnet18", 64, NetworkOptions::new(1000)),
        ("resnet18_small_stem", "resnet18", 32, small_stem),
        ("resnet34", "resnet34", 32, NetworkOptions::new(10)),
        ("resnet50", "resnet50", 32, NetworkOptions::new(10)),
        ("resnet101", "resnet101", 32, NetworkOptions::new(10)),
        ("mobilenet_v2", "mobilenet_v2", 32, NetworkOptions { dropout: 0.2, ..NetworkOptions::new(10) }),
        ("mobilenet_v3_large", "mobilenet_v3_large", 32, NetworkOptions::new(10)),
        ("efficientnet_b0", "efficientnet_b0", 32, NetworkOptions { dropout: 0.2, ..NetworkOptions::new(10) }),
        ("efficientnet_b1", "efficientnet_b1", 32, NetworkOptions::new(10)),
        ("efficientnet_b2", "efficientnet_b2", 32, NetworkOptions::new(10)),
        ("efficientnet_b3", "efficientnet_b3", 32, NetworkOptions::new(10)),
        ("convnext_tiny", "convnext_tiny", 32, NetworkOptions::new(10)),
        ("vit_small_patch16_224", "vit_small_patch16_224", 224, NetworkOptions::new(10)),
        ("squeezenet1_1", "squeezenet1_1", 32, NetworkOptions { dropout: 0.5, ..NetworkOptions::new(10) }),
        ("small_cnn", "small_cnn", 76, NetworkOptions::new(18)),
        ("mlp", "mlp", 8, NetworkOptions { hidden: vec![6, 5], ..NetworkOptions::new(3) }),
    ];
    for (file, network, size, options) in cases {
        let mut graph = GraphBuilder::new();
        let image = graph.input("image", DType::F32, [1, size, size, 3]);
        find(network)?.build(&mut graph, image, &options)?;
        let mut state = State::new(&graph.finish()?);
        formula::fill(&mut state, 1);
        save_safetensors(&folder.join(format!("{file}.safetensors")), &state)?;
    }
    Ok(())
}
