//! Elements and slices addressed by coordinates along several axes.

use super::{Beyond, place};
use crate::kernels::index::{gather, scatter_add};
use crate::ops::family::prelude::*;
use crate::ops::matrix::moving_samples;

const INDICES: &str =
    "Coordinates: the first axis runs over the array's first axes, the others over the places.";

/// Numbers of slices of an array of shape `x` and of elements in each, if indices of shape `index` address them.
fn slices(x: &Shape, index: &Shape) -> (usize, usize) {
    let product = |d: &[i64]| d.iter().product::<i64>() as usize;
    let depth = index[0] as usize;
    (product(&x[..depth]), product(&x[depth..]))
}

/// The number of the slice, among those of an array of shape `x`, for each place of the coordinates in input `i`.
fn addresses(k: &Kernel, i: usize, x: &Shape) -> Result<Vec<usize>> {
    let index = k.input_i64(i);
    let depth = k.shape(i)[0] as usize;
    let n = index.len().checked_div(depth).unwrap_or(0);
    let address = |j: usize| {
        (0..depth).try_fold(0, |at, axis| {
            let size = x[axis] as usize;
            Ok(at * size + place(index[axis * n + j], size, Beyond::FromEnd)?)
        })
    };
    (0..n).map(address).collect()
}

/// Refuses coordinates that an array of shape `x` has no axes for, and gives the shape of what they address.
fn addressed(x: &Shape, index: &Shape) -> Result<Shape> {
    let depth = index.first().copied().unwrap_or(0);
    if depth < 1 || depth > x.ndim() as i64 {
        let most = x.ndim();
        return Err(err!(Shape, "expected 1 to {most} coordinates along the first axis, got shape {index}")
            .about("indices"));
    }
    Ok(index[1..].iter().chain(&x[depth as usize..]).copied().collect())
}

/// The elements or slices of an array that have these coordinates.
///
/// `out[y, ..] = data[indices[0, y], …, indices[m - 1, y], ..]`; negative coordinates count from the end.
#[derive(Attrs, Clone, Debug)]
pub struct GatherNd;

impl Operator for GatherNd {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The array."), Input::new("indices", INDICES)];
        Meta::new("gather_nd", inputs).aliases(&["_npi_gather_nd", "_npx_gather_nd"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let at = |name, shape: &[i64], indices: &[f64]| {
            Sample::new(name).input(&[2, 3, 2]).values(shape, indices).of(DType::I32)
        };
        let mut samples = vec![
            at("elements", &[3, 2], &[1.0, 0.0, 2.0, 0.0, 0.0, 1.0]),
            at("slices", &[2, 2], &[1.0, 0.0, 2.0, 2.0]),
            at("rows, twice the same", &[1, 3], &[1.0, 0.0, 1.0]),
            at("two axes of places", &[2, 1, 2], &[1.0, 0.0, 2.0, 0.0]),
            at("from the end", &[2, 2], &[-1.0, 0.0, -3.0, -1.0])
                .no_gradient()
                .oracle(Oracle::NumPy("x[0][x[1][0], x[1][1]]")),
            Sample::new("coordinates as floats").input(&[3]).values(&[1, 2], &[2.0, 0.0]).of(DType::F32),
        ];
        let two = |s: Sample| s.values(&[2, 2], &[1.0, 0.0, 2.0, 0.0]).of(DType::I64);
        samples.extend(moving_samples(&[2, 3], two, "x[0][x[1][0], x[1][1]]"));
        samples.push(at("beyond an axis", &[2, 1], &[0.0, 3.0]).fails(ErrorCode::Index));
        samples.push(at("too many axes", &[4, 1], &[0.0; 4]).fails(ErrorCode::Shape));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let (Some(x), Some(index)) = (s.known(0), s.known(1)) else { return Ok(()) };
        let out = addressed(x, index)?;
        s.set_output(0, out)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let at = addresses(k, 1, k.shape(0))?;
        let (n, len) = slices(k.shape(0), k.shape(1));
        with_word!(k.dtype(0), W => gather(k.input_words::<W>(0), (1, n, len), &at, k.output_words::<W>(0)));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(GatherNdSum, &[b.input(1), b.input(0)]));
        Ok(())
    }
}

/// For each place of `like` the sum of what has its coordinates: the gradient of `gather_nd`.
#[derive(Attrs, Clone, Debug)]
pub struct GatherNdSum;

/// Adds the slices of the first input to those of the output that the second addresses.
fn sum_slices(k: &Kernel) -> Result<()> {
    let at = addresses(k, 1, k.out_shape(0))?;
    let (n, len) = slices(k.out_shape(0), k.shape(1));
    with_dtype!(k.dtype(0), T => scatter_add(k.input::<T>(0), (1, n, len), &at, k.output::<T>(0)));
    Ok(())
}

impl Operator for GatherNdSum {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The elements or slices."),
            Input::new("indices", INDICES),
            Input::new("like", "The shape of the result.").shape_only(),
        ];
        Meta::new("_gather_nd_sum", inputs).dtypes(DTypes::NUMERIC).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("np.stack([x[0][1], x[0][0] + x[0][2], 0 * x[0][0]])");
        let to =
            |s: Sample| s.values(&[1, 3], &[1.0, 0.0, 1.0]).of(DType::I32).ints(&[3, 2], 0, 1).oracle(numpy);
        vec![
            to(Sample::new("rows").input(&[3, 2])).no_gradient(),
            to(Sample::new("integers").ints(&[3, 2], 0, 9)).int_dtypes(),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(2).cloned().map_or(Ok(()), |like| s.set_output(0, like))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        sum_slices(k)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(GatherNd, &[b.input(1)]));
        Ok(())
    }
}

/// Relates the shapes of elements or slices, their coordinates and an array of shape `shape`.
fn infer_scattered(s: &mut ShapeInfer, data: usize, indices: usize, shape: &Shape) -> Result<()> {
    shape.checked_len().map_err(|e| e.about("shape"))?;
    if let (Some(index), Some(x)) = (s.known(indices), s.known(data)) {
        let expected = addressed(shape, index)?;
        if *x != expected {
            return Err(err!(Shape, "expected shape {expected}, got {x}").about("data"));
        }
    }
    s.set_output(0, shape.clone())
}

/// Samples of an operator that puts elements at coordinates.
fn scattered_samples(numpy: &'static str) -> Vec<Sample> {
    let at = |name, data: &[i64], shape: &[i64], indices: &[f64]| {
        Sample::new(name).input(data).values(shape, indices).of(DType::I32).attr("shape", [2, 3])
    };
    let rows = |s: Sample| s.values(&[1, 2], &[2.0, 0.0]).of(DType::I32).attr("shape", [3, 2]);
    vec![
        at("elements", &[2], &[2, 2], &[1.0, 0.0, 2.0, 0.0]),
        at("rows", &[1, 3], &[1, 1], &[1.0]),
        rows(Sample::new("integers").ints(&[2, 2], 0, 9)).int_dtypes(),
        rows(Sample::new("truth values").ints(&[2, 2], 0, 2)).bool_dtype().oracle(Oracle::NumPy(numpy)),
        at("beyond an axis", &[1], &[2, 1], &[0.0, 3.0]).fails(ErrorCode::Index),
        at("too few elements", &[1], &[2, 2], &[0.0; 4]).fails(ErrorCode::Shape),
    ]
}

/// Zeros, with elements or slices at these coordinates; where several have the same, the last.
///
/// `out[indices[0, y], …, indices[m - 1, y], ..] = data[y, ..]`.
#[derive(Attrs, Clone, Debug)]
pub struct ScatterNd {
    /// The shape of the result.
    #[attr(id = 1)]
    pub shape: Shape,
}

/// Writes the slices of input `from` to those of the output that input `indices` addresses.
fn put_slices(k: &Kernel, from: usize, indices: usize) -> Result<()> {
    let at = addresses(k, indices, k.out_shape(0))?;
    let (_, len) = slices(k.out_shape(0), k.shape(indices));
    with_word!(k.out_dtype(0), W => {
        let (x, out) = (k.input_words::<W>(from), k.output_words::<W>(0));
        for (j, i) in at.into_iter().enumerate() {
            out[i * len..(i + 1) * len].copy_from_slice(&x[j * len..(j + 1) * len]);
        }
    });
    Ok(())
}

impl Operator for ScatterNd {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The elements or slices."), Input::new("indices", INDICES)];
        Meta::new("scatter_nd", inputs).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        scattered_samples("np.stack([x[0][1], np.zeros(2, bool), x[0][0]])")
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        infer_scattered(s, 0, 1, &self.shape)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        with_word!(k.out_dtype(0), W => k.output_words::<W>(0).fill(0));
        put_slices(k, 0, 1)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(GatherNd, &[b.input(1)]));
        Ok(())
    }
}

/// Zeros, with the sums of the elements or slices that have the same coordinates.
#[derive(Attrs, Clone, Debug)]
pub struct BackwardGatherNd {
    /// The shape of the result.
    #[attr(id = 1)]
    pub shape: Shape,
}

impl Operator for BackwardGatherNd {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The elements or slices."), Input::new("indices", INDICES)];
        Meta::new("_backward_gather_nd", inputs).dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        let mut samples = scattered_samples("");
        samples.remove(3);
        let twice =
            Sample::new("twice the same place").input(&[3]).values(&[1, 3], &[1.0, 0.0, 1.0]).of(DType::I32);
        samples.push(twice.attr("shape", [3]));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        infer_scattered(s, 0, 1, &self.shape)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        sum_slices(k)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(GatherNd, &[b.input(1)]));
        Ok(())
    }
}

/// An array with other elements or slices at these coordinates, as Python's `x[i, j] = rhs`.
#[derive(Attrs, Clone, Debug)]
pub struct ScatterSetNd {
    /// The shape of the array.
    #[attr(id = 1)]
    pub shape: Shape,
}

impl Operator for ScatterSetNd {
    fn meta() -> Meta {
        let inputs = [
            Input::new("lhs", "The array."),
            Input::new("rhs", "The elements or slices."),
            Input::new("indices", INDICES),
        ];
        Meta::new("_scatter_set_nd", inputs).aliases(&["_npi_scatter_set_nd"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let rows = |s: Sample, rhs: &[i64]| {
            s.ints(rhs, 0, 2).values(&[1, 2], &[2.0, 0.0]).of(DType::I32).attr("shape", [3, 2])
        };
        let numpy = Oracle::NumPy("np.stack([x[1][1], x[0][1], x[1][0]])");
        vec![
            rows(Sample::new("rows").input(&[3, 2]), &[2, 2]).oracle(numpy).no_gradient(),
            rows(Sample::new("integers").ints(&[3, 2], 0, 9), &[2, 2]).int_dtypes().oracle(numpy),
            rows(Sample::new("truth values").ints(&[3, 2], 0, 2), &[2, 2]).bool_dtype().oracle(numpy),
            rows(Sample::new("too few rows").input(&[3, 2]), &[1, 2]).fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.set_input(0, self.shape.clone())?;
        infer_scattered(s, 1, 2, &self.shape).map_err(|e| e.about("rhs"))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0, 1])
    }
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[(0, 0)]
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        if k.input_ptr(0) != k.output_ptr(0).cast_const() {
            k.copy(0, 0);
        }
        put_slices(k, 1, 2)
    }
}
