"""What torchvision, Pillow and Keras make of pictures, for numbers that are given.

`applied(op, numbers, image)` is used by golden_pictures.py for pictures that a formula makes. Run as a program it makes
references of real pictures, which a test compares with:

    python scripts/transform_references.py PICTURES references [HOW_MANY]
    AVIZOR_REFERENCES=references cargo test --workspace --lib transforms_agree -- --nocapture
"""

import csv
import json
import random
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import ndimage, stats
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F
from torchvision.transforms import v2
from torchvision.transforms.functional import _get_perspective_coeffs

MODES = {"nearest": InterpolationMode.NEAREST, "bilinear": InterpolationMode.BILINEAR}
PADDINGS = {"constant": "constant", "nearest": "edge", "reflect": "symmetric"}


def words(seed, count):
    """The first 32-bit words of avizor's stream for augmentation with keys 0: ChaCha8, RFC 8439's layout."""
    blocks = -(-count // 16)
    key = np.array([seed, 5, 0, 0], dtype="<u8").view("<u4")  # 5: the purpose
    start = np.zeros((16, blocks), dtype=np.uint32)
    start[0:4] = np.frombuffer(b"expand 32-byte k", dtype="<u4")[:, None]
    start[4:12] = key[:, None]
    start[12] = np.arange(blocks)
    state = start.copy()

    def quarter(a, b, c, d):
        for x, y, z, turn in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)]:
            state[x] += state[y]
            state[z] ^= state[x]
            state[z] = (state[z] << np.uint32(turn)) | (state[z] >> np.uint32(32 - turn))

    for _ in range(4):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return (state + start).T.reshape(-1)[:count]


def keras_affine(pixels, degrees, shift, shear, zoom, mode):
    """Keras' apply_affine_transform over rows and columns, order 1; cval 0."""
    theta, sigma = np.deg2rad(degrees), np.deg2rad(shear)
    matrix = np.array([[np.cos(theta), -np.sin(theta), 0], [np.sin(theta), np.cos(theta), 0], [0, 0, 1]])
    matrix = matrix @ np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]])
    matrix = matrix @ np.array([[1, -np.sin(sigma), 0], [0, np.cos(sigma), 0], [0, 0, 1]])
    matrix = matrix @ np.array([[zoom[0], 0, 0], [0, zoom[1], 0], [0, 0, 1]])
    h, w = pixels.shape[:2]
    centre = np.array([[1, 0, h / 2 - 0.5], [0, 1, w / 2 - 0.5], [0, 0, 1]])
    back = np.array([[1, 0, 0.5 - h / 2], [0, 1, 0.5 - w / 2], [0, 0, 1]])
    matrix = centre @ matrix @ back
    channels = [
        ndimage.affine_transform(pixels[:, :, c].astype(np.float64), matrix[:2, :2], matrix[:2, 2], order=1, mode=mode, cval=0.0)
        for c in range(3)
    ]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


def displacement(n, size):
    """What v2.ElasticTransform makes of uniform numbers, which are avizor's."""
    height, width = size
    uniform = words(n["seed"], 2 * height * width).astype(np.float64) / 2**31 - 1
    fields = torch.tensor(uniform.astype(np.float32).reshape(2, 1, 1, height, width))
    parts = []
    for field, alpha, sigma, side in zip(fields, n["alpha"], n["sigma"], (width, height)):
        if sigma > 0:
            kernel = int(8 * sigma + 1)
            kernel += 1 - kernel % 2
            field = v2.functional.gaussian_blur(field, [kernel, kernel], list(n["sigma"]))
        parts.append(field * alpha / side)
    return torch.concat(parts, 1).permute([0, 2, 3, 1])


def elastic(n, image):
    """With fill "nearest" the picture goes on with its edge: torchvision is then given a larger picture."""
    size = image.size[::-1]
    field, mode, margin = displacement(n, size), MODES[n["interpolation"]], 64
    if n["fill"] != "nearest":
        return v2.functional.elastic(image, field, mode, fill=0)
    padded = F.pad(image, [margin] * 4, 0, "edge")
    height, width = padded.size[::-1]
    larger = torch.zeros(1, height, width, 2)
    larger[:, margin:-margin, margin:-margin] = field * torch.tensor([size[1] / width, size[0] / height])
    return F.crop(v2.functional.elastic(padded, larger, mode, fill=0), margin, margin, *size)


def gaussian_noise(n, pixels):
    """v2's formula, with normal numbers from avizor's stream: 16 bits choose one of 8192 equally likely parts."""
    bits = words(n["seed"], 2 * (-(-pixels.size // 4))).view("<u2")[: pixels.size].astype(np.int64)
    quantile = stats.norm.ppf(0.5 + (bits % 4096 + 0.5) / 8192)
    normal = np.where(bits & 4096 == 0, quantile, -quantile).reshape(pixels.shape)
    noise = (n["mean"] * 255 + normal * (n["sigma"] * 255)).astype(np.int16)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def erased(n, image):
    tensor = F.pil_to_tensor(image)
    cover = torch.tensor(n["value"], dtype=torch.uint8).reshape(3, 1, 1)
    return F.to_pil_image(F.erase(tensor, n["top"], n["left"], n["height"], n["width"], cover))


def random_crop(n, image):
    """torchvision's RandomCrop of the picture's own size, by `down` and `right` from the middle."""
    padding = max(abs(n["down"]), abs(n["right"]), 1)
    padded = F.pad(image, [padding] * 4, 0, PADDINGS[n["fill"]])
    return F.crop(padded, padding + n["down"], padding + n["right"], *image.size[::-1])


class Automatic(v2.RandAugment):
    """The one function that v2.RandAugment and v2.TrivialAugmentWide share."""

    def of(self, n, image):
        return self._apply_image_or_video_transform(image, n["change"], n["magnitude"], MODES[n["interpolation"]], self._fill)


OPERATIONS = {
    "horizontal_flip": lambda n, image: F.hflip(image),
    "vertical_flip": lambda n, image: F.vflip(image),
    "rotation": lambda n, image: F.rotate(image, n["degrees"], MODES[n["interpolation"]], fill=n["fill"]),
    "affine": lambda n, image: F.affine(
        image, n["degrees"], list(n["translate"]), n["scale"], list(n["shear"]), MODES[n["interpolation"]], fill=[0, 0, 0]
    ),
    "keras_affine": lambda n, image: keras_affine(
        np.asarray(image), n["degrees"], n["shift"], n["shear"], n["zoom"], n["fill"]
    ),
    "perspective": lambda n, image: F.perspective(
        image, n["from"], n["to"], MODES[n["interpolation"]], fill=[0, 0, 0]
    ),
    "elastic": elastic,
    "random_crop": random_crop,
    "random_resized_crop": lambda n, image: F.resized_crop(
        image, n["top"], n["left"], n["height"], n["width"], list(image.size[::-1])
    ),
    "brightness": lambda n, image: F.adjust_brightness(image, n["factor"]),
    "contrast": lambda n, image: F.adjust_contrast(image, n["factor"]),
    "saturation": lambda n, image: F.adjust_saturation(image, n["factor"]),
    "hue": lambda n, image: F.adjust_hue(image, n["part"]),
    "grayscale": lambda n, image: F.rgb_to_grayscale(image, 3),
    "invert": lambda n, image: F.invert(image),
    "posterize": lambda n, image: F.posterize(image, n["bits"]),
    "solarize": lambda n, image: F.solarize(image, n["threshold"]),
    "autocontrast": lambda n, image: F.autocontrast(image),
    "equalize": lambda n, image: F.equalize(image),
    "sharpness": lambda n, image: F.adjust_sharpness(image, n["factor"]),
    "gaussian_blur": lambda n, image: F.gaussian_blur(image, list(n["kernel_size"]), [n["sigma"]] * 2),
    "gaussian_noise": lambda n, image: gaussian_noise(n, np.asarray(image)),
    "jpeg": lambda n, image: v2.functional.jpeg(image, n["quality"]),
    "random_erasing": erased,
    "rand_augment, trivial_augment_wide": lambda n, image: Automatic().of(n, image),
}


def applied(op, numbers, image):
    """The pixels that the library makes, height x width x 3."""
    return np.asarray(OPERATIONS[op](numbers, image))


def perspective_corners(rng, size, scale):
    """v2.RandomPerspective's draw."""
    height, width = size
    across, down = int(scale * (width // 2)), int(scale * (height // 2))
    near_x, far_x = lambda: rng.randint(0, across), lambda: rng.randint(width - across - 1, width - 1)
    near_y, far_y = lambda: rng.randint(0, down), lambda: rng.randint(height - down - 1, height - 1)
    start = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
    return {"from": start, "to": [[near_x(), near_y()], [far_x(), near_y()], [far_x(), far_y()], [near_x(), far_y()]]}


def magnitudes(kind, bins, size):
    """Change, magnitude, whether its sign is drawn: the space of v2.RandAugment or v2.TrivialAugmentWide."""
    for change, (of, signed) in kind._AUGMENTATION_SPACE.items():
        values = of(bins, *size)
        for value in [0.0] if values is None else [float(value) for value in values]:
            yield change, value, signed


def real_cases(rng, size):
    """Numbers as recipes draw them, for one picture."""
    height, width = size
    u = rng.uniform
    for interpolation in MODES:
        yield "rotation", dict(degrees=u(-45, 45), interpolation=interpolation, fill=[10, 200, 30])
        yield "affine", dict(
            degrees=u(-20, 20),
            translate=[round(u(-0.1, 0.1) * width), round(u(-0.1, 0.1) * height)],
            scale=u(0.8, 1.2),
            shear=[u(-10, 10), u(-10, 10)],
            interpolation=interpolation,
        )
        yield "perspective", dict(perspective_corners(rng, size, 0.5), interpolation=interpolation)
    for fill in ["nearest", "reflect"]:
        yield "keras_affine", dict(
            degrees=u(-20, 20),
            shift=[u(-0.2, 0.2) * height, u(-0.2, 0.2) * width],
            shear=u(-15, 15),
            zoom=[u(0.8, 1.2), u(0.8, 1.2)],
            fill=fill,
        )
    for interpolation, fill in [("nearest", "nearest"), ("bilinear", "nearest"), ("bilinear", "constant")]:
        numbers = dict(seed=rng.getrandbits(63), alpha=[50.0, 50.0], sigma=[5.0, 5.0])
        yield "elastic", dict(numbers, interpolation=interpolation, fill=fill)
    yield "random_crop", dict(down=rng.randint(-8, 8), right=rng.randint(-8, 8), fill=rng.choice(list(PADDINGS)))
    part = rng.randint(height // 3, height), rng.randint(width // 3, width)
    place = dict(top=rng.randint(0, height - part[0]), left=rng.randint(0, width - part[1]))
    yield "random_resized_crop", dict(place, height=part[0], width=part[1])
    yield "random_erasing", dict(place, height=part[0], width=part[1], value=[124, 116, 104])
    for op in ["brightness", "contrast", "saturation", "sharpness"]:
        yield op, dict(factor=u(0, 2))
    yield "hue", dict(part=u(-0.5, 0.5))
    for op in ["horizontal_flip", "vertical_flip", "grayscale", "invert", "autocontrast", "equalize"]:
        yield op, {}
    yield "posterize", dict(bits=rng.randint(1, 8))
    yield "solarize", dict(threshold=u(0, 256))
    yield "gaussian_blur", dict(kernel_size=[2 * rng.randint(1, 6) + 1, 2 * rng.randint(1, 6) + 1], sigma=u(0.1, 4))
    yield "gaussian_noise", dict(mean=0.0, sigma=u(0.01, 0.2), seed=rng.getrandbits(63))
    for quality in [rng.randint(1, 49), rng.randint(50, 100)]:
        yield "jpeg", dict(quality=quality)
    for kind in [v2.TrivialAugmentWide, v2.RandAugment]:
        change, magnitude, signed = rng.choice(list(magnitudes(kind, 31, size)))
        yield "rand_augment, trivial_augment_wide", dict(change=change, magnitude=magnitude * (rng.choice([-1, 1]) if signed else 1), interpolation="nearest")


def main():
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 48
    out.mkdir(parents=True, exist_ok=True)
    files = sorted(path for path in source.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    files = files[:: max(1, len(files) // count)][:count]
    with open(out / "cases.csv", "w", newline="") as table:
        lines = csv.writer(table, lineterminator="\n")
        lines.writerow(["op", "numbers", "picture", "result"])
        for number, file in enumerate(files):
            image = Image.open(file).convert("RGB")
            # Of its own shape, as large as networks see pictures.
            image.thumbnail((256, 256))
            image.save(out / f"{number:03}.png")
            for case, (op, numbers) in enumerate(real_cases(random.Random(number), image.size[::-1])):
                result = f"{number:03}-{case:02}.png"
                Image.fromarray(applied(op, numbers, image)).save(out / result)
                lines.writerow([op, json.dumps(numbers), f"{number:03}.png", result])
    print(len(files), "pictures of", source, "in", out)


if __name__ == "__main__":
    main()
