//! Diagonals.

use super::{moving_samples, sizes};
use crate::kernels::strided;
use crate::ops::family::prelude::*;
use smallvec::SmallVec;

/// The diagonal of a matrix, or a matrix with a given diagonal.
///
/// Of an array with more axes, the diagonals of the matrices along two of them, as the last axis of the result.
#[derive(Attrs, Clone, Debug)]
pub struct Diag {
    /// Which diagonal: that many places above the main one, or below it if negative.
    #[attr(id = 1, default = 0)]
    pub k: i64,
    /// The axis of the rows.
    #[attr(id = 2, default = 0)]
    pub axis1: i64,
    /// The axis of the columns.
    #[attr(id = 3, default = 1)]
    pub axis2: i64,
}

impl Diag {
    /// The places of the diagonals in an array of shape `x` with at least two axes: the shape of the result, and
    /// the first place and the steps along its axes.
    fn places(&self, x: &Shape) -> Result<(Shape, usize, SmallVec<[isize; 8]>)> {
        let axis = |a, name: &str| x.axis(a).map_err(|e| e.about(name));
        let (r, c) = (axis(self.axis1, "axis1")?, axis(self.axis2, "axis2")?);
        if r == c {
            return Err(err!(InvalidValue, "expected another axis than axis1").about("axis2"));
        }
        let len = (x[r] - (-self.k).max(0)).min(x[c] - self.k.max(0));
        if len <= 0 {
            return Err(err!(Shape, "matrices of {} x {} have no such diagonal", x[r], x[c]).about("k"));
        }
        let strides = x.strides();
        let start = (-self.k).max(0) as usize * strides[r] + self.k.max(0) as usize * strides[c];
        let rest = || (0..x.ndim()).filter(|a| *a != r && *a != c);
        let mut out: Shape = rest().map(|a| x[a]).collect();
        out.push(len);
        let steps = rest().map(|a| strides[a]).chain([strides[r] + strides[c]]).map(|s| s as isize).collect();
        Ok((out, start, steps))
    }

    /// Side of the matrix with a diagonal of `n` elements.
    fn side(&self, n: i64) -> i64 {
        n + self.k.abs()
    }

    /// The places of the diagonal in the matrix that is made of `n` elements.
    fn in_matrix(&self, n: i64) -> Result<(Shape, usize, SmallVec<[isize; 8]>)> {
        let plain = Diag { k: self.k, axis1: 0, axis2: 1 };
        plain.places(&[self.side(n), self.side(n)].into())
    }
}

impl Operator for Diag {
    fn meta() -> Meta {
        Meta::new("diag", [Input::new("data", "The matrix, or the diagonal.")]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let of = |name, shape: &[i64]| Sample::new(name).input(shape);
        let mut samples = vec![
            of("the main diagonal", &[3, 4]),
            of("above", &[3, 4]).attr("k", 2),
            of("below", &[3, 4]).attr("k", -1),
            of("a matrix", &[3]),
            of("a matrix with its diagonal below", &[2]).attr("k", -1),
            of("more axes", &[2, 3, 3]).attr("axis1", -1).attr("axis2", 1).attr("k", 1),
        ];
        samples.extend(moving_samples(&[3, 3], |s| s, "np.diag(x[0])"));
        samples.push(of("no such diagonal", &[2, 2]).attr("k", 3).fails(ErrorCode::Shape));
        samples.push(of("one axis twice", &[2, 2]).attr("axis2", 0).fails(ErrorCode::InvalidValue));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.known(0) else { return Ok(()) };
        let out = match x[..] {
            [] => return Err(err!(Shape, "expected at least one axis, got a scalar").about("data")),
            [n] => [self.side(n), self.side(n)].into(),
            _ => self.places(x)?.0,
        };
        s.set_output(0, out)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        if let [n] = k.shape(0)[..] {
            scatter(k, || self.in_matrix(n))
        } else {
            gather(k, self.places(k.shape(0))?)
        }
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let back = DiagInto { k: self.k, axis1: self.axis1, axis2: self.axis2 };
        b.set_grad(0, b.out_grad(0).apply(back, &[b.input(0)]));
        Ok(())
    }
}

type Places = (Shape, usize, SmallVec<[isize; 8]>);

/// Copies these places of the input to the output.
fn gather(k: &Kernel, (shape, start, steps): Places) -> Result<()> {
    let dims = sizes(&shape);
    with_word!(k.dtype(0), W => strided::copy(
        &dims, k.input_words::<W>(0), (start, &steps), k.output_words::<W>(0), (0, &strided::steps(&dims))));
    Ok(())
}

/// Copies the input to these places of the output, the rest of which is zero.
fn scatter(k: &Kernel, places: impl Fn() -> Result<Places>) -> Result<()> {
    with_word!(k.dtype(0), W => k.output_words::<W>(0).fill(0));
    if k.shape(0).is_empty() {
        return Ok(());
    }
    let (shape, start, steps) = places()?;
    let dims = sizes(&shape);
    with_word!(k.dtype(0), W => strided::copy(
        &dims, k.input_words::<W>(0), (0, &strided::steps(&dims)), k.output_words::<W>(0), (start, &steps)));
    Ok(())
}

/// Zeros of the shape of `like`, with `data` on the diagonals that `diag` takes; or, if `like` has one axis, that
/// diagonal of `data`: the gradient of `diag`.
#[derive(Attrs, Clone, Debug)]
pub struct DiagInto {
    /// Which diagonal.
    #[attr(id = 1, default = 0)]
    pub k: i64,
    /// The axis of the rows.
    #[attr(id = 2, default = 0)]
    pub axis1: i64,
    /// The axis of the columns.
    #[attr(id = 3, default = 1)]
    pub axis2: i64,
}

impl Operator for DiagInto {
    fn meta() -> Meta {
        super::slice_assign::into_meta("_diag_into")
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("np.diag(x[0])");
        let like = |s: Sample| s.ints(&[3, 3], 0, 2).oracle(numpy);
        vec![
            like(Sample::new("a matrix").input(&[3])).no_gradient(),
            like(Sample::new("integers").ints(&[3], 0, 9)).int_dtypes(),
            like(Sample::new("truth values").ints(&[3], 0, 2)).bool_dtype().oracle(numpy),
            Sample::new("a diagonal").input(&[3, 3]).input(&[3]).oracle(numpy).no_gradient(),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(1).cloned().map_or(Ok(()), |like| s.set_output(0, like))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let diag = Diag { k: self.k, axis1: self.axis1, axis2: self.axis2 };
        if let [n] = k.out_shape(0)[..] {
            if n == 0 { Ok(()) } else { gather(k, diag.in_matrix(n)?) }
        } else {
            scatter(k, || diag.places(k.out_shape(0)))
        }
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let diag = Diag { k: self.k, axis1: self.axis1, axis2: self.axis2 };
        b.set_grad(0, b.out_grad(0).apply(diag, &[]));
        Ok(())
    }
}
