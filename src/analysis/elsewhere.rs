//! What other organisations say against "the owner is gone".
//!
//! In: a token whose owner has no access in one organisation, the people of all organisations and the uses of the token.
//! Out: contrary claims, one for each other organisation that the token may reach and that shows access by the same
//! person, or use of the token since. One revoke ends a token everywhere, so access anywhere makes it a question.

use super::people::{Person, SamePerson};
use super::tokens::Sources;
use crate::model::claim::{Claim, Field, Join, Source, Standing};
use crate::model::identity::is_guid;
use crate::model::time::Micros;
use crate::model::token::{OwnerState, Token};
use std::collections::BTreeSet;

/// Value of the claim that a token was used.
pub const USED: &str = "token used";

/// Finds what contradicts that the owner of `token`, who has no access in `gone_in`, is gone.
pub(super) fn contrary(sources: &Sources<'_>, token: &Token, gone_in: &str, person: &Person) -> Vec<Claim> {
    if !matches!(person.state, OwnerState::Removed | OwnerState::Disabled) {
        return Vec::new();
    }
    let others = || sources.orgs.iter().filter(|org| *org != gone_in);
    // A reach that is not known may be any.
    let named: BTreeSet<&String> = token.other_orgs.iter().chain([&token.org]).collect();
    let is_reached = |org: &&String| token.all_orgs != Some(false) || named.contains(*org);
    let mut claims = Vec::new();
    for org in others().filter(is_reached) {
        let (Some(here), Some(there)) = (sources.people.get(gone_in), sources.people.get(org)) else {
            continue;
        };
        for SamePerson { person, join } in there.same_as(here, person) {
            if person.state != OwnerState::Active {
                continue;
            }
            let held = person.claims.iter().filter(|c| c.standing == Standing::Holds);
            let Some(newest) = held.max_by_key(|c| (c.time, c.join)) else { continue };
            claims.push(Claim { join: newest.join.min(join), ..newest.clone() }.stated_in(org));
        }
    }
    let since = last_access(person);
    // Where only the beginning of the id shows, the same beginning may be another token; it is doubt enough.
    let join = if is_guid(&token.token_id) { Join::Id } else { Join::UniquePrefix };
    for org in others() {
        let Some(said) = sources.uses.get(&(org.clone(), token.token_id.clone())) else { continue };
        let later = said.users.iter().filter(|used| used.claim.time > since);
        let Some(last) = later.max_by_key(|used| used.claim.time) else { continue };
        let used = Claim::new(Field::OwnerState, USED, last.claim.time, Source::Event);
        claims.push(used.joined(join).stated_in(org));
    }
    claims.into_iter().map(|claim| Claim { standing: Standing::Contradicts, ..claim }).collect()
}

/// Until when the person is known to have had access. A list that calls somebody gone does not say since when, so what came
/// after the last access that is known may have come after the leaving.
fn last_access(person: &Person) -> Option<Micros> {
    let gone = [OwnerState::Removed.as_str(), OwnerState::Disabled.as_str()];
    let shown = person.claims.iter().filter(|c| !gone.contains(&c.value.as_str()));
    person.gone_at.max(shown.filter_map(|c| c.time).max())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::claims::Stated;
    use crate::analysis::claims::token::Said;
    use crate::analysis::people::{AccessChange, People};
    use crate::analysis::tests_support::token;
    use crate::model::inventory::UserRow;
    use std::collections::BTreeMap;

    const KEY: &str = "e0729319-5632-68c1-9625-b53fe559bcd7";
    const CUID: &str = "e0729319-5632-78c1-9625-b53fe559bcd7";
    const OTHER: &str = "11111111-5632-68c1-9625-b53fe559bcd7";

    fn user(key: &str, upn: &str, state: OwnerState) -> UserRow {
        let storage_key = (!key.is_empty()).then(|| key.to_owned());
        UserRow { storage_key, upn: upn.into(), state: Some(state), ..UserRow::default() }
    }

    /// What `p` says of Ann, who left `o` at 20 by an event.
    fn said(there: UserRow, token: &Token, used: Option<Micros>) -> Vec<(String, Join)> {
        let left = AccessChange { time: 20, event_id: "e".into(), taken: true, names: vec![KEY.into()] };
        let ann = [(Some(5), user(KEY, "ann@x.example", OwnerState::Active))];
        let here = People::build(&ann, &[], &[left], &[]);
        let people = BTreeMap::from([
            ("o".to_owned(), here.clone()),
            ("p".to_owned(), People::build(&[(Some(10), there)], &[], &[], &[])),
        ]);
        let mut sources = Sources { people, orgs: vec!["o".into(), "p".into()], ..Sources::default() };
        if let Some(time) = used {
            let claim = Claim::new(Field::Owner, KEY, Some(time), Source::Event);
            let users = vec![Stated { value: KEY.to_owned(), claim }];
            sources.uses.insert(("p".into(), token.token_id.clone()), Said { users, ..Said::default() });
        }
        let found = contrary(&sources, token, "o", here.find(KEY).expect("Ann"));
        assert!(found.iter().all(Claim::is_contrary_elsewhere));
        found.into_iter().map(|c| (c.value, c.join)).collect()
    }

    #[test]
    fn access_elsewhere_is_contrary_where_the_token_reaches() {
        let global = Token { all_orgs: Some(true), ..token("vso.code") };
        let two = Token { other_orgs: vec!["p".into()], ..token("vso.code") };
        let unknown = Token { all_orgs: None, ..token("vso.code") };
        let active = |key, upn| user(key, upn, OwnerState::Active);
        for token in [&global, &two, &unknown] {
            assert_eq!(said(active(CUID, ""), token, None), [("active".to_owned(), Join::Id)]);
        }
        let by_name = [("active".to_owned(), Join::UserName)];
        assert_eq!(said(active("", "Ann@X.example"), &global, None), by_name);
        assert_eq!(said(active("", "ann_x.example#EXT#@y.example"), &global, None), by_name, "as a guest");
        assert_eq!(said(active(KEY, ""), &token("vso.code"), None), [], "for its organisation alone");
        assert_eq!(said(active(OTHER, "bo@x.example"), &global, None), [], "somebody else");
        assert_eq!(said(user(KEY, "", OwnerState::Removed), &global, None), [], "gone there too");
    }

    #[test]
    fn use_elsewhere_counts_from_the_last_access_on() {
        let global = Token { all_orgs: Some(true), ..token("vso.code") };
        let gone = || user(KEY, "", OwnerState::Removed);
        assert_eq!(said(gone(), &global, Some(19)), []);
        assert_eq!(said(gone(), &global, Some(21)), [(USED.to_owned(), Join::Id)]);
        let local = token("vso.code");
        assert_eq!(
            said(gone(), &local, Some(21)),
            [(USED.to_owned(), Join::Id)],
            "its reach is known wrongly"
        );
    }
}
