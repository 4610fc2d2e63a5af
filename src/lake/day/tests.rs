//! Merging, sorting and reading back.

use super::*;
use crate::model::batch::EventBatch;
use crate::model::event::EventRow;
use std::collections::BTreeMap;

#[test]
fn a_day_survives_writing_and_reading() {
    let mut batch = EventBatch::default();
    for i in 0..3 {
        let id = format!("00000000-0000-0000-0000-00000000000{i}");
        batch.push(&EventRow {
            event_id: &id,
            time: 1_000_000 + i,
            action: "A.B",
            mechanism: "PAT authorizationId: AAAAAAAA-0000-0000-0000-000000000001",
            address: "10.0.0.1",
            data: "{\"k\":\"=1\"}",
            ..EventRow::EMPTY
        });
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    let merged = merge_sources(&[Source::whole(1, &batch)]);
    assert!(merged.changed);
    Sorted::of(&merged).write(&path, "o").unwrap();
    let again = read(&path).unwrap();
    for i in 0..3 {
        assert_eq!(again.row(i), batch.row(i));
    }
    let both = merge_sources(&[Source::whole(0, &again), Source::whole(1, &batch)]);
    assert_eq!((both.kept, both.changed), (BTreeMap::from([(0, 3)]), false));
}

#[test]
fn copies_count_for_the_least_rank_wherever_they_stand() {
    let mut early = EventBatch::default();
    let mut late = EventBatch::default();
    let id = |i: usize| format!("0000000{i}-0000-0000-0000-0000000000ff");
    for i in 0..4 {
        early.push(&EventRow { event_id: &id(i), time: 9, action: "A.B", ..EventRow::EMPTY });
    }
    for i in 2..6 {
        late.push(&EventRow { event_id: &id(i), time: 9, action: "A.B", details: "more", ..EventRow::EMPTY });
    }
    let one = Source { batch: &early, runs: vec![(1, 3), (4, 1)] };
    for sources in [
        vec![Source::whole(2, &late), one],
        vec![Source { batch: &early, runs: vec![(1, 3), (4, 1)] }, Source::whole(2, &late)],
    ] {
        let merged = merge_sources(&sources);
        assert_eq!(merged.kept, BTreeMap::from([(1, 3), (2, 3)]));
        let sorted = Sorted::of(&merged);
        let rows = sorted.rows();
        let details: Vec<&str> = rows.iter().map(DayRow::details).collect();
        assert_eq!(details, ["", "", "more", "more", "more", "more"]);
        assert!(rows.windows(2).all(|w| w[0].event_id() < w[1].event_id()));
    }
}
