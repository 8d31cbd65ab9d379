#!/usr/bin/env python3
"""Makes a ResNet-50 of very few channels as TensorFlow.js stores it under Keras's first names, and what the conversion to
torchvision's names must give, computed with numpy.

    python3 scripts/golden_tensorflow_js.py       # needs numpy, safetensors

Number i of tensor t is sin(0.37 i + t). The pieces end inside of tensors, as the real ones do.
"""
import json
import pathlib

import numpy as np
from safetensors.numpy import save_file

OUT = pathlib.Path(__file__).parent.parent / "crates/models/tests/golden/tensorflow_js"
PIECES = 3
CLASSES = 3
# RGB: the mean that Keras's input is without, and torchvision's mean and standard deviation.
CAFFE = np.array([123.68, 116.779, 103.939])
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def layers():
    """(Keras's convolution and norm, torchvision's, kernel in HWIO) of every convolution."""
    yield "conv1", "bn_conv1", "conv1", "bn1", (7, 7, 3, 2)
    inputs = 2
    for stage, blocks in enumerate((3, 4, 6, 3)):
        middle, outputs = 1 + stage % 2, 3 + stage
        for block in range(blocks):
            theirs, ours = f"{stage + 2}{'abcdef'[block]}_branch", f"layer{stage + 1}.{block}"
            kernels = [("2a", (1, 1, inputs, middle)), ("2b", (3, 3, middle, middle)), ("2c", (1, 1, middle, outputs))]
            for number, (branch, kernel) in enumerate(kernels, 1):
                yield f"res{theirs}{branch}", f"bn{theirs}{branch}", f"{ours}.conv{number}", f"{ours}.bn{number}", kernel
            if block == 0:
                names = f"{ours}.downsample.0", f"{ours}.downsample.1"
                yield f"res{theirs}1", f"bn{theirs}1", *names, (1, 1, inputs, outputs)
            inputs = outputs
    assert inputs == 6


def model():
    shapes = {}
    for conv, norm, _, _, kernel in layers():
        for part in ("gamma", "beta", "moving_mean", "moving_variance"):
            shapes[f"{norm}/{part}"] = kernel[3:]
        shapes[f"{conv}/kernel"], shapes[f"{conv}/bias"] = kernel, kernel[3:]
    shapes["fc1000/kernel"], shapes["fc1000/bias"] = (6, CLASSES), (CLASSES,)
    count = lambda shape: np.arange(np.prod(shape), dtype="f8").reshape(shape)
    return {name: np.sin(0.37 * count(shape) + t).astype("f4") for t, (name, shape) in enumerate(shapes.items())}


def converted(theirs):
    ours = {}
    for conv, norm, our_conv, our_norm, _ in layers():
        kernel = theirs[f"{conv}/kernel"].transpose(3, 2, 0, 1)
        mean = theirs[f"{norm}/moving_mean"] - theirs[f"{conv}/bias"]
        if conv == "conv1":
            # k · (bgr - caffe) = k_rgb · (255 (x · std + mean) - caffe), and the norm takes its mean away.
            rgb = kernel[:, ::-1].astype("f8")
            kernel = rgb * (255 * STD)[:, None, None]
            mean = mean - np.einsum("oihw,i->o", rgb, 255 * MEAN - CAFFE)
        ours[f"{our_conv}.weight"] = kernel
        ours[f"{our_norm}.weight"], ours[f"{our_norm}.bias"] = theirs[f"{norm}/gamma"], theirs[f"{norm}/beta"]
        ours[f"{our_norm}.running_mean"], ours[f"{our_norm}.running_var"] = mean, theirs[f"{norm}/moving_variance"]
    ours["fc.weight"], ours["fc.bias"] = theirs["fc1000/kernel"].T, theirs["fc1000/bias"]
    return {name: np.ascontiguousarray(array, "<f4") for name, array in ours.items()}


def main():
    OUT.mkdir(exist_ok=True)
    tensors = model()
    names = [f"group1-shard{n + 1}of{PIECES}.bin" for n in range(PIECES)]
    entries = [{"name": name, "shape": list(array.shape), "dtype": "float32"} for name, array in tensors.items()]
    manifest = [{"paths": names, "weights": entries}]
    text = json.dumps({"format": "layers-model", "modelTopology": {}, "weightsManifest": manifest}, separators=(",", ":"))
    (OUT / "model.json").write_text(text + "\n")
    numbers = b"".join(array.astype("<f4").tobytes() for array in tensors.values())
    size = len(numbers) // PIECES + 2
    for n, name in enumerate(names):
        (OUT / name).write_bytes(numbers[n * size:(n + 1) * size])
    save_file(converted(tensors), OUT / "converted.safetensors")


if __name__ == "__main__":
    main()
