#!/usr/bin/env python3
"""OpenVINO or ONNX Runtime on the CPU: images/s of inference in f32, one JSON object on standard output.

    python3 scripts/peers/bench_onnx.py --runtime openvino --model resnet18 --size 224 --batch 1

The network is torchvision's, with the statistics of noise in its norms, written once as ONNX of this very size and batch
below --networks (needs torch, torchvision, onnx, onnxscript; measuring needs the runtime alone). OpenVINO computes in f32
because it is told to (`INFERENCE_PRECISION_HINT=f32`), as latency's hint has it: one request with all threads.

`--avx2` holds OpenVINO to AVX2 as far as it goes: `ONEDNN_MAX_CPU_ISA` speaks to its convolutions, its own generated code
for small operators goes by the machine. ONNX Runtime has no such switch, and refuses the option.
"""
import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys

from common import common_arguments, measure, network, settle

NETWORKS = pathlib.Path(__file__).parents[2] / "target/peers/onnx"
RUNTIMES = ("openvino", "onnxruntime")


def main():
    args = arguments()
    path = args.networks / f"{args.model}-{args.size}-{args.batch}-{args.classes}.onnx"
    if args.export:
        return export(args, path)
    if not path.exists():  # in a process of its own: PyTorch's memory is not the runtime's
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--export"], check=True, stdout=sys.stderr)
    if args.avx2 and args.runtime == "onnxruntime":
        sys.exit("onnxruntime cannot be held to AVX2: it has no switch for that")
    if args.avx2:  # before the library looks
        os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"
    import numpy
    image = numpy.random.default_rng(0).standard_normal((args.batch, 3, args.size, args.size), dtype=numpy.float32)
    version, step = {"openvino": openvino, "onnxruntime": onnxruntime}[args.runtime](path, image, args.threads)
    out = {"peer": args.runtime, "version": version, "model": args.model, "size": args.size, "batch": args.batch,
           "threads": args.threads, "variant": args.runtime, "level": "avx2" if args.avx2 else "best",
           "infer_images_per_second": measure(step, args)}
    out["peak_memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(out), flush=True)


def export(args, path):
    import torch
    torch.manual_seed(0)
    image = torch.randn(args.batch, 3, args.size, args.size)
    model = settle(network(args.model, args.size, args.classes), torch.randn(4, 3, args.size, args.size)).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.onnx")
    torch.onnx.export(model, (image,), str(partial), input_names=["image"], output_names=["logits"], dynamo=True,
                      external_data=False)
    partial.rename(path)


def openvino(path, image, threads):
    import openvino
    core = openvino.Core()
    options = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
    request = core.compile_model(core.read_model(path), "CPU", options).create_infer_request()
    request.set_input_tensor(openvino.Tensor(image))
    return openvino.__version__.split("-")[0], request.infer


def onnxruntime(path, image, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return onnxruntime.__version__, lambda: session.run(None, {"image": image})


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common_arguments(parser)
    parser.add_argument("--runtime", default="openvino", choices=RUNTIMES)
    parser.add_argument("--networks", type=pathlib.Path, default=NETWORKS, help="folder of the exported networks")
    parser.add_argument("--export", action="store_true", help="write the network and measure nothing")
    return parser.parse_args()


if __name__ == "__main__":
    main()
