//! Compression of gradients to two bits: each element becomes plus or minus a threshold, or nothing, and what is
//! left out is added to the next gradient.

use super::Key;
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::{AttrValue, Attrs, Call, Req, invoke, registry};
use std::collections::HashMap;

/// Compression to two bits.
#[derive(Attrs, Clone, Debug)]
pub struct TwoBit {
    /// What an element is sent as that reaches it; positive.
    #[attr(id = 1, default = 0.5)]
    pub threshold: f64,
}

/// How pushed gradients are compressed.
pub trait Compression: Send {
    /// What arrives of a gradient; `residual` has what was left out so far, and takes what is left out now.
    ///
    /// # Errors
    /// `DType` for gradients that are not floating-point.
    fn compress(&self, gradient: &NdArray, residual: &NdArray) -> Result<NdArray>;

    /// Checks what bounds of attributes cannot say.
    ///
    /// # Errors
    /// `InvalidValue`, about the attribute.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

crate::registered_table! {
    /// Every compression of gradients, by MXNet's names.
    pub fn compressions() -> dyn Compression = "gradient compression" {
        TwoBit = "2bit",
    }
}

impl Compression for TwoBit {
    fn check(&self) -> Result<()> {
        if self.threshold.is_nan() || self.threshold <= 0.0 {
            let e = crate::err!(InvalidValue, "expected a positive number, got {}", self.threshold);
            return Err(e.about("threshold"));
        }
        Ok(())
    }

    fn compress(&self, gradient: &NdArray, residual: &NdArray) -> Result<NdArray> {
        call("elemwise_add", &[residual, gradient], None, Some(residual))?;
        let scaled = |op: &str, bound: f64| -> Result<NdArray> {
            let reached = call(op, &[residual], Some(bound), None)?;
            call("_mul_scalar", &[&reached], Some(self.threshold), None)
        };
        let above = scaled("_greater_equal_scalar", self.threshold)?;
        let below = scaled("_lesser_equal_scalar", -self.threshold)?;
        let sent = call("elemwise_sub", &[&above, &below], None, None)?;
        call("elemwise_sub", &[residual, &sent], None, Some(residual))?;
        Ok(sent)
    }
}

/// What was left out of gradients so far, by key and place in the list that is pushed.
#[derive(Default)]
pub(super) struct Residuals(HashMap<(Key, usize), NdArray>);

impl Residuals {
    /// What arrives of a gradient.
    pub(super) fn compressed(
        &mut self,
        key: &Key,
        place: usize,
        gradient: &NdArray,
        how: &dyn Compression,
    ) -> Result<NdArray> {
        let place = (key.clone(), place);
        if !self.0.contains_key(&place) {
            let zeros = NdArray::full(gradient.shape()?.clone(), 0.0, gradient.dtype(), gradient.device())?;
            self.0.insert(place.clone(), zeros);
        }
        how.compress(gradient, &self.0[&place])
    }
}

fn call(op: &str, inputs: &[&NdArray], scalar: Option<f64>, out: Option<&NdArray>) -> Result<NdArray> {
    let attrs: Vec<_> = scalar.map(|s| ("scalar", AttrValue::Float(s))).into_iter().collect();
    let op = registry().find(op)?.with_named(&attrs)?;
    let inputs: Vec<NdArray> = inputs.iter().map(|a| (*a).clone()).collect();
    let out: Vec<_> = out.map(|a| Some((a.clone(), Req::Write))).into_iter().collect();
    let mut outputs = invoke(&op, &inputs, &out, &Call::default())?;
    outputs.pop().ok_or_else(|| crate::Error::internal("an operator gave nothing"))
}
