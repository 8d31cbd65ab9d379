//! Numbers of the classes, averages, and who is taken for whom.

use avizor_base::Split;
use avizor_store::{ClassMetrics, Measure, PartMetrics};

use crate::chart::{Figure, Scale, class_f1, heat_map};
use crate::confusion::worst_pairs;
use crate::name;
use crate::number::{self, Shown};
use crate::stored::Stored;

/// Pairs that the table of confusions shows.
const PAIRS: usize = 15;

/// With more classes than this, tall charts are folded away and tables scroll.
const MANY: usize = 30;

/// The part of the page about classes.
pub(crate) struct Classes {
    pub(crate) split: Split,
    pub(crate) many: bool,
    /// Worst first; classes without any number last.
    pub(crate) rows: Vec<ClassRow>,
    pub(crate) averages: Vec<AverageRow>,
    pub(crate) f1: Option<Figure>,
    pub(crate) counts: Option<Figure>,
    pub(crate) shares: Option<Figure>,
    pub(crate) pairs: Vec<PairRow>,
    /// How intervals were made.
    pub(crate) intervals: String,
}

/// A row of the table of classes.
pub(crate) struct ClassRow {
    pub(crate) name: String,
    pub(crate) f1: Shown,
    /// Width of its bar, in percent of the cell.
    pub(crate) bar: String,
    pub(crate) precision: Shown,
    pub(crate) recall: Shown,
    pub(crate) support: String,
    pub(crate) counts: [String; 4],
    pub(crate) error_rate: Shown,
    /// Why the class has no score.
    pub(crate) why: Option<String>,
}

/// A row of the table of averages.
pub(crate) struct AverageRow {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) test: Option<Shown>,
    pub(crate) val: Option<Shown>,
}

/// A row of the table of confusions.
pub(crate) struct PairRow {
    pub(crate) label: String,
    pub(crate) prediction: String,
    pub(crate) count: String,
    pub(crate) share: String,
    pub(crate) reverse: String,
}

impl Classes {
    /// `None` where nothing was evaluated.
    pub(super) fn new(stored: &Stored) -> Option<Self> {
        let (split, part) = stored.main_part()?;
        let metrics = &stored.metrics;
        Some(Self {
            split,
            many: part.classes.len() > MANY,
            rows: class_rows(part),
            averages: averages(metrics.test.as_ref(), metrics.val.as_ref()),
            f1: class_f1(part),
            counts: heat_map(&part.confusion, Scale::Count),
            shares: heat_map(&part.confusion, Scale::Share),
            pairs: pairs(part),
            intervals: intervals(part),
        })
    }

    /// The confusion matrix, plain and normalised.
    pub(crate) fn matrices(&self) -> impl Iterator<Item = &Figure> {
        self.counts.iter().chain(&self.shares)
    }

    pub(super) fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.f1.iter().chain(self.matrices())
    }
}

fn class_rows(part: &PartMetrics) -> Vec<ClassRow> {
    let mut classes: Vec<(&str, &ClassMetrics)> = part.classes.iter().collect();
    // The sort is stable: equal classes stay in the order of the model.
    let key = |class: &ClassMetrics| class.f1.value().unwrap_or(f64::INFINITY);
    classes.sort_by(|a, b| key(a.1).total_cmp(&key(b.1)));
    classes.into_iter().map(|(name, class)| class_row(name, class)).collect()
}

fn class_row(name: &str, class: &ClassMetrics) -> ClassRow {
    let counts = [class.true_positives, class.false_positives, class.false_negatives, class.true_negatives];
    ClassRow {
        name: name::shown(name),
        f1: Shown::percent(&class.f1),
        bar: format!("{:.1}", class.f1.value().unwrap_or(0.0).clamp(0.0, 1.0) * 100.0),
        precision: Shown::percent(&class.precision),
        recall: Shown::percent(&class.recall),
        support: number::count(class.support),
        counts: counts.map(number::count),
        error_rate: Shown::percent(&class.error_rate),
        why: class.f1.value().is_none().then(|| class.f1.why().unwrap_or("no score").to_owned()),
    }
}

fn averages(test: Option<&PartMetrics>, val: Option<&PartMetrics>) -> Vec<AverageRow> {
    type Read = fn(&PartMetrics) -> Option<&Measure>;
    let rows: [(&'static str, Read); 10] = [
        ("Accuracy", |part| Some(&part.accuracy)),
        ("Top-3 accuracy", |part| part.top_3_accuracy.as_ref()),
        ("Top-5 accuracy", |part| part.top_5_accuracy.as_ref()),
        ("Balanced accuracy", |part| Some(&part.balanced_accuracy)),
        ("Macro precision", |part| Some(&part.macro_precision)),
        ("Macro recall", |part| Some(&part.macro_recall)),
        ("Macro F1", |part| Some(&part.macro_f1)),
        ("Weighted precision", |part| Some(&part.weighted_precision)),
        ("Weighted recall", |part| Some(&part.weighted_recall)),
        ("Weighted F1", |part| Some(&part.weighted_f1)),
    ];
    let percent = |part: Option<&PartMetrics>, read: Read| part.and_then(read).map(Shown::percent);
    let shares = rows.into_iter().map(|(name, read)| AverageRow {
        name,
        unit: "%",
        test: percent(test, read),
        val: percent(val, read),
    });
    let loss = |part: Option<&PartMetrics>| part.map(|part| Shown::plain(&part.log_loss));
    let loss = AverageRow { name: "Log loss", unit: "", test: loss(test), val: loss(val) };
    shares.filter(|row| row.test.is_some() || row.val.is_some()).chain([loss]).collect()
}

fn pairs(part: &PartMetrics) -> Vec<PairRow> {
    let names = part.confusion.classes();
    let row = |pair: crate::confusion::Pair| PairRow {
        label: name::shown(&names[pair.label]),
        prediction: name::shown(&names[pair.prediction]),
        count: number::count(pair.count),
        share: number::percent_digits(pair.share),
        reverse: number::count(pair.reverse),
    };
    worst_pairs(&part.confusion, PAIRS).into_iter().map(row).collect()
}

fn intervals(part: &PartMetrics) -> String {
    let level = number::level(part.level);
    match part.groups {
        Some(groups) => format!(
            "Intervals are of {level} % and come from the bootstrap over {} groups with {} replicates: pictures of one \
             group are drawn together.",
            number::count(groups),
            number::count(u64::from(part.resamples))
        ),
        None => format!(
            "Intervals are of {level} %: Wilson’s for shares of pictures, the bootstrap with {} replicates for the rest.",
            number::count(u64::from(part.resamples))
        ),
    }
}
