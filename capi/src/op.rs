//! Operators: finding one, and the one call for all.

use crate::attr::{mxr_attr_t, owned_string, read_attrs, string};
use crate::error::{guard, mxr_error_t};
use crate::handle::{array, arrays, as_arrays, give, mxr_array_t};
use crate::out::{out, places};
use mxr_core::autograd::{self, Mode};
use mxr_core::op::invoke::{Call, Req};
use mxr_core::op::{OpDef, registry, schema};
use mxr_core::{Device, Result, err};
use smallvec::SmallVec;
use std::ffi::c_char;

/// An operator. Handles are static: never freed.
pub struct mxr_op_t {
    _opaque: [u8; 0],
}

/// Remember the call for differentiation.
pub const MXR_CALL_RECORDING: u32 = 1;
/// A model is being trained: dropout drops, batch normalisation takes the batch's statistics.
pub const MXR_CALL_TRAINING: u32 = 2;

/// Do not compute the output.
pub const MXR_REQUEST_NULL: i32 = 0;
/// Write the output.
pub const MXR_REQUEST_WRITE: i32 = 1;
/// Write the output, which shares memory with an input.
pub const MXR_REQUEST_IN_PLACE: i32 = 2;
/// Add to what the output holds.
pub const MXR_REQUEST_ADD: i32 = 3;

/// The circumstances of a call. Zero, or a NULL pointer to it, means: not recorded, predicting, on `cpu(0)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mxr_call_t {
    /// Size of this struct as the caller knows it.
    pub struct_size: u32,
    /// `MXR_CALL_…`, combined.
    pub flags: u32,
    /// Kind of the device for operators without inputs: 1 cpu, 2 gpu; 0 for `cpu(0)`.
    pub device_kind: i32,
    /// Number of that device.
    pub device_id: i32,
}

/// Reads an options struct of which the caller may know only a part.
unsafe fn read_call(call: *const mxr_call_t) -> mxr_call_t {
    let mut full = mxr_call_t { struct_size: 0, flags: 0, device_kind: 0, device_id: 0 };
    if call.is_null() {
        return full;
    }
    // SAFETY: the caller's struct begins with its size, and that many bytes of it exist.
    unsafe {
        let size = ((*call).struct_size as usize).min(size_of::<mxr_call_t>());
        std::ptr::copy_nonoverlapping(call.cast::<u8>(), (&raw mut full).cast::<u8>(), size);
    }
    full
}

/// The mode that a caller's options mean.
pub(crate) unsafe fn mode(call: *const mxr_call_t) -> Result<Mode> {
    // SAFETY: the caller's promise.
    let call = unsafe { read_call(call) };
    let device = match call.device_kind {
        0 => Device::default(),
        kind => Device::from_code(kind, call.device_id)?,
    };
    Ok(Mode {
        recording: call.flags & MXR_CALL_RECORDING != 0,
        call: Call { training: call.flags & MXR_CALL_TRAINING != 0, device, ..Call::default() },
    })
}

/// The request with this number.
pub(crate) fn request(code: i32) -> Result<Req> {
    Ok(match code {
        MXR_REQUEST_NULL => Req::Null,
        MXR_REQUEST_WRITE => Req::Write,
        MXR_REQUEST_IN_PLACE => Req::InPlace,
        MXR_REQUEST_ADD => Req::Add,
        _ => return Err(err!(InvalidValue, "there is no request {code}").about("requests")),
    })
}

pub(crate) unsafe fn definition(op: *const mxr_op_t) -> Result<&'static OpDef> {
    if op.is_null() {
        return Err(err!(InvalidValue, "expected an operator, got NULL").about("op"));
    }
    // SAFETY: operator handles come from `mxr_op_find` and point to the static registry.
    Ok(unsafe { &*op.cast::<OpDef>() })
}

/// Finds an operator by its name or an alias. The handle is static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_op_find(name: *const c_char, op: *mut *const mxr_op_t) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a C string and a place for the handle.
        unsafe {
            let op = out(op, "op")?;
            let def = registry().find(string(name, "name")?)?;
            op.write(std::ptr::from_ref(def).cast());
        }
        Ok(())
    })
}

/// The schema's version of an operator: calls written for another `breaking` number do not fit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_op_version(
    op: *const mxr_op_t,
    breaking: *mut u32,
    revision: *mut u32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and places for the numbers.
        unsafe {
            let (breaking, revision) = (out(breaking, "breaking")?, out(revision, "revision")?);
            let meta = &definition(op)?.meta;
            breaking.write(meta.breaking);
            revision.write(meta.revision);
        }
        Ok(())
    })
}

/// Number of outputs that a call with these attributes and number of inputs gives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_op_num_outputs(
    op: *const mxr_op_t,
    attrs: *const mxr_attr_t,
    num_attrs: i32,
    num_outputs: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, attributes and a place for the number.
        unsafe {
            let num_outputs = out(num_outputs, "num_outputs")?;
            let op = definition(op)?.with(&read_attrs(attrs, num_attrs)?)?;
            num_outputs.write(op.op.num_visible_outputs() as i32);
        }
        Ok(())
    })
}

/// Everything that is registered, as JSON: the same document as `schema/ops.json`. The caller owns the text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_schema_json(json: *mut *mut c_char) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a place for the text.
        let json = unsafe { out(json, "json") }?;
        json.write(owned_string(&schema::document(registry()).to_string()));
        Ok(())
    })
}

/// Calls an operator.
///
/// `outputs` has room for `*num_outputs` handles. One that is not NULL receives its output as `requests` says
/// (NULL `requests`: written); one that is NULL becomes a new array that the caller owns. `*num_outputs` becomes
/// the number of outputs. The call may return before the work is done: later failures are reported by waits.
/// @nullable requests, call
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_op_invoke(
    op: *const mxr_op_t,
    inputs: *const *mut mxr_array_t,
    num_inputs: i32,
    attrs: *const mxr_attr_t,
    num_attrs: i32,
    outputs: *mut *mut mxr_array_t,
    num_outputs: *mut i32,
    requests: *const i32,
    call: *const mxr_call_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives as many handles, attributes and places as it says.
        unsafe {
            let def = definition(op)?;
            let in_op = |e: mxr_core::Error| e.in_operator(def.meta.name);
            let inputs = arrays(inputs, num_inputs, "inputs").map_err(in_op)?;
            let op = def.with(&read_attrs(attrs, num_attrs).map_err(in_op)?)?;
            let visible = op.op.num_visible_outputs();
            let room = *out(num_outputs, "num_outputs").map_err(in_op)?.assume_init_mut();
            if i64::from(room) < visible as i64 {
                let few = err!(InvalidValue, "expected room for {visible} outputs, got {room}");
                return Err(in_op(few.about("outputs")));
            }
            places(outputs, visible, "outputs").map_err(in_op)?;
            let mut given: SmallVec<[Option<(mxr_core::NdArray, Req)>; 2]> = SmallVec::new();
            for i in 0..visible {
                let handle = *outputs.add(i);
                if handle.is_null() {
                    given.push(None);
                    continue;
                }
                let code = if requests.is_null() { MXR_REQUEST_WRITE } else { *requests.add(i) };
                let a = array(handle, "out").map_err(in_op)?;
                given.push(Some(((*a).clone(), request(code).map_err(in_op)?)));
            }
            let results = autograd::invoke(&op, as_arrays(&inputs), &given, &mode(call)?)?;
            for (i, result) in results.into_iter().take(visible).enumerate() {
                if given[i].is_none() {
                    *outputs.add(i) = give(result);
                }
            }
            *num_outputs = visible as i32;
        }
        Ok(())
    })
}
