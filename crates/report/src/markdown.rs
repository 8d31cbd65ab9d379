//! `report.md`: the report's words and tables as plain text.

use std::fmt::Write;

use crate::chart::Figure;
use crate::number::Shown;
use crate::view::{About, Classes, Data, Verdict, View};

/// The report without its pictures. Charts are links into `figures/`.
pub(crate) fn draw(view: &View) -> String {
    let mut text = format!("# {}\n\n{}\n", escape(&view.about.name), escape(&view.about.line));
    match &view.verdict {
        Some(verdict) => draw_verdict(&mut text, verdict),
        None => text.push_str("\nThis run has not been evaluated.\n"),
    }
    draw_findings(&mut text, view);
    if !view.curves.is_empty() {
        text.push_str("\n## How it learnt\n\n");
        push_line(&mut text, view.kept.iter().map(String::as_str));
        draw_figures(&mut text, view.curves.iter());
    }
    if let Some(classes) = &view.classes {
        draw_classes(&mut text, classes);
    }
    draw_errors(&mut text, view);
    draw_data(&mut text, &view.data);
    draw_about(&mut text, &view.about);
    text
}

// Writing to a String cannot fail: all `let _` of this file.

fn draw_verdict(text: &mut String, verdict: &Verdict) {
    let _ = write!(text, "\n**{}: {}**\n\n", verdict.label, cell(&verdict.accuracy, " %"));
    push_line(text, verdict.sentences.iter().map(String::as_str));
    text.push('\n');
    for tile in &verdict.tiles {
        let unit = if tile.unit.is_empty() { String::new() } else { format!(" {}", tile.unit) };
        let _ = writeln!(text, "- {}: {} — {}", tile.label, cell(&tile.shown, &unit), tile.meaning);
    }
}

fn draw_findings(text: &mut String, view: &View) {
    if view.findings.is_empty() {
        return;
    }
    text.push_str("\n## Before you rely on it\n\n");
    for finding in &view.findings {
        let _ = writeln!(text, "- **{}.** {}", finding.tone.word(), escape(&finding.text));
    }
}

fn draw_classes(text: &mut String, classes: &Classes) {
    let _ = write!(text, "\n## Classes ({} part, worst first)\n\n", classes.split);
    text.push_str("| Class | F1, % | Precision, % | Recall, % | Pictures | TP | FP | FN | TN | Error rate, % |\n");
    text.push_str("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    for row in &classes.rows {
        let [tp, fp, negatives, tn] = &row.counts;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {tp} | {fp} | {negatives} | {tn} | {} |",
            escape(&row.name),
            cell(&row.f1, ""),
            cell(&row.precision, ""),
            cell(&row.recall, ""),
            row.support,
            cell(&row.error_rate, "")
        );
    }
    for row in &classes.rows {
        if let Some(why) = &row.why {
            let _ = write!(text, "\n{}: {}.\n", escape(&row.name), escape(why));
        }
    }
    let _ = write!(text, "\n{}\n\n", classes.intervals);
    text.push_str("| Average | Test | Val |\n|---|--:|--:|\n");
    for row in &classes.averages {
        let unit = if row.unit.is_empty() { String::new() } else { format!(", {}", row.unit) };
        let shown = |shown: &Option<Shown>| shown.as_ref().map_or_else(|| "–".to_owned(), |shown| cell(shown, ""));
        let _ = writeln!(text, "| {}{unit} | {} | {} |", row.name, shown(&row.test), shown(&row.val));
    }
    if !classes.pairs.is_empty() {
        text.push_str("\n### Most confused\n\n| True | Predicted | Pictures | Of the class, % | The other way |\n|---|---|--:|--:|--:|\n");
        for pair in &classes.pairs {
            let (label, prediction) = (escape(&pair.label), escape(&pair.prediction));
            let _ = writeln!(text, "| {label} | {prediction} | {} | {} | {} |", pair.count, pair.share, pair.reverse);
        }
    }
    text.push('\n');
    draw_figures(text, [&classes.f1, &classes.counts, &classes.shares].into_iter().flatten());
}

fn draw_errors(text: &mut String, view: &View) {
    if view.errors.cards.is_empty() {
        return;
    }
    text.push_str("\n## Most confident errors\n\n| Picture | True | Predicted | Probability |\n|---|---|---|--:|\n");
    for card in &view.errors.cards {
        let label = card.label.as_deref().unwrap_or("–");
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            escape(&card.sample),
            escape(label),
            escape(&card.prediction),
            card.probability.replace('<', "&lt;").replace('>', "&gt;")
        );
    }
}

fn draw_data(text: &mut String, data: &Data) {
    if data.is_empty() {
        return;
    }
    text.push_str("\n## Data\n\n");
    push_line(text, data.parts.iter().map(String::as_str));
    if let Some(audit) = &data.audit {
        text.push_str(if audit.is_empty() { "\nThe audit found nothing.\n" } else { "\n" });
        for row in audit {
            let (why, advice) = (escape(&row.why), escape(&row.advice));
            let _ = writeln!(
                text,
                "- **{}** ({}, {}): {why} What to do: {advice}",
                escape(&row.title),
                row.severity,
                row.count
            );
        }
    }
    text.push('\n');
    draw_figures(text, [&data.counts, &data.balance].into_iter().flatten());
}

fn draw_about(text: &mut String, about: &About) {
    let _ = write!(text, "\n## How to run it again\n\n{}{}", fenced(&about.command, "sh"), fenced(&about.again, "sh"));
    let _ = write!(text, "\nTo cite: {}.\n\n| | |\n|---|---|\n", escape(&about.citation));
    for row in &about.rows {
        let _ = writeln!(text, "| {} | {} |", row.name, escape(&row.value));
    }
    if let Some(recipe) = &about.recipe {
        let _ = write!(text, "\n### Options\n\n{}", fenced(recipe, "toml"));
    }
}

fn draw_figures<'a>(text: &mut String, figures: impl Iterator<Item = &'a Figure>) {
    for figure in figures {
        let _ =
            writeln!(text, "![{}. {}](figures/{})", escape(&figure.title), escape(&figure.description), figure.file);
    }
}

/// Sentences as one paragraph; nothing where there are none.
fn push_line<'a>(text: &mut String, sentences: impl Iterator<Item = &'a str>) {
    let line = sentences.map(escape).collect::<Vec<_>>().join(" ");
    if !line.is_empty() {
        let _ = writeln!(text, "{line}");
    }
}

/// `91.2 (86.1–94.5)`, with the unit after the number.
fn cell(shown: &Shown, unit: &str) -> String {
    match &shown.range {
        Some(range) => format!("{}{unit} ({range})", shown.value),
        None => format!("{}{unit}", shown.value),
    }
}

/// A block of code whose fence is longer than any run of backticks inside.
fn fenced(code: &str, language: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", code.trim_end())
}

/// Text that stays text in Markdown and in a table's cell. Source: CommonMark 0.31, section 2.4; GitHub's tables.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => escaped.extend(['\\', character]),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        for (text, want) in [
            ("cat", "cat"),
            ("a|b", "a\\|b"),
            ("<b>*x*</b>", "&lt;b&gt;\\*x\\*&lt;/b&gt;"),
            ("[x](y)`z`_#~\\", "\\[x\\](y)\\`z\\`\\_\\#\\~\\\\"),
        ] {
            assert_eq!(escape(text), want);
        }
        assert_eq!(fenced("a ``` b", "sh"), "````sh\na ``` b\n````\n");
    }
}
