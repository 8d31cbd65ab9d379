"""Pictures from elsewhere for a model of the six Caltech classes, and strangers that are of none of them.

Makes OUT/outside/<class>/ from `apart/Faces_easy` of the Caltech set and from those pictures of the ImageNet sample whose
label is a boat, a watch or a camera by its name, and OUT/strangers/ from all others of the sample. Then

    avizor eval RUN OUT/outside
    avizor predict RUN OUT/strangers --top 1 --json

    python scripts/outside_pictures.py CALTECH6 IMAGENET_SAMPLE OUT
"""

import os
import re
import sys
from pathlib import Path

# By the names of ImageNet's labels. Left out on purpose: `digital_clock` is no watch, `lens_cap` no camera.
CLASSES = {"container_ship": "ketch", "fireboat": "ketch", "speedboat": "ketch", "stopwatch": "watch"}


def main():
    caltech, sample, out = map(Path, sys.argv[1:4])
    counts = {}

    def put(picture, folder, kind):
        target = out / folder / kind
        target.mkdir(parents=True, exist_ok=True)
        link = target / picture.name
        if not link.exists():
            os.link(picture, link)
        counts[f"{folder}/{kind}".rstrip("/")] = counts.get(f"{folder}/{kind}".rstrip("/"), 0) + 1

    for picture in sorted((caltech / "apart" / "Faces_easy").iterdir()):
        put(picture, "outside", "Faces")
    for picture in sorted(sample.glob("*.jpg")):
        label = re.sub(r"^\d+_n\d+_", "", picture.stem)
        kind = CLASSES.get(label)
        put(picture, *(("outside", kind) if kind else ("strangers", "")))
    for place, count in sorted(counts.items()):
        print(f"{count:4} {place}")


if __name__ == "__main__":
    main()
