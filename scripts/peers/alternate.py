#!/usr/bin/env python3
"""Ours and a peer by turns, and the ratio of each pair: the only comparison that a busy machine allows.

    python3 scripts/peers/alternate.py --rounds 5 --ours "target/release/avizor bench step --json" \\
        --model resnet18 --size 160 --batch 32 [--avx2] [--realtime]
    … --peer burn        # scripts/peers/burn instead of PyTorch (built with cargo build --release first)

PyTorch's variants (contiguous, channels_last, compile) are measured once; the best of each mode is the opponent. Both
sides print one JSON object with `train_images_per_second`, `infer_images_per_second` (a number, or an object with
`median`) and peak memory. `--avx2` holds both to AVX2 (`AVIZOR_CPU=avx2` for ours). Prints a line a mode and, last, JSON.
"""
import argparse
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
MODES = ("train", "infer")


def main():
    args = arguments()
    sizes = ["--model", args.model, "--size", str(args.size), "--batch", str(args.batch)]
    threads = ["--threads", str(args.threads)]
    prefix = ["chrt", "-f", "10"] if args.realtime else []
    ours = prefix + shlex.split(args.ours) + sizes + (threads if args.threads_to_ours else [])
    peers = peer_commands(args, sizes + threads, prefix)

    best = {}
    for name, command in peers.items():
        result = run(command, args.avx2)
        for mode in MODES:
            if result and (mode not in best or rate(result, mode) > best[mode][1]):
                best[mode] = (name, rate(result, mode))
    if not best:
        sys.exit("no variant of the peer ran")
    print("opponents: " + ", ".join(f"{mode} {name} ({value:.1f} images/s)" for mode, (name, value) in best.items()),
          file=sys.stderr)

    pairs = {mode: [] for mode in MODES}
    memory = {"ours": [], "peer": []}
    for _ in range(args.rounds):
        mine = run(ours, args.avx2)
        if mine is None:
            sys.exit("our own benchmark failed")
        theirs = {name: run(peers[name], args.avx2) for name in {name for name, _ in best.values()}}
        for mode in MODES:
            pairs[mode].append((rate(mine, mode), rate(theirs[best[mode][0]], mode)))
        memory["ours"].append(peak(mine))
        memory["peer"].append(peak(theirs[best["train"][0]]))
    report(args, best, pairs, memory)


def peer_commands(args, sizes, prefix):
    if args.peer == "burn":
        return {"burn-flex": prefix + [str(HERE / "burn/target/release/avizor-peer-burn"), *sizes]}
    base = [sys.executable, str(HERE / "bench_torch.py"), *sizes, "--seconds", str(args.seconds)]
    base += (["--avx2"] if args.avx2 else []) + (["--realtime"] if args.realtime else [])
    return {variant: base + ["--variant", variant] for variant in args.variants.split(",")}


def run(command, avx2):
    """The last JSON object that a command prints; nothing, and its words on standard error, when it fails."""
    environment = {**os.environ, **({"AVIZOR_CPU": "avx2"} if avx2 else {})}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        print(f"failed: {shlex.join(command)}\n{done.stderr[-2000:]}", file=sys.stderr)
        return None
    return json.loads(lines[-1])


def rate(result, mode):
    value = result[f"{mode}_images_per_second"]
    return float(value["median"] if isinstance(value, dict) else value)


def peak(result):
    for name, per_mib in (("peak_memory_mib", 1), ("peak_memory_bytes", 2**20), ("peak_rss_mib", 1)):
        if result.get(name) is not None:
            return round(result[name] / per_mib)
    return None


def report(args, best, pairs, memory):
    out = {"model": args.model, "size": args.size, "batch": args.batch, "rounds": args.rounds, "threads": args.threads,
           "avx2": args.avx2, "realtime": args.realtime, "peer": args.peer}
    for mode, values in pairs.items():
        mine, theirs = ([pair[side] for pair in values] for side in (0, 1))
        ratios = [a / b for a, b in values]
        out[mode] = {"ours": spread(mine), "peer": {"variant": best[mode][0], **spread(theirs)}, "ratio": spread(ratios)}
        show = lambda v, digits: f"{statistics.median(v):.{digits}f} ({min(v):.{digits}f}-{max(v):.{digits}f})"
        print(f"{args.model} {args.size} batch {args.batch} {mode}: ours {show(mine, 1)}, {args.peer} {best[mode][0]} "
              f"{show(theirs, 1)} images/s, ratio {show(ratios, 2)}, n = {args.rounds}")
    out["peak_memory_mib"] = {side: max((v for v in values if v is not None), default=None)
                              for side, values in memory.items()}
    print(json.dumps(out))


def spread(values):
    return {"median": round(statistics.median(values), 3), "low": round(min(values), 3), "high": round(max(values), 3)}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", default="target/release/avizor bench step --json",
                        help="our command; --model, --size and --batch are added")
    parser.add_argument("--threads-to-ours", action="store_true", help="add --threads to our command too")
    parser.add_argument("--peer", default="torch", choices=("torch", "burn"))
    parser.add_argument("--variants", default="contiguous,channels_last,compile", help="of PyTorch, by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=4.0, help="of each mode of PyTorch")
    parser.add_argument("--avx2", action="store_true")
    parser.add_argument("--realtime", action="store_true", help="both sides on the real-time scheduler (root)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
