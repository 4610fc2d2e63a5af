//! Pulling the audit log: every event, in every shape, through every trouble.

use super::*;
use crate::source::azure_devops::fake::{Clock, FakeFiles};

#[tokio::test]
async fn every_event_comes_through_in_every_shape() {
    for envelope in [Envelope::Bare, Envelope::Wrapped, Envelope::Alternating] {
        let (org, ids) = audited(600, 6);
        let options = FakeOptions {
            envelope,
            audit_page: 40,
            byte_order_mark: envelope == Envelope::Alternating,
            out_of_order: true,
            stray_escapes: 0.2,
            duplicates: 0.5,
            empty_pages: 0.2,
            ..FakeOptions::default()
        };
        let bench = bench(org, options).await;
        let (summary, kept) = pull(&bench, 6, 1_000).await;
        let summary = summary.expect("pull");
        assert_eq!(set(kept.ids()), ids);
        assert_eq!(summary.days_done.len(), 7);
        assert!(summary.failed.is_empty());
        assert_eq!(summary.entries, kept.ids().len() as u64);
        assert_eq!(kept.days.iter().map(|d| d.day).collect::<Vec<_>>(), summary.days_done);
        assert!(summary.days_done.is_sorted_by(|a, b| a > b), "newest first");
        assert_eq!(bench.server.most_at_once(), 1);
        assert!(bench.timer.sleeps().is_empty());
        let request = bench.server.requests()[0].clone();
        assert_eq!(request.query("skipAggregation"), Some("true"));
        assert_eq!(request.query("batchSize"), Some("1000"));
        assert_eq!(request.query("api-version"), Some("7.1-preview.1"));
        assert_eq!(request.header("user-agent"), Some(concat!("patwatch/", env!("CARGO_PKG_VERSION"))));
        assert_eq!(request.header("x-tfs-fedauthredirect"), Some("Suppress"));
    }
}

#[tokio::test]
async fn thirty_percent_faults_only_cost_time() {
    for seed in 1..=3 {
        let (org, ids) = audited(900, 9);
        let options = FakeOptions { audit_page: 20, fault_rate: 0.3, seed, ..FakeOptions::default() };
        let bench = bench(org, options).await;
        let (summary, kept) = pull(&bench, 9, 1_000).await;
        let summary = summary.expect("pull");
        assert!(summary.failed.is_empty(), "{:?}", summary.failed);
        assert_eq!(set(kept.ids()), ids);
        assert!(bench.server.faults() > 5);
        assert!(!bench.timer.sleeps().is_empty());
        assert_eq!(bench.server.most_at_once(), 1);
    }
}

#[tokio::test]
async fn an_organisation_read_from_files_is_served_alike() {
    let (rows, ids) = events(200, 3);
    let folder = tempfile::tempdir().expect("folder");
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("write");
        vec![path]
    };
    let mut audit = write("a.ndjson", format!("\n{}\r\n", rows[..150].join("\n  ")));
    audit.extend(write(
        "b.json",
        format!("{{\"value\":{{\"decoratedAuditLogEntries\":[{}]}}}}", rows[150..].join(",\n")),
    ));
    let owner = "afd336dd-e80c-61eb-8ebd-833631ba05c6";
    let files = FakeFiles {
        audit,
        users: write(
            "u.json",
            r#"{"value":[{"descriptor":"aad.YWZkMzM2ZGQtZTgwYy03MWViLThlYmQtODMzNjMxYmEwNWM2"}]}"#.to_owned(),
        ),
        tokens: write(
            "t.json",
            format!(r#"[{{"userId":"{owner}"}},{{"userId":"someone else"}},{{"userId":"{owner}"}}]"#),
        ),
        ..FakeFiles::default()
    };
    let org = FakeOrganisation::load(ORG, &files).expect("load");
    assert_eq!(org.events.len(), 200);
    assert_eq!(org.users.iter().map(|user| user.tokens.len()).collect::<Vec<_>>(), [2, 1]);
    let bench = bench(org, FakeOptions::default()).await;
    let (summary, kept) = pull(&bench, 3, 17).await;
    assert!(summary.expect("pull").failed.is_empty());
    assert_eq!(set(kept.ids()), ids);
}

#[tokio::test]
async fn a_token_that_leads_back_ends_the_day_not_the_run() {
    let (org, _) = audited(50, 1);
    let bench =
        bench(org, FakeOptions { repeat_token: true, audit_page: 10, ..FakeOptions::default() }).await;
    let (summary, kept) = pull(&bench, 8, 10).await;
    let summary = summary.expect("summary");
    assert!(summary.days_done.is_empty() && kept.days.is_empty());
    assert!(matches!(summary.failed[0].1, ApiError::EndlessPages { .. }));
    assert_eq!((summary.failed.len(), summary.skipped.len()), (3, 6));
    assert!(bench.server.requests().len() <= 12);
}

#[tokio::test]
async fn a_day_whose_pages_bring_nothing_new_ends_with_a_reason() {
    // The same events for ever, and no event for ever: each time with a new token.
    for options in [
        FakeOptions { endless: true, audit_page: 10, ..FakeOptions::default() },
        FakeOptions { empty_pages: 1.0, ..FakeOptions::default() },
    ] {
        let (org, _) = audited(50, 1);
        let bench = bench(org, options).await;
        let asked = tokio::time::timeout(Duration::from_secs(60), pull(&bench, 1, 10));
        let (summary, kept) = asked.await.expect("the pull ends");
        let summary = summary.expect("summary");
        assert!(kept.days.is_empty());
        let error = &summary.failed[0].1;
        let text = format!("{error}; {}", error.hint());
        assert!(text.starts_with("the audit log: the pages do not end: "), "{text}");
        assert!(text.contains("50 of 5") && text.contains("no new row"), "{text}");
        assert!(text.contains("--batch-size") && text.contains("--keep-raw"), "{text}");
        // A day is tried twice.
        assert!(bench.server.requests().len() <= 2 * 2 * 60, "{}", bench.server.requests().len());
    }
}

#[tokio::test]
async fn retry_after_is_obeyed_on_a_good_answer() {
    let (org, _) = audited(30, 1);
    let options = FakeOptions {
        fault_rate: 1.0,
        faults: vec![FaultKind::Delayed],
        retry_after: 7.0,
        ..FakeOptions::default()
    };
    let bench = bench(org, options).await;
    let (summary, _) = pull(&bench, 1, 10).await;
    let requests = bench.server.requests().len();
    assert!(summary.is_ok() && requests > 3);
    // One wait before each request but the first, and none repeated.
    assert_eq!(bench.timer.sleeps(), vec![Duration::from_secs(7); requests - 1]);
    assert!(bench.log.0.lock().expect("log").iter().any(|line| line.contains("Asked")));
}

#[tokio::test]
async fn patience_has_an_end() {
    let (org, _) = audited(30, 1);
    let refusals = vec![(Purpose::Audit, Refusal::Throttled)];
    let bench = bench(org, FakeOptions { refusals, retry_after: 30.0, ..FakeOptions::default() }).await;
    let (summary, _) = pull(&bench, 1, 10).await;
    let error = &summary.expect("summary").failed[0].1;
    assert!(matches!(error, ApiError::Throttled { tries: 20, .. }), "{error}");
    assert!(error.to_string().contains("TF400733"), "{error}");
    assert!(bench.timer.sleeps().iter().all(|s| *s >= Duration::from_secs(30)));

    // Longer than anybody should wait: it says so at once.
    let (org, _) = audited(30, 1);
    let refusals = vec![(Purpose::Audit, Refusal::Throttled)];
    let bench =
        self::bench(org, FakeOptions { refusals, retry_after: 86_400.0, ..FakeOptions::default() }).await;
    let (summary, _) = pull(&bench, 1, 10).await;
    assert!(matches!(summary.expect("summary").failed[0].1, ApiError::Throttled { tries: 1, .. }));
    assert!(bench.timer.sleeps().is_empty());
}

#[tokio::test]
async fn a_taker_that_fails_stops_the_pull() {
    let (org, _) = audited(300, 3);
    let bench = bench(org, FakeOptions { audit_page: 10, ..FakeOptions::default() }).await;
    let (outlet, taker) = deliver(Kept { fail_after: Some(3), ..Kept::default() }, 1);
    let outcome = read_days(&bench.client, ORG, &day_windows(span(3), 0), 10, &outlet).await;
    drop(outlet);
    assert!(matches!(outcome, Err(ApiError::Stopped)));
    assert!(taker.finish().await.is_err_and(|error| error.to_string().contains("disk")));
    assert!(bench.server.requests().len() < 10);
}

/// Takes its time over each page.
struct Slow(Duration);

impl Pages for Slow {
    fn page(&mut self, _: Page) -> Result<(), TakeError> {
        std::thread::sleep(self.0);
        Ok(())
    }

    fn day_done(&mut self, _: DayDone) -> Result<(), TakeError> {
        Ok(())
    }
}

#[tokio::test]
async fn fetching_overlaps_with_taking() {
    let (org, _) = audited(400, 1);
    let latency = Duration::from_millis(50);
    let bench = bench(org, FakeOptions { latency, audit_page: 20, ..FakeOptions::default() }).await;
    let started = std::time::Instant::now();
    let (outlet, taker) = deliver(Slow(Duration::from_millis(40)), 2);
    let summary = read_days(&bench.client, ORG, &day_windows(span(1), 0), 20, &outlet).await.expect("pull");
    drop(outlet);
    taker.finish().await.expect("taken");
    let (took, pages) = (started.elapsed(), u32::try_from(summary.pages).expect("few"));
    // One after the other would be 90 ms a page.
    assert!(took < Duration::from_millis(75) * pages, "{took:?} for {pages} pages");
    assert!(took >= latency * pages);
}

#[tokio::test]
async fn a_body_that_stalls_is_asked_for_again() {
    let (org, ids) = audited(60, 1);
    let options = FakeOptions {
        audit_page: 15,
        fault_rate: 0.4,
        faults: vec![FaultKind::Slow],
        slow_piece: Duration::from_millis(900),
        seed: 5,
        ..FakeOptions::default()
    };
    let bench = bench(org, options).await;
    let (summary, kept) = pull(&bench, 1, 15).await;
    assert!(summary.expect("pull").failed.is_empty());
    assert_eq!(set(kept.ids()), ids);
    assert!(bench.server.faults() > 0);
    assert!(bench.log.0.lock().expect("log").iter().any(|line| line.contains("Connection")));
}

#[tokio::test]
async fn the_services_clock_is_handed_on() {
    let (org, _) = audited(10, 1);
    let skewed = || time(TODAY) - 3 * HOUR;
    let bench = bench(org, FakeOptions { clock: Some(Clock::Runs(skewed)), ..FakeOptions::default() }).await;
    let (_, kept) = pull(&bench, 1, 100).await;
    assert!(kept.days.iter().all(|day| day.server_time == Some(skewed())));
}
