//! Reads and writes MXNet's lists of arrays against the fixtures in tests/conformance/formats, which MXNet
//! 1.9.1 wrote or read (make_ndarray_lists.py there).

use mxr_core::format::ndarray_list::{self, Entry};
use mxr_core::format::{RawAux, RawTensor, StorageKind};
use mxr_core::{DType, ErrorCode, Shape};
use serde_json::Value;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/formats")
}

/// Every fixture: its name, what the oracle says of it, its bytes.
fn fixtures() -> Vec<(String, Value, Vec<u8>)> {
    let text = std::fs::read_to_string(folder().join("ndarray_lists.json")).unwrap();
    let Value::Object(index) = serde_json::from_str(&text).unwrap() else { panic!("an object") };
    let with_bytes = index.into_iter().map(|(name, about)| {
        let bytes = std::fs::read(folder().join(format!("{name}.params"))).unwrap();
        (name, about, bytes)
    });
    with_bytes.collect()
}

fn hex(v: &Value) -> Vec<u8> {
    let text = v.as_str().unwrap();
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn shape(v: &Value) -> Shape {
    v.as_array().unwrap().iter().map(|d| d.as_i64().unwrap()).collect()
}

fn dtype(v: &Value) -> DType {
    DType::from_name(v.as_str().unwrap()).unwrap()
}

fn assert_holds(name: &str, tensor: &RawTensor, want: &Value) {
    assert_eq!(format!("{:?}", tensor.storage), want["storage"].as_str().unwrap(), "{name}");
    assert_eq!(tensor.dtype, dtype(&want["dtype"]), "{name}");
    assert_eq!(tensor.shape, shape(&want["shape"]), "{name}");
    assert_eq!(tensor.data, hex(&want["data"]), "{name}");
    let aux = want["aux"].as_array().cloned().unwrap_or_default();
    assert_eq!(tensor.aux.len(), aux.len(), "{name}");
    for (got, want) in tensor.aux.iter().zip(&aux) {
        assert_eq!(got.dtype, dtype(&want["dtype"]), "{name}");
        assert_eq!(got.shape, shape(&want["shape"]), "{name}");
        assert_eq!(got.data, hex(&want["data"]), "{name}");
    }
}

#[test]
fn every_fixture_holds_what_mxnet_sees_in_it() {
    for (name, about, bytes) in fixtures() {
        let entries = ndarray_list::read(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        let arrays = about["arrays"].as_array().unwrap();
        assert_eq!(entries.len(), arrays.len(), "{name}");
        for (i, ((got_name, tensor), want)) in entries.iter().zip(arrays).enumerate() {
            assert_eq!(got_name.as_deref(), about["names"][i].as_str(), "{name}");
            assert_eq!(tensor.np_shape, about["np_shape"].as_bool().unwrap(), "{name}");
            assert_holds(&name, tensor, want);
        }
    }
}

#[test]
fn what_mxnet_wrote_is_written_again_byte_for_byte() {
    for (name, about, bytes) in fixtures() {
        let entries = ndarray_list::read(&bytes).unwrap();
        let written = ndarray_list::write(&entries).unwrap();
        assert_eq!(ndarray_list::read(&written).unwrap(), entries, "{name}");
        if about["written_by_mxnet"].as_bool().unwrap() {
            assert_eq!(written, bytes, "{name}");
        }
    }
}

#[test]
fn tensors_made_here_are_written_as_mxnet_writes_them() {
    let f32s = |v: &[f32]| v.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let i64s = |v: &[i64]| RawAux {
        dtype: DType::I64,
        shape: [v.len() as i64].into(),
        data: v.iter().flat_map(|x| x.to_le_bytes()).collect(),
    };
    let csr = RawTensor::csr(
        DType::F32,
        [3, 3].into(),
        f32s(&[1.0, 2.0, 3.0]),
        i64s(&[0, 2, 2, 3]),
        i64s(&[0, 2, 1]),
    );
    let ones = RawTensor::dense(DType::F32, [2].into(), f32s(&[1.0, 1.0]));
    let rows = f32s(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let sparse = RawTensor::row_sparse(DType::F32, [4, 3].into(), rows, i64s(&[0, 2]));
    let np: Vec<Entry> = vec![
        (Some("plain".into()), ones.clone()),
        (Some("scalar".into()), RawTensor::dense(DType::F32, Shape::scalar(), f32s(&[2.5]))),
        (Some("none".into()), RawTensor::dense(DType::F32, [0, 3].into(), vec![])),
    ];
    let lists: [(&str, Vec<Entry>); 3] = [
        ("csr", vec![(None, csr), (None, ones)]),
        ("row_sparse", vec![(Some("embedding".into()), sparse)]),
        ("np_shape", np),
    ];
    for (name, entries) in lists {
        let bytes = std::fs::read(folder().join(format!("{name}.params"))).unwrap();
        assert_eq!(ndarray_list::write(&entries).unwrap(), bytes, "{name}");
    }
}

#[test]
fn dense_and_sparse_tensors_become_each_other_as_in_mxnet() {
    let entries = ndarray_list::read_file(folder().join("converted.params")).unwrap();
    let of = |name: &str| &entries.iter().find(|(n, _)| n.as_deref() == Some(name)).unwrap().1;
    for (name, sparse) in &entries {
        let (dense, kind) = match name.as_deref().unwrap().split_once(':') {
            Some((dense, "csr")) => (of(dense), StorageKind::Csr),
            Some((dense, _)) => (of(dense), StorageKind::RowSparse),
            None => continue,
        };
        assert_eq!(dense.to_storage(kind).unwrap(), *sparse, "{name:?}");
        assert_eq!(sparse.to_dense().unwrap(), *dense, "{name:?}");
    }
    assert_eq!(of("matrix:csr").to_storage(StorageKind::RowSparse).unwrap(), *of("matrix:rows"));
    assert_eq!(of("cube").to_storage(StorageKind::Csr).unwrap_err().code(), ErrorCode::Shape);
    assert_eq!(RawTensor::none().to_dense().unwrap_err().code(), ErrorCode::Unsupported);
}

#[test]
fn a_small_sparse_tensor_that_claims_more_than_the_machine_has_does_not_become_dense() {
    let entries = ndarray_list::read_file(folder().join("converted.params")).unwrap();
    let mut tensor = entries.iter().find(|(_, t)| t.storage == StorageKind::RowSparse).unwrap().1.clone();
    tensor.shape[0] = 1 << 48;
    assert_eq!(tensor.to_dense().unwrap_err().code(), ErrorCode::OutOfMemory);
}

#[test]
fn a_file_goes_to_disk_and_back() {
    let path = std::env::temp_dir().join(format!("mxr-list-{}.params", std::process::id()));
    let entries = ndarray_list::read_file(folder().join("dict.params")).unwrap();
    ndarray_list::write_file(&path, &entries).unwrap();
    assert_eq!(ndarray_list::read_file(&path).unwrap(), entries);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(ndarray_list::read_file(&path).unwrap_err().code(), ErrorCode::NotFound);
}

#[test]
fn empty_places_are_read_and_not_written() {
    let words = |w: &[u32]| w.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let head = [0x112, 0, 0, 0, 1, 0];
    for array in [&[0xf993_fac9, 0, 0][..], &[0xf993_fac8, 0], &[0], &[0xf993_faca, 0, u32::MAX]] {
        let bytes = words(&[&head[..], array, &[0, 0]].concat());
        let entries = ndarray_list::read(&bytes).unwrap();
        assert_eq!(entries[0].1.storage, StorageKind::None);
        assert_eq!(ndarray_list::write(&entries).unwrap_err().code(), ErrorCode::Unsupported);
    }
}

#[test]
fn tensors_whose_parts_disagree_are_refused() {
    let good = ndarray_list::read_file(folder().join("csr.params")).unwrap()[0].1.clone();
    let spoil = |f: &dyn Fn(&mut RawTensor)| {
        let mut t = good.clone();
        f(&mut t);
        t.check().unwrap_err()
    };
    good.check().unwrap();
    spoil(&|t| t.data.truncate(8));
    spoil(&|t| t.shape[1] = 2);
    spoil(&|t| t.shape[0] = 4);
    spoil(&|t| t.aux[0].data[0] = 1);
    spoil(&|t| t.aux[0].data[8] = 3);
    spoil(&|t| t.aux[1].data[7] = 0x80);
    spoil(&|t| t.aux[1].dtype = DType::F64);
    spoil(&|t| t.aux.truncate(1));
    let entries = [(Some("a".to_owned()), good.clone()), (None, good.clone())];
    assert_eq!(ndarray_list::write(&entries).unwrap_err().code(), ErrorCode::InvalidValue);
}

/// A small generator, so that the test is the same each time: Vigna's splitmix64.
struct Mix(u64);

impl Mix {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

#[test]
fn spoilt_bytes_give_errors_or_lists_never_more() {
    let fixtures = fixtures();
    let mut random = Mix(1);
    let mut errors = 0;
    for _ in 0..10_000 {
        let mut bytes = fixtures[random.below(fixtures.len())].2.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[at] = random.below(256) as u8,
                1 => bytes[at] ^= 1 << random.below(8),
                2 => bytes[at..].iter_mut().take(8).for_each(|b| *b = 0xff),
                _ => bytes.truncate(at.max(1)),
            }
        }
        match ndarray_list::read(&bytes) {
            Err(e) => {
                errors += 1;
                assert!(!e.message().is_empty());
            }
            Ok(entries) => {
                let held: usize = entries.iter().map(|(_, t)| t.data.len()).sum();
                assert!(held <= bytes.len());
                entries.iter().for_each(|(_, t)| t.check().unwrap());
            }
        }
    }
    assert!(errors > 5_000, "only {errors} of 10000 were refused");
}
