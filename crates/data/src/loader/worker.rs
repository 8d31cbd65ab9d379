//! One thread's part: whole batches.

use std::sync::Arc;

use avizor_base::{Purpose, Seed};

use super::prepared::Bench;
use super::{Batch, LoadError, Prepared, Visit};
use crate::Picture;
use crate::transforms::{Scratch, Transforms};

/// What all threads of a loader share.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) prepared: Arc<Prepared>,
    pub(super) visits: Vec<Visit>,
    pub(super) transforms: Option<Transforms>,
    pub(super) batch: usize,
    pub(super) epoch: u64,
    pub(super) seed: Seed,
}

/// What each thread has of its own.
#[derive(Debug)]
pub(super) struct Worker {
    job: Arc<Job>,
    bench: Bench,
    scratch: Scratch,
    picture: Picture,
}

impl Worker {
    pub(super) fn new(job: Arc<Job>) -> Self {
        let picture = Picture::filled(job.prepared.size(), [0; 3]);
        Self { job, bench: Bench::default(), scratch: Scratch::default(), picture }
    }

    /// Fills a batch, whatever was in it before.
    pub(super) fn fill(&mut self, number: usize, batch: &mut Batch) -> Result<(), LoadError> {
        let job = Arc::clone(&self.job);
        let start = number * job.batch;
        let visits = &job.visits[start..job.visits.len().min(start + job.batch)];
        let picture_bytes = self.picture.pixels().len();
        batch.images.resize(visits.len() * picture_bytes, 0);
        batch.labels.clear();
        batch.rows.clear();
        for (visit, output) in visits.iter().zip(batch.images.chunks_exact_mut(picture_bytes)) {
            let row = visit.row as usize;
            self.load(*visit, output)?;
            batch.labels.push(job.prepared.index().label(row).0 as i32);
            batch.rows.push(visit.row);
        }
        Ok(())
    }

    fn load(&mut self, visit: Visit, output: &mut [u8]) -> Result<(), LoadError> {
        let (job, row) = (&self.job, visit.row as usize);
        let mut draws = job.prepared.copy_draws(row, visit.copy);
        if let Some(transforms) = &job.transforms {
            let place = (u64::from(visit.copy) << 32) | u64::from(visit.occurrence);
            let mut stream = job.seed.stream(Purpose::Augment, [job.epoch, job.prepared.index().id(row).0, place]);
            draws.extend(transforms.draw(&mut stream, job.prepared.size()));
        }
        if draws.is_empty() {
            return job.prepared.read_into(row, output, &mut self.bench);
        }
        job.prepared.read_into(row, self.picture.pixels_mut(), &mut self.bench)?;
        for draw in &draws {
            draw.apply(&mut self.picture, &mut self.scratch);
        }
        output.copy_from_slice(self.picture.pixels());
        Ok(())
    }
}
