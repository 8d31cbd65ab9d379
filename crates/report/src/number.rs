//! How numbers look. Every number on the page goes through here.
//!
//! Shares are percentages with one decimal, counts have thousands separated, and a number never breaks from its unit.

use avizor_store::{Finding, Measure};

/// Keeps number and unit on one line.
const NBSP: char = '\u{a0}';

/// `1,204`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 picture`, `1,204 pictures`: the plural is with an s.
pub(crate) fn counted(n: u64, noun: &str) -> String {
    format!("{}{NBSP}{noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// How much an audit found, so that it agrees with the lines that tell it: `2 cases`, or `1,204 for 2 reasons` where a
/// line is a reason.
pub(crate) fn found(finding: &Finding) -> String {
    match finding.reasons() {
        None => counted(finding.count, "case"),
        Some(reasons) => format!("{} for {}", count(finding.count), counted(reasons, "reason")),
    }
}

/// A share as `91.2 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{}{NBSP}%", percent_digits(share))
}

/// A share as `91.2`. What is not quite all is never shown as 100.0, nor what is not quite nothing as 0.0.
pub(crate) fn percent_digits(share: f64) -> String {
    let percent = share * 100.0;
    if share < 1.0 && percent > 99.95 {
        return "99.9".to_owned();
    }
    if share > 0.0 && percent < 0.05 {
        return "0.1".to_owned();
    }
    format!("{percent:.1}")
}

/// The difference of two shares in points of a hundred: `+3.1`, `−0.4`, `0.0`.
pub(crate) fn points(difference: f64) -> String {
    let points = difference * 100.0;
    match format!("{:.1}", points.abs()) {
        zero if zero == "0.0" => zero,
        digits => format!("{}{digits}", if points < 0.0 { '−' } else { '+' }),
    }
}

/// A probability as `99.3 %`, `> 99.9 %` or `< 0.1 %`.
pub(crate) fn probability(p: f64) -> String {
    if p > 0.999 && p < 1.0 {
        return format!(">{NBSP}99.9{NBSP}%");
    }
    if p < 0.001 && p > 0.0 {
        return format!("<{NBSP}0.1{NBSP}%");
    }
    format!("{:.1}{NBSP}%", p * 100.0)
}

/// A loss or another number without unit: three decimals, or two significant digits where it is small.
pub(crate) fn plain(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.01 { format!("{value:.1e}") } else { format!("{value:.3}") }
}

/// The level of an interval: `95`, `99.9`.
pub(crate) fn level(share: f64) -> String {
    let percent = (share * 1000.0).round() / 10.0;
    percent.to_string()
}

/// `12.4 s`, `3 min 20 s`, `2 h 05 min`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "unknown".to_owned();
    }
    if seconds < 59.95 {
        return format!("{seconds:.1}{NBSP}s");
    }
    let whole = seconds.round() as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours == 0 {
        format!("{minutes}{NBSP}min {rest:02}{NBSP}s")
    } else {
        format!("{}{NBSP}h {minutes:02}{NBSP}min", count(hours))
    }
}

/// `2026-11-22T14:03:05Z` as `2026-11-22 14:03 UTC`; what is not of that shape as it is.
pub(crate) fn time(rfc3339: &str) -> String {
    match (rfc3339.split_once('T'), rfc3339.ends_with('Z')) {
        (Some((date, clock)), true) => match clock.get(..5) {
            Some(minutes) => format!("{date} {minutes} UTC"),
            None => rfc3339.to_owned(),
        },
        _ => rfc3339.to_owned(),
    }
}

/// A measure ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The number without its unit, or a dash.
    pub(crate) value: String,
    /// `86.1–94.5`.
    pub(crate) range: Option<String>,
    /// Why there is no number, or no interval.
    pub(crate) why: Option<String>,
}

impl Shown {
    /// A share, in percent.
    pub(crate) fn percent(measure: &Measure) -> Self {
        Self::with(measure, percent_digits)
    }

    /// A number without unit.
    pub(crate) fn plain(measure: &Measure) -> Self {
        Self::with(measure, plain)
    }

    fn with(measure: &Measure, digits: fn(f64) -> String) -> Self {
        Self {
            value: measure.value().map_or_else(|| "–".to_owned(), digits),
            range: measure.interval().map(|(low, high)| format!("{}–{}", digits(low), digits(high))),
            why: measure.why().map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_the_same_everywhere() {
        for (have, want) in [
            (count(0), "0"),
            (count(999), "999"),
            (count(1_204), "1,204"),
            (count(1_000_000), "1,000,000"),
            (counted(1, "picture"), "1 picture"),
            (counted(12_345, "picture"), "12,345 pictures"),
            (percent(0.912), "91.2 %"),
            (percent(1.0), "100.0 %"),
            (percent(0.99999), "99.9 %"),
            (percent(0.0001), "0.1 %"),
            (percent(0.0), "0.0 %"),
            (probability(0.99951), "> 99.9 %"),
            (probability(1.0), "100.0 %"),
            (probability(0.0002), "< 0.1 %"),
            (plain(0.33149), "0.331"),
            (plain(0.00012), "1.2e-4"),
            (plain(0.0), "0.000"),
            (level(0.95), "95"),
            (level(0.999), "99.9"),
            (duration(12.44), "12.4 s"),
            (duration(59.96), "1 min 00 s"),
            (duration(200.0), "3 min 20 s"),
            (duration(7500.0), "2 h 05 min"),
            (duration(f64::NAN), "unknown"),
            (time("2026-11-22T14:03:05Z"), "2026-11-22 14:03 UTC"),
            (time("yesterday"), "yesterday"),
            (time("T€Z"), "T€Z"),
        ] {
            assert_eq!(have.replace(NBSP, " "), want);
        }
    }

    #[test]
    fn an_undefined_measure_is_a_dash_with_a_reason() {
        let shown = Shown::percent(&Measure::undefined("no sample"));
        assert_eq!(shown, Shown { value: "–".into(), range: None, why: Some("no sample".into()) });
        let shown = Shown::percent(&Measure::estimate(0.912, [0.861, 0.945], 181, "wilson"));
        assert_eq!((shown.value.as_str(), shown.range.as_deref()), ("91.2", Some("86.1–94.5")));
    }
}
