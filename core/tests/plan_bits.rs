//! Planned results are equal to eager ones, to the bit: over the samples of all operators and over networks,
//! outputs, gradients, changed states and the random numbers that come next.

mod nets;

use mxr_core::autograd::{self, BackwardOptions, Mode};
use mxr_core::dtype::Element;
use mxr_core::graph::compile::Options;
use mxr_core::graph::executor::Executor;
use mxr_core::graph::memory::Sharing;
use mxr_core::graph::recompute::Budget;
use mxr_core::graph::{Entry, Node, Symbol};
use mxr_core::op::invoke::Call;
use mxr_core::op::sample::{Run, Sample};
use mxr_core::op::{DTypes, OpDef, Req, registry};
use mxr_core::{DType, Device, ErrorCode, NdArray, Result, Shape, rng, with_dtype};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Tests that seed the process's generator take turns.
static SEED: Mutex<()> = Mutex::new(());

fn array(shape: &Shape, values: &[f64], dtype: DType) -> NdArray {
    let a = NdArray::empty(shape.clone(), dtype, Device::cpu(0)).unwrap();
    let bytes: Vec<u8> = with_dtype!(dtype, T => {
        let elements: Vec<T> = values.iter().map(|v| T::from_f64(*v)).collect();
        // SAFETY: elements are plain numbers of this size.
        unsafe { std::slice::from_raw_parts(elements.as_ptr().cast(), size_of_val(&elements[..])) }.to_vec()
    });
    a.copy_from_bytes(&bytes).unwrap();
    a
}

fn bits(a: &NdArray) -> Vec<u8> {
    with_dtype!(a.dtype(), T => {
        let v = a.to_vec::<T>().unwrap();
        // SAFETY: elements are plain numbers of this size.
        unsafe { std::slice::from_raw_parts(v.as_ptr().cast::<u8>(), size_of_val(&v[..])) }.to_vec()
    })
}

fn copy(a: &NdArray) -> NdArray {
    let b = NdArray::empty(a.shape().unwrap().clone(), a.dtype(), a.device()).unwrap();
    b.copy_from_bytes(&bits(a)).unwrap();
    b
}

/// Everything that a run leaves behind.
#[derive(PartialEq)]
struct Left {
    names: Vec<String>,
    bits: Vec<Vec<u8>>,
    next_draw: u64,
}

impl Left {
    fn gather(outputs: &[NdArray], gradients: &[Option<NdArray>], variables: &[NdArray]) -> Left {
        let mut left = Left { names: vec![], bits: vec![], next_draw: 0 };
        let mut add = |what: &str, i: usize, a: &NdArray| {
            left.names.push(format!("{what} {i}"));
            left.bits.push(bits(a));
        };
        outputs.iter().enumerate().for_each(|(i, a)| add("output", i, a));
        gradients.iter().enumerate().for_each(|(i, a)| a.iter().for_each(|a| add("gradient", i, a)));
        variables.iter().enumerate().for_each(|(i, a)| add("variable", i, a));
        left.next_draw = rng::generator(Device::cpu(0)).reserve(0).base;
        left
    }

    fn differs(&self, other: &Left) -> Option<String> {
        if self.names != other.names {
            return Some(format!("{:?} against {:?}", self.names, other.names));
        }
        let differs = self.bits.iter().zip(&other.bits).position(|(a, b)| a != b);
        let differs = differs.map(|i| format!("{} {:?} {:?}", self.names[i], self.bits[i], other.bits[i]));
        differs.or_else(|| (self.next_draw != other.next_draw).then(|| "the next random number".to_owned()))
    }
}

/// A task: a symbol, its variables, what to do with gradients and the heads' gradients (ones if empty).
struct Task {
    symbol: Symbol,
    variables: Vec<NdArray>,
    requests: Vec<Req>,
    heads: Vec<NdArray>,
    training: bool,
}

impl Task {
    fn gradients(&self) -> Vec<Option<NdArray>> {
        let fresh = |(v, r): (&NdArray, &Req)| {
            // Where no gradient flows a plan writes zeros.
            let start = if *r == Req::Add { 0.5 } else { 0.0 };
            let full = || NdArray::full(v.shape().unwrap().clone(), start, v.dtype(), v.device()).unwrap();
            (*r != Req::Null).then(full)
        };
        self.variables.iter().zip(&self.requests).map(fresh).collect()
    }

    fn eager(&self) -> Result<Left> {
        rng::generator(Device::cpu(0)).seed(7);
        let variables: Vec<NdArray> = self.variables.iter().map(copy).collect();
        let gradients = self.gradients();
        for ((v, g), r) in variables.iter().zip(&gradients).zip(&self.requests) {
            if let Some(g) = g {
                autograd::mark_variables(std::slice::from_ref(v), std::slice::from_ref(g), &[*r])?;
            }
        }
        let recording = gradients.iter().any(Option::is_some);
        let mode = Mode { recording, call: Call { training: self.training, ..Call::default() } };
        let mut made: HashMap<*const Node, Vec<NdArray>> = HashMap::new();
        let mut next = variables.iter();
        for node in self.symbol.topo() {
            let outputs = match &node.op {
                None => vec![next.next().unwrap().clone()],
                Some(op) => {
                    let input = |e: &Entry| made[&Arc::as_ptr(&e.node)][e.index as usize].clone();
                    let inputs: Vec<NdArray> = node.inputs.iter().map(input).collect();
                    autograd::invoke(op, &inputs, &[], &mode)?.to_vec()
                }
            };
            made.insert(Arc::as_ptr(&node), outputs);
        }
        let output = |e: &Entry| made[&Arc::as_ptr(&e.node)][e.index as usize].clone();
        let outputs: Vec<NdArray> = self.symbol.outputs.iter().map(output).collect();
        if recording {
            let heads: Vec<_> = (0..outputs.len()).map(|i| self.heads.get(i).cloned()).collect();
            let known: Vec<usize> = (0..outputs.len()).filter(|i| outputs[*i].is_recorded()).collect();
            let pick = |v: &[NdArray]| known.iter().map(|i| v[*i].clone()).collect::<Vec<_>>();
            let heads: Vec<_> = known.iter().map(|i| heads[*i].clone()).collect();
            let options = BackwardOptions { training: self.training, ..BackwardOptions::default() };
            if !known.is_empty() {
                autograd::backward(&pick(&outputs), &heads, options)?;
            }
        }
        Ok(Left::gather(&outputs, &gradients, &variables))
    }

    fn planned(&self, options: &Options) -> Result<Left> {
        rng::generator(Device::cpu(0)).seed(7);
        let variables: Vec<NdArray> = self.variables.iter().map(copy).collect();
        let gradients = self.gradients();
        let executor = Executor::bind(
            &self.symbol,
            variables.clone(),
            gradients.clone(),
            self.requests.clone(),
            None,
            options.clone(),
        )?;
        executor.forward(self.training)?;
        if gradients.iter().any(Option::is_some) {
            executor.backward(&self.heads)?;
        }
        let left = Left::gather(&executor.outputs()?, &gradients, &variables);
        // A second run on the same memory gives the same, unless states or random numbers moved on.
        if left.next_draw == 0
            && self.symbol.list_auxiliary_states().is_empty()
            && !self.requests.contains(&Req::Add)
        {
            executor.forward(self.training)?;
            if gradients.iter().any(Option::is_some) {
                executor.backward(&self.heads)?;
            }
            let again = Left::gather(&executor.outputs()?, &gradients, &variables);
            assert!(left.differs(&again).is_none(), "the second run differs: {:?}", left.differs(&again));
        }
        Ok(left)
    }

    fn check(&self) -> Result<(), String> {
        let text = |e: mxr_core::Error| e.to_string();
        let eager = self.eager().map_err(text)?;
        for (name, options) in ways() {
            let planned = self.planned(&options).map_err(|e| format!("{name}: {e}"))?;
            if let Some(what) = eager.differs(&planned) {
                return Err(format!("{name}: {what} differs"));
            }
        }
        Ok(())
    }
}

/// Ways to compile that must all give the same.
fn ways() -> Vec<(&'static str, Options)> {
    let nothing = Sharing { views: false, in_place: false, reuse: false };
    vec![
        (
            "unplanned",
            Options { simplify: false, fuse: false, sharing: nothing, fold: false, ..Options::default() },
        ),
        ("shared memory", Options { simplify: false, fuse: false, fold: false, ..Options::default() }),
        ("planned", Options { fold: false, ..Options::default() }),
        ("least memory", Options { budget: Some(Budget::Least), fold: false, ..Options::default() }),
        ("cheap calls repeated", Options { mirror: true, fold: false, ..Options::default() }),
    ]
}

fn task_of_sample(def: &'static OpDef, sample: &Sample, dtype: DType) -> Result<Task> {
    let op = def.with_named(&sample.attrs)?;
    let variables: Vec<NdArray> =
        sample.inputs.iter().map(|i| array(&i.shape, &i.elements(), i.dtype.unwrap_or(dtype))).collect();
    let inputs = (0..variables.len())
        .map(|i| Symbol::variable(format!("x{i}"), Default::default()).outputs[0].clone());
    let node = Node::new(Some(op.clone()), "node", Default::default(), inputs.collect());
    let node = Arc::new(node);
    let visible = op.op.num_visible_outputs() as u32;
    let symbol = Symbol { outputs: (0..visible).map(|i| Entry::new(node.clone(), i)).collect() };
    let request = |a: &NdArray| if sample.gradient && a.dtype().is_float() { Req::Write } else { Req::Null };
    let requests =
        variables.iter().enumerate().map(|(i, a)| if op.mutates(i) { Req::Null } else { request(a) });
    Ok(Task { symbol, requests: requests.collect(), variables, heads: vec![], training: sample.training })
}

/// Gradients of the outputs in which every element differs from its neighbours.
fn with_heads(mut task: Task) -> Result<Task> {
    let types = {
        let plain = Executor::bind(
            &task.symbol,
            task.variables.iter().map(copy).collect(),
            vec![],
            vec![],
            None,
            Options::default(),
        )?;
        if plain.outputs().is_err() {
            plain.forward(task.training)?;
        }
        plain.outputs()?.iter().map(|o| (o.shape().unwrap().clone(), o.dtype())).collect::<Vec<_>>()
    };
    let head = |(shape, dtype): &(Shape, DType)| {
        let values: Vec<f64> = (0..shape.len()).map(|j| [0.5, -1.0, 1.5, 0.25, -0.75][j % 5]).collect();
        array(shape, &values, *dtype)
    };
    task.heads = types.iter().map(head).collect();
    Ok(task)
}

#[test]
fn every_operator_gives_the_same_bits_planned_as_eager() {
    let _turn = SEED.lock();
    let mut failures = vec![];
    for def in registry().ops() {
        for sample in (def.samples)().iter().filter(|s| s.error.is_none()) {
            let dtypes: Vec<DType> = match sample.run {
                Run::Float => def.meta.dtypes.iter().filter(|d| DTypes::FLOAT.contains(*d)).collect(),
                Run::Int => vec![DType::I32],
                Run::Bool => vec![DType::Bool],
                Run::AsGiven => vec![sample.inputs.first().and_then(|i| i.dtype).unwrap_or(DType::F32)],
            };
            for dtype in dtypes {
                let task = match task_of_sample(def, sample, dtype).and_then(with_heads) {
                    Err(e) if e.code() == ErrorCode::Unsupported => continue,
                    Err(e) => {
                        failures.push(format!("{} '{}' {dtype}: {e}", def.meta.name, sample.name));
                        continue;
                    }
                    Ok(task) => task,
                };
                for add in [false, true] {
                    let mut task = Task {
                        requests: task.requests.clone(),
                        variables: task.variables.clone(),
                        heads: task.heads.clone(),
                        symbol: task.symbol.clone(),
                        ..task
                    };
                    if add {
                        task.requests.iter_mut().filter(|r| **r == Req::Write).for_each(|r| *r = Req::Add);
                    }
                    if let Err(e) = task.check() {
                        failures.push(format!("{} '{}' {dtype} add={add}: {e}", def.meta.name, sample.name));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// Numbers that look random, around zero.
fn scattered(shape: &Shape, seed: u64, dtype: DType) -> NdArray {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((state >> 40) as u32) / f64::from(1 << 24) - 0.5
    };
    let values: Vec<f64> = (0..shape.len()).map(|_| next()).collect();
    array(shape, &values, dtype)
}

fn task_of_net(symbol: Symbol, shapes: &[(&str, Shape)], dtype: DType, request: Req) -> Task {
    let names = symbol.list_inputs();
    let dtypes: Vec<(&str, DType)> = names.iter().map(|n| (n.as_str(), dtype)).collect();
    let label = |n: &str| n.ends_with("label");
    let types = symbol.infer_types(shapes, &dtypes).unwrap();
    let variables = types.iter().zip(&names).enumerate().map(|(i, (t, name))| match name {
        n if label(n) => {
            array(&t.shape, &(0..t.shape.len()).map(|j| (j % 3) as f64).collect::<Vec<_>>(), t.dtype)
        }
        n if n.ends_with("var") => NdArray::full(t.shape.clone(), 1.0, t.dtype, Device::cpu(0)).unwrap(),
        _ => scattered(&t.shape, i as u64, t.dtype),
    });
    let variables: Vec<NdArray> = variables.collect();
    let states = symbol.list_auxiliary_states();
    let requests = names.iter().map(|n| if label(n) || states.contains(n) { Req::Null } else { request });
    Task { requests: requests.collect(), variables, symbol, heads: vec![], training: true }
}

#[test]
fn networks_give_the_same_bits_planned_as_eager() {
    let _turn = SEED.lock();
    for dtype in [DType::F32, DType::F16, DType::F64] {
        for request in [Req::Write, Req::Add] {
            let data = |shape: &[i64]| [("data", Shape::new(shape))];
            let varied = task_of_net(nets::deep::varied(), &data(&[2, 3, 8, 8]), dtype, request);
            with_heads(varied).unwrap().check().unwrap();
            let residual = nets::deep::small_residual([2, 2, 1, 1], 4);
            task_of_net(residual, &data(&[2, 3, 16, 16]), dtype, request).check().unwrap();
        }
    }
}

#[test]
fn maxima_of_rectifiers_give_the_same_bits_planned_as_eager() {
    let _turn = SEED.lock();
    for (kernel, stride, pad) in [(2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 0), (5, 1, 0)] {
        for dtype in [DType::F32, DType::F16, DType::F64] {
            let x = nets::conv(
                &nets::pool(&nets::relu(&nets::var("data")), "max", kernel, stride, pad),
                3,
                1,
                1,
                0,
                true,
            );
            let net = nets::softmax(&nets::dense(&nets::pool(&nets::relu(&x), "max", 2, 1, 0), 4));
            task_of_net(net, &[("data", Shape::new(&[2, 3, 9, 10]))], dtype, Req::Write).check().unwrap();
        }
    }
}

#[test]
fn an_unrolled_lstm_gives_the_same_bits_planned_as_eager() {
    let _turn = SEED.lock();
    let net = nets::deep::lstm(2, 6, 8, 5);
    let names = net.list_inputs();
    let shape = |n: &str| match n {
        n if n.ends_with("data") => Some(Shape::new(&[3, 7])),
        n if n.ends_with("label") => Some(Shape::new(&[3])),
        n if n.contains("init") => Some(Shape::new(&[3, 8])),
        _ => None,
    };
    let shapes: Vec<(&str, Shape)> = names.iter().filter_map(|n| Some((n.as_str(), shape(n)?))).collect();
    task_of_net(net, &shapes, DType::F32, Req::Write).check().unwrap();
}
