//! From a recipe to a network in memory: its programs and its starting values.

use avizor_base::{ClassList, Preprocess, Seed};
use avizor_engine::{CompileOptions, DType, FrozenNorm, Graph, GraphBuilder, Program, State, Trainable, Value, ops};
use avizor_kernels::{Cpu, Precision};
use avizor_models::{MetadataOptions, MetadataRole, Network, NetworkOptions, Outputs, PlainHead, build_network, find};
use avizor_predict::{NetworkCard, Scorer};

use crate::error::TrainError;
use crate::first_weights::FirstWeights;
use crate::learning::Learns;
use crate::loss::Loss;
use crate::mixing::Mixing;
use crate::recipe::{self, Freeze, OptimizerOptions, Recipe, Role};

/// What a recipe asks for, found and checked.
#[derive(Clone, Debug)]
pub(crate) struct NetworkPlan {
    pub(crate) network: &'static Network,
    pub(crate) options: NetworkOptions,
    pub(crate) preprocess: Preprocess,
    loss: Loss,
    /// How batches are mixed where all of the network learns.
    pub(crate) mixing: Option<Mixing>,
    pub(crate) freeze: Freeze,
    precision: Precision,
    /// Whether answers are means over a picture and its mirror image.
    pub(crate) test_flip: bool,
    pub(crate) optimizer: OptimizerOptions,
    pub(crate) clip_norm: f64,
    weights: Option<FirstWeights>,
}

/// Features that a frozen network makes of a picture every time.
#[derive(Clone, Debug)]
pub(crate) struct ConstantFeatures {
    /// Numbers a picture.
    pub(crate) len: usize,
    head: PlainHead,
}

impl NetworkPlan {
    /// `width` counts the numbers that the metadata become; it means nothing where they are ignored.
    ///
    /// # Errors
    /// No such network.
    pub(crate) fn new(
        recipe: &Recipe,
        classes: &ClassList,
        preprocess: Preprocess,
        weights: Option<FirstWeights>,
        width: usize,
    ) -> Result<Self, TrainError> {
        let model = &recipe.model;
        let metadata = metadata_options(&recipe.metadata, width);
        let options = NetworkOptions { metadata, ..model.network_options(classes.len()) };
        Ok(Self {
            network: find(&model.name)?,
            options,
            preprocess,
            loss: Loss::new(recipe, classes.len()),
            mixing: Mixing::of(&recipe.train),
            freeze: model.freeze,
            precision: recipe.train.precision.into(),
            test_flip: model.test_flip,
            optimizer: recipe.optimizer.clone(),
            clip_norm: recipe.train.clip_norm,
            weights,
        })
    }

    /// What it is called: the network for pictures, and what else is read.
    pub(crate) fn name(&self) -> String {
        match (&self.options.metadata, self.network.name) {
            (None, network) => network.to_owned(),
            (Some(_), network) if self.options.sees_pictures() => format!("{network} + metadata"),
            (Some(_), _) => "metadata alone".to_owned(),
        }
    }

    /// As it is stored with the model.
    pub(crate) fn card(&self) -> NetworkCard {
        NetworkCard::new(self.network.name, &self.options)
    }

    /// The network behind its inputs; no outputs are named.
    fn graph(&self, batch: usize) -> Result<(GraphBuilder, Outputs), TrainError> {
        let mut graph = GraphBuilder::new();
        let outputs = build_network(&mut graph, self.network, &self.options, &self.preprocess, batch)?;
        Ok((graph, outputs))
    }

    /// The graph of a training step on pictures as they are, and what the network left in it.
    pub(crate) fn training_graph(&self, batch: usize) -> Result<(Graph, Outputs), TrainError> {
        let (mut graph, outputs) = self.graph(batch)?;
        self.loss.of_labels(&mut graph, outputs.logits, batch)?;
        Ok((graph.finish()?, outputs))
    }

    /// Features that are the same at every visit of a picture while the head alone learns, where the network has such.
    ///
    /// # Errors
    /// A layer that does not fit.
    pub(crate) fn constant_features(&self) -> Result<Option<ConstantFeatures>, TrainError> {
        let (graph, outputs) = self.graph(1)?;
        let len = graph.shape(outputs.features).last().copied().unwrap_or(0);
        Ok(outputs.plain_head.map(|head| ConstantFeatures { len, head }))
    }

    /// Pictures to features, as the network is in inference.
    ///
    /// # Errors
    /// A layer that does not fit.
    pub(crate) fn backbone_program(&self, batch: usize, cpu: &Cpu, state: &mut State) -> Result<Program, TrainError> {
        let (mut graph, outputs) = self.graph(batch)?;
        graph.output("features", outputs.features);
        Ok(Program::compile(&graph.finish()?, &CompileOptions::infer(), cpu, state)?)
    }

    /// A training step of the head alone, from features.
    ///
    /// # Errors
    /// A layer that does not fit.
    pub(crate) fn head_program(
        &self,
        features: &ConstantFeatures,
        batch: usize,
        cpu: &Cpu,
        state: &mut State,
    ) -> Result<Program, TrainError> {
        let (mut graph, logits) = self.head_graph(features, batch)?;
        self.loss.of_labels(&mut graph, logits, batch)?;
        let options = CompileOptions::train("loss", Trainable::Named(self.learning_names(Learns::Head, state)?));
        Ok(Program::compile(&graph.finish()?, &options, cpu, state)?)
    }

    /// The head for inference, from features.
    ///
    /// # Errors
    /// A layer that does not fit.
    pub(crate) fn head_scorer(
        &self,
        features: &ConstantFeatures,
        batch: usize,
        cpu: &Cpu,
        state: &mut State,
    ) -> Result<Program, TrainError> {
        let (mut graph, logits) = self.head_graph(features, batch)?;
        let probabilities = graph.apply("probabilities", ops::Softmax, &[logits])?;
        graph.output("logits", logits);
        graph.output("probabilities", probabilities);
        Ok(Program::compile(&graph.finish()?, &CompileOptions::infer(), cpu, state)?)
    }

    /// The head behind an input of features, and its logits.
    fn head_graph(&self, features: &ConstantFeatures, batch: usize) -> Result<(GraphBuilder, Value), TrainError> {
        let mut graph = GraphBuilder::new();
        let input = graph.input("features", DType::F32, [batch, features.len]);
        let logits = features.head.build(&mut graph, input, &self.options)?;
        Ok((graph, logits))
    }

    /// Random starting values, and weights from a file where the recipe names one, with what to say of them.
    ///
    /// # Errors
    /// A network that does not fit the size; weights that cannot be read or belong to another network.
    pub(crate) fn state(&self, seed: Seed) -> Result<(State, Option<String>), TrainError> {
        let (graph, outputs) = self.training_graph(1)?;
        let mut state = State::new(&graph);
        state.initialise(seed);
        let Some(weights) = &self.weights else { return Ok((state, None)) };
        let report = if self.options.metadata.is_none() {
            weights.load(&mut state, &outputs.head)?
        } else {
            let options = NetworkOptions { metadata: None, head: Vec::new(), ..self.options.clone() };
            let plain = Self { options, ..self.clone() };
            let (graph, plain_outputs) = plain.training_graph(1)?;
            weights.load_joined(&mut state, &outputs.head, &mut State::new(&graph), &plain_outputs.head)?
        };
        Ok((state, Some(weights.about(&report))))
    }

    /// A training step for batches of one size.
    ///
    /// # Errors
    /// A layer that does not fit.
    pub(crate) fn training_program(
        &self,
        learns: Learns,
        batch: usize,
        cpu: &Cpu,
        state: &mut State,
    ) -> Result<Program, TrainError> {
        let (mut graph, outputs) = self.graph(batch)?;
        match learns {
            Learns::Network if self.mixing.is_some() => self.loss.of_mixed(&mut graph, outputs.logits, batch)?,
            _ => self.loss.of_labels(&mut graph, outputs.logits, batch)?,
        }
        let graph = graph.finish()?;
        let mut options = CompileOptions::train("loss", Trainable::Named(self.learning_names(learns, state)?));
        options.frozen_norm = FrozenNorm::Running;
        options.precision = self.precision;
        Ok(Program::compile(&graph, &options, cpu, state)?)
    }

    /// Whether norms must not take statistics of batches.
    pub(crate) fn keeps_norms(&self) -> bool {
        self.weights.as_ref().is_some_and(FirstWeights::has_folded_norms)
    }

    /// The network for inference.
    ///
    /// # Errors
    /// A layer that does not fit.
    pub(crate) fn scorer(&self, batch: usize, cpu: &Cpu, state: &mut State) -> Result<Scorer, TrainError> {
        let scorer = Scorer::new(self.network, &self.options, &self.preprocess, batch, cpu, state)?;
        Ok(scorer.flipping(self.test_flip))
    }
}

fn metadata_options(metadata: &recipe::Metadata, width: usize) -> Option<MetadataOptions> {
    let role = match metadata.role {
        Role::Ignored => return None,
        Role::Joined => MetadataRole::Joined,
        Role::Alone => MetadataRole::Alone,
    };
    Some(MetadataOptions { width, role, hidden: metadata.hidden.clone() })
}
