//! Threads that live as long as the pool and take numbered tasks, one after the other.
//!
//! Which thread runs a task is left to chance; what a task does depends on its number alone. So results do not
//! depend on the number of threads, and one slow core does not hold the others up.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Waiting threads look this often before they sleep: some tens of microseconds, longer than the gap between two
/// steps of a program, shorter than anyone would notice.
const SPINS: usize = 20_000;

/// A numbered task: its number, and the worker that runs it (`0..threads`, for scratch memory of its own).
type Task<'t> = dyn Fn(usize, usize) + Sync + 't;

/// A fixed set of threads. Running tasks allocates nothing.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// One run at a time; a second caller waits.
    turn: Mutex<()>,
}

struct Shared {
    /// The task of the current run; valid from the change of `generation` until `busy` is zero again.
    task: UnsafeCell<*const Task<'static>>,
    /// How many tasks the run has, and the next one that nobody has taken.
    tasks: AtomicUsize,
    next: AtomicUsize,
    /// Counts runs; workers wait for it to change.
    generation: AtomicUsize,
    /// Workers that have not finished the current run.
    busy: AtomicUsize,
    /// Workers that sleep, or are about to.
    sleepers: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
    stop: AtomicBool,
    /// What the first failing task panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `task` is written only by the thread that holds the pool's turn, while no worker reads it (`busy` is zero),
// and read by workers only after they saw the new generation (release/acquire). The pointee is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: as above; the pointer is only a value, used within the run that set it.
unsafe impl Send for Shared {}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("generation", &self.generation).finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool of `threads` threads, of which the caller of [`run`](Self::run) is one; zero counts as one.
    pub fn new(threads: usize) -> Self {
        fn nothing(_task: usize, _worker: usize) {}
        let shared = Arc::new(Shared {
            task: UnsafeCell::new(&nothing),
            tasks: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
            generation: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            sleepers: AtomicUsize::new(0),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
            stop: AtomicBool::new(false),
            panic: Mutex::new(None),
        });
        let workers = (1..threads.max(1))
            .map(|worker| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.work(worker))
            })
            .collect();
        Self { shared, workers, turn: Mutex::new(()) }
    }

    /// How many threads there are, the caller's included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `task(number, worker)` once for every number in `0..tasks` and returns when all are done.
    ///
    /// # Panics
    /// With the payload of the first task that panicked, after all threads have stopped working on this run.
    /// A task must not call `run` on its own pool: it would wait for itself.
    pub fn run(&self, tasks: usize, task: &(dyn Fn(usize, usize) + Sync)) {
        if tasks <= 1 || self.workers.is_empty() {
            for number in 0..tasks {
                task(number, 0);
            }
            return;
        }
        let turn = lock(&self.turn);
        let shared = &*self.shared;
        // SAFETY: only the lifetime is changed. This function does not return before `busy` is zero, after which no
        // worker touches the pointer; and the turn is held, so nobody else writes it.
        unsafe { *shared.task.get() = std::mem::transmute::<*const Task<'_>, *const Task<'static>>(task) };
        shared.tasks.store(tasks, Ordering::Relaxed);
        shared.next.store(0, Ordering::Relaxed);
        shared.busy.store(self.workers.len(), Ordering::Relaxed);
        // Sequentially consistent with a worker's `sleepers` increment: either it sees the new generation, or the
        // increment is seen here.
        shared.generation.fetch_add(1, Ordering::SeqCst);
        if shared.sleepers.load(Ordering::SeqCst) > 0 {
            drop(lock(&shared.sleep));
            shared.wake.notify_all();
        }
        shared.take_tasks(0);
        spin_until(|| shared.busy.load(Ordering::Acquire) == 0);
        let panic = lock(&shared.panic).take();
        drop(turn);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }

    /// Cuts `data` into chunks of `chunk` items (the last may be shorter) and calls `each(number, chunk)` for all.
    ///
    /// # Panics
    /// When `chunk` is zero, or with what a call panicked with.
    pub fn for_each_chunk<T: Send>(&self, data: &mut [T], chunk: usize, each: impl Fn(usize, &mut [T]) + Sync) {
        assert!(chunk > 0, "chunks of nothing never end");
        let parts = Disjoint::new(data);
        self.run(data_chunks(parts.len, chunk), &|number, _worker| {
            let start = number * chunk;
            // SAFETY: every number comes once, and chunks of different numbers do not overlap.
            each(number, unsafe { parts.slice(start, chunk.min(parts.len - start)) });
        });
    }
}

fn data_chunks(len: usize, chunk: usize) -> usize {
    len.div_ceil(chunk)
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
        drop(lock(&self.shared.sleep));
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            // A worker's panics are caught and handed to the caller of `run`; none is left to report here.
            let _ = worker.join();
        }
    }
}

impl Shared {
    fn work(&self, worker: usize) {
        let mut seen = 0;
        loop {
            seen = self.wait_for_generation_after(seen);
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            self.take_tasks(worker);
            self.busy.fetch_sub(1, Ordering::Release);
        }
    }

    fn wait_for_generation_after(&self, seen: usize) -> usize {
        for _ in 0..SPINS {
            let generation = self.generation.load(Ordering::Acquire);
            if generation != seen {
                return generation;
            }
            std::hint::spin_loop();
        }
        let mut guard = lock(&self.sleep);
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        let generation = loop {
            let generation = self.generation.load(Ordering::SeqCst);
            if generation != seen {
                break generation;
            }
            guard = self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        };
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        generation
    }

    fn take_tasks(&self, worker: usize) {
        let tasks = self.tasks.load(Ordering::Relaxed);
        // SAFETY: this thread is part of the current run, during which the pointer stays valid and unchanged.
        let task = unsafe { &**self.task.get() };
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= tasks {
                return;
            }
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| task(number, worker))) {
                self.next.store(tasks, Ordering::Relaxed);
                lock(&self.panic).get_or_insert(payload);
            }
        }
    }
}

fn spin_until(ready: impl Fn() -> bool) {
    let mut spins = 0;
    while !ready() {
        spins += 1;
        // With more threads than cores the one waited for may need this very core.
        if spins % SPINS == 0 { std::thread::yield_now() } else { std::hint::spin_loop() }
    }
}

/// A poisoned lock guards nothing that a panic could have left half-done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A mutable slice that several tasks write, each its own part.
pub(crate) struct Disjoint<'d, T> {
    start: *mut T,
    len: usize,
    data: std::marker::PhantomData<&'d mut [T]>,
}

// SAFETY: it hands out parts of a `&mut [T]`, as `split_at_mut` would; that they do not overlap is its callers' duty.
unsafe impl<T: Send> Sync for Disjoint<'_, T> {}
// SAFETY: as a `&mut [T]`.
unsafe impl<T: Send> Send for Disjoint<'_, T> {}

impl<'d, T> Disjoint<'d, T> {
    pub(crate) fn new(data: &'d mut [T]) -> Self {
        Self { start: data.as_mut_ptr(), len: data.len(), data: std::marker::PhantomData }
    }

    /// How many items there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where a range starts, for parts that are no ranges: rows of a matrix that others write other rows of. The range
    /// is checked; to write through the pointer is as unsafe as any.
    pub(crate) fn pointer(&self, range: std::ops::Range<usize>) -> *mut T {
        assert!(range.start <= range.end && range.end <= self.len, "part {range:?} of {}", self.len);
        self.start.wrapping_add(range.start)
    }

    /// The items `start..start + len`.
    ///
    /// # Safety
    /// While the result lives, no other call returns an overlapping part. The bounds are checked.
    #[allow(clippy::mut_from_ref, reason = "parts of one mutable slice, kept apart by the callers' contract")]
    pub(crate) unsafe fn slice(&self, start: usize, len: usize) -> &mut [T] {
        assert!(start <= self.len && len <= self.len - start, "part {start}+{len} of {}", self.len);
        // SAFETY: inside the slice that `new` got, which outlives `self`; not aliased by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    #[test]
    fn every_task_runs_once_at_every_number_of_threads() {
        for threads in [0, 1, 2, 3, 8] {
            let pool = Pool::new(threads);
            for tasks in [0, 1, 2, 7, 1000] {
                let counts: Vec<AtomicU32> = (0..tasks).map(|_| AtomicU32::new(0)).collect();
                pool.run(tasks, &|number, worker| {
                    assert!(worker < pool.threads());
                    counts[number].fetch_add(1, Ordering::Relaxed);
                });
                assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1), "{threads} {tasks}");
            }
        }
    }

    #[test]
    fn workers_that_fell_asleep_wake_up() {
        let pool = Pool::new(4);
        for _ in 0..20 {
            std::thread::sleep(std::time::Duration::from_millis(2));
            let sum = AtomicU32::new(0);
            pool.run(100, &|number, _| {
                sum.fetch_add(number as u32, Ordering::Relaxed);
            });
            assert_eq!(sum.into_inner(), 4950);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_lives_on() {
        let pool = Pool::new(3);
        let result = catch_unwind(AssertUnwindSafe(|| {
            pool.run(50, &|number, _| assert!(number != 17, "task seventeen"));
        }));
        let payload = result.unwrap_err();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"task seventeen"));
        let mut data = [0; 10];
        pool.for_each_chunk(&mut data, 4, |number, part| part.fill(number));
        assert_eq!(data, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]);
    }

    #[test]
    fn callers_on_several_threads_take_turns() {
        let pool = Pool::new(2);
        std::thread::scope(|scope| {
            for caller in 0..4usize {
                let pool = &pool;
                scope.spawn(move || {
                    for _ in 0..200 {
                        let mut data = [0; 33];
                        pool.for_each_chunk(&mut data, 2, |number, part| part.fill(number + caller));
                        assert!(data.iter().enumerate().all(|(i, &have)| have == i / 2 + caller));
                    }
                });
            }
        });
    }
}
