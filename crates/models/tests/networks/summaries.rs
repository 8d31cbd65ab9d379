//! Parameter counts and the two tables.

use avizor_engine::{DType, GraphBuilder, Role, Trainable};
use avizor_models::{NETWORKS, Network, NetworkOptions, Stages, Stem, Summary, find, image_input};

fn summary(network: &Network, size: u32, options: &NetworkOptions) -> Summary {
    let mut graph = GraphBuilder::new();
    let side = size as usize;
    let image = graph.input("image", DType::F32, [1, side, side, 3]);
    let outputs = network.build(&mut graph, image, options).unwrap();
    let graph = graph.finish().unwrap();
    let summary = Summary::new(&graph, &outputs, &Trainable::All);
    let trained = graph.parameters().filter(|(_, _, spec)| spec.role != Role::Statistic);
    assert_eq!(summary.parameters(), trained.map(|(_, shape, _)| shape.elements()).sum::<usize>());
    summary
}

#[test]
fn every_network_has_the_parameters_that_its_row_says() {
    for network in NETWORKS {
        let summary = summary(network, network.size, &NetworkOptions::new(1000));
        assert_eq!(summary.parameters(), network.parameters, "{}", network.name);
    }
}

#[test]
fn what_is_frozen_is_not_trainable() {
    // Numbers of torchvision's modules: the stem's and layer1's, all but fc's, all norms' (weights and biases).
    for (name, frozen, folded_norms, fixed) in [
        ("resnet18", 0, false, 0),
        ("resnet18", 2, false, 9_536 + 147_968),
        ("resnet18", 5, false, 11_176_512),
        ("resnet18", 0, true, 9_600),
        ("resnet18", 5, true, 11_176_512),
        ("tf_mobilenet_v2", 0, true, 34_112),
        ("convnext_tiny", 0, true, 0),
    ] {
        let mut graph = GraphBuilder::new();
        let image = graph.input("image", DType::F32, [1, 64, 64, 3]);
        let outputs = find(name).unwrap().build(&mut graph, image, &NetworkOptions::new(1000)).unwrap();
        let graph = graph.finish().unwrap();
        let stages = Stages::new(&graph, &outputs);
        let summary = Summary::new(&graph, &outputs, &stages.trainable(&graph, frozen, folded_norms));
        let what = format!("{name}, {frozen} stages, folded norms {folded_norms}");
        assert_eq!(summary.parameters() - summary.trainable(), fixed, "{what}");
        assert_eq!(summary.rows().iter().map(|row| row.trainable).sum::<usize>(), summary.trainable(), "{what}");
    }
}

#[test]
fn the_study_has_its_published_count() {
    let options = NetworkOptions { dropout: 0.3, ..NetworkOptions::new(18) };
    assert_eq!(summary(find("small_cnn").unwrap(), 60, &options).parameters(), 458_834);
}

#[test]
fn a_resnet18_is_shown_layer_by_layer_and_step_by_step() {
    let network = find("resnet18").unwrap();
    let options = NetworkOptions { dropout: 0.2, ..NetworkOptions::new(151) };
    let summary = summary(network, 224, &options);
    insta::assert_snapshot!("resnet18_layers", summary.to_string());
    insta::assert_snapshot!("resnet18_steps", summary.steps_table());
    // torchvision's table of weights says 1.814 milliard for 1000 classes.
    let imagenet = self::summary(network, 224, &NetworkOptions::new(1000));
    assert_eq!(imagenet.multiply_adds(), 1_814_073_344);
}

#[test]
fn multiply_adds_are_those_of_torchvisions_table() {
    // In milliards, as its table of weights rounds them, at the sizes of that table.
    for (name, size, milliards) in [
        ("resnet34", 224, "3.664"),
        ("resnet50", 224, "4.089"),
        ("resnet101", 224, "7.801"),
        ("mobilenet_v2", 224, "0.301"),
        ("mobilenet_v3_large", 224, "0.217"),
        ("efficientnet_b0", 224, "0.386"),
        ("efficientnet_b1", 240, "0.687"),
        ("efficientnet_b2", 288, "1.088"),
        ("efficientnet_b3", 300, "1.827"),
        ("convnext_tiny", 224, "4.456"),
        ("squeezenet1_1", 224, "0.349"),
    ] {
        let summary = summary(find(name).unwrap(), size, &NetworkOptions::new(1000));
        assert_eq!(format!("{:.3}", summary.multiply_adds() as f64 / 1e9), milliards, "{name}");
    }
}

#[test]
fn larger_networks_are_shown_step_by_step() {
    let steps = |name, options: &NetworkOptions| summary(find(name).unwrap(), 224, options).steps_table();
    insta::assert_snapshot!("resnet50_steps", steps("resnet50", &NetworkOptions::new(1000)));
    let with_dropout = NetworkOptions { dropout: 0.2, ..NetworkOptions::new(18) };
    insta::assert_snapshot!("mobilenet_v2_steps", steps("mobilenet_v2", &with_dropout));
    insta::assert_snapshot!("mobilenet_v3_large_steps", steps("mobilenet_v3_large", &with_dropout));
    insta::assert_snapshot!("efficientnet_b0_steps", steps("efficientnet_b0", &with_dropout));
    insta::assert_snapshot!("convnext_tiny_steps", steps("convnext_tiny", &with_dropout));
    insta::assert_snapshot!("vit_small_steps", steps("vit_small_patch16_224", &with_dropout));
    insta::assert_snapshot!("squeezenet1_1_steps", steps("squeezenet1_1", &with_dropout));
}

/// Networks without halvings that could be left out.
const NO_SMALL_STEM: [&str; 5] = ["convnext_tiny", "vit_small_patch16_224", "squeezenet1_1", "small_cnn", "mlp"];

#[test]
fn a_small_stem_keeps_the_size_four_times_as_large() {
    for network in NETWORKS.iter().filter(|network| !NO_SMALL_STEM.contains(&network.name)) {
        let last_map = |stem| {
            let mut graph = GraphBuilder::new();
            let image = graph.input("image", DType::F32, [1, 64, 64, 3]);
            let outputs = network.build(&mut graph, image, &NetworkOptions { stem, ..NetworkOptions::new(3) }).unwrap();
            let mut maps = outputs.steps.iter().map(|step| graph.shape(step.value)).filter(|shape| shape.len() == 4);
            maps.next_back().unwrap()[1]
        };
        assert_eq!((last_map(Stem::Imagenet), last_map(Stem::Small)), (2, 8), "{}", network.name);
    }
    for name in NO_SMALL_STEM {
        let mut graph = GraphBuilder::new();
        let image = graph.input("image", DType::F32, [1, 64, 64, 3]);
        let options = NetworkOptions { stem: Stem::Small, ..NetworkOptions::new(3) };
        let error = find(name).unwrap().build(&mut graph, image, &options).unwrap_err();
        assert_eq!(error.to_string(), format!("{name} has no small stem: the option stem must be imagenet"));
    }
}

#[test]
fn small_networks_are_shown_too() {
    let options = NetworkOptions { dropout: 0.3, ..NetworkOptions::new(18) };
    let small = summary(find("small_cnn").unwrap(), 60, &options);
    insta::assert_snapshot!("small_cnn_layers", small.to_string());
    insta::assert_snapshot!("small_cnn_steps", small.steps_table());
    let stem = NetworkOptions { stem: Stem::Small, ..NetworkOptions::new(10) };
    insta::assert_snapshot!("resnet18_small_stem_steps", summary(find("resnet18").unwrap(), 32, &stem).steps_table());
}

#[test]
fn what_cannot_be_built_is_said() {
    let mut graph = GraphBuilder::new();
    let image = graph.input("image", DType::F32, [1, 45, 60, 3]);
    let error = find("small_cnn").unwrap().build(&mut graph, image, &NetworkOptions::new(2)).unwrap_err();
    assert_eq!(error.to_string(), "small_cnn needs pictures of at least 46×46 pixels, these are 45×60");
    let image = graph.input("picture", DType::F32, [1, 224, 230, 3]);
    let error = find("vit_small_patch16_224").unwrap().build(&mut graph, image, &NetworkOptions::new(2)).unwrap_err();
    let says = "vit_small_patch16_224 cuts pictures into patches of 16×16 pixels: both sides must be multiples of 16, these are \
                224×230";
    assert_eq!(error.to_string(), says);
    let image = graph.input("small picture", DType::F32, [1, 31, 64, 3]);
    let error = find("convnext_tiny").unwrap().build(&mut graph, image, &NetworkOptions::new(2)).unwrap_err();
    assert_eq!(error.to_string(), "convnext_tiny needs pictures of at least 32×32 pixels, these are 31×64");
    let image = graph.input("smaller", DType::F32, [1, 40, 16, 3]);
    let error = find("squeezenet1_1").unwrap().build(&mut graph, image, &NetworkOptions::new(2)).unwrap_err();
    assert_eq!(error.to_string(), "squeezenet1_1 needs pictures of at least 17×17 pixels, these are 40×16");
    let error = find("resnet1").unwrap_err();
    let there = "resnet18, resnet34, resnet50, resnet50_v1, resnet101, mobilenet_v2, tf_mobilenet_v2, \
                 mobilenet_v3_large, efficientnet_b0, efficientnet_b1, efficientnet_b2, efficientnet_b3, \
                 tf_efficientnet_lite0, tf_efficientnet_lite1, tf_efficientnet_lite2, convnext_tiny, \
                 vit_small_patch16_224, squeezenet1_1, small_cnn, mlp, custom";
    assert_eq!(error.to_string(), format!("there is no network \"resnet1\"; there are {there}"));
    let mut preprocess = find("mlp").unwrap().preprocess();
    preprocess.std = [0.0; 3];
    assert!(image_input(&mut GraphBuilder::new(), 1, &preprocess).is_err());
    let mut graph = GraphBuilder::new();
    let image = graph.input("image", DType::F32, [1, 32, 32, 3]);
    assert!(find("resnet18").unwrap().build(&mut graph, image, &NetworkOptions::new(0)).is_err());
}
