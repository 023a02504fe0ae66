//! Safetensors files: a JSON header that says where the bytes of each tensor lie, then those bytes.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | length of the header, little-endian |
//! | header | `{"__metadata__": {text: text}, name: {"dtype": …, "shape": […], "data_offsets": [begin, end]}, …}` |
//! | rest | the tensors, row-major, little-endian; every byte belongs to exactly one |
//!
//! [`read`] takes the header apart and refuses what the format's authors refuse, and names given twice as
//! well. [`header`] makes one. The format allows no gaps, so alignment comes from the order: tensors whose
//! size is a multiple of [`ALIGNMENT`] come first and all begin at such multiples, the others follow, wide
//! elements first, and begin at multiples of their element's size.
//!
//! Source: the format's specification and its reference implementation, the crate `safetensors`, against
//! which the tests read and write.

use crate::dtype::DType;
use crate::error::Result;
use crate::shape::Shape;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Range;

/// The file begins at a multiple of this in memory, and so does the first tensor.
pub const ALIGNMENT: usize = 64;
/// The longest header that the format allows.
pub const MAX_HEADER: usize = 100_000_000;
/// The key of the texts that belong to the file as a whole.
const METADATA: &str = "__metadata__";
/// Bytes of the header's length.
const PREFIX: usize = 8;

/// Texts that belong to a file as a whole.
pub type Metadata = BTreeMap<String, String>;

/// What the header says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Header {
    /// Texts that belong to the file as a whole.
    pub metadata: Metadata,
    /// The tensors, in the order of the header.
    pub tensors: Vec<Tensor>,
}

/// A tensor of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Name; no other tensor of the file has it.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Shape; all sizes are known.
    pub shape: Shape,
    /// Where its bytes lie in the file, exactly as many as shape and dtype need.
    pub bytes: Range<usize>,
}

/// A tensor as the header's JSON has it.
#[derive(Deserialize)]
struct Info<'a> {
    #[serde(borrow)]
    dtype: Cow<'a, str>,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// The name of a dtype in a header.
pub const fn dtype_name(dtype: DType) -> &'static str {
    match dtype {
        DType::F64 => "F64",
        DType::F32 => "F32",
        DType::F16 => "F16",
        DType::BF16 => "BF16",
        DType::I64 => "I64",
        DType::I32 => "I32",
        DType::I8 => "I8",
        DType::U8 => "U8",
        DType::Bool => "BOOL",
    }
}

/// True if these first bytes are those of a header that the format allows.
pub fn is_safetensors(begin: &[u8]) -> bool {
    match begin.split_first_chunk::<PREFIX>() {
        Some((len, [b'{', ..])) => u64::from_le_bytes(*len) <= MAX_HEADER as u64,
        _ => false,
    }
}

/// The header of a whole file.
///
/// # Errors
/// `Format` for other bytes, and tensors that are given twice, overlap, leave a gap or do not fit the file;
/// `Unsupported` for dtypes that arrays do not have.
pub fn read(file: &[u8]) -> Result<Header> {
    let Some((prefix, rest)) = file.split_first_chunk::<PREFIX>() else {
        crate::bail!(Format, "not a safetensors file: it has {} bytes, expected at least 8", file.len());
    };
    let len = u64::from_le_bytes(*prefix);
    if len > MAX_HEADER as u64 {
        crate::bail!(Format, "the header has {len} bytes by its length: at most {MAX_HEADER} are allowed");
    }
    let Some((text, data)) = rest.split_at_checked(len as usize) else {
        crate::bail!(Format, "the header has {len} bytes by its length, but only {} follow", rest.len());
    };
    if text.first() != Some(&b'{') {
        crate::bail!(Format, "not a safetensors file: its header does not begin with '{{'");
    }
    let text = std::str::from_utf8(text).map_err(|e| crate::err!(Format, "the header is not UTF-8: {e}"))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let parsed = Parsed::deserialize(&mut json).and_then(|p| json.end().map(|()| p));
    let Parsed { metadata, infos } = parsed.map_err(|e| crate::err!(Format, "the header: {e}"))?;
    let start = PREFIX + len as usize;
    let tensors: Vec<Tensor> = infos
        .into_iter()
        .map(|(name, info)| tensor(name, &info, start, data.len()))
        .collect::<Result<_>>()?;
    check_cover(&tensors, start, data.len())?;
    Ok(Header { metadata, tensors })
}

/// The tensor that `info` describes in a file whose `len` bytes of data begin at `start`.
fn tensor(name: String, info: &Info, start: usize, len: usize) -> Result<Tensor> {
    let in_tensor = |e: crate::Error| e.about(&name);
    let known = DType::ALL.into_iter().find(|d| dtype_name(*d) == info.dtype);
    let dtype = known.ok_or_else(|| {
        let names: Vec<_> = DType::ALL.into_iter().map(dtype_name).collect();
        in_tensor(crate::err!(
            Unsupported,
            "expected one of the dtypes {}, got {}",
            names.join(", "),
            info.dtype
        ))
    })?;
    let (begin, end) = info.data_offsets;
    if begin > end || end > len as u64 {
        return Err(in_tensor(crate::err!(
            Format,
            "its bytes are {begin} to {end} by the header, of {len} that the file has"
        )));
    }
    // A size beyond i64 becomes negative, and the check refuses it.
    let shape: Shape = info.shape.iter().map(|d| *d as i64).collect();
    let size =
        shape.checked_len().map_err(|e| in_tensor(crate::err!(Format, "{}", e.message())))? * dtype.size();
    if size as u64 != end - begin {
        return Err(in_tensor(crate::err!(
            Format,
            "shape {shape} and dtype {dtype} take {size} bytes, the header gives {}",
            end - begin
        )));
    }
    let bytes = start + begin as usize..start + end as usize;
    Ok(Tensor { name, dtype, shape, bytes })
}

/// Refuses tensors that overlap or do not cover the `len` bytes from `start`.
fn check_cover(tensors: &[Tensor], start: usize, len: usize) -> Result<()> {
    let mut order: Vec<&Tensor> = tensors.iter().collect();
    order.sort_by_key(|t| (t.bytes.start, t.bytes.end));
    let mut covered = start;
    for t in order {
        if t.bytes.start != covered {
            let fault = if t.bytes.start < covered { "overlap another's" } else { "leave a gap before them" };
            let Range { start: begin, end } = t.bytes;
            return Err(
                crate::err!(Format, "its bytes {} to {} {fault}", begin - start, end - start).about(&t.name)
            );
        }
        covered = t.bytes.end;
    }
    if covered != start + len {
        crate::bail!(Format, "{} bytes at the end belong to no tensor", start + len - covered);
    }
    Ok(())
}

/// The bytes before the data of a file with these tensors, and the order in which their data must follow. The
/// header keeps the tensors' own order.
///
/// # Errors
/// `InvalidValue` for a name that is given twice or reserved; `Unsupported` for a header longer than the
/// format allows; those of shapes.
pub fn header(metadata: &Metadata, tensors: &[(&str, DType, &Shape)]) -> Result<(Vec<u8>, Vec<usize>)> {
    let sizes: Vec<usize> =
        tensors.iter().map(|(_, d, s)| Ok(s.checked_len()? * d.size())).collect::<Result<_>>()?;
    let mut order: Vec<usize> = (0..tensors.len()).collect();
    order.sort_by_key(|i| (sizes[*i] % ALIGNMENT != 0, std::cmp::Reverse(tensors[*i].1.size())));
    let mut begins = vec![0; tensors.len()];
    order.iter().fold(0, |at, i| {
        begins[*i] = at;
        at + sizes[*i]
    });
    let mut json = Map::new();
    if !metadata.is_empty() {
        json.insert(METADATA.to_owned(), json!(metadata));
    }
    for (i, (name, dtype, shape)) in tensors.iter().enumerate() {
        let offsets = [begins[i], begins[i] + sizes[i]];
        let info = json!({"dtype": dtype_name(*dtype), "shape": &shape[..], "data_offsets": offsets});
        if *name == METADATA || json.insert((*name).to_owned(), info).is_some() {
            let fault = if *name == METADATA { "reserved" } else { "given twice" };
            return Err(crate::err!(InvalidValue, "the name is {fault}").about(name));
        }
    }
    let mut text = Value::Object(json).to_string();
    let padded = (PREFIX + text.len()).next_multiple_of(ALIGNMENT) - PREFIX;
    if padded > MAX_HEADER {
        crate::bail!(Unsupported, "the header would have {padded} bytes: at most {MAX_HEADER} are allowed");
    }
    text.extend(std::iter::repeat_n(' ', padded - text.len()));
    let mut bytes = (padded as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    Ok((bytes, order))
}

/// A header's JSON, no name twice.
struct Parsed<'a> {
    metadata: Metadata,
    infos: Vec<(String, Info<'a>)>,
}

impl<'de> Deserialize<'de> for Parsed<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Parsed<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut parsed = Parsed { metadata: Metadata::new(), infos: Vec::new() };
        let mut seen: HashSet<Cow<'de, str>> = HashSet::new();
        while let Some(Text(name)) = map.next_key()? {
            if name == METADATA {
                parsed.metadata = map.next_value_seed(Texts)?;
            } else {
                parsed.infos.push((name.clone().into_owned(), map.next_value()?));
            }
            if let Some(twice) = seen.replace(name) {
                return Err(A::Error::custom(format!("the name '{twice}' is given twice")));
            }
        }
        Ok(parsed)
    }
}

/// A text that borrows from the header where it can.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// An object of texts, no key twice.
struct Texts;

impl<'de> DeserializeSeed<'de> for Texts {
    type Value = Metadata;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Metadata, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Texts {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "an object of texts in {METADATA}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
        let mut texts = Metadata::new();
        while let Some((key, text)) = map.next_entry::<String, String>()? {
            if texts.contains_key(&key) {
                return Err(A::Error::custom(format!("the key '{key}' of {METADATA} is given twice")));
            }
            texts.insert(key, text);
        }
        Ok(texts)
    }
}
