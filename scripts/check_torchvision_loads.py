#!/usr/bin/env python3
"""Do PyTorch's networks take the weights that avizor writes, and get the very numbers?

    python3 scripts/check_torchvision_loads.py            # writes files of the golden formula with cargo, checks them
    python3 scripts/check_torchvision_loads.py model.safetensors   # a ResNet-18 of your own: only that it loads

Loading is `load_state_dict(strict=True)`; the formula's files must hold the formula's numbers bit for bit.
"""
import pathlib
import subprocess
import sys
import tempfile

import torch
import torchvision
from safetensors.torch import load_file

import golden_backbones
import golden_networks

ROOT = pathlib.Path(__file__).parent.parent


def main():
    if len(sys.argv) > 1:
        weights = load_file(sys.argv[1])
        stem = "small" if weights["conv1.weight"].shape[-1] == 3 else "imagenet"
        golden_networks.resnet([2, 2, 2, 2], stem, 64, len(weights["fc.bias"]), False).load_state_dict(weights)
        return print(f"{sys.argv[1]}: loads, {len(weights)} tensors, {len(weights['fc.bias'])} classes")
    networks = {
        "resnet18": torchvision.models.resnet18(),
        "resnet18_small_stem": golden_networks.resnet([2, 2, 2, 2], "small", 64, 10, False),
        **{name: golden_backbones.network(name, 10) for name in golden_backbones.NAMES if name != "resnet18"},
        "small_cnn": golden_networks.SmallCnn(18, 76, False),
        "mlp": torchvision.ops.MLP(8 * 8 * 3, [6, 5, 3]),
    }
    with tempfile.TemporaryDirectory() as folder:
        command = ["cargo", "run", "--quiet", "-p", "avizor-models", "--example", "formula_weights", "--", folder]
        subprocess.run(command, cwd=ROOT, check=True)
        for name, network in networks.items():
            weights = load_file(f"{folder}/{name}.safetensors")
            network.load_state_dict(weights, strict=True)
            got = {key: value.clone() for key, value in network.state_dict().items()}
            want = golden_networks.fill(network, 1).state_dict()
            for key, value in want.items():
                if not torch.equal(value, got[key]):
                    sys.exit(f"{name}: {key} differs")
            print(f"{name}: {len(weights)} tensors load, all equal the formula's")
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}")


if __name__ == "__main__":
    main()
