//! Trains LeNet on random data and prints the time of a step: forward, backward and the update of all parameters.
//!
//! `cargo run --release -p mxr-core --example lenet_step [STEPS] [BATCH] [mlp]`

use mxr_core::autograd::{self, BackwardOptions, Mode};
use mxr_core::op::invoke::{Call, Req};
use mxr_core::op::{AttrValue, OpRef, registry};
use mxr_core::{Device, NdArray, Result, Shape};
use std::time::{Duration, Instant};

/// Numbers from −0.5 to 0.5 that look random.
fn noise(shape: &[i64], scale: f32, seed: &mut u64) -> Result<NdArray> {
    let next = |_| {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((*seed >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * scale
    };
    let values: Vec<f32> = (0..Shape::new(shape).len()).map(next).collect();
    NdArray::from_slice(Shape::new(shape), &values, Device::cpu(0))
}

/// One call in the network: the operator and how many parameters it takes.
struct Layer(OpRef, usize);

struct Model {
    layers: Vec<Layer>,
    parameters: Vec<NdArray>,
    seed: u64,
}

impl Model {
    fn layer(&mut self, name: &str, attrs: &[(&str, AttrValue)], parameters: &[&[i64]]) -> Result<()> {
        let op = registry().find(name)?.with_named(attrs)?;
        for shape in parameters {
            let inputs: i64 = shape[1..].iter().product();
            let array = noise(shape, 3.0 / (inputs as f32).sqrt(), &mut self.seed)?;
            let gradient = NdArray::full(Shape::new(shape), 0.0, array.dtype(), array.device())?;
            autograd::mark_variables(std::slice::from_ref(&array), &[gradient], &[Req::Write])?;
            self.parameters.push(array);
        }
        self.layers.push(Layer(op, parameters.len()));
        Ok(())
    }

    fn dense(&mut self, inputs: i64, hidden: i64) -> Result<()> {
        self.layer("FullyConnected", &[("num_hidden", hidden.into())], &[&[hidden, inputs], &[hidden]])
    }

    fn activation(&mut self, name: &str) -> Result<()> {
        self.layer("Activation", &[("act_type", name.into())], &[])
    }

    fn conv(&mut self, inputs: i64, filters: i64, activation: &str) -> Result<()> {
        let attrs = [("kernel", [5i64, 5].into()), ("num_filter", filters.into())];
        self.layer("Convolution", &attrs, &[&[filters, inputs, 5, 5], &[filters]])?;
        self.activation(activation)?;
        self.layer("Pooling", &[("kernel", [2i64, 2].into()), ("stride", [2i64, 2].into())], &[])
    }

    fn step(&self, data: &NdArray, label: &NdArray) -> Result<()> {
        let call = Call { training: true, ..Call::default() };
        let mode = Mode { recording: true, call };
        let mut x = data.clone();
        let mut parameters = self.parameters.iter();
        for Layer(op, n) in &self.layers {
            let mut inputs = vec![x];
            inputs.extend(parameters.by_ref().take(*n).cloned());
            x = autograd::invoke(op, &inputs, &[], &mode)?.swap_remove(0);
        }
        let loss = registry().find("SoftmaxOutput")?.with_named(&[("normalization", "batch".into())])?;
        x = autograd::invoke(&loss, &[x, label.clone()], &[], &mode)?.swap_remove(0);
        let options = BackwardOptions { training: true, ..BackwardOptions::default() };
        autograd::backward(&[x], &[None], options)?;
        let scale = registry().find("_mul_scalar")?.with_named(&[("scalar", (-0.01).into())])?;
        let add = registry().addition();
        let mode = Mode { recording: false, call };
        for p in &self.parameters {
            let gradient = autograd::gradient_of(p).expect("a variable");
            let update = autograd::invoke(&scale, &[gradient], &[], &mode)?.swap_remove(0);
            autograd::invoke(&add, &[p.clone(), update], &[Some((p.clone(), Req::InPlace))], &mode)?;
        }
        Ok(())
    }

    fn wait(&self) -> Result<()> {
        self.parameters.iter().try_for_each(|p| p.wait_to_read(None))
    }
}

fn lenet(m: &mut Model) -> Result<()> {
    m.conv(1, 20, "tanh")?;
    m.conv(20, 50, "relu")?;
    m.dense(800, 500)?;
    m.activation("relu")?;
    m.dense(500, 10)
}

fn mlp(m: &mut Model) -> Result<()> {
    m.dense(784, 128)?;
    m.activation("relu")?;
    m.dense(128, 64)?;
    m.activation("relu")?;
    m.dense(64, 10)
}

fn main() -> Result<()> {
    let arg =
        |i: usize, default: usize| std::env::args().nth(i).and_then(|a| a.parse().ok()).unwrap_or(default);
    let (steps, batch) = (arg(1, 50), arg(2, 64) as i64);
    let mut model = Model { layers: vec![], parameters: vec![], seed: 1 };
    let small = std::env::args().any(|a| a == "mlp");
    if small {
        mlp(&mut model)?
    } else {
        lenet(&mut model)?
    }
    let data = noise(&[batch, 1, 28, 28], 2.0, &mut 7)?;
    let labels: Vec<f32> = (0..batch).map(|i| (i % 10) as f32).collect();
    let label = NdArray::from_slice([batch], &labels, Device::cpu(0))?;
    let mut times = Vec::new();
    for _ in 0..steps {
        let start = Instant::now();
        model.step(&data, &label)?;
        model.wait()?;
        times.push(start.elapsed());
    }
    times.sort();
    let name = if small { "MLP" } else { "LeNet" };
    println!("{name}, batch {batch}: median {:?}, fastest {:?}", times[times.len() / 2], times[0]);
    let start = Instant::now();
    (0..steps).try_for_each(|_| model.step(&data, &label))?;
    model.wait()?;
    let each: Duration = start.elapsed() / steps as u32;
    println!("without waiting after each step: {each:?}");
    Ok(())
}
