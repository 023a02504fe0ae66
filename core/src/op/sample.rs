//! Samples: calls of an operator that document and test it in every language.
//!
//! A sample says inputs and attributes; what must come out is computed by an oracle and checked in under
//! `tests/conformance/cases`. Sample inputs are multiples of 1/16 of small size, so that they are the same
//! numbers in every floating-point dtype and one expected result serves all.

use crate::dtype::DType;
use crate::error::ErrorCode;
use crate::op::attrs::AttrValue;
use crate::shape::Shape;

/// Where the expected results of a sample come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Oracle {
    /// The operator of this name in MXNet 1.9.1.
    MxNet,
    /// The same in single precision, for all floating-point dtypes: where MXNet's own constants have no more.
    MxNetSingle,
    /// Another call in MXNet: Python in which `x` is the list of inputs and `attrs` the attributes.
    MxNetCode(&'static str),
    /// NumPy: Python in which `x` is the list of inputs and `attrs` the attributes.
    NumPy(&'static str),
    /// Nothing: the sample only has to run; other tests say what must come out (random operators).
    Run,
}

/// Which dtypes a sample is run with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Run {
    /// All floating-point dtypes that the operator supports; the oracle computes in double precision.
    Float,
    /// All integer dtypes that the operator supports; the oracle computes with `int32`.
    Int,
    /// `bool`.
    Bool,
    /// The dtypes that the inputs say.
    AsGiven,
}

/// How an input is filled.
#[derive(Clone, Debug)]
enum Fill {
    /// Multiples of 1/16 in a range, scattered.
    Grid(f64, f64),
    /// Whole numbers in a range, scattered.
    Ints(i64, i64),
    /// Numbers of which no two are the same, around zero, scattered.
    Distinct,
    /// These.
    Values(Vec<f64>),
}

/// One input of a sample.
#[derive(Clone, Debug)]
pub struct SampleInput {
    /// Its shape.
    pub shape: Shape,
    /// Its dtype, when it is not the sample's.
    pub dtype: Option<DType>,
    fill: Fill,
    seed: u64,
}

/// One call of an operator.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What it shows.
    pub name: &'static str,
    /// Its inputs.
    pub inputs: Vec<SampleInput>,
    /// Its attributes.
    pub attrs: Vec<(&'static str, AttrValue)>,
    /// The dtypes it is run with.
    pub run: Run,
    /// Where the expected results come from.
    pub oracle: Oracle,
    /// Whether gradients are compared too.
    pub gradient: bool,
    /// Whether finite differences make sense: not at kinks and jumps.
    pub finite_differences: bool,
    /// Whether it runs as in training.
    pub training: bool,
    /// The error that must come, instead of results.
    pub error: Option<ErrorCode>,
    /// Factor for the tolerances, 1 for most.
    pub tolerance: f64,
}

impl Sample {
    /// A sample without inputs, for floating-point dtypes, compared with MXNet, with gradients.
    pub fn new(name: &'static str) -> Sample {
        Sample {
            name,
            inputs: vec![],
            attrs: vec![],
            run: Run::Float,
            oracle: Oracle::MxNet,
            gradient: true,
            finite_differences: true,
            training: true,
            error: None,
            tolerance: 1.0,
        }
    }

    fn add(mut self, shape: &[i64], fill: Fill) -> Self {
        let seed = self.inputs.len() as u64 + 1;
        self.inputs.push(SampleInput { shape: Shape::new(shape), dtype: None, fill, seed });
        self
    }

    /// Adds an input with multiples of 1/16 from −2 to 2.
    #[must_use]
    pub fn input(self, shape: &[i64]) -> Self {
        self.grid(shape, -2.0, 2.0)
    }

    /// Adds an input with multiples of 1/16 from `low` to `high`.
    #[must_use]
    pub fn grid(self, shape: &[i64], low: f64, high: f64) -> Self {
        self.add(shape, Fill::Grid(low, high))
    }

    /// Adds an input with whole numbers from `low` to below `high`.
    #[must_use]
    pub fn ints(self, shape: &[i64], low: i64, high: i64) -> Self {
        self.add(shape, Fill::Ints(low, high))
    }

    /// Adds an input with numbers of which no two are the same: multiples of 1/16 up to 255 elements.
    #[must_use]
    pub fn distinct(self, shape: &[i64]) -> Self {
        self.add(shape, Fill::Distinct)
    }

    /// Adds an input with these elements.
    #[must_use]
    pub fn values(self, shape: &[i64], values: &[f64]) -> Self {
        assert_eq!(Shape::new(shape).len(), values.len(), "sample '{}'", self.name);
        self.add(shape, Fill::Values(values.to_vec()))
    }

    /// Gives the input added last a dtype of its own.
    #[must_use]
    pub fn of(mut self, dtype: DType) -> Self {
        self.inputs.last_mut().expect("an input to give a dtype to").dtype = Some(dtype);
        self
    }

    /// Sets an attribute.
    #[must_use]
    pub fn attr(mut self, name: &'static str, value: impl Into<AttrValue>) -> Self {
        self.attrs.push((name, value.into()));
        self
    }

    /// Runs it with all integer dtypes instead, without gradients.
    #[must_use]
    pub fn int_dtypes(mut self) -> Self {
        self.run = Run::Int;
        self.gradient = false;
        self
    }

    /// Runs it with `bool` instead, without gradients.
    #[must_use]
    pub fn bool_dtype(mut self) -> Self {
        self.run = Run::Bool;
        self.gradient = false;
        self
    }

    /// Runs it only with the dtypes that the inputs say, without gradients.
    #[must_use]
    pub fn as_given(mut self) -> Self {
        self.run = Run::AsGiven;
        self.gradient = false;
        self
    }

    /// Takes the expected results from there.
    #[must_use]
    pub fn oracle(mut self, oracle: Oracle) -> Self {
        self.oracle = oracle;
        self
    }

    /// Compares no gradients.
    #[must_use]
    pub fn no_gradient(mut self) -> Self {
        self.gradient = false;
        self
    }

    /// Does not compare the gradient with finite differences.
    #[must_use]
    pub fn no_finite_differences(mut self) -> Self {
        self.finite_differences = false;
        self
    }

    /// Runs it as in prediction.
    #[must_use]
    pub fn predicting(mut self) -> Self {
        self.training = false;
        self
    }

    /// Expects this error from the call.
    #[must_use]
    pub fn fails(mut self, code: ErrorCode) -> Self {
        self.error = Some(code);
        self.gradient = false;
        self.oracle = Oracle::Run;
        self
    }

    /// Multiplies the tolerances.
    #[must_use]
    pub fn tolerance(mut self, factor: f64) -> Self {
        self.tolerance = factor;
        self
    }
}

impl SampleInput {
    /// The elements.
    pub fn elements(&self) -> Vec<f64> {
        let n = self.shape.len();
        let scattered = |i: usize| scatter(self.seed.wrapping_mul(1_000_003).wrapping_add(i as u64));
        match &self.fill {
            Fill::Values(v) => v.clone(),
            Fill::Grid(low, high) => {
                let steps = ((high - low) * 16.0) as u64 + 1;
                (0..n).map(|i| low + (scattered(i) % steps) as f64 / 16.0).collect()
            }
            Fill::Ints(low, high) => {
                let span = (high - low).max(1) as u64;
                (0..n).map(|i| (low + (scattered(i) % span) as i64) as f64).collect()
            }
            Fill::Distinct => {
                let mut order: Vec<usize> = (0..n).collect();
                order.sort_by_key(|i| scattered(*i));
                order.iter().map(|i| (*i as f64 - (n / 2) as f64) / 16.0).collect()
            }
        }
    }
}

/// A fixed mixing of the bits of a number (the finaliser of SplitMix64).
fn scatter(i: u64) -> u64 {
    let mut z = i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

macro_rules! into_value {
    ($($t:ty: $v:ident => $e:expr),* $(,)?) => {$(
        impl From<$t> for AttrValue {
            fn from($v: $t) -> AttrValue { $e }
        }
    )*};
}
into_value!(bool: v => AttrValue::Bool(v), i64: v => AttrValue::Int(v), i32: v => AttrValue::Int(v.into()),
    f64: v => AttrValue::Float(v), &str: v => AttrValue::Str(v.to_owned()), DType: v => AttrValue::Int(v as i64),
    &[i64]: v => AttrValue::Ints(Shape::new(v)), &[f64]: v => AttrValue::Floats(v.to_vec()));

impl<const N: usize> From<[i64; N]> for AttrValue {
    fn from(v: [i64; N]) -> AttrValue {
        AttrValue::Ints(Shape::new(&v))
    }
}

impl<const N: usize> From<[f64; N]> for AttrValue {
    fn from(v: [f64; N]) -> AttrValue {
        AttrValue::Floats(v.to_vec())
    }
}
