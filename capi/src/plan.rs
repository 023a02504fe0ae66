//! Plans: what a symbol takes and does when it is compiled, known without running it.

use crate::attr::{length, owned_string, slice, string};
use crate::error::{guard, mxr_error_t};
use crate::op::request;
use crate::out::out;
use crate::shared::{self, Handle, behind, give};
use crate::symbol::{mxr_symbol_t, symbol};
use crate::text::{give_texts, mxr_texts_t};
use mxr_core::graph::Symbol;
use mxr_core::graph::compile::{Options, compile_observed};
use mxr_core::graph::ir::Type;
use mxr_core::graph::plan::Plan;
use mxr_core::graph::recompute::{Budget, asked_by_environment};
use mxr_core::op::Req;
use mxr_core::{DType, Device, Result, Shape, err};
use std::ffi::c_char;
use std::sync::Arc;

/// A compiled symbol.
pub struct mxr_plan_t {
    _opaque: [u8; 0],
}

impl Handle for mxr_plan_t {
    type Thing = Compiled;
    const NAME: &'static str = "plan";
}

/// What a handle of a plan stands for.
pub struct Compiled {
    plan: Arc<Plan>,
    /// Name, text and picture of the graph after each pass.
    passes: Vec<String>,
}

/// Compile for training: dropout drops, batch normalisation takes the batch's statistics.
pub const MXR_PLAN_TRAINING: u32 = 1;
/// Do not fuse elementwise operators.
pub const MXR_PLAN_NO_FUSION: u32 = 2;
/// Do not simplify: no constants are folded, no common subexpressions shared.
pub const MXR_PLAN_NO_SIMPLIFICATION: u32 = 4;
/// For prediction, do nothing that changes rounding: fold no operators into others and take no other algorithms.
pub const MXR_PLAN_NO_FOLDING: u32 = 8;
/// For prediction, do not take faster algorithms that round differently, as Winograd's convolution.
pub const MXR_PLAN_NO_ALGORITHMS: u32 = 256;
/// Give every value memory of its own.
pub const MXR_PLAN_NO_SHARING: u32 = 16;
/// Compute results of cheap operators again in the backward pass, as MXNET_BACKWARD_DO_MIRROR=1 asks for.
pub const MXR_PLAN_MIRROR: u32 = 32;
/// Keep the graph after each pass, for `mxr_plan_passes`.
pub const MXR_PLAN_KEEP_PASSES: u32 = 64;
/// Keep all that the backward pass reads, unless there is a budget: cheap operators are not repeated.
pub const MXR_PLAN_NO_REPEATING: u32 = 128;

/// The budget of a plan: as little as can be found.
pub const MXR_BUDGET_LEAST: i64 = -1;

/// How to compile. Zero, or a NULL pointer to it, means: for prediction, without a budget, on `cpu(0)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mxr_plan_options_t {
    /// Size of this struct as the caller knows it.
    pub struct_size: u32,
    /// `MXR_PLAN_…`, combined.
    pub flags: u32,
    /// Bytes that activations, their gradients and workspaces may take; 0 for no limit; `MXR_BUDGET_LEAST`.
    pub budget: i64,
    /// Kind of the device: 1 cpu, 2 gpu; 0 for `cpu(0)`.
    pub device_kind: i32,
    /// Number of that device.
    pub device_id: i32,
}

/// What a plan takes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mxr_plan_report_t {
    /// Size of this struct as the caller knows it.
    pub struct_size: u32,
    /// Unused.
    pub reserved: u32,
    /// Bytes of activations, their gradients and workspaces at their peak, outputs included.
    pub peak_bytes: i64,
    /// Bytes of parameters and other variables and of the gradients that are asked for.
    pub parameter_bytes: i64,
    /// `peak_bytes` if every value had memory of its own.
    pub unplanned_bytes: i64,
    /// Bytes of the memory that activations share.
    pub arena_bytes: i64,
    /// Bytes of the largest workspace of an operator.
    pub workspace_bytes: i64,
    /// Floating-point operations, repeated ones included.
    pub flops: i64,
    /// Those of operators that are repeated to save memory.
    pub again_flops: i64,
    /// Number of kernel calls.
    pub steps: i64,
}

/// Copies an options struct of which the caller may know only a part.
pub(crate) unsafe fn known_part<T: Copy>(given: *const T, mut full: T) -> T {
    if !given.is_null() {
        // SAFETY: the caller's struct begins with its size, and that many bytes of it exist.
        unsafe {
            let size = (*given.cast::<u32>() as usize).min(size_of::<T>());
            std::ptr::copy_nonoverlapping(given.cast::<u8>(), (&raw mut full).cast::<u8>(), size);
        }
    }
    full
}

/// The options that a caller's struct means, and whether passes are kept.
pub(crate) unsafe fn options(given: *const mxr_plan_options_t) -> Result<(Options, bool)> {
    let none = mxr_plan_options_t { struct_size: 0, flags: 0, budget: 0, device_kind: 0, device_id: 0 };
    // SAFETY: the caller's promise.
    let o = unsafe { known_part(given, none) };
    let is = |flag: u32| o.flags & flag != 0;
    let budget = match o.budget {
        0 => None,
        MXR_BUDGET_LEAST => Some(Budget::Least),
        bytes => {
            let bytes = usize::try_from(bytes);
            Some(Budget::Bytes(
                bytes.map_err(|_| err!(InvalidValue, "expected a number of bytes").about("budget"))?,
            ))
        }
    };
    let device = match o.device_kind {
        0 => Device::default(),
        kind => Device::from_code(kind, o.device_id)?,
    };
    let mut options = Options {
        training: is(MXR_PLAN_TRAINING),
        budget,
        mirror: is(MXR_PLAN_MIRROR) || asked_by_environment()?,
        fold: !is(MXR_PLAN_NO_FOLDING),
        algorithms: !is(MXR_PLAN_NO_FOLDING) && !is(MXR_PLAN_NO_ALGORITHMS),
        simplify: !is(MXR_PLAN_NO_SIMPLIFICATION),
        fuse: !is(MXR_PLAN_NO_FUSION),
        spare: !is(MXR_PLAN_NO_REPEATING),
        device,
        ..Options::default()
    };
    if is(MXR_PLAN_NO_SHARING) {
        (options.sharing.in_place, options.sharing.reuse) = (false, false);
    }
    Ok((options, is(MXR_PLAN_KEEP_PASSES)))
}

/// What is known of a symbol's variables, by name. NULL, or zero, means: nothing.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mxr_known_t {
    /// Size of this struct as the caller knows it.
    pub struct_size: u32,
    /// Number of shapes.
    pub num_shapes: i32,
    /// Variables of which shapes are given.
    pub shape_names: *const *const c_char,
    /// Sizes of the axes of each; -1 is one that is not known.
    pub shapes: *const *const i64,
    /// Number of axes of each.
    pub num_axes: *const i32,
    /// Variables of which dtypes are given.
    pub dtype_names: *const *const c_char,
    /// The dtypes.
    pub dtypes: *const i32,
    /// Number of dtypes.
    pub num_dtypes: i32,
    /// Number of requests.
    pub num_requests: i32,
    /// Variables of which requests are given.
    pub request_names: *const *const c_char,
    /// What to do with their gradients: `MXR_REQUEST_…`.
    pub requests: *const i32,
    /// What to do with the gradients of other arguments.
    pub other_requests: i32,
}

/// Types and requests of all variables of a symbol, as far as they follow from what is known.
pub(crate) unsafe fn known(symbol: &Symbol, given: *const mxr_known_t) -> Result<(Vec<Type>, Vec<Req>)> {
    let none = mxr_known_t {
        struct_size: 0,
        num_shapes: 0,
        shape_names: std::ptr::null(),
        shapes: std::ptr::null(),
        num_axes: std::ptr::null(),
        dtype_names: std::ptr::null(),
        dtypes: std::ptr::null(),
        num_dtypes: 0,
        num_requests: 0,
        request_names: std::ptr::null(),
        requests: std::ptr::null(),
        other_requests: 0,
    };
    // SAFETY: the caller's struct says how much of everything there is.
    unsafe {
        let k = known_part(given, none);
        let shapes = self::shapes(k.shape_names, k.shapes, k.num_axes, k.num_shapes)?;
        let n = length(k.num_dtypes.into(), "num_dtypes")?;
        let names = slice(k.dtype_names, n, "dtype_names")?.iter();
        let dtypes = names.zip(slice(k.dtypes, n, "dtypes")?);
        let dtypes = dtypes.map(|(name, code)| Ok((string(*name, "dtype_names")?, DType::from_code(*code)?)));
        let n = length(k.num_requests.into(), "num_requests")?;
        let names = slice(k.request_names, n, "request_names")?.iter();
        let requests = names.zip(slice(k.requests, n, "requests")?);
        let requests = requests.map(|(name, code)| Ok((string(*name, "request_names")?, request(*code)?)));
        let types = symbol.infer_types(&shapes, &dtypes.collect::<Result<Vec<_>>>()?)?;
        let requests = symbol.requests(&requests.collect::<Result<Vec<_>>>()?, request(k.other_requests)?)?;
        Ok((types, requests))
    }
}

/// `n` names with shapes.
unsafe fn shapes<'a>(
    names: *const *const c_char,
    shapes: *const *const i64,
    num_axes: *const i32,
    n: i32,
) -> Result<Vec<(&'a str, Shape)>> {
    // SAFETY: the caller promises `n` of each.
    unsafe {
        let n = length(n.into(), "num_shapes")?;
        let (names, num_axes) = (slice(names, n, "shape_names")?, slice(num_axes, n, "num_axes")?);
        let each = slice(shapes, n, "shapes")?.iter().zip(names).zip(num_axes);
        each.map(|((dims, name), axes)| {
            let dims = slice(*dims, length((*axes).into(), "num_axes")?, "shapes")?;
            Ok((string(*name, "shape_names")?, dims.iter().map(|d| (*d).max(-1)).collect()))
        })
        .collect()
    }
}

/// A handle for a plan.
pub(crate) fn give_plan(plan: Arc<Plan>, passes: Vec<String>) -> *mut mxr_plan_t {
    give(Arc::new(Compiled { plan, passes }))
}

/// Compiles a symbol for variables of which `known` says what is known. Nothing runs and no memory is taken.
/// @nullable known, options
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_plan_new(
    symbol: *const mxr_symbol_t,
    known: *const mxr_known_t,
    options: *const mxr_plan_options_t,
    plan: *mut *mut mxr_plan_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, structs or NULL, and a place for the new handle.
        unsafe {
            let plan = out(plan, "plan")?;
            let symbol = self::symbol(symbol, "symbol")?;
            let (types, requests) = self::known(symbol, known)?;
            let (options, keep) = self::options(options)?;
            let mut passes = vec![];
            let made =
                compile_observed(symbol, &types, &Options { requests, ..options }, &mut |pass, graph| {
                    if keep {
                        passes.extend([pass.to_owned(), graph.to_text(), graph.to_dot()]);
                    }
                })?;
            plan.write(give_plan(Arc::new(made), passes));
        }
        Ok(())
    })
}

/// What a plan takes. `report->struct_size` says how much of it the caller knows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_plan_report(
    plan: *const mxr_plan_t,
    report: *mut mxr_plan_report_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a struct that begins with its size.
        unsafe {
            out(report, "report")?;
            let r = &behind(plan, "plan")?.plan.report;
            let size = (*report).struct_size;
            let full = mxr_plan_report_t {
                struct_size: size,
                reserved: 0,
                peak_bytes: r.peak_bytes as i64,
                parameter_bytes: r.parameter_bytes as i64,
                unplanned_bytes: r.unplanned_bytes as i64,
                arena_bytes: r.arena_bytes as i64,
                workspace_bytes: r.workspace_bytes as i64,
                flops: r.flops as i64,
                again_flops: r.again_flops as i64,
                steps: r.steps as i64,
            };
            let size = (size as usize).min(size_of::<mxr_plan_report_t>());
            std::ptr::copy_nonoverlapping((&raw const full).cast::<u8>(), report.cast::<u8>(), size);
        }
        Ok(())
    })
}

/// The plan for people: what it takes and all its calls. The caller owns the text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_plan_text(plan: *const mxr_plan_t, text: *mut *mut c_char) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the text.
        unsafe { out(text, "text")?.write(owned_string(&behind(plan, "plan")?.plan.to_string())) };
        Ok(())
    })
}

/// What the compiler chose to do that changes rounding, or that repeats operators, in words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_plan_choices(
    plan: *const mxr_plan_t,
    choices: *mut *mut mxr_texts_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let choices = out(choices, "choices")?;
            choices.write(give_texts(behind(plan, "plan")?.plan.report.choices.clone()));
        }
        Ok(())
    })
}

/// The graph after each pass, with `MXR_PLAN_KEEP_PASSES`: the pass's name, the graph as text and in the language
/// of Graphviz; and again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_plan_passes(
    plan: *const mxr_plan_t,
    passes: *mut *mut mxr_texts_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe { out(passes, "passes")?.write(give_texts(behind(plan, "plan")?.passes.clone())) };
        Ok(())
    })
}

/// Takes another reference to a plan, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_plan_retain(plan: *mut mxr_plan_t) -> *mut mxr_plan_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(plan) }
}

/// Gives a reference back. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_plan_free(plan: *mut mxr_plan_t) {
    // SAFETY: the caller gives a handle that owns a reference, or NULL.
    unsafe { shared::free(plan) }
}
