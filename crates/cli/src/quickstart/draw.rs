//! Draws the pictures of the quickstart set: one shape each, of any colour, size, place and turn, on a restless ground.
//!
//! Neither colour nor a fixed place tells the class, so a table of colours or a network without convolutions does
//! poorly: what is learned is the shape.

use std::fs;
use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use avizor_base::{Purpose, Seed, Stream};

use super::shapes::{SHAPES, Shape};

/// Pictures of a class.
pub(super) const PER_CLASS: usize = 300;

type Rgb = [f64; 3];

/// One picture, described.
struct Scene {
    width: u32,
    height: u32,
    ground: [Rgb; 2],
    ink: Rgb,
    /// Centre and radius in pixels.
    centre: (f64, f64),
    radius: f64,
    /// Sine and cosine of the angle.
    turn: (f64, f64),
    /// Small discs that mean nothing: centre, radius, colour.
    specks: Vec<((f64, f64), f64, Rgb)>,
    noise: f64,
}

/// Draws the set into a folder that does not exist yet, on so many threads: class folders of at least ten pictures, and a
/// few files that are wrong on purpose.
pub(super) fn draw_set(folder: &Path, seed: Seed, per_class: usize, threads: usize) -> io::Result<()> {
    for shape in &SHAPES {
        fs::create_dir_all(folder.join(shape.name))?;
    }
    let next = AtomicUsize::new(0);
    let draw = || -> io::Result<()> {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let (class, number) = (place / per_class, place % per_class);
            let Some(shape) = SHAPES.get(class) else { return Ok(()) };
            draw_picture(folder, shape, seed, class, number)?;
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(draw)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })?;
    spoil(folder)
}

fn draw_picture(folder: &Path, shape: &Shape, seed: Seed, class: usize, number: usize) -> io::Result<()> {
    let mut stream = seed.stream(Purpose::Quickstart, [class as u64, number as u64, 0]);
    let scene = Scene::draw(&mut stream);
    let pixels = scene.render(shape.contains, &mut stream);
    let path = folder.join(shape.name).join(format!("{}_{number:03}.png", shape.name));
    image::save_buffer(&path, &pixels, scene.width, scene.height, image::ExtendedColorType::Rgb8)
        .map_err(io::Error::other)
}

/// What real folders contain: copies, a cut-off download, a page in a picture's name, an empty file, junk.
fn spoil(folder: &Path) -> io::Result<()> {
    let first = |class: &str, number: usize| folder.join(class).join(format!("{class}_{number:03}.png"));
    fs::copy(first("circle", 3), folder.join("circle/circle_003 (copy).png"))?;
    fs::copy(first("star", 7), folder.join("star/star_007_1.png"))?;
    fs::copy(first("heart", 0), folder.join("heart/backup of heart.png"))?;
    let whole = fs::read(first("square", 9))?;
    fs::write(folder.join("square/download.png"), &whole[..whole.len() / 3])?;
    fs::write(folder.join("ring/ring_from_web.jpg"), b"<!DOCTYPE html><html><title>404 Not Found</title></html>")?;
    fs::write(folder.join("cross/empty.png"), b"")?;
    fs::write(folder.join("Thumbs.db"), b"\xd0\xcf\x11\xe0")
}

impl Scene {
    fn draw(stream: &mut Stream) -> Self {
        let (width, height) = (72 + stream.below(57) as u32, 72 + stream.below(57) as u32);
        let side = f64::from(width.min(height));
        let radius = side * stream.between(0.28, 0.45);
        let within = |length: u32, stream: &mut Stream| stream.between(radius * 0.9, f64::from(length) - radius * 0.9);
        let (ground, ink) = colours(stream);
        let specks = (0..3 + stream.below(5))
            .map(|_| {
                let at = (stream.unit() * f64::from(width), stream.unit() * f64::from(height));
                (at, side * stream.between(0.01, 0.035), colour(stream))
            })
            .collect();
        Self {
            width,
            height,
            ground,
            ink,
            centre: (within(width, stream), within(height, stream)),
            radius,
            turn: stream.between(-0.5, 0.5).sin_cos(),
            specks,
            noise: stream.between(0.01, 0.05),
        }
    }

    /// RGB, row by row. Edges are smoothed by four samples a pixel.
    fn render(&self, contains: fn(f64, f64) -> bool, stream: &mut Stream) -> Vec<u8> {
        let mut pixels = Vec::with_capacity((self.width * self.height * 3) as usize);
        for y in 0..self.height {
            for x in 0..self.width {
                let mut sum = [0.0; 3];
                for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
                    let sample = self.colour_at(f64::from(x) + dx, f64::from(y) + dy, contains);
                    sum.iter_mut().zip(sample).for_each(|(sum, value)| *sum += value / 4.0);
                }
                pixels
                    .extend(sum.map(|value| ((value + self.noise * stream.normal()) * 255.0).clamp(0.0, 255.0) as u8));
            }
        }
        pixels
    }

    fn colour_at(&self, x: f64, y: f64, contains: fn(f64, f64) -> bool) -> Rgb {
        let (sin, cos) = self.turn;
        let (dx, dy) = ((x - self.centre.0) / self.radius, (y - self.centre.1) / self.radius);
        if contains(cos * dx + sin * dy, cos * dy - sin * dx) {
            return self.ink;
        }
        let covers = |(sx, sy): (f64, f64), radius: f64| (x - sx) * (x - sx) + (y - sy) * (y - sy) < radius * radius;
        let speck = self.specks.iter().find(|(centre, radius, _)| covers(*centre, *radius));
        if let Some((_, _, colour)) = speck {
            return *colour;
        }
        let share = (x / f64::from(self.width) + y / f64::from(self.height)) / 2.0;
        [0, 1, 2].map(|channel| self.ground[0][channel] * (1.0 - share) + self.ground[1][channel] * share)
    }
}

/// Two colours of the ground and one that can be told from everything between them. All three are drawn anew until
/// they do: for some grounds there is no such ink.
fn colours(stream: &mut Stream) -> ([Rgb; 2], Rgb) {
    loop {
        let (ground, ink) = ([colour(stream), colour(stream)], colour(stream));
        let [low, high] = [ground[0], ground[1]].map(|ground| lightness(ink) - lightness(ground));
        if low.abs().min(high.abs()) >= 0.25 && low.signum() == high.signum() {
            return (ground, ink);
        }
    }
}

fn colour(stream: &mut Stream) -> Rgb {
    [stream.unit(), stream.unit(), stream.unit()]
}

/// Rec. 601's weights.
fn lightness(colour: Rgb) -> f64 {
    0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_set_and_spoils_a_few_files() {
        let folder = tempfile::tempdir().unwrap();
        draw_set(folder.path(), Seed(1), 12, 1).unwrap();
        let files = |class: &str| fs::read_dir(folder.path().join(class)).unwrap().count();
        assert_eq!((files("triangle"), files("circle")), (12, 13));
        let again = tempfile::tempdir().unwrap();
        draw_set(again.path(), Seed(1), 12, 3).unwrap();
        let one = |root: &Path| fs::read(root.join("star/star_004.png")).unwrap();
        assert_eq!(one(folder.path()), one(again.path()));
    }
}
