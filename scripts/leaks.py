"""How much a split flatters that puts copies, frames of one scene or pictures of one lesion on both sides.

    python scripts/leaks.py --program target/release/avizor --data FOLDER --sets ham10000,simpsons64 --seeds 5 --runs FOLDER [--set …]

Every seed draws a split of its own and trains the same recipe on it, twice: split picture by picture, and with what belongs together on one side.
Prints test accuracy and macro F1 of each, and the difference with Welch's 95 % interval over the seeds. Needs scipy.
"""

import argparse
import json
import statistics
import subprocess
from pathlib import Path

from scipy import stats

TABLE = ["data.table=HAM10000_metadata.csv", "data.label_column=dx"]
NAIVE = ["split.duplicates_together=false", "data.near_duplicates=false"]
# Folder, options of both, options of the split that keeps together.
SETS = {
    "ham10000": ("ham10000", TABLE, ["split.group=lesion_id"]),
    "simpsons64": ("simpsons64/train", [], []),
}


def trained(options, folder, seed, settings):
    command = [options.program, "train", str(options.data / folder), "--runs", str(options.runs), "--seed", str(seed), "--json", "-q"]
    for setting in [*settings, *options.set]:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    test = json.loads(done.stdout)["test"]
    return {"accuracy": test["accuracy"]["value"], "macro F1": test["macro_f1"]["value"], "n": test["n"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--runs", required=True, type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    print("| set | test pictures | | picture by picture | kept together | flatters by |\n|---|---|---|---|---|---|")
    for name in options.sets.split(","):
        folder, both, together = SETS[name]
        results = {"naive": [], "together": []}
        for seed in range(1, options.seeds + 1):
            results["naive"].append(trained(options, folder, seed, [*both, *NAIVE]))
            results["together"].append(trained(options, folder, seed, [*both, *together]))
        for metric in ("accuracy", "macro F1"):
            naive, kept = ([run[metric] for run in results[way]] for way in ("naive", "together"))
            interval = stats.ttest_ind(naive, kept, equal_var=False).confidence_interval(0.95)
            shown = [f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}" for values in (naive, kept)]
            difference = statistics.mean(naive) - statistics.mean(kept)
            pictures = results["together"][0]["n"]
            print(f"| {name} | {pictures} | {metric} | {shown[0]} | {shown[1]} | {difference:+.3f} ({interval.low:+.3f} to {interval.high:+.3f}) |", flush=True)


main()
