//! What files hold: one file, or the two of a checkpoint, of whichever one was named.

use crate::Failure;
use mxr_core::NdArray;
use mxr_core::format::ndarray_list::{self, Entry};
use mxr_core::format::{Kind, atomic};
use mxr_core::graph::Symbol;
use mxr_core::model::{Model, checkpoint, native};
use mxr_core::ndarray::safetensors::{self, Access, Contents};
use std::path::{Path, PathBuf};

/// What a file holds.
pub enum Content {
    /// A graph with its parameters.
    Model(Box<Model>),
    /// A graph.
    Symbol(Symbol),
    /// A safetensors file without a graph.
    Arrays(Contents),
    /// MXNet's list, sparse arrays as well.
    List(Vec<Entry>),
}

/// The format of a file, by its first bytes.
pub fn kind(path: &Path) -> Result<Kind, Failure> {
    let found = Kind::of(&atomic::begin(path, Kind::BYTES)?);
    found.ok_or_else(|| {
        Failure::Error(format!(
            "{}: neither a safetensors file, nor MXNet's list of arrays, nor its -symbol.json",
            path.display()
        ))
    })
}

/// What one file holds.
pub fn one(path: &Path) -> Result<Content, Failure> {
    Ok(match kind(path)? {
        Kind::NdArrayList => Content::List(ndarray_list::read_file(path)?),
        Kind::Json => Content::Symbol(Symbol::load(path).map_err(|e| e.in_file(path))?),
        Kind::Safetensors => {
            let contents = safetensors::load(path, Access::Mapped)?;
            if native::has_graph(&contents.metadata) {
                Content::Model(Box::new(native::from_contents(contents).map_err(|e| e.in_file(path))?))
            } else {
                Content::Arrays(contents)
            }
        }
    })
}

/// What the sources of a conversion hold together.
pub fn all(paths: &[PathBuf]) -> Result<Content, Failure> {
    let pair = |symbol: &Path, params: &Path| Ok(Content::Model(Box::new(checkpoint::load(symbol, params)?)));
    match paths {
        [path] => match kind(path)? {
            Kind::Json => pair(path, &params_beside(path)?),
            Kind::NdArrayList => match checkpoint_prefix(path).map(|prefix| symbol_path(&prefix)) {
                Some(symbol) if symbol.exists() => pair(&symbol, path),
                _ => one(path),
            },
            Kind::Safetensors => one(path),
        },
        [a, b] => match (kind(a)?, kind(b)?) {
            (Kind::Json, Kind::NdArrayList) => pair(a, b),
            (Kind::NdArrayList, Kind::Json) => pair(b, a),
            _ => Err(Failure::Error("two sources: expected MXNet's -symbol.json and its .params".to_owned())),
        },
        _ => Err(Failure::Usage(format!(
            "expected one source or the two of a checkpoint, got {}",
            paths.len()
        ))),
    }
}

/// `PREFIX` of `PREFIX-0000.params`.
pub fn checkpoint_prefix(params: &Path) -> Option<PathBuf> {
    let name = params.file_name()?.to_str()?;
    let (prefix, epoch) = name.strip_suffix(".params")?.rsplit_once('-')?;
    let numbered = epoch.len() >= 4 && epoch.bytes().all(|b| b.is_ascii_digit());
    (numbered && !prefix.is_empty()).then(|| params.with_file_name(prefix))
}

/// `PREFIX` of `PREFIX-symbol.json`.
pub fn symbol_prefix(symbol: &Path) -> Option<PathBuf> {
    let name = symbol.file_name()?.to_str()?.strip_suffix("-symbol.json")?;
    (!name.is_empty()).then(|| symbol.with_file_name(name))
}

/// `PREFIX-symbol.json`.
pub fn symbol_path(prefix: &Path) -> PathBuf {
    let mut name = prefix.as_os_str().to_owned();
    name.push("-symbol.json");
    name.into()
}

/// The one file of parameters that lies beside a graph.
fn params_beside(symbol: &Path) -> Result<PathBuf, Failure> {
    let shown = symbol.display();
    let fail = |text: String| Failure::Error(format!("{shown}: {text}"));
    let prefix = symbol_prefix(symbol).ok_or_else(|| {
        fail("its name does not end in -symbol.json: name the file of parameters too".into())
    })?;
    let folder = match symbol.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let entries = std::fs::read_dir(folder).map_err(|e| fail(e.to_string()))?;
    let names = entries.filter_map(|e| Some(symbol.with_file_name(e.ok()?.file_name())));
    let mut found: Vec<PathBuf> = names.filter(|p| checkpoint_prefix(p).as_ref() == Some(&prefix)).collect();
    found.sort();
    match &found[..] {
        [one] => Ok(one.clone()),
        [] => Err(fail(format!("there is no {}-0000.params beside it", prefix.display()))),
        many => {
            let names: Vec<_> = many.iter().map(|p| p.display().to_string()).collect();
            Err(fail(format!("name one of its files of parameters: {}", names.join(", "))))
        }
    }
}

/// A list of raw tensors as arrays.
pub fn arrays(path: &Path) -> Result<Vec<(Option<String>, NdArray)>, Failure> {
    Ok(mxr_core::ndarray::file::load(path)?)
}
