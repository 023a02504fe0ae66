//! Data iterators: every batch of three epochs, random orders, threads, and files that are wrong.

use crate::{array, attr, cases, list, shape, values};
use mxr_core::io::{Batch, DataDesc, DataIter, SharedIter, Sources, data_iters, open};
use mxr_core::op::AttrValue;
use mxr_core::{Device, Error, ErrorCode, NdArray, Result, rng};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

fn opened(name: &str, attrs: &[(&str, AttrValue)], sources: Sources) -> Result<Box<dyn DataIter>> {
    let entry = data_iters().find(name)?;
    let id = |name: &str| entry.attrs.iter().find(|a| a.name == name).unwrap().id;
    let values: Vec<_> = attrs.iter().map(|(n, v)| (id(n), v.clone())).collect();
    open(name, &values, sources)
}

/// A file of a test's own.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("iterators");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn text(path: PathBuf) -> AttrValue {
    AttrValue::Str(path.to_str().unwrap().to_owned())
}

fn column(n: i64) -> NdArray {
    let values: Vec<f32> = (0..n).map(|i| i as f32).collect();
    NdArray::from_slice([n, 1], &values, Device::cpu(0)).unwrap()
}

/// An iterator over the numbers from 0 to `n`, as data and as label.
fn counting(n: i64, attrs: &[(&str, AttrValue)]) -> Box<dyn DataIter> {
    let sources = Sources {
        data: vec![(None, column(n))],
        label: vec![(None, column(n).reshape(&[n].into()).unwrap())],
        iters: vec![],
    };
    opened("NDArrayIter", attrs, sources).unwrap()
}

fn shared(iter: Box<dyn DataIter>) -> SharedIter {
    Arc::new(Mutex::new(iter))
}

fn over(iters: Vec<SharedIter>) -> Sources {
    Sources { iters, ..Sources::default() }
}

fn epoch(iter: &mut dyn DataIter) -> Vec<Batch> {
    std::iter::from_fn(|| iter.next().unwrap()).collect()
}

fn examples(batches: &[Batch]) -> Vec<f64> {
    batches.iter().flat_map(|b| values(&b.data[0])).collect()
}

/// The iterator of a case, over files of its own.
fn of_case(number: usize, case: &Value) -> Box<dyn DataIter> {
    let mut attrs: Vec<(&str, AttrValue)> =
        case["attrs"].as_object().unwrap().iter().map(|(n, v)| (n.as_str(), attr(v))).collect();
    let named = |arrays: &Value| {
        let each = arrays.as_object().into_iter().flatten();
        each.map(|(n, a)| (Some(n.clone()).filter(|n| !n.is_empty()), array(a))).collect()
    };
    let sources = Sources { data: named(&case["data"]), label: named(&case["label"]), iters: vec![] };
    for key in ["data_csv", "label_csv", "data_libsvm", "label_libsvm"] {
        if let Some(lines) = case[key].as_str() {
            attrs.push((key, text(file(&format!("{number}-{key}"), lines.as_bytes()))));
        }
    }
    for (key, name) in [("image", "image"), ("label_file", "label")] {
        if let Some(bytes) = case[key].as_array() {
            let bytes: Vec<u8> = bytes.iter().map(|b| b.as_u64().unwrap() as u8).collect();
            attrs.push((name, text(file(&format!("{number}-{key}"), &bytes))));
        }
    }
    opened(case["iterator"].as_str().unwrap(), &attrs, sources).unwrap()
}

#[track_caller]
fn check_descs(got: &[DataDesc], expected: &Value) {
    assert_eq!(got.len(), list(expected).len());
    for (got, expected) in got.iter().zip(list(expected)) {
        assert_eq!(got.name, expected[0].as_str().unwrap());
        assert_eq!(got.shape, shape(&expected[1]));
        assert_eq!(
            (got.dtype.name(), got.layout.as_str()),
            (expected[2].as_str().unwrap(), expected[3].as_str().unwrap())
        );
    }
}

#[test]
fn batches_are_those_of_mxnet_over_three_epochs() {
    for (number, case) in cases("iterators").iter().enumerate() {
        let about = format!("{} {}", case["iterator"], case["attrs"]);
        let mut iter = of_case(number, case);
        check_descs(iter.provide_data(), &case["provide_data"]);
        check_descs(iter.provide_label(), &case["provide_label"]);
        for (e, expected) in list(&case["epochs"]).iter().enumerate() {
            let batches = epoch(&mut *iter);
            assert_eq!(batches.len(), list(expected).len(), "{about}, epoch {e}");
            for (i, (batch, expected)) in batches.iter().zip(list(expected)).enumerate() {
                let about = format!("{about}, epoch {e}, batch {i}");
                assert_eq!(batch.pad as u64, expected["pad"].as_u64().unwrap(), "{about}");
                for (got, want) in [(&batch.data, &expected["data"]), (&batch.label, &expected["label"])] {
                    assert_eq!(got.len(), list(want).len(), "{about}");
                    for (got, want) in got.iter().zip(list(want)) {
                        assert_eq!(got.shape().unwrap(), &shape(&want["shape"]), "{about}");
                        assert_eq!(got.dtype().name(), want["dtype"].as_str().unwrap(), "{about}");
                        assert_eq!(values(got), crate::numbers(&want["data"]), "{about}");
                    }
                }
            }
            iter.reset().unwrap();
        }
    }
}

#[test]
fn a_seed_gives_one_random_order_in_each_epoch_and_labels_follow_their_data() {
    let attrs =
        [("batch_size", AttrValue::Int(4)), ("shuffle", AttrValue::Bool(true)), ("seed", AttrValue::Int(3))];
    let (mut a, mut b) = (counting(12, &attrs), counting(12, &attrs));
    let first = epoch(&mut *a);
    assert_eq!(examples(&first), examples(&epoch(&mut *b)));
    for batch in &first {
        assert_eq!(values(&batch.data[0]), values(&batch.label[0]));
        assert_eq!(values(&batch.data[0]), batch.index.iter().map(|i| *i as f64).collect::<Vec<_>>());
    }
    let mut sorted = examples(&first);
    assert_ne!(sorted, values(&column(12)));
    sorted.sort_by(f64::total_cmp);
    assert_eq!(sorted, values(&column(12)));
    a.reset().unwrap();
    assert_ne!(examples(&epoch(&mut *a)), examples(&first), "every epoch has an order of its own");
}

#[test]
fn without_a_seed_the_order_is_that_of_the_engines_random_numbers() {
    // On a thread's own time: the generator is the process's, and no other test here draws from it.
    let order = || {
        rng::seed(11, None);
        let mut iter = counting(9, &[("shuffle", AttrValue::Bool(true))]);
        examples(&epoch(&mut *iter))
    };
    let first = order();
    assert_eq!(first, order());
    let stream = rng::Generator::new(11, Device::cpu(0)).reserve(9);
    assert_eq!(first, rng::permutation(stream, 9).iter().map(|i| *i as f64).collect::<Vec<_>>());
}

#[test]
fn a_prefetching_iterator_gives_the_same_batches_and_side_by_side_those_of_several() {
    let size = [("batch_size", AttrValue::Int(4))];
    let expected = examples(&epoch(&mut *counting(10, &size)));
    let inner = [shared(counting(10, &size)), shared(counting(10, &size))];
    let names = |names: [&str; 2]| AttrValue::Strs(names.map(str::to_owned).to_vec());
    let renamed = [("rename_data", names(["a", "b"])), ("rename_label", names(["c", "d"]))];
    let mut iter = opened("PrefetchingIter", &renamed, over(inner.to_vec())).unwrap();
    let called: Vec<&str> = iter.provide_data().iter().map(|d| d.name.as_str()).collect();
    assert_eq!((called, iter.batch_size()), (vec!["a", "b"], 4));
    for _ in 0..3 {
        let batches = epoch(&mut *iter);
        assert_eq!(examples(&batches), expected);
        assert_eq!(batches[2].pad, 2);
        assert_eq!((batches[0].data.len(), batches[0].label.len()), (2, 2));
        assert!(iter.next().unwrap().is_none(), "the end stays the end");
        iter.reset().unwrap();
        // In the middle of an epoch too.
        iter.next().unwrap();
        iter.reset().unwrap();
    }
    drop(iter);
    inner[0].lock().unwrap().reset().unwrap();
    assert_eq!(examples(&epoch(&mut **inner[0].lock().unwrap())), expected);
}

#[test]
fn iterators_of_different_lengths_do_not_go_side_by_side() {
    let inner = vec![shared(counting(4, &[])), shared(counting(3, &[]))];
    let mut iter = opened("PrefetchingIter", &[], over(inner)).unwrap();
    let failed = (0..5).find_map(|_| iter.next().err());
    assert_eq!(failed.as_ref().map(Error::code), Some(ErrorCode::InvalidValue));
    assert!(iter.next().unwrap().is_none(), "after an error there is nothing");
}

#[test]
fn a_resized_iterator_begins_again_where_the_inner_one_ends() {
    let size = [("batch_size", AttrValue::Int(2))];
    let resized = |n: i64, reset: bool| {
        let attrs = [("size", AttrValue::Int(n)), ("reset_internal", AttrValue::Bool(reset))];
        opened("ResizeIter", &attrs, over(vec![shared(counting(4, &size))])).unwrap()
    };
    let mut longer = resized(3, true);
    assert_eq!(examples(&epoch(&mut *longer)), [0.0, 1.0, 2.0, 3.0, 0.0, 1.0]);
    longer.reset().unwrap();
    assert_eq!(examples(&epoch(&mut *longer)), [0.0, 1.0, 2.0, 3.0, 0.0, 1.0]);
    let mut shorter = resized(1, false);
    assert_eq!(examples(&epoch(&mut *shorter)), [0.0, 1.0]);
    shorter.reset().unwrap();
    assert_eq!(examples(&epoch(&mut *shorter)), [2.0, 3.0]);
}

#[test]
fn a_layout_says_along_which_axis_the_examples_are() {
    let values: Vec<f32> = (0..12).map(|i| i as f32).collect();
    let data = NdArray::from_slice([2, 3, 2], &values, Device::cpu(0)).unwrap();
    let attrs = [("batch_size", AttrValue::Int(2)), ("layout", "TNC".into())];
    let mut iter =
        opened("NDArrayIter", &attrs, Sources { data: vec![(None, data)], ..Sources::default() }).unwrap();
    assert_eq!(iter.provide_data()[0].shape[..], [2, 2, 2]);
    let batches = epoch(&mut *iter);
    assert_eq!(crate::values(&batches[0].data[0]), [0.0, 1.0, 2.0, 3.0, 6.0, 7.0, 8.0, 9.0]);
    assert_eq!(crate::values(&batches[1].data[0]), [4.0, 5.0, 0.0, 1.0, 10.0, 11.0, 6.0, 7.0]);
}

#[test]
fn mnist_in_random_order_and_in_parts_has_each_image_once() {
    let case = cases("iterators").iter().find(|c| c["iterator"] == "MNISTIter").unwrap();
    let bytes = |key: &str| list(&case[key]).iter().map(|b| b.as_u64().unwrap() as u8).collect::<Vec<u8>>();
    let (image, label) = (file("parts-image", &bytes("image")), file("parts-label", &bytes("label_file")));
    let mut seen = vec![];
    for part in 0..2 {
        let attrs = [
            ("image", text(image.clone())),
            ("label", text(label.clone())),
            ("batch_size", AttrValue::Int(1)),
            ("num_parts", AttrValue::Int(2)),
            ("part_index", AttrValue::Int(part)),
        ];
        let mut iter = opened("MNISTIter", &attrs, Sources::default()).unwrap();
        seen.extend(epoch(&mut *iter).iter().flat_map(|b| values(&b.label[0])));
    }
    assert_ne!(seen, values(&column(10)));
    seen.sort_by(f64::total_cmp);
    assert_eq!(seen, values(&column(10)));
}

#[test]
fn files_that_are_wrong_are_named_with_the_line() {
    let csv = |bytes: &[u8]| {
        let attrs = [
            ("data_csv", text(file("wrong.csv", bytes))),
            ("data_shape", AttrValue::Ints([2].into())),
            ("batch_size", AttrValue::Int(1)),
        ];
        opened("CSVIter", &attrs, Sources::default()).err().unwrap()
    };
    for (bytes, line) in [("1,2\n3\n", "line 2"), ("1,2\n\n3,x\n", "line 3"), ("1,2,3\n", "line 1")] {
        let e = csv(bytes.as_bytes());
        assert_eq!(e.code(), ErrorCode::Format);
        assert!(e.message().contains(line) && e.message().contains("wrong.csv"), "{e}");
    }
    assert_eq!(csv(b"").code(), ErrorCode::Shape);
    let libsvm = |bytes: &str| {
        let attrs = [
            ("data_libsvm", text(file("wrong.libsvm", bytes.as_bytes()))),
            ("data_shape", AttrValue::Ints([2].into())),
            ("batch_size", AttrValue::Int(1)),
        ];
        opened("LibSVMIter", &attrs, Sources::default()).err().unwrap()
    };
    for (text, line) in [
        ("1 0:1 # of two\n\nx 1:2\n", "line 3: expected a number, got 'x'"),
        ("1 0:1\n1 1\n", "line 2: expected a place, a colon and a number, got '1'"),
        ("1 -1:1\n", "line 1: expected a place, got '-1'"),
        ("1 2:1\n", "line 1: expected a place below 2 for shape (2,), got 2"),
        ("1 1:\n", "line 1: expected a number, got ''"),
    ] {
        let e = libsvm(text);
        assert_eq!(e.code(), ErrorCode::Format);
        assert!(e.message().contains(line) && e.message().contains("wrong.libsvm"), "{e}");
    }
    assert_eq!(libsvm("# nothing\n").code(), ErrorCode::Shape);
    let mnist = |bytes: &[u8]| {
        let attrs = [("image", text(file("wrong-image", bytes)))];
        opened("MNISTIter", &attrs, Sources::default()).err().unwrap()
    };
    let huge = [0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255];
    for bytes in [&[][..], &[0, 0, 8, 1, 0, 0, 0, 0], &[0, 0, 8, 3, 0, 0], &huge, &[0x1f, 0x8b, 8, 0]] {
        assert_eq!(mnist(bytes).code(), ErrorCode::Format, "{bytes:?}");
    }
    let missing = [("image", "/nowhere/images".into())];
    let e = opened("MNISTIter", &missing, Sources::default()).err().unwrap();
    assert!(e.to_string().contains("/nowhere/images"), "{e}");
}

#[test]
fn sources_that_do_not_fit_are_refused() {
    let data =
        |n: i64, m: i64| Sources { data: vec![(None, column(n)), (None, column(m))], ..Sources::default() };
    let e = opened("NDArrayIter", &[], data(3, 4)).err().unwrap();
    assert_eq!((e.code(), e.argument()), (ErrorCode::Shape, Some("_1_data")));
    let e = opened("NDArrayIter", &[], Sources::default()).err().unwrap();
    assert_eq!((e.code(), e.argument()), (ErrorCode::InvalidValue, Some("data")));
    let e = opened("NDArrayIter", &[("layout", "TC".into())], data(3, 3)).err().unwrap();
    assert_eq!((e.code(), e.argument()), (ErrorCode::InvalidValue, Some("layout")));
    let e = opened("MNISTIter", &[], data(3, 3)).err().unwrap();
    assert_eq!(
        (e.code(), e.argument(), e.operator()),
        (ErrorCode::InvalidValue, Some("data"), Some("MNISTIter"))
    );
    assert!(opened("ResizeIter", &[("size", AttrValue::Int(1))], Sources::default()).is_err());
    assert!(opened("PrefetchingIter", &[], Sources::default()).is_err());
    let e = opened("NDArrayIter", &[("batch_size", AttrValue::Int(0))], data(3, 3)).err().unwrap();
    assert_eq!((e.code(), e.argument()), (ErrorCode::InvalidValue, Some("batch_size")));
}
