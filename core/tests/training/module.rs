//! Modules: trainings that go as MXNet's, on one and on two devices; checkpoints; wrong use.

use crate::{FILE, array, attrs, list, near, numbers, values};
use mxr_core::graph::Symbol;
use mxr_core::init::initializers;
use mxr_core::io::{DataDesc, DataIter, Sources, open};
use mxr_core::metric::{Metric, metrics};
use mxr_core::model::Named;
use mxr_core::module::{Given, Module, Names, Purpose, StoreChoice, Taking};
use mxr_core::op::AttrValue;
use mxr_core::optim::{Optimizer, SharedOptimizer};
use mxr_core::{Device, ErrorCode, NdArray};
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// As modules take an optimizer that is made by its name.
const NAMED: Taking = Taking { rescale: true, by_name: true, force: false };

fn symbol() -> Symbol {
    Symbol::from_json(FILE["module"]["symbol"].as_str().unwrap()).unwrap()
}

/// The batches of the file's examples.
fn batches() -> Box<dyn DataIter> {
    let file = &FILE["module"];
    let sources = Sources {
        data: vec![(None, array(&file["data"]))],
        label: vec![(None, array(&file["label"]))],
        iters: vec![],
    };
    open("NDArrayIter", &[(10, AttrValue::Int(6))], sources).unwrap()
}

/// The file's first values of arguments and of auxiliary states.
fn begin() -> (Named, Named) {
    let all = FILE["module"]["begin"].as_object().unwrap();
    all.iter().map(|(n, a)| (n.clone(), array(a))).partition(|(n, _)| !n.contains("moving"))
}

fn optimizer(name: &str, given: &[(&str, AttrValue)]) -> SharedOptimizer {
    Arc::new(Mutex::new(Optimizer::create(name, given).unwrap()))
}

/// A module on these devices with the file's first values.
fn ready(devices: i32, iter: &dyn DataIter) -> Module {
    let devices = (0..devices).map(Device::cpu).collect();
    let mut module = Module::new(symbol(), Names::usual(), devices).unwrap();
    let (data, label) = (iter.provide_data().to_vec(), iter.provide_label().to_vec());
    module.bind(data, label, Purpose::default(), None).unwrap();
    let (arguments, states) = begin();
    let given = Given { arguments: Some(&arguments), states: Some(&states), ..Given::default() };
    assert!(module.init_params(None, given, false).unwrap());
    module
}

fn train(module: &mut Module, iter: &mut dyn DataIter, metric: &mut dyn Metric) {
    iter.reset().unwrap();
    metric.reset();
    while let Some(batch) = iter.next().unwrap() {
        module.forward(&batch.data, &batch.label, Some(true)).unwrap();
        module.backward(&[]).unwrap();
        module.update().unwrap();
        module.update_metric(metric, &batch.label).unwrap();
    }
}

/// What the module predicts for the examples, without padding.
fn predicted(module: &mut Module, iter: &mut dyn DataIter) -> Vec<f64> {
    let mut all = vec![];
    iter.reset().unwrap();
    while let Some(batch) = iter.next().unwrap() {
        module.forward(&batch.data, &batch.label, Some(false)).unwrap();
        let output = module.outputs().unwrap().remove(0);
        let rows = output.shape().unwrap()[0] - batch.pad as i64;
        all.extend(values(&output.slice(0, rows).unwrap()));
    }
    all
}

fn flat(params: &(Named, Named)) -> Vec<(String, Vec<f64>)> {
    params.0.iter().chain(&params.1).map(|(n, a)| (n.clone(), values(a))).collect()
}

#[test]
fn trainings_are_those_of_mxnet_on_one_and_on_two_devices() {
    for case in list(&FILE["module"]["cases"]) {
        let about = format!("{} devices, {}, {}", case["devices"], case["store"], case["optimizer"]);
        let mut iter = batches();
        let mut module = ready(case["devices"].as_i64().unwrap() as i32, &*iter);
        let store = case["store"].as_str().map_or(StoreChoice::None, StoreChoice::Named);
        let optimizer = optimizer(case["optimizer"].as_str().unwrap(), &attrs(&case["attrs"]));
        // MXNet's module tells an optimizer that it makes by a name of the names' decay, and no other.
        let named = !case["given"].as_bool().unwrap();
        let taking = Taking { rescale: named, by_name: named, force: false };
        assert!(module.init_optimizer(optimizer, store, taking).unwrap());
        let parts = AttrValue::Strs(vec!["acc".into(), "ce".into()]);
        let mut metric = metrics().create("composite", &[("metrics", parts)]).unwrap();
        for (e, expected) in list(&case["epochs"]).iter().enumerate() {
            train(&mut module, &mut *iter, &mut *metric);
            for ((name, got), want) in metric.get().unwrap().iter().zip(list(&expected["metric"])) {
                assert!(
                    near(&[*got], &[want[1].as_f64().unwrap()], 1e-5),
                    "{about}, epoch {e}: {name} {got}, {want}"
                );
            }
            for (name, got) in flat(&module.params().unwrap()) {
                let want = numbers(&expected["params"][&name]);
                assert!(near(&got, &want, 2e-5), "{about}, epoch {e}: {name} {got:?}, MXNet's {want:?}");
            }
        }
        let want = numbers(&case["predicted"]["data"]);
        let got = predicted(&mut module, &mut *iter);
        assert!(near(&got, &want, 2e-5), "{about}: {got:?}, MXNet's {want:?}");
    }
}

#[test]
fn a_checkpoint_with_states_continues_to_the_bit() {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("module");
    std::fs::create_dir_all(&folder).unwrap();
    let prefix = folder.join("net").to_str().unwrap().to_owned();
    let adam = || optimizer("adam", &[]);
    let mut iter = batches();
    let mut metric = metrics().create("acc", &[]).unwrap();
    let mut first = ready(1, &*iter);
    first.init_optimizer(adam(), StoreChoice::Named("local"), NAMED).unwrap();
    train(&mut first, &mut *iter, &mut *metric);
    let written = first.save_checkpoint(&prefix, 1, true).unwrap();
    assert_eq!(written.len(), 3);
    assert!(written[1].to_str().unwrap().ends_with("net-0001.params"));
    let mut second = Module::load(&prefix, 1, true, Names::usual(), vec![Device::cpu(0)]).unwrap();
    assert!(second.is_initialized() && !second.is_bound());
    assert_eq!(flat(&second.params().unwrap()).len(), flat(&first.params().unwrap()).len());
    let (data, label) = (iter.provide_data().to_vec(), iter.provide_label().to_vec());
    second.bind(data, label, Purpose::default(), None).unwrap();
    second.init_optimizer(adam(), StoreChoice::None, NAMED).unwrap();
    train(&mut first, &mut *iter, &mut *metric);
    train(&mut second, &mut *iter, &mut *metric);
    let sorted = |module: &Module| {
        let mut all = flat(&module.params().unwrap());
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    assert_eq!(sorted(&first), sorted(&second));
}

#[test]
fn first_values_are_drawn_in_the_order_of_the_names() {
    let module = || {
        let iter = batches();
        let mut module = Module::new(symbol(), Names::usual(), vec![Device::cpu(7)]).unwrap();
        let (data, label) = (iter.provide_data().to_vec(), iter.provide_label().to_vec());
        module.bind(data, label, Purpose::default(), None).unwrap();
        module
    };
    let uniform = initializers().create("uniform", &[("scale", AttrValue::Float(0.5))]).unwrap();
    // On a device that no other test draws from.
    mxr_core::rng::seed(5, Some(Device::cpu(7)));
    let mut a = module();
    assert!(a.init_params(Some(&*uniform), Given::default(), false).unwrap());
    assert!(!a.init_params(Some(&*uniform), Given::default(), false).unwrap(), "they have values");
    mxr_core::rng::seed(5, Some(Device::cpu(7)));
    for name in ["fc1_weight", "fc2_weight"] {
        let (_, of_module) = a.params().unwrap().0.into_iter().find(|(n, _)| n == name).unwrap();
        let alone =
            NdArray::empty(of_module.shape().unwrap().clone(), of_module.dtype(), Device::cpu(7)).unwrap();
        uniform.fill(&alone).unwrap();
        assert_eq!(values(&of_module), values(&alone), "{name}");
    }
    let states = a.params().unwrap().1;
    assert_eq!(
        states.iter().map(|(n, a)| (n.as_str(), values(a)[0])).collect::<Vec<_>>(),
        [("bn_moving_mean", 0.0), ("bn_moving_var", 1.0)]
    );
}

#[test]
fn batches_of_other_shapes_are_bound_on_the_way() {
    let iter = batches();
    let mut module = ready(1, &*iter);
    let data = array(&FILE["module"]["data"]);
    let run = |module: &mut Module, n: i64| {
        module.forward(&[data.slice(0, n).unwrap()], &[], Some(false)).unwrap();
        values(&module.outputs().unwrap()[0])
    };
    let six = run(&mut module, 6);
    let four = run(&mut module, 4);
    assert_eq!(four[..], six[..12]);
    assert_eq!(run(&mut module, 6), six);
    assert_eq!(module.data_descs().unwrap()[0].shape[..], [6, 4]);
}

#[test]
fn a_module_may_take_the_parameters_of_another() {
    let mut iter = batches();
    let mut first = ready(1, &*iter);
    first.init_optimizer(optimizer("sgd", &[]), StoreChoice::None, NAMED).unwrap();
    let mut second = Module::new(symbol(), Names::usual(), vec![Device::cpu(0)]).unwrap();
    let mut data: Vec<DataDesc> = iter.provide_data().to_vec();
    data[0].shape = [2, 4].into();
    second.bind(data, vec![], Purpose::default(), Some(&first)).unwrap();
    assert!(second.is_initialized() && second.has_optimizer());
    let mut metric = metrics().create("acc", &[]).unwrap();
    train(&mut first, &mut *iter, &mut *metric);
    assert_eq!(flat(&first.params().unwrap()), flat(&second.params().unwrap()));
}

#[test]
fn gradients_of_inputs_are_given_to_those_who_bound_for_them() {
    let iter = batches();
    let mut module = Module::new(symbol(), Names::usual(), vec![Device::cpu(0), Device::cpu(1)]).unwrap();
    let purpose = Purpose { input_gradients: true, ..Purpose::default() };
    let (data, label) = (iter.provide_data().to_vec(), iter.provide_label().to_vec());
    module.bind(data.clone(), label.clone(), purpose, None).unwrap();
    let (arguments, states) = begin();
    module.set_params(&arguments, &states, false, false).unwrap();
    let (x, y) = (array(&FILE["module"]["data"]), array(&FILE["module"]["label"]));
    module.forward(&[x.slice(0, 6).unwrap()], &[y.slice(0, 6).unwrap()], None).unwrap();
    module.backward(&[]).unwrap();
    let gradient = module.input_grads().unwrap().remove(0);
    assert_eq!(gradient.shape().unwrap()[..], [6, 4]);
    assert!(values(&gradient).iter().any(|v| *v != 0.0));
    assert_eq!(ready(1, &*iter).input_grads().unwrap_err().code(), ErrorCode::InvalidValue);
    let refused = Purpose { training: false, ..purpose };
    let e = module.bind(data, label, refused, None).unwrap_err();
    assert_eq!((e.code(), e.argument()), (ErrorCode::InvalidValue, Some("inputs_need_grad")));
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let iter = batches();
    let (data, label) = (iter.provide_data().to_vec(), iter.provide_label().to_vec());
    let code = |e: mxr_core::Error| (e.code(), e.argument().unwrap_or_default().to_owned());
    let is = |code, argument: &str| (code, argument.to_owned());
    let names = Names { data: vec!["dta".into()], ..Names::usual() };
    let e = Module::new(symbol(), names, vec![Device::cpu(0)]).err().unwrap();
    assert_eq!(code(e), is(ErrorCode::NotFound, "data_names"));
    let e = Module::new(symbol(), Names::usual(), vec![]).err().unwrap();
    assert_eq!(code(e), is(ErrorCode::InvalidValue, "context"));
    let mut module = Module::new(symbol(), Names::usual(), vec![Device::cpu(0)]).unwrap();
    let unready = [
        module.forward(&[], &[], None).unwrap_err().to_string(),
        module.outputs().unwrap_err().to_string(),
        module.update().unwrap_err().to_string(),
        module.params().unwrap_err().to_string(),
    ];
    let wants = ["init_params", "bind", "init_optimizer", "init_params"];
    assert!(unready.iter().zip(wants).all(|(e, w)| e.contains(w)), "{unready:?}");
    assert_eq!(
        code(module.bind(vec![], vec![], Purpose::default(), None).unwrap_err()),
        is(ErrorCode::InvalidValue, "data_shapes")
    );
    module.bind(data, label, Purpose::default(), None).unwrap();
    let (mut arguments, states) = begin();
    let (name, removed) = arguments.remove(0);
    assert_eq!(
        code(module.set_params(&arguments, &states, false, false).unwrap_err()),
        is(ErrorCode::NotFound, &name)
    );
    arguments.push(("stranger".into(), removed.clone()));
    assert_eq!(
        code(module.set_params(&arguments, &states, true, false).unwrap_err()),
        is(ErrorCode::NotFound, "stranger")
    );
    assert_eq!(
        code(module.init_params(None, Given::default(), true).unwrap_err()).0,
        ErrorCode::InvalidValue
    );
    let (_, states) = begin();
    let wrong =
        vec![("fc1_weight".to_owned(), removed.reshape(&[removed.len().unwrap() as i64].into()).unwrap())];
    assert_eq!(code(module.set_params(&wrong, &states, true, false).unwrap_err()).0, ErrorCode::Shape);
}

#[test]
fn every_case_names_what_the_symbol_has() {
    let expected: Vec<String> =
        symbol().list_arguments().into_iter().chain(symbol().list_auxiliary_states()).collect();
    for case in list(&FILE["module"]["cases"]) {
        let params: &Value = &case["epochs"][0]["params"];
        let named = |n: &&String| !matches!(n.as_str(), "data" | "softmax_label");
        assert!(expected.iter().filter(named).all(|n| params[n].is_array()), "{case}");
    }
}
