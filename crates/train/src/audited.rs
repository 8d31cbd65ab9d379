//! The pictures of a recipe, looked at before anything is trained.

use std::collections::BTreeMap;
use std::path::Path;

use avizor_base::{Filter, ImageSize};
use avizor_data::scan::{Record, Seen};
use avizor_data::split::{FoldersError, Materialized, materialize};
use avizor_data::{DecodeOptions, Picture, Resizer, read_place};
use avizor_store::{Audit, Format, Named, PictureStatistics, Quartiles, SampleRow};

use crate::environment::Environment;
use crate::error::TrainError;
use crate::first_weights::FirstWeights;
use crate::recipe::Recipe;
use crate::setup::Setup;
use crate::source;

/// Audited pictures: what was found, and the means to look at them.
#[derive(Debug)]
pub struct Audited {
    setup: Setup,
    name: String,
}

/// Audits the pictures of a recipe; writes nothing. Pictures that cannot be shared out into parts are looked at all the same.
///
/// # Errors
/// Whatever is wrong with the data as a whole.
pub fn audit(recipe: &Recipe, env: &mut Environment<'_>) -> Result<Audited, TrainError> {
    let weights = FirstWeights::of(recipe)?;
    let preprocess = source::preprocess(&recipe.transforms, weights.as_ref())?;
    // Every picture is looked at once: what training keeps of them would only take memory and time.
    let setup = Setup::looked_at(recipe, preprocess, 0, env)?;
    setup.tell(env.listener);
    Ok(Audited { setup, name: source::name(&recipe.data) })
}

impl Audited {
    /// What the data are called: the last part of their path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What was found.
    pub fn page(&self) -> Audit {
        page(&self.setup)
    }

    /// The pictures by class and part.
    pub fn samples(&self) -> Vec<SampleRow> {
        self.setup.sample_rows()
    }

    /// Width and height of every picture that can be read, as stored.
    pub fn sizes(&self) -> Vec<(u32, u32)> {
        let sizes = seen(&self.setup).map(|(_, seen)| seen.facts.stored_size);
        sizes.map(|size| (size.width(), size.height())).collect()
    }

    /// That the pictures could be shared out into parts: of those that cannot, the verdict says why.
    ///
    /// # Errors
    /// The same, with what to do.
    pub fn require_split(&self) -> Result<(), TrainError> {
        Ok(self.setup.require_split()?)
    }

    /// Puts the pictures into folders of their part and class; see [`materialize`].
    ///
    /// # Errors
    /// As there.
    pub fn materialize(&self, target: &Path) -> Result<Materialized, FoldersError> {
        let partition = self.setup.partition();
        partition.map_or(Ok(Materialized::default()), |partition| materialize(&self.setup.index, partition, target))
    }

    /// A picture by its name, upright, no side longer than `side`, as a PNG file; `None` for one that cannot be read.
    pub fn small_picture(&self, name: &str, side: u32) -> Option<Vec<u8>> {
        let index = &self.setup.index;
        let row = index.row_of(name)?;
        let path = index.path(row);
        let picture = read_place(index.place(row, &path), &self.decode_options(), &mut Vec::new()).ok()?.picture;
        Some(small(&picture, side, &mut Resizer::new()).to_png())
    }

    fn decode_options(&self) -> DecodeOptions {
        self.setup.prepared.decode_options()
    }
}

/// `audit.json`.
pub(crate) fn page(setup: &Setup) -> Audit {
    let (classes, counts) = (setup.index.classes(), setup.index.class_counts());
    Audit {
        format: Format,
        samples: setup.index.len() as u64,
        classes: classes.ids().map(|id| (classes.name(id).to_owned(), counts[id.index()] as u64)).collect(),
        pictures: Some(statistics(setup)),
        verdict: setup.verdict.clone(),
        findings: setup.findings.clone(),
    }
}

fn seen(setup: &Setup) -> impl Iterator<Item = (&Record, &Seen)> {
    setup.scan.records().iter().filter_map(|record| Some((record, record.seen.as_ref().ok()?)))
}

fn statistics(setup: &Setup) -> PictureStatistics {
    let quartiles = |value: fn(&Record, &Seen) -> u64| {
        Quartiles::of(seen(setup).map(|(record, seen)| value(record, seen)).collect())
    };
    PictureStatistics {
        width: quartiles(|_, seen| seen.facts.stored_size.width().into()),
        height: quartiles(|_, seen| seen.facts.stored_size.height().into()),
        aspect_percent: quartiles(|_, seen| {
            let size = seen.facts.stored_size;
            (200 * u64::from(size.width()) + u64::from(size.height())) / (2 * u64::from(size.height()))
        }),
        bytes: quartiles(|record, _| record.bytes),
        formats: counted(seen(setup).map(|(_, seen)| seen.facts.format.name())),
        modes: counted(seen(setup).map(|(_, seen)| seen.facts.mode.name())),
    }
}

/// How often each word occurs, the most frequent first.
fn counted<'a>(words: impl Iterator<Item = &'a str>) -> Named<u64> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    words.for_each(|word| *counts.entry(word).or_default() += 1);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    counts.into_iter().map(|(word, count)| (word.to_owned(), count)).collect()
}

/// Shrunk until its longer side is `side`; a smaller picture stays as it is.
pub(crate) fn small(picture: &Picture, side: u32, resizer: &mut Resizer) -> Picture {
    let (height, width) = (picture.size().height(), picture.size().width());
    let longer = height.max(width);
    if longer <= side {
        return picture.clone();
    }
    let scaled = |length: u32| (u64::from(length) * u64::from(side) / u64::from(longer)).max(1) as u32;
    match ImageSize::new(scaled(height), scaled(width)) {
        Some(size) => resizer.resample(picture, size, Filter::Bilinear),
        None => picture.clone(),
    }
}
