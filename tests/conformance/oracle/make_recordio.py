"""Writes files of records with real MXNet, and what it reads from them: tests/conformance/recordio/.

Run with MXNet 1.9.1's Python: `python make_recordio.py FOLDER`.
"""

import json
import pathlib
import struct
import sys

import mxnet as mx
import numpy as np

MAGIC = struct.pack("<I", 0xCED7230A)

# What records hold; the magic number at multiples of four divides a record into parts.
RECORDS = [
    b"",
    b"a",
    b"four",
    b"seven..",
    MAGIC,
    MAGIC + MAGIC,
    b"1234" + MAGIC + b"56789",
    b"12" + MAGIC + b"not at a multiple of four",
    MAGIC + b"begins" + MAGIC + b"..ends." + MAGIC,
    bytes(range(256)),
]

HEADERS = [
    (0, 4.0, 2574, 0, b"one label"),
    (7, -0.5, 2**40 + 3, 2**63, b""),
    (0, [1.0, 2.0, 3.5], 1, 2, b"three labels"),
    (0, [0.25], 5, 0, b"a list of one"),
    (3, [], 6, 0, b"no label"),
]


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    plain = mx.recordio.MXRecordIO(str(folder / "plain.rec"), "w")
    for record in RECORDS:
        plain.write(record)
    plain.close()
    indexed = mx.recordio.MXIndexedRecordIO(str(folder / "indexed.idx"), str(folder / "indexed.rec"), "w")
    tells = [indexed.tell()]
    for number, record in enumerate(RECORDS):
        indexed.write_idx(10 * number + 3, record)
        tells.append(indexed.tell())
    indexed.close()
    packed = []
    for flag, label, number, number2, data in HEADERS:
        made = mx.recordio.pack(mx.recordio.IRHeader(flag, label, number, number2), data)
        header, rest = mx.recordio.unpack(made)
        packed.append({
            "flag": flag, "label": label, "id": number, "id2": number2, "data": data.decode(), "packed": made.hex(),
            "unpacked": [header.flag, np.asarray(header.label).tolist(), header.id, header.id2, rest.decode()],
        })
    read = mx.recordio.MXRecordIO(str(folder / "plain.rec"), "r")
    assert [read.read() for _ in RECORDS] == RECORDS and read.read() is None
    about = {"records": [record.hex() for record in RECORDS], "tells": tells, "packed": packed}
    (folder / "about.json").write_text(json.dumps(about, indent=1) + "\n")


main(sys.argv[1])
