//! Which parameters learn, and how fast.

use std::collections::{BTreeMap, BTreeSet};

use avizor_engine::{Group, Optimizer, OptimizerKind, State};
use avizor_models::Stages;

use crate::error::TrainError;
use crate::network::NetworkPlan;
use crate::recipe::{Freeze, Frozen, OptimizerName, OptimizerOptions};

/// What of a network learns in a part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Learns {
    /// Its head alone: the last layer and `model.head`, or all that metadata meet.
    Head,
    /// All but what the recipe freezes.
    Network,
}

impl NetworkPlan {
    /// Names of the parameters that learn. Norms that came folded never do.
    ///
    /// # Errors
    /// More stages to freeze than there are below the head.
    pub(crate) fn learning_names(&self, learns: Learns, state: &State) -> Result<BTreeSet<String>, TrainError> {
        let (graph, outputs) = self.training_graph(1)?;
        let stages = Stages::new(&graph, &outputs);
        let below_head = stages.names().len() - 1;
        let frozen_stages = match (learns, self.freeze) {
            (Learns::Head, _) | (_, Freeze::Named(Frozen::Backbone)) => below_head,
            (_, Freeze::Named(Frozen::None)) => 0,
            (_, Freeze::Stages(count)) if count <= below_head => count,
            (_, Freeze::Stages(count)) => {
                return Err(TrainError::Option {
                    option: "model.freeze",
                    problem: format!(
                        "is {count}, but {} has {below_head} stages below its head: {}",
                        self.network.name,
                        stages.names()[..below_head].join("; ")
                    ),
                    help: "freeze fewer, or all of them by \"backbone\"".to_owned(),
                });
            }
        };
        let trainable = stages.trainable(&graph, frozen_stages, self.keeps_norms());
        let names = state.parameters().iter().filter(|parameter| !parameter.is_statistic()).map(|of| &of.name);
        Ok(names.filter(|name| trainable.contains(name)).cloned().collect())
    }

    /// The optimizer over everything that learns.
    ///
    /// # Errors
    /// As [`learning_names`](Self::learning_names).
    pub(crate) fn optimizer(&self, learns: Learns, state: &mut State) -> Result<Optimizer, TrainError> {
        let groups = self.groups(learns, state)?;
        let optimizer = Optimizer::new(kind(&self.optimizer), state, &groups)?;
        Ok(if self.clip_norm > 0.0 { optimizer.clipping(self.clip_norm) } else { optimizer })
    }

    /// What is stepped alike: by stage, and by whether weight decay acts.
    fn groups(&self, learns: Learns, state: &State) -> Result<Vec<Group>, TrainError> {
        let (graph, outputs) = self.training_graph(1)?;
        let stages = Stages::new(&graph, &outputs);
        let options = &self.optimizer;
        let mut groups: BTreeMap<(usize, bool), Vec<String>> = BTreeMap::new();
        for name in self.learning_names(learns, state)? {
            let decays =
                options.decay_bias || state.parameter(&name).is_some_and(|parameter| parameter.shape.len() > 1);
            let stage = if options.layer_decay == 1.0 { 0 } else { stages.of(&name) };
            groups.entry((stage, decays)).or_default().push(name);
        }
        let head = stages.names().len() - 1;
        let group = |((stage, decays), parameters)| Group {
            parameters,
            lr_scale: options.layer_decay.powi((head - stage) as i32),
            weight_decay: if decays { options.weight_decay } else { 0.0 },
        };
        Ok(groups.into_iter().map(group).collect())
    }
}

fn kind(options: &OptimizerOptions) -> OptimizerKind {
    let OptimizerOptions { momentum, nesterov, alpha, eps, betas: [beta1, beta2], .. } = *options;
    match options.name {
        OptimizerName::Sgd => OptimizerKind::Sgd { momentum, dampening: 0.0, nesterov },
        OptimizerName::Adam => OptimizerKind::Adam { beta1, beta2, eps },
        OptimizerName::AdamW => OptimizerKind::AdamW { beta1, beta2, eps },
        OptimizerName::RmsProp => OptimizerKind::RmsProp { alpha, eps, momentum },
    }
}

#[cfg(test)]
mod tests {
    use avizor_base::{ClassList, ImageSize, Preprocess, Seed};

    use super::*;
    use crate::recipe::Recipe;

    fn plan(options: &[&str]) -> (NetworkPlan, State) {
        let mut recipe = Recipe::default();
        let common = ["model.name=resnet18", "optimizer.weight_decay=0.1"];
        recipe.set(common.into_iter().chain(options.iter().copied())).unwrap();
        let classes = ClassList::from_labels(["a", "b"]).unwrap();
        let preprocess = Preprocess::new(ImageSize::new(48, 48).unwrap());
        let plan = NetworkPlan::new(&recipe, &classes, preprocess, None, 3).unwrap();
        let (state, _) = plan.state(Seed(1)).unwrap();
        (plan, state)
    }

    fn learning(learns: Learns, options: &[&str]) -> Vec<String> {
        let (plan, state) = plan(options);
        plan.learning_names(learns, &state).unwrap().into_iter().collect()
    }

    #[test]
    fn what_learns_is_what_is_not_frozen() {
        let all = learning(Learns::Network, &[]);
        assert_eq!(all.len(), 62);
        assert_eq!(learning(Learns::Head, &[]), ["fc.bias", "fc.weight"]);
        assert_eq!(learning(Learns::Network, &["model.freeze=backbone"]), ["fc.bias", "fc.weight"]);
        assert_eq!(learning(Learns::Network, &["model.freeze=0"]), all);
        let upper = learning(Learns::Network, &["model.freeze=2"]);
        let begins = |name: &String, with: &[&str]| with.iter().any(|part| name.starts_with(part));
        assert!(upper.iter().all(|name| begins(name, &["layer2.", "layer3.", "layer4.", "fc."])), "{upper:?}");
        // The stem's three and those of the two blocks of the first stage.
        assert_eq!(upper.len(), 62 - 3 - 12);
    }

    #[test]
    fn metadata_are_of_the_head_and_always_learn() {
        let joined = ["data.metadata=[\"age\"]", "metadata.role=joined", "model.head=[256]"];
        let head = ["head.0.bias", "head.0.weight", "head.3.bias", "head.3.weight", "meta.0.bias", "meta.0.weight"];
        for more in ["model.freeze=backbone", "model.freeze=5"] {
            assert_eq!(learning(Learns::Network, &[&joined[..], &[more]].concat()), head, "{more}");
        }
        assert_eq!(learning(Learns::Head, &joined), head);
        assert_eq!(learning(Learns::Network, &joined).len(), 60 + head.len());
        let alone = [joined[0], "metadata.role=alone", joined[2], "model.freeze=backbone"];
        assert_eq!(learning(Learns::Network, &alone), head);
        let (plan, state) = plan(&[&joined[..], &["optimizer.layer_decay=0.5"]].concat());
        let groups = plan.groups(Learns::Network, &state).unwrap();
        let fastest = groups.iter().find(|group| group.lr_scale == 1.0).unwrap();
        assert_eq!(fastest.parameters, head);
    }

    #[test]
    fn all_layers_of_the_head_learn_as_one_stage() {
        for (name, layer, sizes, count) in [
            ("resnet18", "fc", "[16]", 2),
            ("mobilenet_v2", "classifier.1", "[16, 8]", 3),
            ("squeezenet1_1", "classifier.1", "[16]", 2),
            ("small_cnn", "classifier.3", "[16]", 2),
        ] {
            let options =
                [format!("model.name={name}"), format!("model.head={sizes}"), "optimizer.layer_decay=0.5".into()];
            let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
            let part = |place: usize| [format!("{layer}.{place}.bias"), format!("{layer}.{place}.weight")];
            let head: Vec<String> = (0..count).flat_map(|place| part(3 * place)).collect();
            assert_eq!(learning(Learns::Head, &options), head);
            let (plan, state) = plan(&options);
            let groups = plan.groups(Learns::Network, &state).unwrap();
            let fastest = groups.iter().find(|group| group.lr_scale == 1.0).unwrap();
            assert_eq!(fastest.parameters, head);
            options.push("model.freeze=backbone");
            assert_eq!(learning(Learns::Network, &options), head);
        }
    }

    #[test]
    fn more_stages_than_there_are_are_told() {
        let (plan, state) = plan(&["model.freeze=6"]);
        let error = plan.learning_names(Learns::Network, &state).unwrap_err().to_string();
        let wanted = "model.freeze: is 6, but resnet18 has 5 stages below its head: conv1, bn1, relu; layer1; layer2; \
                      layer3; layer4";
        assert_eq!(error, wanted);
    }

    #[test]
    fn groups_follow_stages_and_dimensions() {
        let (plan, state) = plan(&["optimizer.layer_decay=0.5", "optimizer.decay_bias=false", "model.freeze=1"]);
        let groups = plan.groups(Learns::Network, &state).unwrap();
        let of = |name: &str| groups.iter().find(|group| group.parameters.iter().any(|p| p == name)).unwrap();
        for (name, lr_scale, weight_decay) in [
            ("fc.weight", 1.0, 0.1),
            ("fc.bias", 1.0, 0.0),
            ("layer4.1.conv2.weight", 0.5, 0.1),
            ("layer4.1.bn2.weight", 0.5, 0.0),
            ("layer1.0.conv1.weight", 0.0625, 0.1),
        ] {
            assert_eq!((of(name).lr_scale, of(name).weight_decay), (lr_scale, weight_decay), "{name}");
        }
        assert!(groups.iter().all(|group| !group.parameters.contains(&"conv1.weight".to_owned())));
        let groups = self::plan(&[]).0.groups(Learns::Network, &state).unwrap();
        assert_eq!((groups.len(), groups[0].weight_decay), (1, 0.1));
    }
}
