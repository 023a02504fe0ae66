//! Products of matrices with factors and addends, as BLAS has them.

use super::dot::strides;
use crate::kernels::gemm::{GemmElement, Size, gemm_batched};
use crate::ops::elemwise::MulScalar;
use crate::ops::family::prelude::*;

/// Where the matrices of an array lie: before, along and after the axis of the rows; the columns are the last axis.
#[derive(Clone, Copy)]
struct Stacked {
    outer: usize,
    rows: usize,
    middle: usize,
    cols: usize,
}

impl Stacked {
    fn new(shape: &Shape, axis: i64) -> Result<Stacked> {
        let n = shape.ndim();
        let row = shape.axis(axis)?;
        if n < 2 || row + 1 == n {
            return Err(
                err!(InvalidValue, "axis {axis} of shape {shape} cannot be that of the rows").about("axis")
            );
        }
        let product = |r: std::ops::Range<usize>| shape[r].iter().product::<i64>() as usize;
        Ok(Stacked {
            outer: product(0..row),
            rows: shape[row] as usize,
            middle: product(row + 1..n - 1),
            cols: shape[n - 1] as usize,
        })
    }

    fn strides(self, transposed: bool) -> (usize, usize) {
        let row = self.middle * self.cols;
        if transposed { (1, row) } else { (row, 1) }
    }
}

/// Relates the shapes of two stacks of matrices and their products.
fn infer_products(s: &mut ShapeInfer, ta: bool, tb: bool, axis: i64) -> Result<()> {
    let (Some(a), Some(b)) = (s.known(0), s.known(1)) else { return Ok(()) };
    if a.ndim() != b.ndim() || a.ndim() < 2 {
        return Err(
            err!(Shape, "expected as many axes as in shape {a}, at least 2, got shape {b}").about("B")
        );
    }
    Stacked::new(a, axis)?;
    let (row, col) = (a.axis(axis)?, a.ndim() - 1);
    let (m, ka) = if ta { (a[col], a[row]) } else { (a[row], a[col]) };
    let (kb, n) = if tb { (b[col], b[row]) } else { (b[row], b[col]) };
    if ka != kb || (0..col).any(|i| i != row && a[i] != b[i]) {
        return Err(
            err!(Shape, "matrices of shape {b} cannot be multiplied with those of shape {a}").about("B")
        );
    }
    let mut out = a.clone();
    (out[row], out[col]) = (m, n);
    s.set_output(0, out)
}

/// `out = alpha op(A) op(B) + beta out` for stacks of matrices.
fn products<T: GemmElement>(
    k: &Kernel,
    (ta, tb): (bool, bool),
    alpha: f64,
    beta: f64,
    axis: i64,
) -> Result<()> {
    let [a, b, c] = [k.shape(0), k.shape(1), k.out_shape(0)].map(|s| Stacked::new(s, axis));
    let (a, b, c) = (a?, b?, c?);
    let size = Size { m: c.rows, n: c.cols, k: if ta { a.rows } else { a.cols } };
    let (x, y, out) = (k.input::<T>(0), k.input::<T>(1), k.output::<T>(0));
    if c.middle == 1 {
        let (sa, sb) = (strides(size.m, size.k, ta), strides(size.k, size.n, tb));
        let (x, y, out) = ((x, size.m * size.k), (y, size.k * size.n), (out, size.m * size.n));
        gemm_batched(c.outer, size, alpha, x, sa, y, sb, beta, out, (size.n, 1));
        return Ok(());
    }
    for o in 0..c.outer {
        let part = |s: Stacked| s.rows * s.middle * s.cols;
        let x = (&x[o * part(a)..(o + 1) * part(a)], a.cols);
        let y = (&y[o * part(b)..(o + 1) * part(b)], b.cols);
        let z = (&mut out[o * part(c)..(o + 1) * part(c)], c.cols);
        gemm_batched(c.middle, size, alpha, x, a.strides(ta), y, b.strides(tb), beta, z, c.strides(false));
    }
    Ok(())
}

/// Says the gradients of `alpha op(A) op(B)`.
fn products_gradient(b: &Builder, (ta, tb): (bool, bool), alpha: f64, axis: i64) {
    let (g, x, y) = (b.out_grad(0), b.input(0), b.input(1));
    let product = |transpose_a, transpose_b, l, r| {
        b.apply(LinalgGemm2 { transpose_a, transpose_b, alpha, axis }, &[l, r])
    };
    if b.wants(0) {
        b.set_grad(0, if ta { product(tb, true, y, g) } else { product(false, !tb, g, y) });
    }
    if b.wants(1) {
        b.set_grad(1, if tb { product(true, ta, g, x) } else { product(!ta, false, x, g) });
    }
}

const MATRICES: &str = "The matrices on the left.";

/// Products of matrices plus matrices: alpha · op(A) · op(B) + beta · C, where op may transpose.
#[derive(Attrs, Clone, Debug)]
pub struct LinalgGemm {
    /// Transpose the matrices of `A`.
    #[attr(id = 1, default = false)]
    pub transpose_a: bool,
    /// Transpose the matrices of `B`.
    #[attr(id = 2, default = false)]
    pub transpose_b: bool,
    /// Factor of the product.
    #[attr(id = 3, default = 1.0)]
    pub alpha: f64,
    /// Factor of `C`.
    #[attr(id = 4, default = 1.0)]
    pub beta: f64,
    /// The axis of the matrices' rows; their columns are the last axis.
    #[attr(id = 5, default = -2)]
    pub axis: i64,
}

impl Operator for LinalgGemm {
    fn meta() -> Meta {
        let inputs = [
            Input::new("A", MATRICES),
            Input::new("B", "Those on the right."),
            Input::new("C", "Those to add."),
        ];
        Meta::new("_linalg_gemm", inputs).aliases(&["linalg_gemm"])
    }
    fn samples() -> Vec<Sample> {
        let three = |name, a: &[i64], b: &[i64], c: &[i64]| Sample::new(name).input(a).input(b).input(c);
        vec![
            three("matrices", &[3, 4], &[4, 2], &[3, 2]).attr("alpha", 2.0).attr("beta", -0.5),
            three("batches, transposed", &[2, 4, 3], &[2, 2, 4], &[2, 3, 2])
                .attr("transpose_a", true)
                .attr("transpose_b", true),
            three("rows along the first axis", &[3, 2, 4], &[4, 2, 2], &[3, 2, 2]).attr("axis", 0),
            three("C of another shape", &[3, 4], &[4, 2], &[2, 3]).fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        infer_products(s, self.transpose_a, self.transpose_b, self.axis)?;
        match s.output(0).cloned() {
            Some(out) => s.set_input(2, out),
            None => Ok(()),
        }
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        k.copy(2, 0);
        let transposed = (self.transpose_a, self.transpose_b);
        with_dtype!(k.dtype(0), [F32 f32, F64 f64, F16 half::f16, BF16 half::bf16],
            T => products::<T>(k, transposed, self.alpha, self.beta, self.axis))
    }
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[(2, 0)]
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        products_gradient(b, (self.transpose_a, self.transpose_b), self.alpha, self.axis);
        if b.wants(2) {
            b.set_grad(2, b.out_grad(0).apply(MulScalar::new(self.beta), &[]));
        }
        Ok(())
    }
}

/// Products of matrices: alpha · op(A) · op(B), where op may transpose.
#[derive(Attrs, Clone, Debug)]
pub struct LinalgGemm2 {
    /// Transpose the matrices of `A`.
    #[attr(id = 1, default = false)]
    pub transpose_a: bool,
    /// Transpose the matrices of `B`.
    #[attr(id = 2, default = false)]
    pub transpose_b: bool,
    /// Factor of the product.
    #[attr(id = 3, default = 1.0)]
    pub alpha: f64,
    /// The axis of the matrices' rows; their columns are the last axis.
    #[attr(id = 4, default = -2)]
    pub axis: i64,
}

impl Operator for LinalgGemm2 {
    fn meta() -> Meta {
        let inputs = [Input::new("A", MATRICES), Input::new("B", "Those on the right.")];
        Meta::new("_linalg_gemm2", inputs).aliases(&["linalg_gemm2"])
    }
    fn samples() -> Vec<Sample> {
        let two = |name, a: &[i64], b: &[i64]| Sample::new(name).input(a).input(b);
        vec![
            two("matrices", &[3, 4], &[4, 2]).attr("alpha", 2.0),
            two("batches, transposed", &[2, 4, 3], &[2, 2, 4])
                .attr("transpose_a", true)
                .attr("transpose_b", true),
            two("rows along the first axis", &[3, 2, 4], &[4, 2, 2]).attr("axis", 0),
            two("rows along an axis in the middle", &[2, 3, 2, 4], &[2, 4, 2, 3]).attr("axis", 1),
            two("sizes that do not fit", &[3, 4], &[3, 4]).fails(ErrorCode::Shape),
            two("rows along the last axis", &[3, 4], &[4, 3]).attr("axis", 1).fails(ErrorCode::InvalidValue),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        infer_products(s, self.transpose_a, self.transpose_b, self.axis)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let transposed = (self.transpose_a, self.transpose_b);
        with_dtype!(k.dtype(0), [F32 f32, F64 f64, F16 half::f16, BF16 half::bf16],
            T => products::<T>(k, transposed, self.alpha, 0.0, self.axis))
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        products_gradient(b, (self.transpose_a, self.transpose_b), self.alpha, self.axis);
        Ok(())
    }
}

/// Products of matrices with their own transposes: alpha · A · Aᵀ.
#[derive(Attrs, Clone, Debug)]
pub struct LinalgSyrk {
    /// Compute alpha · Aᵀ · A instead.
    #[attr(id = 1, default = false)]
    pub transpose: bool,
    /// Factor.
    #[attr(id = 2, default = 1.0)]
    pub alpha: f64,
}

impl Operator for LinalgSyrk {
    fn meta() -> Meta {
        Meta::new("_linalg_syrk", [Input::new("A", "The matrices.")]).aliases(&["linalg_syrk"])
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("a matrix").input(&[3, 4]).attr("alpha", 0.5),
            Sample::new("a batch, transposed").input(&[2, 3, 2]).attr("transpose", true),
            Sample::new("a vector").input(&[3]).fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(a) = s.input(0) else { return Ok(()) };
        let n = a.ndim();
        if n < 2 {
            return Err(err!(Shape, "expected at least 2 axes, got shape {a}").about("A"));
        }
        let mut out = a.clone();
        let size = a[if self.transpose { n - 1 } else { n - 2 }];
        (out[n - 2], out[n - 1]) = (size, size);
        s.set_output(0, out)
    }
    fn is_composite(&self) -> bool {
        true
    }
    fn compose<'b>(&self, b: &'b Builder) -> Option<Result<Vec<Val<'b>>>> {
        let t = self.transpose;
        let product = LinalgGemm2 { transpose_a: t, transpose_b: !t, alpha: self.alpha, axis: -2 };
        Some(Ok(vec![b.apply(product, &[b.input(0), b.input(0)])]))
    }
}
