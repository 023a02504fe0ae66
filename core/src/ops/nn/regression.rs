//! Losses of regressions: the result is the prediction, the gradient that of the loss, whatever follows.

use super::compute::{read, write};
use super::softmax_output::loss_dtypes;
use crate::ops::family::prelude::*;

/// A regression.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// Difference.
    Linear,
    /// Difference of the logistic function.
    Logistic,
    /// Sign of the difference, −1 for none.
    Absolute,
}

macro_rules! regression {
    ($($(#[doc = $doc:literal])* $op:ident = $name:literal $alias:literal, $loss:ident, |$x:ident| $body:expr;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// Factor of the gradient.
            #[attr(id = 1, default = 1.0)]
            pub grad_scale: f64,
        }
        impl Operator for $op {
            fn meta() -> Meta {
                let inputs = [Input::new("data", "The data."), Input::new("label", "What was observed.")];
                Meta::new($name, inputs).aliases(&[$alias])
            }
            fn samples() -> Vec<Sample> {
                vec![
                    Sample::new("a matrix").input(&[3, 4]).grid(&[3, 4], 0.0, 1.0).no_finite_differences(),
                    Sample::new("a factor")
                        .input(&[3, 4])
                        .grid(&[3, 4], 0.0, 1.0)
                        .attr("grad_scale", 0.5)
                        .no_finite_differences(),
                    Sample::new("a label per sample").input(&[4, 1]).grid(&[4], 0.0, 1.0).no_finite_differences(),
                    Sample::new("more axes").input(&[3, 2, 2]).grid(&[3, 2, 2], 0.0, 1.0).no_finite_differences(),
                    Sample::new("labels of another shape").input(&[4, 3]).input(&[4]).fails(ErrorCode::Shape),
                ]
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                let Some(x) = s.input(0).cloned() else { return Ok(()) };
                s.set_output(0, x.clone())?;
                // One number per sample may come without the axis of size 1.
                match s.input(1) {
                    Some(l) if x.ndim() == 2 && x[1] == 1 && l.ndim() == 1 && l[0] == x[0] => Ok(()),
                    _ => s.set_input(1, x),
                }
            }
            fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
                loss_dtypes(t)
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                with_compute!(k.dtype(0), C => {
                    let data = read::<C>(k, 0);
                    write::<C>(k, 0, |y| y.iter_mut().zip(data.iter()).for_each(|(y, x)| {
                        let $x = *x;
                        *y = $body;
                    }));
                });
                Ok(())
            }
            fn gradient(&self, b: &Builder) -> Result<()> {
                let op = RegressionBackward { loss: Loss::$loss, grad_scale: self.grad_scale };
                b.set_grad(0, b.output(0).apply(op, &[b.input(1)]));
                Ok(())
            }
        }
    )*};
}

regression! {
    /// Squared loss: the result is the data, its gradient `grad_scale / m · (data − label)`, where m is the number
    /// of labels of one sample. The gradient of the result is not read.
    LinearRegressionOutput = "LinearRegressionOutput" "_sparse_LinearRegressionOutput", Linear, |x| x;
    /// Logistic regression: the result is the logistic function of the data, the data's gradient
    /// `grad_scale / m · (result − label)`, where m is the number of labels of one sample. The gradient of the
    /// result is not read.
    LogisticRegressionOutput = "LogisticRegressionOutput" "_sparse_LogisticRegressionOutput", Logistic,
        |x| crate::kernels::math::Real::sigmoid(x);
    /// Absolute loss: the result is the data, its gradient `grad_scale / m · sign(data − label)`, where m is the
    /// number of labels of one sample and the sign of 0 is −1. The gradient of the result is not read.
    MaeRegressionOutput = "MAERegressionOutput" "_sparse_MAERegressionOutput", Absolute, |x| x;
}

/// The gradient of the data of a regression's loss.
#[derive(Attrs, Clone, Debug)]
pub struct RegressionBackward {
    /// Which.
    #[attr(id = 1)]
    pub loss: Loss,
    /// Factor of the gradient.
    #[attr(id = 2, default = 1.0)]
    pub grad_scale: f64,
}

impl Operator for RegressionBackward {
    fn meta() -> Meta {
        let inputs = [Input::new("output", "The prediction."), Input::new("label", "What was observed.")];
        Meta::new("_backward_regression", inputs).internal()
    }
    fn samples() -> Vec<Sample> {
        let s = Sample::new("differences").input(&[4, 3]).input(&[4, 3]).attr("loss", "linear");
        vec![s.oracle(Oracle::NumPy("(x[0] - x[1]) / 3")).no_gradient()]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(0).cloned().map_or(Ok(()), |x| s.set_output(0, x))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let shape = k.shape(1);
        let each = shape.len().checked_div(shape[0] as usize).unwrap_or(1).max(1);
        with_compute!(k.dtype(0), C => {
            let scale = C::from_f64(self.grad_scale / each as f64);
            let (y, label) = (read::<C>(k, 0), read::<C>(k, 1));
            write::<C>(k, 0, |dx| for ((dx, y), l) in dx.iter_mut().zip(y.iter()).zip(label.iter()) {
                let d = *y - *l;
                let sign = || if d > C::ZERO { C::ONE } else { -C::ONE };
                *dx = scale * if self.loss == Loss::Absolute { sign() } else { d };
            });
        });
        Ok(())
    }
}
