#!/usr/bin/env python3
"""The whole comparison of docs/benchmarks.md: every network, training and inference, ours and each peer by turns.

    python3 scripts/peers/table.py --realtime --rounds 3            # goes on where an interrupted table stopped
    python3 scripts/peers/table.py --rows "resnet18.*train" --rounds 1 --seconds 2
    python3 scripts/peers/table.py --list                           # the rows
    python3 scripts/peers/table.py --markdown                       # the table of what is measured, nothing more

A row is one call of alternate.py. What is measured stands in --out (JSON), rewritten after every row; rows that stand
there are not measured again unless --again. The table in Markdown is written beside it.

Batches of training are what PyTorch holds in 24 GiB beside other work: 32 at most, 16 for MobileNetV2, 8 for ResNet-50
and EfficientNet-B0 at 224 px.
"""
import argparse
import json
import pathlib
import re
import sys

import alternate

NETWORKS = {"resnet18": "ResNet-18", "resnet50": "ResNet-50", "mobilenet_v2": "MobileNetV2",
            "efficientnet_b0": "EfficientNet-B0", "small_cnn": "small network of study 5"}
TRAINING = [("resnet18", 160, 32), ("resnet18", 224, 32), ("resnet50", 224, 8), ("mobilenet_v2", 224, 16),
            ("efficientnet_b0", 224, 8), ("small_cnn", 60, 32)]
INFERENCE = [(model, 60 if model == "small_cnn" else 224, batch) for model in NETWORKS for batch in (32, 1)]
INFERENCE.insert(0, ("resnet18", 160, 32))
ROWS = [(*row, "train") for row in TRAINING] + [(*row, "infer") for row in INFERENCE]
INFERRING_PEERS = ("torch", "openvino", "onnxruntime")


def main():
    args = arguments()
    table = json.loads(args.out.read_text()) if args.out.exists() else {}
    wanted = [row for row in ROWS if re.search(args.rows, name(row))]
    if not wanted:
        sys.exit(f"no row's name has {args.rows!r} in it; see --list")
    if args.list:
        return print("\n".join(name(row) + (": measured" if name(row) in table else "") for row in wanted))
    for row in wanted if not args.markdown else ():
        if name(row) in table and not args.again:
            continue
        print(f"{name(row)} …", file=sys.stderr)
        table[name(row)] = result = alternate.compare(of_row(args, row))
        print("\n".join(alternate.lines(result)), file=sys.stderr)
        save(args.out, json.dumps(table, indent=1) + "\n")
    text = markdown(table)
    if not args.markdown:
        save(args.out.with_suffix(".md"), text)
    print(text)


def name(row):
    model, size, batch, mode = row
    return f"{model} {size} {batch} {mode}"


def of_row(args, row):
    """The options of alternate.py for a row."""
    model, size, batch, mode = row
    peers = [peer for peer in (INFERRING_PEERS if mode == "infer" else ("torch",))
             if not (args.avx2 and peer == "onnxruntime")]
    more = {"model": model, "size": size, "batch": batch, "classes": 18 if model == "small_cnn" else 1000,
            "modes": (mode,), "peer": ",".join(peers)}
    return argparse.Namespace(**{**vars(args), **more})


def save(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    partial.rename(path)


# ---------------------------------------------------------------- Markdown
def markdown(table):
    rows = [(row, table[name(row)]) for row in ROWS if name(row) in table]
    settings = sorted({(result["level"], result["threads"], result["rounds"], result["realtime"]) for _, result in rows})
    told = "; ".join(f"{level}, {threads} threads, n = {rounds} rounds" + (", real-time scheduler" if realtime else "")
                     for level, threads, rounds, realtime in settings)
    out = [f"Pictures a second, median (range); {told}.", ""]
    training = [(row, result) for row, result in rows if row[3] == "train"]
    if training:
        out += ["| training step | avizor | PyTorch | ratio | memory, MiB | PyTorch's |", "|---|---|---|---|---|---|"]
        out += [training_line(row, result) for row, result in training] + [""]
    inference = [(row, result) for row, result in rows if row[3] == "infer"]
    if inference:
        out += ["| inference | avizor | PyTorch | ratio | OpenVINO | ratio | ONNX Runtime | ratio |",
                "|---|---|---|---|---|---|---|---|"]
        out += [inference_line(row, result) for row, result in inference] + [""]
    return "\n".join(out)


def title(row):
    model, size, batch, _ = row
    return f"{NETWORKS[model]}, {size} px, batch {batch}"


def training_line(row, result):
    of, memory = result["modes"]["train"], result["peak_memory_mib"]
    theirs = of["peers"].get("torch")
    its_memory = memory.get(theirs["variant"]) if theirs else None
    cells = [title(row), alternate.shown(of["ours"], 1), *rate_and_ratio(theirs), f"{memory['avizor']:,}",
             f"{its_memory:,}" if its_memory else ""]
    return "| " + " | ".join(cells) + " |"


def inference_line(row, result):
    of = result["modes"]["infer"]
    cells = [title(row), alternate.shown(of["ours"], 1)]
    for peer in INFERRING_PEERS:
        cells += rate_and_ratio(of["peers"].get(peer))
    return "| " + " | ".join(cells) + " |"


def rate_and_ratio(theirs):
    if theirs is None:
        return ["", ""]
    variant = theirs["variant"]
    of = "" if variant in INFERRING_PEERS else f" {variant}"
    return [alternate.shown(theirs, 1) + of, alternate.shown(theirs["ratio"], 2)]


# ---------------------------------------------------------------- what is asked
def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    alternate.common_arguments(parser)
    parser.add_argument("--rows", default="", metavar="PATTERN", help="only rows whose name this is found in")
    parser.add_argument("--again", action="store_true", help="measure rows that are measured, too")
    parser.add_argument("--list", action="store_true", help="list the rows")
    parser.add_argument("--markdown", action="store_true", help="print the table, measure nothing")
    parser.add_argument("--out", type=pathlib.Path, help="default: target/peers/table.json, with --avx2 table-avx2.json")
    args = parser.parse_args()
    args.out = args.out or pathlib.Path(f"target/peers/table{'-avx2' if args.avx2 else ''}.json")
    return args


if __name__ == "__main__":
    main()
