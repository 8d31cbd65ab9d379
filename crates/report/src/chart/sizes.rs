//! Width and height of the pictures.

use std::collections::BTreeMap;

use kuva::prelude::{Plot, ScatterPlot};

use super::{BLUE, Figure, styled};
use crate::number;

const SIZE: [f64; 2] = [720.0, 420.0];
/// Different sizes that are drawn: of more, evenly as many.
const MOST: usize = 1_500;

/// A point for each size that occurs.
pub(crate) fn picture_sizes(sizes: &[(u32, u32)]) -> Option<Figure> {
    let mut counts: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    sizes.iter().for_each(|&size| *counts.entry(size).or_default() += 1);
    let (&(width, height), &most) = counts.iter().max_by_key(|&(size, count)| (*count, std::cmp::Reverse(size)))?;
    let step = counts.len().div_ceil(MOST);
    let points = counts.keys().step_by(step).map(|&(width, height)| (f64::from(width), f64::from(height)));
    let plots: Vec<Plot> = vec![ScatterPlot::new().with_data(points).with_color(BLUE.hex).with_size(3.0).into()];
    let layout = styled(&plots, SIZE).with_x_label("Width, pixels").with_y_label("Height, pixels");
    let most = number::counted(most, "picture");
    let description = match counts.len() {
        1 => format!("All have {width} × {height}."),
        sizes => format!(
            "{} different; the most frequent is {width} × {height}, of {most}.",
            number::counted(sizes as u64, "size")
        ),
    };
    Some(Figure::new("sizes.svg", "Sizes of the pictures", description, &kuva::render_to_svg(plots, layout)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_counted() {
        let figure = picture_sizes(&[(640, 480), (480, 640), (640, 480)]).expect("there are sizes");
        assert!(
            figure.description == "2\u{a0}sizes different; the most frequent is 640 × 480, of 2\u{a0}pictures.",
            "{}",
            figure.description
        );
        assert!(picture_sizes(&[(7, 7)]).is_some());
        assert!(picture_sizes(&[]).is_none());
    }
}
