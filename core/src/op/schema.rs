//! The schema: what every language's generator reads, as JSON.

use crate::op::attrs::{AttrKind, AttrSchema, AttrValue, NO_INT};
use crate::op::operator::Input;
use crate::op::registry::{OpDef, Registry};
use serde_json::{Map, Value, json};

/// All operators as JSON: `schema/ops.json`.
pub fn operators(registry: &Registry) -> Value {
    Value::Array(registry.ops().iter().map(operator).collect())
}

fn operator(def: &OpDef) -> Value {
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
    out.insert("dtypes".into(), meta.dtypes.iter().map(|d| d.name()).collect());
    out.insert("attrs".into(), attributes(&def.attrs));
    Value::Object(out)
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
    }
}
