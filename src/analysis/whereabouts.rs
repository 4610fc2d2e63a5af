//! Where each token was seen, until when, and for which part of its life the log is held.
//!
//! In: tokens, what events show of each, and the coverage of the run's organisations. Out: one [`Whereabouts`] a
//! token. Every sentence that speaks of silence takes its bounds from here: one secret may work in several
//! organisations, and a log ends where it ends.

use super::usage::Seen;
use crate::model::coverage::Coverage;
use crate::model::time::{DAY, Micros};
use crate::model::token::Token;
use std::collections::BTreeSet;

/// The bounds of what is known of one token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// Last event that the lake holds, in any organisation of the run.
    pub last_anywhere: Option<Micros>,
    /// Other organisations of the run where the lake holds an event of it.
    pub seen_ever_in: Vec<String>,
    /// Until when the log is held, in the organisation it reaches whose log ends first.
    pub held_until: Option<Micros>,
    /// Whether the log is held without a gap from its creation to the run's instant, in every organisation that it
    /// can reach; false where its reach is not known.
    pub held_whole: bool,
}

/// Works the bounds out for every token; `siblings` has the rows of one token in all organisations of the run.
#[must_use]
pub(super) fn judge(
    tokens: &[Token],
    seen: &[Seen],
    siblings: &[Vec<usize>],
    coverage: &[Coverage],
    as_of: Micros,
) -> Vec<Whereabouts> {
    tokens
        .iter()
        .enumerate()
        .map(|(i, token)| one(token, i, tokens, seen, &siblings[i], coverage, as_of))
        .collect()
}

fn one(
    token: &Token,
    at: usize,
    tokens: &[Token],
    seen: &[Seen],
    siblings: &[usize],
    coverage: &[Coverage],
    as_of: Micros,
) -> Whereabouts {
    let elsewhere: BTreeSet<&String> = siblings
        .iter()
        .filter(|s| **s != at && seen[**s].last_ever.is_some())
        .map(|s| &tokens[*s].org)
        .collect();
    let reached: BTreeSet<&String> =
        siblings.iter().map(|s| &tokens[*s].org).chain(&token.other_orgs).chain([&token.org]).collect();
    let held: Vec<Option<&Coverage>> =
        reached.iter().map(|org| coverage.iter().find(|c| c.org == **org)).collect();
    let whole = |held: &Option<&Coverage>| {
        let (Some(held), Some(from)) = (held, token.valid_from) else { return false };
        // The last day may still be under way.
        held.span.from <= from && held.span.to >= as_of - DAY && held.gaps.iter().all(|g| g.span.to <= from)
    };
    Whereabouts {
        last_anywhere: siblings.iter().filter_map(|s| seen[*s].last_ever).max(),
        seen_ever_in: elsewhere.into_iter().cloned().collect(),
        held_until: held
            .iter()
            .map(|c| c.map_or(Micros::MIN, |c| c.span.to))
            .min()
            .filter(|t| *t > Micros::MIN),
        held_whole: token.all_orgs == Some(false) && !token.reaches_unseen_orgs && held.iter().all(whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::{coverage, token};
    use crate::model::coverage::Gap;
    use crate::model::time::Span;

    fn alone(token: Token, held: Coverage, as_of: Micros) -> Whereabouts {
        judge(&[token], &[Seen::default()], &[vec![0]], &[held], as_of).remove(0)
    }

    #[test]
    fn a_life_is_held_whole_only_to_the_instant_and_everywhere() {
        let t = || Token { valid_from: Some(5 * DAY), ..token("vso.code") };
        assert!(alone(t(), coverage(60), 60 * DAY).held_whole);
        let late = alone(t(), coverage(60), 95 * DAY);
        assert!(!late.held_whole, "the log ends 35 days before");
        assert_eq!(late.held_until, Some(60 * DAY));
        assert!(!alone(Token { valid_from: Some(-DAY), ..t() }, coverage(60), 60 * DAY).held_whole);
        assert!(
            !alone(Token { all_orgs: None, ..t() }, coverage(60), 60 * DAY).held_whole,
            "its reach is not known"
        );
        assert!(!alone(Token { reaches_unseen_orgs: true, ..t() }, coverage(60), 60 * DAY).held_whole);
        assert!(!alone(Token { other_orgs: vec!["p".into()], ..t() }, coverage(60), 60 * DAY).held_whole);
        let gap = |from, to| Gap { span: Span { from: from * DAY, to: to * DAY }, reason: "quiet".into() };
        assert!(!alone(t(), Coverage { gaps: vec![gap(9, 10)], ..coverage(60) }, 60 * DAY).held_whole);
        assert!(alone(t(), Coverage { gaps: vec![gap(3, 5)], ..coverage(60) }, 60 * DAY).held_whole);
    }

    #[test]
    fn what_a_token_did_elsewhere_is_known_here() {
        let here = token("vso.code");
        let there = Token { org: "p".into(), ..token("vso.code") };
        let seen = [Seen::default(), Seen { last_ever: Some(7), ..Seen::default() }];
        let held = [coverage(60), Coverage { org: "p".into(), ..coverage(50) }];
        let found = judge(&[here, there], &seen, &[vec![0, 1], vec![0, 1]], &held, 60 * DAY);
        assert_eq!((found[0].last_anywhere, &found[0].seen_ever_in[..]), (Some(7), &["p".to_owned()][..]));
        assert_eq!(found[1].seen_ever_in, Vec::<String>::new());
        assert_eq!(found[0].held_until, Some(50 * DAY));
    }
}
