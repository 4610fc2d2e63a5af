//! How long parts of an import and of a check take: `cargo bench --bench parts`.
//!
//! In: the same events as NDJSON, as a page of the query API, as a portal CSV and packed with gzip; and columns of a day
//! file, read by patwatch and by Polars. Each is read once and compared with the others before any of them is timed: a fast
//! reader of something else is no use.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use patwatch::lake::columns::Cells;
use patwatch::lake::decode;
use patwatch::lake::frame::Frame;
use patwatch::lake::table::Table;
use patwatch::model::batch::EventBatch;
use patwatch::source::{KindHint, Options, Parsed, Sink, read};
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;

/// The allocator of the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: usize = 20_000;

/// Keeps the events, or lets go of them at once.
struct Events {
    keep: bool,
    batches: Vec<EventBatch>,
    rows: usize,
}

impl Sink for Events {
    fn chunk(&mut self, chunk: Parsed) -> std::io::Result<()> {
        assert!(chunk.rejected.is_empty());
        for (_, batch) in chunk.batches {
            self.rows += batch.len();
            if self.keep {
                self.batches.push(batch);
            }
        }
        Ok(())
    }
}

fn events(mut bytes: &[u8], keep: bool) -> Events {
    let mut all = Events { keep, batches: Vec::new(), rows: 0 };
    let options = Options { kind: KindHint::Audit, threads: 1 };
    read("bench", &mut bytes, &options, &mut all).expect("reads");
    all
}

/// What every shape tells alike: ids, actors, data and text of all events.
fn told(events: &Events) -> Vec<String> {
    let mut told = Vec::new();
    for batch in &events.batches {
        told.extend((0..batch.len()).map(|i| {
            let row = batch.row(i);
            format!(
                "{} {} {} {} {} {}",
                row.event_id, row.time, row.mechanism, row.actor_id, row.data, row.details
            )
        }));
    }
    told
}

/// The cells of event `n`; tokens and places repeat, ids and runs do not.
fn cells(n: usize) -> Vec<(&'static str, String)> {
    let (token, item) = (n * 7 % 400, n % 12);
    let guid = |kind: usize, n: usize| {
        format!("{:08x}-{kind:04x}-4444-8888-{n:012x}", n * 2_654_435_761 % (1 << 32))
    };
    let data = format!(
        r#"{{"PipelineId":"{item}","PipelineName":"service-{item}-main","RunId":"{n}","CheckSuiteId":"{}","ProjectId":"{}","ProjectName":"Project {item}"}}"#,
        guid(5, n),
        guid(3, item),
    );
    vec![
        ("id", guid(1, n)),
        ("correlationId", guid(1, n)),
        ("activityId", guid(2, n / 2)),
        ("actorCUID", guid(8, token)),
        ("actorUserId", guid(7, token)),
        ("actorUPN", format!("user{token}@example.com")),
        ("authenticationMechanism", format!("PAT authorizationId: {}", guid(6, token))),
        (
            "timestamp",
            format!("2026-06-{:02}T{:02}:{:02}:{:02}.1234567Z", n / 5000 + 1, n % 24, n % 60, n % 59),
        ),
        ("scopeType", "organization".to_owned()),
        ("scopeDisplayName", "example (Organization)".to_owned()),
        ("scopeId", guid(9, 1)),
        ("projectId", guid(3, item)),
        ("projectName", format!("Project {item}")),
        ("ipAddress", format!("203.0.113.{}", token % 200)),
        ("userAgent", "azure-cli/2.77.0 (pip) azsdk-python-core/1.35.0 Python/3.12.10".to_owned()),
        ("actionId", "Pipelines.DeploymentJobCompleted".to_owned()),
        ("data", data),
        ("details", format!("Run {n} of \"service-{item}-main\" was completed in project Project {item}")),
        ("area", "Pipelines".to_owned()),
        ("category", "modify".to_owned()),
        ("actorDisplayName", format!("User {token}")),
    ]
}

fn json(n: usize) -> String {
    let mut out = String::new();
    for (key, cell) in cells(n) {
        let value = if key == "data" { cell } else { format!("\"{}\"", cell.replace('"', "\\\"")) };
        let _ = write!(out, "{}\"{key}\":{value}", if out.is_empty() { "{" } else { "," });
    }
    out + "}"
}

fn csv() -> String {
    let head: Vec<&str> = cells(0).iter().map(|(key, _)| *key).collect();
    let row = |n: usize| {
        let cells: Vec<String> =
            cells(n).iter().map(|(_, cell)| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        cells.join(",")
    };
    let rows: Vec<String> = (0..EVENTS).map(row).collect();
    format!("{}\n{}\n", head.join(","), rows.join("\n"))
}

fn shapes(c: &mut Criterion) {
    let records: Vec<String> = (0..EVENTS).map(json).collect();
    let lines = records.join("\n");
    let page = format!("{{\"decoratedAuditLogEntries\":[{}],\"hasMore\":false}}", records.join(","));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines.as_bytes()).expect("packs");
    let gzip = gzip.finish().expect("packs");
    let expected = told(&events(lines.as_bytes(), true));
    assert_eq!(expected.len(), EVENTS);
    let mut group = c.benchmark_group("decode");
    group.sample_size(20);
    for (name, bytes) in [
        ("ndjson", lines.into_bytes()),
        ("page", page.into_bytes()),
        ("csv", csv().into_bytes()),
        ("gzip", gzip),
    ] {
        assert!(told(&events(&bytes, true)) == expected, "{name} tells something else");
        group.throughput(Throughput::Elements(EVENTS as u64));
        group.bench_function(name, |b| b.iter(|| black_box(events(&bytes, false).rows)));
    }
    group.finish();
}

/// Columns of a day file, as a check reads them: few texts that repeat, instants, ids that do not.
fn day_file(c: &mut Criterion) {
    const TEXTS: [&str; 4] = ["credential", "action", "network", "id"];
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.parquet");
    let text = |name: &str, kind: &'static str| {
        let cell = move |n: usize| cells(n).into_iter().find(|(key, _)| *key == kind).map(|(_, cell)| cell);
        let cells: Vec<String> = (0..EVENTS).map(|n| cell(n).unwrap_or_default()).collect();
        (name.to_owned(), cells)
    };
    let columns = [
        text("credential", "authenticationMechanism"),
        text("action", "actionId"),
        text("network", "ipAddress"),
        text("id", "id"),
    ];
    let time = |n: usize| i64::try_from(n * 1_000_000).ok();
    let mut frame = Frame::new(EVENTS).time("time", (0..EVENTS).map(time));
    for (name, cells) in &columns {
        frame = frame.text(name, cells.iter().map(String::as_str));
    }
    frame.write(&path).expect("writes");
    let names = [&TEXTS[..], &["time"]].concat();
    let own = || decode::read(&path, &names, |_| true).expect("reads").expect("patwatch wrote it");
    let polars = || Table::read_foreign(&path, &names).expect("reads");
    for (name, cells) in &columns {
        let read = own();
        let Some(Cells::Text(text)) = read.get(name) else { panic!("{name} is text") };
        assert!(
            text.codes.iter().map(|code| text.value(*code)).eq(cells.iter().map(String::as_str)),
            "{name}"
        );
        assert!(polars().cells(name).iter().eq(cells), "{name}");
    }
    let mut group = c.benchmark_group("day file");
    group.throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function("patwatch", |b| b.iter(|| black_box(own().height())));
    group.bench_function("polars", |b| b.iter(|| black_box(polars().height())));
    group.finish();
}

criterion_group!(benches, shapes, day_file);
criterion_main!(benches);
