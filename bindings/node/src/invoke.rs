//! The one call for all operators.

use crate::attrs::{Attrs, Reader};
use crate::error::{Failure, check};
use crate::handles::{add, adopt, find};
use crate::js::{Call, Env, Result};
use mxr_abi::ffi::{mxr_array_t, mxr_op_t};
use mxr_abi::{abi, file};
use napi_sys::{self as sys, napi_value};
use smallvec::SmallVec;
use std::ffi::CString;
use std::ptr;

/// Outputs that an operator may have.
const MOST: usize = 64;

/// `operator(name, breaking, revision)`: the number by which calls name an operator, whose version is checked.
pub fn operator(call: &Call) -> Result<napi_value> {
    let name = call.get::<CString>(0, "name")?;
    let (needs, at_least) = (call.get::<u32>(1, "breaking")?, call.get::<u32>(2, "revision")?);
    let (mut op, mut breaking, mut revision) = (ptr::null(), 0, 0);
    // SAFETY: the name is a C string, and places are given; a handle that was found is static.
    unsafe {
        check((abi().mxr_op_find)(name.as_ptr(), &raw mut op))?;
        check((abi().mxr_op_version)(op, &raw mut breaking, &raw mut revision))?;
    }
    if breaking != needs || revision < at_least {
        return Err(Failure::version(format!(
            "operator {}: this mxr needs version {needs}.{at_least} or a later revision, and {} has \
             {breaking}.{revision}",
            name.to_string_lossy(),
            file()
        )));
    }
    let mut ops = call.env.state().ops.borrow_mut();
    ops.push(op);
    call.give((ops.len() - 1) as f64)
}

/// The operator of a number.
pub fn op(env: Env, number: usize) -> Result<*const mxr_op_t> {
    let ops = env.state().ops.borrow();
    ops.get(number).copied().ok_or_else(|| Failure::internal("there is no such operator"))
}

/// `scratch(memory)`: the Float64Array in which arguments come.
pub fn scratch(call: &Call) -> Result<napi_value> {
    let (env, state) = (call.env, call.env.state());
    let (data, bytes) = env.memory(call.raw(0), "memory")?;
    let mut owner = ptr::null_mut();
    // SAFETY: the instance and the value are live; the old reference is deleted once.
    unsafe {
        env.check(sys::napi_create_reference(env.0, call.raw(0), 1, &raw mut owner))?;
        if !state.scratch_owner.get().is_null() {
            sys::napi_delete_reference(env.0, state.scratch_owner.get());
        }
    }
    state.scratch_owner.set(owner);
    state.scratch.set((data.cast(), bytes / size_of::<f64>()));
    call.give(())
}

/// `invoke(object, texts)`: calls the operator that the shared memory says, and gives the number of outputs.
///
/// There stand: the operator, the inputs after their number, the arrays that receive outputs after theirs, and the
/// attributes. -2 is an input that lacks. The slots of new outputs are left in the shared memory, and the first
/// belongs to `object`.
pub fn invoke(call: &Call) -> Result<napi_value> {
    let env = call.env;
    let mut reader = Reader::new(env);
    let op = op(env, reader.next() as usize)?;
    let mut inputs = SmallVec::<[*mut mxr_array_t; 8]>::new();
    for i in 0..reader.count() {
        let at = reader.next();
        inputs.push(if at == LACKS { ptr::null_mut() } else { find(env, at as i32, format_input(i))? });
    }
    let mut outputs = [ptr::null_mut::<mxr_array_t>(); MOST];
    let given = reader.count().min(MOST);
    for output in &mut outputs[..given] {
        *output = find(env, reader.next() as i32, "out")?;
    }
    let mut attrs = Attrs::read(env, &mut reader, call.raw(1))?;
    let (attrs, num_attrs) = attrs.finish()?;
    let (mut n, circumstances) = (MOST as i32, env.state().call.get());
    // SAFETY: handles are live while the objects that have them wait for the call; lists are as long as is said.
    check(unsafe {
        (abi().mxr_op_invoke)(
            op,
            inputs.as_ptr(),
            inputs.len() as i32,
            attrs,
            num_attrs,
            outputs.as_mut_ptr(),
            &raw mut n,
            ptr::null(),
            &raw const circumstances,
        )
    })?;
    let (shared, room) = env.state().scratch.get();
    let n = n as usize;
    for (i, output) in outputs[..n.min(room)].iter().enumerate().skip(given) {
        let slot = if i == 0 { adopt(env, *output, call.raw(0))? } else { add(env, *output) };
        // SAFETY: the shared memory has so much room.
        unsafe { *shared.add(i) = slot.into() };
    }
    call.give(n as i32)
}

/// Stands for an input that lacks.
const LACKS: f64 = -2.0;

/// What the message of an error calls an input.
fn format_input(i: usize) -> &'static str {
    const NAMES: [&str; 4] = ["input 0", "input 1", "input 2", "input 3"];
    NAMES.get(i).copied().unwrap_or("input")
}
