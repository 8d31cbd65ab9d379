#!/usr/bin/env python3
"""Makes the golden file of networks that read metadata: what PyTorch in float64 says of them, and how far its float32 is away.

    python3 scripts/golden_fusion.py      # needs torch, torchvision, numpy

Weights, pictures and projections are those of golden_networks.py (see there); metadata are its noise of the name "metadata",
times 1.5. Where gradients are compared, the network below the join has no jumps: SiLU for ReLU, average for max pooling.
Dropout is off: random numbers of both sides differ.
"""
import json
import sys

import torch
import torchvision
from torch import nn

import golden_networks as golden

DIRECTIONS = 12  # of golden_networks' 24, the first


class Fused(nn.Module):
    """Linear layers for metadata, joined with the picture's features (or without any), and a head of linear layers."""

    def __init__(self, width, features, hidden, head, classes):
        super().__init__()
        layers, sizes = [], [width, *hidden]
        for inputs, outputs in zip(sizes, sizes[1:]):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.meta = nn.Sequential(*layers)
        layers, sizes = [], [features + sizes[-1], *head]
        for inputs, outputs in zip(sizes, sizes[1:]):
            layers += [nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(0.0)]
        self.head = nn.Sequential(*layers, nn.Linear(sizes[-1], classes))

    def forward(self, features, metadata):
        branch = self.meta(metadata)
        return self.head(branch if features is None else torch.cat([features, branch], 1))


class Network(nn.Module):
    def __init__(self, case):
        super().__init__()
        self.joined = case["role"] == "joined"
        features = 0
        if self.joined:
            self.body = golden.build(case)
            features, self.body.fc = self.body.fc.in_features, nn.Identity()
        self.fused = Fused(case["metadata"], features, case["hidden"], case["head"], case["classes"])

    def forward(self, image, metadata):
        return self.fused(self.body(image) if self.joined else None, metadata)

    def parts(self):
        return [self.body, self.fused] if self.joined else [self.fused]


def step(case, dtype):
    """Logits in inference before the step; logits, loss and gradients in training."""
    network, seed = Network(case), case["seed"]
    for part in network.parts():  # each by itself: names are those without body. and fused.
        golden.fill(part, seed)
    network = network.to(dtype).eval()
    image, labels = golden.batch(seed, case["batch"], case["size"], case["classes"])
    image, metadata = image.to(dtype), golden.tensor(seed, "metadata", (case["batch"], case["metadata"]), 1.5).to(dtype)
    with torch.no_grad():
        inference = network(image, metadata)
    logits = network.train()(image, metadata)
    loss = nn.functional.cross_entropy(logits, labels)
    loss.backward()
    gradients = {name: p.grad for part in network.parts() for name, p in part.named_parameters()}
    return inference, logits.detach(), loss.item(), gradients


def seen(value):
    return [golden.short(v) for v in golden.projections(value)[:DIRECTIONS]]


def measure(case):
    inference, logits, loss, gradients = step(case, torch.float64)
    single = step(case, torch.float32)
    relative = lambda a, b: golden.short(float((a.double() - b.double()).norm() / b.double().norm()), 3)
    out = {"case": case, "inference_logits": golden.numbers(inference), "logits": golden.numbers(logits),
           "torch_float32_logits": relative(single[1], logits), "loss": golden.short(loss, 12)}
    said = f"{case['name']}: torch float32: logits {out['torch_float32_logits']}, loss {loss:.6f}"
    if case["smooth"]:
        out["gradients"] = rows = {}
        for name, value in gradients.items():
            norm, want, got = float(value.norm()), golden.projections(value), golden.projections(single[3][name])
            # A norm's shift that another norm of the batch undoes has no gradient but rounding: its scale's measures it.
            by = norm if norm > 1e-9 else float(gradients[name.replace("bias", "weight")].norm())
            away = golden.distance(got[:DIRECTIONS], want[:DIRECTIONS], by)
            rows[name] = {"norm": golden.short(by), "torch_float32": golden.short(away, 3), "projections": seen(value)}
        worst = max(rows, key=lambda name: rows[name]["torch_float32"])
        said += f", worst gradient {rows[worst]['torch_float32']} ({worst})"
    print(said, flush=True)
    return out


def case(name, role, hidden, head, smooth=True, size=32, width=5):
    return {"name": name, "network": "resnet18", "stem": "small" if smooth else "imagenet", "size": size, "batch": 4,
            "classes": 7, "smooth": smooth, "seed": 1, "role": role, "metadata": width, "hidden": hidden, "head": head}


CASES = [
    case("joined_twin", "joined", [32], [256]),
    case("joined_deep_twin", "joined", [16, 8], [24, 12], width=2),
    case("joined", "joined", [32], [256], smooth=False, size=64),
    case("joined_bare", "joined", [], [], smooth=False, size=64),
    case("alone", "alone", [32], [16]),
]


def main():
    torch.set_num_threads(1)  # small work on a busy machine
    versions = {"python": sys.version.split()[0], "torch": torch.__version__, "torchvision": torchvision.__version__,
                "numpy": golden.np.__version__}
    print(versions)
    content = {"made_by": "scripts/golden_fusion.py", "versions": versions,
               "cases": {entry["name"]: measure(entry) for entry in CASES}}
    text = json.dumps(content, separators=(",", ":"))
    # One parameter or case a line: a change can be read.
    text = text.replace('},"', '},\n"').replace('{"case"', '{\n"case"')
    (golden.OUT / "fusion.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
