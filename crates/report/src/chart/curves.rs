//! A chart a value: how it went on train and on val over the epochs.

use avizor_store::History;
use kuva::prelude::{Layout, LinePlot, Plot, ReferenceLine, TickFormat};

use super::{BLUE, Figure, GREEN, MUTED, Swatch, VERMILION, styled};
use crate::number;

/// A kind of value: file, title, what it is called in `history.csv` after `train.` and `val.`.
struct Kind {
    file: &'static str,
    title: &'static str,
    value: &'static str,
    unit: Unit,
}

enum Unit {
    Share,
    Number,
}

const KINDS: &[Kind] = &[
    Kind { file: "loss.svg", title: "Loss", value: "loss", unit: Unit::Number },
    Kind { file: "accuracy.svg", title: "Accuracy", value: "accuracy", unit: Unit::Share },
    Kind { file: "macro_f1.svg", title: "Macro F1", value: "macro_f1", unit: Unit::Share },
];

const SIZE: [f64; 2] = [520.0, 320.0];

/// The charts of the values that the history has over two epochs or more, and that of the learning rate if it changed.
pub(crate) fn curves(history: &History) -> Vec<Figure> {
    let mut figures: Vec<Figure> = KINDS.iter().filter_map(|kind| chart(history, kind)).collect();
    figures.extend(learning_rate(history));
    figures
}

fn chart(history: &History, kind: &Kind) -> Option<Figure> {
    let parts = [("train", "Train", BLUE), ("val", "Val", VERMILION)];
    let series = parts.map(|(part, name, swatch)| (name, swatch, finite(history, &format!("{part}.{}", kind.value))));
    let series: Vec<_> = series.into_iter().filter(|(_, _, points)| points.len() > 1).collect();
    let description = series.iter().filter_map(|(name, _, points)| told(name, points, &kind.unit));
    let description = description.collect::<Vec<_>>().join(" ");
    let plots: Vec<Plot> = series.iter().map(|(name, swatch, points)| line(points, *swatch, Some(name))).collect();
    if plots.is_empty() {
        return None;
    }
    let mut layout = over_epochs(&plots, history);
    if let Unit::Share = kind.unit {
        layout = layout
            .with_y_tick_format(TickFormat::Custom(std::sync::Arc::new(|share| format!("{:.0} %", share * 100.0))));
    }
    if let Some(best) = history.best_epoch() {
        layout = layout
            .with_reference_line(ReferenceLine::vertical(best as f64).with_color(MUTED.hex).with_stroke_width(1.0));
    }
    Some(Figure::new(kind.file, kind.title, description, &kuva::render_to_svg(plots, layout)))
}

fn learning_rate(history: &History) -> Option<Figure> {
    let points = finite(history, "lr");
    let (first, rest) = points.split_first()?;
    if rest.iter().all(|point| point.1 == first.1) {
        return None;
    }
    let plots = vec![line(&points, GREEN, None)];
    let layout = over_epochs(&plots, history);
    let description = told("The rate", &points, &Unit::Number)?;
    Some(Figure::new("learning_rate.svg", "Learning rate", description, &kuva::render_to_svg(plots, layout)))
}

/// Epochs along the bottom, whole ones also where there are few: left to itself the axis would mark halves.
fn over_epochs(plots: &[Plot], history: &History) -> Layout {
    let last = finite(history, "lr").last().map_or(1, |point| point.0);
    let layout = styled(plots, SIZE).with_x_label("Epoch").with_x_tick_format(TickFormat::Integer);
    if last <= 10 { layout.with_x_tick_step(1.0) } else { layout }
}

fn finite(history: &History, column: &str) -> Vec<(usize, f64)> {
    history.series(column).into_iter().filter(|(_, value)| value.is_finite()).collect()
}

fn line(points: &[(usize, f64)], swatch: Swatch, legend: Option<&str>) -> Plot {
    let line = LinePlot::new()
        .with_data(points.iter().map(|&(epoch, value)| (epoch as f64, value)))
        .with_color(swatch.hex)
        .with_stroke_width(2.0);
    match legend {
        Some(legend) => line.with_legend(legend).into(),
        None => line.into(),
    }
}

/// `Train: from 2.303 in epoch 1 to 0.120 in epoch 20.`
fn told(name: &str, points: &[(usize, f64)], unit: &Unit) -> Option<String> {
    let shown = |value| match unit {
        Unit::Share => number::percent(value),
        Unit::Number => number::plain(value),
    };
    let (&(first, start), &(last, end)) = (points.first()?, points.last()?);
    Some(format!("{name}: from {} in epoch {first} to {} in epoch {last}.", shown(start), shown(end)))
}
