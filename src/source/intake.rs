//! Bytes as they arrive in, UTF-8 text as bytes out: hashed, gunzipped, freed of byte order marks.
//!
//! The hash is of the bytes as they arrived, before any of that. A gzip stream that breaks off or is corrupt
//! ends the text early and leaves a sentence; only a failing input is an error.

use super::encoding::{Finding, Text};
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};
use std::io::{BufRead, Read};
use std::sync::atomic::{AtomicU64, Ordering};

/// So much is read at once: little enough to be still close at hand when it is hashed.
const STEP: usize = 1 << 18;

/// The text of an input, to be read to its end and then closed.
pub(super) struct Intake<'a> {
    layers: Layers<'a>,
    truncated: Option<String>,
}

/// What was learnt of the bytes.
pub(super) struct Closed {
    /// SHA-256 in lower case hexadecimal.
    pub sha256: String,
    /// A sentence, where the bytes break off.
    pub truncated: Option<String>,
    /// How the text was read, where it is not sound UTF-8 or UTF-16.
    pub encoding: Option<Finding>,
}

enum Layers<'a> {
    Plain(Box<Text<Hashed<'a>>>),
    Gzip(Box<Text<MultiGzDecoder<Hashed<'a>>>>),
}

impl<'a> Intake<'a> {
    /// Looks at the first bytes and puts the layers that they ask for on top of `input`.
    pub(super) fn open(input: &'a mut (dyn Read + Send), taken: &'a AtomicU64) -> std::io::Result<Self> {
        let mut hashed = Hashed {
            input,
            hash: Sha256::new(),
            taken,
            buffer: vec![0; STEP],
            at: 0,
            filled: 0,
            failed: None,
        };
        let gzip = hashed.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let layers = if gzip {
            Layers::Gzip(Box::new(Text::new(MultiGzDecoder::new(hashed))))
        } else {
            Layers::Plain(Box::new(Text::new(hashed)))
        };
        Ok(Self { layers, truncated: None })
    }

    /// A sentence, where the bytes broke off so far.
    pub(super) fn truncated(&self) -> Option<&str> {
        self.truncated.as_deref()
    }

    /// Reads what is left of the bytes and gives their hash.
    pub(super) fn close(self) -> std::io::Result<Closed> {
        let (encoding, mut hashed) = match self.layers {
            Layers::Plain(text) => (text.finding(), text.input),
            Layers::Gzip(text) => (text.finding(), text.input.into_inner()),
        };
        loop {
            let n = hashed.fill_buf()?.len();
            if n == 0 {
                break;
            }
            hashed.consume(n);
        }
        let sha256 = format!("{:x}", hashed.hash.finalize());
        Ok(Closed { sha256, truncated: self.truncated, encoding })
    }
}

impl Read for Intake<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let text = match &mut self.layers {
            Layers::Plain(text) => return text.read(into),
            Layers::Gzip(text) => text,
        };
        if self.truncated.is_some() {
            return Ok(0);
        }
        match text.read(into) {
            Ok(n) => Ok(n),
            Err(error) => {
                if let Some(failed) = text.input.get_mut().failed.take() {
                    return Err(failed);
                }
                self.truncated = Some(if error.kind() == std::io::ErrorKind::UnexpectedEof {
                    "the gzip stream ends early".to_owned()
                } else {
                    format!("the gzip stream is damaged ({error})")
                });
                Ok(0)
            }
        }
    }
}

/// Buffers an input and hashes what passes.
struct Hashed<'a> {
    input: &'a mut (dyn Read + Send),
    hash: Sha256,
    taken: &'a AtomicU64,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    failed: Option<std::io::Error>,
}

impl Hashed<'_> {
    fn take_in(&mut self, into: Option<&mut [u8]>) -> std::io::Result<usize> {
        let target = match into {
            Some(into) => &mut into[..STEP],
            None => &mut self.buffer,
        };
        let n = loop {
            match self.input.read(target) {
                Ok(n) => break n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let kind = error.kind();
                    self.failed = Some(error);
                    return Err(kind.into());
                }
            }
        };
        self.hash.update(&target[..n]);
        self.taken.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }

    /// Turns the bare kind that decoders pass on back into what the system said.
    fn whole(&mut self, error: std::io::Error) -> std::io::Error {
        self.failed.take().unwrap_or(error)
    }
}

impl Read for Hashed<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.filled && into.len() >= self.buffer.len() {
            // Large reads of plain text go straight to their target, a step at a time.
            return self.take_in(Some(into)).map_err(|e| self.whole(e));
        }
        if let Err(error) = self.fill_buf().map(drop) {
            return Err(self.whole(error));
        }
        let n = {
            let ready = &self.buffer[self.at..self.filled];
            let n = ready.len().min(into.len());
            into[..n].copy_from_slice(&ready[..n]);
            n
        };
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Hashed<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.at == self.filled {
            self.at = 0;
            self.filled = 0;
            self.filled = self.take_in(None)?;
        }
        Ok(&self.buffer[self.at..self.filled])
    }

    fn consume(&mut self, n: usize) {
        self.at = (self.at + n).min(self.filled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn text(bytes: &[u8]) -> (Vec<u8>, Closed) {
        let taken = AtomicU64::new(0);
        let mut input = bytes;
        let mut intake = Intake::open(&mut input, &taken).expect("opens");
        let mut out = Vec::new();
        intake.read_to_end(&mut out).expect("reads");
        let closed = intake.close().expect("closes");
        assert_eq!(taken.into_inner(), bytes.len() as u64);
        (out, closed)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("writes");
        encoder.finish().expect("finishes")
    }

    #[test]
    fn marks_and_encodings_become_plain_utf8() {
        let plain = "{\"a\":\"é𝄞\"}".repeat(20_000);
        let utf16 = |big: bool| -> Vec<u8> {
            let pairs = plain.encode_utf16();
            pairs.flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        };
        let le = [b"\xFF\xFE".as_slice(), &utf16(false)].concat();
        let be = [b"\xFE\xFF".as_slice(), &utf16(true)].concat();
        for bytes in [
            plain.as_bytes().to_vec(),
            [b"\xEF\xBB\xBF".as_slice(), plain.as_bytes()].concat(),
            [b"\xEF\xBB\xBF".repeat(3).as_slice(), plain.as_bytes()].concat(),
            le.clone(),
            be,
            utf16(false),
            gzip(&le),
        ] {
            assert!(text(&bytes).0 == plain.as_bytes());
        }
        assert_eq!(text(b"").0, b"");
        assert_eq!(text(b"x").0, b"x");
        assert_eq!(text(b"\xEF\xBB\xBF\xEF\xBB\xBFx").0, b"x");
        assert_eq!(text(b"\xEF\xBB\xBF\xEF\xBB").0, b"\xEF\xBB");
    }

    #[test]
    fn gzip_of_several_members_and_a_cut_one() {
        let mut bytes = gzip(b"one\n");
        bytes.extend(gzip(b"two\n"));
        let (out, closed) = text(&bytes);
        assert_eq!(out, b"one\ntwo\n");
        assert_eq!(closed.truncated, None);
        bytes.truncate(bytes.len() - 10);
        let (out, closed) = text(&bytes);
        assert!(out.starts_with(b"one\n"));
        assert!(closed.truncated.expect("said").contains("ends early"));
    }

    #[test]
    fn the_hash_is_of_the_bytes_as_they_arrived() {
        assert_eq!(text(b"\xEF\xBB\xBFabc").1.sha256, crate::model::hash::sha256(b"\xEF\xBB\xBFabc"));
    }
}
