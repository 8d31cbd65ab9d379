#!/usr/bin/env python3
"""Does `avizor audit` find edited copies, and nothing else? Plants one copy of every picture and asks.

    python3 scripts/planted_twins.py target/release/avizor photos /tmp/planted [--seed 7]

Links the pictures of a folder (at any depth) into OUT and puts beside each one copy of it, edited in one of eighteen ways by
turns, so that no copy is found by way of another. Prints for each way how many copies were found, and every set of the audit
that joins different originals. Those are mistakes unless the originals are near-duplicates themselves: look at them. Crops
keep the pixels of a window at a random place; their per cents are of each side. Needs Pillow.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import subprocess
import time

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def crop(share):
    def edit(picture, draw):
        width, height = (round(side * (1 - share)) for side in picture.size)
        left, top = draw.randint(0, picture.width - width), draw.randint(0, picture.height - height)
        return picture.crop((left, top, left + width, top + height))
    return edit


def border(share):
    def edit(picture, draw):
        colour = draw.choice([(0, 0, 0), (255, 255, 255), (128, 20, 20)])
        return ImageOps.expand(picture, tuple(round(side * share) for side in picture.size), fill=colour)
    return edit


def smaller(factor):
    return lambda picture, _: picture.resize([max(1, side // factor) for side in picture.size], Image.BICUBIC)


def brightness(factor):
    return lambda picture, _: ImageEnhance.Brightness(picture).enhance(factor)


def text(picture, draw):
    picture = picture.copy()
    place = (picture.width * 0.1, picture.height * draw.choice([0.1, 0.45, 0.8]))
    font = ImageFont.load_default(size=max(10, picture.height // 8))
    ImageDraw.Draw(picture).text(place, "SAMPLE 2026", draw.choice([(255, 255, 255), (255, 0, 0), (0, 0, 0)]), font)
    return picture


same = lambda picture, _: picture
EDITS = {
    "crop 10 %": crop(0.10), "crop 25 %": crop(0.25), "crop 40 %": crop(0.40),
    "mirrored": lambda picture, _: ImageOps.mirror(picture),
    "turned 5°": lambda picture, _: picture.rotate(5, Image.BICUBIC),
    "turned 90°": lambda picture, _: picture.transpose(Image.ROTATE_90),
    "turned 180°": lambda picture, _: picture.transpose(Image.ROTATE_180),
    "border 5 %": border(0.05), "border 15 %": border(0.15),
    "JPEG 60": same, "JPEG 30": same, "half size": smaller(2), "quarter size": smaller(4),
    "gray": lambda picture, _: picture.convert("L").convert("RGB"),
    "brighter 30 %": brightness(1.3), "darker 30 %": brightness(0.7),
    "blur": lambda picture, _: picture.filter(ImageFilter.GaussianBlur(max(1, max(picture.size) / 150))),
    "text": text,
}
QUALITY = {"JPEG 60": 60, "JPEG 30": 30}


def opened(path):
    picture = ImageOps.exif_transpose(Image.open(path))
    if picture.mode in ("RGBA", "LA", "P"):
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, (255,) * 4), picture)
    return picture.convert("RGB")


def plant(source, out, seed):
    """The edit of each copy by its name in OUT, and the original of every file."""
    draw, edits, origin = random.Random(seed), {}, {}
    folder = out / "all"
    folder.mkdir(parents=True)
    pictures = sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES)
    ways = list(EDITS)
    for number, path in enumerate(pictures):
        way = ways[number % len(ways)]
        name, copy = f"{number:05}{path.suffix}", f"{number:05}-copy.jpg"
        os.link(path, folder / name)
        EDITS[way](opened(path), draw).save(folder / copy, quality=QUALITY.get(way, 92))
        edits[f"all/{copy}"] = way
        origin |= {f"all/{name}": path.relative_to(source), f"all/{copy}": path.relative_to(source)}
    # A data set has two classes at least.
    (out / "one").mkdir()
    for number in range(2):
        noise = Image.effect_noise((40 + number, 40), 60)
        noise.save(out / "one" / f"{number}.png")
    return edits, origin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path, help="a folder that does not exist yet, on the same disk")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    edits, origin = plant(args.source, args.out, args.seed)
    started = time.perf_counter()
    answer = subprocess.run([args.program, "audit", str(args.out), "--json"], check=True, stdout=subprocess.PIPE)
    seconds = time.perf_counter() - started
    kinds = {"near_duplicate", "near_two_labels", "near_across_splits", "exact_duplicate"}
    findings = json.loads(answer.stdout)["findings"]
    sets = [group for finding in findings if finding["kind"] in kinds for group in finding["groups"]]
    found, all_of = collections.Counter(), collections.Counter(edits.values())
    joined = []
    for group in sets:
        originals = {origin.get(name, name) for name in group}
        if len(originals) > 1:
            joined.append(sorted(map(str, originals)))
        for copy in (name for name in group if name in edits):
            found[edits[copy]] += sum(1 for name in group if origin.get(name) == origin[copy]) > 1
    for way, count in all_of.items():
        print(f"{way:14} {found[way]:4} of {count}")
    print(f"all {sum(found.values())} of {len(edits)} = {sum(found.values()) / len(edits):.4f}; {seconds:.1f} s")
    print(f"{len(sets)} sets, {len(joined)} with different originals:")
    for originals in joined:
        print("  " + ", ".join(originals))


if __name__ == "__main__":
    main()
