//! Reading files of records.

use super::{MAGIC, Part, filling};
use crate::error::{Error, Result};
use crate::format::atomic::io_error;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Goes through the records of a file, or of anything that is read and sought in.
pub struct Reader<R> {
    from: BufReader<R>,
    /// Empty for what is no file.
    path: PathBuf,
    /// Where the next record begins.
    position: u64,
}

impl Reader<File> {
    /// Opens a file before its first record.
    ///
    /// # Errors
    /// `NotFound` and `Io`.
    pub fn open(path: impl AsRef<Path>) -> Result<Reader<File>> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|e| io_error("read", path, &e))?;
        Ok(Reader { path: path.to_owned(), ..Reader::new(file) })
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Reads from the beginning, where `from` must be.
    pub fn new(from: R) -> Reader<R> {
        Reader { from: BufReader::new(from), path: PathBuf::new(), position: 0 }
    }

    /// The next record; none at the end of the file. After an error the reader is where it was.
    ///
    /// # Errors
    /// `Format` where no record begins and where one breaks off; `Io`.
    pub fn next_record(&mut self) -> Result<Option<Vec<u8>>> {
        let begin = self.position;
        let record = self.record();
        if record.is_err() {
            self.seek(begin)?;
        }
        record
    }

    /// Goes to the record that begins there, in bytes from the beginning of the file.
    ///
    /// # Errors
    /// `Io`.
    pub fn seek(&mut self, position: u64) -> Result<()> {
        self.from.seek(SeekFrom::Start(position)).map_err(|e| io_error("read", &self.path, &e))?;
        self.position = position;
        Ok(())
    }

    /// Where the next record begins, in bytes from the beginning of the file.
    pub fn position(&self) -> u64 {
        self.position
    }

    fn record(&mut self) -> Result<Option<Vec<u8>>> {
        let mut record = Vec::new();
        loop {
            let Some(word) = self.word(record.is_empty())? else { return Ok(None) };
            let (part, len) = Part::of(word);
            match (part, record.is_empty()) {
                (Some(Part::Whole | Part::First), true) | (Some(Part::Middle | Part::Last), false) => {}
                _ => return Err(self.bad(format!("a part {} does not follow", word >> 29))),
            }
            self.append(&mut record, len)?;
            if matches!(part, Some(Part::Whole | Part::Last)) {
                return Ok(Some(record));
            }
            record.extend(MAGIC.to_le_bytes());
        }
    }

    /// The word after the magic number; none at the end of the file, where that may be.
    fn word(&mut self, may_end: bool) -> Result<Option<u32>> {
        let head = self.take(8)?;
        if head.is_empty() && may_end {
            return Ok(None);
        }
        let (Some(magic), Some(word)) = (head.first_chunk(), head.last_chunk().filter(|_| head.len() == 8))
        else {
            return Err(self.bad("the file ends inside".into()));
        };
        let magic = u32::from_le_bytes(*magic);
        if magic != MAGIC {
            return Err(self.bad(format!("expected the magic number {MAGIC:#010x}, got {magic:#010x}")));
        }
        self.position += 8;
        Ok(Some(u32::from_le_bytes(*word)))
    }

    /// Appends the bytes of a part, without those that fill it up.
    fn append(&mut self, record: &mut Vec<u8>, len: usize) -> Result<()> {
        let bytes = self.take(len)?;
        if bytes.len() < len || self.take(filling(len))?.len() < filling(len) {
            return Err(self.bad(format!("the file ends inside a part of {len} bytes")));
        }
        self.position += len.next_multiple_of(4) as u64;
        if record.is_empty() {
            *record = bytes;
        } else {
            record.extend(bytes);
        }
        Ok(())
    }

    /// The next bytes, at most `len`, fewer only at the end of the file. Grows with what is there.
    fn take(&mut self, len: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.from.by_ref().take(len as u64).read_to_end(&mut bytes);
        read.map(|_| bytes).map_err(|e| io_error("read", &self.path, &e))
    }

    fn bad(&self, what: String) -> Error {
        let e = crate::err!(Format, "record at byte {}: {what}", self.position);
        if self.path.as_os_str().is_empty() { e } else { e.in_file(&self.path) }
    }
}
