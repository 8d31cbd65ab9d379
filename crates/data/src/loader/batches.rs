//! Batches made ahead on threads, given in order.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use avizor_base::Seed;

use super::worker::{Job, Worker};
use super::{LoadError, Prepared, Visit};
use crate::transforms::Transforms;

/// Pictures with their labels, in the order of their visits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// NHWC, RGB, `rows.len() · height · width · 3` bytes.
    pub images: Vec<u8>,
    /// Class of each picture.
    pub labels: Vec<i32>,
    /// Row of the index of each picture.
    pub rows: Vec<u32>,
}

impl Batch {
    /// How many pictures there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// How an epoch is cut into batches and augmented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoaderOptions {
    /// Pictures in a batch; the last one may have fewer. 0 counts as 1.
    pub batch: usize,
    /// Part of the key of every augmentation.
    pub epoch: u64,
    /// Of the run.
    pub seed: Seed,
    /// Threads that load; changes nothing but the time. 0 counts as 1.
    pub threads: usize,
    /// Batches at the start that are skipped without being made: where an interrupted epoch goes on.
    pub first_batch: usize,
}

/// The batches of one epoch.
///
/// A fixed number of buffers goes round between the threads and the caller, so memory is bounded and, once every
/// buffer was used, nothing is allocated for pictures that are kept.
#[derive(Debug)]
pub struct Loader {
    next: usize,
    end: usize,
    /// In the caller's hands until the next call.
    current: Option<Batch>,
    /// Made, but not yet their turn.
    waiting: BTreeMap<usize, Result<Batch, LoadError>>,
    /// `None` only while dropping.
    ends: Option<Ends>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Ends {
    empty: Sender<Batch>,
    made: Receiver<(usize, Result<Batch, LoadError>)>,
}

/// Where threads take an empty buffer and the number of the batch to make, both at once: so the batch that is waited
/// for is always in the works.
struct Queue {
    empty: Receiver<Batch>,
    next: usize,
    end: usize,
}

impl Loader {
    /// Starts the threads. Without `transforms` the pictures come as they are prepared.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new(
        prepared: Arc<Prepared>,
        visits: Vec<Visit>,
        transforms: Option<Transforms>,
        options: LoaderOptions,
    ) -> Result<Self, LoadError> {
        let batch = options.batch.max(1);
        let end = visits.len().div_ceil(batch);
        let next = options.first_batch.min(end);
        let transforms = transforms.filter(|transforms| !transforms.is_empty());
        let (epoch, seed) = (options.epoch, options.seed);
        let job = Arc::new(Job { prepared, visits, transforms, batch, epoch, seed });
        let threads = options.threads.clamp(1, (end - next).max(1));
        let (empty, empty_receiver) = mpsc::channel();
        let (made_sender, made) = mpsc::channel();
        // One buffer for each thread, one ready, one in the caller's hands.
        for _ in 0..threads + 2 {
            // The receiver lives: it is a line above.
            let _ = empty.send(Batch::default());
        }
        let queue = Arc::new(Mutex::new(Queue { empty: empty_receiver, next, end }));
        let mut loader = Self {
            next,
            end,
            current: None,
            waiting: BTreeMap::new(),
            ends: Some(Ends { empty, made }),
            threads: Vec::new(),
        };
        for number in 0..threads {
            let (worker, queue, made) = (Worker::new(Arc::clone(&job)), Arc::clone(&queue), made_sender.clone());
            let builder = std::thread::Builder::new().name(format!("loader-{number}"));
            loader.threads.push(builder.spawn(move || work(worker, &queue, &made)).map_err(LoadError::Thread)?);
        }
        Ok(loader)
    }

    /// How many batches the epoch has, those that are skipped included.
    pub fn batches(&self) -> usize {
        self.end
    }

    /// The next batch, or `None` after the last one. Its buffers go back when this is called again.
    ///
    /// # Errors
    /// A file that cannot be read any more: always at the same batch, however many threads there are. The epoch ends
    /// with it.
    pub fn next_batch(&mut self) -> Result<Option<&Batch>, LoadError> {
        let Some(ends) = &self.ends else { return Ok(None) };
        if let Some(used) = self.current.take() {
            // When all threads have ended, nobody needs the buffer.
            let _ = ends.empty.send(used);
        }
        if self.next == self.end {
            return Ok(None);
        }
        let made = loop {
            if let Some(made) = self.waiting.remove(&self.next) {
                break made;
            }
            let (number, made) = ends.made.recv().map_err(|_| LoadError::Stopped)?;
            self.waiting.insert(number, made);
        };
        match made {
            Ok(batch) => {
                self.next += 1;
                Ok(Some(self.current.insert(batch)))
            }
            Err(error) => {
                self.next = self.end;
                Err(error)
            }
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        // Threads end when their channels do.
        self.ends = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has told so already.
            let _ = thread.join();
        }
    }
}

fn work(mut worker: Worker, queue: &Mutex<Queue>, made: &Sender<(usize, Result<Batch, LoadError>)>) {
    loop {
        let taken = {
            // A thread that panicked elsewhere leaves the queue whole.
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            take(&mut queue)
        };
        let Some((number, mut batch)) = taken else { return };
        let result = worker.fill(number, &mut batch).map(|()| batch);
        if made.send((number, result)).is_err() {
            return;
        }
    }
}

fn take(queue: &mut Queue) -> Option<(usize, Batch)> {
    if queue.next == queue.end {
        return None;
    }
    let batch = queue.empty.recv().ok()?;
    let number = queue.next;
    queue.next += 1;
    Some((number, batch))
}
