//! MXNet's `-symbol.json`: read in every version (0.8 to the 2.0 betas), written as MXNet 1.9.1 writes it.
//!
//! [`text`] is the JSON as structs, [`read`] checks it and makes the graph, [`upgrade`] does what MXNet 1.9.1
//! does to files of older versions, [`write`] gives the text of a symbol.

mod read;
mod text;
mod upgrade;
mod write;

use super::symbol::Symbol;
use crate::error::Result;
use crate::format::atomic;
use std::path::Path;

/// The version that written files name: MXNet's, in whose format they are.
const VERSION: i64 = 10901;

impl Symbol {
    /// The symbol that a text describes.
    ///
    /// # Errors
    /// `Format` for other texts, and graphs with cycles or references that lead nowhere; `NotFound` for
    /// operators and attributes that do not exist.
    pub fn from_json(text: &str) -> Result<Symbol> {
        read::symbol(text)
    }

    /// The text of the symbol, byte for byte MXNet 1.9.1's.
    pub fn to_json(&self) -> String {
        write::text(self)
    }

    /// Reads a file that MXNet or [`Symbol::save`] wrote.
    ///
    /// # Errors
    /// `Io`, and those of [`Symbol::from_json`].
    pub fn load(path: &Path) -> Result<Symbol> {
        let bytes = atomic::read(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|e| crate::err!(Format, "expected UTF-8: {e}"));
        text.and_then(Symbol::from_json).map_err(|e| e.in_file(path))
    }

    /// Writes the symbol to a file. An existing file is replaced only by a whole one.
    ///
    /// # Errors
    /// `Io`.
    pub fn save(&self, path: &Path) -> Result<()> {
        atomic::write(path, self.to_json().as_bytes())
    }
}
