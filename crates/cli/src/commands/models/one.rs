//! One network: layers, steps, sizes, memory.

use std::io::Write;

use avizor_base::ImageSize;
use avizor_engine::GraphBuilder;
use avizor_models::{Network, NetworkOptions, Stages, Summary, image_input};
use avizor_train::Recipe;
use avizor_train::recipe::{Freeze, Frozen};
use serde_json::json;

use super::memory::{Memory, OPTIMIZER, Sized, table};
use super::published::Weights;
use super::speed::{BATCH, Measured};
use crate::args;
use crate::failure::Failure;
use crate::numbers::{count, megabytes};
use crate::session::Session;

/// Bytes of a number in f32.
const F32: usize = 4;

/// Everything that is shown.
struct Shown<'a> {
    network: &'static Network,
    args: &'a args::Models,
    size: ImageSize,
    weights: Weights,
    summary: Summary,
    memory: Vec<Memory>,
}

pub(super) fn run(session: &Session, args: &args::Models, network: &'static Network) -> Result<(), Failure> {
    let shown = Shown::of(session, args, network)?;
    let speed = args.speed.then(|| {
        let Shown { size, .. } = shown;
        let batch = args.batch.unwrap_or(BATCH);
        Measured { network, size: size.height(), classes: args.classes, stem: args.stem, batch }.measure(session)
    });
    let speed = speed.transpose()?;
    let mut out = anstream::stdout();
    if args.json {
        let mut answer = shown.json(session);
        answer["speed"] = speed.map_or(serde_json::Value::Null, |speed| speed.json());
        writeln!(out, "{answer}")?;
        return Ok(());
    }
    write!(out, "{}", shown.text(session))?;
    if let Some(speed) = speed {
        writeln!(out, "\nspeed at batch {}: {}", args.batch.unwrap_or(BATCH), speed.sentence())?;
    }
    Ok(())
}

impl<'a> Shown<'a> {
    fn of(session: &Session, args: &'a args::Models, network: &'static Network) -> Result<Self, Failure> {
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
        let (stages, weights) = (Stages::new(&graph, &outputs), Weights::of(network));
        let frozen = frozen_stages(args.freeze, &stages, network)?;
        let trainable = stages.trainable(&graph, frozen, weights.have_folded_norms());
        let batch = args.batch.map_or(Recipe::default().train.batch, usize::from);
        let sized = Sized { network, options: &options, preprocess: &preprocess };
        let memory = sized.memory(batch, &trainable, &session.cpu())?;
        let summary = Summary::new(&graph, &outputs, &trainable);
        Ok(Self { network, args, size: preprocess.size, weights, summary, memory })
    }

    fn text(&self, session: &Session) -> String {
        let Self { network, weights, summary, memory, .. } = self;
        let mut text = format!("{}: {}\n{}\n", network.name, network.doc, network.paper);
        if let Some(of) = weights.accuracy {
            text.push_str(&format!(
                "ImageNet: {:.1} % of the validation part right at {} px ({}, says {})\nweights: {}\n",
                of.top1,
                of.size,
                of.weights,
                of.source,
                weights.sentence(network)
            ));
        }
        text.push_str(&format!("\n{summary}\n{}\n", summary.steps_table()));
        let size = |parameters: usize| megabytes((parameters * F32) as u64);
        let (all, learn) = (summary.parameters(), summary.trainable());
        text.push_str(&format!(
            "parameters  {:>12}  {:>10} in f32\ntrainable   {:>12}  {:>10}{}\n",
            count(all as u64),
            size(all),
            count(learn as u64),
            size(learn),
            self.why_frozen()
        ));
        text.push_str(&format!("\n{}", table(memory, session.level.name())));
        text
    }

    /// Why not everything learns.
    fn why_frozen(&self) -> String {
        let frozen = match self.args.freeze {
            Freeze::Named(Frozen::None) | Freeze::Stages(0) => None,
            Freeze::Named(Frozen::Backbone) => Some("all but the head is frozen".to_owned()),
            Freeze::Stages(1) => Some("the first stage is frozen".to_owned()),
            Freeze::Stages(stages) => Some(format!("the first {stages} stages are frozen")),
        };
        let folded = self.weights.have_folded_norms();
        let folded = folded.then(|| "norms of its ImageNet weights are folded and never learn".to_owned());
        let reasons: Vec<String> = [frozen, folded].into_iter().flatten().collect();
        if reasons.is_empty() { String::new() } else { format!("  {}", reasons.join("; ")) }
    }

    fn json(&self, session: &Session) -> serde_json::Value {
        let Self { network, args, size, weights, summary, memory } = self;
        let layer = |row: &avizor_models::SummaryRow| {
            json!({
                "name": row.name,
                "operator": row.operator,
                "output": row.output[..],
                "parameters": row.parameters,
                "trainable_parameters": row.trainable,
                "multiply_adds": row.multiply_adds,
            })
        };
        json!({
            "format": 1,
            "what": "network",
            "name": network.name,
            "doc": network.doc,
            "paper": network.paper,
            "size": [size.height(), size.width()],
            "classes": args.classes,
            "parameters": summary.parameters(),
            "parameter_bytes": summary.parameters() * F32,
            "trainable_parameters": summary.trainable(),
            "multiply_adds": summary.multiply_adds(),
            "imagenet": weights.accuracy_json(),
            "weights": weights.json(),
            "layers": summary.rows().iter().map(layer).collect::<Vec<_>>(),
            "memory": memory.iter().map(Memory::json).collect::<Vec<_>>(),
            "optimizer": OPTIMIZER.1,
            "level": session.level.name(),
            "threads": session.threads,
            "version": env!("CARGO_PKG_VERSION"),
        })
    }
}

/// How many stages `--freeze` means.
fn frozen_stages(freeze: Freeze, stages: &Stages, network: &Network) -> Result<usize, Failure> {
    let below_head = stages.below_head();
    match freeze {
        Freeze::Named(Frozen::None) => Ok(0),
        Freeze::Named(Frozen::Backbone) => Ok(below_head.len()),
        Freeze::Stages(count) if count <= below_head.len() => Ok(count),
        Freeze::Stages(count) => Err(Failure::usage(format!(
            "--freeze is {count}, but {} has {} stages below its head: {}",
            network.name,
            below_head.len(),
            below_head.join("; ")
        ))
        .help("freeze fewer, or all of them by `--freeze backbone`")),
    }
}
