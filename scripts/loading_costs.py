#!/usr/bin/env python3
"""What loading pictures costs training: epochs from a folder of JPEG files beside steps on numbers made up, by turns.

    python3 scripts/loading_costs.py --data caltech6 [--model resnet18] [--size 160] [--batch 32] [--rounds 3]

Of each run the first epoch is left out: it warms caches. Each run is compared with the mean of the made-up steps just before and just
after it: machines change their pace. Validation is a fiftieth of the pictures and is counted at the speed that
inference has by itself. Prints pictures a second and what share of the made-up speed is lost, without transforms and with the first
study's.
"""
import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import tempfile

STUDY = """[{ op = "horizontal_flip", p = 0.5 }, { op = "rotation", degrees = 20 },
{ op = "color_jitter", brightness = 0.2, contrast = 0.2, saturation = 0.2 },
{ op = "gaussian_blur", kernel_size = 3, sigma = [0.1, 1.0] }, { op = "gaussian_noise", sigma = 0.02 }]"""
EPOCHS = 4
# That of `bench step`.
OPTIMIZER = "optimizer.name=sgd", "optimizer.momentum=0.9"


def made_up(options, classes):
    command = [options.program, "bench", "step", "--json", "--model", options.model, "--size", str(options.size),
               "--batch", str(options.batch), "--classes", str(classes), "--seconds", "4"]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return told["train_images_per_second"], told["infer_images_per_second"]


def from_files(options, transforms, infer):
    with tempfile.TemporaryDirectory() as runs:
        command = [options.program, "train", options.data, "--runs", runs, "--json", "-q"]
        for option in (f"model.name={options.model}", "model.weights=none", f"transforms.size={options.size}",
                       f"train.batch={options.batch}", f"train.epochs={EPOCHS}", "train.head_epochs=0", "model.freeze=none",
                       "split.ratios=[0.96,0.02,0.02]", *OPTIMIZER, f"transforms.train={transforms}"):
            command += ["--set", option]
        subprocess.run(command, capture_output=True, text=True, check=True)
        run = next(pathlib.Path(runs).iterdir())
        parts = [row["split"] for row in csv.DictReader((run / "samples.csv").open())]
        train, val = parts.count("train"), parts.count("val")
        seconds = [float(row["seconds"]) for row in csv.DictReader((run / "history.csv").open())]
    return train / (statistics.median(seconds[1:]) - val / infer)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--program", default="target/release/avizor")
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ways = {"without transforms": "[]", "the first study's": STUDY}
    rates, lost = {way: [] for way in ["made up", *ways]}, {way: [] for way in ways}
    before = made_up(options, 6)
    for _ in range(options.rounds):
        for way, transforms in ways.items():
            rate = from_files(options, transforms, before[1])
            after = made_up(options, 6)
            rates["made up"].append(after[0])
            rates[way].append(rate)
            lost[way].append(100 * (1 - rate / statistics.mean([before[0], after[0]])))
            before = after
    for way, of in rates.items():
        print(f"{way}: {shown(of)} pictures/s" + (f", {shown(lost[way])} % lost" if way in lost else ""))


def shown(values):
    return f"{statistics.median(values):.1f} ({min(values):.1f}–{max(values):.1f})"


if __name__ == "__main__":
    main()
