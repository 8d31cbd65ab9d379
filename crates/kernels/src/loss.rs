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
        probabilities.copy_from_slice(&logits[range]);
        softmax_row(cpu, probabilities, &mut 0.0);
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
        gradient.copy_from_slice(logits);
        softmax_row(cpu, gradient, &mut log_sum);
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
    /// Probabilities of a row in the place of its logits, and the logarithm of the sum of their exponentials.
    pub(crate) fn softmax_row(row: &mut [f32], log_sum: &mut f64) {
        let mut lanes = [f32::NEG_INFINITY; LANES];
        for logits in row.chunks(LANES) {
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
        for numbers in row.chunks_mut(LANES) {
            for (lane, number) in lanes.iter_mut().zip(numbers) {
                *number = exp(*number - largest);
                *lane += *number;
            }
        }
        let mut sum = 0.0_f64;
        for lane in lanes {
            sum += f64::from(lane);
        }
        let share = (1.0 / sum) as f32;
        for number in row {
            *number *= share;
        }
        *log_sum = f64::from(largest) + ln(sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{assert_agrees, assert_is_slope, everywhere, exact, noise};
    use crate::reference;

    const SHAPES: &[(usize, usize)] = &[(1, 1), (1, 2), (5, 3), (7, 16), (4, 17), (33, 151), (3, 1000)];

    /// Logits, labels of which some are -1, and weights.
    fn batch(rows: usize, classes: usize) -> (Vec<f32>, Vec<i32>, Vec<f32>) {
        let logits = noise(rows * classes, 1).iter().map(|x| 8.0 * x).collect();
        let label = |row: usize| if row % 4 == 2 { -1 } else { (row * 7 % classes) as i32 };
        (logits, (0..rows).map(label).collect(), noise(classes, 2).iter().map(|x| x + 1.1).collect())
    }

    #[test]
    fn loss_and_gradient_agree_with_the_reference() {
        for &(rows, classes) in SHAPES {
            let (logits, labels, weights) = batch(rows, classes);
            let shape = CrossEntropyShape { rows, classes };
            for (weights, smoothing) in [(None, 0.0), (None, 0.1), (Some(&weights), 0.0), (Some(&weights), 0.3)] {
                let case = format!("{shape:?}, weights {}, smoothing {smoothing}", weights.is_some());
                let [loss, gradient] = everywhere(&case, |cpu| {
                    let (mut loss, mut gradient) = (vec![f32::NAN], vec![f32::NAN; logits.len()]);
                    let mut workspace = vec![f32::NAN; cross_entropy_workspace(shape)];
                    let weights = weights.map(Vec::as_slice);
                    cross_entropy(
                        cpu,
                        shape,
                        &logits,
                        &labels,
                        weights,
                        smoothing,
                        &mut loss,
                        &mut gradient,
                        &mut workspace,
                    );
                    [loss, gradient]
                });
                let wide = weights.map(|weights| exact(weights));
                let (want, slope) =
                    reference::cross_entropy(&shape, &exact(&logits), &labels, wide.as_deref(), f64::from(smoothing));
                assert_agrees(&case, &loss, &[want]);
                assert_agrees(&case, &gradient, &slope);
            }
        }
    }

    #[test]
    fn probabilities_agree_and_large_logits_do_not_overflow() {
        for &(rows, classes) in SHAPES {
            for size in [1.0, 1e4] {
                let logits: Vec<f32> = noise(rows * classes, 3).iter().map(|x| size * x).collect();
                let [p] = everywhere("softmax", |cpu| {
                    let mut p = vec![f32::NAN; logits.len()];
                    softmax(cpu, rows, classes, &logits, &mut p);
                    [p]
                });
                assert_agrees("softmax", &p, &reference::softmax(classes, &exact(&logits)));
            }
        }
    }

    #[test]
    fn rows_that_do_not_count_have_no_part_in_it() {
        let shape = CrossEntropyShape { rows: 3, classes: 4 };
        let run = |logits: &[f32], labels: &[i32]| {
            everywhere("ignored", |cpu| {
                let (mut loss, mut gradient, mut workspace) = (vec![f32::NAN], vec![f32::NAN; 12], vec![f32::NAN; 3]);
                cross_entropy(cpu, shape, logits, labels, None, 0.1, &mut loss, &mut gradient, &mut workspace);
                [loss, gradient]
            })
        };
        let mut logits = noise(12, 4);
        let [loss, gradient] = run(&logits, &[1, -1, 3]);
        logits[4..8].fill(f32::NAN);
        assert_eq!(run(&logits, &[1, -1, 3]), [loss, gradient.clone()]);
        assert_eq!(gradient[4..8], [0.0; 4]);
        assert_eq!(run(&logits, &[-1, -1, -1]), [vec![0.0], vec![0.0; 12]]);
        assert!(run(&logits, &[1, 2, 3])[0][0].is_nan());
    }

    #[test]
    fn the_reference_is_the_slope_of_its_loss() {
        let (logits, labels, weights) = batch(5, 7);
        let shape = CrossEntropyShape { rows: 5, classes: 7 };
        let (logits, weights) = (exact(&logits), exact(&weights));
        for (weights, smoothing) in [(None, 0.0), (Some(weights.as_slice()), 0.2)] {
            let loss = |logits: &[f64]| reference::cross_entropy(&shape, logits, &labels, weights, smoothing).0;
            let (_, gradient) = reference::cross_entropy(&shape, &logits, &labels, weights, smoothing);
            assert_is_slope("cross entropy", &logits, &gradient, loss);
        }
    }
}
