//! The hits of all detections, copied with fresh ids: tables of any size for the pack.
//!
//! In: `tests/detections/*/hit.json`. Out: the rows of every table, and Parquet files of those that a lake stores.

use crate::json_tables::{Row, file_frame, in_memory};
use crate::support::root;
use patwatch::engine::{Cell, Cut, Engine, schema};
use patwatch::model::policy::Policy;
use patwatch::model::time::{Window, day_of, day_text, parse_time};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Tables that a lake stores by day; a run reads them from files, the others from memory.
pub const DAY_TABLES: [&str; 6] = ["events", "activity", "token_day", "notable", "actors", "connection_runs"];

/// Columns whose texts are ids or people. Wherever such a text occurs in a fixture, a copy has another one.
const IDS: [&str; 16] = [
    "token_id",
    "credential",
    "event_id",
    "correlation_id",
    "first_event",
    "last_event",
    "created_event",
    "actor",
    "actor_id",
    "actor_cuid",
    "owner",
    "owner_id",
    "candidate_ids",
    "definition_id",
    "event_ids",
    "fingerprint",
];

/// Where the copies of a hit are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placing {
    /// All copies of all hits in one organisation.
    OneOrg,
    /// Every copy in an organisation of its own.
    OrgEach,
}

/// A finding that a copy must give: detection, organisation, subject.
pub type Expected = (String, String, String);

/// The rows of all tables, and what the copies expect.
pub struct Copies {
    pub tables: BTreeMap<String, Vec<Row>>,
    pub expected: Vec<Expected>,
}

/// The instant and window of every hit.
pub fn window() -> Window {
    Window::ending(parse_time("2026-03-31T12:00:00Z").expect("a time"), 90)
}

/// The hits of the pack, by detection.
pub fn hits() -> BTreeMap<String, Value> {
    let folders = std::fs::read_dir(root().join("tests/detections")).expect("a folder").flatten();
    let hit = |folder: std::fs::DirEntry| {
        let text = std::fs::read_to_string(folder.path().join("hit.json")).expect("a hit");
        let hit: Value = serde_json::from_str(&text).expect("JSON");
        // What a copy cannot have of its own would need a run of its own.
        assert!(hit["policy"].is_null() && hit["as_of"].is_null() && hit["base"].is_null(), "{hit}");
        (folder.file_name().to_string_lossy().into_owned(), hit)
    };
    folders.map(hit).collect()
}

impl Copies {
    /// Copies hits as often as is asked.
    pub fn of<'a>(
        hits: impl Iterator<Item = (&'a String, &'a Value)>,
        times: usize,
        placing: Placing,
    ) -> Self {
        let mut copies = Self { tables: BTreeMap::new(), expected: Vec::new() };
        for (detection, hit) in hits {
            let ids = ids(hit);
            for copy in 0..times {
                copies.add(detection, hit, copy, &ids, placing);
            }
        }
        // The catalogue is the same for everybody.
        if let Some(actions) = copies.tables.get_mut("actions") {
            let mut seen = BTreeSet::new();
            actions.retain(|row| seen.insert(row["action"].to_string()));
        }
        copies.add_credentials();
        copies
    }

    fn add(&mut self, detection: &str, hit: &Value, copy: usize, ids: &BTreeSet<String>, placing: Placing) {
        let org = match placing {
            Placing::OneOrg => "contoso".to_owned(),
            Placing::OrgEach => format!("{}-{copy}", detection.to_lowercase()),
        };
        let fresh_ids: BTreeMap<&str, String> =
            ids.iter().map(|id| (id.as_str(), fresh_id(id, &format!("{detection} {copy}")))).collect();
        let fresh = |text: &str| fresh(text, &fresh_ids);
        for (name, rows) in hit["tables"].as_object().expect("tables") {
            let table = self.tables.entry(name.clone()).or_default();
            for row in rows.as_array().expect("rows") {
                let mut row = row.as_object().expect("a row").clone();
                for (column, cell) in &mut row {
                    match cell.as_str() {
                        Some(_) if column == "org" => *cell = json!(org),
                        Some(text) => *cell = json!(fresh(text)),
                        None => {}
                    }
                }
                // The files of a lake name the credential, and the token is joined in.
                if DAY_TABLES.contains(&name.as_str())
                    && let Some(token) = row.remove("token_id").filter(|token| !token.is_null())
                {
                    row.insert("credential".to_owned(), token);
                }
                // Hits leave out what their rule does not read; in a run no token is without a number of events.
                if name == "tokens" {
                    row.entry("n_events").or_insert(json!(0));
                }
                table.push(row);
            }
        }
        for subject in hit["expect"].as_array().expect("subjects") {
            let subject = subject.as_str().expect("a text");
            let parts: Vec<String> = subject.split('/').map(fresh).collect();
            let subject = if subject == "contoso" { org.clone() } else { parts.join("/") };
            self.expected.push((detection.to_owned(), org.clone(), subject));
        }
    }

    /// Every token's credential is its id.
    fn add_credentials(&mut self) {
        let mut known: BTreeSet<(String, String)> = BTreeSet::new();
        for row in DAY_TABLES.iter().filter_map(|name| self.tables.get(*name)).flatten() {
            if let (Some(org), Some(credential)) =
                (row["org"].as_str(), row.get("credential").and_then(Value::as_str))
                && !credential.contains('@')
            {
                known.insert((org.to_owned(), credential.to_owned()));
            }
        }
        let row = |(org, credential): (String, String)| {
            let row = json!({"org": org, "credential": credential, "token_id": credential, "how": "exact"});
            row.as_object().expect("a row").clone()
        };
        self.tables.insert("credentials".to_owned(), known.into_iter().map(row).collect());
    }

    /// Writes the files of a lake, a file a day and month, and the other tables as JSON lines.
    pub fn write(&mut self, folder: &Path) {
        self.fold_seen();
        for (name, rows) in &self.tables {
            let def = schema::table(name).unwrap_or_else(|| panic!("no table {name}"));
            if !is_stored(name) {
                let lines: String = rows.iter().map(|row| format!("{}\n", json!(row))).collect();
                std::fs::write(folder.join(format!("{name}.ndjson")), lines).expect("written");
                continue;
            }
            let mut parts: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
            for row in rows {
                parts.entry(part(name, row)).or_default().push(row);
            }
            for (part, mut rows) in parts {
                rows.sort_by_cached_key(|row| {
                    ["org", "credential", "time", "first_time", "event_id"]
                        .map(|c| row.get(c).map(Value::to_string))
                });
                let path = folder.join(name).join(part).join(format!("{name}.parquet"));
                std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
                std::fs::write(&path, file_frame(def, &rows).to_bytes(&path).expect("encoded"))
                    .expect("written");
            }
        }
    }

    /// The table `seen` as the folds of months: what the engine makes of the other tables, by the month of its first event.
    fn fold_seen(&mut self) {
        let mut engine = Engine::new(&Policy::default(), window());
        for name in ["activity", "token_day", "credentials"] {
            engine.register(in_memory(name, self.tables.get(name).map_or(&[], Vec::as_slice)));
        }
        let rows = engine.query("SELECT * FROM seen WHERE credential IS NOT NULL").expect("runs");
        let row = |cells: Vec<&Cell>| {
            let names = rows.columns.iter().map(|column| column.name.clone());
            names.zip(cells.into_iter().map(Cell::to_json)).collect()
        };
        self.tables.insert("seen".to_owned(), rows.iter().map(row).collect());
    }
}

/// An engine over the tables of a folder, registered as a run registers them.
pub fn engine_of(folder: &Path) -> Engine {
    let mut engine = Engine::new(&Policy::default(), window());
    for table in DAY_TABLES {
        engine.register_parquet(table, &files(&folder.join(table)), Cut::Window).expect("files");
    }
    engine.register_parquet("seen", &files(&folder.join("seen")), Cut::None).expect("files");
    for table in ["lake_changes", "lake_uses", "lake_orphans"] {
        engine.register_parquet(table, &[], Cut::None).expect("no files");
    }
    for def in schema::tables() {
        let Ok(lines) = std::fs::read_to_string(folder.join(format!("{}.ndjson", def.name))) else {
            continue;
        };
        let rows: Vec<Row> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        engine.register(in_memory(def.name, &rows));
    }
    engine.register_missing();
    engine
}

fn is_stored(name: &str) -> bool {
    name == "seen" || DAY_TABLES.contains(&name)
}

/// The folder of a row's file: its day, or its month.
fn part(table: &str, row: &Row) -> String {
    let time = ["time", "first_time"].iter().find_map(|column| row.get(*column)?.as_str()).expect("a time");
    let day = day_text(day_of(parse_time(time).expect("a time")));
    if table == "seen" { format!("month={}", &day[..7]) } else { format!("date={day}") }
}

/// Every text of a hit that is an id or a person.
fn ids(hit: &Value) -> BTreeSet<String> {
    let rows =
        hit["tables"].as_object().expect("tables").values().flat_map(|rows| rows.as_array().expect("rows"));
    let cells = rows.flat_map(|row| row.as_object().expect("a row"));
    let named =
        cells.filter(|(column, _)| IDS.contains(&column.as_str())).filter_map(|(_, cell)| cell.as_str());
    named.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// The text in which every id is one of this copy; other texts stay.
fn fresh(text: &str, ids: &BTreeMap<&str, String>) -> String {
    let parts: Option<Vec<&str>> = text.split(' ').map(|part| Some(ids.get(part)?.as_str())).collect();
    parts.map_or_else(|| text.to_owned(), |parts| parts.join(" "))
}

/// An id, or an address of a person, of this copy.
fn fresh_id(id: &str, copy: &str) -> String {
    let hash = format!("{:x}", Sha256::digest(format!("{copy} {id}")));
    match id.split_once('@') {
        Some((name, domain)) => format!("{name}-{}@{domain}", &hash[..12]),
        None => {
            let [a, b, c, d, e] = [0..8, 8..12, 12..15, 15..18, 18..30].map(|part| &hash[part]);
            format!("{a}-{b}-4{c}-8{d}-{e}")
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let parts = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = parts
        .flat_map(|part| std::fs::read_dir(part.path()).expect("a folder").flatten())
        .map(|file| file.path())
        .collect();
    files.sort_unstable();
    files
}
