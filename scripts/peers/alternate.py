#!/usr/bin/env python3
"""Ours and peers by turns, and the ratio of each pair: the only comparison that a busy machine allows.

    python3 scripts/peers/alternate.py --model resnet18 --size 160 --batch 32 [--avx2] [--realtime]
    … --peer torch,openvino,onnxruntime --infer-only --batch 1    # networks for the last two: see bench_onnx.py
    … --peer burn        # scripts/peers/burn (built with cargo build --release first)
    … --peer torch,avizor --precision bf16 --train-only    # PyTorch's autocast, and ours in f32

A peer's variants (PyTorch: contiguous, channels_last, compile) are measured once; the best of each mode is the opponent.
OpenVINO and ONNX Runtime only infer. In both modes ours is `avizor bench step`; --infer-only takes `bench infer`, which
holds no gradients, --train-only `bench step --train-only`.

`--avx2` holds both sides to AVX2: `AVIZOR_CPU=avx2`, `ATEN_CPU_CAPABILITY=avx2`, `ONEDNN_MAX_CPU_ISA=AVX2`. What PyTorch
compiles, and small operators of OpenVINO, may still use more; ONNX Runtime has no such switch and is refused.

Prints a line a mode and opponent and, last, one JSON object.
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
ONNX = ("openvino", "onnxruntime")
PEERS = ("torch", *ONNX, "burn", "avizor")


def main():
    args = arguments()
    result = compare(args)
    for line in lines(result):
        print(line)
    print(json.dumps(result))


# ---------------------------------------------------------------- one comparison
def compare(args):
    """Everything about one network, size and batch: of each mode ours, and of each peer its best variant."""
    modes = [mode for mode in MODES if mode in args.modes]
    commands = {}  # of each peer and variant: the command, and the modes it has
    for peer in args.peer.split(","):
        for variant, command, has in peer_commands(args, peer, modes):
            commands[peer, variant] = (command, [mode for mode in modes if mode in has])
    best = {mode: {} for mode in modes}  # of each mode and peer: the variant
    seen = {}
    for (peer, variant), (command, has) in commands.items():
        seen[variant] = run(command, args.avx2) if has else None
        for mode in has:
            known = best[mode].get(peer)
            if seen[variant] and (not known or rate(seen[variant], mode) > rate(seen[known], mode)):
                best[mode][peer] = variant
    if not any(best.values()):
        sys.exit("no variant of any peer ran")
    for mode in modes:
        told = ", ".join(f"{variant} ({rate(seen[variant], mode):.1f} images/s)" for variant in best[mode].values())
        print(f"{mode}: opponents {told}", file=sys.stderr)

    wanted = [key for key in commands if any(best[mode].get(key[0]) == key[1] for mode in modes)]
    rounds = []
    for _ in range(args.rounds):
        turn = {"avizor": run(our_command(args, modes, args.precision), args.avx2)}
        if turn["avizor"] is None:
            sys.exit("our own benchmark failed")
        turn |= {variant: run(commands[peer, variant][0], args.avx2) for peer, variant in wanted}
        rounds.append(turn)
    return told_as(args, modes, best, rounds)


def our_command(args, modes, precision):
    command = ["chrt", "-f", "10"] if args.realtime else []
    command += shlex.split(args.ours) + ["bench"]
    command += ["infer"] if modes == ["infer"] else ["step"] + (["--train-only"] if modes == ["train"] else [])
    command += ["--model", args.model, "--size", str(args.size), "--batch", str(args.batch)]
    command += ["--classes", str(args.classes), "--seconds", str(args.seconds), "--threads", str(args.threads)]
    command += ["--precision", precision] if modes != ["infer"] else []
    return command + ["--json"]


def peer_commands(args, peer, modes):
    """Variant, command and modes."""
    sizes = ["--model", args.model, "--size", str(args.size), "--batch", str(args.batch), "--threads", str(args.threads)]
    if peer == "avizor":
        return [("avizor-f32", our_command(args, modes, "f32"), MODES)]
    if peer == "burn":
        realtime = ["chrt", "-f", "10"] if args.realtime else []
        return [("burn-flex", realtime + [str(HERE / "burn/target/release/avizor-peer-burn"), *sizes], MODES)]
    more = sizes + ["--classes", str(args.classes), "--seconds", str(args.seconds)]
    more += (["--avx2"] if args.avx2 else []) + (["--realtime"] if args.realtime else [])
    if peer in ONNX:
        return [(peer, [sys.executable, str(HERE / "bench_onnx.py"), "--runtime", peer, *more], ("infer",))]
    more += ["--precision", args.precision]
    base = [sys.executable, str(HERE / "bench_torch.py"), "--mode", ",".join(modes), *more, "--variant"]
    return [(variant, base + [variant], MODES) for variant in args.variants.split(",")]


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
    if "batches" in result:  # `avizor bench infer`
        return float(result["batches"][0]["images_per_second"])
    value = result[f"{mode}_images_per_second"]
    return float(value["median"] if isinstance(value, dict) else value)


def peak(result):
    for name, per_mib in (("peak_memory_mib", 1), ("peak_memory_bytes", 2**20), ("peak_rss_mib", 1)):
        if result.get(name) is not None:
            return round(result[name] / per_mib)
    return None


# ---------------------------------------------------------------- what is told
def told_as(args, modes, best, rounds):
    out = {key: getattr(args, key) for key in ("model", "size", "batch", "threads", "seconds", "precision", "avx2", "realtime")}
    out |= {"rounds": args.rounds, "level": rounds[0]["avizor"]["level"], "modes": {}, "peak_memory_mib": {}}
    for mode in modes:
        of = out["modes"][mode] = {"ours": spread([rate(turn["avizor"], mode) for turn in rounds]), "peers": {}}
        for peer, variant in best[mode].items():
            pairs = [(rate(turn["avizor"], mode), rate(turn[variant], mode)) for turn in rounds if turn[variant]]
            if pairs:
                of["peers"][peer] = {"variant": variant, **spread([theirs for _, theirs in pairs]),
                                     "ratio": spread([ours / theirs for ours, theirs in pairs])}
    for name in rounds[0]:
        values = [peak(turn[name]) for turn in rounds if turn[name]]
        out["peak_memory_mib"][name] = max((value for value in values if value is not None), default=None)
    return out


def lines(result):
    for mode, of in result["modes"].items():
        what = f"{result['model']} {result['size']} batch {result['batch']} {mode}"
        for peer, theirs in of["peers"].items():
            variant = "" if theirs["variant"] == peer else f" {theirs['variant']}"
            yield (f"{what}: ours {shown(of['ours'], 1)}, {peer}{variant} {shown(theirs, 1)} images/s, "
                   f"ratio {shown(theirs['ratio'], 2)}, n = {theirs['n']}")


def spread(values):
    return {"median": round(statistics.median(values), 3), "low": round(min(values), 3), "high": round(max(values), 3),
            "n": len(values)}


def shown(value, digits):
    median, low, high = (f"{value[key]:,.{digits}f}" for key in ("median", "low", "high"))
    return median if low == high else f"{median} ({low}–{high})"


# ---------------------------------------------------------------- what is asked
def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--classes", type=int, default=1000)
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--train-only", dest="modes", action="store_const", const=("train",), default=MODES)
    modes.add_argument("--infer-only", dest="modes", action="store_const", const=("infer",))
    parser.add_argument("--peer", default="torch", type=peers, help=f"by commas, of {', '.join(PEERS)}")
    common_arguments(parser)
    args = parser.parse_args()
    check(parser, args)
    return args


def common_arguments(parser):
    """Those that the table has too."""
    parser.add_argument("--ours", default="target/release/avizor", help="our program")
    parser.add_argument("--variants", default="contiguous,channels_last,compile", help="of PyTorch, by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each mode and side")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--precision", default="f32", choices=("f32", "bf16"),
                        help="of training: ours and PyTorch's autocast")
    parser.add_argument("--avx2", action="store_true", help="hold both sides to AVX2")
    parser.add_argument("--realtime", action="store_true", help="both sides on the real-time scheduler (root)")


def peers(text):
    unknown = [name for name in text.split(",") if name not in PEERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no peer {unknown[0]!r}; there are {', '.join(PEERS)}")
    return text


def check(parser, args):
    if args.avx2 and "onnxruntime" in args.peer.split(","):
        parser.error("onnxruntime cannot be held to AVX2: it has no switch for that")
    if "infer" not in args.modes and all(peer in ONNX for peer in args.peer.split(",")):
        parser.error("openvino and onnxruntime do not train: leave --train-only out")


if __name__ == "__main__":
    main()
