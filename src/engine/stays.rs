//! The table `stays`: from when to when a token was in a network, a row a day.
//!
//! In: `activity`. Out: its fold by token, day and network, with whether stays overlap. In Rust because a day's rows
//! are folded as they are read: of millions of rows with texts for keys no engine makes that fold as cheaply.

use super::attributed::Tokens;
use super::flagged::TABLE;
use super::{Engine, EngineError, guarded, schema, tables};
use crate::lake::table::Table;
use crate::model::names::Names;
use crate::model::time::{Day, Micros};
use hashbrown::HashMap;
use pl::{IntoLazy as _, NamedFrom as _};
use polars::prelude as pl;

/// One stay; organisation, token and network as numbers.
struct Stay {
    org: u32,
    token: u32,
    day: Day,
    network: u32,
    first: Micros,
    last: Micros,
    crossed: bool,
}

/// Organisation, token, day and network of a stay, as numbers.
type Key = (u32, u32, i64, u32);
/// The stays of a day, with the texts of organisations, tokens where they are not numbered for all days, and networks.
type OfDay = (Vec<Stay>, Names, Option<Names>, Names);

impl Engine {
    /// Folds `activity` into the table.
    pub(super) fn stays(&self) -> Result<pl::LazyFrame, EngineError> {
        let source = self.sources.get(TABLE).ok_or_else(|| Self::missing(TABLE))?;
        let tokens = if source.needs_token { Some(self.tokens_by_credential()?) } else { None };
        let key = if source.needs_token { "credential" } else { "token_id" };
        let columns = ["org", key, "date", "network", "first_time", "last_time"];
        let (mut orgs, mut own, mut networks) = (Names::default(), Names::default(), Names::default());
        let mut all: Vec<Stay> = Vec::new();
        let take = |(stays, org, token, network): OfDay| {
            let (org, network) = (orgs.numbers(&org), networks.numbers(&network));
            let token = token.map(|token| own.numbers(&token));
            all.extend(stays.into_iter().map(|stay| Stay {
                org: org[stay.org as usize],
                token: token.as_ref().map_or(stay.token, |token| token[stay.token as usize]),
                network: network[stay.network as usize],
                ..stay
            }));
        };
        self.each_day(TABLE, &columns, |part| of_day(part, tokens.as_deref()), take)?;
        let own = tokens.as_deref().map_or(&own, Tokens::names);
        let text = |name: &str, names: &Names, number: fn(&Stay) -> u32| -> Result<pl::Column, EngineError> {
            let column = tables::texts(names).with_name(name.into());
            let rows = pl::IdxCa::from_vec("rows".into(), all.iter().map(number).collect());
            Ok(column.take(&rows)?.into())
        };
        let number = |name: &str, kind, value: fn(&Stay) -> i64| -> Result<pl::Column, EngineError> {
            let column = pl::Series::new(name.into(), all.iter().map(value).collect::<Vec<i64>>());
            Ok(column.cast(&tables::dtype(kind))?.into())
        };
        let columns = vec![
            text("org", &orgs, |s| s.org)?,
            text("token_id", own, |s| s.token)?,
            number("date", schema::Kind::Date, |s| i64::from(s.day))?,
            text("network", &networks, |s| s.network)?,
            number("first_time", schema::Kind::Time, |s| s.first)?,
            number("last_time", schema::Kind::Time, |s| s.last)?,
            pl::Series::new("crossed".into(), all.iter().map(|s| s.crossed).collect::<Vec<bool>>()).into(),
        ];
        let frame = pl::DataFrame::new(all.len(), columns)?;
        guarded(|| Ok(frame.lazy()))
    }
}

/// Folds the rows of tokens that tell a network.
fn of_day(part: &Table, tokens: Option<&Tokens>) -> OfDay {
    let (orgs, networks) = (part.texts("org"), part.texts("network"));
    let [days, first, last] = ["date", "first_time", "last_time"].map(|name| part.ints(name));
    let (of_rows, texts): (Vec<Option<u32>>, Option<Names>) = match tokens {
        Some(tokens) => (tokens.of(part), None),
        None => {
            let own = part.texts("token_id");
            (own.codes.iter().map(|code| (*code != 0).then_some(*code)).collect(), Some(own.texts))
        }
    };
    let mut folds: Vec<(Key, (Micros, Micros))> = Vec::new();
    let mut index: HashMap<Key, usize> = HashMap::new();
    let mut at = usize::MAX;
    for row in (0..part.height()).filter(|row| networks.codes[*row] != 0) {
        let Some(token) = of_rows[row] else { continue };
        let key = (orgs.codes[row], token, days[row], networks.codes[row]);
        // Most rows show the network of the one before.
        if folds.get(at).is_none_or(|(held, _)| *held != key) {
            at = *index.entry(key).or_insert_with(|| {
                folds.push((key, (first[row], last[row])));
                folds.len() - 1
            });
        }
        let fold = &mut folds[at].1;
        *fold = (fold.0.min(first[row]), fold.1.max(last[row]));
    }
    let mut stays: Vec<Stay> = folds
        .into_iter()
        .map(|((org, token, day, network), (first, last))| {
            let day = Day::try_from(day).unwrap_or_default();
            Stay { org, token, day, network, first, last, crossed: false }
        })
        .collect();
    stays.sort_unstable_by(|a, b| {
        let network = |s: &Stay| networks.texts.text(s.network);
        (a.org, a.token, a.day, a.first)
            .cmp(&(b.org, b.token, b.day, b.first))
            .then_with(|| network(a).cmp(network(b)))
    });
    for of_day in stays.chunk_by_mut(|a, b| (a.org, a.token, a.day) == (b.org, b.token, b.day)) {
        let mut reach = Micros::MIN;
        for stay in of_day {
            stay.crossed = reach >= stay.first;
            reach = reach.max(stay.last);
        }
    }
    (stays, orgs.texts, texts, networks.texts)
}
