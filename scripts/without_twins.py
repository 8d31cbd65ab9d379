#!/usr/bin/env python3
"""Test accuracy of a run with and without the test pictures that have a known twin in train.

    python3 scripts/without_twins.py runs/2026-11-22-simpsons64-01 pairs.csv simpsons64

pairs.csv has the columns set, kind, where, files; files that are equal or nearly so are joined by `|`. Standard library
only. Prints both accuracies with 95 % Wilson intervals.
"""
import csv
import math
import pathlib
import sys


def main():
    run, pairs, name = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    part = {row["path"]: row["split"] for row in rows(run / "samples.csv")}
    twins = set()
    for row in rows(pairs):
        files = row["files"].split("|")
        if row["set"] == name and any(part.get(file) == "train" for file in files):
            twins.update(file for file in files if part.get(file) == "test")
    hits = {row["sample"]: row["label"] == row["prediction"] for row in rows(run / "predictions/test.csv")}
    print("all test pictures:", share(hits.values()))
    print(f"without the {len(twins)} that have a twin in train:", share(hit for file, hit in hits.items() if file not in twins))


def rows(path):
    with open(path, newline="") as file:
        yield from csv.DictReader(file)


def share(hits):
    hits = list(hits)
    n, k, z = len(hits), sum(hits), 1.959964
    p = k / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return f"{p:.3f} ({middle - half:.3f}–{middle + half:.3f}, n = {n})"


if __name__ == "__main__":
    main()
