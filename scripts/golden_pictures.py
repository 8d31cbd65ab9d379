"""Golden values for decoding, resizing and transforms of pictures, from Pillow and torchvision.

usage: golden_pictures.py DATA OUT
  DATA  the folder with the unpacked sets (AVIZOR_DATA)
  OUT   crates/data/tests/golden

Pictures come from formulas that the tests compute too, or from DATA; only what the libraries make of them is stored.
"""

import csv
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import PIL
import scipy
import torchvision
from PIL import Image, ImageOps
from scipy import ndimage
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

DATA, OUT = Path(sys.argv[1]), Path(sys.argv[2])


def upright_rgb(path):
    """A file as avizor means it: first frame, upright, over white, 16 bits reduced to their upper 8."""
    image = Image.open(path)
    image.load()
    try:
        image = ImageOps.exif_transpose(image)
    except SyntaxError:  # a broken EXIF block says nothing
        pass
    if image.mode.startswith("I;16"):
        gray = (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
        if "transparency" in image.info:
            gray[np.asarray(image) == image.info["transparency"]] = 255
        return np.repeat(gray[:, :, None], 3, axis=2)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, (255, 255, 255))
        white.paste(image.convert("RGB"), mask=image.getchannel("A"))
        image = white
    return np.asarray(image.convert("RGB"))


def grid_means(pixels, cells=4):
    """Mean colour of each of 4 x 4 cells, rounded half up, as hexadecimal."""
    height, width = pixels.shape[:2]
    edges = lambda side, i: (i * side // cells, max(i * side // cells + 1, (i + 1) * side // cells))
    values = []
    for i in range(cells):
        for j in range(cells):
            (top, bottom), (left, right) = edges(height, i), edges(width, j)
            cell = pixels[top:bottom, left:right].reshape(-1, 3).astype(np.int64)
            values += [(2 * int(c) + len(cell)) // (2 * len(cell)) for c in cell.sum(axis=0)]
    return bytes(values).hex()


def decode_means():
    """4 x 4 mean colours of every file of `difficult` that must be decoded."""
    with open(DATA / "difficult" / "expected.csv", newline="") as table, open(OUT / "decode_means.csv", "w", newline="") as out:
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow(["file", "height", "width", "means"])
        for row in csv.DictReader(table):
            if row["should_decode"] == "yes":
                pixels = upright_rgb(DATA / "difficult" / row["file"])
                lines.writerow([row["file"], *pixels.shape[:2], grid_means(pixels)])


def tiny_jpegs():
    """Small JPEG files for tests that change their bytes; the JPEG encoder is the one thing that the tests lack."""
    picture = Image.fromarray(smooth(11, 13))
    picture.save(OUT / "tiny.jpg", quality=80)
    picture.save(OUT / "tiny_progressive.jpg", quality=80, progressive=True)
    picture.convert("CMYK").save(OUT / "tiny_cmyk.jpg", quality=80)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(OUT / "tiny_turned.jpg", quality=80, exif=exif)


def sharp(height, width):
    """Every value and every step between neighbours occurs."""
    y, x, c = np.indices((height, width, 3))
    return ((x * 37 + y * 101 + c * 53 + x * y * 7 + x * x * 3) % 256).astype(np.uint8)


def blocks(height, width):
    """Black and white edges: filters overshoot there."""
    y, x, c = np.indices((height, width, 3))
    return (((x // 3 + y // 5 + c) % 2) * 255).astype(np.uint8)


def smooth(height, width):
    """Slopes without jumps."""
    y, x, c = np.indices((height, width, 3))
    wave = ((x * x * 3 + y * y * 5 + x * y * 2 + x * 29 + y * 14 + c * 180) // 3) % 510
    return np.where(wave < 256, wave, 510 - wave).astype(np.uint8)


FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}


def crop(image, height, width, resample):
    """torchvision's Resize of the shorter side and CenterCrop, its rule applied to any size."""
    w, h = image.size
    if w * height <= h * width:
        scaled = (width, h * width // w)
    else:
        scaled = (w * height // h, height)
    left, top = round((scaled[0] - width) / 2), round((scaled[1] - height) / 2)
    cut = image.resize(scaled, resample).crop((left, top, left + width, top + height))
    if height == width:
        interpolation = {v: InterpolationMode(k) for k, v in FILTERS.items()}[resample]
        theirs = F.center_crop(F.resize(image, height, interpolation), height)
        assert (np.asarray(cut) == np.asarray(theirs)).all()
    return cut


def resized(pixels, height, width, name, rule):
    image = Image.fromarray(pixels)
    if rule == "squash":
        result = image.resize((width, height), FILTERS[name])
    elif rule == "crop":
        result = crop(image, height, width, FILTERS[name])
    else:
        result = ImageOps.pad(image, (width, height), FILTERS[name], color=(7, 70, 170))
    return hashlib.sha256(np.asarray(result).tobytes()).hexdigest()[:16]


SIZES = [(1, 1), (1, 9), (9, 1), (2, 3), (7, 7), (13, 31), (31, 13), (64, 64), (97, 41), (41, 97), (3, 211), (211, 3), (300, 200), (500, 333)]
TARGETS = [(1, 1), (1, 5), (5, 1), (3, 2), (7, 7), (17, 17), (29, 12), (12, 29), (64, 64), (60, 80), (160, 160)]


def resize_hashes():
    """SHA-256 of what Pillow makes of formula pictures, and of real ones."""
    with open(OUT / "resize_hashes.csv", "w", newline="") as out:
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow(["picture", "height", "width", "to_height", "to_width", "filter", "rule", "sha256"])
        number = 0
        for height, width in SIZES:
            for to_height, to_width in TARGETS:
                for name in FILTERS:
                    rules = ["squash", "crop", "pad"]
                    # Pillow refuses to pad to a side of zero; a huge scaled picture is not worth its time.
                    if min(height, width) * 20 < max(height, width):
                        rules = ["squash", "crop"] if to_height * to_width < 100 else ["squash"]
                    for rule in rules:
                        number += 1
                        if rule == "pad" and (round(height / width * to_width) == 0 or round(width / height * to_height) == 0):
                            continue
                        if number % 2 and rule != "squash":
                            continue
                        kind = ["sharp", "blocks"][number % 3 == 0]
                        pixels = globals()[kind](height, width)
                        digest = resized(pixels, to_height, to_width, name, rule)
                        lines.writerow([kind, height, width, to_height, to_width, name, rule, digest])
        files = sorted((DATA / "pokemon150").rglob("*.png"))[::2][:60]
        for number, file in enumerate(files):
            pixels = upright_rgb(file)
            name, rule = list(FILTERS)[number % 3], ["squash", "crop", "pad"][number // 3 % 3]
            to_height, to_width = [(60, 60), (160, 160), (31, 97), (224, 224), (20, 120), (90, 33)][number // 2 % 6]
            digest = resized(pixels, to_height, to_width, name, rule)
            file = file.relative_to(DATA)
            lines.writerow([file, *pixels.shape[:2], to_height, to_width, name, rule, digest])


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


def transform_cases():
    """Operation, its numbers, and what the library makes of the smooth formula picture."""
    size = (19, 23)
    pixels = smooth(*size)
    image = Image.fromarray(pixels)
    modes = {"nearest": InterpolationMode.NEAREST, "bilinear": InterpolationMode.BILINEAR}
    for interpolation, mode in modes.items():
        for degrees in [0, 20, -33.3, 90, 180, 7.5]:
            fill = [10, 200, 30]
            yield "rotation", dict(degrees=degrees, interpolation=interpolation, fill=fill), F.rotate(image, degrees, mode, fill=fill)
        for degrees, translate, scale, shear in [
            (0, (3, -2), 1.0, (0, 0)),
            (5, (0, 1), 0.9, (0, 0)),
            (-12, (-2, 4), 1.3, (10, 0)),
            (30, (1, 1), 0.7, (-8, 15)),
        ]:
            numbers = dict(degrees=degrees, translate=translate, scale=scale, shear=shear, interpolation=interpolation)
            yield "affine", numbers, F.affine(image, degrees, list(translate), scale, list(shear), mode, fill=[0, 0, 0])
    for mode in ["nearest", "reflect"]:
        for degrees, shift, shear, zoom in [
            (20, (0, 0), 0, (1, 1)),
            (0, (3.7, -4.2), 0, (1, 1)),
            (0, (0, 0), 15, (1, 1)),
            (0, (0, 0), 0, (0.8, 1.2)),
            (-17, (2.3, 1.1), 0.2, (1.15, 0.85)),
        ]:
            numbers = dict(degrees=degrees, shift=shift, shear=shear, zoom=zoom, fill=mode)
            yield "keras_affine", numbers, keras_affine(pixels, degrees, shift, shear, zoom, mode)
    for factor in [0.0, 0.5, 0.93, 1.0, 1.21, 2.5]:
        yield "brightness", dict(factor=factor), F.adjust_brightness(image, factor)
        yield "contrast", dict(factor=factor), F.adjust_contrast(image, factor)
        yield "saturation", dict(factor=factor), F.adjust_saturation(image, factor)
    for part in [-0.5, -0.07, 0.02, 0.31]:
        yield "hue", dict(part=part), F.adjust_hue(image, part)
    for kernel, sigma in [((3, 3), 0.6), ((5, 5), 1.1), ((1, 1), 1.0), ((9, 5), 2.0), ((3, 15), 4.0)]:
        yield "gaussian_blur", dict(kernel_size=kernel, sigma=sigma), F.gaussian_blur(image, list(kernel), [sigma, sigma])
    for top, left, height, width in [(0, 0, 19, 23), (3, 5, 10, 7), (18, 22, 1, 1), (0, 11, 19, 3)]:
        numbers = dict(top=top, left=left, height=height, width=width)
        yield "random_resized_crop", numbers, F.resized_crop(image, top, left, height, width, list(size))
    for down, right in [(0, 0), (4, -4), (-3, 2)]:
        for fill, padding in [("constant", "constant"), ("nearest", "edge"), ("reflect", "symmetric")]:
            padded = F.pad(image, [4, 4, 4, 4], 0, padding)
            yield "random_crop", dict(down=down, right=right, fill=fill), F.crop(padded, 4 + down, 4 + right, *size)


def transforms():
    with open(OUT / "transforms.csv", "w", newline="") as out:
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow(["op", "numbers", "pixels"])
        for op, numbers, result in transform_cases():
            lines.writerow([op, json.dumps(numbers), np.asarray(result).tobytes().hex()])
    # All hues, saturations and values in steps: exact or not at all.
    steps = np.arange(0, 256, 5, dtype=np.uint8)
    cube = Image.fromarray(np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(52, 52 * 52, 3))
    for part in [0.0, 0.1, -0.37]:
        print("hue of the cube", part, hashlib.sha256(np.asarray(F.adjust_hue(cube, part)).tobytes()).hexdigest()[:16])


if __name__ == "__main__":
    print("Pillow", PIL.__version__, "torchvision", torchvision.__version__, "SciPy", scipy.__version__, "numpy", np.__version__)
    OUT.mkdir(parents=True, exist_ok=True)
    decode_means()
    tiny_jpegs()
    resize_hashes()
    transforms()
