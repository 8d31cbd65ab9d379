#!/usr/bin/env python3
"""Makes small files as PyTorch's users have them, for the tests of the reader.

    python3 scripts/golden_pth.py       # needs torch

Number i of every tensor of floats is i / 8 - 1, row after row, exact in all their types; whole numbers are i.
"""
import pathlib

import torch

OUT = pathlib.Path(__file__).parent.parent / "crates/models/tests/golden/pth"


def numbers(*shape, dtype=torch.float32):
    count = torch.Size(shape).numel()
    return (torch.arange(count, dtype=torch.float64) / 8 - 1).reshape(shape).to(dtype)


def tensors():
    shared = numbers(3, 4)
    return {
        "plain": numbers(2, 3),
        "transposed": numbers(4, 3).t().contiguous().t(),  # in memory column after column
        "half": numbers(5, dtype=torch.float16),
        "brain": numbers(5, dtype=torch.bfloat16),
        "double": numbers(2, 2, dtype=torch.float64),
        "parameter": torch.nn.Parameter(numbers(3)),
        "whole": shared,
        "row": shared[1],  # a part of the same storage
        "empty": numbers(0, 3),
        "scalar": numbers(1).reshape(()),
        "count": torch.tensor(7),
    }


def main():
    OUT.mkdir(exist_ok=True)
    state = tensors()
    torch.save(state, OUT / "zip.pth")
    torch.save(state, OUT / "legacy.pth", _use_new_zipfile_serialization=False)
    checkpoint = {"epoch": 3, "loss": 0.5, "state_dict": {f"module.{name}": value for name, value in state.items()}}
    torch.save(checkpoint, OUT / "checkpoint.pth", pickle_protocol=4)
    torch.save({"model": torch.nn.Linear(2, 1)}, OUT / "module.pth")


if __name__ == "__main__":
    main()
