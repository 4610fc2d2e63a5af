//! Folds against the days they stand for: cascades across midnight, late days, an earlier instant.

use super::*;
use crate::lake::import::Import;
use crate::lake::index::Ingest;
use crate::lake::table::Table;
use crate::model::batch::EventBatch;
use crate::model::event::EventRow;
use crate::model::inventory::OrgKey;
use crate::model::time::{DAY, day_of, parse_time};

const TOKEN: &str = "PAT authorizationId: aaaaaaaa-0000-0000-0000-000000000001";

fn id(n: u32) -> String {
    format!("00000000-0000-0000-0000-{n:012}")
}

/// Imports events: (number, correlation, time, action).
fn import(lake: &mut Lake, events: &[(u32, u32, &str, &str)]) {
    let mut import = Import::new(lake, Some("o".to_owned()));
    let input = import.input(Ingest { name: "x".to_owned(), ..Ingest::default() });
    for (n, correlation, time, action) in events {
        let time = parse_time(time).unwrap();
        let mut batch = EventBatch::default();
        batch.push(&EventRow {
            event_id: &id(*n),
            correlation_id: &id(*correlation),
            time,
            action,
            mechanism: TOKEN,
            actor_upn: "ann@contoso.com",
            ..EventRow::EMPTY
        });
        let org = OrgKey { scope_id: String::new(), name: "o".to_owned() };
        import.stage(input, org, day_of(time), batch).unwrap();
    }
    import.commit(&[], &[], |_, _| {}).unwrap();
    lake.save().unwrap();
}

/// The orphans that the days hold.
fn orphans(view: &View) -> Vec<String> {
    let read = |file: PathBuf| {
        let table = Table::read(&file, &["event_id"]).unwrap();
        table.cells("event_id").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut all: Vec<String> = view.days("orphans", 0).into_iter().flat_map(read).collect();
    all.sort();
    all
}

fn lake() -> (tempfile::TempDir, Lake) {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).unwrap();
    (folder, lake)
}

#[test]
fn an_origin_on_the_other_side_of_midnight_makes_a_cascade() {
    let (_folder, mut lake) = lake();
    import(
        &mut lake,
        &[
            (1, 1, "2026-03-31T23:59:59Z", "A.B"),
            (2, 1, "2026-04-01T00:00:01Z", "A.C"),
            (3, 1, "2026-03-31T23:59:59Z", "A.C"),
            (4, 99, "2026-04-01T00:00:02Z", "A.D"),
        ],
    );
    assert_eq!(orphans(&View::refresh(&lake).unwrap()), [id(4)]);
}

#[test]
fn a_late_origin_settles_the_day_after_it() {
    let (_folder, mut lake) = lake();
    import(&mut lake, &[(2, 1, "2026-04-01T00:00:01Z", "A.C")]);
    assert_eq!(orphans(&View::refresh(&lake).unwrap()), [id(2)]);
    import(&mut lake, &[(1, 1, "2026-03-31T23:59:59Z", "A.B")]);
    let view = View::refresh(&lake).unwrap();
    assert_eq!(orphans(&view), [""; 0]);
    for table in derive::FOLDED {
        let held = view.months(table);
        let beside = |file: &PathBuf| file.parent().unwrap().read_dir().unwrap();
        let named = |file: &PathBuf| beside(file).all(|other| held.contains(&other.unwrap().path()));
        assert!(held.iter().all(named), "{table}: stale folds go");
    }
}

#[test]
fn an_earlier_instant_sees_neither_later_events_nor_their_origins() {
    let (_folder, mut lake) = lake();
    import(
        &mut lake,
        &[
            (1, 1, "2026-03-31T10:00:00Z", "A.B"),
            (2, 2, "2026-03-31T12:00:00Z", "A.B"),
            (3, 4, "2026-03-30T23:59:59Z", "A.C"),
            (4, 4, "2026-03-31T11:30:00Z", "A.D"),
        ],
    );
    let scratch = tempfile::tempdir().unwrap();
    let as_of = parse_time("2026-03-31T11:00:00Z").unwrap();
    let view = View::open(&lake, &["o".to_owned()], as_of, scratch.path()).unwrap();
    assert_eq!(orphans(&view), [id(3)]);
    let whole = View::refresh(&lake).unwrap();
    assert_eq!(orphans(&whole), [""; 0]);
}

#[test]
fn a_month_counts_values_and_days_once() {
    let (_folder, mut lake) = lake();
    import(
        &mut lake,
        &[
            (1, 1, "2026-03-30T10:00:00Z", "A.B"),
            (2, 2, "2026-03-31T10:30:00Z", "A.B"),
            (3, 3, "2026-03-31T11:00:00Z", "A.B"),
            (4, 4, "2026-04-01T11:00:00Z", "A.B"),
        ],
    );
    let view = View::refresh(&lake).unwrap();
    let (texts, counts) = (["dimension", "value", "first_event", "last_event"], ["n", "active_days"]);
    let table = Table::read(&view.months("seen")[0], &[&texts[..], &counts].concat()).unwrap();
    let [dimension, value, first, last] = texts.map(|c| table.cells(c));
    let [n, days] = counts.map(|c| table.ints(c));
    let rows: Vec<_> = (0..table.height()).map(|i| (dimension[i], value[i], n[i], days[i])).collect();
    assert_eq!(rows, [("action", "A.B", 3, 2), ("hour", "10", 2, 2), ("hour", "11", 1, 1),]);
    assert_eq!((first[0], last[0]), (id(1).as_str(), id(3).as_str()));
    let uses = Table::read(&view.months("uses")[0], &["day_bits"]).unwrap();
    let first = parse_time("2026-03-01T00:00:00Z").unwrap().div_euclid(DAY);
    let days = days_of_use(i32::try_from(first).unwrap(), uses.known_ints("day_bits")[0]);
    assert_eq!(days.len(), 2);
    assert_eq!(day_text(days[0]), "2026-03-30");
}

#[test]
fn a_missing_table_is_made_anew_from_its_day_alone() {
    let (_folder, mut lake) = lake();
    import(&mut lake, &[(1, 1, "2026-03-30T10:00:00Z", "A.B"), (2, 2, "2026-03-31T10:00:00Z", "A.B")]);
    let view = View::refresh(&lake).unwrap();
    let files = view.days("activity", 0);
    let stamp = |path: &PathBuf| path.metadata().unwrap().modified().unwrap();
    let other = stamp(&files[1]);
    std::fs::remove_file(&files[0]).unwrap();
    let again = View::refresh(&lake).unwrap();
    assert_eq!(again.days("activity", 0), files);
    assert_eq!(stamp(&files[1]), other);
}
