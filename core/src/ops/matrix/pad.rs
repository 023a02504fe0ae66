//! Padding.

use super::{moving_samples, sizes};
use crate::kernels::index::{NOWHERE, gather, scatter_add};
use crate::kernels::strided;
use crate::ops::family::prelude::*;
use smallvec::SmallVec;

/// What the places around an array become.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum PadMode {
    /// A number.
    Constant,
    /// The array's outermost elements.
    Edge,
    /// The array's elements, mirrored at the outermost ones.
    Reflect,
}

/// An array with places added before and behind along each axis.
#[derive(Attrs, Clone, Debug)]
pub struct Pad {
    /// What they become.
    #[attr(id = 1)]
    pub mode: PadMode,
    /// For each axis the numbers of places before and behind.
    #[attr(id = 2)]
    pub pad_width: Shape,
    /// The number that they become in the mode `constant`.
    #[attr(id = 3, default = 0.0)]
    pub constant_value: f64,
}

/// For each place along a padded axis the place of the array that it comes from.
fn origins(mode: PadMode, size: usize, before: usize, behind: usize) -> Vec<usize> {
    let n = size as i64;
    let origin = |i: i64| match mode {
        _ if (0..n).contains(&i) => i as usize,
        PadMode::Constant => NOWHERE,
        PadMode::Edge => i.clamp(0, n - 1) as usize,
        PadMode::Reflect if i < 0 => -i as usize,
        PadMode::Reflect => (2 * (n - 1) - i) as usize,
    };
    (-(before as i64)..n + behind as i64).map(origin).collect()
}

/// Numbers of places before and behind along axis `i`.
fn width(pad: &Shape, i: usize) -> (usize, usize) {
    (pad[2 * i] as usize, pad[2 * i + 1] as usize)
}

/// The array seen as (outer, axis, inner).
fn around(dims: &[usize], axis: usize) -> (usize, usize, usize) {
    (dims[..axis].iter().product(), dims[axis], dims[axis + 1..].iter().product())
}

impl Operator for Pad {
    fn meta() -> Meta {
        Meta::new("Pad", [Input::new("data", "The array.")]).aliases(&["pad"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let with = |name, mode: &'static str, width: &[i64]| {
            Sample::new(name).input(&[1, 2, 3, 4]).attr("mode", mode).attr("pad_width", width)
        };
        let mut samples = vec![
            with("a number", "constant", &[0, 0, 0, 0, 1, 2, 0, 1]).attr("constant_value", 1.5),
            with("the edge", "edge", &[0, 0, 0, 0, 1, 2, 3, 0]),
            with("mirrored", "reflect", &[0, 0, 0, 0, 2, 1, 1, 3]),
            Sample::new("five axes")
                .input(&[1, 1, 2, 2, 3])
                .attr("mode", "reflect")
                .attr("pad_width", [0, 0, 0, 0, 1, 1, 0, 1, 2, 2]),
            Sample::new("all axes of a matrix")
                .input(&[2, 3])
                .attr("mode", "edge")
                .attr("pad_width", [1, 0, 2, 1])
                .no_gradient()
                .oracle(Oracle::NumPy("np.pad(x[0], ((1, 0), (2, 1)), 'edge')")),
        ];
        let numpy = "np.pad(x[0], ((0, 0), (1, 1)), 'reflect')";
        let sides = |s: Sample| {
            s.attr("mode", "reflect").attr("pad_width", [0, 0, 1, 1]).oracle(Oracle::NumPy(numpy))
        };
        samples.extend(moving_samples(&[2, 3], sides, numpy));
        samples.push(with("too few numbers", "edge", &[1, 1]).fails(ErrorCode::InvalidValue));
        samples.push(with("mirrored too far", "reflect", &[0, 0, 0, 0, 3, 0, 0, 0]).fails(ErrorCode::Shape));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.known(0).cloned() else { return Ok(()) };
        let pad = &self.pad_width;
        if pad.ndim() != 2 * x.ndim() || pad.iter().any(|p| *p < 0) {
            return Err(err!(InvalidValue, "expected two sizes for each axis of shape {x}, got {pad}")
                .about("pad_width"));
        }
        let sides = |i: usize| width(pad, i);
        for (i, d) in x.iter().enumerate() {
            let most = sides(i).0.max(sides(i).1) as i64;
            let enough = match self.mode {
                PadMode::Constant => true,
                PadMode::Edge => most == 0 || *d > 0,
                PadMode::Reflect => most == 0 || *d > most,
            };
            if !enough {
                return Err(
                    err!(Shape, "axis {i} of shape {x} is too short for a padding of {most}").about("data")
                );
            }
        }
        s.set_output(0, x.iter().enumerate().map(|(i, d)| d + (sides(i).0 + sides(i).1) as i64).collect())
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let mut dims = sizes(k.shape(0));
        if self.mode == PadMode::Constant {
            let steps = strided::steps(&sizes(k.out_shape(0)));
            let start = (0..dims.len()).map(|i| width(&self.pad_width, i).0 * steps[i] as usize).sum();
            with_dtype!(k.dtype(0), T => {
                k.output::<T>(0).fill(T::from_f64(self.constant_value));
                strided::copy(&dims, k.input::<T>(0), (0, &strided::steps(&dims)), k.output::<T>(0), (start, &steps));
            });
            return Ok(());
        }
        with_word!(k.dtype(0), W => {
            let mut done = k.input_words::<W>(0).to_vec();
            for axis in (0..dims.len()).rev() {
                let (before, behind) = width(&self.pad_width, axis);
                if before + behind > 0 {
                    let from = origins(self.mode, dims[axis], before, behind);
                    let (outer, size, inner) = around(&dims, axis);
                    let mut next = vec![W::default(); outer * from.len() * inner];
                    gather(&done, (outer, size, inner), &from, &mut next);
                    dims[axis] = from.len();
                    done = next;
                }
            }
            k.output_words::<W>(0).copy_from_slice(&done);
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let back = PadSum { mode: self.mode, pad_width: self.pad_width.clone() };
        b.set_grad(0, b.out_grad(0).apply(back, &[b.input(0)]));
        Ok(())
    }
}

/// The sums of what came from each element of `like` when it was padded: the gradient of `Pad`.
#[derive(Attrs, Clone, Debug)]
pub struct PadSum {
    /// What the places became.
    #[attr(id = 1)]
    pub mode: PadMode,
    /// For each axis the numbers of places before and behind.
    #[attr(id = 2)]
    pub pad_width: Shape,
}

impl Operator for PadSum {
    fn meta() -> Meta {
        let inputs =
            [Input::new("data", "The array."), Input::new("like", "The shape of the result.").shape_only()];
        Meta::new("_pad_sum", inputs).dtypes(DTypes::NUMERIC).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("np.stack([x[0][0], x[0][1] + x[0][3], x[0][2]])");
        let behind = |s: Sample| s.attr("mode", "reflect").attr("pad_width", [0, 1, 0, 0]).oracle(numpy);
        vec![
            behind(Sample::new("mirrored").input(&[4, 2]).input(&[3, 2])).no_gradient(),
            behind(Sample::new("integers").ints(&[4, 2], 0, 9).ints(&[3, 2], 0, 9)).int_dtypes(),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(1).cloned().map_or(Ok(()), |like| s.set_output(0, like))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let to: SmallVec<[usize; 8]> = sizes(k.out_shape(0));
        let mut dims = sizes(k.shape(0));
        with_dtype!(k.dtype(0), T => {
            let mut done = k.input::<T>(0).to_vec();
            for axis in 0..dims.len() {
                if dims[axis] != to[axis] {
                    let (before, behind) = width(&self.pad_width, axis);
                    let from = origins(self.mode, to[axis], before, behind);
                    dims[axis] = to[axis];
                    let mut next = vec![T::default(); dims.iter().product()];
                    scatter_add(&done, around(&dims, axis), &from, &mut next);
                    done = next;
                }
            }
            k.output::<T>(0).copy_from_slice(&done);
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let pad = Pad { mode: self.mode, pad_width: self.pad_width.clone(), constant_value: 0.0 };
        b.set_grad(0, b.out_grad(0).apply(pad, &[]));
        Ok(())
    }
}
