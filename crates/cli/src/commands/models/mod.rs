//! `avizor models`: the networks, or one of them.

mod list;
mod memory;
mod one;
mod published;
mod speed;

use avizor_models::find;

use crate::args;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &args::Models) -> Result<(), Failure> {
    match &args.name {
        None => list::run(session, args),
        Some(name) => one::run(session, args, find(name)?),
    }
}

impl From<args::Stem> for avizor_models::Stem {
    fn from(stem: args::Stem) -> Self {
        match stem {
            args::Stem::Imagenet => Self::Imagenet,
            args::Stem::Small => Self::Small,
        }
    }
}
