//! JSON that is not one record a line: pages, arrays, records end to end. Text in, object slices out.
//!
//! A string-aware scanner that streams: it keeps the record at hand and no more, so a page may be larger than
//! memory. It looks only at brackets, strings and the keys of a page; whether a record is sound JSON is for
//! the decoder to say.

use super::block::{Fault, MAX_RECORD};
use super::decode::{Columns, closes};
use serde_json::{Map, Value};
use std::io::Read;
use std::sync::Arc;

/// Pages within arrays within pages: deeper ones are records.
const LEVELS: usize = 6;
/// How far a record is read on the guess that a backslash before a closing quote is a slip.
const MAX_GUESS: usize = 1 << 20;
/// Keys under which pages hold their records, lower case.
const HOLDERS: [&str; 12] = [
    "decoratedauditlogentries",
    "auditlogentries",
    "value",
    "members",
    "items",
    "pattokens",
    "tables",
    "rows",
    "records",
    "results",
    "events",
    "entries",
];

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

/// What was learnt of the pages.
#[derive(Debug, Clone, Default)]
pub(super) struct Pages {
    /// Key under which the first page holds its records, as written.
    pub holder: Option<String>,
    /// Whether there was an array outside any page.
    pub array: bool,
    /// Continuation token of the last page, where more follows it.
    pub continuation: Option<String>,
    /// A sentence, where the text ends early.
    pub truncated: Option<String>,
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
    let mut scanner = Scanner {
        input,
        emit,
        buffer: Vec::new(),
        filled: 0,
        mark: 0,
        at: 0,
        counted: 0,
        line,
        ended: false,
        org: None,
        pages: Pages::default(),
    };
    scanner.documents()?;
    Ok(scanner.pages)
}

/// Tells whether a key holds the records of a page.
pub(super) fn is_holder(key: &str) -> bool {
    HOLDERS.iter().any(|holder| holder.eq_ignore_ascii_case(key))
}

struct Scanner<'a> {
    input: &'a mut dyn Read,
    emit: &'a mut dyn FnMut(&[u8], Meta) -> bool,
    buffer: Vec<u8>,
    filled: usize,
    /// Everything before is done with.
    mark: usize,
    at: usize,
    /// `line` is the line of this byte.
    counted: usize,
    line: u64,
    ended: bool,
    org: Option<Arc<str>>,
    pages: Pages,
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
        while let Some(byte) = self.gap()? {
            match byte {
                b'{' => {
                    self.org = None;
                    self.object(0)?;
                }
                b'[' => {
                    self.pages.array = true;
                    self.org = None;
                    self.at += 1;
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
        while let Some(byte) = self.peek()? {
            if matches!(byte, b'{' | b'[' | b'\n') {
                break;
            }
            self.at += 1;
            if handed_out {
                self.mark = self.at;
            } else if self.at - self.mark > 1 << 16 {
                handed_out = true;
                self.record(None, Some(Fault::TooLong))?;
            }
        }
        // Stray closing brackets, marks between joined files and record separators are no record.
        if self.buffer[self.mark..self.at].iter().any(u8::is_ascii_alphanumeric) {
            self.record(None, None)?;
        }
        Ok(())
    }

    fn array(&mut self, level: usize, columns: Option<&Arc<Columns>>) -> Result<(), Stop> {
        loop {
            match self.gap()? {
                None => {
                    self.cut("the input ends before its array is closed");
                    return Ok(());
                }
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'{') => self.object(level)?,
                Some(b'[') if columns.is_none() && level < LEVELS => {
                    self.at += 1;
                    self.array(level + 1, None)?;
                }
                Some(b'[') => {
                    let ended = self.bracketed(false, false)?;
                    self.close(&ended, columns)?;
                }
                Some(b'}' | b':') => self.at += 1,
                Some(_) => self.scalar()?,
            }
        }
    }

    /// A value in an array that is no record; handed out so that it is counted as one that was refused.
    fn scalar(&mut self) -> Result<(), Stop> {
        if self.peek()? == Some(b'"') {
            self.at += 1;
            self.string(false)?;
        } else {
            while let Some(byte) = self.peek()? {
                if matches!(byte, b',' | b']' | b'}' | b'{' | b'[') || self.at - self.mark > MAX_RECORD {
                    break;
                }
                self.at += 1;
            }
        }
        self.record(None, None)
    }

    fn object(&mut self, level: usize) -> Result<(), Stop> {
        let mut ended = self.bracketed(level < LEVELS, false)?;
        if matches!(ended, Ended::Derailed | Ended::CutOff) {
            self.at = self.mark;
            match self.bracketed(level < LEVELS, true)? {
                guess @ (Ended::Closed | Ended::Holder(_)) => ended = guess,
                _ if matches!(ended, Ended::Derailed) => {
                    self.next_start()?;
                    return self.record(None, None);
                }
                _ => self.at = self.filled,
            }
        }
        match ended {
            Ended::Holder(key) => self.page(key, level),
            ended => self.close(&ended, None),
        }
    }

    fn close(&mut self, ended: &Ended, columns: Option<&Arc<Columns>>) -> Result<(), Stop> {
        match ended {
            Ended::CutOff => {
                self.cut("the input ends inside a record");
                self.record(columns, Some(Fault::CutOff))
            }
            Ended::TooLong => {
                let signature = signature(&self.buffer[self.mark..self.at]).to_vec();
                self.record(columns, Some(Fault::TooLong))?;
                self.resume(&signature)
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
            if self.at == self.filled && !self.fill()? {
                return Ok(Ended::CutOff);
            }
            if self.at - self.mark > limit {
                return Ok(Ended::TooLong);
            }
            let ahead = &self.buffer[self.at..self.filled];
            let Some(skip) = ahead.iter().position(|b| matches!(b, b'"' | b'{' | b'}' | b'[' | b']' | b','))
            else {
                self.at = self.filled;
                continue;
            };
            self.at += skip + 1;
            match self.buffer[self.at - 1] {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Ok(Ended::Closed);
                    }
                }
                b',' => key_next = may_be_page && depth == 1,
                _ => {
                    let start = self.at - 1 - self.mark;
                    if !self.string(guess)? {
                        return Ok(if self.ended { Ended::CutOff } else { Ended::TooLong });
                    }
                    if !self.is_sound_end()? {
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
        let key = &self.buffer[self.mark + start + 1..self.at - 1];
        let Ok(key) = std::str::from_utf8(key) else { return Ok(false) };
        if !is_holder(key) {
            return Ok(false);
        }
        let nests = key.eq_ignore_ascii_case("value");
        let rows = key.eq_ignore_ascii_case("rows");
        let opens = self.value_start()?;
        if rows && !mentions_columns(&self.buffer[self.mark..self.mark + start]) {
            return Ok(false);
        }
        Ok(opens == Some(b'[') || (opens == Some(b'{') && nests))
    }

    /// Goes to the first byte of a value, past the colon.
    fn value_start(&mut self) -> Result<Option<u8>, Stop> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() && byte != b':' {
                return Ok(Some(byte));
            }
            self.at += 1;
        }
        Ok(None)
    }

    /// Goes through a page whose records start here and whose members so far lie behind the mark.
    fn page(&mut self, key: usize, level: usize) -> Result<(), Stop> {
        if level == 0 {
            self.pages.continuation = None;
        }
        let mut envelope = members(&self.buffer[self.mark..self.mark + key]);
        let name: Vec<u8> = self.buffer[self.mark + key + 1..self.at].to_vec();
        let name = String::from_utf8_lossy(&name);
        let name = name.split('"').next().unwrap_or_default().to_owned();
        // The inner key says more: `value` may hold anything.
        if self.pages.holder.as_deref().is_none_or(|known| known.eq_ignore_ascii_case("value")) {
            self.pages.holder = Some(name);
        }
        if let Some(org) = text(&envelope, &["org", "organization", "organisation"]) {
            self.org = Some(org.into());
        }
        let columns = envelope.remove("columns").as_ref().and_then(Columns::of_json);
        self.mark = self.at;
        self.records(level, columns.as_ref())?;
        // What follows the records: the token of the next page, mostly.
        loop {
            match self.gap()? {
                None => {
                    self.cut("the input ends inside a page");
                    break;
                }
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                Some(b'"') => self.member(level, columns.as_ref(), &mut envelope)?,
                Some(_) => self.at += 1,
            }
        }
        let token = text(&envelope, &["continuationtoken", "nextlink", "@odata.nextlink"]);
        match envelope.get("hasmore").and_then(Value::as_bool) {
            Some(false) => self.pages.continuation = None,
            _ if token.is_some() => self.pages.continuation = token,
            _ => {}
        }
        Ok(())
    }

    fn records(&mut self, level: usize, columns: Option<&Arc<Columns>>) -> Result<(), Stop> {
        if self.peek()? == Some(b'[') {
            self.at += 1;
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
        self.mark = self.at;
        self.at += 1;
        if !self.string(false)? {
            return Ok(());
        }
        let key = String::from_utf8_lossy(&self.buffer[self.mark + 1..self.at - 1]).to_ascii_lowercase();
        let opens = self.value_start()?;
        self.mark = self.at;
        match opens {
            Some(b'[') if is_holder(&key) => return self.records(level, columns),
            Some(b'[' | b'{') => {
                while matches!(self.bracketed(false, false)?, Ended::TooLong) {
                    self.mark = self.at;
                }
            }
            Some(b'"') => {
                self.at += 1;
                self.string(false)?;
            }
            _ => {
                while let Some(byte) = self.peek()? {
                    if matches!(byte, b',' | b'}' | b']' | b'"') || self.at - self.mark > MAX_RECORD {
                        break;
                    }
                    self.at += 1;
                }
            }
        }
        if let Ok(value) = serde_json::from_slice(&self.buffer[self.mark..self.at]) {
            envelope.insert(key, value);
        }
        Ok(())
    }

    /// Goes past the end of a string whose opening quote is behind; false where it does not end.
    ///
    /// With `guess`, a backslash before a quote that plainly ends a string does not escape it.
    fn string(&mut self, guess: bool) -> Result<bool, Stop> {
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
    fn is_sound_end(&mut self) -> Result<bool, Stop> {
        const SOUND: [u8; 4] = *b":,}]";
        if self.buffer.get(self.at).is_some_and(|b| self.at < self.filled && SOUND.contains(b)) {
            return Ok(true);
        }
        let mut ahead = self.ahead(256)?.iter();
        Ok(ahead.find(|b| !b.is_ascii_whitespace()).is_none_or(|b| SOUND.contains(b)))
    }

    /// Looks at the next bytes, however little the input gives at a time.
    fn ahead(&mut self, n: usize) -> Result<&[u8], Stop> {
        while self.filled - self.at < n && self.fill()? {}
        Ok(&self.buffer[self.at..self.filled.min(self.at + n)])
    }

    /// Goes to where the next record seems to start: the start of this one, behind the end of an object.
    fn next_start(&mut self) -> Result<(), Stop> {
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
    fn resume(&mut self, signature: &[u8]) -> Result<(), Stop> {
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

    /// Hands out what lies between the mark and here.
    fn record(&mut self, columns: Option<&Arc<Columns>>, fault: Option<Fault>) -> Result<(), Stop> {
        self.count_lines();
        let meta = Meta { line: self.line, columns: columns.cloned(), org: self.org.clone(), fault };
        let more = (self.emit)(&self.buffer[self.mark..self.at], meta);
        self.mark = self.at;
        if more { Ok(()) } else { Err(Stop::Asked) }
    }

    fn cut(&mut self, sentence: &str) {
        self.pages.truncated.get_or_insert_with(|| sentence.to_owned());
    }

    /// Goes to the next byte that is no blank and no comma, and lets go of all before it.
    fn gap(&mut self) -> Result<Option<u8>, Stop> {
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

    fn peek(&mut self) -> Result<Option<u8>, Stop> {
        if self.at == self.filled && !self.fill()? {
            return Ok(None);
        }
        Ok(Some(self.buffer[self.at]))
    }

    fn count_lines(&mut self) {
        self.line += memchr::memchr_iter(b'\n', &self.buffer[self.counted..self.mark]).count() as u64;
        self.counted = self.mark;
    }

    /// Reads more; false at the end of the input.
    fn fill(&mut self) -> Result<bool, Stop> {
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
pub(super) fn signature(record: &[u8]) -> &[u8] {
    let end = record.iter().take(200).position(|b| *b == b':').map_or(record.len().min(1), |end| end + 1);
    &record[..end]
}

/// Reads the members of a page that lie before its records; keys in lower case.
fn members(prefix: &[u8]) -> Map<String, Value> {
    let mut json = prefix.trim_ascii_end().to_vec();
    if json.last() == Some(&b',') {
        json.pop();
    }
    json.push(b'}');
    let map: Map<String, Value> = serde_json::from_slice(&json).unwrap_or_default();
    map.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value)).collect()
}

fn mentions_columns(prefix: &[u8]) -> bool {
    members(prefix).get("columns").is_some_and(Value::is_array)
}

fn text(envelope: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    let value = keys.iter().find_map(|key| envelope.get(*key))?;
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> (Vec<String>, Pages) {
        let mut out = Vec::new();
        let pages = scan(&mut text.as_bytes(), 1, &mut |bytes, meta| {
            let fault = meta.fault.map(|f| format!("!{f:?}")).unwrap_or_default();
            out.push(format!("{}:{}{fault}", meta.line, String::from_utf8_lossy(bytes)));
            true
        });
        match pages {
            Ok(pages) => (out, pages),
            Err(_) => panic!("a text in memory cannot fail"),
        }
    }

    #[test]
    fn pages_arrays_and_records_end_to_end() {
        for (text, expected) in [
            (r#"{"a":1}{"b":"}{"}"#, vec![r#"1:{"a":1}"#, r#"1:{"b":"}{"}"#]),
            ("[{\"a\":[1,{}]},\n{\"b\":2}]", vec![r#"1:{"a":[1,{}]}"#, r#"2:{"b":2}"#]),
            (r#"{"decoratedAuditLogEntries":[{"a":"\""}],"hasMore":false}"#, vec![r#"1:{"a":"\""}"#]),
            (
                "{\"value\":{\"decoratedAuditLogEntries\":[{\"a\":1}]}}\n{\"count\":1,\"value\":[{\"a\":2}]}",
                vec![r#"1:{"a":1}"#, r#"2:{"a":2}"#],
            ),
            (r#"[{"value":[{"a":1}]},{"value":[{"a":2}]}]"#, vec![r#"1:{"a":1}"#, r#"1:{"a":2}"#]),
            (r#"[1,"x",{"a":1}]"#, vec!["1:1", r#"1:"x""#, r#"1:{"a":1}"#]),
            ("[]", vec![]),
            ("", vec![]),
        ] {
            let (found, pages) = records(text);
            assert_eq!(found, expected, "{text}");
            assert_eq!(pages.truncated, None, "{text}");
        }
    }

    #[test]
    fn tokens_of_pages_are_kept_only_where_more_follows() {
        let more = |text: &str| records(text).1.continuation;
        assert_eq!(more(r#"{"value":[],"continuationToken":"x"}"#).as_deref(), Some("x"));
        assert_eq!(more(r#"{"continuationToken":"x","patTokens":[{}]}"#).as_deref(), Some("x"));
        assert_eq!(more(r#"{"continuationToken":"","patTokens":[]}"#), None);
        assert_eq!(
            more(r#"{"value":[],"continuationToken":"x"}{"value":[],"continuationToken":null}"#),
            None
        );
        let audit = r#"{"value":{"decoratedAuditLogEntries":[],"continuationToken":"x","hasMore":false}}"#;
        assert_eq!(more(audit), None);
        assert_eq!(records(audit).1.holder.as_deref(), Some("decoratedAuditLogEntries"));
    }

    #[test]
    fn what_breaks_off_is_said() {
        let (found, pages) = records(r#"{"value":[{"a":1},{"b":"x"#);
        assert_eq!(found, [r#"1:{"a":1}"#, "1:{\"b\":\"x!CutOff"]);
        assert!(pages.truncated.is_some());
        let (found, pages) = records(r#"[{"a":1},"#);
        assert_eq!(found, [r#"1:{"a":1}"#]);
        assert!(pages.truncated.is_some());
    }

    #[test]
    fn a_backslash_before_a_closing_quote_harms_its_record_alone() {
        let (found, pages) =
            records(r#"{"value":[{"id":1,"x":"[P]\"},{"id":2,"y":"}"}],"continuationToken":"t"}"#);
        assert_eq!(found, [r#"1:{"id":1,"x":"[P]\"}"#, r#"1:{"id":2,"y":"}"}"#]);
        assert_eq!((pages.continuation.as_deref(), pages.truncated), (Some("t"), None));
        let (found, _) = records(r#"[{"id":1,"x":"say "it""},{"id":2,"x":"[P]\"}]"#);
        assert_eq!(found, [r#"1:{"id":1,"x":"say "it""},"#, r#"1:{"id":2,"x":"[P]\"}"#]);
    }

    #[test]
    fn a_record_beyond_all_measure_is_handed_out_and_left_behind() {
        let long =
            format!(r#"[{{"id":"a"}},{{"id":"{}"}},{{"id":"b"}}]"#, "x".repeat(MAX_RECORD + 4_000_000));
        let (found, _) = records(&long);
        assert_eq!(found.len(), 3);
        assert!(found[1].ends_with("TooLong"));
        assert_eq!(found[2], r#"1:{"id":"b"}"#);
    }
}
