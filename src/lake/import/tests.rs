//! The same events in any order, in any portions and under any budget give the same bytes.

use super::*;
use crate::model::event::EventRow;
use crate::model::time::DAY;
use std::collections::BTreeMap;
use std::path::Path;

const EVENTS: usize = 600;
const DAYS: i64 = 6;

fn event(i: usize, batches: &mut BTreeMap<(OrgKey, Day), EventBatch>) {
    let id = format!("{:08x}-0000-4000-9000-00000000{i:04x}", i * 7_919 % 65_536);
    let time = 20_605 * DAY + i as i64 * DAY * DAYS / EVENTS as i64;
    let mechanism = format!("PAT authorizationId: AAAAAAAA-0000-0000-0000-00000000{:04}", i % 9);
    let row = EventRow {
        event_id: &id,
        correlation_id: if i.is_multiple_of(3) { &id } else { "00000000-0000-4000-9000-000000000001" },
        time,
        action: if i.is_multiple_of(5) {
            "Git.RepositoryCreated"
        } else {
            "Library.ServiceConnectionExecuted"
        },
        area: "Git",
        mechanism: if i.is_multiple_of(11) { "" } else { &mechanism },
        actor_upn: if i.is_multiple_of(2) { "Ada@contoso.com" } else { "bob@contoso.com" },
        address: if i.is_multiple_of(4) { "10.1.2.3" } else { "" },
        details: if i.is_multiple_of(7) { "" } else { "did this" },
        data: "{\"RepoName\":\"web\"}",
        scope_id: "5b0d6f57-2f9e-4b0e-9c1e-1f4a3e3f7a10",
        scope_name: "contoso (Organization)",
        ..EventRow::EMPTY
    };
    let key = OrgKey { scope_id: row.scope_id.to_owned(), name: "contoso".to_owned() };
    let day = crate::model::time::day_of(time);
    batches.entry((key, day)).or_default().push(&row);
}

/// Every file below `root` with its bytes.
fn files(root: &Path, found: &mut BTreeMap<String, Vec<u8>>, prefix: &str) {
    for entry in std::fs::read_dir(root).unwrap().flatten() {
        let name = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files(&entry.path(), found, &name);
        } else {
            found.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
}

/// Imports events, given as portions of numbers with the input of each; returns the files and what was kept.
fn import(
    portions: &[(usize, Vec<usize>)],
    budget: usize,
    quiet: usize,
) -> (BTreeMap<String, Vec<u8>>, Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(&folder.path().join("lake")).unwrap();
    let mut import = Import::new(&mut lake, None);
    import.staged.budget = budget;
    import.staged.quiet = quiet;
    let mut seen = BTreeMap::new();
    for (input, events) in portions {
        while import.inputs.len() <= *input {
            import.input(Ingest::default());
        }
        import.ingest(*input).read += events.len() as u64;
        let mut batches = BTreeMap::new();
        for i in events {
            event(*i, &mut batches);
        }
        for ((org, day), batch) in batches {
            seen.insert(org.clone(), crate::model::time::day_start(day));
            import.stage(*input, org, day, batch).unwrap();
        }
    }
    let seen: Vec<(OrgKey, Micros)> = seen.into_iter().collect();
    let inputs = import.commit(&seen, &[], |_, _| {}).unwrap().inputs;
    let mut found = BTreeMap::new();
    files(lake.root(), &mut found, "");
    found.remove("/index.json");
    assert!(found.keys().all(|name| !name.contains("staging")), "nothing is left beside the lake");
    (found, inputs.iter().map(|i| i.kept).collect())
}

#[test]
fn order_portions_and_budget_leave_no_trace() {
    let all: Vec<usize> = (0..EVENTS).collect();
    let (expected, kept) = import(&[(0, all.clone())], usize::MAX, 0);
    assert_eq!(kept, [EVENTS as u64]);
    assert!(expected.keys().filter(|name| name.ends_with("events.parquet")).count() == DAYS as usize);
    let in_time: Vec<(usize, Vec<usize>)> = all.chunks(20).map(|part| (0, part.to_vec())).collect();
    let shuffled: Vec<usize> = (0..EVENTS).map(|i| i * 137 % EVENTS).collect();
    let shuffled: Vec<(usize, Vec<usize>)> = shuffled.chunks(20).map(|part| (0, part.to_vec())).collect();
    // A day that was sealed and then turns up again, with copies, from two inputs.
    let mut again = in_time.clone();
    again.extend(in_time.iter().rev().map(|(_, part)| (1, part.clone())));
    for (how, portions, kept) in [
        ("in time", &in_time, vec![EVENTS as u64]),
        ("shuffled", &shuffled, vec![EVENTS as u64]),
        ("twice", &again, vec![EVENTS as u64, 0]),
    ] {
        for (budget, quiet) in [(usize::MAX, 0), (1, 0), (1, usize::MAX), (20_000, 8_000), (60_000, 1)] {
            let (found, held) = import(portions, budget, quiet);
            assert_eq!(held, kept, "{how}, budget {budget}, quiet {quiet}");
            assert!(found == expected, "{how}, budget {budget}, quiet {quiet}");
        }
    }
}

#[test]
fn rows_of_a_sealed_day_stay_with_the_input_that_brought_them() {
    let half = |input: usize, odd: usize| (input, (0..EVENTS).filter(|i| i % 2 == odd).collect::<Vec<_>>());
    let all = (2, (0..EVENTS).collect::<Vec<_>>());
    for (budget, quiet) in [(usize::MAX, 0), (1, 0), (30_000, 0), (1, usize::MAX)] {
        let (_, kept) = import(&[half(0, 0), half(1, 1), all.clone()], budget, quiet);
        assert_eq!(kept, [EVENTS as u64 / 2, EVENTS as u64 / 2, 0], "budget {budget}, quiet {quiet}");
    }
}

/// Imports parts one after the other, each by a process of its own as far as the lake can tell; returns the files.
fn one_after_the_other(parts: &[Vec<usize>]) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    for events in parts {
        let mut lake = Lake::open(&root).unwrap();
        let mut import = Import::new(&mut lake, None);
        import.input(Ingest::default());
        let mut batches = BTreeMap::new();
        events.iter().for_each(|i| event(*i, &mut batches));
        let mut seen = Vec::new();
        for ((org, day), batch) in batches {
            seen.push((org.clone(), crate::model::time::day_start(day)));
            import.stage(0, org, day, batch).unwrap();
        }
        import.commit(&seen, &[], |_, _| {}).unwrap();
    }
    let mut found = BTreeMap::new();
    files(&root, &mut found, "");
    found.remove("/index.json");
    found
}

#[test]
fn a_lake_that_grows_by_days_is_the_lake_of_all_days() {
    let all: Vec<usize> = (0..EVENTS).collect();
    let expected = one_after_the_other(std::slice::from_ref(&all));
    let day = EVENTS / DAYS as usize;
    let by_days: Vec<Vec<usize>> = all.chunks(day).map(<[usize]>::to_vec).collect();
    // Days that are cut, so that the last day of one part grows with the next.
    let cut: Vec<Vec<usize>> = all.chunks(day * 3 / 2).map(<[usize]>::to_vec).collect();
    let backwards: Vec<Vec<usize>> = by_days.iter().rev().cloned().collect();
    for (how, parts) in [("by days", by_days), ("cut", cut), ("backwards", backwards)] {
        let found = one_after_the_other(&parts);
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{how}");
        assert!(found == expected, "{how}");
    }
}
