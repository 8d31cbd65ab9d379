//! How numbers are written for people.

use avizor_store::Measure;

/// `0.912 (95 % 0.861–0.945, n = 181)`.
pub(crate) fn measure(measure: &Measure, level: f64, n: u64) -> String {
    let Some(value) = measure.value() else {
        return format!("undefined ({})", measure.why().unwrap_or("no reason given"));
    };
    match measure.interval() {
        Some((low, high)) => format!("{value:.3} ({:.0} % {low:.3}–{high:.3}, n = {n})", level * 100.0),
        None => format!("{value:.3} (n = {n})"),
    }
}

/// `+0.031 (95 % -0.004 to +0.068)`.
pub(crate) fn difference(measure: &Measure, level: f64) -> String {
    let Some(value) = measure.value() else {
        return format!("undefined ({})", measure.why().unwrap_or("no reason given"));
    };
    match measure.interval() {
        Some((low, high)) => format!("{value:+.3} ({:.0} % {low:+.3} to {high:+.3})", level * 100.0),
        None => format!("{value:+.3}"),
    }
}

/// `1,204`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `17.4 MB`, of a million bytes each.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// `93.4 %`; what is not quite certain or impossible says so: `> 99.9 %`, `< 0.1 %`.
pub(crate) fn probability(p: f64) -> String {
    match p {
        p if p > 0.999 && p < 1.0 => "> 99.9 %".to_owned(),
        p if p < 0.001 && p > 0.0 => "< 0.1 %".to_owned(),
        p => format!("{:.1} %", p * 100.0),
    }
}

/// `12.4 s`, `3 min 05 s`, `2 h 10 min`.
pub(crate) fn seconds(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    match whole {
        0..100 => format!("{seconds:.1} s"),
        100..6000 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_write_them() {
        let gained = Measure::estimate(0.031, [-0.004, 0.068], 78, "newcombe");
        assert_eq!(difference(&gained, 0.95), "+0.031 (95 % -0.004 to +0.068)");
        assert_eq!(
            [0.0, 1e-9, 0.934, 0.99999, 1.0].map(probability),
            ["0.0 %", "< 0.1 %", "93.4 %", "> 99.9 %", "100.0 %"]
        );
        assert_eq!([count(0), count(999), count(1_204), count(1_234_567)], ["0", "999", "1,204", "1,234,567"]);
        assert_eq!(
            [seconds(0.04), seconds(12.44), seconds(185.0), seconds(7800.0)],
            ["0.0 s", "12.4 s", "3 min 05 s", "2 h 10 min"]
        );
    }
}
