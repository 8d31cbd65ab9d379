//! What the network sees of some training pictures, without training.

use std::sync::Arc;

use avizor_base::{Preprocess, Purpose, Seed};
use avizor_data::Picture;
use avizor_data::loader::{Loader, LoaderOptions, plain_order};
use avizor_data::transforms::Transforms;

use crate::environment::Environment;
use crate::error::TrainError;
use crate::first_weights::FirstWeights;
use crate::mixing::Mixing;
use crate::recipe::{Recipe, Role};
use crate::setup::Setup;
use crate::source;

/// What the network sees of some training pictures.
#[derive(Clone, Debug)]
pub struct Preview {
    /// What the data are called.
    pub name: String,
    /// How a picture becomes the network's input.
    pub preprocess: Preprocess,
    /// Pictures of the training part.
    pub training: usize,
    /// Its classes.
    pub classes: usize,
    /// The epochs whose changes are shown, from 1; none where pictures are not changed.
    pub epochs: Vec<usize>,
    /// A few of every class, or one of as many classes as there is room for; sorted by class.
    pub pictures: Vec<PreviewedPicture>,
    /// What else happens to pictures, in sentences.
    pub notes: Vec<String>,
}

/// One of the pictures.
#[derive(Clone, Debug)]
pub struct PreviewedPicture {
    /// Its file's name, relative to the data.
    pub sample: String,
    /// Its class.
    pub class: String,
    /// At the network's size, as validation, test and prediction see it.
    pub clean: Picture,
    /// As training sees it in each of the epochs.
    pub changed: Vec<Picture>,
}

/// Loads `count` pictures of a recipe's training part as training does in its first epochs, `versions` of each: the same
/// loader, the same draws. Writes nothing.
///
/// # Errors
/// Whatever is wrong with the data as a whole; a network that sees no pictures.
pub fn preview(
    recipe: &Recipe,
    count: usize,
    versions: usize,
    env: &mut Environment<'_>,
) -> Result<Preview, TrainError> {
    if recipe.metadata.role == Role::Alone {
        return Err(TrainError::Option {
            option: "metadata.role",
            problem: "is \"alone\": the network sees no pictures".to_owned(),
            help: "see what it would be shown by --set metadata.role=joined".to_owned(),
        });
    }
    let weights = FirstWeights::of(recipe)?;
    let preprocess = source::preprocess(&recipe.transforms, weights.as_ref())?;
    let setup = Setup::new(recipe, preprocess.clone(), 0, env)?;
    setup.tell(env.listener);

    let seed = Seed(recipe.train.seed);
    let rows = chosen(&setup, count, seed);
    let load = |transforms: Option<Transforms>, epoch: usize| {
        let options =
            LoaderOptions { batch: rows.len(), epoch: epoch as u64, seed, threads: env.threads, first_batch: 0 };
        let mut loader = Loader::new(Arc::clone(&setup.prepared), plain_order(&rows), transforms, options)?;
        let images = loader.next_batch()?.map(|batch| batch.images.clone()).unwrap_or_default();
        let bytes = 3 * preprocess.size.area() as usize;
        let pictures = images.chunks_exact(bytes).map(|pixels| Picture::new(preprocess.size, pixels.to_vec()));
        Ok::<Vec<Picture>, TrainError>(pictures.flatten().collect())
    };
    let epochs = epochs(recipe, versions);
    let changed = epochs.iter().map(|&epoch| load(Some(recipe.transforms.train.clone()), epoch));
    let changed: Vec<Vec<Picture>> = changed.collect::<Result<_, _>>()?;
    let pictures = rows.iter().zip(load(None, 0)?).enumerate().map(|(place, (&row, clean))| PreviewedPicture {
        sample: setup.index.name(row as usize).to_owned(),
        class: setup.classes().name(setup.index.label(row as usize)).to_owned(),
        clean,
        changed: changed.iter().map(|of_epoch| of_epoch[place].clone()).collect(),
    });
    Ok(Preview {
        name: source::name(&recipe.data),
        training: setup.rows.train.len(),
        classes: setup.train_counts().iter().filter(|&&count| count > 0).count(),
        epochs: epochs.iter().map(|epoch| epoch + 1).collect(),
        pictures: pictures.collect(),
        notes: notes(recipe),
        preprocess,
    })
}

/// The first epochs in which pictures are changed, from 0.
fn epochs(recipe: &Recipe, versions: usize) -> Vec<usize> {
    let train = &recipe.train;
    if recipe.transforms.train.is_empty() {
        return Vec::new();
    }
    match train.views {
        // While the head learns alone, it sees features of unchanged pictures.
        0 => (train.head_epochs..).take(versions).collect(),
        // No more views than these are ever made.
        views => (0..views.min(versions)).collect(),
    }
}

/// Rows of the training part, of all classes in turn, at random by the seed; then by class.
fn chosen(setup: &Setup, count: usize, seed: Seed) -> Vec<u32> {
    let mut of_class: Vec<Vec<u32>> = vec![Vec::new(); setup.classes().len()];
    for &row in &setup.rows.train {
        of_class[setup.index.label(row as usize).index()].push(row);
    }
    for (class, rows) in of_class.iter_mut().enumerate() {
        seed.stream(Purpose::Gallery, [class as u64, 0, 0]).shuffle(rows);
    }
    // Where there are more classes than places, not only those whose names come first.
    seed.stream(Purpose::Gallery, [0, 1, 0]).shuffle(&mut of_class);
    let most = of_class.iter().map(Vec::len).max().unwrap_or(0);
    let in_turn = (0..most).flat_map(|turn| of_class.iter().filter_map(move |rows| rows.get(turn)));
    let mut rows: Vec<u32> = in_turn.copied().take(count).collect();
    rows.sort_by_key(|&row| setup.index.label(row as usize));
    rows
}

fn notes(recipe: &Recipe) -> Vec<String> {
    let (train, mut notes) = (&recipe.train, Vec::new());
    if recipe.transforms.train.is_empty() {
        notes.push("Training sees pictures as they are: transforms.train is empty.".to_owned());
    } else if train.views > 0 {
        let views = train.views;
        notes.push(format!(
            "While the backbone is frozen, epochs take {views} changed versions of each picture in turn."
        ));
    } else if train.head_epochs > 0 {
        let epochs = train.head_epochs;
        notes.push(format!("In the first {epochs} epochs the head learns alone, from unchanged pictures."));
    }
    if recipe.balance.fill > 0 {
        let fill = recipe.balance.fill;
        notes.push(format!(
            "Classes with fewer than {fill} training pictures are filled up with changed copies (balance.fill), which are not shown."
        ));
    }
    if Mixing::of(train).is_some() {
        notes.push("Then the pictures of a batch are mixed in pairs (train.mixup, train.cutmix).".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use avizor_base::{Event, ImageSize, Listener, Stream};
    use avizor_data::loader::shuffled_order;
    use avizor_kernels::Level;

    use super::*;

    struct Silent;

    impl Listener for Silent {
        fn on_event(&mut self, _: &Event) {}
    }

    fn noise(stream: &mut Stream) -> Vec<u8> {
        let size = ImageSize::new(11, 13).unwrap();
        Picture::new(size, (0..3 * size.area()).map(|_| stream.below(256) as u8).collect()).unwrap().to_png()
    }

    /// The batches of a shuffled epoch, as training draws them, have the very pixels that the preview shows.
    #[test]
    fn it_shows_the_pixels_that_training_sees() {
        let folder = tempfile::tempdir().unwrap();
        let mut stream = Seed(3).stream(Purpose::Quickstart, [0; 3]);
        for class in ["a", "b", "c"] {
            std::fs::create_dir(folder.path().join(class)).unwrap();
            for number in 0..12 {
                std::fs::write(folder.path().join(format!("{class}/{number}.png")), noise(&mut stream)).unwrap();
            }
        }
        let mut recipe = Recipe::default();
        let path = format!("data.path={:?}", folder.path().display().to_string());
        let crops = "transforms.train=[{ op = \"random_crop\" }, { op = \"trivial_augment_wide\" }]";
        recipe.set([path.as_str(), crops, "transforms.size=16", "train.seed=5"]).unwrap();
        let mut reading = |_| {};
        let (stop, mut silent) = (AtomicBool::new(false), Silent);
        let mut env = Environment {
            threads: 2,
            level: Level::Scalar,
            now: String::new,
            stop: &stop,
            command: Vec::new(),
            version: "",
            cache: None,
            notes: Vec::new(),
            listener: &mut silent,
            reading: &mut reading,
        };
        let shown = preview(&recipe, 7, 3, &mut env).unwrap();
        assert_eq!((shown.pictures.len(), shown.epochs.as_slice(), shown.classes), (7, &[1, 2, 3][..], 3));

        let preprocess = shown.preprocess.clone();
        let setup = Setup::new(&recipe, preprocess, 0, &mut env).unwrap();
        let (seed, mut compared) = (Seed(5), 0);
        for (place, epoch) in (0..3u64).enumerate() {
            let visits = shuffled_order(seed, epoch, setup.training.clone());
            let options = LoaderOptions { batch: 4, epoch, seed, threads: 1, first_batch: 0 };
            let transforms = Some(recipe.transforms.train.clone());
            let mut loader = Loader::new(Arc::clone(&setup.prepared), visits, transforms, options).unwrap();
            while let Some(batch) = loader.next_batch().unwrap() {
                for (&row, pixels) in batch.rows.iter().zip(batch.images.chunks_exact(3 * 16 * 16)) {
                    let name = setup.index.name(row as usize);
                    let Some(picture) = shown.pictures.iter().find(|picture| picture.sample == name) else { continue };
                    assert_eq!(picture.changed[place].pixels(), pixels, "{name}, epoch {epoch}");
                    compared += 1;
                }
            }
        }
        assert_eq!(compared, 3 * 7);
    }
}
