//! What can go wrong with a transfer.

use std::io;
use std::path::{Path, PathBuf};

use avizor_models::WeightsError;

/// Why a file cannot be had. The text names the thing; [`help`](Self::help) says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// No name of a file on the hub.
    #[error("{address} is no file on the hub: {why}")]
    Address {
        /// As it was given.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// Not at hand, and the network may not be asked.
    #[error("{what} is not at hand, and the network may not be asked")]
    Offline {
        /// The file.
        what: String,
    },
    /// Neither `HF_HUB_CACHE` nor a home.
    #[error("there is no folder to keep files of the hub in")]
    NoCache,
    /// The server answers that it does not give the file.
    #[error("{what}: the hub answers {status}{}", detail(message))]
    Refused {
        /// The file.
        what: String,
        /// Its HTTP status.
        status: u16,
        /// What it says of the reason; may be empty.
        message: String,
    },
    /// The server cannot be reached, or the connection broke more often than it is tried again.
    #[error("{what} cannot be fetched: {why}")]
    Network {
        /// The file.
        what: String,
        /// What the network says.
        why: String,
    },
    /// The server is none of the hub's kind, or says what cannot be.
    #[error("{what}: the server's answer is not the hub's: {why}")]
    Protocol {
        /// The file.
        what: String,
        /// What is wrong with the answer.
        why: String,
    },
    /// Not the content that was announced.
    #[error("{what} came with the wrong content: its SHA-256 is {got}, not {wanted}")]
    Content {
        /// The file.
        what: String,
        /// Of what came.
        got: String,
        /// Of what should have come.
        wanted: String,
    },
    /// No tool that fetches packages.
    #[error("{tool} is needed to fetch {package}, and is not there")]
    NoTool {
        /// `pip` or `npm`.
        tool: &'static str,
        /// The package and its version.
        package: String,
        /// How to do without.
        by_hand: String,
    },
    /// The tool says that it cannot.
    #[error("{tool} cannot fetch {package}: {said}")]
    Tool {
        /// As it was called.
        tool: String,
        /// The package and its version.
        package: String,
        /// The end of what it said.
        said: String,
        /// How to do without.
        by_hand: String,
    },
    /// A package without the file, or one that is damaged.
    #[error("{package}: {why}")]
    Package {
        /// The package.
        package: String,
        /// What is wrong with it.
        why: String,
    },
    /// These weights are in no package.
    #[error("the weights of {network} are in no registry")]
    Unpublished {
        /// The network that they are of.
        network: &'static str,
        /// How to get them.
        by_hand: String,
    },
    /// What came cannot be converted.
    #[error("{package}: {source}")]
    Convert {
        /// The package.
        package: String,
        /// What is wrong with it.
        source: WeightsError,
    },
    /// The file system refuses.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
}

impl HubError {
    /// An error of the file system at a place.
    pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path: path.clone(), source }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Address { .. } => "write it as hf:ORG/NAME/FILE, or hf:ORG/NAME@REVISION/FILE".to_owned(),
            Self::Offline { .. } => {
                "leave out --offline and unset HF_HUB_OFFLINE, or put the file where it is looked for".to_owned()
            }
            Self::NoCache => "set HF_HUB_CACHE to a folder".to_owned(),
            Self::Refused { status: 401 | 403, .. } => {
                "check the name; for a private or gated model set HF_TOKEN to a token that may read it".to_owned()
            }
            Self::Refused { status: 404, .. } => "check the names of repository, revision and file".to_owned(),
            Self::Refused { .. } | Self::Network { .. } => {
                "check the network and HF_ENDPOINT, and try again: what is here already is not fetched twice".to_owned()
            }
            Self::Protocol { .. } => "check HF_ENDPOINT".to_owned(),
            Self::Content { .. } => {
                "try again; if it stays so, somebody has changed the file: do not use it".to_owned()
            }
            Self::NoTool { by_hand, .. } | Self::Tool { by_hand, .. } | Self::Unpublished { by_hand, .. } => {
                by_hand.clone()
            }
            Self::Package { .. } | Self::Convert { .. } => "try again; the package is not what it was".to_owned(),
            Self::File { source, .. } => avizor_base::atomic_file::write_help(source.kind()).to_owned(),
        }
    }
}

fn detail(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(" ({message})") }
}
