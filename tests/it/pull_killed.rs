//! `pull` killed at any moment, and at full size.
//!
//! `PATWATCH_TEST_KILLS` sets how many kills, `PATWATCH_TEST_SEED` the first seed. The full size is left out of
//! ordinary runs: `cargo test --release --test it pull_killed:: -- --ignored --nocapture`, with
//! `PATWATCH_TEST_EVENTS` events (a million) and `PATWATCH_TEST_PROGRAM` for another build of the program.

use crate::live::{Fake, ORG, copy, difference, event, events, now, organisation, parquet, pull, spawn};
use crate::support::{DEADLINE, Place, ended};
use patwatch::model::time::{DAY, HOUR, SECOND, day_of, day_text, format_time, parse_time};
use patwatch::source::azure_devops::fake::{Events, FakeOptions, FakeOrganisation};
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a run of the full size may take.
const FULL_SIZE: Duration = Duration::from_secs(6 * 3600);

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Events a day, of those up to `until`.
fn by_day(rows: &[String], until: i64) -> BTreeMap<String, u64> {
    let mut days = BTreeMap::new();
    for row in rows {
        let row: Value = serde_json::from_str(row).expect("row");
        let time = parse_time(row["timestamp"].as_str().expect("time")).expect("time");
        if time <= until {
            *days.entry(day_text(day_of(time))).or_default() += 1;
        }
    }
    days
}

/// Events a day as the index and the day files that it names hold them.
fn held(place: &Place, lake: &str) -> BTreeMap<String, u64> {
    if !place.path(lake).join("index.json").exists() {
        return BTreeMap::new();
    }
    let query = "SELECT CAST(date AS VARCHAR) AS day, COUNT(*) AS n FROM events GROUP BY date";
    let ran = place.run(&["--lake", lake, "query", query, "--window", "400d", "--format", "csv"]);
    if ran.code == 2 && ran.stderr.contains("holds nothing yet") {
        return BTreeMap::new();
    }
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let rows = ran.stdout.lines().skip(1).filter_map(|line| line.split_once(','));
    rows.map(|(day, n)| (day[..10].to_owned(), n.trim().parse().expect("number"))).collect()
}

fn up_to<'a>(lake: &'a str, until: &'a str) -> Vec<&'a str> {
    pull(lake, &["-q", "--since", "12d", "--until", until])
}

#[test]
fn a_pull_killed_at_any_moment_goes_on_to_the_same_lake() {
    let place = Place::new();
    let end = now();
    let rows = events(900, 12, end);
    let options = FakeOptions { audit_page: 25, latency: Duration::from_millis(4), ..FakeOptions::default() };
    let fake = Fake::start(vec![organisation(&rows, 5)], options);
    let variables = fake.variables();
    let (yesterday, today) = (end - DAY, end);
    let (first_until, second_until) = (format_time(yesterday), format_time(today));

    // What comes of pulls that nobody disturbs.
    let timed = |args: &[&str]| -> Duration {
        let started = Instant::now();
        assert!(ended(&mut spawn(&place, &variables, args), DEADLINE).success(), "{args:?}");
        started.elapsed()
    };
    let durations = [timed(&up_to("calm", &first_until)), {
        copy(&place.path("calm"), &place.path("base"));
        timed(&up_to("calm", &second_until))
    }];
    let (before, after) = (by_day(&rows, yesterday), by_day(&rows, today));
    assert_eq!(held(&place, "base").values().sum::<u64>(), before.values().sum::<u64>());
    assert_eq!(held(&place, "calm"), after);

    let seed = number("PATWATCH_TEST_SEED", 1);
    let mut committed = 0;
    for seed in seed..seed + number("PATWATCH_TEST_KILLS", 20) {
        let mut dice = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        // Half of them in the first pull, half in the pull of the next day.
        let fresh = seed % 2 == 0;
        let lake = format!("killed-{seed}");
        if !fresh {
            copy(&place.path("base"), &place.path(&lake));
        }
        let args = if fresh { up_to(&lake, &first_until) } else { up_to(&lake, &second_until) };
        let moment = durations[usize::from(!fresh)].mul_f64(dice.random_range(0.0..1.0));
        println!("seed {seed}: {} killed after {moment:?}", if fresh { "first pull" } else { "second pull" });
        let mut child = spawn(&place, &variables, &args);
        std::thread::sleep(moment);
        child.kill().expect("kill");
        ended(&mut child, DEADLINE);

        // Days are there whole or not at all.
        let held = held(&place, &lake);
        committed += usize::from(!held.is_empty());
        for (day, n) in &held {
            let whole = [before.get(day), after.get(day)];
            assert!(whole.contains(&Some(n)), "seed {seed}: {day} holds {n} of {whole:?}");
        }
        if fresh {
            assert!(ended(&mut spawn(&place, &variables, &up_to(&lake, &first_until)), DEADLINE).success());
        }
        assert!(ended(&mut spawn(&place, &variables, &up_to(&lake, &second_until)), DEADLINE).success());
        let verified = place.run(&["--lake", &lake, "lake", "verify"]);
        assert!(
            verified.code == 0 && verified.stderr.contains(" 0 mended, 0 lost"),
            "seed {seed}: {}",
            verified.stderr
        );
        assert_eq!(difference(&place.path("calm"), &place.path(&lake)), None, "seed {seed}");
        std::fs::remove_dir_all(place.path(&lake)).expect("clean");
    }
    assert!(committed > 5, "the kills come too early to tell");
}

/// Highest resident memory of a process so far, in MB.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb / 1024)
}

#[test]
#[ignore = "a million events: minutes, and gigabytes of disk"]
fn a_million_events_over_ninety_days() {
    let place = Place::new();
    let count = number("PATWATCH_TEST_EVENTS", 1_000_000);
    let latency = Duration::from_millis(number("PATWATCH_TEST_LATENCY_MS", 50));
    let faults = number("PATWATCH_TEST_FAULTS_PERCENT", 0);
    let end = now();
    let path = place.path("audit.ndjson");
    {
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("file"));
        let step = (89 * DAY + 20 * HOUR) / i64::try_from(count).expect("count");
        for n in 0..count {
            writeln!(file, "{}", event(n, end - SECOND - i64::try_from(n).expect("n") * step))
                .expect("write");
        }
    }
    let org =
        FakeOrganisation { events: Events::from_files([&path]).expect("events"), ..organisation(&[], 40) };
    #[allow(clippy::cast_precision_loss)]
    let fault_rate = faults as f64 / 100.0;
    let options = FakeOptions { latency, fault_rate, retry_after: 1.0, ..FakeOptions::default() };
    let fake = Fake::start(vec![org], options);
    let until = format_time(end);
    let started = Instant::now();
    let mut child = spawn(&place, &fake.variables(), &pull("pulled", &["-q", "--until", &until]));
    let mut most = 0;
    let status = loop {
        most = most.max(peak(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().expect("wait") {
            break status;
        }
        assert!(started.elapsed() < FULL_SIZE, "the pull does not end");
        std::thread::sleep(Duration::from_millis(100));
    };
    let took = started.elapsed();
    assert!(status.success());
    let (busy, requests) = (fake.server.busy(), fake.server.requests().len());
    println!(
        "{count} events, {requests} requests, {} faults: {took:?}, of which the server {busy:?} ({:+.1} %); {most} MB at most",
        fake.server.faults(),
        (took.as_secs_f64() / busy.as_secs_f64() - 1.0) * 100.0
    );
    let asked = fake.windows().len();
    let started = Instant::now();
    assert!(ended(&mut spawn(&place, &fake.variables(), &pull("pulled", &["-q"])), FULL_SIZE).success());
    println!("a second pull: {:?}, {} audit pages", started.elapsed(), fake.windows().len() - asked);
    drop(fake);

    let started = Instant::now();
    let args = ["--lake", "imported", "-q", "import", "audit.ndjson", "--org", ORG];
    assert!(ended(&mut spawn(&place, &[], &args), FULL_SIZE).success());
    println!("import of the same events: {:?}", started.elapsed());
    let of = |lake: &str| -> BTreeMap<String, Vec<u8>> {
        let mut files = parquet(Path::new(&place.path(lake)));
        files.retain(|name, _| !name.starts_with("inventory") && !name.starts_with("users"));
        files
    };
    let (pulled, imported) = (of("pulled"), of("imported"));
    assert_eq!(pulled.len(), imported.len());
    let differing: Vec<&String> = pulled
        .iter()
        .filter(|(name, bytes)| imported.get(*name) != Some(*bytes))
        .map(|(name, _)| name)
        .collect();
    assert!(differing.is_empty(), "{differing:?}");
    println!("{} Parquet files equal byte for byte", pulled.len());
    if faults == 0 {
        assert!(took < busy.mul_f64(1.1), "more than 10 % over the server's own time");
    }
}
