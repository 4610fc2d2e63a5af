//! Folds of a month: what the analysis and the detections want of all days up to now, in one file a month.
//!
//! In: derived tables of the month's days. Out: `seen` (every value that a PAT credential showed), `uses` (who used
//! a credential, and which names people go by) and `changes` (the events that make the ledger). A fold is named after the days it was made from, so a changed day makes its month
//! anew and nothing else.

use crate::lake::LakeError;
use crate::lake::frame::{Frame, Table};
use crate::model::names::Names;
use crate::model::time::{Day, HOUR, Micros, day_start};
use hashbrown::HashMap;
use polars::prelude as pl;
use std::path::{Path, PathBuf};

/// The dimensions of `seen` that are columns of `activity`.
const DIMENSIONS: [&str; 4] = ["action", "network", "client", "project"];

#[derive(Default)]
struct Value {
    n: i64,
    origins: i64,
    days: i64,
    last_day: Day,
    oldest: (Micros, String),
    newest: (Micros, String),
}

impl Value {
    /// Adds events of one day; days come in order.
    fn add(&mut self, day: Day, n: i64, origins: i64, oldest: (Micros, &str), newest: (Micros, &str)) {
        if self.days == 0 || day != self.last_day {
            self.days += 1;
            self.last_day = day;
        }
        let none = self.n == 0;
        self.n += n;
        self.origins += origins;
        if none || oldest < (self.oldest.0, self.oldest.1.as_str()) {
            self.oldest.0 = oldest.0;
            oldest.1.clone_into(&mut self.oldest.1);
        }
        if none || newest > (self.newest.0, self.newest.1.as_str()) {
            self.newest.0 = newest.0;
            newest.1.clone_into(&mut self.newest.1);
        }
    }
}

/// Folds `activity` and `token_day` of the days, given in order.
///
/// # Errors
/// When a file cannot be read or written.
pub fn seen(path: &Path, org: &str, days: &[(Day, PathBuf, PathBuf)]) -> Result<(), LakeError> {
    let mut names = Names::default();
    let mut values: HashMap<(u32, u8, u32), Value> = HashMap::new();
    let columns = [
        "credential",
        "kind",
        "action",
        "network",
        "client",
        "project",
        "n",
        "origins",
        "first_time",
        "last_time",
        "first_event",
        "last_event",
    ];
    for (day, activity, token_day) in days {
        let table = Table::read_columns(activity, &columns)?;
        let texts = ["credential", "kind", "first_event", "last_event"].map(|c| table.text(c));
        let [credential, kind, first, last] = texts.each_ref().map(|t| t.cells());
        let shown = DIMENSIONS.map(|c| table.text(c));
        let shown = shown.each_ref().map(|t| t.cells());
        let [n, origins, first_time, last_time] =
            ["n", "origins", "first_time", "last_time"].map(|c| table.int(c));
        // Rows of a credential stand together.
        let mut before = ("", names.number(""));
        for i in (0..table.height()).filter(|i| kind[*i] == "pat") {
            if credential[i] != before.0 {
                before = (credential[i], names.number(credential[i]));
            }
            let own = before.1;
            for (dimension, cells) in (0_u8..).zip(&shown) {
                if cells[i].is_empty() {
                    continue;
                }
                let value = values.entry((own, dimension, names.number(cells[i]))).or_default();
                value.add(
                    *day,
                    n[i].unwrap_or_default(),
                    origins[i].unwrap_or_default(),
                    (first_time[i].unwrap_or_default(), first[i]),
                    (last_time[i].unwrap_or_default(), last[i]),
                );
            }
        }
        let table = Table::read_columns(token_day, &["credential", "hour_bits"])?;
        let (credential, bits) = (table.text("credential"), table.int("hour_bits"));
        for (credential, bits) in credential.cells().into_iter().zip(bits) {
            let own = names.number(credential);
            for hour in (0..24).filter(|h| bits.unwrap_or_default() >> h & 1 == 1) {
                let value = values.entry((own, 4, names.number(&format!("{hour:02}")))).or_default();
                let time = day_start(*day) + hour * HOUR;
                value.add(*day, 1, 0, (time, ""), (time, ""));
            }
        }
    }
    let dimensions = [DIMENSIONS.as_slice(), &["hour"]].concat();
    let mut rows: Vec<(&str, &str, &str, &Value)> = values
        .iter()
        .map(|((own, dimension, value), v)| {
            (names.text(*own), dimensions[usize::from(*dimension)], names.text(*value), v)
        })
        .collect();
    rows.sort_unstable_by_key(|r| (r.0, r.1, r.2));
    let r = || rows.iter();
    Frame::new(rows.len())
        .text("org", r().map(|_| org))
        .text("credential", r().map(|r| r.0))
        .text("dimension", r().map(|r| r.1))
        .text("value", r().map(|r| r.2))
        .int("n", r().map(|r| Some(r.3.n)))
        .int("origins", r().map(|r| Some(r.3.origins)))
        .int("active_days", r().map(|r| Some(r.3.days)))
        .time("first_time", r().map(|r| Some(r.3.oldest.0)))
        .time("last_time", r().map(|r| Some(r.3.newest.0)))
        .text("first_event", r().map(|r| r.3.oldest.1.as_str()))
        .text("last_event", r().map(|r| r.3.newest.1.as_str()))
        .write(path)?;
    Ok(())
}

/// Folds `actors` of the days. `day_bits` has bit d set for day d of the month, so that one credential's
/// days are known without a look at any of them.
///
/// # Errors
/// When a file cannot be read or written.
pub fn uses(path: &Path, org: &str, first: Day, days: &[(Day, PathBuf)]) -> Result<(), LakeError> {
    struct Use {
        n: i64,
        first: Micros,
        last: Micros,
        bits: i64,
    }
    let mut names = Names::default();
    let mut folds: HashMap<([u32; 5], bool), Use> = HashMap::new();
    const TEXTS: [&str; 5] = ["credential", "class", "kind", "actor", "actor_id"];
    for (day, actors) in days {
        let table = Table::read(actors)?;
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
            fold.bits |= 1 << (day - first).clamp(0, 31);
        }
    }
    let mut rows: Vec<([&str; 5], bool, Use)> =
        folds.into_iter().map(|((key, service), u)| (key.map(|n| names.text(n)), service, u)).collect();
    rows.sort_unstable_by_key(|r| (r.0, r.1));
    let r = || rows.iter();
    let mut frame =
        Frame::new(rows.len()).text("org", r().map(|_| org)).date("date", r().map(|_| Some(first)));
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

/// Columns of `notable` that the ledger, the people and the coverage read.
const CHANGES: [&str; 23] = [
    "org",
    "event_id",
    "time",
    "action",
    "actor",
    "actor_id",
    "service_actor",
    "network",
    "client",
    "details",
    "d_authorization_id",
    "d_display_name",
    "d_owner_id",
    "d_owner_name",
    "d_scopes",
    "d_valid_from",
    "d_valid_to",
    "d_target_accounts",
    "d_all_orgs",
    "d_user",
    "d_member_id",
    "d_member_name",
    "d_group_name",
];

/// Picks the events of `notable` that tell of tokens, of access and of the log itself.
///
/// # Errors
/// When a file cannot be read or written.
pub fn changes(path: &Path, days: &[PathBuf]) -> Result<(), LakeError> {
    let failed = |e: pl::PolarsError| LakeError::columns(path, &e);
    let paths = days.iter().map(|p| pl::PlRefPath::try_from_path(p)).collect::<Result<Vec<_>, _>>();
    let args = pl::ScanArgsParquet {
        glob: false,
        hive_options: pl::HiveOptions { enabled: Some(false), ..pl::HiveOptions::default() },
        ..pl::ScanArgsParquet::default()
    };
    let action = || pl::col("action");
    let begins = |text: &str| action().str().starts_with(pl::lit(text.to_owned()));
    let group = |text: &str| pl::col("d_group_name").str().ends_with(pl::lit(text.to_owned()));
    let membership = begins("Group.UpdateGroupMembership.")
        .and(group("Project Collection Valid Users").or(group("Administrators")));
    let wanted = begins("Token.")
        .or(begins("Licensing."))
        .or(begins("AuditLog.Stream"))
        .or(action().eq(pl::lit("OrganizationPolicy.PolicyValueUpdated")))
        .or(membership);
    let columns: Vec<pl::Expr> =
        CHANGES.iter().chain(&["d_policy_name", "d_policy_value"]).map(|c| pl::col(*c)).collect();
    let frame = pl::LazyFrame::scan_parquet_files(paths.map_err(failed)?.into(), args)
        .and_then(|frame| frame.filter(wanted).select(columns).collect())
        .map_err(failed)?;
    let table = Table::of(frame);
    let (times, service) = (table.int("time"), table.flag("service_actor"));
    let mut frame =
        Frame::new(table.height()).time("time", times.into_iter()).flag("service_actor", service.into_iter());
    let texts = CHANGES.iter().chain(&["d_policy_name", "d_policy_value"]);
    for name in texts.filter(|name| !matches!(**name, "time" | "service_actor")) {
        let column = table.text(name);
        frame = frame.text(name, column.cells().into_iter());
    }
    frame.write(path)?;
    Ok(())
}
