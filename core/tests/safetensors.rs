//! Safetensors files against the format's reference implementation, the crate `safetensors`; and what is
//! refused.

use mxr_core::format::safetensors::{self, ALIGNMENT, Metadata};
use mxr_core::ndarray::safetensors::{Access, load, save};
use mxr_core::{DType, Device, ErrorCode, NdArray, Shape};
use safetensors::read;
use std::collections::HashMap;
use std::path::PathBuf;

/// The path of a file of one test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        Scratch(std::env::temp_dir().join(format!("mxr-{name}-{}.safetensors", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// One array of each dtype, of sizes that need care with alignment; empty ones and a scalar among them.
fn arrays() -> Vec<(String, NdArray)> {
    let shapes: [&[i64]; 4] = [&[3, 5], &[], &[0, 4], &[8, 16]];
    let mut all = Vec::new();
    for dtype in DType::ALL {
        for (i, dims) in shapes.iter().enumerate() {
            let shape = Shape::new(dims);
            let bytes: Vec<u8> = (0..shape.len() * dtype.size()).map(|b| (b * 7 + i) as u8).collect();
            let array = NdArray::empty(shape, dtype, Device::cpu(0)).unwrap();
            array.copy_from_bytes(&bytes).unwrap();
            all.push((format!("{dtype}/{i}"), array));
        }
    }
    all
}

fn borrowed(arrays: &[(String, NdArray)]) -> Vec<(&str, &NdArray)> {
    arrays.iter().map(|(n, a)| (n.as_str(), a)).collect()
}

fn bytes(array: &NdArray) -> Vec<u8> {
    array.with_bytes(<[u8]>::to_vec).unwrap()
}

fn metadata() -> Metadata {
    Metadata::from([("naïve \"key\"\n".to_owned(), "a\u{0}b\\".to_owned())])
}

/// A file with this header and so many bytes of data.
fn file(header: &str, data: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.resize(file.len() + data, 0);
    file
}

#[test]
fn the_reference_reads_what_is_written() {
    let path = Scratch::new("reference-reads");
    let ours = arrays();
    save(&path.0, &metadata(), &borrowed(&ours)).unwrap();
    let file = std::fs::read(&path.0).unwrap();
    let theirs = ::safetensors::SafeTensors::deserialize(&file).unwrap();
    assert_eq!(theirs.len(), ours.len());
    for (name, array) in &ours {
        let view = theirs.tensor(name).unwrap();
        assert_eq!(view.dtype().to_string(), safetensors::dtype_name(array.dtype()), "{name}");
        let shape: Vec<i64> = view.shape().iter().map(|d| *d as i64).collect();
        assert_eq!(shape, array.shape().unwrap()[..], "{name}");
        assert_eq!(view.data(), bytes(array), "{name}");
    }
    let (_, header) = ::safetensors::SafeTensors::read_metadata(&file).unwrap();
    let texts: HashMap<String, String> = metadata().into_iter().collect();
    assert_eq!(header.metadata(), &Some(texts));
}

#[test]
fn what_the_reference_writes_is_read() {
    use ::safetensors::{Dtype, tensor::TensorView};
    let data: Vec<u8> = (0..240).collect();
    let view = |dtype, shape: &[usize], len| TensorView::new(dtype, shape.to_vec(), &data[..len]).unwrap();
    let tensors = [
        ("half", view(Dtype::F16, &[3], 6)),
        ("truth", view(Dtype::BOOL, &[5], 5)),
        ("double", view(Dtype::F64, &[2, 3], 48)),
        ("none", view(Dtype::I32, &[0], 0)),
    ];
    let texts: HashMap<String, String> = metadata().into_iter().collect();
    let path = Scratch::new("reference-writes");
    std::fs::write(&path.0, ::safetensors::serialize(tensors.clone(), Some(texts)).unwrap()).unwrap();
    for access in [Access::Mapped, Access::Copied] {
        let contents = load(&path.0, access).unwrap();
        assert_eq!(contents.metadata, metadata());
        for (name, view) in &tensors {
            let (_, array) = contents.arrays.iter().find(|(n, _)| n == name).unwrap();
            assert_eq!(bytes(array), view.data(), "{name}");
            assert_eq!(safetensors::dtype_name(array.dtype()), view.dtype().to_string());
        }
    }
}

#[test]
fn a_file_comes_back_as_it_was() {
    let path = Scratch::new("roundtrip");
    let written = arrays();
    save(&path.0, &metadata(), &borrowed(&written)).unwrap();
    for access in [Access::Mapped, Access::Copied] {
        let mut read = load(&path.0, access).unwrap().arrays;
        assert_eq!(read.len(), written.len());
        for (name, array) in &written {
            let i = read.iter().position(|(n, _)| n == name).unwrap();
            let (_, other) = read.swap_remove(i);
            assert_eq!((other.dtype(), other.shape().unwrap()), (array.dtype(), array.shape().unwrap()));
            assert_eq!(bytes(&other), bytes(array), "{name}");
        }
    }
}

#[test]
fn writing_a_mapped_array_changes_neither_the_file_nor_another_mapping() {
    let path = Scratch::new("private");
    let a = NdArray::from_slice([2, 32], &[1.0f32; 64], Device::cpu(0)).unwrap();
    save(&path.0, &Metadata::new(), &[("a", &a)]).unwrap();
    let before = std::fs::read(&path.0).unwrap();
    let (one, two) = (load(&path.0, Access::Mapped).unwrap(), load(&path.0, Access::Mapped).unwrap());
    one.arrays[0].1.copy_from_bytes(&[0x7f; 256]).unwrap();
    assert_eq!(std::fs::read(&path.0).unwrap(), before);
    assert_eq!(two.arrays[0].1.to_vec::<f32>().unwrap(), [1.0; 64]);
    assert_eq!(bytes(&one.arrays[0].1), [0x7f; 256]);
}

#[test]
fn arrays_outlive_the_rest_of_their_file_and_its_replacement() {
    let path = Scratch::new("replaced");
    let values: Vec<f32> = (0..1000).map(|v| v as f32).collect();
    let a = NdArray::from_slice([1000], &values, Device::cpu(0)).unwrap();
    save(&path.0, &Metadata::new(), &[("a", &a), ("b", &a)]).unwrap();
    let kept = load(&path.0, Access::Mapped).unwrap().arrays.swap_remove(1).1;
    save(&path.0, &Metadata::new(), &[("a", &kept)]).unwrap();
    assert_eq!(kept.to_vec::<f32>().unwrap(), values);
    assert_eq!(load(&path.0, Access::Mapped).unwrap().arrays[0].1.to_vec::<f32>().unwrap(), values);
}

#[test]
fn large_tensors_are_aligned_to_cache_lines_and_small_ones_to_their_elements() {
    let path = Scratch::new("aligned");
    let written = arrays();
    save(&path.0, &Metadata::new(), &borrowed(&written)).unwrap();
    let header = read(&std::fs::read(&path.0).unwrap()).unwrap();
    for t in &header.tensors {
        let alignment = if t.bytes.len() % ALIGNMENT == 0 { ALIGNMENT } else { t.dtype.size() };
        assert_eq!(t.bytes.start % alignment, 0, "{t:?}");
    }
    for (name, array) in load(&path.0, Access::Mapped).unwrap().arrays {
        assert_eq!(array.wait_and_expose().unwrap() as usize % array.dtype().size(), 0, "{name}");
    }
}

#[test]
fn elements_at_odd_addresses_are_copied() {
    let header = r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
                     "b":{"dtype":"F64","shape":[1],"data_offsets":[1,9]}}"#;
    let mut file = file(header, 1);
    file.extend_from_slice(&1.5f64.to_le_bytes());
    let path = Scratch::new("odd");
    std::fs::write(&path.0, &file).unwrap();
    let contents = load(&path.0, Access::Mapped).unwrap();
    assert_eq!(contents.arrays[1].1.to_vec::<f64>().unwrap(), [1.5]);
}

#[test]
fn names_are_written_once_and_the_reserved_one_never() {
    let a = NdArray::from_slice([1], &[1u8], Device::cpu(0)).unwrap();
    let path = Scratch::new("names");
    for (names, fault) in [(["a", "a"], "given twice"), (["a", "__metadata__"], "reserved")] {
        let e = save(&path.0, &Metadata::new(), &names.map(|n| (n, &a))).unwrap_err();
        assert_eq!((e.code(), e.argument()), (ErrorCode::InvalidValue, Some(names[1])));
        assert!(e.message().contains(fault), "{e}");
    }
    assert!(!path.0.exists());
}

/// Header, bytes of data, and a part of the message.
const REFUSED: &[(&str, usize, &str)] = &[
    ("[]", 0, "does not begin with '{'"),
    ("{", 0, "the header: EOF"),
    ("{} x", 0, "trailing characters"),
    ("{}", 1, "1 bytes at the end belong to no tensor"),
    (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "0 to 4 by the header, of 3"),
    (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "4 to 0 by the header"),
    (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "take 8 bytes, the header gives 4"),
    (r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "invalid value"),
    (r#"{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}"#, 4, "the header: expected value"),
    (r#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4, "invalid type"),
    (r#"{"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}}"#, 4, "negative"),
    (r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, 0, "too many"),
    (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}}"#, 4, "of 4"),
    (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4, "invalid length"),
    (r#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "missing field `data_offsets`"),
    (r#"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#, 1, "got F8_E4M3"),
    (r#"{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, 1, "duplicate field"),
    (
        r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
        2,
        "the name 'a' is given twice",
    ),
    (r#"{"__metadata__":{},"__metadata__":{}}"#, 0, "the name '__metadata__' is given twice"),
    (r#"{"__metadata__":{"k":"1","k":"2"}}"#, 0, "the key 'k' of __metadata__ is given twice"),
    (r#"{"__metadata__":{"k":1}}"#, 0, "invalid type"),
    (
        r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
        3,
        "bytes 1 to 3 overlap another's",
    ),
    (
        r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#,
        3,
        "bytes 2 to 3 leave a gap before them",
    ),
];

#[test]
fn a_header_that_does_not_fit_is_refused_with_a_reason() {
    for (header, data, reason) in REFUSED {
        let e = read(&file(header, *data)).expect_err(header);
        assert!(matches!(e.code(), ErrorCode::Format | ErrorCode::Unsupported), "{header}: {e:?}");
        assert!(e.message().contains(reason), "{header}: {e}");
    }
}

#[test]
fn every_truncation_of_a_file_is_refused() {
    let a = NdArray::from_slice([3], &[1.0f32, 2.0, 3.0], Device::cpu(0)).unwrap();
    let path = Scratch::new("truncated");
    save(&path.0, &metadata(), &[("a", &a)]).unwrap();
    let whole = std::fs::read(&path.0).unwrap();
    for len in 0..whole.len() {
        assert_eq!(read(&whole[..len]).unwrap_err().code(), ErrorCode::Format, "{len} bytes");
    }
    std::fs::write(&path.0, &whole[..whole.len() - 1]).unwrap();
    let e = load(&path.0, Access::Mapped).unwrap_err();
    assert!(e.message().starts_with(&path.0.display().to_string()), "{e}");
    std::fs::write(&path.0, b"").unwrap();
    assert_eq!(load(&path.0, Access::Mapped).unwrap_err().code(), ErrorCode::Format);
}

#[test]
fn a_length_beyond_the_file_or_the_limit_is_refused_before_anything_is_read() {
    for len in [2u64 << 30, 1 << 62, u64::MAX] {
        let mut file = len.to_le_bytes().to_vec();
        file.extend_from_slice(b"{\"");
        let e = read(&file).unwrap_err();
        assert!(e.message().contains("at most 100000000 are allowed"), "{e}");
    }
}

#[test]
fn deep_nesting_is_refused_without_deep_recursion() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(1_000_000), close.repeat(1_000_000));
        let ignored = format!(r#"{{"a":{{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":{deep}}}}}"#);
        let metadata = format!(r#"{{"__metadata__":{{"k":{deep}}}}}"#);
        assert_eq!(read(&file(&metadata, 0)).unwrap_err().code(), ErrorCode::Format);
        // The reference ignores fields that it does not know, and so do we.
        assert_eq!(read(&file(&ignored, 0)).unwrap().tensors.len(), 1);
    }
}

/// Bytes of main memory that the process holds, its own and of files.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[cfg(target_os = "linux")]
#[test]
fn opening_a_gigabyte_touches_only_its_header() {
    const BYTES: usize = 1 << 30;
    let json = format!(r#"{{"w":{{"dtype":"F32","shape":[{}],"data_offsets":[0,{BYTES}]}}}}"#, BYTES / 4);
    // The data begins at a multiple of 64, as in every file that mxr writes.
    let header = format!("{json:120}");
    let path = Scratch::new("gigabyte");
    std::fs::write(&path.0, file(&header, 0)).unwrap();
    // The rest is a hole, which takes no place on the disk.
    let whole = std::fs::OpenOptions::new().write(true).open(&path.0).unwrap();
    whole.set_len((8 + header.len() + BYTES) as u64).unwrap();
    let (before, start) = (resident(), std::time::Instant::now());
    let contents = load(&path.0, Access::Mapped).unwrap();
    let (time, grown) = (start.elapsed(), resident().saturating_sub(before));
    assert_eq!(contents.arrays[0].1.len().unwrap(), BYTES / 4);
    // Other tests run meanwhile; a copy would take a gigabyte and most of a second.
    assert!(grown < BYTES / 4, "{grown} bytes");
    assert!(time.as_millis() < 300, "{time:?}");
    let last = contents.arrays[0].1.slice(BYTES as i64 / 4 - 1, BYTES as i64 / 4).unwrap();
    assert_eq!(last.to_vec::<f32>().unwrap(), [0.0]);
}

#[test]
fn only_regular_files_are_opened() {
    let e = load(&std::env::temp_dir(), Access::Mapped).unwrap_err();
    assert_eq!(e.code(), ErrorCode::Io);
    assert!(e.message().contains("expected a regular file"), "{e}");
    let e = load(&Scratch::new("missing").0, Access::Mapped).unwrap_err();
    assert_eq!(e.code(), ErrorCode::NotFound);
}
