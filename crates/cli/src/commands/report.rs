//! `avizor report`.

use std::io::Write;

use avizor_store::RunFolder;

use crate::args;
use crate::failure::Failure;

pub(crate) fn run(args: &args::Report) -> Result<(), Failure> {
    let run = RunFolder::open(&args.run)?;
    let report = avizor_report::write(&run)?;
    writeln!(anstream::stdout(), "{}", report.display())?;
    Ok(())
}
