//! Networks as graphs, and graphs as programs: shapes, autodiff, passes, memory plan, kernels, optimizers.
//!
//! A [`GraphBuilder`] writes a [`Graph`]; [`Program::compile`] turns it into a flat list of steps for one purpose; a
//! [`State`] holds parameters, gradients, inputs and outputs by name, for several programs at once. Batch sizes are
//! fixed when a graph is built. Knows nothing of particular networks, of files or of pictures.
//!
//! ```
//! use avizor_base::Seed;
//! use avizor_engine::{CompileOptions, DType, GraphBuilder, ParameterSpec, Program, State, ops};
//! use avizor_kernels::{Cpu, Level};
//!
//! let mut graph = GraphBuilder::new();
//! let features = graph.input("features", DType::F32, [2, 3]);
//! let weight = graph.parameter("fc.weight", [3, 5], ParameterSpec::LINEAR_WEIGHT);
//! let bias = graph.parameter("fc.bias", [5], ParameterSpec::bias(3));
//! let logits = graph.apply("fc", ops::Linear, &[features, weight, bias])?;
//! graph.output("logits", logits);
//! let graph = graph.finish()?;
//!
//! let cpu = Cpu::new(2, Level::best());
//! let mut state = State::new(&graph);
//! state.initialise(Seed(42));
//! let program = Program::compile(&graph, &CompileOptions::infer(), &cpu, &mut state)?;
//! state.input_f32_mut(&program, "features").fill(0.0);
//! program.run(&cpu, &mut state);
//! assert_eq!(state.output(&program, "logits")[..5], *state.get("fc.bias").unwrap());
//! # Ok::<(), avizor_engine::GraphError>(())
//! ```

mod accumulator;
mod autodiff;
mod average;
mod builder;
#[cfg(test)]
mod case;
mod checkpoint;
mod compile;
mod compile_options;
mod definition;
mod error;
mod graph;
mod initialise;
mod lower;
mod memory_use;
mod name_hash;
mod operator;
#[cfg(test)]
mod operator_tests;
pub mod ops;
mod optimizer;
mod parameter;
mod passes;
mod plan;
mod plan_table;
mod program;
mod state;
mod tensor_type;

pub use accumulator::Accumulator;
pub use autodiff::GradientSite;
pub use average::Average;
pub use builder::GraphBuilder;
pub use checkpoint::NamedArray;
pub use compile_options::{CompileOptions, FrozenNorm, Mode, Trainable};
pub use definition::{Evaluation, evaluate};
pub use error::{GraphError, ShapeError, StateError};
pub use graph::{Graph, Node, NodeId, Source, Value};
pub use memory_use::MemoryUse;
pub use operator::{NodePurpose, Operands, Operator, Specialised, Storage, Wide};
pub use optimizer::{Group, Optimizer, OptimizerKind};
pub use parameter::{DiskLayout, Initialiser, ParameterSpec, Role};
pub use passes::Pass;
pub use plan_table::{PlanRow, PlanTable, PlanTimes};
pub use program::Program;
pub use state::{Parameter, State};
pub use tensor_type::{DType, Shape, TensorType};
