//! What the analysis hands back to the engine as tables: tokens, their scopes, credentials, coverage, people.
//!
//! In: an [`Analysis`]. Out: tables of the schema, which detections and queries see.

use super::people::Absence;
use super::run::{Analysis, Judged};
use super::usage::sight;
use crate::engine::EngineError;
use crate::engine::tables::{Table, TableBuilder};
use crate::model::catalogue::catalogue;
use crate::model::claim::{Field, Source, Standing};
use crate::model::hours;
use crate::model::identity::person_key;
use crate::model::lineage::Generation;
use crate::model::mechanism::MechanismKind;
use crate::model::policy::Policy;
use crate::model::time::{DAY, Micros, day_of};
use crate::model::token::{KnownFrom, Token};
use crate::model::verdict::ScopeState;
use std::collections::BTreeMap;

/// Builds every table. `taken` tells when each organisation's inventory was taken.
///
/// # Errors
/// When a table does not fit the schema, which is a fault of patwatch.
pub fn tables(
    analysis: &Analysis,
    taken: &BTreeMap<String, Micros>,
    policy: &Policy,
) -> Result<Vec<Table>, EngineError> {
    let mut tables = vec![
        tokens(analysis, taken, policy)?,
        token_scopes(analysis)?,
        credentials(analysis)?,
        coverage(analysis)?,
        gaps(analysis)?,
        users(analysis)?,
        unclear(analysis)?,
        absences(analysis)?,
        grant_changes(analysis)?,
        other_users(analysis)?,
        class_conflicts(analysis)?,
        claims(analysis)?,
    ];
    tables.extend(catalogue_tables()?);
    Ok(tables)
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn int(n: u64) -> Option<i64> {
    i64::try_from(n).ok()
}

fn tokens(
    analysis: &Analysis,
    taken: &BTreeMap<String, Micros>,
    policy: &Policy,
) -> Result<Table, EngineError> {
    let t = || analysis.tokens.iter();
    let text = |get: &dyn Fn(&Judged) -> Option<String>| t().map(get).collect::<Vec<_>>();
    let time = |get: &dyn Fn(&Judged) -> Option<Micros>| t().map(get).collect::<Vec<_>>();
    let known = |from: KnownFrom| t().map(|j| Some(j.token.known_from.contains(&from))).collect::<Vec<_>>();
    let join = |list: &Option<Vec<String>>| list.as_ref().map(|l| l.join(" "));
    TableBuilder::new("tokens")
        .text("org", text(&|j| some(&j.token.org)))
        .text("token_id", text(&|j| some(&j.token.token_id)))
        .text("name", text(&|j| j.token.name.clone()))
        .text("owner", text(&|j| j.token.owner.clone()))
        .text("owner_id", text(&|j| j.token.owner_id.clone()))
        .text("owner_key", text(&|j| j.token.owner_id.as_deref().and_then(person_key)))
        .text("owner_state", text(&|j| some(j.token.owner_state.as_str())))
        .time("owner_gone_at", time(&|j| j.token.owner_gone_at))
        .text("state", text(&|j| some(j.token.state.as_str())))
        .bool("known_inventory", known(KnownFrom::Inventory))
        .bool("known_ledger", known(KnownFrom::Ledger))
        .bool("known_events", known(KnownFrom::Events))
        .bool("all_orgs", t().map(|j| j.token.all_orgs).collect())
        .bool(
            "full_access",
            t().map(|j| j.token.scopes.is_some().then(|| j.token.is_full_access())).collect(),
        )
        .bool(
            "full_access_by_class",
            t().map(|j| Some(by_class(&j.token, Field::Scopes) && j.token.is_full_access())).collect(),
        )
        .bool("all_orgs_by_class", t().map(|j| Some(by_class(&j.token, Field::Reach))).collect())
        .text("scopes", text(&|j| join(&j.token.scopes)))
        .int("n_scopes", t().map(|j| j.token.scopes.as_ref().and_then(|s| int(s.len() as u64))).collect())
        .time("valid_from", time(&|j| j.token.valid_from))
        .time("valid_to", time(&|j| j.token.valid_to))
        .int("lifetime_days", t().map(lifetime).collect())
        .time("revoked_at", time(&|j| j.token.revoked_at))
        .time("leaked_at", time(&|j| j.token.leaked_at))
        .text("created_event", text(&|j| j.created.as_ref().and_then(|c| some(&c.event_id))))
        .text("created_network", text(&|j| j.created.as_ref().and_then(|c| some(&c.network))))
        .text("created_client", text(&|j| j.created.as_ref().and_then(|c| some(&c.client))))
        .time("created_at", time(&|j| j.created.as_ref().map(|c| c.time)))
        .bool(
            "created_outside_hours",
            t().map(|j| j.created.as_ref().map(|c| hours::outside(policy, c.time))).collect(),
        )
        .text("use_verdict", text(&|j| some(j.usage.verdict.as_str())))
        .text("use_confidence", text(&|j| some(j.usage.confidence.as_str())))
        .text("use_reason", text(&|j| some(&j.usage.reason)))
        .time("last_observed", time(&|j| j.usage.last_observed))
        .time("last_observed_ever", time(&|j| j.usage.last_observed_ever))
        .time("last_observed_anywhere", time(&|j| j.whereabouts.last_anywhere))
        .text("seen_ever_in", text(&|j| some(&j.whereabouts.seen_ever_in.join(", "))))
        .time("held_until", time(&|j| j.whereabouts.held_until))
        .bool("held_whole", t().map(|j| Some(j.whereabouts.held_whole)).collect())
        .int("n_events", t().map(|j| int(j.usage.events)).collect())
        .text("use_events", text(&|j| some(&j.usage.event_ids.join(" "))))
        .int("covered_days", t().map(|j| Some(i64::from(j.usage.covered_days))).collect())
        .text("seen_in", text(&|j| some(&j.usage.seen_in.join(", "))))
        .bool("unseen_orgs", t().map(|j| Some(j.token.reaches_unseen_orgs)).collect())
        .text("invisible_scopes", text(&|j| some(&sight(&j.token).1.join(" "))))
        .text("observed_scopes", text(&|j| join(&j.scope.observed)))
        .text("proposed_scopes", text(&|j| join(&j.scope.proposed)))
        .text("reduced_scopes", text(&|j| join(&j.scope.reduced)))
        .bool("over", t().map(|j| Some(j.token.is_over())).collect())
        .time("inventory_taken", time(&|j| taken.get(&j.token.org).copied()))
        .int("extended", t().map(|j| int(j.extended)).collect())
        .bool("joined_by_name", t().map(|j| Some(j.token.joined_by_name)).collect())
        .text("owner_admin_of", text(&|j| some(&j.token.owner_facts.admin_of.join("; "))))
        .time("owner_last_pat", time(&|j| j.token.owner_facts.last_pat))
        .int("owner_tokens", t().map(|j| int(j.token.owner_facts.tokens)).collect())
        .int("generation", t().map(|j| generation(j, 0).map(|_| j.lineage.at as i64 + 1)).collect())
        .int(
            "generations",
            t().map(|j| generation(j, 0).and_then(|_| int(j.lineage.generations.len() as u64))).collect(),
        )
        .text("previous_token_id", text(&|j| generation(j, -1).map(|g| g.token_id.clone())))
        .text("next_token_id", text(&|j| generation(j, 1).map(|g| g.token_id.clone())))
        .int(
            "overlap_days",
            t().map(|j| generation(j, 0).and_then(|g| g.overlap).map(|o| o.div_euclid(DAY))).collect(),
        )
        .time("last_rotation", time(&|j| j.lineage.begun.filter(|_| j.lineage.rotated)))
        .int("secret_days", t().map(|j| j.lineage.secret_days).collect())
        .text("worker", text(&|j| some(j.dependence.worker.as_str())))
        .text("list_differs", text(&|j| j.differs.clone()))
        .build()
}

/// Returns true if a field is known from the class of the mechanism alone.
fn by_class(token: &Token, field: Field) -> bool {
    let holds = || token.claims.iter().filter(|c| c.field == field && c.standing == Standing::Holds);
    holds().count() > 0 && holds().all(|c| c.source == Source::MechanismClass)
}

/// The generation `offset` places from the token's own.
fn generation(judged: &Judged, offset: isize) -> Option<&Generation> {
    judged.lineage.generations.get(judged.lineage.at.checked_add_signed(offset)?)
}

fn unclear(analysis: &Analysis) -> Result<Table, EngineError> {
    let u = || analysis.unclear.iter();
    TableBuilder::new("unclear_token_events")
        .text("org", u().map(|u| some(&u.org)).collect())
        .text("event_id", u().map(|u| some(&u.event_id)).collect())
        .time("time", u().map(|u| Some(u.time)).collect())
        .text("action", u().map(|u| some(&u.action)).collect())
        .text("owner", u().map(|u| some(&u.owner)).collect())
        .text("name", u().map(|u| some(&u.name)).collect())
        .int("candidates", u().map(|u| int(u.candidates.len() as u64)).collect())
        .text("candidate_ids", u().map(|u| some(&u.candidates.join(" "))).collect())
        .text("fit", u().map(|u| some(u.fit.as_str())).collect())
        .build()
}

/// Spans in which a token's owner had no access, one row a token and span.
fn absences(analysis: &Analysis) -> Result<Table, EngineError> {
    let person = |j: &Judged| {
        let people = analysis.people.get(&j.token.org)?;
        j.token.owner_id.iter().chain(&j.token.owner).find_map(|text| people.find(text)).cloned()
    };
    let mut rows: Vec<(&Judged, Absence)> = Vec::new();
    for judged in &analysis.tokens {
        rows.extend(person(judged).into_iter().flat_map(|p| p.absences).map(|absence| (judged, absence)));
    }
    let r = || rows.iter();
    TableBuilder::new("absences")
        .text("org", r().map(|(j, _)| some(&j.token.org)).collect())
        .text("token_id", r().map(|(j, _)| some(&j.token.token_id)).collect())
        .time("gone_at", r().map(|(_, a)| Some(a.from)).collect())
        .time("back_at", r().map(|(_, a)| a.back).collect())
        .text("joined_by", r().map(|(_, a)| some(a.join.as_str())).collect())
        .build()
}

/// What is said of each token, one row a claim.
fn claims(analysis: &Analysis) -> Result<Table, EngineError> {
    let rows: Vec<_> =
        analysis.tokens.iter().flat_map(|j| j.token.claims.iter().map(move |c| (&j.token, c))).collect();
    let r = || rows.iter();
    TableBuilder::new("token_claims")
        .text("org", r().map(|(t, _)| some(&t.org)).collect())
        .text("token_id", r().map(|(t, _)| some(&t.token_id)).collect())
        .text("field", r().map(|(_, c)| some(c.field.as_str())).collect())
        .text("value", r().map(|(_, c)| some(&c.value)).collect())
        .time("time", r().map(|(_, c)| c.time).collect())
        .text("source", r().map(|(_, c)| some(c.source.as_str())).collect())
        .text("joined_by", r().map(|(_, c)| some(c.join.as_str())).collect())
        .text("certainty", r().map(|(_, c)| some(c.join.certainty().as_str())).collect())
        .bool("complete", r().map(|(_, c)| Some(c.complete)).collect())
        .text("standing", r().map(|(_, c)| some(c.standing.as_str())).collect())
        .text("event_id", r().map(|(_, c)| c.event_id.clone()).collect())
        .text("stated_in", r().map(|(_, c)| c.stated_in.clone()).collect())
        .build()
}

fn grant_changes(analysis: &Analysis) -> Result<Table, EngineError> {
    let c = || analysis.grant_changes.iter();
    TableBuilder::new("grant_changes")
        .text("org", c().map(|c| some(&c.org)).collect())
        .text("token_id", c().map(|c| some(&c.token_id)).collect())
        .time("time", c().map(|c| Some(c.time)).collect())
        .text("event_id", c().map(|c| some(&c.event_id)).collect())
        .text("actor", c().map(|c| some(&c.actor)).collect())
        .text("network", c().map(|c| some(&c.network)).collect())
        .text("client", c().map(|c| some(&c.client)).collect())
        .text("field", c().map(|c| some(c.field.as_str())).collect())
        .text("before", c().map(|c| some(&c.before)).collect())
        .text("after", c().map(|c| some(&c.after)).collect())
        .bool("widened", c().map(|c| Some(c.widened)).collect())
        .text("gained", c().map(|c| some(&c.gained.join(" "))).collect())
        .text("gained_access", c().map(|c| c.gained_access.map(|g| g.as_str().to_owned())).collect())
        .int("days_ahead", c().map(|c| c.days_ahead).collect())
        .build()
}

fn other_users(analysis: &Analysis) -> Result<Table, EngineError> {
    let o = || analysis.other_users.iter();
    TableBuilder::new("other_users")
        .text("org", o().map(|o| some(&o.org)).collect())
        .text("token_id", o().map(|o| some(&o.token_id)).collect())
        .text("actor", o().map(|o| some(&o.actor)).collect())
        .text("actor_id", o().map(|o| some(&o.actor_id)).collect())
        .text("known_by", o().map(|o| some(o.known_by.as_str())).collect())
        .build()
}

fn class_conflicts(analysis: &Analysis) -> Result<Table, EngineError> {
    let c = || analysis.class_conflicts.iter();
    TableBuilder::new("class_conflicts")
        .text("org", c().map(|c| some(&c.org)).collect())
        .text("token_id", c().map(|c| some(&c.token_id)).collect())
        .text("class", c().map(|c| some(&c.class)).collect())
        .text("field", c().map(|c| some(c.field)).collect())
        .text("granted", c().map(|c| some(&c.granted)).collect())
        .bool("listed", c().map(|c| Some(c.listed)).collect())
        .time("first_time", c().map(|c| Some(c.first_time)).collect())
        .time("last_time", c().map(|c| Some(c.last_time)).collect())
        .build()
}

/// Days from creation to end, as written.
fn lifetime(judged: &Judged) -> Option<i64> {
    Some((judged.token.valid_to? - judged.token.valid_from?).div_euclid(DAY))
}

fn token_scopes(analysis: &Analysis) -> Result<Table, EngineError> {
    let rows: Vec<_> =
        analysis.tokens.iter().flat_map(|j| j.scope.rows.iter().map(move |s| (j, s))).collect();
    let r = || rows.iter();
    let info = |scope: &str| catalogue().scopes.get(scope);
    TableBuilder::new("token_scopes")
        .text("org", r().map(|(j, _)| some(&j.token.org)).collect())
        .text("token_id", r().map(|(j, _)| some(&j.token.token_id)).collect())
        .text("scope", r().map(|(_, s)| some(&s.scope)).collect())
        .text("state", r().map(|(_, s)| some(s.state.as_str())).collect())
        .text("visibility", r().map(|(_, s)| some(s.visibility.as_str())).collect())
        .text("confidence", r().map(|(_, s)| some(s.confidence.as_str())).collect())
        .int("covered_days", r().map(|(_, s)| Some(i64::from(s.covered_days))).collect())
        .bool(
            "granted",
            r().map(|(j, s)| {
                let granted = j.token.scopes.as_ref().is_some_and(|g| g.contains(&s.scope));
                Some(granted && s.state != ScopeState::BeyondGrant)
            })
            .collect(),
        )
        .bool("high_privilege", r().map(|(_, s)| info(&s.scope).map(|i| i.high_privilege)).collect())
        .text("access", r().map(|(_, s)| info(&s.scope).map(|i| i.access.clone())).collect())
        .int("n", r().map(|(_, s)| int(s.actions.iter().map(|(_, n)| n).sum())).collect())
        .time("last_time", r().map(|(_, s)| s.last_time).collect())
        .text("unseen_operations", r().map(|(_, s)| some(&s.unseen_operations.join("; "))).collect())
        .text("last_event", r().map(|(_, s)| s.event_ids.first().cloned()).collect())
        .text(
            "beyond_events",
            r().map(|(_, s)| (s.state == ScopeState::BeyondGrant).then(|| s.event_ids.join(" "))).collect(),
        )
        .build()
}

fn credentials(analysis: &Analysis) -> Result<Table, EngineError> {
    // One row a class, since the same visible part may occur under more than one.
    let mut rows = Vec::new();
    for (attribution, uses) in analysis.credentials.iter().filter(|(a, _)| !a.visible.is_empty()) {
        let mut classes: BTreeMap<&str, (i64, Micros, Micros)> = BTreeMap::new();
        for one in uses {
            let slot = classes.entry(&one.class).or_insert((0, one.first_time, one.last_time));
            *slot = (slot.0 + one.n_ever, slot.1.min(one.first_time), slot.2.max(one.last_time));
        }
        rows.extend(classes.into_iter().map(|(class, n)| (attribution, class, n)));
    }
    let r = || rows.iter();
    TableBuilder::new("credentials")
        .text("org", r().map(|(a, ..)| some(&a.org)).collect())
        .text("credential", r().map(|(a, ..)| some(&a.visible)).collect())
        .text("kind", r().map(|_| some(MechanismKind::Pat.as_str())).collect())
        .text("class", r().map(|(_, class, _)| some(class)).collect())
        .text("token_id", r().map(|(a, ..)| a.token_id.clone()).collect())
        .text("how", r().map(|(a, ..)| some(a.how.as_str())).collect())
        .int("candidates", r().map(|(a, ..)| int(a.candidates.len() as u64)).collect())
        .int("n", r().map(|(.., n)| Some(n.0)).collect())
        .time("first_time", r().map(|(.., n)| Some(n.1)).collect())
        .time("last_time", r().map(|(.., n)| Some(n.2)).collect())
        .build()
}

fn coverage(analysis: &Analysis) -> Result<Table, EngineError> {
    let c = || analysis.coverage.iter();
    let gap_days = |c: &crate::model::coverage::Coverage| {
        let held = i64::from(day_of(c.span.to - 1) - day_of(c.span.from) + 1).max(0);
        held - i64::try_from(c.covered.len()).unwrap_or(0)
    };
    TableBuilder::new("coverage")
        .text("org", c().map(|c| some(&c.org)).collect())
        .time("from_time", c().map(|c| Some(c.span.from)).collect())
        .time("to_time", c().map(|c| Some(c.span.to)).collect())
        .text("basis", c().map(|c| some(c.basis.as_str())).collect())
        .int("covered_days", c().map(|c| int(c.covered.len() as u64)).collect())
        .int("gap_days", c().map(|c| Some(gap_days(c))).collect())
        .int("areas", c().map(|c| Some(i64::from(c.areas))).collect())
        .build()
}

fn gaps(analysis: &Analysis) -> Result<Table, EngineError> {
    let rows: Vec<_> = analysis.coverage.iter().flat_map(|c| c.gaps.iter().map(move |g| (c, g))).collect();
    let r = || rows.iter();
    TableBuilder::new("gaps")
        .text("org", r().map(|(c, _)| some(&c.org)).collect())
        .time("from_time", r().map(|(_, g)| Some(g.span.from)).collect())
        .time("to_time", r().map(|(_, g)| Some(g.span.to)).collect())
        .text("reason", r().map(|(_, g)| some(&g.reason)).collect())
        .build()
}

fn users(analysis: &Analysis) -> Result<Table, EngineError> {
    let rows: Vec<_> =
        analysis.people.iter().flat_map(|(org, p)| p.all().iter().map(move |p| (org, p))).collect();
    let r = || rows.iter();
    TableBuilder::new("users")
        .text("org", r().map(|(org, _)| some(org)).collect())
        .text("actor_id", r().map(|(_, p)| p.id.clone()).collect())
        .text("upn", r().map(|(_, p)| p.label.contains('@').then(|| p.label.clone())).collect())
        .text("name", r().map(|(_, p)| some(&p.name)).collect())
        .text("state", r().map(|(_, p)| some(p.state.as_str())).collect())
        .time("last_access", r().map(|(_, p)| p.last_access).collect())
        .build()
}

fn catalogue_tables() -> Result<Vec<Table>, EngineError> {
    let known = catalogue();
    let a = || known.actions.values();
    let s = || known.scopes.values();
    let includes: Vec<_> = s().flat_map(|s| s.includes.iter().map(move |i| (s, i))).collect();
    let needs: Vec<_> = a().flat_map(|a| a.any_of.iter().map(move |n| (a, n))).collect();
    Ok(vec![
        TableBuilder::new("actions")
            .text("action", a().map(|a| some(&a.action)).collect())
            .text("area", a().map(|a| some(&a.area)).collect())
            .text("category", a().map(|a| some(&a.category)).collect())
            .text("description", a().map(|a| some(&a.description)).collect())
            .build()?,
        TableBuilder::new("scopes")
            .text("scope", s().map(|s| some(&s.scope)).collect())
            .text("category", s().map(|s| some(&s.category)).collect())
            .text("title", s().map(|s| some(&s.title)).collect())
            .text("access", s().map(|s| some(&s.access)).collect())
            .bool("high_privilege", s().map(|s| Some(s.high_privilege)).collect())
            .text("visibility", s().map(|s| some(s.visibility.as_str())).collect())
            .build()?,
        TableBuilder::new("scope_includes")
            .text("scope", includes.iter().map(|(s, _)| some(&s.scope)).collect())
            .text("includes", includes.iter().map(|(_, i)| some(i)).collect())
            .build()?,
        TableBuilder::new("action_scopes")
            .text("action", needs.iter().map(|(a, _)| some(&a.action)).collect())
            .text("scope", needs.iter().map(|(_, n)| some(n)).collect())
            .text(
                "certainty",
                needs.iter().map(|(a, _)| some(&format!("{:?}", a.certainty).to_lowercase())).collect(),
            )
            .bool("system", needs.iter().map(|(a, _)| Some(a.system)).collect())
            .build()?,
    ])
}
