//! A pruned lake against one that never held the old days; prunes that were killed half way.

use super::*;
use crate::lake::frame::small_disk;
use crate::lake::import::Import;
use crate::lake::index::{Cover, Ingest};
use crate::lake::snapshot::Facts;
use crate::lake::view::View;
use crate::model::batch::EventBatch;
use crate::model::coverage::Basis;
use crate::model::event::EventRow;
use crate::model::inventory::{InventoryRow, OrgKey};
use crate::model::time::{Span, day_of, parse_time};

const TOKEN: &str = "PAT authorizationId: aaaaaaaa-0000-0000-0000-000000000001";

fn at(time: &str) -> Micros {
    parse_time(time).unwrap()
}

/// Events of a cascade over midnight of 2026-03-02, a later month, and days before: (number, correlation, time).
const EVENTS: [(u32, u32, &str); 6] = [
    (1, 1, "2026-02-27T10:00:00Z"),
    (2, 2, "2026-03-01T10:00:00Z"),
    (3, 3, "2026-03-01T23:59:59Z"),
    (4, 3, "2026-03-02T00:00:01Z"),
    (5, 5, "2026-03-03T10:00:00Z"),
    (6, 6, "2026-04-01T10:00:00Z"),
];

fn import(lake: &mut Lake, events: &[(u32, u32, &str)]) {
    let mut import = Import::new(lake, Some("o".to_owned()));
    let input = import.input(Ingest { name: "x".to_owned(), ..Ingest::default() });
    let id = |n: u32| format!("00000000-0000-0000-0000-{n:012}");
    for (n, correlation, time) in events {
        let mut batch = EventBatch::default();
        batch.push(&EventRow {
            event_id: &id(*n),
            correlation_id: &id(*correlation),
            time: at(time),
            action: "A.B",
            mechanism: TOKEN,
            actor_upn: "ann@contoso.com",
            ..EventRow::EMPTY
        });
        let org = OrgKey { scope_id: String::new(), name: "o".to_owned() };
        import.stage(input, org, day_of(at(time)), batch).unwrap();
    }
    import.commit(&[], &[], |_, _| {}).unwrap();
}

/// Every file below `root` but the index, with its bytes.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                open.push(entry.path());
            } else if entry.path().extension().is_some_and(|e| e == "parquet") {
                let name = entry.path().strip_prefix(root).unwrap().to_owned();
                found.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

fn lake(events: &[(u32, u32, &str)]) -> (tempfile::TempDir, Lake) {
    let folder = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(folder.path()).unwrap();
    import(&mut lake, events);
    (folder, lake)
}

#[test]
fn a_pruned_lake_is_one_that_never_held_the_old_days() {
    let (_folder, mut pruned) = lake(&EVENTS);
    let (record, stale) = pruned.prune(at("2026-03-02T15:00:00Z")).unwrap();
    assert!(stale.is_none());
    assert_eq!(record.before, day_of(at("2026-03-02")), "a day that the instant cuts stays whole");
    assert_eq!((record.orgs[0].days, record.orgs[0].events), (2, 3));
    assert_eq!(record.newest, Some(at("2026-04-01T10:00:00Z")));
    let (_other, fresh) = lake(&EVENTS[3..]);
    assert_eq!(pruned.index.days, fresh.index.days);
    // With `orphans` of the next day, whose origin is gone, and the fold of the month that was cut.
    assert!(files(pruned.root()) == files(fresh.root()));
    let read = Lake::open(pruned.root()).unwrap();
    assert_eq!(read.index, pruned.index);
    assert_eq!(read.index.runs.last().unwrap().pruned.as_ref(), Some(&record));
    assert_eq!(read.index.pruning, None);
}

#[test]
fn an_import_brings_the_days_back() {
    let (_folder, mut pruned) = lake(&EVENTS);
    pruned.prune(at("2026-03-02")).unwrap();
    import(&mut pruned, &EVENTS);
    let (_other, fresh) = lake(&EVENTS);
    assert_eq!(pruned.index.days, fresh.index.days);
    assert!(files(pruned.root()) == files(fresh.root()));
}

#[test]
fn covers_are_cut_and_lists_stay_undated() {
    let (_folder, mut lake) = lake(&EVENTS);
    let cover = |from: &str, to: &str, basis| Cover {
        org: "o".to_owned(),
        span: Span { from: at(from), to: at(to) },
        basis,
    };
    lake.index.covers = vec![
        cover("2026-02-01", "2026-03-01", Basis::Declared),
        cover("2026-02-20", "2026-03-20", Basis::Pulled),
        cover("2026-03-10", "2026-03-30", Basis::Declared),
    ];
    let row = InventoryRow { token_id: "t".to_owned(), ..InventoryRow::default() };
    for taken in ["2026-02-27T10:00:00Z", "2026-02-28T10:00:00Z"] {
        let facts = Facts { taken: at(taken), complete: true, ..Facts::default() };
        lake.add_inventory("o", std::slice::from_ref(&row), facts).unwrap();
    }
    lake.prune(at("2026-03-02")).unwrap();
    let expected = [
        cover("2026-03-02", "2026-03-20", Basis::Pulled),
        cover("2026-03-10", "2026-03-30", Basis::Declared),
    ];
    assert_eq!(lake.index.covers.len(), 2);
    assert!(expected.iter().all(|c| lake.index.covers.contains(c)));
    let undated: Vec<bool> = lake.index.snapshots.iter().map(|s| s.undated).collect();
    assert_eq!(undated, [true, false], "one stands at an event that is gone");
    assert!(lake.index.snapshots.iter().all(|s| lake.root().join(&s.file).exists()));
}

#[test]
fn a_killed_prune_is_ended_by_the_next_import() {
    let (folder, mut lake) = lake(&EVENTS);
    // Killed after the index, before the first file goes.
    lake.index.days.retain(|d| d.day >= day_of(at("2026-03-02")));
    lake.index.pruning = Some(day_of(at("2026-03-02")));
    lake.save().unwrap();
    assert!(lake.day_file("events", "o", day_of(at("2026-03-01"))).exists());
    let mut next = Lake::open(folder.path()).unwrap();
    // An event of a day whose file lies there still: the old events of that day must not come along.
    import(&mut next, &EVENTS[1..2]);
    let held: Vec<(Day, u64)> = next.index.days.iter().map(|d| (d.day, d.rows)).collect();
    let expected = ["2026-03-01", "2026-03-02", "2026-03-03", "2026-04-01"].map(|d| (day_of(at(d)), 1));
    assert_eq!(held, expected);
    assert!(!next.day_file("events", "o", day_of(at("2026-02-27"))).exists());
    assert_eq!(next.index.pruning, None);
}

#[test]
fn a_prune_makes_room_on_a_full_disk() {
    let (_folder, mut pruned) = lake(&EVENTS);
    // Not a byte is left: neither for another index nor for a table that is rebuilt.
    small_disk::leave(pruned.root(), 0);
    assert!(pruned.write_index().unwrap_err().is_full_disk());
    let lock = pruned.lock().unwrap();
    let (record, stale) = pruned.prune(at("2026-03-02")).unwrap();
    drop(lock);
    assert_eq!((record.orgs[0].days, stale.map(|e| e.to_string())), (2, None));
    let (_other, fresh) = lake(&EVENTS[3..]);
    assert!(files(pruned.root()) == files(fresh.root()));
    assert_eq!(Lake::open(pruned.root()).unwrap().index, pruned.index);
}

#[test]
fn tables_that_still_have_no_room_are_left_to_the_next_reader() {
    let (_folder, mut pruned) = lake(&EVENTS);
    let size = |name: &str| std::fs::metadata(pruned.root().join(name)).map_or(0, |m| m.len());
    // The derived tables are there no more, so their going makes no room; only the old day of events does.
    let gone: Vec<DayEntry> = pruned.index.days.clone();
    let index = size("index.json");
    pruned.remove_derived(&gone).unwrap();
    small_disk::leave(pruned.root(), index + 64);
    let (record, stale) = pruned.prune(at("2026-02-28")).unwrap();
    assert_eq!(record.orgs[0].days, 1);
    assert!(stale.is_some_and(|error| error.is_full_disk()), "there is no room for all tables");
    let read = Lake::open(pruned.root()).unwrap();
    assert_eq!((read.index.days.len(), read.index.pruning), (4, None));
    let scratch = tempfile::tempdir().unwrap();
    View::open(&read, &read.orgs(), Micros::MAX, scratch.path()).unwrap();
}

#[test]
fn a_prune_that_is_killed_before_the_index_leaves_a_whole_lake() {
    let (_folder, mut killed) = lake(&EVENTS);
    let days = killed.index.days.clone();
    killed.remove_derived(&days[..2]).unwrap();
    let read = Lake::open(killed.root()).unwrap();
    assert_eq!(read.index.days, days);
    let scratch = tempfile::tempdir().unwrap();
    View::open(&read, &read.orgs(), Micros::MAX, scratch.path()).unwrap();
    killed.save().unwrap();
    let (_other, fresh) = lake(&EVENTS);
    assert!(files(killed.root()) == files(fresh.root()), "they are rebuilt");
}

#[test]
fn nothing_before_the_day_is_no_run() {
    let (_folder, mut lake) = lake(&EVENTS);
    let before = files(lake.root());
    let (pruned, _) = lake.prune(at("2026-02-27T23:59:59Z")).unwrap();
    assert!(pruned.orgs.is_empty());
    assert_eq!(lake.index.runs.len(), 1);
    assert!(files(lake.root()) == before);
    // All of it may go too.
    lake.prune(at("2027-01-01")).unwrap();
    assert!(lake.index.days.is_empty() && files(lake.root()).is_empty());
}
