"""A tar of a million pictures of 8 x 8 pixels, each different, in ten classes: what an audit of so many takes.

usage: million_pictures.py OUT.tar [COUNT]

    scripts/million_pictures.py million.tar
    /usr/bin/time -v avizor audit million.tar
"""

import io
import random
import struct
import sys
import tarfile
import zlib

COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def picture(noise):
    """A PNG of noise, stored as it is."""
    rows = b"".join(b"\0" + noise.randbytes(24) for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


with tarfile.open(sys.argv[1], "w", format=tarfile.USTAR_FORMAT) as archive:
    noise = random.Random(1)
    for number in range(COUNT):
        content = picture(noise)
        entry = tarfile.TarInfo(f"class_{number % 10}/{number // 10_000:04}/{number:07}.png")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
