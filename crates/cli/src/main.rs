//! The `avizor` program: parse, call, print.

mod args;
mod commands;
mod failure;
mod numbers;
mod progress;
mod quickstart;
mod session;

use std::io::Write;
use std::process::ExitCode;

use args::{Cli, Color, Command};
use session::Session;

fn main() -> ExitCode {
    let cli = Cli::typed();
    match cli.global.color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    let result = Session::new(&cli.global).and_then(|session| match cli.command {
        Command::Quickstart(args) => quickstart::run(&session, &args),
        Command::Audit(args) => commands::audit::run(&session, &args),
        Command::Data(args) => commands::data::run(&session, &args),
        Command::Decide(args) => commands::decide::run(&session, &args),
        Command::Split(args) => commands::split::run(&session, &args),
        Command::Train(args) => commands::train::run(&session, &args),
        Command::Variants(args) => commands::variants::run(&session, &args),
        Command::LrFind(args) => commands::lr_find::run(&session, &args),
        Command::Resume(args) => commands::train::resume(&session, &args),
        Command::Eval(args) => commands::eval::run(&session, &args),
        Command::Predict(args) => commands::predict::run(&session, &args),
        Command::Report(args) => commands::report::run(&args),
        Command::Recipes(args) => commands::recipes::run(&args),
        Command::Models(args) => commands::models::run(&session, &args),
        Command::Weights(args) => commands::weights::run(&session, &args),
        Command::Bench(args) => commands::bench::run(&session, &args),
        Command::Doctor(args) => commands::doctor::run(&session, &args),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_closed_pipe() {
                // With standard error gone there is nobody to tell; the exit code still says it.
                let _ = writeln!(anstream::stderr(), "{failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
