//! The eight shapes that quickstart's pictures show.

/// A class of the quickstart set: a name, and which points of the plane belong to the shape. Shapes lie within a
/// circle of radius 1.12 round the origin.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) contains: fn(f64, f64) -> bool,
}

/// In the order of their names.
pub(super) const SHAPES: [Shape; 8] = [
    Shape { name: "circle", contains: |x, y| square(x, y) < 0.81 },
    Shape { name: "crescent", contains: |x, y| square(x, y) < 1.0 && square(x - 0.5, y) > 0.64 },
    Shape { name: "cross", contains: |x, y| x.abs().min(y.abs()) < 0.26 && x.abs().max(y.abs()) < 0.95 },
    Shape { name: "heart", contains: heart },
    Shape { name: "ring", contains: |x, y| (0.36..1.0).contains(&square(x, y)) },
    Shape { name: "square", contains: |x, y| x.abs().max(y.abs()) < 0.78 },
    Shape { name: "star", contains: star },
    Shape { name: "triangle", contains: triangle },
];

/// Of the distance from the origin.
fn square(x: f64, y: f64) -> f64 {
    x * x + y * y
}

/// The sextic (x² + y² − 1)³ < x² y³, shrunk to the unit circle.
fn heart(x: f64, y: f64) -> bool {
    let (x, y) = (x * 1.3, 0.15 - y * 1.3);
    let circle = x * x + y * y - 1.0;
    circle * circle * circle < x * x * y * y * y
}

/// Five points: the boundary runs straight between radius 1 and radius 0.42.
fn star(x: f64, y: f64) -> bool {
    if square(x, y) > 1.0 {
        return false;
    }
    const TIP: f64 = std::f64::consts::TAU / 5.0;
    let angle = (y.atan2(x).rem_euclid(TIP) - TIP / 2.0).abs();
    let from_tip = TIP / 2.0 - angle;
    let (along, across) = (x.hypot(y) * from_tip.cos(), x.hypot(y) * from_tip.sin());
    let (inner_along, inner_across) = (0.42 * (TIP / 2.0).cos(), 0.42 * (TIP / 2.0).sin());
    // Left of the line from the tip (1, 0) to the inner corner.
    (1.0 - along) * inner_across > across * (1.0 - inner_along)
}

/// Equilateral, one corner up.
fn triangle(x: f64, y: f64) -> bool {
    let slope = 3f64.sqrt();
    y < 0.5 && y > -1.0 + slope * x.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_lies_in_the_unit_circle_and_differs_from_the_others() {
        let grid = || (-60..=60).flat_map(|y| (-60..=60).map(move |x| (f64::from(x) / 50.0, f64::from(y) / 50.0)));
        let drawn: Vec<Vec<bool>> =
            SHAPES.iter().map(|shape| grid().map(|(x, y)| (shape.contains)(x, y)).collect()).collect();
        for (index, shape) in SHAPES.iter().enumerate() {
            let inside = drawn[index].iter().filter(|&&inside| inside).count();
            assert!(inside > 1500, "{} is nearly nothing: {inside}", shape.name);
            for ((x, y), &inside) in grid().zip(&drawn[index]) {
                assert!(!inside || x.hypot(y) <= 1.12, "{} at {x} {y}", shape.name);
            }
            for other in 0..index {
                let differ = drawn[index].iter().zip(&drawn[other]).filter(|(a, b)| a != b).count();
                assert!(differ > 700, "{} and {}: {differ}", shape.name, SHAPES[other].name);
            }
        }
    }
}
