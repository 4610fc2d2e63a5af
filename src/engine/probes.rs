//! Tests of the engine itself: joins of token ids, cuts, and the edges of SQL that the pack leans on.

use super::fixtures::engine_of;
use super::{Cell, Cut, Engine, EngineErrorKind, schema, views};
use crate::model::policy::Policy;
use crate::model::time::{Window, parse_time};
use serde_json::json;

fn engine() -> Engine {
    engine_of(&json!({"tables": {
        "credentials": [
            {"org": "o", "credential": "c1", "token_id": "t1", "kind": "pat"},
            {"org": "p", "credential": "c1", "token_id": "t9", "kind": "pat"},
        ],
        "notable": [
            {"org": "o", "event_id": "e1", "credential": "c1", "time": "2026-03-01T10:00:00Z", "action": "A.B"},
            {"org": "o", "event_id": "e2", "credential": "c2", "time": "2026-03-02T10:00:00Z", "action": "A.C"},
            {"org": "o", "event_id": "e3", "credential": "c1", "time": "2025-12-31T10:00:00Z", "action": "A.B"},
            {"org": "o", "event_id": "e4", "credential": "c1", "time": "2026-03-31T12:00:01Z", "action": "A.B"},
        ],
        "activity": [
            {"org": "o", "credential": "c1", "kind": "pat", "date": "2025-11-01", "action": "A.B", "network": "n1", "n": 3, "origins": 1,
             "first_time": "2025-11-01T10:00:00Z", "last_time": "2025-11-01T11:00:00Z", "first_event": "e0", "last_event": "e0b"},
            {"org": "o", "credential": "c1", "kind": "pat", "date": "2026-03-01", "action": "A.B", "network": "n1", "n": 1, "origins": 1,
             "first_time": "2026-03-01T10:00:00Z", "last_time": "2026-03-01T10:00:00Z", "first_event": "e1", "last_event": "e1"},
        ],
        "token_day": [
            {"org": "o", "credential": "c1", "date": "2026-03-01", "n": 1, "hour_bits": 1025, "first_time": "2026-03-01T10:00:00Z"},
        ],
    }}))
}

#[test]
fn token_ids_come_from_credentials_and_time_is_cut() {
    let engine = engine();
    let rows = engine.query("SELECT event_id, token_id FROM notable ORDER BY event_id").expect("runs");
    assert_eq!(rows.cells[0], [Cell::Text("e1".into()), Cell::Text("e2".into())]);
    assert_eq!(rows.cells[1], [Cell::Text("t1".into()), Cell::Null]);
    let rows = engine.query("SELECT COUNT(*) - 2 AS n FROM activity").expect("runs");
    assert_eq!(rows.int(0, "n"), Some(-1), "cut to the window, and signed");
}

#[test]
fn seen_looks_back_before_the_window() {
    let rows = engine()
        .query("SELECT dimension, value, n, active_days, token_id, first_event, last_event FROM seen ORDER BY dimension, value")
        .expect("runs");
    let shown: Vec<String> =
        rows.iter().map(|r| r.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")).collect();
    assert_eq!(
        shown,
        ["action|A.B|4|2|t1|e0|e1", "hour|00|1|1|t1||", "hour|10|1|1|t1||", "network|n1|4|2|t1|e0|e1"]
    );
}

#[test]
fn edges_that_the_pack_leans_on() {
    let engine = engine();
    for (sql, expected) in [
        ("SELECT COUNT(DISTINCT action) AS x FROM notable", "2"),
        (
            "SELECT COUNT(*) AS x FROM notable CROSS JOIN policy WHERE notable.time > policy.as_of - INTERVAL '1 days' * policy.window_days",
            "2",
        ),
        (
            "SELECT COUNT(*) AS x FROM notable WHERE time > TIMESTAMP '2026-03-01 10:00:00' + INTERVAL '1 hours'",
            "1",
        ),
        (
            "SELECT a.event_id AS x FROM notable a LEFT JOIN tokens t ON a.org = t.org AND a.token_id = t.token_id WHERE a.action = 'A.C'",
            "e2",
        ),
        (
            "WITH g AS (SELECT org, action, COUNT(*) AS n, STRING_AGG(event_id, ' ') AS ids FROM notable GROUP BY org, action) SELECT ids AS x FROM g WHERE n >= 1 AND action = 'A.B'",
            "e1",
        ),
        ("SELECT CASE WHEN COUNT(*) > 1 THEN 'many' ELSE 'one' END AS x FROM notable", "many"),
        (
            "WITH a AS (SELECT org, COUNT(*) AS n FROM notable GROUP BY org), b AS (SELECT 'z' AS org, 5 AS n UNION ALL SELECT org, n FROM a) SELECT SUM(n) AS x FROM b",
            "7",
        ),
        ("SELECT COUNT(*) AS x FROM (SELECT org FROM notable GROUP BY org HAVING COUNT(*) > 1) AS s", "1"),
        ("SELECT MEDIAN(n) AS x FROM activity", "1"),
        ("SELECT policy.burst_floor AS x FROM policy", "20"),
        (
            "SELECT MAX(x) AS x FROM (SELECT ROW_NUMBER() OVER (PARTITION BY org ORDER BY time) AS x FROM notable) AS s",
            "2",
        ),
        ("SELECT COUNT(*) FILTER (WHERE action = 'A.B') AS x FROM notable", "1"),
        ("SELECT CONCAT(action, ' ', actor) AS x FROM notable WHERE event_id = 'e1'", "A.B "),
        ("SELECT COALESCE(actor, 'none') AS x FROM notable WHERE event_id = 'e1'", "none"),
        ("SELECT CAST(time AS DATE) AS x FROM notable WHERE event_id = 'e1'", "2026-03-01"),
        (
            "SELECT COUNT(*) AS x FROM notable WHERE LOWER(action) LIKE 'a.%' AND action IN ('A.B', 'A.C')",
            "2",
        ),
        (
            "SELECT COUNT(*) AS x FROM notable n WHERE NOT EXISTS (SELECT 1 FROM activity a WHERE a.org = n.org AND a.action = n.action)",
            "1",
        ),
    ] {
        match engine.query(sql) {
            Ok(rows) => assert_eq!(rows.get(0, "x").to_string(), expected, "{sql}"),
            Err(e) => panic!("{sql}: {e}"),
        }
    }
    let error = engine.query("SELECT nothing FROM tokens ORDER BY nothing DESC").expect_err("no such column");
    assert_eq!(error.kind, EngineErrorKind::Query);
    assert!(error.hint.contains("NULLS LAST"));
}

#[test]
fn views_give_the_columns_they_promise() {
    let engine = engine_of(&json!({"tables": {}}));
    for view in views::VIEWS {
        let rows = engine
            .query(&format!("SELECT * FROM {}", view.name))
            .unwrap_or_else(|e| panic!("{}: {e}", view.name));
        let names: Vec<&str> = rows.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, view.columns.iter().map(|c| c.0).collect::<Vec<_>>());
    }
}

#[test]
fn saved_queries_run_on_empty_tables() {
    let engine = engine_of(&json!({"tables": {}}));
    for saved in super::pack::saved() {
        assert!(engine.query(&saved.sql).is_ok(), "{}: {:?}", saved.name, engine.query(&saved.sql).err());
    }
}

#[test]
fn no_files_make_an_empty_table_and_a_missing_one_is_said() {
    let window = Window::ending(parse_time("2026-03-31T12:00:00Z").expect("time"), 90);
    let mut engine = Engine::new(&Policy::default(), window);
    assert_eq!(engine.query("SELECT org FROM tokens").expect_err("missing").kind, EngineErrorKind::Missing);
    for table in ["events", "tokens", "credentials"] {
        engine.register_parquet(table, &[], Cut::None).expect("no files");
        let rows = engine.query(&format!("SELECT * FROM {table}")).expect("runs");
        assert_eq!((rows.len(), rows.columns.len()), (0, schema::table(table).expect("table").columns.len()));
    }
}

#[test]
fn parquet_files_are_scanned_joined_and_cut() {
    use polars::prelude as pl;
    let folder = tempfile::tempdir().expect("folder");
    let day = folder.path().join("org=007").join("date=2026-03-01");
    std::fs::create_dir_all(&day).expect("folder");
    let file = day.join("data [1].parquet");
    let time = parse_time("2026-03-01T10:00:00Z").expect("time");
    let mut frame = pl::df!(
        "org" => ["007", "007", "007"], "event_id" => ["e1", "e2", "e3"], "credential" => ["c1", "c2", "c1"],
        "action" => ["A.B", "A.B", "A.B"], "time" => [time, time + 1, time - 90 * 86_400_000_000],
    )
    .expect("frame");
    let typed = frame.column("time").expect("time").cast(&super::tables::dtype(schema::Kind::Time));
    frame.with_column(typed.expect("cast")).expect("set");
    pl::ParquetWriter::new(std::fs::File::create(&file).expect("file")).finish(&mut frame).expect("written");

    let mut engine = engine_of(&json!({"tables": {
        "credentials": [{"org": "007", "credential": "c1", "token_id": "t1"}, {"org": "7", "credential": "c2", "token_id": "t2"}],
    }}));
    for table in ["events", "notable"] {
        engine.register_parquet(table, std::slice::from_ref(&file), Cut::Window).expect("scans");
        let sql = format!("SELECT org, event_id, token_id, network, date FROM {table} ORDER BY event_id");
        let rows = engine.query(&sql).expect("runs");
        let shown: Vec<String> =
            rows.iter().map(|r| r.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")).collect();
        assert_eq!(shown, ["007|e1|t1||", "007|e2|||"]);
    }
}

#[test]
fn tables_that_detections_share_hold_what_a_query_finds() {
    use crate::lake::frame::Frame;
    use crate::model::time::{DAY, day_of, day_text};
    use polars::prelude as pl;
    let folder = tempfile::tempdir().expect("folder");
    let mut engine = engine_of(&json!({"tables": {"credentials": [
        {"org": "o", "credential": "c1", "token_id": "t1"}, {"org": "o", "credential": "c3"},
    ]}}));
    let (first, last) = (engine.window().first_day(), day_of(engine.window().as_of));
    // The day before the window, its first, one inside, and the last with a row behind the instant of the run.
    let days = [first - 1, first, first + 3, last];
    let file = |day: i32| {
        let time = |hour: i64| Some(i64::from(day) * DAY + hour * 3_600_000_000);
        let path = folder.path().join(format!("date={}", day_text(day))).join("activity.parquet");
        let credentials = ["", "c1", "c1", "c2", "c3"];
        Frame::new(5)
            .same_text("org", "o")
            .text("credential", credentials.into_iter())
            .text("network", ["", "10.0.0.0/24", "", "fe80::/48", "10.0.0.0/24"].into_iter())
            .flag("service_actor", [Some(true), None, Some(false), Some(false), None].into_iter())
            .date("date", (0..5).map(|_| Some(day)))
            .int("n", [Some(3), None, Some(0), Some(-1), Some(7)].into_iter())
            .time("first_time", [0, 1, 2, 9, 23].into_iter().map(time))
            .write(&path)
            .expect("written");
        path
    };
    engine.register_parquet("activity", &days.map(file), Cut::Window).expect("scans");
    let columns =
        ["org", "credential", "token_id", "network", "service_actor", "date", "n", "first_time", "client"];
    for columns in [&columns[..], &["n", "network"]] {
        let sorted = |frame: pl::LazyFrame| {
            let select = columns.iter().map(|c| pl::col(*c)).collect::<Vec<_>>();
            let by = columns.iter().map(|c| pl::col(*c)).collect::<Vec<_>>();
            let order = pl::SortMultipleOptions::default().with_nulls_last(true);
            super::collect::collect(|| Ok(frame.select(select).sort_by_exprs(by, order))).expect("collects")
        };
        let shared = sorted(engine.shared_columns("activity", columns).expect("reads"));
        let found = sorted(engine.lazy("activity").expect("scans"));
        assert!(shared.equals_missing(&found), "{shared} {found}");
        // Nothing of the day before, and of the last day not the row behind the instant of the run.
        assert_eq!(shared.height(), 14);
    }
}

#[test]
fn folds_of_one_token_are_joined_like_those_of_all() {
    use polars::prelude as pl;
    let folder = tempfile::tempdir().expect("folder");
    let time = parse_time("2026-03-30T10:00:00Z").expect("time");
    let fold = |name: &str, time: i64| {
        let file = folder.path().join(name);
        let mut frame = pl::df!(
            "org" => ["o"], "credential" => ["c1"], "dimension" => ["client"], "value" => ["git"], "n" => [2_i64],
            "origins" => [1_i64], "active_days" => [1_i64], "first_time" => [time], "last_time" => [time],
            "first_event" => ["e1"], "last_event" => ["e1"],
        )
        .expect("frame");
        for column in ["first_time", "last_time"] {
            let typed = frame.column(column).expect("time").cast(&super::tables::dtype(schema::Kind::Time));
            frame.with_column(typed.expect("cast")).expect("set");
        }
        pl::ParquetWriter::new(std::fs::File::create(&file).expect("file"))
            .finish(&mut frame)
            .expect("written");
        file
    };
    let files = [fold("a.parquet", time), fold("b.parquet", time + 86_400_000_000)];
    let mut engine = engine_of(&json!({"tables": {
        "credentials": [{"org": "o", "credential": "c1", "token_id": "t1"}],
    }}));
    engine.register_parquet("seen", &files, Cut::None).expect("scans");
    for condition in ["= 't1'", "LIKE 't1'"] {
        let sql = format!("SELECT value, n, active_days FROM seen WHERE token_id {condition}");
        let rows = engine.query(&sql).expect("runs");
        let shown: Vec<String> =
            rows.iter().map(|r| r.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")).collect();
        assert_eq!(shown, ["git|4|2"], "{condition}");
    }
}
