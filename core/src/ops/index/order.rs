//! Sorting.

use super::as_places;
use crate::kernels::index::{gather_along, scatter_add_along};
use crate::kernels::order::order;
use crate::ops::family::prelude::*;

/// The array seen as (outer, axis, inner), or as one row if there is no axis.
pub(super) fn around(x: &Shape, axis: Option<i64>) -> Result<(usize, usize, usize)> {
    Ok(match axis {
        Some(axis) => x.split_at_axis(x.axis(axis)?),
        None => (1, x.len(), 1),
    })
}

/// The shape of the first `n` places of ordered rows.
pub(super) fn first_places(x: &Shape, axis: Option<i64>, n: i64) -> Result<Shape> {
    let Some(axis) = axis else { return Ok([n].into()) };
    let (axis, mut out) = (x.axis(axis)?, x.clone());
    out[axis] = n;
    Ok(out)
}

/// Number of places along the axis, or of the whole array.
pub(super) fn row_len(x: &Shape, axis: Option<i64>) -> Result<i64> {
    Ok(match axis {
        Some(axis) => x[x.axis(axis)?],
        None => x.iter().product(),
    })
}

/// Writes the places of the first `n` elements of the first input's ordered rows.
pub(super) fn order_input(
    k: &Kernel,
    axis: Option<i64>,
    n: usize,
    ascending: bool,
    out: &mut [i64],
) -> Result<()> {
    let around = around(k.shape(0), axis)?;
    with_dtype!(k.dtype(0), T => order(k.input::<T>(0), around, n, ascending, out));
    Ok(())
}

/// Writes the elements of the first input that have these places in its rows.
pub(super) fn take_ordered(k: &Kernel, axis: Option<i64>, n: usize, order: &[i64]) -> Result<()> {
    let (around, places) = (around(k.shape(0), axis)?, as_places(order));
    with_word!(k.dtype(0), W => {
        gather_along(k.input_words::<W>(0), around, n, &places, k.output_words::<W>(0));
    });
    Ok(())
}

/// The elements along an axis in order. Equal elements keep their order, NaN comes last.
#[derive(Attrs, Clone, Debug)]
pub struct Sort {
    /// The axis; if None, the array is flattened first.
    #[attr(id = 1, default = Some(-1))]
    pub axis: Option<i64>,
    /// Smaller elements first.
    #[attr(id = 2, default = true)]
    pub is_ascend: bool,
}

impl Operator for Sort {
    fn meta() -> Meta {
        Meta::new("sort", [Input::new("data", "The array.")]).aliases(&["_npi_sort"]).dtypes(DTypes::NUMERIC)
    }
    fn num_outputs(&self) -> usize {
        2
    }
    fn num_visible_outputs(&self) -> usize {
        1
    }
    fn samples() -> Vec<Sample> {
        let of = |name| Sample::new(name).distinct(&[3, 4]);
        vec![
            of("rows").attr("axis", -1),
            of("columns, descending").attr("axis", 0).attr("is_ascend", false),
            of("flattened").attr("axis", AttrValue::None),
            Sample::new("integers").ints(&[2, 9], 0, 5).int_dtypes(),
            Sample::new("not a number")
                .values(&[4], &[1.0, f64::NAN, -1.0, 0.5])
                .attr("is_ascend", false)
                .oracle(Oracle::NumPy("np.array([1, 0.5, -1, np.nan])"))
                .no_gradient(),
            of("an axis too many").attr("axis", 2).fails(ErrorCode::Index),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.known(0) else { return Ok(()) };
        let out = first_places(x, self.axis, row_len(x, self.axis)?)?;
        s.set_output(1, out.clone())?;
        s.set_output(0, out)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.require(0, DTypes::NUMERIC)?;
        if let Some(d) = t.input(0).or(t.output(0)) {
            t.set_input(0, d)?;
            t.set_output(0, d)?;
        }
        t.set_output(1, DType::I64)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (n, places) = (row_len(k.shape(0), self.axis)? as usize, k.output::<i64>(1));
        order_input(k, self.axis, n, self.is_ascend, places)?;
        take_ordered(k, self.axis, n, places)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let back = OrderInto { axis: self.axis };
        b.set_grad(0, b.out_grad(0).apply(back, &[b.output(1), b.input(0)]));
        Ok(())
    }
}

/// The places that the elements along an axis had before they were put in order. Equal elements keep their order,
/// NaN comes last.
#[derive(Attrs, Clone, Debug)]
pub struct Argsort {
    /// The axis; if None, the array is flattened first.
    #[attr(id = 1, default = Some(-1))]
    pub axis: Option<i64>,
    /// Smaller elements first.
    #[attr(id = 2, default = true)]
    pub is_ascend: bool,
    /// Dtype of the places.
    #[attr(id = 3, default = DType::F32)]
    pub dtype: DType,
}

impl Operator for Argsort {
    fn meta() -> Meta {
        Meta::new("argsort", [Input::new("data", "The array.")])
            .aliases(&["_npi_argsort"])
            .dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        let of = |name| Sample::new(name).distinct(&[3, 4]).no_finite_differences();
        vec![
            of("rows"),
            of("columns, descending").attr("axis", 0).attr("is_ascend", false),
            of("flattened").attr("axis", AttrValue::None),
            Sample::new("equal elements")
                .values(&[6], &[1.0, 2.0, 1.0, 2.0, 0.0, 0.0])
                .attr("is_ascend", false)
                .no_gradient(),
            Sample::new("integers").ints(&[2, 9], 0, 5).attr("dtype", DType::I32).int_dtypes(),
            of("an axis too many").attr("axis", 2).fails(ErrorCode::Index),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.known(0) else { return Ok(()) };
        let out = first_places(x, self.axis, row_len(x, self.axis)?)?;
        s.set_output(0, out)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.require(0, DTypes::NUMERIC)?;
        t.set_output(0, self.dtype)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let n = row_len(k.shape(0), self.axis)? as usize;
        if self.dtype == DType::I64 {
            return order_input(k, self.axis, n, self.is_ascend, k.output::<i64>(0));
        }
        let mut places = vec![0; k.out_shape(0).len()];
        order_input(k, self.axis, n, self.is_ascend, &mut places)?;
        write_places(k, 0, &places);
        Ok(())
    }
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Ok(())
    }
}

/// Writes places to an output of any dtype.
pub(super) fn write_places(k: &Kernel, output: usize, places: &[i64]) {
    with_dtype!(k.out_dtype(output), T => {
        k.output::<T>(output).iter_mut().zip(places).for_each(|(o, p)| *o = T::from_i64(*p));
    });
}

/// Zeros of the shape of `like`, with `data` at these places along an axis: the gradient of orderings.
#[derive(Attrs, Clone, Debug)]
pub struct OrderInto {
    /// The axis; if None, `like` is flattened first.
    #[attr(id = 1, default = Some(-1))]
    pub axis: Option<i64>,
}

impl Operator for OrderInto {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The elements."),
            Input::new("order", "Their places along the axis."),
            Input::new("like", "The shape of the result.").shape_only(),
        ];
        Meta::new("_order_into", inputs).dtypes(DTypes::NUMERIC).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("np.array([[x[0][0, 1], 0, x[0][0, 0]]])");
        let to = |s: Sample| s.values(&[1, 2], &[2.0, 0.0]).of(DType::I64).ints(&[1, 3], 0, 1).oracle(numpy);
        vec![
            to(Sample::new("a row").input(&[1, 2])).no_gradient(),
            to(Sample::new("integers").ints(&[1, 2], 0, 9)).int_dtypes(),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(2).cloned().map_or(Ok(()), |like| s.set_output(0, like))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let around = around(k.out_shape(0), self.axis)?;
        let n = row_len(k.shape(0), self.axis)? as usize;
        let places = super::places(k, 1, around.1, super::Beyond::Raise)?;
        with_dtype!(k.dtype(0), T => {
            scatter_add_along(k.input::<T>(0), around, n, &places, k.output::<T>(0));
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(OrderTake { axis: self.axis }, &[b.input(1)]));
        Ok(())
    }
}

/// The elements with these places along an axis: the gradient of `_order_into`.
#[derive(Attrs, Clone, Debug)]
pub struct OrderTake {
    /// The axis; if None, `data` is flattened first.
    #[attr(id = 1, default = Some(-1))]
    pub axis: Option<i64>,
}

impl Operator for OrderTake {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The array."), Input::new("order", "The places along the axis.")];
        Meta::new("_order_take", inputs).dtypes(DTypes::NUMERIC).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("x[0][:, [2, 0]]");
        let to = |s: Sample| s.values(&[1, 2], &[2.0, 0.0]).of(DType::I64).oracle(numpy);
        vec![
            to(Sample::new("a row").input(&[1, 3])).no_gradient(),
            to(Sample::new("integers").ints(&[1, 3], 0, 9)).int_dtypes(),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(1).cloned().map_or(Ok(()), |order| s.set_output(0, order))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let n = row_len(k.out_shape(0), self.axis)? as usize;
        let order = k.input_i64(1);
        take_ordered(k, self.axis, n, &order)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(OrderInto { axis: self.axis }, &[b.input(1), b.input(0)]));
        Ok(())
    }
}
