//! The newest events of many wishes at once: one pass over the raw events, newest day first.
//!
//! In: wishes, each for the events of one token in a span. Out: for each the newest of them, and how many there are. A
//! day is read only where a wish reaches into it, and of a day only the credentials that are wished for.

use super::days::{Part, Texts};
use super::rows::Rows;
use super::{Engine, EngineError, guarded, schema};
use crate::lake::view::day_of_file;
use crate::model::finding::MAX_EVENT_IDS;
use crate::model::time::{DAY, Micros, day_start};
use hashbrown::{HashMap, HashSet};
use polars::prelude as pl;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

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

/// An event: when, and its id.
pub type Stamped = (Micros, String);

/// A wish and what a day adds to it.
type Picked = (usize, Granted);

/// Wishes of so few credentials are answered from the row groups that hold them.
const FEW: usize = 16;

/// What answers a wish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// The newest events, newest first, at most as many as a finding may list.
    pub newest: Vec<Stamped>,
    /// All of them, counted.
    pub count: u64,
}

impl Engine {
    /// Counts the events of each wish and keeps the newest.
    ///
    /// # Errors
    /// When the events cannot be read.
    pub fn newest(&self, wishes: &[Wish]) -> Result<Vec<Granted>, EngineError> {
        let mut found: Vec<Granted> = vec![Granted::default(); wishes.len()];
        let (Some(source), Some(def)) = (self.sources.get("events"), schema::table("events")) else {
            return if wishes.is_empty() { Ok(found) } else { Err(Self::missing("events")) };
        };
        // A table in memory may tell the token itself.
        let key = if source.needs_token { "credential" } else { "token_id" };
        let credentials = if source.needs_token { Some(self.credentials_by_token()?) } else { None };
        let names: BTreeSet<&'static str> = wishes
            .iter()
            .flat_map(|w| w.matches.keys())
            .filter_map(|name| def.columns.iter().map(|c| c.name).find(|column| column == name))
            .collect();
        let mut columns = vec!["org", key, "time", "event_id"];
        columns.extend(names.iter().filter(|name| !matches!(**name, "org" | "credential" | "token_id")));
        let mut files: Vec<Option<&PathBuf>> = source.files.iter().map(Some).collect();
        if files.is_empty() {
            files.push(None);
        }
        files.sort_by_key(|file| std::cmp::Reverse(file.and_then(|f| day_of_file(f))));
        // As many at a time as keep the threads busy.
        for some in files.chunks(rayon::current_num_threads() * 2) {
            let picked: Vec<Result<Vec<Picked>, EngineError>> = some
                .par_iter()
                .map(|file| {
                    let day = file.and_then(|f| day_of_file(f)).map(|d| (day_start(d), day_start(d) + DAY));
                    let reaches = |w: &Wish| day.is_none_or(|(from, to)| w.from < to && w.to >= from);
                    let active: Vec<usize> = (0..wishes.len()).filter(|at| reaches(&wishes[*at])).collect();
                    if active.is_empty() {
                        return Ok(Vec::new());
                    }
                    let own = Active::of(wishes, active, key, credentials.as_ref());
                    let few = own.by_key.len() <= FEW;
                    let only = few.then(|| one_of(key, own.by_key.keys().map(|k| k.1.to_owned()).collect()));
                    let part = self.part(def, source, *file, &columns, only)?;
                    Ok(own.pick(&part))
                })
                .collect();
            for of_day in picked {
                for (at, of_day) in of_day? {
                    let granted = &mut found[at];
                    granted.count += of_day.count;
                    let room = MAX_EVENT_IDS - granted.newest.len();
                    granted.newest.extend(of_day.newest.into_iter().take(room));
                }
            }
        }
        Ok(found)
    }

    /// Credentials with their organisations, by token and organisation.
    fn credentials_by_token(&self) -> Result<Credentials, EngineError> {
        let mut by_token = Credentials::new();
        let mut taken: HashSet<(String, String)> = HashSet::new();
        let Some(source) = self.sources.get("credentials") else { return Ok(by_token) };
        let frame = source.frame.clone().select(["org", "credential", "token_id"].map(pl::col));
        let rows = Rows::from_frame(&guarded(|| Ok(frame.collect()?))?)?;
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

/// The wishes that a day can add to, by organisation and credential.
struct Active<'a> {
    wishes: &'a [Wish],
    /// The column that tells whose a row is.
    key: &'static str,
    by_key: HashMap<(&'a str, &'a str), Vec<usize>>,
}

impl<'a> Active<'a> {
    fn of(
        wishes: &'a [Wish],
        active: Vec<usize>,
        key: &'static str,
        credentials: Option<&'a Credentials>,
    ) -> Self {
        let mut by_key: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        for at in active {
            let wish = &wishes[at];
            let Some(credentials) = credentials else {
                by_key.entry((wish.org.as_str(), wish.token_id.as_str())).or_default().push(at);
                continue;
            };
            let own = credentials.get(&(wish.org.clone(), wish.token_id.clone()));
            for credential in own.into_iter().flatten() {
                by_key.entry((wish.org.as_str(), credential.as_str())).or_default().push(at);
            }
        }
        Self { wishes, key, by_key }
    }

    /// The rows of a day that each wish fits, counted, and the newest of them first.
    fn pick(&self, part: &Part) -> Vec<Picked> {
        let (orgs, credentials) = (part.texts("org"), part.texts(self.key));
        let (times, ids) = (part.ints("time"), part.cells("event_id"));
        let names: BTreeSet<&str> = self
            .by_key
            .values()
            .flatten()
            .flat_map(|at| self.wishes[*at].matches.keys().map(String::as_str))
            .collect();
        let columns: HashMap<&str, Texts> = names.into_iter().map(|name| (name, part.texts(name))).collect();
        // Values as codes of this file, a wish and column each; a wish for none of them is out.
        let codes = |at: usize| -> Option<Vec<(&Texts, Vec<bool>)>> {
            let wish = &self.wishes[at];
            let all = wish
                .matches
                .iter()
                .filter(|(name, values)| *name != "token_id" || !values.contains(&wish.token_id));
            all.map(|(name, values)| {
                let texts = columns.get(name.as_str())?;
                let fits: Vec<bool> =
                    texts.texts.iter().map(|text| !text.is_empty() && values.contains(text)).collect();
                fits.contains(&true).then_some((texts, fits))
            })
            .collect()
        };
        let mut rows: HashMap<(u32, u32), Vec<usize>> = HashMap::new();
        let mut wanted: HashMap<(u32, u32), bool> = HashMap::new();
        for row in 0..part.height() {
            let key = (orgs.codes[row], credentials.codes[row]);
            let is_wanted = *wanted.entry(key).or_insert_with(|| {
                self.by_key.contains_key(&(
                    orgs.texts[key.0 as usize].as_str(),
                    credentials.texts[key.1 as usize].as_str(),
                ))
            });
            if is_wanted {
                rows.entry(key).or_default().push(row);
            }
        }
        let mut found: BTreeMap<usize, (u64, Vec<(Micros, usize)>)> = BTreeMap::new();
        for (key, mut rows) in rows {
            // Within one instant the least id comes first.
            rows.sort_unstable_by_key(|row| (std::cmp::Reverse(times[*row]), ids[*row]));
            let key = (orgs.texts[key.0 as usize].as_str(), credentials.texts[key.1 as usize].as_str());
            for at in self.by_key.get(&key).into_iter().flatten() {
                let wish = &self.wishes[*at];
                let Some(matches) = codes(*at) else { continue };
                let fits = |row: &&usize| {
                    wish.from <= times[**row]
                        && times[**row] <= wish.to
                        && matches.iter().all(|(texts, fits)| fits[texts.codes[**row] as usize])
                };
                let (count, newest) = found.entry(*at).or_default();
                for (n, row) in rows.iter().filter(fits).enumerate() {
                    *count += 1;
                    if n < MAX_EVENT_IDS {
                        newest.push((times[*row], *row));
                    }
                }
            }
        }
        let stamped = |(time, row): (Micros, usize)| (time, ids[row].to_owned());
        found
            .into_iter()
            .map(|(at, (count, mut newest))| {
                // Several credentials of one token.
                newest.sort_unstable_by_key(|(time, row)| (std::cmp::Reverse(*time), ids[*row]));
                newest.truncate(MAX_EVENT_IDS);
                (at, Granted { newest: newest.into_iter().map(stamped).collect(), count })
            })
            .collect()
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
