//! What `avizor predict` is told beside the pictures.

use std::io::Write;
use std::path::Path;

use avizor_data::Found;
use avizor_data::index::{Texts, find_metadata};
use avizor_data::metadata::{ColumnEncoder, Gaps, MetadataEncoder};
use avizor_predict::Model;

use crate::args;
use crate::failure::Failure;
use crate::session::Session;

/// The numbers of each picture, in the order of the pictures; nothing for a model that reads none.
pub(crate) fn of(
    session: &Session,
    args: &args::Predict,
    model: &Model,
    pictures: &[Found],
) -> Result<Vec<f32>, Failure> {
    let Some(encoder) = model.encoder() else {
        return match (&args.metadata, args.with.is_empty()) {
            (None, true) => Ok(Vec::new()),
            _ => Err(Failure::usage("this model reads pictures alone").help("leave --metadata and --with out")),
        };
    };
    let columns: Vec<String> = encoder.columns().iter().map(|column| column.column().to_owned()).collect();
    let (mut numbers, mut gaps) = (Vec::new(), Gaps::new(encoder));
    let mut without_row = 0;
    match &args.metadata {
        Some(table) => {
            let mut names = Texts::default();
            pictures.iter().for_each(|picture| names.push(&picture.path().to_string_lossy()));
            let found = find_metadata(table, &names, &columns)
                .map_err(|error| Failure::usage(error.to_string()).help(error.help()))?;
            without_row = found.without_row.count;
            for row in 0..pictures.len() {
                encoder.encode(found.columns.iter().map(|column| column.values.get(row)), &mut numbers, &mut gaps);
            }
        }
        None => {
            let values = values(&args.with, encoder, &columns)?;
            for _ in pictures {
                encoder.encode(values.iter().copied(), &mut numbers, &mut gaps);
            }
        }
    }
    if !session.quiet {
        tell(args.metadata.as_deref(), without_row, pictures.len(), &gaps);
    }
    Ok(numbers)
}

/// The value of every column, of assignments that name each once.
fn values<'a>(
    assignments: &'a [String],
    encoder: &MetadataEncoder,
    columns: &[String],
) -> Result<Vec<&'a str>, Failure> {
    let mut values: Vec<Option<&str>> = vec![None; columns.len()];
    for assignment in assignments {
        let Some((name, value)) = assignment.split_once('=') else {
            return Err(Failure::usage(format!("--with {assignment} is not of the form COLUMN=VALUE"))
                .help("for example --with age=63"));
        };
        let Some(column) = columns.iter().position(|column| column == name.trim()) else {
            return Err(Failure::usage(format!("--with {assignment}: the model reads no column \"{}\"", name.trim()))
                .help(format!("it reads {}", columns.join(", "))));
        };
        if values[column].replace(value).is_some() {
            return Err(Failure::usage(format!("--with says \"{}\" twice", columns[column])).help("say it once"));
        }
    }
    let missing: Vec<&ColumnEncoder> =
        encoder.columns().iter().zip(&values).filter(|(_, value)| value.is_none()).map(|(column, _)| column).collect();
    if missing.is_empty() {
        return Ok(values.into_iter().flatten().collect());
    }
    let names: Vec<&str> = missing.iter().map(|column| column.column()).collect();
    let example: Vec<String> = missing.iter().map(|column| example(column)).collect();
    Err(Failure::usage(format!("this model reads {} beside the picture, and nothing says it", names.join(" and ")))
        .help(format!(
            "add {}, or for several pictures --metadata TABLE with a column of files and the columns {}",
            example.join(" "),
            columns.join(", ")
        )))
}

fn example(of: &ColumnEncoder) -> String {
    match of {
        ColumnEncoder::Number { column, mean, .. } => format!("--with {column}={mean:.0}"),
        ColumnEncoder::Category { column, levels, .. } => {
            format!("--with {column}={}", levels.first().map_or("", String::as_str))
        }
    }
}

/// What of it is missing or unknown: said, for answers rest on less then.
fn tell(table: Option<&Path>, without_row: usize, pictures: usize, gaps: &Gaps) {
    // A note that cannot be shown stops nothing.
    if let Some(table) = table.filter(|_| without_row > 0) {
        let _ = writeln!(
            anstream::stderr(),
            "note: {} has no row for {without_row} of {pictures} pictures",
            table.display()
        );
    }
    if !gaps.is_empty() {
        let _ = writeln!(anstream::stderr(), "note: {gaps}");
    }
}
