"""What the peers' benchmarks have in common: the networks, the clock, the real-time scheduler."""
import os
import pathlib
import statistics
import sys
import time

NETWORKS = ("resnet18", "resnet34", "resnet50", "resnet101", "mobilenet_v2", "efficientnet_b0", "small_cnn")


def network(name, size, classes=1000, stem="imagenet"):
    """The equal of ours in PyTorch: no dropout, but stochastic depth."""
    sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
    import golden_backbones
    import golden_networks
    import torchvision
    if name == "small_cnn":
        return golden_networks.SmallCnn(classes, size, smooth=False)
    if name in golden_backbones.NAMES:
        return golden_backbones.network(name, classes, stem, stochastic_depth=0.2)
    return getattr(torchvision.models, name)(weights=None, num_classes=classes)


def settle(model, image):
    """Gives batch norms the statistics of noise: with those of a fresh network values run off through its layers, and
    numbers near zero or infinity are slower than others."""
    import torch
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        model.train()(image)
    for norm in norms:
        norm.momentum = 0.1
    return model


def measure(step, args):
    """Pictures a second: the median, the slowest, the fastest and the number of steps in `args.seconds`."""
    step()  # compiling starts threads: they must not be real-time ones
    if args.realtime:
        for thread in os.listdir("/proc/self/task"):
            os.sched_setscheduler(int(thread), os.SCHED_FIFO, os.sched_param(10))
    step(), step()
    times, end = [], time.perf_counter() + args.seconds
    while time.perf_counter() < end or len(times) < 4:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
        if args.realtime:
            time.sleep(0.08 * times[-1])
    rate = lambda seconds: round(args.batch / seconds, 2)
    return {"median": rate(statistics.median(times)), "low": rate(max(times)), "high": rate(min(times)), "n": len(times)}


def common_arguments(parser):
    parser.add_argument("--model", default="resnet18", help="small_cnn, or any network of torchvision")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=5.0, help="of each mode")
    parser.add_argument("--avx2", action="store_true", help="no instructions beyond AVX2, where the peer has a switch")
    parser.add_argument("--realtime", action="store_true", help="on the real-time scheduler (root)")
