//! What is refused, cut short or repeated loses nothing, and counts add up.

use super::*;
use crate::lake::snapshot::Facts;
use crate::model::decision::Decision;
use crate::model::event::EventRow;
use crate::model::inventory::InventoryRow;
use crate::model::time::{DAY, Span, day_of};
use std::path::Path;

const SCOPE: &str = "5b0d6f57-2f9e-4b0e-9c1e-1f4a3e3f7a10";

/// An event: number, scope id, name of the organisation.
type Event<'a> = (u32, &'a str, &'a str);

fn time(n: u32) -> Micros {
    20_605 * DAY + i64::from(n) * DAY / 4
}

/// Imports events, each input a list of them.
fn import(root: &Path, org: Option<&str>, inputs: &[&[Event<'_>]]) -> Result<Committed, LakeError> {
    let (mut lake, _lock) = Lake::open_to_write(root)?;
    let mut import = Import::new(&mut lake, org.map(str::to_owned));
    let mut seen: BTreeMap<OrgKey, Micros> = BTreeMap::new();
    for events in inputs {
        let input = import.input(Ingest { read: events.len() as u64, ..Ingest::default() });
        for (n, scope_id, name) in *events {
            let mut batch = EventBatch::default();
            batch.push(&EventRow {
                event_id: &format!("00000000-0000-4000-9000-{n:012}"),
                time: time(*n),
                action: "Git.RepositoryCreated",
                area: "Git",
                mechanism: "PAT authorizationId: aaaaaaaa-0000-0000-0000-000000000001",
                scope_type: "organization",
                scope_id,
                scope_name: name,
                ..EventRow::EMPTY
            });
            let key = OrgKey { scope_id: (*scope_id).to_owned(), name: (*name).to_owned() };
            let newest = seen.entry(key.clone()).or_insert(time(*n));
            *newest = time(*n).max(*newest);
            import.stage(input, key, day_of(time(*n)), batch)?;
        }
    }
    let seen: Vec<_> = seen.into_iter().collect();
    import.commit(&seen, &[], |_, _| {})
}

/// Every file below `root` with its bytes, but for the index and the lock.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(root).unwrap().display().to_string();
                found.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    found.retain(|name, _| !matches!(name.as_str(), "index.json" | ".lock"));
    found
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Events of one organisation.
fn old(numbers: std::ops::Range<u32>) -> Vec<Event<'static>> {
    numbers.map(|n| (n, SCOPE, "old")).collect()
}

/// A lake of an organisation with days, a list, a decision and a span.
fn begun(root: &Path) {
    import(root, None, &[&old(0..20)]).unwrap();
    let mut lake = Lake::open(root).unwrap();
    let row = InventoryRow { token_id: "t".to_owned(), ..InventoryRow::default() };
    lake.add_inventory("old", &[row], Facts { taken: time(19), ..Facts::default() }).unwrap();
    lake.add_decisions(&[decision()]).unwrap();
    let span = Span { from: time(0), to: time(20) };
    lake.index.covers.push(Cover {
        org: "old".to_owned(),
        span,
        basis: crate::model::coverage::Basis::Declared,
    });
    lake.save().unwrap();
}

fn decision() -> Decision {
    Decision {
        org: "old".to_owned(),
        token_id: "t".to_owned(),
        choice: crate::model::decision::Choice::Keep,
        reviewer: "ann".to_owned(),
        decided_on: 20_610,
        reason: String::new(),
        end_date: None,
        seen_until: 0,
        state: crate::model::decision::Fixed::default(),
        detections: None,
    }
}

#[test]
fn a_refused_import_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    begun(folder.path());
    let (before, index) = (files(folder.path()), Lake::open(folder.path()).unwrap().index);
    for events in [
        vec![(30, SCOPE, "new")],
        vec![(30, SCOPE, "new"), (31, "5b0d6f57-0000-4b0e-9c1e-1f4a3e3f7a10", "other"), (32, "", "")],
    ] {
        let refused = import(folder.path(), Some("old"), &[&events]);
        assert!(matches!(refused, Err(LakeError::Organisation(_))), "{refused:?}");
        assert!(files(folder.path()) == before, "no file changed");
        assert_eq!(Lake::open(folder.path()).unwrap().index, index);
    }
}

#[test]
fn a_new_name_takes_everything_along_whenever_it_is_cut_short() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    begun(&at("old"));
    let news: Vec<Event<'_>> = (18..24).map(|n| (n, SCOPE, "new")).collect();
    copy(&at("old"), &at("moved"));
    let brought = import(&at("moved"), None, &[&news]).unwrap();
    assert_eq!((brought.inputs[0].kept, brought.inputs[0].duplicate), (4, 2));
    let check = |root: &Path| {
        let lake = Lake::open(root).unwrap();
        assert_eq!(lake.orgs(), ["new"]);
        assert_eq!(lake.index.days.iter().map(|d| d.rows).sum::<u64>(), 24);
        assert_eq!(lake.index.covers[0].org, "new");
        assert_eq!(lake.decisions("new").unwrap(), [Decision { org: "new".to_owned(), ..decision() }]);
        assert_eq!(lake.inventory(&lake.index.snapshots[0]).unwrap().len(), 1);
        assert!(lake.index.leaving.is_empty());
    };
    check(&at("moved"));
    let expected = files(&at("moved"));
    assert!(expected.keys().all(|name| !name.contains("org=old")), "{:?}", expected.keys());

    // Cut short before the index: the old lake, with files of the new name beside it.
    copy(&at("old"), &at("early"));
    for table in ["events", "activity", "decisions", "inventory"] {
        copy(&at("moved").join(table), &at("early").join(table));
    }
    assert_eq!(Lake::open(&at("early")).unwrap().orgs(), ["old"]);
    // Cut short after it: the new lake, with files of the old name still there.
    copy(&at("moved"), &at("late"));
    for table in ["events", "activity", "seen", "decisions", "inventory"] {
        copy(&at("old").join(table), &at("late").join(table));
    }
    let mut late = Lake::open(&at("late")).unwrap();
    late.index.leaving.push("old".to_owned());
    late.write_index().unwrap();
    for cut in ["early", "late"] {
        copy(&at(cut), &at("verified"));
        let (mut lake, lock, fault) = Lake::open_to_verify(&at("verified")).unwrap();
        let verified = lake.verify(fault.as_deref()).unwrap();
        assert_eq!(verified.lost, [""; 0], "{cut}");
        drop(lock);
        for root in [at(cut), at("verified")] {
            import(&root, None, &[&news]).unwrap();
            check(&root);
            let found = files(&root);
            assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{cut}");
            assert!(found == expected, "{cut}");
        }
        std::fs::remove_dir_all(at("verified")).unwrap();
    }
}

#[test]
fn names_that_follow_or_change_places_keep_their_days_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = ("aaaaaaaa-0000-4b0e-9c1e-1f4a3e3f7a10", "bbbbbbbb-0000-4b0e-9c1e-1f4a3e3f7a10");
    for (name, to_a, to_b) in [("chain", "y", "z"), ("ring", "y", "x")] {
        let root = folder.path().join(name);
        import(&root, None, &[&[(0, a, "x"), (1, b, "y"), (2, b, "y")]]).unwrap();
        import(&root, None, &[&[(12, a, to_a), (13, b, to_b)]]).unwrap();
        let lake = Lake::open(&root).unwrap();
        let rows = |org: &str| lake.index.days.iter().filter(|d| d.org == org).map(|d| d.rows).sum::<u64>();
        assert_eq!((rows(to_a), rows(to_b), lake.orgs().len()), (2, 3, 2), "{name}");
    }
}

#[test]
fn what_has_no_place_is_refused_alone() {
    let folder = tempfile::tempdir().unwrap();
    let long = "o".repeat(300);
    let other = "5b0d6f57-0000-4b0e-9c1e-1f4a3e3f7a10";
    let third = "5b0d6f57-1111-4b0e-9c1e-1f4a3e3f7a10";
    let events =
        [(0, SCOPE, "old"), (1, other, "other"), (2, "", ""), (3, third, long.as_str()), (4, SCOPE, &long)];
    let brought = import(folder.path(), None, &[&old(5..7), &events]).unwrap();
    let [first, second] = brought.inputs.as_slice() else { panic!("two inputs") };
    assert_eq!((first.kept, first.rejected), (2, 0));
    assert_eq!((second.kept, second.duplicate, second.rejected), (3, 0, 2), "{brought:?}");
    let reasons: Vec<&str> = second.reasons.keys().map(String::as_str).collect();
    assert_eq!(reasons, ["organisation name too long", "organisation unknown"]);
    let unknown = brought.refused.iter().find(|r| r.reason == "organisation unknown").unwrap();
    assert_eq!((unknown.input, unknown.rows), (1, 1));
    assert!(
        unknown.why.contains("--org") && unknown.event_id.as_ref().unwrap().ends_with("02"),
        "{unknown:?}"
    );
    assert_eq!(Lake::open(folder.path()).unwrap().orgs(), ["old", "other"]);
}

#[test]
fn a_damaged_day_costs_itself_alone_and_comes_back_after_verify() {
    let folder = tempfile::tempdir().unwrap();
    import(folder.path(), None, &[&old(0..12)]).unwrap();
    let lake = Lake::open(folder.path()).unwrap();
    std::fs::write(lake.day_file("events", "old", 20_606), "no parquet").unwrap();
    let brought = import(folder.path(), None, &[&old(0..16)]).unwrap();
    let input = &brought.inputs[0];
    assert_eq!((input.kept, input.duplicate, input.rejected), (4, 8, 4));
    assert!(brought.refused[0].why.contains("lake verify"), "{:?}", brought.refused);
    let (mut lake, lock, fault) = Lake::open_to_verify(folder.path()).unwrap();
    assert_eq!(lake.verify(fault.as_deref()).unwrap().lost.len(), 1);
    drop(lock);
    let brought = import(folder.path(), None, &[&old(0..16)]).unwrap();
    let input = &brought.inputs[0];
    assert_eq!((input.kept, input.duplicate, input.rejected), (4, 12, 0));
}

#[test]
fn what_a_killed_import_left_counts_for_those_that_bring_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    import(&at("before"), None, &[&old(0..2)]).unwrap();
    copy(&at("before"), &at("lake"));
    import(&at("lake"), None, &[&old(2..4), &old(0..8)]).unwrap();
    // The days were written, the index was not.
    std::fs::copy(at("before").join("index.json"), at("lake").join("index.json")).unwrap();
    let brought = import(&at("lake"), None, &[&old(1..2), &old(2..4), &old(0..8)]).unwrap();
    let counts: Vec<_> = brought.inputs.iter().map(|i| (i.read, i.kept, i.duplicate)).collect();
    // Which two of the day were counted before is not known any more, but no input brings more than it has.
    assert_eq!(counts, [(1, 1, 0), (2, 1, 1), (8, 4, 4)]);
    assert_eq!(counts.iter().map(|(_, kept, _)| kept).sum::<u64>(), 6);
}

#[test]
fn day_files_without_an_index_are_no_empty_lake() {
    let folder = tempfile::tempdir().unwrap();
    import(folder.path(), None, &[&old(0..2)]).unwrap();
    std::fs::remove_file(folder.path().join("index.json")).unwrap();
    let gone = Lake::open(folder.path()).map(|_| ()).unwrap_err();
    assert!(matches!(gone, LakeError::NoIndex { .. }) && gone.to_string().contains("lake verify"), "{gone}");
}

#[test]
fn a_day_that_a_killed_import_left_newer_stays_whole_whatever_is_imported_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    import(&at("before"), None, &[&old(0..2)]).unwrap();
    copy(&at("before"), &at("lake"));
    import(&at("lake"), None, &[&old(0..4)]).unwrap();
    std::fs::copy(at("before").join("index.json"), at("lake").join("index.json")).unwrap();
    // Another day first: the tables that the index names are made anew for it.
    import(&at("lake"), None, &[&old(8..9)]).unwrap();
    let brought = import(&at("lake"), None, &[&old(0..4)]).unwrap();
    assert_eq!((brought.inputs[0].kept, brought.refused.len()), (2, 0), "{brought:?}");
    import(&at("calm"), None, &[&[old(0..4), old(8..9)].concat()]).unwrap();
    assert!(files(&at("lake")) == files(&at("calm")));
}
