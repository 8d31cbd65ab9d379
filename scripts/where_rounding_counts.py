#!/usr/bin/env python3
"""Which roundings set how far a network's float32 is from float64?

    python3 scripts/where_rounding_counts.py resnet101 conv1 conv1,layer1 layer3 all
    python3 scripts/where_rounding_counts.py efficientnet_b0        # gates too

The case is that of check_networks.py: its weights, its batch. In PyTorch's float32 the convolutions whose names begin so get exact
sums (float64, rounded once), and logits are compared with float64's. Then the other way round: float64 in which nothing is rounded but
maps, or, where a network has gates, nothing but the sums of a gate's gradient, as crates/kernels/src/gate.rs makes them (blocks of
32 pixels, one after the other in float32).
"""
import argparse
import copy
import statistics

import torch
from torch import nn
from torchvision.ops.misc import SqueezeExcitation

import check_networks as live

BLOCK = 32


class Rounded(torch.autograd.Function):
    @staticmethod
    def forward(_context, x):
        return x.float().double()

    @staticmethod
    def backward(_context, gradient):
        return gradient


class Gated(torch.autograd.Function):
    @staticmethod
    def forward(context, gate, x):
        context.save_for_backward(gate, x)
        return gate * x

    @staticmethod
    def backward(context, dy):
        gate, x = context.saved_tensors
        products = (dy.float() * x.float()).flatten(2).permute(2, 0, 1)
        total = torch.zeros_like(products[0], dtype=torch.float64)
        for block in products.split(BLOCK):
            part = torch.zeros_like(block[0])
            for pixel in block:
                part = part + pixel
            total += part
        return total.float().double()[:, :, None, None], gate * dy


def with_exact_sums(model, prefixes):
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d) and name.startswith(prefixes):
            def forward(x, conv=module, weight=module.weight.detach().double()):
                return nn.functional.conv2d(x.double(), weight, None, conv.stride, conv.padding, conv.dilation, conv.groups).float()
            module.forward = forward
    return model


def with_rounded_maps(model):
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.SiLU)):
            module.register_forward_hook(lambda _module, _inputs, output: Rounded.apply(output))
    return model


def with_rounded_gates(model):
    for module in model.modules():
        if isinstance(module, SqueezeExcitation):
            module.forward = lambda x, gate=module: Gated.apply(gate._scale(x), x)
    return model


def away(got, want):
    return float((got.double() - want).norm() / want.norm())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("prefixes", nargs="*", help="names that convolutions begin with, joined by commas; all")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    row = next(row for row in live.ROWS if row["network"] == arguments.network and not row["smooth"])
    model = live.made(row, arguments.seed).float()
    for module in model.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    image = torch.randn(row["batch"], 3, row["size"], row["size"])
    labels = torch.randint(0, row["classes"], (row["batch"],))

    def of_step(change, dtype):
        """Of a changed copy: inference logits; training logits and statistics; gradients."""
        changed = change(copy.deepcopy(model).to(dtype))
        x = image.to(dtype)
        with torch.no_grad():
            inference = changed.eval()(x)
        logits = changed.train()(x)
        nn.functional.cross_entropy(logits, labels).backward()
        gradients = {name: parameter.grad for name, parameter in changed.named_parameters()}
        moved = [value for name, value in changed.state_dict().items() if "running_" in name]
        return inference, logits.detach(), moved, gradients

    want = of_step(lambda model: model, torch.float64)

    def tell(name, got):
        moved = max((away(a, b) for a, b in zip(got[2], want[2])), default=0.0)
        print(f"| {name} | {away(got[0], want[0]):.1e} | {away(got[1], want[1]):.1e} | {moved:.1e} |", flush=True)

    print("| | logits, inference | training | statistics |\n|---|---|---|---|")
    single = of_step(lambda model: model, torch.float32)
    tell("float32", single)
    for prefixes in arguments.prefixes:
        names = ("",) if prefixes == "all" else tuple(prefixes.split(","))
        tell(f"float32, exact sums in {prefixes}", of_step(lambda model: with_exact_sums(model, names), torch.float32))
    tell("float64, maps rounded", of_step(with_rounded_maps, torch.float64))
    if any(isinstance(module, SqueezeExcitation) for module in model.modules()):
        gates = of_step(with_rounded_gates, torch.float64)
        first = [name for name in want[3] if ".fc1." in name]
        distances = lambda got: statistics.median(away(got[3][name], want[3][name]) for name in first)
        print(f"\ngradients of gates' first layers, median: float32 {distances(single):.1e}, float64 with rounded gate sums "
              f"{distances(gates):.1e}")


if __name__ == "__main__":
    main()
