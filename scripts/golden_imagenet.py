#!/usr/bin/env python3
"""Makes a golden file of networks with real ImageNet weights: what PyTorch in float32 says of one made-up picture.

    python3 scripts/golden_imagenet.py FOLDER       # needs torch, torchvision, timm, safetensors, numpy

FOLDER holds the files of `FILES`. The picture's number at place i (channel by channel) is ((i · 7919) mod 1009) / 504 - 1.
"""
import json
import pathlib
import sys

import safetensors.torch
import torch

import golden_backbones as backbones

OUT = pathlib.Path(__file__).parent.parent / "crates/models/tests/golden/imagenet_weights.json"
FILES = {  # network and side of its pictures, and the file that it was made from where that can be read too
    "efficientnet_lite0": ("tf_efficientnet_lite0", 224, "efficientnet-lite0-57934424.pth"),
    "efficientnet_lite1": ("tf_efficientnet_lite1", 240, "efficientnet-lite1-77cc7160.pth"),
    "efficientnet_lite2": ("tf_efficientnet_lite2", 260, "efficientnet-lite2-9656183e.pth"),
    "mobilenet_v2": ("tf_mobilenet_v2", 224),
    "resnet50": ("resnet50_v1", 224),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    cases = {f"{file}.safetensors": case(folder / f"{file}.safetensors", *of) for file, of in FILES.items()}
    text = json.dumps({"made_by": "scripts/golden_imagenet.py", "cases": cases}, separators=(",", ":"))
    OUT.write_text(text.replace('},"', '},\n"') + "\n")


def case(file, network, size, original=None):
    model = backbones.network(network, 1000).eval()
    weights = {name: tensor.float() for name, tensor in safetensors.torch.load_file(file).items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
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
