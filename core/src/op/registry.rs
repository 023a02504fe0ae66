//! The registry: every operator, found by name.

use crate::dtype::DType;
use crate::error::Result;
use crate::op::attrs::{AttrSchema, AttrValue, Attrs, find_attr, nearest};
use crate::op::operator::{DynOperator, Meta, OpRef, Operator};
use crate::op::sample::Sample;
use crate::shape::Shape;
use std::collections::HashMap;
use std::sync::Arc;

/// A registered operator.
pub struct OpDef {
    /// Position in the list.
    pub index: usize,
    /// Name, inputs, outputs.
    pub meta: Meta,
    /// Documentation.
    pub doc: &'static str,
    /// The attributes.
    pub attrs: Vec<AttrSchema>,
    /// Samples of its use.
    pub samples: fn() -> Vec<Sample>,
    parse: Parse,
    /// The operator with every attribute at its default, if all have one.
    default: Option<Arc<dyn DynOperator>>,
}

/// Makes an operator from its attributes' values by id.
type Parse = fn(&[(u32, AttrValue)]) -> Result<Arc<dyn DynOperator>>;

impl OpDef {
    /// The definition of `T`, for the list of operators.
    pub fn of<T: Operator + Attrs>() -> OpDef {
        let meta = T::meta();
        OpDef {
            index: 0,
            doc: meta.doc.unwrap_or(T::DOC),
            attrs: T::schema(),
            samples: T::samples,
            parse: |values| Ok(Arc::new(T::from_values(values)?)),
            default: T::from_values(&[]).ok().map(|op| Arc::new(op) as Arc<dyn DynOperator>),
            meta,
        }
    }

    /// The operator with these attributes, by id.
    ///
    /// # Errors
    /// About an attribute that is missing, unknown or has a value that is not allowed.
    pub fn with(&'static self, values: &[(u32, AttrValue)]) -> Result<OpRef> {
        if let (true, Some(op)) = (values.is_empty(), &self.default) {
            return Ok(OpRef { def: self, op: op.clone() });
        }
        if let Some((id, _)) = values.iter().find(|(id, _)| !self.attrs.iter().any(|a| a.id == *id)) {
            return Err(
                crate::err!(NotFound, "there is no attribute with id {id}").in_operator(self.meta.name)
            );
        }
        let op = (self.parse)(values).map_err(|e| e.in_operator(self.meta.name))?;
        Ok(OpRef { def: self, op })
    }

    /// The operator with these attributes, by name and MXNet's texts.
    ///
    /// # Errors
    /// As [`OpDef::with`].
    pub fn with_strings(&'static self, pairs: &[(&str, &str)]) -> Result<OpRef> {
        self.with(&self.parse_strings(pairs)?)
    }

    /// The values, by id, that MXNet's texts of attributes mean.
    ///
    /// # Errors
    /// `NotFound` for a name that is no attribute's; `InvalidValue` for a text of another kind.
    pub fn parse_strings(&self, pairs: &[(&str, &str)]) -> Result<Vec<(u32, AttrValue)>> {
        let values: Result<Vec<_>> = pairs
            .iter()
            .map(|(name, text)| {
                let attr = find_attr(&self.attrs, name)?;
                Ok((attr.id, attr.kind.parse(text).map_err(|e| e.about(attr.name))?))
            })
            .collect();
        values.map_err(|e| e.in_operator(self.meta.name))
    }

    /// The operator with these attributes, by name.
    ///
    /// # Errors
    /// As [`OpDef::with`].
    pub fn with_named(&'static self, pairs: &[(&str, AttrValue)]) -> Result<OpRef> {
        let values: Result<Vec<_>> =
            pairs.iter().map(|(n, v)| Ok((find_attr(&self.attrs, n)?.id, v.clone()))).collect();
        self.with(&values.map_err(|e| e.in_operator(self.meta.name))?)
    }
}

/// Every registered operator.
pub struct Registry {
    addition: &'static str,
    zeros: &'static str,
    ops: Vec<OpDef>,
    by_name: HashMap<&'static str, usize>,
    by_type: HashMap<std::any::TypeId, usize>,
}

impl Registry {
    /// All operators, in their stable order.
    pub fn ops(&self) -> &[OpDef] {
        &self.ops
    }

    /// The operator with this name or alias.
    ///
    /// # Errors
    /// `NotFound`, with the nearest name.
    pub fn find(&self, name: &str) -> Result<&OpDef> {
        self.by_name.get(name).map(|i| &self.ops[*i]).ok_or_else(|| {
            let hint = nearest(name, self.by_name.keys().copied())
                .map_or_else(String::new, |n| format!("; did you mean '{n}'?"));
            crate::err!(NotFound, "there is no operator '{name}'{hint}")
        })
    }

    /// The operator that adds two arrays of one shape, with which gradients are summed.
    pub fn addition(&'static self) -> OpRef {
        let def = &self.ops[self.by_name[self.addition]];
        def.with(&[]).expect("addition has no attributes")
    }

    /// The operator without inputs that makes an array of zeros.
    pub fn zeros(&'static self, shape: &Shape, dtype: DType) -> OpRef {
        let def = &self.ops[self.by_name[self.zeros]];
        let attrs = [("shape", AttrValue::Ints(shape.clone())), ("dtype", AttrValue::Int(dtype as i64))];
        def.with_named(&attrs).expect("an array is made from a shape and a dtype")
    }

    /// The operator that type `T` defines, with these attributes.
    pub fn op<T: Operator + Attrs>(&'static self, op: T) -> OpRef {
        let index = self.by_type.get(&std::any::TypeId::of::<T>()).expect("the operator is in the list");
        OpRef { def: &self.ops[*index], op: Arc::new(op) }
    }
}

/// One line of the list of operators.
pub struct Entry {
    type_id: std::any::TypeId,
    def: OpDef,
}

impl Entry {
    /// The line of `T`.
    pub fn of<T: Operator + Attrs>() -> Entry {
        Entry { type_id: std::any::TypeId::of::<T>(), def: OpDef::of::<T>() }
    }
}

impl Registry {
    /// The registry of these operators, of which `addition` sums gradients and `zeros` makes those that are
    /// none.
    pub(crate) fn new(entries: Vec<Entry>, addition: &'static str, zeros: &'static str) -> Registry {
        let mut registry = Registry {
            addition,
            zeros,
            ops: Vec::with_capacity(entries.len()),
            by_name: HashMap::new(),
            by_type: HashMap::new(),
        };
        for (index, mut entry) in entries.into_iter().enumerate() {
            entry.def.index = index;
            for name in std::iter::once(&entry.def.meta.name).chain(entry.def.meta.aliases) {
                let earlier = registry.by_name.insert(name, index);
                assert!(earlier.is_none(), "two operators are called '{name}'");
            }
            registry.by_type.insert(entry.type_id, index);
            registry.ops.push(entry.def);
        }
        registry
    }
}
