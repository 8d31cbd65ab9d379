//! `avizor bench loader`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use avizor_base::Seed;
use avizor_data::loader::{LoadError, LoaderOptions, plain_order, shuffled_order};
use avizor_data::transforms::Transforms;
use avizor_data::{Loader, PictureCache, Prepared, scan};
use avizor_train::{Recipe, Source};
use serde_json::{Value, json};

use super::clock::{Times, duration};
use crate::args;
use crate::failure::Failure;
use crate::session::{Session, recipe};

/// Pictures of an epoch, at most: enough for a mean over their sizes, few enough for a minute.
const MOST_PICTURES: usize = 512;

pub(crate) fn run(session: &Session, args: &args::BenchLoader) -> Result<(), Failure> {
    let recipe = recipe(&args.path, &args.set)?;
    let bench = LoaderBench::new(session, &recipe)?;
    let time = duration(args.seconds);
    let pictures = bench.rows.len();
    // With no budget nothing is kept, and every epoch decodes every picture.
    let cold = Arc::new(bench.source.prepared(0));
    let mut ways = vec![
        ("decode", Some(bench.times(time, &cold, None)?)),
        ("file", Some(bench.remembered(time, &Folder::new().0)?)),
        ("prepared", Some(bench.times(time, &bench.prepared, None)?)),
        ("augmented", None),
    ];
    if !recipe.transforms.train.is_empty() {
        ways[3].1 = Some(bench.times(time, &bench.prepared, Some(&recipe.transforms.train))?);
    }
    let size = bench.prepared.size();
    let (height, width) = (size.height(), size.width());
    let mut out = anstream::stdout();
    if args.json {
        let of = |(name, times): &(&str, Option<Times>)| {
            let told = times.as_ref().map(
                |times| json!({ "images_per_second": pictures as f64 / times.median(), "epoch_seconds": times.json() }),
            );
            ((*name).to_owned(), told.unwrap_or(Value::Null))
        };
        let mut answer = json!({
            "format": 1,
            "what": "loader",
            "pictures": pictures,
            "unreadable": bench.unreadable,
            "size": [height, width],
            "batch": recipe.train.batch,
            "threads": session.threads,
            "version": env!("CARGO_PKG_VERSION"),
        });
        if let Value::Object(fields) = &mut answer {
            fields.extend(ways.iter().map(of));
        }
        writeln!(out, "{answer}")?;
        return Ok(());
    }
    let left_out =
        if bench.unreadable > 0 { format!(", {} unreadable left out", bench.unreadable) } else { String::new() };
    writeln!(out, "{pictures} pictures to {height} × {width}{left_out}, {} threads", session.threads)?;
    for (name, times) in &ways {
        let Some(times) = times else {
            writeln!(out, "  {name:<10} nothing to measure: the recipe's transforms.train is empty")?;
            continue;
        };
        let rate = |seconds: f64| pictures as f64 / seconds;
        writeln!(
            out,
            "  {name:<10} {:>9.1} pictures/s (range {:.1}–{:.1}, n = {} epochs)",
            rate(times.median()),
            rate(times.most()),
            rate(times.least()),
            times.n()
        )?;
    }
    Ok(())
}

/// The pictures of a recipe, those that are measured decoded and kept.
struct LoaderBench {
    source: Source,
    prepared: Arc<Prepared>,
    rows: Vec<u32>,
    unreadable: usize,
    options: LoaderOptions,
}

impl LoaderBench {
    /// Reads the pictures, or of many the same share of every class.
    fn new(session: &Session, recipe: &Recipe) -> Result<Self, Failure> {
        let mut recipe = recipe.clone();
        let all = Source::of(&recipe)?.index().len();
        recipe.data.fraction *= (MOST_PICTURES as f64 / all as f64).min(1.0);
        let source = Source::of(&recipe)?;
        let prepared = Arc::new(source.prepared(Prepared::DEFAULT_BUDGET));
        let rows = readable(&prepared, session.threads);
        let unreadable = source.index().len() - rows.len();
        if rows.is_empty() {
            let message = format!("none of the {unreadable} pictures tried can be read");
            return Err(Failure::run(message).help("see what is wrong with each by `avizor audit`"));
        }
        let (batch, seed) = (recipe.train.batch, Seed(recipe.train.seed));
        let options = LoaderOptions { batch, epoch: 0, seed, threads: session.threads, first_batch: 0 };
        Ok(Self { source, prepared, rows, unreadable, options })
    }

    /// Epochs of pictures that a file in `folder` remembers and memory does not.
    fn remembered(&self, time: Duration, folder: &Path) -> Result<Times, Failure> {
        let failed = |error: std::io::Error| Failure::run(format!("{}: {error}", folder.display()));
        let cache = PictureCache::open(folder, self.prepared.preprocess(), PictureCache::DEFAULT_LIMIT);
        let prepared = Arc::new(self.source.prepared(0).remembering(cache.map_err(failed)?));
        readable(&prepared, self.options.threads);
        self.times(time, &prepared, None)
    }

    /// Times of whole epochs.
    fn times(
        &self,
        time: Duration,
        prepared: &Arc<Prepared>,
        transforms: Option<&Transforms>,
    ) -> Result<Times, Failure> {
        let mut result = Ok(());
        let mut options = self.options;
        let times = Times::of(time, || {
            options.epoch += 1;
            if result.is_ok() {
                result = self.epoch(prepared, transforms, options);
            }
        });
        match result {
            Ok(()) => Ok(times),
            Err(error) => Err(Failure::run(error.to_string()).help(error.help())),
        }
    }

    fn epoch(
        &self,
        prepared: &Arc<Prepared>,
        transforms: Option<&Transforms>,
        options: LoaderOptions,
    ) -> Result<(), LoadError> {
        let visits = shuffled_order(options.seed, options.epoch, plain_order(&self.rows));
        let mut loader = Loader::new(Arc::clone(prepared), visits, transforms.cloned(), options)?;
        while loader.next_batch()?.is_some() {}
        Ok(())
    }
}

/// Reads all pictures: the rows of those that can be.
fn readable(prepared: &Prepared, threads: usize) -> Vec<u32> {
    let scan = scan(prepared.index(), &prepared.decode_options(), threads, Some(prepared), |_| {});
    (0..prepared.index().len()).filter(|&row| scan.is_usable(row)).map(|row| row as u32).collect()
}

/// A folder that is gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("avizor-bench-{}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left lies among temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
