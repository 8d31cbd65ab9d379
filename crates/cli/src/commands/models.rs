//! `avizor models`.

use std::io::Write;

use avizor_base::ImageSize;
use avizor_engine::GraphBuilder;
use avizor_models::{CUSTOM, NETWORKS, NetworkOptions, Summary, find, image_input};

use crate::args;
use crate::failure::Failure;
use crate::numbers::count;

pub(crate) fn run(args: &args::Models) -> Result<(), Failure> {
    let mut out = anstream::stdout();
    let Some(name) = &args.name else {
        for network in NETWORKS {
            let parameters = count(network.parameters as u64);
            writeln!(out, "{:<21} {parameters:>12} parameters at {} px  {}", network.name, network.size, network.doc)?;
        }
        writeln!(out, "{:<21} {:>33}  {}", CUSTOM.name, "", CUSTOM.doc)?;
        writeln!(out, "\nParameters are those at 1,000 classes. Layer by layer: `avizor models NAME`.")?;
        return Ok(());
    };
    let network = find(name)?;
    let mut preprocess = network.preprocess();
    if let Some(size) = args.size.and_then(|side| ImageSize::new(side, side)) {
        preprocess.size = size;
    }
    let options = NetworkOptions { stem: args.stem.into(), ..NetworkOptions::new(args.classes as usize) };
    let mut graph = GraphBuilder::new();
    let image = image_input(&mut graph, 1, &preprocess)?;
    let outputs = network.build(&mut graph, image, &options)?;
    graph.output("logits", outputs.logits);
    let graph = graph.finish().map_err(|error| Failure::usage(error.to_string()))?;
    let summary = Summary::new(&graph, &outputs);
    writeln!(out, "{summary}\n{}", summary.steps_table())?;
    Ok(())
}

impl From<args::Stem> for avizor_models::Stem {
    fn from(stem: args::Stem) -> Self {
        match stem {
            args::Stem::Imagenet => Self::Imagenet,
            args::Stem::Small => Self::Small,
        }
    }
}
