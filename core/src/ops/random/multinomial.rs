//! Draws of classes by their probabilities.

use super::family::{draws, require_dtype};
use crate::ops::family::prelude::*;
use crate::rng;

/// Draws classes, numbered from 0, by the probabilities along the last axis of `data`.
///
/// Rows need not sum to 1. The result has the axes of `data` but the last, followed by `shape`; one draw
/// from a
/// single row has the shape (1,).
#[derive(Attrs, Clone, Debug)]
pub struct SampleMultinomial {
    /// The shape of the draws for one row of probabilities.
    #[attr(id = 1, default = Shape::scalar())]
    pub shape: Shape,
    /// Also return the logarithms of the probabilities of what was drawn. Their gradient flows to `data`.
    #[attr(id = 2, default = false)]
    pub get_prob: bool,
    /// The dtype of the classes.
    #[attr(id = 3, default = DType::I32)]
    pub dtype: DType,
}

const CLASSES: DTypes = DTypes::of(&[DType::F16, DType::F32, DType::F64, DType::I32, DType::I64, DType::U8]);

impl SampleMultinomial {
    /// Most classes that the dtype tells apart.
    fn most_classes(&self) -> i64 {
        match self.dtype {
            DType::U8 => 1 << 8,
            DType::F16 => 1 << 11,
            DType::F32 => 1 << 24,
            _ => 1 << 31,
        }
    }
}

impl Operator for SampleMultinomial {
    fn meta() -> Meta {
        Meta::new(
            "_sample_multinomial",
            [Input::new("data", "The probabilities; classes are the last axis.")],
        )
        .aliases(&["sample_multinomial"])
        .outputs(&["output", "log_prob"])
    }
    fn samples() -> Vec<Sample> {
        // Rows in which one class is certain have a known result.
        let certain = |name| Sample::new(name).values(&[2, 3], &[0.0, 1.0, 0.0, 0.0, 0.0, 1.0]).no_gradient();
        let run = |name| Sample::new(name).grid(&[4], 0.25, 1.0).no_gradient().oracle(Oracle::Run);
        let mut samples = vec![
            certain("certain classes"),
            certain("several draws each").attr("shape", [2, 2]),
            certain("with logarithms of probabilities").attr("shape", [3]).attr("get_prob", true),
            run("one draw from one row"),
        ];
        for dtype in CLASSES.iter() {
            samples.push(run(dtype.name()).attr("shape", [5]).attr("dtype", dtype));
        }
        samples.push(
            Sample::new("the gradient of a probability")
                .values(&[2, 1], &[1.0, 1.0])
                .attr("shape", [2])
                .attr("get_prob", true)
                .no_finite_differences(),
        );
        samples.push(run("classes of an unknown dtype").attr("dtype", DType::I8).fails(ErrorCode::DType));
        samples.push(
            Sample::new("more classes than the dtype has")
                .input(&[257])
                .attr("dtype", DType::U8)
                .fails(ErrorCode::InvalidValue),
        );
        samples.push(Sample::new("no classes").input(&[2, 0]).fails(ErrorCode::Shape));
        samples
    }
    fn output_name(&self, i: usize) -> Option<String> {
        self.get_prob.then(|| format!("output{i}"))
    }
    fn num_outputs(&self) -> usize {
        1 + usize::from(self.get_prob)
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(data) = s.input(0) else { return Ok(()) };
        if data.last().is_none_or(|classes| *classes == 0) {
            return Err(
                err!(Shape, "expected a last axis with at least one class, got shape {data}").about("data")
            );
        }
        let mut out: Shape = data[..data.ndim() - 1].iter().chain(self.shape.iter()).copied().collect();
        if out.ndim() == 0 {
            out = Shape::new(&[1]);
        }
        (0..self.num_outputs()).try_for_each(|i| s.set_output(i, out.clone()))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        require_dtype(Some(self.dtype), CLASSES)?;
        t.require(0, DTypes::FLOAT)?;
        t.set_output(0, self.dtype)?;
        match t.input(0) {
            Some(d) if self.get_prob => t.set_output(1, d),
            _ => Ok(()),
        }
    }
    fn check(&self, s: &ShapeInfer) -> Result<()> {
        self.shape.checked_len().map_err(|e| e.about("shape"))?;
        let most = self.most_classes();
        match s.input(0).and_then(|d| d.last()) {
            Some(classes) if *classes > most => {
                Err(err!(InvalidValue, "{} tells {most} classes apart, got {classes}", self.dtype)
                    .about("dtype"))
            }
            _ => Ok(()),
        }
    }
    fn draws(&self, s: &ShapeInfer, _training: bool) -> u64 {
        draws(s)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let classes = *k.shape(0).last().expect("a last axis") as usize;
        let draws = self.shape.len();
        with_dtype!(k.dtype(0), [F32 f32, F64 f64, F16 half::f16, BF16 half::bf16], P => {
            let p = k.input::<P>(0);
            let log_prob = self.get_prob.then(|| k.output::<P>(1));
            with_dtype!(self.dtype, T => {
                if !k.out_shape(0).is_empty() {
                    rng::categorical::<T, P>(k.random, p, classes, draws, k.output(0), log_prob);
                }
            });
            Ok(())
        })
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        if self.get_prob {
            b.set_grad(0, b.out_grad(1).apply(MultinomialGrad, &[b.input(0), b.output(0)]));
        }
        Ok(())
    }
}

/// The gradient of the logarithms of drawn classes' probabilities: each is divided by its probability and
/// added
/// where the class stands.
#[derive(Attrs, Clone, Debug)]
pub struct MultinomialGrad;

impl Operator for MultinomialGrad {
    fn meta() -> Meta {
        let inputs = [
            Input::new("grad", "The gradient of the logarithms."),
            Input::new("data", "The probabilities."),
            Input::new("classes", "What was drawn."),
        ];
        Meta::new("_multinomial_log_prob_grad", inputs).internal()
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("two rows")
                .input(&[2, 3])
                .values(&[2, 2], &[0.25, 0.75, 0.5, 0.5])
                .values(&[2, 3], &[0.0, 1.0, 1.0, 0.0, 0.0, 0.0])
                .of(DType::I32)
                .no_gradient()
                .oracle(Oracle::NumPy(
                    "np.stack([[x[0][r][x[2][r] == c].sum() / x[1][r, c] for c in range(2)] for r in range(2)])",
                )),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(1).cloned().map_or(Ok(()), |data| s.set_output(0, data))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0, 1])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let classes = *k.shape(1).last().expect("a last axis") as usize;
        let drawn = k.input_i64(2);
        with_dtype!(k.dtype(1), T => {
            let (grad, data, out) = (k.input::<T>(0), k.input::<T>(1), k.output::<T>(0));
            let rows = data.len() / classes;
            let mut sums = vec![0.0; classes];
            for row in 0..rows {
                let draws = grad.len() / rows;
                sums.fill(0.0);
                for i in row * draws..(row + 1) * draws {
                    sums[drawn[i] as usize] += grad[i].to_f64();
                }
                for (c, sum) in sums.iter().enumerate() {
                    let i = row * classes + c;
                    out[i] = T::from_f64(if *sum == 0.0 { 0.0 } else { sum / data[i].to_f64() });
                }
            }
        });
        Ok(())
    }
}
