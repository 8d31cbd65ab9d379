//! `avizor predict`.

use std::io::Write;
use std::path::PathBuf;

use avizor_data::index::list_pictures;
use avizor_predict::{Model, Prediction};

use super::predict_metadata;
use crate::args;
use crate::failure::Failure;
use crate::numbers::probability;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &args::Predict) -> Result<(), Failure> {
    let mut model = Model::open(&args.model, session.cpu())?;
    let pictures = pictures(&args.pictures)?;
    let metadata = predict_metadata::of(session, args, &model, &pictures)?;
    let mut out = anstream::stdout();
    let mut unreadable = 0;
    let mut written = Ok(());
    model.predict(&pictures, &metadata, usize::from(args.top), |prediction| {
        unreadable += usize::from(prediction.result.is_err());
        if written.is_ok() {
            written = if args.json { json(&mut out, &prediction) } else { text(&mut out, &prediction) };
        }
    });
    written?;
    match unreadable {
        0 => Ok(()),
        n => Err(Failure::run(format!("{n} of {} files could not be read; all others were answered", pictures.len()))),
    }
}

/// Folders become the pictures in them.
fn pictures(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut pictures = Vec::new();
    for path in paths {
        if path.is_dir() {
            let (found, _) = list_pictures(path).map_err(|error| Failure::run(error.to_string()).help(error.help()))?;
            if found.is_empty() {
                return Err(Failure::run(format!("{} holds no picture", path.display())));
            }
            pictures.extend(found.iter().map(|name| path.join(name)));
        } else {
            pictures.push(path.clone());
        }
    }
    Ok(pictures)
}

fn json(out: &mut impl Write, prediction: &Prediction) -> std::io::Result<()> {
    let path = prediction.path.to_string_lossy();
    let line = match &prediction.result {
        Ok(top) => {
            let top: Vec<_> = top
                .iter()
                .map(|guess| serde_json::json!({ "class": guess.class, "probability": guess.probability }))
                .collect();
            serde_json::json!({ "path": path, "top": top })
        }
        Err(error) => serde_json::json!({ "path": path, "error": error }),
    };
    writeln!(out, "{line}")
}

fn text(out: &mut impl Write, prediction: &Prediction) -> std::io::Result<()> {
    match &prediction.result {
        Ok(top) => {
            let guesses: Vec<String> =
                top.iter().map(|guess| format!("{} {}", guess.class, probability(guess.probability.into()))).collect();
            writeln!(out, "{}: {}", prediction.path.display(), guesses.join(", "))
        }
        Err(error) => writeln!(out, "{}: {error}", prediction.path.display()),
    }
}
