//! In training, convolutions do the work of the norms beside them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use avizor_kernels::conv2d::{NormedConv2d, NormedConv2dGrad};

use super::dead_code;
use super::rewrite::{Rewrite, rewrite};
use crate::graph::{Graph, NodeId, Readers, Value};
use crate::operator::Operator;
use crate::ops::{
    BatchNorm, BatchNormApply, BatchNormFused, BatchNormGrad, BatchNormGradSums, BatchNormInputGrad, BatchNormMoments,
    BatchNormStatistics, Conv2d, Conv2dGradInput, Conv2dGradWeight, Conv2dNormed, Conv2dNormedGrad, Norm,
    batch_norm_shape,
};

/// Convolutions that there are kernels for tell the moments that the norm behind them wants. Where nobody else reads what
/// a norm gives, the convolution behind it normalises on load. Both gradients of a convolution become one step, which
/// starts from the gradient of its norm's result and sums what the gradient of the norm before it wants. So neither what
/// a norm makes of a map nor the gradient of a convolution's result is ever written.
pub(super) fn run(graph: &mut Graph) {
    // What other passes left behind would read what is no longer there.
    dead_code::run(graph);
    let plan = Plan::new(graph);
    let mut made = Made::default();
    let Ok(()) = rewrite::<Infallible>(graph, |rewrite, _| {
        let here = rewrite.here();
        Ok(plan.replace(rewrite, here, &mut made))
    });
}

/// What is done at which node of the old graph.
#[derive(Default)]
struct Plan {
    convs: BTreeMap<NodeId, Conv>,
    norms: BTreeMap<NodeId, NormNode>,
    /// The convolution whose gradient a node is, and the norm.
    conv_of: BTreeMap<NodeId, NodeId>,
    norm_of: BTreeMap<NodeId, NodeId>,
}

/// A convolution that there are kernels for.
struct Conv {
    conv: Conv2d,
    /// The gradients of its input and its weight, if one step can give both.
    gradients: Option<[NodeId; 2]>,
    /// The norm before it, if it normalises on load.
    before: Option<NodeId>,
    /// The norm behind it, if nobody but that and its gradient reads what the convolution gives.
    after: Option<NodeId>,
    /// Whether its gradients start from that of the norm's result.
    goes_back_through_norm: bool,
}

/// A norm of which a convolution does some of the work.
struct NormNode {
    norm: BatchNorm,
    residual: bool,
    activation: Norm,
    gradient: Option<NodeId>,
    /// The convolution before it, which tells the moments.
    giver: Option<NodeId>,
    /// The convolution behind it, which normalises on load.
    reader: Option<NodeId>,
}

impl NormNode {
    /// What the gradient that the norm is given has not been through yet: a convolution that normalises on load takes it
    /// through the activation.
    fn activation_behind_gradient(&self) -> Norm {
        if self.reader.is_some() { Norm { activation: None } } else { self.activation }
    }
}

/// Values of the new graph that stand for nothing of the old one.
#[derive(Default)]
struct Made {
    /// Of convolutions: the moments of what they give; and the gradient of the weight.
    moments: BTreeMap<NodeId, Value>,
    weight_gradients: BTreeMap<NodeId, Value>,
    input_gradients: BTreeMap<NodeId, Value>,
    /// Of norms: the sums of their gradients.
    sums: BTreeMap<NodeId, [Value; 4]>,
}

impl Plan {
    fn new(graph: &Graph) -> Self {
        let readers = graph.readers();
        let mut plan = Self::default();
        for (id, node) in graph.ids() {
            if node.operator::<Conv2d>().is_some() {
                plan.convs.extend(conv(graph, &readers, id).map(|conv| (id, conv)));
            }
        }
        for (id, node) in graph.ids() {
            let (norm, residual, activation) = match (node.operator::<BatchNorm>(), node.operator::<BatchNormFused>()) {
                (Some(norm), _) => (*norm, false, None),
                (_, Some(fused)) => (fused.norm, fused.residual, fused.activation),
                _ => continue,
            };
            let gradient = gradient_of_norm(graph, &readers, id);
            let mut norm =
                NormNode { norm, residual, activation: Norm { activation }, gradient, giver: None, reader: None };
            plan.join_giver(graph, &readers, id, &mut norm);
            plan.join_reader(graph, &readers, id, &mut norm);
            if norm.giver.is_some() || norm.reader.is_some() {
                plan.norm_of.extend(norm.gradient.map(|gradient| (gradient, id)));
                plan.norms.insert(id, norm);
            }
        }
        for (&id, conv) in plan.convs.iter().filter(|(_, conv)| conv.is_one_step_back()) {
            plan.conv_of.extend(conv.gradients.iter().flatten().map(|&gradient| (gradient, id)));
        }
        plan
    }

    /// The convolution that a norm reads tells its moments, and starts its own gradients behind the norm.
    fn join_giver(&mut self, graph: &Graph, readers: &Readers, id: NodeId, norm: &mut NormNode) {
        let input = graph.node(id).inputs[0];
        let Some(conv) = self.convs.get_mut(&input.node) else { return };
        let of_input = readers.of(input).unwrap_or(&[]);
        if of_input.is_empty() || of_input.iter().any(|&reader| reader != id && Some(reader) != norm.gradient) {
            return;
        }
        conv.after = Some(id);
        norm.giver = Some(input.node);
        let back = norm.gradient.zip(conv.gradients);
        conv.goes_back_through_norm = back.is_some_and(|(of_norm, [of_input, of_weight])| {
            let from = Value::first(of_norm);
            graph.node(of_input).inputs[0] == from
                && readers.of(from).is_some_and(|of| of.iter().all(|reader| [of_input, of_weight].contains(reader)))
        });
    }

    /// The convolution that reads a norm normalises on load, if nobody else wants what the norm gives.
    fn join_reader(&mut self, graph: &Graph, readers: &Readers, id: NodeId, norm: &mut NormNode) {
        let result = Value::first(id);
        let Some(of_result) = readers.of(result).filter(|_| !norm.residual) else { return };
        let Some(&reader) = of_result.iter().min() else { return };
        let Some(conv) = self.convs.get_mut(&reader).filter(|_| graph.node(reader).inputs[0] == result) else { return };
        let joins = match (norm.gradient, conv.gradients) {
            (None, _) => of_result == [reader],
            (Some(of_norm), Some([of_input, of_weight])) => {
                let from = Value::first(of_input);
                of_result.iter().all(|&other| other == reader || other == of_weight)
                    && readers.of(from) == Some(&[of_norm])
                    && graph.node(of_norm).inputs[1] == from
            }
            (Some(_), None) => false,
        };
        if joins {
            conv.before = Some(id);
            norm.reader = Some(reader);
        }
    }

    /// What stands in the place of a node.
    fn replace(&self, rewrite: &mut Rewrite<'_>, here: NodeId, made: &mut Made) -> Option<Vec<Value>> {
        if let Some(conv) = self.convs.get(&here).filter(|conv| conv.before.is_some() || conv.after.is_some()) {
            return Some(self.forward(rewrite, here, conv, made));
        }
        if let Some(norm) = self.norms.get(&here) {
            return Some(statistics(rewrite, here, norm, made));
        }
        if let Some(of) = self.norm_of.get(&here) {
            return self.gradient_of_norm(rewrite, here, &self.norms[of], made);
        }
        let of = *self.conv_of.get(&here)?;
        let conv = &self.convs[&of];
        let [of_input, _] = conv.gradients?;
        if !made.input_gradients.contains_key(&of) {
            self.backward(rewrite, of, of_input, conv, made);
        }
        Some(vec![if of_input == here { made.input_gradients[&of] } else { made.weight_gradients[&of] }])
    }

    fn forward(&self, rewrite: &mut Rewrite<'_>, id: NodeId, conv: &Conv, made: &mut Made) -> Vec<Value> {
        let node = rewrite.old.node(id);
        let mut inputs = vec![self.source(rewrite, id, conv), rewrite.new_value(node.inputs[1])];
        inputs.extend(conv.before.iter().flat_map(|&norm| line(rewrite, norm)));
        let operator = Conv2dNormed { conv: conv.conv, norm: conv.before.map(|norm| self.norms[&norm].activation) };
        let outputs = append(rewrite, &node.name, operator, &inputs);
        made.moments.insert(id, outputs[1]);
        vec![outputs[0]]
    }

    /// The map that a convolution reads, before its norm if it normalises on load.
    fn source(&self, rewrite: &Rewrite<'_>, id: NodeId, conv: &Conv) -> Value {
        let old = rewrite.old;
        rewrite.new_value(old.node(conv.before.unwrap_or(id)).inputs[0])
    }

    fn gradient_of_norm(
        &self,
        rewrite: &mut Rewrite<'_>,
        here: NodeId,
        norm: &NormNode,
        made: &mut Made,
    ) -> Option<Vec<Value>> {
        let node = rewrite.old.node(here);
        let activation = norm.activation_behind_gradient().activation;
        let id = self.norm_of[&here];
        let is_on_load = norm.giver.is_some_and(|conv| self.convs[&conv].goes_back_through_norm);
        if norm.reader.is_none() && !is_on_load {
            return None;
        }
        let mut inputs: Vec<_> = node.inputs.iter().map(|&old| rewrite.new_value(old)).collect();
        let sums = made.sums.get(&id).copied().unwrap_or_else(|| {
            let outputs = append(rewrite, &node.name, BatchNormGradSums { activation }, &inputs);
            [outputs[0], outputs[1], outputs[2], outputs[3]]
        });
        made.sums.insert(id, sums);
        let [dgamma, dbeta, slope, constant] = sums;
        // On load nobody reads the gradient of the norm's input.
        let mut dx = dgamma;
        if !is_on_load {
            inputs.extend([slope, constant]);
            dx = append(rewrite, &node.name, BatchNormInputGrad { activation }, &inputs)[0];
        }
        Some(vec![dx, dgamma, dbeta])
    }

    /// Both gradients of a convolution; `of_input` is the node that gave that of its input.
    fn backward(&self, rewrite: &mut Rewrite<'_>, id: NodeId, of_input: NodeId, conv: &Conv, made: &mut Made) {
        let old = rewrite.old;
        let after = conv.after.filter(|_| conv.goes_back_through_norm);
        let of_after = after.and_then(|norm| self.norms[&norm].gradient);
        let gradient = of_after.map_or(old.node(of_input).inputs[0], |of_norm| old.node(of_norm).inputs[1]);
        let mut inputs = vec![
            self.source(rewrite, id, conv),
            rewrite.new_value(old.node(id).inputs[1]),
            rewrite.new_value(gradient),
        ];
        inputs.extend(conv.before.iter().flat_map(|&norm| line(rewrite, norm)));
        if let Some(norm) = after {
            let [_, _, slope, constant] = made.sums[&norm];
            inputs.push(rewrite.new_value(Value::first(id)));
            inputs.extend(line(rewrite, norm));
            inputs.extend([slope, constant]);
        }
        let operator = Conv2dNormedGrad {
            conv: conv.conv,
            before: conv.before.map(|norm| self.norms[&norm].activation),
            after: after.map(|norm| self.norms[&norm].activation_behind_gradient()),
        };
        let outputs = append(rewrite, &format!("{}/gradients", old.node(id).name), operator, &inputs);
        made.input_gradients.insert(id, outputs[0]);
        made.weight_gradients.insert(id, outputs[1]);
        if let Some(norm) = conv.before {
            made.sums.insert(norm, [outputs[2], outputs[3], outputs[4], outputs[5]]);
        }
    }
}

impl Conv {
    fn is_one_step_back(&self) -> bool {
        self.gradients.is_some() && (self.before.is_some() || self.goes_back_through_norm)
    }
}

/// Statistics, and the result where somebody wants it.
fn statistics(rewrite: &mut Rewrite<'_>, here: NodeId, norm: &NormNode, made: &Made) -> Vec<Value> {
    let node = rewrite.old.node(here);
    let new: Vec<Value> = node.inputs.iter().map(|&old| rewrite.new_value(old)).collect();
    let moments = norm.giver.map(|conv| made.moments[&conv]);
    let moments = moments.unwrap_or_else(|| append(rewrite, &node.name, BatchNormMoments, &new[..1])[0]);
    let rows = batch_norm_shape(rewrite.old.shape(node.inputs[0])).rows;
    let operator = BatchNormStatistics { norm: norm.norm, rows };
    let saved = append(rewrite, &node.name, operator, &[moments, new[1], new[2], new[3], new[4]]);
    let [mean, inv_std, offset] = saved[..] else { unreachable!("three statistics") };
    // Nobody reads the result that is made on load.
    let mut result = mean;
    if norm.reader.is_none() {
        let mut inputs = vec![new[0], new[1], mean, inv_std, offset];
        inputs.extend(new.get(5));
        let operator = BatchNormApply { residual: norm.residual, activation: norm.activation.activation };
        result = append(rewrite, &node.name, operator, &inputs)[0];
    }
    vec![result, mean, inv_std, offset]
}

/// Weight, mean, 1/σ and offset of a norm.
fn line(rewrite: &Rewrite<'_>, norm: NodeId) -> [Value; 4] {
    let saved = [1, 2, 3].map(|output| rewrite.new_value(Value { node: norm, output }));
    [rewrite.new_value(rewrite.old.node(norm).inputs[1]), saved[0], saved[1], saved[2]]
}

fn append(rewrite: &mut Rewrite<'_>, name: &str, operator: impl Operator, inputs: &[Value]) -> Vec<Value> {
    rewrite.append(name, Arc::new(operator), inputs).expect("the shapes are those of the nodes that it stands for")
}

/// A convolution without bias that there are kernels for.
fn conv(graph: &Graph, readers: &Readers, id: NodeId) -> Option<Conv> {
    let node = graph.node(id);
    let conv = *node.operator::<Conv2d>()?;
    let [x, weight] = node.inputs[..] else { return None };
    let shape = conv.kernel_shape(graph.shape(x), graph.shape(weight));
    let gradients = gradients(graph, readers, id).filter(|_| NormedConv2dGrad::fits(&shape));
    let conv = Conv { conv, gradients, before: None, after: None, goes_back_through_norm: false };
    NormedConv2d::fits(&shape).then_some(conv)
}

/// The gradients of a convolution's input and weight, both from the same gradient.
fn gradients(graph: &Graph, readers: &Readers, id: NodeId) -> Option<[NodeId; 2]> {
    let [x, weight] = graph.node(id).inputs[..] else { return None };
    let is_of_input = |reader: &NodeId| {
        let node = graph.node(*reader);
        node.operator::<Conv2dGradInput>().is_some() && node.inputs[1] == weight
    };
    let [of_input] = readers.of(weight)?.iter().copied().filter(is_of_input).collect::<Vec<_>>()[..] else {
        return None;
    };
    let dy = graph.node(of_input).inputs[0];
    let is_of_weight = |reader: &NodeId| {
        let node = graph.node(*reader);
        node.operator::<Conv2dGradWeight>().is_some() && node.inputs == [x, dy]
    };
    let of_weight = readers.of(dy)?.iter().copied().find(is_of_weight)?;
    Some([of_input, of_weight])
}

/// The gradient of a norm with the batch's statistics.
fn gradient_of_norm(graph: &Graph, readers: &Readers, id: NodeId) -> Option<NodeId> {
    let mean = Value { node: id, output: 1 };
    let is_gradient = |reader: &NodeId| {
        let node = graph.node(*reader);
        node.operator::<BatchNormGrad>().is_some() && node.inputs[3] == mean
    };
    readers.of(mean)?.iter().copied().find(is_gradient)
}
