"""A sample of the near-duplicates that `avizor audit` finds, to be looked at by eye.

    python scripts/near_duplicate_sample.py --program target/release/avizor --data FOLDER --out FOLDER

Writes pairs.csv (set, first, second) and sheets of forty pairs side by side. From each set all groups where there are fewer than forty,
otherwise equally many of each, 200 in all; of each group two pictures at random. The verdicts on one such sample are in
docs/near_duplicate_pairs.csv. Needs Pillow.
"""

import argparse
import csv
import json
import random
import subprocess
from pathlib import Path

from PIL import Image, ImageDraw

SETS = {
    "caltech6": ("caltech6/images", []),
    "cifar10-small": ("cifar10-small", []),
    "odir": ("odir/images", []),
    "pokemon150": ("pokemon150", []),
    "simpsons64": ("simpsons64", []),
    "ham10000": ("ham10000", ["--set", "data.table=HAM10000_metadata.csv", "--set", "data.label_column=dx"]),
}
PAIRS, MANY, SIDE = 200, 40, 128


def groups(program, folder, extra):
    command = [program, "audit", str(folder), "--json", "-q", *extra]
    findings = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["findings"]
    return sorted({tuple(group) for finding in findings if finding["kind"].startswith("near_") for group in finding["groups"]})


def sheet(pairs, data):
    image = Image.new("RGB", (5 * (2 * SIDE + 16), 8 * (SIDE + 18)), "white")
    draw = ImageDraw.Draw(image)
    for at, (number, name, *files) in enumerate(pairs):
        x, y = at % 5 * (2 * SIDE + 16), at // 5 * (SIDE + 18)
        draw.text((x, y), f"{number} {name}", fill="black")
        for column, file in enumerate(files):
            picture = Image.open(data / SETS[name][0] / file).convert("RGB")
            scale = SIDE / max(picture.size)
            picture = picture.resize([max(1, int(side * scale)) for side in picture.size], Image.LANCZOS)
            image.paste(picture, (x + column * (SIDE + 2), y + 14))
    return image


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    random.seed(options.seed)
    found = {name: groups(options.program, options.data / path, extra) for name, (path, extra) in SETS.items()}
    few = sum(len(of_set) for of_set in found.values() if len(of_set) < MANY)
    share = -(-(PAIRS - few) // sum(len(of_set) >= MANY for of_set in found.values()))
    pairs = []
    for name, of_set in found.items():
        for group in of_set if len(of_set) < MANY else random.sample(of_set, share):
            pairs.append((len(pairs), name, *random.sample(group, 2)))
    pairs = pairs[:PAIRS]
    options.out.mkdir(parents=True, exist_ok=True)
    with open(options.out / "pairs.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["set", "first", "second"])
        writer.writerows(pair[1:] for pair in pairs)
    for first in range(0, len(pairs), 40):
        sheet(pairs[first : first + 40], options.data).save(options.out / f"sheet-{first:03}.png")
    print({name: len(of_set) for name, of_set in found.items()})


main()
