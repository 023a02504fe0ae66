//! Runs one operator on arrays: checks, makes the outputs, hands the work to the engine.
//!
//! Everything that arguments, shapes and dtypes can show to be wrong is reported by the call. What only
//! running shows lives on the outputs and is reported by whoever waits for them.

use crate::device::Device;
use crate::dtype::DType;
use crate::engine::{self, Begin, PushOptions, Resource, Var};
use crate::error::{Error, ErrorCode, Result};
use crate::ndarray::NdArray;
use crate::op::infer::{DTypeInfer, ShapeInfer};
use crate::op::kernel::{Kernel, Tensor};
use crate::op::operator::OpRef;
use crate::op::pointwise;
use crate::rng;
use crate::storage::{Storage, pool};
use smallvec::SmallVec;
use std::sync::Arc;

/// What to do with an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Req {
    /// Nobody wants it.
    Null = 0,
    /// Write it.
    Write = 1,
    /// Write it; the caller knows that it shares memory with an input.
    InPlace = 2,
    /// Add it to what is there.
    Add = 3,
}

/// The outputs of a call.
pub type Outputs = SmallVec<[NdArray; 1]>;

/// The circumstances of a call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Call {
    /// A model is being trained.
    pub training: bool,
    /// Device for operators without inputs that name none.
    pub device: Device,
    /// Outputs may share memory with inputs where the operator merely gives them another shape.
    pub may_alias: bool,
    /// Random numbers that another call has drawn, for one that repeats it.
    pub random: Option<rng::Stream>,
}

/// Runs `op` on `inputs`. `out[i]`, where given, receives output `i`; other outputs are made. Only visible
/// and hidden outputs together, in order, are returned.
///
/// # Errors
/// Everything that can be told from arguments, shapes and dtypes, naming operator and argument.
pub fn invoke(
    op: &OpRef,
    inputs: &[NdArray],
    out: &[Option<(NdArray, Req)>],
    call: &Call,
) -> Result<Outputs> {
    if let Some(output) = uniform(op, inputs, out) {
        return output.map(|a| Outputs::from_iter([a]));
    }
    prepare(op, inputs, out, call).map_err(|e| e.in_operator(op.def.meta.name))
}

/// The short way for small elementwise calls on arrays of one shape and dtype, which need no inference. `None` if
/// the call is not of this kind or cannot run at once.
fn uniform(op: &OpRef, inputs: &[NdArray], out: &[Option<(NdArray, Req)>]) -> Option<Result<NdArray>> {
    const MOST: usize = 3;
    let k = inputs.len();
    if !op.op.uniform() || k > MOST || op.def.meta.inputs.len() != k || out.iter().any(Option::is_some) {
        return None;
    }
    let first = inputs.first()?;
    let (shape, dtype, device) = (first.known_shape()?, first.dtype(), first.device());
    let alike = |a: &NdArray| a.dtype() == dtype && a.device() == device && a.known_shape() == Some(shape);
    if dtype == DType::Bool || !op.def.meta.dtypes.contains(dtype) || !inputs[1..].iter().all(alike) {
        return None;
    }
    let n = shape.len();
    if !engine::should_inline(n * (k + 1)) {
        return None;
    }
    let arithmetic = op.op.pointwise()?;
    let kernel = pointwise::direct(&arithmetic, dtype)?;
    let mut reads = [first.storage().var(); MOST];
    for (read, a) in reads.iter_mut().zip(inputs) {
        *read = a.storage().var();
    }
    let output = match NdArray::empty(shape.clone(), dtype, device) {
        Ok(output) => output,
        Err(e) => return Some(Err(e)),
    };
    let writes = [output.storage().var()];
    match engine::begin(&reads[..k], &writes) {
        Begin::Ready => {
            let mut sources = [std::ptr::null(); MOST];
            let addresses =
                inputs.iter().zip(&mut sources).try_for_each(|(a, s)| a.data().map(|d| *s = d.cast_const()));
            let done =
                addresses.and_then(|()| output.data()).map(|target| kernel.run(&sources[..k], target, n));
            engine::finish(&reads[..k], &writes, done.map_err(|e| e.in_operator(op.def.meta.name)));
        }
        Begin::Failed(_) => {}
        Begin::Busy => return None,
    }
    Some(Ok(output))
}

fn prepare(op: &OpRef, inputs: &[NdArray], out: &[Option<(NdArray, Req)>], call: &Call) -> Result<Outputs> {
    check_arity(op, inputs.len())?;
    let device = device_of(op, inputs, out, call)?;
    let n_out = op.op.num_outputs();
    if out.len() > n_out {
        crate::bail!(InvalidValue, "expected at most {n_out} outputs in 'out', got {}", out.len());
    }
    let given = |i: usize| out.get(i).and_then(|o| o.as_ref());

    let dynamic = op.op.dynamic_shape();
    let (dtypes, shapes) = infer(op, inputs, out)?;

    if let (true, Some(i)) = (call.may_alias && out.iter().all(Option::is_none), op.op.view_of(&shapes)) {
        let shape = shapes.output(0).filter(|s| s.is_known()).ok_or_else(|| unknown_output(0))?;
        return Ok(Outputs::from_iter([inputs[i].reshape(shape)?]));
    }

    let random = match op.op.draws(&shapes, call.training) {
        0 => rng::Stream::default(),
        n => call.random.unwrap_or_else(|| rng::generator(device).reserve(n)),
    };
    let cost = op.op.cost(&shapes);
    let mut outputs = Outputs::new();
    let mut requests: SmallVec<[Request; 1]> = SmallVec::new();
    for (i, dtype) in dtypes.iter().enumerate() {
        let dtype = dtype.ok_or_else(|| unknown_output(i))?;
        let (array, request) = match given(i) {
            _ if dynamic && i == 0 => (NdArray::pending_shape(dtype, device), Request::Direct),
            Some((array, req)) => {
                check_out(array, dtype, shapes.output(i))?;
                (array.clone(), request_of(op, i, array, *req, inputs))
            }
            None => {
                let shape = shapes.output(i).filter(|s| s.is_known()).ok_or_else(|| unknown_output(i))?;
                (NdArray::empty(shape.clone(), dtype, device)?, Request::Direct)
            }
        };
        outputs.push(array);
        requests.push(request);
    }
    for (array, _) in out.iter().flatten() {
        array.storage().bump_version();
    }
    for (_, a) in inputs.iter().enumerate().filter(|(i, _)| op.mutates(*i)) {
        a.storage().bump_version();
    }
    start(op, inputs, &outputs, requests, Circumstances { training: call.training, random, dynamic }, cost)?;
    Ok(outputs)
}

/// The dtypes and shapes of a call's outputs, as far as they follow from the inputs.
///
/// # Errors
/// Everything that shapes, dtypes and attributes show to be wrong.
pub(crate) fn infer<'a>(
    op: &'a OpRef,
    inputs: &[NdArray],
    out: &[Option<(NdArray, Req)>],
) -> Result<(SmallVec<[Option<DType>; 2]>, ShapeInfer<'a>)> {
    let n_out = op.op.num_outputs();
    // What `out` says helps where inputs and attributes leave something open.
    let dynamic = op.op.dynamic_shape();
    let known = |i: usize| out.get(i).and_then(Option::as_ref).filter(|_| !dynamic).map(|(array, _)| array);
    let mut types = DTypeInfer::new(
        op,
        inputs.iter().map(|a| Some(a.dtype())),
        (0..n_out).map(|i| known(i).map(NdArray::dtype)),
    );
    op.op.infer_dtype(&mut types)?;
    let mut shapes =
        ShapeInfer::new(op, [], (0..n_out).map(|i| known(i).and_then(NdArray::known_shape).cloned()));
    for a in inputs {
        shapes.push_input(a.shape()?.clone());
    }
    op.op.infer_shape(&mut shapes)?;
    op.op.check(&shapes)?;
    Ok((types.into_outputs(), shapes))
}

/// Refuses a number of inputs that the operator does not take.
pub(crate) fn check_arity(op: &OpRef, n: usize) -> Result<()> {
    let schema = &op.def.meta.inputs;
    let required = schema.iter().filter(|i| !i.optional && !i.variadic).count();
    let (low, high) = match op.arity() {
        Some(k) => (k, k),
        None => (required, usize::MAX),
    };
    if n < low {
        return Err(crate::err!(InvalidValue, "this input is missing: expected {low} inputs, got {n}")
            .about(&op.input_name(n)));
    }
    if n > high {
        let names: Vec<_> = (0..high).map(|i| op.input_name(i)).collect();
        crate::bail!(InvalidValue, "expected {high} inputs ({}), got {n}", names.join(", "));
    }
    Ok(())
}

fn device_of(op: &OpRef, inputs: &[NdArray], out: &[Option<(NdArray, Req)>], call: &Call) -> Result<Device> {
    let arrays = || inputs.iter().chain(out.iter().flatten().map(|(a, _)| a));
    let Some(first) = arrays().next() else { return Ok(op.op.device().unwrap_or(call.device)) };
    let device = first.device();
    if let Some(other) = arrays().find(|a| a.device() != device) {
        let i = inputs.iter().position(|a| a.device() != device);
        let name = i.map_or_else(|| "out".to_owned(), |i| op.input_name(i));
        return Err(
            crate::err!(Device, "expected an array on {device}, got one on {}", other.device()).about(&name)
        );
    }
    Ok(device)
}

fn unknown_output(i: usize) -> Error {
    crate::err!(Shape, "the shape or dtype of output {i} does not follow from the arguments")
}

fn check_out(array: &NdArray, dtype: DType, shape: Option<&crate::Shape>) -> Result<()> {
    if array.dtype() != dtype {
        return Err(crate::err!(DType, "expected dtype {dtype}, got {}", array.dtype()).about("out"));
    }
    if let Some(shape) = shape.filter(|s| *s != array.known_shape().unwrap_or(s)) {
        return Err(crate::err!(Shape, "expected shape {shape}, got {}", array.shape()?).about("out"));
    }
    Ok(())
}

/// How an output gets to where it belongs.
#[derive(Clone, Copy, PartialEq)]
enum Request {
    /// The kernel writes it there.
    Direct,
    /// The kernel adds it there.
    Accumulate,
    /// It is made elsewhere and then copied.
    Copy,
    /// It is made elsewhere and then added.
    Add,
    /// It is made elsewhere and forgotten.
    Forget,
}

fn request_of(op: &OpRef, i: usize, array: &NdArray, req: Req, inputs: &[NdArray]) -> Request {
    let elementwise = op.op.pointwise().is_some();
    let clash = inputs.iter().enumerate().any(|(j, a)| {
        let safe = (elementwise || op.op.overwrites(j, i)) && a.same_elements(array);
        !safe && !op.input(j).shape_only && a.overlaps(array)
    });
    match req {
        Req::Null => Request::Forget,
        Req::Add if !clash && i == 0 && (elementwise || op.op.accumulates()) => Request::Accumulate,
        Req::Add => Request::Add,
        Req::Write | Req::InPlace if clash => Request::Copy,
        Req::Write | Req::InPlace => Request::Direct,
    }
}

#[derive(Clone, Copy)]
struct Circumstances {
    training: bool,
    random: rng::Stream,
    dynamic: bool,
}

fn start(
    op: &OpRef,
    inputs: &[NdArray],
    outputs: &[NdArray],
    requests: SmallVec<[Request; 1]>,
    around: Circumstances,
    cost: usize,
) -> Result<()> {
    // An output that is only partly written, or added to, keeps an earlier error.
    let keeps = |(a, r): (&NdArray, &Request)| {
        matches!(r, Request::Accumulate | Request::Add)
            || a.known_shape().is_some_and(|s| s.len() * a.dtype().size() < a.storage().bytes())
    };
    let written = |i: &usize| op.mutates(*i);
    let reads = inputs.iter().enumerate().filter(|(i, _)| !op.input(*i).shape_only).map(|(_, a)| a);
    let reads = reads.chain(outputs.iter().zip(&requests).filter(|o| keeps(*o)).map(|(a, _)| a));
    let states = inputs.iter().enumerate().filter(|(i, _)| written(i)).map(|(_, a)| a);
    let writes = outputs.iter().chain(states);
    if engine::should_inline(cost) {
        let reads: SmallVec<[&Var; 4]> = reads.clone().map(|a| a.storage().var()).collect();
        let writes: SmallVec<[&Var; 4]> = writes.clone().map(|a| a.storage().var()).collect();
        match engine::begin(&reads, &writes) {
            Begin::Ready => {
                let done = guarded(op, inputs, outputs, &requests, around);
                engine::finish(&reads, &writes, done);
                return Ok(());
            }
            Begin::Failed(_) => return Ok(()),
            Begin::Busy => {}
        }
    }
    let handle = |a: &NdArray| -> Arc<dyn Resource> { a.storage().clone() };
    let bytes = outputs.iter().map(|a| a.storage().bytes()).sum();
    let options = PushOptions { priority: 0, bytes, name: op.def.meta.name };
    let (reads, writes) = (reads.map(handle).collect(), writes.map(handle).collect());
    let op = op.clone();
    let inputs: SmallVec<[NdArray; 4]> = SmallVec::from(inputs);
    let outputs: SmallVec<[NdArray; 2]> = SmallVec::from(outputs);
    let task = move || execute(&op, &inputs, &outputs, &requests, around);
    engine::push(Box::new(task), reads, writes, options)
}

/// Runs on the caller's thread, so a panic of a kernel must become an error here.
fn guarded(
    op: &OpRef,
    inputs: &[NdArray],
    outputs: &[NdArray],
    requests: &[Request],
    around: Circumstances,
) -> Result<()> {
    let run = std::panic::AssertUnwindSafe(|| execute(op, inputs, outputs, requests, around));
    let done = std::panic::catch_unwind(run).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
        Err(Error::new(ErrorCode::Internal, format!("the kernel panicked: {text}")))
    });
    done.map_err(|e| e.in_operator(op.def.meta.name))
}

/// A buffer for an output that cannot be made in its place.
struct Scratch {
    data: *mut u8,
    bytes: usize,
}

impl Scratch {
    fn new(bytes: usize) -> Result<Scratch> {
        Ok(Scratch { data: pool::allocate(bytes)?, bytes })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: the buffer came from `allocate` with this size and dies here.
        unsafe { pool::release(self.data, self.bytes) }
    }
}

fn tensor<'a>(array: &'a NdArray, shape_only: bool) -> Result<Tensor<'a>> {
    static NO_SHAPE: std::sync::LazyLock<crate::Shape> = std::sync::LazyLock::new(|| [0].into());
    let data = if shape_only || array.known_shape().is_none() {
        std::ptr::NonNull::<u64>::dangling().as_ptr().cast()
    } else {
        array.data()?
    };
    Ok(Tensor { data, shape: array.known_shape().unwrap_or(&NO_SHAPE), dtype: array.dtype() })
}

/// Runs an operator's arithmetic or kernel.
pub(crate) fn run(op: &OpRef, kernel: &mut Kernel) -> Result<()> {
    let done = match op.op.pointwise() {
        Some(arithmetic) => pointwise::run(&arithmetic, kernel),
        None => op.op.forward(kernel),
    };
    done.map_err(|e| e.in_operator(op.def.meta.name))
}

fn execute(
    op: &OpRef,
    inputs: &[NdArray],
    outputs: &[NdArray],
    requests: &[Request],
    around: Circumstances,
) -> Result<()> {
    let mut scratch: SmallVec<[Option<Scratch>; 2]> = SmallVec::new();
    let mut targets: SmallVec<[Tensor; 2]> = SmallVec::new();
    for (array, request) in outputs.iter().zip(requests) {
        let mut target = tensor(array, *request == Request::Forget)?;
        let direct = matches!(request, Request::Direct | Request::Accumulate);
        let buffer =
            if direct { None } else { Some(Scratch::new(target.shape.len() * target.dtype.size())?) };
        if let Some(buffer) = &buffer {
            target.data = buffer.data;
        }
        targets.push(target);
        scratch.push(buffer);
    }
    let sources: Result<SmallVec<[Tensor; 4]>> =
        inputs.iter().enumerate().map(|(i, a)| tensor(a, op.input(i).shape_only)).collect();
    let mut kernel = Kernel {
        inputs: sources?,
        outputs: targets,
        accumulate: requests.first() == Some(&Request::Accumulate),
        training: around.training,
        random: around.random,
        pending: around.dynamic.then(|| &outputs[0]),
    };
    run(op, &mut kernel)?;
    for ((array, request), buffer) in outputs.iter().zip(requests).zip(&scratch) {
        let Some(buffer) = buffer else { continue };
        let target = array.data()?;
        match request {
            // SAFETY: both have the output's bytes, and the engine granted writing.
            Request::Copy => unsafe { std::ptr::copy_nonoverlapping(buffer.data, target, buffer.bytes) },
            Request::Add => pointwise::add_assign(array.dtype(), target, buffer.data, buffer.bytes),
            _ => {}
        }
    }
    Ok(())
}

/// Copies `from` to `to`, which has the same shape and dtype, when both are ready.
///
/// # Errors
/// `Shape` or `DType` if they differ.
pub fn copy_to(from: &NdArray, to: &NdArray) -> Result<()> {
    if from.dtype() != to.dtype() {
        crate::bail!(DType, "expected an array of {}, got one of {}", to.dtype(), from.dtype());
    }
    convert_to(from, to)
}

/// Copies `from` to `to`, which has the same shape, when both are ready. Elements become the nearest ones of the
/// dtype of `to`.
///
/// # Errors
/// `Shape` if they differ in shape.
pub fn convert_to(from: &NdArray, to: &NdArray) -> Result<()> {
    if from.shape()? != to.shape()? {
        crate::bail!(Shape, "expected an array of shape {}, got one of {}", to.shape()?, from.shape()?);
    }
    to.storage().bump_version();
    let len = from.len()?;
    let bytes = len * to.dtype().size();
    let (a, b) = (from.clone(), to.clone());
    let task = move || {
        let (from, to) = (a.data()?, b.data()?);
        if a.dtype() == b.dtype() {
            // SAFETY: the engine granted reading one and writing the other; `copy` allows them to overlap.
            unsafe { std::ptr::copy(from, to, bytes) };
        } else {
            // SAFETY: as above; arrays of two dtypes do not overlap.
            crate::with_dtype!(a.dtype(), A => crate::with_dtype!(b.dtype(), B => unsafe {
                convert::<A, B>(from.cast(), to.cast(), len);
            }));
        }
        Ok(())
    };
    let mut reads: SmallVec<[Arc<dyn Resource>; 4]> = SmallVec::new();
    reads.push(from.storage().clone() as Arc<Storage>);
    if bytes < to.storage().bytes() {
        reads.push(to.storage().clone());
    }
    let writes = SmallVec::from_iter([to.storage().clone() as Arc<dyn Resource>]);
    engine::push(Box::new(task), reads, writes, PushOptions { priority: 0, bytes: 0, name: "copy" })
}

/// # Safety
/// Both have `len` elements and do not overlap; one may be read, the other written.
unsafe fn convert<A: crate::dtype::Element, B: crate::dtype::Element>(
    from: *const A,
    to: *mut B,
    len: usize,
) {
    for i in 0..len {
        // SAFETY: the caller's promise.
        unsafe { to.add(i).write(B::from_f64(from.add(i).read().to_f64())) };
    }
}
