//! The moving average of parameters.

use crate::Cpu;
use crate::parts::{PART, for_each_part};
use crate::per_level::per_level;

/// `average += (1 - decay) · (params - average)`: an exponential moving average, as `torch.optim.swa_utils.get_ema_avg_fn`.
///
/// # Panics
/// When the slices are not equally long.
pub fn moving_average(cpu: &Cpu, decay: f64, params: &[f32], average: &mut [f32]) {
    assert_eq!(params.len(), average.len(), "one average a parameter");
    let join = (1.0 - decay) as f32;
    for_each_part(cpu, PART, [average], |range, [average]| average_part(cpu, join, &params[range], average));
}

per_level! {
    fn average_part(join: f32, params: &[f32], average: &mut [f32]) {
        for (a, p) in average.iter_mut().zip(params) {
            *a += join * (p - *a);
        }
    }
}
