//! How a command fails: a sentence, what to do, an exit code.

use std::fmt;
use std::io;

use avizor_data::split::FoldersError;
use avizor_experiments::ExperimentError;
use avizor_models::ModelError;
use avizor_predict::PredictError;
use avizor_report::ReportError;
use avizor_store::StoreError;
use avizor_train::{RecipeError, TrainError};

/// What is said when a command fails, and the exit code it ends with.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    help: Option<String>,
    kind: Kind,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The data or the run: 1.
    Run,
    /// The command or recipe: 2.
    Usage,
    /// The reader of our output went away: as good as done.
    ClosedPipe,
}

impl Failure {
    /// The data or the run failed.
    pub(crate) fn run(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, kind: Kind::Run }
    }

    /// The command or recipe is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, kind: Kind::Usage }
    }

    /// With a sentence on what to do.
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// 0, 1 or 2.
    pub(crate) fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::ClosedPipe => 0,
            Kind::Run => 1,
            Kind::Usage => 2,
        }
    }

    /// Whether there is nobody left to tell.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.kind == Kind::ClosedPipe
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        let kind = if error.is_usage() { Kind::Usage } else { Kind::Run };
        Self { message: error.to_string(), help: error.help(), kind }
    }
}

impl From<RecipeError> for Failure {
    fn from(error: RecipeError) -> Self {
        TrainError::from(error).into()
    }
}

impl From<ExperimentError> for Failure {
    fn from(error: ExperimentError) -> Self {
        let kind = if error.is_usage() { Kind::Usage } else { Kind::Run };
        Self { message: error.to_string(), help: error.help(), kind }
    }
}

impl From<PredictError> for Failure {
    fn from(error: PredictError) -> Self {
        Self { message: error.to_string(), help: error.help().map(str::to_owned), kind: Kind::Run }
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::run(error.to_string()).help(error.help())
    }
}

impl From<FoldersError> for Failure {
    fn from(error: FoldersError) -> Self {
        let failure = Self::run(error.to_string());
        match error {
            FoldersError::NotEmpty { .. } => failure.help("name a folder that is not there yet"),
            FoldersError::Class { .. } => failure.help("rename the class with `data.rename`"),
            _ => failure.help("check the permissions, and that the disk has room"),
        }
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        let help = error.help().map(str::to_owned);
        Self { message: error.to_string(), help, kind: Kind::Run }
    }
}

impl From<io::Error> for Failure {
    /// Of writing to standard output.
    fn from(error: io::Error) -> Self {
        let kind = if error.kind() == io::ErrorKind::BrokenPipe { Kind::ClosedPipe } else { Kind::Run };
        Self { message: format!("the output cannot be written: {error}"), help: None, kind }
    }
}
