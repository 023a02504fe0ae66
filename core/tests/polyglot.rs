//! The training that `examples/polyglot` has in every language: it ends in the same file to the bit, here too.

mod nets;

use mxr_core::init::initializers;
use mxr_core::io::{Sources, data_iters};
use mxr_core::metric::metrics;
use mxr_core::model::{Model, native};
use mxr_core::module::{Given, Module, Names, Purpose, StoreChoice, Taking};
use mxr_core::op::{AttrValue, Call, invoke, registry};
use mxr_core::optim::Optimizer;
use mxr_core::{Device, NdArray, Shape, rng};
use std::sync::{Arc, Mutex};

/// The checksum of the file, which `cargo xtask demo` expects of every language. It is of processors with fused
/// multiplication and addition.
const CHECKSUM: &str = include_str!("../../examples/polyglot/checksum");

fn call(name: &str, inputs: &[NdArray], attrs: &[(&str, AttrValue)]) -> NdArray {
    let op = registry().find(name).unwrap().with_named(attrs).unwrap();
    invoke(&op, inputs, &[], &Call::default()).unwrap()[0].clone()
}

fn normal(shape: [i64; 2]) -> NdArray {
    call("random_normal", &[], &[("shape", AttrValue::Ints(Shape::new(&shape)))])
}

/// The file that the training ends in.
fn train() -> Vec<u8> {
    rng::seed(7, None);
    let data = normal([600, 8]);
    let product = call("dot", &[data.clone(), normal([8, 3])], &[]);
    let label = call("argmax", &[product], &[("axis", AttrValue::Int(1))]);
    let sources = Sources { data: vec![(None, data)], label: vec![(None, label)], iters: vec![] };
    let attrs =
        [("batch_size", AttrValue::Int(50)), ("shuffle", AttrValue::Bool(true)), ("seed", AttrValue::Int(7))];
    let mut batches = data_iters().create("NDArrayIter", &attrs).unwrap().open(sources).unwrap();
    let hidden = nets::named("FullyConnected", "fc1", &[&nets::var("data")], &[("num_hidden", "32")]);
    let hidden = nets::named("Activation", "relu1", &[&hidden], &[("act_type", "relu")]);
    let symbol = nets::softmax(&nets::named("FullyConnected", "fc2", &[&hidden], &[("num_hidden", "3")]));
    let mut module = Module::new(symbol.clone(), Names::usual(), vec![Device::cpu(0)]).unwrap();
    let (provided, labels) = (batches.provide_data().to_vec(), batches.provide_label().to_vec());
    module.bind(provided, labels, Purpose::default(), None).unwrap();
    let xavier = initializers().create("xavier", &[]).unwrap();
    module.init_params(Some(&*xavier), Given::default(), false).unwrap();
    let rate = [("learning_rate", AttrValue::Float(0.1)), ("momentum", AttrValue::Float(0.9))];
    let rescaled = Taking { rescale: true, ..Taking::default() };
    let sgd = Arc::new(Mutex::new(Optimizer::create("sgd", &rate).unwrap()));
    module.init_optimizer(sgd, StoreChoice::Named("local"), rescaled).unwrap();
    let mut accuracy = metrics().create("acc", &[]).unwrap();
    for _ in 0..4 {
        accuracy.reset();
        while let Some(batch) = batches.next().unwrap() {
            module.forward(&batch.data, &batch.label, Some(true)).unwrap();
            module.backward(&[]).unwrap();
            module.update().unwrap();
            module.update_metric(&mut *accuracy, &batch.label).unwrap();
        }
        batches.reset().unwrap();
    }
    let (_, learnt) = accuracy.get().unwrap()[0].clone();
    assert!(learnt > 0.95, "accuracy {learnt}");
    let (arguments, states) = module.params().unwrap();
    native::to_bytes(&Model::new(symbol, arguments, states).unwrap()).unwrap()
}

/// FNV-1a with 64 bits.
fn checksum(bytes: &[u8]) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
}

#[test]
fn the_training_of_every_language_ends_in_one_file() {
    assert_eq!(checksum(b"foobar"), "85944171f73967e8", "FNV's published value");
    let file = train();
    assert_eq!(file, train(), "a second time");
    if mxr_core::kernels::simd::isa() > mxr_core::kernels::simd::Isa::Portable {
        assert_eq!(checksum(&file), CHECKSUM.trim());
    }
}
