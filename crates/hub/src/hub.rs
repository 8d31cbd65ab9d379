//! Files of the hub by their names.

use std::path::PathBuf;

use crate::cache::{Repository, is_commit};
use crate::client::{Client, Patience};
use crate::download::Download;
use crate::environment::{Network, cache, certificates, endpoint, token};
use crate::{HubError, HubFile, Progress};

/// A hub, and the folder that files of it are kept in.
pub struct Hub {
    /// `https://…`, without a slash at its end.
    pub endpoint: String,
    /// The cache, which may be shared with other programs.
    pub cache: PathBuf,
    /// What opens private and gated models.
    pub token: Option<String>,
    /// A PEM file of the certificates that are trusted, instead of Mozilla's list.
    pub certificates: Option<PathBuf>,
    /// Whether the hub may be asked.
    pub network: Network,
    /// How long it is waited for.
    pub patience: Patience,
}

impl Hub {
    /// As `HF_ENDPOINT`, `HF_HUB_CACHE`, `HF_HOME`, `HF_TOKEN`, the file of the token and `SSL_CERT_FILE` say.
    ///
    /// # Errors
    /// When there is no folder for the cache.
    pub fn from_environment(network: Network) -> Result<Self, HubError> {
        let cache = cache().ok_or(HubError::NoCache)?;
        let (token, certificates, patience) = (token(), certificates(), Patience::default());
        Ok(Self { endpoint: endpoint(), cache, token, certificates, network, patience })
    }

    /// A file as it was last fetched, by whatever program. Asks nobody.
    pub fn at_hand(&self, file: &HubFile) -> Option<PathBuf> {
        Repository::new(&self.cache, file).at_hand(file)
    }

    /// A file as the hub has it now: from the cache where that has it, else fetched. Of a file that was fetched before, an
    /// older state will do where the hub cannot be reached.
    ///
    /// # Errors
    /// When there is no such file, it may not be had, what comes is not what was announced, or it cannot be kept.
    pub fn fetch(&self, file: &HubFile, progress: &mut dyn FnMut(Progress)) -> Result<PathBuf, HubError> {
        let repository = Repository::new(&self.cache, file);
        let at_hand = repository.at_hand(file);
        if self.network == Network::Forbidden {
            return at_hand.ok_or_else(|| HubError::Offline { what: file.to_string() });
        }
        if is_commit(file.revision())
            && let Some(path) = &at_hand
        {
            return Ok(path.clone());
        }
        let client = Client::new(self)?;
        let metadata = match (client.metadata(file), &at_hand) {
            (Ok(metadata), _) => metadata,
            (Err(error @ (HubError::Network { .. } | HubError::Refused { status: 429 | 500.., .. })), Some(path)) => {
                progress(Progress::Kept { why: error.to_string() });
                return Ok(path.clone());
            }
            (Err(error), _) => return Err(error),
        };
        let place = repository.snapshot(&metadata.commit, file.path());
        if at_hand.as_ref() == Some(&place) {
            return Ok(place);
        }
        let _lock = repository.lock(&metadata.etag).map_err(HubError::at(&place))?;
        if !place.is_file() {
            Download { client: &client, patience: &self.patience, file, metadata: &metadata }
                .run(&repository, progress)?;
            repository.link(&metadata.etag, &metadata.commit, file.path()).map_err(HubError::at(&place))?;
        }
        repository.remember(file.revision(), &metadata.commit).map_err(HubError::at(&place))?;
        Ok(place)
    }
}
