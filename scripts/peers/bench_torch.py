#!/usr/bin/env python3
"""PyTorch on the CPU: images/s of a training step and of inference, one JSON object on standard output.

    python3 scripts/peers/bench_torch.py --model resnet18 --size 160 --batch 32 --variant channels_last

The training step is forward, cross-entropy, backward and SGD with momentum and weight decay; inference is forward under
no_grad. A variant has a process to itself, so that peak memory is its own. `--avx2` holds PyTorch and oneDNN to AVX2.
`--realtime` puts all threads on the real-time scheduler (root), so that other work does not disturb; Linux takes 5 % of
each second away from such threads, so 8 % of each step is slept between steps, outside the timed part.
"""
import argparse
import json
import os
import resource

from common import common_arguments, measure, network, settle

VARIANTS = ("contiguous", "channels_last", "compile")


def main():
    args = arguments()
    if args.avx2:  # before the libraries look
        os.environ |= {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    import torch
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    image = torch.randn(args.batch, 3, args.size, args.size)
    label = torch.randint(0, args.classes, (args.batch,))
    model = network(args.model, args.size, args.classes, args.stem)
    if "train" not in args.mode:
        settle(model, torch.randn(4, 3, args.size, args.size))
    if args.variant != "contiguous":
        model, image = (x.to(memory_format=torch.channels_last) for x in (model, image))
    run = torch.compile(model) if args.variant == "compile" else model
    half = torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.precision == "bf16")
    loss_of = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)

    def train():
        optimizer.zero_grad(set_to_none=True)
        with half:
            loss = loss_of(run(image), label)
        loss.backward()
        optimizer.step()

    def infer():
        with torch.no_grad(), half:
            run(image)

    out = {"peer": "torch", "version": torch.__version__, "model": args.model, "stem": args.stem, "size": args.size,
           "batch": args.batch, "threads": args.threads, "variant": args.variant, "precision": args.precision,
           "level": "avx2" if args.avx2 else torch.backends.cpu.get_cpu_capability().lower()}
    for mode, step in (("train", train), ("infer", infer)):
        if mode in args.mode:
            model.train(mode == "train")
            out[f"{mode}_images_per_second"] = measure(step, args)
    out["peak_memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(out), flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common_arguments(parser)
    parser.add_argument("--stem", default="imagenet", choices=("imagenet", "small"))
    parser.add_argument("--mode", default="train,infer")
    parser.add_argument("--precision", default="f32", choices=("f32", "bf16"), help="bf16: autocast")
    parser.add_argument("--variant", default="channels_last", choices=VARIANTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
