"""Small Parquet files with pictures in them, as pyarrow and the library `datasets` write them, for the tests of crates/data/src/parquet.

usage: golden_parquet.py OUT
  OUT   crates/data/tests/golden/parquet

Picture n is of one colour, (7n mod 256, n, 255 - n), 5 pixels wide and 4 high. Made with pyarrow 26.0.1 and Pillow 13.0.
"""

import io
import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

OUT = Path(sys.argv[1])


def picture(n):
    bytes_ = io.BytesIO()
    Image.new("RGB", (5, 4), (7 * n % 256, n, 255 - n)).save(bytes_, "PNG")
    return bytes_.getvalue()


def of_hub(name, numbers):
    """A file of a data set on the Hugging Face hub: a struct, numbers of classes, their names beside the schema. Picture 3 is
    only named, and number 15 has no class."""
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    info = {"info": {"features": {"image": {"_type": "Image"}, "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    schema = pa.schema([("image", image), ("label", pa.int64()), ("patient", pa.string()), ("age", pa.int32())],
                       metadata={"huggingface": json.dumps(info)})
    columns = [
        pa.array([{"bytes": None if n == 3 else picture(n), "path": f"{n}.png"} for n in numbers], image),
        pa.array([-1 if n == 15 else n % 2 for n in numbers]),
        pa.array([f"p{n // 2}" for n in numbers]),
        pa.array([None if n % 5 == 0 else 20 + n for n in numbers], pa.int32()),
    ]
    path = OUT / "hub/data" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns, schema=schema), path, row_group_size=3)


def plain(name, **options):
    """A table of pandas: bytes alone, classes by name, parts by a column, pages of two rows. Number 5 has no class, and
    every third picture is the first one again."""
    numbers = range(20)
    table = pa.table({
        "photo": [picture(0 if n % 3 == 0 else n) for n in numbers],
        "species": [None if n == 5 else ["cat", "dog"][n % 2] for n in numbers],
        "split": ["test" if n % 4 == 3 else "train" for n in numbers],
        "is_cat": [n % 2 == 0 for n in numbers],
        "is_dog": [1.0 if n % 2 == 1 else 0.0 for n in numbers],
        "size": pa.array(range(250, 270), pa.uint16()),
        "tags": [["a", "b"]] * 20,
    })
    pq.write_table(table, OUT / f"{name}.parquet", row_group_size=7, write_batch_size=2, data_page_size=1, **options)


def long(name):
    """A page of 70,000 rows, of which every ten thousandth has a picture."""
    numbers = range(70_000)
    table = pa.table({"image": [picture(n // 10_000) if n % 10_000 == 9_999 else None for n in numbers],
                      "label": ["dog" if n >= 50_000 else "cat" for n in numbers]})
    pq.write_table(table, OUT / f"{name}.parquet", use_dictionary=["label"], write_batch_size=100_000)


of_hub("train-00000-of-00002.parquet", range(8))
of_hub("train-00001-of-00002.parquet", range(8, 13))
of_hub("test-00000-of-00001.parquet", range(13, 18))
plain("snappy", compression="snappy")
plain("gzip", compression="gzip", data_page_version="2.0")
plain("none", compression="none", use_dictionary=False)
plain("zstd", compression="zstd")
long("long")
plain("delta", use_dictionary=False, column_encoding={"photo": "DELTA_LENGTH_BYTE_ARRAY"})
