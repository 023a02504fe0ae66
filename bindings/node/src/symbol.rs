//! Symbols: composed, read, described.

use crate::array::Kept;
use crate::error::{Failure, check};
use crate::handles::{New, Of, list};
use crate::invoke::op;
use crate::js::{Call, Result, ToJs};
use crate::texts::{self, Texts, texts};
use mxr_abi::abi;
use mxr_abi::ffi::{self, mxr_array_t, mxr_error_t, mxr_inferred_t, mxr_symbol_t};
use napi_sys::napi_value;
use std::ptr;

/// An argument that is a symbol.
pub fn symbol(call: &Call, i: usize) -> Result<*mut mxr_symbol_t> {
    Ok(call.get::<Of<mxr_symbol_t>>(i, "symbol")?.0)
}

/// A result that is a new symbol.
pub fn made(
    call: &Call,
    make: impl FnOnce(*mut *mut mxr_symbol_t) -> *mut mxr_error_t,
) -> Result<napi_value> {
    let mut out = ptr::null_mut();
    check(make(&raw mut out))?;
    call.give(New(out))
}

/// `symbolVariable(name, keys, values)`
pub fn variable(call: &Call) -> Result<napi_value> {
    let name = Texts::one(&call.get::<String>(0, "name")?)?;
    let (keys, values) = pairs(call, 1)?;
    // SAFETY: texts live for the call, and there are as many as is said.
    made(call, |out| unsafe {
        let (k, v) = (keys.pointers.as_ptr(), values.pointers.as_ptr());
        (abi().mxr_symbol_variable)(name.pointers[0], k, v, keys.len(), out)
    })
}

/// Two arguments that are texts, as many.
pub fn pairs(call: &Call, i: usize) -> Result<(Texts, Texts)> {
    let (keys, values) = (texts(call, i, "keys")?, texts(call, i + 1, "values")?);
    if keys.len() != values.len() {
        return Err(Failure::wrong_value("values", "expected as many as keys"));
    }
    Ok((keys, values))
}

/// Symbols with names, some of which may lack.
fn inputs(call: &Call, i: usize) -> Result<(Vec<*mut mxr_symbol_t>, Texts)> {
    let symbols = list::<mxr_symbol_t>(call, i, "inputs")?;
    let names = call.get::<Vec<Option<String>>>(i + 1, "names")?;
    if names.len() != symbols.len() {
        return Err(Failure::wrong_value("names", "expected as many as inputs"));
    }
    Ok((symbols, Texts::some(names.iter().map(Option::as_deref))?))
}

/// `symbolCall(op, name, keys, values, inputs, names)`
pub fn call(call: &Call) -> Result<napi_value> {
    let op = op(call.env, call.get::<u32>(0, "op")? as usize)?;
    let name = Texts::one(&call.get::<String>(1, "name")?)?;
    let ((keys, values), (inputs, names)) = (pairs(call, 2)?, inputs(call, 4)?);
    // SAFETY: handles are live, texts live for the call, and there are as many as is said.
    made(call, |out| unsafe {
        (abi().mxr_symbol_call)(
            op,
            name.pointers[0],
            keys.pointers.as_ptr(),
            values.pointers.as_ptr(),
            keys.len(),
            inputs.as_ptr(),
            names.pointers.as_ptr(),
            inputs.len() as i32,
            out,
        )
    })
}

/// `symbolCompose(symbol, name, inputs, names)`
pub fn compose(call: &Call) -> Result<napi_value> {
    let (symbol, name) = (symbol(call, 0)?, call.get::<Option<String>>(1, "name")?);
    let (name, (inputs, names)) = (Texts::some([name.as_deref()])?, inputs(call, 2)?);
    // SAFETY: as above.
    made(call, |out| unsafe {
        let (n, names) = (inputs.len() as i32, names.pointers.as_ptr());
        (abi().mxr_symbol_compose)(symbol, name.pointers[0], inputs.as_ptr(), names, n, out)
    })
}

/// `symbolGroup(symbols)`
pub fn group(call: &Call) -> Result<napi_value> {
    let symbols = list::<mxr_symbol_t>(call, 0, "symbols")?;
    // SAFETY: there are as many handles as is said.
    made(call, |out| unsafe { (abi().mxr_symbol_group)(symbols.as_ptr(), symbols.len() as i32, out) })
}

/// `symbolWithAttrs(symbol, keys, values)`
pub fn with_attrs(call: &Call) -> Result<napi_value> {
    let (symbol, (keys, values)) = (symbol(call, 0)?, pairs(call, 1)?);
    // SAFETY: the handle is live, and there are as many texts as is said.
    made(call, |out| unsafe {
        let (k, v) = (keys.pointers.as_ptr(), values.pointers.as_ptr());
        (abi().mxr_symbol_with_attrs)(symbol, k, v, keys.len(), out)
    })
}

/// `symbolPart(symbol, what)`: 'internals', 'children', or 'plain', which has no casts of mixed precision.
pub fn part(call: &Call) -> Result<napi_value> {
    let (symbol, what) = (symbol(call, 0)?, call.get::<String>(1, "what")?);
    let make = match what.as_str() {
        "internals" => abi().mxr_symbol_internals,
        "children" => abi().mxr_symbol_children,
        _ => abi().mxr_symbol_without_amp_casts,
    };
    // SAFETY: the handle is live.
    made(call, |out| unsafe { make(symbol, out) })
}

/// `symbolOutput(symbol, index)`
pub fn output(call: &Call) -> Result<napi_value> {
    let (symbol, index) = (symbol(call, 0)?, call.get(1, "index")?);
    // SAFETY: the handle is live.
    made(call, |out| unsafe { (abi().mxr_symbol_output)(symbol, index, out) })
}

/// `symbolOutputNamed(symbol, name)`
pub fn output_named(call: &Call) -> Result<napi_value> {
    let (symbol, name) = (symbol(call, 0)?, Texts::one(&call.get::<String>(1, "name")?)?);
    // SAFETY: the handle is live, and the name is a C string.
    made(call, |out| unsafe { (abi().mxr_symbol_output_named)(symbol, name.pointers[0], out) })
}

/// `symbolFromJson(json)`
pub fn from_json(call: &Call) -> Result<napi_value> {
    let json = Texts::one(&call.get::<String>(0, "json")?)?;
    // SAFETY: the text is a C string.
    made(call, |out| unsafe { (abi().mxr_symbol_from_json)(json.pointers[0], out) })
}

/// `symbolLoad(path)`
pub fn load(call: &Call) -> Result<napi_value> {
    let path = Texts::one(&call.get::<String>(0, "path")?)?;
    // SAFETY: the text is a C string.
    made(call, |out| unsafe { (abi().mxr_symbol_load)(path.pointers[0], out) })
}

/// `symbolSave(symbol, path)`
pub fn save(call: &Call) -> Result<napi_value> {
    let (symbol, path) = (symbol(call, 0)?, Texts::one(&call.get::<String>(1, "path")?)?);
    // SAFETY: the handle is live, and the path is a C string.
    check(unsafe { (abi().mxr_symbol_save)(symbol, path.pointers[0]) })?;
    call.give(())
}

/// `symbolText(symbol, what)`: 'json', 'name', or for people.
pub fn text(call: &Call) -> Result<napi_value> {
    let (symbol, what) = (symbol(call, 0)?, call.get::<String>(1, "what")?);
    let make = match what.as_str() {
        "json" => abi().mxr_symbol_to_json,
        "name" => abi().mxr_symbol_name,
        _ => abi().mxr_symbol_text,
    };
    // SAFETY: the handle is live.
    texts::made_one(call, |out| unsafe { make(symbol, out) })
}

/// `symbolAttr(symbol, key)`
pub fn attr(call: &Call) -> Result<napi_value> {
    let (symbol, key) = (symbol(call, 0)?, Texts::one(&call.get::<String>(1, "key")?)?);
    // SAFETY: the handle is live, and the key is a C string.
    texts::made_one(call, |out| unsafe { (abi().mxr_symbol_attr)(symbol, key.pointers[0], out) })
}

/// `symbolAttrs(symbol, recursive)`: node, key, value; and again.
pub fn attrs(call: &Call) -> Result<napi_value> {
    let (symbol, recursive) = (symbol(call, 0)?, call.get::<bool>(1, "recursive")?);
    // SAFETY: the handle is live.
    texts::made(call, |out| unsafe { (abi().mxr_symbol_attrs)(symbol, recursive.into(), out) })
}

/// `symbolList(symbol, list)`
pub fn names(call: &Call) -> Result<napi_value> {
    let (symbol, list) = (symbol(call, 0)?, call.get(1, "list")?);
    // SAFETY: the handle is live.
    texts::made(call, |out| unsafe { (abi().mxr_symbol_list)(symbol, list, out) })
}

/// `symbolRun(symbol, names, arrays, count)`: its operators one by one.
pub fn run(call: &Call) -> Result<napi_value> {
    let (symbol, names) = (symbol(call, 0)?, texts(call, 1, "names")?);
    let arrays = Kept::new(list::<mxr_array_t>(call, 2, "arrays")?);
    let mut outputs = vec![ptr::null_mut(); call.get::<u32>(3, "count")? as usize];
    let circumstances = call.env.state().call.get();
    // SAFETY: there are as many names and arrays as is said, and a place for each output.
    check(unsafe {
        (abi().mxr_symbol_run)(
            symbol,
            names.pointers.as_ptr(),
            arrays.0.as_ptr(),
            names.len().min(arrays.0.len() as i32),
            &raw const circumstances,
            outputs.as_mut_ptr(),
        )
    })?;
    call.give(outputs.into_iter().map(New).collect::<Vec<_>>())
}

const LISTS: [i32; 3] = [ffi::MXR_LIST_ARGUMENTS, ffi::MXR_LIST_OUTPUTS, ffi::MXR_LIST_AUXILIARY_STATES];

/// What was inferred, freed at the end.
struct Inferred(*mut mxr_inferred_t);

impl Drop for Inferred {
    fn drop(&mut self) {
        // SAFETY: it is owned here, and freed once.
        unsafe { (abi().mxr_inferred_free)(self.0) }
    }
}

/// What a list of a symbol's was found to be: an entry for each of its names.
fn found<T: ToJs>(
    symbol: *mut mxr_symbol_t,
    inferred: &Inferred,
    entry: impl Fn(i32, i64) -> Result<Option<T>>,
) -> Result<(Vec<Vec<Option<T>>>, bool)> {
    let list = |list| {
        // SAFETY: the handle is live.
        let names = texts::taken(|out| unsafe { (abi().mxr_symbol_list)(symbol, list, out) })?;
        (0..names.len() as i64).map(|i| entry(list, i)).collect()
    };
    // SAFETY: what was inferred is live.
    let complete = unsafe { (abi().mxr_inferred_complete)(inferred.0) } == 1;
    Ok((LISTS.into_iter().map(list).collect::<Result<_>>()?, complete))
}

/// `inferShapes(symbol, names, shapes)`: of arguments, outputs and auxiliary states, and whether all is known.
pub fn infer_shapes(call: &Call) -> Result<napi_value> {
    let (symbol, names) = (symbol(call, 0)?, texts(call, 1, "names")?);
    let shapes = call.get::<Vec<Vec<i64>>>(2, "shapes")?;
    let num_axes: Vec<i32> = shapes.iter().map(|shape| shape.len() as i32).collect();
    let (sizes, n, mut out) = (shapes.concat(), num_axes.len() as i32, ptr::null_mut());
    let names = names.pointers.as_ptr();
    // SAFETY: there are as many names, shapes and sizes as is said.
    check(unsafe {
        let (sizes, axes) = (sizes.as_ptr(), num_axes.as_ptr());
        (abi().mxr_symbol_infer_shapes)(symbol, names, sizes, axes, n, &raw mut out)
    })?;
    let inferred = Inferred(out);
    let entry = |list, i| {
        let (mut shape, mut ndim) = (ptr::null(), 0);
        // SAFETY: what was inferred is live, and its sizes live as long.
        unsafe {
            check((abi().mxr_inferred_shape)(inferred.0, list, i, &raw mut shape, &raw mut ndim))?;
            let sizes = |n| if n == 0 { &[][..] } else { std::slice::from_raw_parts(shape, n) };
            Ok((ndim >= 0).then(|| sizes(ndim as usize).to_vec()))
        }
    };
    call.give(found(symbol, &inferred, entry)?)
}

/// `inferDtypes(symbol, names, dtypes)`: the same of dtypes.
pub fn infer_dtypes(call: &Call) -> Result<napi_value> {
    let (symbol, names) = (symbol(call, 0)?, texts(call, 1, "names")?);
    let (dtypes, mut out) = (call.get::<Vec<i32>>(2, "dtypes")?, ptr::null_mut());
    let n = names.len().min(dtypes.len() as i32);
    // SAFETY: there are as many names and dtypes as is said.
    check(unsafe {
        (abi().mxr_symbol_infer_dtypes)(symbol, names.pointers.as_ptr(), dtypes.as_ptr(), n, &raw mut out)
    })?;
    let inferred = Inferred(out);
    let entry = |list, i| {
        let mut dtype = -1;
        // SAFETY: what was inferred is live.
        check(unsafe { (abi().mxr_inferred_dtype)(inferred.0, list, i, &raw mut dtype) })?;
        Ok((dtype >= 0).then_some(dtype))
    };
    call.give(found(symbol, &inferred, entry)?)
}
