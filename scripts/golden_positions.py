#!/usr/bin/env python3
"""Makes crates/models/tests/golden/positions.json: what timm makes of a transformer's positions for pictures of another size.

    python3 scripts/golden_positions.py          # needs torch, torchvision, timm, numpy

Of grids alone (`resample_abs_pos_embed`): number i of the file's positions is sin(0.37 i), float64. Of a network: weights and
picture by the formula of golden_networks.py, at one size, loaded by timm (`checkpoint_filter_fn`) at another; its logits in
float64 but for the resampling, which timm does in float32.
"""
import json
import math
import sys

import timm
import torch
from timm.layers import resample_abs_pos_embed
from timm.models.vision_transformer import checkpoint_filter_fn

import golden_backbones as backbones
import golden_networks as golden

NETWORK = "vit_small_patch16_224"
GRIDS = [(14, 10, 10), (14, 16, 16), (14, 24, 24), (14, 7, 20), (14, 1, 3), (2, 5, 3), (1, 2, 3), (7, 2, 2)]
SIZES = [(64, 96), (96, 32)]  # of the weights, of the picture


def grid(side, rows, columns, numbers=2):
    count = (1 + side * side) * numbers
    positions = torch.tensor([math.sin(0.37 * i) for i in range(count)]).reshape(1, -1, numbers)
    # timm returns a square grid of as many places untouched; none is here.
    resampled = resample_abs_pos_embed(positions, [rows, columns])
    return {"side": side, "to": [rows, columns], "numbers": numbers, "positions": golden.numbers(resampled[0])}


def network(trained, size, seed=1, rows=2, classes=5):
    weights = golden.fill(backbones.network(NETWORK, classes, size=trained), seed).state_dict()
    model = backbones.network(NETWORK, classes, size=size).eval()
    model.load_state_dict(checkpoint_filter_fn(weights, model))
    image, _ = golden.batch(seed, rows, size, classes)
    with torch.no_grad():
        logits = model.double()(image.double())
    return {"trained": trained, "size": size, "seed": seed, "batch": rows, "classes": classes,
            "logits": golden.numbers(logits)}


def main():
    torch.set_num_threads(1)
    versions = {"python": sys.version.split()[0], "torch": torch.__version__, "timm": timm.__version__}
    content = {"made_by": "scripts/golden_positions.py", "versions": versions, "network": NETWORK,
               "grids": [grid(*of) for of in GRIDS], "networks": [network(*of) for of in SIZES]}
    text = json.dumps(content, separators=(",", ":")).replace("},{", "},\n{").replace('"grids"', '\n"grids"')
    (golden.OUT / "positions.json").write_text(text.replace('"networks"', '\n"networks"') + "\n")


if __name__ == "__main__":
    main()
