//! `uses`: who used a credential in a month, and which names people go by.

use crate::lake::LakeError;
use crate::lake::frame::{Frame, Table};
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
    let days = days.iter().map(|(day, path)| (Some(*day), path.as_path()));
    for (day, file) in earlier.map(|path| (None, path)).into_iter().chain(days) {
        let table = Table::read(file)?;
        let bits = table.int("day_bits");
        let texts = TEXTS.map(|c| table.text(c));
        let texts = texts.each_ref().map(|t| t.cells());
        let service = table.flag("service_actor");
        let [n, first_time, last_time] = ["n", "first_time", "last_time"].map(|c| table.int(c));
        for i in 0..table.height() {
            let key = texts.each_ref().map(|cells| names.number(cells[i]));
            let (from, to) = (first_time[i].unwrap_or_default(), last_time[i].unwrap_or_default());
            let fold = folds.entry((key, service[i] == Some(true))).or_insert(Use {
                n: 0,
                first: from,
                last: to,
                bits: 0,
            });
            fold.n += n[i].unwrap_or_default();
            fold.first = fold.first.min(from);
            fold.last = fold.last.max(to);
            fold.bits |= match day {
                Some(day) => 1 << (day - first).clamp(0, 31),
                None => bits[i].unwrap_or_default(),
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
