//! Files of records: what MXNet wrote is read and written to the byte; files that are cut short or damaged.
//! `tests/conformance/oracle/make_recordio.py` makes the files.

use mxr_core::ErrorCode;
use mxr_core::format::recordio::{Header, Index, Label, MAGIC, Reader, Writer, pack, unpack};
use serde_json::Value;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/recordio").join(name)
}

fn about() -> Value {
    serde_json::from_slice(&fs::read(fixture("about.json")).unwrap()).unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// The records that MXNet wrote.
fn records() -> Vec<Vec<u8>> {
    about()["records"].as_array().unwrap().iter().map(hex).collect()
}

fn temporary(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("recordio");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

fn all(bytes: &[u8]) -> mxr_core::Result<Vec<Vec<u8>>> {
    let mut reader = Reader::new(Cursor::new(bytes));
    std::iter::from_fn(|| reader.next_record().transpose()).collect()
}

#[test]
fn mxnets_records_are_read_also_those_that_hold_the_magic_number() {
    let mut reader = Reader::open(fixture("plain.rec")).unwrap();
    for record in records() {
        assert_eq!(reader.next_record().unwrap(), Some(record));
    }
    assert_eq!(reader.next_record().unwrap(), None);
    assert_eq!(reader.next_record().unwrap(), None);
    reader.seek(0).unwrap();
    assert_eq!(reader.next_record().unwrap(), Some(vec![]));
}

#[test]
fn files_and_indices_are_written_as_mxnet_writes_them() {
    let (path, index) = (temporary("own.rec"), temporary("own.idx"));
    let mut writer = Writer::create(&path, Some(&index)).unwrap();
    let tells: Vec<u64> = serde_json::from_value(about()["tells"].clone()).unwrap();
    for (number, record) in records().iter().enumerate() {
        assert_eq!(writer.position(), tells[number]);
        writer.write(Some(&format!("{}", 10 * number + 3)), record).unwrap();
    }
    writer.flush().unwrap();
    assert_eq!(fs::read(&path).unwrap(), fs::read(fixture("indexed.rec")).unwrap());
    assert_eq!(fs::read(&index).unwrap(), fs::read(fixture("indexed.idx")).unwrap());
}

#[test]
fn an_index_finds_records_in_any_order() {
    let index = Index::load(fixture("indexed.idx")).unwrap();
    let mut reader = Reader::open(fixture("indexed.rec")).unwrap();
    assert_eq!(index.keys().len(), records().len());
    for (key, record) in index.keys().iter().zip(records()).rev() {
        reader.seek(index.find(key).unwrap()).unwrap();
        assert_eq!(reader.next_record().unwrap(), Some(record), "key {key}");
    }
    assert_eq!(index.find("4").unwrap_err().code(), ErrorCode::NotFound);
    let error = Index::read(b"1\t0\n\n2 7\n").unwrap_err();
    assert!(error.message().contains("line 3"), "{error}");
    assert_eq!(Index::read(b"a\t1\r\na\t5").unwrap().find("a").unwrap(), 5);
}

#[test]
fn headers_are_packed_as_mxnet_packs_them() {
    for case in about()["packed"].as_array().unwrap() {
        let label = match &case["label"] {
            Value::Array(labels) => {
                Label::Several(labels.iter().map(|l| l.as_f64().unwrap() as f32).collect())
            }
            label => Label::One(label.as_f64().unwrap() as f32),
        };
        let (id, id2) = (case["id"].as_u64().unwrap(), case["id2"].as_u64().unwrap());
        let data = case["data"].as_str().unwrap().as_bytes();
        let packed = hex(&case["packed"]);
        assert_eq!(pack(&Header { label: label.clone(), id, id2 }, data), packed, "{case}");
        let (header, rest) = unpack(&packed).unwrap();
        let expected = if label == Label::Several(vec![]) { Label::One(0.0) } else { label };
        assert_eq!((header, rest), (Header { label: expected, id, id2 }, data), "{case}");
    }
    let long = [2, 0, 0, 0].into_iter().chain([0; 24]).collect::<Vec<u8>>();
    let error = unpack(&long).unwrap_err();
    assert!(error.message().contains("expected at least 32 bytes, got 28"), "{error}");
    assert_eq!(unpack(&[0; 23]).unwrap_err().code(), ErrorCode::Format);
}

#[test]
fn a_file_that_is_cut_short_gives_whole_records_and_then_an_error() {
    let bytes = fs::read(fixture("plain.rec")).unwrap();
    let tells: Vec<usize> = serde_json::from_value(about()["tells"].clone()).unwrap();
    for end in 0..bytes.len() {
        let whole = tells.iter().filter(|t| **t > 0 && **t <= end).count();
        let mut reader = Reader::new(Cursor::new(&bytes[..end]));
        for record in &records()[..whole] {
            assert_eq!(reader.next_record().unwrap().as_ref(), Some(record));
        }
        if tells.contains(&end) {
            assert_eq!(reader.next_record().unwrap(), None);
            continue;
        }
        // The same again: the reader stays where it was.
        for _ in 0..2 {
            let error = reader.next_record().unwrap_err();
            assert_eq!(error.code(), ErrorCode::Format, "{end} bytes: {error}");
            assert_eq!(reader.position(), tells[whole] as u64);
        }
    }
}

#[test]
fn damaged_files_are_refused_with_the_place() {
    let mut bytes = fs::read(fixture("plain.rec")).unwrap();
    bytes[8] ^= 1;
    let error = all(&bytes).unwrap_err();
    assert!(error.message().contains("record at byte 8: expected the magic number 0xced7230a"), "{error}");
    let part = |word: u32| [MAGIC.to_le_bytes(), word.to_le_bytes()].concat();
    // A last part without a first one, a first one after a first one, a part of an unknown kind.
    for wrong in [part(3 << 29), [part(1 << 29), part(1 << 29)].concat(), part(5 << 29)] {
        assert!(all(&wrong).unwrap_err().message().contains("does not follow"), "{wrong:?}");
    }
    let error = all(&part((1 << 29) - 1)).unwrap_err();
    assert!(error.message().contains("the file ends inside a part of 536870911 bytes"), "{error}");
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is() {
    let path = temporary("refused.rec");
    let mut writer = Writer::create(&path, None).unwrap();
    let error = writer.write(Some("1"), b"x").unwrap_err();
    assert!(error.message().contains("there is no index for the key '1'"), "{error}");
    let mut indexed = Writer::create(&path, Some(&temporary("refused.idx"))).unwrap();
    for key in ["", "a\tb", "a\nb", " a"] {
        assert_eq!(indexed.write(Some(key), b"x").unwrap_err().code(), ErrorCode::InvalidValue, "{key:?}");
    }
    let long = vec![0; 1 << 29];
    assert_eq!(indexed.write(Some("1"), &long).unwrap_err().code(), ErrorCode::InvalidValue);
    indexed.flush().unwrap();
    assert!(fs::read(&path).unwrap().is_empty() && fs::read(temporary("refused.idx")).unwrap().is_empty());
    assert_eq!(Reader::open(temporary("none.rec")).err().unwrap().code(), ErrorCode::NotFound);
}
