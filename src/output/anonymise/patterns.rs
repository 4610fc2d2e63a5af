//! What is replaced by its pattern, whether or not it was learnt: addresses, networks, e-mail addresses, ids, identity
//! descriptors and scopes that the catalogue does not have.
//!
//! In: a text and a place in it. Out: how many characters to replace there, and by what.

use super::Anonymiser;
use crate::model::catalogue::catalogue;
use crate::model::identity::is_guid;
use crate::model::network::parse;

/// What the descriptors of identities begin with. Source: facts, section 5.
const DESCRIPTORS: [&str; 8] = ["aad.", "msa.", "aadsp.", "aadgp.", "vssgp.", "svc.", "bnd.", "win."];

/// Characters of a GUID.
pub(super) const GUID: usize = 36;

/// The GUID at a place, in lower case.
fn guid_at(chars: &[char], at: usize) -> Option<String> {
    // Most words are none, which one look says.
    if chars.get(at + 8) != Some(&'-') || chars.get(at + GUID).is_some_and(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let id: String = chars.get(at..at + GUID)?.iter().collect();
    is_guid(&id).then(|| id.to_ascii_lowercase())
}

/// The run of letters, digits, dots, dashes and underscores at a place, all of them ASCII.
fn name_at(chars: &[char], at: usize) -> String {
    let of = |c: &&char| c.is_ascii_alphanumeric() || "._-".contains(**c);
    let run: String = chars[at..].iter().take_while(of).collect();
    run.trim_end_matches(['.', '-']).to_owned()
}

impl Anonymiser {
    /// Finds what is to be replaced by its pattern and starts at `at`.
    pub(super) fn pattern_at(&self, chars: &[char], at: usize) -> Option<(usize, String)> {
        self.id_at(chars, at)
            .or_else(|| self.descriptor_at(chars, at))
            .or_else(|| self.scope_at(chars, at))
            .or_else(|| self.address_at(chars, at))
    }

    /// Returns true for the id of a token or an event.
    pub(super) fn stays_at(&self, chars: &[char], at: usize) -> bool {
        guid_at(chars, at).is_some_and(|id| self.ids.contains(&id))
    }

    /// Any other GUID.
    fn id_at(&self, chars: &[char], at: usize) -> Option<(usize, String)> {
        let id = guid_at(chars, at).filter(|id| !self.ids.contains(id))?;
        Some((GUID, self.pseudonym("id", &id)))
    }

    fn descriptor_at(&self, chars: &[char], at: usize) -> Option<(usize, String)> {
        const LEAST: usize = 16;
        if !chars[at..].iter().take(6).any(|c| *c == '.') {
            return None;
        }
        let run = name_at(chars, at).to_ascii_lowercase();
        let prefix = DESCRIPTORS.iter().find(|prefix| run.starts_with(**prefix))?;
        (run.len() >= prefix.len() + LEAST).then(|| (run.len(), self.pseudonym("person", &run)))
    }

    /// A scope by the look of it that the catalogue does not have.
    fn scope_at(&self, chars: &[char], at: usize) -> Option<(usize, String)> {
        if !chars[at..].starts_with(&['v', 's', 'o', '.']) {
            return None;
        }
        let run = name_at(chars, at);
        let known = run.len() <= 4 || catalogue().scopes.contains_key(run.as_str());
        (!known).then(|| (run.len(), self.pseudonym("scope", &run.to_ascii_lowercase())))
    }

    /// Finds an IP address, a network or an e-mail address that starts at `at`.
    fn address_at(&self, chars: &[char], at: usize) -> Option<(usize, String)> {
        let run = |extra: &str| {
            chars[at..].iter().take_while(|c| c.is_alphanumeric() || extra.contains(**c)).collect::<String>()
        };
        let mail = run("._-+@#");
        let mail = mail.trim_end_matches(['.', '-', '_', '#', '+']);
        if let Some((name, host)) = mail.split_once('@')
            && !name.is_empty()
            && host.contains('.')
        {
            return Some((mail.chars().count(), self.pseudonym("person", &mail.to_lowercase())));
        }
        let network = run(".:/");
        let mut part = network.trim_end_matches(['.', ':', '/']);
        // `2001:db8:12::/48` keeps its colons, a sentence's colon after an address goes.
        for candidate in [network.as_str(), part] {
            if is_network(candidate) {
                return Some((candidate.chars().count(), self.network(candidate)));
            }
        }
        if let Some((head, _)) = part.split_once('/') {
            part = head;
        }
        let bare = part.contains(['.', ':']) && part.len() > 6;
        (bare && parse(part).is_some())
            .then(|| (part.chars().count(), self.pseudonym("address", &part.to_lowercase())))
    }

    fn network(&self, text: &str) -> String {
        self.pseudonym("network", &text.to_lowercase())
    }
}

pub(super) fn is_network(text: &str) -> bool {
    text.split_once('/').is_some_and(|(head, bits)| {
        parse(head).is_some()
            && !bits.is_empty()
            && bits.len() <= 3
            && bits.bytes().all(|b| b.is_ascii_digit())
    })
}
