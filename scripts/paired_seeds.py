#!/usr/bin/env python3
"""Does one option of a recipe change the accuracy? Several seeds, each trained with it and without it.

    python3 scripts/paired_seeds.py cifar10 --seeds 1,2,3,4,5,6,7,8,9,10 --runs runs/paired \\
        --first train.convolution=auto --second train.convolution=direct \\
        --set model.name=small_cnn --set transforms.size=48 --set train.epochs=6 --within 0.5

Both runs of a pair have the split, the weights to begin with and the order of pictures of their seed in common, so that
their difference is the option's. Runs that are there already are used: an interrupted comparison goes on. Prints the
mean difference (second - first) of the test accuracies in points and its 90 % interval by Student's t; exit status 1
if the interval is not within ± `--within`. Needs scipy.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

from scipy.stats import t

LEVEL = 0.90


def main():
    args = arguments()
    pairs = []
    for seed in args.seeds.split(","):
        pairs.append([accuracy(args, seed, option) for option in (args.first, args.second)])
        print(f"seed {seed}: {args.first} {pairs[-1][0]:.4f}, {args.second} {pairs[-1][1]:.4f}", flush=True)
    differences = [100 * (second - first) for first, second in pairs]
    n, mean = len(differences), statistics.mean(differences)
    half = t.ppf((1 + LEVEL) / 2, n - 1) * statistics.stdev(differences) / n**0.5
    means = [statistics.mean(side) for side in zip(*pairs)]
    print(f"means {means[0]:.4f} and {means[1]:.4f}")
    print(f"difference {mean:+.2f} points ({LEVEL:.0%} {mean - half:+.2f} to {mean + half:+.2f}), n = {n} pairs")
    inside = -args.within <= mean - half and mean + half <= args.within
    print(f"{'within' if inside else 'NOT within'} ±{args.within} points")
    sys.exit(0 if inside else 1)


def accuracy(args, seed, option):
    """On the test part, of the newest finished run of this seed and option, which is made if there is none."""
    runs = args.runs / f"seed-{seed}" / option
    if not (finished := sorted(runs.glob("*/metrics.json"))):
        options = [*args.set, option, f"train.seed={seed}"]
        options = [part for option in options for part in ("--set", option)]
        command = [args.avizor, "train", args.recipe, *options, "--runs", str(runs), "--quiet"]
        subprocess.run(command, check=True, stdout=sys.stderr)
        finished = sorted(runs.glob("*/metrics.json"))
    return json.loads(finished[-1].read_text())["test"]["accuracy"]["value"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", help="a folder of pictures or a recipe")
    parser.add_argument("--first", required=True, metavar="OPTION=VALUE")
    parser.add_argument("--second", required=True, metavar="OPTION=VALUE")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="for both")
    parser.add_argument("--seeds", default="1,2,3,4,5,6,7,8,9,10", help="by commas")
    parser.add_argument("--runs", type=pathlib.Path, required=True, help="where runs are kept")
    parser.add_argument("--within", type=float, default=0.5, help="points that the interval must stay within")
    parser.add_argument("--avizor", default="avizor", help="the program")
    return parser.parse_args()


if __name__ == "__main__":
    main()
