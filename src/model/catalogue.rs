//! The catalogue: actions, scopes, what includes what, and which action needs which scope.
//!
//! In: the CSV files of `queries/catalogue`, compiled in. Out: look-ups. Each fact carries how certain it is.

use super::verdict::Visibility;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// How sure it is that an action needs a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// No public call is known.
    Unknown,
    /// A guess.
    Guess,
    /// Inferred from neighbours.
    Inferred,
    /// The REST specification says so.
    Documented,
}

/// One action of the audit log.
#[derive(Debug, Clone)]
pub struct ActionInfo {
    /// Action id.
    pub action: String,
    /// Area as the documentation groups it; real events may differ.
    pub area: String,
    /// Category.
    pub category: String,
    /// One line.
    pub description: String,
    /// Any one of these suffices; empty when no scope is known to give it.
    pub any_of: Vec<String>,
    /// Whether the service itself normally raises it, so that it proves no scope.
    pub system: bool,
    /// How sure the scope is.
    pub certainty: Certainty,
}

/// One scope.
#[derive(Debug, Clone)]
pub struct ScopeInfo {
    /// Scope string.
    pub scope: String,
    /// The heading of the portal's form that it stands under.
    pub category: String,
    /// The line of the portal's form.
    pub title: String,
    /// Scopes it includes, itself left out, nearest first.
    pub includes: Vec<String>,
    /// read, write, execute, use, manage or full.
    pub access: String,
    /// Whether Microsoft's table marks it as high privilege.
    pub high_privilege: bool,
    /// How much of its use the log shows.
    pub visibility: Visibility,
    /// Operations it allows that leave no trace, as examples.
    pub unseen_operations: Vec<String>,
    /// Why the visibility is what it is.
    pub why: String,
}

/// The whole catalogue.
#[derive(Debug)]
pub struct Catalogue {
    /// By action id.
    pub actions: BTreeMap<String, ActionInfo>,
    /// By scope string.
    pub scopes: BTreeMap<String, ScopeInfo>,
}

/// Returns the catalogue that is compiled in.
#[must_use]
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::load);
    &CATALOGUE
}

/// The CSV files as compiled in, by file name.
pub const FILES: &[(&str, &str)] = &[
    ("actions.csv", include_str!("../../queries/catalogue/actions.csv")),
    ("action-scopes.csv", include_str!("../../queries/catalogue/action-scopes.csv")),
    ("scopes.csv", include_str!("../../queries/catalogue/scopes.csv")),
    ("visibility.csv", include_str!("../../queries/catalogue/visibility.csv")),
    ("clients.csv", include_str!("../../queries/catalogue/clients.csv")),
];

/// Reads one of [`FILES`] as rows of named fields; a missing column reads as empty.
fn rows(name: &str) -> Vec<BTreeMap<String, String>> {
    let text = FILES.iter().find(|(file, _)| *file == name).map_or("", |(_, text)| text);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().filter_map(Result::ok).collect()
}

impl Catalogue {
    fn load() -> Self {
        let visibility: BTreeMap<String, BTreeMap<String, String>> =
            rows("visibility.csv").into_iter().map(|row| (row["scope"].clone(), row)).collect();
        let scopes = rows("scopes.csv")
            .into_iter()
            .map(|row| {
                let scope = row["scope"].clone();
                let seen = visibility.get(&scope);
                let info = ScopeInfo {
                    category: row["category"].clone(),
                    title: row["name"].clone(),
                    includes: row["includes_all"].split_whitespace().map(str::to_owned).collect(),
                    access: row["access_level"].clone(),
                    high_privilege: row["high_privilege"] == "yes",
                    visibility: seen
                        .and_then(|s| s["visibility"].parse().ok())
                        .unwrap_or(Visibility::Unknown),
                    unseen_operations: seen
                        .map(|s| {
                            s["examples_without"]
                                .split("; ")
                                .filter(|o| !o.is_empty())
                                .map(str::to_owned)
                                .collect()
                        })
                        .unwrap_or_default(),
                    why: seen.map(|s| s["why"].clone()).unwrap_or_default(),
                    scope: scope.clone(),
                };
                (scope, info)
            })
            .collect();
        let mut actions: BTreeMap<String, ActionInfo> = rows("actions.csv")
            .into_iter()
            .map(|row| {
                let info = ActionInfo {
                    action: row["action_id"].clone(),
                    area: row["area"].clone(),
                    category: row["category"].clone(),
                    description: row["description"].clone(),
                    any_of: Vec::new(),
                    system: false,
                    certainty: Certainty::Unknown,
                };
                (row["action_id"].clone(), info)
            })
            .collect();
        for row in rows("action-scopes.csv") {
            let Some(info) = actions.get_mut(&row["action_id"]) else { continue };
            info.any_of = row["least_scope"]
                .split('|')
                .map(str::trim)
                .filter(|s| !matches!(*s, "" | "none" | "unknown"))
                .map(str::to_owned)
                .collect();
            info.system = row["actor_kind"].contains("system");
            info.certainty = match row["certainty"].as_str() {
                "documented" => Certainty::Documented,
                "inferred" => Certainty::Inferred,
                "guess" => Certainty::Guess,
                _ => Certainty::Unknown,
            };
        }
        Self { actions, scopes }
    }

    /// Returns the action, ignoring case, or the nearest one whose id is a prefix of it
    /// (`Git.RepositoryCreated.V2` maps to `Git.RepositoryCreated`); new ids appear every month.
    #[must_use]
    pub fn action(&self, action: &str) -> Option<&ActionInfo> {
        if let Some(info) = self.actions.get(action) {
            return Some(info);
        }
        if let Some((_, info)) = self.actions.iter().find(|(id, _)| id.eq_ignore_ascii_case(action)) {
            return Some(info);
        }
        let mut head = action;
        while let Some((shorter, _)) = head.rsplit_once('.') {
            head = shorter;
            if let Some(info) = self.actions.get(head) {
                return Some(info);
            }
        }
        None
    }

    /// Tells whether holding `granted` gives `needed`: the same scope, one that includes it, or full access.
    #[must_use]
    pub fn gives(&self, granted: &str, needed: &str) -> bool {
        granted == needed
            || super::token::is_full_scope(granted)
            || self.scopes.get(granted).is_some_and(|s| s.includes.iter().any(|i| i == needed))
    }

    /// Returns how much of a scope's use the log shows.
    #[must_use]
    pub fn visibility(&self, scope: &str) -> Visibility {
        self.scopes.get(scope).map_or(Visibility::Unknown, |s| s.visibility)
    }

    /// Drops scopes that another of the set includes, and sorts.
    #[must_use]
    pub fn least(&self, scopes: &BTreeSet<String>) -> Vec<String> {
        scopes
            .iter()
            .filter(|s| !scopes.iter().any(|other| other != *s && self.gives(other, s)))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_everything() {
        let c = catalogue();
        assert_eq!(c.actions.len(), 246);
        assert_eq!(c.scopes.len(), 89);
        assert!(c.gives("vso.code_full", "vso.profile"));
        assert!(c.gives("app_token", "vso.graph_manage"));
        assert!(!c.gives("vso.code", "vso.code_write"));
        assert_eq!(c.visibility("vso.variablegroups_manage"), Visibility::Full);
        assert!(c.scopes["vso.code_manage"].high_privilege);
        let needs = c.action("Library.VariableGroupCreated").expect("known");
        assert_eq!(needs.any_of, ["vso.variablegroups_write", "vso.variablegroups_manage"]);
        assert_eq!(c.action("git.repositorycreated").expect("case").action, "Git.RepositoryCreated");
        assert_eq!(c.action("Git.RepositoryCreated.V2").expect("prefix").action, "Git.RepositoryCreated");
        assert!(c.action("Brand.New").is_none());
    }
}
