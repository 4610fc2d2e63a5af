//! Rows of a detection become findings.
//!
//! In: a detection and its rows. Out: findings with messages and fingerprints, each with the events that confirm it.

use super::confirm::Wanted;
use super::pack::{Detection, FINDINGS, FIXED_COLUMNS};
use super::rows::{Cell, Rows};
use super::{Engine, EngineError, EngineErrorKind, Table, TableBuilder};
use crate::model::claim::Field;
use crate::model::event_id::EventId;
use crate::model::finding::{Confidence, DetectionMeta, Family, Finding, ListEntry, Subject, SubjectKind};
use crate::model::noun::counted;
use crate::model::time::{Micros, Window, format_minute};
use rayon::prelude::*;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

/// The table `findings`: what the first pass found about tokens.
pub(super) fn table(findings: &[Finding]) -> Result<Table, EngineError> {
    let about: Vec<&Finding> = findings.iter().filter(|f| f.subject.kind == SubjectKind::Token).collect();
    let text = |get: &dyn Fn(&Finding) -> String| about.iter().map(|f| Some(get(f))).collect::<Vec<_>>();
    TableBuilder::new(FINDINGS)
        .text("org", text(&|f| f.org.clone()))
        .text("token_id", text(&|f| f.subject.id.clone()))
        .text("detection", text(&|f| f.detection.clone()))
        .text("slug", text(&|f| f.slug.clone()))
        .text("family", text(&|f| f.family.as_str().to_owned()))
        .text("severity", text(&|f| f.severity.as_str().to_owned()))
        .text("confidence", text(&|f| f.confidence.as_str().to_owned()))
        .time("first_time", about.iter().map(|f| f.first_time).collect())
        .time("last_time", about.iter().map(|f| f.last_time).collect())
        .int("n", about.iter().map(|f| i64::try_from(f.count).ok()).collect())
        .text("fingerprint", text(&|f| f.fingerprint.clone()))
        .text("event_ids", text(&|f| joined(&f.event_ids)))
        .build()
}

fn joined(ids: &[EventId]) -> String {
    let mut text = String::with_capacity(ids.len() * 37);
    for id in ids {
        let blank = if text.is_empty() { "" } else { " " };
        // Writing to a text cannot fail.
        let _ = write!(text, "{blank}{id}");
    }
    text
}

/// A state such as a long life or a wide grant holds from its beginning to the run's instant; an anomaly ends
/// with its last event.
pub(super) fn span_of_state(finding: &mut Finding, window: &Window) {
    if !matches!(finding.family, Family::Use | Family::Scope | Family::Hygiene) {
        return;
    }
    finding.first_time = finding.first_time.or(Some(window.from));
    finding.last_time = Some(window.as_of);
}

pub(super) fn sentence(error: &EngineError) -> String {
    let text = error.text.trim();
    let stop = if text.ends_with('.') { "" } else { "." };
    let hint = if error.hint.is_empty() { String::new() } else { format!(" {}", error.hint) };
    format!("{text}{stop}{hint}")
}

/// Stands in a message for the number of events that were confirmed, which no row can tell.
pub(super) const CONFIRMED: &str = "confirmed";

/// Stands in a message for what the finding gathers.
pub(super) const LIST: &str = "list";

/// Entries that a message names; the list of the finding has all.
const NAMED_ENTRIES: usize = 3;

/// What all findings of a detection say alike.
struct Alike {
    fix: Arc<str>,
    controls: Arc<[String]>,
    attack: Arc<[String]>,
}

impl Alike {
    fn of(meta: &DetectionMeta) -> Self {
        Self {
            fix: meta.fix.as_str().into(),
            controls: meta.controls.as_slice().into(),
            attack: meta.attack.as_slice().into(),
        }
    }
}

/// Names and owners of tokens, for messages, and what their claims allow.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: HashMap<(String, String), (Option<String>, Option<String>)>,
    /// By token and field, the certainty of the surest claim that holds.
    certainty: HashMap<(String, String, Field), Confidence>,
}

impl Names {
    pub(super) fn read(engine: &Engine) -> Self {
        let Ok(rows) = engine.query("SELECT org, token_id, name, owner FROM tokens") else {
            return Self::default();
        };
        let text = |row, name| rows.text(row, name).map(str::to_owned);
        let one = |row| {
            let key = (text(row, "org")?, text(row, "token_id")?);
            Some((key, (text(row, "name"), text(row, "owner"))))
        };
        let names = (0..rows.len()).filter_map(one).collect();
        Self { names, certainty: certainty(engine) }
    }

    fn of(&self, org: &str, token: &str) -> (Option<String>, Option<String>) {
        self.names.get(&(org.to_owned(), token.to_owned())).cloned().unwrap_or_default()
    }

    /// The most confidence that the claims on some fields of a token allow.
    fn bound(&self, org: &str, token: &str, fields: &[Field]) -> Confidence {
        let of = |field: &Field| self.certainty.get(&(org.to_owned(), token.to_owned(), *field)).copied();
        fields.iter().filter_map(of).min().unwrap_or(Confidence::High)
    }
}

/// By token and field, the certainty of the surest claim that holds.
fn certainty(engine: &Engine) -> HashMap<(String, String, Field), Confidence> {
    let sql = "SELECT org, token_id, field, certainty, standing FROM token_claims WHERE standing = 'holds' OR standing = 'contradicts' AND stated_in IS NOT NULL";
    let Ok(rows) = engine.query(sql) else { return HashMap::new() };
    let mut bounds: HashMap<(String, String, Field), Confidence> = HashMap::new();
    let mut contrary = Vec::new();
    for row in 0..rows.len() {
        let text = |name| rows.text(row, name);
        let (Some(org), Some(token)) = (text("org"), text("token_id")) else { continue };
        let (Some(field), Some(certainty)) = (
            text("field").and_then(|f| f.parse().ok()),
            text("certainty").and_then(|c| c.parse::<Confidence>().ok()),
        ) else {
            continue;
        };
        let key = (org.to_owned(), token.to_owned(), field);
        if text("standing") != Some("holds") {
            contrary.push(key);
            continue;
        }
        let slot = bounds.entry(key).or_insert(certainty);
        *slot = certainty.max(*slot);
    }
    // What another organisation contradicts is doubtful, however surely it was joined.
    for key in contrary {
        bounds.entry(key).and_modify(|bound| *bound = (*bound).min(Confidence::Medium));
    }
    bounds
}

/// Makes the findings of one detection; rows with one fingerprint are folded into one.
pub(super) fn of_rows(
    detection: &Detection,
    mut rows: Rows,
    names: &Names,
) -> Result<Vec<(Finding, Option<Wanted>)>, EngineError> {
    settle(detection, &mut rows);
    let rows = &rows;
    well_formed(rows)?;
    let prints: Vec<String> =
        (0..rows.len()).into_par_iter().map(|row| fingerprint(detection, rows, row)).collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.par_sort_unstable_by(|a, b| prints[*a].cmp(&prints[*b]));
    // The order of rows differs from run to run: those of one finding are put into that of their cells.
    for same in order.chunk_by_mut(|a, b| prints[*a] == prints[*b]).filter(|same| same.len() > 1) {
        same.sort_by_cached_key(|row| {
            rows.cells.iter().map(|column| column[*row].to_string()).collect::<Vec<String>>()
        });
    }
    let alike = Alike::of(&detection.meta);
    let of_one = |same: &[usize]| -> Result<(Finding, Option<Wanted>), EngineError> {
        let print = |row: &usize| prints[*row].clone();
        let list = entries(detection, rows, same);
        let (mut finding, mut wanted) =
            of_row(detection, rows, same[0], print(&same[0]), &alike, names, &list)?;
        for row in &same[1..] {
            let (other, events) = of_row(detection, rows, *row, print(row), &alike, names, &list)?;
            let is_later = fold(&mut finding, other);
            if let (Some(a), Some(mut b)) = (wanted.as_mut(), events) {
                a.fold(&b);
                if is_later {
                    a.told = std::mem::take(&mut b.told);
                }
            }
        }
        if let Some(gather) = &detection.list {
            let all: Vec<Value> = list.iter().map(|e| e.name.as_str().into()).collect();
            finding.evidence.insert(gather.column.clone(), all.into());
        }
        finding.list = list;
        Ok((finding, wanted))
    };
    let same: Vec<&[usize]> = order.chunk_by(|a, b| prints[*a] == prints[*b]).collect();
    same.into_par_iter().map(of_one).collect()
}

/// Refuses rows whose fixed columns hold what no finding can have: reading it as nothing, or as one, would be a guess.
fn well_formed(rows: &Rows) -> Result<(), EngineError> {
    let fault = |row: usize, what: String| {
        let about = match rows.get(row, "subject") {
            Cell::Null => String::new(),
            subject => format!(" about \"{subject}\""),
        };
        EngineError::new(
            EngineErrorKind::Query,
            format!("a row{about} has {what}"),
            "Fix the detection's SELECT.",
        )
    };
    for (column, cells) in rows.columns.iter().zip(&rows.cells) {
        let name = column.name.as_str();
        for (row, cell) in cells.iter().enumerate() {
            match (name, cell) {
                ("count", Cell::Null) => {
                    return Err(fault(
                        row,
                        "a count that is null; expected a whole number, 0 or more".to_owned(),
                    ));
                }
                ("count", cell) if cell.as_int().is_none_or(|n| n < 0) => {
                    return Err(fault(row, format!("the count {cell}; expected a whole number, 0 or more")));
                }
                ("first_time" | "last_time", cell) if !cell.is_null() && cell.as_time().is_none() => {
                    return Err(fault(row, format!("the {name} \"{cell}\"; expected a time or a day")));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The order of rows is not given and differs from run to run: lists that are joined are put into the order of their
/// parts, and numbers lose the digits in which sums of the same numbers differ.
fn settle(detection: &Detection, rows: &mut Rows) {
    for (column, cells) in rows.columns.iter().zip(&mut rows.cells) {
        let joined = [", ", " "].into_iter().find(|between| is_joined(&detection.sql, &column.name, between));
        for cell in cells {
            match (cell, joined) {
                (Cell::Text(text), Some(between)) => {
                    let mut parts: Vec<&str> = text.split(between).collect();
                    parts.sort_unstable();
                    parts.dedup();
                    *text = parts.join(between);
                }
                (Cell::Float(number), _) => *number = settled(*number),
                _ => {}
            }
        }
    }
}

/// Tells whether a query joins a column by `STRING_AGG`, with that text between the parts.
fn is_joined(sql: &str, column: &str, between: &str) -> bool {
    let end = format!("'{between}') AS {column}");
    sql.match_indices(&end).any(|(at, _)| {
        let is_word = sql[at + end.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let (mut depth, mut quoted) = (1, false);
        let open = sql[..at].rfind(|c: char| {
            match c {
                '\'' => quoted = !quoted,
                ')' if !quoted => depth += 1,
                '(' if !quoted => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        !is_word && open.is_some_and(|open| sql[..open].ends_with("STRING_AGG"))
    })
}

/// A number without its last two digits.
fn settled(number: f64) -> f64 {
    format!("{number:.13e}").parse().unwrap_or(number)
}

/// Joins two hits on the same thing: the later row tells the story, spans join, counts add up. Returns whether the other
/// is the later.
fn fold(first: &mut Finding, other: Finding) -> bool {
    first.count = first.count.saturating_add(other.count);
    let is_later = other.last_time > first.last_time;
    if is_later {
        first.message = other.message;
        first.evidence = other.evidence;
    }
    first.severity = first.severity.max(other.severity);
    first.confidence = first.confidence.max(other.confidence);
    first.first_time = match (first.first_time, other.first_time) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    first.last_time = first.last_time.max(other.last_time);
    first.event_ids.extend(other.event_ids);
    is_later
}

/// What the rows of one finding name in the column that its detection gathers: each once, newest first.
fn entries(detection: &Detection, rows: &Rows, same: &[usize]) -> Vec<ListEntry> {
    let Some(gather) = &detection.list else { return Vec::new() };
    let mut by_name: BTreeMap<String, ListEntry> = BTreeMap::new();
    for row in same {
        let name = match rows.get(*row, &gather.column) {
            Cell::Null => format!("{} not named", gather.noun),
            cell => cell.to_string(),
        };
        let first_time = rows.time(*row, "first_time");
        let last_time = rows.time(*row, "last_time").or(first_time);
        let count = rows.int(*row, "count").and_then(|n| u64::try_from(n).ok()).unwrap_or(1);
        let new = ListEntry { name: name.clone(), first_time, last_time, count: 0 };
        let entry = by_name.entry(name).or_insert(new);
        entry.first_time = [entry.first_time, first_time].into_iter().flatten().min();
        entry.last_time = entry.last_time.max(last_time);
        entry.count = entry.count.saturating_add(count);
    }
    let mut list: Vec<ListEntry> = by_name.into_values().collect();
    list.sort_by_key(|entry| std::cmp::Reverse(entry.first_time));
    list
}

/// A list as a message says it: "7 pipelines: a, b, c and 4 more".
fn said(list: &[ListEntry], noun: &str) -> String {
    let named: Vec<&str> = list.iter().take(NAMED_ENTRIES).map(|e| e.name.as_str()).collect();
    let more = match list.len().saturating_sub(NAMED_ENTRIES) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{}: {}{more}", counted(list.len(), noun), named.join(", "))
}

fn of_row(
    detection: &Detection,
    rows: &Rows,
    row: usize,
    fingerprint: String,
    alike: &Alike,
    names: &Names,
    list: &[ListEntry],
) -> Result<(Finding, Option<Wanted>), EngineError> {
    let meta = &detection.meta;
    let fault = |text: String| EngineError::new(EngineErrorKind::Query, text, "Mend the detection's SELECT.");
    let needed = |name: &str| match rows.get(row, name) {
        Cell::Null => Err(fault(format!("a row has no {name}"))),
        cell => Ok(cell.to_string()),
    };
    let (org, id) = (needed("org")?, needed("subject")?);
    let grade = |name: &str| rows.text(row, name).map(str::to_owned);
    let severity = grade("severity").map_or(Ok(meta.severity), |s| s.parse()).map_err(fault)?;
    let severity = detection.set_severity.unwrap_or(severity);
    let confidence = grade("confidence").map_or(Ok(meta.confidence), |s| s.parse()).map_err(fault)?;
    let token = (meta.subject == SubjectKind::Token).then_some(id.as_str());
    let token = token.or_else(|| rows.text(row, "token_id"));
    // A conclusion is at most as sure as the weakest claim that it rests on (design, section 8).
    let confidence = token.map_or(confidence, |t| confidence.min(names.bound(&org, t, &meta.rests_on)));
    let (name, owner) = token.map_or((None, None), |t| names.of(&org, t));
    let owner = rows.text(row, "owner").map(str::to_owned).or(owner);
    let subject_name = if meta.subject == SubjectKind::Token {
        name.clone()
    } else {
        rows.text(row, "subject_name").map(str::to_owned)
    };

    let mut evidence = Map::new();
    for (column, cells) in rows.columns.iter().zip(&rows.cells) {
        if !FIXED_COLUMNS.contains(&column.name.as_str()) {
            evidence.insert(column.name.clone(), cells[row].to_json());
        }
    }
    let listed_words = detection.list.as_ref().map(|gather| said(list, &gather.noun));
    let place = |column: &str| match (rows.get(row, column), column) {
        (_, LIST) if listed_words.is_some() => listed_words.clone(),
        (Cell::Null, "name") => name.clone(),
        (Cell::Null, "owner") => owner.clone(),
        (Cell::Null, _) => None,
        (Cell::Bool(b), _) => Some(if *b { "yes" } else { "no" }.to_owned()),
        // People read minutes; the evidence has the exact instant.
        (Cell::Time(time), _) => Some(format_minute(*time)),
        (cell, _) => Some(cell.to_string()),
    };
    let first_time = rows.time(row, "first_time");
    let last_time = rows.time(row, "last_time").or(first_time);
    let mut listed = BTreeSet::new();
    let event_ids = rows
        .text(row, "event_ids")
        .into_iter()
        .chain(rows.text(row, "event_id"))
        .flat_map(str::split_whitespace)
        .filter(|id| listed.insert(*id))
        .map(EventId::from)
        .collect();
    let number = format!("{{{CONFIRMED}}}");
    let told: Vec<String> = match meta.message.contains(&number) {
        true => meta.message.split(&number).map(|part| fill(part, place)).collect(),
        false => Vec::new(),
    };
    let wanted = detection.confirm.as_ref().zip(token).map(|(columns, token)| Wanted {
        org: org.clone(),
        token_id: token.to_owned(),
        from: first_time.unwrap_or(Micros::MIN),
        to: last_time.unwrap_or(Micros::MAX),
        matches: columns
            .iter()
            .map(|c| (c.clone(), rows.text(row, c).map(str::to_owned).into_iter().collect::<BTreeSet<_>>()))
            .filter(|(_, values)| !values.is_empty())
            .collect(),
        told,
    });
    let message = fill(&meta.message, place);
    let finding = Finding {
        fingerprint,
        detection: meta.id.clone(),
        slug: meta.slug.clone(),
        family: meta.family,
        severity,
        confidence,
        subject: Subject { kind: meta.subject, id, name: subject_name },
        owner,
        first_time,
        last_time,
        count: rows.int(row, "count").and_then(|n| u64::try_from(n).ok()).unwrap_or(1),
        message,
        evidence,
        event_ids,
        fix: Arc::clone(&alike.fix),
        controls: Arc::clone(&alike.controls),
        attack: Arc::clone(&alike.attack),
        suppressed: None,
        claims: Vec::new(),
        list: Vec::new(),
        org,
    };
    Ok((finding, wanted))
}

fn fingerprint(detection: &Detection, rows: &Rows, row: usize) -> String {
    let mut hash = Sha256::new();
    // A length before each part keeps ("ab", "c") apart from ("a", "bc").
    let mut part = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text.as_bytes());
    };
    part(&rows.get(row, "org").to_string());
    part(&detection.meta.id);
    part(&rows.get(row, "subject").to_string());
    for key in &detection.meta.keys {
        part(&rows.get(row, key).to_string());
    }
    let mut hex = format!("{:x}", hash.finalize());
    hex.truncate(32);
    hex
}

/// Fills the `{places}` of a message; what is not known reads "unknown".
fn fill(message: &str, place: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(message.len() + 64);
    let mut rest = message;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        let value = place(name).unwrap_or_else(|| "unknown".to_owned());
        let (said, tail) = match one(tail) {
            Some((one, tail)) if value == "1" => (one, tail),
            _ => (value.as_str(), tail),
        };
        out.push_str(said);
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// How one of what follows a number is said, and the text after it.
fn one(tail: &str) -> Option<(&'static str, &str)> {
    const SAID: [(&str, &str); 7] = [
        (" times", "once"),
        (" tokens", "1 token"),
        (" others", "1 other"),
        (" organisations", "1 organisation"),
        (" events", "1 event"),
        (" days", "1 day"),
        (" projects", "1 project"),
    ];
    SAID.into_iter().find_map(|(many, one)| Some((one, tail.strip_prefix(many)?)))
}

/// The names of the places of a message.
pub(super) fn places(message: &str) -> Vec<&str> {
    message.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::rows::Column;
    use super::super::schema::Kind;
    use super::*;

    fn refused(columns: &[(&str, Kind, Cell)]) -> String {
        let mut rows = Rows::default();
        for (name, kind, cell) in columns {
            rows.columns.push(Column { name: (*name).to_owned(), kind: *kind });
            rows.cells.push(vec![cell.clone()]);
        }
        well_formed(&rows).err().map(|error| error.text).unwrap_or_default()
    }

    #[test]
    fn a_count_is_a_whole_number_and_a_time_is_a_time() {
        let subject = || ("subject", Kind::Text, Cell::Text("t1".to_owned()));
        for (kind, cell, said) in [
            (Kind::Int, Cell::Null, "about \"t1\" has a count that is null"),
            (Kind::Int, Cell::Int(-1), "about \"t1\" has the count -1"),
            (Kind::Float, Cell::Float(1.5), "the count 1.50"),
            (Kind::Float, Cell::Float(f64::NAN), "the count NaN"),
            (Kind::Text, Cell::Text("many".to_owned()), "the count many"),
        ] {
            let text = refused(&[subject(), ("count", kind, cell)]);
            assert!(text.contains(said), "{text}");
        }
        for cell in [Cell::Int(0), Cell::Int(7), Cell::Float(3.0)] {
            assert_eq!(refused(&[subject(), ("count", Kind::Int, cell)]), "");
        }
        let text = refused(&[subject(), ("last_time", Kind::Text, Cell::Text("2026-01-01".to_owned()))]);
        assert!(text.contains("the last_time \"2026-01-01\""), "{text}");
        assert_eq!(
            refused(&[
                subject(),
                ("first_time", Kind::Time, Cell::Null),
                ("last_time", Kind::Date, Cell::Date(1))
            ]),
            ""
        );
    }

    #[test]
    fn lists_are_those_that_string_agg_joins() {
        let sql = "SELECT STRING_AGG(CONCAT(a, ' (', b), ', ') AS what, STRING_AGG(id, ' ') AS event_ids, REPLACE(c, '_', ' ') AS title";
        assert!(is_joined(sql, "what", ", ") && is_joined(sql, "event_ids", " "));
        assert!(
            !is_joined(sql, "title", " ") && !is_joined(sql, "event_id", " ") && !is_joined(sql, "what", " ")
        );
    }

    #[test]
    fn sums_in_any_order_settle_to_one_number() {
        let parts = [0.1, 0.7, 3.912_023_005_428_146, 1e-9, 2.5, 0.3];
        let forth = settled(parts.iter().sum());
        let back = settled(parts.iter().rev().sum());
        assert_eq!(forth.to_string(), back.to_string());
        assert_eq!(settled(0.25).to_string(), "0.25");
        assert!(settled(f64::NAN).is_nan());
    }

    #[test]
    fn fills_messages() {
        let place = |name: &str| (name == "a").then(|| "1".to_owned());
        assert_eq!(fill("{a} of {b} {", place), "1 of unknown {");
        assert_eq!(places("{a} of {b} {"), ["a", "b"]);
        assert_eq!(
            fill("used {a} times, {a} tokens, {a} tokenised", place),
            "used once, 1 token, 1 tokenised"
        );
        assert_eq!(fill("{b} times", place), "unknown times");
    }
}
