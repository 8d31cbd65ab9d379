//! `gallery/`: the small pictures that the report shows.

use avizor_base::Split;
use serde::{Deserialize, Serialize};

use crate::{Format, RunFolder, StoreError, file};

/// The content of `gallery/gallery.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gallery {
    /// Version of this file's shape.
    pub format: Format,
    /// In the order in which they are shown: errors by falling probability.
    pub pictures: Vec<GalleryPicture>,
}

/// One small picture and what was said about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GalleryPicture {
    /// Name of the file in `gallery/`: letters, digits, `-`, `_` and one of `.png`, `.jpg`, `.gif`, `.webp`.
    pub file: String,
    /// The sample's name.
    pub sample: String,
    /// The part it is in.
    pub split: Split,
    /// Its label; `None` where unknown.
    pub label: Option<String>,
    /// What was predicted.
    pub prediction: String,
    /// Probability of the prediction.
    pub probability: f64,
    /// Why it is here.
    pub kind: PictureKind,
}

/// Why a picture is in the gallery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PictureKind {
    /// One of the errors that were made with most confidence.
    Error,
    /// One of a few drawn at random.
    Sample,
}

impl GalleryPicture {
    /// The picture's MIME type, by the file's ending; `None` for a name that is no plain name of a picture.
    pub fn media_type(&self) -> Option<&'static str> {
        let (stem, ending) = self.file.rsplit_once('.')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if stem.is_empty() || !stem.chars().all(plain) {
            return None;
        }
        match ending {
            "png" => Some("image/png"),
            "jpg" => Some("image/jpeg"),
            "gif" => Some("image/gif"),
            "webp" => Some("image/webp"),
            _ => None,
        }
    }
}

impl RunFolder {
    /// Stores one small picture, an encoded file, under its plain name.
    ///
    /// # Errors
    /// The name is not plain (see [`GalleryPicture::file`]); what the file system says.
    pub fn write_gallery_picture(&self, picture: &GalleryPicture, bytes: &[u8]) -> Result<(), StoreError> {
        self.check_name(picture)?;
        file::write_bytes(&self.gallery_path().join(&picture.file), bytes)
    }

    /// The bytes of one small picture.
    ///
    /// # Errors
    /// The name is not plain; the file is not there or cannot be read.
    pub fn read_gallery_picture(&self, picture: &GalleryPicture) -> Result<Vec<u8>, StoreError> {
        self.check_name(picture)?;
        file::read_bytes(&self.gallery_path().join(&picture.file))
    }

    /// Stores `gallery/gallery.json`. Write the pictures first.
    ///
    /// # Errors
    /// A name is not plain; what the file system says.
    pub fn write_gallery(&self, gallery: &Gallery) -> Result<(), StoreError> {
        gallery.pictures.iter().try_for_each(|picture| self.check_name(picture))?;
        file::write_json(&self.gallery_path().join("gallery.json"), gallery)
    }

    /// Reads `gallery/gallery.json`.
    ///
    /// # Errors
    /// It is not there, cannot be read, is not of this shape, or a file name in it is not plain: a gallery from
    /// elsewhere must not make the report read other files.
    pub fn read_gallery(&self) -> Result<Gallery, StoreError> {
        let gallery: Gallery = file::read_json(&self.gallery_path().join("gallery.json"))?;
        gallery.pictures.iter().try_for_each(|picture| self.check_name(picture))?;
        Ok(gallery)
    }

    fn check_name(&self, picture: &GalleryPicture) -> Result<(), StoreError> {
        if picture.media_type().is_some() {
            return Ok(());
        }
        let what = format!("a picture named {:?}", picture.file);
        Err(StoreError::Unstorable { path: self.gallery_path(), what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(folder.path(), "x", "2026-11-22").unwrap();
        for (file, is_plain) in [
            ("001.png", true),
            ("e-1_b.jpg", true),
            ("../run.png", false),
            ("a/b.png", false),
            ("..", false),
            ("/etc/passwd", false),
            ("a.svg", false),
            (".png", false),
            ("a\\b.png", false),
        ] {
            let picture = GalleryPicture {
                file: file.into(),
                sample: "s".into(),
                split: Split::Test,
                label: None,
                prediction: "cat".into(),
                probability: 0.9,
                kind: PictureKind::Error,
            };
            assert_eq!(run.write_gallery_picture(&picture, b"x").is_ok(), is_plain, "{file}");
            let gallery = Gallery { format: Format, pictures: vec![picture] };
            assert_eq!(run.write_gallery(&gallery).is_ok(), is_plain, "{file}");
        }
    }
}
