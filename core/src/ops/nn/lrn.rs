//! Local response normalisation across channels.

use super::compute::{for_each_row, read, write};
use crate::ops::elemwise::{AddScalar, MulScalar, PowerScalar, Square};
use crate::ops::family::prelude::*;

/// Divides each element by a power of the mean square of its neighbours across channels (axis 1):
/// `x / (knorm + alpha / nsize · Σ x²)^beta`, the sum over the `nsize` channels around its own.
///
/// Source: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.
#[derive(Attrs, Clone, Debug)]
pub struct Lrn {
    /// Factor of the mean of squares.
    #[attr(id = 1, default = 1e-4)]
    pub alpha: f64,
    /// The power.
    #[attr(id = 2, default = 0.75)]
    pub beta: f64,
    /// Added to the mean of squares.
    #[attr(id = 3, default = 2.0)]
    pub knorm: f64,
    /// Number of channels that are summed over, odd.
    #[attr(id = 4, min = 1)]
    pub nsize: i64,
}

impl Operator for Lrn {
    fn meta() -> Meta {
        Meta::new("LRN", [Input::new("data", "The data, (n, channels, height, width).")])
    }
    fn samples() -> Vec<Sample> {
        let sample = |name, nsize: i64| Sample::new(name).input(&[2, 5, 2, 3]).attr("nsize", nsize);
        vec![
            sample("three channels", 3).attr("alpha", 0.5),
            sample("all attributes", 5).attr("alpha", 1.5).attr("beta", 0.5).attr("knorm", 1.0),
            sample("more channels than there are", 11).attr("alpha", 2.0),
            sample("an even number", 4).fails(ErrorCode::InvalidValue),
            Sample::new("no positions").input(&[2, 3]).attr("nsize", 3).fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if self.nsize % 2 == 0 {
            return Err(err!(InvalidValue, "expected an odd number, got {}", self.nsize).about("nsize"));
        }
        s.require_ndim(0, 4)?;
        s.all_same()
    }
    fn is_composite(&self) -> bool {
        true
    }
    fn compose<'b>(&self, b: &'b Builder) -> Option<Result<Vec<Val<'b>>>> {
        let x = b.input(0);
        let squares = x.apply(Square, &[]).apply(ChannelWindow { nsize: self.nsize }, &[]);
        let mean = squares.apply(MulScalar::new(self.alpha / self.nsize as f64), &[]);
        let scale = mean.apply(AddScalar::new(self.knorm), &[]).apply(PowerScalar::new(-self.beta), &[]);
        Some(Ok(vec![x * scale]))
    }
}

/// For each element the sum of the elements of the `nsize` channels (axis 1) around its own; its own transpose.
#[derive(Attrs, Clone, Debug)]
pub struct ChannelWindow {
    /// Number of channels that are summed, odd.
    #[attr(id = 1, min = 1)]
    pub nsize: i64,
}

impl Operator for ChannelWindow {
    fn meta() -> Meta {
        Meta::new("_channel_window", [Input::new("data", "The data, (n, channels, …).")]).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy =
            "np.stack([x[0][:, max(c - 1, 0):c + 2].sum(axis=1) for c in range(x[0].shape[1])], axis=1)";
        let sample = Sample::new("three channels").input(&[2, 4, 3]).attr("nsize", 3).no_gradient();
        vec![sample.oracle(Oracle::NumPy(numpy))]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (_, channels, inner) = k.shape(0).split_at_axis(1);
        let reach = self.nsize as usize / 2;
        with_compute!(k.dtype(0), C => {
            let x = read::<C>(k, 0);
            write::<C>(k, 0, |y| for_each_row(y, inner, |row, y| {
                let (sample, c) = (row / channels, row % channels);
                y.fill(C::ZERO);
                for near in c.saturating_sub(reach)..(c + reach + 1).min(channels) {
                    let x = &x[(sample * channels + near) * inner..][..inner];
                    y.iter_mut().zip(x).for_each(|(y, x)| *y += *x);
                }
            }));
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(self.clone(), &[]));
        Ok(())
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        s.input(0).map_or(0, Shape::len) * self.nsize as usize
    }
}
