"""Makes crates/kernels/tests/golden/kernels.json: steps of optimizers and cross entropies, by PyTorch in float64.

Inputs are formulas that the test computes too; only outputs are stored.
Run: python scripts/golden_kernels.py > crates/kernels/tests/golden/kernels.json
"""

import json
import math

import torch

LENGTH = 23
STEPS = 5


def parameter(i):
    return math.sin(0.37 * i) + 0.2


def gradient(i, step):
    return math.cos(0.61 * i + 1.3 * step) * 0.5


def trajectory(make):
    """Parameters after every step."""
    params = torch.tensor([parameter(i) for i in range(LENGTH)], dtype=torch.float64, requires_grad=True)
    optimizer = make([params])
    after = []
    for step in range(STEPS):
        params.grad = torch.tensor([gradient(i, step) for i in range(LENGTH)], dtype=torch.float64)
        optimizer.step()
        after.append(params.detach().tolist())
    return after


SGD = [
    dict(lr=0.1, momentum=0.0, dampening=0.0, nesterov=False, weight_decay=0.0),
    dict(lr=0.1, momentum=0.0, dampening=0.0, nesterov=False, weight_decay=0.05),
    dict(lr=0.05, momentum=0.9, dampening=0.0, nesterov=False, weight_decay=5e-4),
    dict(lr=0.05, momentum=0.9, dampening=0.3, nesterov=False, weight_decay=0.0),
    dict(lr=0.05, momentum=0.8, dampening=0.0, nesterov=True, weight_decay=0.01),
]
ADAM = [
    dict(lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, decoupled=False),
    dict(lr=1e-2, beta1=0.8, beta2=0.99, eps=1e-3, weight_decay=0.1, decoupled=False),
    dict(lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.1, decoupled=True),
]
RMSPROP = [
    dict(lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0),
    dict(lr=1e-2, alpha=0.9, eps=1e-3, weight_decay=0.05, momentum=0.0),
    dict(lr=1e-2, alpha=0.9, eps=1e-7, weight_decay=0.01, momentum=0.9),
]


def adam(settings):
    kind = torch.optim.AdamW if settings["decoupled"] else torch.optim.Adam
    betas = (settings["beta1"], settings["beta2"])
    return lambda p: kind(p, settings["lr"], betas=betas, eps=settings["eps"], weight_decay=settings["weight_decay"])


ROWS, CLASSES = 6, 5
LABELS = [0, 3, -1, 4, 1, -1]
CROSS_ENTROPIES = [
    dict(weighted=weighted, smoothing=smoothing) for weighted in (False, True) for smoothing in (0.0, 0.1, 0.4)
]


def cross_entropy(settings):
    logits = [[3.0 * math.sin(0.9 * (r * CLASSES + c)) for c in range(CLASSES)] for r in range(ROWS)]
    logits = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    weight = torch.tensor([1.0 + 0.5 * c for c in range(CLASSES)], dtype=torch.float64)
    loss = torch.nn.CrossEntropyLoss(
        weight=weight if settings["weighted"] else None, ignore_index=-1, label_smoothing=settings["smoothing"]
    )(logits, torch.tensor(LABELS))
    loss.backward()
    return dict(settings, loss=loss.item(), gradient=logits.grad.flatten().tolist())


def average():
    """The moving average of parameters after every step, and the length of every step's gradient."""
    params = [[parameter(i) + 0.1 * gradient(i, step) for i in range(LENGTH)] for step in range(STEPS)]
    follow = torch.optim.swa_utils.get_ema_avg_fn(0.9)
    averages, norms = [], []
    average = torch.tensor(params[0], dtype=torch.float64)
    for step in range(1, STEPS):
        average = follow(average, torch.tensor(params[step], dtype=torch.float64), step)
        averages.append(average.tolist())
        leaf = torch.zeros(LENGTH, dtype=torch.float64, requires_grad=True)
        leaf.grad = torch.tensor([gradient(i, step) for i in range(LENGTH)], dtype=torch.float64)
        norms.append(torch.nn.utils.clip_grad_norm_([leaf], 1.0).item())
    return dict(decay=0.9, averages=averages, norms=norms)


def pools():
    """Maxima with ties and NaN, and averages with padding: values and where the maxima came from."""
    cases = []
    for kernel, stride, padding, ceil in (
        ((3, 3), (2, 2), (1, 1), False),
        ((2, 3), (1, 2), (1, 0), False),
        ((2, 2), (2, 2), (0, 0), False),
        ((4, 3), (2, 3), (1, 0), True),
    ):
        batch, height, width, channels = 2, 5, 7, 3
        count = batch * height * width * channels
        x = [math.nan if i % 29 == 5 else float(round(2 * math.sin(0.7 * i))) for i in range(count)]
        x = torch.tensor(x, dtype=torch.float64).reshape(batch, height, width, channels).permute(0, 3, 1, 2).contiguous()
        y, at = torch.nn.functional.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil, return_indices=True)
        # From the place in the map to that in the window.
        rows = torch.arange(y.shape[2])[:, None] * stride[0] - padding[0]
        columns = torch.arange(y.shape[3])[None, :] * stride[1] - padding[1]
        place = (at // width - rows) * kernel[1] + at % width - columns
        mean = torch.nn.functional.avg_pool2d(x.nan_to_num(), kernel, stride, padding, ceil_mode=ceil)
        reached = [(n - 1) * s + k for n, s, k in zip(y.shape[2:], stride, kernel)]
        trailing = [max(r - size - 2 * p, 0) for r, size, p in zip(reached, (height, width), padding)]
        nhwc = lambda t: t.permute(0, 2, 3, 1).flatten().tolist()
        maxima = [None if math.isnan(v) else v for v in nhwc(y)]
        sizes = dict(kernel=kernel, stride=stride, padding=padding, trailing=trailing)
        cases.append(dict(sizes, max=maxima, place=nhwc(place), mean=nhwc(mean)))
    return cases


print(
    json.dumps(
        {
            "made_by": f"scripts/golden_kernels.py, PyTorch {torch.__version__}",
            "sgd": [dict(s, params=trajectory(lambda p: torch.optim.SGD(p, **s))) for s in SGD],
            "adam": [dict(s, params=trajectory(adam(s))) for s in ADAM],
            "rmsprop": [dict(s, params=trajectory(lambda p: torch.optim.RMSprop(p, **s))) for s in RMSPROP],
            "cross_entropy": [cross_entropy(s) for s in CROSS_ENTROPIES],
            "average": average(),
            "pool": pools(),
        },
        indent=None,
        separators=(",", ":"),
    )
)
