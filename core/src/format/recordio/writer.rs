//! Writing files of records.

use super::{LIMIT, MAGIC, Part, filling};
use crate::error::Result;
use crate::format::atomic::io_error;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Appends records to a new file, and with keys to its index. What is written is sure to be there after
/// [`Writer::flush`]; dropping the writer flushes too, but cannot tell of an error.
pub struct Writer {
    path: PathBuf,
    file: BufWriter<File>,
    index: Option<(PathBuf, BufWriter<File>)>,
    /// Where the next record begins.
    position: u64,
}

impl Writer {
    /// Makes the file, and its index if that is wanted; files that are there become empty.
    ///
    /// # Errors
    /// `Io` if a file cannot be made, `NotFound` if its folder is not there.
    pub fn create(path: impl AsRef<Path>, index: Option<&Path>) -> Result<Writer> {
        let make = |path: &Path| {
            let file = File::create(path).map_err(|e| io_error("write", path, &e))?;
            Ok((path.to_owned(), BufWriter::new(file)))
        };
        let (path, file) = make(path.as_ref())?;
        Ok(Writer { path, file, index: index.map(make).transpose()?, position: 0 })
    }

    /// Appends a record. A record with a key is found by it in the index.
    ///
    /// # Errors
    /// `InvalidValue` for a record of [`LIMIT`] bytes or more, for a key without an index and for one that a line
    /// cannot hold; `Io`.
    pub fn write(&mut self, key: Option<&str>, record: &[u8]) -> Result<()> {
        if record.len() >= LIMIT {
            let e = crate::err!(InvalidValue, "expected less than {LIMIT} bytes, got {}", record.len());
            return Err(e.about("record"));
        }
        if let Some(key) = key {
            self.note(key)?;
        }
        self.position += put(&mut self.file, record).map_err(|e| io_error("write", &self.path, &e))?;
        Ok(())
    }

    /// Notes in the index where the next record begins.
    fn note(&mut self, key: &str) -> Result<()> {
        let bad = |what: String| Err(crate::Error::new(crate::ErrorCode::InvalidValue, what).about("key"));
        let Some((path, index)) = &mut self.index else {
            return bad(format!("there is no index for the key '{key}'"));
        };
        if key.trim() != key || key.is_empty() || key.contains(['\t', '\n']) {
            return bad(format!("expected a text without tabs, line ends and spaces around it, got '{key}'"));
        }
        writeln!(index, "{key}\t{}", self.position).map_err(|e| io_error("write", path, &e))
    }

    /// Where the next record will begin, in bytes from the beginning of the file.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Gives what was written to the operating system.
    ///
    /// # Errors
    /// `Io`.
    pub fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(|e| io_error("write", &self.path, &e))?;
        match &mut self.index {
            Some((path, index)) => index.flush().map_err(|e| io_error("write", path, &e)),
            None => Ok(()),
        }
    }
}

/// Writes a record in as many parts as it needs, and says how many bytes that took.
fn put(to: &mut impl Write, record: &[u8]) -> io::Result<u64> {
    let (magic, mut begin, mut taken) = (MAGIC.to_le_bytes(), 0, 0);
    let mut part = |part: Part, bytes: &[u8]| -> io::Result<()> {
        to.write_all(&magic)?;
        to.write_all(&part.word(bytes.len()).to_le_bytes())?;
        to.write_all(bytes)?;
        to.write_all(&[0; 3][..filling(bytes.len())])?;
        taken += 8 + bytes.len().next_multiple_of(4) as u64;
        Ok(())
    };
    let words = record.chunks_exact(4).enumerate();
    for at in words.filter(|(_, word)| *word == magic).map(|(i, _)| 4 * i) {
        part(if begin == 0 { Part::First } else { Part::Middle }, &record[begin..at])?;
        begin = at + 4;
    }
    part(if begin == 0 { Part::Whole } else { Part::Last }, &record[begin..])?;
    Ok(taken)
}
