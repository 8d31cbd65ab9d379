//! A given split, mended: what is tested or chosen by is not learned.

use avizor_base::{Note, Split};

use super::units::Units;
use super::{Partition, SplitError, SplitOptions};
use crate::index::Index;
use crate::scan::Scan;

/// Takes out of train what stays together with a sample of val or test, and out of val what does with one of test.
pub(super) fn leave_out(
    index: &Index,
    scan: Option<&Scan>,
    options: &SplitOptions,
    partition: &mut Partition,
) -> Result<(), SplitError> {
    let rows: Vec<u32> = (0..index.len() as u32).filter(|&row| partition.part(row as usize).is_some()).collect();
    let units = Units::new(index, scan, options, &rows);
    let mut left_out = [0usize; 3];
    for unit in units.iter() {
        let rows = units.rows(unit);
        let has = |part| rows.iter().any(|&row| partition.part(row as usize) == Some(part));
        let Some(kept) = [Split::Test, Split::Val].into_iter().find(|&part| has(part)) else { continue };
        for &row in rows {
            let part = &mut partition.parts[row as usize];
            if let Some(other) = part.filter(|&part| part != kept) {
                left_out[other as usize] += 1;
                *part = None;
            }
        }
    }
    for part in Split::ALL {
        if left_out[part as usize] > 0 && partition.rows(part).is_empty() {
            return Err(SplitError::NothingLeft { part });
        }
    }
    let [train, val, _] = left_out;
    if train + val > 0 {
        let text = format!(
            "the given split leaked: left out are {train} pictures of train and {val} of val, of which a later part has the same, an \
             edited copy or one of the group"
        );
        partition.notes.push(Note { kind: "split_repaired".to_owned(), text });
    }
    Ok(())
}
