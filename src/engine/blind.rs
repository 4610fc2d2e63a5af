//! Detections that cannot match, since the fields they read never occur in an organisation.
//!
//! In: the `needs` of a pack's heads and the table `notable`. Out: one row a detection and organisation in which at
//! least [`MIN_EVENTS`] events of its actions occur and none has a field that it needs. Such a detection is silent for
//! want of data, and says nothing of the organisation.

use super::pack::{Detection, Needs};
use super::{Engine, EngineError};
use crate::model::finding::Blind;
use std::collections::BTreeMap;

/// An action with its events, and for each field those that have it.
type OfAction<'a> = (&'a str, i64, Vec<i64>);

/// Fewer events may lack a field by chance.
const MIN_EVENTS: i64 = 20;

/// Finds where each of the detections is blind, by detection and organisation.
///
/// # Errors
/// When `notable` cannot be read.
pub fn find(engine: &Engine, detections: &[&Detection]) -> Result<Vec<Blind>, EngineError> {
    let wanting: Vec<(&Detection, &Needs)> =
        detections.iter().filter_map(|d| Some((*d, d.needs.as_ref()?))).collect();
    let mut fields: Vec<&str> = wanting.iter().flat_map(|(_, n)| &n.fields).map(String::as_str).collect();
    fields.sort_unstable();
    fields.dedup();
    if fields.is_empty() {
        return Ok(Vec::new());
    }
    let rows = engine.query(&counts(&fields))?;
    let mut found: BTreeMap<&str, Vec<OfAction<'_>>> = BTreeMap::new();
    for row in 0..rows.len() {
        let (Some(org), Some(action)) = (rows.text(row, "org"), rows.text(row, "action")) else { continue };
        let with = (0..fields.len()).map(|i| rows.int(row, &format!("f{i}")).unwrap_or_default()).collect();
        found.entry(org).or_default().push((action, rows.int(row, "n").unwrap_or_default(), with));
    }
    let mut blind = Vec::new();
    for (detection, needs) in wanting {
        for (org, actions) in &found {
            let of_it: Vec<_> = actions.iter().filter(|(action, ..)| needs.covers(action)).collect();
            let events: i64 = of_it.iter().map(|(_, n, _)| n).sum();
            let lacks = |field: &&String| {
                let at = fields.iter().position(|f| f == field);
                at.is_some_and(|at| of_it.iter().all(|(_, _, with)| with[at] == 0))
            };
            let lacking: Vec<String> = needs.fields.iter().filter(lacks).cloned().collect();
            if events >= MIN_EVENTS && !lacking.is_empty() {
                blind.push(Blind {
                    org: (*org).to_owned(),
                    detection: detection.meta.id.clone(),
                    fields: lacking,
                    events: u64::try_from(events).unwrap_or_default(),
                });
            }
        }
    }
    blind.sort();
    Ok(blind)
}

/// The query that counts the events with each field; a field may name columns that stand for each other.
fn counts(fields: &[&str]) -> String {
    let has = |(i, field): (usize, &&str)| {
        let columns: Vec<String> = field.split('|').map(|c| format!("{c} IS NOT NULL")).collect();
        format!("SUM(CASE WHEN {} THEN 1 ELSE 0 END) AS f{i}", columns.join(" OR "))
    };
    let columns: Vec<String> = fields.iter().enumerate().map(has).collect();
    format!("SELECT org, action, COUNT(*) AS n, {} FROM notable GROUP BY org, action", columns.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::engine_of;
    use super::super::pack::Pack;
    use super::*;
    use serde_json::{Value, json};

    fn blind(events: &[Value], id: &str) -> Vec<Blind> {
        let engine = engine_of(&json!({"tables": {"notable": events}}));
        let pack = Pack::builtin().expect("pack");
        find(&engine, &[pack.get(id).expect("detection")]).expect("query")
    }

    fn change(org: &str, n: usize, variables: bool) -> Value {
        let mut event = json!({"org": org, "event_id": format!("{org}{n}"), "time": "2026-03-01T09:00:00Z",
            "date": "2026-03-01", "action": "Library.VariableGroupModified", "d_variable_group_id": "7"});
        if variables {
            event["d_variables"] = json!("[]");
        }
        event
    }

    #[test]
    fn a_field_that_never_occurs_in_enough_events_blinds() {
        let mut events: Vec<Value> = (0..20).map(|n| change("contoso", n, false)).collect();
        events.extend((0..19).map(|n| change("few", n, false)));
        events.extend((0..30).map(|n| change("seen", n, n == 7)));
        let found = blind(&events, "PAT-P014");
        let expected = Blind {
            org: "contoso".into(),
            detection: "PAT-P014".into(),
            fields: vec!["d_variables".into()],
            events: 20,
        };
        assert_eq!(found, [expected]);
        assert_eq!(blind(&events, "PAT-P029").len(), 1);
        assert_eq!(blind(&events, "PAT-P016"), [], "it needs no field of the data");
    }

    #[test]
    fn one_of_several_columns_is_enough() {
        let add = |n: usize, named: bool| {
            let (name, text) =
                if named { ("d_group_name", "[a]\\b") } else { ("details", "added to [a]\\b") };
            json!({"org": "contoso", "event_id": format!("e{n}"), "time": "2026-03-01T09:00:00Z",
                "date": "2026-03-01", "action": "Group.UpdateGroupMembership.Add", (name): text})
        };
        assert_eq!(blind(&(0..25).map(|n| add(n, false)).collect::<Vec<_>>(), "PAT-P010"), []);
        assert_eq!(blind(&(0..25).map(|n| add(n, true)).collect::<Vec<_>>(), "PAT-P010"), []);
    }
}
