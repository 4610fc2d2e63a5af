//! What there is to replace.
//!
//! In: a report. Out: every text that names a person, a place, a project or a thing of the organisation, with its pseudonym.

use super::words::is_own_word;
use super::{Anonymiser, is_network, lower};
use crate::model::claim::Field;
use crate::model::client::is_product;
use crate::model::finding::SubjectKind;
use crate::model::identity::is_guid;
use crate::model::network::parse;
use crate::report::Report;
use serde_json::Value;

impl Anonymiser {
    pub(super) fn learn_report(&mut self, r: &Report) {
        for t in &r.tokens {
            self.learn("person", t.token.owner.as_deref());
            self.learn("id", t.token.owner_id.as_deref());
            for claim in &t.token.claims {
                let kind = match claim.field {
                    Field::Name => "token",
                    Field::Owner if is_guid(&claim.value) => "id",
                    Field::Owner => "person",
                    _ => continue,
                };
                self.learn(kind, Some(&claim.value));
            }
            for l in &t.token.life {
                self.learn("person", Some(&l.actor));
                self.learn("network", Some(&l.network));
            }
        }
        for d in r.tokens.iter().filter_map(|t| t.decision.as_ref()).map(|s| &s.decision) {
            self.learn("person", Some(&d.reviewer));
        }
        for d in &r.decisions_elsewhere {
            self.learn("person", Some(&d.reviewer));
            self.learn("org", Some(&d.org));
        }
        for a in r.approved.iter().map(|a| &a.approval) {
            self.learn("person", Some(&a.owner));
            self.learn("org", a.org.as_deref());
            if !is_guid(&a.subject) {
                self.learn("text", Some(&a.subject));
            }
        }
        if let Some(c) = &r.comparison {
            for (owner, org) in c.tokens.iter().map(|t| (&t.owner, &t.org)) {
                self.learn("person", owner.as_deref());
                self.learn("org", Some(org));
            }
            for d in c.tokens.iter().flat_map(|t| &t.differences).filter(|d| d.field == "owner") {
                self.learn("person", Some(&d.before));
                self.learn("person", Some(&d.after));
            }
            for f in &c.findings {
                self.learn("person", f.owner.as_deref());
                self.learn("org", Some(&f.org));
                let kind = match f.subject.0.as_str() {
                    "user" => "person",
                    "token" => "token",
                    "org" => "org",
                    "project" => "project",
                    _ => "text",
                };
                self.learn(kind, f.subject.2.as_deref());
                if kind != "token" {
                    self.learn(kind, Some(&f.subject.1));
                }
            }
            c.tokens.iter().for_each(|t| self.learn("token", t.name.as_deref()));
        }
        for f in &r.findings {
            self.learn("person", f.owner.as_deref());
            self.learn("person", f.suppressed.as_ref().map(|s| s.reviewer.as_str()));
            if f.subject.kind == SubjectKind::User {
                self.learn("person", f.subject.name.as_deref());
                self.learn("id", Some(&f.subject.id));
            }
        }
        let orgs = r.coverage.iter().map(|c| &c.org).chain(r.population.iter().map(|p| &p.org));
        for org in orgs.chain(r.tokens.iter().map(|t| &t.token.org)).chain(r.findings.iter().map(|f| &f.org))
        {
            self.learn("org", Some(org));
        }
        for t in &r.tokens {
            t.activity.projects.iter().for_each(|(p, _)| self.learn("project", Some(p)));
            t.activity.networks.iter().for_each(|(n, _)| self.learn("network", Some(n)));
            t.activity.clients.iter().for_each(|(c, _)| self.learn("client", Some(c)));
            t.token.life.iter().for_each(|l| self.learn("client", Some(&l.client)));
            t.token.other_orgs.iter().for_each(|o| self.learn("org", Some(o)));
            t.token.owner_facts.admin_of.iter().for_each(|g| self.learn("group", Some(g)));
            t.lineage.generations.iter().for_each(|g| self.learn("token", g.name.as_deref()));
        }
        for f in &r.findings {
            let (kind, id) = match f.subject.kind {
                SubjectKind::Project => ("project", true),
                SubjectKind::Org => ("org", true),
                SubjectKind::Other => ("text", true),
                SubjectKind::Token => ("token", false),
                SubjectKind::User => ("person", false),
            };
            self.learn(kind, f.subject.name.as_deref());
            if id {
                self.learn(kind, Some(&f.subject.id));
            }
        }
        r.tokens.iter().for_each(|t| self.learn("token", t.token.name.as_deref()));
        r.inputs.iter().for_each(|i| self.learn("input", Some(&i.name)));
        for f in &r.findings {
            f.evidence.values().for_each(|v| self.learn_value(v));
        }
        r.series.lifetimes.iter().for_each(|l| {
            if !is_guid(&l.label) {
                self.learn("token", Some(&l.label));
            }
        });
    }

    fn learn_value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.learn("text", Some(text)),
            Value::Array(items) => items.iter().for_each(|v| self.learn_value(v)),
            Value::Object(fields) => fields.values().for_each(|v| self.learn_value(v)),
            _ => {}
        }
    }

    fn learn(&mut self, kind: &str, text: Option<&str>) {
        let Some(text) = text.map(str::trim).filter(|t| !t.is_empty()) else { return };
        if kind == "client" && is_product(text) || kind == "text" && is_own_word(text) {
            return;
        }
        if matches!(kind, "text" | "network") && (parse(text).is_some() || is_network(text)) {
            // Addresses have a pattern of their own and one pseudonym wherever they stand.
            return;
        }
        let key = lower(text).into_iter().collect::<String>();
        if !self.known.contains_key(&key) {
            let name = self.pseudonym(kind, &key);
            self.known.insert(key, name);
        }
    }
}
