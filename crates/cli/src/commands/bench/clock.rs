//! How long something takes, and how much memory it took.

use std::time::{Duration, Instant};

use serde_json::json;

/// Runs before the clock counts: caches and pages are then as they stay.
const WARM_UP: usize = 2;

/// Runs that are counted at least, however long they take.
const LEAST_RUNS: usize = 3;

/// Seconds that equal runs took, sorted.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Times(Vec<f64>);

impl Times {
    /// Repeats for that long, at least three times, after a warm-up.
    pub(in crate::commands) fn of(time: Duration, mut run: impl FnMut()) -> Self {
        (0..WARM_UP).for_each(|_| run());
        let mut seconds = Vec::new();
        let begun = Instant::now();
        while seconds.len() < LEAST_RUNS || begun.elapsed() < time {
            let started = Instant::now();
            run();
            seconds.push(started.elapsed().as_secs_f64());
            // Linux takes a twentieth of each second from real-time tasks: better between two runs than inside one.
            std::thread::sleep(Duration::from_secs_f64(0.08 * seconds[seconds.len() - 1]));
        }
        Self::from_seconds(seconds)
    }

    /// Of runs that somebody else timed; at least one.
    pub(in crate::commands) fn from_seconds(mut seconds: Vec<f64>) -> Self {
        assert!(!seconds.is_empty(), "times of nothing");
        seconds.sort_by(f64::total_cmp);
        Self(seconds)
    }

    /// The least time that at least that share of the runs did not exceed.
    pub(in crate::commands) fn quantile(&self, share: f64) -> f64 {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        self.0[rank.clamp(1, self.0.len()) - 1]
    }

    pub(in crate::commands) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    pub(in crate::commands) fn least(&self) -> f64 {
        self.0[0]
    }

    pub(in crate::commands) fn most(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    pub(in crate::commands) fn n(&self) -> usize {
        self.0.len()
    }

    /// Median, least and most in seconds, and how many runs there were.
    pub(in crate::commands) fn json(&self) -> serde_json::Value {
        json!({ "median": self.median(), "least": self.least(), "most": self.most(), "n": self.n() })
    }
}

/// `--seconds` as a time; what is not a time of at most an hour is brought into that range.
pub(in crate::commands) fn duration(seconds: f64) -> Duration {
    Duration::from_secs_f64(if seconds > 0.0 { seconds.min(3600.0) } else { 0.0 })
}

/// The most memory this process ever had; `None` where the system does not tell.
pub(in crate::commands) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_time_that_was_measured() {
        let times = Times::from_seconds((1..=20).rev().map(f64::from).collect());
        assert_eq!([0.0, 0.5, 0.95, 0.96, 1.0].map(|share| times.quantile(share)), [1.0, 10.0, 19.0, 20.0, 20.0]);
        assert_eq!([times.least(), times.median(), times.most()], [1.0, 10.0, 20.0]);
        let one = Times::from_seconds(vec![3.0]);
        assert_eq!([0.0, 0.5, 1.0].map(|share| one.quantile(share)), [3.0; 3]);
    }

    #[test]
    fn no_time_at_all_still_gives_three_runs() {
        let mut runs = 0;
        let times = Times::of(duration(f64::NAN), || runs += 1);
        assert_eq!((times.n(), runs), (LEAST_RUNS, LEAST_RUNS + WARM_UP));
    }
}
