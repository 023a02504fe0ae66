//! Optimizers: how weights change by their gradients.

use crate::attr::{length, mxr_attr_t, read_attrs, slice, string};
use crate::error::{guard, mxr_error_t};
use crate::handle::{array, arrays, as_arrays, give_all, mxr_array_t};
use crate::lr_scheduler::mxr_lr_scheduler_t;
use crate::out::out as place;
use crate::shared::{self, Handle, behind, give, lock, share};
use mxr_core::Result;
use mxr_core::optim::{Optimizer, Param};
use std::collections::HashMap;
use std::ffi::c_char;
use std::sync::{Arc, Mutex};

/// An optimizer: its arithmetic, learning rate, decay, factors of parameters and counts of updates.
pub struct mxr_optimizer_t {
    _opaque: [u8; 0],
}

impl Handle for mxr_optimizer_t {
    type Thing = Mutex<Optimizer>;
    const NAME: &'static str = "optimizer";
}

/// Makes an optimizer by its name, such as `SGD`, with attributes by the schema's ids.
///
/// `scheduler` may be NULL; else it says the learning rate, and starts from the optimizer's own if that was
/// given or is a default of this optimizer's. The optimizer called `Optimizer` has no arithmetic: it keeps
/// the books for one that the caller writes. @nullable scheduler
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_create(
    name: *const c_char,
    attrs: *const mxr_attr_t,
    num_attrs: i32,
    scheduler: *mut mxr_lr_scheduler_t,
    out: *mut *mut mxr_optimizer_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a C string, attributes, a handle or NULL and a place for the new one.
        unsafe {
            let out = place(out, "out")?;
            let attrs = read_attrs(attrs, num_attrs)?;
            let mut optimizer = Optimizer::with_values(string(name, "name")?, &attrs)?;
            if !scheduler.is_null() {
                optimizer.set_lr_scheduler(share(scheduler, "scheduler")?);
            }
            out.write(give(Arc::new(Mutex::new(optimizer))));
        }
        Ok(())
    })
}

/// Changes attributes; all others, and what was counted, stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_set(
    optimizer: *const mxr_optimizer_t,
    attrs: *const mxr_attr_t,
    num_attrs: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and attributes.
        unsafe { lock(behind(optimizer, "optimizer")?).set(&read_attrs(attrs, num_attrs)?) }
    })
}

/// The learning rate now, without factors of parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_learning_rate(
    optimizer: *const mxr_optimizer_t,
    lr: *mut f64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the number.
        unsafe { place(lr, "lr")?.write(lock(behind(optimizer, "optimizer")?).learning_rate()) };
        Ok(())
    })
}

/// Sets the learning rate. An error if a schedule says it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_set_learning_rate(
    optimizer: *const mxr_optimizer_t,
    lr: f64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle.
        unsafe { lock(behind(optimizer, "optimizer")?).set_learning_rate(lr) }
    })
}

/// Sets the names of `n` parameters.
unsafe fn name(
    optimizer: *const mxr_optimizer_t,
    indices: *const i64,
    names: *const *const c_char,
    n: i32,
    set: fn(&mut Optimizer, HashMap<i64, String>),
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, `n` numbers and `n` C strings.
        unsafe {
            let n = length(n.into(), "n")?;
            let (indices, names) = (slice(indices, n, "indices")?, slice(names, n, "names")?);
            let pair = |(i, name): (&i64, &*const c_char)| Ok((*i, string(*name, "names")?.to_owned()));
            let names = indices.iter().zip(names).map(pair).collect::<Result<HashMap<_, _>>>()?;
            set(&mut lock(behind(optimizer, "optimizer")?), names);
        }
        Ok(())
    })
}

/// Says the names of `n` parameters, by which factors find them. Those that end neither in `_weight` nor in
/// `_gamma` then do not decay, unless `mxr_optimizer_set_wd_mults` says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_set_names(
    optimizer: *const mxr_optimizer_t,
    indices: *const i64,
    names: *const *const c_char,
    n: i32,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle and `n` of each.
    unsafe { name(optimizer, indices, names, n, Optimizer::set_names) }
}

/// Says the names of `n` more parameters, by which factors find them. All parameters decay as before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_add_names(
    optimizer: *const mxr_optimizer_t,
    indices: *const i64,
    names: *const *const c_char,
    n: i32,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle and `n` of each.
    unsafe { name(optimizer, indices, names, n, Optimizer::add_names) }
}

/// Sets `n` factors: each of the parameter called `names[i]`, or of number `indices[i]` where that is NULL.
unsafe fn set_factors(
    optimizer: *const mxr_optimizer_t,
    indices: *const i64,
    names: *const *const c_char,
    factors: *const f64,
    n: i32,
    set: fn(&mut Optimizer, HashMap<Param, f64>),
) -> *mut mxr_error_t {
    guard(|| {
        let n = length(n.into(), "n")?;
        // SAFETY: the caller promises `n` of each.
        let (names, factors) = unsafe { (slice(names, n, "names")?, slice(factors, n, "factors")?) };
        let each = |i: usize| {
            let param = if names[i].is_null() {
                // SAFETY: as above.
                Param::Index(unsafe { slice(indices, n, "indices") }?[i])
            } else {
                // SAFETY: a C string.
                Param::Name(unsafe { string(names[i], "names") }?.to_owned())
            };
            Ok((param, factors[i]))
        };
        let factors = (0..n).map(each).collect::<Result<_>>()?;
        // SAFETY: the caller gives a handle.
        set(&mut lock(unsafe { behind(optimizer, "optimizer") }?), factors);
        Ok(())
    })
}

/// Sets the factors of the learning rate, 1 for parameters that are not named: of the one called `names[i]`,
/// or of number `indices[i]` where that is NULL. @nullable indices
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_set_lr_mults(
    optimizer: *const mxr_optimizer_t,
    indices: *const i64,
    names: *const *const c_char,
    factors: *const f64,
    n: i32,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle and `n` of each.
    unsafe { set_factors(optimizer, indices, names, factors, n, Optimizer::set_lr_mult) }
}

/// Sets the factors of the decay as `mxr_optimizer_set_lr_mults` does. Parameters that are not named have 1,
/// but 0 for those whose known names end neither in `_weight` nor in `_gamma`. @nullable indices
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_set_wd_mults(
    optimizer: *const mxr_optimizer_t,
    indices: *const i64,
    names: *const *const c_char,
    factors: *const f64,
    n: i32,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle and `n` of each.
    unsafe { set_factors(optimizer, indices, names, factors, n, Optimizer::set_wd_mult) }
}

/// Sets both factors of one parameter, which count before those by its name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_set_mult(
    optimizer: *const mxr_optimizer_t,
    index: i64,
    lr_mult: f64,
    wd_mult: f64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle.
        unsafe { lock(behind(optimizer, "optimizer")?).set_mult(index, lr_mult, wd_mult) };
        Ok(())
    })
}

/// The learning rate and the decay of a parameter now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_rates(
    optimizer: *const mxr_optimizer_t,
    index: i64,
    lr: *mut f64,
    wd: *mut f64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and places for the numbers.
        unsafe {
            let (lr, wd) = (place(lr, "lr")?, place(wd, "wd")?);
            let rates = lock(behind(optimizer, "optimizer")?).rates(index);
            lr.write(rates.0);
            wd.write(rates.1);
        }
        Ok(())
    })
}

/// The largest number of updates that any parameter has had.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_num_update(
    optimizer: *const mxr_optimizer_t,
    num_update: *mut i64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the number.
        unsafe {
            let num_update = place(num_update, "num_update")?;
            num_update.write(lock(behind(optimizer, "optimizer")?).num_update());
        }
        Ok(())
    })
}

/// How many updates of a parameter were counted on the device of this number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_updates(
    optimizer: *const mxr_optimizer_t,
    index: i64,
    device_id: i32,
    t: *mut i64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the number.
        unsafe { place(t, "t")?.write(lock(behind(optimizer, "optimizer")?).updates(index, device_id)) };
        Ok(())
    })
}

/// Counts an update of a parameter on the device of this number, and says how many there are now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_count(
    optimizer: *const mxr_optimizer_t,
    index: i64,
    device_id: i32,
    t: *mut i64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the number.
        unsafe { place(t, "t")?.write(lock(behind(optimizer, "optimizer")?).count(index, device_id)) };
        Ok(())
    })
}

/// The state that a parameter begins with, as new arrays that the caller owns, of which there may be none.
/// `states` has room for `*num_states`, which becomes their number. The last is a copy of the weight in
/// float32 if the weight is in half precision and the attribute `multi_precision` is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_create_state(
    optimizer: *const mxr_optimizer_t,
    weight: *mut mxr_array_t,
    states: *mut *mut mxr_array_t,
    num_states: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives both handles and room as it says.
        unsafe {
            let optimizer = lock(behind(optimizer, "optimizer")?);
            let state = optimizer.create_state(&*array(weight, "weight")?)?;
            give_all(state.to_arrays(), states, num_states, "states")
        }
    })
}

/// Changes a weight and its state by its gradient, as its update number `t`, which `mxr_optimizer_count`
/// gives. `states` are those of `mxr_optimizer_create_state`. `mxr_updater_update` counts and keeps states by
/// itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_step(
    optimizer: *const mxr_optimizer_t,
    index: i64,
    t: i64,
    weight: *mut mxr_array_t,
    grad: *mut mxr_array_t,
    states: *const *mut mxr_array_t,
    num_states: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives as many handles as it says.
        unsafe {
            let mut optimizer = lock(behind(optimizer, "optimizer")?);
            let (weight, grad) = (array(weight, "weight")?, array(grad, "grad")?);
            let state = optimizer.state(as_arrays(&arrays(states, num_states, "states")?).to_vec())?;
            optimizer.step(index, t, &weight, &grad, &state)
        }
    })
}

/// Takes another reference to an optimizer, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_retain(optimizer: *mut mxr_optimizer_t) -> *mut mxr_optimizer_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(optimizer) }
}

/// Gives a reference back. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_optimizer_free(optimizer: *mut mxr_optimizer_t) {
    // SAFETY: the caller gives a handle that it owns, or NULL.
    unsafe { shared::free(optimizer) }
}
