//! Work on many pictures at once, in an order that no one sees.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The values of a function, in order, computed on so many threads.
pub(super) fn map<T: Send>(count: usize, threads: usize, of: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let values = Mutex::new(Vec::with_capacity(count));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, count.max(1)) {
            scope.spawn(|| {
                let mut own = Vec::new();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        break;
                    }
                    own.push((at, of(at)));
                }
                // A thread that panicked has poisoned nothing: the scope passes its panic on.
                values.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(own);
            });
        }
    });
    let mut values = values.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    values.sort_unstable_by_key(|&(at, _)| at);
    values.into_iter().map(|(_, value)| value).collect()
}
