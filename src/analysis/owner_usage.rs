//! Usage records of a token's owner: they name the person and the kind of credential, never the token.
//!
//! In: the usage records of an organisation, its people, all tokens, who used PATs. Out: for each token the calls that its
//! owner made with PATs, those that fit the token, those that may be either, and how many tokens share them. Records are
//! sorted by person once, so that the cost grows with records and tokens, not with their product.

use super::people::People;
use super::usage::OwnerUsage;
use super::uses::CredentialUse;
use crate::model::identity::person_key;
use crate::model::inventory::UsageRow;
use crate::model::mechanism::{Mechanism, MechanismKind};
use crate::model::time::{Micros, Span, Window};
use crate::model::token::Token;
use hashbrown::{HashMap, HashSet};

/// The usage records of one organisation, by person.
pub(super) struct Records<'a> {
    spans: &'a [Span],
    window: Window,
    people: Option<&'a People>,
    of_person: HashMap<String, OfPerson<'a>>,
    /// Some record names nobody by id, so nobody is known to be missing.
    has_nameless: bool,
    /// Tokens by owner, whether of full access, whether for all organisations; nothing where that is not known.
    tokens: HashMap<(String, Option<bool>, Option<bool>), u64>,
    /// People whom the audit log shows calling with a PAT in the window.
    audited: HashSet<String>,
}

/// The records of one person.
#[derive(Default)]
struct OfPerson<'a> {
    rows: Vec<&'a UsageRow>,
    /// Some record names the person by id.
    by_id: bool,
    /// Some record names the person by a user name, present or former, under the id of somebody else.
    under_other_id: bool,
}

/// One word for every text that names one person: the same for storage key, CUID, present and former user name.
fn key(people: Option<&People>, text: &str, time: Option<Micros>) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    Some(match people.and_then(|p| p.number(text, time)) {
        Some((number, _)) => format!("#{number}"),
        None => person_key(text).unwrap_or_else(|| text.to_lowercase()),
    })
}

impl<'a> Records<'a> {
    /// Sorts records, tokens and PAT events by person.
    pub(super) fn new(
        org: &str,
        spans: &'a [Span],
        rows: &'a [UsageRow],
        people: Option<&'a People>,
        tokens: &[Token],
        uses: &[CredentialUse],
        window: Window,
    ) -> Self {
        let mut records = Self {
            spans,
            window,
            people,
            of_person: HashMap::new(),
            has_nameless: rows.iter().any(|r| r.user_id.is_empty()),
            tokens: HashMap::new(),
            audited: HashSet::new(),
        };
        for row in rows {
            let (by_id, by_name) = (key(people, &row.user_id, None), key(people, &row.user, Some(row.start)));
            if let Some(id) = &by_id {
                let person = records.of_person.entry(id.clone()).or_default();
                person.rows.push(row);
                person.by_id = true;
            }
            if let Some(name) = by_name.filter(|name| by_id.as_ref() != Some(name)) {
                let person = records.of_person.entry(name).or_default();
                person.rows.push(row);
                person.under_other_id |= by_id.is_some();
            }
        }
        // A token of another organisation that works here can have made these calls too.
        let is_alive = |t: &Token| t.known_end().is_none_or(|end| end > window.from);
        let works_here =
            |t: &Token| t.org == org || t.all_orgs == Some(true) || t.other_orgs.iter().any(|o| o == org);
        let mut counted: HashSet<&str> = HashSet::new();
        for token in tokens.iter().filter(|t| is_alive(t) && works_here(t)) {
            let Some(owner) = records.owner(token).filter(|_| counted.insert(&token.token_id)) else {
                continue;
            };
            let full = token.scopes.is_some().then(|| token.is_full_access());
            *records.tokens.entry((owner, full, token.all_orgs)).or_default() += 1;
        }
        for one in uses.iter().filter(|u| u.org == org && u.n > 0) {
            let texts = [(&one.actor_id, None), (&one.actor, Some(one.last_time))];
            records.audited.extend(texts.into_iter().filter_map(|(text, time)| key(people, text, time)));
        }
        records
    }

    fn owner(&self, token: &Token) -> Option<String> {
        let texts = token.owner_id.iter().chain(&token.owner);
        texts.filter_map(|text| key(self.people, text, None)).next()
    }

    /// What the records say of a token's owner.
    pub(super) fn of(&self, token: &Token) -> OwnerUsage {
        let mut usage = OwnerUsage { spans: self.spans.to_vec(), ..OwnerUsage::default() };
        let Some(owner) = self.owner(token) else { return usage };
        let full = token.scopes.is_some().then(|| token.is_full_access());
        let fits = |a: Option<bool>, b: Option<bool>| a.is_none() || b.is_none() || a == b;
        let unknown = [None, Some(false), Some(true)];
        usage.sharing = unknown
            .iter()
            .flat_map(|f| unknown.iter().map(move |a| (*f, *a)))
            .filter(|(f, a)| fits(*f, full) && fits(*a, token.all_orgs))
            .filter_map(|(f, a)| self.tokens.get(&(owner.clone(), f, a)))
            .sum();
        if let Some(person) = self.of_person.get(&owner) {
            usage.by_id = person.by_id && !person.under_other_id && !self.has_nameless;
            self.count(&mut usage, token, full, &person.rows);
        }
        // A call that the audit log shows and the records lack: then they are not complete.
        usage.contradicted = usage.calls == 0 && self.audited.contains(&owner);
        usage
    }

    fn count(&self, usage: &mut OwnerUsage, token: &Token, full: Option<bool>, rows: &[&UsageRow]) {
        let ends = token.known_end();
        for row in rows.iter().filter(|row| row.start <= self.window.as_of) {
            let class = Mechanism::parse(&row.mechanism);
            let calls = u64::try_from(row.count.max(1)).unwrap_or(1);
            match class.kind {
                MechanismKind::Pat => {}
                MechanismKind::None | MechanismKind::Other => {
                    usage.unclear += calls;
                    continue;
                }
                _ => continue,
            }
            usage.calls += calls;
            // Calls before the token was made, after its end or before the window are none of its own here.
            let alive = token.valid_from.is_none_or(|from| from <= row.end)
                && ends.is_none_or(|to| row.start < to)
                && row.end >= self.window.from;
            let same_class = full.is_none_or(|full| class.full_scope_hint() == full)
                && token.all_orgs.is_none_or(|all| class.all_orgs_hint() == all);
            if alive && same_class {
                usage.calls_of_class += calls;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::people::Actor;
    use crate::analysis::tests_support::token;
    use crate::model::time::{DAY, HOUR};

    const OWNER: &str = "11111111-1111-4111-8111-111111111111";
    const OTHER: &str = "22222222-2222-4222-8222-222222222222";

    fn window() -> Window {
        Window { from: 0, as_of: 90 * DAY, days: 90 }
    }

    fn owned() -> Token {
        Token { owner_id: Some(OWNER.into()), owner: Some("ann@x".into()), ..token("vso.code") }
    }

    fn record(user_id: &str, user: &str, mechanism: &str) -> UsageRow {
        UsageRow {
            user_id: user_id.to_owned(),
            user: user.to_owned(),
            mechanism: mechanism.to_owned(),
            start: DAY,
            end: DAY + HOUR,
            count: 2,
            ..UsageRow::default()
        }
    }

    fn people() -> People {
        let actor =
            |id: &str, upn: &str, span| Actor { id: id.into(), upn: upn.into(), name: String::new(), span };
        let actors = [
            actor(OWNER, "ann@x", (50 * DAY, 90 * DAY)),
            actor(OWNER, "ann.maiden@x", (0, 40 * DAY)),
            actor(OTHER, "bob@x", (0, 90 * DAY)),
        ];
        People::build(&[], &actors, &[], &[])
    }

    fn usage(rows: &[UsageRow], uses: &[CredentialUse]) -> OwnerUsage {
        let (people, tokens) = (people(), [owned()]);
        Records::new("o", &[], rows, Some(&people), &tokens, uses, window()).of(&tokens[0])
    }

    fn used(actor_id: &str, actor: &str) -> CredentialUse {
        CredentialUse {
            org: "o".into(),
            actor_id: actor_id.into(),
            actor: actor.into(),
            n: 1,
            n_ever: 1,
            last_time: 60 * DAY,
            ..CredentialUse::default()
        }
    }

    #[test]
    fn who_is_not_in_the_records_was_not_matched() {
        assert!(!usage(&[], &[]).by_id);
        assert!(
            !usage(&[record(OTHER, "bob@x", "AAD_Cookie")], &[]).by_id,
            "the records may have been cut to others"
        );
        let both = [record(OTHER, "bob@x", "PAT"), record(OWNER, "ann@x", "AAD_Cookie")];
        assert!(usage(&both, &[]).by_id);
    }

    #[test]
    fn a_call_of_unknown_mechanism_may_have_been_made_with_a_pat() {
        for (mechanism, calls, unclear) in
            [("PAT", 2, 0), ("", 0, 2), ("Basic", 0, 2), ("PersonalAccessToken", 0, 2), ("AAD_Cookie", 0, 0)]
        {
            let told = usage(&[record(OWNER, "ann@x", mechanism)], &[]);
            assert_eq!((told.calls, told.unclear), (calls, unclear), "{mechanism}");
        }
    }

    #[test]
    fn records_under_a_former_user_name_are_the_owners() {
        let former =
            usage(&[record(OWNER, "ann@x", "AAD_Cookie"), record(OTHER, "ann.maiden@x", "PAT")], &[]);
        assert_eq!((former.calls, former.by_id), (2, false));
        let cuid = usage(&[record("11111111-1111-7111-8111-111111111111", "", "PAT")], &[]);
        assert_eq!((cuid.calls, cuid.by_id), (2, true), "the CUID is the same person");
    }

    #[test]
    fn a_pat_event_of_the_owner_that_the_records_lack_contradicts_them() {
        let quiet = [record(OWNER, "ann@x", "AAD_Cookie")];
        assert!(!usage(&quiet, &[]).contradicted);
        for (id, name) in [(OWNER, ""), ("", "ann@x"), ("", "Ann.Maiden@x")] {
            assert!(usage(&quiet, &[used(id, name)]).contradicted, "{id} {name}");
        }
        assert!(!usage(&quiet, &[used(OTHER, "bob@x")]).contradicted);
    }

    #[test]
    fn every_token_that_can_have_made_the_calls_shares_them() {
        let second = |change: &dyn Fn(&mut Token)| {
            let mut other = Token { token_id: "bbbbbbbb-0000-1111-2222-333333333333".into(), ..owned() };
            change(&mut other);
            let (people, tokens) = (people(), [owned(), other]);
            Records::new("o", &[], &[], Some(&people), &tokens, &[], window()).of(&tokens[0]).sharing
        };
        assert_eq!(second(&|_| {}), 2);
        assert_eq!(second(&|t| t.scopes = None), 2, "its class is not known");
        assert_eq!(second(&|t| (t.owner_id, t.owner) = (None, Some("ann@x".into()))), 2, "known by name");
        assert_eq!(second(&|t| (t.org, t.other_orgs) = ("p".into(), vec!["o".into()])), 2, "it works here");
        assert_eq!(second(&|t| t.scopes = Some(vec!["app_token".into()])), 1);
        assert_eq!(second(&|t| t.owner_id = Some(OTHER.into())), 1);
        assert_eq!(second(&|t| t.org = "p".into()), 1);
    }
}
