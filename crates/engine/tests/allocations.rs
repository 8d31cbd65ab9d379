//! A run allocates nothing. The one test with unsafe code outside `kernels`: an allocator cannot be written without.

#![allow(unsafe_code, reason = "a global allocator that counts")]

mod network;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use avizor_engine::OptimizerKind;
use avizor_kernels::{Cpu, Level};
use network::{Settings, Trainer, optimizer};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator; counting touches no memory of others.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn a_training_step_allocates_nothing() {
    let mut trainer = Trainer::new(Settings::full(4), Cpu::new(2, Level::best()));
    let optimizers = [OptimizerKind::sgd(0.9), OptimizerKind::ADAM, OptimizerKind::RMS_PROP]
        .map(|kind| optimizer(kind, &mut trainer.state, 1e-4));
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for step in 0..3 {
        trainer.run(step);
        for optimizer in &optimizers {
            optimizer.step(&trainer.cpu, &mut trainer.state, 1e-3);
        }
    }
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0);
}
