//! MXNet's checkpoints: `PREFIX-symbol.json` and `PREFIX-0000.params`, the names of whose arrays begin with
//! `arg:` and `aux:`.

use super::Model;
use crate::error::Result;
use crate::graph::Symbol;
use crate::ndarray::file;
use std::path::Path;

/// Reads a graph and its parameters.
///
/// # Errors
/// Those of [`Symbol::load`], [`file::load`] and [`Model::new`]; `Format` for arrays without such names.
pub fn load(symbol: &Path, params: &Path) -> Result<Model> {
    let graph = Symbol::load(symbol)?;
    let named = |(name, array)| match name {
        Some(name) => Ok((name, array)),
        None => Err(crate::err!(Format, "expected arrays with names").in_file(params)),
    };
    let arrays: Result<Vec<_>> = file::load(params)?.into_iter().map(named).collect();
    Model::from_file_names(graph, arrays?).map_err(|e| e.in_file(params))
}

/// Writes a model as MXNet's pair. Its inputs' shapes and its own texts have no place there.
///
/// # Errors
/// `Io`; the errors of the operations that should have made the arrays.
pub fn save(model: &Model, symbol: &Path, params: &Path) -> Result<()> {
    let arrays: Vec<_> = model.file_names().map(|(name, array)| (Some(name), array.clone())).collect();
    file::save(params, &arrays)?;
    model.symbol.save(symbol)
}
