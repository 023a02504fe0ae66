//! Models in mxr's own file and in MXNet's pair. The checkpoint is MXNet 1.9.1's (make_model.py beside it).

use mxr_core::format::safetensors::Metadata;
use mxr_core::graph::{AttrMap, Symbol};
use mxr_core::model::{Input, Model, checkpoint, native};
use mxr_core::ndarray::file;
use mxr_core::ndarray::safetensors::{self, Access};
use mxr_core::{DType, Device, ErrorCode, NdArray, Shape};
use std::path::{Path, PathBuf};

fn formats(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/formats").join(name)
}

fn mxnets() -> Model {
    checkpoint::load(&formats("model-symbol.json"), &formats("model-0000.params")).unwrap()
}

/// A folder of one test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("mxr-model-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn values(arrays: &[(String, NdArray)]) -> Vec<(&str, Shape, Vec<f32>)> {
    arrays.iter().map(|(n, a)| (n.as_str(), a.shape().unwrap().clone(), a.to_vec().unwrap())).collect()
}

fn assert_same(a: &Model, b: &Model) {
    let sorted = |arrays: &[(String, NdArray)]| {
        let mut all: Vec<(String, Shape, Vec<f32>)> =
            values(arrays).into_iter().map(|(n, s, v)| (n.to_owned(), s, v)).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    assert_eq!(a.symbol.to_json(), b.symbol.to_json());
    assert_eq!(sorted(&a.arguments), sorted(&b.arguments));
    assert_eq!(sorted(&a.auxiliary_states), sorted(&b.auxiliary_states));
    assert_eq!(a.inputs, b.inputs);
    assert_eq!(a.metadata, b.metadata);
}

#[test]
fn a_checkpoint_of_mxnet_is_a_model_whose_inputs_have_no_parameter() {
    let model = mxnets();
    let names: Vec<&str> = model.arguments.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["conv_weight", "conv_bias", "bn_gamma", "bn_beta", "fc_weight", "fc_bias"]);
    let states: Vec<&str> = model.auxiliary_states.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(states, ["bn_moving_mean", "bn_moving_var"]);
    let inputs: Vec<(&str, bool)> = model.inputs.iter().map(|i| (i.name.as_str(), i.label)).collect();
    assert_eq!(inputs, [("data", false), ("softmax_label", true)]);
    assert!(model.inputs.iter().all(|i| i.dtype == DType::F32));
    assert!(model.unused().is_empty());
}

#[test]
fn a_model_survives_the_native_file_and_goes_back_to_mxnets_bytes() {
    let folder = Folder::new("roundtrip");
    let mut model = mxnets();
    model.inputs[0].shape = Some(Shape::new(&[-1, 2, 5, 5]));
    model.metadata = Metadata::from([("classes".to_owned(), "cat\ndog\n\"other\"".to_owned())]);
    native::save(&model, &folder.file("m.safetensors")).unwrap();
    for access in [Access::Mapped, Access::Copied] {
        assert_same(&native::load(&folder.file("m.safetensors"), access).unwrap(), &model);
    }
    assert_same(&native::from_bytes(&native::to_bytes(&model).unwrap()).unwrap(), &model);
    let read = native::load(&folder.file("m.safetensors"), Access::Mapped).unwrap();
    checkpoint::save(&read, &folder.file("m-symbol.json"), &folder.file("m-0000.params")).unwrap();
    let text = std::fs::read_to_string(folder.file("m-symbol.json")).unwrap();
    assert_eq!(text, std::fs::read_to_string(formats("model-symbol.json")).unwrap());
    let params = std::fs::read(folder.file("m-0000.params")).unwrap();
    assert_eq!(params, std::fs::read(formats("model-0000.params")).unwrap());
}

#[test]
fn a_reader_of_safetensors_finds_the_parameters_and_the_graph() {
    let bytes = native::to_bytes(&mxnets()).unwrap();
    let file = ::safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("arg:conv_weight").unwrap().shape(), [4, 2, 3, 3]);
    assert_eq!(file.tensor("aux:bn_moving_var").unwrap().shape(), [4]);
    let (_, header) = ::safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let texts = header.metadata().as_ref().unwrap();
    assert_eq!(texts["mxr.version"], "1");
    assert_eq!(texts["mxr.symbol"], std::fs::read_to_string(formats("model-symbol.json")).unwrap());
    assert_eq!(texts["mxr.outputs"], r#"["softmax_output"]"#);
}

#[test]
fn a_missing_auxiliary_state_is_named() {
    let Model { symbol, arguments, mut auxiliary_states, .. } = mxnets();
    auxiliary_states.remove(0);
    let e = Model::new(symbol, arguments, auxiliary_states).unwrap_err();
    assert_eq!(e.code(), ErrorCode::NotFound);
    assert!(e.message().contains("bn_moving_mean"), "{e}");
}

#[test]
fn parameters_that_do_not_fit_the_graph_are_refused() {
    let Model { symbol, mut arguments, auxiliary_states, .. } = mxnets();
    arguments[1].1 = NdArray::from_slice([5], &[0f32; 5], Device::cpu(0)).unwrap();
    let e = Model::new(symbol, arguments, auxiliary_states).unwrap_err();
    assert_eq!(e.code(), ErrorCode::Shape);
    assert!(e.to_string().contains("conv"), "{e}");
}

/// The fuzzer found that such a model was written with other inputs than it was read with.
#[test]
fn an_array_among_the_states_is_no_arguments() {
    let Model { symbol, mut arguments, mut auxiliary_states, .. } = mxnets();
    let moved = arguments.remove(0);
    let name = moved.0.clone();
    auxiliary_states.push(moved);
    let model = Model::new(symbol, arguments, auxiliary_states).unwrap();
    assert!(model.inputs.iter().any(|i| i.name == name));
    assert_eq!(model.unused(), [name]);
    let again = native::from_bytes(&native::to_bytes(&model).unwrap()).unwrap();
    assert_same(&again, &model);
}

#[test]
fn parameters_that_the_graph_does_not_use_are_kept_and_listed() {
    let Model { symbol, mut arguments, auxiliary_states, .. } = mxnets();
    arguments.push(("old_bias".to_owned(), NdArray::from_slice([1], &[1f32], Device::cpu(0)).unwrap()));
    let model = Model::new(symbol, arguments, auxiliary_states).unwrap();
    assert_eq!(model.unused(), ["old_bias"]);
    let again = native::from_bytes(&native::to_bytes(&model).unwrap()).unwrap();
    assert_same(&again, &model);
}

#[test]
fn a_model_of_a_graph_alone_has_only_inputs() {
    let model = Model::new(Symbol::variable("x", AttrMap::new()), vec![], vec![]).unwrap();
    let again = native::from_bytes(&native::to_bytes(&model).unwrap()).unwrap();
    assert_eq!(again.inputs, [Input { name: "x".into(), shape: None, dtype: DType::F32, label: false }]);
}

/// A file with these texts and one array, `arg:w`.
fn file(texts: &[(&str, &str)]) -> Vec<u8> {
    let texts = texts.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let w = NdArray::from_slice([1], &[1f32], Device::cpu(0)).unwrap();
    safetensors::to_bytes(&texts, &[("arg:w", &w)]).unwrap()
}

#[test]
fn texts_that_are_no_model_are_refused_with_a_reason() {
    let w = Symbol::variable("w", AttrMap::new()).to_json();
    let x = Symbol::variable("x", AttrMap::new()).to_json();
    let input = r#"[{"name":"x","shape":[1],"dtype":"float32"}]"#;
    type Texts<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(Texts, ErrorCode, &str)] = &[
        (&[], ErrorCode::Format, "no text 'mxr.version'"),
        (&[("mxr.version", "1")], ErrorCode::Format, "no text 'mxr.symbol'"),
        (&[("mxr.version", "one"), ("mxr.symbol", &w)], ErrorCode::Format, "expected a number, got 'one'"),
        (&[("mxr.version", "2"), ("mxr.symbol", &w)], ErrorCode::Version, "a newer one is needed"),
        (&[("mxr.version", "1"), ("mxr.symbol", "{")], ErrorCode::Format, "mxr.symbol: "),
        (
            &[("mxr.version", "1"), ("mxr.symbol", &w), ("mxr.inputs", "0")],
            ErrorCode::Format,
            "a list of inputs",
        ),
        (
            &[("mxr.version", "1"), ("mxr.symbol", &w), ("mxr.inputs", input)],
            ErrorCode::Format,
            "are [], got [x]",
        ),
        (
            &[("mxr.version", "1"), ("mxr.symbol", &x), ("mxr.inputs", "[]")],
            ErrorCode::Format,
            "are [x], got []",
        ),
        (
            &[("mxr.version", "1"), ("mxr.symbol", &x), ("mxr.inputs", &input.replace("32", "9"))],
            ErrorCode::Format,
            "input 'x': unknown dtype 'float9'",
        ),
        (
            &[("mxr.version", "1"), ("mxr.symbol", &x), ("mxr.inputs", &input.replace("[1]", "[-2]"))],
            ErrorCode::Format,
            "input 'x': expected sizes from -1 up, got -2",
        ),
    ];
    for (texts, code, reason) in cases {
        let e = native::from_bytes(&file(texts)).expect_err(reason);
        assert_eq!(e.code(), *code, "{e}");
        assert!(e.message().contains(reason), "expected '{reason}' in: {e}");
    }
    let good = [("mxr.version", "1"), ("mxr.symbol", x.as_str()), ("mxr.inputs", input)];
    assert_eq!(native::from_bytes(&file(&good)).unwrap().unused(), ["w"]);
}

#[test]
fn the_users_texts_cannot_take_the_place_of_mxrs() {
    let mut model = mxnets();
    model.metadata.insert("mxr.symbol".into(), "mine".into());
    let e = native::to_bytes(&model).unwrap_err();
    assert_eq!((e.code(), e.argument()), (ErrorCode::InvalidValue, Some("mxr.symbol")));
}

#[test]
fn arrays_without_mxnets_prefixes_are_no_checkpoint() {
    let folder = Folder::new("prefix");
    let w = NdArray::from_slice([1], &[1f32], Device::cpu(0)).unwrap();
    file::save(&folder.file("w.params"), &[(Some("w".to_owned()), w)]).unwrap();
    let e = checkpoint::load(&formats("model-symbol.json"), &folder.file("w.params")).unwrap_err();
    assert!(e.message().contains("expected a name that begins with 'arg:' or 'aux:'"), "{e}");
    let e = checkpoint::load(&formats("model-symbol.json"), &formats("list.params")).unwrap_err();
    assert!(e.message().contains("expected arrays with names"), "{e}");
    let e = checkpoint::load(&folder.file("no-symbol.json"), &formats("dict.params")).unwrap_err();
    assert_eq!(e.code(), ErrorCode::NotFound);
}
