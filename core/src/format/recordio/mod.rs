//! Files of records, RecordIO: bytes of any kind one after the other, `.rec`, with an index of where each begins,
//! `.idx`. Both are MXNet's, byte for byte.
//!
//! A record is a magic number, its length, and its bytes, filled up to a multiple of four. Where the magic number
//! itself stands in the bytes, at a multiple of four, the record is divided there: its parts are one after the other,
//! and the three upper bits of their lengths say whether they are the first, one in the middle, or the last. So a
//! reader that begins anywhere finds the next record by the magic number.

mod header;
mod index;
mod reader;
mod writer;

pub use header::{Header, Label, pack, unpack};
pub use index::Index;
pub use reader::Reader;
pub use writer::Writer;

/// What each part of a record begins with, little endian.
pub const MAGIC: u32 = 0xced7_230a;

/// Records are shorter than this.
pub const LIMIT: usize = 1 << 29;

/// Which part of a record bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
enum Part {
    Whole = 0,
    First = 1,
    Middle = 2,
    Last = 3,
}

impl Part {
    /// What follows the magic number: the part and the length of its bytes.
    fn word(self, len: usize) -> u32 {
        (self as u32) << 29 | len as u32
    }

    /// The part and the length that a word says.
    fn of(word: u32) -> (Option<Part>, usize) {
        let part = match word >> 29 {
            0 => Some(Part::Whole),
            1 => Some(Part::First),
            2 => Some(Part::Middle),
            3 => Some(Part::Last),
            _ => None,
        };
        (part, (word & (LIMIT as u32 - 1)) as usize)
    }
}

/// How many bytes fill so many up to a multiple of four.
fn filling(len: usize) -> usize {
    len.next_multiple_of(4) - len
}
