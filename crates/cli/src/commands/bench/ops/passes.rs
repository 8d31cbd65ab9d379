//! Passes over maps: norms, activations, sums, gates and pooling.

use std::rc::Rc;

use avizor_kernels::batch_norm::{
    AfterNorm, BatchNormShape, SavedNorm, batch_norm_backward, batch_norm_infer, batch_norm_train, batch_norm_workspace,
};
use avizor_kernels::dropout::dropout;
use avizor_kernels::elementwise::{add, add_relu, copy, sum_rows, sum_rows_workspace};
use avizor_kernels::gate::{GateShape, gate, gate_backward, gate_backward_workspace};
use avizor_kernels::pool2d::{
    Pool2dShape, avg_pool2d, avg_pool2d_backward, global_avg_pool, global_avg_pool_backward, max_pool2d,
    max_pool2d_backward,
};
use avizor_kernels::unary::{Unary, unary_backward, unary_forward};

use super::layers::{MAPS, Map};
use super::{Bench, Name, Work};
use crate::failure::Failure;

pub(super) fn measure(bench: &mut Bench, batch: usize) -> Result<(), Failure> {
    for map in MAPS {
        norms(bench, map, batch)?;
        activations(bench, map, batch)?;
        sums(bench, map, batch)?;
        if map.activation == Unary::Silu {
            gates(bench, map, batch)?;
        }
    }
    pools(bench, batch)
}

/// Numbers between -1 and 1.
pub(super) fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| (0.37 * i as f32).sin()).collect()
}

fn norms(bench: &mut Bench, map: &Map, batch: usize) -> Result<(), Failure> {
    const FAMILY: &str = "batch_norm";
    let followed = format!("{:?}", map.activation).to_lowercase();
    let [train, backward] = ["train", "backward"].map(|pass| [pass.to_owned(), format!("{pass}+{followed}")]);
    let passes = [&train[0], &train[1], "infer", &backward[0], &backward[1]];
    if !bench.wants_any(FAMILY, &map.name(), &passes) {
        return Ok(());
    }
    let (cpu, channels) = (Rc::clone(&bench.cpu), map.channels);
    let shape = BatchNormShape { rows: map.rows(batch), channels };
    let (x, dy, mut y) = (numbers(shape.len()), numbers(shape.len()), vec![0.0; shape.len()]);
    let (gamma, beta) = (vec![1.0; channels], vec![0.0; channels]);
    let (mut mean, mut var) = (vec![0.0; channels], vec![1.0; channels]);
    let [mut save_mean, mut save_inv_std, mut save_offset] = [mean.clone(), var.clone(), mean.clone()];
    let [mut dgamma, mut dbeta] = [mean.clone(), mean.clone()];
    let mut workspace = vec![0.0; batch_norm_workspace(shape)];
    let bytes = 4 * shape.len();
    let name = |pass: &str| Name::new(FAMILY, &map.name(), pass);
    for (pass, activation) in train.iter().zip([None, Some(map.activation)]) {
        // Twice read, once written.
        bench.measure(name(pass), Work::bytes(3 * bytes), || {
            let saved = SavedNorm { mean: &mut save_mean, inv_std: &mut save_inv_std, offset: &mut save_offset };
            let after = AfterNorm { residual: None, activation };
            let (mean, var) = (&mut mean, &mut var);
            batch_norm_train(
                &cpu,
                shape,
                &x,
                &gamma,
                &beta,
                1e-5,
                0.1,
                mean,
                var,
                after,
                &mut y,
                saved,
                &mut workspace,
            );
        })?;
    }
    bench.measure(name("infer"), Work::bytes(2 * bytes), || {
        batch_norm_infer(&cpu, shape, &x, &gamma, &beta, &mean, &var, 1e-5, &mut y);
    })?;
    for (pass, activation) in backward.iter().zip([None, Some(map.activation)]) {
        bench.measure(name(pass), Work::bytes(5 * bytes), || {
            let saved = [&*save_mean, &save_inv_std, &save_offset];
            let (dgamma, dbeta, workspace) = (&mut dgamma, &mut dbeta, &mut workspace);
            batch_norm_backward(&cpu, shape, activation, &x, &dy, &gamma, saved, &mut y, dgamma, dbeta, workspace);
        })?;
    }
    Ok(())
}

fn activations(bench: &mut Bench, map: &Map, batch: usize) -> Result<(), Failure> {
    let family = match map.activation {
        Unary::Relu => "relu",
        Unary::Relu6 => "relu6",
        _ => "silu",
    };
    if !bench.wants_any(family, &map.name(), &["forward", "backward"]) {
        return Ok(());
    }
    let (cpu, len) = (Rc::clone(&bench.cpu), map.rows(batch) * map.channels);
    let (x, dy, mut y) = (numbers(len), numbers(len), vec![0.0; len]);
    bench.measure(Name::new(family, &map.name(), "forward"), Work::bytes(8 * len), || {
        unary_forward(&cpu, map.activation, &x, &mut y);
    })?;
    bench.measure(Name::new(family, &map.name(), "backward"), Work::bytes(12 * len), || {
        unary_backward(&cpu, map.activation, &x, &dy, &mut y);
    })
}

fn sums(bench: &mut Bench, map: &Map, batch: usize) -> Result<(), Failure> {
    const FAMILY: &str = "elementwise";
    if !bench.wants_any(FAMILY, &map.name(), &["copy", "add", "add_relu", "sum_rows", "dropout"]) {
        return Ok(());
    }
    let (cpu, rows, channels) = (Rc::clone(&bench.cpu), map.rows(batch), map.channels);
    let len = rows * channels;
    let (x, other, mut y) = (numbers(len), numbers(len), vec![0.0; len]);
    let (mut columns, mut workspace) = (vec![0.0; channels], vec![0.0; sum_rows_workspace(rows, channels)]);
    let name = |pass: &str| Name::new(FAMILY, &map.name(), pass);
    bench.measure(name("copy"), Work::bytes(8 * len), || copy(&cpu, &x, &mut y))?;
    bench.measure(name("add"), Work::bytes(12 * len), || add(&cpu, &x, &other, &mut y))?;
    bench.measure(name("add_relu"), Work::bytes(12 * len), || add_relu(&cpu, &x, &other, &mut y))?;
    bench.measure(name("sum_rows"), Work::bytes(4 * len), || {
        sum_rows(&cpu, rows, channels, &x, &mut columns, &mut workspace);
    })?;
    bench.measure(name("dropout"), Work::bytes(8 * len), || dropout(&cpu, 7, 0.2, &x, &mut y))
}

/// A squeeze-and-excitation's product.
fn gates(bench: &mut Bench, map: &Map, batch: usize) -> Result<(), Failure> {
    const FAMILY: &str = "gate";
    if !bench.wants_any(FAMILY, &map.name(), &["forward", "backward"]) {
        return Ok(());
    }
    let cpu = Rc::clone(&bench.cpu);
    let shape = GateShape { batch, pixels: map.side * map.side, channels: map.channels };
    let len = shape.map_len();
    let (x, dy, mut y) = (numbers(len), numbers(len), vec![0.0; len]);
    let (gates, mut dgates) = (numbers(shape.gate_len()), vec![0.0; shape.gate_len()]);
    let mut workspace = vec![0.0; gate_backward_workspace(shape)];
    bench.measure(Name::new(FAMILY, &map.name(), "forward"), Work::bytes(8 * len), || {
        gate(&cpu, shape, &x, &gates, &mut y);
    })?;
    bench.measure(Name::new(FAMILY, &map.name(), "backward"), Work::bytes(12 * len), || {
        gate_backward(&cpu, shape, &x, &gates, &dy, &mut y, &mut dgates, &mut workspace);
    })
}

/// ResNet's pooling after the stem, the small network's halving, and the mean of the last maps.
fn pools(bench: &mut Bench, batch: usize) -> Result<(), Failure> {
    let window = |side: usize, channels: usize, kernel: usize, padding: usize| Pool2dShape {
        batch,
        height: side,
        width: side,
        channels,
        kernel: [kernel; 2],
        stride: [2; 2],
        padding: [padding; 2],
        trailing: [0, 0],
    };
    for (layer, shape) in [
        ("resnet18@160 3x3/2 64 @80", window(80, 64, 3, 1)),
        ("resnet18@224 3x3/2 64 @112", window(112, 64, 3, 1)),
        ("small_cnn@60 2x2/2 32 @58", window(58, 32, 2, 0)),
    ] {
        windows(bench, layer, shape)?;
    }
    for (layer, pixels, channels) in [
        ("resnet18@224 512 @7", 49, 512),
        ("efficientnet_b0@224 240 @28", 784, 240),
        ("resnet50@224 2048 @7", 49, 2048),
    ] {
        let cpu = Rc::clone(&bench.cpu);
        let (len, out) = (batch * pixels * channels, batch * channels);
        let name = |pass: &str| Name::new("global_pool", layer, pass);
        if bench.wants_any("global_pool", layer, &["forward", "backward"]) {
            let (mut x, mut y) = (numbers(len), vec![0.0; out]);
            bench.measure(name("forward"), Work::bytes(4 * (len + out)), || {
                global_avg_pool(&cpu, batch, pixels, channels, &x, &mut y);
            })?;
            bench.measure(name("backward"), Work::bytes(4 * (len + out)), || {
                global_avg_pool_backward(&cpu, batch, pixels, channels, &y, &mut x);
            })?;
        }
    }
    Ok(())
}

fn windows(bench: &mut Bench, layer: &str, shape: Pool2dShape) -> Result<(), Failure> {
    let wanted = ["infer", "forward", "backward"];
    if !bench.wants_any("max_pool", layer, &wanted) && !bench.wants_any("avg_pool", layer, &wanted) {
        return Ok(());
    }
    let cpu = Rc::clone(&bench.cpu);
    let (mut x, mut y) = (numbers(shape.input_len()), vec![0.0; shape.output_len()]);
    let mut places = vec![0; y.len()];
    let floats = 4 * (x.len() + y.len());
    let with_places = Work::bytes(floats + places.len());
    let name = |family: &'static str, pass: &str| Name::new(family, layer, pass);
    bench.measure(name("max_pool", "infer"), Work::bytes(floats), || max_pool2d(&cpu, shape, &x, &mut y, None))?;
    bench.measure(name("max_pool", "forward"), with_places, || {
        max_pool2d(&cpu, shape, &x, &mut y, Some(&mut places));
    })?;
    bench.measure(name("avg_pool", "forward"), Work::bytes(floats), || avg_pool2d(&cpu, shape, &x, &mut y))?;
    bench.measure(name("max_pool", "backward"), with_places, || {
        max_pool2d_backward(&cpu, shape, &places, &y, &mut x);
    })?;
    bench.measure(name("avg_pool", "backward"), Work::bytes(floats), || {
        avg_pool2d_backward(&cpu, shape, &y, &mut x);
    })
}
