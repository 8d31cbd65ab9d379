use super::*;
use crate::Level;
use crate::agreement::{LENGTHS, noise};
use proptest::prelude::*;

#[test]
fn all_numbers_of_16_bits_come_back_and_nan_stays_nan() {
    for bits in 0..=u16::MAX {
        let number = Bf16(bits);
        let back = Bf16::from_f32(number.to_f32());
        assert!(back == number || number.to_f32().is_nan() && back.to_f32().is_nan(), "{bits:#x}");
    }
    for nan in [0x7f80_0001, 0x7fff_ffff, 0xff80_0001, 0xffff_ffff, 0x7fc0_0000] {
        assert!(Bf16::from_f32(f32::from_bits(nan)).to_f32().is_nan(), "{nan:#x}");
    }
    assert_eq!(Bf16::from_f32(f32::MAX).to_f32(), f32::INFINITY);
}

proptest! {
    #[test]
    fn the_nearest_number_is_taken(bits in any::<u32>()) {
        let number = f32::from_bits(bits);
        prop_assume!(number.is_finite());
        let got = Bf16::from_f32(number);
        let off = |to: Bf16| (f64::from(to.to_f32()) - f64::from(number)).abs();
        for other in [Bf16(got.0.wrapping_sub(1)), Bf16(got.0.wrapping_add(1))] {
            let nearer = off(got) < off(other) || off(got) == off(other) && got.0 & 1 == 0;
            // Beyond the largest number, infinity is as near as the number that would come next.
            prop_assert!(nearer || !other.to_f32().is_finite() || !got.to_f32().is_finite(), "{number} {got:?}");
        }
    }
}

#[test]
fn every_level_converts_alike() {
    for &len in LENGTHS {
        let mut x: Vec<f32> = noise(len, 1).iter().map(|x| x * 1e3).collect();
        x.iter_mut().step_by(7).for_each(|x| *x = f32::NAN);
        let want: Vec<Bf16> = x.iter().map(|&x| Bf16::from_f32(x)).collect();
        for level in Level::available() {
            let cpu = Cpu::new(2, level);
            let (mut y, mut back) = (vec![Bf16::default(); len], vec![0.0; len]);
            convert(&cpu, &x, &mut y);
            convert(&cpu, &y, &mut back);
            assert_eq!(y, want, "{level}");
            assert!(back.iter().zip(&want).all(|(a, b)| a.to_bits() == b.to_f32().to_bits()), "{level}");
        }
    }
}

fn stored<E: Element>(numbers: &[f32]) -> Vec<E> {
    numbers.iter().map(|&number| E::from_f32(number)).collect()
}

/// Runs passes with numbers of 16 bits, and with the same numbers in 32 whose results are then rounded.
macro_rules! assert_same {
    ($cpu:ident: [$a:ident, $b:ident, $c:ident] => $y:ident[$len:expr], $($pass:block)*) => {$({
        fn run<E: Element>($cpu: &Cpu, maps: [&[f32]; 3]) -> Vec<Bf16> {
            let [$a, $b, $c] = maps.map(|map| stored::<E>(map));
            let _ = (&$a, &$b, &$c);
            let mut $y = vec![E::from_f32(f32::NAN); $len];
            $pass
            $y.iter().map(|y| Bf16::from_f32(y.to_f32())).collect()
        }
        let rounded = |salt| noise(LEN, salt).iter().map(|&x| Bf16::from_f32(3.0 * x).to_f32()).collect::<Vec<_>>();
        let maps = [1, 2, 3].map(rounded);
        for level in Level::available() {
            let (cpu, maps) = (Cpu::new(2, level), maps.each_ref().map(Vec::as_slice));
            assert!(run::<Bf16>(&cpu, maps) == run::<f32>(&cpu, maps), "{} with {level}", stringify!($pass));
        }
    })*};
}

/// Two pictures of 9 × 7 pixels of 41 channels.
const LEN: usize = 2 * 9 * 7 * 41;

#[test]
fn passes_over_maps_compute_in_32_bits_what_they_store_in_16() {
    use crate::batch_norm::*;
    use crate::elementwise::*;
    use crate::gate::*;
    use crate::layer_norm::*;
    use crate::pixels::normalize_u8;
    use crate::pool2d::*;
    use crate::stochastic_depth::*;
    use crate::unary::*;

    const CHANNELS: usize = 41;
    const NORM: BatchNormShape = BatchNormShape { rows: 2 * 9 * 7, channels: CHANNELS };
    const LAYER_NORM: LayerNormShape = LayerNormShape { rows: 2 * 9 * 7, channels: CHANNELS };
    const GATE: GateShape = GateShape { batch: 2, pixels: 9 * 7, channels: CHANNELS };
    const POOL: Pool2dShape = Pool2dShape {
        batch: 2,
        height: 9,
        width: 7,
        channels: CHANNELS,
        kernel: [3, 3],
        stride: [2, 2],
        padding: [1, 1],
        trailing: [0, 0],
    };
    fn known() -> [Vec<f32>; 4] {
        [1, 2, 3, 4].map(|salt| noise(CHANNELS, salt).iter().map(|x| 1.0 + 0.5 * x).collect())
    }
    assert_same!(cpu: [a, b, c] => y[LEN],
        { add(cpu, &a, &b, &mut y) }
        { add_relu(cpu, &a, &b, &mut y) }
        { add_relu_backward(cpu, &a, &b, &c, &mut y) }
        { y.copy_from_slice(&c); add_in_place(cpu, &mut y, &a) }
        { y.copy_from_slice(&c); add_relu_backward_in_place(cpu, &a, &mut y, &b) }
        { copy(cpu, &a, &mut y) }
        { fill(cpu, 0.3, &mut y) }
        { unary_forward(cpu, Unary::Silu, &a, &mut y) }
        { unary_backward(cpu, Unary::Gelu, &a, &b, &mut y) }
        { y.copy_from_slice(&c); unary_forward_in_place(cpu, Unary::Relu6, &mut y) }
        { relu(cpu, &a, &mut y) }
        { y.copy_from_slice(&c); relu_in_place(cpu, &mut y) }
        { relu_backward(cpu, &a, &b, &mut y) }
        { y.copy_from_slice(&c); relu_backward_in_place(cpu, &a, &mut y) }
        { stochastic_depth(cpu, 7, 0.5, 42, &a, &mut y) }
        { y.copy_from_slice(&c); stochastic_depth_in_place(cpu, 7, 0.5, 42, &mut y) }
        { gate(cpu, GATE, &a, &noise(2 * CHANNELS, 1), &mut y) }
        { y.copy_from_slice(&c); gate_in_place(cpu, GATE, &noise(2 * CHANNELS, 1), &mut y) }
        { global_avg_pool_backward(cpu, 2, 63, CHANNELS, &noise(2 * CHANNELS, 1), &mut y) }
        {
            let [gamma, beta, ..] = known();
            layer_norm(cpu, LAYER_NORM, &a, &gamma, &beta, 1e-6, &mut y);
        }
        {
            let [gamma, mut dgamma, mut dbeta, _] = known();
            let workspace = &mut vec![0.0; layer_norm_backward_workspace(LAYER_NORM)];
            layer_norm_backward(cpu, LAYER_NORM, &a, &b, &gamma, 1e-6, &mut y, &mut dgamma, &mut dbeta, workspace);
        }
        {
            let (mut small, mut places) = (vec![E::default(); POOL.output_len()], vec![0; POOL.output_len()]);
            max_pool2d(cpu, POOL, &a, &mut small, Some(&mut places));
            max_pool2d_backward(cpu, POOL, &places, &b[..small.len()], &mut y);
        }
        {
            let [gamma, mean, inv_std, offset] = known();
            let after = AfterNorm { residual: Some(&b[..]), activation: Some(Unary::Relu) };
            let saved = [&mean[..], &inv_std, &offset];
            batch_norm_apply(cpu, NORM, &a, &gamma, saved, after, &mut y, &mut [0.0; CHANNELS]);
        }
        {
            let [gamma, mean, inv_std, offset] = known();
            let (saved, activation) = ([&mean[..], &inv_std, &offset], Some(Unary::Relu6));
            let workspace = &mut vec![0.0; batch_norm_workspace(NORM)];
            let [mut dgamma, mut dbeta] = [(); 2].map(|()| vec![0.0; CHANNELS]);
            let (dgamma, dbeta) = (&mut dgamma, &mut dbeta);
            batch_norm_backward(cpu, NORM, activation, &a, &b, &gamma, saved, &mut y, dgamma, dbeta, workspace);
        }
    );
    assert_same!(cpu: [a, b, c] => y[POOL.output_len()],
        { max_pool2d(cpu, POOL, &a, &mut y, None) }
        {
            let (mut sums, mut moments) = (vec![0.0; CHANNELS], vec![0.0; 4 * CHANNELS]);
            let workspace = &mut vec![0.0; batch_norm_workspace(NORM)];
            sum_rows(cpu, NORM.rows, CHANNELS, &a, &mut sums, workspace);
            batch_norm_moments(cpu, NORM, &a, &mut moments, workspace);
            let mut means = vec![0.0; 2 * CHANNELS];
            global_avg_pool(cpu, 2, 63, CHANNELS, &a, &mut means);
            y = stored(&[sums, moments, means].concat());
        }
        {
            let bytes: Vec<u8> = a.iter().map(|a| a.to_f32().to_bits() as u8).collect();
            y = vec![E::default(); 999];
            normalize_u8(cpu, 333, &bytes[..999], [0.017; 3], [-2.0; 3], &mut y);
        }
        {
            let mut dgate = vec![0.0; 2 * CHANNELS];
            let (gates, workspace) = (noise(2 * CHANNELS, 1), &mut vec![0.0; gate_backward_workspace(GATE)]);
            y = vec![E::default(); a.len()];
            gate_backward(cpu, GATE, &a, &gates, &a, &mut y, &mut dgate, workspace);
            y.extend(stored::<E>(&dgate));
        }
    );
}
