//! The largest or smallest elements.

use super::as_places;
use super::order::{OrderInto, around, first_places, order_input, row_len, take_ordered, write_places};
use crate::ops::family::prelude::*;

/// What `topk` gives.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum TopkResult {
    /// The elements and their places.
    Both,
    /// Their places.
    Indices,
    /// 1 at their places, 0 elsewhere.
    Mask,
    /// The elements.
    Value,
}

/// The largest or smallest elements along an axis, in order. Of equal elements the first counts, NaN comes last.
#[derive(Attrs, Clone, Debug)]
pub struct Topk {
    /// The axis; if None, the array is flattened first.
    #[attr(id = 1, default = Some(-1))]
    pub axis: Option<i64>,
    /// How many; all if it is less than 1.
    #[attr(id = 2, default = 1)]
    pub k: i64,
    /// What is given.
    #[attr(id = 3, default = TopkResult::Indices)]
    pub ret_typ: TopkResult,
    /// The smallest elements, the smallest first.
    #[attr(id = 4, default = false)]
    pub is_ascend: bool,
    /// Dtype of the places.
    #[attr(id = 5, default = DType::F32)]
    pub dtype: DType,
}

impl Topk {
    /// How many elements of each row of an array of shape `x`.
    fn count(&self, x: &Shape) -> Result<i64> {
        let len = row_len(x, self.axis)?;
        match self.k {
            k if k < 1 => Ok(len),
            k if k <= len => Ok(k),
            k => Err(err!(InvalidValue, "expected at most {len}, the size of the axis, got {k}").about("k")),
        }
    }
}

impl Operator for Topk {
    fn meta() -> Meta {
        Meta::new("topk", [Input::new("data", "The array.")]).aliases(&["_npx_topk"]).dtypes(DTypes::NUMERIC)
    }
    /// The last output, hidden, are the places as the gradient needs them.
    fn num_outputs(&self) -> usize {
        match self.ret_typ {
            TopkResult::Both => 3,
            TopkResult::Value => 2,
            TopkResult::Indices | TopkResult::Mask => 1,
        }
    }
    fn num_listed_outputs(&self) -> usize {
        self.num_outputs().min(2)
    }
    fn num_visible_outputs(&self) -> usize {
        if self.ret_typ == TopkResult::Both { 2 } else { 1 }
    }
    fn samples() -> Vec<Sample> {
        let of =
            |name, kind: &'static str| Sample::new(name).distinct(&[3, 5]).attr("ret_typ", kind).attr("k", 2);
        vec![
            Sample::new("the place of the largest").distinct(&[3, 5]).no_finite_differences(),
            of("places, of the smallest", "indices").attr("is_ascend", true).no_finite_differences(),
            of("elements", "value"),
            of("elements along the first axis", "value").attr("axis", 0),
            of("both", "both").no_finite_differences(),
            of("both, places as integers", "both").attr("dtype", DType::I32).no_gradient(),
            of("a mask", "mask").no_finite_differences(),
            of("a mask along the first axis", "mask").attr("axis", 0).no_finite_differences(),
            of("of the whole array", "value").attr("axis", AttrValue::None),
            Sample::new("all").distinct(&[5]).attr("k", 0).attr("ret_typ", "value"),
            Sample::new("integers").ints(&[2, 9], 0, 5).attr("k", 3).attr("ret_typ", "value").int_dtypes(),
            of("too many", "value").attr("k", 6).fails(ErrorCode::InvalidValue),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.known(0).cloned() else { return Ok(()) };
        let n = self.count(&x)?;
        if self.ret_typ == TopkResult::Mask {
            return s.set_output(0, x);
        }
        let out = first_places(&x, self.axis, n)?;
        (0..self.num_outputs()).try_for_each(|i| s.set_output(i, out.clone()))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.require(0, DTypes::NUMERIC)?;
        if self.ret_typ == TopkResult::Indices {
            return t.set_output(0, self.dtype);
        }
        if let Some(d) = t.input(0).or(t.output(0)) {
            t.set_input(0, d)?;
            t.set_output(0, d)?;
        }
        match self.ret_typ {
            TopkResult::Both => {
                t.set_output(1, self.dtype)?;
                t.set_output(2, DType::I64)
            }
            TopkResult::Value => t.set_output(1, DType::I64),
            _ => Ok(()),
        }
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let n = self.count(k.shape(0))?;
        let (outer, size, inner) = around(k.shape(0), self.axis)?;
        let mut places = vec![0; outer * n as usize * inner];
        order_input(k, self.axis, n as usize, self.is_ascend, &mut places)?;
        match self.ret_typ {
            TopkResult::Indices => write_places(k, 0, &places),
            TopkResult::Mask => with_dtype!(k.out_dtype(0), T => {
                let out = k.output::<T>(0);
                out.fill(T::from_f64(0.0));
                for (at, place) in as_places(&places).into_iter().enumerate() {
                    let (o, i) = (at / inner / n as usize, at % inner);
                    out[(o * size + place) * inner + i] = T::from_f64(1.0);
                }
            }),
            TopkResult::Both | TopkResult::Value => {
                take_ordered(k, self.axis, n as usize, &places)?;
                k.output::<i64>(k.num_outputs() - 1).copy_from_slice(&places);
                if self.ret_typ == TopkResult::Both {
                    write_places(k, 1, &places);
                }
            }
        }
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        if matches!(self.ret_typ, TopkResult::Both | TopkResult::Value) {
            let (back, places) = (OrderInto { axis: self.axis }, b.output(b.num_outputs() - 1));
            b.set_grad(0, b.out_grad(0).apply(back, &[places, b.input(0)]));
        }
        Ok(())
    }
}
