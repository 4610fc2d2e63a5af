//! Bytes in UTF-8 or UTF-16 in, with or without a byte order mark; UTF-8 without one out.

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
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Utf8,
    Utf16 { big: bool },
}

impl<R: Read> Text<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, form: None, head: Vec::new(), raw: Vec::new(), ready: Vec::new(), at: 0 }
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
                    self.skip_marks()?;
                }
            }
            Form::Utf16 { .. } => self.raw.extend_from_slice(rest),
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
                let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
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

impl<R: Read> Read for Text<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let form = match self.form {
            Some(form) => form,
            None => self.look()?,
        };
        let source = match form {
            Form::Utf8 if self.head.is_empty() => return self.input.read(into),
            Form::Utf8 => &mut self.head,
            Form::Utf16 { big } => {
                if self.at == self.ready.len() {
                    self.transcode(big)?;
                }
                let n = (self.ready.len() - self.at).min(into.len());
                into[..n].copy_from_slice(&self.ready[self.at..self.at + n]);
                self.at += n;
                return Ok(n);
            }
        };
        let n = source.len().min(into.len());
        into[..n].copy_from_slice(&source[..n]);
        source.drain(..n);
        Ok(n)
    }
}
