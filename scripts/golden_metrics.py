"""Golden values of crates/metrics, from scikit-learn and SciPy.

Inputs come from integer formulas that crates/metrics/tests/golden.rs computes too; only outputs are stored.

    python scripts/golden_metrics.py crates/metrics/tests/golden

One line a value: case, name, numbers. `nan` stands for a class that occurs neither in truth nor in prediction.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.stats import binomtest, norm
from sklearn import metrics

# name, classes, samples, percent of predictions kept right, classes absent from truth, from prediction, score levels
CASES = [
    ("plain", 3, 30, 70, [], [], 1000),
    ("one_sample", 2, 1, 100, [], [], 1000),
    ("two_classes", 2, 41, 80, [], [], 1000),
    ("single_class", 1, 7, 100, [], [], 1000),
    ("absent_from_truth", 5, 60, 50, [2], [], 1000),
    ("absent_from_prediction", 5, 60, 50, [], [4], 1000),
    ("absent_from_both", 6, 60, 60, [1, 5], [1, 5], 1000),
    ("all_wrong", 4, 20, 0, [0, 1], [2, 3], 1000),
    ("perfect", 4, 20, 100, [], [], 1000),
    ("ties", 8, 100, 60, [], [], 3),
    ("all_tied", 7, 50, 60, [], [], 1),
    ("many_classes", 151, 600, 70, [150], [], 1000),
]
TOP = [1, 2, 3, 5, 200]
QUANTILES = [1e-300, 1e-20, 1e-9, 1e-4, 0.005, 0.025, 0.0749, 0.0751, 0.3, 0.5, 0.7, 0.9249, 0.9251, 0.975, 0.995, 0.999999]
WILSON = [(0, 1), (1, 1), (0, 10), (10, 10), (1, 10), (7, 13), (78, 78), (71, 78), (9123, 10000), (1, 1000000)]
LEVELS = [0.5, 0.9, 0.95, 0.99]
# Both right, the first alone, the second alone, neither.
PAIRED = [(36, 2, 12, 0), (20, 12, 2, 16), (18, 0, 0, 32), (50, 0, 0, 0), (1, 1, 7, 1), (0, 0, 30, 0), (900, 20, 41, 39)]


def draw(i, salt):
    """A number that looks random, from 32-bit integers alone."""
    x = (i * 2654435761 + salt * 2246822519 + 374761393) % 2**32
    x ^= x >> 15
    x = x * 2246822519 % 2**32
    x ^= x >> 13
    x = x * 3266489917 % 2**32
    return x ^ (x >> 16)


def allowed(label, classes, absent):
    while label in absent:
        label = (label + 1) % classes
    return label


def inputs(classes, n, right, no_truth, no_prediction, levels):
    truth = [allowed(draw(i, 1) % classes, classes, no_truth) for i in range(n)]
    guess = [truth[i] if draw(i, 2) % 100 < right else draw(i, 3) % classes for i in range(n)]
    prediction = [allowed(label, classes, no_prediction) for label in guess]
    scores = np.array([[draw(i * classes + j, 4) % levels + 1 for j in range(classes)] for i in range(n)], np.float64)
    probabilities = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    return np.array(truth), np.array(prediction), scores, probabilities


def values(classes, truth, prediction, scores, probabilities):
    everything = np.arange(classes)
    occurring = np.union1d(truth, prediction)
    options = {"labels": occurring, "zero_division": 0}
    yield "accuracy", metrics.accuracy_score(truth, prediction)
    yield "balanced_accuracy", metrics.balanced_accuracy_score(truth, prediction)
    for average in ["macro", "weighted"]:
        scored = metrics.precision_recall_fscore_support(truth, prediction, average=average, **options)
        yield average, scored[:3]
    per_class = np.full((3, classes), np.nan)
    per_class[:, occurring] = metrics.precision_recall_fscore_support(truth, prediction, **options)[:3]
    for name, row in zip(["precision", "recall", "f1"], per_class):
        yield name, row
    counts = metrics.multilabel_confusion_matrix(truth, prediction, labels=everything)
    yield "tp_fp_fn_tn", np.stack([counts[:, 1, 1], counts[:, 0, 1], counts[:, 1, 0], counts[:, 0, 0]], 1).ravel()
    matrix = metrics.confusion_matrix(truth, prediction, labels=everything)
    yield "cells", np.concatenate([(i, j, matrix[i, j]) for i, j in np.argwhere(matrix)])
    shares = metrics.confusion_matrix(truth, prediction, labels=everything, normalize="true")
    yield "shares", shares[matrix > 0]
    if classes > 1:
        yield "loss", metrics.log_loss(truth, probabilities.astype(np.float64), labels=everything)
    if classes > 2:  # scikit-learn takes two classes for another task with scores of one column
        yield "top", [metrics.top_k_accuracy_score(truth, scores, k=k, labels=everything) for k in TOP]


def newcombe(both, first, second, neither, level):
    """Method 10 of Newcombe 1998, Statistics in Medicine 17; for 36, 2, 12, 0 the paper has 0.0569 to 0.3404."""
    n = both + first + second + neither
    shares = [(both + first) / n, (both + second) / n]
    bounds = [binomtest(both + alone, n).proportion_ci(level, method="wilson") for alone in (first, second)]
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    product = both * neither - first * second
    corrected = max(product - n / 2, 0) if product > 0 else product
    phi = corrected / np.sqrt(margins) if margins else 0
    half = lambda a, b: np.sqrt(a**2 - 2 * phi * a * b + b**2)
    low = half(shares[1] - bounds[1].low, bounds[0].high - shares[0])
    high = half(bounds[1].high - shares[1], shares[0] - bounds[0].low)
    difference = (second - first) / n
    return [max(difference - low, -1), min(difference + high, 1)]


def line(case, name, numbers):
    return " ".join([case, name, *(repr(number) for number in np.atleast_1d(numbers).tolist())])


def main():
    folder = Path(sys.argv[1])
    versions = f"numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}"
    print(versions)
    warnings.simplefilter("ignore")
    lines = [f"# scripts/golden_metrics.py with {versions}"]
    for case, *formula in CASES:
        lines += [line(case, name, numbers) for name, numbers in values(formula[0], *inputs(*formula))]
    (folder / "labels.txt").write_text("\n".join(lines) + "\n")

    lines = lines[:1] + [line("quantile", repr(p), norm.ppf(p)) for p in QUANTILES]
    for level in LEVELS:
        for hits, n in WILSON:
            found = binomtest(hits, n).proportion_ci(level, method="wilson")
            lines.append(line("wilson", f"{hits}/{n}@{level}", [found.low, found.high]))
    (folder / "intervals.txt").write_text("\n".join(lines) + "\n")

    lines = lines[:1]
    for level in LEVELS:
        for counts in PAIRED:
            lines.append(line("newcombe", "/".join(map(str, counts)) + f"@{level}", newcombe(*counts, level)))
    for first, second in dict.fromkeys(counts[1:3] for counts in PAIRED):
        p = binomtest(first, first + second).pvalue if first + second else 1
        lines.append(line("mcnemar", f"{first}/{second}", p))
    (folder / "paired.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
