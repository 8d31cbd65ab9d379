//! What the run is, what it ran on, how to run it again.

use crate::stored::Stored;
use crate::{name, number};

/// The page's head and foot.
pub(crate) struct About {
    pub(crate) name: String,
    /// Network, data and date in a line.
    pub(crate) line: String,
    /// The command as typed.
    pub(crate) command: String,
    /// The command that repeats the run from what is stored.
    pub(crate) again: String,
    /// How to name the run in a text.
    pub(crate) citation: String,
    pub(crate) recipe: Option<String>,
    pub(crate) rows: Vec<Row>,
}

/// A name and what it is.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) value: String,
}

impl About {
    pub(super) fn new(stored: &Stored) -> Self {
        let info = &stored.info;
        let network = info.network.as_ref().map(|network| name::shown(&network.name));
        let data = name::shown(&info.data.path);
        let what = network.as_ref().map_or_else(|| data.clone(), |network| format!("{network} on {data}"));
        Self {
            name: name::shown(&stored.name),
            line: format!(
                "{what} · {} · {}",
                number::counted(info.data.samples, "picture"),
                number::time(&info.started)
            ),
            command: command_line(&info.command),
            again: format!("avizor train {}", quoted(&format!("{}/recipe.toml", stored.name))),
            citation: format!(
                "avizor {}, run {}, seed {}, {} instructions, data {}",
                name::shown(&info.version),
                name::shown(&stored.name),
                info.seed,
                name::shown(&info.machine.level),
                name::shown(&info.data.fingerprint)
            ),
            recipe: stored.recipe.clone(),
            rows: rows(stored),
        }
    }
}

fn rows(stored: &Stored) -> Vec<Row> {
    let info = &stored.info;
    let mut rows = vec![Row { name: "State", value: info.state.name().to_owned() }];
    let mut row = |name, value: String| rows.push(Row { name, value: name::shown(&value) });
    if let Some(reason) = &info.reason {
        row("Ended because", reason.clone());
    }
    if let Some(network) = &info.network {
        let [height, width] = network.input;
        row("Network", format!("{}, {}", network.name, number::counted(network.parameters, "parameter")));
        row("First weights", network.weights.clone());
        row("Input", format!("{height} × {width} pixels"));
    }
    row(
        "Data",
        format!(
            "{} ({} in {})",
            info.data.path,
            number::counted(info.data.samples, "picture"),
            classes(info.data.classes)
        ),
    );
    row("Data fingerprint", info.data.fingerprint.clone());
    row("Seed", info.seed.to_string());
    row("Started", number::time(&info.started));
    if let Some(ended) = &info.ended {
        row("Ended", number::time(ended));
    }
    if let Some(seconds) = info.seconds {
        row("Time of work", number::duration(seconds));
    }
    row("avizor", info.version.clone());
    row("Machine", machine(&info.machine));
    row("Evaluations of test", info.test_evaluations.to_string());
    rows
}

fn classes(n: u64) -> String {
    if n == 1 { "1 class".to_owned() } else { format!("{} classes", number::count(n)) }
}

fn machine(machine: &avizor_store::Machine) -> String {
    let threads = number::counted(u64::from(machine.threads), "thread");
    let processor = machine.processor.as_ref().map(|name| format!("{name}, ")).unwrap_or_default();
    format!("{processor}{}, {} instructions, {threads}", machine.system, machine.level)
}

fn command_line(arguments: &[String]) -> String {
    arguments.iter().map(|argument| quoted(argument)).collect::<Vec<_>>().join(" ")
}

/// An argument as a shell takes it back. Source: POSIX.1-2017, Shell Command Language, 2.2.2.
fn quoted(argument: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(harmless) {
        return argument.to_owned();
    }
    format!("'{}'", name::shown(argument).replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_typed_again() {
        let arguments = ["avizor", "train", "my photos", "--set", "model.name=it's", ""].map(str::to_owned);
        assert_eq!(command_line(&arguments), r"avizor train 'my photos' --set 'model.name=it'\''s' ''");
    }
}
