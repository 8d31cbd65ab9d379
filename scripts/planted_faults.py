"""How many planted faults `avizor audit` finds, and what it finds where nothing was planted.

    python scripts/planted_faults.py --program target/release/avizor --data FOLDER [--sets caltech6,hymenoptera] [--seed 1]

From real pictures a clean folder is made: up to `CLASSES` classes with `PICTURES` each, without any in which the audit itself finds
something. Then each kind of fault is planted alone into a copy of it, and the audit runs again. Recall: planted cases that are found, by
the names of their files. False alarms: findings of any kind that concern nothing planted (what a fault brings with it by nature,
such as another class size, is named in `MAY`). Needs Pillow and numpy.
"""

import argparse
import json
import random
import shutil
import subprocess
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy
from PIL import Image, ImageFilter, ImageOps

CLASSES, PICTURES, PLANTED = 5, 60, 12
SETS = {
    "caltech6": "caltech6/images",
    "pokemon150": "pokemon150",
    "hymenoptera": "hymenoptera/train",
    "ham10000": None,
    "simpsons64": "simpsons64/train",
}
# What follows from a fault without being one of its own.
MAY = {"imbalance", "ignored_file"}


class Folder:
    """Pictures by class in a folder of their own."""

    def __init__(self, path, seed):
        self.path, self.random = Path(path), random.Random(seed)

    def names(self):
        return sorted(str(p.relative_to(self.path)) for p in self.path.rglob("*") if p.is_file() and p.suffix != ".jsonl")

    def some(self, count=PLANTED):
        return self.random.sample(self.names(), count)

    def open(self, name):
        return Image.open(self.path / name).convert("RGB")

    def save(self, image, name, **options):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, **options)
        return name

    def change(self, name, edit, **options):
        image = edit(self.open(name))
        (self.path / name).unlink()
        stem = name.rsplit(".", 1)[0]
        return self.save(image, f"{stem}-changed.jpg", quality=90, **options)

    def classes(self):
        return sorted(p.name for p in self.path.iterdir() if p.is_dir())


def other_class(folder, name):
    return folder.random.choice([c for c in folder.classes() if c != name.split("/")[0]])


# Each plants its fault and gives the cases: a set of names that one finding of the kind must hold, or a word that its sentence must hold.


def undecodable(folder):
    cases = []
    for number, name in enumerate(folder.some()):
        data = [b"", b"<!DOCTYPE html><html></html>", bytes(range(256)), b"version https://git-lfs"][number % 4]
        (folder.path / name).write_bytes(data)
        cases.append({name})
    return cases


def truncated(folder):
    cases = []
    for name in folder.some():
        changed = folder.change(name, lambda image: image)
        data = (folder.path / changed).read_bytes()
        (folder.path / changed).write_bytes(data[: len(data) // 2])
        cases.append({changed})
    return cases


def wrong_extension(folder):
    cases = []
    for name in folder.some():
        image, new = folder.open(name), name.rsplit(".", 1)[0] + "-x.jpg"
        (folder.path / name).unlink()
        folder.save(image, new, format="PNG")
        cases.append({new})
    return cases


def exact_duplicate(folder):
    cases = []
    for name in folder.some():
        copy = name.rsplit(".", 1)[0] + " (copy)." + name.rsplit(".", 1)[1]
        shutil.copy(folder.path / name, folder.path / copy)
        cases.append({name, copy})
    return cases


def equal_pixels(folder):
    cases = []
    for number, name in enumerate(folder.some()):
        image, copy = folder.open(name), name.rsplit(".", 1)[0] + "-again" + [".png", ".bmp", ".webp", ".tif"][number % 4]
        # The program and Pillow decode JPEG to pixels that differ in places; what is lossless cannot.
        first = name.rsplit(".", 1)[0] + "-first.png"
        (folder.path / name).unlink()
        folder.save(image, first)
        folder.save(image, copy, **({"lossless": True} if copy.endswith("webp") else {}))
        cases.append({first, copy})
    return cases


def two_labels(folder):
    cases = []
    for name in folder.some():
        copy = f"{other_class(folder, name)}/of-another-{name.split('/')[1]}"
        shutil.copy(folder.path / name, folder.path / copy)
        cases.append({name, copy})
    return cases


def crop(image):
    width, height = image.size
    return image.crop((width // 10, height // 10, width, height))


def near_duplicate(folder):
    cases = []
    for name in folder.some():
        copy = folder.save(crop(folder.open(name)), name.rsplit(".", 1)[0] + "-crop.jpg", quality=85)
        cases.append({name, copy})
    return cases


def near_two_labels(folder):
    cases = []
    for name in folder.some():
        image = ImageOps.mirror(folder.open(name))
        copy = folder.save(image, f"{other_class(folder, name)}/{name.split('/')[1].rsplit('.', 1)[0]}-m.jpg", quality=85)
        cases.append({name, copy})
    return cases


def split_folders(folder):
    """A third of each class to `test`, the rest to `train`."""
    for name in folder.names():
        part = "test" if folder.random.random() < 1 / 3 else "train"
        target = folder.path / part / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder.path / name).rename(target)
    for path in list(folder.path.iterdir()):
        if path.is_dir() and path.name not in ("train", "test"):
            path.rmdir()


def across_splits(folder, edit=None):
    split_folders(folder)
    cases = []
    for name in folder.random.sample([n for n in folder.names() if n.startswith("train/")], PLANTED):
        copy = "test/" + name[len("train/") :].rsplit(".", 1)[0] + "-leak." + name.rsplit(".", 1)[1]
        if edit:
            copy = folder.save(edit(folder.open(name)), copy.rsplit(".", 1)[0] + ".jpg", quality=85)
        else:
            shutil.copy(folder.path / name, folder.path / copy)
        cases.append({name, copy})
    return cases


def near_across_splits(folder):
    return across_splits(folder, lambda image: ImageOps.mirror(crop(image)))


def lookalike_classes(folder):
    first = folder.classes()[0]
    others = f"{first[0].swapcase()}{first[1:].replace('_', ' ')}."
    pictures = sorted((folder.path / first).iterdir())
    (folder.path / others).mkdir()
    for picture in pictures[::2]:
        picture.rename(folder.path / others / picture.name)
    copies = {f"{first}/{picture.name}" for picture in pictures[1:7:2]}
    for name in sorted(copies):
        folder.save(crop(folder.open(name)), f"{others}/{Path(name).stem}-crop.jpg", quality=85)
    # The words, and what is planted beside them.
    return [f"{others} ", copies]


def every_class(folder, edit):
    for at, name in enumerate(folder.classes()):
        for path in sorted((folder.path / name).iterdir()):
            image = edit(folder.open(f"{name}/{path.name}"), at)
            path.unlink()
            image, options = image if isinstance(image, tuple) else (image, {"quality": 90})
            image.save(path.with_suffix(".jpg"), **options)


def shortcut_border(folder):
    colours = ["white", "black", "#804020", "#204080", "#108010"]
    every_class(folder, lambda image, at: ImageOps.expand(image, max(2, image.width // 40), colours[at]))
    return ["border colour"]


def shortcut_size(folder):
    every_class(folder, lambda image, at: image.resize((160 + 20 * at, 160 + 10 * at)))
    return ["width and height"]


def shortcut_bytes(folder):
    # Random quality hides size of detail; each class has its own range.
    every_class(folder, lambda image, at: (image.resize((128, 128)), {"quality": [15, 40, 70, 88, 97][at]}))
    return ["file size"]


def one_by_one(edit, **options):
    return lambda folder: [{folder.change(name, edit, **options)} for name in folder.some()]


def blur(image):
    return image.filter(ImageFilter.GaussianBlur(0.03 * min(image.size)))


def scaled(low, high):
    def edit(image):
        pixels = numpy.asarray(image).astype(float)
        return Image.fromarray((low + pixels * (high - low) / 255).clip(0, 255).astype(numpy.uint8))

    return edit


def saved_as(ending, make):
    def plant(folder):
        cases = []
        for name in folder.some():
            image, new = folder.open(name), name.rsplit(".", 1)[0] + ending
            (folder.path / name).unlink()
            make(folder, image, new)
            cases.append({new})
        return cases

    return plant


def with_alpha(folder, image, name):
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    folder.save(image, name)


def moving(folder, image, name):
    folder.save(image, name, save_all=True, append_images=[ImageOps.mirror(image)], duration=100)


def rotated(folder, image, name):
    exif = Image.Exif()
    exif[274] = 6
    folder.save(image, name, exif=exif, quality=90)


def tiny_class(folder):
    last = folder.classes()[-1]
    for path in sorted((folder.path / last).iterdir())[4:]:
        path.unlink()
    return [f"{last} has 4"]


def missing_class_in_split(folder):
    split_folders(folder)
    last = sorted(p.name for p in (folder.path / "test").iterdir())[-1]
    shutil.rmtree(folder.path / "test" / last)
    return [f"no picture of {last} in test"]


FAULTS = {
    "undecodable": undecodable,
    "truncated": truncated,
    "wrong_extension": wrong_extension,
    "exact_duplicate": exact_duplicate,
    "exact_duplicate (other format)": equal_pixels,
    "two_labels": two_labels,
    "across_splits": across_splits,
    "near_duplicate": near_duplicate,
    "near_two_labels": near_two_labels,
    "near_across_splits": near_across_splits,
    "lookalike_classes": lookalike_classes,
    "shortcut (border)": shortcut_border,
    "shortcut (size)": shortcut_size,
    "shortcut (bytes)": shortcut_bytes,
    "blurred": one_by_one(blur),
    "dark": one_by_one(scaled(0, 16)),
    "bright": one_by_one(scaled(239, 255)),
    "blank": one_by_one(lambda image: Image.new("RGB", image.size, (90, 120, 30))),
    "gray": one_by_one(lambda image: image.convert("L")),
    "odd_shape": one_by_one(lambda image: image.resize((4 * image.height, image.height))),
    "cmyk": one_by_one(lambda image: image.convert("CMYK")),
    "alpha": saved_as(".png", with_alpha),
    "animated": saved_as(".gif", moving),
    "exif_rotated": saved_as("-r.jpg", rotated),
    "tiny_class": tiny_class,
    "missing_class_in_split": missing_class_in_split,
}
# Kinds that a planted fault has by its nature, beside its own.
WITH = {
    "exact_duplicate (other format)": {"exact_duplicate"},
    "across_splits": {"exact_duplicate"},
    "near_across_splits": {"near_duplicate"},
    "lookalike_classes": {"near_two_labels"},
    "blank": {"exact_duplicate", "two_labels", "lookalike_classes"},
    "gray": set(),
    "missing_class_in_split": {"tiny_class"},
    "tiny_class": {"missing_class_in_split"},
    "dark": {"blank"},
    "bright": {"blank"},
}


def audit(program, path):
    done = subprocess.run([program, "audit", str(path), "--json", "-q"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["findings"]


def clean(program, source, target, seed):
    """Copies pictures in which nothing is found."""
    chooser = random.Random(seed)
    by_class = defaultdict(list)
    for path in sorted(source.glob("*/*")):
        by_class[path.parent.name].append(path)
    for name in sorted(by_class, key=lambda name: (-len(by_class[name]), name))[:CLASSES]:
        (target / name).mkdir(parents=True)
        for path in chooser.sample(by_class[name], min(PICTURES + 20, len(by_class[name]))):
            shutil.copy(path, target / name / path.name)
    for _ in range(3):
        for finding in audit(program, target):
            # A look that a whole set has, as no colour, is no fault of a picture.
            if finding["count"] > len(list(target.glob("*/*"))) / 3:
                continue
            for group in finding["groups"]:
                for name in group:
                    (target / name).unlink(missing_ok=True)
    for folder in target.iterdir():
        for path in sorted(folder.iterdir())[PICTURES:]:
            path.unlink()


def found(case, findings, kind):
    for finding in findings:
        if finding["kind"] == kind:
            if isinstance(case, str):
                if any(case in detail for detail in finding.get("details", [])):
                    return True
            elif any(case <= set(group) for group in finding["groups"]):
                return True
    return False


def words_only(label, cases):
    """Of two names for one class the finding is a sentence; the copies that it rests on are told by another kind."""
    return cases[:1] if label == "lookalike_classes" else cases


def strange(findings, cases, kind, label):
    """Cases of findings that nothing planted explains."""
    planted = set().union(*[case for case in cases if isinstance(case, set)])
    expected = MAY | {kind} | WITH.get(label, set())
    alarms = Counter()
    for finding in findings:
        for group in finding["groups"]:
            if group and not planted & set(group):
                alarms[finding["kind"]] += 1
            elif not group and finding["kind"] not in expected:
                alarms[finding["kind"]] += 1
    return alarms


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--sets", default="caltech6,hymenoptera,pokemon150,simpsons64")
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sets = options.sets.split(",")
    recall = {}
    alarms = {name: Counter() for name in sets}
    wanted = [label for label in FAULTS if not options.only or label in options.only.split(",")]
    for name in sets:
        with tempfile.TemporaryDirectory() as work:
            base = Path(work) / "clean"
            clean(options.program, options.data / SETS[name], base, options.seed)
            of_clean = [f for f in audit(options.program, base) if f["kind"] not in MAY]
            known = {f["kind"] for f in of_clean}
            print(f"{name}: {len(Folder(base, 0).names())} clean pictures; found in them: {sorted(known)}", flush=True)
            for label in wanted:
                kind = label.split(" ")[0]
                path = Path(work) / "planted"
                shutil.copytree(base, path)
                folder = Folder(path, options.seed)
                cases = FAULTS[label](folder)
                findings = audit(options.program, path)
                asked = words_only(label, cases)
                missed = [case for case in asked if not found(case, findings, kind)]
                right = len(asked) - len(missed)
                recall[label, name] = (right, len(asked)) if kind not in known else ("–", len(asked))
                extra = strange([f for f in findings if f["kind"] not in known], cases, kind, label)
                alarms[name] += extra
                print(f"  {label}: {right} of {len(asked)}", dict(extra) or "", missed[:3] or "", flush=True)
                shutil.rmtree(path)
    print("\n| planted | " + " | ".join(sets) + " |\n|---|" + "---|" * len(sets))
    for label in wanted:
        print(f"| {label} | " + " | ".join("{} of {}".format(*recall[label, name]) for name in sets) + " |")
    print("| false alarms | " + " | ".join(", ".join(f"{k} {n}" for k, n in alarms[name].items()) or "0" for name in sets) + " |")


main()
