//! Softmax with a loss: the result is the softmax, the gradient that of the cross entropy with the labels.

use super::compute::{Compute, for_each_row, is_over, read, write};
use super::softmax::around;
use crate::kernels::softmax::{self as kernel, Around};
use crate::ops::family::prelude::*;

/// What a loss is divided by.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum Normalization {
    /// The number of samples.
    Batch,
    /// Nothing.
    Null,
    /// The number of labels that are not ignored.
    Valid,
}

macro_rules! softmax_output {
    ($($(#[doc = $doc:literal])* $op:ident),*) => {$(
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// Factor of the gradient.
            #[attr(id = 1, default = 1.0)]
            pub grad_scale: f64,
            /// The label whose elements have gradient zero, with `use_ignore`.
            #[attr(id = 2, default = -1.0)]
            pub ignore_label: f64,
            /// Classes are along axis 1, and each place behind it has a label of its own.
            #[attr(id = 3, default = false)]
            pub multi_output: bool,
            /// Ignore elements with the label `ignore_label`.
            #[attr(id = 4, default = false)]
            pub use_ignore: bool,
            /// Classes are along the last axis; otherwise all axes but the first are joined.
            #[attr(id = 5, default = false)]
            pub preserve_shape: bool,
            /// What the gradient is divided by.
            #[attr(id = 6, default = Normalization::Null)]
            pub normalization: Normalization,
            /// Multiply the gradient with that of the result.
            #[attr(id = 7, default = false)]
            pub out_grad: bool,
            /// Share of a label's weight that goes to the other classes.
            #[attr(id = 8, default = 0.0)]
            pub smooth_alpha: f64,
        }
        impl $op {
            /// The sizes before, along and behind the axis of the classes.
            fn around(&self, data: &Shape) -> Around {
                let (n, len) = (data[0] as usize, data.len());
                let rest = |k: usize| len.checked_div(k).unwrap_or(0);
                if self.multi_output {
                    (n, data[1] as usize, rest(n * data[1] as usize))
                } else if self.preserve_shape {
                    let k = data[data.ndim() - 1] as usize;
                    (rest(k), k, 1)
                } else {
                    (n, rest(n), 1)
                }
            }
        }
    )*};
}

softmax_output! {
    /// Softmax whose gradient is that of the cross entropy with the labels, whatever follows: the last layer of a
    /// classifier.
    ///
    /// The result is the softmax of the data along the classes. Labels are numbers of classes, in the data's shape
    /// without the axis of the classes, or probabilities, in the data's shape. The data's gradient is
    /// `grad_scale · (softmax − onehot(label))`, divided as `normalization` says. The gradient of the result is
    /// not read unless `out_grad`.
    SoftmaxOutput,
    /// The gradient of the data of `SoftmaxOutput`.
    SoftmaxOutputBackward
}

impl Operator for SoftmaxOutput {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The data."), Input::new("label", "The labels.")];
        Meta::new("SoftmaxOutput", inputs).aliases(&["Softmax"])
    }
    fn samples() -> Vec<Sample> {
        let sample = |name| {
            let s = Sample::new(name).input(&[4, 3]).values(&[4], &[2.0, 0.0, 1.0, 0.0]);
            s.no_finite_differences()
        };
        let multi = |name| {
            let labels = [0.0, 1.0, 2.0, 1.0, 2.0, 1.0, 0.0, 1.0];
            let s = Sample::new(name).input(&[2, 3, 4]).values(&[2, 4], &labels).attr("multi_output", true);
            s.no_finite_differences()
        };
        let last = |name| {
            let s = Sample::new(name).input(&[2, 4, 3]).ints(&[2, 4], 0, 3).attr("preserve_shape", true);
            s.no_finite_differences()
        };
        vec![
            sample("labels"),
            sample("a factor").attr("grad_scale", 0.25),
            sample("divided by the number of samples").attr("normalization", "batch"),
            sample("an ignored label").attr("use_ignore", true).attr("ignore_label", 0.0),
            sample("divided by the labels that count")
                .attr("use_ignore", true)
                .attr("ignore_label", 0.0)
                .attr("normalization", "valid"),
            sample("smooth labels").attr("smooth_alpha", 0.25),
            sample("smooth labels, one ignored")
                .attr("smooth_alpha", 0.25)
                .attr("use_ignore", true)
                .attr("ignore_label", 0.0),
            // MXNet 1.9.1 multiplies with the softmax instead of its gradient.
            sample("the gradient of the result counts").attr("out_grad", true).oracle(Oracle::MxNetCode(
                "(lambda p: p + (x[0] - mx.nd.BlockGrad(x[0])) * (p - mx.nd.one_hot(x[1], 3, dtype=p.dtype)))\
                 (mx.nd.BlockGrad(mx.nd.softmax(x[0])))",
            )),
            Sample::new("probabilities").input(&[2, 3]).grid(&[2, 3], 0.0, 1.0).no_finite_differences(),
            multi("a label for each place"),
            multi("a label for each place, by samples").attr("normalization", "batch"),
            multi("a label for each place, by labels")
                .attr("normalization", "valid")
                .attr("use_ignore", true)
                .attr("ignore_label", 1.0),
            last("classes along the last axis"),
            last("classes along the last axis, by labels").attr("normalization", "valid"),
            Sample::new("joined axes").input(&[2, 3, 4]).ints(&[2, 3], 0, 4).no_finite_differences(),
            Sample::new("labels of another shape").input(&[4, 3]).input(&[3]).fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        if x.ndim() < 2 {
            return Err(err!(Shape, "expected at least 2 axes, got shape {x}").about("data"));
        }
        s.set_output(0, x.clone())?;
        let label = s.known(1).cloned();
        if label.as_ref() == Some(&x) {
            return Ok(());
        }
        if !self.multi_output {
            return s.set_input(1, Shape::new(&x[..x.ndim() - 1]));
        }
        let mut flat = Shape::new(&[x[0], UNKNOWN]);
        if x.is_known() {
            flat[1] = x[2..].iter().product();
        }
        let (mut removed, mut one) = (x.clone(), x);
        removed.remove(1);
        one[1] = 1;
        let given = label.filter(|l| *l == removed || *l == one);
        s.set_input(1, given.unwrap_or(flat))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        loss_dtypes(t)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let size = self.around(k.shape(0));
        with_compute!(k.dtype(0), C => {
            let x = read::<C>(k, 0);
            let over = is_over::<C>(k, 0, 0);
            write::<C>(k, 0, |y| match over {
                true => kernel::softmax_in_place(size, C::ONE, false, y),
                false => kernel::softmax(size, C::ONE, false, &x, y),
            });
        });
        Ok(())
    }
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[(0, 0)]
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let a = self.clone();
        let op = SoftmaxOutputBackward {
            grad_scale: a.grad_scale,
            ignore_label: a.ignore_label,
            multi_output: a.multi_output,
            use_ignore: a.use_ignore,
            preserve_shape: a.preserve_shape,
            normalization: a.normalization,
            out_grad: a.out_grad,
            smooth_alpha: a.smooth_alpha,
        };
        let mut inputs = vec![b.output(0), b.input(1)];
        if self.out_grad {
            inputs.push(b.out_grad(0));
        }
        b.set_grad(0, b.apply(op, &inputs));
        Ok(())
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        4 * s.total_len()
    }
}

/// The result has the dtype of the data; labels have any.
pub(super) fn loss_dtypes(t: &mut DTypeInfer) -> Result<()> {
    if let (Some(d), None) = (t.input(0), t.input(1)) {
        t.set_input(1, d)?;
    }
    t.same(&[0])
}

impl Operator for SoftmaxOutputBackward {
    fn meta() -> Meta {
        let inputs = [
            Input::new("output", "The softmax."),
            Input::new("label", "The labels."),
            Input::new("out_grad", "The gradient of the result.").optional(),
        ];
        Meta::new("_backward_softmax_output", inputs).internal()
    }
    fn samples() -> Vec<Sample> {
        let s = Sample::new("labels").grid(&[2, 3], 0.0, 1.0).values(&[2], &[2.0, 0.0]);
        vec![s.oracle(Oracle::NumPy("x[0] - np.eye(3)[x[1].astype(int)]")).no_gradient()]
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(2 + usize::from(self.out_grad))
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(0).cloned().map_or(Ok(()), |x| s.set_output(0, x))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        with_compute!(k.dtype(0), C => {
            let (p, label) = (read::<C>(k, 0), read::<C>(k, 1));
            let head = self.out_grad.then(|| read::<C>(k, 2));
            write::<C>(k, 0, |dx| {
                if k.shape(0) == k.shape(1) {
                    let scale = C::from_f64(self.grad_scale);
                    for ((dx, p), l) in dx.iter_mut().zip(p.iter()).zip(label.iter()) {
                        *dx = (*p - *l) * scale;
                    }
                } else {
                    let size = self.around(k.shape(0));
                    let scale = self.scale(size, &label, k.shape(1)[0]);
                    self.differences(size, &p, &label, C::from_f64(scale), dx);
                }
                if let Some(head) = &head {
                    dx.iter_mut().zip(head.iter()).for_each(|(dx, h)| *dx *= *h);
                }
            });
        });
        Ok(())
    }
}

impl SoftmaxOutputBackward {
    /// The factor of all differences.
    fn scale<C: Compute>(&self, (_, _, inner): Around, label: &[C], samples: i64) -> f64 {
        let ignored = || label.iter().filter(|l| l.to_f64() as i64 == self.ignore_label as i64).count();
        let count = match self.normalization {
            Normalization::Null => 1.0,
            Normalization::Batch => samples as f64,
            Normalization::Valid => (label.len() - ignored()).max(1) as f64,
        };
        let places = if self.normalization == Normalization::Valid { 1 } else { inner };
        self.grad_scale / places as f64 / count
    }

    /// Writes the scaled differences between probabilities and labels.
    fn differences<C: Compute>(
        &self,
        (_, axis, inner): Around,
        p: &[C],
        label: &[C],
        scale: C,
        dx: &mut [C],
    ) {
        let alpha = self.smooth_alpha;
        let others = if axis > 1 { alpha / (axis as f64 - 1.0) } else { 0.0 };
        let (others, own) = (C::from_f64(others), C::from_f64(1.0 - alpha));
        for_each_row(dx, axis * inner, |row, dx| {
            let p = &p[row * axis * inner..][..axis * inner];
            dx.iter_mut().zip(p).for_each(|(dx, p)| *dx = (*p - others) * scale);
            for (place, l) in label[row * inner..][..inner].iter().enumerate() {
                let l = l.to_f64() as i64;
                if self.use_ignore && l == self.ignore_label as i64 {
                    dx[place..].iter_mut().step_by(inner).for_each(|dx| *dx = C::ZERO);
                } else if (0..axis as i64).contains(&l) {
                    let at = l as usize * inner + place;
                    dx[at] = (p[at] - own) * scale;
                }
            }
        });
    }
}

/// Softmax over the channels or over the last axis.
#[derive(Attrs, Clone, Debug)]
pub struct SoftmaxActivation {
    /// `channel` for axis 1, `instance` for the last axis.
    #[attr(id = 1, default = Mode::Instance)]
    pub mode: Mode,
}

/// Over what a softmax is taken.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Axis 1.
    Channel,
    /// The last axis.
    Instance,
}

impl Operator for SoftmaxActivation {
    fn meta() -> Meta {
        Meta::new("SoftmaxActivation", [Input::new("data", "The data.")])
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("instance").input(&[2, 3]),
            // MXNet's gradient belongs to another softmax than its result if there are more than two axes.
            Sample::new("more axes").input(&[2, 3, 2]).oracle(Oracle::MxNetCode("mx.nd.softmax(x[0])")),
            Sample::new("channel").input(&[2, 3, 2]).attr("mode", "channel"),
            Sample::new("no channels").input(&[2]).attr("mode", "channel").fails(ErrorCode::Shape),
        ]
    }
    fn is_composite(&self) -> bool {
        true
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        match s.input(0) {
            Some(x) if x.ndim() < 2 => {
                Err(err!(Shape, "expected at least 2 axes, got shape {x}").about("data"))
            }
            _ => s.all_same(),
        }
    }
    fn compose<'b>(&self, b: &'b Builder) -> Option<Result<Vec<Val<'b>>>> {
        let x = b.input(0);
        let softmax = |axis| super::Softmax { axis, temperature: None, dtype: None, use_length: None };
        Some(Ok(vec![x.apply(softmax(if self.mode == Mode::Channel { 1 } else { -1 }), &[])]))
    }
}

/// Sum over all samples of the cross entropy between the softmax of the data and the labels.
///
/// Data is (n, classes), labels are (n), the result has one element.
#[derive(Attrs, Clone, Debug)]
pub struct SoftmaxCrossEntropy;

impl Operator for SoftmaxCrossEntropy {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The data, (n, classes)."), Input::new("label", "The labels, (n).")];
        Meta::new("softmax_cross_entropy", inputs)
    }
    fn samples() -> Vec<Sample> {
        // MXNet refuses to differentiate if the label has a gradient attached.
        let oracle = Oracle::MxNetCode("mx.nd.softmax_cross_entropy(x[0], x[1].detach())");
        vec![
            Sample::new("labels")
                .input(&[4, 3])
                .values(&[4], &[2.0, 0.0, 1.0, 0.0])
                .oracle(oracle)
                .no_finite_differences(),
            Sample::new("an unlikely label")
                .values(&[1, 2], &[30.0, 0.0])
                .values(&[1], &[1.0])
                .oracle(oracle)
                .no_finite_differences(),
            Sample::new("labels of another shape").input(&[4, 3]).input(&[3]).fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.require_ndim(0, 2)?;
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        s.set_input(1, Shape::new(&x[..1]))?;
        s.set_output(0, Shape::new(&[1]))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        loss_dtypes(t)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let size = around(k.shape(0), 1)?;
        with_compute!(k.dtype(0), C => {
            let (x, label) = (read::<C>(k, 0), read::<C>(k, 1));
            let mut p = vec![C::ZERO; x.len()];
            kernel::softmax(size, C::ONE, false, &x, &mut p);
            let least = C::from_f64(f64::from(1e-8f32));
            let mut total = 0.0;
            for (p, l) in p.chunks_exact(size.1.max(1)).zip(label.iter()) {
                if let Some(p) = p.get(l.to_f64() as usize) {
                    total -= if *p > least { *p } else { least }.to_f64().ln();
                }
            }
            write::<C>(k, 0, |y| y.fill(C::from_f64(total)));
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let p = b
            .input(0)
            .apply(super::Softmax { axis: 1, temperature: None, dtype: None, use_length: None }, &[]);
        let op = SoftmaxOutputBackward::from_values(&[])?;
        b.set_grad(0, p.apply(op, &[b.input(1)]) * b.out_grad(0));
        Ok(())
    }
}
