//! Decisions of reviewers: one Parquet file an organisation, every decision ever taken, in the order they came.
//!
//! In: decisions from a review sheet. Out: the same back. None is ever dropped: an auditor asks for the history.

use super::digest::{self, Digest};
use super::frame::{Frame, write_atomically};
use super::table::Table;
use super::{Lake, LakeError, make_folder};
use crate::model::decision::{Choice, Decision, Fixed};
use crate::model::hash::sha256;
use crate::model::time::Day;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

impl Lake {
    pub(super) fn decisions_file(&self, org: &str) -> PathBuf {
        self.org_folder("decisions", org).join("decisions.parquet")
    }

    /// Adds decisions; one that repeats the newest on its token adds nothing. Returns how many were new.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn add_decisions(&mut self, decisions: &[Decision]) -> Result<u64, LakeError> {
        let mut new = 0;
        let mut orgs: Vec<&str> = decisions.iter().map(|d| d.org.as_str()).collect();
        orgs.sort_unstable();
        orgs.dedup();
        for org in orgs {
            let mut held = self.decisions(org)?;
            let before = held.len();
            let mut newest: HashMap<String, usize> =
                held.iter().enumerate().map(|(i, d)| (d.token_id.clone(), i)).collect();
            for decision in decisions.iter().filter(|d| d.org == org) {
                let known = newest.get(&decision.token_id).and_then(|i| held.get(*i));
                if known == Some(decision) {
                    continue;
                }
                newest.insert(decision.token_id.clone(), held.len());
                held.push(decision.clone());
            }
            new += (held.len() - before) as u64;
            if held.len() > before {
                self.write_decisions(org, &held)?;
            }
        }
        Ok(new)
    }

    /// Replaces the decisions of an organisation. The index accepts both files while the new one is written, so that a
    /// killed run leaves one that it knows.
    fn write_decisions(&mut self, org: &str, decisions: &[Decision]) -> Result<(), LakeError> {
        let path = self.decisions_file(org);
        let d = || decisions.iter();
        let flag = |b: bool| Some(b);
        let bytes = Frame::new(decisions.len())
            .text("org", d().map(|d| d.org.as_str()))
            .text("token_id", d().map(|d| d.token_id.as_str()))
            .text("decision", d().map(|d| d.choice.as_str()))
            .text("reviewer", d().map(|d| d.reviewer.as_str()))
            .date("decided_on", d().map(|d| Some(d.decided_on)))
            .text("reason", d().map(|d| d.reason.as_str()))
            .date("end_date", d().map(|d| d.end_date))
            .time("seen_until", d().map(|d| Some(d.seen_until)))
            .text("state", d().map(|d| d.state.state.as_str()))
            .text("owner", d().map(|d| d.state.owner.as_str()))
            .text("owner_state", d().map(|d| d.state.owner_state.as_str()))
            .flag("grant_known", d().map(|d| flag(d.state.scopes.is_some())))
            .text("scopes", d().map(|d| d.state.scopes.as_deref().unwrap_or_default()))
            .flag("all_orgs", d().map(|d| d.state.all_orgs))
            .time("valid_to", d().map(|d| d.state.valid_to))
            .flag("leaked", d().map(|d| flag(d.state.leaked)))
            .text("owner_name", d().map(|d| d.state.owner_name.as_str()))
            .text("orgs", d().map(|d| d.state.orgs.as_str()))
            .flag("proposed_known", d().map(|d| flag(d.state.proposed.is_some())))
            .text("proposed", d().map(|d| d.state.proposed.as_deref().unwrap_or_default()))
            .flag("reduced_known", d().map(|d| flag(d.state.reduced.is_some())))
            .text("reduced", d().map(|d| d.state.reduced.as_deref().unwrap_or_default()))
            .text("state_mark", d().map(|d| d.state.mark.as_str()))
            .flag("detections_known", d().map(|d| flag(d.detections.is_some())))
            .text("detections", d().map(|d| d.detections.as_deref().unwrap_or_default()))
            .to_bytes(&path)?;
        let held = match std::fs::read(&path) {
            Ok(held) => sha256(&held),
            Err(_) => Digest::new(),
        };
        let new = sha256(&bytes);
        make_folder(&self.root)?;
        self.index.decisions.insert(org.to_owned(), BTreeSet::from([held, new.clone()]));
        self.write_index()?;
        write_atomically(&path, &bytes)?;
        self.index.decisions.insert(org.to_owned(), BTreeSet::from([new]));
        self.write_index()
    }

    /// The digests that the file of decisions may have; none where the index is of an earlier version.
    pub(super) fn decisions_digests(&self, org: &str) -> Vec<&str> {
        self.index.decisions.get(org).into_iter().flatten().map(String::as_str).collect()
    }

    /// Reads every decision on tokens of `org`, in the order they came.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn decisions(&self, org: &str) -> Result<Vec<Decision>, LakeError> {
        let path = self.decisions_file(org);
        digest::check(&path, &self.decisions_digests(org))?;
        if !path.exists() {
            return Ok(Vec::new());
        }
        const TEXTS: [&str; 14] = [
            "token_id",
            "decision",
            "reviewer",
            "reason",
            "state",
            "owner",
            "owner_state",
            "scopes",
            "owner_name",
            "orgs",
            "proposed",
            "reduced",
            "state_mark",
            "detections",
        ];
        const TIMES: [&str; 4] = ["decided_on", "end_date", "seen_until", "valid_to"];
        const FLAGS: [&str; 6] =
            ["grant_known", "all_orgs", "leaked", "proposed_known", "reduced_known", "detections_known"];
        let table = Table::read(&path, &[&TEXTS[..], &TIMES, &FLAGS].concat())?;
        let damaged = |why: &str| LakeError::Damaged { path: path.clone(), why: why.to_owned() };
        let [
            token_id,
            choice,
            reviewer,
            reason,
            state,
            owner,
            owner_state,
            scopes,
            owner_name,
            orgs,
            proposed,
            reduced,
            mark,
            detections,
        ] = TEXTS.map(|n| table.cells(n));
        let [decided_on, end_date, seen_until, valid_to] = TIMES.map(|n| table.known_ints(n));
        let [grant_known, all_orgs, leaked, proposed_known, reduced_known, detections_known] =
            FLAGS.map(|n| table.known_flags(n));
        let listed = |known: Option<bool>, text: &str| (known == Some(true)).then(|| text.to_owned());
        let day = |n: Option<i64>| n.and_then(|n| Day::try_from(n).ok());
        (0..table.height())
            .map(|i| {
                Ok(Decision {
                    // The folder names the organisation, also after it got another name.
                    org: org.to_owned(),
                    token_id: token_id[i].to_owned(),
                    choice: choice[i]
                        .parse::<Choice>()
                        .map_err(|_| damaged("it holds a decision of no known kind"))?,
                    reviewer: reviewer[i].to_owned(),
                    decided_on: day(decided_on[i]).ok_or_else(|| damaged("a decision has no day"))?,
                    reason: reason[i].to_owned(),
                    end_date: day(end_date[i]),
                    seen_until: seen_until[i].unwrap_or_default(),
                    detections: listed(detections_known[i], detections[i]),
                    state: Fixed {
                        state: state[i].to_owned(),
                        owner: owner[i].to_owned(),
                        owner_state: owner_state[i].to_owned(),
                        scopes: listed(grant_known[i], scopes[i]),
                        all_orgs: all_orgs[i],
                        valid_to: valid_to[i],
                        leaked: leaked[i] == Some(true),
                        owner_name: owner_name[i].to_owned(),
                        orgs: orgs[i].to_owned(),
                        proposed: listed(proposed_known[i], proposed[i]),
                        reduced: listed(reduced_known[i], reduced[i]),
                        mark: mark[i].to_owned(),
                        ended_at: None,
                        owner_aliases: Vec::new(),
                    },
                })
            })
            .collect()
    }

    /// Copies the decisions of an organisation that got another name, those that are not there yet.
    pub(super) fn copy_decisions(&mut self, old: &str, new: &str) -> Result<(), LakeError> {
        let moved: Vec<Decision> =
            self.decisions(old)?.into_iter().map(|d| Decision { org: new.to_owned(), ..d }).collect();
        if moved.is_empty() {
            return Ok(());
        }
        let mut held = self.decisions(new)?;
        // A killed import may have copied the first of them already.
        let ends_with = |n: &usize| held.ends_with(&moved[..*n]);
        let done = (0..=moved.len()).rev().find(ends_with).unwrap_or_default();
        if done < moved.len() {
            held.extend_from_slice(&moved[done..]);
            self.write_decisions(new, &held)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(token: &str, day: Day) -> Decision {
        Decision {
            org: "o".into(),
            token_id: token.into(),
            choice: Choice::Keep,
            reviewer: "ann".into(),
            decided_on: day,
            reason: "=1, \"quoted\"\nand more".into(),
            end_date: (day % 2 == 0).then_some(day + 30),
            seen_until: 123_456,
            detections: (day % 2 == 0).then(|| "PAT-H001 PAT-U002".into()),
            state: Fixed {
                state: "active".into(),
                scopes: (day % 2 == 0).then(String::new),
                owner_name: "ann@x.example".into(),
                orgs: "+ o".into(),
                proposed: Some(String::new()),
                reduced: (day % 2 == 0).then(|| "vso.code".into()),
                mark: "state-1".into(),
                ..Fixed::default()
            },
        }
    }

    #[test]
    fn decisions_come_back_in_order_and_repeats_add_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let mut lake = Lake::open(folder.path()).expect("lake");
        assert_eq!(lake.decisions("o").expect("none"), []);
        let (a, b) = (decision("t", 10), decision("t", 9));
        assert_eq!(lake.add_decisions(&[a.clone(), decision("u", 10)]).expect("written"), 2);
        assert_eq!(lake.add_decisions(std::slice::from_ref(&a)).expect("written"), 0);
        assert_eq!(
            lake.add_decisions(&[b.clone(), a.clone()]).expect("written"),
            2,
            "a is no longer the newest"
        );
        assert_eq!(lake.decisions("o").expect("held"), [a.clone(), decision("u", 10), b, a.clone()]);
        lake.copy_decisions("o", "p").expect("copied");
        assert_eq!(lake.decisions("p").expect("held")[0], Decision { org: "p".into(), ..a.clone() });
        // What was decided after a copy that was cut short follows it, and nothing comes twice.
        lake.add_decisions(&[decision("v", 11)]).expect("written");
        lake.copy_decisions("o", "p").expect("copied");
        lake.copy_decisions("o", "p").expect("copied");
        let tokens =
            |org| lake.decisions(org).expect("held").into_iter().map(|d| d.token_id).collect::<Vec<_>>();
        assert_eq!((tokens("p"), tokens("o").len()), (tokens("o"), 5));
    }
}
