#!/usr/bin/env python3
"""Trains a run's recipe again in PyTorch, on the same split: is our result what the recipe gives?

    python3 scripts/torch_recipe.py runs/2026-11-22-photos-01 --seeds 1,2,3 [--data FOLDER] [--epochs N]

Reads samples.csv (path, class, split) and recipe.toml (resolved) of the run folder. Transforms, optimizer, schedule and
sampler are torchvision's and torch's of the same names; metadata come from the recipe's table. `weights = "imagenet"` is looked for
in the folder AVIZOR_WEIGHTS, under the names of WEIGHTS. Progress goes to standard error; standard output gets a JSON
line a seed, then one with mean and standard deviation of test accuracy. Needs torch, torchvision, Pillow, scikit-learn.
"""
import argparse
import copy
import csv
import json
import math
import os
import pathlib
import statistics
import sys
import time
import tomllib

import numpy as np
import torch
from PIL import Image, ImageOps
from sklearn import metrics
from torch import nn
from torch.nn import functional
from torchvision.transforms import InterpolationMode, v2

import golden_backbones
import golden_networks

WEIGHTS = {"tf_efficientnet_lite0": "efficientnet_lite0", "tf_efficientnet_lite1": "efficientnet_lite1",
           "tf_efficientnet_lite2": "efficientnet_lite2", "resnet50_v1": "resnet50", "tf_mobilenet_v2": "mobilenet_v2",
           "squeezenet1_1": "squeezenet1_1"}
FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}


# ---------------------------------------------------------------- data
def read_samples(run):
    with open(run / "samples.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["class"]]
    classes = sorted({row["class"] for row in rows if row["split"] == "train"})
    return rows, classes


def prepare(path, transforms):
    """Decoded and resized once, as our prepared pictures."""
    if transforms.get("jpeg", "exact") != "exact":
        raise SystemExit("transforms.jpeg is not exact: pictures would not be those that ours were trained on")
    picture = ImageOps.exif_transpose(Image.open(path))
    background = tuple(transforms["background"])
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        below = Image.new("RGBA", picture.size, background + (255,))
        picture = Image.alpha_composite(below, picture)
    picture = picture.convert("RGB")
    size = transforms["size"]
    height, width = (size, size) if isinstance(size, int) else size
    how = FILTERS[transforms["filter"]]
    if transforms["resize"] == "crop":
        picture = ImageOps.fit(picture, (width, height), how)
    elif transforms["resize"] == "pad":
        picture = ImageOps.pad(picture, (width, height), how, color=background)
    else:
        picture = picture.resize((width, height), how)
    return np.asarray(picture).copy()


MISSING = {"", "#N/A", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "na", "nan", "none", "null", "-nan"}


def metadata(root, recipe, rows):
    """A row of numbers a sample, as our encoder makes them: fitted on the training rows."""
    table = root / recipe["data"]["table"]
    with open(table, newline="") as file:
        entries = list(csv.DictReader(file, delimiter="\t" if table.suffix == ".tsv" else ","))
    # The column that names the file holds its path, its name, or its stem.
    by_name = {}
    for entry in entries:
        for value in entry.values():
            by_name.setdefault(value, entry)
    found = [next(by_name[name] for name in (row["path"], pathlib.Path(row["path"]).name, pathlib.Path(row["path"]).stem)
                  if name in by_name) for row in rows]
    train = [entry for entry, row in zip(found, rows) if row["split"] == "train"]
    columns = []
    for column in recipe["data"]["metadata"]:
        known = [entry[column] for entry in train if entry[column].strip() not in MISSING]
        lacks = len(known) < len(train)
        values = [entry[column].strip() for entry in found]
        if column not in recipe["metadata"]["categories"] and all(is_number(value) for value in known):
            numbers = np.array([float(value) for value in known])
            mean, std = numbers.mean(), numbers.std() or 1.0
            columns.append([(float(value) - mean) / std if value not in MISSING else 0.0 for value in values])
            if lacks:
                columns.append([float(value in MISSING) for value in values])
        else:
            levels = sorted(set(known))
            columns += [[float(value == level) for value in values] for level in levels]
            if lacks:
                columns.append([float(value not in levels) for value in values])
    return torch.tensor(columns, dtype=torch.float32).T.contiguous()


def is_number(text):
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


class Pictures(torch.utils.data.Dataset):
    """One part in memory: u8 CHW pictures, augmented when asked for, normalised last."""

    def __init__(self, root, rows, classes, transforms, augment=None, metadata=None):
        pictures = [prepare(root / row["path"], transforms) for row in rows]
        self.pictures = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
        self.labels = torch.tensor([classes.index(row["class"]) for row in rows])
        self.augment = augment
        self.metadata = torch.zeros(len(rows), 0) if metadata is None else metadata
        self.normalise = v2.Normalize(transforms["mean"], transforms["std"])

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        picture = self.pictures[index]
        if self.augment is not None:
            picture = self.augment(picture)
        return self.normalise(picture.float() / 255.0), self.metadata[index], self.labels[index]


# ---------------------------------------------------------------- transforms
def pair(value, centre=None):
    """A number means around the centre, two numbers mean themselves, as in torchvision."""
    if isinstance(value, list):
        return tuple(value)
    return (-value, value) if centre is None else (max(0.0, centre - value), centre + value)


def how(options):
    bilinear = options.get("interpolation", "nearest") == "bilinear"
    return InterpolationMode.BILINEAR if bilinear else InterpolationMode.NEAREST


def warped(options, size, make):
    """torchvision fills with colours only: where the edge goes on outside, the picture is framed first, then cut."""
    fill = options.get("fill", 0)
    if not isinstance(fill, str):
        return make(fill, 1.0)
    frame = [size[1] // 2, size[0] // 2]
    share = [size[1] / (size[1] + 2 * frame[0]), size[0] / (size[0] + 2 * frame[1])]
    edge = v2.Pad(frame, padding_mode="edge" if fill == "nearest" else "reflect")
    return v2.Compose([edge, make(0, min(share)), v2.CenterCrop(size)])


def affine(options, size):
    translate, scale, shear = options.get("translate", [0, 0]), options.get("scale", [1, 1]), options.get("shear", 0)
    return warped(options, size, lambda fill, share: v2.RandomAffine(
        pair(options.get("degrees", 0)), tuple(part * share for part in translate), tuple(scale),
        pair(shear) if shear else None, how(options), fill))


def rotation(options, size):
    return warped(options, size, lambda fill, share: v2.RandomRotation(
        pair(options.get("degrees", 0)), how(options), fill=fill))


class KerasAffine(nn.Module):
    """Keras' rotation, shift, shear and zoom at once, about the centre, bilinear."""

    def __init__(self, options):
        super().__init__()
        self.options = options
        modes = {"nearest": "border", "reflect": "reflection"}
        if options.get("fill_mode", "nearest") not in modes:
            sys.exit("torch_recipe.py knows keras_affine with fill_mode nearest and reflect only")
        self.border = modes[options.get("fill_mode", "nearest")]

    def forward(self, picture):
        option = lambda name: self.options.get(name, 0)
        around = lambda most: float(torch.empty(()).uniform_(-1, 1)) * most
        height, width = picture.shape[-2:]
        turn, shear = (math.radians(around(option(name))) for name in ("rotation_range", "shear_range"))
        down, right = around(option("height_shift_range")) * height, around(option("width_shift_range")) * width
        zoom = option("zoom_range")
        low, high = zoom if isinstance(zoom, list) else (1 - zoom, 1 + zoom)
        scale = [float(torch.empty(()).uniform_(low, high)) for _ in range(2)]
        sine, cosine = math.sin(turn), math.cos(turn)
        matrix = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
        matrix = matrix @ [[1, 0, down], [0, 1, right], [0, 0, 1]]
        matrix = matrix @ [[1, -math.sin(shear), 0], [0, math.cos(shear), 0], [0, 0, 1]]
        matrix = matrix @ [[scale[0], 0, 0], [0, scale[1], 0], [0, 0, 1]]
        centre = np.array([(height - 1) / 2, (width - 1) / 2])
        rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
        places = np.stack([rows - centre[0], columns - centre[1], np.ones_like(rows)], axis=-1) @ matrix.T
        y, x = places[..., 0] + centre[0], places[..., 1] + centre[1]
        grid = torch.from_numpy(np.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], axis=-1)).float()
        moved = functional.grid_sample(picture[None].float(), grid[None], "bilinear", self.border, align_corners=False)
        return moved[0].round().clamp(0, 255).to(torch.uint8)


class GaussianNoise(nn.Module):
    """On u8 pictures; `sigma` in units of the full range."""

    def __init__(self, options):
        super().__init__()
        self.mean, self.sigma = options.get("mean", 0.0), options.get("sigma", 0.1)

    def forward(self, picture):
        noisy = picture.float() / 255.0 + self.mean + self.sigma * torch.randn(picture.shape)
        return (noisy.clamp(0.0, 1.0) * 255.0).round().to(torch.uint8)


def blur(options):
    sigma = options.get("sigma", [0.1, 2.0])
    return v2.GaussianBlur(options.get("kernel_size", 3), tuple(sigma) if isinstance(sigma, list) else sigma)


def jitter(options):
    value = lambda name: tuple(options[name]) if isinstance(options.get(name), list) else options.get(name) or 0
    return v2.ColorJitter(value("brightness"), value("contrast"), value("saturation"), value("hue"))


def erasing(options):
    value = options.get("value", [124, 116, 104])
    if value == "random":
        sys.exit("torch_recipe.py knows no random colour for random_erasing: torchvision has none for bytes")
    return v2.RandomErasing(options.get("p", 0.5), tuple(options.get("scale", (0.02, 0.33))),
                            tuple(options.get("ratio", (0.3, 3.3))), value)


def crop(options, size):
    fill, mode = options.get("fill", 0), {"nearest": "edge", "reflect": "reflect"}
    return v2.RandomCrop(size, options.get("padding", 4), fill=0 if isinstance(fill, str) else fill,
                         padding_mode=mode[fill] if isinstance(fill, str) else "constant")


# Each from its options and the height and width of the picture.
TRANSFORMS = {
    "horizontal_flip": lambda o, size: v2.RandomHorizontalFlip(o.get("p", 0.5)),
    "vertical_flip": lambda o, size: v2.RandomVerticalFlip(o.get("p", 0.5)),
    "rotation": rotation,
    "affine": affine,
    "keras_affine": lambda o, size: KerasAffine(o),
    "color_jitter": lambda o, size: jitter(o),
    "gaussian_blur": lambda o, size: blur(o),
    "gaussian_noise": lambda o, size: GaussianNoise(o),
    "random_crop": crop,
    "random_resized_crop": lambda o, size: v2.RandomResizedCrop(
        size, tuple(o.get("scale", (0.08, 1.0))), tuple(o.get("ratio", (0.75, 1.3333))), antialias=True),
    "random_erasing": lambda o, size: erasing(o),
}
# These have a probability of their own.
OWN_P = {"horizontal_flip", "vertical_flip", "random_erasing"}


def augmentation(entries, size):
    made = []
    for entry in entries:
        options = {name: value for name, value in entry.items() if name != "op"}
        if entry["op"] not in TRANSFORMS:
            sys.exit(f"torch_recipe.py knows no transform {entry['op']!r}; add its torchvision counterpart to TRANSFORMS")
        transform = TRANSFORMS[entry["op"]](options, size)
        if entry["op"] not in OWN_P and options.get("p", 1.0) < 1.0:
            transform = v2.RandomApply([transform], options["p"])
        made.append(transform)
    return v2.Compose(made) if made else None


# ---------------------------------------------------------------- network
def dense_head(inputs, model, classes):
    """Layers of the head in the last layer's place."""
    layers = []
    for size in model["head"]:
        layers += [nn.Linear(inputs, size), nn.ReLU(), nn.Dropout(model["dropout"])]
        inputs = size
    return nn.Sequential(*layers, nn.Linear(inputs, classes))


def network(recipe, classes, width=0):
    model, size = recipe["model"], recipe["transforms"]["size"]
    dropout = model["dropout"]
    if model["name"] in golden_backbones.NAMES or model["name"] in WEIGHTS:
        net = golden_backbones.network(model["name"], classes, model["stem"], dropout=dropout, stochastic_depth=0.2)
        head = net.fc if hasattr(net, "fc") else last_linear(net)
        if model.get("head") and recipe["metadata"]["role"] == "ignored":
            head = dense_head(head.in_features, model, classes)
            if hasattr(net, "fc"):
                net.fc = head
            elif isinstance(net.classifier, nn.Linear):
                net.classifier = head
            else:
                place = len(net.classifier) - 1
                net.classifier[place - 1], net.classifier[place] = nn.Identity(), head
        elif hasattr(net, "fc") and dropout > 0:
            net.fc = nn.Sequential(nn.Dropout(dropout), head)
    elif model["name"] == "small_cnn":
        if not isinstance(size, int):
            sys.exit("small_cnn here wants a square size")
        net = golden_networks.SmallCnn(classes, size, smooth=False)
        net.classifier[0].p = dropout
        if model.get("head"):
            net.classifier[3] = dense_head(net.classifier[3].in_features, model, classes)
        head = net.classifier[3]
    elif model["name"] == "mlp":
        height, width = (size, size) if isinstance(size, int) else size
        layers, inputs = [nn.Flatten()], 3 * height * width
        for hidden in model["hidden"]:
            layers += [nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(dropout)]
            inputs = hidden
        head = nn.Linear(inputs, classes)
        net = nn.Sequential(*layers, head)
    elif model["name"] == "custom":
        net = nn.Sequential(*custom_layers(model["layers"]), nn.LazyLinear(classes))
        height, width = (size, size) if isinstance(size, int) else size
        # Lazy layers take their shapes from the first picture they see, in eval mode: no statistic moves.
        net.eval()(torch.zeros(2, 3, height, width))
        head = net[-1]
    else:
        sys.exit(f"torch_recipe.py knows no network {model['name']!r}")
    if model["weights"] != "none":
        path = model["weights"]
        if path == "imagenet":
            path = str(pathlib.Path(os.environ["AVIZOR_WEIGHTS"]) / f"{WEIGHTS[model['name']]}.safetensors")
        load(net, head, path)
    if model.get("freeze", "none") == "backbone":
        for parameter in net.parameters():
            parameter.requires_grad = any(parameter is own for own in head.parameters())
    if recipe["metadata"]["role"] != "ignored":
        return Joined(recipe, net, width, classes)
    return Ignoring(net)


def custom_layers(entries):
    """Modules of a recipe's list of layers, which says every option."""
    window = lambda o: (o["size"], o["stride"], o["padding"])
    made, row = [], False
    for entry in entries:
        row = row or entry["op"] in ("global_avg_pool", "flatten")
        made.append({
            "conv": lambda o: nn.LazyConv2d(o["out"], o["kernel"], o["stride"], o["padding"], groups=o["groups"], bias=o["bias"]),
            "batch_norm": lambda o: nn.LazyBatchNorm1d() if row else nn.LazyBatchNorm2d(),
            "relu": lambda o: nn.ReLU(), "relu6": lambda o: nn.ReLU6(), "silu": lambda o: nn.SiLU(), "gelu": lambda o: nn.GELU(),
            "sigmoid": lambda o: nn.Sigmoid(), "tanh": lambda o: nn.Tanh(), "softplus": lambda o: nn.Softplus(),
            "hard_sigmoid": lambda o: nn.Hardsigmoid(), "hard_swish": lambda o: nn.Hardswish(),
            "max_pool": lambda o: nn.MaxPool2d(*window(o)), "avg_pool": lambda o: nn.AvgPool2d(*window(o)),
            "global_avg_pool": lambda o: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), "flatten": lambda o: nn.Flatten(),
            "dropout": lambda o: nn.Dropout(o["p"]), "dense": lambda o: nn.LazyLinear(o["out"]),
            "residual": lambda o: Residual(*custom_layers(o["layers"])),
        }[entry["op"]](entry))
    return made


class Residual(nn.Sequential):
    """What its layers make of their input, and the input again."""

    def forward(self, pictures):
        return super().forward(pictures) + pictures


def last_linear(net):
    return [module for module in net.modules() if isinstance(module, nn.Linear)][-1]


class Joined(nn.Module):
    """Our fusion: metadata through layers of their own, beside the features; a head reads both."""

    def __init__(self, recipe, net, width, classes):
        super().__init__()
        options, dropout = recipe["metadata"], recipe["model"]["dropout"]
        self.net, features = None, 0
        if options["role"] == "joined":
            linear = last_linear(net)
            features = linear.in_features
            # What stands before the classes, its dropout too, is the network's own head.
            for name in ("fc", "classifier"):
                if hasattr(net, name):
                    setattr(net, name, nn.Identity())
            if hasattr(net, "drop_rate"):
                net.drop_rate = 0.0
            self.net = net
        self.meta, self.head, sizes = nn.Sequential(), nn.Sequential(), [width, *options["hidden"]]
        for inputs, outputs in zip(sizes, sizes[1:]):
            self.meta.extend([nn.Linear(inputs, outputs), nn.ReLU()])
        sizes = [features + sizes[-1], *recipe["model"].get("head", options.get("head", []))]
        for inputs, outputs in zip(sizes, sizes[1:]):
            self.head.extend([nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout)])
        self.head.append(nn.Linear(sizes[-1], classes))

    def forward(self, pictures, metadata):
        branch = self.meta(metadata)
        return self.head(branch if self.net is None else torch.cat([self.net(pictures), branch], 1))


class Ignoring(nn.Module):
    """A network that sees pictures alone."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, pictures, _):
        return self.net(pictures)


def load(net, head, path):
    from safetensors.torch import load_file
    own = {id(parameter) for parameter in head.parameters()}
    state = load_file(path)
    for name, value in net.state_dict(keep_vars=True).items():
        plain = name.replace("fc.1.", "fc.")
        if plain in state and (state[plain].shape == value.shape or id(value) not in own):
            value.data.copy_(state[plain])


def optimizer(options, net):
    """Over everything that learns; biases and norms in a group without weight decay where the recipe spares them."""
    lr, decay = options["lr"], options["weight_decay"]
    betas, eps = tuple(options["betas"]), options["eps"]
    groups = {}
    for parameter in net.parameters():
        if parameter.requires_grad:
            groups.setdefault(options.get("decay_bias", True) or parameter.dim() > 1, []).append(parameter)
    parameters = [{"params": those, "weight_decay": decay if decays else 0.0} for decays, those in groups.items()]
    return {
        "sgd": lambda: torch.optim.SGD(parameters, lr, options["momentum"], 0.0, decay, options["nesterov"]),
        "adam": lambda: torch.optim.Adam(parameters, lr, betas, eps, decay),
        "adamw": lambda: torch.optim.AdamW(parameters, lr, betas, eps, decay),
        "rmsprop": lambda: torch.optim.RMSprop(parameters, lr, options["alpha"], eps, decay, options["momentum"]),
    }[options["name"]]()


class Rate:
    """Our schedules: by step, plateau by the validation loss of each epoch."""

    def __init__(self, options, start, epochs, per_epoch):
        self.options, self.start, self.per_epoch, self.steps = options, start, per_epoch, epochs * per_epoch
        self.scale, self.best, self.bad = 1.0, math.inf, 0

    def at(self, step):
        o, warmup = self.options, self.options["warmup_epochs"] * self.per_epoch
        if step < warmup:
            return self.start * (step + 1) / warmup
        if o["name"] == "onecycle":
            # torch.optim.lr_scheduler.OneCycleLR: shares of the largest rate at both ends, 30 % of the steps to rise.
            top, wave = 0.3 * self.steps - 1, lambda a, b, share: b + (a - b) * 0.5 * (1.0 + math.cos(math.pi * share))
            if step <= top:
                return wave(self.start / 25, self.start, step / top)
            return wave(self.start, self.start / 25 / 1e4, (step - top) / max(1.0, self.steps - 1 - top))
        if o["name"] == "cosine":
            done = min(1.0, (step - warmup) / max(1, self.steps - warmup))
            return o["min_lr"] + (self.start - o["min_lr"]) * 0.5 * (1.0 + math.cos(math.pi * done))
        scale = {"none": 1.0, "plateau": self.scale,
                 "step": o["factor"] ** ((step - warmup) // self.per_epoch // max(1, o["patience"]))}[o["name"]]
        return max(o["min_lr"], self.start * scale)

    def epoch_ended(self, loss):
        if loss < self.best * (1 - 1e-4):
            self.best, self.bad = loss, 0
        else:
            self.bad += 1
        if self.bad > self.options["patience"]:
            self.scale, self.bad = self.scale * self.options["factor"], 0


# ---------------------------------------------------------------- training
def score(net, part, flips=False):
    """With `flips`, of the mean of what a picture and its mirror image give."""
    net.eval()
    with torch.no_grad():
        batches = torch.utils.data.DataLoader(part, 64)
        logits = torch.cat([(net(pictures, metadata) + net(pictures.flip(3), metadata)) / 2 if flips
                            else net(pictures, metadata) for pictures, metadata, _ in batches])
    predicted, labels = logits.argmax(1).numpy(), part.labels.numpy()
    average = dict(average="macro", zero_division=0)
    return {
        "loss": float(functional.cross_entropy(logits, part.labels)),
        "accuracy": float((predicted == labels).mean()),
        "macro_f1": metrics.f1_score(labels, predicted, **average),
        "macro_precision": metrics.precision_score(labels, predicted, **average),
        "macro_recall": metrics.recall_score(labels, predicted, **average),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
    }


def loader(part, recipe, classes, generator):
    balance, batch = recipe["balance"], min(recipe["train"]["batch"], len(part))
    if balance.get("fill", 0) > 0:
        sys.exit("torch_recipe.py knows no balance.fill")
    counts = torch.bincount(part.labels, minlength=classes)
    present = counts[counts > 0]
    if balance["sampler"] == "weighted" and present.max() >= balance["threshold"] * present.min():
        weights = 1.0 / counts[part.labels].double()
        sampler = torch.utils.data.WeightedRandomSampler(weights, len(part), generator=generator)
    else:
        sampler = torch.utils.data.RandomSampler(part, generator=generator)
    return torch.utils.data.DataLoader(part, batch, sampler=sampler), counts


def mixing(train, classes):
    """Batches mixed in pairs, by one of the ways that the recipe wants."""
    ways = [way(alpha=train[name], num_classes=classes)
            for name, way in (("mixup", v2.MixUp), ("cutmix", v2.CutMix)) if train.get(name, 0.0) > 0]
    return v2.RandomChoice(ways) if ways else None


def follow(average, net, decay):
    """The moving average of parameters and running statistics, a step on."""
    with torch.no_grad():
        for mean, value in zip(average.state_dict().values(), net.state_dict().values()):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)


def fit(recipe, parts, classes, seed, epochs, keep=None):
    torch.manual_seed(seed)
    np.random.seed(seed)
    net = network(recipe, len(classes), parts["train"].metadata.shape[1]).to(memory_format=torch.channels_last)
    step_with = optimizer(recipe["optimizer"], net)
    decay, flips = recipe["train"].get("ema", 0.0), recipe["model"].get("test_flip", False)
    average = copy.deepcopy(net) if decay > 0 else net
    batches, counts = loader(parts["train"], recipe, len(classes), torch.Generator().manual_seed(seed))
    weights = None
    if recipe["balance"]["class_weights"] == "balanced":
        weights = torch.where(counts > 0, counts.sum() / (len(classes) * counts.clamp(min=1)), 0.0).float()
    elif recipe["balance"]["class_weights"] == "effective":
        beta = recipe["balance"]["effective_beta"]
        weights = torch.where(counts > 0, (1 - beta) / (1 - beta ** counts.double()), 0.0)
        weights = (weights / weights.sum() * (counts > 0).sum()).float()
    loss_of = nn.CrossEntropyLoss(weights, label_smoothing=recipe["train"]["label_smoothing"])
    mix = mixing(recipe["train"], len(classes))
    rate = Rate(recipe["schedule"], recipe["optimizer"]["lr"], epochs, len(batches))
    select = recipe["train"]["select"].removeprefix("val.")
    best, step, since, begun = None, 0, 0, 0
    if keep and keep.exists():
        kept = torch.load(keep, weights_only=False)
        net.load_state_dict(kept["net"])
        average.load_state_dict(kept["average"])
        step_with.load_state_dict(kept["optimizer"])
        batches.sampler.generator.set_state(kept["order"])
        torch.set_rng_state(kept["random"])
        rate, best, step, since, begun = (kept[name] for name in ("rate", "best", "step", "since", "begun"))
    for epoch in range(begun, epochs):
        started, losses = time.perf_counter(), []
        net.train()
        for pictures, metadata, labels in batches:
            for group in step_with.param_groups:
                group["lr"] = rate.at(step)
            step_with.zero_grad(set_to_none=True)
            if mix:
                pictures, labels = mix(pictures, labels)
            loss = loss_of(net(pictures.contiguous(memory_format=torch.channels_last), metadata), labels)
            loss.backward()
            step_with.step()
            losses.append(loss.item())
            step += 1
            if decay > 0:
                follow(average, net, min(decay, (1 + step) / (10 + step)))
        val = score(average, parts["val"], flips)
        rate.epoch_ended(val["loss"])
        if select not in val:
            sys.exit(f"torch_recipe.py cannot select by {select!r}; it knows {', '.join(val)}")
        value = -val[select] if select == "loss" else val[select]
        since += 1
        if best is None or value > best[0]:
            best, since = (value, epoch + 1, copy.deepcopy(average.state_dict()), val), 0
        print(f"seed {seed} epoch {epoch + 1}: train loss {statistics.mean(losses):.4f}, val loss {val['loss']:.4f}, "
              f"val accuracy {val['accuracy']:.4f}, {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)
        if keep:
            torch.save({"net": net.state_dict(), "average": average.state_dict(), "optimizer": step_with.state_dict(),
                        "random": torch.get_rng_state(), "order": batches.sampler.generator.get_state(), "rate": rate,
                        "best": best, "step": step, "since": since, "begun": epoch + 1}, keep)
        if recipe["train"]["early_stop"] and since >= recipe["train"]["early_stop"]:
            break
    net.load_state_dict(best[2])
    return net, best[1], best[3]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--data", type=pathlib.Path, help="where the paths of samples.csv begin; default: data.path")
    parser.add_argument("--epochs", type=int, help="other than the recipe's")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep", help="a file a seed (SEED is appended): its state after each epoch, to go on from")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    recipe = tomllib.loads((args.run / "recipe.toml").read_text())
    rows, classes = read_samples(args.run)
    root = args.data or pathlib.Path(recipe["data"].get("path", "."))
    epochs = args.epochs or recipe["train"]["epochs"]
    size = recipe["transforms"]["size"]
    sides = [size, size] if isinstance(size, int) else size
    augment = augmentation(recipe["transforms"].get("train", []), sides)
    transforms, parts = recipe["transforms"], {}
    # What the weights say of themselves stands with the model.
    card = json.loads((args.run / "model" / "model.json").read_text())["preprocess"]
    transforms = {**transforms, "mean": card["mean"], "std": card["std"]}
    numbers = metadata(root, recipe, rows) if recipe["metadata"]["role"] != "ignored" else torch.zeros(len(rows), 0)
    for name in ("train", "val", "test"):
        chosen = [at for at, row in enumerate(rows) if row["split"] == name]
        if chosen:
            parts[name] = Pictures(root, [rows[at] for at in chosen], classes, transforms,
                                   augment if name == "train" else None, numbers[chosen])
    accuracies = []
    for seed in (int(seed) for seed in args.seeds.split(",")):
        started = time.perf_counter()
        keep = pathlib.Path(f"{args.keep}{seed}") if args.keep else None
        net, epoch, val = fit(recipe, parts, classes, seed, epochs, keep)
        out = {"seed": seed, "epochs": epochs, "best_epoch": epoch, "val": val,
               "seconds": round(time.perf_counter() - started, 1)}
        if "test" in parts:
            out["test"] = score(net, parts["test"], recipe["model"].get("test_flip", False)) | {"n": len(parts["test"])}
            accuracies.append(out["test"]["accuracy"])
        print(json.dumps(out), flush=True)
    if accuracies:
        print(json.dumps({"peer": "torch", "version": torch.__version__, "seeds": len(accuracies),
                          "test_accuracy_mean": statistics.mean(accuracies),
                          "test_accuracy_sd": statistics.stdev(accuracies) if len(accuracies) > 1 else None}))


if __name__ == "__main__":
    main()
