//! Larger pictures: nearest neighbours and bilinear interpolation.

use super::Deconvolution;
use super::compute::{for_each_row, read, write};
use crate::ops::elemwise::AddN;
use crate::ops::family::prelude::*;
use crate::ops::matrix::Concat;

/// How elements between those of the data are made.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum SampleType {
    /// By a deconvolution whose weight is an input, to be initialised by `mx.init.Bilinear`.
    Bilinear,
    /// Each is a copy of its nearest neighbour.
    Nearest,
}

/// What becomes of several inputs.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum MultiInputMode {
    /// Their channels one after another.
    Concat,
    /// Their sum.
    Sum,
}

/// Makes pictures larger by a whole factor along height and width.
///
/// With nearest neighbours there may be several inputs (n, channels, height, width); each is brought to the size
/// of the first one's result. Bilinear interpolation takes data and a weight (num_filter, 1, kernel, kernel) with
/// `kernel = 2 · scale - scale % 2`.
#[derive(Attrs, Clone, Debug)]
pub struct UpSampling {
    /// Factor of height and width of the first input.
    #[attr(id = 1, min = 1)]
    pub scale: i64,
    /// Number of channels of the data, for bilinear interpolation.
    #[attr(id = 2, default = 0, min = 0)]
    pub num_filter: i64,
    /// How elements between those of the data are made.
    #[attr(id = 3)]
    pub sample_type: SampleType,
    /// What becomes of several inputs.
    #[attr(id = 4, default = MultiInputMode::Concat)]
    pub multi_input_mode: MultiInputMode,
    /// Number of inputs; counted if absent.
    #[attr(id = 5, min = 1)]
    pub num_args: Option<i64>,
    /// Unused; kept for MXNet's model files.
    #[attr(id = 6, default = 512, min = 0)]
    pub workspace: i64,
}

impl UpSampling {
    /// The deconvolution that interpolates.
    fn interpolation(&self) -> Deconvolution {
        let both = |d: i64| Shape::new(&[d, d]);
        Deconvolution {
            kernel: both(2 * self.scale - self.scale % 2),
            stride: both(self.scale),
            dilate: Shape::scalar(),
            pad: both(self.scale / 2),
            adj: Shape::scalar(),
            target_shape: Shape::scalar(),
            num_filter: self.num_filter,
            num_group: self.num_filter,
            workspace: self.workspace,
            no_bias: true,
            cudnn_tune: None,
            cudnn_off: false,
            layout: None,
        }
    }

    /// Shapes with nearest neighbours.
    fn infer_nearest(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(first) = s.known(0).cloned() else { return Ok(()) };
        let (mut y, mut channels) = (larger(&first, self.scale), 0);
        for i in 0..s.num_inputs() {
            let Some(x) = s.known(i) else { return Ok(()) };
            factors(x, &y).map_err(|e| e.about(&format!("data[{i}]")))?;
            if self.multi_input_mode == MultiInputMode::Sum && x[1] != first[1] {
                return Err(
                    err!(Shape, "expected {} channels, got shape {x}", first[1]).about(&format!("data[{i}]"))
                );
            }
            channels += x[1];
        }
        y[1] = if self.multi_input_mode == MultiInputMode::Concat { channels } else { first[1] };
        s.set_output(0, y)
    }
}

/// The shape of a picture made larger.
fn larger(x: &Shape, scale: i64) -> Shape {
    Shape::new(&[x[0], x[1], x[2] * scale, x[3] * scale])
}

/// How often rows and columns of `x` repeat in `y`.
fn factors(x: &Shape, y: &Shape) -> Result<(usize, usize)> {
    let whole = |axis: usize| x[axis] > 0 && y[axis] % x[axis] == 0;
    if x[0] != y[0] || !whole(2) || !whole(3) {
        return Err(err!(
            Shape,
            "expected a batch of {} whose pictures fit into {}x{}, got {x}",
            y[0],
            y[2],
            y[3]
        ));
    }
    Ok(((y[2] / x[2]) as usize, (y[3] / x[3]) as usize))
}

impl Operator for UpSampling {
    fn meta() -> Meta {
        Meta::new("UpSampling", [Input::new("data", "The pictures, or pictures and weight.").variadic()])
    }
    fn samples() -> Vec<Sample> {
        let nearest =
            |name| Sample::new(name).input(&[2, 3, 2, 3]).attr("scale", 2).attr("sample_type", "nearest");
        let bilinear = |name, scale: i64, kernel: i64| {
            let s =
                Sample::new(name).input(&[1, 2, 3, 2]).input(&[2, 1, kernel, kernel]).attr("scale", scale);
            s.attr("sample_type", "bilinear").attr("num_filter", 2).attr("num_args", 2)
        };
        vec![
            nearest("nearest neighbours").attr("num_args", 1),
            nearest("two inputs").input(&[2, 1, 4, 6]).attr("num_args", 2),
            nearest("a sum").input(&[2, 3, 4, 6]).attr("num_args", 2).attr("multi_input_mode", "sum"),
            bilinear("bilinear", 2, 4),
            bilinear("bilinear by three", 3, 5),
            Sample::new("three axes")
                .input(&[2, 3, 4])
                .attr("scale", 2)
                .attr("sample_type", "nearest")
                .attr("num_args", 1)
                .fails(ErrorCode::Shape),
            nearest("pictures that do not fit")
                .input(&[2, 1, 3, 3])
                .attr("num_args", 2)
                .fails(ErrorCode::Shape),
            nearest("another number").attr("num_args", 2).fails(ErrorCode::InvalidValue),
            bilinear("another kernel", 2, 3).fails(ErrorCode::Shape),
        ]
    }
    fn num_inputs(&self) -> Option<usize> {
        match self.sample_type {
            SampleType::Bilinear => Some(2),
            SampleType::Nearest => self.num_args.map(|n| n as usize),
        }
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if s.num_inputs() == 0 {
            return Err(err!(InvalidValue, "expected at least one array").about("data"));
        }
        match self.sample_type {
            SampleType::Bilinear if self.num_filter == 0 => {
                Err(err!(InvalidValue, "expected the number of channels, got 0").about("num_filter"))
            }
            SampleType::Bilinear => self.interpolation().infer_shape(s),
            SampleType::Nearest => {
                (0..s.num_inputs()).try_for_each(|i| s.require_ndim(i, 4))?;
                self.infer_nearest(s)
            }
        }
    }
    fn is_composite(&self) -> bool {
        true
    }
    fn compose<'b>(&self, b: &'b Builder) -> Option<Result<Vec<Val<'b>>>> {
        let inputs: Vec<Val> = (0..b.num_inputs()).map(|i| b.input(i)).collect();
        if self.sample_type == SampleType::Bilinear {
            return Some(Ok(vec![b.apply(self.interpolation(), &inputs)]));
        }
        let part = |x: &Val<'b>| b.apply(NearestLike { scale: self.scale }, &[*x, inputs[0]]);
        let parts: Vec<Val> = inputs.iter().map(part).collect();
        Some(Ok(vec![match (parts.as_slice(), self.multi_input_mode) {
            ([one], _) => *one,
            (_, MultiInputMode::Concat) => b.apply(Concat { num_args: None, dim: 1 }, &parts),
            (_, MultiInputMode::Sum) => b.apply(AddN { num_args: None }, &parts),
        }]))
    }
}

/// Pictures whose elements repeat until they have `scale` times the height and width of `like`.
#[derive(Attrs, Clone, Debug)]
pub struct NearestLike {
    /// Factor of the height and width of `like`.
    #[attr(id = 1, default = 1, min = 1)]
    pub scale: i64,
}

impl Operator for NearestLike {
    fn meta() -> Meta {
        let like = Input::new("like", "The pictures whose height and width count.").shape_only();
        Meta::new("_nearest_like", [Input::new("data", "The pictures."), like]).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("np.repeat(np.repeat(x[0], 2, axis=2), 4, axis=3)");
        let sample = Sample::new("rows twice, columns four times").input(&[2, 1, 2, 1]).input(&[2, 3, 2, 2]);
        vec![sample.attr("scale", 2).oracle(numpy).no_gradient()]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let (Some(x), Some(like)) = (s.known(0), s.known(1)) else { return Ok(()) };
        let mut y = larger(like, self.scale);
        factors(x, &y)?;
        y[1] = x[1];
        s.set_output(0, y)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (down, right) = factors(k.shape(0), k.out_shape(0))?;
        let width = k.shape(0)[3] as usize;
        with_compute!(k.dtype(0), C => {
            let x = read::<C>(k, 0);
            // A row of the result is one of the data: rows are counted through samples and channels.
            write::<C>(k, 0, |y| for_each_row(y, width * right, |row, y| {
                let x = &x[row / down * width..][..width];
                y.chunks_exact_mut(right).zip(x).for_each(|(y, x)| y.fill(*x));
            }));
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(NearestSum, &[b.input(0)]));
        Ok(())
    }
}

/// Sums the elements of pictures that came from one of `like`: the gradient of repetition.
#[derive(Attrs, Clone, Debug)]
pub struct NearestSum;

impl Operator for NearestSum {
    fn meta() -> Meta {
        let like = Input::new("like", "The shape of the result.").shape_only();
        Meta::new("_nearest_sum", [Input::new("data", "The pictures."), like]).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("x[0].reshape(2, 1, 2, 2, 1, 3).sum(axis=(3, 5))");
        let sample = Sample::new("windows of 2 x 3").input(&[2, 1, 4, 3]).input(&[2, 1, 2, 1]);
        vec![sample.oracle(numpy).no_gradient()]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(1).cloned().map_or(Ok(()), |like| s.set_output(0, like))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (down, right) = factors(k.out_shape(0), k.shape(0))?;
        let width = k.out_shape(0)[3] as usize;
        with_compute!(k.dtype(0), C => {
            let x = read::<C>(k, 0);
            write::<C>(k, 0, |y| for_each_row(y, width, |row, y| {
                y.fill(C::ZERO);
                for x in x[row * down * width * right..][..down * width * right].chunks_exact(width * right) {
                    for (y, x) in y.iter_mut().zip(x.chunks_exact(right)) {
                        x.iter().for_each(|x| *y += *x);
                    }
                }
            }));
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(NearestLike { scale: 1 }, &[b.input(0)]));
        Ok(())
    }
}
