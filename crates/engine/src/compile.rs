//! From a graph to a program: mode, gradients, passes, memory, kernels.

use avizor_kernels::conv2d::Conv2dMethods;
use avizor_kernels::{Cpu, Place, Precision, Space};

use crate::autodiff::differentiate;
use crate::graph::{Node, NodeId, Source};
use crate::lower::{self, Kernel, Packing, Site};
use crate::passes;
use crate::plan::{Buffers, Extent, Home, arrange, is_view};
use crate::plan_table::PlanRow;
use crate::program::{Port, Program, Step};
use crate::state::LINE_WORDS;
use crate::{CompileOptions, Graph, GraphError, Mode, Pass, State, Value};

impl Program {
    /// Makes a graph ready to run with the parameters of `state`, which gets the memory that is missing.
    ///
    /// # Errors
    /// When the state lacks a parameter or has it in another shape, when there is no output of the loss's name, or when
    /// an operator before a trained parameter has no gradient.
    pub fn compile(graph: &Graph, options: &CompileOptions, cpu: &Cpu, state: &mut State) -> Result<Self, GraphError> {
        let graph = transform(graph, options)?;
        let buffers = Buffers::plan(&graph, !options.without.contains(&Pass::InPlace));
        let kernels = lower_all(&graph, &buffers, cpu, options)?;
        let space = state.add_program_space(0);
        let layout = Layout::new(&graph, &buffers, &kernels, state, space)?;
        if layout.arena_words > state.memory.len(state.arena) {
            can_be_had(layout.arena_words)?;
        }
        can_be_had(layout.program_words)?;
        state.memory.grow(state.arena, layout.arena_words);
        state.memory.grow(space, layout.program_words);
        Ok(layout.program(&graph, &buffers, kernels))
    }
}

/// Bytes of its own, and of the arena, that a program would take.
pub(crate) fn program_and_arena_bytes(
    graph: &Graph,
    options: &CompileOptions,
    cpu: &Cpu,
    state: &State,
) -> Result<[usize; 2], GraphError> {
    let graph = transform(graph, options)?;
    let buffers = Buffers::plan(&graph, !options.without.contains(&Pass::InPlace));
    let kernels = lower_all(&graph, &buffers, cpu, options)?;
    // Of no state: nothing will lie there.
    let layout = Layout::new(&graph, &buffers, &kernels, state, Space(u32::MAX))?;
    Ok([layout.program_words * 4, layout.arena_words * 4])
}

/// The graph as it will run.
pub(crate) fn transform(graph: &Graph, options: &CompileOptions) -> Result<Graph, GraphError> {
    let mut graph = graph.clone();
    passes::specialise(&mut graph, options)?;
    if let Some(loss) = &options.loss {
        differentiate(&mut graph, loss, &options.trainable)?;
    }
    passes::run(&mut graph, &options.without);
    if options.precision == Precision::Bf16 {
        passes::narrow(&mut graph);
    }
    Ok(graph)
}

/// Whether nothing is learned: parameters stay, and errors do not meet again in a gradient.
fn only_infers(options: &CompileOptions) -> bool {
    options.mode == Mode::Infer && options.loss.is_none()
}

/// A kernel for every node that computes something.
fn lower_all(
    graph: &Graph,
    buffers: &Buffers,
    cpu: &Cpu,
    options: &CompileOptions,
) -> Result<Vec<Option<Kernel>>, GraphError> {
    let readers = graph.readers();
    let conv2d_methods = match cpu.conv2d_methods() {
        // Larger tiles are exact enough.
        Conv2dMethods::Auto if only_infers(options) => Conv2dMethods::Fast,
        methods => methods,
    };
    let stays = |input: &Value| only_infers(options) && buffers.depends_on_parameters_alone(graph, *input);
    let kernel_of = |(id, node): (NodeId, &Node)| {
        let Source::Operator(operator) = &node.source else { return Ok(None) };
        if is_view(node) {
            return Ok(None);
        }
        let site = Site {
            cpu,
            conv2d_methods,
            inputs: node.inputs.iter().map(|&input| graph.tensor_type(input)).collect(),
            outputs: &node.outputs,
            overwrites: buffers.overwrites[id.index()],
            is_read: (0..node.outputs.len()).map(|output| readers.is_read(Value { node: id, output })).collect(),
            stays: node.inputs.iter().map(stays).collect(),
        };
        let missing = || GraphError::NoKernel { node: node.name.clone(), kind: operator.kind() };
        lower::cpu::lower(operator.as_ref(), &site).ok_or_else(missing).map(Some)
    };
    graph.ids().map(kernel_of).collect()
}

/// Where every buffer and every workspace lies.
struct Layout {
    buffers: Vec<Place>,
    workspaces: Vec<Option<Place>>,
    /// Of the nodes that read an input in another form.
    packed: Vec<Vec<Place>>,
    space: Space,
    program_words: usize,
    arena_words: usize,
}

impl Layout {
    fn new(
        graph: &Graph,
        buffers: &Buffers,
        kernels: &[Option<Kernel>],
        state: &State,
        space: Space,
    ) -> Result<Self, GraphError> {
        let mut extents = Vec::new();
        // Which extent is a buffer's, and which a node's workspace.
        let (mut arena_buffers, mut arena_workspaces) = (Vec::new(), Vec::new());
        let homes = homes(graph, buffers, kernels);
        for (index, buffer) in buffers.buffers.iter().enumerate().filter(|&(index, _)| homes[index] == Home::Arena) {
            arena_buffers.push((index, extents.len()));
            extents.push(Extent { words: buffer.words, first: buffer.first, last: buffer.last });
        }
        for (node, words) in kernels.iter().enumerate().filter_map(|(n, kernel)| Some((n, kernel.as_ref()?.workspace?)))
        {
            arena_workspaces.push((node, extents.len()));
            extents.push(Extent { words, first: node, last: node });
        }
        let (offsets, arena_words) = arrange(&extents);
        let arena = state.arena;
        let in_arena = |extent: usize| Place { space: arena, offset: offsets[extent], len: extents[extent].words };

        let mut program_words = 0;
        let mut in_program = |len: usize| {
            let offset = program_words;
            program_words += len.next_multiple_of(LINE_WORDS);
            Place { space, offset, len }
        };
        let mut places = Vec::with_capacity(buffers.buffers.len());
        for (buffer, home) in buffers.buffers.iter().zip(homes) {
            places.push(match home {
                Home::Parameter(node) => parameter_place(graph, node, state)?,
                Home::Gradient(node) => state.gradient_place(parameter_place(graph, node, state)?),
                Home::Program => in_program(buffer.words),
                // Filled in below.
                Home::Arena => Place { space: arena, offset: 0, len: 0 },
            });
        }
        arena_buffers.into_iter().for_each(|(buffer, extent)| places[buffer] = in_arena(extent));
        let mut workspaces = vec![None; kernels.len()];
        arena_workspaces.into_iter().for_each(|(node, extent)| workspaces[node] = Some(in_arena(extent)));
        let mut packed_places = |kernel: &Option<Kernel>| {
            kernel.iter().flat_map(|kernel| &kernel.packings).map(|packing| in_program(packing.words)).collect()
        };
        let packed = kernels.iter().map(&mut packed_places).collect();
        Ok(Self { buffers: places, workspaces, packed, space, program_words, arena_words })
    }

    fn program(&self, graph: &Graph, buffers: &Buffers, kernels: Vec<Option<Kernel>>) -> Program {
        let place = |value: Value| self.buffers[buffers.index_of(value)];
        let (mut steps, mut constant_steps) = (Vec::new(), Vec::new());
        for ((id, node), kernel) in graph.ids().zip(kernels) {
            let Some(mut kernel) = kernel else { continue };
            let packings = std::mem::take(&mut kernel.packings);
            let mut step = self.step(graph, buffers, id, node, kernel);
            for (packing, &packed) in packings.into_iter().zip(&self.packed[id.index()]) {
                step.reads[packing.input] = packed;
                constant_steps.push(packing_step(graph, node, packing, place, packed));
            }
            if buffers.constant[id.index()] { constant_steps.push(step) } else { steps.push(step) }
        }
        let port = |name: &str, value: Value| Port {
            name: name.to_owned(),
            of: graph.tensor_type(value).clone(),
            place: place(value),
        };
        let inputs = graph.ids().filter(|(_, node)| matches!(node.source, Source::Input));
        Program {
            constant_steps,
            steps,
            inputs: inputs.map(|(id, node)| port(&node.name, Value::first(id))).collect(),
            outputs: graph.outputs().map(|(name, value)| port(name, value)).collect(),
            updates_parameters: graph.nodes().iter().any(Node::updates_statistics),
            space: self.space,
            program_bytes: self.program_words * 4,
            arena_bytes: self.arena_words * 4,
        }
    }

    /// What is overwritten or updated is written only; what a node writes comes in the order outputs, updated inputs,
    /// workspace.
    fn step(&self, graph: &Graph, buffers: &Buffers, id: NodeId, node: &Node, kernel: Kernel) -> Step {
        let Source::Operator(operator) = &node.source else { unreachable!("only operators have kernels") };
        let place = |value: Value| self.buffers[buffers.index_of(value)];
        let updates = operator.updates();
        let overwritten = buffers.overwrites[id.index()];
        let is_read = |input: &usize| !updates.contains(input) && overwritten != Some(*input);
        let reads: Vec<Place> = (0..node.inputs.len()).filter(is_read).map(|input| place(node.inputs[input])).collect();
        let outputs = (0..node.outputs.len()).map(|output| place(Value { node: id, output }));
        let updated = updates.iter().map(|&input| place(node.inputs[input]));
        let writes: Vec<Place> = outputs.chain(updated).chain(self.workspaces[id.index()]).collect();

        let input_bytes: usize = node.inputs.iter().map(|&input| graph.tensor_type(input).bytes()).sum();
        let output_bytes: usize = node.outputs.iter().map(|of| of.bytes()).sum();
        let row = PlanRow {
            node: node.name.clone(),
            kernel: kernel.name,
            inputs: node.inputs.iter().map(|&input| graph.shape(input).clone()).collect(),
            outputs: node.outputs.iter().map(|of| of.shape.clone()).collect(),
            bytes: input_bytes + output_bytes,
            multiply_adds: kernel.multiply_adds,
            workspace_bytes: kernel.workspace.unwrap_or(0) * 4,
            in_place: overwritten.is_some(),
        };
        Step { kernel, reads: reads.into(), writes: writes.into(), row }
    }
}

/// Whether the system would give so much memory. Asked before it is taken, where a refusal ends the program.
fn can_be_had(words: usize) -> Result<(), GraphError> {
    let mut probe: Vec<f32> = Vec::new();
    let refused = probe.try_reserve_exact(words).is_err();
    // Otherwise the compiler leaves out memory that nobody looks at, and with it the question.
    std::hint::black_box(&probe);
    if refused { Err(GraphError::Memory { bytes: words.saturating_mul(4) }) } else { Ok(()) }
}

/// Where each buffer lies, now that it is known which inputs are packed: what only they and constant nodes read need not
/// outlive the making of constants.
fn homes(graph: &Graph, buffers: &Buffers, kernels: &[Option<Kernel>]) -> Vec<Home> {
    let mut read_by_runs = vec![false; buffers.buffers.len()];
    for ((id, node), kernel) in graph.ids().zip(kernels) {
        let Some(kernel) = kernel.as_ref().filter(|_| !buffers.constant[id.index()]) else { continue };
        let is_packed = |input: usize| kernel.packings.iter().any(|packing| packing.input == input);
        for (_, &input) in node.inputs.iter().enumerate().filter(|&(i, _)| !is_packed(i)) {
            read_by_runs[buffers.index_of(input)] = true;
        }
    }
    for &(_, output) in &graph.outputs {
        read_by_runs[buffers.index_of(output)] = true;
    }
    let mut homes: Vec<Home> = buffers.buffers.iter().map(|buffer| buffer.home).collect();
    for (id, node) in graph.ids().filter(|(id, _)| buffers.constant[id.index()]) {
        for index in (0..node.outputs.len()).map(|output| buffers.index_of(Value { node: id, output })) {
            if homes[index] == Home::Program && !read_by_runs[index] {
                homes[index] = Home::Arena;
            }
        }
    }
    homes
}

/// Makes the form in which a node reads one of its inputs.
fn packing_step(graph: &Graph, node: &Node, packing: Packing, place: impl Fn(Value) -> Place, packed: Place) -> Step {
    let input = node.inputs[packing.input];
    let row = PlanRow {
        node: format!("{}/pack", node.name),
        kernel: "pack",
        inputs: vec![graph.shape(input).clone()],
        outputs: vec![[packing.words].into()],
        bytes: graph.tensor_type(input).bytes() + packing.words * 4,
        multiply_adds: 0,
        workspace_bytes: 0,
        in_place: false,
    };
    let kernel = Kernel { run: packing.run, ..Kernel::new(row.kernel, |_, _| ()) };
    Step { kernel, reads: [place(input)].into(), writes: [packed].into(), row }
}

fn parameter_place(graph: &Graph, node: NodeId, state: &State) -> Result<Place, GraphError> {
    state.place_of(&graph.node(node).name, graph.shape(Value::first(node)))
}
