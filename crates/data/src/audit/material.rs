//! What an audit looks at.

use avizor_base::Split;

use crate::index::Index;
use crate::scan::{Scan, Seen};
use crate::split::Partition;

/// What an audit looks at.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// The samples.
    pub index: &'a Index,
    /// Their files' contents.
    pub scan: &'a Scan,
    /// Their parts, where there is a split; otherwise parts that the source gives count.
    pub partition: Option<&'a Partition>,
}

/// What a check found; nothing when the count is zero.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) count: usize,
    pub(super) groups: Vec<Vec<String>>,
    pub(super) details: Vec<String>,
}

impl Found {
    /// A group each, no details.
    pub(super) fn groups(groups: Vec<Vec<String>>) -> Self {
        Self { count: groups.len(), groups, details: Vec::new() }
    }

    pub(super) fn add(&mut self, group: Vec<String>, detail: String) {
        self.count += 1;
        self.groups.push(group);
        self.details.push(detail);
    }
}

impl Material<'_> {
    /// The readable pictures that a rule holds for, each alone.
    pub(super) fn pictures(&self, rule: impl Fn(usize, &Seen) -> bool) -> Found {
        let seen = self.scan.records().iter().enumerate();
        let rows = seen.filter(|(row, record)| record.seen.as_ref().is_ok_and(|seen| rule(*row, seen)));
        Found::groups(rows.map(|(row, _)| vec![self.name(row)]).collect())
    }

    pub(super) fn name(&self, row: usize) -> String {
        self.index.name(row).to_owned()
    }

    pub(super) fn part(&self, row: usize) -> Option<Split> {
        match self.partition {
            Some(partition) => partition.part(row),
            None => self.index.given(row),
        }
    }
}
