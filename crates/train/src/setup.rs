//! Everything about the data of a run, found out before the first step.

use std::sync::Arc;

use avizor_base::{ClassList, Event, Finding, Listener, Note, Preprocess, Seed, Split, Trust, Verdict};
use avizor_data::PictureCache;
use avizor_data::audit::{Material, audit, verdict};
use avizor_data::index::Index;
use avizor_data::loader::{Prepared, Visit, filled_order, is_imbalanced};
use avizor_data::scan::{Scan, scan};
use avizor_data::split::{Fold, Partition, SplitError, SplitOptions, split};
use avizor_data::twins::Twins;
use avizor_predict::{Model, Scores};
use avizor_store::{BalanceRow, SampleRow};

use crate::environment::{Environment, Reading};
use crate::error::TrainError;
use crate::metadata::Metadata;
use crate::recipe::{self, Balance, Recipe, Role, Sampler};
use crate::source;

/// What prepared pictures may take that are looked at again.
pub(crate) const KEPT_BYTES: u64 = Prepared::DEFAULT_BUDGET;

/// Pictures that are read before they are scored: bounds memory, not results.
const SCORED_TOGETHER: usize = 256;

/// The data of a run: indexed, read, split.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) index: Arc<Index>,
    pub(crate) scan: Scan,
    pub(crate) prepared: Arc<Prepared>,
    /// `None` for pictures that are in no part.
    partition: Option<Partition>,
    /// Why they are in none, where they should be.
    not_split: Option<SplitError>,
    pub(crate) rows: Rows,
    /// What an epoch goes through, in no order yet: the training part, and the copies that fill small classes up.
    pub(crate) training: Vec<Visit>,
    /// None before there is a partition.
    pub(crate) findings: Vec<Finding>,
    /// `None` before there is a partition.
    pub(crate) verdict: Option<Verdict>,
    /// What the network reads beside pictures, where it does.
    pub(crate) metadata: Option<Metadata>,
}

/// Rows of the index by part, in the order of the index; only samples that can be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) train: Vec<u32>,
    pub(crate) val: Vec<u32>,
    pub(crate) test: Vec<u32>,
}

impl Rows {
    pub(crate) fn of(&self, part: Split) -> &[u32] {
        match part {
            Split::Train => &self.train,
            Split::Val => &self.val,
            Split::Test => &self.test,
        }
    }
}

impl Setup {
    /// Lists, reads and splits the data of a recipe. `budget` is that of [`Prepared::new`]: nothing for who does not look at a
    /// picture again.
    ///
    /// # Errors
    /// No usable pictures, too few of a class, a part without pictures.
    pub(crate) fn new(
        recipe: &Recipe,
        preprocess: Preprocess,
        budget: u64,
        env: &mut Environment<'_>,
    ) -> Result<Self, TrainError> {
        let setup = Self::looked_at(recipe, preprocess, budget, env)?;
        setup.require_split()?;
        Ok(setup)
    }

    /// As [`new`](Self::new), for who only looks: pictures that cannot be shared out are in no part, and the verdict says why.
    ///
    /// # Errors
    /// No usable pictures, shares that are none.
    pub(crate) fn looked_at(
        recipe: &Recipe,
        preprocess: Preprocess,
        budget: u64,
        env: &mut Environment<'_>,
    ) -> Result<Self, TrainError> {
        let index = Index::read(&source::data_options(recipe)?)?;
        let mut setup = Self::read(recipe, index, preprocess, budget, env);
        if recipe.data.near_duplicates {
            setup.scan.find_twins(env.threads, env.cache);
        }
        let options = SplitOptions {
            ratios: recipe.split.ratios,
            seed: Seed(recipe.split.seed),
            fold: fold(&recipe.split),
            keep_groups: true,
            keep_duplicates: recipe.split.duplicates_together,
            repair: recipe.split.repair,
        };
        let partition = match split(&setup.index, Some(&setup.scan), &options) {
            Ok(partition) => partition,
            Err(error @ SplitError::Ratios { .. }) => return Err(error.into()),
            Err(error) => {
                let material = Material { index: &setup.index, scan: &setup.scan, partition: None };
                setup.findings = audit(&material);
                setup.verdict = Some(Verdict { evaluation: Trust::NotValid, sentence: error.to_string() });
                setup.not_split = Some(error);
                return Ok(setup);
            }
        };
        let material = Material { index: &setup.index, scan: &setup.scan, partition: Some(&partition) };
        setup.findings = audit(&material);
        setup.verdict = verdict(&material, &setup.findings);
        setup.rows = Rows {
            train: partition.rows(Split::Train),
            val: partition.rows(Split::Val),
            test: partition.rows(Split::Test),
        };
        setup.training = filled_order(Seed(recipe.train.seed), &setup.rows.train, &setup.index, recipe.balance.fill);
        setup.partition = Some(partition);
        if recipe.metadata.role != Role::Ignored {
            setup.metadata = Some(Metadata::fit(&setup.index, &setup.rows.train, &recipe.metadata.categories)?);
        }
        Ok(setup)
    }

    fn read(recipe: &Recipe, index: Index, preprocess: Preprocess, budget: u64, env: &mut Environment<'_>) -> Self {
        let index = Arc::new(index);
        let (limits, all) = (source::limits(&recipe.data), index.len());
        // What cannot be remembered is read anew, which takes longer and is all.
        let cache =
            env.cache.and_then(|folder| PictureCache::open(folder, &preprocess, PictureCache::DEFAULT_LIMIT).ok());
        let of_copies = recipe.balance.fill_transforms.as_ref().unwrap_or(&recipe.transforms.train);
        let prepared = Prepared::new(Arc::clone(&index), preprocess, limits, budget)
            .with_copies(Seed(recipe.train.seed), of_copies.clone());
        let prepared = Arc::new(match cache {
            Some(cache) => prepared.remembering(cache),
            None => prepared,
        });
        let decode = prepared.decode_options();
        let reading = &mut *env.reading;
        let scan = scan(&index, &decode, env.threads, Some(&prepared), |done| reading(Reading { done, all }));
        Self {
            index,
            scan,
            prepared,
            partition: None,
            not_split: None,
            rows: Rows::default(),
            training: Vec::new(),
            findings: Vec::new(),
            verdict: None,
            metadata: None,
        }
    }

    /// Reads labelled pictures that are in no part: those that a model is measured on.
    ///
    /// # Errors
    /// None of them can be read.
    pub(crate) fn of_index(
        recipe: &Recipe,
        index: Index,
        preprocess: Preprocess,
        env: &mut Environment<'_>,
    ) -> Result<Self, TrainError> {
        let setup = Self::read(recipe, index, preprocess, KEPT_BYTES, env);
        if setup.readable().is_empty() {
            return Err(TrainError::Data {
                problem: "none of the pictures can be read".to_owned(),
                help: "see what is wrong with each by `avizor audit`".to_owned(),
            });
        }
        Ok(setup)
    }

    /// That the pictures could be shared out.
    ///
    /// # Errors
    /// Why they could not.
    pub(crate) fn require_split(&self) -> Result<(), SplitError> {
        self.not_split.clone().map_or(Ok(()), Err)
    }

    /// What training cannot do without.
    ///
    /// # Errors
    /// There is nothing to learn from, or nothing to choose by.
    pub(crate) fn require_parts(&self) -> Result<(), TrainError> {
        for part in [Split::Train, Split::Val] {
            if self.rows.of(part).is_empty() {
                return Err(TrainError::Data {
                    problem: format!("no picture is left for the {part} part"),
                    help: "add pictures, or give the part a larger share in split.ratios".to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Rows of all pictures that can be read.
    pub(crate) fn readable(&self) -> Vec<u32> {
        (0..self.index.len()).filter(|&row| self.scan.is_usable(row)).map(|row| row as u32).collect()
    }

    /// What a stored model says about some rows.
    ///
    /// # Errors
    /// A picture that cannot be read any more.
    pub(crate) fn score(&self, model: &mut Model, rows: &[u32]) -> Result<Scores, TrainError> {
        let mut scores = Scores { classes: self.classes().len(), ..Scores::default() };
        for rows in rows.chunks(SCORED_TOGETHER) {
            let mut pictures = Vec::new();
            for &row in rows.iter().filter(|_| model.sees_pictures()) {
                pictures.extend_from_slice(self.prepared.picture(row as usize)?.pixels());
            }
            scores.append(model.score(&pictures, &self.metadata_of(rows)));
        }
        Ok(scores)
    }

    /// What is known of some rows beside their pictures, as numbers; nothing where that is ignored.
    pub(crate) fn metadata_of(&self, rows: &[u32]) -> Vec<f32> {
        let Some(metadata) = &self.metadata else { return Vec::new() };
        let mut numbers = vec![0.0; rows.len() * metadata.encoder().width()];
        metadata.fill(rows.iter().copied(), &mut numbers);
        numbers
    }

    /// The part of each picture; `None` for pictures that are in no part.
    pub(crate) fn partition(&self) -> Option<&Partition> {
        self.partition.as_ref()
    }

    /// The classes: those of the training part.
    pub(crate) fn classes(&self) -> &ClassList {
        self.index.classes()
    }

    /// The labels of some rows.
    pub(crate) fn truth(&self, rows: &[u32]) -> Vec<u32> {
        rows.iter().map(|&row| self.index.label(row as usize).0).collect()
    }

    /// Training pictures of each class.
    pub(crate) fn train_counts(&self) -> Vec<usize> {
        self.counts(self.rows.train.iter().copied())
    }

    /// As [`train_counts`](Self::train_counts), with the copies that fill classes up.
    pub(crate) fn epoch_counts(&self) -> Vec<usize> {
        self.counts(self.training.iter().map(|visit| visit.row))
    }

    fn counts(&self, rows: impl Iterator<Item = u32>) -> Vec<usize> {
        let mut counts = vec![0; self.classes().len()];
        rows.for_each(|row| counts[self.index.label(row as usize).index()] += 1);
        counts
    }

    /// Whether the weighted sampler is wanted and has a reason to act.
    pub(crate) fn draws_weighted(&self, balance: &Balance) -> bool {
        balance.sampler == Sampler::Weighted && is_imbalanced(&self.train_counts(), balance.threshold)
    }

    /// Class counts before and after balancing; nothing where nothing is balanced.
    pub(crate) fn balance_rows(&self, balance: &Balance) -> Vec<BalanceRow> {
        let (before, filled) = (self.train_counts(), self.epoch_counts());
        let after: Vec<f64> = if self.draws_weighted(balance) {
            let present = before.iter().filter(|&&count| count > 0).count().max(1);
            let drawn = self.rows.train.len() as f64 / present as f64;
            before.iter().map(|&count| if count == 0 { 0.0 } else { drawn }).collect()
        } else if filled != before {
            filled.iter().map(|&count| count as f64).collect()
        } else {
            return Vec::new();
        };
        let row = |((class, before), after): ((&String, usize), f64)| BalanceRow {
            class: class.clone(),
            before: before as u64,
            after,
        };
        self.classes().names().iter().zip(before).zip(after).map(row).collect()
    }

    /// What a person should know of the copies that fill classes up, where there are some.
    fn about_copies(&self) -> Option<Note> {
        let (before, after) = (self.train_counts(), self.epoch_counts());
        let filled: Vec<usize> =
            before.iter().zip(after).filter(|(before, after)| *before < after).map(|of| of.1).collect();
        let text = format!(
            "{} of {} classes are filled up to {} training pictures with {} changed copies of their own; validation and test \
             have none",
            filled.len(),
            before.len(),
            filled.first()?,
            self.training.len() - self.rows.train.len()
        );
        Some(Note { kind: "balance".to_owned(), text })
    }

    /// `samples.csv`: every sample that is in a part.
    pub(crate) fn sample_rows(&self) -> Vec<SampleRow> {
        let row = |row: usize| {
            Some(SampleRow {
                path: self.index.name(row).to_owned(),
                class: Some(self.classes().name(self.index.label(row)).to_owned()),
                split: self.partition.as_ref()?.part(row)?,
                group: self.index.group(row).map(str::to_owned),
                content: self.scan.record(row).hash.map_or(String::new(), |hash| hash.to_string()),
            })
        };
        (0..self.index.len()).filter_map(row).collect()
    }

    /// Everything that a person should know, and tells it.
    pub(crate) fn tell(&self, listener: &mut dyn Listener) -> Vec<Note> {
        let notes: Vec<Note> = {
            let of_split = self.partition.iter().flat_map(Partition::notes);
            let of_twins = self.scan.twins().map(Twins::lookalikes).filter(|&count| count > 0).map(lookalikes);
            let of_metadata = self.metadata.iter().map(Metadata::note);
            self.index
                .notes()
                .iter()
                .chain(of_split)
                .cloned()
                .chain(of_metadata)
                .chain(of_twins)
                .chain(self.about_copies())
                .collect()
        };
        notes.iter().for_each(|note| listener.on_event(&Event::Warning(note.clone())));
        notes
    }
}

fn lookalikes(count: usize) -> Note {
    let text = format!(
        "{count} pictures look so much alike, as simple shapes do, that copies cannot be told from them: near-duplicates of their kind \
         are not looked for"
    );
    Note { kind: "near_duplicates".to_owned(), text }
}

/// The fold that is val, in cross-validation.
fn fold(split: &recipe::SplitOptions) -> Option<Fold> {
    (split.folds > 0).then(|| Fold { of: split.folds, number: split.fold - 1 })
}
