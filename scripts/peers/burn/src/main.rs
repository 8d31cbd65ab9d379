//! ResNet-18 in burn on its pure-Rust CPU backend: images/s of a training step and of inference, one JSON object.
//!
//! The same step as `bench_torch.py`: forward, cross-entropy, backward, SGD with momentum 0.9 and weight decay 1e-4.
//!
//! ```text
//! cargo build --release && target/release/avizor-peer-burn --model resnet18 --size 160 --batch 32 --threads 2
//! ```

use std::time::{Duration, Instant};

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::prelude::*;
use burn::tensor::activation::relu;
use burn::tensor::{Distribution, Int};

/// Of each mode, after one step that is not counted.
const MEASURED: Duration = Duration::from_secs(5);

fn conv(channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Conv2d {
    let p = kernel / 2;
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
        .with_bias(false)
        .init(device)
}

#[derive(Module, Debug)]
struct Block {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    downsample: Option<Projection>,
}

#[derive(Module, Debug)]
struct Projection {
    conv: Conv2d,
    bn: BatchNorm,
}

impl Block {
    fn new(input: usize, out: usize, stride: usize, device: &Device) -> Self {
        let norm = || BatchNormConfig::new(out).init(device);
        let downsample =
            (stride != 1).then(|| Projection { conv: conv([input, out], 1, stride, device), bn: norm() });
        Self {
            conv1: conv([input, out], 3, stride, device),
            bn1: norm(),
            conv2: conv([out, out], 3, 1, device),
            bn2: norm(),
            downsample,
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = relu(self.bn1.forward(self.conv1.forward(x.clone())));
        let y = self.bn2.forward(self.conv2.forward(y));
        let shortcut = match &self.downsample {
            Some(projection) => projection.bn.forward(projection.conv.forward(x)),
            None => x,
        };
        relu(y + shortcut)
    }
}

#[derive(Module, Debug)]
struct ResNet18 {
    conv1: Conv2d,
    bn1: BatchNorm,
    maxpool: MaxPool2d,
    blocks: Vec<Block>,
    fc: Linear,
}

impl ResNet18 {
    fn new(classes: usize, device: &Device) -> Self {
        let mut blocks = Vec::new();
        for (stage, out) in [64, 128, 256, 512].into_iter().enumerate() {
            let (input, stride) = if stage == 0 { (64, 1) } else { (out / 2, 2) };
            blocks.push(Block::new(input, out, stride, device));
            blocks.push(Block::new(out, out, 1, device));
        }
        let padding = PaddingConfig2d::Explicit(1, 1, 1, 1);
        Self {
            conv1: conv([3, 64], 7, 2, device),
            bn1: BatchNormConfig::new(64).init(device),
            maxpool: MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).with_padding(padding).init(),
            blocks,
            fc: LinearConfig::new(512, classes).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let mut x = self.maxpool.forward(relu(self.bn1.forward(self.conv1.forward(x))));
        for block in &self.blocks {
            x = block.forward(x);
        }
        let features: Tensor<2> = x.mean_dim(3).mean_dim(2).flatten(1, 3);
        self.fc.forward(features)
    }
}

/// Seconds of each step.
fn measure(mut step: impl FnMut()) -> Vec<f64> {
    step();
    let (mut times, end) = (Vec::new(), Instant::now() + MEASURED);
    while Instant::now() < end || times.len() < 3 {
        let start = Instant::now();
        step();
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times
}

fn rates(batch: usize, times: &[f64]) -> String {
    let rate = |seconds: f64| batch as f64 / seconds;
    let (low, high) = (rate(times[times.len() - 1]), rate(times[0]));
    let median = rate(times[times.len() / 2]);
    format!(r#"{{"median": {median:.2}, "low": {low:.2}, "high": {high:.2}, "n": {}}}"#, times.len())
}

fn option(name: &str, default: usize) -> usize {
    let arguments: Vec<String> = std::env::args().collect();
    let value = arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1));
    value.map_or(default, |value| value.parse().expect("options are whole numbers"))
}

/// Peak memory of this process in MiB, from Linux.
fn peak_mib() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? / 1024)
}

fn main() {
    let (size, batch, threads) = (option("--size", 160), option("--batch", 32), option("--threads", 2));
    let classes = option("--classes", 1000);
    // Read by rayon when its pool starts, which is at the first operation.
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("RAYON_NUM_THREADS", threads.to_string()) };

    let device = Device::flex().autodiff();
    device.seed(0);
    let mut model = ResNet18::new(classes, &device);
    let images = Tensor::<4>::random([batch, 3, size, size], Distribution::Normal(0.0, 1.0), &device);
    let labels: Vec<i64> = (0..batch).map(|row| (row * 7 % classes) as i64).collect();
    let labels = Tensor::<1, Int>::from_data(labels.as_slice(), &device);
    let loss_of = CrossEntropyLossConfig::new().init(&device);
    let mut sgd = SgdConfig::new()
        .with_momentum(Some(MomentumConfig::new().with_momentum(0.9).with_dampening(0.0)))
        .with_weight_decay(Some(WeightDecayConfig::new(1e-4)))
        .init();

    let train = measure(|| {
        let loss = loss_of.forward(model.forward(images.clone()), labels.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = sgd.step(0.01, model.clone(), gradients);
    });
    let inference = model.valid();
    let inner = images.clone().inner();
    let infer = measure(|| {
        // Reading a number makes sure that the work is done.
        let _ = inference.forward(inner.clone()).sum().into_data();
    });
    let peak = peak_mib().map_or("null".to_owned(), |mib| mib.to_string());
    println!(
        r#"{{"peer": "burn", "version": "0.22.1", "model": "resnet18", "size": {size}, "batch": {batch}, "threads": {threads}, "variant": "burn-flex", "train_images_per_second": {}, "infer_images_per_second": {}, "peak_memory_mib": {peak}}}"#,
        rates(batch, &train),
        rates(batch, &infer)
    );
}
