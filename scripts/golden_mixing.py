#!/usr/bin/env python3
"""Makes the golden file of mixed batches: what torchvision's MixUp and CutMix make of pictures, and PyTorch's loss of them.

    python3 scripts/golden_mixing.py > crates/train/tests/golden/mixing.json      # needs torch, torchvision

Pictures and logits are computed, so the file holds what comes out alone. What the transforms draw is given to them: the share of a
picture itself, and the centre of the rectangle.
"""
import json
import math
from unittest import mock

import torch
import torchvision
from torch.nn import functional
from torchvision.transforms import v2


def pictures(batch, height, width):
    numbers = torch.arange(batch * height * width * 3) * 37 % 256
    return numbers.reshape(batch, height, width, 3).permute(0, 3, 1, 2).double()


def logits(batch, classes):
    return torch.tensor([[2.0 * math.sin(0.37 * (row * classes + c)) for c in range(classes)] for row in range(batch)],
                        dtype=torch.float64, requires_grad=True)


def case(kind, share, centre, size, labels, classes, smoothing=0.0, weights=None):
    height, width = size
    transform = {"mixup": v2.MixUp, "cutmix": v2.CutMix}[kind](alpha=1.0, num_classes=classes)
    places = iter([centre[1], centre[0]])  # columns are drawn first
    draws = {"sample": lambda shape: torch.tensor(share, dtype=torch.float64)}
    with mock.patch.object(transform, "_dist", mock.Mock(**{"sample.side_effect": draws["sample"]})), \
            mock.patch("torch.randint", lambda *_, **__: torch.tensor([next(places)])):
        mixed, soft = transform(pictures(len(labels), height, width), torch.tensor(labels))
    scores = logits(len(labels), classes)
    weight = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    loss = functional.cross_entropy(scores, soft.double(), weight, label_smoothing=smoothing)
    loss.backward()
    rounded = lambda values: [float(f"{value:.9g}") for value in values.flatten().tolist()]
    return {"kind": kind, "share": share, "centre": centre, "size": size, "labels": labels, "classes": classes,
            "label_smoothing": smoothing, "class_weights": weights, "pictures": rounded(mixed.permute(0, 2, 3, 1)),
            "loss": loss.item(), "gradient": rounded(scores.grad)}


CASES = [
    case("mixup", 0.3, [0, 0], [3, 2], [1, 0, 2], 3),
    case("mixup", 0.75, [0, 0], [2, 3], [3, 1, 1, 0], 4, 0.1, [0.5, 2.0, 1.0, 0.25]),
    case("mixup", 0.5, [0, 0], [2, 2], [1], 2, 0.05),
    case("cutmix", 0.4, [2, 3], [5, 6], [1, 0, 2], 3, 0.1),
    case("cutmix", 0.1, [0, 5], [4, 6], [0, 1], 2, 0.0, [0.75, 1.5]),
    case("cutmix", 0.99, [1, 1], [4, 4], [2, 0], 3, 0.2, [1.0, 2.0, 3.0]),
]

lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in CASES)
versions = json.dumps({"torch": torch.__version__, "torchvision": torchvision.__version__})
print(f'{{"made_by": "scripts/golden_mixing.py", "versions": {versions}, "cases": [\n{lines}\n]}}')
