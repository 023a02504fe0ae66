//! Arrays joined along an axis, existing or new.

use super::split::SliceChannel;
use super::{moving_samples, sizes};
use crate::kernels::strided;
use crate::ops::family::prelude::*;

/// Copies input `i` to the places of the output from `start` on along `axis`, `dims` being the input's sizes there.
fn place<W: crate::op::kernel::Word>(
    k: &Kernel,
    i: usize,
    (dims, axis, start): (&[usize], usize, usize),
    out: &mut [W],
) {
    let steps = strided::steps(&sizes(k.out_shape(0)));
    strided::copy(
        dims,
        k.input_words::<W>(i),
        (0, &strided::steps(dims)),
        out,
        (start * steps[axis] as usize, &steps),
    );
}

/// Arrays joined along one of their axes.
#[derive(Attrs, Clone, Debug)]
pub struct Concat {
    /// Number of arrays; counted if absent.
    #[attr(id = 1, min = 1)]
    pub num_args: Option<i64>,
    /// The axis.
    #[attr(id = 2, default = 1)]
    pub dim: i64,
}

/// Refuses another number of arrays than was said.
pub(super) fn check_count(said: Option<i64>, s: &ShapeInfer) -> Result<()> {
    match said {
        Some(n) if n != s.num_inputs() as i64 => {
            Err(err!(InvalidValue, "expected the number of arrays, {}, got {n}", s.num_inputs())
                .about("num_args"))
        }
        _ if s.num_inputs() == 0 => Err(err!(InvalidValue, "expected at least one array").about("data")),
        _ => Ok(()),
    }
}

impl Operator for Concat {
    fn meta() -> Meta {
        Meta::new(
            "Concat",
            [Input::new("data", "The arrays, of one shape but along the axis.")
                .counted("num_args", &["arg"])],
        )
        .aliases(&["_sparse_concat", "concat"])
        .dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let two = |name, a: &[i64], b: &[i64]| Sample::new(name).input(a).input(b);
        let mut samples = vec![
            two("columns", &[2, 3], &[2, 1]),
            two("rows", &[2, 3], &[1, 3]).input(&[2, 3]).attr("dim", 0),
            two("the last axis", &[2, 2, 3], &[2, 2, 1]).attr("dim", -1),
            Sample::new("one array").input(&[2, 3]),
            two("nothing to join", &[2, 0], &[2, 2])
                .no_gradient()
                .oracle(Oracle::NumPy("np.concatenate(x, 1)")),
        ];
        samples.extend(moving_samples(
            &[2, 3],
            |s| s.ints(&[1, 3], 0, 2).attr("dim", 0),
            "np.concatenate(x)",
        ));
        samples.push(two("other axes that differ", &[2, 3], &[3, 3]).fails(ErrorCode::Shape));
        samples.push(two("an axis too many", &[2, 3], &[2, 3]).attr("dim", 2).fails(ErrorCode::Index));
        samples.push(Sample::new("no arrays").fails(ErrorCode::InvalidValue));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        check_count(self.num_args, s)?;
        let n = s.num_inputs();
        let Some(mut common) = (0..n).find_map(|i| s.input(i)).or(s.output(0)).cloned() else {
            return Ok(());
        };
        let axis = common.axis(self.dim).map_err(|e| e.about("dim"))?;
        common[axis] = UNKNOWN;
        (0..n).try_for_each(|i| s.set_input(i, common.clone()))?;
        let total: Option<i64> = (0..n).map(|i| s.input(i).map(|x| x[axis]).filter(|d| *d != UNKNOWN)).sum();
        let mut out = (0..n).find_map(|i| s.known(i)).cloned().unwrap_or(common);
        out[axis] = total.unwrap_or(UNKNOWN);
        s.set_output(0, out)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let axis = k.out_shape(0).axis(self.dim)?;
        with_word!(k.out_dtype(0), W => {
            let out = k.output_words::<W>(0);
            let mut start = 0;
            for i in 0..k.num_inputs() {
                let dims = sizes(k.shape(i));
                place(k, i, (&dims, axis, start), out);
                start += dims[axis];
            }
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let n = b.num_inputs();
        let mut inputs = vec![b.out_grad(0)];
        inputs.extend((0..n).map(|i| b.input(i)));
        let parts = b.apply_all(SplitLike { num_outputs: n as i64, axis: self.dim }, &inputs);
        parts.iter().enumerate().for_each(|(i, p)| b.set_grad(i, *p));
        Ok(())
    }
}

/// An array cut along an axis into parts of other arrays' shapes: the gradient of their concatenation.
#[derive(Attrs, Clone, Debug)]
pub struct SplitLike {
    /// Number of parts.
    #[attr(id = 1, min = 1)]
    pub num_outputs: i64,
    /// The axis.
    #[attr(id = 2, default = 1)]
    pub axis: i64,
}

impl Operator for SplitLike {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The array."),
            Input::new("like", "The shapes of the parts.").shape_only().variadic(),
        ];
        Meta::new("_split_like", inputs).dtypes(DTypes::ALL).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = "[x[0][:, :1], x[0][:, 1:]]";
        let parts = |s: Sample| s.ints(&[2, 1], 0, 2).ints(&[2, 3], 0, 2).attr("num_outputs", 2);
        let mut samples = vec![
            parts(Sample::new("two parts").input(&[2, 4])).oracle(Oracle::NumPy(numpy)).no_gradient(),
            parts(Sample::new("another size").input(&[2, 5])).fails(ErrorCode::Shape),
        ];
        samples.extend(moving_samples(&[2, 4], parts, numpy).map(|s| s.oracle(Oracle::NumPy(numpy))));
        samples
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(self.num_outputs as usize + 1)
    }
    fn num_outputs(&self) -> usize {
        self.num_outputs as usize
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let mut sum = Some(0);
        for i in 0..self.num_outputs as usize {
            let Some(like) = s.input(i + 1).cloned() else { return Ok(()) };
            let size = like[like.axis(self.axis)?];
            sum = sum.filter(|_| size != UNKNOWN).map(|s| s + size);
            s.set_output(i, like)?;
        }
        match (s.known(0), sum) {
            (Some(x), Some(sum)) if x[x.axis(self.axis)?] != sum => {
                Err(err!(Shape, "the parts have {sum} places along axis {}, shape {x}", self.axis)
                    .about("data"))
            }
            _ => Ok(()),
        }
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        super::split::cut(k, k.shape(0).axis(self.axis)?, false, 0);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let parts: Vec<Val> = (0..b.num_outputs()).map(|i| b.out_grad(i)).collect();
        b.set_grad(0, b.apply(Concat { num_args: None, dim: self.axis }, &parts));
        Ok(())
    }
}

/// Arrays of one shape joined along a new axis.
#[derive(Attrs, Clone, Debug)]
pub struct Stack {
    /// Where the new axis is; negative numbers count from the end of the result.
    #[attr(id = 1, default = 0)]
    pub axis: i64,
    /// Number of arrays; counted if absent.
    #[attr(id = 2, min = 1)]
    pub num_args: Option<i64>,
}

impl Operator for Stack {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The arrays, of one shape.").counted("num_args", &["arg"])];
        Meta::new("stack", inputs).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let two = |name| Sample::new(name).input(&[2, 3]).input(&[2, 3]);
        let mut samples = vec![
            two("the first axis"),
            two("the second axis, three arrays").input(&[2, 3]).attr("axis", 1),
            two("the last axis").attr("axis", -1),
        ];
        samples.extend(moving_samples(&[3], |s| s.ints(&[3], 0, 2), "np.stack(x)"));
        samples.push(Sample::new("two shapes").input(&[2, 3]).input(&[3, 2]).fails(ErrorCode::Shape));
        samples.push(two("an axis too many").attr("axis", 3).fails(ErrorCode::Index));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        check_count(self.num_args, s)?;
        let n = s.num_inputs();
        let known: Vec<Shape> = (0..n).filter_map(|i| s.input(i).cloned()).collect();
        for shape in &known {
            (0..n).try_for_each(|i| s.set_input(i, shape.clone()))?;
        }
        let Some(mut out) = s.input(0).cloned() else { return Ok(()) };
        out.insert(crate::shape::normalize_axis(self.axis, out.ndim() + 1)?, n as i64);
        s.set_output(0, out)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let axis = k.out_shape(0).axis(self.axis)?;
        let mut dims = sizes(k.out_shape(0));
        dims[axis] = 1;
        with_word!(k.out_dtype(0), W => {
            let out = k.output_words::<W>(0);
            for i in 0..k.num_inputs() {
                place(k, i, (&dims, axis, i), out);
            }
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let split = SliceChannel { num_outputs: b.num_inputs() as i64, axis: self.axis, squeeze_axis: true };
        let parts = b.apply_all(split, &[b.out_grad(0)]);
        parts.iter().enumerate().for_each(|(i, p)| b.set_grad(i, *p));
        Ok(())
    }
}
