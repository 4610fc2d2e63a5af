//! A dossier as JSON: the token as in `tokens.json`, its findings as in `findings.json`, its life and activity.

use super::Dossier;
use crate::model::time::{day_text, format_time};
use crate::output::json::{SCHEMA_VERSION, finding, not_run, token};
use crate::output::{Format, Result, Style, exact};
use serde_json::{Value, json};
use std::io;

/// `--format json`.
#[derive(Debug)]
pub struct Json;

impl<'a> Format<Dossier<'a>> for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn write(&self, dossier: &Dossier<'a>, _: Style, to: &mut dyn io::Write) -> Result {
        let Dossier { report, token: t } = *dossier;
        let findings: Vec<_> =
            report.findings.iter().filter(|f| t.findings.contains(&f.fingerprint)).map(finding).collect();
        let value = json!({
            "schema_version": SCHEMA_VERSION,
            "as_of": format_time(report.as_of),
            "token": token(t),
            "findings": findings,
            "not_run": report.not_run.iter().map(not_run).collect::<Vec<_>>(),
            "life": life(t),
            "grants": t.token.grants.iter().map(|g| json!({
                "since": format_time(g.since), "scopes": g.scopes, "valid_to": g.valid_to.map(format_time), "listed": g.listed,
            })).collect::<Vec<_>>(),
            "update": {
                "proposed": update(t, t.verdicts.proposed_scopes.as_ref()),
                "reduced": update(t, t.verdicts.reduced_scopes.as_ref()),
            },
            "activity": activity(t),
        });
        exact::write_pretty(&value, to)?;
        writeln!(to)?;
        Ok(())
    }
}

/// Returns a proposal ready to paste; null where there is none.
fn update(t: &crate::report::TokenReport, scopes: Option<&Vec<String>>) -> Value {
    match (scopes, super::paste::body(t, scopes)) {
        (Some(scopes), Some((body, missing))) => {
            json!({ "portal": super::paste::portal(scopes), "body": body, "body_lacks": missing })
        }
        _ => Value::Null,
    }
}

/// Returns the life of a token as told by events.
pub(in crate::output) fn life(t: &crate::report::TokenReport) -> Vec<Value> {
    t.token
        .life
        .iter()
        .map(|l| {
            json!({
                "time": format_time(l.time), "event_id": l.event_id, "action": l.action, "text": l.text,
                "actor": l.actor, "network": l.network, "client": l.client,
            })
        })
        .collect()
}

/// Returns what a token's events show.
pub(in crate::output) fn activity(t: &crate::report::TokenReport) -> Value {
    let a = &t.activity;
    let days: Vec<Value> = a.per_day.iter().map(|(day, n)| json!([day_text(*day), n])).collect();
    json!({
        "per_day": days, "actions": a.actions, "networks": a.networks, "clients": a.clients,
        "projects": a.projects, "hours": a.hours,
    })
}
