//! Which of many belong together.

use std::collections::HashMap;

/// Disjoint sets; a set's root is its first member.
pub(crate) struct Joined {
    parents: Vec<u32>,
}

impl Joined {
    pub(crate) fn new(count: usize) -> Self {
        Self { parents: (0..count as u32).collect() }
    }

    pub(crate) fn root(&mut self, mut at: u32) -> u32 {
        while self.parents[at as usize] != at {
            let up = self.parents[self.parents[at as usize] as usize];
            self.parents[at as usize] = up;
            at = up;
        }
        at
    }

    pub(crate) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }

    /// Joins the places with equal values; those without a value stay alone.
    pub(crate) fn join_equal<T: std::hash::Hash + Eq>(&mut self, values: impl Iterator<Item = Option<T>>) {
        let mut first = HashMap::new();
        for (at, value) in values.enumerate() {
            if let Some(value) = value {
                let first = *first.entry(value).or_insert(at as u32);
                self.join(first, at as u32);
            }
        }
    }
}
