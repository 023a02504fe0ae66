//! Arithmetic and comparison of arrays with arrays and numbers, by the operators of Python.

use crate::array::NDArray;
use crate::convert::Values;
use crate::error::exception;
use crate::invoke::{Op, Outputs, call};
use crate::ops::OPS;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::types::{PyComplex, PyFloat, PyInt};
use std::sync::OnceLock;

/// The code of a request that is not supported.
const UNSUPPORTED: i32 = 9;

/// An operator that is found by name when it is first used.
struct Named {
    name: &'static str,
    op: OnceLock<Option<&'static Op>>,
}

impl Named {
    const fn new(name: &'static str) -> Named {
        Named { name, op: OnceLock::new() }
    }

    #[inline]
    fn get(&self, py: Python<'_>) -> PyResult<&'static Op> {
        let found = self.op.get_or_init(|| OPS.iter().find(|op| op.text() == self.name));
        found.ok_or_else(|| {
            let message = format!("this build of mxr has no operator '{}'", self.name);
            exception(py, UNSUPPORTED, &message, Some(self.name), None)
        })
    }
}

/// What an operator of Python means for arrays.
struct Arithmetic {
    arrays: Named,
    scalar: Named,
    reflected: Named,
}

impl Arithmetic {
    const fn new(arrays: &'static str, scalar: &'static str, reflected: &'static str) -> Arithmetic {
        Arithmetic {
            arrays: Named::new(arrays),
            scalar: Named::new(scalar),
            reflected: Named::new(reflected),
        }
    }
}

static ADD: Arithmetic = Arithmetic::new("broadcast_add", "_plus_scalar", "_plus_scalar");
static SUB: Arithmetic = Arithmetic::new("broadcast_sub", "_minus_scalar", "_rminus_scalar");
static MUL: Arithmetic = Arithmetic::new("broadcast_mul", "_mul_scalar", "_mul_scalar");
static DIV: Arithmetic = Arithmetic::new("broadcast_div", "_div_scalar", "_rdiv_scalar");
static MOD: Arithmetic = Arithmetic::new("broadcast_mod", "_mod_scalar", "_rmod_scalar");
static POW: Arithmetic = Arithmetic::new("broadcast_power", "_power_scalar", "_rpower_scalar");
static EQ: Arithmetic = Arithmetic::new("broadcast_equal", "_equal_scalar", "_equal_scalar");
static NE: Arithmetic = Arithmetic::new("broadcast_not_equal", "_not_equal_scalar", "_not_equal_scalar");
static LT: Arithmetic = Arithmetic::new("broadcast_lesser", "_lesser_scalar", "_greater_scalar");
static LE: Arithmetic =
    Arithmetic::new("broadcast_lesser_equal", "_lesser_equal_scalar", "_greater_equal_scalar");
static GT: Arithmetic = Arithmetic::new("broadcast_greater", "_greater_scalar", "_lesser_scalar");
static GE: Arithmetic =
    Arithmetic::new("broadcast_greater_equal", "_greater_equal_scalar", "_lesser_equal_scalar");
static NEG: Named = Named::new("negative");
static ABS: Named = Named::new("abs");
static DOT: Named = Named::new("dot");

/// The value of a number of Python or numpy; not of an array.
fn number(value: &Bound<'_, PyAny>) -> Option<f64> {
    if value.is_exact_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>() {
        return value.extract().ok();
    }
    if value.is_instance_of::<PyComplex>() || value.hasattr("__len__").unwrap_or(true) {
        return None;
    }
    // numpy's scalars and arrays without axes have a value and no length.
    value.extract().ok()
}

/// What is said to what is neither an array nor a number: other arrays must be converted first.
fn refuse(py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    if value.hasattr("__array__")? {
        let kind = value.get_type();
        return Err(PyTypeError::new_err(format!(
            "expected an NDArray or a number, got {kind}; make an NDArray of it by mx.nd.array"
        )));
    }
    Ok(py.NotImplemented())
}

/// Where a result goes.
#[derive(Clone, Copy)]
enum To<'a> {
    New,
    Into(&'a NDArray),
}

fn apply(py: Python<'_>, op: &Op, inputs: &[&NDArray], scalar: Option<f64>, to: To<'_>) -> PyResult<Outputs> {
    let mut handles = [std::ptr::null_mut(); 2];
    for (place, input) in handles.iter_mut().zip(inputs) {
        *place = input.handle();
    }
    let mut values = Values::default();
    if let (Some(number), Some(attr)) = (scalar, op.attrs.first()) {
        values.add_number(attr.id, number);
    }
    let mut outputs = Outputs::new();
    if let To::Into(array) = to {
        outputs.push(array.handle());
    }
    call(py, op, &handles[..inputs.len()], values.finish(), outputs)
}

fn new(py: Python<'_>, op: &Op, inputs: &[&NDArray], scalar: Option<f64>) -> PyResult<Py<PyAny>> {
    let outputs = apply(py, op, inputs, scalar, To::New)?;
    Ok(Py::new(py, NDArray::own(outputs[0]))?.into_any())
}

fn binary(py: Python<'_>, what: &Arithmetic, a: &NDArray, b: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    if let Ok(b) = b.cast::<NDArray>() {
        return new(py, what.arrays.get(py)?, &[a, b.get()], None);
    }
    match number(b) {
        Some(value) => new(py, what.scalar.get(py)?, &[a], Some(value)),
        None => refuse(py, b),
    }
}

fn reflected(py: Python<'_>, what: &Arithmetic, a: &NDArray, b: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    match number(b) {
        Some(value) => new(py, what.reflected.get(py)?, &[a], Some(value)),
        None => refuse(py, b),
    }
}

fn in_place(py: Python<'_>, what: &Arithmetic, a: &NDArray, b: &Bound<'_, PyAny>) -> PyResult<()> {
    if let Ok(b) = b.cast::<NDArray>() {
        return apply(py, what.arrays.get(py)?, &[a, b.get()], None, To::Into(a)).map(|_| ());
    }
    let Some(value) = number(b) else {
        return Err(PyTypeError::new_err(format!("expected an NDArray or a number, got {}", b.get_type())));
    };
    apply(py, what.scalar.get(py)?, &[a], Some(value), To::Into(a)).map(|_| ())
}

#[pymethods]
impl NDArray {
    fn __add__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(py, &ADD, self, other)
    }
    fn __radd__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        reflected(py, &ADD, self, other)
    }
    fn __iadd__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(py, &ADD, self, other)
    }
    fn __sub__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(py, &SUB, self, other)
    }
    fn __rsub__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        reflected(py, &SUB, self, other)
    }
    fn __isub__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(py, &SUB, self, other)
    }
    fn __mul__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(py, &MUL, self, other)
    }
    fn __rmul__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        reflected(py, &MUL, self, other)
    }
    fn __imul__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(py, &MUL, self, other)
    }
    fn __truediv__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(py, &DIV, self, other)
    }
    fn __rtruediv__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        reflected(py, &DIV, self, other)
    }
    fn __itruediv__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(py, &DIV, self, other)
    }
    fn __mod__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(py, &MOD, self, other)
    }
    fn __rmod__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        reflected(py, &MOD, self, other)
    }
    fn __imod__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(py, &MOD, self, other)
    }
    fn __pow__(
        &self,
        py: Python<'_>,
        other: &Bound<'_, PyAny>,
        modulo: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        if modulo.is_some() {
            return Ok(py.NotImplemented());
        }
        binary(py, &POW, self, other)
    }
    fn __rpow__(
        &self,
        py: Python<'_>,
        other: &Bound<'_, PyAny>,
        modulo: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        if modulo.is_some() {
            return Ok(py.NotImplemented());
        }
        reflected(py, &POW, self, other)
    }
    fn __matmul__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        match other.cast::<NDArray>() {
            Ok(other) => new(py, DOT.get(py)?, &[self, other.get()], None),
            Err(_) => Ok(py.NotImplemented()),
        }
    }
    fn __neg__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        new(py, NEG.get(py)?, &[self], None)
    }
    fn __pos__(slf: Py<Self>) -> Py<Self> {
        slf
    }
    fn __abs__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        new(py, ABS.get(py)?, &[self], None)
    }
    fn __richcmp__(&self, py: Python<'_>, other: &Bound<'_, PyAny>, how: CompareOp) -> PyResult<Py<PyAny>> {
        let what = match how {
            CompareOp::Eq => &EQ,
            CompareOp::Ne => &NE,
            CompareOp::Lt => &LT,
            CompareOp::Le => &LE,
            CompareOp::Gt => &GT,
            CompareOp::Ge => &GE,
        };
        binary(py, what, self, other)
    }
}
