"""Golden values of the engine's small network, from PyTorch in float64.

Parameters, pixels and labels come from formulas that crates/engine/tests/network/mod.rs has too, so that only results
are stored. The network has no choices that flip on rounding (SiLU, average pooling), so that f32 may be compared step by
step. For every optimizer the losses of 20 steps in float64, and how far PyTorch's own float32 strays from them.

    python scripts/golden_engine.py > crates/engine/tests/golden/network.txt
"""

import math

import torch
from torch import nn

BATCH, CLASSES, STEPS, SEEDS = 6, 5, 20, 21


class Block(nn.Module):
    def __init__(self, inputs, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        if stride != 1 or inputs != out:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = nn.functional.silu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return nn.functional.silu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.layer1 = Block(8, 8, 1)
        self.layer2 = Block(8, 12, 2)
        self.fc = nn.Linear(12, CLASSES)

    def forward(self, image):
        x = (image / 255 - 0.5) / 0.25
        x = nn.functional.avg_pool2d(nn.functional.silu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer2(self.layer1(x))
        return self.fc(x.mean((2, 3)))


def start(dtype, seed):
    torch.set_default_dtype(dtype)
    network = Network()
    with torch.no_grad():
        for name, p in network.named_parameters():
            phase = 1.3 * sum(name.encode()) + seed
            wave = [math.sin(0.37 * i + phase) for i in range(p.numel())]
            if p.dim() == 1:
                values = [(1 if name.endswith("weight") else 0) + 0.1 * w for w in wave]
            else:
                values = [1.7 * w / math.sqrt(p[0].numel()) for w in wave]
            p.copy_(torch.tensor(values, dtype=torch.float32).to(dtype).reshape(p.shape))
    return network


def batch(dtype, step):
    def pixel(i):
        return ((i + 10_007 * step + 1) * 2_654_435_761 % 2**32) >> 24

    image = torch.tensor([pixel(i) for i in range(BATCH * 12 * 12 * 3)], dtype=dtype)
    labels = torch.tensor([(i * i + 3 * i + step) % CLASSES for i in range(BATCH)])
    weights = torch.tensor([0.5 + 0.25 * c for c in range(CLASSES)], dtype=dtype)
    loss = nn.CrossEntropyLoss(weight=weights, label_smoothing=0.05)
    return image.reshape(BATCH, 12, 12, 3).permute(0, 3, 1, 2), lambda logits: loss(logits, labels)


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, weight_decay=1e-2),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, dampening=0.1, weight_decay=1e-2),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True, weight_decay=1e-2),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-3, weight_decay=1e-2),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-3, weight_decay=1e-2),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-3, momentum=0.5, weight_decay=1e-2),
}


def trajectory(dtype, seed, optimizer):
    network = start(dtype, seed)
    optimizer = optimizer(network.parameters())
    losses = []
    for step in range(STEPS):
        image, loss_of = batch(dtype, step)
        optimizer.zero_grad()
        loss = loss_of(network(image))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def line(*words):
    print(*(f"{word:.12g}" if isinstance(word, float) else word for word in words))


def main():
    torch.set_num_threads(1)
    print(f"# scripts/golden_engine.py, torch {torch.__version__}")
    network = start(torch.float64, 0)
    image, loss_of = batch(torch.float64, 0)
    logits = network(image)
    loss_of(logits).backward()
    line("logits", "-", *logits.flatten().tolist())
    for name, p in network.named_parameters():
        g = p.grad.flatten()
        dot = sum(v * math.cos(0.11 * i) for i, v in enumerate(g.tolist()))
        line("gradient", name, g.norm().item(), dot)
    for name, values in network.named_buffers():
        if "running" in name:
            line("statistic", name, *values.tolist())
    network.eval()
    line("eval", "-", *network(image).flatten().tolist())
    for name, optimizer in OPTIMIZERS.items():
        for seed in range(SEEDS):
            exact = trajectory(torch.float64, seed, optimizer)
            rough = trajectory(torch.float32, seed, optimizer)
            line("losses", name, *exact)
            line("torch_f32_error", name, max(abs(a / b - 1) for a, b in zip(rough, exact)))


main()
