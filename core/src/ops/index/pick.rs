//! One element of each row.

use super::{Beyond, places};
use crate::kernels::index::{gather_along, scatter_add_along};
use crate::ops::family::prelude::*;
use crate::ops::matrix::moving_samples;

/// What an index beyond the axis means.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum PickMode {
    /// The nearest place.
    Clip,
    /// The place that many times round.
    Wrap,
}

impl PickMode {
    fn beyond(self) -> Beyond {
        if self == PickMode::Clip { Beyond::Clip } else { Beyond::Wrap }
    }
}

/// For each position of the other axes the element with a given index along an axis.
#[derive(Attrs, Clone, Debug)]
pub struct Pick {
    /// The axis.
    #[attr(id = 1, default = Some(-1))]
    pub axis: Option<i64>,
    /// Keep the axis, with size 1.
    #[attr(id = 2, default = false)]
    pub keepdims: bool,
    /// What an index beyond the axis means.
    #[attr(id = 3, default = PickMode::Clip)]
    pub mode: PickMode,
}

impl Pick {
    fn axis(&self, x: &Shape) -> Result<usize> {
        let axis = self.axis.ok_or_else(|| err!(InvalidValue, "expected an axis").about("axis"))?;
        x.axis(axis)
    }
}

impl Operator for Pick {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The array."),
            Input::new("index", "An index for each position, of any dtype."),
        ];
        Meta::new("pick", inputs).aliases(&["_npx_pick", "choose_element_0index"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let at = |name, shape: &[i64], indices: &[f64]| {
            Sample::new(name).input(&[2, 3]).values(shape, indices).of(DType::I32)
        };
        let mut samples = vec![
            at("one of each row", &[2], &[2.0, 0.0]),
            at("one of each column", &[3], &[1.0, 0.0, 1.0]).attr("axis", 0),
            at("the axis kept", &[2, 1], &[2.0, 0.0]).attr("keepdims", true),
            at("an index with the axis", &[2, 1], &[2.0, 0.0]),
            at("beyond the axis, cut off", &[2], &[-1.0, 5.0]),
            at("beyond the axis, wrapped", &[2], &[-1.0, 5.0]).attr("mode", "wrap"),
            Sample::new("an axis in the middle")
                .input(&[2, 3, 2])
                .values(&[2, 2], &[0.0, 2.0, 1.0, 1.0])
                .of(DType::F32)
                .attr("axis", 1),
        ];
        let one = |s: Sample| s.values(&[2], &[1.0, 0.0]).of(DType::I32);
        samples.extend(moving_samples(&[2, 3], one, "x[0][[0, 1], x[1]]"));
        samples.push(at("too few indices", &[1], &[0.0]).fails(ErrorCode::Shape));
        samples.push(
            at("no axis", &[2], &[0.0, 0.0]).attr("axis", AttrValue::None).fails(ErrorCode::InvalidValue),
        );
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0) else { return Ok(()) };
        let axis = self.axis(x)?;
        let (mut kept, mut dropped) = (x.clone(), x.clone());
        kept[axis] = 1;
        dropped.remove(axis);
        if dropped.ndim() == 0 {
            dropped.push(1);
        }
        if let Some(index) = s.known(1) {
            if x.is_known() && *index != kept && *index != dropped {
                return Err(err!(Shape, "expected shape {dropped} or {kept}, got {index}").about("index"));
            }
        }
        s.set_output(0, if self.keepdims { kept } else { dropped })
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let around = k.shape(0).split_at_axis(self.axis(k.shape(0))?);
        let index = places(k, 1, around.1, self.mode.beyond())?;
        with_word!(k.dtype(0), W => {
            gather_along(k.input_words::<W>(0), around, 1, &index, k.output_words::<W>(0));
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let back = PickInto { axis: self.axis, keepdims: self.keepdims, mode: self.mode };
        b.set_grad(0, b.out_grad(0).apply(back, &[b.input(1), b.input(0)]));
        Ok(())
    }
}

/// Zeros of the shape of `like`, with `data` at the places that `pick` takes: its gradient.
#[derive(Attrs, Clone, Debug)]
pub struct PickInto {
    /// The axis.
    #[attr(id = 1, default = Some(-1))]
    pub axis: Option<i64>,
    /// Whether `data` has the axis, with size 1.
    #[attr(id = 2, default = false)]
    pub keepdims: bool,
    /// What an index beyond the axis means.
    #[attr(id = 3, default = PickMode::Clip)]
    pub mode: PickMode,
}

impl PickInto {
    fn pick(&self) -> Pick {
        Pick { axis: self.axis, keepdims: self.keepdims, mode: self.mode }
    }
}

impl Operator for PickInto {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The elements."),
            Input::new("index", "Their indices along the axis."),
            Input::new("like", "The shape of the result.").shape_only(),
        ];
        Meta::new("_pick_into", inputs).dtypes(DTypes::NUMERIC).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("np.array([[0, x[0][0]], [x[0][1], 0]])");
        let to = |s: Sample| s.values(&[2], &[1.0, 0.0]).of(DType::I32).ints(&[2, 2], 0, 1).oracle(numpy);
        vec![
            to(Sample::new("one of each row").input(&[2])).no_gradient(),
            to(Sample::new("integers").ints(&[2], 0, 9)).int_dtypes(),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(2).cloned().map_or(Ok(()), |like| s.set_output(0, like))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let shape = k.out_shape(0);
        let around = shape.split_at_axis(self.pick().axis(shape)?);
        let index = places(k, 1, around.1, self.mode.beyond())?;
        with_dtype!(k.dtype(0), T => {
            scatter_add_along(k.input::<T>(0), around, 1, &index, k.output::<T>(0));
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(self.pick(), &[b.input(1)]));
        Ok(())
    }
}

/// For each row of a matrix the element with a given index.
#[derive(Attrs, Clone, Debug)]
pub struct BatchTake;

impl Operator for BatchTake {
    fn meta() -> Meta {
        let inputs = [Input::new("a", "The matrix."), Input::new("indices", "An index for each row.")];
        Meta::new("batch_take", inputs).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let one = |s: Sample| s.values(&[2], &[1.0, 0.0]).of(DType::I32);
        let mut samples = vec![
            one(Sample::new("one of each row").input(&[2, 3])).no_gradient(),
            one(Sample::new("with its gradient").input(&[2, 3]))
                .oracle(Oracle::MxNetCode("mx.nd.pick(x[0], x[1])")),
        ];
        samples.extend(moving_samples(&[2, 3], one, "x[0][[0, 1], x[1]]"));
        samples.push(one(Sample::new("too few indices").input(&[3, 3])).fails(ErrorCode::Shape));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.require_ndim(0, 2)?;
        match s.input(0).map(|x| x[0]) {
            Some(rows) => s.set_output(0, [rows].into()),
            None => Ok(()),
        }
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn is_composite(&self) -> bool {
        true
    }
    fn compose<'b>(&self, b: &'b Builder) -> Option<Result<Vec<Val<'b>>>> {
        let pick = Pick { axis: Some(-1), keepdims: false, mode: PickMode::Clip };
        Some(Ok(vec![b.apply(pick, &[b.input(0), b.input(1)])]))
    }
}
