//! Lists and decisions: files that nothing else can be made of again.
//!
//! In: the index. Out: the files that are what it describes, with their digests; the others set aside, as lost.

use super::{Verified, set_aside};
use crate::lake::index::{Snapshot, SnapshotKind};
use crate::lake::{Lake, LakeError, decode, digest};
use crate::model::time::{day_of, day_start, day_text, parse_day};
use percent_encoding::percent_decode_str;
use std::collections::BTreeSet;
use std::path::Path;

/// Checks every list that the index names, and the decisions of every organisation.
pub(super) fn check(lake: &mut Lake, verified: &mut Verified) -> Result<(), LakeError> {
    let lists = std::mem::take(&mut lake.index.snapshots);
    for list in lists {
        let path = lake.root.join(&list.file);
        // A list whose name and index say nothing of its content cannot be trusted.
        let digests = if list.digests().is_empty() { vec!["-"] } else { list.digests() };
        let Some(fault) = digest::fault(&path, &digests)? else {
            let sha256 = digest::of(&path)?;
            lake.index.snapshots.push(Snapshot { sha256, ..list });
            continue;
        };
        if path.exists() {
            set_aside(&path)?;
        }
        verified.lost.push(format!(
            "{}: {} taken {}: {} is damaged ({fault}); import or pull it again",
            list.org,
            list.kind,
            day_text(day_of(list.taken)),
            list.file
        ));
    }
    let mut orgs: BTreeSet<String> = lake.orgs().into_iter().collect();
    orgs.extend(lake.index.decisions.keys().cloned());
    for org in orgs {
        let path = lake.decisions_file(&org);
        match lake.decisions(&org) {
            Ok(decisions) if decisions.is_empty() => drop(lake.index.decisions.remove(&org)),
            Ok(_) => drop(lake.index.decisions.insert(org, BTreeSet::from([digest::of(&path)?]))),
            Err(LakeError::Damaged { why, .. }) => {
                if path.exists() {
                    set_aside(&path)?;
                }
                lake.index.decisions.remove(&org);
                let file = path.strip_prefix(&lake.root).unwrap_or(&path).display();
                verified.lost.push(format!(
                    "{org}: decisions of reviewers: {file} is damaged ({why}); import the review sheets again"
                ));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Names the lists that lie in the lake, as far as their files tell of themselves.
pub(super) fn take_in(lake: &mut Lake) {
    for kind in [SnapshotKind::Inventory, SnapshotKind::Users, SnapshotKind::Usage] {
        for org in entries(&lake.root.join(kind.as_str())) {
            let folder = lake.root.join(kind.as_str()).join(&org);
            let Some(org) = org.strip_prefix("org=") else { continue };
            let org = percent_decode_str(org).decode_utf8_lossy().into_owned();
            for name in entries(&folder) {
                let day = name.strip_prefix("taken=").and_then(|rest| parse_day(rest.get(..10)?));
                let (Some(day), true) = (day, name.ends_with(".parquet")) else { continue };
                let file = format!(
                    "{}/{}/{name}",
                    kind.as_str(),
                    folder.file_name().unwrap_or_default().to_string_lossy()
                );
                let mut list = Snapshot {
                    kind,
                    org: org.clone(),
                    taken: day_start(day),
                    complete: false,
                    file,
                    sha256: String::new(),
                    rows: 0,
                    users_listed: 0,
                    users_failed: 0,
                    span: None,
                    // The name tells the day alone.
                    undated: true,
                    complete_for: BTreeSet::new(),
                };
                // A damaged one is told as lost by the check of all.
                list.rows = decode::count(&folder.join(&name)).unwrap_or_default() as u64;
                if kind == SnapshotKind::Inventory {
                    let rows = lake.inventory(&list).unwrap_or_default();
                    let users: BTreeSet<_> = rows.iter().filter_map(|row| row.user_id.as_deref()).collect();
                    list.users_listed = users.len() as u64;
                }
                lake.index.snapshots.push(list);
            }
        }
    }
}

/// Names in a folder, in order.
fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}
