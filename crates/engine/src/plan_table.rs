//! A program's steps as a table for people.

use std::fmt;

use crate::Shape;

/// A step of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// Name of the node.
    pub node: String,
    /// The kernel that was chosen.
    pub kernel: &'static str,
    /// Shapes of what it reads.
    pub inputs: Vec<Shape>,
    /// Shapes of what it writes.
    pub outputs: Vec<Shape>,
    /// Bytes that it reads and writes, workspace left out.
    pub bytes: usize,
    /// Multiply-adds by the definition of a convolution or a matrix product; 0 for passes over memory.
    pub multiply_adds: usize,
    /// Bytes of workspace.
    pub workspace_bytes: usize,
    /// Whether the first output overwrites an input.
    pub in_place: bool,
}

/// All steps of a program; printed it is a table.
#[derive(Debug)]
pub struct PlanTable<'p> {
    /// The steps, in the order in which they run.
    pub rows: Vec<&'p PlanRow>,
    /// Bytes of the arena.
    pub arena_bytes: usize,
    /// Bytes that are the program's own.
    pub program_bytes: usize,
    /// How long each took, where that was measured.
    pub times: Option<PlanTimes>,
}

/// How long the steps of a program took.
#[derive(Clone, Debug)]
pub struct PlanTimes {
    /// Seconds a step, in the order of the rows.
    pub seconds: Vec<f64>,
    /// What the machine can do, in floating-point operations a second: see [`avizor_kernels::peak_flops`].
    pub peak_flops: f64,
}

impl PlanTable<'_> {
    /// The columns of a row: title, text, and whether it is a number (those are set to the right).
    fn cells(&self, step: usize) -> Vec<(&'static str, String, bool)> {
        let row = self.rows[step];
        let mut cells = vec![
            ("step", step.to_string(), true),
            ("node", row.node.clone(), false),
            ("kernel", row.kernel.to_owned(), false),
            ("reads", list(&row.inputs), false),
            ("writes", list(&row.outputs), false),
            ("KiB", row.bytes.div_ceil(1024).to_string(), true),
            ("workspace KiB", row.workspace_bytes.div_ceil(1024).to_string(), true),
        ];
        if let Some(times) = &self.times {
            let (seconds, flops) = (times.seconds[step], 2.0 * row.multiply_adds as f64);
            let (rate, share) = (flops / seconds, 100.0 * flops / seconds / times.peak_flops);
            let computes = row.multiply_adds > 0;
            cells.extend([
                ("ms", format!("{:.3}", seconds * 1e3), true),
                ("GFLOP/s", if computes { format!("{:.0}", rate / 1e9) } else { String::new() }, true),
                ("of peak", if computes { format!("{share:.0} %") } else { String::new() }, true),
                ("GB/s", format!("{:.1}", row.bytes as f64 / seconds / 1e9), true),
            ]);
        }
        cells.push(("", if row.in_place { "in place" } else { "" }.to_owned(), false));
        cells
    }
}

impl fmt::Display for PlanTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = (0..self.rows.len()).map(|step| self.cells(step)).collect();
        if let Some(first) = rows.first() {
            let widths: Vec<usize> = (0..first.len())
                .map(|at| {
                    let texts = rows.iter().map(|row| row[at].1.chars().count());
                    texts.chain([first[at].0.len()]).max().unwrap_or(0)
                })
                .collect();
            let header: Vec<_> = first.iter().map(|&(title, _, number)| (title, title.to_owned(), number)).collect();
            for row in std::iter::once(&header).chain(&rows) {
                let cells = row.iter().zip(&widths).map(|((_, text, number), &width)| match number {
                    true => format!("{text:>width$}"),
                    false => format!("{text:width$}"),
                });
                writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
            }
        }
        if let Some(times) = &self.times {
            let (all, peak) = (times.seconds.iter().sum::<f64>() * 1e3, times.peak_flops / 1e9);
            writeln!(f, "{all:.1} ms; multiply-add peak {peak:.0} GFLOP/s, of which a fast method may need fewer")?;
        }
        let (arena, own) = (self.arena_bytes.div_ceil(1024), self.program_bytes.div_ceil(1024));
        writeln!(f, "arena {arena} KiB, inputs, outputs and folded weights {own} KiB")
    }
}

fn list(shapes: &[Shape]) -> String {
    shapes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
