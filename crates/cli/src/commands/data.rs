//! `avizor data`.

use std::io::Write;

use avizor_base::{JpegDecoding, Preprocess, ResizeRule};
use avizor_data::cache::{held, remove};
use avizor_report::{Sheet, SheetRow};
use avizor_train::{Preview, Recipe};

use super::fetch::first_use;
use super::train::with_progress;
use crate::args::{self, DataWhat};
use crate::failure::Failure;
use crate::numbers::{count, megabytes};
use crate::session::{Session, pictures_folder, training_recipe};

/// Sides up to which single pixels are shown as squares.
const FEW_PIXELS: u32 = 96;

pub(crate) fn run(session: &Session, args: &args::Data) -> Result<(), Failure> {
    match &args.what {
        DataWhat::Preview(args) => preview(session, args),
        DataWhat::Cache(args) => cache(args),
    }
}

fn cache(args: &args::DataCache) -> Result<(), Failure> {
    let Some(folder) = pictures_folder() else {
        let message = "there is no folder of the user's to remember pictures in";
        return Err(Failure::run(message).help("name one by AVIZOR_CACHE=FOLDER"));
    };
    let held = match args.clear {
        true => remove(&folder).map_err(|error| Failure::run(format!("{}: {error}", folder.display())))?,
        false => held(&folder),
    };
    let mut out = anstream::stdout();
    if args.json {
        let key = if args.clear { "removed" } else { "held" };
        let answer = serde_json::json!({
            "format": 1,
            "folder": folder,
            key: { "files": held.files, "bytes": held.bytes },
        });
        return Ok(writeln!(out, "{answer}")?);
    }
    let removed = if args.clear { " removed" } else { "" };
    let (size, files) = (megabytes(held.bytes), count(held.files as u64));
    Ok(writeln!(out, "{}: {size} in {files} files{removed}", folder.display())?)
}

fn preview(session: &Session, args: &args::DataPreview) -> Result<(), Failure> {
    if args.out.extension().is_none_or(|extension| extension != "html") {
        let message = format!("--out {}: the sheet is a page of HTML", args.out.display());
        return Err(Failure::usage(message).help("give it a name that ends in .html"));
    }
    let (mut recipe, _) = training_recipe(&args.path, &args.set)?;
    if let Some(seed) = args.seed {
        (recipe.train.seed, recipe.split.seed) = (seed, seed);
    }
    first_use(session, &recipe)?;
    let (pictures, versions) = (usize::from(args.pictures), usize::from(args.versions));
    let preview = with_progress(session, |env| avizor_train::preview(&recipe, pictures, versions, env))?;
    let sheet = sheet(&preview, &recipe);
    avizor_report::write_sheet(&args.out, &sheet)?;
    let mut out = anstream::stdout();
    writeln!(out, "{}: {}", preview.name, sheet.line)?;
    sheet.steps.iter().try_for_each(|step| writeln!(out, "  {step}"))?;
    sheet.notes.iter().try_for_each(|note| writeln!(out, "{note}"))?;
    if preview.epochs.is_empty() && !session.quiet {
        // A hint that cannot be shown stops nothing.
        let _ = writeln!(anstream::stderr(), "hint: see some changes by --set transforms.train=a2");
    }
    Ok(writeln!(out, "sheet: {}", args.out.display())?)
}

fn sheet(preview: &Preview, recipe: &Recipe) -> Sheet {
    let size = preview.preprocess.size;
    let line = format!(
        "{} of {} training pictures of {} classes, at {} × {} pixels (seed {})",
        count(preview.pictures.len() as u64),
        count(preview.training as u64),
        count(preview.classes as u64),
        size.height(),
        size.width(),
        recipe.train.seed
    );
    let clean = std::iter::once("unchanged".to_owned());
    let row = |picture: &avizor_train::PreviewedPicture| SheetRow {
        class: picture.class.clone(),
        sample: picture.sample.clone(),
        pictures: std::iter::once(&picture.clean).chain(&picture.changed).map(avizor_data::Picture::to_png).collect(),
    };
    Sheet {
        name: preview.name.clone(),
        line,
        steps: recipe.transforms.train.as_recipe().collect(),
        notes: std::iter::once(seen(&preview.preprocess)).chain(preview.notes.iter().cloned()).collect(),
        columns: clean.chain(preview.epochs.iter().map(|epoch| format!("epoch {epoch}"))).collect(),
        rows: preview.pictures.iter().map(row).collect(),
        shows_pixels: size.height().max(size.width()) <= FEW_PIXELS,
    }
}

/// How a picture becomes the network's input, in a sentence.
fn seen(preprocess: &Preprocess) -> String {
    let shape = match (preprocess.resize, preprocess.cover) {
        (ResizeRule::Squash, _) => "squashed to this size".to_owned(),
        (ResizeRule::Crop, Some(cover)) => {
            format!("scaled to cover {} × {}, then cut to this size from the middle", cover.height(), cover.width())
        }
        (ResizeRule::Crop, None) => "scaled to cover this size, then cut from the middle".to_owned(),
        (ResizeRule::Pad, _) => "scaled to fit into this size, with bars of the background".to_owned(),
    };
    let decoded = match preprocess.jpeg {
        JpegDecoding::Exact => "",
        JpegDecoding::Libjpeg => "JPEGs are decoded by libjpeg-turbo. ",
        JpegDecoding::Scaled => "JPEGs are decoded at a part of their size where that is enough. ",
    };
    format!("{decoded}Pictures are {shape}; numbers are normalised after all that is shown here.")
}
