//! Where records begin, by their keys.

use crate::error::Result;
use crate::format::atomic;
use std::collections::HashMap;
use std::path::Path;

/// An `.idx` file: a line for each record, its key, a tab, and where it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    keys: Vec<String>,
    positions: Vec<u64>,
    /// The last line of each key.
    by_key: HashMap<String, usize>,
}

impl Index {
    /// Reads a file.
    ///
    /// # Errors
    /// `NotFound` and `Io`; `Format`, with the line.
    pub fn load(path: impl AsRef<Path>) -> Result<Index> {
        let path = path.as_ref();
        Index::read(&atomic::read(path)?).map_err(|e| e.in_file(path))
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// `Format`, with the line.
    pub fn read(bytes: &[u8]) -> Result<Index> {
        let mut index = Index::default();
        for (number, line) in bytes.split(|b| *b == b'\n').enumerate() {
            let line = std::str::from_utf8(line).unwrap_or("\u{fffd}").trim();
            if line.is_empty() {
                continue;
            }
            let mut fields = line.split('\t');
            let (key, position) = (fields.next(), fields.next().and_then(|at| at.trim().parse().ok()));
            let (Some(key), Some(position)) = (key, position) else {
                crate::bail!(Format, "line {}: expected a key, a tab and a number, got '{line}'", number + 1);
            };
            index.by_key.insert(key.to_owned(), index.keys.len());
            index.keys.push(key.to_owned());
            index.positions.push(position);
        }
        Ok(index)
    }

    /// All keys, in the order of the file.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Where the record of each key begins.
    pub fn positions(&self) -> &[u64] {
        &self.positions
    }

    /// Where the record of a key begins, the last if there are several.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn find(&self, key: &str) -> Result<u64> {
        let line = self.by_key.get(key);
        let at = line.ok_or_else(|| crate::err!(NotFound, "the index has no key '{key}'").about("key"))?;
        Ok(self.positions[*at])
    }
}
