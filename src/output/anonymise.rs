//! A report whose people, addresses, networks, projects and free names are pseudonyms.
//!
//! In: a report and a key. Out: the same report with every such text replaced by HMAC-SHA256 of it, so that one
//! name is one pseudonym in every file and, with the same key, in every run. Ids of tokens and events stay: they
//! are random numbers that mean something only to who holds the log, and the way back for them. What a
//! detection shows in its evidence is replaced unless it is one of patwatch's own words.

mod ids;
mod learn;
mod patterns;
mod words;

use crate::model::decision::Decision;
use crate::model::finding::{DetectionMeta, SubjectKind};
use crate::model::hash::hex;
use crate::model::identity::is_guid;
use crate::model::time::parse_time;
use crate::report::Report;
use crate::report::compare::{Comparison, Difference, Kind};
use hmac::{Hmac, Mac as _};
use patterns::GUID;
use serde_json::Value;
use sha2::Sha256;
use std::collections::{BTreeSet, HashMap, HashSet};
use words::is_vocabulary;

/// Replaces texts by pseudonyms.
#[derive(Debug)]
pub struct Anonymiser {
    mac: Hmac<Sha256>,
    /// Lower case text to pseudonym.
    known: HashMap<String, String>,
    /// Lengths in characters of what is known, longest first.
    lengths: Vec<usize>,
    /// Ids of tokens and events, which stay.
    ids: HashSet<String>,
}

impl Anonymiser {
    /// Learns what there is to replace in `report`; `key` may have any length.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[must_use]
    pub fn new(key: &[u8], report: &Report) -> Self {
        let mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).unwrap_or_else(|_| {
            <Hmac<Sha256> as hmac::Mac>::new(&hmac::digest::Key::<Hmac<Sha256>>::default())
        });
        let ids = ids::ids_that_stay(report);
        let mut new = Self { mac, known: HashMap::new(), lengths: Vec::new(), ids };
        new.learn_report(report);
        let lengths: BTreeSet<usize> = new.known.keys().map(|k| k.chars().count()).collect();
        new.lengths = lengths.into_iter().rev().collect();
        new
    }

    fn digest(&self, kind: &str, text: &str) -> String {
        let mut mac = self.mac.clone();
        mac.update(kind.as_bytes());
        mac.update(b"\0");
        mac.update(text.as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    fn pseudonym(&self, kind: &str, text: &str) -> String {
        let digits = self.digest(kind, text);
        if kind == "id" && is_guid(text) {
            // A storage key stays one in form, for what reads the files back.
            return format!(
                "{}-{}-{}-{}-{}",
                &digits[..8],
                &digits[8..12],
                &digits[12..16],
                &digits[16..20],
                &digits[20..32]
            );
        }
        format!("{kind}-{}", &digits[..10])
    }

    /// Returns `text` with what is known replaced, longest first, then what looks like an address.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let low = lower(text);
        if let Some(name) = self.known.get(low.iter().collect::<String>().trim()) {
            return name.clone();
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while at < chars.len() {
            if at == 0 || !is_word(chars[at - 1]) || !is_word(chars[at]) {
                // Inside an id nothing is replaced, whatever is called like a piece of it.
                if self.stays_at(&chars, at) {
                    out.extend(&chars[at..at + GUID]);
                    at += GUID;
                    continue;
                }
                if let Some((length, name)) = self.known_at(&low, at) {
                    out.push_str(name);
                    at += length;
                    continue;
                }
                if let Some((length, name)) = self.pattern_at(&chars, at) {
                    out.push_str(&name);
                    at += length;
                    continue;
                }
            }
            out.push(chars[at]);
            at += 1;
        }
        out
    }

    fn known_at(&self, low: &[char], at: usize) -> Option<(usize, &String)> {
        for &length in &self.lengths {
            let Some(part) = low.get(at..at + length) else { continue };
            // Inside a word nothing begins or ends: a token called `a` must not eat every letter.
            let ends =
                low.get(at + length).is_none_or(|next| !is_word(*next) || !is_word(low[at + length - 1]));
            if !ends {
                continue;
            }
            let part: String = part.iter().collect();
            // A token called `pat` is replaced where it stands alone, not in every sentence on PATs.
            if !is_vocabulary(&part)
                && let Some(name) = self.known.get(&part)
            {
                return Some((length, name));
            }
        }
        None
    }

    fn swap(&self, text: &mut String) {
        *text = self.text(text);
    }

    fn swap_maybe(&self, text: &mut Option<String>) {
        if let Some(text) = text {
            self.swap(text);
        }
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.swap(text),
            Value::Array(items) => items.iter_mut().for_each(|v| self.value(v)),
            Value::Object(fields) => fields.values_mut().for_each(|v| self.value(v)),
            _ => {}
        }
    }

    /// A reviewer's reason is free text: it goes as a whole, so what it names need not be known. Its words are
    /// everybody's, so they are not looked for elsewhere.
    fn reason(&self, text: &str) -> String {
        if text.is_empty() { String::new() } else { self.pseudonym("reason", &text.to_lowercase()) }
    }

    fn decision(&self, d: &mut Decision) {
        self.swap(&mut d.org);
        self.swap(&mut d.reviewer);
        d.reason = self.reason(&d.reason);
        // The mark of a state must be that of the state as this bundle shows it.
        self.swap(&mut d.state.owner);
        self.swap_maybe(&mut d.state.scopes);
        self.swap(&mut d.state.owner_name);
        self.swap(&mut d.state.orgs);
        d.state.mark.clear();
    }

    fn comparison(&self, c: &mut Comparison, detections: &[DetectionMeta]) {
        c.notes.iter_mut().for_each(|note| self.swap(note));
        for f in &mut c.findings {
            // What an earlier sentence names may be nowhere else in this report, so nobody could know it here.
            if matches!(f.kind, Kind::Resolved | Kind::NotCompared) {
                let title = detections.iter().find(|d| d.id == f.detection).map(|d| d.title.clone());
                f.message = title.unwrap_or_default();
            }
            f.fingerprint = self.digest("fingerprint", &f.fingerprint);
            self.swap(&mut f.org);
            self.swap_maybe(&mut f.owner);
            if f.subject.0 != "token" {
                self.swap(&mut f.subject.1);
            }
            self.swap_maybe(&mut f.subject.2);
            self.swap(&mut f.message);
            self.swap(&mut f.why);
            f.added.iter_mut().for_each(|name| self.swap(name));
            self.differences(&mut f.differences);
        }
        for t in &mut c.tokens {
            self.swap(&mut t.org);
            self.swap_maybe(&mut t.name);
            self.swap_maybe(&mut t.owner);
            self.differences(&mut t.differences);
        }
        c.notes.iter_mut().for_each(|n| self.swap(n));
    }

    fn differences(&self, differences: &mut [Difference]) {
        for d in differences {
            self.swap(&mut d.before);
            self.swap(&mut d.after);
        }
    }

    fn grant(&self, scopes: &mut Option<Vec<String>>) {
        scopes.iter_mut().flatten().for_each(|s| self.swap(s));
    }

    /// A mark of the key: equal for two bundles whose pseudonyms agree.
    #[must_use]
    pub fn mark(&self) -> String {
        self.digest("key", "")[..12].to_owned()
    }

    /// Returns the command line without what it names: options and patwatch's own words stay.
    #[must_use]
    pub fn command_line(&self, words: &[String]) -> Vec<String> {
        let plain = |word: &str| {
            let value = word.trim_end_matches(['d', 'D']);
            value.parse::<u32>().is_ok()
                || parse_time(word).is_some()
                || matches!(word, "patwatch" | "report" | "check" | "auto" | "always" | "never")
                || matches!(word, "audit" | "inventory" | "users" | "entitlements" | "usage")
                || is_vocabulary(word)
        };
        let hide = |word: &str| {
            if plain(word) { word.to_owned() } else { self.pseudonym("input", &word.to_lowercase()) }
        };
        words
            .iter()
            .map(|word| match word.split_once('=') {
                Some((option, value)) if option.starts_with("--") => format!("{option}={}", hide(value)),
                _ if word.starts_with('-') && word.len() > 1 => word.clone(),
                _ => hide(word),
            })
            .collect()
    }

    /// Returns the report with every pseudonym in place.
    #[must_use]
    pub fn report(&self, report: &Report) -> Report {
        let mut r = report.clone();
        // Anyone can hash a guess; the fingerprints are therefore keyed as well.
        let print = |f: &mut String| *f = self.digest("fingerprint", f);
        for c in &mut r.coverage {
            self.swap(&mut c.org);
            c.gaps.iter_mut().for_each(|g| self.swap(&mut g.reason));
        }
        r.population.iter_mut().for_each(|p| self.swap(&mut p.org));
        r.evidence.iter_mut().for_each(|e| self.swap(&mut e.org));
        r.inputs.iter_mut().for_each(|i| self.swap(&mut i.name));
        r.not_run.iter_mut().for_each(|n| self.swap(&mut n.reason));
        r.blind.iter_mut().for_each(|b| self.swap(&mut b.org));
        r.unattributed.iter_mut().for_each(|u| self.swap(&mut u.org));
        for f in &mut r.findings {
            print(&mut f.fingerprint);
            self.swap(&mut f.org);
            self.swap_maybe(&mut f.owner);
            self.swap_maybe(&mut f.subject.name);
            if f.subject.kind != SubjectKind::Token {
                self.swap(&mut f.subject.id);
            }
            self.swap(&mut f.message);
            f.evidence.values_mut().for_each(|v| self.value(v));
            f.list.iter_mut().for_each(|e| self.swap(&mut e.name));
            f.claims.iter_mut().for_each(|c| self.swap(&mut c.value));
            if let Some(s) = &mut f.suppressed {
                self.swap(&mut s.reviewer);
                s.reason = self.reason(&s.reason);
            }
        }
        for t in &mut r.tokens {
            t.findings.iter_mut().for_each(print);
            let token = &mut t.token;
            self.swap(&mut token.org);
            self.swap_maybe(&mut token.name);
            self.swap_maybe(&mut token.owner);
            self.swap_maybe(&mut token.owner_id);
            self.grant(&mut token.scopes);
            token.grants.iter_mut().for_each(|g| self.grant(&mut g.scopes));
            for l in &mut token.life {
                self.swap(&mut l.action);
                self.swap(&mut l.text);
                self.swap(&mut l.actor);
                self.swap(&mut l.network);
                self.swap(&mut l.client);
            }
            if let Some(standing) = &mut t.decision {
                self.decision(&mut standing.decision);
                self.swap(&mut standing.note);
            }
            token.claims.iter_mut().for_each(|c| self.swap(&mut c.value));
            token.other_orgs.iter_mut().for_each(|o| self.swap(o));
            token.owner_facts.admin_of.iter_mut().for_each(|g| self.swap(g));
            t.lineage.generations.iter_mut().for_each(|g| self.swap_maybe(&mut g.name));
            t.lineage.notes.iter_mut().for_each(|n| self.swap(n));
            let d = &mut t.dependence;
            self.swap(&mut d.reason);
            self.swap(&mut d.ask);
            self.swap_maybe(&mut d.move_to);
            for i in &mut d.integrations {
                self.swap(&mut i.client);
                self.swap(&mut i.network);
                i.projects.iter_mut().chain(&mut i.actions).for_each(|p| self.swap(p));
            }
            let v = &mut t.verdicts;
            self.swap(&mut v.usage.reason);
            self.swap(&mut v.advice.reason);
            v.risk_parts.iter_mut().for_each(|p| self.swap(&mut p.reason));
            for s in &mut v.scope {
                self.swap(&mut s.scope);
                s.actions.iter_mut().for_each(|(action, _)| self.swap(action));
            }
            self.grant(&mut v.observed_scopes);
            self.grant(&mut v.start_scopes);
            v.strange_scopes.iter_mut().for_each(|s| self.swap(s));
            self.grant(&mut v.proposed_scopes);
            self.grant(&mut v.reduced_scopes);
            let a = &mut t.activity;
            for rows in [&mut a.actions, &mut a.networks, &mut a.clients, &mut a.projects] {
                rows.iter_mut().for_each(|(text, _)| self.swap(text));
            }
        }
        r.decisions_elsewhere.iter_mut().for_each(|d| self.decision(d));
        for a in r.approved.iter_mut().map(|a| &mut a.approval) {
            self.swap(&mut a.subject);
            self.swap(&mut a.owner);
            a.reason = self.reason(&a.reason);
            self.swap_maybe(&mut a.org);
        }
        if let Some(c) = &mut r.comparison {
            self.comparison(c, &r.detections);
        }
        for (org, _, reason) in &mut r.series.gaps {
            self.swap(org);
            self.swap(reason);
        }
        r.series.lifetimes.iter_mut().for_each(|l| self.swap(&mut l.label));
        r.series.scopes.iter_mut().for_each(|s| self.swap(&mut s.scope));
        if r.policy.time_zone != "UTC" {
            r.policy.time_zone = self.pseudonym("zone", &r.policy.time_zone.to_lowercase());
        }
        r.series.review.iter_mut().for_each(|(org, _)| self.swap(org));
        r.series.coverage.iter_mut().for_each(|(org, _, _)| self.swap(org));
        r
    }
}

/// Lower case with as many characters as before, so that places in both agree.
fn lower(text: &str) -> Vec<char> {
    text.chars()
        .map(|c| {
            let mut low = c.to_lowercase();
            match (low.next(), low.next()) {
                (Some(l), None) => l,
                _ => c,
            }
        })
        .collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{FINDINGS, TOKENS, sample, to_bytes};

    #[test]
    fn nothing_known_survives_in_any_format() {
        let mut report = sample::report();
        report.findings[1].owner = Some("Ana.Ruiz@contoso.example".into());
        report.findings[0].message.push_str(" from 192.0.2.9, 2001:db8::7 and zoe@else.example.");
        let anonymised = Anonymiser::new(b"key", &report).report(&report);
        let secrets = [
            "ana.ruiz",
            "contoso",
            "fabrikam",
            "198.51.100",
            "203.0.113",
            "2001:db8",
            "release-agent",
            "Payments",
            "terraform-prod",
            "Release Managers",
            "mallory",
            "olga",
            "192.0.2.9",
            "zoe@",
            "HYPERLINK",
            "alert(1)",
            "b0000000-0000",
            "zelda",
            "contoso-bank",
        ];
        for format in FINDINGS.iter().chain(TOKENS) {
            let text = String::from_utf8(to_bytes(*format, &anonymised).expect("renders")).expect("UTF-8");
            let text = text.to_lowercase();
            for secret in secrets {
                assert!(!text.contains(&secret.to_lowercase()), "{secret} in {}", format.name());
            }
        }
        let facts = crate::output::manifest::RunFacts::default();
        for (path, bytes) in crate::output::bundle::files(&anonymised, &[], &facts) {
            let text = String::from_utf8(bytes).expect("UTF-8").to_lowercase();
            for secret in secrets {
                assert!(!text.contains(&secret.to_lowercase()), "{secret} in {path}");
            }
        }
        for t in &anonymised.tokens {
            let dossier = crate::output::dossier::Dossier { report: &anonymised, token: t };
            let text = String::from_utf8(to_bytes(crate::output::DOSSIERS[2], &dossier).expect("renders"));
            let text = text.expect("UTF-8").to_lowercase();
            for secret in secrets {
                assert!(!text.contains(&secret.to_lowercase()), "{secret} in the dossier");
            }
        }
    }

    #[test]
    fn one_name_is_one_pseudonym_and_the_key_decides() {
        let report = sample::report();
        let one = Anonymiser::new(b"key", &report).report(&report);
        let again = Anonymiser::new(b"key", &report).report(&report);
        let other = Anonymiser::new(b"another", &report).report(&report);
        assert_eq!(one.tokens[0].token.owner, again.tokens[0].token.owner);
        assert_ne!(one.tokens[0].token.owner, other.tokens[0].token.owner);
        let owner = one.tokens[0].token.owner.clone().expect("an owner");
        assert!(one.findings[1].message.contains(&owner), "{}", one.findings[1].message);
        assert_eq!(one.findings[0].subject.id, report.findings[0].subject.id);
        let hit = &one.tokens[0].findings[0];
        assert!(one.findings.iter().any(|f| f.fingerprint == *hit));
    }

    #[test]
    fn short_names_do_not_eat_words() {
        let mut report = sample::report();
        report.tokens[0].token.name = Some("q".into());
        report.tokens[1].token.name = Some("PAT".into());
        let a = Anonymiser::new(b"k", &report);
        assert_eq!(a.text("quick q query"), format!("quick {} query", a.text("q")));
        assert_eq!(a.text("no PAT call"), "no PAT call");
        assert!(a.text("pat").starts_with("token-"));
        assert_eq!(a.text("at 12:30:00, 2026-03-31T10:00:00Z"), "at 12:30:00, 2026-03-31T10:00:00Z");
        assert!(a.text("from 10.1.2.3:").ends_with(':'));
    }
}
