//! File formats: the bytes of files on one side, plain structs on the other.
//!
//! Nothing here knows arrays or operators. A reader takes any bytes: it answers with what they hold or with an
//! error, never panics, and checks every length against the bytes that are left before it allocates. A writer
//! of files replaces the old file in one step ([`atomic`]).

pub mod atomic;
mod cursor;
pub mod ndarray_list;
pub mod recordio;
pub mod safetensors;
mod sparse;
pub mod tensor;

pub use tensor::{RawAux, RawTensor, StorageKind};

/// What a file is by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// MXNet's list of arrays.
    NdArrayList,
    /// A safetensors file, mxr's models among them.
    Safetensors,
    /// Perhaps MXNet's `-symbol.json`: it begins as JSON does.
    Json,
}

impl Kind {
    /// Number of first bytes that tell.
    pub const BYTES: usize = 64;

    /// The kind of a file with these first bytes; `None` if they belong to no format that mxr reads.
    pub fn of(begin: &[u8]) -> Option<Kind> {
        if begin.starts_with(&ndarray_list::LIST_MAGIC.to_le_bytes()) {
            Some(Kind::NdArrayList)
        } else if safetensors::is_safetensors(begin) {
            Some(Kind::Safetensors)
        } else {
            let text = begin.iter().find(|b| !b.is_ascii_whitespace());
            (text == Some(&b'{')).then_some(Kind::Json)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn first_bytes_tell_what_a_file_is() {
        let kinds: [(&[u8], Option<Kind>); 7] = [
            (b"\x12\x01\0\0\0\0\0\0\0\0", Some(Kind::NdArrayList)),
            (b"\x02\0\0\0\0\0\0\0{}", Some(Kind::Safetensors)),
            (b"{\n  \"nodes\": [", Some(Kind::Json)),
            (b"{\"\": {\"\":{", Some(Kind::Json)),
            (b" \n{", Some(Kind::Json)),
            (b"PK\x03\x04", None),
            (b"", None),
        ];
        for (begin, kind) in kinds {
            assert_eq!(Kind::of(begin), kind, "{begin:?}");
        }
    }
}
