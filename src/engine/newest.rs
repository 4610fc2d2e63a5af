//! The newest events of many wishes at once, from the events of PATs that are held in columns.
//!
//! In: wishes, each for the events of one token in a span. Out: for each the newest of them, and how many there are.
//! Each token's rows are gone through once for all of its wishes.

use super::calls::{At, Calls};
use super::collect::collect;
use super::pack::CONFIRM_COLUMNS;
use super::rows::Rows;
use super::{Engine, EngineError};
use crate::model::event_id::Stamp;
use crate::model::finding::MAX_EVENT_IDS;
use crate::model::time::Micros;
use hashbrown::{HashMap, HashSet};
use polars::prelude as pl;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The events that are wished for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Organisation.
    pub org: String,
    /// The token.
    pub token_id: String,
    /// First instant.
    pub from: Micros,
    /// Last instant.
    pub to: Micros,
    /// Column to values, any of which will do.
    pub matches: BTreeMap<String, BTreeSet<String>>,
}

/// What answers a wish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// The newest events, newest first and within one instant the least id, at most as many as a finding may list.
    pub newest: Vec<Stamp>,
    /// All of them, counted.
    pub count: u64,
    /// When the oldest of all was; nothing where there are none.
    pub oldest: Option<Micros>,
}

impl Engine {
    /// Counts the events of each wish and keeps the newest.
    ///
    /// # Errors
    /// When the events cannot be read.
    pub fn newest(&self, wishes: &[Wish]) -> Result<Vec<Granted>, EngineError> {
        let mut found: Vec<Granted> = vec![Granted::default(); wishes.len()];
        if wishes.is_empty() {
            return Ok(found);
        }
        let asked = |name: &&&str| wishes.iter().any(|wish| wish.matches.contains_key(**name));
        let columns: Vec<&'static str> = CONFIRM_COLUMNS.iter().filter(asked).copied().collect();
        let calls = self.calls(&columns)?;
        let tells_token = self.sources.get("events").is_some_and(|source| !source.needs_token);
        let credentials = if tells_token { None } else { Some(self.credentials_by_token()?) };
        let mut by_token: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        for (at, wish) in wishes.iter().enumerate() {
            by_token.entry((&wish.org, &wish.token_id)).or_default().push(at);
        }
        let by_token: Vec<((&str, &str), Vec<usize>)> = by_token.into_iter().collect();
        let of_token = |((org, token), own): &((&str, &str), Vec<usize>)| {
            let keys: Vec<&str> = match &credentials {
                None => vec![token],
                Some(credentials) => {
                    let key = ((*org).to_owned(), (*token).to_owned());
                    credentials.get(&key).into_iter().flatten().map(String::as_str).collect()
                }
            };
            let rows = least_first(&calls, calls.rows(keys.into_iter().map(|key| (*org, key))));
            grant(&calls, &rows, wishes, own)
        };
        let granted: Vec<Vec<(usize, Granted)>> = by_token.par_iter().map(of_token).collect();
        for (at, one) in granted.into_iter().flatten() {
            found[at] = one;
        }
        Ok(found)
    }

    /// Credentials with their organisations, by token and organisation.
    fn credentials_by_token(&self) -> Result<Credentials, EngineError> {
        let mut by_token = Credentials::new();
        let mut taken: HashSet<(String, String)> = HashSet::new();
        let Some(source) = self.sources.get("credentials") else { return Ok(by_token) };
        let frame = source.frame.clone().select(["org", "credential", "token_id"].map(pl::col));
        let rows = Rows::from_frame(&collect(|| Ok(frame))?)?;
        for row in 0..rows.len() {
            let text = |name| rows.text(row, name).map(str::to_owned);
            if let (Some(org), Some(credential), Some(token)) =
                (text("org"), text("credential"), text("token_id"))
                && taken.insert((org.clone(), credential.clone()))
            {
                by_token.entry((org, token)).or_default().push(credential);
            }
        }
        Ok(by_token)
    }
}

/// Credentials by organisation and token.
type Credentials = HashMap<(String, String), Vec<String>>;

/// Puts the least id first within each instant.
fn least_first(calls: &Calls, mut rows: Vec<At>) -> Vec<At> {
    for same in rows.chunk_by_mut(|a, b| calls.time(*a) == calls.time(*b)) {
        same.reverse();
    }
    rows
}

/// The values that a wish asks of one column, as numbers.
struct Fits {
    column: usize,
    numbers: Vec<u32>,
}

/// What a wish asks beside the token and its span; nothing where no event can fit.
fn fits(calls: &Calls, wish: &Wish) -> Option<Vec<Fits>> {
    let all =
        wish.matches.iter().filter(|(name, values)| *name != "token_id" || !values.contains(&wish.token_id));
    all.map(|(name, values)| {
        let column = calls.column(name)?;
        let known = values.iter().filter(|value| !value.is_empty());
        let numbers: Vec<u32> = known.filter_map(|value| calls.number(value)).collect();
        (!numbers.is_empty()).then_some(Fits { column, numbers })
    })
    .collect()
}

/// Answers the wishes for one token, whose rows come newest first.
fn grant(calls: &Calls, rows: &[At], wishes: &[Wish], own: &[usize]) -> Vec<(usize, Granted)> {
    let mut granted: Vec<(usize, Granted)> = Vec::with_capacity(own.len());
    // Wishes for values of one column wait at those values, so that a row meets only those that it fits.
    let mut waiting: BTreeMap<usize, HashMap<u32, Vec<usize>>> = BTreeMap::new();
    for &at in own {
        let wish = &wishes[at];
        let Some(asked) = fits(calls, wish) else { continue };
        let place = granted.len();
        granted.push((at, Granted::default()));
        if let [one] = asked.as_slice() {
            let by_number = waiting.entry(one.column).or_default();
            for number in &one.numbers {
                by_number.entry(*number).or_default().push(place);
            }
            continue;
        }
        let first = rows.partition_point(|row| calls.time(*row) > wish.to);
        for &row in rows[first..].iter().take_while(|row| calls.time(**row) >= wish.from) {
            if asked.iter().all(|fits| fits.numbers.contains(&calls.cell(fits.column, row))) {
                add(calls, &mut granted[place].1, row);
            }
        }
    }
    for (column, by_number) in &waiting {
        for &row in rows {
            let time = calls.time(row);
            for &place in by_number.get(&calls.cell(*column, row)).into_iter().flatten() {
                let (at, one) = &mut granted[place];
                if wishes[*at].from <= time && time <= wishes[*at].to {
                    add(calls, one, row);
                }
            }
        }
    }
    granted
}

fn add(calls: &Calls, granted: &mut Granted, row: At) {
    granted.count += 1;
    // Rows come newest first.
    granted.oldest = Some(calls.time(row));
    if granted.newest.len() < MAX_EVENT_IDS {
        granted.newest.push((calls.time(row), calls.id(row).clone()));
    }
}

/// A condition on a text column; a single value is compared as such, since statistics of row groups can
/// answer that.
pub(super) fn one_of(column: &str, mut values: Vec<String>) -> pl::Expr {
    values.sort_unstable();
    values.dedup();
    let (Some(least), Some(most)) = (values.first().cloned(), values.last().cloned()) else {
        return pl::lit(false);
    };
    let own = pl::col(column);
    if values.len() == 1 {
        return own.eq(pl::lit(least));
    }
    let within = own.clone().gt_eq(pl::lit(least)).and(own.clone().lt_eq(pl::lit(most)));
    let values = pl::Series::from_iter(values);
    within.and(own.is_in(pl::lit(values).implode(true), false))
}
