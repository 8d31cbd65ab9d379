//! `avizor bench`: how fast this machine is.

mod clock;
mod infer;
mod loader;
mod network;
mod ops;
mod step;

pub(super) use clock::{Times, duration};
pub(super) use network::BenchNetwork;

use crate::args::{self, BenchWhat};
use crate::failure::Failure;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &args::Bench) -> Result<(), Failure> {
    match &args.what {
        BenchWhat::Step(args) => step::run(session, args),
        BenchWhat::Infer(args) => infer::run(session, args),
        BenchWhat::Ops(args) => ops::run(session, args),
        BenchWhat::Loader(args) => loader::run(session, args),
    }
}
