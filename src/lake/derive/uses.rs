//! `uses`: who used a credential in a month, and which names people go by.

use crate::lake::LakeError;
use crate::lake::frame::Frame;
use crate::lake::table::Table;
use crate::model::names::Names;
use crate::model::time::{Day, Micros};
use hashbrown::HashMap;
use std::path::{Path, PathBuf};

/// Folds `actors` of the days onto an earlier fold of others. `day_bits` has bit d set for day d of the month, so that one credential's
/// days are known without a look at any of them.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(
    path: &Path,
    org: &str,
    first: Day,
    earlier: Option<&Path>,
    days: &[(Day, PathBuf)],
) -> Result<(), LakeError> {
    struct Use {
        n: i64,
        first: Micros,
        last: Micros,
        bits: i64,
    }
    let mut names = Names::default();
    let mut folds: HashMap<([u32; 5], bool), Use> = HashMap::new();
    const TEXTS: [&str; 5] = ["credential", "class", "kind", "actor", "actor_id"];
    const NUMBERS: [&str; 4] = ["n", "first_time", "last_time", "day_bits"];
    let days = days.iter().map(|(day, path)| (Some(*day), path.as_path()));
    for (day, file) in earlier.map(|path| (None, path)).into_iter().chain(days) {
        // The days of a month are bits of its fold alone.
        let numbers_of = if day.is_some() { &NUMBERS[..3] } else { &NUMBERS };
        let table = Table::read_all(file, &[&TEXTS[..], numbers_of, &["service_actor"]].concat())?;
        let texts = TEXTS.map(|c| table.texts(c));
        let numbers = texts.each_ref().map(|own| names.numbers(&own.texts));
        let service = table.flags("service_actor");
        let [n, first_time, last_time, bits] = NUMBERS.map(|c| table.ints(c));
        for i in 0..table.height() {
            let key = std::array::from_fn(|c| numbers[c][texts[c].codes[i] as usize]);
            let (from, to) = (first_time[i], last_time[i]);
            let fold = folds.entry((key, service[i])).or_insert(Use { n: 0, first: from, last: to, bits: 0 });
            fold.n += n[i];
            fold.first = fold.first.min(from);
            fold.last = fold.last.max(to);
            fold.bits |= match day {
                Some(day) => 1 << (day - first).clamp(0, 31),
                None => bits[i],
            };
        }
    }
    let mut rows: Vec<([&str; 5], bool, Use)> =
        folds.into_iter().map(|((key, service), u)| (key.map(|n| names.text(n)), service, u)).collect();
    rows.sort_unstable_by_key(|r| (r.0, r.1));
    let r = || rows.iter();
    let mut frame = Frame::new(rows.len()).same_text("org", org).date("date", r().map(|_| Some(first)));
    for (at, name) in TEXTS.iter().enumerate() {
        frame = frame.text(name, r().map(|r| r.0[at]));
    }
    frame
        .flag("service_actor", r().map(|r| Some(r.1)))
        .int("n", r().map(|r| Some(r.2.n)))
        .time("first_time", r().map(|r| Some(r.2.first)))
        .time("last_time", r().map(|r| Some(r.2.last)))
        .int("day_bits", r().map(|r| Some(r.2.bits)))
        .write(path)?;
    Ok(())
}
