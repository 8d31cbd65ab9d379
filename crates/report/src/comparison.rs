//! The page of a comparison: variants side by side, and which of them can be told apart.

use askama::Template;
use avizor_store::{ComparedVariant, Comparison};

use crate::chart::{Figure, compared_variants};
use crate::error::ReportError;
use crate::name;
use crate::number::{self, Shown};

#[derive(Template)]
#[template(path = "comparison.html")]
struct Page<'a> {
    name: &'a str,
    style: &'static str,
    sentences: Vec<String>,
    figure: Option<Figure>,
    rows: Vec<Row<'a>>,
    pairs: Vec<Pair<'a>>,
    level: String,
}

struct Row<'a> {
    variant: &'a ComparedVariant,
    chosen: bool,
    val_macro_f1: String,
    accuracy: Shown,
    macro_f1: Shown,
    parameters: String,
    took: String,
}

struct Pair<'a> {
    first: &'a str,
    second: &'a str,
    difference: String,
    verdict: &'static str,
}

/// What a comparison says, in sentences.
pub(crate) fn sentences(comparison: &Comparison) -> Vec<String> {
    let mut sentences = Vec::new();
    let chosen = comparison.chosen.as_deref().and_then(|name| comparison.variants.iter().find(|row| row.name == name));
    if let Some(row) = chosen {
        sentences.push(choice(row, comparison.folds));
    }
    if let (Some(first), false) = (comparison.variants.first(), comparison.pairs.is_empty()) {
        let apart = comparison.pairs.iter().filter(|pair| pair.told_apart).count();
        sentences.push(format!(
            "Of {} of variants, {} told apart on {} ({} % for all of them together); the other differences may be chance.",
            number::counted(comparison.pairs.len() as u64, "pair"),
            if apart == 1 { "1 can be".to_owned() } else { format!("{apart} can be") },
            number::counted(first.samples, "picture"),
            number::level(comparison.level)
        ));
    }
    if let Some(row) = chosen {
        let beside = |told_apart: bool| -> Vec<&str> {
            let of = comparison.pairs.iter().filter(|pair| pair.told_apart == told_apart);
            of.filter_map(|pair| match (&pair.first, &pair.second) {
                (first, second) if *first == row.name => Some(second.as_str()),
                (first, second) if *second == row.name => Some(first.as_str()),
                _ => None,
            })
            .collect()
        };
        let (apart, not) = (beside(true), beside(false));
        if !not.is_empty() {
            sentences.push(format!("{} cannot be told apart from {}.", quoted(&row.name), all(&not)));
        }
        if !apart.is_empty() {
            sentences.push(format!("It differs clearly from {}.", all(&apart)));
        }
    }
    sentences.extend(comparison.notes.iter().map(|note| crate::finding::data::sentence(note)));
    sentences
}

fn choice(row: &ComparedVariant, folds: u64) -> String {
    let (by, mean) = match folds {
        0 => ("on the validation part", String::new()),
        folds => ("by cross-validation", format!(", mean of {folds} folds")),
    };
    let value = row.val_macro_f1.map_or(String::new(), |f1| format!(" (macro F1 {}{mean})", number::percent(f1)));
    let right = row.accuracy.value().map_or(String::new(), number::percent);
    let range = row.accuracy.interval().map_or(String::new(), |(low, high)| {
        format!(" ({} % interval {} to {})", number::level(row.level), number::percent(low), number::percent(high))
    });
    format!(
        "Chosen {by}: {}{value}. On the {} part, {right}{range} of {} get the right name.",
        quoted(&row.name),
        row.part,
        number::counted(row.samples, "picture")
    )
}

fn quoted(name: &str) -> String {
    format!("“{}”", name::short(name, 40))
}

/// Every name: a person looks for theirs.
fn all(names: &[&str]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// The page, and its chart as a file of its own.
pub(crate) fn draw(comparison: &Comparison) -> Result<(String, Option<Figure>), ReportError> {
    let rows = comparison.variants.iter().map(|variant| Row {
        chosen: comparison.chosen.as_ref() == Some(&variant.name),
        val_macro_f1: variant.val_macro_f1.map_or("–".to_owned(), number::percent_digits),
        accuracy: Shown::percent(&variant.accuracy),
        macro_f1: Shown::percent(&variant.macro_f1),
        parameters: number::count(variant.parameters),
        took: number::duration(variant.seconds),
        variant,
    });
    let pairs = comparison.pairs.iter().map(|pair| Pair {
        first: &pair.first,
        second: &pair.second,
        difference: match (pair.difference.value(), pair.difference.interval()) {
            (Some(value), Some((low, high))) => {
                format!("{} ({} to {})", number::points(value), number::points(low), number::points(high))
            }
            (Some(value), None) => number::points(value),
            (None, _) => "–".to_owned(),
        },
        verdict: if pair.told_apart { "told apart" } else { "may be chance" },
    });
    let figure = compared_variants(&comparison.variants);
    let page = Page {
        name: &comparison.name,
        style: include_str!("../templates/style.css"),
        sentences: sentences(comparison),
        figure: compared_variants(&comparison.variants),
        rows: rows.collect(),
        pairs: pairs.collect(),
        level: number::level(comparison.level),
    };
    Ok((page.render()?, figure))
}

#[cfg(test)]
mod tests {
    use avizor_base::Split;
    use avizor_store::{ComparedPair, Format, Measure};

    use super::*;

    fn variant(name: &str, accuracy: f64, val_macro_f1: f64) -> ComparedVariant {
        let measure = Measure::estimate(accuracy, [accuracy - 0.1, accuracy + 0.05], 78, "wilson");
        ComparedVariant {
            name: name.to_owned(),
            changes: vec!["model.name=\"mlp\"".to_owned()],
            runs: vec![format!("2026-11-30-{name}-01")],
            network: "mlp".to_owned(),
            parameters: 1234,
            seconds: 61.0,
            val_macro_f1: Some(val_macro_f1),
            val_log_loss: Some(0.2),
            part: Split::Test,
            samples: 78,
            level: 0.95,
            accuracy: measure.clone(),
            macro_f1: measure,
        }
    }

    fn pair(first: &str, second: &str, difference: f64, told_apart: bool) -> ComparedPair {
        let interval = [difference - 0.05, difference + 0.05];
        let difference = Measure::estimate(difference, interval, 78, "newcombe");
        ComparedPair { first: first.to_owned(), second: second.to_owned(), difference, told_apart }
    }

    fn comparison() -> Comparison {
        Comparison {
            format: Format,
            name: "<backbones>".to_owned(),
            folds: 0,
            variants: vec![variant("a", 0.71, 0.7), variant("b", 0.92, 0.93), variant("c", 0.9, 0.91)],
            chosen: Some("b".to_owned()),
            pairs: vec![pair("a", "b", 0.21, true), pair("a", "c", 0.19, true), pair("b", "c", -0.02, false)],
            level: 0.95,
            notes: vec!["something else".to_owned()],
        }
    }

    #[test]
    fn it_says_what_was_chosen_and_what_can_be_told_apart() {
        let sentences: Vec<String> =
            sentences(&comparison()).iter().map(|sentence| sentence.replace('\u{a0}', " ")).collect();
        assert_eq!(
            sentences,
            [
                "Chosen on the validation part: “b” (macro F1 93.0 %). On the test part, 92.0 % (95 % interval 82.0 % to \
                 97.0 %) of 78 pictures get the right name.",
                "Of 3 pairs of variants, 2 can be told apart on 78 pictures (95 % for all of them together); the other \
                 differences may be chance.",
                "“b” cannot be told apart from “c”.",
                "It differs clearly from “a”.",
                "Something else.",
            ]
        );
        let folds = super::sentences(&Comparison { folds: 5, ..comparison() });
        assert!(
            folds[0]
                .replace('\u{a0}', " ")
                .starts_with("Chosen by cross-validation: “b” (macro F1 93.0 %, mean of 5 folds).")
        );
    }

    #[test]
    fn the_page_shows_every_variant_and_escapes_names() {
        let (page, figure) = draw(&comparison()).expect("it is drawn");
        for wanted in ["&#60;backbones&#62;", "2026-11-30-a-01/report.html", "told apart", "may be chance", "<svg "] {
            assert!(page.contains(wanted), "{wanted}: {page}");
        }
        assert!(!page.contains("<backbones>"));
        assert_eq!(figure.map(|figure| figure.file), Some("variants.svg"));
    }
}
