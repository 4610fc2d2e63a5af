//! The table `first_shown`: values that a token showed for the first time inside the window, and what came before them.
//!
//! In: `seen`, `token_dates` and `org_seen`. Out: one row a value. In Rust because every value of every token is ranked
//! among the token's others, for which an engine would join millions of texts.

use super::collect::collect;
use super::{Columns, Engine, EngineError, schema, tables};
use crate::lake::table::{Table, Texts};
use crate::model::names::Names;
use crate::model::time::{Day, Micros, day_of};
use hashbrown::HashMap;
use pl::{IntoLazy as _, NamedFrom as _};
use polars::prelude as pl;

/// The dimension whose first times are the beginnings of hours, and so no events.
const HOUR: &str = "hour";

/// One value of a token, over its credentials; texts are numbers.
struct Value<'a> {
    dimension: u32,
    value: u32,
    first: Micros,
    last: Micros,
    n: i64,
    origins: i64,
    days: i64,
    event: &'a str,
}

/// One token with what it showed.
#[derive(Default)]
struct Token<'a> {
    org: u32,
    id: u32,
    values: Vec<Value<'a>>,
    at: HashMap<(u32, u32), usize>,
    days: Vec<Day>,
    start: Option<Micros>,
}

/// A row of the table: the token's place, the value's place in it, and how many values, active days and days with
/// something new came before.
struct Arrival {
    token: usize,
    value: usize,
    values_before: i64,
    active_before: i64,
    fresh_before: i64,
}

/// Since when somebody of an organisation showed a value, and when the third user or credential came.
type Since = HashMap<(u32, u32, u32), (Micros, Option<Micros>)>;

impl Engine {
    /// Ranks the values of every token.
    pub(super) fn first_shown(&self) -> Result<pl::LazyFrame, EngineError> {
        let seen = self.held(
            "seen",
            &[
                "org",
                "token_id",
                "dimension",
                "value",
                "first_time",
                "last_time",
                "n",
                "origins",
                "active_days",
                "first_event",
            ],
        )?;
        let active = self.held("token_dates", &["org", "token_id", "date"])?;
        let others = self.held("org_seen", &["org", "dimension", "value", "first_time", "third_time"])?;
        let mut names = Names::default();
        let mut tokens: Vec<Token<'_>> = Vec::new();
        let mut index: HashMap<(u32, u32), usize> = HashMap::new();
        let mut since = Since::new();
        values(&seen, &mut names, &mut tokens, &mut index, &mut since);
        days(&active, &mut names, &mut tokens, &index);
        org_wide(&others, &mut names, &mut since);
        let mut found: Vec<Arrival> = Vec::new();
        for (at, token) in tokens.iter_mut().enumerate() {
            found.extend(rank(at, token, &names, self.window.from));
        }
        frame(&names, &tokens, &found, &since)
    }

    /// Some columns of a table, in memory.
    fn held(&self, name: &str, columns: &[&'static str]) -> Result<Table, EngineError> {
        let frame = self.shared_columns(name, columns)?;
        let columns: Columns = columns.iter().copied().collect();
        let frame = frame.select(columns.iter().map(|c| pl::col(*c)).collect::<Vec<_>>());
        Ok(Table::of(collect(|| Ok(frame))?))
    }
}

fn numbered(names: &mut Names, texts: &Texts) -> Vec<u32> {
    let numbers = names.numbers(&texts.texts);
    texts.codes.iter().map(|code| numbers[*code as usize]).collect()
}

/// Sums up what each token showed, and since when anybody with a token did.
fn values<'a>(
    seen: &'a Table,
    names: &mut Names,
    tokens: &mut Vec<Token<'a>>,
    index: &mut HashMap<(u32, u32), usize>,
    since: &mut Since,
) {
    let own = seen.texts("token_id");
    let [orgs, dimensions, shown] =
        ["org", "dimension", "value"].map(|name| numbered(names, &seen.texts(name)));
    let ids = numbered(names, &own);
    let [first, last, n, origins, active] =
        ["first_time", "last_time", "n", "origins", "active_days"].map(|name| seen.ints(name));
    let events = seen.cells("first_event");
    for row in (0..seen.height()).filter(|row| own.codes[*row] != 0) {
        let key = (orgs[row], ids[row]);
        let at = *index.entry(key).or_insert_with(|| {
            tokens.push(Token { org: key.0, id: key.1, ..Token::default() });
            tokens.len() - 1
        });
        let token = &mut tokens[at];
        let (dimension, value) = (dimensions[row], shown[row]);
        let place = *token.at.entry((dimension, value)).or_insert_with(|| {
            token.values.push(Value {
                dimension,
                value,
                first: first[row],
                last: last[row],
                n: 0,
                origins: 0,
                days: 0,
                event: events[row],
            });
            token.values.len() - 1
        });
        let held = &mut token.values[place];
        held.first = held.first.min(first[row]);
        held.last = held.last.max(last[row]);
        held.n += n[row];
        held.origins += origins[row];
        held.days += active[row];
        // The least of several credentials' events; an hour has none.
        if held.event.is_empty() || !events[row].is_empty() && events[row] < held.event {
            held.event = events[row];
        }
        let known = since.entry((orgs[row], dimension, value)).or_insert((first[row], None));
        known.0 = known.0.min(first[row]);
    }
    let hour = names.known(HOUR);
    for token in tokens {
        let events = token.values.iter().filter(|value| Some(value.dimension) != hour);
        token.start = events.map(|value| value.first).min();
    }
}

/// Adds the days on which each token was active.
fn days(active: &Table, names: &mut Names, tokens: &mut [Token<'_>], index: &HashMap<(u32, u32), usize>) {
    let own = active.texts("token_id");
    let (orgs, ids) = (numbered(names, &active.texts("org")), numbered(names, &own));
    let dates = active.ints("date");
    for row in (0..active.height()).filter(|row| own.codes[*row] != 0) {
        if let Some(at) = index.get(&(orgs[row], ids[row])) {
            tokens[*at].days.push(Day::try_from(dates[row]).unwrap_or_default());
        }
    }
    for token in tokens {
        token.days.sort_unstable();
        token.days.dedup();
    }
}

/// Adds since when anybody at all showed a value.
fn org_wide(others: &Table, names: &mut Names, since: &mut Since) {
    let [orgs, dimensions, shown] =
        ["org", "dimension", "value"].map(|name| numbered(names, &others.texts(name)));
    let first = others.ints("first_time");
    let third = others.known_ints("third_time");
    for row in 0..others.height() {
        let known = since.entry((orgs[row], dimensions[row], shown[row])).or_insert((first[row], None));
        *known = (known.0.min(first[row]), third[row]);
    }
}

/// The values that a token showed first inside the window, on a day on which it was active.
fn rank(at: usize, token: &mut Token<'_>, names: &Names, from: Micros) -> Vec<Arrival> {
    let mut found = Vec::new();
    if token.start.is_none() {
        return found;
    }
    token.values.sort_unstable_by(|a, b| {
        (a.dimension, a.first)
            .cmp(&(b.dimension, b.first))
            .then_with(|| names.text(a.value).cmp(names.text(b.value)))
    });
    let (mut dimension, mut place, mut fresh, mut day) = (u32::MAX, 0, 0, Day::MIN);
    for (value, shown) in token.values.iter().enumerate() {
        if shown.dimension != dimension {
            (dimension, place, fresh, day) = (shown.dimension, 0, 0, Day::MIN);
        }
        if day_of(shown.first) != day {
            day = day_of(shown.first);
            fresh += 1;
        }
        place += 1;
        let Ok(active) = token.days.binary_search(&day) else { continue };
        if shown.first >= from {
            found.push(Arrival {
                token: at,
                value,
                values_before: place - 1,
                active_before: i64::try_from(active).unwrap_or(i64::MAX),
                // The first day with a value brings nothing new, the second is the first that does.
                fresh_before: (fresh - 2).max(0),
            });
        }
    }
    found
}

fn frame(
    names: &Names,
    tokens: &[Token<'_>],
    found: &[Arrival],
    since: &Since,
) -> Result<pl::LazyFrame, EngineError> {
    let texts = tables::texts(names);
    let value = |a: &Arrival| &tokens[a.token].values[a.value];
    let known = |a: &Arrival| {
        let value = value(a);
        since.get(&(tokens[a.token].org, value.dimension, value.value)).copied()
    };
    let text = |name: &str, number: &dyn Fn(&Arrival) -> u32| -> Result<pl::Column, EngineError> {
        let rows = pl::IdxCa::from_vec("rows".into(), found.iter().map(number).collect());
        Ok(texts.take(&rows)?.with_name(name.into()).into())
    };
    let number =
        |name: &str, kind, get: &dyn Fn(&Arrival) -> Option<i64>| -> Result<pl::Column, EngineError> {
            let values: Vec<Option<i64>> = found.iter().map(get).collect();
            Ok(pl::Series::new(name.into(), values).cast(&tables::dtype(kind))?.into())
        };
    let events: Vec<Option<&str>> =
        found.iter().map(|a| Some(value(a).event).filter(|event| !event.is_empty())).collect();
    let before: Vec<bool> =
        found.iter().map(|a| known(a).is_some_and(|(first, _)| first < value(a).first)).collect();
    let (int, time) = (schema::Kind::Int, schema::Kind::Time);
    let columns = vec![
        text("org", &|a| tokens[a.token].org)?,
        text("token_id", &|a| tokens[a.token].id)?,
        text("dimension", &|a| value(a).dimension)?,
        text("value", &|a| value(a).value)?,
        number("first_time", time, &|a| Some(value(a).first))?,
        number("last_time", time, &|a| Some(value(a).last))?,
        number("n", int, &|a| Some(value(a).n))?,
        number("origins", int, &|a| Some(value(a).origins))?,
        number("active_days", int, &|a| Some(value(a).days))?,
        pl::Series::new("first_event".into(), events).into(),
        number("token_first", time, &|a| tokens[a.token].start)?,
        number("values_before", int, &|a| Some(a.values_before))?,
        number("active_before", int, &|a| Some(a.active_before))?,
        number("fresh_before", int, &|a| Some(a.fresh_before))?,
        pl::Series::new("known_before".into(), before).into(),
        number("third_time", time, &|a| known(a).and_then(|(_, third)| third))?,
    ];
    Ok(pl::DataFrame::new(found.len(), columns)?.lazy())
}
