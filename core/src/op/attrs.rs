//! Attributes of operators (and of optimizers, initializers, …): the closed set of types they may have.
//!
//! `#[derive(Attrs)]` implements [`Attrs`] for a struct whose fields are the attributes. Values come in as
//! [`AttrValue`]s with numeric ids, as they cross the C ABI, or as MXNet's strings, as its model files have
//! them.

use crate::device::Device;
use crate::dtype::DType;
use crate::error::Result;
use crate::op::subgraph::SubgraphRef;
use crate::shape::Shape;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

/// A value on its way to an attribute, tagged by its form.
#[derive(Clone, Debug, PartialEq)]
pub enum AttrValue {
    /// No value, for optional attributes.
    None,
    /// Truth value.
    Bool(bool),
    /// Integer; also the code of a dtype and the position of an enumeration's value.
    Int(i64),
    /// Floating-point number.
    Float(f64),
    /// Text; also the name of a dtype, of an enumeration's value, and a device.
    Str(String),
    /// Integers; also a shape. [`NO_INT`] stands for an absent element.
    Ints(Shape),
    /// Floating-point numbers.
    Floats(Vec<f64>),
    /// Texts.
    Strs(Vec<String>),
    /// A graph.
    Subgraph(SubgraphRef),
}

/// Stands for `None` inside a list of integers, as in `begin=(None, 1)`.
pub const NO_INT: i64 = i64::MIN;

/// The type of an attribute, as the schema tells it to every language.
#[derive(Clone, Debug, PartialEq)]
pub enum AttrKind {
    /// `true` or `false`.
    Bool,
    /// 64-bit integer.
    Int,
    /// Double.
    Float,
    /// UTF-8 text.
    Str,
    /// Sizes or axes; one integer stands for a list of one.
    Shape,
    /// Integers some of which may be absent.
    OptInts,
    /// List of doubles.
    Floats,
    /// List of texts.
    Strs,
    /// An element type.
    DType,
    /// A device such as `cpu(0)`.
    Device,
    /// One of these names.
    Enum(&'static [&'static str]),
    /// A graph: the body of a loop or a branch.
    Subgraph,
    /// Any of the above, or absent.
    Optional(Box<AttrKind>),
}

/// One attribute in the schema.
#[derive(Clone, Debug)]
pub struct AttrSchema {
    /// Number that stands for the attribute in calls; never reused.
    pub id: u32,
    /// MXNet's name.
    pub name: &'static str,
    /// Type.
    pub kind: AttrKind,
    /// What it means.
    pub doc: &'static str,
    /// Value that an absent attribute has; `None` if it must be given.
    pub default: Option<AttrValue>,
    /// Smallest and largest allowed number.
    pub bounds: Option<(f64, f64)>,
}

/// A struct whose fields are attributes. Implemented by `#[derive(Attrs)]`.
pub trait Attrs: Sized {
    /// What the struct is for, from its documentation.
    const DOC: &'static str;
    /// The attributes in order.
    fn schema() -> Vec<AttrSchema>;
    /// Reads values by id; absent ones have their default.
    fn from_values(values: &[(u32, AttrValue)]) -> Result<Self>;
    /// All values, in the order of the schema.
    fn to_values(&self) -> Vec<AttrValue>;
    /// Reads values by name, from MXNet's texts. Unknown names are an error.
    fn from_strings(pairs: &[(&str, &str)]) -> Result<Self> {
        let schema = Self::schema();
        let mut values = Vec::with_capacity(pairs.len());
        for (name, text) in pairs {
            let attr = find_attr(&schema, name)?;
            values.push((attr.id, attr.kind.parse(text).map_err(|e| e.about(attr.name))?));
        }
        Self::from_values(&values)
    }
}

/// The attribute called `name`; the error for an unknown one suggests the nearest.
pub fn find_attr<'a>(schema: &'a [AttrSchema], name: &str) -> Result<&'a AttrSchema> {
    schema.iter().find(|a| a.name == name).ok_or_else(|| {
        let hint = nearest(name, schema.iter().map(|a| a.name))
            .map_or_else(String::new, |n| format!("; did you mean '{n}'?"));
        crate::err!(NotFound, "there is no attribute '{name}'{hint}").about(name)
    })
}

/// The candidate that differs least from `name`, if any is close enough to be a slip.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = name.len().div_ceil(3).min(1 + name.len() / 4);
    candidates
        .map(|c| (edit_distance(&name.to_lowercase(), &c.to_lowercase()), c))
        .filter(|(d, _)| *d <= limit)
        .min()
        .map(|(_, c)| c)
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// A Rust type that an attribute may have.
pub trait AttrType: Sized {
    /// The schema's name for this type.
    fn kind() -> AttrKind;
    /// Reads a value, converting where nothing is lost.
    fn from_value(value: &AttrValue) -> Result<Self>;
    /// The value in its tagged form.
    fn to_value(&self) -> AttrValue;
}

fn mismatch<T>(expected: &str, got: &AttrValue) -> Result<T> {
    Err(crate::err!(InvalidType, "expected {expected}, got {}", got.describe()))
}

impl AttrValue {
    /// The value as a person would write it, for error messages.
    pub fn describe(&self) -> String {
        match self {
            AttrValue::None => "None".into(),
            AttrValue::Bool(b) => if *b { "True" } else { "False" }.into(),
            AttrValue::Int(i) => i.to_string(),
            AttrValue::Float(f) => f.to_string(),
            AttrValue::Str(s) => format!("'{s}'"),
            AttrValue::Ints(s) => tuple(s.iter().map(|i| opt_int(*i))),
            AttrValue::Floats(v) => tuple(v.iter().map(f64::to_string)),
            AttrValue::Strs(v) => tuple(v.iter().map(|s| format!("'{s}'"))),
            AttrValue::Subgraph(_) => "a graph".into(),
        }
    }
}

fn opt_int(i: i64) -> String {
    if i == NO_INT { "None".into() } else { i.to_string() }
}

fn tuple(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    let comma = if items.len() == 1 { "," } else { "" };
    format!("({}{comma})", items.join(", "))
}

macro_rules! attr_type {
    ($t:ty, $kind:expr, $what:literal, $($pat:pat $(if $guard:expr)? => $conv:expr),+; $self:ident => $to:expr) => {
        impl AttrType for $t {
            fn kind() -> AttrKind { $kind }
            fn from_value(value: &AttrValue) -> Result<Self> {
                match value { $($pat $(if $guard)? => $conv,)+ other => mismatch($what, other) }
            }
            fn to_value(&self) -> AttrValue { let $self = self; $to }
        }
    };
}

attr_type!(bool, AttrKind::Bool, "a truth value",
    AttrValue::Bool(b) => Ok(*b), AttrValue::Int(i) if *i == 0 || *i == 1 => Ok(*i == 1);
    v => AttrValue::Bool(*v));
attr_type!(i64, AttrKind::Int, "an integer",
    AttrValue::Int(i) => Ok(*i), AttrValue::Bool(b) => Ok(i64::from(*b)),
    AttrValue::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => Ok(*f as i64);
    v => AttrValue::Int(*v));
attr_type!(f64, AttrKind::Float, "a number",
    AttrValue::Float(f) => Ok(*f), AttrValue::Int(i) => Ok(*i as f64),
    AttrValue::Bool(b) => Ok(f64::from(u8::from(*b)));
    v => AttrValue::Float(*v));
attr_type!(String, AttrKind::Str, "a text", AttrValue::Str(s) => Ok(s.clone()); v => AttrValue::Str(v.clone()));
attr_type!(Shape, AttrKind::Shape, "integers",
    AttrValue::Ints(s) if !s.contains(&NO_INT) => Ok(s.clone()), AttrValue::Int(i) => Ok(Shape::new(&[*i])),
    AttrValue::Floats(f) if f.is_empty() => Ok(Shape::scalar());
    v => AttrValue::Ints(v.clone()));
attr_type!(Vec<f64>, AttrKind::Floats, "numbers",
    AttrValue::Floats(v) => Ok(v.clone()), AttrValue::Ints(v) => Ok(v.iter().map(|i| *i as f64).collect()),
    AttrValue::Float(f) => Ok(vec![*f]), AttrValue::Int(i) => Ok(vec![*i as f64]);
    v => AttrValue::Floats(v.clone()));
attr_type!(Vec<String>, AttrKind::Strs, "texts",
    AttrValue::Strs(v) => Ok(v.clone()), AttrValue::Str(s) => Ok(vec![s.clone()]),
    AttrValue::Ints(v) if v.is_empty() => Ok(vec![]);
    v => AttrValue::Strs(v.clone()));
attr_type!(DType, AttrKind::DType, "a dtype",
    v @ AttrValue::Int(i) => i32::try_from(*i).map_or_else(|_| mismatch("a dtype", v), DType::from_code),
    AttrValue::Str(s) => DType::from_name(s);
    v => AttrValue::Int(*v as i64));
attr_type!(Device, AttrKind::Device, "a device", AttrValue::Str(s) => Device::parse(s);
    v => AttrValue::Str(v.to_string()));

/// Integers some of which may be absent, as `begin` and `end` of a slice.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OptInts(pub Vec<Option<i64>>);

attr_type!(OptInts, AttrKind::OptInts, "integers or None",
    AttrValue::Ints(s) => Ok(OptInts(s.iter().map(|i| (*i != NO_INT).then_some(*i)).collect())),
    AttrValue::Int(i) => Ok(OptInts(vec![Some(*i)])), AttrValue::None => Ok(OptInts(vec![None])),
    AttrValue::Floats(f) if f.is_empty() => Ok(OptInts(vec![]));
    v => AttrValue::Ints(v.0.iter().map(|i| i.unwrap_or(NO_INT)).collect()));

impl<T: AttrType> AttrType for Option<T> {
    fn kind() -> AttrKind {
        AttrKind::Optional(Box::new(T::kind()))
    }
    fn from_value(value: &AttrValue) -> Result<Self> {
        match value {
            AttrValue::None => Ok(None),
            v => T::from_value(v).map(Some),
        }
    }
    fn to_value(&self) -> AttrValue {
        self.as_ref().map_or(AttrValue::None, T::to_value)
    }
}

/// An enumeration that an attribute may have. Implemented by `#[derive(AttrEnum)]`.
pub trait AttrEnum: Copy + 'static {
    /// The names of the values, in order.
    const NAMES: &'static [&'static str];
    /// The value at a position of [`AttrEnum::NAMES`].
    fn from_position(position: usize) -> Self;
    /// The position of this value.
    fn position(self) -> usize;
}

/// Reads an enumeration's value from its position or name.
pub fn enum_from_value<T: AttrEnum>(value: &AttrValue) -> Result<T> {
    let position = match value {
        AttrValue::Int(i) => usize::try_from(*i).ok().filter(|i| *i < T::NAMES.len()),
        AttrValue::Str(s) => T::NAMES.iter().position(|n| n == s),
        _ => None,
    };
    position.map(T::from_position).ok_or_else(|| {
        let hint = match value {
            AttrValue::Str(s) => nearest(s, T::NAMES.iter().copied())
                .map_or_else(String::new, |n| format!("; did you mean '{n}'?")),
            _ => String::new(),
        };
        crate::err!(
            InvalidValue,
            "expected one of {}, got {}{hint}",
            T::NAMES.iter().map(|n| format!("'{n}'")).collect::<Vec<_>>().join(", "),
            value.describe()
        )
    })
}

impl AttrKind {
    /// Reads MXNet's text for a value of this kind.
    pub fn parse(&self, text: &str) -> Result<AttrValue> {
        let text = text.trim();
        let bad = |what: &str| crate::err!(InvalidValue, "expected {what}, got '{text}'");
        Ok(match self {
            AttrKind::Optional(_) if text == "None" => AttrValue::None,
            AttrKind::Optional(kind) => kind.parse(text)?,
            AttrKind::Bool => match text {
                "True" | "true" | "1" => AttrValue::Bool(true),
                "False" | "false" | "0" => AttrValue::Bool(false),
                _ => return Err(bad("True or False")),
            },
            AttrKind::Int => AttrValue::Int(parse_int(text).ok_or_else(|| bad("an integer"))?),
            AttrKind::Float => AttrValue::Float(text.parse().map_err(|_| bad("a number"))?),
            AttrKind::Str | AttrKind::Enum(_) | AttrKind::DType | AttrKind::Device => {
                AttrValue::Str(text.into())
            }
            AttrKind::Shape | AttrKind::OptInts => AttrValue::Ints(
                items(text)
                    .map(|i| if i == "None" { Some(NO_INT) } else { parse_int(i) })
                    .collect::<Option<Shape>>()
                    .ok_or_else(|| bad("integers"))?,
            ),
            AttrKind::Floats => AttrValue::Floats(
                items(text).map(str::parse).collect::<Result<_, _>>().map_err(|_| bad("numbers"))?,
            ),
            AttrKind::Strs => {
                AttrValue::Strs(items(text).map(|s| s.trim_matches(['\'', '"']).to_owned()).collect())
            }
            AttrKind::Subgraph => return Err(bad("a graph")),
        })
    }

    /// The text that MXNet writes for a value of this kind.
    pub fn format(&self, value: &AttrValue) -> String {
        match (self, value) {
            (AttrKind::Optional(kind), v) if *v != AttrValue::None => kind.format(v),
            (AttrKind::Enum(names), AttrValue::Int(i)) => {
                names.get(*i as usize).copied().unwrap_or_default().to_owned()
            }
            (AttrKind::DType, AttrValue::Int(i)) => {
                DType::from_code(*i as i32).map_or_else(|_| i.to_string(), |d| d.name().to_owned())
            }
            (_, AttrValue::Str(s)) => s.clone(),
            (_, AttrValue::Float(f)) => {
                let mut text = String::new();
                let _ = write!(text, "{f}");
                text
            }
            (_, v) => v.describe(),
        }
    }

    /// The schema's word for this kind.
    pub fn word(&self) -> &'static str {
        match self {
            AttrKind::Bool => "bool",
            AttrKind::Int => "int",
            AttrKind::Float => "float",
            AttrKind::Str => "string",
            AttrKind::Shape => "shape",
            AttrKind::OptInts => "optional ints",
            AttrKind::Floats => "floats",
            AttrKind::Strs => "strings",
            AttrKind::Subgraph => "subgraph",
            AttrKind::DType => "dtype",
            AttrKind::Device => "device",
            AttrKind::Enum(_) => "enum",
            AttrKind::Optional(kind) => kind.word(),
        }
    }
}

/// MXNet writes some integers as `2L` or as whole floating-point numbers.
fn parse_int(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches('L');
    text.parse().ok().or_else(|| text.parse::<f64>().ok().filter(|f| f.fract() == 0.0).map(|f| f as i64))
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.trim_matches(|c| "()[]".contains(c)).split(',').map(str::trim).filter(|s| !s.is_empty())
}

/// Mixes values into a hash: equal values give equal hashes.
pub fn hash_values(values: &[AttrValue], h: &mut impl Hasher) {
    for value in values {
        match value {
            AttrValue::None => 0u8.hash(h),
            AttrValue::Bool(b) => b.hash(h),
            AttrValue::Int(i) => i.hash(h),
            AttrValue::Float(f) => f.to_bits().hash(h),
            AttrValue::Str(s) => s.hash(h),
            AttrValue::Ints(s) => s.hash(h),
            AttrValue::Floats(v) => v.iter().for_each(|f| f.to_bits().hash(h)),
            AttrValue::Strs(v) => v.hash(h),
            AttrValue::Subgraph(g) => g.address().hash(h),
        }
    }
}

/// Checks a number against an attribute's bounds. NaN lies outside all bounds.
pub fn check_bounds(name: &str, value: &AttrValue, low: f64, high: f64) -> Result<()> {
    let outside = |v: &f64| !(low..=high).contains(v);
    let bad = match value {
        AttrValue::Int(i) => Some(*i as f64).filter(outside),
        AttrValue::Float(f) => Some(*f).filter(outside),
        AttrValue::Floats(v) => v.iter().copied().find(outside),
        AttrValue::Ints(v) => v.iter().filter(|i| **i != NO_INT).map(|i| *i as f64).find(outside),
        _ => None,
    };
    let Some(v) = bad else { return Ok(()) };
    let range = match (low.is_finite(), high.is_finite()) {
        (true, true) => format!("from {low} to {high}"),
        (true, false) => format!("of at least {low}"),
        _ => format!("of at most {high}"),
    };
    Err(crate::err!(InvalidValue, "expected a value {range}, got {v}").about(name))
}
