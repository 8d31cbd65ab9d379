//! Dense layers between features and logits: names, shapes and numbers of `torch.nn.Sequential` in the last layer's place.

use std::collections::BTreeMap;

use avizor_base::Seed;
use avizor_engine::{CompileOptions, DType, Graph, GraphBuilder, Program, State};
use avizor_kernels::Cpu;
use avizor_models::{NETWORKS, NetworkOptions, Outputs, Stages, find, read_weights, to_safetensors};

use crate::level::level;

/// Names of heads, and the numbers that they read.
const HEADS: [(&str, &str, usize); 19] = [
    ("resnet18", "fc", 512),
    ("resnet34", "fc", 512),
    ("resnet50", "fc", 2048),
    ("resnet50_v1", "fc", 2048),
    ("resnet101", "fc", 2048),
    ("mobilenet_v2", "classifier.1", 1280),
    ("tf_mobilenet_v2", "classifier.1", 1280),
    ("mobilenet_v3_large", "classifier.3", 1280),
    ("efficientnet_b0", "classifier.1", 1280),
    ("efficientnet_b1", "classifier.1", 1280),
    ("efficientnet_b2", "classifier.1", 1408),
    ("efficientnet_b3", "classifier.1", 1536),
    ("tf_efficientnet_lite0", "classifier", 1280),
    ("tf_efficientnet_lite1", "classifier", 1280),
    ("tf_efficientnet_lite2", "classifier", 1280),
    ("convnext_tiny", "classifier.2", 768),
    ("vit_small_patch16_224", "head", 384),
    ("squeezenet1_1", "classifier.1", 512),
    ("small_cnn", "classifier.3", 256),
];

fn graph(name: &str, options: &NetworkOptions) -> (Graph, Outputs) {
    let mut graph = GraphBuilder::new();
    let image = graph.input("image", DType::F32, [2, 48, 48, 3]);
    let outputs = find(name).unwrap().build(&mut graph, image, options).unwrap();
    graph.output("features", outputs.features);
    graph.output("logits", outputs.logits);
    (graph.finish().unwrap(), outputs)
}

fn parameters(graph: &Graph) -> BTreeMap<String, String> {
    graph.parameters().map(|(name, shape, _)| (name.to_owned(), shape.to_string())).collect()
}

fn with_head(head: &[usize]) -> NetworkOptions {
    NetworkOptions { head: head.to_vec(), dropout: 0.5, ..NetworkOptions::new(5) }
}

#[test]
fn a_head_takes_the_last_layers_place_in_every_network() {
    for (name, layer, width) in HEADS {
        let (plain, plain_outputs) = graph(name, &with_head(&[]));
        let (graph, outputs) = graph(name, &with_head(&[7, 6]));
        assert_eq!((outputs.head.as_str(), plain_outputs.head.as_str()), (layer, layer), "{name}");
        let stages = Stages::new(&graph, &outputs);
        let mut wanted: BTreeMap<String, String> =
            parameters(&plain).into_iter().filter(|(parameter, _)| !plain_outputs.is_head(parameter)).collect();
        for (part, weight, bias) in [(0, format!("{width}×7"), 7), (3, "7×6".to_owned(), 6), (6, "6×5".to_owned(), 5)]
        {
            wanted.insert(format!("{layer}.{part}.weight"), weight);
            wanted.insert(format!("{layer}.{part}.bias"), bias.to_string());
        }
        assert_eq!(parameters(&graph), wanted, "{name}");
        for parameter in wanted.keys() {
            let is_last = stages.of(parameter) == stages.names().len() - 1;
            assert_eq!(is_last, outputs.is_head(parameter), "{name}: {parameter}");
        }
        assert_eq!(outputs.steps.last().unwrap().value, outputs.logits, "{name}");
        // SqueezeNet's features are maps, but for a head; the small network's dropout stands below its features.
        assert_eq!(outputs.plain_head.is_some(), name != "small_cnn", "{name}");
    }
    let listed: Vec<&str> = HEADS.iter().map(|(name, ..)| *name).collect();
    let others: Vec<&str> = NETWORKS.iter().map(|network| network.name).filter(|name| !listed.contains(name)).collect();
    assert_eq!(others, ["mlp"]);
}

#[test]
fn layers_of_their_own_and_heads_without_measure_are_refused() {
    for (name, head, wanted) in [
        ("mlp", vec![8], "mlp has layers of its own: list them in model.hidden, and leave model.head empty"),
        ("custom", vec![8], "custom has layers of its own: list them in model.layers, and leave model.head empty"),
        (
            "resnet18",
            vec![1 << 20, 1 << 20],
            "the layers of model.head would have 1100053741568 weights, more than 268435456: make them smaller",
        ),
    ] {
        let mut graph = GraphBuilder::new();
        let image = graph.input("image", DType::F32, [1, 48, 48, 3]);
        let error = find(name).unwrap().build(&mut graph, image, &with_head(&head)).unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
}

/// Logits are what PyTorch's formulas make of the features, in f64.
#[test]
fn logits_are_dense_layers_of_the_features() {
    let (cpu, options) = (Cpu::new(2, level()), with_head(&[7, 6]));
    for name in ["resnet18", "squeezenet1_1"] {
        let (graph, outputs) = graph(name, &options);
        let mut state = State::new(&graph);
        state.initialise(Seed(3));
        let program = Program::compile(&graph, &CompileOptions::infer(), &cpu, &mut state).unwrap();
        for (place, number) in state.input_f32_mut(&program, "image").iter_mut().enumerate() {
            *number = (0.37 * place as f32).sin();
        }
        program.run(&cpu, &mut state);
        let mut rows: Vec<Vec<f64>> = state
            .output(&program, "features")
            .chunks(512)
            .map(|row| row.iter().map(|&number| f64::from(number)).collect())
            .collect();
        for part in [0, 3, 6] {
            let [weight, bias] =
                ["weight", "bias"].map(|of| state.read_disk(&format!("{}.{part}.{of}", outputs.head)).unwrap());
            for row in &mut rows {
                let dense = weight.chunks(row.len()).zip(&bias).map(|(weights, &bias)| {
                    weights.iter().zip(&*row).map(|(&weight, x)| f64::from(weight) * x).sum::<f64>() + f64::from(bias)
                });
                *row = dense.map(|sum| if part == 6 { sum } else { sum.max(0.0) }).collect();
            }
        }
        for (got, want) in state.output(&program, "logits").iter().zip(rows.concat()) {
            assert!((f64::from(*got) - want).abs() < 1e-5, "{name}: {got} and {want}");
        }
    }
}

/// What a file has, what a network wants, and what is said.
#[test]
fn files_with_other_heads_load_below_them() {
    let state = |head: &[usize], classes: usize, seed: u64| {
        let options = NetworkOptions { classes, ..with_head(head) };
        let mut state = State::new(&graph("mobilenet_v2", &options).0);
        state.initialise(Seed(seed));
        state
    };
    // Convolutions and norms, statistics included.
    const BELOW: usize = 260;
    const OTHERS: &str = "; classifier.1 starts anew: it has other layers in the file";
    /// Layers of a head, and classes.
    type Head = (&'static [usize], usize);
    const CASES: &[(Head, Head, usize, &str)] = &[
        ((&[], 9), (&[8], 3), BELOW, OTHERS),
        ((&[8], 9), (&[], 3), BELOW, OTHERS),
        ((&[8], 3), (&[8], 3), BELOW + 4, ""),
        ((&[8], 9), (&[8], 3), BELOW + 2, "; classifier.1.3 starts anew: it has 9 outputs in the file, 3 here"),
        ((&[9], 3), (&[8], 3), BELOW, OTHERS),
        ((&[8, 8], 3), (&[8], 3), BELOW, OTHERS),
    ];
    for &(file, (head, classes), loaded, said) in CASES {
        let of_file = state(file.0, file.1, 1);
        let (before, mut after) = (state(head, classes, 2), state(head, classes, 2));
        let report = read_weights(&to_safetensors(&of_file).unwrap(), &mut after, Some("classifier.1")).unwrap();
        assert_eq!(report.to_string(), format!("{loaded} parameters loaded{said}"), "{file:?} to {head:?}");
        let stays = if said.contains("classifier.1.3") { "classifier.1.3." } else { "classifier.1." };
        for parameter in after.parameters() {
            let name = parameter.name.as_str();
            let stayed = name.starts_with(stays) && !said.is_empty();
            let from = if stayed { &before } else { &of_file };
            assert_eq!(after.get(name), from.get(name), "{file:?} to {head:?}: {name}");
        }
        let mut other = state(head, classes, 2);
        let strict = read_weights(&to_safetensors(&of_file).unwrap(), &mut other, None);
        assert_eq!(strict.is_ok(), said.is_empty(), "{file:?} to {head:?}");
    }
}
