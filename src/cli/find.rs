//! Finds tokens by what a person has: an id, the beginning of one, a mechanism as a log shows it, a name, an owner, an
//! address or a network.
//!
//! In: the text, the report and the addresses of the tokens' events. Out: the tokens that fit, with what fitted. The
//! first kind that fits decides, exact kinds first, so that a part of a name never hides a whole one.

use super::error::CliError;
use super::session::Found;
use crate::model::network::{self, Cidr};
use crate::output::terminal::{self, Item};
use crate::output::{Style, words};
use crate::report::{Report, TokenReport};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Shorter parts fit by accident: "5" is in many names and ids.
const MIN_PART: usize = 3;

/// Shorter beginnings of an id fit by accident.
const MIN_ID_START: usize = 4;

/// Tokens that an error lists; a table on stdout lists them all.
const LISTED_IN_ERROR: usize = 20;

/// An address or a network that a person typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// One address.
    Address(IpAddr),
    /// A network.
    Network(Cidr),
}

impl Place {
    /// Reads an address or a network; nothing for other text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        network::parse(text).map(Self::Address).or_else(|| Cidr::parse(text).map(Self::Network))
    }

    /// Returns true if an event with this address, and the network derived from it, came from here. A masked address
    /// cannot be placed.
    pub(super) fn contains(&self, address: &str) -> bool {
        network::parse(address.trim()).is_some_and(|ip| match self {
            Self::Address(own) => *own == ip,
            Self::Network(cidr) => cidr.contains(ip),
        })
    }
}

/// Tokens that fit, and what of them fitted.
#[derive(Debug)]
pub(super) struct Hits<'a> {
    /// The tokens, in the order of the report.
    pub tokens: Vec<&'a TokenReport>,
    /// Such as "owner" or "beginning of the id".
    pub by: &'static str,
}

impl Hits<'_> {
    /// Returns true if all rows are one token, in one or several organisations.
    pub(super) fn is_single(&self) -> bool {
        self.tokens.iter().all(|t| t.token.token_id == self.tokens[0].token.token_id)
    }

    /// The list for a terminal: last event and advice, and how to choose one.
    pub(super) fn list(&self, wanted: &str, style: Style) -> String {
        let rows: Vec<Vec<Item>> = self
            .tokens
            .iter()
            .map(|t| {
                vec![
                    Item::plain(t.token.org.clone()),
                    Item::plain(t.token.token_id.clone()),
                    Item::plain(t.token.name.clone().unwrap_or_default()),
                    Item::plain(t.token.owner.clone().unwrap_or_default()),
                    Item::plain(t.token.state.as_str()),
                    Item::plain(words::last_change(t)),
                    Item::plain(t.verdicts.advice.action.as_str()),
                ]
            })
            .collect();
        let head = ["org", "token id", "name", "owner", "state", "last event", "advice"];
        let mut text = terminal::table(&head, &rows, style);
        let line =
            format!("{} rows fit \"{wanted}\" by {}; name one token by its id", self.tokens.len(), self.by);
        text.push_str(&format!("\n\n{}\n", terminal::clean(&line)));
        text
    }

    /// The same as an error, for formats and commands that need one token.
    pub(super) fn refuse(&self, wanted: &str) -> CliError {
        let message = format!("{} tokens fit \"{wanted}\"; name one by its id", self.tokens.len());
        self.tokens.iter().take(LISTED_IN_ERROR).fold(CliError::new(message), |error, token| {
            let t = &token.token;
            error.hint(format!(
                "{} {} ({}, {}): {}, advice {}",
                t.token_id,
                t.name.as_deref().unwrap_or("(no name)"),
                t.owner.as_deref().unwrap_or("owner unknown"),
                t.org,
                words::last_change(token),
                token.verdicts.advice.action
            ))
        })
    }
}

/// Finds the tokens of a run that fit.
pub(super) fn find<'a>(found: &'a Found, wanted: &str) -> Result<Hits<'a>, CliError> {
    let from = |place: Place| {
        let sql = "SELECT org, token_id, address FROM activity WHERE token_id IS NOT NULL GROUP BY org, token_id, address";
        let rows = found.engine.query(sql)?;
        let mut keys = BTreeSet::new();
        for row in 0..rows.len() {
            let (Some(org), Some(id), Some(address)) =
                (rows.text(row, "org"), rows.text(row, "token_id"), rows.text(row, "address"))
            else {
                continue;
            };
            if place.contains(address) {
                keys.insert((org.to_owned(), id.to_owned()));
            }
        }
        Ok(keys)
    };
    find_in(&found.report, wanted, from)
}

fn find_in<'a>(
    report: &'a Report,
    wanted: &str,
    from: impl FnOnce(Place) -> Result<BTreeSet<(String, String)>, CliError>,
) -> Result<Hits<'a>, CliError> {
    let wanted = wanted.trim();
    if wanted.is_empty() {
        return Err(CliError::new("no token is named").hint(HINT));
    }
    let lower = wanted.to_lowercase();
    let of = |fits: &dyn Fn(&TokenReport) -> bool| -> Vec<&'a TokenReport> {
        report.tokens.iter().filter(|t| fits(t)).collect()
    };
    let is = |text: &Option<String>| text.as_ref().is_some_and(|t| t.to_lowercase() == lower);
    let has = |text: &Option<String>| text.as_ref().is_some_and(|t| t.to_lowercase().contains(&lower));
    let id = pasted_id(&lower);
    let mut kinds: Vec<(&'static str, Vec<&'a TokenReport>)> = Vec::new();
    if let Some(id) = &id {
        kinds.push(("id", of(&|t| t.token.token_id == *id)));
    }
    kinds.push(("name", of(&|t| t.token.name.as_deref() == Some(wanted))));
    kinds.push(("name", of(&|t| is(&t.token.name))));
    if let Some(id) = id.filter(|id| id.len() >= MIN_ID_START) {
        kinds.push(("beginning of the id", of(&|t| t.token.token_id.starts_with(&id))));
        // A log may show less of an id than was pasted, or more than the report knows.
        let shown = |t: &TokenReport| t.token.token_id.len() >= 16 && id.starts_with(&t.token.token_id);
        kinds.push(("beginning of the id", of(&shown)));
    }
    kinds.push(("owner", of(&|t| is(&t.token.owner) || is(&t.token.owner_id))));
    if let Some(hits) = kinds.into_iter().find(|(_, tokens)| !tokens.is_empty()) {
        return Ok(Hits { tokens: hits.1, by: hits.0 });
    }
    if let Some(place) = Place::parse(wanted) {
        let keys = from(place)?;
        let tokens = of(&|t| keys.contains(&(t.token.org.clone(), t.token.token_id.clone())));
        if tokens.is_empty() {
            return Err(CliError::new(format!("no token has an event from {wanted} in the window"))
                .hint("widen the window, such as --window 365d; masked addresses cannot be found"));
        }
        return Ok(Hits { tokens, by: "address" });
    }
    if lower.chars().count() >= MIN_PART {
        for (by, tokens) in [
            ("part of the name", of(&|t| has(&t.token.name))),
            ("part of the owner", of(&|t| has(&t.token.owner))),
        ] {
            if !tokens.is_empty() {
                return Ok(Hits { tokens, by });
            }
        }
    }
    let mut error = CliError::new(format!("no token fits \"{wanted}\"")).hint(HINT);
    if lower.chars().count() < MIN_PART {
        error = error.hint(format!("a part of a name or owner needs at least {MIN_PART} characters"));
    }
    Err(error)
}

const HINT: &str = "name an authorizationId or its beginning, a name, an owner, an address or a network; `patwatch tokens` lists them all";

/// The id in lower case, where the text is one, its beginning, or a mechanism that ends with one, such as
/// `PAT authorizationId: 0f3e...`.
fn pasted_id(lower: &str) -> Option<String> {
    let text = lower.rsplit_once("authorizationid").map_or(lower, |(_, rest)| rest);
    let text =
        text.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '=' | '"' | '\'' | ',' | '}'));
    let text = text.trim_end_matches(['.', '…', '*']);
    let is_id = !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    is_id.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    fn found(report: &Report, wanted: &str) -> Option<(&'static str, Vec<String>)> {
        let key = (report.tokens[0].token.org.clone(), report.tokens[0].token.token_id.clone());
        let from = |place: Place| {
            Ok(if place.contains("203.0.113.7") { BTreeSet::from([key]) } else { BTreeSet::new() })
        };
        let hits = find_in(report, wanted, from).ok()?;
        Some((hits.by, hits.tokens.iter().map(|t| t.token.token_id.clone()).collect()))
    }

    fn report() -> Report {
        let mut report = sample::report();
        for (i, t) in report.tokens.iter_mut().enumerate() {
            t.token.token_id = format!("5a7c1000-0000-4000-8000-{i:012x}");
            t.token.name = Some(format!("build {i}5"));
            t.token.owner = Some(format!("ann{i}@contoso.com"));
        }
        report
    }

    #[test]
    fn nothing_and_single_letters_fit_nothing_by_accident() {
        let report = report();
        for wanted in ["", "  ", "5", "a", "-", "@", ":", "…", "authorizationId:"] {
            assert_eq!(found(&report, wanted), None, "{wanted:?}");
        }
        let mut named = report.clone();
        named.tokens[1].token.name = Some("5".to_owned());
        assert_eq!(found(&named, "5"), Some(("name", vec![named.tokens[1].token.token_id.clone()])));
    }

    #[test]
    fn a_token_is_found_by_what_one_has() {
        let report = report();
        let all: Vec<String> = report.tokens.iter().map(|t| t.token.token_id.clone()).collect();
        let first = vec![all[0].clone()];
        let owner = "ANN0@contoso.com";
        assert_eq!(found(&report, &all[0].to_uppercase()), Some(("id", first.clone())));
        let pasted = format!("PAT authorizationId: {}", all[0]);
        assert_eq!(found(&report, &pasted), Some(("id", first.clone())));
        assert_eq!(found(&report, owner), Some(("owner", first.clone())));
        assert_eq!(found(&report, "Build 05"), Some(("name", first.clone())));
        assert_eq!(
            found(&report, "PAT_Unscoped authorizationId: 5a7c1000…"),
            Some(("beginning of the id", all.clone()))
        );
        assert_eq!(found(&report, "@contoso"), Some(("part of the owner", all)));
        assert_eq!(found(&report, "203.0.113.7"), Some(("address", first.clone())));
        assert_eq!(found(&report, "203.0.113.0/24"), Some(("address", first)));
        assert_eq!(found(&report, "198.51.100.0/24"), None);
    }
}
