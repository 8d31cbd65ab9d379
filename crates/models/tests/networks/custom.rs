//! Networks whose layers are listed.

use avizor_base::Seed;
use avizor_engine::{CompileOptions, DType, GraphBuilder, Program, State};
use avizor_kernels::Cpu;
use avizor_models::{LAYERS, Layers, NetworkOptions, find};
use serde_json::{Map, Value, json};

use crate::formula;
use crate::level::level;

fn layers(list: Value) -> Result<Layers, String> {
    serde_json::from_value(list).map_err(|error| error.to_string())
}

/// Logits of a network for two formula pictures, with the weights of another one.
fn logits(name: &str, options: &NetworkOptions, size: usize, weights: Option<&State>) -> (Vec<f32>, State) {
    let mut graph = GraphBuilder::new();
    let image = graph.input("image", DType::F32, [2, size, size, 3]);
    let outputs = find(name).unwrap().build(&mut graph, image, options).unwrap();
    graph.output("logits", outputs.logits);
    let graph = graph.finish().unwrap();
    let cpu = Cpu::new(2, level());
    let mut state = State::new(&graph);
    state.initialise(Seed(1));
    if let Some(weights) = weights {
        assert_eq!(state.parameters().len(), weights.parameters().len());
        for (to, from) in state.parameters().to_vec().iter().zip(weights.parameters()) {
            let values = weights.read_disk(&from.name).unwrap();
            state.write_disk(&to.name, &from.disk_shape(), &values).unwrap();
        }
    }
    let program = Program::compile(&graph, &CompileOptions::infer(), &cpu, &mut state).unwrap();
    state.input_f32_mut(&program, "image").copy_from_slice(&formula::image(1, 2, size));
    program.run(&cpu, &mut state);
    (state.output(&program, "logits").to_vec(), state)
}

#[test]
fn the_small_network_can_be_listed() {
    let mut list = Vec::new();
    for out in [32, 64, 128, 256] {
        let block = json!([{ "op": "conv", "out": out }, { "op": "relu" }, { "op": "max_pool", "size": 2 }]);
        list.extend(block.as_array().unwrap().clone());
    }
    let end =
        json!([{ "op": "flatten" }, { "op": "dropout", "p": 0.3 }, { "op": "dense", "out": 256 }, { "op": "relu" }]);
    list.extend(end.as_array().unwrap().clone());
    let options = NetworkOptions { layers: layers(list.into()).unwrap(), ..NetworkOptions::new(5) };
    // Of 76 pixels four maps of 2 × 2 are left: files count them channel by channel.
    let (wanted, weights) = logits("small_cnn", &NetworkOptions::new(5), 76, None);
    let (listed, state) = logits("custom", &options, 76, Some(&weights));
    assert_eq!(listed, wanted);
    let names: Vec<&str> = state.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
    let layers = ["0", "3", "6", "9", "14", "16"];
    assert_eq!(names, layers.map(|layer| [format!("{layer}.weight"), format!("{layer}.bias")]).concat());
}

#[test]
fn every_layer_says_its_options_and_is_read_as_it_was_written() {
    for row in LAYERS {
        let mut entry = Map::from_iter([("op".to_owned(), json!(row.op))]);
        for option in row.options.iter().filter(|option| option.default.is_empty()) {
            let value = if option.name == "layers" { json!([{ "op": "relu" }]) } else { json!(2) };
            entry.insert(option.name.to_owned(), value);
        }
        let read = layers(json!([entry])).unwrap();
        assert_eq!(read.list()[0].op(), row.op);
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!(layers(written.clone()).unwrap(), read, "{}", row.op);
        let written = written[0].as_object().unwrap();
        assert_eq!(written.len(), 1 + row.options.len(), "{}", row.op);
        for option in row.options.iter().filter(|option| !option.default.is_empty()) {
            let default = serde_json::from_str(option.default).unwrap_or_else(|_| written[option.default].clone());
            assert_eq!(written[option.name], default, "{}, {}", row.op, option.name);
        }
        assert!(row.doc.ends_with('.') && row.options.iter().all(|option| option.doc.ends_with('.')), "{}", row.op);
    }
}

#[test]
fn a_wrong_list_is_told_with_the_layer() {
    let mut deep = json!([{ "op": "relu" }]);
    for _ in 0..9 {
        deep = json!([{ "op": "residual", "layers": deep }]);
    }
    let cases = [
        (json!([{ "out": 3 }]), "layer 1 has no `op = \"…\"` that names it"),
        (
            json!([{ "op": "relu" }, { "op": "convv", "out": 3 }]),
            "layer 2: there is no layer \"convv\"; the nearest name is `conv`",
        ),
        (
            json!([{ "op": "conv", "out": 3, "paddding": 1 }]),
            "layer 1: `conv` has no option \"paddding\"; the nearest name is `padding`",
        ),
        (json!([{ "op": "relu", "p": 1 }]), "layer 1: `relu` has no option \"p\"; it has none"),
        (json!([{ "op": "conv" }]), "layer 1, conv: needs `out`, such as `out = 32`"),
        (json!([{ "op": "conv", "out": 0 }]), "layer 1, conv: `out` is 0; it must be a whole number from 1 to 65536"),
        (
            json!([{ "op": "conv", "out": 8, "stride": 0 }]),
            "layer 1, conv: `stride` is 0; it must be a whole number from 1 to 64",
        ),
        (
            json!([{ "op": "dense", "out": "many" }]),
            "layer 1, dense: `out` is \"many\"; it must be a whole number from 1 to 65536",
        ),
        (json!([{ "op": "conv", "out": 8, "bias": 1 }]), "layer 1, conv: `bias` is 1; it must be true or false"),
        (json!([{ "op": "dropout", "p": 1.0 }]), "layer 1, dropout: `p` is 1.0; it must be a number from 0 to below 1"),
        (
            json!([{ "op": "max_pool", "size": 2, "padding": 2 }]),
            "layer 1, max_pool: `padding` is 2; it must be a whole number from 0 to 1",
        ),
        (
            json!([{ "op": "residual" }]),
            "layer 1, residual: needs `layers`, such as `layers = [{ op = \"conv\", out = 32, padding = 1 }]`",
        ),
        (
            json!([{ "op": "residual", "layers": [] }]),
            "layer 1, residual: `layers` must be a list of layers, at least one",
        ),
        (
            json!([{ "op": "relu" }, { "op": "residual", "layers": [{ "op": "relu" }, { "op": "rely" }] }]),
            "layer 2.2: there is no layer \"rely\"; the nearest name is `relu`",
        ),
        (deep, "layer 1.1.1.1.1.1.1.1.1, residual: stands in 8 blocks already"),
        (json!(vec![json!({ "op": "relu" }); 513]), "more than 512 layers are listed"),
    ];
    for (list, expected) in cases {
        assert_eq!(layers(list).unwrap_err(), expected);
    }
}

#[test]
fn layers_that_do_not_fit_are_told_with_what_they_get() {
    let cases = [
        (json!([]), "custom has no layers: list them in model.layers"),
        (
            json!([{ "op": "conv", "out": 4 }, { "op": "dense", "out": 8 }]),
            "layer 2, dense: needs numbers in a row, and gets 4 maps of 30×30; put `flatten` or `global_avg_pool` before it",
        ),
        (
            json!([{ "op": "flatten" }, { "op": "conv", "out": 4 }]),
            "layer 2, conv: needs maps, and gets 3072 numbers in a row; it must stand before `flatten` and `global_avg_pool`",
        ),
        (
            json!([{ "op": "conv", "out": 4 }]),
            "layer 1, conv: the last layer leaves 4 maps of 30×30; put `global_avg_pool` or `flatten` behind it",
        ),
        (
            json!([{ "op": "flatten" }, { "op": "relu" }, { "op": "batch_norm" }]),
            "layer 3, batch_norm: cannot stand between `flatten` and the next `dense`; put it before or behind both",
        ),
        (
            json!([{ "op": "residual", "layers": [{ "op": "conv", "out": 3 }] }, { "op": "flatten" }]),
            "layer 1, residual: its layers make 3 maps of 30×30 of 3 maps of 32×32, and must keep the shape to be added",
        ),
        (
            json!([{ "op": "residual", "layers": [{ "op": "relu" }, { "op": "conv", "out": 4, "groups": 2 }] }]),
            "layer 1.2, conv: `groups` is 2; it must divide the 3 maps that come in and the 4 that go out",
        ),
        (
            json!([{ "op": "max_pool", "size": 33 }, { "op": "flatten" }]),
            "layer 1, max_pool: a window of 33×33 does not fit the input 2×32×32×3 with a padding of 0×0",
        ),
        (
            json!([{ "op": "flatten" }, { "op": "dense", "out": 65536 }, { "op": "dense", "out": 65536 }]),
            "layer 3, dense: with it the network has more than 268435456 weights",
        ),
        (
            json!([{ "op": "conv", "out": 60000, "kernel": 1 }, { "op": "flatten" }]),
            "layer 3, dense: with it the network has more than 268435456 weights",
        ),
        (
            json!([{ "op": "conv", "out": 60000, "kernel": 1, "padding": 8 }, { "op": "flatten" }]),
            "layer 1, conv: makes 138240000 numbers of a picture; more than 134217728 are not taken",
        ),
    ];
    for (list, expected) in cases {
        let mut graph = GraphBuilder::new();
        let image = graph.input("image", DType::F32, [2, 32, 32, 3]);
        let options = NetworkOptions { layers: layers(list).unwrap(), ..NetworkOptions::new(5) };
        let error = find("custom").unwrap().build(&mut graph, image, &options).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}
