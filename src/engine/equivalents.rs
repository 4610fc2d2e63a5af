//! What the pack stands for: published rules, published attack scenarios, controls.
//!
//! In: the heads of the pack and two tables of the catalogue. Out: rows of text. A scenario that leaves no trace in
//! the log is named as invisible, since no rule over this log can find it.

use super::pack::Pack;
use std::collections::{BTreeMap, BTreeSet};

const KNOWN: &str = include_str!("../../queries/catalogue/known-detections.csv");
const OWN: &str = include_str!("../../queries/catalogue/own-detections.csv");
const CONTROLS: &str = include_str!("../../queries/catalogue/control-asks.csv");
const SCENARIOS: &str = include_str!("../../queries/catalogue/attack-scenarios.csv");

/// A table of text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Heading.
    pub title: String,
    /// Columns.
    pub columns: Vec<&'static str>,
    /// Rows.
    pub rows: Vec<Vec<String>>,
}

/// Returns the three tables: known rules, attack scenarios, controls.
#[must_use]
pub fn coverage(pack: &Pack) -> [Listing; 3] {
    let mut by_ref: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut by_control: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for detection in &pack.detections {
        for name in &detection.meta.equivalents {
            by_ref.entry(name).or_default().insert(&detection.meta.id);
        }
        for control in &detection.meta.controls {
            by_control.entry(control).or_default().insert(&detection.meta.id);
        }
    }
    let ids = |refs: &str| -> String {
        let found: BTreeSet<&str> =
            refs.split_whitespace().filter_map(|r| by_ref.get(r)).flatten().copied().collect();
        found.into_iter().collect::<Vec<_>>().join(" ")
    };
    let mut known = Listing {
        columns: vec!["rule", "name", "covered by", "a known defect of the original"],
        ..Listing::default()
    };
    for row in read(KNOWN) {
        let covered = ids(&row["ref"]);
        let covered = if covered.is_empty() { "not covered".to_owned() } else { covered };
        known.rows.push(vec![
            row["ref"].clone(),
            row["name"].clone(),
            covered,
            row["known_gap_or_flaw"].clone(),
        ]);
    }
    let published = known.rows.len();
    let held = known.rows.iter().filter(|r| r[2] != "not covered").count();
    known.title =
        format!("Published rules: {held} of {published} are covered; P1 to P17 are shipped by nobody else");
    for row in read(OWN) {
        let covered = ids(&row["ref"]);
        let covered = if covered.is_empty() { "not covered".to_owned() } else { covered };
        known.rows.push(vec![row["ref"].clone(), row["name"].clone(), covered, String::new()]);
    }
    let mut scenarios = Listing {
        columns: vec!["scenario", "group", "trace in the log", "covered by", "note"],
        ..Listing::default()
    };
    for row in read(SCENARIOS) {
        let covered = match (row["trace"].as_str(), ids(&row["refs"])) {
            ("none", _) => "invisible in this log".to_owned(),
            (_, ids) if ids.is_empty() => "not covered".to_owned(),
            (_, ids) => ids,
        };
        let cells = ["scenario", "group", "trace"].map(|c| row[c].clone());
        scenarios.rows.push(cells.into_iter().chain([covered, row["note"].clone()]).collect());
    }
    let invisible = scenarios.rows.iter().filter(|r| r[3].starts_with("invisible")).count();
    let covered = scenarios.rows.iter().filter(|r| r[3].starts_with("PAT-")).count();
    scenarios.title = format!(
        "Attack scenarios of IBM X-Force (2023): {covered} of {} are covered, {invisible} leave no trace",
        scenarios.rows.len()
    );
    let controls = Listing {
        title:
            "Controls that findings give evidence for; check the numbers of paid standards against your copy"
                .to_owned(),
        columns: vec!["control", "framework", "asks for", "detections"],
        rows: read(CONTROLS)
            .into_iter()
            .map(|row| {
                let ids = by_control.get(row["control"].as_str());
                let ids = ids.map(|ids| ids.iter().copied().collect::<Vec<_>>().join(" "));
                let ids = ids.unwrap_or_else(|| format!("none: {}", row["instead"]));
                vec![row["control"].clone(), row["framework"].clone(), row["asks"].clone(), ids]
            })
            .collect(),
    };
    [known, scenarios, controls]
}

fn read(text: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().filter_map(Result::ok).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_rule_and_scenario_is_accounted_for() {
        let pack = Pack::builtin().expect("pack");
        let [known, scenarios, controls] = coverage(&pack);
        assert_eq!((known.rows.len(), scenarios.rows.len()), (72 + 17, 25));
        for row in known.rows.iter().chain(&scenarios.rows) {
            assert!(!row.contains(&"not covered".to_owned()), "{row:?}");
        }
        assert_eq!(known.rows.iter().filter(|r| r[0].starts_with("SEN-")).count(), 36);
        assert_eq!(known.rows.iter().filter(|r| r[0].starts_with("AN-")).count(), 9);
        let invisible = scenarios.rows.iter().filter(|r| r[3].starts_with("invisible")).count();
        assert!(invisible > 0, "reads leave no trace, and that must be said");
        for row in &controls.rows {
            assert!(row[3] != "none: ", "nothing stands for {} and no reason is given", row[0]);
        }
        let listed: BTreeSet<&str> = controls.rows.iter().map(|r| r[0].as_str()).collect();
        for detection in &pack.detections {
            assert!(!detection.meta.controls.is_empty(), "{} names no control", detection.meta.id);
            for control in &detection.meta.controls {
                assert!(
                    listed.contains(control.as_str()),
                    "{}: {control} is not in control-asks.csv",
                    detection.meta.id
                );
            }
        }
        let refs: BTreeSet<String> =
            read(KNOWN).into_iter().chain(read(OWN)).map(|r| r["ref"].clone()).collect();
        for detection in &pack.detections {
            for name in &detection.meta.equivalents {
                assert!(refs.contains(name), "{} names {name}, which nobody published", detection.meta.id);
            }
        }
    }
}
