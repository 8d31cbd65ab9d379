//! How fast a network is here.

use avizor_kernels::Precision;
use avizor_models::Network;
use serde_json::{Value, json};

use crate::args::{self, Stem};
use crate::commands::bench::{BenchNetwork, Times, duration};
use crate::failure::Failure;
use crate::session::Session;

/// Pictures at a time where nobody says it: more hardly make one cheaper, and a step of a large network should not take long.
pub(super) const BATCH: u16 = 4;
/// Seconds of measuring each of training and inference; a slow network's three runs may take longer.
const SECONDS: f64 = 0.7;

/// Times of steps.
pub(super) struct Speed {
    batch: u16,
    train: Times,
    infer: Times,
}

/// What is measured.
pub(super) struct Measured {
    pub(super) network: &'static Network,
    pub(super) size: u32,
    pub(super) classes: u32,
    pub(super) stem: Stem,
    pub(super) batch: u16,
}

impl Measured {
    /// As it was made: its own size, ImageNet's classes.
    pub(super) fn as_made(network: &'static Network) -> Self {
        Self { network, size: network.size, classes: 1000, stem: Stem::Imagenet, batch: BATCH }
    }

    /// Trains and infers for a while, on noise.
    pub(super) fn measure(&self, session: &Session) -> Result<Speed, Failure> {
        let &Self { network, size, classes, stem, batch } = self;
        let model = network.name.to_owned();
        let of = args::BenchNetwork { model, recipe: None, size, classes, stem, direct: false };
        let bench = BenchNetwork::new(session, &of)?;
        let mut training = bench.training(usize::from(batch), Precision::F32)?;
        let train = Times::of(duration(SECONDS), || training.run());
        let mut inference = training.into_inference()?;
        let infer = Times::of(duration(SECONDS), || inference.run());
        Ok(Speed { batch, train, infer })
    }
}

impl Speed {
    /// Pictures a second of training.
    pub(super) fn train_rate(&self) -> f64 {
        self.rate(&self.train)
    }

    /// Pictures a second of inference.
    pub(super) fn infer_rate(&self) -> f64 {
        self.rate(&self.infer)
    }

    fn rate(&self, times: &Times) -> f64 {
        f64::from(self.batch) / times.median()
    }

    /// Both in a sentence, with their spread.
    pub(super) fn sentence(&self) -> String {
        let one = |name: &str, times: &Times| {
            let [slowest, fastest] = [times.most(), times.least()].map(|seconds| f64::from(self.batch) / seconds);
            format!("{name} {:.1} pictures/s (range {slowest:.1}–{fastest:.1}, n = {})", self.rate(times), times.n())
        };
        format!("{}; {}", one("training", &self.train), one("inference", &self.infer))
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "batch": self.batch,
            "train_images_per_second": self.train_rate(),
            "infer_images_per_second": self.infer_rate(),
            "train_step_seconds": self.train.json(),
            "infer_step_seconds": self.infer.json(),
        })
    }
}
