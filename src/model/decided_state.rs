//! The state of a token that a decision rests on, and what changed about it since.
//!
//! In: a [`Token`]; or the cells and the mark of a review sheet. Out: a [`Fixed`], its mark for a sheet, and the
//! [`Change`]s between two of them. Only what both sides know is compared: what was or becomes unknown is a change of
//! what is known, not of the token.

use super::hash::sha256;
use super::identity::{is_guid, person_key, user_name_key};
use super::time::{HOUR, Micros, day_of, day_text};
use super::token::{OwnerState, Token, TokenState};

/// What a decision on a token rests on; when it changes, somebody has to look again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fixed {
    /// active, expired, revoked or unknown.
    pub state: String,
    /// Storage key of the owner, else what is known of them.
    pub owner: String,
    /// UPN of the owner, else the display name; empty when unknown.
    pub owner_name: String,
    /// active, disabled, removed or unknown.
    pub owner_state: String,
    /// Scopes, blank separated; nothing when unknown.
    pub scopes: Option<String>,
    /// Whether it reaches all organisations; nothing when unknown.
    pub all_orgs: Option<bool>,
    /// Organisations that it reaches, blank separated, and [`UNSEEN`] for those that the run did not see; empty when
    /// unknown or when it reaches all.
    pub orgs: String,
    /// End date.
    pub valid_to: Option<Micros>,
    /// Whether it was found in public.
    pub leaked: bool,
    /// The safe proposal at that time, blank separated; nothing when there was none.
    pub proposed: Option<String>,
    /// The proposal to confirm with the owner at that time, likewise.
    pub reduced: Option<String>,
    /// The mark of a sheet: it stands for what the sheet's cells do not show. Empty where all fields were read off a token.
    pub mark: String,
    /// When it expired or was revoked. Known of a token only, neither stored nor marked.
    pub ended_at: Option<Micros>,
    /// Every id and user name of the owner that is known, present or former. Likewise known of a token only.
    pub owner_aliases: Vec<String>,
}

/// Stands in [`Fixed::orgs`] for organisations that the run did not see.
pub const UNSEEN: &str = "+";

/// One thing about a token that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// One word: leak, state, owner, access, scopes, reach or end.
    pub field: &'static str,
    /// What changed, as the rest of a sentence.
    pub text: String,
}

impl Fixed {
    /// Reads the state off a token.
    #[must_use]
    pub fn of(token: &Token) -> Self {
        let named = token.all_orgs == Some(false);
        let mut orgs: Vec<&str> = token.other_orgs.iter().map(String::as_str).collect();
        orgs.push(&token.org);
        orgs.sort_unstable();
        orgs.dedup();
        if token.reaches_unseen_orgs {
            orgs.insert(0, UNSEEN);
        }
        Self {
            state: token.state.as_str().to_owned(),
            owner: token.owner_id.clone().or_else(|| token.owner.clone()).unwrap_or_default(),
            owner_name: token.owner.clone().unwrap_or_default(),
            owner_state: token.owner_state.as_str().to_owned(),
            scopes: token.scopes.as_ref().map(|s| s.join(" ")),
            all_orgs: token.all_orgs,
            orgs: if named { orgs.join(" ") } else { String::new() },
            valid_to: token.valid_to,
            leaked: token.leaked_at.is_some(),
            proposed: None,
            reduced: None,
            mark: String::new(),
            owner_aliases: token.owner_facts.aliases.clone(),
            ended_at: match token.state {
                TokenState::Revoked => token.revoked_at,
                TokenState::Expired => token.valid_to,
                TokenState::Active | TokenState::Unknown => None,
            },
        }
    }

    /// Adds the proposals that the reviewer saw.
    #[must_use]
    pub fn with_proposals(mut self, proposed: Option<&[String]>, reduced: Option<&[String]>) -> Self {
        self.proposed = proposed.map(|list| list.join(" "));
        self.reduced = reduced.map(|list| list.join(" "));
        self
    }

    /// Returns the mark of the state of `token_id`: text that a spreadsheet leaves alone, one part a field.
    #[must_use]
    pub fn mark(&self, token_id: &str) -> String {
        format!("{PREFIX}{}-{}", digest(token_id, 4), self.parts().join("-"))
    }

    /// Says what changed from here to `now`, as far as both sides know it.
    #[must_use]
    pub fn changes(&self, now: &Self) -> Vec<Change> {
        let (then, new) = (self.parts(), now.parts());
        let differ = |part: usize| then[part] != new[part] && known(&then[part]) && known(&new[part]);
        let mut changes = Vec::new();
        let mut push = |field, text: String| changes.push(Change { field, text });
        if then[LEAK] != "y" && now.leaked {
            push("leak", "it was found in public since".to_owned());
        }
        if differ(STATE) {
            let was = word(&then[STATE], TokenState::ALL.iter().map(|s| s.as_str()));
            push("state", format!("it was {was} and is {}", now.state));
        }
        if is_other_person(&then, &new) && !now.has_alias(&then) {
            push("owner", "it has another owner".to_owned());
        }
        if differ(ACCESS) {
            let was = word(&then[ACCESS], OwnerState::ALL.iter().map(|s| s.as_str()));
            push("access", format!("its owner was {was} and is {}", now.owner_state));
        }
        if differ(SCOPES) {
            push("scopes", "its scopes changed".to_owned());
        }
        if let Some(text) = reach(&then[REACH], &new[REACH]) {
            push("reach", text.to_owned());
        }
        // Sources round the same instant differently.
        if let (Some(a), Some(b)) = (hours(&then[END]), hours(&new[END]))
            && (a - b).abs() > 1
        {
            let day = |hours: i64| day_text(day_of(hours * HOUR));
            push("end", format!("its end date moved from {} to {}", day(a), day(b)));
        }
        changes
    }

    /// Returns true if the owner of a mark is one that this owner is also known as. An id decides; a user name does only
    /// where the mark has no id, since a former user name may have passed to somebody else.
    fn has_alias(&self, then: &[String; PARTS]) -> bool {
        let texts = || self.owner_aliases.iter().chain([&self.owner, &self.owner_name]);
        if known(&then[OWNER]) {
            // The form of `person_key` is no GUID, and its own key.
            let key = |text: &String| person_key(text).unwrap_or_else(|| text.clone());
            return texts().any(|text| digest(&key(text), 6) == then[OWNER]);
        }
        // A mark of an earlier version has the spelling of a guest.
        let names = texts().flat_map(|text| [user_name_key(text), text.trim().to_lowercase()]);
        names.into_iter().any(|name| name_part(&name) == then[NAME])
    }

    /// The parts of the mark: those of the sheet where there is one, else worked out.
    fn parts(&self) -> [String; PARTS] {
        if let Some(parts) = parse(&self.mark).map(|(_, parts)| parts) {
            return parts;
        }
        let unknown = || UNKNOWN.to_owned();
        let letter = |text: &str| text.chars().next().map_or_else(unknown, String::from);
        let name = if is_guid(&self.owner_name) { "" } else { self.owner_name.trim() };
        let (id, name) = match person_key(&self.owner) {
            Some(key) => (digest(&key, 6), name),
            None => (unknown(), if name.is_empty() { self.owner.trim() } else { name }),
        };
        let sorted = |text: &str| super::token::split_scopes(text).join(" ");
        let reach = match self.all_orgs {
            Some(true) => "all".to_owned(),
            Some(false) if !self.orgs.is_empty() => {
                let seen = self.orgs.strip_prefix(UNSEEN);
                let set = digest(seen.unwrap_or(&self.orgs).trim(), 6);
                if seen.is_some() { format!("p{set}") } else { format!("n{set}") }
            }
            // Stored by a version that did not keep the names.
            Some(false) => "some".to_owned(),
            None => unknown(),
        };
        [
            letter(&self.state),
            id,
            name_part(&user_name_key(name)),
            letter(&self.owner_state),
            self.scopes.as_ref().map_or_else(unknown, |s| digest(&sorted(s), 8)),
            reach,
            self.valid_to.map_or_else(unknown, |t| format!("{:x}", (t.max(0) + HOUR / 2).div_euclid(HOUR))),
            if self.leaked { "y" } else { "n" }.to_owned(),
        ]
    }
}

const PREFIX: &str = "state-";
const UNKNOWN: &str = "u";
/// Parts of a mark after the one of the token's id, and what each stands for.
const PARTS: usize = 8;
const STATE: usize = 0;
const OWNER: usize = 1;
const NAME: usize = 2;
const ACCESS: usize = 3;
const SCOPES: usize = 4;
const REACH: usize = 5;
const END: usize = 6;
const LEAK: usize = 7;

/// Returns true if the mark is one of `token_id`, or of a version that did not mark the id.
#[must_use]
pub fn is_mark_of(mark: &str, token_id: &str) -> bool {
    parse(mark).is_none_or(|(id, _)| id == digest(token_id, 4))
}

/// Returns true if the text is a mark that says something on each field.
#[must_use]
pub fn is_full_mark(mark: &str) -> bool {
    parse(mark).is_some()
}

/// Returns true if these scopes are those of the mark; a mark that does not know them agrees with none.
#[must_use]
pub fn marks_scopes(mark: &str, scopes: &str) -> bool {
    let scopes = super::token::split_scopes(scopes).join(" ");
    parse(mark).is_some_and(|(_, parts)| parts[SCOPES] == digest(&scopes, 8))
}

fn parse(mark: &str) -> Option<(&str, [String; PARTS])> {
    let (id, rest) = mark.strip_prefix(PREFIX)?.split_once('-')?;
    let parts: Vec<String> = rest.split('-').map(str::to_owned).collect();
    Some((id, parts.try_into().ok()?))
}

/// The part of a mark that stands for a name in lower case.
fn name_part(name: &str) -> String {
    // A display name and a UPN name the same person in two ways, so only like is compared with like.
    let kind = if name.contains('@') { "m" } else { "d" };
    if name.is_empty() { UNKNOWN.to_owned() } else { format!("{kind}{}", digest(name, 6)) }
}

fn known(part: &str) -> bool {
    part != UNKNOWN
}

fn digest(text: &str, digits: usize) -> String {
    sha256(text.as_bytes())[..digits].to_owned()
}

fn hours(part: &str) -> Option<i64> {
    i64::from_str_radix(part, 16).ok().filter(|_| known(part))
}

/// The word that a letter of a mark stands for; no two words of a state begin alike.
fn word(letter: &str, words: impl Iterator<Item = &'static str>) -> &'static str {
    words.into_iter().find(|word| word.starts_with(letter)).unwrap_or("unknown")
}

/// Returns true if the two owners are known to be two people. The same id or the same name is the same person.
fn is_other_person(then: &[String; PARTS], now: &[String; PARTS]) -> bool {
    let both = |part: usize| known(&then[part]) && known(&now[part]);
    let same = |part: usize| both(part) && then[part] == now[part];
    if same(OWNER) || same(NAME) {
        return false;
    }
    both(OWNER) || both(NAME) && then[NAME][..1] == now[NAME][..1]
}

/// What changed about the organisations that a token reaches, as far as both sides saw them.
fn reach(then: &str, now: &str) -> Option<&'static str> {
    if !known(then) || !known(now) || then == now {
        return None;
    }
    match (then, now) {
        (_, "all") => Some("it reaches all organisations now"),
        ("all", _) => Some("it no longer reaches all organisations"),
        ("some", _) | (_, "some") => None,
        _ => match (then.strip_prefix('n'), now.strip_prefix('n'), now.strip_prefix('p')) {
            (Some(a), Some(b), _) if a != b => Some("it reaches other organisations now"),
            // Every organisation that it reached is still seen, so the unseen one was added.
            (Some(a), _, Some(b)) if a == b => Some("it reaches more organisations now"),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "e0729319-5632-68c1-9625-b53fe559bcd7";
    const CUID: &str = "E0729319-5632-78C1-9625-B53FE559BCD7";
    const OTHER: &str = "11111111-5632-68c1-9625-b53fe559bcd7";

    fn fixed() -> Fixed {
        Fixed {
            state: "active".into(),
            owner: KEY.into(),
            owner_name: "ann@x.example".into(),
            owner_state: "active".into(),
            scopes: Some("vso.code".into()),
            all_orgs: Some(false),
            orgs: "contoso".into(),
            valid_to: Some(0),
            ..Fixed::default()
        }
    }

    /// The fields that differ, compared as states and as marks of sheets.
    fn fields(then: &Fixed, now: &Fixed) -> Vec<&'static str> {
        let of = |then: &Fixed| then.changes(now).into_iter().map(|c| c.field).collect::<Vec<_>>();
        let marked = Fixed { mark: then.mark("t"), ..Fixed::default() };
        assert_eq!(of(then), of(&marked), "{then:?}");
        of(then)
    }

    #[test]
    fn each_change_of_the_token_counts() {
        for (now, field, said) in [
            (Fixed { state: "revoked".into(), ..fixed() }, "state", "was active and is revoked"),
            (Fixed { owner: OTHER.into(), owner_name: "bo@x".into(), ..fixed() }, "owner", "another owner"),
            (Fixed { owner_state: "removed".into(), ..fixed() }, "access", "was active and is removed"),
            (Fixed { scopes: Some("vso.code_write".into()), ..fixed() }, "scopes", "scopes changed"),
            (Fixed { all_orgs: Some(true), orgs: String::new(), ..fixed() }, "reach", "all organisations"),
            (Fixed { orgs: "contoso fabrikam".into(), ..fixed() }, "reach", "other organisations"),
            (Fixed { orgs: "+ contoso".into(), ..fixed() }, "reach", "more organisations"),
            (
                Fixed { valid_to: Some(48 * HOUR), ..fixed() },
                "end",
                "end date moved from 1970-01-01 to 1970-01-03",
            ),
            (Fixed { leaked: true, ..fixed() }, "leak", "public"),
        ] {
            assert_eq!(fields(&fixed(), &now), [field], "{now:?}");
            assert!(fixed().changes(&now)[0].text.contains(said), "{:?}", fixed().changes(&now));
            assert_ne!(fixed().mark("t"), now.mark("t"));
        }
        let narrower = Fixed { all_orgs: Some(true), orgs: String::new(), ..fixed() };
        assert_eq!(fields(&narrower, &fixed()), ["reach"]);
    }

    #[test]
    fn what_is_unknown_on_one_side_has_not_changed() {
        let unknown = || "unknown".to_owned();
        for less in [
            Fixed { state: unknown(), ..fixed() },
            Fixed { owner: String::new(), owner_name: String::new(), ..fixed() },
            Fixed { owner_state: unknown(), ..fixed() },
            Fixed { scopes: None, ..fixed() },
            Fixed { all_orgs: None, orgs: String::new(), ..fixed() },
            Fixed { orgs: String::new(), ..fixed() },
            Fixed { valid_to: None, ..fixed() },
            Fixed::default(),
        ] {
            assert_eq!(fields(&fixed(), &less), [""; 0], "{less:?}");
            assert_eq!(fields(&less, &fixed()), [""; 0], "{less:?}");
        }
        // A run over fewer organisations does not see one that the token reached before.
        let both = Fixed { orgs: "contoso fabrikam".into(), ..fixed() };
        let part = Fixed { orgs: "+ contoso".into(), ..fixed() };
        assert_eq!((fields(&both, &part), fields(&part, &both)), (vec![], vec![]));
        let rounded = Fixed { valid_to: Some(HOUR / 2 + 5), ..fixed() };
        assert_eq!(fields(&fixed(), &rounded), [""; 0]);
    }

    #[test]
    fn people_are_compared_as_people() {
        let of = |owner: &str, name: &str| Fixed { owner: owner.into(), owner_name: name.into(), ..fixed() };
        let by_name = of("Ann@X.example", "Ann@X.example");
        for same in [of(CUID, "ann@x.example"), of(KEY, KEY), by_name.clone(), of("Ann", "Ann"), of(KEY, "")]
        {
            assert_eq!(fields(&fixed(), &same), [""; 0], "{same:?}");
            assert_eq!(fields(&same, &fixed()), [""; 0], "{same:?}");
        }
        assert_eq!(fields(&by_name, &of("bo@x.example", "bo@x.example")), ["owner"]);
        assert_eq!(fields(&of("Ann", "Ann"), &of("Bo", "Bo")), ["owner"]);
        assert_eq!(fields(&of(KEY, ""), &of(OTHER, "bo@x.example")), ["owner"]);
    }

    #[test]
    fn an_owner_who_becomes_known_in_another_way_is_no_other_owner() {
        let of = |owner: &str, name: &str| Fixed { owner: owner.into(), owner_name: name.into(), ..fixed() };
        let guest = "Ann_x.example#EXT#@y.onmicrosoft.com";
        let older = "22222222-5632-48c1-9625-b53fe559bcd7";
        let aliases =
            [person_key(KEY).expect("key"), person_key(older).expect("key"), "ann@x.example".into()];
        let renamed = |owner: &str| Fixed { owner_aliases: aliases.to_vec(), ..of(owner, "ann.b@x.example") };
        let by_name = |name: &str| of(name, name);
        for (then, now) in [
            (by_name("ann@x.example"), by_name(guest)),
            (by_name(guest), by_name("ANN@x.example")),
            (by_name("ann@x.example"), renamed(KEY)),
            (by_name(guest), renamed(KEY)),
            (of(older, "ann@x.example"), renamed(KEY)),
            (of(older, ""), renamed(KEY)),
            (of(CUID, "ann@x.example"), renamed(older)),
        ] {
            assert_eq!(fields(&then, &now), [""; 0], "{then:?} {now:?}");
        }
        // A sheet of an earlier version has the guest's spelling in its mark.
        let earlier = by_name("ann@x.example").mark("t");
        let parts: Vec<&str> = earlier.split('-').collect();
        let raw = name_part(&guest.to_lowercase());
        let earlier = Fixed { mark: earlier.replace(parts[4], &raw), ..Fixed::default() };
        assert_eq!(earlier.changes(&by_name(guest)), []);
        assert_eq!(fields(&by_name("bo@x.example"), &renamed(KEY)), ["owner"]);
        // The name passed to somebody else, who has another id.
        let heir = Fixed { owner_aliases: aliases.to_vec(), ..of(KEY, "ann.b@x.example") };
        assert_eq!(fields(&of(OTHER, "bo@x.example"), &heir), ["owner"]);
    }

    #[test]
    fn a_mark_knows_its_token_and_its_scopes() {
        let mark = fixed().mark("t1");
        assert!(is_full_mark(&mark) && is_mark_of(&mark, "t1") && !is_mark_of(&mark, "t2"));
        assert!(marks_scopes(&mark, "vso.code") && !marks_scopes(&mark, "vso.code_write"));
        let older = "state-0123456789ab";
        assert!(!is_full_mark(older) && is_mark_of(older, "t1") && !marks_scopes(older, ""));
    }
}
