"""Files of records: those of MXNet, written by tests/conformance/oracle/make_recordio.py, and wrong use."""

import json
import os
import pathlib
import pickle

import mxr as mx
import numpy as np
import pytest

FOLDER = pathlib.Path(__file__).parents[3] / "tests/conformance/recordio"
ORACLE = json.loads((FOLDER / "about.json").read_text())
RECORDS = [bytes.fromhex(record) for record in ORACLE["records"]]
KEYS = [10 * i + 3 for i in range(len(RECORDS))]


def test_mxnets_records_are_read_in_order_and_again():
    file = mx.recordio.MXRecordIO(FOLDER / "plain.rec", "r")
    for _ in range(2):
        assert [file.read() for _ in RECORDS] == RECORDS and file.read() is None
        file.reset()
    file.close()
    with pytest.raises(mx.MXRError, match="is closed"):
        file.read()


def test_files_are_written_as_mxnet_writes_them(tmp_path):
    plain = mx.recordio.MXRecordIO(str(tmp_path / "plain.rec"), "w")
    indexed = mx.recordio.MXIndexedRecordIO(tmp_path / "indexed.idx", tmp_path / "indexed.rec", "w")
    for key, record, place in zip(KEYS, RECORDS, ORACLE["tells"]):
        plain.write(bytearray(record))
        assert indexed.tell() == place
        indexed.write_idx(key, record)
    assert indexed.keys == KEYS and indexed.idx[13] == ORACLE["tells"][1]
    plain.close()
    indexed.close()
    for name in ("plain.rec", "indexed.rec", "indexed.idx"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_records_are_found_by_their_keys():
    file = mx.recordio.MXIndexedRecordIO(FOLDER / "indexed.idx", FOLDER / "indexed.rec", "r")
    assert file.keys == KEYS
    assert [file.read_idx(key) for key in reversed(KEYS)] == RECORDS[::-1]
    file.seek(KEYS[2])
    assert [file.read(), file.read()] == RECORDS[2:4]
    with pytest.raises(KeyError):
        file.read_idx(4)
    named = mx.recordio.MXIndexedRecordIO(file.idx_path, file.uri, "r", key_type=str)
    assert named.read_idx("13") == RECORDS[1]


def test_a_copy_of_a_reader_begins_anew():
    file = mx.recordio.MXIndexedRecordIO(FOLDER / "indexed.idx", FOLDER / "indexed.rec", "r")
    file.read()
    copy = pickle.loads(pickle.dumps(file))
    assert copy.read() == RECORDS[0] and copy.read_idx(23) == RECORDS[2]


def test_a_process_that_is_forked_opens_the_file_for_itself():
    file = mx.recordio.MXIndexedRecordIO(FOLDER / "indexed.idx", FOLDER / "indexed.rec", "r")
    file.read()
    child = os.fork()
    if child == 0:
        try:
            file.read()
        except RuntimeError:
            os._exit(0 if file.read_idx(13) == RECORDS[1] and file.read() == RECORDS[2] else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert file.read() == RECORDS[1]


@pytest.mark.parametrize("case", ORACLE["packed"], ids=lambda case: case["data"] or "nothing")
def test_headers_are_packed_as_mxnet_packs_them(case):
    header = mx.recordio.IRHeader(case["flag"], case["label"], case["id"], case["id2"])
    packed = mx.recordio.pack(header, case["data"].encode())
    assert packed == bytes.fromhex(case["packed"])
    header, data = mx.recordio.unpack(packed)
    label = np.asarray(header.label).tolist()
    assert [header.flag, label, header.id, header.id2, data.decode()] == case["unpacked"]
    assert isinstance(header.label, float) or header.label.dtype == np.float32


def test_a_file_that_is_cut_short_says_where(tmp_path):
    path = tmp_path / "short.rec"
    path.write_bytes((FOLDER / "plain.rec").read_bytes()[:22])
    file = mx.recordio.MXRecordIO(path, "r")
    assert [file.read(), file.read()] == RECORDS[:2]
    for _ in range(2):
        with pytest.raises(mx.MXRError, match=r"short\.rec: record at byte 20: the file ends inside"):
            file.read()


@pytest.mark.parametrize(
    "wrong, error, message",
    [
        (lambda p: mx.recordio.MXRecordIO(p / "none.rec", "r"), mx.MXRError, r"none\.rec"),
        (lambda p: mx.recordio.MXRecordIO(p / "x.rec", "a"), ValueError, "flag: expected 'r' or 'w', got 'a'"),
        (lambda p: mx.recordio.MXRecordIO(p / "x.rec", "w").read(), ValueError, "opened with the flag 'w'"),
        (lambda p: mx.recordio.MXRecordIO(p / "x.rec", "w").write("text"), TypeError, "bytes"),
        (lambda p: mx.recordio.unpack(b"short"), mx.MXRError, "expected at least 24 bytes, got 5"),
        (lambda p: mx.recordio.unpack("text"), TypeError, "s: expected bytes, got str"),
    ],
)
def test_wrong_use_is_named(wrong, error, message, tmp_path):
    with pytest.raises(error, match=message):
        wrong(tmp_path)
