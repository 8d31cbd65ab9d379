//! Everything that a run has stored and the report can show.

use avizor_base::Split;
use avizor_store::{
    Audit, BalanceRow, Gallery, GalleryPicture, History, Metrics, PartMetrics, Predictions, RunFolder, RunInfo,
    SampleRow, StoreError, read_balance, read_samples,
};

use crate::base64::data_uri;

/// What was there to read. Only `run.json` must be.
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) info: RunInfo,
    pub(crate) recipe: Option<String>,
    pub(crate) metrics: Metrics,
    pub(crate) history: History,
    pub(crate) samples: Option<Vec<SampleRow>>,
    pub(crate) balance: Option<Vec<BalanceRow>>,
    pub(crate) audit: Option<Audit>,
    pub(crate) predictions: Option<Predictions>,
    pub(crate) gallery: Vec<Thumbnail>,
}

/// A picture of the gallery with its bytes as a `data:` URI; `None` where the file is gone.
pub(crate) struct Thumbnail {
    pub(crate) picture: GalleryPicture,
    pub(crate) uri: Option<String>,
}

impl Stored {
    pub(crate) fn read(run: &RunFolder) -> Result<Self, StoreError> {
        let gallery = StoreError::optional(run.read_gallery())?.unwrap_or_default();
        Ok(Self {
            name: run.name(),
            info: run.read_info()?,
            recipe: StoreError::optional(run.read_recipe())?,
            metrics: StoreError::optional(run.read_metrics())?.unwrap_or_default(),
            history: StoreError::optional(History::read(&run.history_path()))?.unwrap_or_default(),
            samples: StoreError::optional(read_samples(&run.samples_path()))?,
            balance: StoreError::optional(read_balance(&run.balance_path()))?,
            audit: StoreError::optional(run.read_audit())?,
            predictions: StoreError::optional(Predictions::read(&run.predictions_path(Split::Test)))?,
            gallery: thumbnails(run, gallery)?,
        })
    }

    /// The part whose numbers the page is about: test, or val where test was not evaluated.
    pub(crate) fn main_part(&self) -> Option<(Split, &PartMetrics)> {
        let test = self.metrics.test.as_ref().map(|part| (Split::Test, part));
        test.or_else(|| self.metrics.val.as_ref().map(|part| (Split::Val, part)))
    }
}

fn thumbnails(run: &RunFolder, gallery: Gallery) -> Result<Vec<Thumbnail>, StoreError> {
    let with_bytes = |picture: GalleryPicture| {
        let bytes = StoreError::optional(run.read_gallery_picture(&picture))?;
        let uri = bytes.zip(picture.media_type()).map(|(bytes, media_type)| data_uri(media_type, &bytes));
        Ok(Thumbnail { picture, uri })
    };
    gallery.pictures.into_iter().map(with_bytes).collect()
}
