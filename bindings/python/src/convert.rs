//! Attribute values: from Python's objects to tagged values, as the schema's types say.

use crate::abi::{self, mxr_attr_t};
use crate::array::code_of_type;
use crate::error::exception;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use smallvec::SmallVec;
use std::ffi::{CStr, CString, c_void};
use std::ptr;

/// Stands for an absent element in a list of integers.
const NO_INT: i64 = i64::MIN;

/// The type of an attribute. Which of them occur is for the schema to say.
#[allow(dead_code)]
pub enum Kind {
    /// Truth value.
    Bool,
    /// Integer.
    Int,
    /// Number.
    Float,
    /// Text.
    Str,
    /// Integers, some of which may be absent.
    Ints,
    /// Numbers.
    Floats,
    /// Texts.
    Strs,
    /// An element type.
    DType,
    /// One of these names.
    Enum(&'static [&'static str]),
}

/// An attribute of an operator.
pub struct Attr {
    /// Its number in calls.
    pub id: u32,
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
    /// Whether None is a value of its own, other than the default.
    pub may_lack: bool,
}

/// Something other than an operator that is made by name: an optimizer, an initializer, ….
pub struct Registered {
    /// Its name.
    pub name: &'static CStr,
    /// Its attributes.
    pub attrs: &'static [Attr],
}

impl Registered {
    /// The one of a table with this name.
    pub fn find(table: &'static [Registered], name: &str) -> PyResult<&'static Registered> {
        let found = table.iter().find(|r| r.name.to_bytes() == name.as_bytes());
        found.ok_or_else(|| PyValueError::new_err(format!("there is no '{name}'")))
    }

    /// The values of these attributes, by name.
    pub fn values(&self, given: &Bound<'_, PyDict>) -> PyResult<Values> {
        let py = given.py();
        let owner = self.name.to_str().unwrap_or_default();
        let mut values = Values::default();
        for (name, value) in given {
            let name: String = name.extract()?;
            let attr = self.attrs.iter().find(|a| a.name == name);
            let attr =
                attr.ok_or_else(|| PyTypeError::new_err(format!("{owner} has no attribute '{name}'")))?;
            if value.is_none() {
                values.add_none(attr);
            } else {
                values.add(attr, &value).map_err(|e| about(py, owner, attr.name, &e))?;
            }
        }
        Ok(values)
    }
}

/// The exception that a value of an argument led to, with the names of the argument and of what has it.
pub fn about(py: Python<'_>, owner: &str, argument: &str, error: &PyErr) -> PyErr {
    let wrong_type = error.is_instance_of::<PyTypeError>(py);
    let code = if wrong_type { abi::MXR_ERROR_INVALID_TYPE } else { abi::MXR_ERROR_INVALID_VALUE };
    let message = format!("{owner}: argument '{argument}': {}", error.value(py));
    exception(py, code, &message, Some(owner), Some(argument))
}

/// The Python function that finds the code of anything that numpy takes for a dtype.
static DTYPE_CODE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Says what finds the code of a dtype.
#[pyfunction]
pub fn set_dtype_code(py: Python<'_>, find: Py<PyAny>) {
    let _ = DTYPE_CODE.set(py, find);
}

/// What the values of a call point to, until the call is made.
#[derive(Default)]
pub struct Values {
    attrs: SmallVec<[mxr_attr_t; 12]>,
    ints: SmallVec<[i64; 24]>,
    floats: Vec<f64>,
    texts: Vec<CString>,
    pointers: Vec<*const c_void>,
}

fn describe(value: &Bound<'_, PyAny>) -> String {
    value.repr().map_or_else(|_| "an object".to_owned(), |r| r.to_string())
}

fn expected(what: &str, value: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!("expected {what}, got {}", describe(value)))
}

fn integer(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    if let Ok(i) = value.extract::<i64>() {
        return Ok(i);
    }
    match value.extract::<f64>() {
        Ok(f) if f.fract() == 0.0 && f.abs() < 9e15 => Ok(f as i64),
        _ => Err(expected("an integer", value)),
    }
}

fn number(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    value.extract::<f64>().map_err(|_| expected("a number", value))
}

fn truth(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if let Ok(b) = value.cast_exact::<PyBool>() {
        return Ok(b.is_true());
    }
    match value.extract::<i64>() {
        Ok(i @ (0 | 1)) => Ok(i == 1),
        _ => value
            .call_method0("__bool__")
            .and_then(|b| b.extract())
            .map_err(|_| expected("a truth value", value)),
    }
}

/// The position of a name among those of an enumeration.
fn choice(names: &[&str], value: &Bound<'_, PyAny>) -> PyResult<i64> {
    let one_of = || format!("one of '{}'", names.join("', '"));
    let text = match value.cast::<PyString>() {
        Ok(text) => text.to_cow()?.into_owned(),
        Err(_) => value.str()?.to_string(),
    };
    let found = names.iter().position(|n| *n == text);
    found
        .map(|i| i as i64)
        .ok_or_else(|| PyValueError::new_err(format!("expected {}, got {}", one_of(), describe(value))))
}

/// The code of anything that numpy takes for a dtype.
pub fn dtype(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    let py = value.py();
    if let Some(code) = code_of_type(py, value) {
        return Ok(code.into());
    }
    let find = DTYPE_CODE.get(py).ok_or_else(|| PyTypeError::new_err("mxr is not imported as a whole"))?;
    find.bind(py).call1((value,))?.extract()
}

impl Values {
    /// Adds a value for an attribute.
    pub fn add(&mut self, attr: &Attr, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut out = mxr_attr_t { id: attr.id, tag: 0, integer: 0, number: 0.0, data: ptr::null() };
        match &attr.kind {
            Kind::Bool => (out.tag, out.integer) = (abi::MXR_ATTR_BOOL, truth(value)?.into()),
            Kind::Int => (out.tag, out.integer) = (abi::MXR_ATTR_INT, integer(value)?),
            Kind::Float => (out.tag, out.number) = (abi::MXR_ATTR_FLOAT, number(value)?),
            Kind::DType => (out.tag, out.integer) = (abi::MXR_ATTR_INT, dtype(value)?),
            Kind::Enum(names) => (out.tag, out.integer) = (abi::MXR_ATTR_INT, choice(names, value)?),
            Kind::Ints => (out.tag, out.integer) = (abi::MXR_ATTR_INTS, self.add_ints(value)?),
            Kind::Str => (out.tag, out.integer) = (abi::MXR_ATTR_STRING, self.add_text(value, "a text")?),
            Kind::Floats => {
                (out.tag, out.integer) = (abi::MXR_ATTR_FLOATS, 0);
                for item in items(value, "numbers")? {
                    self.floats.push(number(&item)?);
                    out.integer += 1;
                }
            }
            Kind::Strs => {
                (out.tag, out.integer) = (abi::MXR_ATTR_STRINGS, 0);
                for item in items(value, "texts")? {
                    self.add_text(&item, "texts")?;
                    out.integer += 1;
                }
            }
        }
        self.attrs.push(out);
        Ok(())
    }

    /// Adds a number for an attribute that takes one.
    pub fn add_number(&mut self, id: u32, number: f64) {
        self.attrs.push(mxr_attr_t { id, tag: abi::MXR_ATTR_FLOAT, integer: 0, number, data: ptr::null() });
    }

    /// Adds that an attribute has no value.
    pub fn add_none(&mut self, attr: &Attr) {
        let tag = abi::MXR_ATTR_NO_VALUE;
        self.attrs.push(mxr_attr_t { id: attr.id, tag, integer: 0, number: 0.0, data: ptr::null() });
    }

    fn add_ints(&mut self, value: &Bound<'_, PyAny>) -> PyResult<i64> {
        if value.is_exact_instance_of::<PyInt>() {
            self.ints.push(integer(value)?);
            return Ok(1);
        }
        let start = self.ints.len();
        let mut push = |item: &Bound<'_, PyAny>| {
            self.ints.push(if item.is_none() { NO_INT } else { integer(item)? });
            Ok::<_, PyErr>(())
        };
        if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            for item in tuple.iter_borrowed() {
                push(&item)?;
            }
        } else if value.extract::<i64>().is_ok() {
            push(value)?;
        } else {
            for item in items(value, "integers")? {
                push(&item)?;
            }
        }
        Ok((self.ints.len() - start) as i64)
    }

    fn add_text(&mut self, value: &Bound<'_, PyAny>, what: &str) -> PyResult<i64> {
        let text = match value.cast::<PyString>() {
            Ok(text) => text.to_cow()?.into_owned(),
            // A device is given by its name.
            Err(_) if value.hasattr("device_typeid")? => value.str()?.to_string(),
            Err(_) => return Err(expected(what, value)),
        };
        let length = text.len() as i64;
        self.texts.push(CString::new(text).map_err(|_| expected("a text without zero bytes", value))?);
        Ok(length)
    }

    /// All values, pointing to what `self` holds.
    pub fn finish(&mut self) -> &[mxr_attr_t] {
        let (mut ints, mut floats, mut texts) = (0, 0, 0);
        self.pointers = self.texts.iter().map(|t| t.as_ptr().cast()).collect();
        for attr in &mut self.attrs {
            let n = attr.integer as usize;
            match attr.tag {
                abi::MXR_ATTR_INTS => {
                    attr.data = self.ints[ints..].as_ptr().cast();
                    ints += n;
                }
                abi::MXR_ATTR_FLOATS => {
                    attr.data = self.floats[floats..].as_ptr().cast();
                    floats += n;
                }
                abi::MXR_ATTR_STRING => {
                    attr.data = self.pointers[texts];
                    texts += 1;
                }
                abi::MXR_ATTR_STRINGS => {
                    attr.data = self.pointers[texts..].as_ptr().cast();
                    texts += n;
                }
                _ => {}
            }
        }
        &self.attrs
    }
}

/// The items of a list; a number or a text alone is a list of one.
fn items<'py>(value: &Bound<'py, PyAny>, what: &str) -> PyResult<Vec<Bound<'py, PyAny>>> {
    if let Ok(list) = value.cast_exact::<PyList>() {
        return Ok(list.iter().collect());
    }
    if value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyInt>()
        || value.is_instance_of::<PyFloat>()
    {
        return Ok(vec![value.clone()]);
    }
    value.try_iter().map_err(|_| expected(what, value))?.collect()
}
