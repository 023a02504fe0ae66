//! File formats: the bytes of files on one side, plain structs on the other.
//!
//! Nothing here knows arrays or operators. A reader takes any bytes: it answers with what they hold or with an
//! error, never panics, and checks every length against the bytes that are left before it allocates. A writer
//! of files replaces the old file in one step ([`atomic`]).

pub mod atomic;
mod cursor;
pub mod ndarray_list;
mod sparse;
pub mod tensor;

pub use tensor::{RawAux, RawTensor, StorageKind};
