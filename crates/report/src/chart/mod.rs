//! Charts as SVG: curves and bars through kuva, the confusion matrix by our own hand.
//!
//! Every chart is drawn once, in the colours of the light page. The stand-alone file keeps them; inside the page each
//! becomes a variable of the style sheet, so that the chart turns dark with the page.

mod bars;
mod curves;
mod heat_map;
mod rates;
mod sizes;
mod strip;

pub(crate) use bars::{class_balance, class_counts, class_f1, compared_variants};
pub(crate) use curves::curves;
pub(crate) use heat_map::{Scale, heat_map};
pub(crate) use rates::rate_test;
pub(crate) use sizes::picture_sizes;
pub(crate) use strip::interval_strip;

use kuva::prelude::{AxisLine, Layout, LegendPosition, Plot, Theme};

/// A colour of the page: its value on the light page, its name in the style sheet.
#[derive(Clone, Copy)]
pub(crate) struct Swatch {
    hex: &'static str,
    variable: &'static str,
}

pub(crate) const PAPER: Swatch = Swatch { hex: "#fffffe", variable: "var(--paper)" };
pub(crate) const INK: Swatch = Swatch { hex: "#1c2430", variable: "var(--ink)" };
pub(crate) const MUTED: Swatch = Swatch { hex: "#5b6573", variable: "var(--muted)" };
pub(crate) const RULE: Swatch = Swatch { hex: "#e4e7ec", variable: "var(--rule)" };

/// Blue, vermilion and bluish green of Okabe and Ito's palette (Color Universal Design, 2008), which people with any
/// common colour vision tell apart; train, val and test in this order.
pub(crate) const BLUE: Swatch = Swatch { hex: "#0072b2", variable: "var(--blue)" };
pub(crate) const VERMILION: Swatch = Swatch { hex: "#d55e00", variable: "var(--vermilion)" };
pub(crate) const GREEN: Swatch = Swatch { hex: "#009e73", variable: "var(--green)" };

/// A blue that whiskers can be seen on.
const SOFT_BLUE: Swatch = Swatch { hex: "#9ecae8", variable: "var(--soft-blue)" };

const SWATCHES: [Swatch; 8] = [PAPER, INK, MUTED, RULE, BLUE, VERMILION, GREEN, SOFT_BLUE];

/// What the page's text is set in, and therefore the charts'.
const FONT: &str = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

/// One chart.
pub(crate) struct Figure {
    /// Name of its file in `figures/`.
    pub(crate) file: &'static str,
    pub(crate) title: String,
    /// What a person who cannot see it is told.
    pub(crate) description: String,
    /// For the page.
    pub(crate) inline: String,
    /// For the file.
    pub(crate) standalone: String,
}

impl Figure {
    /// `svg` is a whole document in light colours whose root has a width and a height in pixels.
    fn new(file: &'static str, title: impl Into<String>, description: String, svg: &str) -> Self {
        let (title, standalone) = (title.into(), with_view_box(&with_own_ids(file, svg)));
        let label = escape(&format!("{title}. {description}"));
        let mut inline = standalone.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{label}\" "), 1);
        for swatch in SWATCHES {
            // Only whole attribute values: quotes in text are escaped, so no text can look like one.
            inline = inline.replace(&format!("\"{}\"", swatch.hex), &format!("\"{}\"", swatch.variable));
        }
        Self { file, title, description, inline, standalone }
    }
}

/// kuva numbers its clip paths through the whole program: the same chart would differ from one drawing to the next. Here
/// they are named by the chart and counted in it, which also keeps them apart within the page.
fn with_own_ids(file: &str, svg: &str) -> String {
    let stem = file.trim_end_matches(".svg");
    let mut named = svg.to_owned();
    let ids = svg.split("id=\"kuva-clip-").skip(1).filter_map(|rest| rest.split_once('"').map(|(number, _)| number));
    for (count, number) in (1..).zip(ids) {
        let (old, new) = (format!("kuva-clip-{number}"), format!("{stem}-{count}"));
        // With the marks around them, which no text can hold: its quotes are escaped.
        named = named.replace(&format!("\"{old}\""), &format!("\"{new}\""));
        named = named.replace(&format!("\"url(#{old})\""), &format!("\"url(#{new})\""));
    }
    named
}

/// Adds a `viewBox`, without which an SVG cannot be scaled.
fn with_view_box(svg: &str) -> String {
    let size =
        |name: &str| svg.split_once(&format!(" {name}=\""))?.1.split_once('"').map(|(number, _)| number.to_owned());
    match (size("width"), size("height")) {
        (Some(width), Some(height)) => svg.replacen("<svg ", &format!("<svg viewBox=\"0 0 {width} {height}\" "), 1),
        _ => svg.to_owned(),
    }
}

/// Text made safe between tags and inside quotes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A name as a label of kuva, which would read `$…$` as a formula.
fn label(name: &str, longest: usize) -> String {
    crate::name::short(name, longest).replace('$', "\\$")
}

/// The look that all charts share.
fn styled(plots: &[Plot], [width, height]: [f64; 2]) -> Layout {
    let theme = Theme {
        background: PAPER.hex.to_owned(),
        axis_color: MUTED.hex.to_owned(),
        grid_color: RULE.hex.to_owned(),
        tick_color: MUTED.hex.to_owned(),
        text_color: INK.hex.to_owned(),
        legend_bg: PAPER.hex.to_owned(),
        legend_border: PAPER.hex.to_owned(),
        font_family: Some(FONT.to_owned()),
        ..Theme::light()
    };
    Layout::auto_from_plots(plots)
        .with_theme(theme)
        .with_width(width)
        .with_height(height)
        .with_axis_line(AxisLine::Open)
        .with_axis_line_width(1.0)
        .with_tick_width(1.0)
        .with_grid_line_width(1.0)
        .with_title_size(15)
        .with_label_size(12)
        .with_tick_size(12)
        .with_body_size(12)
        .with_legend_position(LegendPosition::OutsideTopLeft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clip_paths_are_named_by_their_chart() {
        let svg = "<clipPath id=\"kuva-clip-47\"/><g clip-path=\"url(#kuva-clip-47)\"/><clipPath id=\"kuva-clip-4\"/>kuva-clip-4";
        let want = "<clipPath id=\"f1-1\"/><g clip-path=\"url(#f1-1)\"/><clipPath id=\"f1-2\"/>kuva-clip-4";
        assert_eq!(with_own_ids("f1.svg", svg), want);
    }

    #[test]
    fn the_pages_copy_takes_the_pages_colours() {
        let svg = r##"<svg xmlns="x" width="10" height="5"><rect fill="#0072b2"/><text>"#0072b2"</text></svg>"##;
        let svg = svg.replace("\"#0072b2\"</text>", "&quot;#0072b2&quot;</text>");
        let figure = Figure::new("a.svg", "A <b>", "with \"quotes\"".into(), &svg);
        assert_eq!(
            figure.inline,
            "<svg role=\"img\" aria-label=\"A &lt;b&gt;. with &quot;quotes&quot;\" viewBox=\"0 0 10 5\" xmlns=\"x\" \
             width=\"10\" height=\"5\"><rect fill=\"var(--blue)\"/><text>&quot;#0072b2&quot;</text></svg>"
        );
        assert!(figure.standalone.contains("fill=\"#0072b2\""));
    }
}
