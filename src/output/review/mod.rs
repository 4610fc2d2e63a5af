//! `review.csv`: the access review, one row a token, the columns for the decision next to its name.
//!
//! In: a [`Report`] and which of its tokens to write. Out: CSV that goes through a spreadsheet and back; the columns of the
//! decision come empty. [`read`] takes it back.

pub mod read;
pub mod revoke;

use super::csv::{self, Cell};
use super::{Result, words};
use crate::model::decision::Fixed;
use crate::model::noun::counted;
use crate::model::time::{Micros, day_of, day_text};
use crate::model::token::{OwnerState, Token};
use crate::report::{Report, TokenReport};
use std::io;

/// Columns with their meaning. Those that say what the token was are read back with the decision, by name and in any order.
pub const COLUMNS: &[(&str, &str)] = &[
    ("org", "organisation"),
    ("owner", "UPN, else name, else storage key"),
    ("name", "display name"),
    ("decision", "keep, reduce, revoke or exception"),
    ("reviewer", "who decides"),
    ("decided_on", "YYYY-MM-DD"),
    ("reason", "why"),
    ("end_date", "until when the decision holds, YYYY-MM-DD"),
    ("advice", "what patwatch would do, why, and the facts to know first"),
    ("risk", "0 to 100"),
    ("scopes", "granted scopes"),
    ("reduced_scopes", "proposal to confirm with the owner"),
    ("proposed_scopes", "safe proposal"),
    ("all_orgs", "whether it reaches all organisations: yes, no or unknown"),
    (
        "administrator",
        "whether the owner is in an administrator group: yes or unknown; no list of members says no",
    ),
    ("projects", "of its events in the window, most events first"),
    ("client", "of its events in the window, most events first"),
    ("last_audited_change", "day of the last audited event that the lake contains"),
    ("use", "what the log says on its use, in words"),
    ("covered_days", "whole days without a gap inside window and life"),
    ("owner_state", "active, disabled, removed or unknown"),
    ("state", "active, expired, revoked or unknown"),
    ("valid_from", "day of creation"),
    ("valid_to", "end date"),
    ("findings", "detections that hit, with severity"),
    ("last_decision", "the newest one before this review, and whether it still holds"),
    ("token_id", "authorizationId"),
    ("as_of", "the instant of this sheet"),
    ("state_mark", "mark of the state that is decided on; when the token changes, the decision ends"),
];

/// Columns that make up a decision.
pub const DECISION: [&str; 5] = ["decision", "reviewer", "decided_on", "reason", "end_date"];

/// Most projects or clients of one token that a cell lists.
const MAX_LISTED: usize = 5;

/// Which tokens a sheet has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Also tokens that have expired or were revoked.
    pub all: bool,
    /// Only tokens of owners whose name, user name or id contains this text, in any case.
    pub owner: Option<String>,
}

/// Returns the tokens of a sheet by owner, those without one last, then by risk, highest first.
#[must_use]
pub fn chosen<'a>(report: &'a Report, choice: &Choice) -> Vec<&'a TokenReport> {
    let wanted = choice.owner.as_deref().map(|text| text.trim().to_lowercase());
    let is_wanted = |token: &Token| {
        let Some(wanted) = wanted.as_deref() else { return true };
        let names = token.owner.iter().chain(&token.owner_id).chain(&token.owner_facts.aliases);
        names.into_iter().any(|name| name.to_lowercase().contains(wanted))
    };
    let mut rows: Vec<(String, &TokenReport)> = report
        .tokens
        .iter()
        .filter(|t| (choice.all || !t.token.is_over()) && is_wanted(&t.token))
        .map(|t| (t.token.owner.as_deref().unwrap_or_default().to_lowercase(), t))
        .collect();
    // The report's own order, by organisation and id, decides among equals.
    rows.sort_by(|(a_owner, a), (b_owner, b)| {
        (a_owner.is_empty(), a_owner)
            .cmp(&(b_owner.is_empty(), b_owner))
            .then_with(|| b.verdicts.risk.total_cmp(&a.verdicts.risk))
    });
    rows.into_iter().map(|(_, t)| t).collect()
}

/// Writes the sheet, with the mark at its beginning by which Excel knows UTF-8.
///
/// # Errors
/// Those of the writer.
pub fn write(report: &Report, choice: &Choice, to: &mut dyn io::Write) -> Result {
    let by_print: std::collections::HashMap<&str, String> = report
        .findings
        .iter()
        .map(|f| (f.fingerprint.as_str(), format!("{} {} ({})", f.detection, f.slug, f.severity)))
        .collect();
    let row = |t: &TokenReport| {
        let (token, v) = (&t.token, &t.verdicts);
        let text = |t: &str| Cell::Text(t.to_owned());
        let findings = t.findings.iter().filter_map(|f| by_print.get(f.as_str()).cloned()).collect();
        let mut row =
            vec![text(&token.org), Cell::maybe(token.owner.as_deref()), Cell::maybe(token.name.as_deref())];
        row.resize(row.len() + DECISION.len(), Cell::Empty);
        row.extend([
            Cell::Text(advice(t)),
            Cell::Number(v.risk),
            Cell::maybe_list(token.scopes.as_ref()),
            Cell::maybe_list(v.reduced_scopes.as_ref()),
            Cell::maybe_list(v.proposed_scopes.as_ref()),
            text(known(token.all_orgs)),
            text(known((!token.owner_facts.admin_of.is_empty()).then_some(true))),
            listed(&t.activity.projects),
            listed(&t.activity.clients),
            day(v.usage.last_observed_ever),
            text(words::use_words(v.usage.verdict)),
            Cell::Whole(v.usage.covered_days.into()),
            text(token.owner_state.as_str()),
            text(token.state.as_str()),
            day(token.valid_from),
            day(token.valid_to),
            Cell::List(findings),
            t.decision.as_ref().map_or(Cell::Empty, |d| Cell::Text(words::decision_words(d))),
            text(&token.token_id),
            Cell::time(Some(report.as_of)),
            Cell::Text(Fixed::of(token).mark(&token.token_id)),
        ]);
        row
    };
    to.write_all(BYTE_ORDER_MARK)?;
    csv::write(COLUMNS.iter().map(|(name, _)| *name), chosen(report, choice).into_iter().map(row), to)
}

/// Without it Excel reads UTF-8 as the code page of the country.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One line: advice, its reason, and what a reviewer should know before anything else.
fn advice(t: &TokenReport) -> String {
    let (token, advice) = (&t.token, &t.verdicts.advice);
    let mut facts = Vec::new();
    if matches!(token.owner_state, OwnerState::Disabled | OwnerState::Removed) {
        let since =
            token.owner_gone_at.map(|at| format!(" since {}", day_text(day_of(at)))).unwrap_or_default();
        facts.push(format!("owner {}{since}", token.owner_state));
    }
    if token.is_full_access() {
        facts.push("full access".to_owned());
    }
    facts.push(match t.verdicts.usage.last_observed_ever {
        Some(at) => format!("last audited event {}", day_text(day_of(at))),
        None => words::last_change(t),
    });
    if !t.findings.is_empty() {
        facts.push(counted(t.findings.len(), "finding"));
    }
    let reason = advice.reason.split_whitespace().collect::<Vec<_>>().join(" ");
    let start =
        if reason.is_empty() { advice.action.to_string() } else { format!("{}: {reason}", advice.action) };
    format!("{} ({})", start.trim_end_matches('.'), facts.join("; "))
}

const fn known(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    }
}

fn day(time: Option<Micros>) -> Cell {
    time.map_or(Cell::Empty, |t| Cell::Text(day_text(day_of(t))))
}

fn listed(names: &[(String, u64)]) -> Cell {
    let mut list: Vec<String> = names.iter().take(MAX_LISTED).map(|(name, _)| name.clone()).collect();
    if names.len() > MAX_LISTED {
        list.push(format!("{} more", names.len() - MAX_LISTED));
    }
    Cell::List(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::token::TokenState;

    fn rows(report: &Report, choice: &Choice) -> Vec<std::collections::BTreeMap<String, String>> {
        let mut out = Vec::new();
        write(report, choice, &mut out).expect("memory");
        let out = out.strip_prefix(BYTE_ORDER_MARK).expect("a byte order mark");
        let mut reader = ::csv::Reader::from_reader(out);
        let head = reader.headers().expect("a head").clone();
        assert_eq!(head.len(), COLUMNS.len());
        let cells = |r: ::csv::StringRecord| {
            head.iter().map(str::to_owned).zip(r.iter().map(str::to_owned)).collect()
        };
        reader.records().map(|r| cells(r.expect("a record"))).collect()
    }

    #[test]
    fn one_row_a_token_by_owner_and_risk_with_empty_decisions() {
        let report = crate::output::sample::report();
        let rows = rows(&report, &Choice { all: true, owner: None });
        assert_eq!(rows.len(), report.tokens.len());
        for row in &rows {
            let token = report
                .tokens
                .iter()
                .find(|t| t.token.token_id == row["token_id"] && t.token.org == row["org"]);
            let token = &token.expect("the token").token;
            assert_eq!(csv::original(&row["name"]), csv::visible(token.name.as_deref().unwrap_or_default()));
            assert!(DECISION.iter().all(|column| row[*column].is_empty()));
            assert!(!row["advice"].contains('\n') && row["valid_from"].len() <= 10, "{row:?}");
            let expected = match token.all_orgs {
                Some(true) => "yes",
                Some(false) => "no",
                None => "unknown",
            };
            assert_eq!(row["all_orgs"], expected);
        }
        let order: Vec<(bool, String, i64)> = rows
            .iter()
            .map(|r| {
                let risk: f64 = r["risk"].parse().expect("a number");
                (r["owner"].is_empty(), r["owner"].to_lowercase(), -(risk * 1000.0) as i64)
            })
            .collect();
        assert!(order.is_sorted(), "{order:?}");
        let head: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        let at = head.iter().position(|name| *name == "name").expect("a column");
        assert_eq!(head[at + 1..at + 6], DECISION);
    }

    #[test]
    fn tokens_in_force_unless_all_are_asked_for_and_of_one_owner() {
        let mut report = crate::output::sample::report();
        for t in &mut report.tokens {
            t.token.state = TokenState::Active;
        }
        report.tokens[0].token.state = TokenState::Revoked;
        report.tokens[1].token.owner = Some("Zoë@Contoso.example".into());
        report.tokens[1].token.owner_facts.aliases = vec!["zoe-before@contoso.example".into()];
        let all = report.tokens.len();
        assert_eq!(rows(&report, &Choice::default()).len(), all - 1);
        assert_eq!(rows(&report, &Choice { all: true, owner: None }).len(), all);
        for text in ["zoë@", " ZOË ", "zoe-before"] {
            let of = rows(&report, &Choice { all: false, owner: Some(text.into()) });
            assert_eq!(
                (of.len(), of[0]["token_id"].as_str()),
                (1, report.tokens[1].token.token_id.as_str()),
                "{text}"
            );
        }
        assert!(rows(&report, &Choice { all: true, owner: Some("nobody-by-that-name".into()) }).is_empty());
    }

    #[test]
    fn a_sheet_of_an_earlier_version_and_one_of_this_come_back_alike() {
        let report = crate::output::sample::report();
        let token = &report.tokens[0].token;
        let mark = Fixed::of(token).mark(&token.token_id);
        let mut out = Vec::new();
        write(&report, &Choice { all: true, owner: None }, &mut out).expect("memory");
        assert_eq!(read::read(&out).expect("a sheet").undecided, report.tokens.len() as u64);
        let scopes = token.scopes.as_ref().map(|s| s.join("; ")).unwrap_or_default();
        let older = format!(
            "org,token_id,name,scopes,as_of,state_mark,decision,reviewer,decided_on,reason,end_date\n{},{},x,{scopes},2026-03-31T05:00:00Z,{mark},keep,ann,2026-03-31,ok,\n",
            token.org, token.token_id
        );
        let newer = format!(
            "\u{feff}org,owner,name,decision,reviewer,decided_on,reason,end_date,scopes,token_id,as_of,state_mark\n{},o,x,keep,ann,31.03.2026,ok,,{scopes},{},2026-03-31T05:00:00Z,{mark}\n",
            token.org, token.token_id
        );
        let (older, newer) = (read::read(older.as_bytes()), read::read(newer.as_bytes()));
        assert_eq!(older, newer);
        assert_eq!(older.expect("a sheet").rows.len(), 1);
        // What the reviewer had in front of them comes back with the decision.
        let mut reader = ::csv::Reader::from_reader(out.as_slice());
        let head = reader.headers().expect("a head").clone();
        let at = |name: &str| head.iter().position(|h| h == name).expect("a column");
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(&head).expect("memory");
        for row in reader.records() {
            let mut cells: Vec<String> = row.expect("a row").iter().map(str::to_owned).collect();
            for (name, cell) in DECISION.iter().zip(["revoke", "ann", "2026-03-31", "why not", ""]) {
                cells[at(name)] = cell.to_owned();
            }
            writer.write_record(&cells).expect("memory");
        }
        let back = read::read(&writer.into_inner().expect("memory")).expect("a sheet");
        let listed = back.rows.iter().map(|r| r.detections.as_deref().expect("listed"));
        let number: usize =
            listed.map(|ids| ids.split(' ').filter(|id| id.starts_with("PAT-")).count()).sum();
        assert_eq!(number, report.tokens.iter().map(|t| t.findings.len()).sum::<usize>());
        assert!(number > 0);
    }
}
