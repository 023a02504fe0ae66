//! A file's JSON as structs. What mxr does not need is skipped while it is read, so that memory stays in
//! proportion to the file, where a tree of JSON values would take a hundred times as much.

use crate::graph::symbol::AttrMap;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt::{self, Write};

/// The whole file, or the body of a loop or a branch.
#[derive(Deserialize)]
#[serde(expecting = "an object with 'nodes'")]
pub(super) struct GraphText<'a> {
    #[serde(borrow)]
    pub nodes: Vec<NodeText<'a>>,
    pub arg_nodes: Vec<u64>,
    pub heads: Vec<Link>,
    #[serde(default)]
    attrs: Option<GraphAttrs>,
}

#[derive(Deserialize)]
struct GraphAttrs {
    #[serde(default)]
    mxnet_version: Option<Number>,
}

/// A node.
#[derive(Deserialize)]
#[serde(expecting = "an object with 'op', 'name' and 'inputs'")]
pub(super) struct NodeText<'a> {
    #[serde(borrow)]
    pub op: Cow<'a, str>,
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// 1.0 and later.
    pub attrs: Option<AttrMap>,
    /// 0.9, and the user's in 0.8.
    pub attr: Option<AttrMap>,
    /// The operator's in 0.8.
    pub param: Option<AttrMap>,
    pub inputs: Vec<Link>,
    pub control_deps: Option<Vec<IgnoredAny>>,
    /// The bodies of loops and branches.
    #[serde(borrow, default)]
    pub subgraphs: Option<Vec<GraphText<'a>>>,
}

/// One output of a node of a file.
#[derive(Clone, Copy)]
pub(super) struct Link {
    pub node: usize,
    pub index: u32,
    pub version: u32,
}

/// A number, which MXNet writes as `["int", 10901]`.
struct Number(i64);

/// The text with control characters inside strings as JSON wants them: MXNet writes and reads them as they
/// are, line ends excepted.
pub(super) fn with_escaped_controls(text: &str) -> Cow<'_, str> {
    let is_raw = |c: char| c < ' ' && c != '\n' && c != '\r';
    if !text.contains(is_raw) {
        return text.into();
    }
    let (mut inside, mut escaped) = (false, false);
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if inside && is_raw(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
        inside ^= c == '"' && !escaped;
        escaped = c == '\\' && inside && !escaped;
    }
    out.into()
}

impl GraphText<'_> {
    /// The version of MXNet that wrote the file, as 10901 for 1.9.1.
    pub fn version(&self) -> Option<i64> {
        self.attrs.as_ref()?.mxnet_version.as_ref().map(|n| n.0)
    }
}

impl<'de> Deserialize<'de> for Link {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Link, D::Error> {
        json.deserialize_seq(LinkVisitor)
    }
}

struct LinkVisitor;

impl<'de> Visitor<'de> for LinkVisitor {
    type Value = Link;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("[node, output, version]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Link, A::Error> {
        let node: Option<u32> = list.next_element()?;
        let index: Option<u32> = list.next_element()?;
        // Files before 0.9 have no version.
        let version: u32 = list.next_element()?.unwrap_or(0);
        match (node, index, list.next_element::<IgnoredAny>()?) {
            (Some(node), Some(index), None) => Ok(Link { node: node as usize, index, version }),
            _ => Err(A::Error::custom("expected [node, output, version]")),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Number, D::Error> {
        json.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("[\"int\", number]")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
        i64::try_from(number).map(Number).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
        Ok(Number(number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Number, A::Error> {
        let kind: Option<IgnoredAny> = list.next_element()?;
        let number: Option<i64> = list.next_element()?;
        match (kind, number, list.next_element::<IgnoredAny>()?) {
            (Some(_), Some(number), None) => Ok(Number(number)),
            _ => Err(A::Error::custom("expected [\"int\", number]")),
        }
    }
}
