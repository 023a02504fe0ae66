//! Random order.

use crate::ops::family::prelude::*;
use crate::rng;

/// The rows of an array, which are along its first axis, in random order.
#[derive(Attrs, Clone, Debug)]
pub struct Shuffle;

impl Operator for Shuffle {
    fn meta() -> Meta {
        Meta::new("_shuffle", [Input::new("data", "The array.")])
            .aliases(&["_npi_shuffle", "shuffle"])
            .dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let equal = |s: Sample| s.no_gradient().oracle(Oracle::NumPy("x[0]"));
        vec![
            equal(Sample::new("rows that are all the same").values(&[3, 2], &[1.5, 2.0, 1.5, 2.0, 1.5, 2.0])),
            equal(Sample::new("one row").ints(&[1, 3], 0, 9).int_dtypes()),
            equal(Sample::new("truth values").values(&[2], &[1.0, 1.0]).bool_dtype()),
            equal(Sample::new("no rows").input(&[0, 2])),
            Sample::new("different rows").distinct(&[7, 2]).no_gradient().oracle(Oracle::Run),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn draws(&self, s: &ShapeInfer, _training: bool) -> u64 {
        s.known(0).and_then(|shape| shape.first()).map_or(0, |rows| *rows as u64)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let rows = k.shape(0).first().map_or(1, |rows| *rows as usize);
        let order = rng::permutation(k.random, rows);
        with_dtype!(k.dtype(0), T => {
            let (x, out) = (k.input::<T>(0), k.output::<T>(0));
            if x.is_empty() {
                return Ok(());
            }
            let len = x.len() / rows;
            for (to, from) in out.chunks_exact_mut(len).zip(order) {
                to.copy_from_slice(&x[from * len..][..len]);
            }
        });
        Ok(())
    }
}
