//! Products of matrices, and of arrays with more axes seen as matrices.

use crate::kernels::gemm::{GemmElement, Size, Strides, gemm, gemm_batched};
use crate::ops::family::prelude::*;

/// The kernels' answer for the dtypes that matrices can be multiplied in.
macro_rules! with_gemm {
    ($dtype:expr, $T:ident => $body:expr) => {
        with_dtype!($dtype, [F32 f32, F64 f64, F16 half::f16, BF16 half::bf16, I64 i64, I32 i32, I8 i8, U8 u8],
            $T => { $body; Ok(()) })
    };
}

/// Strides of a contiguous matrix of this many rows and columns as it is stored, read transposed if asked.
pub(super) fn strides(rows: usize, cols: usize, transposed: bool) -> Strides {
    if transposed { (1, rows) } else { (cols, 1) }
}

/// How an operand of a sparse product is stored.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum StorageKind {
    /// All elements.
    #[attr(name = "default")]
    Dense,
    /// Some rows.
    #[attr(name = "row_sparse")]
    RowSparse,
    /// Compressed rows.
    #[attr(name = "csr")]
    Csr,
}

/// Refuses a sparse result.
fn dense_only(forward_stype: Option<StorageKind>) -> Result<()> {
    match forward_stype {
        None | Some(StorageKind::Dense) => Ok(()),
        Some(other) => {
            let name = StorageKind::NAMES[other.position()];
            let text = err!(Unsupported, "expected 'default', got '{name}': only dense arrays are supported");
            Err(text.about("forward_stype"))
        }
    }
}

/// Product of two arrays: the last axis of `lhs` is summed with the first of `rhs`, which gives the product of
/// matrices, or the inner product of vectors.
///
/// With more axes the result has the axes of `lhs` without its last, then those of `rhs` without its first.
#[derive(Attrs, Clone, Debug, Default)]
pub struct Dot {
    /// Sum over the first axis of `lhs` instead.
    #[attr(id = 1, default = false)]
    pub transpose_a: bool,
    /// Sum over the last axis of `rhs` instead.
    #[attr(id = 2, default = false)]
    pub transpose_b: bool,
    /// Storage of the result; only 'default' is supported.
    #[attr(id = 3)]
    pub forward_stype: Option<StorageKind>,
}

impl Operator for Dot {
    fn meta() -> Meta {
        Meta::new(
            "dot",
            [Input::new("lhs", "The array on the left."), Input::new("rhs", "The array on the right.")],
        )
        .aliases(&["_sparse_dot"])
        .dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        let both = |name, a: &[i64], b: &[i64]| Sample::new(name).input(a).input(b);
        vec![
            both("two matrices", &[3, 4], &[4, 2]),
            both("larger matrices", &[17, 33], &[33, 20]),
            both("the left one transposed", &[4, 3], &[4, 2]).attr("transpose_a", true),
            both("the right one transposed", &[3, 4], &[2, 4]).attr("transpose_b", true),
            both("both transposed", &[4, 3], &[2, 4]).attr("transpose_a", true).attr("transpose_b", true),
            both("two vectors", &[7], &[7]),
            both("a matrix and a vector", &[3, 4], &[4]),
            both("a vector and a matrix", &[3], &[3, 5]),
            both("more axes", &[2, 3, 4], &[4, 2, 2]),
            both("more axes, transposed", &[3, 2, 2], &[2, 2, 3])
                .attr("transpose_a", true)
                .attr("transpose_b", true),
            both("nothing to sum", &[2, 0], &[0, 3]).oracle(Oracle::NumPy("x[0] @ x[1]")).no_gradient(),
            Sample::new("integers")
                .ints(&[3, 4], 0, 4)
                .ints(&[4, 2], 0, 4)
                .int_dtypes()
                .oracle(Oracle::NumPy("x[0] @ x[1]")),
            both("sizes that do not fit", &[3, 4], &[3, 4]).fails(ErrorCode::Shape),
            both("a sparse result", &[3, 4], &[4, 2])
                .attr("forward_stype", "csr")
                .fails(ErrorCode::Unsupported),
            both("vectors have no transpose", &[3], &[3])
                .attr("transpose_a", true)
                .fails(ErrorCode::InvalidValue),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        dense_only(self.forward_stype)?;
        let (Some(a), Some(b)) = (s.input(0), s.input(1)) else { return Ok(()) };
        let Some((n_a, n_b)) = a.ndim().checked_sub(1).zip(b.ndim().checked_sub(1)) else {
            bail!(Shape, "expected arrays with at least one axis, got shapes {a} and {b}");
        };
        if n_a + n_b == 0 && (self.transpose_a || self.transpose_b) {
            bail!(InvalidValue, "vectors cannot be transposed");
        }
        let (ka, kb) = (if self.transpose_a { 0 } else { n_a }, if self.transpose_b { n_b } else { 0 });
        if a[ka] != b[kb] && a[ka] != UNKNOWN && b[kb] != UNKNOWN {
            return Err(err!(Shape, "axis {kb} of shape {b} must have the size of axis {ka} of shape {a}")
                .about("rhs"));
        }
        let (mut out, mut right) = (a.clone(), b.clone());
        out.remove(ka);
        right.remove(kb);
        right.iter().for_each(|d| out.push(*d));
        if out.ndim() == 0 {
            out.push(1);
        }
        s.set_output(0, out)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (ta, tb) = (self.transpose_a, self.transpose_b);
        let side = |s: &Shape, first: bool| if first { s[0] } else { s[s.ndim() - 1] };
        let summed = side(k.shape(0), ta) as usize;
        let rest = |s: &Shape| s.len().checked_div(summed).unwrap_or(0);
        let size = Size { m: rest(k.shape(0)), n: rest(k.shape(1)), k: summed };
        with_gemm!(k.dtype(0), T => product::<T>(size, ta, tb, k))
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let g = b.out_grad(0);
        product_gradient(b, g, self.transpose_a, self.transpose_b);
        Ok(())
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        product_cost(s)
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        2 * product_work(s) as u64
    }
}

/// Multiplies the kernel's two inputs, seen as matrices.
fn product<T: GemmElement>(size: Size, ta: bool, tb: bool, k: &Kernel) {
    let Size { m, n, k: sum } = size;
    if sum == 0 {
        return k.output::<T>(0).fill(T::from_f64(0.0));
    }
    let (a, b) = (strides(m, sum, ta), strides(sum, n, tb));
    gemm(size, 1.0, k.input::<T>(0), a, k.input::<T>(1), b, 0.0, k.output::<T>(0), (n, 1));
}

/// Says the gradients of a product of matrices C = op(A) op(B) whose gradient is `g`.
fn product_gradient(b: &Builder, g: Val<'_>, ta: bool, tb: bool) {
    let (x, y) = (b.input(0), b.input(1));
    if b.wants(0) {
        let dx = if ta {
            b.apply(DotLike { transpose_a: tb, transpose_b: true }, &[y, g, x])
        } else {
            b.apply(DotLike { transpose_a: false, transpose_b: !tb }, &[g, y, x])
        };
        b.set_grad(0, dx);
    }
    if b.wants(1) {
        let dy = if tb {
            b.apply(DotLike { transpose_a: true, transpose_b: ta }, &[g, x, y])
        } else {
            b.apply(DotLike { transpose_a: !ta, transpose_b: false }, &[x, g, y])
        };
        b.set_grad(1, dy);
    }
}

/// Multiplications of a product, from the sizes alone: each is made from three of the arrays' elements.
fn product_cost(s: &ShapeInfer) -> usize {
    s.total_len().max(product_work(s) as usize / 8)
}

/// Multiplications of a product: mk · kn · mn is the square of mkn.
fn product_work(s: &ShapeInfer) -> f64 {
    let len = |shape: Option<&Shape>| shape.filter(|s| s.is_known()).map_or(0.0, |s| s.len() as f64);
    (len(s.known(0)) * len(s.known(1)) * len(s.output(0))).sqrt()
}

/// Product of two arrays seen as matrices such that the result, seen as a matrix, has the elements of `like`.
///
/// The sizes of the three matrices follow from their numbers of elements.
#[derive(Attrs, Clone, Debug)]
pub struct DotLike {
    /// The left matrix is stored transposed.
    #[attr(id = 1, default = false)]
    pub transpose_a: bool,
    /// The right matrix is stored transposed.
    #[attr(id = 2, default = false)]
    pub transpose_b: bool,
}

impl Operator for DotLike {
    fn meta() -> Meta {
        let inputs = [
            Input::new("lhs", "The array on the left."),
            Input::new("rhs", "The array on the right."),
            Input::new("like", "The shape of the result.").shape_only(),
        ];
        Meta::new("_dot_like", inputs).dtypes(DTypes::NUMERIC).internal()
    }
    fn samples() -> Vec<Sample> {
        let both = |name, a: &[i64], b: &[i64], like: &[i64]| Sample::new(name).input(a).input(b).input(like);
        vec![
            both("more axes", &[3, 2, 2], &[2, 2, 5], &[3, 5]).oracle(Oracle::MxNetCode(
                "mx.nd.dot(x[0].reshape((3, 4)), x[1].reshape((4, 5))) + 0 * x[2]",
            )),
            both("transposed", &[4, 3], &[5, 2, 2], &[3, 5])
                .attr("transpose_a", true)
                .attr("transpose_b", true)
                .oracle(Oracle::MxNetCode("mx.nd.dot(x[0], x[1].reshape((5, 4)), True, True) + 0 * x[2]")),
            Sample::new("integers")
                .ints(&[2, 2], 0, 4)
                .ints(&[2, 3], 0, 4)
                .ints(&[2, 3], 0, 1)
                .int_dtypes()
                .oracle(Oracle::NumPy("x[0] @ x[1]")),
            both("no matrices", &[3], &[5], &[2]).fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if let (Some(a), Some(b), Some(c)) = (s.known(0), s.known(1), s.known(2)) {
            if matrix_size(a.len(), b.len(), c.len()).is_none() {
                bail!(Shape, "no matrices have as many elements as shapes {a}, {b} and their product {c}");
            }
        }
        match s.input(2).cloned() {
            Some(like) => s.set_output(0, like),
            None => Ok(()),
        }
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let size =
            matrix_size(k.shape(0).len(), k.shape(1).len(), k.out_shape(0).len()).expect("was checked");
        with_gemm!(k.dtype(0), T => product::<T>(size, self.transpose_a, self.transpose_b, k))
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let g = b.out_grad(0);
        product_gradient(b, g, self.transpose_a, self.transpose_b);
        Ok(())
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        product_cost(s)
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        2 * product_work(s) as u64
    }
}

/// The sizes of matrices A, B and AB with these numbers of elements: mk · kn / mn is the square of k.
fn matrix_size(a: usize, b: usize, c: usize) -> Option<Size> {
    if c == 0 || a == 0 || b == 0 {
        // Nothing is summed; the shape of the zeros does not matter.
        return Some(Size { m: 1, n: c, k: 0 });
    }
    let k = (a as u128 * b as u128 / c as u128).isqrt() as usize;
    let size = Size { m: a.checked_div(k)?, n: b / k, k };
    (size.m * k == a && size.n * k == b && size.m * size.n == c).then_some(size)
}

/// Products of matrices, one for each position of the axes before the last two.
#[derive(Attrs, Clone, Debug)]
pub struct BatchDot {
    /// The matrices of `lhs` are transposed first.
    #[attr(id = 1, default = false)]
    pub transpose_a: bool,
    /// The matrices of `rhs` are transposed first.
    #[attr(id = 2, default = false)]
    pub transpose_b: bool,
    /// Storage of the result; only 'default' is supported.
    #[attr(id = 3)]
    pub forward_stype: Option<StorageKind>,
}

impl BatchDot {
    fn new(transpose_a: bool, transpose_b: bool) -> BatchDot {
        BatchDot { transpose_a, transpose_b, forward_stype: None }
    }
}

impl Operator for BatchDot {
    fn meta() -> Meta {
        let inputs =
            [Input::new("lhs", "The matrices on the left."), Input::new("rhs", "Those on the right.")];
        Meta::new("batch_dot", inputs).aliases(&["_npx_batch_dot"]).dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        let both = |name, a: &[i64], b: &[i64]| Sample::new(name).input(a).input(b);
        vec![
            both("two batches", &[2, 3, 4], &[2, 4, 2]),
            both("the left ones transposed", &[2, 4, 3], &[2, 4, 2]).attr("transpose_a", true),
            both("the right ones transposed", &[2, 3, 4], &[2, 2, 4]).attr("transpose_b", true),
            both("both transposed", &[2, 4, 3], &[2, 2, 4])
                .attr("transpose_a", true)
                .attr("transpose_b", true),
            both("two axes of batches", &[2, 3, 1, 4], &[2, 3, 4, 2]),
            Sample::new("integers")
                .ints(&[2, 3, 4], 0, 4)
                .ints(&[2, 4, 2], 0, 4)
                .int_dtypes()
                .oracle(Oracle::NumPy("x[0] @ x[1]")),
            both("another number of matrices", &[2, 3, 4], &[3, 4, 2]).fails(ErrorCode::Shape),
            both("plain matrices", &[3, 4], &[4, 2]).fails(ErrorCode::Shape),
            both("a sparse result", &[1, 3, 4], &[1, 4, 2])
                .attr("forward_stype", "row_sparse")
                .fails(ErrorCode::Unsupported),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        dense_only(self.forward_stype)?;
        let (Some(a), Some(b)) = (s.input(0), s.input(1)) else { return Ok(()) };
        let n = a.ndim();
        if n < 3 || b.ndim() != n {
            bail!(Shape, "expected two arrays with equally many axes, at least 3, got shapes {a} and {b}");
        }
        let (m, ka) = if self.transpose_a { (a[n - 1], a[n - 2]) } else { (a[n - 2], a[n - 1]) };
        let (kb, cols) = if self.transpose_b { (b[n - 1], b[n - 2]) } else { (b[n - 2], b[n - 1]) };
        let differ = |x: i64, y: i64| x != y && x != UNKNOWN && y != UNKNOWN;
        if differ(ka, kb) || a[..n - 2].iter().zip(b.iter()).any(|(x, y)| differ(*x, *y)) {
            return Err(err!(Shape, "matrices of shape {b} cannot be multiplied with those of shape {a}")
                .about("rhs"));
        }
        let mut out = a.clone();
        (out[n - 2], out[n - 1]) = (m, cols);
        s.set_output(0, out)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (a, c) = (k.shape(0), k.out_shape(0));
        let n = a.ndim();
        let size = Size {
            m: c[n - 2] as usize,
            n: c[n - 1] as usize,
            k: a[if self.transpose_a { n - 2 } else { n - 1 }] as usize,
        };
        let batch = c[..n - 2].iter().product::<i64>() as usize;
        with_gemm!(k.dtype(0), T => batched::<T>(batch, size, self, k))
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let (g, x, y) = (b.out_grad(0), b.input(0), b.input(1));
        let (ta, tb) = (self.transpose_a, self.transpose_b);
        if b.wants(0) {
            let dx = if ta { BatchDot::new(tb, true) } else { BatchDot::new(false, !tb) };
            b.set_grad(0, if ta { b.apply(dx, &[y, g]) } else { b.apply(dx, &[g, y]) });
        }
        if b.wants(1) {
            let dy = if tb { BatchDot::new(true, ta) } else { BatchDot::new(!ta, false) };
            b.set_grad(1, if tb { b.apply(dy, &[g, x]) } else { b.apply(dy, &[x, g]) });
        }
        Ok(())
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        product_cost(s)
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        let summed = |x: &Shape| x[x.ndim() - if self.transpose_a { 2 } else { 1 }] as u64;
        let (out, summed) = (s.output(0).map_or(0, Shape::len) as u64, s.known(0).map_or(0, summed));
        2 * out * summed
    }
}

fn batched<T: GemmElement>(batch: usize, size: Size, op: &BatchDot, k: &Kernel) {
    let Size { m, n, k: sum } = size;
    let (a, b) = (strides(m, sum, op.transpose_a), strides(sum, n, op.transpose_b));
    let (x, y) = ((k.input::<T>(0), m * sum), (k.input::<T>(1), sum * n));
    gemm_batched(batch, size, 1.0, x, a, y, b, 0.0, (k.output::<T>(0), m * n), (n, 1));
}
