//! One walk over all operators: their cases, at every level, with and without each pass.

use std::collections::BTreeMap;
use std::sync::Arc;

use avizor_kernels::{Cpu, Level, Precision};

use crate::case::{Case, Part};
use crate::graph::{Graph, Node, Source, Value};
use crate::ops::{self, OPERATORS};
use crate::{
    CompileOptions, DType, GraphError, Initialiser, Mode, Operator, ParameterSpec, Pass, Program, Role, State,
    TensorType, Trainable, evaluate,
};

/// Relative root-mean-square error of a tensor in f32 against its definition.
const TOLERANCE: f64 = 1e-5;
/// The same where maps have 8 binary digits: inputs and results are rounded, and gradients of both.
const TOLERANCE_OF_16_BITS: f64 = 1e-2;
/// Of gradients as graph against central differences of the definition: what f64 and the step leave.
const DIFFERENCES_TOLERANCE: f64 = 1e-6;
const STEP: f64 = 1e-5;

type Values = BTreeMap<String, Vec<f64>>;

/// A case as a graph: the operator's outputs, and if it has a gradient a loss that weighs all of its first.
struct Built {
    graph: Graph,
    options: CompileOptions,
    values: Values,
    trained: Vec<String>,
}

fn build(case: &Case) -> Built {
    build_with(case, |_, value| value)
}

/// With something between the inputs and the operator, and between that and its first output.
fn build_with(case: &Case, between: impl Fn(&mut Graph, Value) -> Value) -> Built {
    let mut graph = Graph::default();
    let mut values = Values::new();
    let mut trained = Vec::new();
    let mut leaf = |graph: &mut Graph, name: String, source: Source, of: TensorType, numbers: Vec<f64>| {
        values.insert(name.clone(), numbers);
        Value::first(graph.push(Node { name, source, inputs: Vec::new(), outputs: vec![of] }))
    };
    let mut inputs = Vec::new();
    for (place, operand) in case.operands.iter().enumerate() {
        let name = format!("operand{place}");
        let parameter = |role| Source::Parameter(ParameterSpec::plain(Initialiser::Constant(0.0), role));
        let source = match operand.part {
            Part::Trained => parameter(Role::Weight),
            Part::Statistic => parameter(Role::Statistic),
            Part::Given => Source::Input,
        };
        if operand.part == Part::Trained {
            trained.push(name.clone());
        }
        let numbers = operand.values(case.name, place);
        let leaf = leaf(&mut graph, name, source, operand.of.clone(), numbers);
        // What is updated must be the parameter itself.
        inputs.push(if operand.part == Part::Statistic { leaf } else { between(&mut graph, leaf) });
    }
    let node = graph.append("node".to_owned(), Arc::clone(&case.operator), &inputs).unwrap();
    // Secondary outputs are what the training form saves; not every form has them.
    let first = between(&mut graph, Value::first(node));
    if graph.tensor_type(first).dtype == DType::F32 {
        graph.outputs.push(("output0".to_owned(), first));
    }
    let n = graph.shape(first).elements();
    let mut options = CompileOptions { mode: Mode::Train, ..CompileOptions::infer() };
    if !trained.is_empty() {
        let weights = crate::case::given(DType::F32, [n, 1]);
        let numbers = weights.values("weights", n);
        let weights = leaf(&mut graph, "weights".to_owned(), Source::Input, weights.of, numbers);
        let row = graph.append("row".to_owned(), Arc::new(ops::Reshape { shape: [1, n].into() }), &[first]).unwrap();
        let loss = graph.append("loss".to_owned(), Arc::new(ops::Linear), &[Value::first(row), weights]).unwrap();
        graph.outputs.push(("loss".to_owned(), Value::first(loss)));
        options = CompileOptions::train("loss", Trainable::All);
    }
    Built { graph, options, values, trained }
}

fn write_values(built: &Built, program: &Program, state: &mut State) {
    for node in built.graph.nodes() {
        let values = built.values.get(&node.name);
        match (&node.source, values) {
            (Source::Parameter(_), Some(values)) => {
                let to = state.get_mut(&node.name).unwrap();
                to.iter_mut().zip(values).for_each(|(to, &from)| *to = from as f32);
            }
            (Source::Input, Some(values)) => match node.outputs[0].dtype {
                DType::F32 => assign(state.input_f32_mut(program, &node.name), values, |v| v as f32),
                DType::U8 => assign(state.input_u8_mut(program, &node.name), values, |v| v as u8),
                DType::I32 => assign(state.input_i32_mut(program, &node.name), values, |v| v as i32),
                DType::Bf16 => unreachable!("inputs are never of 16 bits"),
            },
            _ => {}
        }
    }
}

fn assign<T>(to: &mut [T], from: &[f64], convert: impl Fn(f64) -> T) {
    assert_eq!(to.len(), from.len());
    to.iter_mut().zip(from).for_each(|(to, &from)| *to = convert(from));
}

fn relative_error(got: &[f64], wanted: &[f64]) -> f64 {
    assert_eq!(got.len(), wanted.len());
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let error = square(&mut got.iter().zip(wanted).map(|(got, wanted)| got - wanted));
    let size = square(&mut wanted.iter().copied());
    if size == 0.0 { error.sqrt() } else { (error / size).sqrt() }
}

fn check(what: &str, got: &[f64], wanted: &[f64], tolerance: f64) {
    let error = relative_error(got, wanted);
    let head = |values: &[f64]| values.iter().take(6).copied().collect::<Vec<_>>();
    // Not `error > tolerance`: a NaN must fail.
    assert!(error <= tolerance, "{what}: error {error:.2e}\n got {:?}\n not {:?}", head(got), head(wanted));
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

fn check_program(what: &str, built: &Built, without: Vec<Pass>, cpu: &Cpu) {
    check_compiled(what, built, &CompileOptions { without, ..built.options.clone() }, cpu, TOLERANCE);
}

fn check_compiled(what: &str, built: &Built, options: &CompileOptions, cpu: &Cpu, tolerance: f64) {
    let wanted = evaluate(&built.graph, &built.options, &|name| built.values[name].clone()).unwrap();
    let mut state = State::new(&built.graph);
    let program = Program::compile(&built.graph, options, cpu, &mut state).unwrap();
    write_values(built, &program, &mut state);
    // Twice: what the first run leaves in memory must not matter.
    for _ in 0..2 {
        write_values(built, &program, &mut state);
        program.run(cpu, &mut state);
    }
    for (name, wanted) in wanted.outputs.iter().filter(|(name, _)| *name != "loss") {
        check(&format!("{what}, {name}"), &wide(state.output(&program, name)), wanted, tolerance);
    }
    assert_eq!(wanted.gradients.keys().collect::<Vec<_>>(), built.trained.iter().collect::<Vec<_>>(), "{what}");
    for (name, wanted) in &wanted.gradients {
        let got = wide(state.gradient(name).unwrap());
        check(&format!("{what}, gradient of {name}"), &got, wanted, tolerance);
    }
    for (name, wanted) in &wanted.updated {
        check(&format!("{what}, update of {name}"), &wide(state.get(name).unwrap()), wanted, tolerance);
    }
}

/// Every trained number, or some of many, moved to both sides.
fn check_differences(what: &str, built: &Built) {
    let gradients = evaluate(&built.graph, &built.options, &|name| built.values[name].clone()).unwrap().gradients;
    let forward = CompileOptions { loss: None, ..built.options.clone() };
    for name in &built.trained {
        let n = built.values[name].len();
        let moved: Vec<usize> = (0..n).step_by(n.div_ceil(40)).collect();
        let loss_at = |index: usize, step: f64| {
            let values = |of: &str| {
                let mut values = built.values[of].clone();
                if of == name {
                    values[index] += step;
                }
                values
            };
            evaluate(&built.graph, &forward, &values).unwrap().outputs["loss"][0]
        };
        let differences: Vec<f64> =
            moved.iter().map(|&i| (loss_at(i, STEP) - loss_at(i, -STEP)) / (2.0 * STEP)).collect();
        let got: Vec<f64> = moved.iter().map(|&i| gradients[name][i]).collect();
        check(&format!("{what}, differences of {name}"), &got, &differences, DIFFERENCES_TOLERANCE);
    }
}

#[test]
fn every_operator_agrees_with_its_definition_at_every_level() {
    for level in Level::available() {
        let cpu = Cpu::new(2, level);
        for entry in OPERATORS {
            for case in (entry.cases)() {
                let what = format!("{}, {}, {level}", entry.name, case.name);
                check_program(&what, &build(&case), Vec::new(), &cpu);
            }
        }
    }
}

/// Maps in 16 bits: of all operands and results of four axes, and of their gradients. Windows of one pixel stand around
/// the operator, for what the graph is given and gives stays as it is.
#[test]
fn every_operator_agrees_with_its_definition_in_16_bits() {
    let identity = ops::AvgPool2d { kernel: [1, 1], stride: [1, 1], padding: [0, 0], trailing: [0, 0] };
    let between = |graph: &mut Graph, value: Value| {
        let of = graph.tensor_type(value);
        if of.dtype != DType::F32 || of.shape.len() != 4 {
            return value;
        }
        let name = format!("around {}", graph.nodes.len());
        Value::first(graph.append(name, Arc::new(identity), &[value]).unwrap())
    };
    let is_narrow = |node: &Node| node.outputs.iter().any(|of| of.dtype == DType::Bf16);
    let mut narrow = 0;
    for level in Level::available() {
        let cpu = Cpu::new(2, level);
        for entry in OPERATORS {
            for case in (entry.cases)() {
                let what = format!("{}, {}, {level}", entry.name, case.name);
                let built = build_with(&case, between);
                let options = CompileOptions { precision: Precision::Bf16, ..built.options.clone() };
                check_compiled(&what, &built, &options, &cpu, TOLERANCE_OF_16_BITS);
                let graph = crate::compile::transform(&built.graph, &options).unwrap();
                narrow += graph.nodes().iter().filter(|node| is_narrow(node)).count();
            }
        }
    }
    assert!(narrow > 100, "only {narrow} nodes give maps in 16 bits");
}

#[test]
fn every_operator_agrees_with_its_definition_without_each_pass() {
    let cpu = Cpu::new(1, Level::best());
    for without in Pass::ALL {
        for entry in OPERATORS {
            for case in (entry.cases)() {
                let what = format!("{}, {}, without {without:?}", entry.name, case.name);
                check_program(&what, &build(&case), vec![without], &cpu);
            }
        }
    }
}

#[test]
fn every_gradient_agrees_with_finite_differences() {
    for entry in OPERATORS {
        for case in (entry.cases)() {
            check_differences(&format!("{}, {}", entry.name, case.name), &build(&case));
        }
    }
}

#[test]
fn what_an_operator_refuses_is_told_with_node_and_shapes() {
    for entry in OPERATORS {
        let refusals = (entry.refusals)();
        assert!(!refusals.is_empty(), "{} refuses nothing", entry.name);
        for refusal in refusals {
            let mut graph = Graph::default();
            let leaf = |graph: &mut Graph, of: TensorType| {
                Value::first(graph.push(Node {
                    name: String::new(),
                    source: Source::Input,
                    inputs: vec![],
                    outputs: vec![of],
                }))
            };
            let inputs: Vec<Value> = refusal.inputs.into_iter().map(|of| leaf(&mut graph, of)).collect();
            let error = graph.append("node".to_owned(), refusal.operator, &inputs).unwrap_err();
            assert_eq!(error.to_string(), refusal.says, "{}", entry.name);
        }
    }
}

#[test]
fn an_operator_without_gradient_says_so_only_where_one_is_wanted() {
    let softmax: Arc<dyn Operator> = Arc::new(ops::Softmax);
    let mut case = Case { name: "softmax", operator: softmax, operands: vec![crate::case::trained([2, 3])] };
    let built = build(&case);
    let error = evaluate(&built.graph, &built.options, &|name| built.values[name].clone()).unwrap_err();
    assert_eq!(error, GraphError::NoGradient { node: "node".to_owned(), kind: "softmax" });
    case.operands = vec![crate::case::given(DType::F32, [2, 3])];
    assert!(build(&case).trained.is_empty());
}
