//! mxr's own model file: a safetensors file whose texts carry the graph.
//!
//! | text | holds |
//! |---|---|
//! | `mxr.version` | the version of this list, 1 |
//! | `mxr.symbol` | the graph, as MXNet's `-symbol.json` |
//! | `mxr.inputs` | what a user gives: a JSON list of `{"name", "shape", "dtype", "label"}` |
//! | `mxr.outputs` | a JSON list of the outputs' names, for readers that know no graphs |
//! | any other | the user's own |
//!
//! The tensors are named as in MXNet's `.params`: `arg:…` and `aux:…`.

use super::{Input, Model, Named, split};
use crate::dtype::DType;
use crate::error::Result;
use crate::format::safetensors::Metadata;
use crate::graph::Symbol;
use crate::ndarray::NdArray;
use crate::ndarray::safetensors::{self, Access, Contents};
use crate::shape::{Shape, UNKNOWN};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The version that is written, and the newest that is read.
pub const VERSION: u32 = 1;
/// Texts with this beginning are not the user's.
const OURS: &str = "mxr.";
const VERSION_KEY: &str = "mxr.version";
const SYMBOL: &str = "mxr.symbol";
const INPUTS: &str = "mxr.inputs";
const OUTPUTS: &str = "mxr.outputs";

/// An input as the file's JSON has it; -1 is an axis of any size, null any shape.
#[derive(Serialize, Deserialize)]
struct InputText {
    name: String,
    shape: Option<Vec<i64>>,
    dtype: String,
    #[serde(default)]
    label: bool,
}

/// True if a file's texts carry a graph.
pub fn has_graph(metadata: &Metadata) -> bool {
    metadata.contains_key(SYMBOL)
}

/// Opens a model, whose arrays stay in the file until they are written to, or read it.
///
/// # Errors
/// `Io`, `NotFound`; `Format` for other files; `Version` for one of a newer mxr; those of
/// [`Symbol::from_json`].
pub fn load(path: &Path, access: Access) -> Result<Model> {
    from_contents(safetensors::load(path, access)?).map_err(|e| e.in_file(path))
}

/// The model of a file that is in memory.
///
/// # Errors
/// As [`load`].
pub fn from_bytes(bytes: &[u8]) -> Result<Model> {
    from_contents(safetensors::from_bytes(bytes)?)
}

/// The model of a safetensors file that was opened.
///
/// # Errors
/// As [`load`].
pub fn from_contents(contents: Contents) -> Result<Model> {
    let Contents { mut metadata, arrays } = contents;
    check_version(metadata.get(VERSION_KEY))?;
    let text = metadata.get(SYMBOL).ok_or_else(|| {
        crate::err!(Format, "the file holds no graph: it has no text '{SYMBOL}', only arrays")
    })?;
    let symbol =
        Symbol::from_json(text).map_err(|e| crate::Error::new(e.code(), format!("{SYMBOL}: {e}")))?;
    let inputs = metadata.get(INPUTS).map(|text| read_inputs(text, &symbol, &arrays)).transpose();
    let inputs = inputs.map_err(|e| e.about(INPUTS))?;
    metadata.retain(|key, _| !key.starts_with(OURS));
    let (arguments, auxiliary_states) = split(arrays)?;
    let model = match inputs {
        Some(inputs) => {
            super::check_complete(&symbol, &auxiliary_states)?;
            Model { symbol, arguments, auxiliary_states, inputs, metadata }
        }
        None => Model { metadata, ..Model::new(symbol, arguments, auxiliary_states)? },
    };
    Ok(model)
}

/// Writes a model; an existing file is replaced only by a whole one.
///
/// # Errors
/// `Io`; `InvalidValue` for two parameters of one name and for the user's texts under `mxr.…`; the errors of
/// the operations that should have made the arrays.
pub fn save(model: &Model, path: &Path) -> Result<()> {
    with_parts(model, |metadata, arrays| safetensors::save(path, metadata, arrays))
}

/// The bytes that [`fn@save`] writes.
///
/// # Errors
/// As [`fn@save`].
pub fn to_bytes(model: &Model) -> Result<Vec<u8>> {
    with_parts(model, safetensors::to_bytes)
}

fn with_parts<R>(
    model: &Model,
    write: impl FnOnce(&Metadata, &[(&str, &NdArray)]) -> Result<R>,
) -> Result<R> {
    let mut metadata = model.metadata.clone();
    if let Some(key) = metadata.keys().find(|key| key.starts_with(OURS)) {
        return Err(crate::err!(InvalidValue, "keys that begin with '{OURS}' are taken").about(key));
    }
    metadata.insert(VERSION_KEY.to_owned(), VERSION.to_string());
    metadata.insert(SYMBOL.to_owned(), model.symbol.to_json());
    metadata.insert(INPUTS.to_owned(), json(&model.inputs.iter().map(InputText::from).collect::<Vec<_>>())?);
    metadata.insert(OUTPUTS.to_owned(), json(&model.symbol.list_outputs())?);
    let mut names: Vec<(String, &NdArray)> = model.file_names().collect();
    // In the graph's order, whatever that of a language's dictionaries: equal models are equal files.
    let inputs = model.symbol.list_inputs();
    let places: HashMap<&str, usize> = inputs.iter().enumerate().map(|(i, n)| (n.as_str(), i)).collect();
    let place = |name: &str| name.split_once(':').and_then(|(_, n)| places.get(n).copied());
    names.sort_by(|(a, _), (b, _)| {
        let unused = usize::MAX;
        (place(a).unwrap_or(unused), a).cmp(&(place(b).unwrap_or(unused), b))
    });
    let arrays: Vec<(&str, &NdArray)> = names.iter().map(|(n, a)| (n.as_str(), *a)).collect();
    write(&metadata, &arrays)
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| crate::Error::internal(e.to_string()))
}

fn check_version(text: Option<&String>) -> Result<()> {
    let Some(text) = text else {
        crate::bail!(Format, "not a model of mxr: the file has no text '{VERSION_KEY}'");
    };
    match text.parse::<u32>() {
        Ok(version) if (1..=VERSION).contains(&version) => Ok(()),
        Ok(version) => Err(crate::err!(
            Version,
            "the file has version {version}, this mxr reads up to {VERSION}: a newer one is needed"
        )),
        Err(_) => Err(crate::err!(Format, "expected a number, got '{text}'").about(VERSION_KEY)),
    }
}

fn read_inputs(text: &str, symbol: &Symbol, arrays: &Named) -> Result<Vec<Input>> {
    let texts: Vec<InputText> =
        serde_json::from_str(text).map_err(|e| crate::err!(Format, "expected a list of inputs: {e}"))?;
    let inputs: Vec<Input> = texts.into_iter().map(Input::try_from).collect::<Result<_>>()?;
    let parameters: HashSet<&str> =
        arrays.iter().filter_map(|(n, _)| n.strip_prefix(super::ARGUMENT)).collect();
    let expected: Vec<String> =
        symbol.list_arguments().into_iter().filter(|n| !parameters.contains(n.as_str())).collect();
    let same: HashSet<&str> = inputs.iter().map(|i| i.name.as_str()).collect();
    if same.len() != inputs.len() || same != expected.iter().map(String::as_str).collect() {
        let names: Vec<&str> = inputs.iter().map(|i| i.name.as_str()).collect();
        crate::bail!(
            Format,
            "expected the arguments without an array, which are [{}], got [{}]",
            expected.join(", "),
            names.join(", ")
        );
    }
    Ok(inputs)
}

impl From<&Input> for InputText {
    fn from(input: &Input) -> InputText {
        InputText {
            name: input.name.clone(),
            shape: input.shape.as_ref().map(|s| s.to_vec()),
            dtype: input.dtype.name().to_owned(),
            label: input.label,
        }
    }
}

impl TryFrom<InputText> for Input {
    type Error = crate::Error;

    fn try_from(text: InputText) -> Result<Input> {
        let in_input = |e: crate::Error| crate::err!(Format, "input '{}': {}", text.name, e.message());
        let dtype = DType::from_name(&text.dtype).map_err(in_input)?;
        let shape = text.shape.map(|dims| Shape::new(&dims));
        if let Some(d) = shape.iter().flat_map(|s| s.iter()).find(|d| **d < UNKNOWN) {
            return Err(in_input(crate::err!(Format, "expected sizes from -1 up, got {d}")));
        }
        Ok(Input { name: text.name, shape, dtype, label: text.label })
    }
}
