//! Ids that stay: those of tokens and of events.
//!
//! In: a report. Out: its token and event ids. They are random numbers that mean something only to who holds the log.
//! Every other GUID is a person, a project or a thing of the organisation, and is replaced wherever it is written.

use crate::model::identity::{ZERO_GUID, is_guid};
use crate::report::Report;
use serde_json::Value;
use std::collections::HashSet;

/// Returns the ids that stay, in lower case.
pub(super) fn ids_that_stay(r: &Report) -> HashSet<String> {
    let mut ids = HashSet::from([ZERO_GUID.to_owned()]);
    let mut keep = |id: &str| {
        if is_guid(id) {
            ids.insert(id.to_ascii_lowercase());
        }
    };
    for t in &r.tokens {
        keep(&t.token.token_id);
        t.token.life.iter().for_each(|l| keep(&l.event_id));
        t.token.claims.iter().filter_map(|c| c.event_id.as_deref()).for_each(&mut keep);
        t.lineage.generations.iter().for_each(|g| keep(&g.token_id));
        let scopes = t.verdicts.scope.iter().flat_map(|s| &s.event_ids);
        t.verdicts.usage.event_ids.iter().chain(scopes).for_each(|id| keep(id));
    }
    r.unattributed.iter().flat_map(|u| &u.candidates).for_each(|id| keep(id));
    r.decisions_elsewhere.iter().for_each(|d| keep(&d.token_id));
    for f in &r.findings {
        if f.subject.kind == crate::model::finding::SubjectKind::Token {
            keep(&f.subject.id);
        }
        let mut room = [0; 36];
        f.event_ids.iter().for_each(|id| keep(id.text(&mut room)));
        // Evidence names events and other tokens by its columns, such as `created_event` and `event_ids`.
        for (column, value) in &f.evidence {
            if column.contains("event") || column.ends_with("token_id") || column.ends_with("token_ids") {
                each_word(value, &mut keep);
            }
        }
    }
    if let Some(c) = &r.comparison {
        c.tokens.iter().for_each(|t| keep(&t.token_id));
        c.findings.iter().filter(|f| f.subject.0 == "token").for_each(|f| keep(&f.subject.1));
    }
    ids
}

fn each_word(value: &Value, keep: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => text.split([' ', ',', ';']).for_each(keep),
        Value::Array(items) => items.iter().for_each(|item| each_word(item, keep)),
        _ => {}
    }
}
