//! Arrays of more than 2^32 elements. Needs 16 GB of free memory, so that only `cargo xtask test --full` runs it,
//! where there is as much.

use mxr_core::autograd::{self, Mode};
use mxr_core::op::{AttrValue, registry};
use mxr_core::{DType, Device, NdArray, Shape};

/// More elements than 32 bits can count, in a number that has two axes of a size.
const N: i64 = ROWS * (ROWS + 1);
const ROWS: i64 = 1 << 16;
/// A place that 32 bits cannot say.
const FAR: i64 = (1 << 32) + 7;

fn call(name: &str, inputs: &[&NdArray], attrs: &[(&str, AttrValue)]) -> NdArray {
    let op = registry().find(name).unwrap().with_named(attrs).unwrap();
    let inputs: Vec<NdArray> = inputs.iter().map(|a| (*a).clone()).collect();
    autograd::invoke(&op, &inputs, &[], &Mode::default()).unwrap().swap_remove(0)
}

fn zeros(dtype: DType) -> NdArray {
    NdArray::full(Shape::new(&[N]), 0.0, dtype, Device::cpu(0)).unwrap()
}

#[test]
fn views_write_through_beyond_four_billion_elements() {
    let x = zeros(DType::U8);
    assert_eq!(x.len().unwrap() as i64, N);
    x.slice(FAR, FAR + 3).unwrap().copy_from_bytes(&[1, 2, 3]).unwrap();
    x.at(-1).unwrap().copy_from_bytes(&[4]).unwrap();
    // The same distance beyond the start, counted in 32 bits.
    assert_eq!(x.slice(6, 11).unwrap().to_vec::<u8>().unwrap(), [0; 5]);
    assert_eq!(x.slice(FAR - 1, FAR + 4).unwrap().to_vec::<u8>().unwrap(), [0, 1, 2, 3, 0]);

    let rows = x.reshape(&Shape::new(&[-1, ROWS + 1])).unwrap();
    assert_eq!(rows.shape().unwrap(), &Shape::new(&[ROWS, ROWS + 1]));
    let (row, column) = (FAR / (ROWS + 1), FAR % (ROWS + 1));
    let found = rows.at(row).unwrap().slice(column, column + 3).unwrap();
    assert_eq!(found.to_vec::<u8>().unwrap(), [1, 2, 3]);
    assert_eq!(rows.at(ROWS - 1).unwrap().at(ROWS).unwrap().to_vec::<u8>().unwrap(), [4]);
}

#[test]
fn operators_reach_beyond_four_billion_elements() {
    let x = zeros(DType::Bool);
    x.slice(FAR, FAR + 2).unwrap().copy_from_bytes(&[1, 1]).unwrap();
    let first = |a: &NdArray| a.to_vec::<i64>().unwrap()[0];
    assert_eq!(first(&call("argmax", &[&x], &[])), FAR);
    assert_eq!(first(&call("argmax", &[&x], &[("axis", AttrValue::Int(0))])), FAR);
    assert_eq!(first(&call("size_array", &[&x], &[])), N);

    let range = [("begin", FAR - 1), ("end", FAR + 3)].map(|(n, at)| (n, AttrValue::Ints(Shape::new(&[at]))));
    let part = call("cast", &[&call("slice", &[&x], &range)], &[("dtype", AttrValue::Str("int64".into()))]);
    assert_eq!(part.to_vec::<i64>().unwrap(), [0, 1, 1, 0]);

    let at = NdArray::from_slice([3], &[7i64, FAR, N - 1], Device::cpu(0)).unwrap();
    let taken = call("cast", &[&call("take", &[&x, &at], &[])], &[("dtype", AttrValue::Str("int64".into()))]);
    assert_eq!(taken.to_vec::<i64>().unwrap(), [0, 1, 0]);
}

#[test]
fn sums_and_elementwise_operators_cover_all_of_it() {
    let x = call("_plus_scalar", &[&zeros(DType::U8)], &[("scalar", AttrValue::Float(1.0))]);
    // In uint8 the sum is what is left of the number of elements.
    assert_eq!(call("sum", &[&x], &[]).to_vec::<u8>().unwrap(), [(N % 256) as u8]);
    let rows = x.reshape(&Shape::new(&[ROWS, ROWS + 1])).unwrap();
    rows.at(ROWS - 1).unwrap().slice(5, 6).unwrap().copy_from_bytes(&[9]).unwrap();
    let sums = call("sum", &[&rows], &[("axis", AttrValue::Ints(Shape::new(&[1])))]).to_vec::<u8>().unwrap();
    assert_eq!((sums.len() as i64, sums[0], sums[ROWS as usize - 1]), (ROWS, 1, 9));
    assert_eq!(call("max", &[&x], &[]).to_vec::<u8>().unwrap(), [9]);
}
