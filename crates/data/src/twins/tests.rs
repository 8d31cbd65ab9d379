use avizor_base::{ImageSize, Purpose, Seed};

use super::*;
use crate::Picture;

/// A grey picture of a height and width.
#[derive(Clone)]
struct Grey {
    height: usize,
    width: usize,
    levels: Vec<f32>,
}

impl Grey {
    fn new(height: usize, width: usize, level: impl Fn(usize, usize) -> f32) -> Self {
        let levels = (0..height * width).map(|at| level(at / width, at % width)).collect();
        Self { height, width, levels }
    }

    /// Clouds of every size from 64 pixels to 4, as photographs have: another picture for every number.
    fn clouds(number: u64) -> Self {
        let octaves: Vec<(usize, Vec<f32>)> = [64, 32, 16, 8, 4]
            .map(|cell| {
                let mut stream = Seed(number).stream(Purpose::Quickstart, [cell as u64, 0, 0]);
                (cell, (0..64 * 64).map(|_| stream.unit() as f32 - 0.5).collect())
            })
            .to_vec();
        Self::new(120, 160, |y, x| {
            let value = |(cell, values): &(usize, Vec<f32>)| {
                let (top, left) = (y / cell, x / cell);
                let (v, u) = ((y % cell) as f32 / *cell as f32, (x % cell) as f32 / *cell as f32);
                let at = |y: usize, x: usize| values[y * 64 + x];
                let upper = at(top, left) * (1.0 - u) + at(top, left + 1) * u;
                let lower = at(top + 1, left) * (1.0 - u) + at(top + 1, left + 1) * u;
                (upper * (1.0 - v) + lower * v) * (*cell as f32).sqrt() * 22.0
            };
            128.0 + octaves.iter().map(value).sum::<f32>()
        })
    }

    fn crop(&self, top: usize, left: usize, height: usize, width: usize) -> Self {
        Self::new(height, width, |y, x| self.levels[(y + top) * self.width + x + left])
    }

    fn mirrored(&self) -> Self {
        Self::new(self.height, self.width, |y, x| self.levels[y * self.width + self.width - 1 - x])
    }

    fn turned(&self) -> Self {
        Self::new(self.width, self.height, |y, x| self.levels[x * self.width + self.width - 1 - y])
    }

    /// In a frame of its size, black where there is nothing of it.
    fn turned_by(&self, degrees: f32) -> Self {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        Self::new(self.height, self.width, |y, x| {
            let (down, right) = (y as f32 - self.height as f32 / 2.0, x as f32 - self.width as f32 / 2.0);
            let v = self.height as f32 / 2.0 + cosine * down - sine * right;
            let u = self.width as f32 / 2.0 + sine * down + cosine * right;
            let is_inside = (0.0..self.height as f32).contains(&v) && (0.0..self.width as f32).contains(&u);
            if is_inside { self.levels[v as usize * self.width + u as usize] } else { 0.0 }
        })
    }

    fn bordered(&self, border: usize) -> Self {
        let inside = |at: usize, of: usize| (border..of + border).contains(&at);
        Self::new(self.height + 2 * border, self.width + 2 * border, |y, x| {
            match inside(y, self.height) && inside(x, self.width) {
                true => self.levels[(y - border) * self.width + x - border],
                false => 255.0,
            }
        })
    }

    fn toned(&self, contrast: f32, brightness: f32) -> Self {
        Self::new(self.height, self.width, |y, x| self.levels[y * self.width + x] * contrast + brightness)
    }

    fn halved(&self) -> Self {
        Self::new(self.height / 2, self.width / 2, |y, x| {
            let at = |down: usize, right: usize| self.levels[(2 * y + down) * self.width + 2 * x + right];
            (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4.0
        })
    }

    fn written_on(&self) -> Self {
        Self::new(self.height, self.width, |y, x| {
            let is_ink = (50..60).contains(&y) && x % 7 < 3 && (20..100).contains(&x);
            if is_ink { 250.0 } else { self.levels[y * self.width + x] }
        })
    }

    fn thumbnail(&self) -> Option<Thumbnail> {
        let size = ImageSize::new(self.height as u32, self.width as u32).unwrap();
        let pixels = self.levels.iter().flat_map(|&level| [level.clamp(0.0, 255.0) as u8; 3]).collect();
        Some(Thumbnail::of(&Picture::new(size, pixels).unwrap()))
    }
}

fn found(pictures: &[Grey]) -> Vec<(u32, u32, bool)> {
    let thumbnails: Vec<Option<Thumbnail>> = pictures.iter().map(Grey::thumbnail).collect();
    let twins = Twins::find(&thumbnails, 2);
    assert_eq!(twins, Twins::find(&thumbnails, 5));
    twins.pairs().iter().map(|twin| (twin.first, twin.second, twin.way.is_mirrored())).collect()
}

#[test]
fn every_edit_is_found_and_no_other_picture() {
    type Edit = fn(&Grey) -> Grey;
    let edits: &[(&str, bool, Edit)] = &[
        ("equal", false, Grey::clone),
        ("crop of 10 %", false, |of| of.crop(7, 11, 108, 144)),
        ("crop of 25 %", false, |of| of.crop(21, 5, 90, 120)),
        ("crop of 40 %", false, |of| of.crop(30, 40, 72, 96)),
        ("mirrored", true, Grey::mirrored),
        ("turned by 90°", false, Grey::turned),
        ("turned by 180°", false, |of| of.turned().turned()),
        ("mirrored and turned", true, |of| of.mirrored().turned()),
        ("border", false, |of| of.bordered(8)),
        ("wide border", false, |of| of.bordered(20)),
        ("turned a little", false, |of| of.turned_by(5.0)),
        ("brighter", false, |of| of.toned(0.9, 30.0)),
        ("less contrast", false, |of| of.toned(0.5, 60.0)),
        ("half the size", false, Grey::halved),
        ("written on", false, Grey::written_on),
        ("mirrored, cropped and darker", true, |of| of.mirrored().crop(10, 10, 100, 130).toned(0.8, 0.0)),
    ];
    let others: Vec<Grey> = (1..30).map(Grey::clouds).collect();
    for &(name, is_mirrored, edit) in edits {
        for number in [100, 101, 102] {
            let original = Grey::clouds(number);
            let pictures = [&[original.clone(), edit(&original)], &others[..]].concat();
            assert_eq!(found(&pictures), [(0, 1, is_mirrored)], "{name} of {number}");
        }
    }
}

#[test]
fn what_shares_a_frame_alone_is_not_one_picture() {
    // A bright disc on black, as of an eye, and within it something else each time.
    let eye = |number: u64| {
        let inside = Grey::clouds(number).toned(0.12, 100.0);
        Grey::new(120, 160, |y, x| {
            let (down, right) = ((y as f32 - 60.0) / 58.0, (x as f32 - 80.0) / 78.0);
            if down * down + right * right < 1.0 { inside.levels[y * 160 + x] } else { 0.0 }
        })
    };
    assert_eq!(found(&(0..12).map(eye).collect::<Vec<_>>()), []);
    // Flat pictures are nobody's twins.
    assert_eq!(found(&[Grey::new(9, 9, |_, _| 7.0), Grey::new(9, 9, |_, _| 7.0)]), []);
}

#[test]
fn a_look_that_many_have_is_not_a_picture() {
    // Crosses, each of its own size and place: one map takes any to any other.
    let cross = |n: usize| {
        let (y, x, arm, half) = (50 + n % 5 * 4, 60 + n / 5 * 4, 24 + n % 7 * 2, 5 + n % 3);
        Grey::new(120, 160, move |v, u| {
            let (down, right) = (v.abs_diff(y), u.abs_diff(x));
            let is_ink = down <= half && right <= arm || right <= half && down <= arm;
            if is_ink { 220.0 } else { 60.0 + (u + 2 * v) as f32 * 0.1 }
        })
    };
    let original = Grey::clouds(5);
    let mut pictures: Vec<Grey> = (0..60).map(cross).collect();
    pictures.extend([original.clone(), original.mirrored()]);
    let thumbnails: Vec<Option<Thumbnail>> = pictures.iter().map(Grey::thumbnail).collect();
    let twins = Twins::find(&thumbnails, 2);
    assert!(twins.lookalikes() > 40 && twins.pairs().is_empty(), "{} {:?}", twins.lookalikes(), twins.pairs());
    // Among many other pictures they are few, and what else there is counts.
    let twins = Twins { pairs: found_in(&thumbnails), lookalikes: 0 }.without_lookalikes(2000);
    assert!(twins.lookalikes() > 40);
    assert!(twins.pairs().iter().any(|twin| (twin.first, twin.second) == (60, 61)));
}

/// All pairs, those of look-alikes too.
fn found_in(thumbnails: &[Option<Thumbnail>]) -> Vec<Twin> {
    propose(thumbnails, 2).iter().filter_map(|proposal| decide(thumbnails, proposal)).collect()
}

#[test]
fn sets_join_by_others() {
    let of = Grey::clouds(7);
    let pictures = [Grey::clouds(1), of.crop(0, 0, 80, 110), of.clone(), Grey::clouds(2), of.crop(40, 50, 80, 110)];
    let thumbnails: Vec<Option<Thumbnail>> = pictures.iter().map(Grey::thumbnail).collect();
    assert_eq!(Twins::find(&thumbnails, 2).sets(5), [[1, 2, 4]]);
    assert_eq!(Twins::find(&[None, None], 2).sets(2), Vec::<Vec<usize>>::new());
}

/// Whoever changes what is found sees this fail: what was remembered of earlier searches then holds no longer.
#[test]
fn how_twins_are_searched_has_a_number() {
    let original = Grey::clouds(100);
    let edits = [original.crop(7, 11, 108, 144), original.mirrored(), original.turned().toned(0.7, 9.0)];
    let others = (1..20).map(Grey::clouds);
    let thumbnails: Vec<Option<Thumbnail>> =
        [original].into_iter().chain(edits).chain(others).map(|picture| picture.thumbnail()).collect();
    let twins = Twins::find(&thumbnails, 2);
    assert_eq!(twins.pairs().len(), 6);
    let hash = xxhash_rust::xxh3::xxh3_64(&serde_json::to_vec(&twins).unwrap());
    assert_eq!(
        (SEARCHES_AS, format!("{hash:016x}").as_str()),
        (3, "37bb76842e7e5b62"),
        "raise SEARCHES_AS, then write down both"
    );
}
