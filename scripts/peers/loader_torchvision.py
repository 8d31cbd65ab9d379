#!/usr/bin/env python3
"""How fast pictures reach a network: `avizor bench loader` beside torchvision's data loader, by turns.

    python3 scripts/peers/loader_torchvision.py --data hymenoptera/train [--size 160] [--rounds 5] [--realtime] [--scaled]

Both with as many threads or worker processes as the machine has cores. Three comparisons:

  first pass   files to a batch of pictures at the network's size: decode and resize. torchvision: ImageFolder with Pillow and
               Resize, and the same with decode_image and v2.Resize; the faster counts. With --scaled also ours with
               transforms.jpeg = "scaled" (built with --features turbojpeg), beside ImageFolder with Pillow as it comes, and
               beside a loader for it that decodes scaled too, by Pillow's `draft`
  again        the same once it was done before: ours from memory and from the file that later runs use; torchvision has no such
               cache, so its time is that of the first pass
  augmented    pictures at that size, kept in memory, changed as the first study does: flip, rotation, brightness, contrast,
               saturation, blur and noise. torchvision: transforms v2, on tensors and on Pillow's pictures; the faster counts

torchvision's workers are persistent and one epoch goes before those that are timed. Its pictures stay bytes, as ours do: what
comes after, the same on both sides, is left out.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import datasets
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import v2

BATCH = 64
# As recipes/pokedex.toml has them.
STUDY = """[{ op = "horizontal_flip", p = 0.5 }, { op = "rotation", degrees = 20 },
{ op = "color_jitter", brightness = 0.2, contrast = 0.2, saturation = 0.2 },
{ op = "gaussian_blur", kernel_size = 3, sigma = [0.1, 1.0] }, { op = "gaussian_noise", sigma = 0.02 }]"""


def study(noise):
    return v2.Compose([
        v2.RandomHorizontalFlip(0.5), v2.RandomRotation(20), v2.ColorJitter(0.2, 0.2, 0.2), v2.GaussianBlur(3, (0.1, 1.0)), noise])


def noise_on_bytes(picture):
    """torchvision's GaussianNoise wants numbers from 0 to 1."""
    noisy = v2.functional.gaussian_noise(v2.functional.to_dtype(picture, torch.float32, scale=True), sigma=0.02)
    return v2.functional.to_dtype(noisy, torch.uint8, scale=True)


class Kept(Dataset):
    def __init__(self, pictures, transform):
        self.pictures, self.transform = pictures, transform

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, at):
        return self.transform(self.pictures[at]), 0


def torch_ways(folder, size, workers):
    sides = (size, size)
    pillow = datasets.ImageFolder(folder, v2.Compose([v2.Resize(sides), v2.PILToTensor()]))
    bytes_of = lambda path: decode_image(path, mode=ImageReadMode.RGB)
    decoded = datasets.ImageFolder(folder, v2.Resize(sides, antialias=True), loader=bytes_of)
    drafting = datasets.ImageFolder(folder, v2.Compose([v2.Resize(sides), v2.PILToTensor()]), loader=lambda path: drafted(path, sides))
    tensors = [pillow[at][0] for at in range(len(pillow))]
    images = [v2.functional.to_pil_image(picture) for picture in tensors]
    on_images = study(v2.Compose([v2.PILToTensor(), noise_on_bytes]))
    ways = {
        "first pass": {"Pillow": pillow, "decode_image": decoded},
        "drafted": {"Pillow with draft": drafting},
        "augmented": {"tensors": Kept(tensors, study(noise_on_bytes)), "Pillow": Kept(images, on_images)},
    }
    return {what: {name: loader(data, workers) for name, data in of.items()} for what, of in ways.items()}, len(pillow)


def drafted(path, sides):
    with Image.open(path) as image:
        image.draft("RGB", sides)
        return image.convert("RGB")


def loader(data, workers):
    one_thread = lambda _: torch.set_num_threads(1)
    return DataLoader(data, BATCH, shuffle=True, num_workers=workers, persistent_workers=True, worker_init_fn=one_thread)


def epoch(batches, seconds):
    """Pictures a second of whole epochs."""
    took, pictures = 0.0, 0
    while pictures == 0 or took < seconds:
        started = time.perf_counter()
        for images, _ in batches:
            pictures += len(images)
        took += time.perf_counter() - started
    return pictures / took


def ours(options, *settings):
    command = [options.program, "bench", "loader", options.data, "--json", "--seconds", str(options.seconds),
               "--set", f"transforms.size={options.size}", "--set", f"transforms.train={STUDY}", "--set", f"train.batch={BATCH}",
               "--threads", str(os.cpu_count()), *settings]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {way: told["images_per_second"] for way, told in json.loads(done.stdout).items() if isinstance(told, dict)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--program", default="target/release/avizor")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each way and turn")
    parser.add_argument("--scaled", action="store_true", help="JPEGs decoded at a part of their size too")
    parser.add_argument("--realtime", action="store_true", help="both sides on the real-time scheduler (root)")
    options = parser.parse_args()
    if options.realtime:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    ways, pictures = torch_ways(options.data, options.size, os.cpu_count())
    if not options.scaled:
        del ways["drafted"]
    best = {}
    for what, of in ways.items():
        for batches in of.values():
            epoch(batches, 0.0)
        rates = {name: epoch(batches, options.seconds) for name, batches in of.items()}
        best[what] = max(rates, key=rates.get)
        print(f"{what}: " + ", ".join(f"{name} {rate:.0f}" for name, rate in rates.items()), file=sys.stderr)
    rounds = []
    for _ in range(options.rounds):
        theirs = {what: epoch(ways[what][name], options.seconds) for what, name in best.items()}
        mine = ours(options)
        if options.scaled:
            theirs["as it comes"] = epoch(ways["first pass"]["Pillow"], options.seconds)
            mine["scaled"] = ours(options, "--set", "transforms.jpeg=scaled")["decode"]
        rounds.append((mine, theirs))
    print(f"{pictures} pictures to {options.size} px, {os.cpu_count()} cores, {options.rounds} rounds by turns")
    print("| | avizor, pictures/s | torchvision | ratio |\n|---|---|---|---|")
    best["as it comes"] = "Pillow"
    scaled = [("first pass", "decode", "as it comes"), ("the same, scaled", "scaled", "first pass"), ("the same, scaled", "scaled", "drafted"),
              ("the same, scaled", "scaled", "as it comes")]
    for row, way, what in [("first pass", "decode", "first pass"), *(scaled if options.scaled else []),
                           ("again, from the file", "file", "first pass"), ("again, from memory", "prepared", "first pass"),
                           ("augmented", "augmented", "augmented")]:
        pairs = [(mine[way], theirs[what]) for mine, theirs in rounds]
        told = [shown([mine for mine, _ in pairs], 0), f"{best[what]}: " + shown([theirs for _, theirs in pairs], 0),
                shown([mine / theirs for mine, theirs in pairs], 2)]
        print(f"| {row} | " + " | ".join(told) + " |")


def shown(values, digits):
    median, low, high = (f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"{median} ({low}–{high})"


if __name__ == "__main__":
    main()
