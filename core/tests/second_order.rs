//! Derivatives of gradients against finite differences, for the samples of every operator that has them.
//!
//! For a call y = f(x) with output gradients h, the gradients g(x, h) are themselves differentiated: both their
//! dependence on h, which every rule has, and that on x.

use mxr_core::autograd::{self, BackwardOptions, Mode};
use mxr_core::dtype::Element;
use mxr_core::op::invoke::{Call, Req};
use mxr_core::op::sample::{Run, Sample};
use mxr_core::op::{OpDef, OpRef, registry};
use mxr_core::{DType, Device, ErrorCode, NdArray, Result, Shape, with_dtype};

fn array(shape: &Shape, values: &[f64], dtype: DType) -> NdArray {
    with_dtype!(dtype, T => {
        let elements: Vec<T> = values.iter().map(|v| T::from_f64(*v)).collect();
        NdArray::from_slice(shape.clone(), &elements, Device::cpu(0)).unwrap()
    })
}

fn write(a: &NdArray, values: &[f64]) -> Result<()> {
    a.copy_from_bytes(&values.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>())
}

/// Weights that no two neighbours share.
fn pattern(n: usize, shift: usize) -> Vec<f64> {
    (0..n).map(|i| [0.5, -1.0, 1.5, 0.25, -0.75, 1.25, -0.5][(i * 3 + shift) % 7]).collect()
}

/// One call with its inputs and output gradients, of which those in double precision vary.
struct Problem {
    op: OpRef,
    training: bool,
    inputs: Vec<NdArray>,
    heads: Vec<NdArray>,
}

impl Problem {
    fn new(def: &'static OpDef, sample: &Sample) -> Result<Problem> {
        let op = def.with_named(&sample.attrs)?;
        let make = |i: &mxr_core::op::sample::SampleInput| {
            array(&i.shape, &i.elements(), i.dtype.unwrap_or(DType::F64))
        };
        let inputs: Vec<NdArray> = sample.inputs.iter().map(make).collect();
        let mut problem = Problem { op, training: sample.training, inputs, heads: vec![] };
        let outputs = problem.call(false)?;
        let head = |(i, o): (usize, &NdArray)| Ok(array(o.shape()?, &pattern(o.len()?, i), o.dtype()));
        problem.heads = outputs.iter().enumerate().map(head).collect::<Result<_>>()?;
        Ok(problem)
    }

    fn call(&self, recording: bool) -> Result<Vec<NdArray>> {
        let call = Call { training: self.training, ..Call::default() };
        let mut outputs = autograd::invoke(&self.op, &self.inputs, &[], &Mode { recording, call })?.to_vec();
        outputs.truncate(self.op.op.num_visible_outputs());
        Ok(outputs)
    }

    /// The arrays that vary: inputs, then output gradients.
    fn variables(&self) -> Vec<NdArray> {
        self.inputs.iter().chain(&self.heads).filter(|a| a.dtype() == DType::F64).cloned().collect()
    }

    fn mark(&self) -> Result<()> {
        for a in self.variables() {
            let gradient = NdArray::full(a.shape()?.clone(), 0.0, a.dtype(), a.device())?;
            autograd::mark_variables(std::slice::from_ref(&a), &[gradient], &[Req::Write])?;
        }
        Ok(())
    }

    /// The gradients of those inputs that the outputs depend on.
    fn gradients(&self, create_graph: bool) -> Result<Vec<NdArray>> {
        self.mark()?;
        let outputs = self.call(true)?;
        let heads: Vec<_> = self.heads.iter().cloned().map(Some).collect();
        let options = BackwardOptions { retain_graph: true, create_graph, training: self.training };
        let mut found = vec![];
        for x in self.inputs.iter().filter(|a| a.dtype() == DType::F64) {
            match autograd::grad(&outputs, &heads, std::slice::from_ref(x), options) {
                Ok(mut g) => found.append(&mut g),
                Err(e) if e.code() == ErrorCode::Autograd && e.operator().is_none() => {}
                Err(e) => return Err(e),
            }
        }
        Ok(found)
    }

    /// The weighted sum of the gradients.
    fn objective(&self) -> Result<f64> {
        let weighted = self.gradients(false)?.into_iter().enumerate().map(|(i, g)| {
            let values = g.to_vec::<f64>()?;
            Ok(values.iter().zip(pattern(values.len(), i + 2)).map(|(a, b)| a * b).sum::<f64>())
        });
        weighted.sum()
    }

    /// The derivatives of [`Problem::objective`] with respect to all variables.
    fn derivatives(&self) -> Result<Vec<Vec<f64>>> {
        let gradients = self.gradients(true)?;
        let options = BackwardOptions { retain_graph: true, create_graph: false, training: self.training };
        let mut sums = vec![];
        for v in self.variables() {
            let mut sum = vec![0.0; v.len()?];
            for (i, g) in gradients.iter().enumerate() {
                let weights = array(g.shape()?, &pattern(g.len()?, i + 2), DType::F64);
                match autograd::grad(
                    std::slice::from_ref(g),
                    &[Some(weights)],
                    std::slice::from_ref(&v),
                    options,
                ) {
                    Ok(d) => sum.iter_mut().zip(d[0].to_vec::<f64>()?).for_each(|(s, d)| *s += d),
                    Err(e) if e.code() == ErrorCode::Autograd && e.operator().is_none() => {}
                    Err(e) => return Err(e),
                }
            }
            sums.push(sum);
        }
        Ok(sums)
    }
}

/// Compares all derivatives; `None` if the operator has no second ones.
fn check(def: &'static OpDef, sample: &Sample) -> Option<std::result::Result<(), String>> {
    let problem = match Problem::new(def, sample) {
        Ok(p) => p,
        Err(e) => return Some(Err(e.to_string())),
    };
    let derivatives = match problem.derivatives() {
        Ok(d) => d,
        Err(e) if e.code() == ErrorCode::Autograd => return None,
        Err(e) => return Some(Err(e.to_string())),
    };
    let compare = || -> Result<std::result::Result<(), String>> {
        for (which, (v, d)) in problem.variables().iter().zip(&derivatives).enumerate() {
            let values = v.to_vec::<f64>()?;
            for j in (0..values.len()).step_by(values.len().div_ceil(6).max(1)) {
                let at = |by: f64| -> Result<f64> {
                    let mut moved = values.clone();
                    moved[j] += by;
                    write(v, &moved)?;
                    let objective = problem.objective();
                    write(v, &values)?;
                    objective
                };
                let step = 1e-5;
                let difference = (at(step)? - at(-step)?) / (2.0 * step);
                if (difference - d[j]).abs() > 1e-5 * (1.0 + difference.abs()) * sample.tolerance {
                    return Ok(Err(format!(
                        "variable {which}, element {j}: differences give {difference}, got {}",
                        d[j]
                    )));
                }
            }
        }
        Ok(Ok(()))
    };
    Some(compare().unwrap_or_else(|e| Err(e.to_string())))
}

#[test]
fn gradients_of_gradients_agree_with_finite_differences() {
    let (mut checked, mut failures) = (0, vec![]);
    for def in registry().ops().iter().filter(|d| d.meta.dtypes.contains(DType::F64)) {
        let suits =
            |s: &Sample| s.run == Run::Float && s.gradient && s.finite_differences && s.error.is_none();
        for sample in (def.samples)().iter().filter(|s| suits(s)) {
            match check(def, sample) {
                Some(Ok(())) => checked += 1,
                Some(Err(e)) => failures.push(format!("{}, '{}': {e}", def.meta.name, sample.name)),
                None => {}
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(checked > 50);
}
