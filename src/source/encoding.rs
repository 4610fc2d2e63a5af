//! Bytes in UTF-8, UTF-16 or Windows-1252 in, with or without a byte order mark; UTF-8 without one out.
//!
//! The encoding is decided once for an input. UTF-8 passes through, checked on the way. At the first bytes that are not
//! UTF-8 the decision falls: where all before them was ASCII and what follows can be Windows-1252, the rest is read as that;
//! else the text stays UTF-8 with damage, and its broken characters are replaced later. Either way [`Finding`] says so.

use super::windows_1252;
use std::io::Read;

/// Takes off a UTF-8 byte order mark, turns UTF-16 into UTF-8.
pub(super) struct Text<R> {
    /// Where the bytes come from.
    pub input: R,
    form: Option<Form>,
    /// Bytes of the head that were looked at and belong to the text.
    head: Vec<u8>,
    /// UTF-16 that is not yet whole, then UTF-8 that is not yet handed out.
    raw: Vec<u8>,
    ready: Vec<u8>,
    at: usize,
    /// Lines that have ended so far.
    lines: u64,
    /// Whether a character that is not ASCII was read as UTF-8.
    beyond_ascii: bool,
    finding: Option<Finding>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Utf8,
    Utf16 {
        big: bool,
    },
    Windows1252,
    /// UTF-8 that was found to be damaged; passes as it is.
    Damaged,
}

/// How a text was read that is not sound UTF-8 or UTF-16, and the line of the first byte that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// Read as Windows-1252.
    Windows1252 {
        /// Line, from 1.
        line: u64,
    },
    /// Characters were replaced.
    Replaced {
        /// Line, from 1.
        line: u64,
        /// The encoding that the text is damaged in.
        encoding: &'static str,
    },
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Windows1252 { line } => write!(
                f,
                "it is not UTF-8, so it was read as Windows-1252 (first at line {line}); if names look wrong, save it \
                 as UTF-8 and import it again"
            ),
            Self::Replaced { line, encoding } => write!(
                f,
                "it is damaged {encoding}: characters that could not be read were replaced by \u{fffd} (first at line \
                 {line}); export it again as UTF-8 if names matter"
            ),
        }
    }
}

impl<R: Read> Text<R> {
    pub(super) const fn new(input: R) -> Self {
        Self {
            input,
            form: None,
            head: Vec::new(),
            raw: Vec::new(),
            ready: Vec::new(),
            at: 0,
            lines: 0,
            beyond_ascii: false,
            finding: None,
        }
    }

    /// How the text was read so far, where it is not sound UTF-8 or UTF-16.
    pub(super) const fn finding(&self) -> Option<Finding> {
        self.finding
    }

    fn look(&mut self) -> std::io::Result<Form> {
        let mut head = [0_u8; 4];
        let mut n = 0;
        while n < head.len() {
            let more = self.input.read(&mut head[n..])?;
            if more == 0 {
                break;
            }
            n += more;
        }
        let (form, skip) = match &head[..n] {
            [0xEF, 0xBB, 0xBF, ..] => (Form::Utf8, 3),
            [0xFF, 0xFE, ..] => (Form::Utf16 { big: false }, 2),
            [0xFE, 0xFF, ..] => (Form::Utf16 { big: true }, 2),
            // No mark, but an ASCII character in every other byte.
            [a, 0, b, 0] if a.is_ascii() && b.is_ascii() && *a != 0 => (Form::Utf16 { big: false }, 0),
            [0, a, 0, b] if a.is_ascii() && b.is_ascii() && *a != 0 => (Form::Utf16 { big: true }, 0),
            _ => (Form::Utf8, 0),
        };
        let rest = &head[skip..n];
        match form {
            Form::Utf8 => {
                self.head.extend_from_slice(rest);
                if skip > 0 {
                    // The mark says UTF-8, whatever follows.
                    self.beyond_ascii = true;
                    self.skip_marks()?;
                }
            }
            _ => self.raw.extend_from_slice(rest),
        }
        self.form = Some(form);
        Ok(form)
    }

    /// Drops further marks: who adds one does not always look whether there is one.
    fn skip_marks(&mut self) -> std::io::Result<()> {
        loop {
            let mut more = [0];
            while self.head.len() < 3 && self.input.read(&mut more)? > 0 {
                self.head.push(more[0]);
            }
            if self.head != [0xEF, 0xBB, 0xBF] {
                return Ok(());
            }
            self.head.clear();
        }
    }

    fn transcode(&mut self, big: bool) -> std::io::Result<()> {
        self.ready.clear();
        self.at = 0;
        while self.ready.is_empty() {
            let kept = self.raw.len();
            self.raw.resize(kept + (1 << 16), 0);
            let n = self.input.read(&mut self.raw[kept..])?;
            self.raw.truncate(kept + n);
            let ended = n == 0;
            let unit = |pair: &[u8]| {
                if big {
                    u16::from_be_bytes([pair[0], pair[1]])
                } else {
                    u16::from_le_bytes([pair[0], pair[1]])
                }
            };
            let mut whole = self.raw.len() / 2 * 2;
            // A high surrogate waits for its partner.
            if !ended && whole >= 2 && (0xD800..0xDC00).contains(&unit(&self.raw[whole - 2..whole])) {
                whole -= 2;
            }
            let mut utf8 = [0; 4];
            for c in char::decode_utf16(self.raw[..whole].chunks_exact(2).map(unit)) {
                if c.as_ref().is_ok_and(|c| *c == '\n') {
                    self.lines += 1;
                }
                let c = c.unwrap_or_else(|_| {
                    let line = self.lines + 1;
                    self.finding.get_or_insert(Finding::Replaced { line, encoding: "UTF-16" });
                    char::REPLACEMENT_CHARACTER
                });
                self.ready.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
            }
            self.raw.drain(..whole);
            if ended {
                self.raw.clear();
                break;
            }
        }
        Ok(())
    }
}

impl<R: Read> Text<R> {
    /// Reads UTF-8, at least four bytes of it, and decides what the text is where it is none.
    fn utf8(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let kept = self.head.len().min(into.len());
            into[..kept].copy_from_slice(&self.head[..kept]);
            self.head.drain(..kept);
            let more = if kept < into.len() { self.input.read(&mut into[kept..])? } else { 0 };
            let ended = more == 0 && kept < into.len();
            let n = kept + more;
            let whole = match std::str::from_utf8(&into[..n]) {
                Ok(_) => n,
                // The rest of a character is in the next piece.
                Err(e) if e.error_len().is_none() && !ended => e.valid_up_to(),
                Err(e) => {
                    self.decide(&into[..n], e.valid_up_to());
                    if self.form != Some(Form::Windows1252) {
                        return Ok(n);
                    }
                    self.raw.extend_from_slice(&into[..n]);
                    self.raw.append(&mut self.head);
                    return self.single_bytes(into);
                }
            };
            self.head.splice(0..0, into[whole..n].iter().copied());
            if whole > 0 || ended {
                self.beyond_ascii = self.beyond_ascii || !into[..whole].is_ascii();
                self.lines += memchr::memchr_iter(b'\n', &into[..whole]).count() as u64;
                return Ok(whole);
            }
        }
    }

    /// Decides what a text is whose next piece is UTF-8 no further than `valid`.
    fn decide(&mut self, piece: &[u8], valid: usize) {
        let line = self.lines + 1 + memchr::memchr_iter(b'\n', &piece[..valid]).count() as u64;
        let ascii = !self.beyond_ascii && piece[..valid].is_ascii();
        let (form, finding) = if ascii && windows_1252::is_likely(&piece[valid..]) {
            (Form::Windows1252, Finding::Windows1252 { line })
        } else {
            (Form::Damaged, Finding::Replaced { line, encoding: "UTF-8" })
        };
        self.form = Some(form);
        self.finding = Some(finding);
    }

    /// Reads Windows-1252, of which `raw` has what was read before it was known.
    fn single_bytes(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.ready.len() {
            self.ready.clear();
            self.at = 0;
            if self.raw.is_empty() {
                self.raw.resize(1 << 16, 0);
                let n = self.input.read(&mut self.raw)?;
                self.raw.truncate(n);
            }
            windows_1252::decode(&self.raw, &mut self.ready);
            self.raw.clear();
        }
        Ok(self.hand_out(into))
    }

    /// Hands out what is ready.
    fn hand_out(&mut self, into: &mut [u8]) -> usize {
        let n = (self.ready.len() - self.at).min(into.len());
        into[..n].copy_from_slice(&self.ready[self.at..self.at + n]);
        self.at += n;
        n
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.at < self.ready.len() {
            return Ok(self.hand_out(into));
        }
        let form = match self.form {
            Some(form) => form,
            None => self.look()?,
        };
        match form {
            Form::Utf8 if into.len() < 4 => {
                // Less than a character has room: what is read waits.
                let mut piece = [0; 64];
                let n = self.utf8(&mut piece)?;
                self.ready.splice(..self.at, piece[..n].iter().copied());
                self.at = 0;
                Ok(self.hand_out(into))
            }
            Form::Utf8 => self.utf8(into),
            Form::Windows1252 => self.single_bytes(into),
            Form::Utf16 { big } => {
                self.transcode(big)?;
                Ok(self.hand_out(into))
            }
            Form::Damaged if self.head.is_empty() => self.input.read(into),
            Form::Damaged => {
                let n = self.head.len().min(into.len());
                into[..n].copy_from_slice(&self.head[..n]);
                self.head.drain(..n);
                Ok(n)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out a few bytes at a time, so that characters are cut everywhere.
    struct Drip<'b>(&'b [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let n = self.1.min(into.len()).min(self.0.len());
            into[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn read(bytes: &[u8], step: usize) -> (Vec<u8>, Option<Finding>) {
        let mut text = Text::new(Drip(bytes, step));
        let mut out = Vec::new();
        text.read_to_end(&mut out).expect("reads");
        (out, text.finding())
    }

    #[test]
    fn utf8_passes_however_it_is_cut() {
        let text = "aé\n𝄞€ b\n".repeat(40);
        for step in 1..12 {
            assert_eq!(read(text.as_bytes(), step), (text.clone().into_bytes(), None), "{step}");
        }
    }

    #[test]
    fn windows_1252_is_decided_for_the_whole_input() {
        // What follows the first such byte is no UTF-8 either, even where two bytes could be.
        let bytes = b"Jo\nJ\xfcrgen \x80\nM\xc3\xa9 caf\xe9";
        for step in [1, 2, 3, 64] {
            let (out, finding) = read(bytes, step);
            assert_eq!(String::from_utf8_lossy(&out), "Jo\nJürgen €\nMÃ© café", "{step}");
            assert_eq!(finding, Some(Finding::Windows1252 { line: 2 }), "{step}");
        }
        assert_eq!(read(b"caf\xe9", 64).0, "café".as_bytes());
    }

    #[test]
    fn damaged_utf8_stays_and_is_named() {
        let bytes = b"\xc3\xa9\n\nx\xffy";
        assert_eq!(read(bytes, 64), (bytes.to_vec(), Some(Finding::Replaced { line: 3, encoding: "UTF-8" })));
        // Mostly UTF-8 after the first bad byte.
        let (out, finding) = read(b"a\xff \xc3\xa9\xc3\xa9\xc3\xa9", 64);
        assert_eq!((out.len(), finding), (9, Some(Finding::Replaced { line: 1, encoding: "UTF-8" })));
        // Binary is left to whoever looks at what it is.
        let binary = b"\x28\xb5\x2f\xfd\x00\x01";
        assert_eq!(read(binary, 64).0, binary);
        let utf16 = b"\xFF\xFEa\0\n\0\x00\xd8b\0";
        let (out, finding) = read(utf16, 64);
        assert_eq!(String::from_utf8_lossy(&out), "a\n\u{fffd}b");
        assert_eq!(finding, Some(Finding::Replaced { line: 2, encoding: "UTF-16" }));
    }
}
