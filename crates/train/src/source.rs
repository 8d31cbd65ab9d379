//! What a recipe's `[data]`, `[split]` and `[transforms]` say, in the terms of the crate that does it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use avizor_base::{Preprocess, RESAMPLING, Seed};
use avizor_data::Prepared;
use avizor_data::decode::{HAS_TURBOJPEG, Limits};
use avizor_data::index::{
    DataOptions, Index, IndexError, LabelRule, NamePattern, PartOptions, PartSource, TableOptions,
};

use crate::error::TrainError;
use crate::first_weights::FirstWeights;
use crate::recipe::{self, Data, Recipe, Size, TransformOptions};

/// The pictures of a recipe, listed but not read: for who wants to load them without training.
#[derive(Clone, Debug)]
pub struct Source {
    index: Arc<Index>,
    preprocess: Preprocess,
    limits: Limits,
}

impl Source {
    /// Lists the pictures.
    ///
    /// # Errors
    /// Whatever is wrong with the recipe's data as a whole.
    pub fn of(recipe: &Recipe) -> Result<Self, TrainError> {
        let preprocess = preprocess(&recipe.transforms, FirstWeights::of(recipe)?.as_ref())?;
        let index = Arc::new(Index::read(&data_options(recipe)?)?);
        Ok(Self { index, preprocess, limits: limits(&recipe.data) })
    }

    /// The pictures, listed.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The pictures at the network's input size, as training reads them; nothing is read yet. `budget` as for
    /// [`Prepared::new`].
    pub fn prepared(&self, budget: u64) -> Prepared {
        Prepared::new(Arc::clone(&self.index), self.preprocess.clone(), self.limits, budget)
    }
}

/// Where decisions about the pictures of a recipe stand.
///
/// # Errors
/// The recipe does not say where the pictures are, or there is nothing.
pub fn decisions_file(recipe: &Recipe) -> Result<PathBuf, TrainError> {
    let options = data_options(recipe)?;
    match options.path.exists() {
        true => Ok(options.decisions_file()),
        false => Err(IndexError::Missing { path: options.path }.into()),
    }
}

/// The pictures that a recipe names.
///
/// # Errors
/// No path, or a pattern that is none.
pub(crate) fn data_options(recipe: &Recipe) -> Result<DataOptions, TrainError> {
    let data = &recipe.data;
    let root = root(data)?;
    let part = |part: &Option<recipe::PartSource>| part.as_ref().map(part_source).transpose();
    Ok(DataOptions {
        label: match &data.pattern {
            Some(text) => LabelRule::Pattern(pattern(text)?),
            None if data.table.is_some() || data.label_column.is_some() || !data.label_columns.is_empty() => {
                LabelRule::Column
            }
            None => LabelRule::Auto,
        },
        parts: PartOptions { train: part(&data.train)?, val: part(&data.val)?, test: part(&data.test)? },
        table: TableOptions {
            file: data.table.as_ref().map(PathBuf::from),
            folder: data.pictures.as_ref().map(PathBuf::from),
            path: data.file_column.clone(),
            suffix: data.suffix.clone(),
            label: data.label_column.clone(),
            one_hot: data.label_columns.clone(),
            group: recipe.split.group.clone(),
            split: data.split_column.clone(),
            metadata: data.metadata.clone(),
        },
        classes: data.classes.clone(),
        rename: data.rename.iter().map(|(old, new)| (old.clone(), new.clone())).collect(),
        fraction: data.fraction,
        seed: Seed(recipe.split.seed),
        ..DataOptions::new(root)
    })
}

fn root(data: &Data) -> Result<PathBuf, TrainError> {
    match (&data.path, &data.train) {
        (Some(path), _) => Ok(PathBuf::from(path)),
        (None, Some(_)) => Ok(PathBuf::from(".")),
        (None, None) => Err(TrainError::Option {
            option: "data.path",
            problem: "the recipe does not say where the pictures are".to_owned(),
            help: "add --set data.path=FOLDER".to_owned(),
        }),
    }
}

fn part_source(part: &recipe::PartSource) -> Result<PartSource, TrainError> {
    let label = match (part.label.as_str(), &part.pattern) {
        ("folder", None) => LabelRule::Folder,
        ("pattern", Some(text)) => LabelRule::Pattern(pattern(text)?),
        ("pattern", None) => LabelRule::Auto,
        (other, _) => {
            return Err(TrainError::Option {
                option: "data",
                problem: format!("label = \"{other}\" is neither \"folder\" nor \"pattern\""),
                help: "a pattern goes with label = \"pattern\", such as pattern = \"{class}_{number}\"".to_owned(),
            });
        }
    };
    Ok(PartSource { path: PathBuf::from(&part.path), label })
}

fn pattern(text: &str) -> Result<NamePattern, TrainError> {
    text.parse().map_err(|error: avizor_data::index::PatternError| TrainError::Option {
        option: "data.pattern",
        problem: error.to_string(),
        help: "for example \"{class}_{number}\"".to_owned(),
    })
}

/// How pictures become the network's input.
///
/// # Errors
/// A size beyond what a picture may have, or a way of decoding that the program was built without.
pub(crate) fn preprocess(
    transforms: &TransformOptions,
    weights: Option<&FirstWeights>,
) -> Result<Preprocess, TrainError> {
    let size = transforms.size.image_size().ok_or_else(|| TrainError::Option {
        option: "transforms.size",
        problem: "is larger than a picture may be".to_owned(),
        help: "128 to 224 is usual".to_owned(),
    })?;
    if !transforms.jpeg.is_exact() && !HAS_TURBOJPEG {
        return Err(TrainError::Option {
            option: "transforms.jpeg",
            problem: format!("is \"{}\", for which this program lacks libjpeg-turbo", transforms.jpeg.name()),
            help: "build avizor with `--features turbojpeg`, or say \"exact\"".to_owned(),
        });
    }
    let usual = Preprocess::new(size);
    let of_weights = weights.and_then(|weights| weights.published);
    Ok(Preprocess {
        size,
        jpeg: transforms.jpeg,
        resize: transforms.resize,
        cover: transforms.cover.and_then(Size::image_size),
        filter: transforms.filter,
        resampling: RESAMPLING.to_owned(),
        background: transforms.background,
        mean: transforms.mean.or(of_weights.map(|entry| entry.mean)).unwrap_or(usual.mean),
        std: transforms.std.or(of_weights.map(|entry| entry.std)).unwrap_or(usual.std),
    })
}

/// How large a picture may be.
pub(crate) fn limits(data: &Data) -> Limits {
    Limits { max_pixels: (data.max_megapixels * 1e6) as u64, ..Limits::default() }
}

/// What the data are called: the last part of their path.
pub(crate) fn name(data: &Data) -> String {
    let path = data.path.as_deref().or(data.train.as_ref().map(|part| part.path.as_str())).unwrap_or("data");
    let path = Path::new(path);
    // `photos/images` and `photos/.` say less than `photos`.
    let names: Vec<String> = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let telling = names.iter().rev().find(|name| !matches!(name.as_str(), "." | ".." | "/" | "images" | "data"));
    telling.cloned().unwrap_or_else(|| "data".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_called_after_the_telling_part_of_the_path() {
        for (path, wanted) in
            [("photos", "photos"), ("/a/photos/images/", "photos"), (".", "data"), ("../x/./images", "x"), ("", "data")]
        {
            assert_eq!(name(&Data { path: Some(path.to_owned()), ..Data::default() }), wanted, "{path}");
        }
    }
}
