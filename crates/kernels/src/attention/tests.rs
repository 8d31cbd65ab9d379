use super::*;
use crate::agreement::{assert_agrees, assert_is_slope, exact, is_tested, noise, weigh};
use crate::{Cpu, Level, reference};

/// One number, vectors less and more some, two blocks of queries, more tokens than one product has rows, a ViT's head.
const SHAPES: &[[usize; 4]] = &[
    [1, 1, 1, 1],
    [2, 3, 2, 5],
    [1, 17, 3, 8],
    [3, 16, 1, 16],
    [2, 33, 2, 17],
    [1, 130, 2, 7],
    [1, 300, 1, 4],
    [1, 197, 1, 64],
    [0, 3, 1, 4],
];

fn shape([batch, tokens, heads, head_width]: [usize; 4]) -> AttentionShape {
    AttentionShape { batch, tokens, heads, head_width }
}

/// Scores of some size: shares are far from equal.
fn numbers(shape: &AttentionShape) -> [Vec<f32>; 2] {
    [noise(shape.input_len(), 1).iter().map(|x| 3.0 * x).collect(), noise(shape.output_len(), 2)]
}

fn run(cpu: &Cpu, shape: AttentionShape, qkv: &[f32], dy: &[f32]) -> [Vec<f32>; 2] {
    let (mut y, mut dqkv) = (vec![f32::NAN; dy.len()], vec![f32::NAN; qkv.len()]);
    let [mut first, mut second] =
        [attention_workspace(cpu, shape), attention_backward_workspace(cpu, shape)].map(|len| vec![f32::NAN; len]);
    attention(cpu, shape, qkv, &mut y, &mut first);
    attention_backward(cpu, shape, qkv, dy, &mut dqkv, &mut second);
    [y, dqkv]
}

#[test]
fn every_level_agrees_with_the_reference_and_threads_change_no_bit() {
    for &sizes in SHAPES {
        let shape = shape(sizes);
        let [qkv, dy] = numbers(&shape);
        let want = reference::attention(&shape, &exact(&qkv));
        let want_gradient = reference::attention_backward(&shape, &exact(&qkv), &exact(&dy));
        for level in Level::available().filter(|&level| is_tested(level)) {
            let results = [1, 2, 3].map(|threads| run(&Cpu::new(threads, level), shape, &qkv, &dy));
            let case = format!("{shape:?} with {level}");
            assert_agrees(&case, &results[0][0], &want);
            assert_agrees(&format!("gradient of {case}"), &results[0][1], &want_gradient);
            assert!(results.iter().all(|result| *result == results[0]), "{case}: threads change bits");
        }
    }
}

#[test]
fn the_reference_is_the_slope_of_its_values() {
    let shape = shape([2, 4, 2, 3]);
    let [qkv, dy] = numbers(&shape).map(|numbers| exact(&numbers));
    let gradient = reference::attention_backward(&shape, &qkv, &dy);
    assert_is_slope("attention", &qkv, &gradient, |qkv| weigh(&dy, &reference::attention(&shape, qkv)));
}

/// A key that fits a query far better than all others takes everything; scores of thousands overflow nothing.
#[test]
fn large_scores_choose_and_nan_stays_in_its_head() {
    let shape = shape([1, 3, 2, 2]);
    let mut qkv = vec![0.0; shape.input_len()];
    for (token, numbers) in qkv.chunks_exact_mut(12).enumerate() {
        numbers[..2].fill(1e3);
        numbers[4..6].fill(1e3 * token as f32);
        numbers[8..10].fill(token as f32);
    }
    qkv[2] = f32::NAN;
    let [y, _] = run(&Cpu::new(1, Level::best()), shape, &qkv, &[1.0; 12]);
    for (token, y) in y.chunks_exact(4).enumerate() {
        assert_eq!(y[..2], [2.0; 2], "{y:?}");
        assert_eq!(y[2..].iter().all(|y| y.is_nan()), token == 0, "{y:?}");
    }
}
