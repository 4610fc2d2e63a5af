//! A review sheet as it comes back from a spreadsheet.
//!
//! In: bytes of CSV, with or without a byte order mark, with commas, semicolons or tabs, columns in any order,
//! cells and rows cut short or padded. Out: the rows that hold a decision, and the faults of those that cannot
//! be taken, by line. Which tokens exist is not known here.

use super::super::csv::original;
use super::DECISION;
use crate::model::decided_state::{is_full_mark, is_mark_of, marks_scopes};
use crate::model::decision::{Choice, Fixed};
use crate::model::time::{Day, Micros, parse_day, parse_time};
use crate::model::token::split_scopes;
use std::collections::{BTreeMap, HashMap};

/// A sheet, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Rows with a decision.
    pub rows: Vec<Row>,
    /// Rows that hold something of a decision and cannot be taken.
    pub faults: Vec<Fault>,
    /// Rows whose decision is still empty.
    pub undecided: u64,
}

/// One row with a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Line in the file, from 1.
    pub line: u64,
    /// Organisation; empty where the sheet has no such column.
    pub org: String,
    /// The token.
    pub token_id: String,
    /// What was decided.
    pub choice: Choice,
    /// Who decided.
    pub reviewer: String,
    /// On which day.
    pub decided_on: Day,
    /// Why.
    pub reason: String,
    /// Last day on which it holds.
    pub end_date: Option<Day>,
    /// The instant that the sheet stood at, where the cell survived.
    pub as_of: Option<Micros>,
    /// What the token was then, where the cells say it: the mark, and what can be read in the other cells.
    pub state: Option<Fixed>,
    /// Ids of the detections that the sheet listed, blank separated; nothing where the cells do not say.
    pub detections: Option<String>,
}

/// A row that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line in the file, from 1.
    pub line: u64,
    /// The column at fault, for counts that name nobody.
    pub column: &'static str,
    /// What is wrong, and the mend.
    pub reason: String,
}

/// Why nothing of a sheet can be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SheetError {
    /// The bytes are UTF-16, as Excel's "Unicode text" is.
    #[error("it is UTF-16, not UTF-8; save it as \"CSV UTF-8\"")]
    Utf16,
    /// It is a workbook, not CSV.
    #[error("it is a spreadsheet workbook; save the sheet as CSV (UTF-8)")]
    Workbook,
    /// There is no first line.
    #[error("it is empty; `patwatch review export FILE` writes a sheet")]
    Empty,
    /// A column that is needed is not there.
    #[error(
        "its first line has no column \"{column}\"; keep the head of the sheet that `patwatch review export` wrote (it has: {found})"
    )]
    Column {
        /// Which.
        column: &'static str,
        /// What the first line has.
        found: String,
    },
    /// A column occurs twice.
    #[error("its first line names the column \"{0}\" twice; keep one")]
    Twice(String),
}

/// Columns that must be there.
const NEEDED: [&str; 6] = ["token_id", "decision", "reviewer", "decided_on", "reason", "end_date"];

/// Reads a sheet.
///
/// # Errors
/// When its form or its first line cannot be read.
pub fn read(bytes: &[u8]) -> Result<Sheet, SheetError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(SheetError::Utf16);
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(SheetError::Workbook);
    }
    let mut bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut skipped = 0;
    // Excel writes and reads a first line that names the separator.
    if bytes.get(..4).is_some_and(|b| b.eq_ignore_ascii_case(b"sep=")) {
        let end = bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |i| i + 1);
        bytes = &bytes[end..];
        skipped = 1;
    }
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(delimiter(bytes))
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes);
    let mut records = reader.byte_records();
    let Some(Ok(head)) = records.next() else { return Err(SheetError::Empty) };
    let columns = columns(&head)?;
    let mut lines = Lines { bytes, at: 0, line: 1 + skipped };
    let mut sheet = Sheet::default();
    let mut seen: HashMap<(String, String), u64> = HashMap::new();
    for record in records {
        // Only a reader that fails gives errors here, and bytes in memory do not.
        let Ok(record) = record else { continue };
        let line = lines.of(record.position().map_or(0, ::csv::Position::byte));
        match row(&record, &columns, line) {
            Ok(None) => {
                if record.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                    sheet.undecided += 1;
                }
            }
            Ok(Some(row)) => {
                let key = (row.org.to_lowercase(), row.token_id.clone());
                if let Some(first) = seen.get(&key) {
                    let reason = format!("the token has a decision on line {first} already; keep one");
                    sheet.faults.push(Fault { line, column: "token_id", reason });
                } else {
                    seen.insert(key, line);
                    sheet.rows.push(row);
                }
            }
            Err(fault) => sheet.faults.push(fault),
        }
    }
    Ok(sheet)
}

/// Counts lines: the reader's own count takes the two bytes that end a line on Windows apart.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line on which the first cell at or after `byte` stands.
    fn of(&mut self, byte: u64) -> u64 {
        let mut end = usize::try_from(byte).unwrap_or(usize::MAX).min(self.bytes.len());
        while self.bytes.get(end).is_some_and(|b| matches!(b, b'\r' | b'\n')) {
            end += 1;
        }
        let passed = self.bytes.get(self.at..end).unwrap_or_default();
        self.line += passed.iter().filter(|b| **b == b'\n').count() as u64;
        self.at = self.at.max(end);
        self.line
    }
}

/// The separator under which the first line shows the most columns that we know.
fn delimiter(bytes: &[u8]) -> u8 {
    let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let known = |d: u8| {
        head.split(char::from(d))
            .filter(|name| {
                let name = name.trim().trim_matches('"').trim();
                super::COLUMNS.iter().any(|(column, _)| *column == name)
            })
            .count()
    };
    [b';', b'\t', b','].into_iter().max_by_key(|d| known(*d)).unwrap_or(b',')
}

type Columns = BTreeMap<&'static str, usize>;

fn columns(head: &::csv::ByteRecord) -> Result<Columns, SheetError> {
    let names: Vec<String> = head.iter().map(|cell| name(&String::from_utf8_lossy(cell))).collect();
    let mut columns = Columns::new();
    for (i, name) in names.iter().enumerate() {
        let Some((known, _)) = super::COLUMNS.iter().find(|(column, _)| column == name) else { continue };
        if columns.insert(known, i).is_some() {
            return Err(SheetError::Twice(name.clone()));
        }
    }
    for column in NEEDED {
        if !columns.contains_key(column) {
            let found = names.iter().filter(|n| !n.is_empty()).cloned().collect::<Vec<_>>().join(", ");
            return Err(SheetError::Column { column, found });
        }
    }
    Ok(columns)
}

fn name(cell: &str) -> String {
    original(cell.trim_start_matches('\u{feff}').trim()).to_lowercase().replace(' ', "_")
}

fn row(record: &::csv::ByteRecord, columns: &Columns, line: u64) -> Result<Option<Row>, Fault> {
    let fault = |column: &'static str, reason: String| Fault { line, column, reason };
    let cell = |column: &'static str| -> Result<&str, Fault> {
        let Some(bytes) = columns.get(column).and_then(|i| record.get(*i)) else { return Ok("") };
        let text = std::str::from_utf8(bytes)
            .map_err(|_| fault(column, format!("{column} is not UTF-8; save the sheet as \"CSV UTF-8\"")))?;
        Ok(original(text.trim()).trim())
    };
    let mut filled = None;
    for column in DECISION {
        if !cell(column)?.is_empty() {
            filled = filled.or(Some(column));
        }
    }
    let Some(filled) = filled else { return Ok(None) };
    let words = cell("decision")?.to_lowercase();
    if words.is_empty() {
        return Err(fault(
            "decision",
            format!(
                "decision is empty though {filled} is given; write keep, reduce, revoke or exception, or clear the row's other cells"
            ),
        ));
    }
    let choice = words.parse::<Choice>().map_err(|_| {
        fault(
            "decision",
            format!(
                "decision \"{}\" is none of keep, reduce, revoke, exception",
                cell("decision").unwrap_or_default()
            ),
        )
    })?;
    let token_id = cell("token_id")?.to_lowercase();
    if token_id.is_empty() {
        return Err(fault("token_id", "token_id is empty; keep the cell that the export wrote".to_owned()));
    }
    let reviewer = cell("reviewer")?.to_owned();
    if reviewer.is_empty() {
        return Err(fault("reviewer", "reviewer is empty; write who decides".to_owned()));
    }
    let reason = cell("reason")?.to_owned();
    if reason.is_empty() {
        return Err(fault("reason", "reason is empty; write why".to_owned()));
    }
    let decided_on = cell("decided_on")?;
    if decided_on.is_empty() {
        return Err(fault(
            "decided_on",
            "decided_on is empty; write the day of the decision as 2026-03-31".to_owned(),
        ));
    }
    let decided_on = day("decided_on", decided_on).map_err(|reason| fault("decided_on", reason))?;
    let end_date = match cell("end_date")? {
        "" => None,
        text => Some(day("end_date", text).map_err(|reason| fault("end_date", reason))?),
    };
    match end_date {
        None if choice == Choice::Exception => {
            return Err(fault(
                "end_date",
                "an exception needs an end_date, the last day on which it holds, as 2026-12-31".to_owned(),
            ));
        }
        Some(end) if end < decided_on => {
            return Err(fault(
                "end_date",
                format!("end_date {} lies before decided_on {}", cell("end_date")?, cell("decided_on")?),
            ));
        }
        _ => {}
    }
    if !is_mark_of(cell("state_mark")?, &token_id) {
        return Err(fault(
            "state_mark",
            "state_mark is that of another token: rows were shifted against each other; sort or filter whole rows, or export again"
                .to_owned(),
        ));
    }
    let state = state(&cell)?;
    // As with the state: only a mark shows that the cell is that of the export.
    let listed =
        (state.is_some() && columns.contains_key("findings")).then(|| cell("findings")).transpose()?;
    Ok(Some(Row {
        line,
        org: cell("org")?.to_owned(),
        choice,
        reviewer,
        decided_on,
        reason,
        end_date,
        as_of: parse_time(cell("as_of")?).filter(|_| cell("as_of").is_ok_and(|t| t.contains('T'))),
        state,
        detections: listed.map(detections_of),
        token_id,
    }))
}

/// What the token was when the sheet was written. Only the mark shows that the other cells are those of the export; with
/// a mark of an older version, or none, nothing is taken from them.
fn state<'a>(cell: &dyn Fn(&'static str) -> Result<&'a str, Fault>) -> Result<Option<Fixed>, Fault> {
    let mark = cell("state_mark")?;
    if !is_full_mark(mark) {
        return Ok(None);
    }
    let list = |column| cell(column).map(|text| (!text.is_empty()).then(|| words_of(text)));
    Ok(Some(Fixed {
        scopes: Some(words_of(cell("scopes")?)).filter(|scopes| marks_scopes(mark, scopes)),
        proposed: list("proposed_scopes")?,
        reduced: list("reduced_scopes")?,
        mark: mark.to_owned(),
        ..Fixed::default()
    }))
}

/// The ids in a cell of findings, such as `PAT-H001 slug (high); PAT-U004 other (low)`.
fn detections_of(cell: &str) -> String {
    let ids = cell.split(';').filter_map(|item| original(item.trim()).split_whitespace().next());
    ids.collect::<Vec<_>>().join(" ")
}

/// A list as the sheet writes it, blank separated.
fn words_of(text: &str) -> String {
    split_scopes(text).join(" ")
}

/// Reads a day written as 2026-03-31 or, day first, as 31.03.2026, with or without a midnight after it, and nothing else:
/// 03/04/2026 is two days, depending on who reads it.
fn day(column: &str, text: &str) -> Result<Day, String> {
    let date = without_midnight(text);
    let is_digits = |part: &str, widths: std::ops::RangeInclusive<usize>| {
        widths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    let dashed: Vec<&str> = date.split('-').collect();
    let dotted: Vec<&str> = date.split('.').collect();
    let iso = match (dashed.as_slice(), dotted.as_slice()) {
        ([year, month, day], _)
            if is_digits(year, 4..=4) && is_digits(month, 2..=2) && is_digits(day, 2..=2) =>
        {
            Some(date.to_owned())
        }
        (_, [day, month, year])
            if is_digits(year, 4..=4) && is_digits(month, 1..=2) && is_digits(day, 1..=2) =>
        {
            Some(format!("{year}-{month:0>2}-{day:0>2}"))
        }
        _ => None,
    };
    if let Some(day) = iso.as_deref().and_then(parse_day) {
        return Ok(day);
    }
    let why = if iso.is_some() {
        "is no day of the calendar"
    } else if text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit()) {
        "is the number by which a spreadsheet stores a day; give the column the format Text"
    } else if text.bytes().any(|b| b.is_ascii_digit()) {
        "is a date as a spreadsheet writes it in some country; give the column the format Text or YYYY-MM-DD"
    } else {
        "is no date"
    };
    Err(format!("{column} \"{text}\" {why}, and write it as 2026-03-31"))
}

/// Returns a date without the midnight that a spreadsheet or a script put after it.
fn without_midnight(text: &str) -> &str {
    let Some((date, time)) = text.split_once([' ', 'T']) else { return text };
    let time = time.trim().trim_end_matches('Z');
    if matches!(time, "0:00" | "00:00" | "0:00:00" | "00:00:00" | "00:00:00.000") { date } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEAD: &str = "org,token_id,decision,reviewer,decided_on,reason,end_date";

    fn one(line: &str) -> Sheet {
        read(format!("{HEAD}\n{line}\n").as_bytes()).expect("a sheet")
    }

    fn fault(line: &str) -> String {
        let sheet = one(line);
        assert!(sheet.rows.is_empty(), "{sheet:?}");
        sheet.faults.first().map(|f| format!("{}: {}", f.line, f.reason)).expect("a fault")
    }

    #[test]
    fn a_sheet_comes_back_whatever_the_spreadsheet_did() {
        let plain = one("contoso,T1,Keep,ann,2026-03-31,\"in use, said \"\"Bo\"\"\",");
        let row = &plain.rows[0];
        assert_eq!((row.choice, row.token_id.as_str(), row.line), (Choice::Keep, "t1", 2));
        assert_eq!(row.reason, "in use, said \"Bo\"");
        let forms = [
            // A byte order mark, semicolons, CRLF, quotes, padded rows and blank rows.
            "\u{feff}org;token_id;decision;reviewer;decided_on;reason;end_date;;\r\ncontoso;T1;keep;ann;2026-03-31;\"in use, said \"\"Bo\"\"\";;;\r\n;;;;;;;;\r\n",
            // Columns moved, one added, names in capitals, cells with blanks.
            "Reason,note,DECISION,Token_ID,org,End Date,reviewer,decided_on\n\"in use, said \"\"Bo\"\"\",x, keep ,T1,contoso,,ann ,2026-03-31",
            "token_id\treviewer\tdecision\tdecided_on\treason\tend_date\torg\nT1\tann\tkeep\t2026-03-31\t\"in use, said \"\"Bo\"\"\"\t\tcontoso\n",
        ];
        for form in forms {
            let sheet = read(form.as_bytes()).expect("a sheet");
            assert_eq!(sheet.rows, plain.rows, "{form}");
            assert_eq!((sheet.faults.len(), sheet.undecided), (0, 0), "{form}");
        }
        let named = read(format!("sep=,\r\n{HEAD}\r\ncontoso,t1,keep,'=ann,2026-03-31,'+1,\r\n").as_bytes());
        let named = named.expect("a sheet");
        assert_eq!(named.rows[0].line, 3);
        assert_eq!((named.rows[0].reviewer.as_str(), named.rows[0].reason.as_str()), ("=ann", "+1"));
    }

    #[test]
    fn bad_rows_say_their_line_and_the_good_ones_are_taken() {
        let sheet = read(
            format!("{HEAD}\no,a,keep,ann,2026-03-31,x,\no,b,burn,ann,2026-03-31,x,\no,c,,,,,\no,a,revoke,ann,2026-03-31,x,\n")
                .as_bytes(),
        )
        .expect("a sheet");
        assert_eq!((sheet.rows.len(), sheet.undecided), (1, 1));
        let lines: Vec<u64> = sheet.faults.iter().map(|f| f.line).collect();
        assert_eq!(lines, [3, 5]);
        let apart = read(
            format!("{HEAD}\r\n\r\no,a,keep,ann,2026-03-31,\"two\r\nlines\",\r\n\r\no,b,burn\r\n").as_bytes(),
        );
        let apart = apart.expect("a sheet");
        assert_eq!((apart.rows[0].line, apart.faults[0].line), (3, 6));
        assert!(sheet.faults[0].reason.contains("none of keep, reduce, revoke, exception"));
        assert!(sheet.faults[1].reason.contains("line 2"));
    }

    #[test]
    fn each_rule_has_its_sentence() {
        for (line, word) in [
            ("o,a,,ann,,,", "decision is empty though reviewer"),
            ("o,,keep,ann,2026-03-31,x,", "token_id is empty"),
            ("o,a,keep,,2026-03-31,x,", "reviewer is empty"),
            ("o,a,keep,ann,,x,", "decided_on is empty"),
            ("o,a,keep,ann,2026-03-31,,", "reason is empty"),
            ("o,a,keep,ann,31.03.26,x,", "some country"),
            ("o,a,keep,ann,2026-03-31 14:30,x,", "some country"),
            ("o,a,keep,ann,03.31.2026,x,", "no day of the calendar"),
            ("o,a,keep,ann,3/31/26,x,", "some country"),
            ("o,a,keep,ann,46112,x,", "number by which"),
            ("o,a,keep,ann,2026-02-30,x,", "no day of the calendar"),
            ("o,a,keep,ann,soon,x,", "is no date"),
            ("o,a,keep,ann,26-03-31,x,", "some country"),
            ("o,a,exception,ann,2026-03-31,x,", "needs an end_date"),
            ("o,a,keep,ann,2026-03-31,x,2026-03-30", "lies before"),
        ] {
            let fault = fault(line);
            assert!(fault.starts_with("2: ") && fault.contains(word), "{line}: {fault}");
        }
        let latin = [HEAD.as_bytes(), b"\no,a,keep,J\xfcrgen,2026-03-31,x,\n"].concat();
        let sheet = read(&latin).expect("a sheet");
        assert!(sheet.faults[0].reason.contains("not UTF-8"), "{sheet:?}");
    }

    #[test]
    fn days_are_taken_as_spreadsheets_write_them_where_they_mean_one_day() {
        let plain = one("o,a,exception,ann,2026-10-31,x,2026-12-01").rows;
        assert_eq!(plain.len(), 1);
        for (on, end) in [
            ("31.10.2026", "1.12.2026"),
            ("2026-10-31 00:00", "01.12.2026 00:00"),
            ("2026-10-31T00:00:00Z", "2026-12-01 00:00:00"),
        ] {
            assert_eq!(one(&format!("o,a,exception,ann,{on},x,{end}")).rows, plain, "{on} {end}");
        }
    }

    #[test]
    fn what_is_no_sheet_is_named() {
        assert_eq!(read(b""), Err(SheetError::Empty));
        assert_eq!(read(b"\xff\xfeo\0"), Err(SheetError::Utf16));
        assert_eq!(read(b"PK\x03\x04..."), Err(SheetError::Workbook));
        assert!(matches!(read(b"a,b\n1,2\n"), Err(SheetError::Column { column: "token_id", .. })));
        let twice = format!("{HEAD},reason\n");
        assert_eq!(read(twice.as_bytes()), Err(SheetError::Twice("reason".into())));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in any::<Vec<u8>>()) {
            let _ = read(&text);
            let _ = read(&[HEAD.as_bytes(), b"\n", &text].concat());
        }
    }
}
