//! Values on the command line, refused in words of no programming language.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Reads a whole number of a range.
pub(super) fn whole<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| format!("it must be a whole number from {} to {}", range.start(), range.end()))
    }
}

/// Reads a time to measure for; 0 measures once.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|seconds| (0.0..=3600.0).contains(seconds));
    number.ok_or_else(|| "it must be a number of seconds from 0 to 3600".to_owned())
}

/// Reads a time with its unit: seconds, minutes or hours, at most a month of them.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(char, f64); 3] = [('s', 1.0), ('m', 60.0), ('h', 3600.0)];
    const MOST: f64 = 31.0 * 24.0 * 3600.0;
    let seconds =
        UNITS.iter().find_map(|(unit, seconds)| Some(text.strip_suffix(*unit)?.parse::<f64>().ok()? * seconds));
    let seconds = seconds.filter(|seconds| *seconds > 0.0 && *seconds <= MOST);
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "it must be a time such as 90s, 10m or 2h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_refused_with_the_range() {
        assert_eq!(whole::<u16>(1..=32)("32"), Ok(32));
        for wrong in ["0", "33", "x", "", "-1", "1.5", "99999999999999999999"] {
            assert_eq!(
                whole::<u16>(1..=32)(wrong),
                Err("it must be a whole number from 1 to 32".to_owned()),
                "{wrong}"
            );
        }
        for (text, wanted) in [("90s", 90), ("10m", 600), ("1.5h", 5400)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(wanted)), "{text}");
        }
        for wrong in ["", "m", "10", "0s", "-1m", "NaNs", "infh", "1e9h", "10 min"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!((seconds("0"), seconds("0.5")), (Ok(0.0), Ok(0.5)));
        for wrong in ["-1", "NaN", "inf", "x"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
