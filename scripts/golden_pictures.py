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
from itertools import groupby
from pathlib import Path

import numpy as np
import PIL
import scipy
import torchvision
from PIL import Image, ImageOps
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F
from torchvision.transforms import v2

from transform_references import applied, magnitudes

DATA, OUT = Path(sys.argv[1]), Path(sys.argv[2])
# Operations between pixels, or on numbers that are no pixels.
ROUNDED = {"elastic", "keras_affine", "perspective", "gaussian_noise"}


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


def by_libjpeg(path, jpeg, height, width, name):
    """A JPEG decoded whole, or `scaled`: at the part of its size that Pillow's `draft` chooses; upright, resized from where it then lies."""
    image = Image.open(path)
    whole = image.size
    orientation = image.getexif().get(0x0112, 1)
    swapped = orientation in (5, 6, 7, 8)
    if jpeg == "scaled":
        image.draft("RGB", (height, width) if swapped else (width, height))
    # Rounded up, so a little more than its part.
    by = next(by for by in (1, 2, 4, 8) if image.size == tuple(-(-side // by) for side in whole))
    length = [side / by for side in whole]
    image = ImageOps.exif_transpose(image.convert("RGB"))
    if swapped:
        length.reverse()
    # What is not full of the last pixels is in front where columns or rows were reversed.
    left = image.size[0] - length[0] if orientation in (2, 3, 6, 7) else 0
    top = image.size[1] - length[1] if orientation in (3, 4, 7, 8) else 0
    return image.resize((width, height), FILTERS[name], box=(left, top, left + length[0], top + length[1]))


def libjpeg_hashes():
    """SHA-256 of JPEGs that libjpeg-turbo decoded, whole or at a part of their size, resized."""
    files = [OUT / name for name in ("tiny.jpg", "tiny_progressive.jpg", "tiny_turned.jpg")]
    files += sorted((DATA / "difficult" / "exif").glob("*.jpg")) + sorted((DATA / "hymenoptera" / "train").rglob("*.jpg"))[::3]
    with open(OUT / "libjpeg_hashes.csv", "w", newline="") as out:
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow(["file", "jpeg", "to_height", "to_width", "filter", "sha256"])
        for number, file in enumerate(files):
            height, width = (5, 4) if file.parent == OUT else [(160, 160), (60, 80), (31, 97), (20, 20)][number % 4]
            name = list(FILTERS)[number % 3]
            for jpeg in ["scaled", "libjpeg"]:
                digest = hashlib.sha256(by_libjpeg(file, jpeg, height, width, name).tobytes()).hexdigest()[:16]
                lines.writerow([file.relative_to(OUT if file.parent == OUT else DATA), jpeg, height, width, name, digest])


def transform_cases():
    """Operation and its numbers, for the smooth formula picture."""
    size = (19, 23)
    for interpolation in ["nearest", "bilinear"]:
        for degrees in [0, 20, -33.3, 90, 180, 7.5]:
            yield "rotation", dict(degrees=degrees, interpolation=interpolation, fill=[10, 200, 30])
        for degrees, translate, scale, shear in [
            (0, (3, -2), 1.0, (0, 0)),
            (5, (0, 1), 0.9, (0, 0)),
            (-12, (-2, 4), 1.3, (10, 0)),
            (30, (1, 1), 0.7, (-8, 15)),
        ]:
            yield "affine", dict(degrees=degrees, translate=translate, scale=scale, shear=shear, interpolation=interpolation)
    for mode in ["nearest", "reflect"]:
        for degrees, shift, shear, zoom in [
            (20, (0, 0), 0, (1, 1)),
            (0, (3.7, -4.2), 0, (1, 1)),
            (0, (0, 0), 15, (1, 1)),
            (0, (0, 0), 0, (0.8, 1.2)),
            (-17, (2.3, 1.1), 0.2, (1.15, 0.85)),
        ]:
            yield "keras_affine", dict(degrees=degrees, shift=shift, shear=shear, zoom=zoom, fill=mode)
    corners = [[0, 0], [22, 0], [22, 18], [0, 18]]
    for interpolation in ["nearest", "bilinear"]:
        for to in [corners, [[4, 1], [18, 3], [21, 14], [2, 18]], [[0, 5], [22, 0], [15, 18], [7, 12]]]:
            yield "perspective", {"from": corners, "to": to, "interpolation": interpolation}
        for alpha, sigma, seed in [((60.0, 60.0), (3.0, 3.0), 11), ((9.0, 40.0), (0.7, 2.2), 2**60 + 1)]:
            for fill in ["nearest", "constant"]:
                if interpolation == "bilinear" or fill == "nearest":
                    yield "elastic", dict(alpha=alpha, sigma=sigma, seed=seed, interpolation=interpolation, fill=fill)
    for factor in [0.0, 0.5, 0.93, 1.0, 1.21, 2.5]:
        for op in ["brightness", "contrast", "saturation", "sharpness"]:
            yield op, dict(factor=factor)
    for part in [-0.5, -0.07, 0.02, 0.31]:
        yield "hue", dict(part=part)
    for op in ["horizontal_flip", "vertical_flip", "grayscale", "invert", "autocontrast", "equalize"]:
        yield op, {}
    for bits in range(1, 9):
        yield "posterize", dict(bits=bits)
    for threshold in [0.0, 17.0, 127.5, 128.0, 255.0, 256.0]:
        yield "solarize", dict(threshold=threshold)
    for quality in [1, 7, 30, 49, 50, 75, 92, 100]:
        yield "jpeg", dict(quality=quality)
    for kernel, sigma in [((3, 3), 0.6), ((5, 5), 1.1), ((1, 1), 1.0), ((9, 5), 2.0), ((3, 15), 4.0)]:
        yield "gaussian_blur", dict(kernel_size=kernel, sigma=sigma)
    for mean, sigma, seed in [(0.0, 0.1, 7), (0.1, 0.02, 2**61 + 5)]:
        yield "gaussian_noise", dict(mean=mean, sigma=sigma, seed=seed)
    for top, left, height, width in [(0, 0, 19, 23), (3, 5, 10, 7), (18, 22, 1, 1), (0, 11, 19, 3)]:
        place = dict(top=top, left=left, height=height, width=width)
        yield "random_resized_crop", place
        yield "random_erasing", dict(place, value=[7, 70, 170])
    for down, right in [(0, 0), (4, -4), (-3, 2)]:
        for fill in ["constant", "nearest", "reflect"]:
            yield "random_crop", dict(down=down, right=right, fill=fill)


def harder_cases():
    """The same for pictures of other sizes with jumps in them: `picture` says which."""
    for height, width in [(1, 1), (1, 5), (2, 3), (3, 4), (7, 6), (16, 16), (17, 33), (40, 25)]:
        for kind in ["sharp", "blocks"]:
            picture = dict(picture=[kind, height, width])
            for op in ["grayscale", "invert", "autocontrast", "equalize"]:
                yield op, picture
            yield "sharpness", dict(picture, factor=1.7)
            yield "posterize", dict(picture, bits=3)
            yield "solarize", dict(picture, threshold=100.0)
            for quality in [10, 50, 90]:
                yield "jpeg", dict(picture, quality=quality)


def automatic_cases():
    """Every kind of change of the two automatic augmentations, weak and strong, both signs."""
    for kind in [v2.RandAugment, v2.TrivialAugmentWide]:
        for place, (change, magnitude, signed) in enumerate(magnitudes(kind, 31, (19, 23))):
            if magnitude == 0.0 or place % 13 == 3:
                for sign in [1, -1] if signed else [1]:
                    yield "rand_augment, trivial_augment_wide", dict(change=change, magnitude=sign * magnitude, interpolation="nearest")


def magnitude_tables():
    """The strengths that torchvision chooses from."""
    with open(OUT / "magnitudes.csv", "w", newline="") as out:
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow(["augmentation", "bins", "height", "width", "change", "magnitudes"])
        for kind in [v2.RandAugment, v2.TrivialAugmentWide]:
            for bins, height, width in [(31, 224, 160), (10, 19, 23)]:
                for change, values in groupby(magnitudes(kind, bins, (height, width)), lambda row: row[0]):
                    lines.writerow([kind.__name__, bins, height, width, change, json.dumps([value for _, value, _ in values])])


def transforms():
    """What the library makes of each case: its pixels where ours differ by rounding, else their SHA-256."""
    with open(OUT / "transforms.csv", "w", newline="") as out:
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow(["op", "numbers", "pixels"])
        for op, numbers in [*transform_cases(), *harder_cases(), *automatic_cases()]:
            kind, height, width = numbers.get("picture", ["smooth", 19, 23])
            pixels = applied(op, numbers, Image.fromarray(globals()[kind](height, width))).tobytes()
            is_rounded = numbers.get("interpolation") == "bilinear" or op in ROUNDED
            lines.writerow([op, json.dumps(numbers), pixels.hex() if is_rounded else hashlib.sha256(pixels).hexdigest()[:16]])
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
    libjpeg_hashes()
    transforms()
    magnitude_tables()
