//! Records with labels: what MXNet's image files have before the bytes of an image.

use crate::error::Result;

/// Bytes of a header.
const BYTES: usize = 24;

/// What a record is labelled with.
#[derive(Clone, Debug, PartialEq)]
pub enum Label {
    /// A number.
    One(f32),
    /// Several numbers, or a list of one.
    Several(Vec<f32>),
}

/// A label and a number for a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Its label.
    pub label: Label,
    /// Its number.
    pub id: u64,
    /// The upper bits of its number, mostly 0.
    pub id2: u64,
}

/// A record of a header and bytes: the number of labels, a label that is a number, both numbers of the record, the
/// labels that are a list, and the bytes. All is little endian.
pub fn pack(header: &Header, bytes: &[u8]) -> Vec<u8> {
    let (one, several) = match &header.label {
        Label::One(label) => (*label, &[][..]),
        Label::Several(labels) => (0.0, &labels[..]),
    };
    let mut record = Vec::with_capacity(BYTES + 4 * several.len() + bytes.len());
    record.extend((several.len() as u32).to_le_bytes());
    record.extend(one.to_le_bytes());
    record.extend(header.id.to_le_bytes());
    record.extend(header.id2.to_le_bytes());
    several.iter().for_each(|label| record.extend(label.to_le_bytes()));
    record.extend(bytes);
    record
}

/// The header and the bytes of a record. An empty list of labels comes back as the number 0.
///
/// # Errors
/// `Format` for a record that is too short.
pub fn unpack(record: &[u8]) -> Result<(Header, &[u8])> {
    let short =
        |expected: usize| crate::err!(Format, "expected at least {expected} bytes, got {}", record.len());
    let word = |at: usize| record.get(at..at + 4)?.first_chunk().map(|b| u32::from_le_bytes(*b));
    let long = |at: usize| record.get(at..at + 8)?.first_chunk().map(|b| u64::from_le_bytes(*b));
    let (Some(count), Some(one), Some(id), Some(id2)) = (word(0), word(4), long(8), long(16)) else {
        return Err(short(BYTES).about("record"));
    };
    let begin = BYTES + 4 * count as usize;
    let labels = record.get(BYTES..begin).ok_or_else(|| short(begin).about("record"))?;
    let number = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    let label = match count {
        0 => Label::One(f32::from_bits(one)),
        _ => Label::Several(labels.chunks_exact(4).map(number).collect()),
    };
    Ok((Header { label, id, id2 }, &record[begin..]))
}
