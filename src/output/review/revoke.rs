//! Bodies for Microsoft's revocation call, `POST .../{organisation}/_apis/tokenadmin/revocations`.
//!
//! In: a [`Report`]. Out: JSON arrays of `{authorizationId}`, one organisation and at most 990 ids each, and
//! CSV that says for every token why it is in them or was left out. A token is in them by a reviewer's
//! decision, or by the advice `revoke`, which is given only for leaked, owner gone, ruled-out and
//! revoked-but-used tokens.

use super::super::csv::{self, Cell};
use super::super::{Result, words};
use crate::model::decision::Choice;
use crate::model::identity::is_guid;
use crate::model::verdict::Action;
use crate::report::review::Status;
use crate::report::{Report, TokenReport};
use serde_json::json;

/// Ids in one body: what Microsoft's own script sends at most.
pub const MOST: usize = 990;

/// One token of the list, or one left out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Organisation.
    pub org: String,
    /// The token.
    pub token_id: String,
    /// Its name, else its id.
    pub label: String,
    /// Its owner.
    pub owner: String,
    /// Why it is here.
    pub why: String,
}

/// Tokens to revoke, and those that cannot be named to the service or are gone already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevokeList {
    /// In the bodies.
    pub listed: Vec<Entry>,
    /// Not in them.
    pub left_out: Vec<Entry>,
}

/// One body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// File name.
    pub file: String,
    /// Organisation whose service it is for.
    pub org: String,
    /// Tokens in it.
    pub tokens: usize,
    /// The JSON.
    pub bytes: Vec<u8>,
}

/// Collects the tokens to revoke.
#[must_use]
pub fn collect(report: &Report) -> RevokeList {
    let mut list = RevokeList::default();
    let entry = |t: &TokenReport, why: String| Entry {
        org: t.token.org.clone(),
        token_id: t.token.token_id.clone(),
        label: words::token_label(t).to_owned(),
        owner: t.token.owner.clone().unwrap_or_default(),
        why,
    };
    for token in &report.tokens {
        let decided = token.decision.as_ref().filter(|s| s.decision.choice == Choice::Revoke);
        let why = match (decided, token.verdicts.advice.action) {
            (Some(s), _) => format!("decision: {}", words::decision_words(s)),
            (None, Action::Revoke) => format!("advice: {}", token.verdicts.advice.reason),
            (None, _) => continue,
        };
        let gone = decided.filter(|s| s.status == Status::Done).map(|s| s.note.clone());
        // Used after a revoke: revoking once more is harmless, and the advice asks for it.
        let gone = gone.filter(|_| token.verdicts.advice.action != Action::Revoke);
        if let Some(note) = gone {
            list.left_out.push(entry(token, format!("nothing is left to revoke: {note}")));
        } else if is_guid(&token.token.token_id) {
            list.listed.push(entry(token, why));
        } else {
            let reason = "only a part of its id is known, and the service takes whole ones: import the organisation's PAT list";
            list.left_out.push(entry(token, reason.to_owned()));
        }
    }
    for d in report.decisions_elsewhere.iter().filter(|d| d.choice == Choice::Revoke) {
        list.left_out.push(Entry {
            org: d.org.clone(),
            token_id: d.token_id.clone(),
            label: d.token_id.clone(),
            owner: String::new(),
            why: "a reviewer decided to revoke it, but this run neither lists nor sees it any more"
                .to_owned(),
        });
    }
    list
}

/// Returns the bodies, organisation by organisation.
///
/// # Errors
/// Those of JSON.
pub fn bodies(list: &RevokeList) -> Result<Vec<Body>> {
    let mut orgs: Vec<&str> = list.listed.iter().map(|e| e.org.as_str()).collect();
    orgs.sort_unstable();
    orgs.dedup();
    let mut bodies = Vec::new();
    for org in orgs {
        let ids: Vec<&str> =
            list.listed.iter().filter(|e| e.org == org).map(|e| e.token_id.as_str()).collect();
        for (i, part) in ids.chunks(MOST).enumerate() {
            let value: Vec<_> = part.iter().map(|id| json!({ "authorizationId": id })).collect();
            let mut bytes = serde_json::to_vec_pretty(&value)?;
            bytes.push(b'\n');
            bodies.push(Body {
                file: format!("revocations-{}-{:03}.json", segment(org), i + 1),
                org: org.to_owned(),
                tokens: part.len(),
                bytes,
            });
        }
    }
    Ok(bodies)
}

/// Returns a name that is one path segment on every system, and another for every organisation.
fn segment(org: &str) -> String {
    let safe: String =
        org.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' }).collect();
    if safe == org {
        return safe;
    }
    let mark = crate::model::hash::sha256(org.as_bytes());
    format!("{safe}-{}", &mark[..6])
}

/// Returns the CSV of entries.
///
/// # Errors
/// Those of the writer.
pub fn table(entries: &[Entry]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let rows = entries
        .iter()
        .map(|e| [&e.org, &e.token_id, &e.label, &e.owner, &e.why].map(|t| Cell::Text(t.clone())).to_vec());
    csv::write(["org", "token_id", "name", "owner", "why"], rows, &mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::verdict::Advice;

    fn report(n: usize) -> Report {
        let mut report = crate::output::sample::report();
        crate::output::sample::grow(&mut report, n);
        for t in &mut report.tokens {
            t.verdicts.advice = Advice::new(Action::AskOwner, "");
            t.decision = None;
        }
        report
    }

    #[test]
    fn only_decided_or_advised_tokens_with_whole_ids_are_listed() {
        let mut report = report(8);
        assert_eq!(collect(&report), RevokeList::default());
        let revoke = Advice::new(Action::Revoke, "It was found in a public place.");
        report.tokens[1].verdicts.advice = revoke.clone();
        report.tokens[2].verdicts.advice = revoke;
        report.tokens[2].token.token_id = "a7c10002-0000-4000".into();
        let list = collect(&report);
        assert_eq!(list.listed.len(), 1);
        assert!(list.listed[0].why.contains("public place"));
        assert_eq!(list.left_out.len(), 1);
        assert!(list.left_out[0].why.contains("part of its id"), "{list:?}");
        let body = &bodies(&list).expect("JSON")[0];
        let value: serde_json::Value = serde_json::from_slice(&body.bytes).expect("JSON");
        assert_eq!(value, json!([{ "authorizationId": report.tokens[1].token.token_id }]));
    }

    #[test]
    fn a_body_holds_990_ids_of_one_organisation() {
        let mut report = report(1_500);
        for (i, t) in report.tokens.iter_mut().enumerate() {
            t.token.org = if i < 1_000 { "a".into() } else { "b c".into() };
            t.token.token_id = format!("a7c10000-0000-4000-8000-{i:012x}");
            t.verdicts.advice.action = Action::Revoke;
        }
        let bodies = bodies(&collect(&report)).expect("JSON");
        let sizes: Vec<(&str, usize)> = bodies.iter().map(|b| (b.org.as_str(), b.tokens)).collect();
        assert_eq!(sizes, [("a", 990), ("a", 10), ("b c", 500)]);
        assert_eq!(bodies[1].file, "revocations-a-002.json");
        assert!(bodies[2].file.starts_with("revocations-b-c-"));
    }
}
