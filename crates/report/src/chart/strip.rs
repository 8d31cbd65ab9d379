//! The headline's interval on a strip from 0 to 100 %.

use std::fmt::Write;

use super::{BLUE, FONT, Figure, INK, MUTED, PAPER, RULE};
use crate::number;

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 64.0;
const MARGIN: f64 = 2.0;

/// A number's interval as a band, the number as a mark, and what always answering the same class would reach.
pub(crate) fn interval_strip(value: f64, (low, high): (f64, f64), always_the_same: Option<f64>) -> Figure {
    let x = |share: f64| MARGIN + (WIDTH - 2.0 * MARGIN) * share.clamp(0.0, 1.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"{FONT}\" \
         font-size=\"13\"><rect width=\"100%\" height=\"100%\" fill=\"{}\"/>",
        PAPER.hex
    );
    // Writing to a String cannot fail.
    let mut rect = |from: f64, to: f64, y: f64, height: f64, fill: &str, opacity: f64| {
        let _ = write!(
            svg,
            "<rect x=\"{:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"{height}\" rx=\"3\" fill=\"{fill}\" \
             fill-opacity=\"{opacity}\"/>",
            x(from),
            x(to) - x(from)
        );
    };
    rect(0.0, 1.0, 22.0, 12.0, RULE.hex, 1.0);
    rect(low, high, 22.0, 12.0, BLUE.hex, 0.45);
    let mut tick = |at: f64, fill: &str| {
        let _ = write!(
            svg,
            "<rect x=\"{:.1}\" y=\"18\" width=\"3\" height=\"20\" rx=\"1.5\" fill=\"{fill}\"/>",
            x(at) - 1.5
        );
    };
    tick(value, BLUE.hex);
    let mut text = |at: f64, y: f64, anchor: &str, fill: &str, content: &str| {
        let _ =
            write!(svg, "<text x=\"{:.1}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{fill}\">{content}</text>", x(at));
    };
    text(0.0, 54.0, "start", MUTED.hex, "0 %");
    text(1.0, 54.0, "end", MUTED.hex, "100 %");
    if let Some(share) = always_the_same.filter(|share| (0.16..0.82).contains(share)) {
        text(share, 54.0, "middle", MUTED.hex, "one class");
        let _ = write!(
            svg,
            "<rect x=\"{:.1}\" y=\"18\" width=\"1.5\" height=\"24\" fill=\"{}\"/>",
            x(share) - 0.75,
            MUTED.hex
        );
    }
    let mut text = |at: f64, anchor: &str, content: &str| {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"12\" text-anchor=\"{anchor}\" fill=\"{}\">{content}</text>",
            x(at),
            INK.hex
        );
    };
    let (low_text, high_text) = (number::percent_digits(low), number::percent_digits(high));
    let centre = ((low + high) / 2.0).clamp(0.08, 0.92);
    text(centre, "middle", &format!("{low_text}–{high_text} %"));
    svg.push_str("</svg>");
    let description = format!("{}, 95 % interval from {low_text} to {high_text} %.", number::percent(value));
    Figure::new("interval.svg", "Accuracy on a scale from 0 to 100 %", description, &svg)
}
