//! Symbols: composing them, taking them apart, files.

use crate::attr::{length, owned_string, slice, string};
use crate::error::{guard, mxr_error_t};
use crate::handle::{arrays, as_arrays, give, mxr_array_t};
use crate::op::{definition, mode, mxr_call_t, mxr_op_t};
use crate::out::{out, places};
use crate::shared::{self, Handle, behind};
use crate::text::pairs;
use mxr_core::graph::{Call, Symbol};
use mxr_core::{Result, err};
use std::ffi::c_char;
use std::path::Path;
use std::sync::Arc;

/// Outputs of a graph of operators. Symbols never change.
pub struct mxr_symbol_t {
    _opaque: [u8; 0],
}

impl Handle for mxr_symbol_t {
    type Thing = Symbol;
    const NAME: &'static str = "symbol";
}

/// The symbol behind a handle, for the time of a call.
pub(crate) unsafe fn symbol<'a>(handle: *const mxr_symbol_t, argument: &str) -> Result<&'a Symbol> {
    // SAFETY: the caller's promise.
    unsafe { behind(handle, argument) }
}

/// A handle that owns one reference.
pub(crate) fn give_symbol(symbol: Arc<Symbol>) -> *mut mxr_symbol_t {
    shared::give(symbol)
}

/// Runs a function that makes a symbol for the place that an argument gives.
pub(crate) unsafe fn make(
    place: *mut *mut mxr_symbol_t,
    argument: &str,
    f: impl FnOnce() -> Result<Symbol>,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a place for the handle.
        let place = unsafe { out(place, argument) }?;
        place.write(give_symbol(Arc::new(f()?)));
        Ok(())
    })
}

/// The symbols behind `n` handles.
pub(crate) unsafe fn symbols<'a>(
    handles: *const *mut mxr_symbol_t,
    n: i32,
    argument: &str,
) -> Result<Vec<&'a Symbol>> {
    // SAFETY: the caller promises `n` handles.
    unsafe {
        let handles = slice(handles, length(n.into(), argument)?, argument)?;
        handles.iter().map(|h| symbol(*h, argument)).collect()
    }
}

/// Makes a variable. Attributes are texts, as `__shape__` and "(2, 3)"; `lr_mult` becomes `__lr_mult__`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_variable(
    name: *const c_char,
    keys: *const *const c_char,
    values: *const *const c_char,
    num_attrs: i32,
    symbol: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives C strings and a place for the handle.
    unsafe {
        make(symbol, "symbol", || {
            Symbol::variable(string(name, "name")?, Default::default())
                .with_attrs(pairs(keys, values, num_attrs)?)
        })
    }
}

/// Calls an operator on symbols.
///
/// Attributes, the operator's and the user's, are texts as MXNet writes them. `input_names` is NULL, or says by
/// which name each input is given; NULL there means by position, and those come first. Inputs that are not given
/// become variables, as `conv0_weight` of the node `conv0`. @nullable input_names
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_call(
    op: *const mxr_op_t,
    name: *const c_char,
    keys: *const *const c_char,
    values: *const *const c_char,
    num_attrs: i32,
    inputs: *const *mut mxr_symbol_t,
    input_names: *const *const c_char,
    num_inputs: i32,
    symbol: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle, as many C strings and handles as it says, and a place for the new one.
    unsafe {
        make(symbol, "symbol", || {
            let (op, name) = (definition(op)?, string(name, "name")?);
            let attrs = pairs(keys, values, num_attrs)?;
            let inputs = symbols(inputs, num_inputs, "inputs")?;
            let names =
                if input_names.is_null() { &[] } else { slice(input_names, inputs.len(), "input_names")? };
            let by_position = names.iter().position(|n| !n.is_null()).unwrap_or(inputs.len());
            let (args, rest) = inputs.split_at(by_position);
            let mut named = Vec::with_capacity(rest.len());
            for (name, input) in names[by_position.min(names.len())..].iter().zip(rest) {
                named.push((string(*name, "input_names")?, *input));
            }
            Call { op, name, attrs: &attrs, args, named: &named }.compose()
        })
    }
}

/// A copy of the graph in which the named variables are replaced by other symbols. `name` may be NULL; otherwise
/// it becomes that of the first output's node. @nullable name
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_compose(
    symbol: *const mxr_symbol_t,
    name: *const c_char,
    inputs: *const *mut mxr_symbol_t,
    input_names: *const *const c_char,
    num_inputs: i32,
    composed: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives handles and C strings, as many as it says, and a place for the new handle.
    unsafe {
        make(composed, "composed", || {
            let symbol = self::symbol(symbol, "symbol")?;
            let name = if name.is_null() { "" } else { string(name, "name")? };
            let names = slice(input_names, length(num_inputs.into(), "num_inputs")?, "input_names")?;
            let inputs = symbols(inputs, num_inputs, "inputs")?;
            let named = names.iter().zip(inputs).map(|(n, s)| Ok((string(*n, "input_names")?, s)));
            symbol.compose(&named.collect::<Result<Vec<_>>>()?, name)
        })
    }
}

/// All outputs of several symbols as one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_group(
    symbols: *const *mut mxr_symbol_t,
    n: i32,
    group: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives `n` handles and a place for the new one.
    unsafe { make(group, "group", || Ok(Symbol::group(self::symbols(symbols, n, "symbols")?))) }
}

/// The same symbol with more attributes on its node. Symbols composed with it before keep the node as it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_with_attrs(
    symbol: *const mxr_symbol_t,
    keys: *const *const c_char,
    values: *const *const c_char,
    num_attrs: i32,
    changed: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle, C strings and a place for the new handle.
    unsafe {
        make(changed, "changed", || {
            let attrs = pairs(keys, values, num_attrs)?;
            self::symbol(symbol, "symbol")?.with_attrs(attrs)
        })
    }
}

/// Sets attributes on the symbol's node, and so in every symbol that the node is part of, if no operator reads them:
/// `changed` is then the same symbol. Otherwise, and for another name, it has a node of its own, and the others keep
/// theirs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_set_attrs(
    symbol: *const mxr_symbol_t,
    keys: *const *const c_char,
    values: *const *const c_char,
    num_attrs: i32,
    changed: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle, C strings and a place for the new handle.
    unsafe {
        make(changed, "changed", || {
            let attrs = pairs(keys, values, num_attrs)?;
            self::symbol(symbol, "symbol")?.set_attrs(attrs)
        })
    }
}

/// All visible outputs of all nodes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_internals(
    symbol: *const mxr_symbol_t,
    internals: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle and a place for the new one.
    unsafe { make(internals, "internals", || Ok(self::symbol(symbol, "symbol")?.internals())) }
}

/// The inputs of the nodes of which the outputs are. It has no outputs if there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_children(
    symbol: *const mxr_symbol_t,
    children: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle and a place for the new one.
    unsafe { make(children, "children", || Ok(self::symbol(symbol, "symbol")?.children())) }
}

/// Output `index` alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_output(
    symbol: *const mxr_symbol_t,
    index: i64,
    output: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle and a place for the new one.
    unsafe {
        make(output, "output", || {
            let index = usize::try_from(index)
                .map_err(|_| err!(Index, "there is no output {index}").about("index"))?;
            self::symbol(symbol, "symbol")?.output(index)
        })
    }
}

/// The output with this name alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_output_named(
    symbol: *const mxr_symbol_t,
    name: *const c_char,
    output: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle, a C string and a place for the new handle.
    unsafe {
        make(output, "output", || {
            let name = string(name, "name")?;
            self::symbol(symbol, "symbol")?.output_named(name)
        })
    }
}

/// The symbol without the casts that automatic mixed precision put in.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_without_amp_casts(
    symbol: *const mxr_symbol_t,
    plain: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle and a place for the new one.
    unsafe { make(plain, "plain", || Ok(self::symbol(symbol, "symbol")?.without_amp_casts())) }
}

/// The symbol that a JSON text describes, written by any version of MXNet or by `mxr_symbol_to_json`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_from_json(
    json: *const c_char,
    symbol: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a C string and a place for the handle.
    unsafe { make(symbol, "symbol", || Symbol::from_json(string(json, "json")?)) }
}

/// The JSON text of a symbol, as MXNet 1.9.1 writes it. The caller owns the text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_to_json(
    symbol: *const mxr_symbol_t,
    json: *mut *mut c_char,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the text.
        unsafe {
            let json = out(json, "json")?;
            json.write(owned_string(&self::symbol(symbol, "symbol")?.to_json()));
        }
        Ok(())
    })
}

/// Reads a `-symbol.json` file of any version of MXNet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_load(
    path: *const c_char,
    symbol: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a C string and a place for the handle.
    unsafe { make(symbol, "symbol", || Symbol::load(Path::new(string(path, "path")?))) }
}

/// Writes a symbol to a file as MXNet 1.9.1 does. An existing file is replaced only by a whole one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_save(
    symbol: *const mxr_symbol_t,
    path: *const c_char,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a C string.
        unsafe {
            let path = string(path, "path")?;
            self::symbol(symbol, "symbol")?.save(Path::new(path))
        }
    })
}

/// Runs the operators of a symbol one by one on arrays for its variables, by name, without compiling it; while
/// recording, each is on the tape. Names that no variable has are passed over. `outputs` has a place for each output,
/// which receives a new array. @nullable call
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_run(
    symbol: *const mxr_symbol_t,
    names: *const *const c_char,
    arrays: *const *mut mxr_array_t,
    num_arrays: i32,
    call: *const mxr_call_t,
    outputs: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives handles and C strings, as many as it says, a struct or NULL, and places.
        unsafe {
            let symbol = self::symbol(symbol, "symbol")?;
            let outputs = places(outputs, symbol.outputs.len(), "outputs")?;
            let names = slice(names, length(num_arrays.into(), "num_arrays")?, "names")?;
            let arrays = self::arrays(arrays, num_arrays, "arrays")?;
            let given = names.iter().zip(as_arrays(&arrays));
            let given = given.map(|(name, array)| Ok((string(*name, "names")?.to_owned(), array.clone())));
            let made = symbol.run_eagerly(&given.collect::<Result<_>>()?, &mode(call)?)?;
            for (place, output) in outputs.iter_mut().zip(made) {
                place.write(give(output));
            }
        }
        Ok(())
    })
}

/// Takes another reference to a symbol, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_retain(symbol: *mut mxr_symbol_t) -> *mut mxr_symbol_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(symbol) }
}

/// Gives a reference back. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_free(symbol: *mut mxr_symbol_t) {
    // SAFETY: the caller gives a handle that it owns, or NULL.
    unsafe { shared::free(symbol) }
}
