//! The page of an audit: whether an evaluation would be worth anything, what was found, what the pictures are.

use std::collections::BTreeMap;

use askama::Template;
use avizor_base::Trust;
use avizor_store::{Audit, Finding, Quartiles, SampleRow, Severity};

use crate::base64::data_uri;
use crate::chart::{Figure, class_counts, picture_sizes};
use crate::error::ReportError;
use crate::finding::data::{sentence, title};
use crate::view::data::{count, parts};
use crate::{name, number};

/// Longer side of a small picture in pixels.
pub const SIDE: u32 = 96;
/// Cases of a finding that are shown: of several pictures each, and of one.
const CASES: usize = 8;
const SINGLES: usize = 18;
/// Pictures of a case.
const PICTURES: usize = 4;
/// Findings about what is no sample.
const NO_SAMPLES: [&str; 2] = ["ignored_file", "table_mismatch"];
/// Classes that are shown, and pictures of each.
const CLASSES: usize = 24;
const SAMPLES: usize = 5;
/// Bars for more classes than this are folded away.
const MANY: usize = 30;

/// What the page is made from.
pub struct AuditSource<'a> {
    /// What the data are called.
    pub name: &'a str,
    /// What was found.
    pub audit: &'a Audit,
    /// The pictures by class and part.
    pub samples: &'a [SampleRow],
    /// Width and height of each.
    pub sizes: &'a [(u32, u32)],
    /// A picture by its name as a PNG file, no side longer than [`SIDE`]; `None` where it cannot be read.
    pub picture: &'a dyn Fn(&str) -> Option<Vec<u8>>,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    name: String,
    style: &'static str,
    line: String,
    verdict: Option<Line>,
    findings: Vec<Found>,
    parts: String,
    many: bool,
    counts: Option<Figure>,
    classes: Vec<Class>,
    more_classes: usize,
    rows: Vec<Row>,
    kinds: Vec<String>,
    sizes: Option<Figure>,
}

/// The verdict.
struct Line {
    tone: &'static str,
    word: &'static str,
    sentence: String,
}

struct Found {
    title: String,
    tone: &'static str,
    severity: &'static str,
    count: String,
    why: String,
    advice: String,
    /// What is said of every case alike.
    detail: Option<String>,
    /// Whether a case is a picture alone.
    single: bool,
    cases: Vec<Case>,
    more: Option<String>,
}

/// Pictures that belong together, or a sentence.
struct Case {
    detail: Option<String>,
    pictures: Vec<Small>,
    more: usize,
}

struct Small {
    uri: Option<String>,
    name: String,
}

struct Class {
    name: String,
    count: String,
    pictures: Vec<Small>,
}

/// A line of the table of quartiles.
struct Row {
    what: &'static str,
    values: [String; 5],
}

pub(crate) fn draw(source: &AuditSource<'_>) -> Result<String, ReportError> {
    let audit = source.audit;
    let counts = count(source.samples);
    let statistics = audit.pictures.as_ref();
    let page = Page {
        name: name::shown(source.name),
        style: include_str!("../templates/style.css"),
        line: format!(
            "{} in {}",
            number::counted(audit.samples, "picture"),
            if audit.classes.len() == 1 { "1 class".to_owned() } else { format!("{} classes", audit.classes.len()) }
        ),
        verdict: audit.verdict.as_ref().map(|verdict| Line {
            tone: match verdict.evaluation {
                Trust::Valid => "fine",
                Trust::Doubtful => "care",
                Trust::NotValid => "problem",
            },
            word: verdict.evaluation.words(),
            sentence: sentence(&verdict.sentence),
        }),
        findings: audit.findings.iter().map(|finding| found(finding, source)).collect(),
        parts: parts(source.samples),
        many: counts.len() > MANY,
        counts: class_counts(&counts),
        classes: classes(source),
        more_classes: audit.classes.len().saturating_sub(CLASSES),
        rows: statistics.map(rows).unwrap_or_default(),
        kinds: statistics.map(kinds).unwrap_or_default(),
        sizes: picture_sizes(source.sizes),
    };
    Ok(page.render()?)
}

fn found(finding: &Finding, source: &AuditSource<'_>) -> Found {
    let (tone, severity) = match finding.severity {
        Severity::Error => ("problem", "error"),
        Severity::Warning => ("care", "warning"),
        Severity::Info => ("note", "note"),
    };
    let single = finding.details.is_empty() && finding.groups.iter().all(|group| group.len() == 1);
    let shown = if single { SINGLES } else { CASES };
    let same = finding
        .details
        .first()
        .filter(|first| finding.details.len() > 1 && finding.details.iter().all(|detail| detail == *first));
    let case = |(at, group): (usize, &Vec<String>)| Case {
        detail: finding.details.get(at).filter(|_| same.is_none()).map(|detail| name::shown(detail)),
        pictures: group.iter().take(PICTURES).map(|sample| small(sample, source)).collect(),
        more: group.len().saturating_sub(PICTURES),
    };
    // What is no sample has no picture to show.
    let lines = || finding.cases(|sample| name::short(sample, 80)).take(CASES);
    let in_words = |line: String| Case { detail: Some(line), pictures: Vec::new(), more: 0 };
    let cases = match NO_SAMPLES.contains(&finding.kind.as_str()) {
        true => lines().map(in_words).collect(),
        false => finding.groups.iter().enumerate().take(shown).map(case).collect(),
    };
    let rest = finding.groups.len().saturating_sub(shown);
    Found {
        title: title(&finding.kind),
        tone,
        severity,
        count: number::found(finding),
        why: sentence(&finding.why),
        advice: sentence(&finding.advice),
        detail: same.map(|detail| name::shown(detail)),
        single,
        cases,
        more: (rest > 0).then(|| format!("and {} more", number::count(rest as u64))),
    }
}

fn small(sample: &str, source: &AuditSource<'_>) -> Small {
    let uri = (source.picture)(sample).map(|bytes| data_uri("image/png", &bytes));
    Small { uri, name: name::short(sample, 80) }
}

/// The first classes with a few pictures each, evenly out of all of the class.
fn classes(source: &AuditSource<'_>) -> Vec<Class> {
    let mut of_class: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for sample in source.samples {
        of_class.entry(sample.class.as_deref().unwrap_or_default()).or_default().push(&sample.path);
    }
    let class = |(class, samples): (&str, Vec<&str>)| Class {
        name: name::short(class, 60),
        count: number::counted(samples.len() as u64, "picture"),
        pictures: samples.iter().step_by(samples.len().div_ceil(SAMPLES)).map(|sample| small(sample, source)).collect(),
    };
    of_class.into_iter().take(CLASSES).map(class).collect()
}

fn rows(statistics: &avizor_store::PictureStatistics) -> Vec<Row> {
    let row = |what, quartiles: &Quartiles, words: fn(u64) -> String| {
        let Quartiles { min, q25, median, q75, max } = *quartiles;
        Row { what, values: [min, q25, median, q75, max].map(words) }
    };
    vec![
        row("Width, pixels", &statistics.width, number::count),
        row("Height, pixels", &statistics.height, number::count),
        row("Width by height", &statistics.aspect_percent, |percent| format!("{:.2}", percent as f64 / 100.0)),
        row("File, kB", &statistics.bytes, |bytes| format!("{:.1}", bytes as f64 / 1000.0)),
    ]
}

/// `JPEG 3,772, PNG 121` and the same of modes.
fn kinds(statistics: &avizor_store::PictureStatistics) -> Vec<String> {
    [("Formats", &statistics.formats), ("Colour", &statistics.modes)]
        .map(|(what, counts)| {
            let words: Vec<String> =
                counts.iter().map(|(kind, &n)| format!("{} {}", kind.replace('_', " + "), number::count(n))).collect();
            format!("{what}: {}.", words.join(", "))
        })
        .to_vec()
}
