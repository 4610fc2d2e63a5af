//! The visibility table, rebuilt from the tables that it is derived from: REST operations with the scopes they
//! ask, and audit actions with the calls that raise them.
//!
//! What can be counted is counted anew and must agree; the grade itself is bounded by the counts, since between
//! `mostly` and `partial` stands a judgement that the column `why` argues.

use crate::support::root;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

type Row = BTreeMap<String, String>;

/// The folder of reference tables, which is not part of the repository.
fn reference() -> Option<PathBuf> {
    ["../shared/reference", "../../shared/reference"]
        .map(|p| root().join(p))
        .into_iter()
        .find(|p| p.join("scope-visibility.csv").exists())
}

fn rows(path: &std::path::Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    reader.deserialize().collect::<Result<_, _>>().expect("rows")
}

/// Method and path of a call, without organisation and project and with every place-holder alike.
fn call(method: &str, path: &str) -> (String, String) {
    let from = path.find("/_apis").unwrap_or(0);
    let mut plain = String::new();
    let mut inside = false;
    for c in path[from..].chars() {
        match c {
            '{' => {
                inside = true;
                plain.push_str("{}");
            }
            '}' => inside = false,
            _ if inside => {}
            c => plain.extend(c.to_lowercase()),
        }
    }
    (method.to_owned(), plain)
}

/// An operation, where one is named, with the scopes of which any will do.
type Need = (Option<(String, String)>, BTreeSet<String>);

/// Calls and scopes of an action's evidence, such as `POST /a/{b} -> vso.x; DELETE /a -> vso.y`.
fn evidence(row: &Row) -> Vec<Need> {
    row["evidence"]
        .split(';')
        .filter_map(|part| part.split_once(" -> "))
        .map(|(left, scopes)| {
            let made = left.trim().split_once(' ').filter(|(m, _)| m.chars().all(char::is_uppercase));
            (made.map(|(m, p)| call(m, p.trim())), scopes.split('|').map(|s| s.trim().to_owned()).collect())
        })
        .collect()
}

#[test]
#[allow(clippy::print_stderr, reason = "a skipped check must say so")]
fn the_visibility_table_is_rebuilt_from_operations_and_actions() {
    let Some(folder) = reference() else {
        eprintln!("skipped: the folder of reference tables is not beside the project");
        return;
    };
    let operations = rows(&folder.join("rest-operation-scopes.csv"));
    let actions = rows(&folder.join("action-scope.csv"));
    let access: BTreeMap<String, String> = rows(&folder.join("pat-scopes.csv"))
        .into_iter()
        .map(|r| (r["scope"].clone(), r["access_level"].clone()))
        .collect();
    let raised: BTreeSet<(String, String)> =
        actions.iter().flat_map(evidence).filter_map(|(call, _)| call).collect();
    let mut faults = Vec::new();
    let table = rows(&folder.join("scope-visibility.csv"));
    for row in &table {
        let scope = &row["scope"];
        let mut check = |what: &str, counted: String| {
            if row[what] != counted {
                faults.push(format!("{scope}: {what} is {} and counts to {counted}", row[what]));
            }
        };
        let needing: Vec<&Row> =
            operations.iter().filter(|o| o["scopes_any_of"].split('|').any(|s| s == scope)).collect();
        let unseen: Vec<&&Row> =
            needing.iter().filter(|o| !raised.contains(&call(&o["method"], &o["path"]))).collect();
        check("operations_needing_it", needing.len().to_string());
        check("operations_without_known_action", unseen.len().to_string());
        // The scope that the first call asks, where the action's least scopes hold it; without a call, all of them.
        let audited = actions.iter().filter(|a| {
            let least = a["least_scope"].split('|').any(|s| s.trim() == scope);
            least && evidence(a).first().is_none_or(|(_, scopes)| scopes.contains(scope))
        });
        let audited = audited.count();
        check("audited_actions", audited.to_string());
        if row["visibility"] != "none" {
            let examples: Vec<String> =
                unseen.iter().take(12).map(|o| format!("{} {}", o["method"], o["operation"])).collect();
            check("examples_without", examples.join("; "));
        }
        let (grade, why) = (row["visibility"].as_str(), row["why"].as_str());
        let read = access.get(scope).is_some_and(|a| a == "read");
        // Reading the audit log is the one read that the log records, and its label says "write" of no scope.
        let expected_none = audited == 0 || read && !scope.starts_with("vso.audit");
        if (grade == "none") != expected_none && !matches!(scope.as_str(), "user_impersonation") {
            faults.push(format!("{scope}: {grade}, with {audited} audited actions and access {read}"));
        }
        if grade == "full" && (unseen.len() > 1 || unseen.len() == 1 && !why.contains("inferred")) {
            faults.push(format!("{scope}: full, with {} operations that no action shows", unseen.len()));
        }
        if grade == "mostly"
            && (unseen.is_empty()
                || !why.contains(" not") && !why.contains("read") && !why.contains("inferred"))
        {
            faults.push(format!("{scope}: mostly, and the reason names no exception: {why}"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert_eq!(table.len(), access.len(), "every scope has a row");
    let copy = |name: &str| std::fs::read(root().join("queries/catalogue").join(name)).expect("catalogue");
    for (original, ours) in
        [("scope-visibility.csv", "visibility.csv"), ("action-scope.csv", "action-scopes.csv")]
    {
        let original = std::fs::read(folder.join(original)).expect("table");
        assert!(original == copy(ours), "queries/catalogue/{ours} is no copy of the reference table");
    }
}
