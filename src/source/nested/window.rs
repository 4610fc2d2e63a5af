//! A window on a text that is read as it is needed: what lies between a mark and the last byte read is kept,
//! what lies before the mark is let go.

use super::Stop;
use crate::source::block::MAX_RECORD;
use crate::source::decode::closes;
use std::io::Read;

/// The part of a text that is at hand.
pub(super) struct Window<'a> {
    input: &'a mut dyn Read,
    /// The bytes at hand, as far as `filled`.
    pub buffer: Vec<u8>,
    /// End of the bytes at hand.
    pub filled: usize,
    /// Everything before is done with.
    pub mark: usize,
    /// The next byte to look at.
    pub at: usize,
    /// Line of the byte `counted`.
    pub line: u64,
    counted: usize,
    /// Whether the input has no more.
    pub ended: bool,
}

impl<'a> Window<'a> {
    pub(super) const fn new(input: &'a mut dyn Read, line: u64) -> Self {
        Self { input, buffer: Vec::new(), filled: 0, mark: 0, at: 0, line, counted: 0, ended: false }
    }

    pub(super) fn peek(&mut self) -> Result<Option<u8>, Stop> {
        if self.at == self.filled && !self.fill()? {
            return Ok(None);
        }
        Ok(Some(self.buffer[self.at]))
    }

    /// Looks at the next bytes, however little the input gives at a time.
    pub(super) fn ahead(&mut self, n: usize) -> Result<&[u8], Stop> {
        while self.filled - self.at < n && self.fill()? {}
        Ok(&self.buffer[self.at..self.filled.min(self.at + n)])
    }

    /// Goes to the next byte that is no blank and no comma, and lets go of all before it.
    pub(super) fn gap(&mut self) -> Result<Option<u8>, Stop> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() && byte != b',' {
                self.mark = self.at;
                return Ok(Some(byte));
            }
            self.at += 1;
            self.mark = self.at;
        }
        self.mark = self.at;
        Ok(None)
    }

    /// Goes to the first byte of a value, past the colon; nothing where it does not come before a record is too long.
    pub(super) fn value_start(&mut self) -> Result<Option<u8>, Stop> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() && byte != b':' {
                return Ok(Some(byte));
            }
            if self.at - self.mark > MAX_RECORD {
                break;
            }
            self.at += 1;
        }
        Ok(None)
    }

    /// Goes past the end of a string whose opening quote is behind; false where it does not end.
    ///
    /// With `guess`, a backslash before a quote that plainly ends a string does not escape it.
    pub(super) fn string(&mut self, guess: bool) -> Result<bool, Stop> {
        loop {
            match memchr::memchr2(b'"', b'\\', &self.buffer[self.at..self.filled]) {
                Some(skip) => {
                    self.at += skip + 1;
                    if self.buffer[self.at - 1] == b'"' {
                        return Ok(true);
                    }
                    let Some(escaped) = self.peek()? else { return Ok(false) };
                    self.at += 1;
                    if guess && escaped == b'"' && closes(self.ahead(64)?) {
                        return Ok(true);
                    }
                }
                None => {
                    self.at = self.filled;
                    if self.at - self.mark > MAX_RECORD || !self.fill()? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Tells whether what follows the end of a string can follow one.
    pub(super) fn is_sound_end(&mut self) -> Result<bool, Stop> {
        const SOUND: [u8; 4] = *b":,}]";
        if self.buffer.get(self.at).is_some_and(|b| self.at < self.filled && SOUND.contains(b)) {
            return Ok(true);
        }
        let mut ahead = self.ahead(256)?.iter();
        Ok(ahead.find(|b| !b.is_ascii_whitespace()).is_none_or(|b| SOUND.contains(b)))
    }

    /// Goes to where the next record seems to start: the start of this one, behind the end of an object.
    pub(super) fn next_start(&mut self) -> Result<(), Stop> {
        let signature = signature(&self.buffer[self.mark..self.filled]).to_vec();
        self.at = self.mark + 1;
        loop {
            let found = memchr::memmem::find(&self.buffer[self.at..self.filled], &signature);
            if let Some(skip) = found {
                let start = self.at + skip;
                let before = self.buffer[self.mark..start].trim_ascii_end();
                let before = before.strip_suffix(b",").unwrap_or(before).trim_ascii_end();
                if before.ends_with(b"}") {
                    self.at = start;
                    return Ok(());
                }
                self.at = start + 1;
                continue;
            }
            self.at = self.at.max(self.filled.saturating_sub(signature.len().saturating_sub(1)));
            if self.at - self.mark > MAX_RECORD || !self.fill()? {
                self.at = self.filled;
                return Ok(());
            }
        }
    }

    /// Finds the next record behind damage: the next text that starts like the record before.
    pub(super) fn resume(&mut self, signature: &[u8]) -> Result<(), Stop> {
        loop {
            if let Some(skip) = memchr::memmem::find(&self.buffer[self.at..self.filled], signature) {
                self.at += skip;
                self.mark = self.at;
                return Ok(());
            }
            let keep = signature.len().saturating_sub(1).min(self.filled - self.at);
            self.at = self.filled - keep;
            self.mark = self.at;
            if !self.fill()? {
                self.at = self.filled;
                self.mark = self.at;
                return Ok(());
            }
        }
    }

    pub(super) fn count_lines(&mut self) {
        self.line += memchr::memchr_iter(b'\n', &self.buffer[self.counted..self.mark]).count() as u64;
        self.counted = self.mark;
    }

    /// Reads more; false at the end of the input.
    pub(super) fn fill(&mut self) -> Result<bool, Stop> {
        if self.ended {
            return Ok(false);
        }
        if self.mark > 0 {
            self.count_lines();
            self.buffer.copy_within(self.mark..self.filled, 0);
            self.filled -= self.mark;
            self.at -= self.mark;
            self.mark = 0;
            self.counted = 0;
        }
        if self.buffer.len() - self.filled < 1 << 16 {
            self.buffer.resize((self.buffer.len() * 2).max(1 << 20), 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(false);
                }
                Ok(n) => {
                    self.filled += n;
                    return Ok(true);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The first bytes of a record, up to the colon of its first key: the next record starts with them too.
pub(in crate::source) fn signature(record: &[u8]) -> &[u8] {
    let end = record.iter().take(200).position(|b| *b == b':').map_or(record.len().min(1), |end| end + 1);
    &record[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_before_a_value_do_not_fill_memory() {
        let blanks = std::io::repeat(b' ').take(4 * MAX_RECORD as u64);
        let mut input = br#"{"value""#.as_slice().chain(blanks).chain(b"[1]}".as_slice());
        let mut window = Window::new(&mut input, 1);
        window.at = window.ahead(8).map_or(0, <[u8]>::len);
        assert!(matches!(window.value_start(), Ok(None)));
        assert!(window.buffer.len() <= 4 * MAX_RECORD, "{}", window.buffer.len());
        assert!(window.filled < 2 * MAX_RECORD + (1 << 20), "{}", window.filled);
    }
}
