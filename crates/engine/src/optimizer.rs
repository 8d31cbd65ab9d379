//! Steps over the parameters, from their gradients.

use std::collections::BTreeMap;
use std::ops::Range;

use avizor_kernels::elementwise;
use avizor_kernels::optimizer::{Adam, RmsProp, Sgd, adam, rmsprop, sgd, sum_of_squares};
use avizor_kernels::{Cpu, Place, Space};

use crate::state::LINE_WORDS;
use crate::{State, StateError};

/// A way to step. Maths and meaning of every number: the class of that name in `torch.optim`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptimizerKind {
    /// Stochastic gradient descent.
    Sgd {
        /// How much of the velocity stays.
        momentum: f64,
        /// How much of the gradient does not join the velocity.
        dampening: f64,
        /// Look ahead along the velocity.
        nesterov: bool,
    },
    /// Adam; weight decay joins the gradient.
    Adam {
        /// How much of the mean gradient stays.
        beta1: f64,
        /// How much of the mean squared gradient stays.
        beta2: f64,
        /// Added to the root of the mean square.
        eps: f64,
    },
    /// Adam with weight decay apart from the gradient.
    AdamW {
        /// How much of the mean gradient stays.
        beta1: f64,
        /// How much of the mean squared gradient stays.
        beta2: f64,
        /// Added to the root of the mean square.
        eps: f64,
    },
    /// RMSprop, not centred.
    RmsProp {
        /// How much of the mean squared gradient stays.
        alpha: f64,
        /// Added to the root of the mean square.
        eps: f64,
        /// How much of the last step stays.
        momentum: f64,
    },
}

impl OptimizerKind {
    /// Plain descent with this momentum.
    pub const fn sgd(momentum: f64) -> Self {
        Self::Sgd { momentum, dampening: 0.0, nesterov: false }
    }

    /// `torch.optim.Adam` with its defaults.
    pub const ADAM: Self = Self::Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8 };
    /// `torch.optim.AdamW` with its defaults; its default weight decay, 0.01, is the groups' to give.
    pub const ADAM_W: Self = Self::AdamW { beta1: 0.9, beta2: 0.999, eps: 1e-8 };
    /// `torch.optim.RMSprop` with its defaults.
    pub const RMS_PROP: Self = Self::RmsProp { alpha: 0.99, eps: 1e-8, momentum: 0.0 };

    /// Names of the slots that it keeps for every parameter: PyTorch's.
    pub(crate) fn slots(self) -> &'static [&'static str] {
        match self {
            Self::Sgd { momentum: 0.0, .. } => &[],
            Self::Sgd { .. } => &["momentum_buffer"],
            Self::Adam { .. } | Self::AdamW { .. } => &["exp_avg", "exp_avg_sq"],
            Self::RmsProp { momentum: 0.0, .. } => &["square_avg"],
            Self::RmsProp { .. } => &["square_avg", "momentum_buffer"],
        }
    }
}

/// PyTorch's guard against a length of zero.
const CLIP_EPS: f64 = 1e-6;

/// Parameters that are stepped alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Their names.
    pub parameters: Vec<String>,
    /// Multiple of the learning rate.
    pub lr_scale: f64,
    /// Weight decay.
    pub weight_decay: f64,
}

/// A program of its own over the state's parameters and gradients.
///
/// It holds no state: its slots and the count of steps live in the [`State`] and travel with it, so that another
/// optimizer over more parameters (unfreezing) goes on where this one stopped.
#[derive(Clone, Debug)]
pub struct Optimizer {
    kind: OptimizerKind,
    spans: Vec<Span>,
    slots: Vec<Space>,
    max_norm: Option<f64>,
}

/// Parameters of one group that lie side by side.
#[derive(Clone, Debug, PartialEq)]
struct Span {
    range: Range<usize>,
    lr_scale: f64,
    weight_decay: f64,
}

impl Optimizer {
    /// An optimizer over these groups; parameters in none of them stay as they are.
    ///
    /// # Errors
    /// When a group names a parameter that the state does not have or that is a statistic, or two groups name the same.
    pub fn new(kind: OptimizerKind, state: &mut State, groups: &[Group]) -> Result<Self, StateError> {
        let spans = spans(state, groups)?;
        let slots = kind.slots().iter().map(|name| state.slot(name)).collect();
        Ok(Self { kind, spans, slots, max_norm: None })
    }

    /// The same, but gradients that together are longer than this are shortened to it before a step, as
    /// `torch.nn.utils.clip_grad_norm_` does (Pascanu et al. 2013, arXiv:1211.5063).
    #[must_use]
    pub fn clipping(self, max_norm: f64) -> Self {
        Self { max_norm: Some(max_norm), ..self }
    }

    /// One step with the gradients that the last run left.
    pub fn step(&self, cpu: &Cpu, state: &mut State, lr: f64) {
        if let Some(max_norm) = self.max_norm {
            self.clip(cpu, state, max_norm);
        }
        let step = state.count_step();
        for span in &self.spans {
            self.step_span(cpu, state, span, lr * span.lr_scale, step);
        }
        state.parameters_changed();
    }

    fn clip(&self, cpu: &Cpu, state: &mut State, max_norm: f64) {
        let places = || self.spans.iter().map(|span| span.range.clone());
        let squares = places().map(|range| sum_of_squares(cpu, state.memory.get(state.gradients_of(range))));
        let scale = max_norm / (squares.sum::<f64>().sqrt() + CLIP_EPS);
        if scale < 1.0 {
            for range in places() {
                let gradients = state.gradients_of(range);
                elementwise::scale_in_place(cpu, scale as f32, state.memory.get_mut(gradients));
            }
        }
    }

    fn step_span(&self, cpu: &Cpu, state: &mut State, span: &Span, lr: f64, step: u64) {
        let weight_decay = span.weight_decay;
        let values = state.value_place(span.range.clone());
        let gradients = state.gradient_place(values);
        let slot = |index: usize| {
            // Where an optimizer keeps no such slot: no words of another space.
            self.slots.get(index).map_or(Place { len: 0, ..gradients }, |&space| Place { space, ..values })
        };
        let ([gradient], [value, first, second]) = state.memory.access([gradients], [values, slot(0), slot(1)]);
        match self.kind {
            OptimizerKind::Sgd { momentum, dampening, nesterov } => {
                let settings = Sgd { lr, momentum, dampening, nesterov, weight_decay, first_step: step == 1 };
                sgd(cpu, settings, value, gradient, first);
            }
            OptimizerKind::Adam { beta1, beta2, eps } | OptimizerKind::AdamW { beta1, beta2, eps } => {
                let decoupled = matches!(self.kind, OptimizerKind::AdamW { .. });
                adam(
                    cpu,
                    Adam { lr, beta1, beta2, eps, weight_decay, decoupled, step },
                    value,
                    gradient,
                    first,
                    second,
                );
            }
            OptimizerKind::RmsProp { alpha, eps, momentum } => {
                rmsprop(cpu, RmsProp { lr, alpha, eps, weight_decay, momentum }, value, gradient, first, second);
            }
        }
    }
}

/// The groups' parameters in memory's order, neighbours of one group joined.
fn spans(state: &State, groups: &[Group]) -> Result<Vec<Span>, StateError> {
    let mut by_offset: BTreeMap<usize, Span> = BTreeMap::new();
    for group in groups {
        for name in &group.parameters {
            let refused = |why| StateError::NotTrained { name: name.clone(), why };
            let parameter = state.parameter(name).ok_or_else(|| refused("there is no such parameter"))?;
            if parameter.is_statistic() {
                return Err(refused("it is a running statistic"));
            }
            let place = parameter.place();
            let range = place.offset..place.offset + place.len.next_multiple_of(LINE_WORDS);
            let span = Span { range, lr_scale: group.lr_scale, weight_decay: group.weight_decay };
            if by_offset.insert(place.offset, span).is_some() {
                return Err(refused("it is named twice"));
            }
        }
    }
    let mut spans: Vec<Span> = Vec::new();
    for span in by_offset.into_values() {
        match spans.last_mut() {
            Some(last)
                if last.range.end == span.range.start
                    && last.lr_scale == span.lr_scale
                    && last.weight_decay == span.weight_decay =>
            {
                last.range.end = span.range.end;
            }
            _ => spans.push(span),
        }
    }
    Ok(spans)
}
