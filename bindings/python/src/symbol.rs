//! `SymbolHandle`: symbols as the library has them. The class `Symbol` and its functions are Python.

use crate::abi::{self, mxr_error_t, mxr_inferred_t, mxr_op_t, mxr_symbol_t, mxr_texts_t};
use crate::array::dims_of;
use crate::error::check;
use crate::library::abi;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use std::ffi::{CStr, CString, c_char};
use std::ptr::{self, NonNull};

/// A symbol of the library. It never changes.
#[pyclass(module = "mxr._core", frozen)]
pub struct SymbolHandle {
    handle: NonNull<mxr_symbol_t>,
}
// SAFETY: the library's handles may be used and freed on any thread.
unsafe impl Send for SymbolHandle {}
// SAFETY: as above.
unsafe impl Sync for SymbolHandle {}

impl Drop for SymbolHandle {
    fn drop(&mut self) {
        // SAFETY: the handle owns a reference, which ends here; freeing never blocks.
        unsafe { (abi().mxr_symbol_free)(self.handle.as_ptr()) }
    }
}

/// Texts as C strings, which live as long as this.
pub struct Texts {
    _owned: Vec<Option<CString>>,
    /// The texts, NULL for one that is missing.
    pub pointers: Vec<*const c_char>,
}

pub fn c_text(text: &str) -> PyResult<CString> {
    CString::new(text).map_err(|_| PyValueError::new_err("a text must not contain a zero byte"))
}

impl Texts {
    /// These texts.
    pub fn of<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> PyResult<Texts> {
        let owned = texts.into_iter().map(|t| t.map(c_text).transpose()).collect::<PyResult<Vec<_>>>()?;
        let pointers = owned.iter().map(|t| t.as_ref().map_or(ptr::null(), |t| t.as_ptr())).collect();
        Ok(Texts { _owned: owned, pointers })
    }

    /// The keys and the values of pairs.
    pub fn pairs(pairs: &[(String, String)]) -> PyResult<(Texts, Texts)> {
        let keys = Texts::of(pairs.iter().map(|(k, _)| Some(k.as_str())))?;
        Ok((keys, Texts::of(pairs.iter().map(|(_, v)| Some(v.as_str())))?))
    }
}

type Inputs<'py> = Vec<(Option<String>, Bound<'py, SymbolHandle>)>;

fn handles(
    inputs: &[(Option<String>, Bound<'_, SymbolHandle>)],
) -> PyResult<(Vec<*mut mxr_symbol_t>, Texts)> {
    let names = Texts::of(inputs.iter().map(|(name, _)| name.as_deref()))?;
    Ok((inputs.iter().map(|(_, s)| s.get().handle.as_ptr()).collect(), names))
}

/// A text that the library gave, which is freed here; `None` for NULL.
pub fn taken(text: *mut c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the library gives C strings for the caller to own.
    let out = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    // SAFETY: as above; it is freed once.
    unsafe { (abi().mxr_string_free)(text) };
    Some(out)
}

/// A list of texts that the library gives.
pub fn texts_of(
    py: Python<'_>,
    get: impl FnOnce(*mut *mut mxr_texts_t) -> *mut mxr_error_t,
) -> PyResult<Vec<String>> {
    let mut texts = ptr::null_mut();
    check(py, get(&raw mut texts))?;
    // SAFETY: the list is owned here, its texts live as long as it does, and it is freed once.
    unsafe {
        let n = (abi().mxr_texts_len)(texts);
        let text = |i| CStr::from_ptr((abi().mxr_texts_get)(texts, i)).to_string_lossy().into_owned();
        let all = (0..n).map(text).collect();
        (abi().mxr_texts_free)(texts);
        Ok(all)
    }
}

impl SymbolHandle {
    /// The symbol that a function of the library makes.
    pub fn made(
        py: Python<'_>,
        make: impl FnOnce(*mut *mut mxr_symbol_t) -> *mut mxr_error_t,
    ) -> PyResult<SymbolHandle> {
        let mut out = ptr::null_mut();
        check(py, make(&raw mut out))?;
        let handle = NonNull::new(out).ok_or_else(|| PyValueError::new_err("the library gave no symbol"))?;
        Ok(SymbolHandle { handle })
    }

    fn text_of(
        py: Python<'_>,
        get: impl FnOnce(*mut *mut c_char) -> *mut mxr_error_t,
    ) -> PyResult<Option<String>> {
        let mut out = ptr::null_mut();
        check(py, get(&raw mut out))?;
        Ok(taken(out))
    }

    /// The handle, borrowed.
    pub fn ptr(&self) -> *mut mxr_symbol_t {
        self.handle.as_ptr()
    }

    /// Everything of `list` that was inferred.
    fn inferred<T>(
        &self,
        py: Python<'_>,
        inferred: *const mxr_inferred_t,
        list: i32,
        get: impl Fn(Python<'_>, *const mxr_inferred_t, i64) -> PyResult<T>,
    ) -> PyResult<Vec<T>> {
        let n = self.list(py, list)?.len() as i64;
        (0..n).map(|i| get(py, inferred, i)).collect()
    }

    /// Whether all is known, and arguments, outputs and auxiliary states.
    fn all_inferred<'py, T: for<'a> IntoPyObject<'a>>(
        &self,
        py: Python<'py>,
        inferred: *mut mxr_inferred_t,
        get: impl Fn(Python<'_>, *const mxr_inferred_t, i32, i64) -> PyResult<T>,
    ) -> PyResult<(bool, Vec<Bound<'py, PyList>>)> {
        let lists = [abi::MXR_LIST_ARGUMENTS, abi::MXR_LIST_OUTPUTS, abi::MXR_LIST_AUXILIARY_STATES];
        let parts = lists.iter().map(|list| {
            PyList::new(
                py,
                self.inferred(py, inferred, *list, |py, inferred, i| get(py, inferred, *list, i))?,
            )
        });
        let parts = parts.collect::<PyResult<Vec<_>>>();
        // SAFETY: the handle is owned here and freed once.
        let complete = unsafe { (abi().mxr_inferred_complete)(inferred) } == 1;
        // SAFETY: as above.
        unsafe { (abi().mxr_inferred_free)(inferred) };
        Ok((complete, parts?))
    }
}

// SAFETY of all blocks: handles are live while their objects are borrowed, texts and lists live for the call, and
// places are given for what comes back.
#[pymethods]
impl SymbolHandle {
    /// A variable.
    #[staticmethod]
    fn variable(py: Python<'_>, name: &str, attrs: Vec<(String, String)>) -> PyResult<SymbolHandle> {
        let (name, (keys, values)) = (c_text(name)?, Texts::pairs(&attrs)?);
        SymbolHandle::made(py, |out| unsafe {
            let (keys, values) = (keys.pointers.as_ptr(), values.pointers.as_ptr());
            (abi().mxr_symbol_variable)(name.as_ptr(), keys, values, attrs.len() as i32, out)
        })
    }

    /// The computation of recorded arrays.
    #[staticmethod]
    fn recorded(py: Python<'_>, heads: &Bound<'_, PyAny>) -> PyResult<SymbolHandle> {
        let (_heads, heads) = crate::array::handles(heads, false)?;
        SymbolHandle::made(py, |out| unsafe {
            (abi().mxr_autograd_symbol)(heads.as_ptr(), heads.len() as i32, out)
        })
    }

    /// A call of an operator; an input without a name is given by position.
    #[staticmethod]
    fn call(
        py: Python<'_>,
        op: &str,
        name: &str,
        attrs: Vec<(String, String)>,
        inputs: Inputs<'_>,
    ) -> PyResult<SymbolHandle> {
        let (op, name, (keys, values)) = (c_text(op)?, c_text(name)?, Texts::pairs(&attrs)?);
        let (symbols, names) = handles(&inputs)?;
        let mut found: *const mxr_op_t = ptr::null();
        check(py, unsafe { (abi().mxr_op_find)(op.as_ptr(), &raw mut found) })?;
        SymbolHandle::made(py, |out| unsafe {
            (abi().mxr_symbol_call)(
                found,
                name.as_ptr(),
                keys.pointers.as_ptr(),
                values.pointers.as_ptr(),
                attrs.len() as i32,
                symbols.as_ptr(),
                names.pointers.as_ptr(),
                symbols.len() as i32,
                out,
            )
        })
    }

    /// A copy in which named variables are replaced.
    fn compose(&self, py: Python<'_>, name: &str, inputs: Inputs<'_>) -> PyResult<SymbolHandle> {
        let (name, (symbols, names)) = (c_text(name)?, handles(&inputs)?);
        SymbolHandle::made(py, |out| unsafe {
            let names = names.pointers.as_ptr();
            (abi().mxr_symbol_compose)(
                self.ptr(),
                name.as_ptr(),
                symbols.as_ptr(),
                names,
                symbols.len() as i32,
                out,
            )
        })
    }

    /// All outputs of several.
    #[staticmethod]
    fn group(py: Python<'_>, symbols: Vec<Bound<'_, SymbolHandle>>) -> PyResult<SymbolHandle> {
        let handles: Vec<_> = symbols.iter().map(|s| s.get().ptr()).collect();
        SymbolHandle::made(py, |out| unsafe {
            (abi().mxr_symbol_group)(handles.as_ptr(), handles.len() as i32, out)
        })
    }

    /// The symbol with more attributes, set on its node where no operator reads them.
    fn set_attrs(&self, py: Python<'_>, attrs: Vec<(String, String)>) -> PyResult<SymbolHandle> {
        let (keys, values) = Texts::pairs(&attrs)?;
        SymbolHandle::made(py, |out| unsafe {
            let (keys, values) = (keys.pointers.as_ptr(), values.pointers.as_ptr());
            (abi().mxr_symbol_set_attrs)(self.ptr(), keys, values, attrs.len() as i32, out)
        })
    }

    /// All outputs of all nodes.
    fn internals(&self, py: Python<'_>) -> PyResult<SymbolHandle> {
        SymbolHandle::made(py, |out| unsafe { (abi().mxr_symbol_internals)(self.ptr(), out) })
    }

    /// The inputs of its nodes.
    fn children(&self, py: Python<'_>) -> PyResult<SymbolHandle> {
        SymbolHandle::made(py, |out| unsafe { (abi().mxr_symbol_children)(self.ptr(), out) })
    }

    /// One output.
    fn output(&self, py: Python<'_>, index: i64) -> PyResult<SymbolHandle> {
        SymbolHandle::made(py, |out| unsafe { (abi().mxr_symbol_output)(self.ptr(), index, out) })
    }

    /// The output with a name.
    fn output_named(&self, py: Python<'_>, name: &str) -> PyResult<SymbolHandle> {
        let name = c_text(name)?;
        SymbolHandle::made(py, |out| unsafe {
            (abi().mxr_symbol_output_named)(self.ptr(), name.as_ptr(), out)
        })
    }

    /// The symbol without the casts of automatic mixed precision.
    fn without_amp_casts(&self, py: Python<'_>) -> PyResult<SymbolHandle> {
        SymbolHandle::made(py, |out| unsafe { (abi().mxr_symbol_without_amp_casts)(self.ptr(), out) })
    }

    /// The symbol that a text describes.
    #[staticmethod]
    fn from_json(py: Python<'_>, json: &str) -> PyResult<SymbolHandle> {
        let json = c_text(json)?;
        SymbolHandle::made(py, |out| unsafe { (abi().mxr_symbol_from_json)(json.as_ptr(), out) })
    }

    /// The text of the symbol.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        SymbolHandle::text_of(py, |out| unsafe { (abi().mxr_symbol_to_json)(self.ptr(), out) })
            .map(Option::unwrap_or_default)
    }

    /// Reads a file.
    #[staticmethod]
    fn load(py: Python<'_>, path: &str) -> PyResult<SymbolHandle> {
        let path = c_text(path)?;
        SymbolHandle::made(py, |out| unsafe { (abi().mxr_symbol_load)(path.as_ptr(), out) })
    }

    /// Writes a file.
    fn save(&self, py: Python<'_>, path: &str) -> PyResult<()> {
        let path = c_text(path)?;
        check(py, unsafe { (abi().mxr_symbol_save)(self.ptr(), path.as_ptr()) })
    }

    /// The names of list number `list` of the C interface.
    fn list(&self, py: Python<'_>, list: i32) -> PyResult<Vec<String>> {
        texts_of(py, |out| unsafe { (abi().mxr_symbol_list)(self.ptr(), list, out) })
    }

    /// The name of the node, if it is one.
    fn name(&self, py: Python<'_>) -> PyResult<Option<String>> {
        SymbolHandle::text_of(py, |out| unsafe { (abi().mxr_symbol_name)(self.ptr(), out) })
    }

    /// An attribute of the node.
    fn attr(&self, py: Python<'_>, key: &str) -> PyResult<Option<String>> {
        let key = c_text(key)?;
        SymbolHandle::text_of(py, |out| unsafe { (abi().mxr_symbol_attr)(self.ptr(), key.as_ptr(), out) })
    }

    /// The attributes of the node, or of all: node, key, value, …
    fn attrs(&self, py: Python<'_>, recursive: bool) -> PyResult<Vec<String>> {
        texts_of(py, |out| unsafe { (abi().mxr_symbol_attrs)(self.ptr(), i32::from(recursive), out) })
    }

    /// The symbol for people.
    fn text(&self, py: Python<'_>) -> PyResult<String> {
        SymbolHandle::text_of(py, |out| unsafe { (abi().mxr_symbol_text)(self.ptr(), out) })
            .map(Option::unwrap_or_default)
    }

    /// Infers shapes: whether all are known, and a list each for arguments, outputs and auxiliary states.
    fn infer_shapes<'py>(
        &self,
        py: Python<'py>,
        known: Vec<(String, Bound<'py, PyAny>)>,
    ) -> PyResult<(bool, Vec<Bound<'py, PyList>>)> {
        let names = Texts::of(known.iter().map(|(name, _)| Some(name.as_str())))?;
        let shapes = known.iter().map(|(_, shape)| dims_of(shape)).collect::<PyResult<Vec<_>>>()?;
        let sizes: Vec<i64> = shapes.iter().flatten().copied().collect();
        let axes: Vec<i32> = shapes.iter().map(|s| s.len() as i32).collect();
        let mut inferred = ptr::null_mut();
        let n = known.len() as i32;
        check(py, unsafe {
            let (names, sizes) = (names.pointers.as_ptr(), sizes.as_ptr());
            (abi().mxr_symbol_infer_shapes)(self.ptr(), names, sizes, axes.as_ptr(), n, &raw mut inferred)
        })?;
        self.all_inferred(py, inferred, |py, inferred, list, i| {
            let (mut shape, mut axes) = (ptr::null(), 0);
            check(py, unsafe {
                (abi().mxr_inferred_shape)(inferred, list, i, &raw mut shape, &raw mut axes)
            })?;
            let known = usize::try_from(axes).ok();
            let dims = known.map(|n| match n {
                0 => vec![],
                n => unsafe { std::slice::from_raw_parts(shape, n) }.to_vec(),
            });
            dims.map(|d| PyTuple::new(py, d).map(Bound::unbind)).transpose()
        })
    }

    /// Infers dtypes, as codes; -1 for one that is not known.
    fn infer_dtypes<'py>(
        &self,
        py: Python<'py>,
        known: Vec<(String, i32)>,
    ) -> PyResult<(bool, Vec<Bound<'py, PyList>>)> {
        let names = Texts::of(known.iter().map(|(name, _)| Some(name.as_str())))?;
        let codes: Vec<i32> = known.iter().map(|(_, code)| *code).collect();
        let mut inferred = ptr::null_mut();
        check(py, unsafe {
            let names = names.pointers.as_ptr();
            (abi().mxr_symbol_infer_dtypes)(
                self.ptr(),
                names,
                codes.as_ptr(),
                codes.len() as i32,
                &raw mut inferred,
            )
        })?;
        self.all_inferred(py, inferred, |py, inferred, list, i| {
            let mut dtype = -1;
            check(py, unsafe { (abi().mxr_inferred_dtype)(inferred, list, i, &raw mut dtype) })?;
            Ok(dtype)
        })
    }
}
