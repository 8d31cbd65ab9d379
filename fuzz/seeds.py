#!/usr/bin/env python3
"""Makes the small files in fuzz/seeds that the targets start from.

    python3 fuzz/seeds.py       # needs torch, safetensors, pillow

They hold the 14 weights of the perceptron in src/lib.rs, in every format, so that a changed file is often still one of it. What
other targets start from lies elsewhere in the repository, see `run`.
"""
import io
import json
import pathlib
import pickletools
import tarfile
import zipfile

import safetensors.torch
import torch
from PIL import Image

SEEDS = pathlib.Path(__file__).parent / "seeds"
MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."


def state(dtype=torch.float32):
    shapes = {"0.weight": (2, 3), "0.bias": (2,), "3.weight": (2, 2), "3.bias": (2,)}
    return {name: (torch.arange(torch.Size(shape).numel()) / 8 - 1).reshape(shape).to(dtype)
            for name, shape in shapes.items()}


def programs(content):
    """The parts of a file of the older layout: programs, and the numbers behind them."""
    parts, at = [], 0
    for _ in range(5):
        end = at + next(place for op, _, place in pickletools.genops(content[at:]) if op.name == "STOP") + 1
        parts.append(content[at:end])
        at = end
    return parts


def card(name, hidden, size=(2, 2), **more):
    return {"format": 1, "network": {"name": name, "stem": "imagenet", "dropout": 0.0, "hidden": hidden},
            "classes": ["cat", "dog"],
            "preprocess": {"size": list(size), "resize": "squash", "filter": "bilinear", "resampling": "pillow-13",
                           "background": [255, 255, 255], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
            **more, "provenance": {"avizor": "0.1.0", "run": "", "epoch": 1, "training_pictures": 2}}


def pictures(folder):
    """A small picture in every format but JPEG, whose lie beside the tests of decoding."""
    colour = Image.frombytes("RGB", (5, 4), bytes(range(60)))
    modes = {"rgb": colour, "gray": colour.convert("L"), "palette": colour.quantize(4), "bits": colour.convert("1"),
             "rgba": colour.convert("RGBA"), "deep": colour.convert("L").convert("I;16")}
    for name in ("rgb", "gray", "palette", "bits", "rgba", "deep"):
        modes[name].save(folder / f"{name}.png")
    for name in ("rgb", "gray", "palette", "bits"):
        modes[name].save(folder / f"{name}.bmp")
    for name, compression in [("rgb", "raw"), ("rgb", "tiff_lzw"), ("gray", "tiff_adobe_deflate"), ("palette", "packbits"),
                              ("bits", "group4"), ("rgba", "raw"), ("deep", "raw")]:
        modes[name].save(folder / f"{name}_{compression}.tif", compression=compression)
    colour.convert("CMYK").save(folder / "cmyk.tif")
    colour.save(folder / "lossy.webp", quality=50)
    colour.save(folder / "lossless.webp", lossless=True)
    moving = {"save_all": True, "append_images": [colour.rotate(180)], "duration": 40}
    colour.save(folder / "moving.webp", **moving)
    colour.save(folder / "moving.gif", **moving)
    modes["palette"].save(folder / "still.gif")
    exif = Image.Exif()
    exif[0x0112] = 6
    colour.save(folder / "turned.png", exif=exif)


def archives(tars, zips):
    """A few files in each layout of tar, and in a zip as they are and packed."""
    files = {"a/1.txt": b"one", "b/2.txt": b"two" * 200, "b/" + "long" * 30 + ".txt": b"long"}
    for name, layout in {"posix": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT, "ustar": tarfile.USTAR_FORMAT}.items():
        with tarfile.open(tars / name, "w", format=layout) as archive:
            for file, content in files.items():
                if name != "ustar" or len(file) < 100:
                    entry = tarfile.TarInfo(file)
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
            link = tarfile.TarInfo("link")
            link.type, link.linkname = tarfile.SYMTYPE, "a/1.txt"
            archive.addfile(link)
    for name, method in {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}.items():
        with zipfile.ZipFile(zips / name, "w", method) as archive:
            for file, content in files.items():
                archive.writestr(zipfile.ZipInfo(file), content, method)
    with zipfile.ZipFile(zips / "zip64", "w") as archive, archive.open("a/1.txt", "w", force_zip64=True) as file:
        file.write(b"one")


def main():
    folders = ["safetensors", "pth_zip", "pth_legacy", "pickle", "model", "model_card", "table", "picture", "archive_tar",
               "archive_zip"]
    for folder in folders:
        (SEEDS / folder).mkdir(parents=True, exist_ok=True)
    for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64):
        name = str(dtype).removeprefix("torch.")
        safetensors.torch.save_file(state(dtype), SEEDS / f"safetensors/{name}")
    plain = state()
    strided = {**plain, "0.weight": plain["0.weight"].t().contiguous().t(), "3.bias": plain["3.weight"][1]}
    for name, value in {"plain": plain, "strided": strided, "half": state(torch.float16),
                        "checkpoint": {"epoch": 3, "state_dict": {f"module.{n}": v for n, v in plain.items()}}}.items():
        torch.save(value, SEEDS / f"pth_zip/{name}")
        legacy = SEEDS / f"pth_legacy/{name}"
        torch.save(value, legacy, _use_new_zipfile_serialization=False)
        content = legacy.read_bytes()
        object_ = programs(content)[3]
        # Storages are named by their place in memory there; the target's are named 0 to 3.
        keys = sorted({str(v.untyped_storage()._cdata) for v in (value.get("state_dict") or value).values()})
        for number, key in enumerate(keys):
            text = lambda k: b"X" + len(k).to_bytes(4, "little") + k.encode()
            object_ = object_.replace(text(key), text(str(number)))
        (SEEDS / f"pickle/{name}").write_bytes(object_)
    # The network of the cards: a perceptron of 2 × 2 pixels, whose weights are those of its file.
    weights = {"0.weight": (2, 12), "0.bias": (2,), "3.weight": (2, 2), "3.bias": (2,)}
    weights = {name: torch.full(shape, 0.25) for name, shape in weights.items()}
    safetensors.torch.save_file(weights, SEEDS / "model/model.safetensors")
    columns = [{"kind": "category", "column": "sex", "levels": ["f", "m"], "missing": True}]
    layers = [{"op": "conv", "out": 2}, {"op": "relu"}, {"op": "flatten"}, {"op": "dense", "out": 2}]
    cards = {
        "mlp": card("mlp", [2]),
        "resnet18": card("resnet18", [], (32, 32)),
        "fused": card("mlp", [2], metadata={"role": "joined", "hidden": [2], "head": [2], "columns": columns}),
        "alone": card("mlp", [2], metadata={"role": "alone", "hidden": [2], "head": [], "columns": columns}),
        "custom": {**card("custom", [], (8, 8)),
                   "network": {**card("custom", [])["network"], "layers": layers}},
    }
    for name, value in cards.items():
        (SEEDS / f"model_card/{name}").write_text(json.dumps(value))
    tables = {
        "plain": "path,label,patient,split\na.jpg,cat,1,train\nb.jpg,dog,2,val\nimages/c.png,cat,3,test\n",
        "semicolons": "image;class\nc.png;\"a cat\"\nd.png;dog\n",
        "tabs": "id\tdx\tage\na\tnv\t3\nb\tmel\t\n",
        "marked": "\ufefffile,label\r\na.jpg,caf\u00e9\r\nb.jpg,\"two\r\nlines\"\r\n",
    }
    for name, text in tables.items():
        (SEEDS / f"table/{name}").write_text(text, newline="")
    pictures(SEEDS / "picture")
    archives(SEEDS / "archive_tar", SEEDS / "archive_zip")


if __name__ == "__main__":
    main()
