//! The confusion matrix, from 2 classes to many.
//!
//! Own drawing: only cells that count something are drawn (of 151 × 151 a few hundred), each tells its pair on hover,
//! right answers and errors have a hue each, and the labels stay with their rows whatever the size.

use std::fmt::Write;

use avizor_store::ConfusionCounts;

use super::{BLUE, FONT, Figure, INK, MUTED, PAPER, RULE, VERMILION, escape};
use crate::{name, number};

/// What a cell's depth of colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Pictures, by the square root, so that single ones stay visible.
    Count,
    /// Share of the pictures of the row's label.
    Share,
}

/// Sizes in pixels.
struct Geometry {
    classes: usize,
    cell: f64,
    font: f64,
    /// Room for the labels of rows, and turned by a quarter, of columns.
    labels: f64,
    /// Room for the two captions.
    caption: f64,
    /// Whether labels stand at both ends: the way from a label to its cell is long.
    both_ends: bool,
}

/// Letters of a class's name that are shown.
const LONGEST: usize = 26;

impl Geometry {
    fn new(names: &[String]) -> Self {
        let classes = names.len();
        let (cell, font) = match classes {
            0..=3 => (104.0, 15.0),
            4 => (84.0, 14.0),
            5..=8 => (62.0, 13.0),
            9..=14 => (46.0, 12.5),
            15..=25 => (34.0, 12.0),
            26..=60 => (17.0, 10.5),
            61..=100 => (11.0, 8.5),
            _ => (8.0, 7.0),
        };
        let longest = names.iter().map(|name| name::short(name, LONGEST).chars().count()).max().unwrap_or(0);
        // Letters of the usual fonts are 0.6 of their size wide on average; the ten pixels are the gap.
        let labels = longest as f64 * font * 0.6 + 10.0;
        Self { classes, cell, font, labels, caption: 22.0, both_ends: classes > 25 }
    }

    fn left(&self) -> f64 {
        self.caption + self.labels
    }

    fn side(&self) -> f64 {
        self.cell * self.classes as f64
    }

    fn whole(&self) -> f64 {
        self.left() + self.side() + if self.both_ends { self.labels } else { 8.0 }
    }

    /// The beginning of a row or column.
    fn at(&self, class: usize) -> f64 {
        self.left() + self.cell * class as f64
    }

    /// Whether a cell has room for a number.
    fn has_numbers(&self) -> bool {
        self.cell >= 30.0
    }
}

/// The matrix with a row a label and a column a prediction. `None` without classes.
pub(crate) fn heat_map(confusion: &ConfusionCounts, scale: Scale) -> Option<Figure> {
    let names = confusion.classes();
    if names.is_empty() {
        return None;
    }
    let geometry = Geometry::new(names);
    let whole = geometry.whole();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole:.0}\" height=\"{whole:.0}\" font-family=\"{FONT}\" \
         font-size=\"{}\" fill=\"{}\"><rect width=\"100%\" height=\"100%\" fill=\"{}\"/>",
        geometry.font, INK.hex, PAPER.hex
    );
    draw_frame(&mut svg, &geometry);
    draw_cells(&mut svg, &geometry, confusion, scale);
    draw_labels(&mut svg, &geometry, names);
    svg.push_str("</svg>");
    let (file, title) = match scale {
        Scale::Count => ("confusion.svg", "Confusion matrix, pictures"),
        Scale::Share => ("confusion_normalised.svg", "Confusion matrix, share of each true class in %"),
    };
    Some(Figure::new(file, title, describe(confusion), &svg))
}

fn describe(confusion: &ConfusionCounts) -> String {
    let counts = confusion.counts();
    let right: u64 = (0..counts.len()).map(|class| counts[class][class]).sum();
    let all: u64 = counts.iter().flatten().sum();
    format!(
        "{} classes; {} of {} lie on the diagonal. The most confused pairs are in the table.",
        counts.len(),
        number::count(right),
        number::counted(all, "picture")
    )
}

/// The field, guides every ten classes where there are many, and what the axes mean.
fn draw_frame(svg: &mut String, geometry: &Geometry) {
    let (left, side) = (geometry.left(), geometry.side());
    // Writing to a String cannot fail: all `let _` of this file.
    let _ = write!(
        svg,
        "<rect x=\"{left:.1}\" y=\"{left:.1}\" width=\"{side:.1}\" height=\"{side:.1}\" fill=\"{}\" fill-opacity=\"0.35\"/>",
        RULE.hex
    );
    let step = if geometry.has_numbers() { 1 } else { 10 };
    let lines = (0..=geometry.classes).step_by(step).chain((step > 1).then_some(geometry.classes));
    svg.push_str("<path d=\"");
    for line in lines {
        let at = geometry.at(line);
        let _ = write!(svg, "M{left:.1} {at:.1}h{side:.1}M{at:.1} {left:.1}v{side:.1}");
    }
    let _ = write!(svg, "\" fill=\"none\" stroke=\"{}\"/>", RULE.hex);
    let middle = left + side / 2.0;
    for (x, y, turn, text) in [(middle, 14.0, 0, "Predicted →"), (14.0, middle, -90, "← True")] {
        let _ = write!(
            svg,
            "<text transform=\"translate({x:.1} {y:.1}) rotate({turn})\" text-anchor=\"middle\" font-size=\"13\" fill=\"{}\">{text}</text>",
            MUTED.hex
        );
    }
}

fn draw_cells(svg: &mut String, geometry: &Geometry, confusion: &ConfusionCounts, scale: Scale) {
    let counts = confusion.counts();
    let largest = counts.iter().flatten().copied().max().unwrap_or(0).max(1) as f64;
    for (label, row) in counts.iter().enumerate() {
        let support: u64 = row.iter().sum();
        for (prediction, &count) in row.iter().enumerate().filter(|(_, count)| **count > 0) {
            let share = count as f64 / support as f64;
            let depth = match scale {
                Scale::Count => (count as f64 / largest).sqrt(),
                Scale::Share => share,
            };
            let text = match scale {
                Scale::Count => number::count(count),
                Scale::Share => format!("{:.0}", share * 100.0),
            };
            draw_cell(
                svg,
                geometry,
                Cell { label, prediction, depth, text, tip: tip(confusion, label, prediction, share) },
            );
        }
    }
}

struct Cell {
    label: usize,
    prediction: usize,
    /// Between 0 and 1.
    depth: f64,
    text: String,
    tip: String,
}

fn tip(confusion: &ConfusionCounts, label: usize, prediction: usize, share: f64) -> String {
    let names = confusion.classes();
    let count = confusion.counts()[label][prediction];
    let what = if label == prediction {
        "rightly named".to_owned()
    } else {
        format!("taken for {}", name::shown(&names[prediction]))
    };
    format!("{}: {} {what} ({})", name::shown(&names[label]), number::counted(count, "picture"), number::percent(share))
}

fn draw_cell(svg: &mut String, geometry: &Geometry, cell: Cell) {
    let hue = if cell.label == cell.prediction { BLUE } else { VERMILION };
    // The faintest cell must still be seen, the darkest still carry white text.
    let opacity = 0.15 + 0.85 * cell.depth.clamp(0.0, 1.0);
    let (x, y) = (geometry.at(cell.prediction), geometry.at(cell.label));
    let gap = if geometry.has_numbers() { 1.0 } else { 0.0 };
    let _ = write!(
        svg,
        "<g><title>{}</title><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{side:.1}\" height=\"{side:.1}\" fill=\"{}\" \
         fill-opacity=\"{opacity:.2}\"/>",
        escape(&cell.tip),
        x + gap / 2.0,
        y + gap / 2.0,
        hue.hex,
        side = geometry.cell - gap
    );
    if geometry.has_numbers() {
        let ink = if opacity > 0.6 { PAPER } else { INK };
        let half = geometry.cell / 2.0;
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" dominant-baseline=\"central\" fill=\"{}\">{}</text>",
            x + half,
            y + half,
            ink.hex,
            cell.text
        );
    }
    svg.push_str("</g>");
}

fn draw_labels(svg: &mut String, geometry: &Geometry, names: &[String]) {
    let (left, right) = (geometry.left() - 5.0, geometry.left() + geometry.side() + 5.0);
    for (class, name) in names.iter().enumerate() {
        let centre = geometry.at(class) + geometry.cell / 2.0;
        let text = escape(&name::short(name, LONGEST));
        let full = escape(&name::shown(name));
        let mut draw = |x: f64, y: f64, turn: i32, anchor: &str| {
            // An isolated direction: a right-to-left name must not turn its surroundings round.
            let _ = write!(
                svg,
                "<text transform=\"translate({x:.1} {y:.1}) rotate({turn})\" text-anchor=\"{anchor}\" \
                 dominant-baseline=\"central\" unicode-bidi=\"isolate\">{text}<title>{full}</title></text>"
            );
        };
        draw(left, centre, 0, "end");
        draw(centre, left, -90, "start");
        if geometry.both_ends {
            draw(right, centre, 0, "start");
            draw(centre, right, -90, "end");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(classes: usize) -> ConfusionCounts {
        let names = (0..classes).map(|class| format!("class {class}")).collect();
        let counts =
            (0..classes).map(|row| (0..classes).map(|column| u64::from(row == column) * 3).collect()).collect();
        ConfusionCounts::new(names, counts).unwrap()
    }

    #[test]
    fn only_cells_that_count_are_drawn() {
        assert!(heat_map(&identity(0), Scale::Count).is_none());
        for classes in [1, 2, 14, 25, 26, 151, 300] {
            let figure = heat_map(&identity(classes), Scale::Share).unwrap();
            assert_eq!(figure.standalone.matches("<g>").count(), classes);
            assert_eq!(figure.standalone.contains(">100</text>"), classes <= 25, "{classes} classes");
        }
    }

    #[test]
    fn hostile_names_stay_text() {
        let names = vec!["<script>alert(1)</script>".to_owned(), "\"'&\u{0}".to_owned()];
        let confusion = ConfusionCounts::new(names, vec![vec![1, 2], vec![3, 4]]).unwrap();
        let svg = heat_map(&confusion, Scale::Count).unwrap().inline;
        assert!(!svg.contains("<script") && !svg.contains('\u{0}'));
        assert!(svg.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && svg.contains("&quot;&#39;&amp;\u{fffd}"));
    }
}
