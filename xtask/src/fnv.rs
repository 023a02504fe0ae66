//! FNV-1a with 64 bits: a checksum that tells files and schemas from one another.

/// The checksum of bytes as 16 hexadecimal digits.
pub fn checksum(bytes: impl IntoIterator<Item = u8>) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, step))
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn checksums_are_those_that_its_authors_publish() {
        let published = [("", "cbf29ce484222325"), ("a", "af63dc4c8601ec8c"), ("foobar", "85944171f73967e8")];
        for (text, expected) in published {
            assert_eq!(checksum(text.bytes()), expected, "of '{text}'");
        }
    }
}
