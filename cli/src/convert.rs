//! `mxr convert`.

use crate::source::{self, Content};
use crate::{Failure, Outcome, show};
use mxr_core::format::{StorageKind, ndarray_list};
use mxr_core::model::{Model, checkpoint, native};
use mxr_core::ndarray::{file, safetensors};
use std::path::{Path, PathBuf};

/// What a target's name asks for.
enum Target {
    /// `NAME.safetensors`.
    Safetensors(PathBuf),
    /// MXNet's checkpoint: `PREFIX-symbol.json` and `PREFIX-0000.params`. Arrays alone go to the second.
    Checkpoint { symbol: PathBuf, params: PathBuf, by_symbol: bool },
    /// MXNet's list of arrays.
    List(PathBuf),
}

impl Target {
    fn of(path: &Path) -> Result<Target, Failure> {
        if let Some(prefix) = source::symbol_prefix(path) {
            let mut params = prefix.into_os_string();
            params.push("-0000.params");
            return Ok(Target::Checkpoint {
                symbol: path.to_owned(),
                params: params.into(),
                by_symbol: true,
            });
        }
        if let Some(prefix) = source::checkpoint_prefix(path) {
            let symbol = source::symbol_path(&prefix);
            return Ok(Target::Checkpoint { symbol, params: path.to_owned(), by_symbol: false });
        }
        match path.extension().and_then(|e| e.to_str()) {
            Some("safetensors") => Ok(Target::Safetensors(path.to_owned())),
            Some("params" | "nd" | "ndarray") => Ok(Target::List(path.to_owned())),
            _ => Err(Failure::Usage(format!(
                "{}: the name tells no format: expected .safetensors, -symbol.json, .params, .nd or .ndarray",
                path.display()
            ))),
        }
    }

    /// The files that are written for a model, or for arrays alone.
    fn files(&self, model: bool) -> Vec<&Path> {
        match self {
            Target::Safetensors(path) | Target::List(path) => vec![path],
            Target::Checkpoint { symbol, params, .. } if model => vec![symbol, params],
            Target::Checkpoint { params, .. } => vec![params],
        }
    }
}

/// `convert [--force] SOURCE… TARGET`.
pub fn command(paths: &[PathBuf], force: bool) -> Outcome {
    let Some((target, sources)) = paths.split_last().filter(|(_, sources)| !sources.is_empty()) else {
        return Err(Failure::Usage("convert: expected a source and a target".to_owned()));
    };
    let target = Target::of(target)?;
    let content = source::all(sources)?;
    let files = target.files(matches!(content, Content::Model(_)));
    for path in &files {
        if !force && path.symlink_metadata().is_ok() {
            return Err(Failure::Error(format!("{} exists: --force replaces it", path.display())));
        }
    }
    write(&content, &target, &sources[0])?;
    let wrote: Vec<String> = files.iter().map(|p| show::safe(&p.display().to_string())).collect();
    Ok(format!("wrote {}\n{}", wrote.join(" and "), remarks(&content, &target)))
}

fn write(content: &Content, target: &Target, source: &Path) -> Result<(), Failure> {
    match (content, target) {
        (Content::Model(model), Target::Safetensors(path)) => native::save(model, path)?,
        (Content::Model(model), Target::Checkpoint { symbol, params, .. }) => {
            checkpoint::save(model, symbol, params)?;
        }
        (Content::Model(_), Target::List(path)) => {
            return Err(Failure::Usage(format!(
                "{}: a model takes two files: expected PREFIX-symbol.json or PREFIX-0000.params",
                path.display()
            )));
        }
        (Content::Symbol(_), _) => return Err(Failure::Error("a graph without parameters".to_owned())),
        (_, Target::Checkpoint { symbol, by_symbol: true, .. }) => {
            return Err(Failure::Error(format!(
                "{}: {} holds no graph, only arrays",
                symbol.display(),
                source.display()
            )));
        }
        (Content::List(entries), Target::List(path) | Target::Checkpoint { params: path, .. }) => {
            ndarray_list::write_file(path, entries)?;
        }
        (Content::List(_), Target::Safetensors(path)) => {
            safetensors::save_list(path, &source::arrays(source)?)?
        }
        (Content::Arrays(contents), Target::List(path) | Target::Checkpoint { params: path, .. }) => {
            file::save(path, &contents.clone().into_list())?;
        }
        (Content::Arrays(contents), Target::Safetensors(path)) => {
            let arrays: Vec<_> = contents.arrays.iter().map(|(n, a)| (n.as_str(), a)).collect();
            safetensors::save(path, &contents.metadata, &arrays)?;
        }
    }
    Ok(())
}

/// What a user may not expect.
fn remarks(content: &Content, target: &Target) -> String {
    match (content, target) {
        (Content::Model(model), _) => of_model(model),
        (Content::List(entries), Target::Safetensors(_)) => {
            let dense = [StorageKind::Dense, StorageKind::None];
            match entries.iter().filter(|(_, t)| !dense.contains(&t.storage)).count() {
                0 => String::new(),
                n => format!("sparse arrays that became dense ones: {n}\n"),
            }
        }
        _ => String::new(),
    }
}

fn of_model(model: &Model) -> String {
    let inputs: Vec<String> = model.inputs.iter().map(|i| show::safe(&i.name)).collect();
    let mut text = format!("inputs, which have no parameter: {}\n", inputs.join(", "));
    let unused: Vec<String> = model.unused().into_iter().map(show::safe).collect();
    if !unused.is_empty() {
        text += &format!("parameters that the graph does not use: {}\n", unused.join(", "));
    }
    text
}
