//! Hashes as text.
//!
//! In: bytes, at once or as they are written. Out: lower-case hexadecimal digits, as every output and file name has them.

use sha2::{Digest as _, Sha256};
use std::io::{self, Write};

/// Returns bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Returns the SHA-256 of bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Hashes and counts the bytes that pass to a writer.
#[derive(Debug)]
pub struct Hashed<W> {
    to: W,
    hash: Sha256,
    bytes: u64,
}

impl<W> Hashed<W> {
    /// Starts in front of a writer.
    #[must_use]
    pub fn new(to: W) -> Self {
        Self { to, hash: Sha256::new(), bytes: 0 }
    }

    /// Returns the writer, the SHA-256 of what passed, and how many bytes that were.
    #[must_use]
    pub fn finish(self) -> (W, String, u64) {
        (self.to, hex(&self.hash.finalize()), self.bytes)
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_hashed_as_the_whole_is() {
        let mut hashed = Hashed::new(Vec::new());
        for part in ["a", "", "bc"] {
            hashed.write_all(part.as_bytes()).expect("memory");
        }
        assert_eq!(hashed.finish(), (b"abc".to_vec(), sha256(b"abc"), 3));
    }

    #[test]
    fn digits_are_those_of_the_standard() {
        assert_eq!(hex(&[0, 0x0f, 0xa0, 0xff]), "000fa0ff");
        // The example of FIPS 180-2, appendix B.1.
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
