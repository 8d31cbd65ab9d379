//! Agreement with the reference over awkward shapes, and with means far larger than deviations.

use super::*;
use crate::agreement::{assert_agrees, assert_is_slope, assert_within, everywhere, exact, noise, weigh};
use crate::reference::{self, BatchNormGradients, BatchNormTrained};

const EPS: f32 = 1e-5;
const MOMENTUM: f32 = 0.1;

/// Around strips of 8, 16 and 32 channels, blocks of 32 rows, and chunks of 16,384 words.
const SHAPES: &[(usize, usize)] = &[
    (1, 1),
    (2, 1),
    (1, 8),
    (7, 3),
    (31, 9),
    (32, 16),
    (33, 17),
    (65, 33),
    (129, 64),
    (1031, 31),
    (997, 67),
    (50, 600),
];

/// A layer's numbers; those of the channels differ.
struct Layer {
    shape: BatchNormShape,
    x: Vec<f32>,
    dy: Vec<f32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
    running_mean: Vec<f32>,
    running_var: Vec<f32>,
}

impl Layer {
    fn new((rows, channels): (usize, usize), mean: f32) -> Self {
        let shape = BatchNormShape { rows, channels };
        let around = |center: f32, salt| noise(channels, salt).iter().map(|x| center + 0.4 * x).collect::<Vec<f32>>();
        // A uniform number of this width has the standard deviation 1.
        let x =
            noise(shape.len(), 1).into_iter().enumerate().map(|(i, x)| 3_f32.sqrt() * x + mean + (i % channels) as f32);
        Self {
            shape,
            x: x.collect(),
            dy: noise(shape.len(), 2).iter().map(|dy| dy + 0.2).collect(),
            gamma: around(1.0, 3),
            beta: around(0.0, 4),
            running_mean: around(mean, 5),
            running_var: around(1.0, 6),
        }
    }

    /// y, running mean, running variance, saved mean, saved inverse deviation, saved offset.
    fn train(&self) -> [Vec<f32>; 6] {
        self.train_and(AfterNorm::default())
    }

    fn train_and(&self, after: AfterNorm<'_>) -> [Vec<f32>; 6] {
        everywhere("batch_norm_train", |cpu| {
            let Self { shape, x, gamma, beta, .. } = self;
            let (mut running_mean, mut running_var) = (self.running_mean.clone(), self.running_var.clone());
            let nan = |len| vec![f32::NAN; len];
            let [mut y, mut mean, mut inv_std, mut offset] =
                [x.len(), shape.channels, shape.channels, shape.channels].map(nan);
            let mut workspace = nan(batch_norm_workspace(*shape));
            batch_norm_train(
                cpu,
                *shape,
                x,
                gamma,
                beta,
                EPS,
                MOMENTUM,
                &mut running_mean,
                &mut running_var,
                after,
                &mut y,
                SavedNorm { mean: &mut mean, inv_std: &mut inv_std, offset: &mut offset },
                &mut workspace,
            );
            [y, running_mean, running_var, mean, inv_std, offset]
        })
    }

    fn train_reference(&self) -> BatchNormTrained {
        reference::batch_norm_train(
            &self.shape,
            &exact(&self.x),
            &exact(&self.gamma),
            &exact(&self.beta),
            f64::from(EPS),
            f64::from(MOMENTUM),
            &exact(&self.running_mean),
            &exact(&self.running_var),
        )
    }

    /// dx, dgamma and dbeta, by what `run` calls.
    fn backward(&self, run: impl Fn(&crate::Cpu, [&mut [f32]; 4])) -> [Vec<f32>; 3] {
        everywhere("batch norm backward", |cpu| {
            let nan = |len| vec![f32::NAN; len];
            let channels = self.shape.channels;
            let [mut dx, mut dgamma, mut dbeta] = [nan(self.x.len()), nan(channels), nan(channels)];
            let mut workspace = nan(batch_norm_workspace(self.shape));
            run(cpu, [&mut dx, &mut dgamma, &mut dbeta, &mut workspace]);
            [dx, dgamma, dbeta]
        })
    }
}

fn assert_gradients_agree(case: &str, [dx, dgamma, dbeta]: &[Vec<f32>; 3], want: &BatchNormGradients) {
    assert_agrees(&format!("dx of {case}"), dx, &want.dx);
    assert_agrees(&format!("dgamma of {case}"), dgamma, &want.dgamma);
    assert_agrees(&format!("dbeta of {case}"), dbeta, &want.dbeta);
}

#[test]
fn training_agrees_with_the_reference() {
    for &shape in SHAPES {
        let layer = Layer::new(shape, 0.5);
        let [y, running_mean, running_var, mean, inv_std, offset] = layer.train();
        let want = layer.train_reference();
        let case = format!("{shape:?}");
        assert_agrees(&format!("y of {case}"), &y, &want.y);
        assert_agrees(&format!("mean of {case}"), &mean, &want.mean);
        assert_agrees(&format!("deviation of {case}"), &inv_std, &want.inv_std);
        assert_agrees(&format!("running mean of {case}"), &running_mean, &want.running_mean);
        assert_agrees(&format!("running variance of {case}"), &running_var, &want.running_var);
        let Layer { shape, x, dy, gamma, .. } = &layer;
        let gradients = layer.backward(|cpu, [dx, dgamma, dbeta, workspace]| {
            let saved = [&mean[..], &inv_std, &offset];
            batch_norm_backward(cpu, *shape, None, x, dy, gamma, saved, dx, dgamma, dbeta, workspace);
        });
        let [x, dy, gamma] = [x, dy, gamma].map(|slice| exact(slice));
        let want = reference::batch_norm_backward(shape, &x, &dy, &gamma, &want.mean, &want.inv_std);
        if shape.rows > 2 {
            assert_gradients_agree(&case, &gradients, &want);
        }
    }
}

#[test]
fn an_activation_and_a_residual_in_the_same_pass_agree_with_the_references() {
    for &shape in &SHAPES[3..] {
        for activation in [None].into_iter().chain(Unary::ALL.map(Some)) {
            let layer = Layer::new(shape, 0.5);
            let case = format!("{activation:?} of {shape:?}");
            let residual = noise(layer.x.len(), 9);
            let [y, _, _, mean, inv_std, offset] = layer.train_and(AfterNorm { residual: None, activation });
            let [sum, ..] = layer.train_and(AfterNorm { residual: Some(&residual), activation });
            let Layer { shape, x, dy, gamma, .. } = &layer;
            let gradients = layer.backward(|cpu, [dx, dgamma, dbeta, workspace]| {
                let saved = [&mean[..], &inv_std, &offset];
                batch_norm_backward(cpu, *shape, activation, x, dy, gamma, saved, dx, dgamma, dbeta, workspace);
            });

            let want = layer.train_reference();
            let value = |x: &[f64]| activation.map_or(x.to_vec(), |f| reference::unary_forward(f, x));
            assert_agrees(&format!("y of {case}"), &y, &value(&want.y));
            let sums: Vec<f64> = want.y.iter().zip(exact(&residual)).map(|(y, residual)| y + residual).collect();
            assert_agrees(&format!("sum of {case}"), &sum, &value(&sums));
            let [x, dy, gamma] = [x, dy, gamma].map(|slice| exact(slice));
            let dz = activation.map_or(dy.clone(), |f| reference::unary_backward(f, &want.y, &dy));
            let want = reference::batch_norm_backward(shape, &x, &dz, &gamma, &want.mean, &want.inv_std);
            assert_gradients_agree(&case, &gradients, &want);
        }
    }
}

#[test]
fn the_way_back_finds_the_same_side_of_every_bend() {
    let layer = Layer::new((997, 67), 300.0);
    let activation = Some(Unary::Relu);
    let [y, _, _, mean, inv_std, offset] = layer.train_and(AfterNorm { residual: None, activation });
    let Layer { shape, x, dy, gamma, .. } = &layer;
    let by_result: Vec<f32> = y.iter().zip(dy).map(|(y, dy)| if *y > 0.0 { *dy } else { 0.0 }).collect();
    let [fused, apart] = [(activation, dy), (None, &by_result)].map(|(activation, dy)| {
        layer.backward(|cpu, [dx, dgamma, dbeta, workspace]| {
            let saved = [&mean[..], &inv_std, &offset];
            batch_norm_backward(cpu, *shape, activation, x, dy, gamma, saved, dx, dgamma, dbeta, workspace);
        })
    });
    assert_eq!(fused, apart);
}

#[test]
fn inference_agrees_with_the_reference() {
    for &shape in SHAPES {
        let layer = Layer::new(shape, 0.5);
        let Layer { shape, x, dy, gamma, beta, running_mean, running_var } = &layer;
        let case = format!("{shape:?}");
        let [y] = everywhere("batch_norm_infer", |cpu| {
            let mut y = vec![f32::NAN; x.len()];
            batch_norm_infer(cpu, *shape, x, gamma, beta, running_mean, running_var, EPS, &mut y);
            [y]
        });
        let gradients = layer.backward(|cpu, [dx, dgamma, dbeta, workspace]| {
            batch_norm_infer_backward(
                cpu,
                *shape,
                x,
                dy,
                gamma,
                running_mean,
                running_var,
                EPS,
                dx,
                dgamma,
                dbeta,
                workspace,
            );
        });
        let eps = f64::from(EPS);
        let [x, dy, gamma, beta, mean, var] = [x, dy, gamma, beta, running_mean, running_var].map(|slice| exact(slice));
        let want = reference::batch_norm_infer(shape, &x, &gamma, &beta, &mean, &var, eps);
        assert_agrees(&case, &y, &want);
        let want = reference::batch_norm_infer_backward(shape, &x, &dy, &gamma, &mean, &var, eps);
        assert_gradients_agree(&case, &gradients, &want);
    }
}

#[test]
fn a_mean_a_thousand_deviations_away_costs_no_digits() {
    for shape in [(5000, 33), (257, 64)] {
        let layer = Layer::new(shape, 1e3);
        let [y, _, running_var, mean, inv_std, offset] = layer.train();
        let want = layer.train_reference();
        assert_agrees("y", &y, &want.y);
        assert_agrees("deviation", &inv_std, &want.inv_std);
        assert_agrees("variance", &running_var, &want.running_var);
        assert_within("mean", &mean, &want.mean, 6e-8);
        let Layer { shape, x, dy, gamma, .. } = &layer;
        let gradients = layer.backward(|cpu, [dx, dgamma, dbeta, workspace]| {
            let saved = [&mean[..], &inv_std, &offset];
            batch_norm_backward(cpu, *shape, None, x, dy, gamma, saved, dx, dgamma, dbeta, workspace);
        });
        let [x, dy, gamma] = [x, dy, gamma].map(|slice| exact(slice));
        let want = reference::batch_norm_backward(shape, &x, &dy, &gamma, &want.mean, &want.inv_std);
        assert_gradients_agree("a far mean", &gradients, &want);
    }
}

#[test]
fn a_lonely_outlier_and_a_constant_channel_are_told_right() {
    let mut layer = Layer::new((4096, 2), 0.0);
    for row in layer.x.chunks_exact_mut(2) {
        row[1] = 0.1;
    }
    layer.x[0] = 1e4;
    let [y, _, running_var, _, inv_std, _] = layer.train();
    let want = layer.train_reference();
    assert_agrees("y of the outlier's channel", &y, &want.y);
    assert_agrees("running variance", &running_var, &want.running_var);
    assert!((f64::from(inv_std[1]) - 1.0 / f64::from(EPS).sqrt()).abs() < 1e-3, "{}", inv_std[1]);
}

#[test]
fn nan_reaches_its_channel_and_no_other() {
    let mut layer = Layer::new((100, 9), 0.0);
    layer.x[9 * 50 + 4] = f32::NAN;
    let [y, ..] = layer.train();
    assert!(y.iter().enumerate().all(|(i, y)| y.is_nan() == (i % 9 == 4)));
}

#[test]
fn nothing_in_gives_nothing_out() {
    for shape in [(0, 3), (3, 0), (0, 0)] {
        let layer = Layer::new(shape, 0.0);
        assert_eq!(layer.train()[1], layer.running_mean);
        let Layer { shape, x, dy, gamma, running_mean, running_var, .. } = &layer;
        let [_, dgamma, _] = layer.backward(|cpu, [dx, dgamma, dbeta, workspace]| {
            let saved = [&running_mean[..], running_var, running_mean];
            batch_norm_backward(cpu, *shape, None, x, dy, gamma, saved, dx, dgamma, dbeta, workspace);
        });
        assert!(dgamma.iter().all(|&d| d == 0.0));
    }
}

#[test]
fn references_are_slopes_of_their_values() {
    let layer = Layer::new((11, 3), 0.5);
    let shape = &layer.shape;
    let [x, dy, gamma, beta, mean, var] =
        [&layer.x, &layer.dy, &layer.gamma, &layer.beta, &layer.running_mean, &layer.running_var].map(|x| exact(x));
    let eps = 1e-2;
    let train = |x: &[f64], gamma: &[f64], beta: &[f64]| {
        weigh(&dy, &reference::batch_norm_train(shape, x, gamma, beta, eps, 0.1, &mean, &var).y)
    };
    let trained = reference::batch_norm_train(shape, &x, &gamma, &beta, eps, 0.1, &mean, &var);
    let want = reference::batch_norm_backward(shape, &x, &dy, &gamma, &trained.mean, &trained.inv_std);
    assert_is_slope("dx", &x, &want.dx, |x| train(x, &gamma, &beta));
    assert_is_slope("dgamma", &gamma, &want.dgamma, |gamma| train(&x, gamma, &beta));
    assert_is_slope("dbeta", &beta, &want.dbeta, |beta| train(&x, &gamma, beta));
    let infer = |x: &[f64], gamma: &[f64], beta: &[f64]| {
        weigh(&dy, &reference::batch_norm_infer(shape, x, gamma, beta, &mean, &var, eps))
    };
    let want = reference::batch_norm_infer_backward(shape, &x, &dy, &gamma, &mean, &var, eps);
    assert_is_slope("dx", &x, &want.dx, |x| infer(x, &gamma, &beta));
    assert_is_slope("dgamma", &gamma, &want.dgamma, |gamma| infer(&x, gamma, &beta));
    assert_is_slope("dbeta", &beta, &want.dbeta, |beta| infer(&x, &gamma, beta));
}
