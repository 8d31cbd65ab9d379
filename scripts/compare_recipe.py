#!/usr/bin/env python3
"""A recipe here and in PyTorch on the same split, several seeds each: does our training give what the recipe gives?

    python3 scripts/compare_recipe.py recipes/caltech6.toml --runs runs/compare --seeds 1,2,3 \\
        --set data.path=caltech6/images --set transforms.size=96 --set train.epochs=8

`avizor train` runs once a seed (`train.seed`; the split stays), `scripts/torch_recipe.py` then trains the first run's
resolved recipe on its split with the same seeds. Runs and answers that are there already are used, so an interrupted
comparison goes on. Prints both sides' test accuracies and whether the means differ by at most max(2 pooled standard
deviations, 1.5 points); exit status 1 if they do not. Needs what torch_recipe.py needs.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def main():
    args = arguments()
    seeds = [int(seed) for seed in args.seeds.split(",")]
    args.runs.mkdir(parents=True, exist_ok=True)
    ours = [our_accuracy(args, seed) for seed in seeds]
    theirs = [their_accuracy(args, seed, finished(args, seeds[0])) for seed in seeds]
    report(args, seeds, ours, theirs)


def our_accuracy(args, seed):
    if finished(args, seed) is None:
        options = [part for option in [*args.set, f"train.seed={seed}"] for part in ("--set", option)]
        command = [args.avizor, "train", args.recipe, *options, "--runs", str(args.runs / f"seed-{seed}"), "--quiet"]
        subprocess.run(command, check=True, stdout=sys.stderr)
    metrics = json.loads((finished(args, seed) / "metrics.json").read_text())
    return metrics["test"]["accuracy"]["value"]


def finished(args, seed):
    """The newest run folder of a seed that has its results."""
    runs = sorted((args.runs / f"seed-{seed}").glob("*/metrics.json"))
    return runs[-1].parent if runs else None


def their_accuracy(args, seed, run):
    answer = args.runs / f"torch-{seed}.json"
    if not answer.exists():
        command = [sys.executable, str(HERE / "torch_recipe.py"), str(run), "--seeds", str(seed)]
        command += ["--data", args.data] if args.data else []
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        answer.write_text(out.splitlines()[0] + "\n")
    return json.loads(answer.read_text())["test"]["accuracy"]


def report(args, seeds, ours, theirs):
    for seed, mine, other in zip(seeds, ours, theirs):
        print(f"seed {seed}: avizor {mine:.4f}, PyTorch {other:.4f}")
    means = [statistics.mean(side) for side in (ours, theirs)]
    spreads = [statistics.stdev(side) if len(side) > 1 else 0.0 for side in (ours, theirs)]
    pooled = statistics.mean(spread**2 for spread in spreads) ** 0.5
    difference, allowed = means[0] - means[1], max(2 * pooled, 0.015)
    agree = abs(difference) <= allowed
    print(f"avizor {means[0]:.4f} ± {spreads[0]:.4f}, PyTorch {means[1]:.4f} ± {spreads[1]:.4f}: "
          f"difference {difference:+.4f}, allowed {allowed:.4f}: {'agree' if agree else 'DIFFER'}")
    print(json.dumps({"recipe": args.recipe, "set": args.set, "seeds": seeds, "avizor": ours, "torch": theirs,
                      "difference": difference, "allowed": allowed, "agree": agree}))
    sys.exit(0 if agree else 1)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("--runs", type=pathlib.Path, required=True, help="folder for the runs and answers")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--set", action="append", default=[], help="as of `avizor train`")
    parser.add_argument("--data", help="where the paths of samples.csv begin; default: data.path")
    parser.add_argument("--avizor", default="target/release/avizor", help="the program")
    return parser.parse_args()


if __name__ == "__main__":
    main()
