//! Beta-distributed numbers of a stream.

use crate::Stream;

impl Stream {
    /// Beta(a, b)-distributed, in `0.0..=1.0`: the first one's share of two gamma-distributed numbers. Both parameters must be
    /// finite and at least 0.001, or the result may be NaN.
    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let [first, second] = [a, b].map(|shape| self.ln_gamma(shape));
        1.0 / (1.0 + (second - first).exp())
    }

    /// The logarithm of a Gamma(shape, 1)-distributed number: small shapes give numbers below the least float.
    /// Source: Marsaglia and Tsang 2000, doi:10.1145/358407.358414.
    fn ln_gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            // A gamma number of this shape is one of a shape larger by 1, times a uniform number to the power 1 / shape.
            let larger = self.ln_gamma(shape + 1.0);
            return larger + (1.0 - self.unit()).ln() / shape;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            // Always drawn, so that what is used up does not depend on the first test.
            let u = 1.0 - self.unit();
            if v > 0.0 && u.ln() < 0.5 * x * x + d * (1.0 - v + v.ln()) {
                return (d * v).ln();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Purpose, Seed};

    #[test]
    fn moments_are_those_of_the_distribution() {
        for (case, (a, b)) in
            (0..).zip([(0.001, 0.001), (0.2, 0.2), (0.8, 0.8), (1.0, 1.0), (2.0, 2.0), (2.0, 5.0), (100.0, 100.0)])
        {
            let mut stream = Seed(7).stream(Purpose::Mix, [case, 0, 0]);
            let numbers: Vec<f64> = (0..40_000).map(|_| stream.beta(a, b)).collect();
            assert!(numbers.iter().all(|number| (0.0..=1.0).contains(number)), "{a}, {b}");
            let n = numbers.len() as f64;
            let mean_of = |power: i32| numbers.iter().map(|number| number.powi(power)).sum::<f64>() / n;
            // Raw moments: each is the one before times (a + k) / (a + b + k).
            let moment = |power: i32| (0..power).map(f64::from).map(|k| (a + k) / (a + b + k)).product::<f64>();
            for power in 1..=4 {
                let error = ((moment(2 * power) - moment(power).powi(2)) / n).sqrt();
                let (got, want) = (mean_of(power), moment(power));
                assert!((got - want).abs() < 5.0 * error, "Beta({a}, {b}), moment {power}: {got} and not {want}");
            }
        }
    }

    #[test]
    fn a_stream_gives_the_same_numbers_again() {
        let draw = |step| Seed(1).stream(Purpose::Mix, [step, 0, 0]).beta(0.2, 0.2);
        assert_eq!(draw(3).to_bits(), draw(3).to_bits());
        assert_ne!(draw(3), draw(4));
    }
}
