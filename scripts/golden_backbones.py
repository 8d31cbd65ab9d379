#!/usr/bin/env python3
"""Makes golden files of the larger networks: what PyTorch in float64 says of them at small sizes.

    python3 scripts/golden_backbones.py [CASE ...]      # no CASE: all of them; needs torch, torchvision, timm, numpy

Weights, pictures and projections are those of golden_networks.py (see there). Networks whose gradients are compared have
no jumps: EfficientNet, ConvNeXt and the transformer have none of their own, the others are twins with SiLU for ReLU and ReLU6 and average for max pooling.
Of the true networks and their variants logits and loss are compared. Dropout and stochastic depth are off: random
numbers of both sides differ.
"""
import json
import sys

import timm
import torch
import torchvision
from torch import nn

import golden_networks as golden

DIRECTIONS = 12  # of golden_networks' 24, the first: these networks have hundreds of tensors
LOGITS = "backbones_logits"


# ---------------------------------------------------------------- the networks
NAMES = ("resnet18", "resnet34", "resnet50", "resnet101", "mobilenet_v2", "efficientnet_b0", "efficientnet_b1",
         "efficientnet_b2", "efficientnet_b3", "convnext_tiny", "vit_small_patch16_224", "squeezenet1_1",
         "mobilenet_v3_large")


def network(name, classes, stem="imagenet", smooth=False, dropout=0.0, stochastic_depth=0.0, size=224):
    """torchvision's or timm's network with our options; dropout of a ResNet or ConvNeXt is its caller's affair."""
    if name.startswith("tf_efficientnet"):
        model = timm.create_model(name, num_classes=classes, drop_rate=dropout)
    elif name.startswith("vit"):
        model = timm.create_model(name, num_classes=classes, drop_rate=dropout, img_size=size)
    else:
        more = {} if name.startswith(("resnet", "convnext")) else {"dropout": dropout}
        if name.startswith(("efficientnet", "convnext")):
            more["stochastic_depth_prob"] = stochastic_depth
        published = name.removeprefix("tf_").removesuffix("_v1")
        model = getattr(torchvision.models, published)(weights=None, num_classes=classes, **more)
    if name == "tf_mobilenet_v2":
        pad_as_tensorflow(model)
    if name.endswith("_v1"):
        stride_first(model)
    if stem == "small":
        small_stem(name, model)
    if smooth:
        smoothen(model)
    return model


def pad_as_tensorflow(model):
    """As many zeros as keep ceil(size / stride), the odd one after."""
    def pad(conv, inputs):
        zeros = [max((-(-size // 2) - 1) * 2 + 3 - size, 0) for size in inputs[0].shape[:1:-1]]  # width, height
        return nn.functional.pad(inputs[0], [z for n in zeros for z in (n // 2, n - n // 2)])

    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            module.padding = (0, 0)
            module.register_forward_pre_hook(pad)


def stride_first(model):
    """A bottleneck's stride in its first convolution."""
    for module in model.modules():
        if isinstance(module, torchvision.models.resnet.Bottleneck):
            module.conv1.stride, module.conv2.stride = module.conv2.stride, (1, 1)


def small_stem(name, model):
    """Without the first two halvings."""
    if name.startswith("resnet"):
        model.conv1 = nn.Conv2d(3, model.conv1.out_channels, 3, 1, 1, bias=False)
        nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
        model.maxpool = nn.Identity()
        return
    halvings = [m for m in model.features.modules() if isinstance(m, nn.Conv2d) and m.stride == (2, 2)]
    for module in halvings[:2]:
        module.stride = (1, 1)


def smoothen(module):
    for name, child in module.named_children():
        if isinstance(child, (nn.ReLU, nn.ReLU6)):
            setattr(module, name, nn.SiLU())
        elif isinstance(child, nn.MaxPool2d):
            setattr(module, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode))
        else:
            smoothen(child)


class Residual(nn.Sequential):
    def forward(self, x):
        return super().forward(x) + x


def listed(layers, flat=False):
    """A list of layers as modules, and whether numbers in a row leave them."""
    modules = []
    for layer in layers:
        options = {name: value for name, value in layer.items() if name != "op"}
        match layer["op"]:
            case "conv":
                out, kernel = options.pop("out"), options.pop("kernel", 3)
                module = nn.LazyConv2d(out, kernel, **options)
            case "dense":
                module = nn.LazyLinear(options["out"])
            case "batch_norm":
                module = nn.LazyBatchNorm1d() if flat else nn.LazyBatchNorm2d()
            case "avg_pool":
                module = nn.AvgPool2d(options.pop("size"), **options)
            case "flatten":
                module, flat = nn.Flatten(), True
            case "residual":
                module = Residual(*listed(options["layers"], flat)[0])
            case op:
                module = {"silu": nn.SiLU, "tanh": nn.Tanh, "hard_swish": nn.Hardswish}[op]()
        modules.append(module)
    return modules, flat


def custom(layers, classes, size):
    model = nn.Sequential(*listed(layers)[0], nn.LazyLinear(classes)).eval()
    model(torch.zeros(2, 3, size, size))  # lazy modules see their sizes
    return model


def build(case):
    if case["network"] == "custom":
        return custom(case["layers"], case["classes"], case["size"])
    return network(case["network"], case["classes"], case["stem"], case["smooth"], size=case["size"])


# ---------------------------------------------------------------- what is stored
def rows(tensors):
    return {name: {"norm": golden.short(float(value.double().norm())), "projections": seen(value)}
            for name, value in tensors.items()}


def seen(value):
    return [golden.short(v) for v in golden.projections(value)[:DIRECTIONS]]


def step(case, dtype):
    """Inference logits before the step; training logits, loss, gradients; statistics after it."""
    model = golden.fill(build(case), case["seed"]).to(dtype).eval()
    image, labels = golden.batch(case["seed"], case["batch"], case["size"], case["classes"])
    image = image.to(dtype)
    with torch.no_grad():
        inference = model(image)
    logits = model.train()(image)
    loss = nn.functional.cross_entropy(logits, labels)
    loss.backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    statistics = {name: value for name, value in model.state_dict().items() if "running_" in name}
    return inference, logits.detach(), loss.item(), gradients, statistics


def measure(case):
    inference, logits, loss, gradients, statistics = step(case, torch.float64)
    single = step(case, torch.float32)
    relative = lambda a, b: golden.short(float((a.double() - b.double()).norm() / b.double().norm()), 3)
    out = {"case": case, "inference_logits": golden.numbers(inference)}
    said = f"{case['name']}: torch float32: inference {relative(single[0], inference)}"
    if case["training"]:
        out |= {"loss": golden.short(loss, 12), "torch_float32_logits": relative(single[1], logits),
                "logits": golden.numbers(logits)}
        said += f", training {out['torch_float32_logits']}, loss {loss:.6f}"
    if case["gradients"]:
        out |= {"gradients": rows(gradients), "statistics": rows(statistics)}
        for name, row in out["gradients"].items():
            # A norm's shift that another norm of the batch undoes has no gradient but rounding: its scale's measures it.
            if row["norm"] < 1e-9:
                row["measure"] = out["gradients"][name.replace("bias", "weight")]["norm"]
            away = float((single[3][name].double() - gradients[name]).norm())
            row["torch_float32"] = golden.short(away / row.get("measure", row["norm"]), 3)
        worst = max(out["gradients"], key=lambda name: out["gradients"][name]["torch_float32"])
        said += f", worst gradient {out['gradients'][worst]['torch_float32']} ({worst})"
    print(said, flush=True)
    return out


def case(name, network, size=64, batch=4, classes=10, stem="imagenet", smooth=False, gradients=False,
         training=True, **more):
    return {"name": name, "network": network, "stem": stem, "size": size, "batch": batch, "classes": classes,
            "smooth": smooth, "gradients": gradients, "training": training, "seed": 1, **more}


LAYERS = [  # of a custom network: maps and numbers in a row, blocks in blocks
    {"op": "conv", "out": 12, "padding": 1, "stride": 2},
    {"op": "silu"},
    {"op": "residual", "layers": [
        {"op": "conv", "out": 12, "padding": 1, "bias": False},
        {"op": "batch_norm"},
        {"op": "silu"},
        {"op": "residual", "layers": [{"op": "conv", "out": 12, "kernel": 1, "groups": 3}]},
    ]},
    {"op": "avg_pool", "size": 3, "stride": 2, "padding": 1},
    {"op": "batch_norm"},
    {"op": "flatten"},
    {"op": "hard_swish"},
    {"op": "dense", "out": 20},
    {"op": "batch_norm"},
    {"op": "tanh"},
]

CASES = [
    case("resnet50_twin", "resnet50", smooth=True, gradients=True),
    case("mobilenet_v2_twin", "mobilenet_v2", smooth=True, gradients=True),
    case("efficientnet_b0", "efficientnet_b0", gradients=True),
    case("convnext_tiny", "convnext_tiny", gradients=True),
    case("vit_small_patch16_224", "vit_small_patch16_224", gradients=True),
    case("resnet34", "resnet34"),
    # In training their many ReLUs amplify rounding to about what is compared, in PyTorch's float32 too: twins stand for them.
    case("resnet50", "resnet50", training=False),
    case("resnet50_small_stem", "resnet50", size=24, stem="small", training=False),
    case("resnet50_small_stem_twin", "resnet50", size=24, stem="small", smooth=True),
    case("resnet50_v1", "resnet50_v1", training=False),
    case("resnet101", "resnet101", training=False),
    case("resnet101_twin", "resnet101", smooth=True),
    case("mobilenet_v2", "mobilenet_v2"),
    case("mobilenet_v2_small_stem", "mobilenet_v2", size=24, stem="small"),
    case("efficientnet_b0_small_stem", "efficientnet_b0", size=24, stem="small"),
    case("efficientnet_b1", "efficientnet_b1"),
    case("efficientnet_b2", "efficientnet_b2"),
    case("efficientnet_b3", "efficientnet_b3"),
    case("tf_efficientnet_lite0_twin", "tf_efficientnet_lite0", smooth=True, gradients=True),
    case("tf_mobilenet_v2", "tf_mobilenet_v2", size=70),
    case("tf_efficientnet_lite0", "tf_efficientnet_lite0", size=65),
    case("tf_efficientnet_lite1", "tf_efficientnet_lite1"),
    case("tf_efficientnet_lite2", "tf_efficientnet_lite2", size=66),
    case("squeezenet1_1_twin", "squeezenet1_1", size=67, smooth=True, gradients=True),
    case("squeezenet1_1", "squeezenet1_1", size=66),
    # Hard-swish and hard-sigmoid bend too, but hardly: the twin keeps them.
    case("mobilenet_v3_large_twin", "mobilenet_v3_large", smooth=True, gradients=True),
    case("mobilenet_v3_large", "mobilenet_v3_large"),
    case("mobilenet_v3_large_small_stem", "mobilenet_v3_large", size=24, stem="small"),
    case("custom_residual", "custom", size=18, gradients=True, layers=LAYERS),
]


def main():
    torch.set_num_threads(1)  # small work on a busy machine
    versions = {"python": sys.version.split()[0], "torch": torch.__version__, "torchvision": torchvision.__version__,
                "timm": timm.__version__, "numpy": golden.np.__version__}
    print(versions)
    head = {"made_by": "scripts/golden_backbones.py", "versions": versions}
    chosen = [entry for entry in CASES if len(sys.argv) == 1 or entry["name"] in sys.argv[1:]]
    for entry in chosen:
        if entry["gradients"]:
            write(entry["name"], {**head, **measure(entry)})
    path = golden.OUT / f"{LOGITS}.json"
    old = json.loads(path.read_text())["cases"] if path.exists() else {}
    fresh = {entry["name"]: measure(entry) for entry in chosen if not entry["gradients"]}
    order = [entry["name"] for entry in CASES if not entry["gradients"]]
    write(LOGITS, {**head, "cases": {name: (old | fresh)[name] for name in order if name in old | fresh}})


def write(name, content):
    text = json.dumps(content, separators=(",", ":"))
    # One parameter or case a line: a change can be read.
    text = text.replace('},"', '},\n"').replace('{"case"', '{\n"case"')
    (golden.OUT / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
