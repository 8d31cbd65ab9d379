//! The loss over growing learning rates.

use kuva::prelude::{LinePlot, Plot, ReferenceLine};

use super::{BLUE, Figure, GREEN, styled};
use crate::number;

const SIZE: [f64; 2] = [720.0, 400.0];

/// The smoothed loss of a range test, and the rate that it suggests.
pub(crate) fn rate_test(points: &[(f64, f64)], suggestion: f64) -> Option<Figure> {
    let (first, last) = (points.first()?, points.last()?);
    // What ran away would press the rest flat.
    let highest = 2.0 * points[..points.len() / 2 + 1].iter().map(|point| point.1).fold(0.0, f64::max);
    let line = LinePlot::new()
        .with_data(points.iter().map(|&(rate, loss)| (rate, loss.min(highest))))
        .with_color(BLUE.hex)
        .with_stroke_width(2.0);
    let plots: Vec<Plot> = vec![line.into()];
    let layout = styled(&plots, SIZE)
        .with_x_label("Learning rate")
        .with_y_label("Smoothed loss")
        .with_log_x()
        .with_reference_line(ReferenceLine::vertical(suggestion).with_color(GREEN.hex).with_stroke_width(1.5));
    let description = format!(
        "From {} at a rate of {:.0e} to {} at {:.0e}; suggested: {suggestion:.0e}.",
        number::plain(first.1),
        first.0,
        number::plain(last.1),
        last.0
    );
    Some(Figure::new("lr.svg", "Loss over the learning rate", description, &kuva::render_to_svg(plots, layout)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_drawn_with_its_suggestion() {
        let points: Vec<(f64, f64)> =
            (0..50).map(|step| (10f64.powf(-7.0 + 0.16 * f64::from(step)), 2.0 - 0.02 * f64::from(step))).collect();
        let figure = rate_test(&points, 1e-3).expect("there are points");
        assert!(figure.standalone.starts_with("<svg ") && figure.description.contains("suggested: 1e-3"));
        assert!(rate_test(&[], 1e-3).is_none());
    }
}
