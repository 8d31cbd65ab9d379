//! Batches of pictures that are mixed in pairs: mixup and cutmix.
//!
//! Each picture of a batch is mixed with the one before it, the first with the last, all by one draw: torchvision's `v2.MixUp` and
//! `v2.CutMix`, and `v2.RandomChoice` of the two where both are wanted. Sources: Zhang et al. 2018, arXiv:1710.09412; Yun et
//! al. 2019, arXiv:1905.04899.

use std::ops::Range;

use avizor_base::{ImageSize, Purpose, Seed, Stream};

use crate::recipe::Train;

/// What a recipe wants mixed: parameters of the beta distributions that shares come from. At least one is above zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mixing {
    mixup: f64,
    cutmix: f64,
}

/// How the pictures of one batch are mixed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mix {
    /// The picture itself has this share of every pixel.
    Blend { own: f64 },
    /// These rows and columns are its partner's.
    Paste { rows: Range<usize>, columns: Range<usize> },
}

impl Mixing {
    /// `None` where nothing is mixed.
    pub(crate) fn of(train: &Train) -> Option<Self> {
        let (mixup, cutmix) = (train.mixup, train.cutmix);
        (mixup > 0.0 || cutmix > 0.0).then_some(Self { mixup, cutmix })
    }

    /// The mix of a step: a function of seed, step and size alone.
    pub(crate) fn draw(self, seed: Seed, step: u64, size: ImageSize) -> Mix {
        let mut stream = seed.stream(Purpose::Mix, [step, 0, 0]);
        // Always drawn, so that what follows does not depend on which are wanted.
        let first = stream.chance(0.5);
        let is_blend = self.cutmix == 0.0 || (self.mixup > 0.0 && first);
        if is_blend {
            return Mix::Blend { own: stream.beta(self.mixup, self.mixup) };
        }
        let own = stream.beta(self.cutmix, self.cutmix);
        let mut place = |side: u32| stream_below(&mut stream, side);
        let centre = [place(size.height()), place(size.width())];
        Mix::paste(own, centre, size)
    }
}

fn stream_below(stream: &mut Stream, side: u32) -> usize {
    stream.below(u64::from(side)) as usize
}

impl Mix {
    /// A rectangle of the picture's shape that has the partner's share of the area, round a centre (row, column), cut off at the
    /// edges.
    fn paste(own: f64, centre: [usize; 2], size: ImageSize) -> Self {
        let half = 0.5 * (1.0 - own).sqrt();
        let along = |centre: usize, side: u32| {
            let reach = (half * f64::from(side)) as usize;
            centre.saturating_sub(reach)..(centre + reach).min(side as usize)
        };
        Self::Paste { rows: along(centre[0], size.height()), columns: along(centre[1], size.width()) }
    }

    /// How much of a mixed picture is its own; the rest is its partner's.
    pub(crate) fn own_share(&self, size: ImageSize) -> f64 {
        match self {
            Self::Blend { own } => *own,
            Self::Paste { rows, columns } => 1.0 - (rows.len() * columns.len()) as f64 / f64::from(size.area()),
        }
    }

    /// Mixes RGB pictures of one size into a place of the same length. Levels are rounded: at most half a level from torchvision's.
    pub(crate) fn apply(&self, pictures: &[u8], size: ImageSize, mixed: &mut [u8]) {
        let bytes = size.area() as usize * 3;
        let partners = pictures.chunks_exact(bytes).cycle().skip((pictures.len() / bytes).saturating_sub(1));
        for ((own, partner), mixed) in pictures.chunks_exact(bytes).zip(partners).zip(mixed.chunks_exact_mut(bytes)) {
            match self {
                Self::Blend { own: share } => blend(*share as f32, own, partner, mixed),
                Self::Paste { rows, columns } => {
                    mixed.copy_from_slice(own);
                    for row in rows.clone() {
                        let start = row * size.width() as usize;
                        let range = 3 * (start + columns.start)..3 * (start + columns.end);
                        mixed[range.clone()].copy_from_slice(&partner[range]);
                    }
                }
            }
        }
    }
}

fn blend(share: f32, own: &[u8], partner: &[u8], mixed: &mut [u8]) {
    for ((own, partner), mixed) in own.iter().zip(partner).zip(mixed) {
        let level = share * f32::from(*own) + (1.0 - share) * f32::from(*partner);
        *mixed = (level + 0.5) as u8;
    }
}

/// The labels of a batch's partners.
pub(crate) fn partners(labels: &[i32]) -> Vec<i32> {
    let mut partners = labels.to_vec();
    partners.rotate_right(usize::from(!labels.is_empty()));
    partners
}

#[cfg(test)]
mod tests {
    use avizor_engine::{
        CompileOptions, GraphBuilder, Initialiser, ParameterSpec, Program, Role, Shape, State, Trainable,
    };
    use avizor_kernels::{Cpu, Level};
    use serde_json::Value;

    use super::*;
    use crate::loss::{Loss, Shares};
    use crate::recipe::Recipe;

    /// Batches mixed by torchvision, and PyTorch's loss of them: `scripts/golden_mixing.py`.
    #[test]
    fn mixed_pictures_and_their_loss_are_torchs() {
        let golden: Value = serde_json::from_str(include_str!("../tests/golden/mixing.json")).unwrap();
        let cases = golden["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 6);
        for case in cases {
            let [height, width] = [0, 1].map(|side| case["size"][side].as_u64().unwrap() as u32);
            let size = ImageSize::new(height, width).unwrap();
            let share = case["share"].as_f64().unwrap();
            let centre = [0, 1].map(|axis| case["centre"][axis].as_u64().unwrap() as usize);
            // What is rounded is at most half a level away; what is pasted is not rounded.
            let (mix, most) = match case["kind"].as_str().unwrap() {
                "mixup" => (Mix::Blend { own: share }, 0.5001),
                _ => (Mix::paste(share, centre, size), 0.0),
            };
            let labels: Vec<i32> = numbers(&case["labels"]).iter().map(|&label| label as i32).collect();
            let pictures: Vec<u8> =
                (0..labels.len() * size.area() as usize * 3).map(|place| (place * 37 % 256) as u8).collect();
            let mut mixed = vec![0; pictures.len()];
            mix.apply(&pictures, size, &mut mixed);
            let wanted = numbers(&case["pictures"]);
            assert_eq!(mixed.len(), wanted.len());
            for (got, want) in mixed.iter().zip(wanted) {
                assert!((f64::from(*got) - want).abs() <= most, "{got} and not {want} in {case}");
            }
            let (loss, gradient) = loss_of(case, &labels, mix.own_share(size));
            let want = case["loss"].as_f64().unwrap();
            assert!((loss - want).abs() < 1e-6 * want, "{loss} and not {want} in {case}");
            for (got, want) in gradient.iter().zip(numbers(&case["gradient"])) {
                assert!((f64::from(*got) - want).abs() < 1e-7, "{got} and not {want} in {case}");
            }
        }
    }

    fn numbers(of: &Value) -> Vec<f64> {
        of.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    }

    /// Loss and gradient of computed logits.
    fn loss_of(case: &Value, labels: &[i32], own: f64) -> (f64, Vec<f32>) {
        let classes = case["classes"].as_u64().unwrap() as usize;
        let weights = case["class_weights"].as_array().map(|_| numbers(&case["class_weights"]));
        let weights: Option<Vec<f32>> = weights.map(|weights| weights.iter().map(|&weight| weight as f32).collect());
        let mut recipe = Recipe::default();
        let smoothing = format!("train.label_smoothing={}", case["label_smoothing"]);
        let balanced = if weights.is_some() { "balanced" } else { "none" };
        recipe.set([smoothing.as_str(), &format!("balance.class_weights={balanced}")]).unwrap();

        let mut graph = GraphBuilder::new();
        let shape = Shape::from([labels.len(), classes]);
        let spec = ParameterSpec::plain(Initialiser::Constant(0.0), Role::Bias);
        let logits = graph.parameter("logits", shape.clone(), spec);
        Loss::new(&recipe, classes).of_mixed(&mut graph, logits, labels.len()).unwrap();
        let graph = graph.finish().unwrap();
        let (cpu, mut state) = (Cpu::new(1, Level::best()), State::new(&graph));
        let values: Vec<f32> = (0..shape.elements()).map(|place| (2.0 * (0.37 * place as f64).sin()) as f32).collect();
        state.write_disk("logits", &shape, &values).unwrap();
        let options = CompileOptions::train("loss", Trainable::All);
        let program = Program::compile(&graph, &options, &cpu, &mut state).unwrap();
        state.input_i32_mut(&program, "labels").copy_from_slice(labels);
        state.input_i32_mut(&program, "partner_labels").copy_from_slice(&partners(labels));
        if let Some(weights) = &weights {
            state.input_f32_mut(&program, "class_weights").copy_from_slice(weights);
        }
        for (name, share) in Shares::new(own, labels, weights.as_deref()).named() {
            state.input_f32_mut(&program, name)[0] = share;
        }
        program.run(&cpu, &mut state);
        (f64::from(state.output(&program, "loss")[0]), state.gradient("logits").unwrap().to_vec())
    }

    #[test]
    fn a_batch_takes_what_is_wanted_by_its_step_alone() {
        let size = ImageSize::new(30, 20).unwrap();
        let steps = 4000;
        for (mixup, cutmix, blends) in [(0.4, 0.0, 1.0), (0.0, 1.0, 0.0), (0.4, 1.0, 0.5)] {
            let mixing = Mixing::of(&Train { mixup, cutmix, ..Train::default() }).unwrap();
            let draw = |step: u64| mixing.draw(Seed(3), step, size);
            let mixes: Vec<Mix> = (0..steps).map(draw).collect();
            assert_eq!(mixes[7], draw(7));
            assert_ne!(mixes[7], mixing.draw(Seed(4), 7, size));
            let blended = mixes.iter().filter(|mix| matches!(mix, Mix::Blend { .. })).count() as f64;
            let n = steps as f64;
            assert!((blended / n - blends).abs() <= 5.0 * (0.25 / n).sqrt(), "{blended}");
            assert!(mixes.iter().all(|mix| (0.0..=1.0).contains(&mix.own_share(size))));
            let mean = mixes.iter().map(|mix| mix.own_share(size)).sum::<f64>() / n;
            // Rectangles lose what lies beyond the edges.
            assert!(if cutmix > 0.0 { mean > 0.5 } else { (mean - 0.5).abs() < 0.03 }, "{mean}");
        }
        assert_eq!(Mixing::of(&Train::default()), None);
    }

    #[test]
    fn every_picture_has_the_one_before_it_as_partner() {
        for (labels, wanted) in [(vec![], vec![]), (vec![4], vec![4]), (vec![1, 2, 3], vec![3, 1, 2])] {
            assert_eq!(partners(&labels), wanted);
        }
    }
}
