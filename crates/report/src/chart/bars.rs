//! Bars, a row a class.

use std::sync::Arc;

use avizor_base::Split;
use avizor_store::{BalanceRow, ComparedVariant, PartMetrics};
use kuva::prelude::{BarPlot, Layout, LegendPosition, Plot, TickFormat};

use super::{BLUE, Figure, GREEN, INK, SOFT_BLUE, VERMILION, label, styled};
use crate::number;

/// Height of a row in pixels: roomy for a few classes, tight for many.
fn row_height(classes: usize) -> f64 {
    if classes <= 12 {
        30.0
    } else if classes <= 40 {
        22.0
    } else {
        16.0
    }
}

const WIDTH: f64 = 860.0;

/// Letters of a class's name that a row shows.
const LONGEST: usize = 28;

/// Pictures of each class in train, val and test, stacked.
pub(crate) fn class_counts(counts: &[(String, [u64; 3])]) -> Option<Figure> {
    let smallest = counts.iter().min_by_key(|(_, parts)| parts.iter().sum::<u64>())?;
    let largest = counts.iter().max_by_key(|(_, parts)| parts.iter().sum::<u64>())?;
    let told = |(name, parts): &(String, [u64; 3])| {
        format!("{}: {}", crate::name::short(name, LONGEST), number::counted(parts.iter().sum(), "picture"))
    };
    let description = format!("Largest {}; smallest {}.", told(largest), told(smallest));
    let mut bars =
        BarPlot::new().with_horizontal(true).with_stacked().with_legend(Split::ALL.map(Split::name).to_vec());
    for (name, parts) in counts.iter().rev() {
        let values = parts.iter().zip([BLUE, VERMILION, GREEN]).map(|(&n, swatch)| (n as f64, swatch.hex));
        bars = bars.with_group(label(name, LONGEST), values);
    }
    let svg = draw(bars, row_height(counts.len()), "Pictures", |layout| layout.with_x_tick_format(whole()));
    Some(Figure::new("classes.svg", "Pictures a class", description, &svg))
}

/// Pictures of each class an epoch, before and after balancing.
pub(crate) fn class_balance(rows: &[BalanceRow]) -> Option<Figure> {
    if rows.is_empty() {
        return None;
    }
    let ratio = |of: fn(&BalanceRow) -> f64| {
        let (low, high) =
            rows.iter().map(of).fold((f64::INFINITY, 0.0_f64), |(low, high), n| (low.min(n), high.max(n)));
        if low > 0.0 { format!("{:.1}", high / low) } else { "without bound".to_owned() }
    };
    let description = format!(
        "Largest class over smallest: {} before balancing, {} after.",
        ratio(|row| row.before as f64),
        ratio(|row| row.after)
    );
    let mut bars = BarPlot::new().with_horizontal(true).with_legend(vec!["after", "before"]);
    for row in rows.iter().rev() {
        // The lower bar of a row is drawn first.
        bars = bars.with_group(label(&row.class, LONGEST), [(row.after, GREEN.hex), (row.before as f64, BLUE.hex)]);
    }
    let svg =
        draw(bars, 1.4 * row_height(rows.len()), "Pictures an epoch", |layout| layout.with_x_tick_format(whole()));
    Some(Figure::new("balance.svg", "Classes before and after balancing", description, &svg))
}

/// F1 of each class with its interval, worst first.
pub(crate) fn class_f1(part: &PartMetrics) -> Option<Figure> {
    let mut rows: Vec<_> =
        part.classes.iter().filter_map(|(name, class)| Some((name, class.f1.value()?, class.f1.interval()))).collect();
    rows.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (worst, best) = (rows.first()?, rows.last()?);
    let told = |name: &str, f1| format!("{} ({})", crate::name::short(name, LONGEST), number::percent(f1));
    let description = format!("Worst: {}; best: {}.", told(worst.0, worst.1), told(best.0, best.1));
    let mut bars = BarPlot::new().with_horizontal(true).with_error_color(INK.hex).with_error_cap_width(0.35);
    let mut errors = Vec::new();
    for (name, f1, interval) in rows.iter().rev() {
        bars = bars.with_group(label(name, LONGEST), [(*f1, SOFT_BLUE.hex)]);
        let (low, high) = interval.unwrap_or((*f1, *f1));
        errors.push(((f1 - low).max(0.0), (high - f1).max(0.0)));
    }
    let svg = draw(bars.with_asymmetric_error(errors), row_height(rows.len()), "F1, with 95 % interval", shares);
    Some(Figure::new("f1.svg", "F1 a class, worst first", description, &svg))
}

/// Accuracy of each variant with its interval, in their order.
pub(crate) fn compared_variants(variants: &[ComparedVariant]) -> Option<Figure> {
    let rows: Vec<_> = variants
        .iter()
        .filter_map(|variant| Some((&variant.name, variant.accuracy.value()?, variant.accuracy.interval())))
        .collect();
    let best = rows.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let description = format!("Highest: {} ({}).", crate::name::short(best.0, LONGEST), number::percent(best.1));
    let mut bars = BarPlot::new().with_horizontal(true).with_error_color(INK.hex).with_error_cap_width(0.35);
    let mut errors = Vec::new();
    for (name, accuracy, interval) in rows.iter().rev() {
        bars = bars.with_group(label(name, LONGEST), [(*accuracy, SOFT_BLUE.hex)]);
        let (low, high) = interval.unwrap_or((*accuracy, *accuracy));
        errors.push(((accuracy - low).max(0.0), (high - accuracy).max(0.0)));
    }
    let caption = "Accuracy, with 95 % interval";
    let svg = draw(bars.with_asymmetric_error(errors), row_height(rows.len()), caption, shares);
    Some(Figure::new("variants.svg", "Accuracy of each variant", description, &svg))
}

/// An axis from nothing to all.
fn shares(layout: Layout) -> Layout {
    let percent = TickFormat::Custom(Arc::new(|share| format!("{:.0} %", share * 100.0)));
    layout.with_x_axis_min(0.0).with_x_axis_max(1.0).with_x_tick_format(percent)
}

fn whole() -> TickFormat {
    TickFormat::Custom(Arc::new(|value| number::count(value.max(0.0).round() as u64)))
}

fn draw(bars: BarPlot, row: f64, caption: &str, finish: impl FnOnce(Layout) -> Layout) -> String {
    // The axis, its caption and a legend of three lines need this much beside the rows.
    let height = (60.0 + row * bars.groups.len() as f64).max(130.0);
    let plots: Vec<Plot> = vec![bars.with_width(0.72).into()];
    let layout = styled(&plots, [WIDTH, height]).with_x_label(caption);
    kuva::render_to_svg(plots, finish(layout.with_legend_position(LegendPosition::OutsideRightTop)))
}
