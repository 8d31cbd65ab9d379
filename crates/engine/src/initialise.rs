//! Starting values of parameters.

use avizor_base::Stream;

use crate::{Initialiser, Parameter};

/// Values in the order of files, so that they do not depend on memory's layout.
pub(crate) fn initial_values(parameter: &Parameter, stream: &mut Stream) -> Vec<f32> {
    let n = parameter.shape.elements();
    let (fan_in, fan_out) = fans(&parameter.disk_shape());
    let mut uniform = |bound: f64| (0..n).map(|_| stream.between(-bound, bound) as f32).collect();
    match parameter.spec.initialiser {
        Initialiser::KaimingUniform => uniform(1.0 / (fan_in as f64).sqrt()),
        Initialiser::KaimingUniformRelu => uniform((6.0 / fan_in as f64).sqrt()),
        Initialiser::UniformFanIn(fan_in) => uniform(1.0 / (fan_in as f64).sqrt()),
        Initialiser::KaimingNormalFanOut => normal(n, (2.0 / fan_out as f64).sqrt(), stream),
        Initialiser::Normal(deviation) => normal(n, f64::from(deviation), stream),
        Initialiser::Constant(value) => vec![value; n],
    }
}

fn normal(n: usize, deviation: f64, stream: &mut Stream) -> Vec<f32> {
    (0..n).map(|_| (stream.normal() * deviation) as f32).collect()
}

/// Inputs of an output and outputs of an input, taps included, as `torch.nn.init` counts them from a file's shape.
fn fans(disk_shape: &[usize]) -> (usize, usize) {
    match disk_shape {
        [out, input, taps @ ..] => {
            let taps: usize = taps.iter().product();
            (input * taps, out * taps)
        }
        [n] => (*n, *n),
        [] => (1, 1),
    }
}
