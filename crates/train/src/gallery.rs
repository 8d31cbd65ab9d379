//! The small pictures that a report shows, so that it needs neither the originals nor the model.

use avizor_base::{Purpose, Seed, Split};
use avizor_data::Resizer;
use avizor_store::{Gallery, GalleryPicture, PictureKind, RunFolder};

use crate::audited::small;
use crate::error::TrainError;
use crate::evaluate::Evaluated;
use crate::setup::Setup;

/// The most confident errors that are shown.
const ERRORS: usize = 24;
/// Pictures of the sample grid.
const SAMPLES: usize = 24;
/// Longer side of a small picture in pixels.
const SIDE: u32 = 112;

/// Stores the most confident errors of a part and a few samples of it, as the network saw them.
///
/// # Errors
/// A picture that cannot be read any more; what the file system says.
pub(crate) fn write_gallery(
    run: &RunFolder,
    setup: &Setup,
    part: Split,
    rows: &[u32],
    evaluated: &Evaluated,
    seed: Seed,
) -> Result<(), TrainError> {
    let mut writer = Writer { run, setup, part, rows, evaluated, resizer: Resizer::new(), gallery: Gallery::default() };
    for position in most_confident_errors(evaluated) {
        writer.add(position, PictureKind::Error)?;
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    seed.stream(Purpose::Gallery, [0, 0, 0]).shuffle(&mut order);
    for &position in order.iter().take(SAMPLES) {
        writer.add(position, PictureKind::Sample)?;
    }
    run.write_gallery(&writer.gallery)?;
    Ok(())
}

fn most_confident_errors(evaluated: &Evaluated) -> Vec<usize> {
    let rows = &evaluated.predictions.rows;
    let confidence = |position: usize| rows[position].probabilities[rows[position].prediction.index()];
    let mut errors: Vec<usize> =
        (0..rows.len()).filter(|&position| rows[position].label != Some(rows[position].prediction)).collect();
    errors.sort_by(|&a, &b| confidence(b).total_cmp(&confidence(a)));
    errors.truncate(ERRORS);
    errors
}

struct Writer<'w> {
    run: &'w RunFolder,
    setup: &'w Setup,
    part: Split,
    rows: &'w [u32],
    evaluated: &'w Evaluated,
    resizer: Resizer,
    gallery: Gallery,
}

impl Writer<'_> {
    fn add(&mut self, position: usize, kind: PictureKind) -> Result<(), TrainError> {
        let row = &self.evaluated.predictions.rows[position];
        let classes = self.setup.classes();
        let picture = self.setup.prepared.picture(self.rows[position] as usize)?;
        let entry = GalleryPicture {
            file: format!("{}-{:03}.png", self.part, self.gallery.pictures.len()),
            sample: row.sample.clone(),
            split: self.part,
            label: row.label.map(|label| classes.name(label).to_owned()),
            prediction: classes.name(row.prediction).to_owned(),
            probability: f64::from(row.probabilities[row.prediction.index()]),
            kind,
        };
        self.run.write_gallery_picture(&entry, &small(&picture, SIDE, &mut self.resizer).to_png())?;
        self.gallery.pictures.push(entry);
        Ok(())
    }
}
