//! Which values make sense. Types are serde's business, meanings are this file's.

use avizor_base::{ImageSize, ResizeRule};
use avizor_metrics::Metric;
use avizor_models::CUSTOM;

use super::{Freeze, Recipe, Role, Sampler, ScheduleName};

/// Layers that a list of sizes may have, and the size of each.
const MOST_LAYERS: usize = 1 << 10;
const LARGEST_LAYER: usize = 1 << 20;
/// A class is filled up to so many pictures at most: an epoch of a thousand such classes can still be listed in memory.
const MOST_FILLED: usize = 100_000;

/// An option with a value that cannot be meant.
pub(super) struct OutOfRange {
    pub(super) section: &'static str,
    pub(super) option: &'static str,
    pub(super) problem: String,
}

/// The first option that is out of range.
pub(super) fn check(recipe: &Recipe) -> Result<(), OutOfRange> {
    let Recipe { data, split, transforms, balance, model, metadata, train, optimizer, schedule } = recipe;
    within("data", "fraction", data.fraction, 1e-6, 1.0)?;
    within("data", "max_megapixels", data.max_megapixels, 0.001, 4000.0)?;
    ratios(split.ratios)?;
    if split.folds == 1 || split.folds > 1000 {
        return wrong("split", "folds", "must be 0, or between 2 and 1000");
    }
    if !(1..=split.folds.max(1)).contains(&split.fold) {
        return wrong("split", "fold", format!("is {}, but must lie between 1 and split.folds", split.fold));
    }
    if transforms.size.image_size().is_none_or(|size| size.area() > 1 << 24) {
        return wrong("transforms", "size", "is too large; a network's input has at most 16 million pixels");
    }
    if let Some(cover) = transforms.cover {
        let (cover, size) = (cover.image_size(), transforms.size.image_size());
        let holds =
            |(cover, size): (ImageSize, ImageSize)| cover.height() >= size.height() && cover.width() >= size.width();
        if transforms.resize != ResizeRule::Crop {
            return wrong("transforms", "cover", "goes with transforms.resize = \"crop\"");
        }
        if !cover.zip(size).is_some_and(holds) {
            return wrong(
                "transforms",
                "cover",
                "must be at least transforms.size, and a size that a picture may have",
            );
        }
    }
    if transforms.std.iter().flatten().any(|&std| std.is_nan() || std <= 0.0) {
        return wrong("transforms", "std", "must be greater than 0 for every channel");
    }
    within("balance", "threshold", balance.threshold, 1.0, f64::MAX)?;
    below("balance", "effective_beta", balance.effective_beta, 1.0)?;
    if balance.fill > MOST_FILLED {
        return wrong("balance", "fill", format!("is {}, but must be at most 100,000", balance.fill));
    }
    if balance.fill > 0 && balance.sampler == Sampler::Weighted {
        let problem =
            "evens classes out, as balance.sampler = \"weighted\" does: set fill to 0 or the sampler to \"none\"";
        return wrong("balance", "fill", problem);
    }
    below("model", "dropout", model.dropout, 1.0)?;
    sizes("model", "head", &model.head)?;
    sizes("model", "hidden", &model.hidden)?;
    sizes("metadata", "hidden", &metadata.hidden)?;
    let own_layers = OWN_LAYERS.iter().find(|(name, _)| *name == model.name && metadata.role == Role::Ignored);
    if let Some((name, list)) = own_layers.filter(|_| !model.head.is_empty()) {
        return wrong("model", "head", format!("does not go with \"{name}\": list all of its layers in model.{list}"));
    }
    if model.name != CUSTOM.name && !model.layers.is_empty() {
        return wrong("model", "layers", "goes with model.name = \"custom\"");
    }
    if metadata.role != Role::Ignored && data.metadata.is_empty() {
        return wrong("metadata", "role", "needs columns of the table: name them in data.metadata");
    }
    if let Some(other) = metadata.categories.iter().find(|name| !data.metadata.contains(name)) {
        return wrong("metadata", "categories", format!("names \"{other}\", which is no column of data.metadata"));
    }
    if let Some(twice) = data.metadata.iter().enumerate().find(|(at, name)| data.metadata[..*at].contains(name)) {
        return wrong("data", "metadata", format!("names \"{}\" twice", twice.1));
    }
    at_least("train", "epochs", train.epochs, 1)?;
    at_least("train", "batch", train.batch, 1)?;
    if train.batch > 1 << 16 {
        return wrong("train", "batch", "is more than 65,536");
    }
    below("train", "label_smoothing", train.label_smoothing, 1.0)?;
    mixing(recipe)?;
    if train.head_epochs > 0 && model.freeze == Freeze::BACKBONE {
        return wrong(
            "train",
            "head_epochs",
            "goes with a network that learns after them, but model.freeze is \"backbone\"",
        );
    }
    if train.views > 0 && model.freeze != Freeze::BACKBONE && train.head_epochs == 0 {
        let problem = "needs a frozen network: model.freeze = \"backbone\", or train.head_epochs";
        return wrong("train", "views", problem);
    }
    at_least("train", "accumulate", train.accumulate, 1)?;
    within("train", "clip_norm", train.clip_norm, 0.0, f64::MAX)?;
    below("train", "ema", train.ema, 1.0)?;
    selects("train", &train.select.0)?;
    within("optimizer", "lr", optimizer.lr, 0.0, 1e6)?;
    within("optimizer", "head_lr", optimizer.head_lr.unwrap_or(0.0), 0.0, 1e6)?;
    within("optimizer", "layer_decay", optimizer.layer_decay, 1e-3, 1.0)?;
    within("optimizer", "weight_decay", optimizer.weight_decay, 0.0, 1e6)?;
    below("optimizer", "momentum", optimizer.momentum, 1.0)?;
    below("optimizer", "betas", optimizer.betas[0], 1.0)?;
    below("optimizer", "betas", optimizer.betas[1], 1.0)?;
    below("optimizer", "alpha", optimizer.alpha, 1.0)?;
    within("optimizer", "eps", optimizer.eps, 0.0, 1.0)?;
    if optimizer.nesterov && optimizer.momentum == 0.0 {
        return wrong("optimizer", "nesterov", "needs optimizer.momentum above 0");
    }
    within("schedule", "factor", schedule.factor, 1e-6, 1.0)?;
    within("schedule", "min_lr", schedule.min_lr, 0.0, optimizer.lr.max(0.0))?;
    if schedule.name == ScheduleName::OneCycle && schedule.warmup_epochs > 0 {
        return wrong("schedule", "warmup_epochs", "goes with other schedules: onecycle rises by itself");
    }
    at_least("schedule", "patience", schedule.patience, usize::from(schedule.name == ScheduleName::Step))
}

/// Networks whose layers are all listed, and the option that does.
const OWN_LAYERS: [(&str, &str); 2] = [("mlp", "hidden"), (CUSTOM.name, "layers")];

fn sizes(section: &'static str, option: &'static str, layers: &[usize]) -> Result<(), OutOfRange> {
    if layers.iter().any(|size| !(1..=LARGEST_LAYER).contains(size)) {
        return wrong(section, option, "has a layer of size 0, or one of more than a million");
    }
    if layers.len() > MOST_LAYERS {
        return wrong(section, option, "has more than a thousand layers");
    }
    Ok(())
}

fn wrong(section: &'static str, option: &'static str, problem: impl Into<String>) -> Result<(), OutOfRange> {
    Err(OutOfRange { section, option, problem: problem.into() })
}

fn at_least(section: &'static str, option: &'static str, value: usize, least: usize) -> Result<(), OutOfRange> {
    if value >= least { Ok(()) } else { wrong(section, option, format!("is {value}, but must be at least {least}")) }
}

fn within(section: &'static str, option: &'static str, value: f64, low: f64, high: f64) -> Result<(), OutOfRange> {
    if (low..=high).contains(&value) {
        Ok(())
    } else if high >= 1e6 {
        wrong(section, option, format!("is {value}, but must be at least {low}"))
    } else {
        wrong(section, option, format!("is {value}, but must lie between {low} and {high}"))
    }
}

/// What mixes pictures, where it can.
fn mixing(recipe: &Recipe) -> Result<(), OutOfRange> {
    let (train, metadata) = (&recipe.train, &recipe.metadata);
    for (option, alpha) in [("mixup", train.mixup), ("cutmix", train.cutmix)] {
        if alpha == 0.0 {
            continue;
        }
        if !(0.001..=100.0).contains(&alpha) {
            return wrong("train", option, format!("is {alpha}, but must be 0 or lie between 0.001 and 100"));
        }
        let problem = match metadata.role {
            Role::Alone => "mixes pictures, but metadata.role is \"alone\": none is seen",
            Role::Joined => "mixes pictures, but not what metadata.role = \"joined\" puts beside them: leave it at 0",
            Role::Ignored if recipe.model.freeze == Freeze::BACKBONE && train.views > 0 => {
                "mixes pictures as they come, but train.views keeps features of them: set one of the two to 0"
            }
            Role::Ignored => continue,
        };
        return wrong("train", option, problem);
    }
    Ok(())
}

/// In `0..limit`.
fn below(section: &'static str, option: &'static str, value: f64, limit: f64) -> Result<(), OutOfRange> {
    if (0.0..limit).contains(&value) {
        Ok(())
    } else {
        wrong(section, option, format!("is {value}, but must be at least 0 and less than {limit}"))
    }
}

fn ratios(ratios: [f64; 3]) -> Result<(), OutOfRange> {
    let sum: f64 = ratios.iter().sum();
    if ratios.iter().all(|ratio| (0.0..=1.0).contains(ratio)) && ratios[0] > 0.0 && (sum - 1.0).abs() < 1e-6 {
        Ok(())
    } else {
        wrong("split", "ratios", format!("are {ratios:?}, but must be three shares that sum to 1, train above 0"))
    }
}

fn selects(section: &'static str, name: &str) -> Result<(), OutOfRange> {
    let metric = name.strip_prefix("val.").map(str::parse::<Metric>);
    match metric {
        Some(Ok(_)) => Ok(()),
        _ => wrong(
            section,
            "select",
            format!("is \"{name}\", but must be val. and the name of a metric, such as val.loss or val.macro_f1"),
        ),
    }
}
