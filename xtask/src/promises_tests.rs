//! What is caught when something is taken from the released 0.1.0 or changed in it.

use serde_json::{Value, json};

use super::broken;
use crate::release;

/// What breaks when `change` is made to what 0.1.0 released.
fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let released = release::read("0.1.0").unwrap();
    let mut today = released.clone();
    change(&mut today);
    broken(&released, &today)
}

/// The item of that name in a list.
fn named<'a>(list: &'a mut Value, name: &str) -> &'a mut Value {
    let mut items = list.as_array_mut().unwrap().iter_mut();
    items.find(|item| item["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

fn remove(list: &mut Value, name: &str) {
    named(list, name);
    list.as_array_mut().unwrap().retain(|item| item["name"] != name);
}

fn push(list: &mut Value, item: Value) {
    list.as_array_mut().unwrap().push(item);
}

fn function<'a>(today: &'a mut Value, name: &str) -> &'a mut Value {
    named(&mut today["abi"]["functions"], name)
}

fn operator<'a>(today: &'a mut Value, name: &str) -> &'a mut Value {
    named(&mut today["schema"]["operators"], name)
}

#[test]
fn additions_keep_every_promise() {
    assert_eq!(after(|_| ()), [""; 0]);
    let added = after(|today| {
        push(
            &mut today["abi"]["functions"],
            json!({"name": "mxr_added", "returns": "void", "parameters": []}),
        );
        function(today, "mxr_array_empty")["parameters"][0]["name"] = json!("shape");
        push(
            &mut named(&mut today["abi"]["types"], "mxr_memory_t")["fields"],
            json!({"name": "added", "type": "uint64_t"}),
        );
        push(&mut today["schema"]["operators"], json!({"name": "added", "version": [1, 0]}));
        let pooling = operator(today, "Pooling");
        pooling["version"] = json!([1, 1]);
        push(&mut pooling["attrs"], json!({"id": 999, "name": "added", "type": "int", "default": 0}));
        push(&mut pooling["aliases"], json!("AnotherName"));
    });
    assert_eq!(added, [""; 0]);
}

#[test]
fn another_abi_version_and_another_break_promise_nothing() {
    assert_eq!(
        after(|today| {
            today["abi"]["abi_version"] = json!(2);
            today["schema"]["operators"] = json!([]);
        }),
        [""; 0]
    );
    assert_eq!(
        after(|today| {
            operator(today, "Pooling")["version"] = json!([2, 0]);
            operator(today, "Pooling")["attrs"] = json!([]);
        }),
        [""; 0]
    );
}

#[test]
fn what_is_removed_is_named() {
    let abi = |kind, name| after(|today| remove(&mut today["abi"][kind], name));
    assert_eq!(abi("functions", "mxr_op_invoke"), ["mxr_op_invoke is gone"]);
    assert_eq!(abi("callbacks", "mxr_drop_fn"), ["mxr_drop_fn is gone"]);
    assert_eq!(abi("constants", "MXR_FLOAT32"), ["MXR_FLOAT32 is gone"]);
    assert_eq!(abi("types", "mxr_call_t"), ["mxr_call_t is gone"]);
    let schema = |kind, name| after(|today| remove(&mut today["schema"][kind], name));
    assert_eq!(schema("operators", "Pooling"), ["Pooling of operators is gone"]);
    assert_eq!(schema("optimizers", "Signum"), ["Signum of optimizers is gone"]);
    assert_eq!(
        after(|today| operator(today, "Convolution")["aliases"] = json!([])),
        ["Convolution of operators has lost its name _npx_convolution"]
    );
}

#[test]
fn a_changed_function_says_what_changed() {
    let changed = |pointer: &str, to: Value| {
        after(|today| *function(today, "mxr_array_empty").pointer_mut(pointer).unwrap() = to)
    };
    assert_eq!(
        changed("/parameters/1/type", json!("int64_t")),
        ["mxr_array_empty, parameter 2 has changed: type was \"int32_t\", is \"int64_t\""]
    );
    assert_eq!(
        changed("/parameters/0/ownership", json!("taken")),
        ["mxr_array_empty, parameter 1 has changed: ownership was \"borrowed\", is \"taken\""]
    );
    assert_eq!(
        changed("/returns", json!("void")),
        ["mxr_array_empty has changed: returns was \"mxr_error_t *\", is \"void\""]
    );
    let shorter = after(|today| {
        function(today, "mxr_array_empty")["parameters"].as_array_mut().unwrap().pop();
    });
    assert_eq!(shorter, ["mxr_array_empty has changed: parameters were 6, are 5"]);
}

#[test]
fn changed_numbers_and_structs_are_caught() {
    assert_eq!(
        after(|today| named(&mut today["abi"]["constants"], "MXR_FLOAT64")["value"] = json!(7)),
        ["MXR_FLOAT64 has changed: value was 1, is 7"]
    );
    let field = |of: &str, pointer: &str, to: Value| {
        after(|today| {
            *named(&mut today["abi"]["types"], of)["fields"].pointer_mut(pointer).unwrap() = to;
        })
    };
    assert_eq!(
        field("mxr_attr_t", "/2/type", json!("int32_t")),
        ["mxr_attr_t, field 3 has changed: type was \"int64_t\", is \"int32_t\""]
    );
    // This one does not say its size: programs made arrays of the old one.
    let grown = after(|today| {
        push(
            &mut named(&mut today["abi"]["types"], "mxr_attr_t")["fields"],
            json!({"name": "added", "type": "double"}),
        );
    });
    assert_eq!(grown, ["mxr_attr_t has changed: fields were 5, are 6"]);
}

#[test]
fn a_changed_attribute_says_what_changed() {
    assert_eq!(
        after(|today| remove(&mut operator(today, "Convolution")["attrs"], "layout")),
        ["Convolution of operators, attribute layout is gone"]
    );
    let changed = |key: &str, to: Value| {
        after(|today| named(&mut operator(today, "Convolution")["attrs"], "num_group")[key] = to)
    };
    let of = "Convolution of operators, attribute num_group";
    assert_eq!(changed("default", json!(2)), [format!("{of} has changed: default was 1, is 2")]);
    assert_eq!(
        changed("type", json!("float")),
        [format!("{of} has changed: type was \"int\", is \"float\"")]
    );
    assert_eq!(
        changed("name", json!("groups")),
        [format!("{of} has changed: name was \"num_group\", is \"groups\"")]
    );
    assert_eq!(changed("id", json!(77))[0], format!("{of} is gone"));
    assert_eq!(
        changed("bounds", json!([2.0, null])),
        [format!("{of} takes less: bounds were [1.0,null], are [2.0,null]")]
    );
    assert_eq!(changed("bounds", json!([0.0, null])), [""; 0]);
    assert_eq!(
        after(|today| {
            named(&mut operator(today, "Convolution")["attrs"], "layout")["values"] = json!(["NCHW"]);
        })
        .len(),
        5
    );
    assert_eq!(
        after(|today| {
            let attrs = &mut named(&mut today["schema"]["optimizers"], "Signum")["attrs"];
            named(attrs, "momentum")["default"] = json!(0.5);
        }),
        ["Signum of optimizers, attribute momentum has changed: default was 0.9, is 0.5"]
    );
}

#[test]
fn changed_inputs_outputs_and_versions_are_caught() {
    let changed = |pointer: &str, to: Value| {
        after(|today| *operator(today, "Convolution").pointer_mut(pointer).unwrap() = to)
    };
    assert_eq!(
        changed("/inputs/2/optional", json!(false)),
        ["Convolution of operators, input 3 has changed: optional was true, is false"]
    );
    assert_eq!(
        changed("/inputs/0/name", json!("x")),
        ["Convolution of operators, input 1 has changed: name was \"data\", is \"x\""]
    );
    assert_eq!(
        changed("/outputs", json!(["output", "mask"])),
        ["Convolution of operators has changed: outputs was [\"output\"], is [\"output\",\"mask\"]"]
    );
    assert_eq!(
        changed("/version", json!([0, 9])),
        ["Convolution of operators has gone back: version was [1,0], is [0,9]"]
    );
    assert_eq!(
        changed("/dtypes", json!(["float64", "float32", "bfloat16"])),
        ["Convolution of operators no longer takes float16"]
    );
}

#[test]
fn what_an_operator_gains_is_optional_and_raises_its_revision() {
    let gained = |of: &'static str, what: Value, version: Value| {
        after(|today| {
            push(&mut operator(today, "Pooling")[of], what);
            operator(today, "Pooling")["version"] = version;
        })
    };
    let optional = json!({"id": 999, "name": "added", "type": "int", "default": null});
    assert_eq!(
        gained("attrs", optional, json!([1, 0])),
        ["Pooling of operators has more attributes or inputs in the same version [1,0]"]
    );
    assert_eq!(
        gained("attrs", json!({"id": 999, "name": "added", "type": "int"}), json!([1, 1])),
        ["Pooling of operators has a new attribute added without a default"]
    );
    assert_eq!(
        gained("inputs", json!({"name": "mask"}), json!([1, 1])),
        ["Pooling of operators has a new input mask that is not optional"]
    );
    assert_eq!(gained("inputs", json!({"name": "mask", "optional": true}), json!([1, 1])), [""; 0]);
}
