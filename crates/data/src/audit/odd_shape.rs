//! Pictures much longer than the others.

use avizor_base::Severity;

use super::Check;
use super::material::{Found, Material};
use crate::scan::Seen;

pub(super) const CHECK: Check = Check {
    kind: "odd_shape",
    severity: Severity::Info,
    why: "squashed to the size of the others, their content is distorted",
    advice: "crop them, or choose `transforms.resize = \"pad\"`",
    find,
};

/// How many times longer or wider than the median's shape.
const TIMES: f64 = 2.5;

fn find(material: &Material<'_>) -> Found {
    let shape = |seen: &Seen| {
        let size = seen.facts.size();
        f64::from(size.width()) / f64::from(size.height())
    };
    let seen = material.scan.records().iter().filter_map(|record| record.seen.as_ref().ok());
    let mut shapes: Vec<f64> = seen.map(shape).collect();
    shapes.sort_unstable_by(f64::total_cmp);
    let Some(&median) = shapes.get(shapes.len() / 2) else { return Found::default() };
    material.pictures(|_, seen| !(median / TIMES..=median * TIMES).contains(&shape(seen)))
}
