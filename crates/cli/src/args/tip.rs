//! A better tip where the one that the parser has would lead astray.

use std::ffi::OsString;

use avizor_train::Recipe;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

/// Names `--set section.option=` for an option of a recipe that was typed as if it were one of the command line.
pub(super) fn with_tip(mut error: Error, program: &Command, typed: &[OsString]) -> Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    // What the parser has to say here is how to pass it as a value, which nobody wanted; but a near name may help.
    let near = error.get(ContextKind::SuggestedArg).is_some();
    error.remove(ContextKind::Suggested);
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else { return error };
    let name = unknown.trim_start_matches('-').split('=').next().unwrap_or_default().replace('-', "_");
    let option = Recipe::options().into_iter().find(|option| option.name == name || option.path() == name);
    match option {
        Some(option) if !near && takes_set(program, typed) => {
            let tip = format!("an option of the recipe is given as '--set {}=VALUE'", option.path());
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
        }
        _ => {}
    }
    error
}

/// Whether the command that was typed understands `--set`.
fn takes_set(program: &Command, typed: &[OsString]) -> bool {
    let mut command = program;
    for word in typed {
        if let Some(below) = command.get_subcommands().find(|below| below.get_name() == word.as_os_str()) {
            command = below;
        }
    }
    command.get_arguments().any(|argument| argument.get_long() == Some("set"))
}
