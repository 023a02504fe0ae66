//! Reads little-endian values from a slice; every read is checked against what is left.

use crate::error::Result;

/// A position in bytes that moves forward.
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Cursor { rest: bytes, len: bytes.len() }
    }

    /// Number of bytes not read yet.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next `n` bytes, which are `what` in messages.
    pub fn take(&mut self, n: u64, what: &str) -> Result<&'a [u8]> {
        let split = usize::try_from(n).ok().and_then(|n| self.rest.split_at_checked(n));
        let Some((head, rest)) = split else {
            crate::bail!(
                Format,
                "{what} needs {n} bytes, but at byte {} only {} are left",
                self.len - self.rest.len(),
                self.rest.len()
            );
        };
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let mut value = [0; N];
        value.copy_from_slice(self.take(N as u64, what)?);
        Ok(value)
    }

    /// The next 4 bytes as an unsigned integer.
    pub fn u32(&mut self, what: &str) -> Result<u32> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// The next 4 bytes as a signed integer.
    pub fn i32(&mut self, what: &str) -> Result<i32> {
        self.array(what).map(i32::from_le_bytes)
    }

    /// The next 8 bytes as an unsigned integer.
    pub fn u64(&mut self, what: &str) -> Result<u64> {
        self.array(what).map(u64::from_le_bytes)
    }
}
