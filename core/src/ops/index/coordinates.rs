//! Coordinates and the numbers of elements in row-major order.

use crate::ops::family::prelude::*;

/// Refuses an array whose first axis has not one place for each axis of `shape`.
fn check_depth(s: &ShapeInfer, shape: &Shape) -> Result<()> {
    match s.known(0) {
        Some(x) if x.first() != Some(&(shape.ndim() as i64)) => {
            Err(err!(Shape, "expected {} coordinates along the first axis, got shape {x}", shape.ndim())
                .about("data"))
        }
        _ => Ok(()),
    }
}

/// The numbers of the elements with these coordinates in an array of a given shape, counted in row-major order.
#[derive(Attrs, Clone, Debug)]
pub struct RavelMultiIndex {
    /// The shape; its first size is not needed and may be -1.
    #[attr(id = 1)]
    pub shape: Shape,
}

impl Operator for RavelMultiIndex {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "Coordinates, along the first axis.")];
        Meta::new("_ravel_multi_index", inputs).aliases(&["ravel_multi_index"]).dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        let of = |name| Sample::new(name).values(&[2, 3], &[3.0, 6.0, 6.0, 4.0, 5.0, 1.0]).no_gradient();
        vec![
            of("a matrix").attr("shape", [7, 6]),
            of("of unknown height").attr("shape", [-1, 6]),
            of("integers").attr("shape", [7, 6]).int_dtypes(),
            of("a shape with more axes").attr("shape", [7, 6, 2]).fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        check_depth(s, &self.shape)?;
        let Some(mut out) = s.input(0).cloned() else { return Ok(()) };
        out.remove(0);
        s.set_output(0, out)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let n = k.out_shape(0).len();
        with_dtype!(k.dtype(0), T => {
            let (x, out) = (k.input::<T>(0), k.output::<T>(0));
            for (j, o) in out.iter_mut().enumerate() {
                let coordinates = self.shape.iter().enumerate();
                *o = T::from_i64(coordinates.fold(0, |at, (i, size)| at * size + x[i * n + j].to_i64()));
            }
        });
        Ok(())
    }
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Ok(())
    }
}

/// The coordinates, along a new first axis, of the elements with these numbers in an array of a given shape.
#[derive(Attrs, Clone, Debug)]
pub struct UnravelIndex {
    /// The shape; its first size is not needed and may be -1.
    #[attr(id = 1)]
    pub shape: Shape,
}

impl Operator for UnravelIndex {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "Numbers of elements in row-major order.")];
        Meta::new("_unravel_index", inputs).aliases(&["unravel_index"]).dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        let of = |name| Sample::new(name).values(&[3], &[22.0, 41.0, 37.0]).no_gradient();
        vec![
            of("a matrix").attr("shape", [7, 6]),
            of("of unknown height").attr("shape", [-1, 6]),
            of("three axes").attr("shape", [2, 4, 6]),
            of("integers").attr("shape", [7, 6]).int_dtypes(),
            Sample::new("two axes of numbers")
                .values(&[2, 2], &[0.0, 1.0, 2.0, 3.0])
                .attr("shape", [2, 2])
                .no_gradient()
                .oracle(Oracle::NumPy("np.stack(np.unravel_index(x[0].astype(int), (2, 2)))")),
            of("no size").attr("shape", [0, 2]).fails(ErrorCode::InvalidValue),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if self.shape.contains(&0) {
            return Err(
                err!(InvalidValue, "expected sizes that are not 0, got {}", self.shape).about("shape")
            );
        }
        let Some(mut out) = s.input(0).cloned() else { return Ok(()) };
        out.insert(0, self.shape.ndim() as i64);
        s.set_output(0, out)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let n = k.shape(0).len();
        with_dtype!(k.dtype(0), T => {
            let (x, out) = (k.input::<T>(0), k.output::<T>(0));
            for (j, v) in x.iter().enumerate() {
                let mut rest = v.to_i64();
                for (i, size) in self.shape.iter().enumerate().rev() {
                    out[i * n + j] = T::from_i64(if i == 0 { rest } else { rest.rem_euclid(*size) });
                    rest = rest.div_euclid(*size);
                }
            }
        });
        Ok(())
    }
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Ok(())
    }
}

/// The coordinates of every element of an array, along a new last axis.
#[derive(Attrs, Clone, Debug)]
pub struct IndexArray {
    /// The axes whose coordinates are given; all if absent.
    #[attr(id = 1)]
    pub axes: Option<Shape>,
}

impl IndexArray {
    fn chosen(&self, x: &Shape) -> Result<Vec<usize>> {
        match &self.axes {
            None => Ok((0..x.ndim()).collect()),
            Some(axes) => axes.iter().map(|a| x.axis(*a).map_err(|e| e.about("axes"))).collect(),
        }
    }
}

impl Operator for IndexArray {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The array.").shape_only()];
        Meta::new("_contrib_index_array", inputs).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let of = |name| Sample::new(name).input(&[2, 3]).no_gradient();
        vec![
            of("all axes"),
            of("chosen axes").attr("axes", [1, 0]),
            Sample::new("integers").ints(&[2, 3], 0, 2).int_dtypes(),
            Sample::new("truth values")
                .ints(&[2], 0, 2)
                .bool_dtype()
                .oracle(Oracle::NumPy("np.array([[0], [1]])")),
            of("an axis too many").attr("axes", [2]).fails(ErrorCode::Index),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0) else { return Ok(()) };
        let (n, mut out) = (self.chosen(x)?.len(), x.clone());
        out.push(n as i64);
        s.set_output(0, out)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.set_output(0, DType::I64)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (x, axes) = (k.shape(0), self.chosen(k.shape(0))?);
        let strides = x.strides();
        let out = k.output::<i64>(0);
        for (i, row) in out.chunks_exact_mut(axes.len().max(1)).enumerate() {
            for (o, a) in row.iter_mut().zip(&axes) {
                *o = (i / strides[*a]) as i64 % x[*a];
            }
        }
        Ok(())
    }
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Ok(())
    }
}
