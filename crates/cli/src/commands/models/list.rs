//! All networks, a line each.

use std::io::Write;

use avizor_engine::{GraphBuilder, Trainable};
use avizor_models::{CUSTOM, NETWORKS, Network, NetworkOptions, Summary, image_input};
use serde_json::{Value, json};

use super::published::Weights;
use super::speed::{BATCH, Measured, Speed};
use crate::args;
use crate::failure::Failure;
use crate::numbers::count;
use crate::progress::MeasuringBar;
use crate::session::Session;

/// Classes of ImageNet, at which parameters are counted.
const CLASSES: usize = 1000;

/// A network of the list.
struct Row {
    network: &'static Network,
    multiply_adds: u64,
    weights: Weights,
    speed: Option<Speed>,
}

pub(super) fn run(session: &Session, args: &args::Models) -> Result<(), Failure> {
    let mut bar = args.speed.then(|| MeasuringBar::new(session.quiet, NETWORKS.len()));
    let mut rows = Vec::with_capacity(NETWORKS.len());
    for network in NETWORKS {
        let speed = bar.as_mut().map(|bar| {
            bar.begin(network.name);
            Measured::as_made(network).measure(session)
        });
        let (multiply_adds, weights) = (multiply_adds(network)?, Weights::of(network));
        rows.push(Row { network, multiply_adds, weights, speed: speed.transpose()? });
    }
    drop(bar);
    let mut out = anstream::stdout();
    if args.json {
        let answer = json!({
            "format": 1,
            "what": "networks",
            "networks": rows.iter().map(Row::json).collect::<Vec<_>>(),
            "level": session.level.name(),
            "threads": session.threads,
            "version": env!("CARGO_PKG_VERSION"),
        });
        writeln!(out, "{answer}")?;
        return Ok(());
    }
    write!(out, "{}", text(&rows, session, args.speed))?;
    Ok(())
}

/// Of one picture at the network's own size.
fn multiply_adds(network: &Network) -> Result<u64, Failure> {
    let mut graph = GraphBuilder::new();
    let image = image_input(&mut graph, 1, &network.preprocess())?;
    let outputs = network.build(&mut graph, image, &NetworkOptions::new(CLASSES))?;
    let graph = graph.finish().map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Summary::new(&graph, &outputs, &Trainable::All).multiply_adds())
}

fn text(rows: &[Row], session: &Session, has_speed: bool) -> String {
    let mut text = format!(
        "{:<21}  {:>10}  {:>4}  {:>9}  {:>6}  {:<15}  {:<8}",
        "network", "parameters", "px", "G mul-add", "top-1", "published by", "weights"
    );
    if has_speed {
        text.push_str(&format!("  {:>8}  {:>8}", "infer/s", "train/s"));
    }
    text.push('\n');
    for row in rows {
        text.push_str(row.text().trim_end());
        text.push('\n');
    }
    text.push_str(&format!("{:<21}  {}\n", CUSTOM.name, CUSTOM.doc));
    text.push_str(
        "\nParameters and multiply-adds (G: 10⁹ a picture) are those at 1,000 classes. Top-1: % of ImageNet's validation part
that is right by what was published of the weights that `avizor models NAME` names; torchvision's are IMAGENET1K_V1.
Weights: at hand; to fetch by `avizor weights fetch NAME`; or by hand, as `avizor weights list` says.\n",
    );
    if has_speed {
        text.push_str(&format!(
            "Pictures a second of inference and of training: median at batch {BATCH}, {} threads, {}.\n",
            session.threads, session.level
        ));
    } else {
        text.push_str("How fast each is on this machine: `avizor models --speed`.\n");
    }
    text.push_str("What a network is, its layers and its memory: `avizor models NAME`.\n");
    text
}

impl Row {
    fn text(&self) -> String {
        let Self { network, multiply_adds, weights, speed } = self;
        let top1 = weights.accuracy.map_or(String::new(), |of| format!("{:.1}", of.top1));
        let source = weights.accuracy.map_or("", |of| of.source);
        let mut text = format!(
            "{:<21}  {:>10}  {:>4}  {:>9.3}  {top1:>6}  {source:<15}  {:<8}",
            network.name,
            count(network.parameters as u64),
            network.size,
            *multiply_adds as f64 / 1e9,
            weights.place()
        );
        if let Some(speed) = speed {
            text.push_str(&format!("  {:>8.1}  {:>8.1}", speed.infer_rate(), speed.train_rate()));
        }
        text
    }

    fn json(&self) -> Value {
        let Self { network, multiply_adds, weights, speed } = self;
        json!({
            "name": network.name,
            "doc": network.doc,
            "paper": network.paper,
            "size": network.size,
            "parameters": network.parameters,
            "multiply_adds": multiply_adds,
            "imagenet": weights.accuracy_json(),
            "weights": weights.json(),
            "speed": speed.as_ref().map(Speed::json),
        })
    }
}
