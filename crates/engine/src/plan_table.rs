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
}

impl fmt::Display for PlanTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["step", "node", "kernel", "reads", "writes", "KiB", "workspace KiB", ""].map(str::to_owned);
        let mut table = vec![header];
        for (step, row) in self.rows.iter().enumerate() {
            table.push([
                step.to_string(),
                row.node.clone(),
                row.kernel.to_owned(),
                list(&row.inputs),
                list(&row.outputs),
                row.bytes.div_ceil(1024).to_string(),
                row.workspace_bytes.div_ceil(1024).to_string(),
                if row.in_place { "in place" } else { "" }.to_owned(),
            ]);
        }
        let widths: [usize; 8] =
            std::array::from_fn(|column| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
        for row in &table {
            let [step, node, kernel, reads, writes, bytes, workspace, note] = row;
            let [w0, w1, w2, w3, w4, w5, w6, _] = widths;
            let line = format!(
                "{step:>w0$}  {node:w1$}  {kernel:w2$}  {reads:w3$}  {writes:w4$}  {bytes:>w5$}  {workspace:>w6$}  {note}"
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        let (arena, own) = (self.arena_bytes.div_ceil(1024), self.program_bytes.div_ceil(1024));
        writeln!(f, "arena {arena} KiB, inputs, outputs and folded weights {own} KiB")
    }
}

fn list(shapes: &[Shape]) -> String {
    shapes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
