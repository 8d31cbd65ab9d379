//! `avizor predict`.

use std::io::Write;
use std::path::PathBuf;

use avizor_data::Found;
use avizor_data::index::list_pictures;
use avizor_predict::{Model, Prediction};

use super::predict_metadata;
use crate::args;
use crate::failure::Failure;
use crate::numbers::probability;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &args::Predict) -> Result<(), Failure> {
    let mut model = Model::open(&args.model, session.cpu())?;
    let (pictures, refused) = pictures(&args.pictures)?;
    let metadata = predict_metadata::of(session, args, &model, &pictures)?;
    let mut out = anstream::stdout();
    let all = refused.len() + pictures.len();
    let mut unreadable = 0;
    let mut written = Ok(());
    let mut tell = |prediction: Prediction| {
        unreadable += usize::from(prediction.result.is_err());
        if written.is_ok() {
            written = if args.json { json(&mut out, &prediction) } else { text(&mut out, &prediction) };
        }
    };
    refused.into_iter().for_each(&mut tell);
    model.predict(&pictures, &metadata, usize::from(args.top), tell);
    written?;
    match unreadable {
        0 => Ok(()),
        n => Err(Failure::run(format!("{n} of {all} files could not be read; all others were answered"))),
    }
}

/// Folders, archives and Parquet files become the pictures in them. One that cannot be read does not silence the others.
fn pictures(paths: &[PathBuf]) -> Result<(Vec<Found>, Vec<Prediction>), Failure> {
    let (mut pictures, mut refused) = (Vec::new(), Vec::new());
    let mut first = None;
    for path in paths {
        match list_pictures(path) {
            Ok(found) => pictures.extend(found),
            Err(error) => {
                refused.push(Prediction { path: path.clone(), result: Err(error.to_string()) });
                first.get_or_insert(error);
            }
        }
    }
    match first {
        Some(error) if pictures.is_empty() => Err(Failure::run(error.to_string()).help(error.help())),
        _ => Ok((pictures, refused)),
    }
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
