//! Finding libmxr, for the package.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use std::path::PathBuf;

pub use mxr_abi::{abi, file};

/// Loads libmxr, of which the package has its own at `bundled`, and returns the file it came from.
#[pyfunction]
pub fn load(named: Option<PathBuf>, bundled: PathBuf) -> PyResult<String> {
    mxr_abi::load(named, bundled).map_err(PyImportError::new_err)
}

/// How libmxr was built.
#[pyfunction]
pub fn build_info() -> &'static str {
    mxr_abi::build_info()
}

/// The version of libmxr.
#[pyfunction]
pub fn version() -> &'static str {
    mxr_abi::version()
}
