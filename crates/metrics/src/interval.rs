//! How sure a number is.

use crate::normal::normal_quantile;

/// The share of repeated experiments whose interval would hold the true value: above 0, below 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Level(f64);

impl Level {
    /// 95 %.
    pub const DEFAULT: Self = Self(0.95);

    /// `None` where the share is not strictly between 0 and 1.
    pub fn new(share: f64) -> Option<Self> {
        (share > 0.0 && share < 1.0).then_some(Self(share))
    }

    /// As a share of 1.
    pub fn share(self) -> f64 {
        self.0
    }

    /// What is left out on each side.
    pub(crate) fn tail(self) -> f64 {
        (1.0 - self.0) / 2.0
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// From `low` to `high`, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower bound.
    pub low: f64,
    /// The upper bound, at least `low`.
    pub high: f64,
}

impl Interval {
    /// Whether the value lies inside or on a bound.
    pub fn contains(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// How an interval was made, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Wilson's score interval of a proportion.
    Wilson,
    /// Newcombe's interval of the difference of two paired proportions.
    Newcombe,
    /// Resampled over samples.
    Bootstrap,
    /// Resampled over groups, whose samples stay together.
    ClusterBootstrap,
    /// No interval: the value is 0 / 0, counted as 0.
    ZeroByConvention,
    /// No interval: with fewer than two independent samples (or groups) nothing can vary.
    TooFew,
}

impl Method {
    /// Its name in files: `wilson`, `newcombe`, `bootstrap`, `cluster_bootstrap`; `none` where there is no interval.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wilson => "wilson",
            Self::Newcombe => "newcombe",
            Self::Bootstrap => "bootstrap",
            Self::ClusterBootstrap => "cluster_bootstrap",
            Self::ZeroByConvention | Self::TooFew => "none",
        }
    }

    /// Why there is no interval; `None` where there is one.
    pub fn why(self) -> Option<&'static str> {
        match self {
            Self::Wilson | Self::Newcombe | Self::Bootstrap | Self::ClusterBootstrap => None,
            Self::ZeroByConvention => Some("0 / 0, counted as 0: no sample says anything about it"),
            Self::TooFew => Some("fewer than two independent samples or groups"),
        }
    }
}

/// A number, how many samples it rests on and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Where the true value may lie; contains `value`. `None` where nothing can be said: [`Method::why`].
    pub interval: Option<Interval>,
    /// Samples on which the value rests: all of them, or a class's denominator.
    pub n: u64,
    /// How the interval was made.
    pub method: Method,
}

/// Wilson's score interval of `successes` in `trials` independent trials; `None` for no trial or more successes than
/// trials.
///
/// With p̂ = successes / n and z the normal quantile of the level:
/// (p̂ + z²/2n ± z √(p̂(1 − p̂)/n + z²/4n²)) / (1 + z²/n). Source: Wilson 1927; statsmodels' `proportion_confint` with
/// `method="wilson"`.
pub fn wilson(successes: u64, trials: u64, level: Level) -> Option<Interval> {
    if trials == 0 || successes > trials {
        return None;
    }
    let (n, p) = (trials as f64, successes as f64 / trials as f64);
    let z = -normal_quantile(level.tail());
    let squared = z * z / n;
    let centre = p + squared / 2.0;
    let half = (squared * (p * (1.0 - p) + squared / 4.0)).sqrt();
    // The bounds of 0 and n successes are exactly 0 and 1; rounding must not move the value out of its interval.
    let low = ((centre - half) / (1.0 + squared)).clamp(0.0, p);
    let high = ((centre + half) / (1.0 + squared)).clamp(p, 1.0);
    Some(Interval { low, high })
}
