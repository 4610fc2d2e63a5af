//! JSON that is not one record a line: pages, arrays, records end to end. Text in, object slices out.
//!
//! A string-aware scanner that streams: it keeps the record at hand and no more, so a page may be larger than
//! memory. It looks only at brackets, strings and the keys of a page; whether a record is sound JSON is for
//! the decoder to say.

mod page;
mod quick;
#[cfg(test)]
mod tests;
mod window;

pub use page::PageEnds;
pub(super) use page::Pages;
pub(super) use window::signature;

use super::block::{Fault, MAX_RECORD};
use super::decode::Columns;
use page::{is_holder, members, mentions_columns, text};
use quick::{Quick, object_end};
use serde_json::{Map, Value};
use std::io::Read;
use std::sync::Arc;
use window::Window;

/// Pages within arrays within pages: deeper ones are records.
const LEVELS: usize = 6;
/// How far a record is read on the guess that a backslash before a closing quote is a slip.
const MAX_GUESS: usize = 1 << 20;
/// What is known of a record beside its text.
#[derive(Debug, Clone, Default)]
pub(super) struct Meta {
    /// Line where it starts.
    pub line: u64,
    /// Columns, where it is a row.
    pub columns: Option<Arc<Columns>>,
    /// Organisation that its page names.
    pub org: Option<Arc<str>>,
    /// Whether it breaks off.
    pub fault: Option<Fault>,
}

/// Why a scan ended before its text.
pub(super) enum Stop {
    /// The input failed.
    Io(std::io::Error),
    /// The receiver wants no more.
    Asked,
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// Hands every record of `input` to `emit`, which says whether it wants more.
pub(super) fn scan(
    input: &mut dyn Read,
    line: u64,
    emit: &mut dyn FnMut(&[u8], Meta) -> bool,
) -> Result<Pages, Stop> {
    let window = Window::new(input, line);
    let mut scanner = Scanner { window, emit, org: None, pages: Pages::default(), in_pages: 0 };
    scanner.documents()?;
    Ok(scanner.pages)
}

struct Scanner<'a> {
    window: Window<'a>,
    emit: &'a mut dyn FnMut(&[u8], Meta) -> bool,
    org: Option<Arc<str>>,
    pages: Pages,
    /// Pages around the place that is scanned now.
    in_pages: usize,
}

/// How the scan of a bracketed value ended.
enum Ended {
    Closed,
    /// A page: its records' key starts so far behind the mark.
    Holder(usize),
    CutOff,
    TooLong,
    /// A string was followed by what can follow none: a quote or a backslash is amiss.
    Derailed,
}

impl Scanner<'_> {
    fn documents(&mut self) -> Result<(), Stop> {
        while let Some(byte) = self.window.gap()? {
            match byte {
                b'{' => {
                    self.org = None;
                    self.object(0)?;
                }
                b'[' => {
                    self.pages.array = true;
                    self.org = None;
                    self.window.at += 1;
                    self.array(1, None)?;
                }
                _ => self.junk()?,
            }
        }
        Ok(())
    }

    /// Text that no value starts with, up to the next bracket or line.
    fn junk(&mut self) -> Result<(), Stop> {
        let mut handed_out = false;
        while let Some(byte) = self.window.peek()? {
            if matches!(byte, b'{' | b'[' | b'\n') {
                break;
            }
            self.window.at += 1;
            if handed_out {
                self.window.mark = self.window.at;
            } else if self.window.at - self.window.mark > 1 << 16 {
                handed_out = true;
                self.record(None, Some(Fault::TooLong))?;
            }
        }
        // Stray closing brackets, marks between joined files and record separators are no record.
        if self.window.buffer[self.window.mark..self.window.at].iter().any(u8::is_ascii_alphanumeric) {
            self.record(None, None)?;
        }
        Ok(())
    }

    fn array(&mut self, level: usize, columns: Option<&Arc<Columns>>) -> Result<(), Stop> {
        loop {
            match self.window.gap()? {
                None => {
                    self.cut("the input ends before its array is closed");
                    return Ok(());
                }
                Some(b']') => {
                    self.window.at += 1;
                    return Ok(());
                }
                Some(b'{') => self.object(level)?,
                Some(b'[') if columns.is_none() && level < LEVELS => {
                    self.window.at += 1;
                    self.array(level + 1, None)?;
                }
                Some(b'[') => {
                    let ended = self.bracketed(false, false)?;
                    self.close(&ended, columns)?;
                }
                Some(b'}' | b':') => self.window.at += 1,
                Some(_) => self.scalar()?,
            }
        }
    }

    /// A value in an array that is no record; handed out so that it is counted as one that was refused.
    fn scalar(&mut self) -> Result<(), Stop> {
        if self.window.peek()? == Some(b'"') {
            self.window.at += 1;
            self.window.string(false)?;
        } else {
            while let Some(byte) = self.window.peek()? {
                if matches!(byte, b',' | b']' | b'}' | b'{' | b'[')
                    || self.window.at - self.window.mark > MAX_RECORD
                {
                    break;
                }
                self.window.at += 1;
            }
        }
        self.record(None, None)
    }

    fn object(&mut self, level: usize) -> Result<(), Stop> {
        if let Some(end) = self.quick_end(level < LEVELS)? {
            self.window.at = end;
            return self.record(None, None);
        }
        let mut ended = self.bracketed(level < LEVELS, false)?;
        if matches!(ended, Ended::Derailed | Ended::CutOff) {
            self.window.at = self.window.mark;
            match self.bracketed(level < LEVELS, true)? {
                guess @ (Ended::Closed | Ended::Holder(_)) => ended = guess,
                _ if matches!(ended, Ended::Derailed) => {
                    self.window.next_start()?;
                    return self.record(None, None);
                }
                _ => self.window.at = self.window.filled,
            }
        }
        match ended {
            Ended::Holder(key) => self.page(key, level),
            ended => self.close(&ended, None),
        }
    }

    /// Finds the end of an object where that is plain to see.
    fn quick_end(&mut self, may_be_page: bool) -> Result<Option<usize>, Stop> {
        loop {
            let found = object_end(&self.window.buffer[self.window.mark..self.window.filled], may_be_page);
            match found {
                Quick::Ends(length) => return Ok(Some(self.window.mark + length)),
                Quick::More if self.window.fill()? => {}
                Quick::More | Quick::Unsure => return Ok(None),
            }
        }
    }

    fn close(&mut self, ended: &Ended, columns: Option<&Arc<Columns>>) -> Result<(), Stop> {
        match ended {
            Ended::CutOff => {
                self.cut("the input ends inside a record");
                self.record(columns, Some(Fault::CutOff))
            }
            Ended::TooLong => {
                let signature = signature(&self.window.buffer[self.window.mark..self.window.at]).to_vec();
                self.record(columns, Some(Fault::TooLong))?;
                self.window.resume(&signature)
            }
            Ended::Closed | Ended::Holder(_) | Ended::Derailed => self.record(columns, None),
        }
    }

    /// Scans a value that starts with a bracket, from its mark to behind its end, or to a key that makes it a
    /// page; then the next byte is the bracket that opens the records.
    fn bracketed(&mut self, may_be_page: bool, guess: bool) -> Result<Ended, Stop> {
        let limit = if guess { MAX_GUESS } else { MAX_RECORD };
        let mut depth = 0_usize;
        let mut key_next = may_be_page;
        loop {
            if self.window.peek()?.is_none() {
                return Ok(Ended::CutOff);
            }
            if self.window.at - self.window.mark > limit {
                return Ok(Ended::TooLong);
            }
            let ahead = &self.window.buffer[self.window.at..self.window.filled];
            let Some(skip) = ahead.iter().position(|b| matches!(b, b'"' | b'{' | b'}' | b'[' | b']' | b','))
            else {
                self.window.at = self.window.filled;
                continue;
            };
            self.window.at += skip + 1;
            match self.window.buffer[self.window.at - 1] {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Ok(Ended::Closed);
                    }
                }
                b',' => key_next = may_be_page && depth == 1,
                _ => {
                    let start = self.window.at - 1 - self.window.mark;
                    if !self.window.string(guess)? {
                        return Ok(if self.window.ended { Ended::CutOff } else { Ended::TooLong });
                    }
                    if !self.window.is_sound_end()? {
                        return Ok(Ended::Derailed);
                    }
                    if key_next && depth == 1 {
                        key_next = false;
                        if self.is_page(start)? {
                            return Ok(Ended::Holder(start));
                        }
                    }
                }
            }
        }
    }

    /// Tells whether the key that just ended, which started `start` behind the mark, holds records.
    fn is_page(&mut self, start: usize) -> Result<bool, Stop> {
        let key = &self.window.buffer[self.window.mark + start + 1..self.window.at - 1];
        let Ok(key) = std::str::from_utf8(key) else { return Ok(false) };
        if !is_holder(key) {
            return Ok(false);
        }
        let nests = key.eq_ignore_ascii_case("value");
        let rows = key.eq_ignore_ascii_case("rows");
        let opens = self.window.value_start()?;
        if rows && !mentions_columns(&self.window.buffer[self.window.mark..self.window.mark + start]) {
            return Ok(false);
        }
        Ok(opens == Some(b'[') || (opens == Some(b'{') && nests))
    }

    /// Goes through a page whose records start here and whose members so far lie behind the mark.
    fn page(&mut self, key: usize, level: usize) -> Result<(), Stop> {
        if level == 0 {
            self.pages.continuation = None;
        }
        let mut envelope = members(&self.window.buffer[self.window.mark..self.window.mark + key]);
        let name: Vec<u8> = self.window.buffer[self.window.mark + key + 1..self.window.at].to_vec();
        let name = String::from_utf8_lossy(&name);
        let name = name.split('"').next().unwrap_or_default().to_owned();
        // The inner key says more: `value` may hold anything.
        if self.pages.holder.as_deref().is_none_or(|known| known.eq_ignore_ascii_case("value")) {
            self.pages.holder = Some(name.clone());
        }
        let before = self.pages.ends;
        self.in_pages += 1;
        if let Some(org) = text(&envelope, &["org", "organization", "organisation"]) {
            self.org = Some(org.into());
        }
        let columns = envelope.remove("columns").as_ref().and_then(Columns::of_json);
        self.window.mark = self.window.at;
        self.records(level, columns.as_ref())?;
        // What follows the records: the token of the next page, mostly.
        loop {
            match self.window.gap()? {
                None => {
                    self.cut("the input ends inside a page");
                    break;
                }
                Some(b'}') => {
                    self.window.at += 1;
                    break;
                }
                Some(b'"') => self.member(level, columns.as_ref(), &mut envelope)?,
                Some(_) => self.window.at += 1,
            }
        }
        self.in_pages -= 1;
        let token = text(&envelope, &["continuationtoken", "nextlink", "@odata.nextlink"]);
        let has_more = envelope.get("hasmore").and_then(Value::as_bool);
        let more = match has_more {
            Some(false) => Some(false),
            _ if token.is_some() => Some(true),
            None if envelope.contains_key("continuationtoken") => Some(false),
            unstated => unstated,
        };
        match has_more {
            Some(false) => self.pages.continuation = None,
            _ if token.is_some() => self.pages.continuation = token,
            _ => {}
        }
        // A page around other pages says nothing of its own.
        if self.pages.ends == before {
            self.pages.ends.add(&name, more);
        }
        Ok(())
    }

    fn records(&mut self, level: usize, columns: Option<&Arc<Columns>>) -> Result<(), Stop> {
        if self.window.peek()? == Some(b'[') {
            self.window.at += 1;
            self.array(level + 1, columns)
        } else {
            self.object(level + 1)
        }
    }

    /// A member of a page behind its records.
    fn member(
        &mut self,
        level: usize,
        columns: Option<&Arc<Columns>>,
        envelope: &mut Map<String, Value>,
    ) -> Result<(), Stop> {
        self.window.mark = self.window.at;
        self.window.at += 1;
        if !self.window.string(false)? {
            return Ok(());
        }
        let key = String::from_utf8_lossy(&self.window.buffer[self.window.mark + 1..self.window.at - 1])
            .to_ascii_lowercase();
        let opens = self.window.value_start()?;
        self.window.mark = self.window.at;
        match opens {
            Some(b'[') if is_holder(&key) => return self.records(level, columns),
            Some(b'[' | b'{') => {
                while matches!(self.bracketed(false, false)?, Ended::TooLong) {
                    self.window.mark = self.window.at;
                }
            }
            Some(b'"') => {
                self.window.at += 1;
                self.window.string(false)?;
            }
            _ => {
                while let Some(byte) = self.window.peek()? {
                    if matches!(byte, b',' | b'}' | b']' | b'"')
                        || self.window.at - self.window.mark > MAX_RECORD
                    {
                        break;
                    }
                    self.window.at += 1;
                }
            }
        }
        if let Ok(value) = serde_json::from_slice(&self.window.buffer[self.window.mark..self.window.at]) {
            envelope.insert(key, value);
        }
        Ok(())
    }

    /// Hands out what lies between the mark and here.
    fn record(&mut self, columns: Option<&Arc<Columns>>, fault: Option<Fault>) -> Result<(), Stop> {
        self.window.count_lines();
        self.pages.ends.unstated += u64::from(self.in_pages == 0);
        let meta = Meta { line: self.window.line, columns: columns.cloned(), org: self.org.clone(), fault };
        let more = (self.emit)(&self.window.buffer[self.window.mark..self.window.at], meta);
        self.window.mark = self.window.at;
        if more { Ok(()) } else { Err(Stop::Asked) }
    }

    fn cut(&mut self, sentence: &str) {
        self.pages.truncated.get_or_insert_with(|| sentence.to_owned());
    }
}
