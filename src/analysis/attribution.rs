//! Credential to token: exact, by unique prefix, ambiguous, or seen only.
//!
//! In: the tokens that are known and the credentials that events show. Out: for each credential the token it
//! is, or the tokens it could be. Only the mechanism decides: an event *about* a token is no use *by* it.

use crate::model::mechanism::{JOIN_DIGITS, hex_digits};
use std::collections::{BTreeMap, BTreeSet};

/// A credential as events of one organisation show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Organisation.
    pub org: String,
    /// Visible part of the authorizationId, lower case; empty when the mechanism shows none.
    pub visible: String,
    /// Storage keys or names of those who used it: the owners, since a PAT acts as its owner.
    pub actors: BTreeSet<String>,
}

/// A token that a credential could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Organisation that lists it.
    pub org: String,
    /// authorizationId.
    pub token_id: String,
    /// Owner: storage key and label.
    pub owner: Vec<String>,
    /// Reaches every organisation.
    pub all_orgs: bool,
    /// Organisations it targets, by name.
    pub targets: BTreeSet<String>,
}

text_enum! {
    /// How a credential was joined.
    How {
        /// The whole id is visible.
        Exact = "exact",
        /// The visible part is the beginning of exactly one known id.
        Prefix = "prefix",
        /// It could be several.
        Ambiguous = "ambiguous",
        /// No known token begins with it: the credential itself is all that is known of the token.
        Unknown = "unknown",
    }
}

/// What became of one credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// Organisation.
    pub org: String,
    /// Visible part.
    pub visible: String,
    /// How it was joined.
    pub how: How,
    /// The token, unless ambiguous.
    pub token_id: Option<String>,
    /// The organisation whose list knows the token, where it is not this one.
    pub listed_in: Option<String>,
    /// What it could be, where ambiguous.
    pub candidates: Vec<String>,
}

/// Joins every credential.
///
/// The organisation's own tokens are searched first, then tokens that other organisations list and that are
/// global or target this one. Longer credentials are joined first, so that a shorter cut of the same unknown
/// token finds it.
#[must_use]
pub fn attribute(known: &[Known], credentials: &[Credential]) -> Vec<Attribution> {
    let mut by_org: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut reaching: BTreeMap<&str, Vec<&Known>> = BTreeMap::new();
    let orgs: BTreeSet<&str> =
        credentials.iter().map(|c| c.org.as_str()).chain(known.iter().map(|k| k.org.as_str())).collect();
    for token in known {
        by_org.entry(&token.org).or_default().insert(&token.token_id);
        for org in &orgs {
            if *org != token.org && (token.all_orgs || token.targets.contains(*org)) {
                reaching.entry(org).or_default().push(token);
            }
        }
    }
    let mut homes: BTreeMap<&str, &str> = BTreeMap::new();
    for token in known {
        homes.entry(&token.token_id).or_insert(&token.org);
    }
    let mut order: Vec<&Credential> = credentials.iter().collect();
    order.sort_by(|a, b| {
        (&a.org, std::cmp::Reverse(a.visible.len()), &a.visible).cmp(&(
            &b.org,
            std::cmp::Reverse(b.visible.len()),
            &b.visible,
        ))
    });
    let mut found: Vec<Attribution> = Vec::with_capacity(order.len());
    for credential in order {
        let own = by_org.entry(&credential.org).or_default();
        let attribution = if credential.visible.is_empty() {
            by_owner(known, credential)
        } else {
            let others = reaching.get(credential.org.as_str()).map_or(&[][..], Vec::as_slice);
            let attribution = by_id(own, others, &homes, credential);
            if attribution.token_id.as_deref() == Some(credential.visible.as_str()) {
                own.insert(&credential.visible);
            }
            attribution
        };
        found.push(attribution);
    }
    found.sort_by(|a, b| (&a.org, &a.visible).cmp(&(&b.org, &b.visible)));
    found
}

fn by_id(
    own: &BTreeSet<&str>,
    others: &[&Known],
    homes: &BTreeMap<&str, &str>,
    credential: &Credential,
) -> Attribution {
    let visible = credential.visible.as_str();
    let base = Attribution {
        org: credential.org.clone(),
        visible: visible.to_owned(),
        how: How::Unknown,
        token_id: Some(visible.to_owned()),
        listed_in: None,
        candidates: Vec::new(),
    };
    let starting = |set: &BTreeSet<&str>| -> Vec<String> {
        set.range(visible..).take_while(|id| id.starts_with(visible)).map(|id| (*id).to_owned()).collect()
    };
    let mut matches = starting(own);
    let mut listed_in = None;
    let whole = visible.len() == 36;
    // A whole id is the same token wherever it is known, whether or not a list says that it reaches this organisation.
    if matches.is_empty()
        && let Some(home) = homes.get(visible).filter(|_| whole)
    {
        listed_in = Some((*home).to_owned());
        matches = vec![visible.to_owned()];
    }
    if matches.is_empty() {
        let elsewhere: BTreeMap<&str, &str> = others
            .iter()
            .filter(|t| t.token_id.starts_with(visible))
            .map(|t| (t.token_id.as_str(), t.org.as_str()))
            .collect();
        listed_in = elsewhere.values().next().map(|org| (*org).to_owned());
        matches = elsewhere.into_keys().map(str::to_owned).collect();
    }
    match matches.as_slice() {
        [] => Attribution { how: if whole { How::Exact } else { How::Unknown }, ..base },
        [only] if whole => Attribution { how: How::Exact, token_id: Some(only.clone()), listed_in, ..base },
        [only] if hex_digits(visible) >= JOIN_DIGITS => {
            Attribution { how: How::Prefix, token_id: Some(only.clone()), listed_in, ..base }
        }
        // Too short to join even to a single token: another one may begin alike.
        several => Attribution { how: How::Ambiguous, token_id: None, candidates: several.to_vec(), ..base },
    }
}

/// A PAT event without any id could be any PAT of the person who made it.
fn by_owner(known: &[Known], credential: &Credential) -> Attribution {
    let candidates: BTreeSet<String> = known
        .iter()
        .filter(|t| t.org == credential.org || t.all_orgs || t.targets.contains(&credential.org))
        .filter(|t| t.owner.iter().any(|o| credential.actors.contains(o)))
        .map(|t| t.token_id.clone())
        .collect();
    Attribution {
        org: credential.org.clone(),
        visible: String::new(),
        how: How::Ambiguous,
        token_id: None,
        listed_in: None,
        candidates: candidates.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaa-0000-1111-2222-333333333333";
    const B: &str = "aaaaaaaa-0000-1111-2222-333333334444";

    fn known(org: &str, id: &str, all_orgs: bool) -> Known {
        Known {
            org: org.into(),
            token_id: id.into(),
            owner: vec!["u1".into()],
            all_orgs,
            targets: BTreeSet::new(),
        }
    }

    fn one(known: &[Known], org: &str, visible: &str) -> Attribution {
        let credential =
            Credential { org: org.into(), visible: visible.into(), actors: BTreeSet::from(["u1".into()]) };
        attribute(known, &[credential]).remove(0)
    }

    #[test]
    fn exact_prefix_ambiguous_unknown() {
        let tokens = [known("o", A, false), known("o", B, false)];
        assert_eq!(one(&tokens, "o", A).how, How::Exact);
        assert_eq!(one(&tokens, "o", &A[..34]).token_id.as_deref(), Some(A));
        let cut = one(&tokens, "o", &A[..28]);
        assert_eq!((cut.how, cut.token_id, cut.candidates.len()), (How::Ambiguous, None, 2));
        let short = one(&tokens[..1], "o", &A[..12]);
        assert_eq!((short.how, short.candidates), (How::Ambiguous, vec![A.to_owned()]));
        let seen = one(&tokens, "o", "bbbbbbbb-0000-1111-2222-3333333333");
        assert_eq!(
            (seen.how, seen.token_id.as_deref()),
            (How::Unknown, Some("bbbbbbbb-0000-1111-2222-3333333333"))
        );
    }

    #[test]
    fn own_tokens_come_before_global_ones() {
        let tokens = [known("o", A, false), known("p", B, true)];
        assert_eq!(one(&tokens, "o", &A[..28]).token_id.as_deref(), Some(A));
        let elsewhere = one(&tokens[1..], "o", &B[..28]);
        assert_eq!((elsewhere.token_id.as_deref(), elsewhere.listed_in.as_deref()), (Some(B), Some("p")));
        assert_eq!(one(&[known("p", B, false)], "o", &B[..28]).how, How::Unknown);
        let whole = one(&[known("p", B, false)], "o", B);
        assert_eq!(
            (whole.how, whole.listed_in.as_deref()),
            (How::Exact, Some("p")),
            "a whole id is the same token"
        );
    }

    #[test]
    fn without_an_id_any_token_of_the_person_is_a_candidate() {
        let tokens = [known("o", A, false), known("o", B, false)];
        assert_eq!(one(&tokens, "o", "").candidates.len(), 2);
    }

    #[test]
    fn a_shorter_cut_of_an_unknown_token_joins_the_longer() {
        let credentials = [&A[..28], &A[..34]].map(|v| Credential {
            org: "o".into(),
            visible: v.into(),
            actors: BTreeSet::new(),
        });
        let found = attribute(&[], &credentials);
        assert!(found.iter().all(|f| f.token_id.as_deref() == Some(&A[..34])), "{found:?}");
    }
}
