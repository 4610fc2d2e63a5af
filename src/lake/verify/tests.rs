//! Damage of every kind of file is found, mended where it can be, and told where it cannot.

use super::*;
use crate::lake::import::Import;
use crate::lake::index::{Ingest, SnapshotKind};
use crate::lake::snapshot::Facts;
use crate::model::batch::EventBatch;
use crate::model::decision::{Choice, Decision, Fixed};
use crate::model::event::EventRow;
use crate::model::inventory::{InventoryRow, OrgKey, UsageRow, UserRow};
use crate::model::time::{DAY, day_of};
use std::collections::BTreeMap;

const SCOPE: &str = "5b0d6f57-2f9e-4b0e-9c1e-1f4a3e3f7a10";

/// Imports events of eight days across the end of a month; returns how many were kept and refused.
fn import(root: &Path) -> (u64, u64) {
    let (mut lake, _lock) = Lake::open_to_write(root).unwrap();
    let mut import = Import::new(&mut lake, None);
    let input = import.input(Ingest { read: 32, ..Ingest::default() });
    let key = OrgKey { scope_id: SCOPE.to_owned(), name: "contoso".to_owned() };
    for n in 0..32_i64 {
        let time = 20_540 * DAY + n * DAY / 4;
        let mut batch = EventBatch::default();
        batch.push(&EventRow {
            event_id: &format!("00000000-0000-4000-9000-{n:012}"),
            correlation_id: "00000000-0000-4000-9000-000000000003",
            time,
            action: if n % 2 == 0 { "Token.PatCreateEvent" } else { "Library.ServiceConnectionExecuted" },
            area: "Token",
            mechanism: "PAT authorizationId: aaaaaaaa-0000-0000-0000-000000000001",
            actor_upn: "ann@contoso.com",
            scope_type: "organization",
            scope_id: SCOPE,
            scope_name: "Contoso (Organization)",
            ..EventRow::EMPTY
        });
        import.stage(input, key.clone(), day_of(time), batch).unwrap();
    }
    let brought = import.commit(&[(key, 20_548 * DAY)], &[], |_, _| {}).unwrap();
    let taken = Facts { taken: 20_547 * DAY, complete: true, ..Facts::default() };
    let row = InventoryRow { token_id: "t".to_owned(), ..InventoryRow::default() };
    lake.add_inventory("contoso", &[row], taken.clone()).unwrap();
    let user = UserRow { upn: "ann@contoso.com".to_owned(), ..UserRow::default() };
    lake.add_users("contoso", &[user], taken).unwrap();
    lake.save().unwrap();
    (brought.inputs[0].kept, brought.inputs[0].rejected)
}

fn lake() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    import(folder.path());
    folder
}

fn verify(root: &Path) -> Verified {
    let (mut lake, _lock, fault) = Lake::open_to_verify(root).unwrap();
    lake.verify(fault.as_deref()).unwrap()
}

/// Every Parquet file below `root` with its bytes.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "parquet") {
                found.insert(path.clone(), std::fs::read(path).unwrap());
            }
        }
    }
    found
}

/// Ways in which a file is damaged.
fn damage(bytes: &[u8], how: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match how {
        0 => bytes.truncate(bytes.len() / 2),
        1 => bytes.clear(),
        // A byte of a value: such a file can often still be read.
        2 => bytes[40] ^= 1,
        // A digit of an id, which lies in the file as it is, and in no bounds.
        3 => {
            let id = b"00000000-0000-4000-9000-000000000003";
            if let Some(at) = bytes.windows(id.len()).position(|w| w == id) {
                bytes[at + 12] ^= 1;
            } else {
                bytes[40] ^= 1;
            }
        }
        _ => {
            let at = bytes.len() - 20;
            bytes[at] ^= 0xff;
        }
    }
    bytes
}

#[test]
fn a_sound_lake_needs_nothing() {
    let folder = lake();
    let before = files(folder.path());
    let verified = verify(folder.path());
    assert_eq!(verified, Verified { days: 8, ..Verified::default() });
    assert!(files(folder.path()) == before);
}

#[test]
fn damage_of_every_table_is_found_and_derived_ones_are_made_anew() {
    let folder = lake();
    let root = folder.path();
    let whole = files(root);
    // One file of each table: the first of those that are lost, the last of those that are made of the rest.
    let mut hit: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in whole.keys() {
        let table = path.strip_prefix(root).unwrap().iter().next().unwrap().to_string_lossy().into_owned();
        if matches!(table.as_str(), "events" | "inventory" | "users") {
            hit.entry(table).or_insert_with(|| path.clone());
        } else {
            hit.insert(table, path.clone());
        }
    }
    assert_eq!(hit.len(), 13, "{hit:?}");
    for how in 0..5 {
        for path in hit.values() {
            std::fs::write(path, damage(&whole[path], how)).unwrap();
        }
        let verified = verify(root);
        assert_eq!(verified.lost.len(), 3, "{how}: {verified:?}");
        for (table, path) in &hit {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            let aside = PathBuf::from(format!("{}.damaged", path.display()));
            if matches!(table.as_str(), "events" | "inventory" | "users") {
                let day = "contoso 2026-03-28";
                let told = verified
                    .lost
                    .iter()
                    .any(|l| l.contains(&name) || table == "events" && l.starts_with(day));
                assert!(told, "{how} {name}: {verified:?}");
                assert!(!path.exists() && aside.exists(), "{how} {name}");
                std::fs::remove_file(aside).unwrap();
            } else {
                assert!(verified.mended.iter().any(|l| l.starts_with(&name)), "{how} {name}: {verified:?}");
            }
        }
        assert_eq!(verify(root), Verified { days: 7, ..Verified::default() }, "{how}: told once");
        assert_eq!(import(root), (4, 0), "{how}: imported again");
        let now = files(root);
        assert_eq!(now.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>(), "{how}");
        assert!(now == whole, "{how}: as it was");
    }
}

#[test]
fn a_lost_index_is_made_anew_of_the_files() {
    for how in ["damaged", "gone"] {
        let folder = lake();
        let root = folder.path();
        let (whole, before) = (files(root), Lake::open(root).unwrap().index);
        let index = root.join("index.json");
        match how {
            "damaged" => std::fs::write(&index, "{\"format\": 1, \"or").unwrap(),
            _ => std::fs::remove_file(&index).unwrap(),
        }
        assert!(Lake::open(root).is_err());
        let verified = verify(root);
        assert_eq!((verified.days, verified.lost.len()), (8, 1), "{verified:?}");
        assert!(verified.lost[0].contains(how) && verified.lost[0].contains("ingest runs"), "{verified:?}");
        let after = Lake::open(root).unwrap().index;
        assert_eq!((&after.days, after.orgs[0].scope_id.as_str()), (&before.days, SCOPE));
        assert_eq!(after.snapshots.len(), 2);
        let list = after.snapshots.iter().find(|s| s.kind == SnapshotKind::Inventory).unwrap();
        assert_eq!((list.rows, list.complete, list.taken), (1, false, 20_547 * DAY));
        assert!(files(root) == whole, "{how}");
        assert_eq!(verify(root), Verified { days: 8, ..Verified::default() }, "{how}");
    }
}

#[test]
fn days_that_the_index_does_not_name_are_taken_in() {
    let folder = lake();
    let mut lake = Lake::open(folder.path()).unwrap();
    let whole = lake.index.clone();
    lake.index.days.remove(3);
    lake.write_index().unwrap();
    let verified = verify(folder.path());
    assert_eq!((verified.days, verified.lost.len()), (8, 0), "{verified:?}");
    assert!(verified.mended[0].contains("contoso 2026-"), "{verified:?}");
    assert_eq!(Lake::open(folder.path()).unwrap().index, whole);
}

/// A lake with a list of each kind and decisions, with the files of those.
fn decided() -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(folder.path()).unwrap();
    let facts = Facts { taken: 20_547 * DAY, ..Facts::default() };
    let row = InventoryRow { token_id: "t".to_owned(), ..InventoryRow::default() };
    lake.add_inventory("contoso", &[row], facts.clone()).unwrap();
    let user = UserRow { upn: "ann@contoso.com".to_owned(), ..UserRow::default() };
    lake.add_users("contoso", &[user], facts.clone()).unwrap();
    let call = UsageRow { user: "ann".to_owned(), ..UsageRow::default() };
    lake.add_usage("contoso", &[call], facts).unwrap();
    let decision = Decision {
        org: "contoso".to_owned(),
        token_id: "t".to_owned(),
        choice: Choice::Keep,
        reviewer: "ann".to_owned(),
        decided_on: 20_547,
        reason: "needed".to_owned(),
        end_date: None,
        seen_until: 0,
        state: Fixed::default(),
        detections: None,
    };
    lake.add_decisions(&[decision]).unwrap();
    lake.save().unwrap();
    let files = files(folder.path()).into_keys().collect();
    (folder, files)
}

/// Reads every list and the decisions.
fn read_all(lake: &Lake) -> Result<(), LakeError> {
    for list in &lake.index.snapshots {
        match list.kind {
            SnapshotKind::Inventory => drop(lake.inventory(list)?),
            SnapshotKind::Users => drop(lake.users(list)?),
            SnapshotKind::Usage => drop(lake.usage(list)?),
        }
    }
    lake.decisions("contoso").map(drop)
}

#[test]
fn a_flipped_bit_of_a_list_or_of_decisions_is_an_error_and_a_loss() {
    let (folder, files) = decided();
    let root = folder.path();
    assert_eq!(files.len(), 4, "{files:?}");
    let lake = Lake::open(root).unwrap();
    read_all(&lake).unwrap();
    for path in &files {
        let whole = std::fs::read(path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(path, bytes).unwrap();
            let error = read_all(&lake).expect_err("damaged").to_string();
            assert!(error.contains(&path.display().to_string()) && error.contains("lake verify"), "{error}");
        }
        std::fs::write(path, &whole).unwrap();
    }
    read_all(&lake).unwrap();
    for (n, path) in files.iter().enumerate() {
        let mut bytes = std::fs::read(path).unwrap();
        let at = bytes.len() / 3 + n;
        bytes[at] ^= 0x10;
        std::fs::write(path, bytes).unwrap();
        let verified = verify(root);
        let name = path.strip_prefix(root).unwrap().display().to_string();
        assert_eq!(verified.lost.len(), 1, "{verified:?}");
        assert!(verified.lost[0].contains(&name), "{verified:?}");
        read_all(&Lake::open(root).unwrap()).unwrap();
    }
}

#[test]
fn an_index_without_digests_opens_and_gets_them() {
    let (folder, files) = decided();
    let root = folder.path();
    let mut lake = Lake::open(root).unwrap();
    let whole = lake.index.clone();
    lake.index.decisions.clear();
    lake.index.snapshots.iter_mut().for_each(|list| list.sha256.clear());
    lake.write_index().unwrap();
    let text = std::fs::read_to_string(root.join("index.json")).unwrap();
    assert!(!text.contains("sha256\": \"") && !text.contains("\"decisions\""), "{text}");
    read_all(&Lake::open(root).unwrap()).unwrap();
    // The name of a list's file holds the beginning of its digest, also in a lake of an earlier version.
    let list = files.iter().find(|path| path.starts_with(root.join("users"))).unwrap();
    let bytes = std::fs::read(list).unwrap();
    std::fs::write(list, [&bytes[..], b"x"].concat()).unwrap();
    assert!(read_all(&Lake::open(root).unwrap()).is_err());
    std::fs::write(list, bytes).unwrap();
    assert_eq!(verify(root), Verified::default());
    assert_eq!(Lake::open(root).unwrap().index, whole);
}

#[test]
fn decisions_that_a_killed_run_left_half_way_are_either_file() {
    let (folder, files) = decided();
    let root = folder.path();
    let path = files.iter().find(|path| path.starts_with(root.join("decisions"))).unwrap();
    let mut lake = Lake::open(root).unwrap();
    let old = std::fs::read(path).unwrap();
    let mut again = lake.decisions("contoso").unwrap();
    again[0].reason = "not needed".to_owned();
    let accepted = lake.index.decisions["contoso"].clone();
    lake.add_decisions(&again).unwrap();
    // The index is written first; the file did not follow.
    lake.index.decisions.get_mut("contoso").unwrap().extend(accepted);
    lake.write_index().unwrap();
    let new = std::fs::read(path).unwrap();
    for (bytes, decisions) in [(old, 1), (new, 2)] {
        std::fs::write(path, bytes).unwrap();
        assert_eq!(Lake::open(root).unwrap().decisions("contoso").unwrap().len(), decisions);
    }
}
