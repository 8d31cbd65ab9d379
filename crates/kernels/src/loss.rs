//! Probabilities from logits, and the loss that trains them.

use crate::Cpu;
use crate::exponential::{exp, ln};
use crate::parts::for_each_part;
use crate::per_level::per_level;

/// Sums along a row are made in so many lanes, at every level.
const LANES: usize = 16;

/// Logits of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CrossEntropyShape {
    /// Samples.
    pub rows: usize,
    /// Logits of a sample.
    pub classes: usize,
}

/// `probabilities[r][c] = e^logits[r][c] / Σ_k e^logits[r][k]`, without overflow.
///
/// # Panics
/// When a slice is not rows × classes long.
pub fn softmax(cpu: &Cpu, rows: usize, classes: usize, logits: &[f32], probabilities: &mut [f32]) {
    assert!(logits.len() == rows * classes && probabilities.len() == rows * classes, "both are {rows} × {classes}");
    if classes == 0 {
        return;
    }
    for_each_part(cpu, classes, [probabilities], |range, [probabilities]| {
        softmax_row(cpu, &logits[range], probabilities, &mut 0.0);
    });
}

/// Words of workspace that [`cross_entropy`] needs.
pub fn cross_entropy_workspace(shape: CrossEntropyShape) -> usize {
    shape.rows
}

/// The mean loss of the batch into `loss[0]`, and its gradient: `torch.nn.CrossEntropyLoss(weight, label_smoothing)`.
///
/// With `q[c] = (1 - smoothing) · weight[label] · [c = label] + smoothing / classes · weight[c]`, the loss of a row is
/// `-Σ q[c] · ln softmax(logits)[c]`; the mean divides by the sum of the labels' weights. A row with the label -1 is
/// left out (the padding of a partial batch); its gradient is zero. Where no row counts, the loss is 0 and not
/// PyTorch's NaN.
///
/// # Panics
/// When a slice has another length than the shape says, or a label is neither -1 nor a class.
pub fn cross_entropy(
    cpu: &Cpu,
    shape: CrossEntropyShape,
    logits: &[f32],
    labels: &[i32],
    class_weights: Option<&[f32]>,
    smoothing: f32,
    loss: &mut [f32],
    dlogits: &mut [f32],
    workspace: &mut [f32],
) {
    let CrossEntropyShape { rows, classes } = shape;
    assert!(logits.len() == rows * classes && dlogits.len() == rows * classes, "logits are {rows} × {classes}");
    assert!(labels.len() == rows && loss.len() == 1, "one label a row, and one loss");
    assert!(class_weights.is_none_or(|weights| weights.len() == classes), "one weight a class");
    let in_range = |&label: &i32| label == -1 || usize::try_from(label).is_ok_and(|label| label < classes);
    assert!(labels.iter().all(in_range), "labels are -1 or below {classes}");
    loss[0] = 0.0;
    let weight = |label: i32| match class_weights {
        _ if label < 0 => 0.0,
        Some(weights) => weights[label as usize],
        None => 1.0,
    };
    let total: f64 = labels.iter().map(|&label| f64::from(weight(label))).sum();
    if total == 0.0 || classes == 0 {
        return dlogits.fill(0.0);
    }
    let target = Target {
        weights: class_weights,
        mean_weight: class_weights.map_or(1.0, |weights| sum(weights.iter()) / classes as f64),
        smoothing: f64::from(smoothing),
        total,
    };
    let row_losses = &mut workspace[..rows];
    crate::parts::for_each_pair(cpu, (dlogits, classes), (&mut *row_losses, 1), |row, gradient, row_loss| {
        let logits = &logits[row * classes..(row + 1) * classes];
        row_loss[0] = match usize::try_from(labels[row]) {
            Ok(label) => target.row(cpu, logits, label, gradient),
            Err(_) => {
                gradient.fill(0.0);
                0.0
            }
        };
    });
    loss[0] = (sum(row_losses.iter()) / total) as f32;
}

fn sum<'n>(numbers: impl Iterator<Item = &'n f32>) -> f64 {
    numbers.map(|&number| f64::from(number)).sum()
}

/// What the rows of a batch aim at.
struct Target<'w> {
    weights: Option<&'w [f32]>,
    mean_weight: f64,
    smoothing: f64,
    /// The labels' weights together.
    total: f64,
}

impl Target<'_> {
    /// The loss of a row, not yet divided; its gradient, divided.
    fn row(&self, cpu: &Cpu, logits: &[f32], label: usize, gradient: &mut [f32]) -> f32 {
        let mut log_sum = 0.0;
        softmax_row(cpu, logits, gradient, &mut log_sum);
        let weight = self.weights.map_or(1.0, |weights| f64::from(weights[label]));
        let sharp = (1.0 - self.smoothing) * weight;
        let smooth = self.smoothing / logits.len() as f64;
        let mut loss = sharp * (log_sum - f64::from(logits[label]));
        if smooth != 0.0 {
            for (c, logit) in logits.iter().enumerate() {
                let weight = self.weights.map_or(1.0, |weights| f64::from(weights[c]));
                loss += smooth * weight * (log_sum - f64::from(*logit));
            }
        }
        // Softmax times all of q, less q.
        let all = (sharp + self.smoothing * self.mean_weight) / self.total;
        gradient_row(cpu, all as f32, (smooth / self.total) as f32, self.weights, gradient);
        gradient[label] -= (sharp / self.total) as f32;
        loss as f32
    }
}

per_level! {
    /// `gradient · all - smooth · weight`.
    fn gradient_row(all: f32, smooth: f32, weights: Option<&[f32]>, gradient: &mut [f32]) {
        match weights {
            None => {
                for g in gradient {
                    *g = *g * all - smooth;
                }
            }
            Some(weights) => {
                for (g, weight) in gradient.iter_mut().zip(weights) {
                    *g = *g * all - smooth * weight;
                }
            }
        }
    }
}

per_level! {
    /// Probabilities of a row, and the logarithm of the sum of its exponentials.
    fn softmax_row(logits: &[f32], probabilities: &mut [f32], log_sum: &mut f64) {
        let mut lanes = [f32::NEG_INFINITY; LANES];
        for logits in logits.chunks(LANES) {
            for (lane, logit) in lanes.iter_mut().zip(logits) {
                *lane = if *logit > *lane { *logit } else { *lane };
            }
        }
        let mut largest = f32::NEG_INFINITY;
        for lane in lanes {
            largest = if lane > largest { lane } else { largest };
        }
        // Where all logits are -∞ or NaN, what follows is NaN, as it should be.
        let mut lanes = [0.0_f32; LANES];
        for (logits, probabilities) in logits.chunks(LANES).zip(probabilities.chunks_mut(LANES)) {
            for ((lane, logit), p) in lanes.iter_mut().zip(logits).zip(probabilities) {
                *p = exp(*logit - largest);
                *lane += *p;
            }
        }
        let mut sum = 0.0_f64;
        for lane in lanes {
            sum += f64::from(lane);
        }
        let share = (1.0 / sum) as f32;
        for p in probabilities {
            *p *= share;
        }
        *log_sum = f64::from(largest) + ln(sum);
    }
}
