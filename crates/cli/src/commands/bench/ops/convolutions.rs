//! Convolutions: forward as training and as inference compute it, and both gradients.

use avizor_kernels::conv2d::{Conv2dForward, Conv2dGradInput, Conv2dGradWeight, Conv2dMethods, Conv2dShape, Epilogue};
use avizor_kernels::{Cpu, Memory, Place};

use super::layers::{LAYERS, Layer};
use super::{Bench, Name, Row, Work};
use crate::failure::Failure;

/// What is computed of a layer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// As training does it.
    Forward,
    /// Forward with a weight that stays, which is packed once.
    Infer,
    GradInput,
    GradWeight,
}

impl Pass {
    const ALL: [Self; 4] = [Self::Forward, Self::Infer, Self::GradInput, Self::GradWeight];

    fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Infer => "infer",
            Self::GradInput => "grad_input",
            Self::GradWeight => "grad_weight",
        }
    }
}

pub(super) fn measure(bench: &mut Bench, batch: usize) -> Result<(), Failure> {
    let passes = Pass::ALL.map(Pass::name);
    for layer in LAYERS {
        if bench.wants_any(layer.family(), &layer.name(), &passes) {
            measure_layer(bench, layer, layer.shape(batch))?;
        }
    }
    Ok(())
}

fn measure_layer(bench: &mut Bench, layer: &Layer, shape: Conv2dShape) -> Result<(), Failure> {
    let plans = [Conv2dMethods::Auto, Conv2dMethods::Fast, Conv2dMethods::Direct];
    let plans = plans.map(|methods| Plans::new(&bench.cpu, shape, methods));
    let mut tensors = Tensors::new(&shape, plans.iter().map(Plans::workspace).max().unwrap_or(0));
    let [training, inference, direct] = plans;
    for pass in Pass::ALL {
        let name = Name::new(layer.family(), &layer.name(), pass.name());
        if !bench.wants(&name) || (pass == Pass::GradInput && !layer.has_grad_input()) {
            continue;
        }
        let chosen = if pass == Pass::Infer { &inference } else { &training };
        let kernel = chosen.kernel_name(pass);
        let times = bench.times(chosen.run(&bench.cpu, pass, &mut tensors));
        let is_direct = kernel == direct.kernel_name(pass);
        let direct = (!is_direct).then(|| bench.times(direct.run(&bench.cpu, pass, &mut tensors)));
        let numbers = shape.input_len() + shape.weight_len() + shape.output_len();
        let work = Work { multiply_adds: shape.multiply_adds(), bytes: 4 * numbers };
        bench.push(Row { name, kernel: Some(kernel), work, times, direct })?;
    }
    Ok(())
}

/// A layer by some methods.
struct Plans {
    forward: Conv2dForward,
    grad_input: Conv2dGradInput,
    grad_weight: Conv2dGradWeight,
}

impl Plans {
    fn new(cpu: &Cpu, shape: Conv2dShape, methods: Conv2dMethods) -> Self {
        Self {
            forward: Conv2dForward::with_methods(cpu, shape, methods),
            grad_input: Conv2dGradInput::with_methods(cpu, shape, methods),
            grad_weight: Conv2dGradWeight::with_methods(cpu, shape, methods),
        }
    }

    fn workspace(&self) -> usize {
        let forward = self.forward.packed().map_or(0, |plan| plan.workspace()).max(self.forward.workspace());
        forward.max(self.grad_input.workspace()).max(self.grad_weight.workspace())
    }

    fn kernel_name(&self, pass: Pass) -> &'static str {
        match pass {
            Pass::Forward | Pass::Infer => self.forward.kernel_name(),
            Pass::GradInput => self.grad_input.kernel_name(),
            Pass::GradWeight => self.grad_weight.kernel_name(),
        }
    }

    /// A pass, to be run many times.
    fn run<'r>(&'r self, cpu: &'r Cpu, pass: Pass, tensors: &'r mut Tensors) -> Box<dyn FnMut() + 'r> {
        let ([x, weight, dy], [y, dx, dweight, workspace]) = tensors.slices();
        let packed = if pass == Pass::Infer { self.forward.packed() } else { None };
        if let Some(plan) = packed {
            let mut packed = vec![0.0; plan.packed_len()];
            plan.pack(cpu, weight, &mut packed);
            return Box::new(move || plan.run(cpu, x, &packed, Epilogue::NONE, y, workspace));
        }
        match pass {
            Pass::Forward | Pass::Infer => {
                Box::new(move || self.forward.run(cpu, x, weight, Epilogue::NONE, y, workspace))
            }
            Pass::GradInput => Box::new(move || self.grad_input.run(cpu, dy, weight, dx, workspace)),
            Pass::GradWeight => Box::new(move || self.grad_weight.run(cpu, x, dy, dweight, workspace)),
        }
    }
}

/// The tensors of a convolution and of its gradients, in such memory as programs have.
struct Tensors {
    memory: Memory,
    read: [Place; 3],
    written: [Place; 4],
}

impl Tensors {
    /// What is read is filled with small integers; the workspace has `workspace` numbers.
    fn new(shape: &Conv2dShape, workspace: usize) -> Self {
        let mut memory = Memory::new();
        let mut place = |len: usize| Place { space: memory.add_space(len), offset: 0, len };
        let (input, weight, output) = (shape.input_len(), shape.weight_len(), shape.output_len());
        let read = [input, weight, output].map(&mut place);
        let written = [output, input, weight, workspace].map(place);
        for place in read {
            memory.get_mut(place).iter_mut().enumerate().for_each(|(i, number)| *number = (i % 13) as f32 - 6.0);
        }
        Self { memory, read, written }
    }

    /// x, weight and dy to read; y, dx, dweight and the workspace to write.
    fn slices(&mut self) -> ([&[f32]; 3], [&mut [f32]; 4]) {
        self.memory.access(self.read, self.written)
    }
}
