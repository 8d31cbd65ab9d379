//! A stored run measured once more: on its own test part, which is counted, or on other labelled pictures.

use std::path::Path;

use avizor_base::{Note, Seed, Split};
use avizor_data::index::Index;
use avizor_kernels::Cpu;
use avizor_predict::Model;
use avizor_store::RunFolder;

use crate::environment::Environment;
use crate::error::TrainError;
use crate::evaluate::Evaluated;
use crate::metadata::Metadata;
use crate::recipe::{Data, Recipe};
use crate::setup::{KEPT_BYTES, Setup};
use crate::source;

/// What a stored model says about labelled pictures.
#[derive(Clone, Debug)]
pub struct Tested {
    /// The numbers.
    pub evaluated: Evaluated,
    /// What was evaluated: a path, or the run's own test part.
    pub what: String,
    /// How often the run's own test part was evaluated, this time included; `None` for other pictures.
    pub test_evaluations: Option<u32>,
    /// What a person should know.
    pub notes: Vec<Note>,
}

/// Evaluates a run's model on its own test part, which is counted, or on other labelled pictures.
///
/// # Errors
/// No such run or model, pictures whose classes the model does not know, a test part that has changed.
pub fn evaluate(folder: &Path, other: Option<&Path>, env: &mut Environment<'_>) -> Result<Tested, TrainError> {
    let run = RunFolder::open(folder)?;
    let mut info = run.read_info()?;
    let mut model = Model::open(folder, Cpu::new(env.threads, env.level))?;
    let mut recipe = Recipe::parse(&run.read_recipe()?, &run.recipe_path().display().to_string())?;
    let preprocess = model.card().preprocess.clone();
    let (mut setup, rows, part) = match other {
        Some(path) => {
            recipe.data = elsewhere(&recipe.data, path, model.encoder().is_some());
            let index = Index::read_for(&source::data_options(&recipe)?, model.classes())?;
            let setup = Setup::of_index(&recipe, index, preprocess, env)?;
            let rows = setup.readable();
            (setup, rows, None)
        }
        None => {
            let setup = Setup::new(&recipe, preprocess, KEPT_BYTES, env)?;
            if info.data.fingerprint != setup.scan.fingerprint(&setup.index).to_string() {
                return Err(TrainError::Resume {
                    run: folder.to_owned(),
                    problem: "cannot be evaluated on its own test part: its pictures have changed".to_owned(),
                });
            }
            let part = if setup.rows.test.is_empty() { Split::Val } else { Split::Test };
            let rows = setup.rows.of(part).to_vec();
            (setup, rows, Some(part))
        }
    };
    setup.metadata = model.encoder().map(|encoder| Metadata::encoded_by(&setup.index, encoder)).transpose()?;
    let notes = setup.tell(env.listener);
    let scores = setup.score(&mut model, &rows)?;
    let evaluated = Evaluated::new(&setup, &rows, scores, Seed(info.seed))?;
    let what = match (part, other) {
        (Some(part), _) => format!("the {part} part of {}", run.name()),
        (None, Some(path)) => path.display().to_string(),
        (None, None) => unreachable!("without a path it is a part of the run"),
    };
    let mut test_evaluations = None;
    if part == Some(Split::Test) {
        info.test_evaluations += 1;
        run.write_info(&info)?;
        test_evaluations = Some(info.test_evaluations);
    }
    Ok(Tested { evaluated, what, test_evaluations, notes })
}

/// The data of a recipe at another path. Where the model reads columns of a table, that is looked for as the run's own was.
fn elsewhere(own: &Data, path: &Path, reads_metadata: bool) -> Data {
    let data = Data {
        path: Some(path.display().to_string()),
        max_megapixels: own.max_megapixels,
        rename: own.rename.clone(),
        ..Data::default()
    };
    if !reads_metadata {
        return data;
    }
    Data {
        table: own.table.clone().filter(|table| path.join(table).is_file()),
        pictures: own.pictures.clone(),
        file_column: own.file_column.clone(),
        suffix: own.suffix.clone(),
        label_column: own.label_column.clone(),
        metadata: own.metadata.clone(),
        ..data
    }
}
