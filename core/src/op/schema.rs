//! The schema: what every language's generator reads, as JSON.

use crate::op::attrs::{AttrKind, AttrSchema, AttrValue, NO_INT};
use crate::op::operator::Input;
use crate::op::registered::{Registered, Table};
use crate::op::registry::{OpDef, Registry};
use crate::op::sample::{Oracle, Run, Sample};
use serde_json::{Map, Value, json};

/// Everything that is registered, as JSON: `schema/ops.json`.
pub fn document(registry: &'static Registry) -> Value {
    json!({
        "operators": operators(registry),
        "optimizers": table(crate::optim::optimizers()),
        "lr_schedulers": table(crate::optim::lr_schedulers()),
        "initializers": table(crate::init::initializers()),
        "metrics": table(crate::metric::metrics()),
        "data_iters": data_iters(),
        "kvstores": table(crate::kvstore::kvstores()),
        "gradient_compressions": table(crate::kvstore::compressions()),
        "callbacks": table(crate::callback::callbacks()),
    })
}

/// The data iterators, with what they read from.
fn data_iters() -> Value {
    let mut entries = table(crate::io::data_iters());
    for entry in entries.as_array_mut().into_iter().flatten() {
        let takes = crate::io::takes(entry["name"].as_str().unwrap_or_default());
        entry["takes"] = json!(takes.word());
    }
    entries
}

/// All operators as JSON.
pub fn operators(registry: &'static Registry) -> Value {
    Value::Array(registry.ops().iter().map(operator).collect())
}

/// A table of things other than operators as JSON.
pub fn table<T: ?Sized>(table: &Table<T>) -> Value {
    let entry = |e: &Registered<T>| {
        let mut out = Map::new();
        out.insert("name".into(), json!(e.name));
        if !e.aliases.is_empty() {
            out.insert("aliases".into(), json!(e.aliases));
        }
        out.insert("doc".into(), json!(e.doc));
        out.insert("attrs".into(), attributes(&e.attrs));
        Value::Object(out)
    };
    table.entries.iter().map(entry).collect()
}

fn operator(def: &'static OpDef) -> Value {
    let meta = &def.meta;
    let mut out = Map::new();
    out.insert("name".into(), json!(meta.name));
    if !meta.aliases.is_empty() {
        out.insert("aliases".into(), json!(meta.aliases));
    }
    if meta.internal {
        out.insert("internal".into(), json!(true));
    }
    out.insert("version".into(), json!([meta.breaking, meta.revision]));
    out.insert("doc".into(), json!(def.doc));
    out.insert("inputs".into(), meta.inputs.iter().map(input).collect());
    out.insert("outputs".into(), json!(meta.outputs));
    if outputs_vary(def) {
        out.insert("outputs_vary".into(), json!(true));
    }
    out.insert("dtypes".into(), meta.dtypes.iter().map(|d| d.name()).collect());
    out.insert("attrs".into(), attributes(&def.attrs));
    Value::Object(out)
}

/// Whether callers of some sample see another number of outputs than one.
fn outputs_vary(def: &'static OpDef) -> bool {
    let visible = |s: &Sample| Some(def.with_named(&s.attrs).ok()?.op.num_visible_outputs());
    (def.samples)().iter().any(|s| visible(s).is_some_and(|n| n != 1))
}

fn input(i: &Input) -> Value {
    let mut out = Map::new();
    out.insert("name".into(), json!(i.name));
    out.insert("doc".into(), json!(i.doc));
    let flags = [
        ("optional", i.optional),
        ("variadic", i.variadic),
        ("mutated", i.mutated),
        ("shape_only", i.shape_only),
    ];
    for (name, _) in flags.iter().filter(|(_, set)| *set) {
        out.insert((*name).into(), json!(true));
    }
    Value::Object(out)
}

/// Attributes as JSON, for operators and everything else that is registered.
pub fn attributes(attrs: &[AttrSchema]) -> Value {
    attrs.iter().map(attribute).collect()
}

fn attribute(a: &AttrSchema) -> Value {
    let mut out = Map::new();
    out.insert("id".into(), json!(a.id));
    out.insert("name".into(), json!(a.name));
    out.insert("type".into(), json!(a.kind.word()));
    let inner = match &a.kind {
        AttrKind::Optional(inner) => {
            out.insert("optional".into(), json!(true));
            inner
        }
        kind => kind,
    };
    if let AttrKind::Enum(names) = inner {
        out.insert("values".into(), json!(names));
    }
    if let Some(default) = &a.default {
        out.insert("default".into(), value(&a.kind, default));
    }
    if let Some((low, high)) = a.bounds {
        let finite = |v: f64| if v.is_finite() { json!(v) } else { Value::Null };
        out.insert("bounds".into(), json!([finite(low), finite(high)]));
    }
    out.insert("doc".into(), json!(a.doc));
    Value::Object(out)
}

/// A value as JSON: names for enumerations and dtypes, `null` for none.
pub fn value(kind: &AttrKind, v: &AttrValue) -> Value {
    match (kind, v) {
        (AttrKind::Optional(inner), v) if *v != AttrValue::None => value(inner, v),
        (AttrKind::Enum(_) | AttrKind::DType, v) => json!(kind.format(v)),
        (_, AttrValue::None) => Value::Null,
        (_, AttrValue::Bool(b)) => json!(b),
        (_, AttrValue::Int(i)) => json!(i),
        (_, AttrValue::Float(f)) => json!(f),
        (_, AttrValue::Str(s)) => json!(s),
        (_, AttrValue::Ints(s)) => {
            s.iter().map(|i| if *i == NO_INT { Value::Null } else { json!(i) }).collect()
        }
        (_, AttrValue::Floats(f)) => json!(f),
        (_, AttrValue::Strs(s)) => json!(s),
        (_, AttrValue::Subgraph(_)) => Value::Null,
    }
}

/// All samples as JSON, for the oracle.
pub fn samples(registry: &Registry) -> Value {
    let ops = registry.ops().iter().map(|def| {
        let samples: Vec<Value> = (def.samples)().iter().map(|s| sample(def, s)).collect();
        json!({"operator": def.meta.name, "samples": samples})
    });
    Value::Array(ops.collect())
}

/// One sample as JSON: what its case holds besides the expected results.
pub fn sample(def: &OpDef, s: &Sample) -> Value {
    let kind = |name: &str| def.attrs.iter().find(|a| a.name == name).map(|a| &a.kind);
    let attrs: Map<String, Value> = s
        .attrs
        .iter()
        .map(|(name, v)| ((*name).to_owned(), value(kind(name).unwrap_or(&AttrKind::Str), v)))
        .collect();
    let texts: Map<String, Value> = s
        .attrs
        .iter()
        .map(|(name, v)| ((*name).to_owned(), json!(kind(name).unwrap_or(&AttrKind::Str).format(v))))
        .collect();
    let inputs: Vec<Value> = s
        .inputs
        .iter()
        .map(|i| json!({"shape": &i.shape[..], "dtype": i.dtype.map(|d| d.name()), "data": i.elements()}))
        .collect();
    let (oracle, code) = match s.oracle {
        Oracle::MxNet => ("mxnet", None),
        Oracle::MxNetSingle => ("mxnet single", None),
        Oracle::MxNetCode(code) => ("mxnet code", Some(code)),
        Oracle::NumPy(code) => ("numpy", Some(code)),
        Oracle::Run => ("none", None),
    };
    let run = match s.run {
        Run::Float => "float",
        Run::Int => "int",
        Run::Bool => "bool",
        Run::AsGiven => "as given",
    };
    json!({
        "name": s.name, "run": run, "attrs": attrs, "inputs": inputs, "training": s.training,
        "gradient": s.gradient, "tolerance": s.tolerance, "error": s.error.map(|e| format!("{e:?}")),
        "oracle": {"kind": oracle, "code": code, "attrs": texts},
    })
}
