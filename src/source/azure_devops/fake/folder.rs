//! Fills the fake from a folder that `import` would take: every shape of event becomes what the query API sends.
//!
//! In: files of any known shape, such as `simulate` writes. Out: an organisation that stands near the present, since a
//! service keeps 90 days: every date moves by the same whole number of weeks, so that the rhythm of work stays. Or one that
//! stands at an instant of its own: no date moves, and nothing later is shown. Entry ids count backwards from the time of
//! the entry, as the service makes them.

use super::load::give_out;
use super::{Events, FakeOrganisation, FakeUser};
use crate::model::event::{EventRow, Shape};
use crate::model::identity::{ZERO_GUID, org_name};
use crate::model::time::{DAY, Day, Micros, SECOND, day_start, format_time, parse_day, parse_time};
use crate::source::azure_devops::envelope;
use crate::source::{self, Options, Parsed, Sink, expand};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Ticks from year 1 to 1970, of which a microsecond has ten.
const EPOCH_TICKS: i64 = 621_355_968_000_000_000;
/// The last tick of year 9999, from which ids count backwards. Source: facts, section 1.
const LAST_TICK: i64 = 3_155_378_975_999_999_999;

/// Where the organisation stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Its newest event moves to the week before this instant, and all dates with it.
    Present(Micros),
    /// At this instant, dates as they are: what comes later does not exist.
    At(Micros),
}

/// What the files hold.
#[derive(Default)]
struct Found {
    /// Events by id, each in its best shape.
    events: BTreeMap<String, (Shape, Micros, Value)>,
    names: BTreeMap<String, usize>,
    users: Vec<Value>,
    tokens: Vec<Value>,
    entitlements: Vec<Value>,
    usage: Vec<Value>,
}

impl FakeOrganisation {
    /// Reads an organisation from a folder. Of folders `lists-DAY` inside, which `simulate --list-days` writes, the latest
    /// before the instant counts.
    ///
    /// # Errors
    /// When the folder holds no event before the instant, or a file cannot be read.
    pub fn from_folder(folder: &Path, stand: Stand) -> io::Result<Self> {
        let mut found = Found::default();
        let expanded = expand(&[folder.to_owned()]);
        if let Some(fault) = expanded.faults.into_iter().next() {
            return Err(io::Error::other(fault));
        }
        for path in with_latest_lists(expanded.files, stand) {
            found.read(&path)?;
        }
        if let Stand::At(at) = stand {
            found.events.retain(|_, (_, time, _)| *time <= at);
        }
        let newest = found.events.values().map(|(_, time, _)| *time).max();
        let newest =
            newest.ok_or_else(|| io::Error::other(format!("{} holds no audit event", folder.display())))?;
        let by = match stand {
            Stand::Present(now) => (now - newest).div_euclid(7 * DAY) * 7 * DAY,
            Stand::At(_) => 0,
        };
        let name = found.names.iter().max_by_key(|(_, n)| **n).map(|(name, _)| name.clone());
        let rows = found.events.into_values().map(|(_, time, mut row)| {
            move_dates(&mut row, by);
            row["id"] = json!(format!(
                "{};{};{}",
                LAST_TICK - (EPOCH_TICKS + (time + by) * 10),
                "00000064-0000-8888-8000-000000000000",
                row["id"].as_str().unwrap_or_default()
            ));
            row.to_string()
        });
        let events = Events::from_rows(rows)?;
        for list in [&mut found.users, &mut found.tokens, &mut found.entitlements, &mut found.usage] {
            list.iter_mut().for_each(|row| move_dates(row, by));
        }
        let mut users: Vec<FakeUser> =
            found.users.into_iter().map(|row| FakeUser { row, tokens: Vec::new() }).collect();
        give_out(found.tokens, &mut users);
        Ok(Self {
            name: name.unwrap_or_else(|| "fabrikam".to_owned()),
            events,
            users,
            own_tokens: Vec::new(),
            entitlements: found.entitlements,
            usage: (!found.usage.is_empty()).then_some(found.usage),
        })
    }
}

/// Leaves out the files of every folder `lists-DAY` but the latest that `stand` allows.
fn with_latest_lists(files: Vec<PathBuf>, stand: Stand) -> Vec<PathBuf> {
    let day = |path: &Path| parse_day(path.parent()?.file_name()?.to_str()?.strip_prefix("lists-")?);
    let is_past = |day: &Day| match stand {
        Stand::Present(_) => true,
        Stand::At(at) => day_start(day + 1) - 1 <= at,
    };
    let latest = files.iter().filter_map(|path| day(path)).filter(is_past).max();
    files.into_iter().filter(|path| day(path).is_none_or(|day| Some(day) == latest)).collect()
}

impl Found {
    fn read(&mut self, path: &PathBuf) -> io::Result<()> {
        let bytes = std::fs::read(path)?;
        if let Some(rows) = list_of(&bytes)
            && let Some(list) = rows.first().and_then(|row| self.list(row))
        {
            list.extend(rows);
            return Ok(());
        }
        let name = path.display().to_string();
        source::read(&name, &mut bytes.as_slice(), &Options::default(), self).map_err(io::Error::other)?;
        Ok(())
    }

    /// The list that rows like this belong to; nothing for events.
    fn list(&mut self, row: &Value) -> Option<&mut Vec<Value>> {
        let has = |name: &str| row.get(name).is_some();
        if has("authorizationId") {
            Some(&mut self.tokens)
        } else if has("accessLevel") || has("lastAccessedDate") {
            Some(&mut self.entitlements)
        } else if has("descriptor") && has("subjectKind") {
            Some(&mut self.users)
        } else if has("authenticationMechanism") && has("command") {
            Some(&mut self.usage)
        } else {
            None
        }
    }
}

impl Sink for Found {
    fn chunk(&mut self, chunk: Parsed) -> io::Result<()> {
        for ((org, _), batch) in &chunk.batches {
            if !org.name.is_empty() {
                *self.names.entry(org_name(&org.name)).or_default() += batch.len();
            }
            for row in (0..batch.len()).map(|i| batch.row(i)) {
                let known = self.events.get(row.event_id).map(|(shape, ..)| *shape as u8);
                // The service's own shape loses least; then the order in which shapes are listed.
                if known.is_none_or(|known| (row.shape as u8) < known) {
                    self.events.insert(row.event_id.to_owned(), (row.shape, row.time, entry(&row)));
                }
            }
        }
        Ok(())
    }
}

/// An event as the query API writes it, but for its id.
fn entry(row: &EventRow<'_>) -> Value {
    let id = |text: &str| if text.is_empty() { json!(ZERO_GUID) } else { json!(text) };
    let scope = match row.scope_type {
        "organization" if !row.scope_name.ends_with(" (Organization)") => {
            format!("{} (Organization)", row.scope_name)
        }
        _ => row.scope_name.to_owned(),
    };
    let mut category = row.category.to_owned();
    category.get_mut(..1).unwrap_or_default().make_ascii_uppercase();
    json!({
        "id": row.event_id,
        "correlationId": row.correlation_id,
        "activityId": row.activity_id,
        "actorCUID": id(row.actor_cuid),
        "actorUserId": id(row.actor_id),
        "actorClientId": id(row.actor_client_id),
        "actorUPN": row.actor_upn,
        "authenticationMechanism": row.mechanism,
        "timestamp": wire_time(row.time),
        "scopeType": row.scope_type,
        "scopeDisplayName": scope,
        "scopeId": id(row.scope_id),
        "projectId": id(row.project_id),
        "projectName": row.project,
        "ipAddress": (!row.address.is_empty()).then_some(row.address),
        "userAgent": row.user_agent,
        "actionId": row.action,
        "data": serde_json::from_str::<Value>(row.data).unwrap_or(Value::Null),
        "details": row.details,
        "area": row.area,
        "category": row.category,
        "categoryDisplayName": category,
        "actorDisplayName": row.actor_name,
        "actorImageUrl": null,
    })
}

/// Seven fraction digits and an offset, as the query API writes times.
fn wire_time(time: Micros) -> String {
    let seconds = format_time(time.div_euclid(SECOND) * SECOND);
    format!("{}.{:06}0+00:00", seconds.get(..19).unwrap_or_default(), time.rem_euclid(SECOND))
}

/// Moves every date inside a row by so many whole days; the time of day stays as it is written.
fn move_dates(value: &mut Value, by: Micros) {
    match value {
        Value::String(text) => {
            let dated = text.len() >= 19 && text.as_bytes().get(10) == Some(&b'T');
            if dated && let Some(time) = parse_time(text) {
                let moved = format_time(time + by);
                text.replace_range(..10, moved.get(..10).unwrap_or_default());
            }
        }
        Value::Array(rows) => rows.iter_mut().for_each(|row| move_dates(row, by)),
        Value::Object(fields) => fields.values_mut().for_each(|field| move_dates(field, by)),
        _ => {}
    }
}

/// The rows of a JSON list or of lines of JSON, gzip or not; nothing where the bytes are something else.
fn list_of(bytes: &[u8]) -> Option<Vec<Value>> {
    let mut plain = Vec::new();
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain).ok()?;
        &plain
    } else {
        bytes
    };
    if let Ok(page) = envelope::read::<Value>(bytes) {
        return super::load::list(page);
    }
    let lines = bytes.split(|c| *c == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{SAMPLE, SimulateOptions, simulate};

    #[test]
    fn a_simulated_organisation_moves_to_the_present() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data");
        let now = parse_time("2031-05-07T09:00:00Z").expect("time");
        let org = FakeOrganisation::from_folder(&folder, Stand::Present(now)).expect("sample");
        assert_eq!(org.name, "larkmoor-sample");
        assert!(org.events.len() > 2_000 && org.users.len() > 10 && !org.entitlements.is_empty());
        assert!(org.users.iter().map(|u| u.tokens.len()).sum::<usize>() > 20);
        let rows = org.events.rows(0..org.events.len()).expect("rows");
        let ids: Vec<Value> = rows.iter().map(|row| serde_json::from_str(row).expect("JSON")).collect();
        let ids: Vec<&str> = ids.iter().filter_map(|row| row["id"].as_str()).collect();
        assert!(ids.is_sorted(), "newest first is smallest first");
        let newest: Value = serde_json::from_str(&rows[0]).expect("JSON");
        let time = parse_time(newest["timestamp"].as_str().expect("time")).expect("time");
        assert!(time <= now && now - time < 7 * DAY, "{}", format_time(time));
        let ticks: i64 = ids[0].split(';').next().and_then(|t| t.parse().ok()).expect("ticks");
        assert_eq!((LAST_TICK - ticks - EPOCH_TICKS) / 10, time);
    }

    #[test]
    fn at_an_instant_nothing_later_is_shown_and_no_date_moves() {
        let dir = tempfile::tempdir().expect("folder");
        let (first, last) = (SAMPLE.last_day - 60, SAMPLE.last_day);
        simulate(&SimulateOptions { list_days: vec![first, last], ..SAMPLE }, dir.path()).expect("written");
        let at =
            |day| FakeOrganisation::from_folder(dir.path(), Stand::At(day_start(day + 1) - 1)).expect("org");
        let ids = |org: &FakeOrganisation| -> BTreeMap<String, Value> {
            let rows = org.users.iter().flat_map(|user| &user.tokens);
            rows.map(|row| (row["authorizationId"].to_string(), row.clone())).collect()
        };
        let (before, after) = (at(first), at(last));
        assert!(before.events.len() < after.events.len());
        let newest = before.events.rows(0..1).expect("a row");
        let newest: Value = serde_json::from_str(&newest[0]).expect("JSON");
        let time = parse_time(newest["timestamp"].as_str().expect("time")).expect("time");
        assert!(day_start(first) <= time && time < day_start(first + 1), "{}", format_time(time));
        let (before, after) = (ids(&before), ids(&after));
        let known: Vec<&String> = before.keys().filter(|id| after.contains_key(*id)).collect();
        assert!(
            known.len() == before.len() && known.iter().any(|id| before[*id] != after[*id]),
            "nothing changed"
        );
    }

    #[test]
    fn the_official_example_has_the_same_ticks() {
        // Facts, section 1: 2518505060978539161 stands for 2019-03-05T14:05:02.1460838.
        let time = parse_time("2019-03-05T14:05:02.1460838Z").expect("time");
        assert_eq!(LAST_TICK - (EPOCH_TICKS + time * 10 + 8), 2_518_505_060_978_539_161);
    }

    #[test]
    fn dates_move_and_times_of_day_stay() {
        let mut row =
            json!({ "a": ["2026-01-31T10:00:00.1234567+00:00", "2026-01-31"], "b": { "c": "T".repeat(30) } });
        move_dates(&mut row, 7 * DAY);
        assert_eq!(row["a"], json!(["2026-02-07T10:00:00.1234567+00:00", "2026-01-31"]));
        assert_eq!(row["b"]["c"], "T".repeat(30));
    }
}
