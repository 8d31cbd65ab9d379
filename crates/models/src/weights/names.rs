//! Names of other libraries, brought to ours.

use std::collections::BTreeMap;

use avizor_engine::State;

use super::content::Stored;

/// The tensors under the names of the state, where a library is known that names them otherwise.
///
/// Known: EfficientNet-PyTorch (`_conv_stem`, `_blocks.N`), whose names of EfficientNet-Lite become timm's.
pub(super) fn translated<'b>(mut tensors: BTreeMap<String, Stored<'b>>, state: &State) -> BTreeMap<String, Stored<'b>> {
    if !tensors.contains_key("_conv_stem.weight") || state.parameter("conv_stem.weight").is_none() {
        return tensors;
    }
    let mut translated = BTreeMap::new();
    let mut blocks: Vec<&str> = Vec::new();
    for parameter in state.parameters() {
        let Some((layer, part)) = parameter.name.rsplit_once('.') else { continue };
        let theirs = match layer.rsplit_once('.') {
            None => top(layer).to_owned(),
            Some((block, layer)) => {
                if blocks.last() != Some(&block) {
                    blocks.push(block);
                }
                let widens = state.parameter(&format!("{block}.conv_pwl.weight")).is_some();
                format!("_blocks.{}.{}", blocks.len() - 1, in_block(layer, widens))
            }
        };
        if let Some(tensor) = tensors.remove(&format!("{theirs}.{part}")) {
            translated.insert(parameter.name.clone(), tensor);
        }
    }
    // Whatever the head is here.
    for part in ["weight", "bias"] {
        if let Some(tensor) = tensors.remove(&format!("_fc.{part}")) {
            translated.insert(format!("classifier.{part}"), tensor);
        }
    }
    // What is left has no name here: it is told as unexpected.
    translated.extend(tensors);
    translated
}

fn top(layer: &str) -> &str {
    match layer {
        "conv_stem" => "_conv_stem",
        "bn1" => "_bn0",
        "conv_head" => "_conv_head",
        "bn2" => "_bn1",
        other => other,
    }
}

fn in_block(layer: &str, widens: bool) -> &str {
    match (layer, widens) {
        ("conv_dw", _) => "_depthwise_conv",
        ("conv_pw", true) => "_expand_conv",
        ("bn1", true) => "_bn0",
        ("bn2", true) | ("bn1", false) => "_bn1",
        ("conv_pwl", true) | ("conv_pw", false) => "_project_conv",
        ("bn3", true) | ("bn2", false) => "_bn2",
        (other, _) => other,
    }
}
