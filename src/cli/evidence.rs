//! What a run had to judge by, and what its detections are made of, for the manifest and for later comparisons.
//!
//! In: the inputs of the analysis, the pack. Out: one [`Evidence`] an organisation, and a digest a detection.

use crate::analysis::run::Inputs;
use crate::config::Config;
use crate::engine::pack::{Detection, Pack};
use crate::model::hash::sha256;
use crate::model::inventory::UserRow;
use crate::model::policy::Policy;
use crate::model::time::format_time;
use crate::report::evidence::Evidence;
use std::collections::{BTreeMap, BTreeSet};

/// The evidence on each organisation; which days are covered, the analysis says.
pub(super) fn evidence(inputs: &Inputs<'_>, orgs: &[String]) -> Vec<Evidence> {
    orgs.iter().map(|org| of_org(inputs, org)).collect()
}

fn of_org(inputs: &Inputs<'_>, org: &str) -> Evidence {
    let mut evidence = Evidence { org: org.to_owned(), ..Evidence::default() };
    if let Some(inventory) = inputs.inventories.get(org) {
        evidence.inventory_taken = Some(format_time(inventory.taken()));
        evidence.inventory_complete = inventory.is_complete();
        // Files do not say whom they list, so those who have a token are counted.
        let owners: BTreeSet<&str> =
            inventory.rows().into_iter().filter_map(|row| row.user_id.as_deref()).collect();
        evidence.users_listed = inventory.users_listed.max(owners.len() as u64);
    }
    let users = || inputs.users.get(org).into_iter().flatten().map(|(_, user)| user);
    let count = |fits: &dyn Fn(&UserRow) -> bool| {
        let fitting = users().filter(|u| fits(u));
        fitting.map(|u| (&u.descriptor, &u.storage_key, &u.upn)).collect::<BTreeSet<_>>().len() as u64
    };
    evidence.users = count(&|_| true);
    evidence.user_states = count(&|u| u.state.is_some());
    evidence.last_access = count(&|u| u.last_access.is_some());
    if let Some((spans, rows)) = inputs.usage.get(org) {
        evidence.set_usage(spans);
        let people: BTreeSet<&str> = rows
            .iter()
            .map(|r| if r.user_id.is_empty() { r.user.as_str() } else { r.user_id.as_str() })
            .collect();
        evidence.usage_users = people.len() as u64;
    }
    if let Some(held) = inputs.held.get(org) {
        evidence.set_log(held.days.iter().map(|d| (d.day, d.rows)).collect());
    }
    evidence
}

/// Thresholds that the verdicts on a token use, whatever a query says.
const OF_VERDICTS: [&str; 1] = ["min_covered_days"];

/// What each detection is made of: its file, the thresholds and places that it uses, and what it counts.
pub(super) fn digests(
    pack: &Pack,
    config: &Config,
    policy: &Policy,
    geo: &[&str],
) -> BTreeMap<String, String> {
    let policy = serde_json::to_value(policy).unwrap_or_default();
    let digest = |d: &Detection| {
        let reads = |table: &str| d.tables.iter().any(|t| t == table);
        let judges = reads("tokens") || reads("token_scopes");
        let mut text = d.sql.clone();
        if let Some(severity) = d.set_severity {
            text.push_str(&format!("\0severity={severity}"));
        }
        for (name, value) in policy.as_object().into_iter().flatten() {
            if d.sql.contains(&format!("policy.{name}")) || judges && OF_VERDICTS.contains(&name.as_str()) {
                text.push_str(&format!("\0{name}={value}"));
            }
        }
        if reads("places") {
            text.push_str(&format!("\0{}\0{}", config.networks.join(" "), geo.join(" ")));
        }
        sha256(text.as_bytes())[..16].to_owned()
    };
    let own: BTreeMap<&str, String> =
        pack.detections.iter().map(|d| (d.meta.id.as_str(), digest(d))).collect();
    let with_counted = |d: &Detection| {
        let mut digests: Vec<&str> = vec![own[d.meta.id.as_str()].as_str()];
        digests.extend(d.counts.iter().filter_map(|id| own.get(id.as_str())).map(String::as_str));
        match digests.as_slice() {
            [only] => (*only).to_owned(),
            all => sha256(all.join(" ").as_bytes())[..16].to_owned(),
        }
    };
    pack.detections.iter().map(|d| (d.meta.id.clone(), with_counted(d))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_changes_the_detections_that_use_it_and_no_others() {
        let (pack, config) = (Pack::builtin().expect("the pack"), Config::default());
        let of = |policy: &Policy| digests(&pack, &config, policy, &[]);
        let before = of(&Policy::default());
        assert_eq!(before.len(), pack.detections.len());
        let after = of(&Policy { max_lifetime_days: 91, ..Policy::default() });
        let changed: Vec<&str> =
            before.iter().filter(|(id, digest)| after[*id] != **digest).map(|(id, _)| id.as_str()).collect();
        assert!(!changed.is_empty() && changed.len() < 10, "{changed:?}");
        let geo = digests(&pack, &config, &Policy::default(), &["a database"]);
        assert!(geo != before && geo.iter().any(|(id, digest)| before[id] == *digest));
    }
}
