"""Golden values for decoding, resizing and transforms of pictures, from Pillow and torchvision.

usage: golden_pictures.py DATA OUT
  DATA  the folder with the unpacked sets (AVIZOR_DATA)
  OUT   crates/data/tests/golden

Pictures come from formulas that the tests compute too, or from DATA; only what the libraries make of them is stored.
"""

import csv
import io
import sys
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageOps

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


if __name__ == "__main__":
    print("Pillow", PIL.__version__, "numpy", np.__version__)
    OUT.mkdir(parents=True, exist_ok=True)
    decode_means()
