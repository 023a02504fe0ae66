//! Permutations of axes.

use super::{moving_samples, sizes};
use crate::kernels::layout;
use crate::ops::family::prelude::*;
use crate::shape::normalize_axis;
use smallvec::SmallVec;

/// Writes an input seen in the shape `dims` to the output with its axes in the order `perm`.
fn permute(k: &Kernel, dims: &[usize], perm: &[usize]) {
    with_word!(k.dtype(0), W => layout::transpose(k.input_words::<W>(0), dims, perm, k.output_words::<W>(0)));
}

/// An array with its axes in another order.
#[derive(Attrs, Clone, Debug)]
pub struct Transpose {
    /// For each axis of the result the axis of the input; the axes reversed if empty.
    #[attr(id = 1, default = Shape::scalar())]
    pub axes: Shape,
}

impl Transpose {
    fn order(&self, ndim: usize) -> Result<SmallVec<[usize; 8]>> {
        if self.axes.ndim() == 0 {
            return Ok((0..ndim).rev().collect());
        }
        let order: SmallVec<[usize; 8]> =
            self.axes.iter().map(|a| crate::shape::normalize_axis(*a, ndim)).collect::<Result<_>>()?;
        if order.len() != ndim || (0..ndim).any(|a| !order.contains(&a)) {
            return Err(
                err!(InvalidValue, "expected each of {ndim} axes once, got {}", self.axes).about("axes")
            );
        }
        Ok(order)
    }
}

impl Operator for Transpose {
    fn meta() -> Meta {
        Meta::new("transpose", [Input::new("data", "The array.")]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let to = |name, axes: &[i64]| Sample::new(name).input(&[2, 3, 4]).attr("axes", axes);
        let mut samples = vec![
            Sample::new("a matrix").input(&[3, 5]),
            Sample::new("three axes").input(&[2, 3, 4]),
            to("the last stays", &[1, 0, 2]),
            to("turned round", &[2, 0, 1]),
            to("axes from the end", &[-1, 0, 1])
                .oracle(Oracle::NumPy("x[0].transpose(2, 0, 1)"))
                .no_gradient(),
        ];
        samples.extend(moving_samples(&[3, 2], |s| s, "x[0].T"));
        samples.push(to("an axis twice", &[0, 0, 1]).fails(ErrorCode::InvalidValue));
        samples.push(to("too few axes", &[1, 0]).fails(ErrorCode::InvalidValue));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if let Some(x) = s.input(0) {
            let out = self.order(x.ndim())?.iter().map(|a| x[*a]).collect();
            s.set_output(0, out)?;
        }
        if let Some(y) = s.output(0) {
            let order = self.order(y.ndim())?;
            let mut x = y.clone();
            order.iter().zip(y.iter()).for_each(|(a, d)| x[*a] = *d);
            s.set_input(0, x)?;
        }
        Ok(())
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        permute(k, &sizes(k.shape(0)), &self.order(k.shape(0).ndim())?);
        Ok(())
    }
    fn permutes(&self, ndim: usize) -> Option<SmallVec<[usize; 8]>> {
        self.order(ndim).ok()
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let order = self.order(self.axes.ndim())?;
        let mut axes = self.axes.clone();
        order.iter().enumerate().for_each(|(i, a)| axes[*a] = i as i64);
        b.set_grad(0, b.out_grad(0).apply(Transpose { axes }, &[]));
        Ok(())
    }
}

/// An array with two of its axes exchanged.
#[derive(Attrs, Clone, Debug)]
pub struct SwapAxis {
    /// One axis.
    #[attr(id = 1, default = 0)]
    pub dim1: i64,
    /// The other axis.
    #[attr(id = 2, default = 0)]
    pub dim2: i64,
}

impl Operator for SwapAxis {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The array.")];
        Meta::new("SwapAxis", inputs).aliases(&["_npi_swapaxes", "swapaxes"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let swap = |name, a: i64, b: i64| Sample::new(name).input(&[2, 3, 4]).attr("dim1", a).attr("dim2", b);
        let mut samples =
            vec![swap("two axes", 0, 2), swap("from the end", -1, 1), swap("the same twice", 1, 1)];
        samples.extend(moving_samples(&[3, 2], |s| s.attr("dim2", 1), "x[0].T"));
        samples.push(swap("an axis too many", 0, 3).fails(ErrorCode::Index));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(mut out) = s.input(0).cloned() else { return Ok(()) };
        let (a, b) = (out.axis(self.dim1)?, out.axis(self.dim2)?);
        out.swap(a, b);
        s.set_output(0, out)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let x = k.shape(0);
        let mut perm: SmallVec<[usize; 8]> = (0..x.ndim()).collect();
        perm.swap(x.axis(self.dim1)?, x.axis(self.dim2)?);
        permute(k, &sizes(x), &perm);
        Ok(())
    }
    fn permutes(&self, ndim: usize) -> Option<SmallVec<[usize; 8]>> {
        let axis = |a| normalize_axis(a, ndim).ok();
        let mut order: SmallVec<[usize; 8]> = (0..ndim).collect();
        order.swap(axis(self.dim1)?, axis(self.dim2)?);
        Some(order)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(self.clone(), &[]));
        Ok(())
    }
}

/// The four sizes of a picture's array, whose axis or axes `divided` must be multiples of `by`.
fn picture(s: &ShapeInfer, divided: &[usize], by: i64) -> Result<Option<[i64; 4]>> {
    let Some(x) = s.known(0) else { return Ok(None) };
    s.require_ndim(0, 4)?;
    if let Some(axis) = divided.iter().find(|a| x[**a] % by != 0) {
        return Err(
            err!(Shape, "the size of axis {axis} must be a multiple of {by}, got shape {x}").about("data")
        );
    }
    Ok(Some([x[0], x[1], x[2], x[3]]))
}

/// Moves channels into blocks of the picture: (batch, channel, height, width) to
/// (batch, channel / block², height · block, width · block).
#[derive(Attrs, Clone, Debug)]
pub struct DepthToSpace {
    /// Side of the blocks.
    #[attr(id = 1, min = 1)]
    pub block_size: i64,
}

impl Operator for DepthToSpace {
    fn meta() -> Meta {
        Meta::new("depth_to_space", [Input::new("data", "The pictures.")]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let mut samples = vec![Sample::new("blocks of two").input(&[2, 8, 2, 3]).attr("block_size", 2)];
        let numpy = "x[0].reshape(1, 2, 2, 1, 1, 2).transpose(0, 3, 4, 1, 5, 2).reshape(1, 1, 2, 4)";
        samples.extend(moving_samples(&[1, 4, 1, 2], |s| s.attr("block_size", 2), numpy));
        samples.push(
            Sample::new("channels that do not divide")
                .input(&[1, 3, 2, 2])
                .attr("block_size", 2)
                .fails(ErrorCode::Shape),
        );
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let by = self.block_size;
        match picture(s, &[1], by * by)? {
            Some([n, c, h, w]) => s.set_output(0, [n, c / (by * by), h * by, w * by].into()),
            None => Ok(()),
        }
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (by, x) = (self.block_size as usize, sizes(k.shape(0)));
        permute(k, &[x[0], by, by, x[1] / (by * by), x[2], x[3]], &[0, 3, 4, 1, 5, 2]);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(SpaceToDepth { block_size: self.block_size }, &[]));
        Ok(())
    }
}

/// Moves blocks of the picture into channels: (batch, channel, height, width) to
/// (batch, channel · block², height / block, width / block).
#[derive(Attrs, Clone, Debug)]
pub struct SpaceToDepth {
    /// Side of the blocks.
    #[attr(id = 1, min = 1)]
    pub block_size: i64,
}

impl Operator for SpaceToDepth {
    fn meta() -> Meta {
        Meta::new("space_to_depth", [Input::new("data", "The pictures.")]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let mut samples = vec![Sample::new("blocks of two").input(&[2, 2, 4, 6]).attr("block_size", 2)];
        let numpy = "x[0].reshape(1, 1, 1, 2, 2, 2).transpose(0, 3, 5, 1, 2, 4).reshape(1, 4, 1, 2)";
        samples.extend(moving_samples(&[1, 1, 2, 4], |s| s.attr("block_size", 2), numpy));
        samples.push(
            Sample::new("a height that does not divide")
                .input(&[1, 3, 3, 2])
                .attr("block_size", 2)
                .fails(ErrorCode::Shape),
        );
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let by = self.block_size;
        match picture(s, &[2, 3], by)? {
            Some([n, c, h, w]) => s.set_output(0, [n, c * by * by, h / by, w / by].into()),
            None => Ok(()),
        }
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (by, x) = (self.block_size as usize, sizes(k.shape(0)));
        permute(k, &[x[0], x[1], x[2] / by, by, x[3] / by, by], &[0, 3, 5, 1, 2, 4]);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(DepthToSpace { block_size: self.block_size }, &[]));
        Ok(())
    }
}
