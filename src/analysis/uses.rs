//! Who used which PAT credential, over all that the lake holds.
//!
//! In: the folds of months, and the days of the month that the window begins in. Out: one row a credential and user. In
//! Rust because every command begins with it, and texts that are codes already are folded in a tenth of a query's time.

use crate::engine::days::Table;
use crate::engine::{Engine, EngineError};
use crate::model::names::Names;
use crate::model::time::{Micros, Window, day_start};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

/// A PAT credential with who used it, before it is joined to a token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialUse {
    /// Organisation.
    pub org: String,
    /// Visible part.
    pub credential: String,
    /// Mechanism class.
    pub class: String,
    /// Label of the actor.
    pub actor: String,
    /// Storage key of the actor.
    pub actor_id: String,
    /// Events that the lake holds.
    pub n_ever: i64,
    /// Events inside the window.
    pub n: i64,
    /// First event.
    pub first_time: Micros,
    /// Last event.
    pub last_time: Micros,
    /// Last event inside the window.
    pub last_in_window: Option<Micros>,
}

/// What tells one row from another.
const KEY: [&str; 5] = ["org", "credential", "class", "actor", "actor_id"];

/// One credential and user; counts and times as in [`CredentialUse`].
struct Use {
    n_ever: i64,
    n: i64,
    first: Micros,
    last: Micros,
    last_in_window: Option<Micros>,
}

impl Use {
    fn add(&mut self, other: &Self) {
        self.n_ever += other.n_ever;
        self.n += other.n;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.last_in_window = self.last_in_window.max(other.last_in_window);
    }
}

/// PAT credentials with their users, sorted; what a credential lacks comes last.
///
/// # Errors
/// When a file cannot be read.
pub fn credentials(engine: &Engine, window: Window) -> Result<Vec<CredentialUse>, EngineError> {
    let from = day_start(window.first_day());
    let columns = [&KEY[..], &["kind", "n", "first_time", "last_time"]].concat();
    let of_file = |part: &Table| {
        let (texts, kinds) = (KEY.map(|name| part.texts(name)), part.texts("kind"));
        let [n, first, last] = ["n", "first_time", "last_time"].map(|name| part.ints(name));
        let pat = kinds.code("pat");
        let rows = (0..part.height()).filter(|row| pat == Some(kinds.codes[*row]));
        let one = |row: usize| {
            let inside = last[row] >= from;
            let of_row = Use {
                n_ever: n[row],
                n: if inside { n[row] } else { 0 },
                first: first[row],
                last: last[row],
                last_in_window: inside.then_some(last[row]),
            };
            (texts.each_ref().map(|texts| texts.codes[row]), of_row)
        };
        let rows: Vec<([u32; 5], Use)> = rows.map(one).collect();
        (texts.map(|texts| texts.texts), rows)
    };
    let (mut names, mut found): (Names, HashMap<[u32; 5], Use>) = (Names::default(), HashMap::new());
    engine.each_day("lake_uses", &columns, of_file, |(texts, rows)| {
        let numbers = texts.each_ref().map(|texts| names.numbers(texts));
        for (codes, of_row) in rows {
            let key = std::array::from_fn(|at| numbers[at][codes[at] as usize]);
            match found.entry(key) {
                Entry::Occupied(mut held) => held.get_mut().add(&of_row),
                Entry::Vacant(free) => drop(free.insert(of_row)),
            }
        }
    })?;
    let mut rows: Vec<([&str; 5], Use)> =
        found.into_iter().map(|(key, of_key)| (key.map(|number| names.text(number)), of_key)).collect();
    rows.sort_unstable_by_key(|(key, _)| key.map(|text| (text.is_empty(), text)));
    let row = |([org, credential, class, actor, actor_id], of_key): ([&str; 5], Use)| CredentialUse {
        org: org.to_owned(),
        credential: credential.to_owned(),
        class: class.to_owned(),
        actor: actor.to_owned(),
        actor_id: actor_id.to_owned(),
        n_ever: of_key.n_ever,
        n: of_key.n,
        first_time: of_key.first,
        last_time: of_key.last,
        last_in_window: of_key.last_in_window,
    };
    Ok(rows.into_iter().map(row).collect())
}
