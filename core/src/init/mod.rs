//! Initializers: what the elements of a new parameter are.
//!
//! An [`Initializer`] fills weights. [`initialize`] decides by a parameter's name whether it is a weight at
//! all: biases begin as zeros, scales as ones, and so on, as in MXNet.

mod orthogonal;
mod plain;
mod random;

pub use orthogonal::{Orthogonal, RandType};
pub use plain::{Bilinear, Constant, LstmBias, One, Zero};
pub use random::{FactorType, MsraPrelu, Normal, RndType, Uniform, Xavier};

use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::AttrValue;
use crate::op::attrs::AttrKind;
use crate::op::invoke::{Call, Req, invoke};
use crate::op::{Attrs, Operator, registry};
use serde_json::Value;

/// Fills weights.
pub trait Initializer: Send + Sync {
    /// Fills a weight.
    ///
    /// # Errors
    /// `Shape` for an array that it cannot fill.
    fn fill(&self, array: &NdArray) -> Result<()>;

    /// Checks what bounds of attributes cannot say.
    ///
    /// # Errors
    /// `InvalidValue`, about the attribute.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

crate::registered_table! {
    /// Every initializer, by the names of MXNet's classes.
    pub fn initializers() -> dyn Initializer = "initializer" {
        Zero = "Zero" aliases ["zeros"],
        One = "One" aliases ["ones"],
        Constant = "Constant",
        Uniform = "Uniform",
        Normal = "Normal",
        Xavier = "Xavier",
        MsraPrelu = "MSRAPrelu",
        Orthogonal = "Orthogonal",
        Bilinear = "Bilinear",
        LstmBias = "LSTMBias",
    }
}

/// What the end of a name says that a parameter is. The first that fits counts.
const ROLES: [(&str, &str); 12] = [
    ("weight", "weight"),
    ("bias", "bias"),
    ("gamma", "gamma"),
    ("beta", "beta"),
    ("moving_mean", "zero"),
    ("running_mean", "zero"),
    ("moving_var", "one"),
    ("running_var", "one"),
    ("moving_inv_var", "zero"),
    ("moving_avg", "zero"),
    ("min", "zero"),
    ("max", "one"),
];

/// What a parameter of this name is: `weight`, which an initializer fills; `bias`, `beta` or `zero`, which
/// begin as zeros; `gamma` or `one`, which begin as ones. `None` if the name does not say.
pub fn role(name: &str) -> Option<&'static str> {
    ROLES.iter().find(|(end, _)| name.ends_with(end)).map(|(_, role)| *role)
}

/// Fills a parameter: by `own`, the initializer that it names itself, if there is one; else by what its name
/// says; a weight by `initializer`.
///
/// # Errors
/// `InvalidValue` for a name that says nothing; those of the initializer.
pub fn initialize(
    name: &str,
    own: Option<&dyn Initializer>,
    initializer: &dyn Initializer,
    array: &NdArray,
) -> Result<()> {
    if let Some(own) = own {
        return own.fill(array);
    }
    match role(name) {
        Some("weight") => initializer.fill(array),
        Some("gamma" | "one") => constant(array, 1.0),
        Some(_) => constant(array, 0.0),
        None => Err(crate::err!(
            InvalidValue,
            "the name '{name}' does not say how to initialize: expected an end such as 'weight', 'bias', 'gamma' \
             or 'beta', or an initializer of its own"
        )
        .about("name")),
    }
}

/// The initializer that MXNet's text means: a name, or JSON as `["xavier", {"magnitude": 2}]`, which its
/// model files hold in `__init__`.
///
/// # Errors
/// `Format` for other JSON; those of [`crate::op::Table::create`].
pub fn parse(text: &str) -> Result<Box<dyn Initializer>> {
    if !text.trim_start().starts_with('[') {
        return initializers().create(text.trim(), &[]);
    }
    let bad = || crate::err!(Format, "expected [\"name\", {{attributes}}], got {text}");
    let value: Value = serde_json::from_str(text).map_err(|_| bad())?;
    let name = value[0].as_str().ok_or_else(bad)?;
    let entry = initializers().find(name)?;
    let empty = serde_json::Map::new();
    let given = if value[1].is_null() { &empty } else { value[1].as_object().ok_or_else(bad)? };
    let attrs: Result<Vec<(&str, AttrValue)>> = given
        .iter()
        .map(|(n, v)| {
            let kind = entry.attrs.iter().find(|a| a.name == n).map_or(&AttrKind::Str, |a| &a.kind);
            let text = v.as_str().map_or_else(|| v.to_string(), str::to_owned);
            Ok((n.as_str(), kind.parse(&text).map_err(|e| e.about(n))?))
        })
        .collect();
    entry.create_named(&attrs?)
}

/// Runs an operator without inputs that writes the array.
fn run<T: Operator + Attrs>(op: T, array: &NdArray) -> Result<()> {
    let out = [Some((array.clone(), Req::Write))];
    invoke(&registry().op(op), &[], &out, &Call { device: array.device(), ..Call::default() }).map(drop)
}

/// Fills an array with one number.
fn constant(array: &NdArray, value: f64) -> Result<()> {
    let (shape, dtype) = (array.shape()?.clone(), array.dtype());
    run(crate::ops::create::Full { shape, ctx: String::new(), dtype, value }, array)
}

/// Writes these elements.
fn write(array: &NdArray, values: &[f64]) -> Result<()> {
    crate::with_dtype!(array.dtype(), T => {
        let values: Vec<T> = values.iter().map(|v| crate::dtype::Element::from_f64(*v)).collect();
        // SAFETY: elements are plain numbers, so their bytes may be read.
        let bytes = unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(&values[..])) };
        array.copy_from_bytes(bytes)
    })
}
