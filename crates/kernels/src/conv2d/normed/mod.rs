//! Convolutions of a training step that do the work of the norms beside them while numbers are in the cache.
//!
//! In light networks most of a step is maps on their way to memory and back, and most of those are what a norm makes of
//! another map. Here they are never written: a convolution normalises what it reads, tells the moments of what it
//! writes, and its gradients are found from the gradient of the norm's result, block by block.
//!
//! Done are 1×1 convolutions without stride ([`pointwise`]) and depthwise ones ([`depthwise`]). The bits are those of
//! the norm and the convolution one after the other, but for the order of sums over pixels.
//!
//! Of maps in 16 bits, blocks are f32 while they are in the cache: what is read is widened with the norm, and what is
//! written is rounded once. Where a CPU multiplies pairs of 16 bits, 1×1 convolutions do: their factors are rounded before.

mod depthwise;
mod pointwise;

#[cfg(test)]
mod tests;

use std::ops::Range;

use depthwise::DepthwisePlan;
use pointwise::PointwisePlan;

use super::Conv2dShape;
use crate::batch_norm::{BatchNormShape, NormGradients, NormReverse, Normalizer, line};
use crate::column_sums::{add_up, as_f64};
use crate::floats::convert_part;
use crate::gemm::pack_rows;
use crate::per_element::per_element;
use crate::pool::Disjoint;
use crate::unary::Unary;
use crate::{Bf16, Cpu, Element, Floats, Level, Precision, elements_mut};

/// What a convolution reads: a map, or what a norm makes of one.
#[derive(Clone, Copy, Debug)]
pub struct NormedMap<'a, E = f32> {
    /// The map.
    pub x: &'a [E],
    /// What is done to it first.
    pub norm: Option<KnownNorm<'a>>,
}

/// A norm whose statistics are known, and the activation that follows it.
#[derive(Clone, Copy, Debug)]
pub struct KnownNorm<'a> {
    /// Its scale.
    pub gamma: &'a [f32],
    /// As [`SavedNorm`](crate::batch_norm::SavedNorm): mean, 1/σ, offset.
    pub saved: [&'a [f32]; 3],
    /// What comes last.
    pub activation: Option<Unary>,
}

/// The gradient of what a convolution gives, or of what a norm makes of that.
#[derive(Clone, Copy, Debug)]
pub struct NormedGradient<'a, E = f32> {
    /// The gradient.
    pub dy: &'a [E],
    /// The norm between the convolution and where the gradient was taken.
    pub norm: Option<NormAfter<'a, E>>,
}

/// A norm behind a convolution, on the way back.
#[derive(Clone, Copy, Debug)]
pub struct NormAfter<'a, E = f32> {
    /// What the convolution gave.
    pub y: &'a [E],
    /// The norm and its activation.
    pub norm: KnownNorm<'a>,
    /// [Slope and constant](NormGradients) of its gradient.
    pub line: [&'a [f32]; 2],
}

/// How a 1×1 convolution is computed in a direction.
type PointwiseOf = fn(Level, &Conv2dShape) -> Option<PointwisePlan>;

/// How a shape is computed.
#[derive(Clone, Copy, Debug)]
enum Plan {
    Pointwise(PointwisePlan),
    Depthwise(DepthwisePlan),
}

/// `y = conv(normed map, weight)`, and the moments of y.
#[derive(Clone, Copy, Debug)]
pub struct NormedConv2d {
    shape: Conv2dShape,
    plan: Plan,
    threads: usize,
    precision: Precision,
}

impl NormedConv2d {
    /// Whether there are kernels for a shape.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn fits(shape: &Conv2dShape) -> bool {
        Self::plan(Level::Scalar, shape).is_some()
    }

    /// The kernels for the level and the shape, where there are such.
    ///
    /// # Panics
    /// When a size is zero, the channels do not divide by the groups, or the output would be empty.
    pub fn new(cpu: &Cpu, shape: Conv2dShape) -> Option<Self> {
        Some(Self { shape, plan: Self::plan(cpu.level(), &shape)?, threads: cpu.threads(), precision: Precision::F32 })
    }

    fn plan(level: Level, shape: &Conv2dShape) -> Option<Plan> {
        Plan::new(level, shape, PointwisePlan::of_forward)
    }

    /// The same for maps of a type.
    pub fn of_maps(self, cpu: &Cpu, precision: Precision) -> Self {
        Self { plan: self.plan.of_maps(cpu.level(), precision, self.shape.in_channels), precision, ..self }
    }

    /// The kernel, named as rows of the tables are.
    pub fn kernel_name(&self) -> &'static str {
        self.plan.kernel_name()
    }

    /// Numbers of workspace that [`run`](Self::run) wants at least.
    pub fn workspace(&self) -> usize {
        let s = &self.shape;
        let partial = f64_words(self.plan.chunks() * 3 * s.out_channels);
        let own = match &self.plan {
            Plan::Pointwise(plan) => plan.forward_workspace(self.threads, self.precision),
            Plan::Depthwise(plan) => plan.forward_workspace(s, self.threads, self.precision),
        };
        s.in_channels.next_multiple_of(LINE) + partial + own
    }

    /// Computes y and, if they are asked for, its moments as
    /// [`batch_norm_moments`](crate::batch_norm::batch_norm_moments) gives them. What the workspace holds before and
    /// after means nothing.
    ///
    /// # Panics
    /// When a slice has another length than the shape asks for, maps another type than was planned for, or
    /// `cpu` more threads.
    pub fn run<E: Element>(
        &self,
        cpu: &Cpu,
        map: NormedMap<'_, E>,
        weight: &[f32],
        y: &mut [E],
        moments: Option<&mut [f32]>,
        workspace: &mut [f32],
    ) {
        forward(self, cpu, map, weight, y, moments, workspace);
    }
}

/// Both gradients of a convolution at once, and the sums that the gradient of the norm before it wants.
#[derive(Clone, Copy, Debug)]
pub struct NormedConv2dGrad {
    shape: Conv2dShape,
    plan: Plan,
    threads: usize,
    precision: Precision,
}

impl NormedConv2dGrad {
    /// Whether there are kernels for a shape that pay.
    ///
    /// # Panics
    /// As [`NormedConv2d::new`].
    pub fn fits(shape: &Conv2dShape) -> bool {
        Self::plan(Level::Scalar, shape).is_some()
    }

    /// The kernels for the level and the shape, where there are such and they pay.
    ///
    /// # Panics
    /// As [`NormedConv2d::new`].
    pub fn new(cpu: &Cpu, shape: Conv2dShape) -> Option<Self> {
        Some(Self { shape, plan: Self::plan(cpu.level(), &shape)?, threads: cpu.threads(), precision: Precision::F32 })
    }

    fn plan(level: Level, shape: &Conv2dShape) -> Option<Plan> {
        Plan::new(level, shape, PointwisePlan::of_backward)
    }

    /// The same for maps of a type.
    pub fn of_maps(self, cpu: &Cpu, precision: Precision) -> Self {
        Self { plan: self.plan.of_maps(cpu.level(), precision, self.shape.out_channels), precision, ..self }
    }

    /// The kernel, named as rows of the tables are.
    pub fn kernel_name(&self) -> &'static str {
        self.plan.kernel_name()
    }

    /// Numbers of workspace that [`run`](Self::run) wants at least.
    pub fn workspace(&self) -> usize {
        let s = &self.shape;
        let partial = f64_words(self.plan.chunks() * 3 * s.in_channels);
        let own = match &self.plan {
            Plan::Pointwise(plan) => plan.backward_workspace(self.threads, self.precision),
            Plan::Depthwise(plan) => plan.backward_workspace(s, self.threads, self.precision),
        };
        s.in_channels.next_multiple_of(LINE) + s.out_channels.next_multiple_of(LINE) + partial + own
    }

    /// Computes the gradients of the weight and of what the convolution read: where `map` has a norm, of the norm's
    /// result before its activation. `of_norm`, which goes with a norm, is what the norm's own gradient starts from. What
    /// the workspace holds before and after means nothing.
    ///
    /// # Panics
    /// As [`NormedConv2d::run`], or when one of norm and `of_norm` is there and the other is not.
    pub fn run<E: Element>(
        &self,
        cpu: &Cpu,
        map: NormedMap<'_, E>,
        weight: &[f32],
        gradient: NormedGradient<'_, E>,
        dx: &mut [E],
        dweight: &mut [f32],
        of_norm: Option<NormGradients<'_>>,
        workspace: &mut [f32],
    ) {
        backward(self, cpu, map, weight, gradient, dx, dweight, of_norm, workspace);
    }
}

per_element! {
    fn forward[E](
        conv: &NormedConv2d,
        cpu: &Cpu,
        map: NormedMap<'_, E>,
        weight: &[f32],
        y: &mut [E],
        moments: Option<&mut [f32]>,
        workspace: &mut [f32],
    ) {
        let s = &conv.shape;
        assert_eq!(E::PRECISION, conv.precision, "maps are of the type that was planned for");
        assert_eq!(map.x.len(), s.input_len(), "x");
        assert_eq!(weight.len(), s.weight_len(), "weight");
        assert_eq!(y.len(), s.output_len(), "y");
        assert!(workspace.len() >= conv.workspace(), "workspace: {} of {}", workspace.len(), conv.workspace());
        assert!(cpu.threads() <= conv.threads, "planned for {} threads", conv.threads);
        let (factors, workspace) = workspace.split_at_mut(s.in_channels.next_multiple_of(LINE));
        let source = Source::new(map, &mut factors[..s.in_channels]);
        let (partial, workspace) = workspace.split_at_mut(f64_words(conv.plan.chunks() * 3 * s.out_channels));
        let partial = &mut as_f64(partial)[..conv.plan.chunks() * 3 * s.out_channels];
        match &conv.plan {
            Plan::Pointwise(plan) => plan.forward(cpu, &source, weight, y, moments, partial, workspace),
            Plan::Depthwise(plan) => plan.forward(cpu, s, &source, weight, y, moments, partial, workspace),
        }
    }
}

per_element! {
    fn backward[E](
        conv: &NormedConv2dGrad,
        cpu: &Cpu,
        map: NormedMap<'_, E>,
        weight: &[f32],
        gradient: NormedGradient<'_, E>,
        dx: &mut [E],
        dweight: &mut [f32],
        of_norm: Option<NormGradients<'_>>,
        workspace: &mut [f32],
    ) {
        let s = &conv.shape;
        assert_eq!(E::PRECISION, conv.precision, "maps are of the type that was planned for");
        assert!(map.x.len() == s.input_len() && dx.len() == s.input_len(), "x and dx");
        assert!(weight.len() == s.weight_len() && dweight.len() == s.weight_len(), "weight and dweight");
        assert_eq!(gradient.dy.len(), s.output_len(), "dy");
        assert!(gradient.norm.is_none_or(|norm| norm.y.len() == s.output_len()), "y");
        assert_eq!(of_norm.is_some(), map.norm.is_some(), "gradients of a norm go with a norm");
        assert!(workspace.len() >= conv.workspace(), "workspace: {} of {}", workspace.len(), conv.workspace());
        assert!(cpu.threads() <= conv.threads, "planned for {} threads", conv.threads);
        let (in_factors, workspace) = workspace.split_at_mut(s.in_channels.next_multiple_of(LINE));
        let (out_factors, workspace) = workspace.split_at_mut(s.out_channels.next_multiple_of(LINE));
        let source = Source::new(map, &mut in_factors[..s.in_channels]);
        let gradient = Gradient::new(gradient, &mut out_factors[..s.out_channels]);
        let (partial, workspace) = workspace.split_at_mut(f64_words(conv.plan.chunks() * 3 * s.in_channels));
        let partial = &mut as_f64(partial)[..conv.plan.chunks() * 3 * s.in_channels];
        {
            let reverse = |norm: KnownNorm<'_>| NormReverse::new(source.norm.expect("just made").line, norm.activation);
            let parts = Disjoint::new(&mut *partial);
            let sums = map.norm.map(|norm| NormSums { norm: reverse(norm), parts });
            let (sums, to) = (sums.as_ref(), (dx, dweight));
            match &conv.plan {
                Plan::Pointwise(plan) => plan.backward(cpu, &source, weight, &gradient, to, sums, workspace),
                Plan::Depthwise(plan) => plan.backward(cpu, s, &source, weight, &gradient, to, sums, workspace),
            }
        }
        if let Some((mut of_norm, norm)) = of_norm.zip(map.norm) {
            let rows = s.batch * s.height * s.width;
            let shape = BatchNormShape { rows, channels: s.in_channels };
            let total = add_up(cpu, 3 * s.in_channels, partial);
            let line = source.norm.expect("just made").line;
            of_norm.set(shape, line, norm.saved[1], total);
        }
    }
}

impl Plan {
    fn new(level: Level, shape: &Conv2dShape, pointwise: PointwiseOf) -> Option<Self> {
        shape.check();
        let depthwise = || DepthwisePlan::new(level, shape).map(Self::Depthwise);
        pointwise(level, shape).map(Self::Pointwise).or_else(depthwise)
    }

    /// `summed`: over so many channels a map's own product goes.
    fn of_maps(self, level: Level, precision: Precision, summed: usize) -> Self {
        match self {
            Self::Pointwise(plan) => Self::Pointwise(plan.of_maps(level, precision, summed)),
            Self::Depthwise(plan) => Self::Depthwise(plan),
        }
    }

    fn kernel_name(&self) -> &'static str {
        match self {
            Self::Pointwise(plan) => plan.kernel_name(),
            Self::Depthwise(plan) => plan.kernel_name(),
        }
    }

    /// Parts that sums over pixels are made of.
    fn chunks(&self) -> usize {
        match self {
            Self::Pointwise(plan) => plan.chunks(),
            Self::Depthwise(plan) => plan.chunks(),
        }
    }
}

/// Whole cache lines.
const LINE: usize = 16;

/// Words that f64 numbers take from any word on, in whole cache lines.
fn f64_words(numbers: usize) -> usize {
    (2 * numbers + 2).next_multiple_of(LINE)
}

/// The norm before a convolution on the way back, and parts of the sums that its gradient starts from.
struct NormSums<'s> {
    norm: NormReverse<'s>,
    parts: Disjoint<'s, f64>,
}

impl NormSums<'_> {
    /// Takes gradients of what the norm and its activation give to those of what the norm gives, and adds them to a part.
    ///
    /// # Safety
    /// Nobody else touches that part.
    unsafe fn add<E: Element>(&self, cpu: &Cpu, part: usize, is_first: bool, x: &[E], dx: &mut [f32]) {
        let len = 3 * self.norm.line[0].len();
        // SAFETY: by the caller's promise.
        let sums = unsafe { self.parts.slice(part * len, len) };
        if is_first {
            sums.fill(0.0);
        }
        self.norm.start(cpu, x, dx, sums);
    }
}

/// A map, its norm made ready.
struct Source<'s, E> {
    x: &'s [E],
    norm: Option<Normalizer<'s>>,
}

impl<'s, E: Element> Source<'s, E> {
    fn new(map: NormedMap<'s, E>, factors: &'s mut [f32]) -> Self {
        let norm = map.norm.map(|norm| Normalizer::new(line(norm.gamma, norm.saved, factors), norm.activation));
        Self { x: map.x, norm }
    }

    /// Some pixels of a map in 16 bits as the convolution reads them: made at a place of so many words, or as they lie where
    /// they have no norm.
    fn rows<'r>(&self, cpu: &Cpu, x: &'r [E], channels: usize, made: &'r mut [f32]) -> &'r [Bf16] {
        let Some(norm) = &self.norm else { return in_16_bits(x) };
        let made = elements_mut::<E>(made, x.len());
        norm.apply(cpu, x, channels, made);
        in_16_bits(made)
    }
}

/// A gradient, the norm that it goes back through made ready.
struct Gradient<'g, E> {
    dy: &'g [E],
    norm: Option<ReadyGradient<'g, E>>,
}

struct ReadyGradient<'g, E> {
    y: &'g [E],
    norm: NormReverse<'g>,
    line: [&'g [f32]; 2],
}

impl<'g, E: Element> Gradient<'g, E> {
    fn new(gradient: NormedGradient<'g, E>, factors: &'g mut [f32]) -> Self {
        let norm = gradient.norm.map(|after| ReadyGradient {
            y: after.y,
            norm: NormReverse::new(line(after.norm.gamma, after.norm.saved, factors), after.norm.activation),
            line: after.line,
        });
        Self { dy: gradient.dy, norm }
    }

    /// Rows of the convolution's own gradient in 16 bits: made at a place of so many words, or as they lie where they have no
    /// norm.
    fn rows<'r>(&self, cpu: &Cpu, range: Range<usize>, channels: usize, made: &'r mut [f32]) -> &'r [Bf16]
    where
        'g: 'r,
    {
        let dy = &self.dy[range.clone()];
        let Some(norm) = &self.norm else { return in_16_bits(dy) };
        let made = elements_mut::<E>(made, dy.len());
        norm.norm.finish(cpu, [&norm.y[range], dy], norm.line, channels, made);
        in_16_bits(made)
    }

    /// Rows of the convolution's own gradient, in panels of so many columns, one behind the other. Columns that do not
    /// exist are zero.
    fn fill(&self, cpu: &Cpu, range: Range<usize>, width: usize, channels: usize, to: &mut [f32]) {
        let dy = &self.dy[range.clone()];
        let panel_len = dy.len() / channels * width;
        match &self.norm {
            Some(norm) => {
                let missing = channels.next_multiple_of(width) - channels;
                if missing > 0 {
                    let last = &mut to[channels / width * panel_len..][..panel_len];
                    last.chunks_exact_mut(width).for_each(|row| row[width - missing..].fill(0.0));
                }
                norm.norm.finish(cpu, [&norm.y[range], dy], norm.line, width, to);
            }
            None if width == channels => convert_part(cpu, dy, to),
            None => {
                for (number, panel) in to.chunks_exact_mut(panel_len).enumerate() {
                    let columns = number * width..((number + 1) * width).min(channels);
                    pack_rows(panel, width, |i| &dy[i * channels..][columns.clone()]);
                }
            }
        }
    }
}

/// Numbers of which pairs are multiplied.
fn in_16_bits<E: Element>(numbers: &[E]) -> &[Bf16] {
    match E::floats(numbers) {
        Floats::Bf16(numbers) => numbers,
        Floats::F32(_) => unreachable!("plans with products of pairs are for maps in 16 bits"),
    }
}
