//! One number of `metrics.json`.

use avizor_metrics::Estimate;
use serde::{Deserialize, Serialize};

/// A number with the weight behind it, or the reason why there is none.
///
/// `{"value": 0.91, "low": 0.86, "high": 0.95, "n": 181, "method": "wilson"}`. Without an interval, `low`, `high` and
/// `method` are absent and `why` may say the reason. Without a number: `{"value": null, "why": "the class has no
/// sample"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Measure {
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// What a file may say, before it is known to make sense.
#[derive(Deserialize)]
struct Fields {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    n: Option<u64>,
    method: Option<String>,
    why: Option<String>,
}

impl Measure {
    /// A number with the bounds of its interval, from n samples, and how the interval was made: `wilson`, `bootstrap`,
    /// `cluster_bootstrap`. A number that is not finite is undefined; bounds that are not are left out.
    pub fn estimate(value: f64, [low, high]: [f64; 2], n: u64, method: &str) -> Self {
        let plain = Self::plain(value, n);
        if plain.value.is_none() || !low.is_finite() || !high.is_finite() {
            return plain;
        }
        Self { low: Some(low), high: Some(high), method: Some(method.to_owned()), ..plain }
    }

    /// A number without an interval, from n samples. One that is not finite is undefined.
    pub fn plain(value: f64, n: u64) -> Self {
        if !value.is_finite() {
            return Self::undefined("the number is not finite");
        }
        Self { value: Some(value), low: None, high: None, n: Some(n), method: None, why: None }
    }

    /// No number, and why.
    pub fn undefined(why: impl Into<String>) -> Self {
        Self { value: None, low: None, high: None, n: None, method: None, why: Some(why.into()) }
    }

    /// The number, where it is defined.
    pub fn value(&self) -> Option<f64> {
        self.value
    }

    /// Lower and upper bound of the interval, where it has one.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.low.zip(self.high)
    }

    /// Samples behind the number.
    pub fn n(&self) -> Option<u64> {
        self.n
    }

    /// How the interval was made.
    pub fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    /// Why there is no number, or no interval.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }
}

impl From<&Estimate> for Measure {
    fn from(estimate: &Estimate) -> Self {
        match estimate.interval {
            Some(interval) => {
                Self::estimate(estimate.value, [interval.low, interval.high], estimate.n, estimate.method.name())
            }
            None => {
                let plain = Self::plain(estimate.value, estimate.n);
                Self { why: plain.why.or_else(|| estimate.method.why().map(str::to_owned)), ..plain }
            }
        }
    }
}

impl TryFrom<Fields> for Measure {
    type Error = &'static str;

    fn try_from(Fields { value, low, high, n, method, why }: Fields) -> Result<Self, Self::Error> {
        if value.is_none() && why.is_none() {
            return Err("a measure has either a value or a \"why\"");
        }
        if low.is_some() != high.is_some() || (value.is_none() && low.is_some()) {
            return Err("a measure's interval has two bounds and a value");
        }
        Ok(Self { value, low, high, n, method, why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_to_the_last_bit() {
        for value in [0.1 + 0.2, 1.0 / 3.0, f64::MIN_POSITIVE, 5e-324, 0.938_271_604_938_271_6, 1e300, -0.0] {
            let measure = Measure::estimate(value, [value; 2], 3, "wilson");
            let back: Measure = serde_json::from_str(&serde_json::to_string(&measure).unwrap()).unwrap();
            assert_eq!(back.value().unwrap().to_bits(), value.to_bits());
        }
    }

    #[test]
    fn what_is_not_finite_is_undefined_with_a_reason() {
        for measure in [Measure::plain(f64::NAN, 1), Measure::estimate(f64::INFINITY, [0.0, 1.0], 1, "bootstrap")] {
            assert_eq!((measure.value(), measure.interval()), (None, None));
            assert!(measure.why().is_some());
        }
        assert_eq!(Measure::estimate(0.5, [f64::NAN, 1.0], 4, "bootstrap"), Measure::plain(0.5, 4));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for text in [
            r#"{"value": null}"#,
            r#"{"value": 1.0, "low": 0.5}"#,
            r#"{"value": null, "low": 0.5, "high": 0.6, "why": "x"}"#,
        ] {
            assert!(serde_json::from_str::<Measure>(text).is_err(), "{text}");
        }
    }
}
