#!/usr/bin/env python3
"""Does avizor compute what torchvision and timm compute, on weights that they write a moment before?

    python3 scripts/check_networks.py [NETWORK ...]      # no NETWORK: all of them; needs torch, torchvision, timm, safetensors
    python3 scripts/check_networks.py --seed 7 resnet18
    python3 scripts/check_networks.py --direct squeezenet1_1    # without Winograd's transforms

Golden files hold what was said once, of weights by a formula. Here every network gets new weights by its own library's
initialisation; scales, shifts and statistics of norms are moved off their trivial values. The library's own savers write them
in the formats that a network's row names, each is read by `load_weights`, all must give the same bits, and then one step of
training is compared with float64: logits in inference and training, loss, every parameter's gradient, running statistics.

A gradient may be three times as far from float64 as PyTorch's in float32 is. How far that is depends on the order of its sums, which
differs between machines too: of six right ways to compute one step of EfficientNet-B0 the farthest was 2.7 times as far as the
nearest in the median gradient, 14 times in one. So three orders are computed (ORDERS), and their root mean square counts. Where a
network has jumps (ReLU, max pooling) the number is chance beyond that, as golden_networks.py explains: there a gradient may also be
as far as the farthest of float64 runs whose convolutions' outputs are disturbed by a millionth, and the network's twin without jumps
(SiLU, average pooling) is held to the first alone. The comparison itself is the test `live` of avizor-models, which this builds and
runs once a row.
"""
import argparse
import copy
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import warnings

import safetensors.torch
import timm
import torch
import torchvision
from torch import nn

import golden_backbones as backbones
import golden_networks as golden

ROOT = pathlib.Path(__file__).parent.parent
BUILD = ["cargo", "test", "--quiet", "--workspace", "--test", "networks", "--no-run", "--message-format=json"]
DRAWS = 8
ORDERS = ["as they come", "pictures in reverse", "without oneDNN"]  # of float32
TWICE = ["pth", "safetensors"]  # what every network is read from


def row(network, size=64, formats=TWICE, twin=True, **more):
    """`twin`: whether it has jumps, so that a twin stands beside it."""
    first = {"network": network, "size": size, "batch": 4, "classes": 10, "stem": "imagenet", "formats": formats,
             "dtype": "float32", "smooth": False, "jumps": twin, **more}
    second = {**first, "smooth": True, "jumps": False, "formats": TWICE}
    return [first, second] if twin else [first]


# Sizes that are no multiples of the networks' strides are there on purpose: TensorFlow's padding depends on them.
ROWS = [row for rows in [
    row("resnet18", formats=[*TWICE, "legacy"]),
    row("resnet18", dtype="float16")[:1],
    row("resnet18", dtype="bfloat16")[:1],
    row("resnet34", formats=[*TWICE, "checkpoint"]),
    row("resnet50", formats=[*TWICE, "parallel"]),
    row("resnet50_v1"),
    row("resnet101"),
    row("mobilenet_v2", formats=[*TWICE, "channels_last"], size=96),
    row("tf_mobilenet_v2", size=70),
    row("mobilenet_v3_large", size=96),
    row("efficientnet_b0", size=96, twin=False),
    row("efficientnet_b0", size=96, twin=False, dtype="float16"),
    row("efficientnet_b1", twin=False),
    row("efficientnet_b2", twin=False),
    row("efficientnet_b3", size=67, twin=False),
    row("tf_efficientnet_lite0", size=65),
    row("tf_efficientnet_lite1", size=96),
    row("tf_efficientnet_lite2", size=66),
    row("convnext_tiny", twin=False, formats=[*TWICE, "legacy"]),
    row("vit_small_patch16_224", size=224, batch=2, twin=False),
    row("vit_small_patch16_224", size=224, batch=2, twin=False, dtype="bfloat16"),
    row("squeezenet1_1", size=67),
    row("squeezenet1_1", size=67, dtype="float64", twin=False, jumps=True),
] for row in rows]


# ---------------------------------------------------------------- weights
def made(row, seed):
    """A network with new weights, none of them trivial, rounded to the type that they are stored in."""
    torch.manual_seed(seed)
    model = backbones.network(row["network"], row["classes"], smooth=row["smooth"], size=row["size"])
    norms = [m for m in model.modules() if isinstance(m, (nn.BatchNorm2d, nn.LayerNorm)) or hasattr(m, "running_var")]
    momenta = [getattr(norm, "momentum", None) for norm in norms]
    for norm in norms:
        norm.momentum = 1.0  # statistics of one batch, so that maps keep their size in inference
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, 0.0, 0.2)
    for name, parameter in model.named_parameters():
        if name.endswith("layer_scale"):
            nn.init.uniform_(parameter, 0.1, 0.4)  # a millionth by itself: the block would hardly be there
        elif name.endswith("bias") and float(parameter.detach().abs().max()) == 0.0:
            nn.init.normal_(parameter, 0.0, 0.1)
    with torch.no_grad():
        # Of many pictures: statistics of a few do not fit others, and maps of deep networks then grow to thousands.
        model.train()(torch.randn(64, 3, row["size"], row["size"]))
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
            if hasattr(norm, "running_var"):
                norm.running_mean += 0.05 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
                norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.9, 1.1)
        dtype = getattr(torch, row["dtype"])
        if dtype == torch.float64:
            return model.double()  # stored so; rounded to float32 by who reads it
        return model.to(dtype).float()


def save(model, row, folder):
    """The files, whose numbers are all the same."""
    state = {name: value.to(getattr(torch, row["dtype"])) if value.is_floating_point() else value
             for name, value in model.state_dict().items()}
    files = []
    for kind in row["formats"]:
        file = f"{kind}.safetensors" if kind == "safetensors" else f"{kind}.pth"
        path = folder / file
        match kind:
            case "safetensors":
                safetensors.torch.save_file({name: value.contiguous() for name, value in state.items()}, path)
            case "pth":
                torch.save(state, path)
            case "legacy":
                torch.save(state, path, _use_new_zipfile_serialization=False)
            case "checkpoint":  # as training scripts of torchvision write one
                optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
                torch.save({"epoch": 3, "model": state, "optimizer": optimizer.state_dict(), "args": {"lr": 0.1}}, path)
            case "parallel":
                torch.save(nn.DataParallel(copy.deepcopy(model)).state_dict(), path)
            case "channels_last":
                torch.save(copy.deepcopy(model).to(memory_format=torch.channels_last).state_dict(), path)
        files.append(file)
    return files


# ---------------------------------------------------------------- what PyTorch says
def in_order(order, model, image, labels):
    """A step in float32, whose sums run in that order."""
    if order == "pictures in reverse":
        inference, logits, *rest = step(model, image.flip(0), labels.flip(0), torch.float32)
        return inference.flip(0), logits.flip(0), *rest
    with torch.backends.mkldnn.flags(enabled=order != "without oneDNN"):
        return step(model, image, labels, torch.float32)


def step(model, image, labels, dtype, disturbed=None):
    """Inference logits before the step; training logits, loss, gradients; statistics after it."""
    model = copy.deepcopy(model).to(dtype).eval()
    with torch.no_grad():
        inference = None if disturbed else model(image.to(dtype))
    if disturbed:
        disturb(model, disturbed)
    logits = model.train()(image.to(dtype))
    loss = nn.functional.cross_entropy(logits, labels)
    loss.backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    statistics = {name: value for name, value in model.state_dict().items() if "running_" in name}
    return inference, logits.detach(), loss.detach(), gradients, statistics


def disturb(model, seed):
    generator = torch.Generator().manual_seed(seed)

    def hook(_module, _inputs, output):
        unit = torch.randn(output.shape, generator=generator, dtype=output.dtype)
        return output + golden.DISTURBANCE * output.detach().std() * unit
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(hook)


def measure(row, seed, folder):
    model = made(row, seed)
    files = save(model, row, folder)
    model = model.float()
    image = torch.randn(row["batch"], 3, row["size"], row["size"])
    labels = torch.randint(0, row["classes"], (row["batch"],))
    inference, logits, loss, exact, statistics = step(model, image, labels, torch.float64)
    singles = [in_order(order, model, image, labels) for order in ORDERS]
    draws = [step(model, image, labels, torch.float64, 1000 + draw)[3] for draw in range(DRAWS if row["jumps"] else 0)]
    bounds = {}
    for name, gradient in exact.items():
        measure = float(gradient.norm())
        if measure < 1e-9:
            # A norm's shift that another norm of the batch undoes has no gradient but rounding: its scale's measures it.
            measure = float(exact[name.replace("bias", "weight")].norm())
        single = root_mean_square(float((single[3][name] - gradient).norm()) for single in singles)
        most = max([3.0 * single] + [float((draw[name] - gradient).norm()) for draw in draws])
        bounds[name] = {"measure": measure, "most": most / measure, "torch_float32": single / measure}
    expected = {"image": image.permute(0, 2, 3, 1).contiguous(), "labels": labels.to(torch.int32), "loss": loss[None],
                "inference_logits": inference, "logits": logits}
    expected |= {f"gradient.{name}": value.contiguous() for name, value in exact.items()}
    expected |= {f"statistics.{name}": value for name, value in statistics.items()}
    safetensors.torch.save_file(expected, folder / "expected.safetensors")
    case = {key: row[key] for key in ("network", "size", "batch", "classes", "stem", "smooth")}
    (folder / "case.json").write_text(json.dumps({"case": case, "files": files, "bounds": bounds}))
    relative = lambda a, b: float((a.double() - b).norm() / b.norm())
    return {"inference": root_mean_square(relative(single[0], inference) for single in singles),
            "training": root_mean_square(relative(single[1], logits) for single in singles),
            "gradients": {name: bound["torch_float32"] for name, bound in bounds.items()}}


def root_mean_square(numbers):
    return statistics.fmean(number ** 2 for number in numbers) ** 0.5


# ---------------------------------------------------------------- the table
def built():
    """The tests of networks as a program."""
    said = subprocess.run(BUILD, cwd=ROOT, text=True, stdout=subprocess.PIPE, check=True).stdout
    programs = [json.loads(line).get("executable") for line in said.splitlines()]
    return next(program for program in programs if program)


def compare(row, seed, program, is_direct):
    """Whether all is right; prints the row's line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        torchs = measure(row, seed, pathlib.Path(folder))
        environment = {**os.environ, "AVIZOR_LIVE": folder} | ({"AVIZOR_LIVE_DIRECT": "1"} if is_direct else {})
        said = subprocess.run([program, "live::", "--nocapture"], env=environment, text=True, capture_output=True)
    found = re.search(r"measured: (\{.*\})", said.stdout)
    name = f"{row['network']}{', twin' if row['smooth'] else ''}, {row['size']} px"
    if not found:
        print(f"| {name} | not computed |")
        print(said.stdout[-3000:], said.stderr[-3000:], file=sys.stderr)
        return False
    ours = json.loads(found.group(1))
    formats = ", ".join(row["formats"]) + ("" if row["dtype"] == "float32" else f" ({row['dtype']})")
    # Beside jumps a median says which side met more of them.
    times = "" if row["jumps"] else f"{statistics.median(d / torchs['gradients'][n] for n, d in ours['distances'].items()):.2f}"
    print(f"| {name} | {formats} | {ours['inference']:.1e} ({torchs['inference']:.1e}) "
          f"| {ours['training']:.1e} ({torchs['training']:.1e}) "
          f"| {ours['gradient']:.1e} ({max(torchs['gradients'].values()):.1e}) | {times} | {ours['share']:.2f} |", flush=True)
    for wrong in ours["wrong"]:
        print(f"{name}: {wrong}", file=sys.stderr)
    return said.returncode == 0 and not ours["wrong"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", metavar="NETWORK")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--program", help="the tests of networks, where they are built already")
    parser.add_argument("--direct", action="store_true", help="convolve without Winograd's transforms")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # small work on a busy machine
    warnings.filterwarnings("ignore", message="TF32 acceleration")  # said when oneDNN is switched
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, timm {timm.__version__}, "
          f"safetensors {safetensors.__version__}, Python {platform.python_version()}, seed {arguments.seed}\n")
    print("| network | read from | logits, inference (PyTorch) | training (PyTorch) | worst gradient (PyTorch) "
          "| median gradient, times PyTorch's | largest share of its bound |")
    print("|---|---|---|---|---|---|---|")
    chosen = [row for row in ROWS if not arguments.networks or row["network"] in arguments.networks]
    program = arguments.program or built()
    right = [compare(row, arguments.seed, program, arguments.direct) for row in chosen]
    if not all(right):
        sys.exit(f"{right.count(False)} of {len(right)} rows are wrong")


if __name__ == "__main__":
    main()
