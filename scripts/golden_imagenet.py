#!/usr/bin/env python3
"""Makes golden files of networks with real ImageNet weights: what PyTorch in float32 says of one made-up picture, and
which class of 1000 it sees in each of some real ones.

    python3 scripts/golden_imagenet.py WEIGHTS PICTURES    # needs torch, torchvision, timm, safetensors, pillow, numpy

WEIGHTS holds the files of `FILES`, PICTURES JPEG files whose names begin with their class. Pictures are prepared as
torchvision does it: the short side resized, the middle cut out. The picture's number at place i (channel by channel) is ((i · 7919) mod 1009) / 504 - 1.
"""
import json
import pathlib
import sys

import safetensors.torch
import torch
from PIL import Image
from torchvision import transforms

import golden_backbones as backbones

ROOT = pathlib.Path(__file__).parent.parent
OUT = ROOT / "crates/models/tests/golden/imagenet_weights.json"
SEEN = ROOT / "crates/predict/tests/golden/imagenet_sample.json"
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
HALVES = ([0.5] * 3, [0.5] * 3)
PREPARED = {  # short side, interpolation, mean and standard deviation
    "efficientnet_lite0": (256, "bicubic", *HALVES),
    "efficientnet_lite1": (256, "bicubic", *HALVES),
    "efficientnet_lite2": (274, "bicubic", *HALVES),
    "mobilenet_v2": (256, "bilinear", *HALVES),
    "resnet50": (256, "bilinear", *IMAGENET),
    "squeezenet1_1": (256, "bilinear", *IMAGENET),
}
FILES = {  # network and side of its pictures, and the file that it was made from where that can be read too
    "efficientnet_lite0": ("tf_efficientnet_lite0", 224, "efficientnet-lite0-57934424.pth"),
    "efficientnet_lite1": ("tf_efficientnet_lite1", 240, "efficientnet-lite1-77cc7160.pth"),
    "efficientnet_lite2": ("tf_efficientnet_lite2", 260, "efficientnet-lite2-9656183e.pth"),
    "mobilenet_v2": ("tf_mobilenet_v2", 224),
    "resnet50": ("resnet50_v1", 224, "resnet50-keras-tfjs/model.json"),
    "squeezenet1_1": ("squeezenet1_1", 224),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    cases = {f"{file}.safetensors": case(folder / f"{file}.safetensors", *of) for file, of in FILES.items()}
    text = json.dumps({"made_by": "scripts/golden_imagenet.py", "cases": cases}, separators=(",", ":"))
    OUT.write_text(text.replace('},"', '},\n"') + "\n")
    pictures = sorted(pathlib.Path(sys.argv[2]).iterdir())
    seen = {f"{file}.safetensors": sample(folder, pictures, file, *of[:2]) for file, of in FILES.items()}
    text = json.dumps({"made_by": "scripts/golden_imagenet.py", "cases": seen}, separators=(",", ":"))
    SEEN.parent.mkdir(parents=True, exist_ok=True)
    SEEN.write_text(text.replace('},"', '},\n"') + "\n")


def sample(folder, pictures, file, network, size):
    short, interpolation, mean, std = PREPARED[file]
    model = loaded(folder / f"{file}.safetensors", network)
    prepare = transforms.Compose([
        transforms.Resize(short, transforms.InterpolationMode(interpolation)),
        transforms.CenterCrop(size),
        transforms.ToTensor(),
        transforms.Normalize(mean, std),
    ])
    with torch.no_grad():
        seen = [int(model(prepare(Image.open(path).convert("RGB"))[None])[0].argmax()) for path in pictures]
    right = sum(int(path.name[:4]) == at for path, at in zip(pictures, seen))
    print(file, right, "of", len(pictures))
    return {"network": network, "size": size, "cover": short, "filter": interpolation, "mean": mean, "std": std,
            "right": right, "seen": seen}


def loaded(file, network):
    model = backbones.network(network, 1000).eval()
    weights = {name: tensor.float() for name, tensor in safetensors.torch.load_file(file).items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
    return model


def case(file, network, size, original=None):
    model = loaded(file, network)
    i = torch.arange(3 * size * size)
    image = ((i * 7919 % 1009) / 504 - 1).reshape(1, 3, size, size)
    with torch.no_grad():
        logits = model(image)[0]
    print(file.name, [round(x, 4) for x in logits[:4].tolist()])
    more = {"original": original} if original else {}
    return {"network": network, "size": size, **more, "norm": round(float(logits.norm()), 4),
            "first": [round(x, 5) for x in logits[:16].tolist()], "top5": logits.topk(5).indices.tolist()}


if __name__ == "__main__":
    main()
