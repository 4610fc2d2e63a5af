//! Makes an organisation: options in, a folder of files out.

use std::borrow::Cow;
use std::path::Path;

use super::log::Log;
use super::shapes::Shape;
use super::usage::Usage;
use super::world::World;
use super::{LabError, files, labels, office, population, routine, scenarios, weakenings};
use crate::model::time::{Day, day_text};

/// What organisation to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulateOptions {
    /// Decides everything that chance decides.
    pub seed: u64,
    /// About how many tokens.
    pub tokens: usize,
    /// Length of the log in UTC days.
    pub days: u32,
    /// Name of the organisation, lower case.
    pub org: Cow<'static, str>,
    /// Last day of the log, counted from 1970-01-01.
    pub last_day: Day,
    /// Shapes of the log, one stretch each in this order; empty: the layout of `sample-data`.
    pub shapes: Vec<Shape>,
    /// Whether Usage records are written too.
    pub usage: bool,
    /// Days whose lists of tokens and users are written, each as it was at the day's end, in a folder of its own; empty:
    /// those of the last day, beside the log.
    pub list_days: Vec<Day>,
}

/// The organisation in `sample-data`: small enough to read, and still one of everything. It ends on 2026-10-31.
pub const SAMPLE: SimulateOptions = SimulateOptions {
    seed: 2045,
    tokens: 24,
    days: 90,
    org: Cow::Borrowed("larkmoor-sample"),
    last_day: 20_757,
    shapes: Vec::new(),
    usage: false,
    list_days: Vec::new(),
};

/// The organisation in `tests/labelled-data`: every attack once, in every shape, with Usage records.
#[must_use]
pub fn labelled() -> SimulateOptions {
    SimulateOptions {
        seed: 2046,
        tokens: 96,
        org: "larkmoor-labelled".into(),
        shapes: Shape::ALL.to_vec(),
        usage: true,
        ..SAMPLE
    }
}

impl Default for SimulateOptions {
    fn default() -> Self {
        SAMPLE
    }
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulateSummary {
    /// PATs, listed or not.
    pub tokens: usize,
    /// Distinct audit events.
    pub events: usize,
    /// Rows of `truth.json`.
    pub labels: usize,
    /// File names, in the order written.
    pub files: Vec<String>,
}

/// Writes a labelled organisation into `out`; the same options give the same bytes.
///
/// # Errors
/// When the options are too small to hold an organisation, or a file cannot be written.
pub fn simulate(options: &SimulateOptions, out: &Path) -> Result<SimulateSummary, LabError> {
    let problem = if options.tokens < 12 || options.tokens > 20_000 {
        Some((format!("{} tokens make no organisation", options.tokens), "choose 12 to 20000"))
    } else if options.days < 45 || options.days > 400 {
        Some((format!("{} days are no log to learn from", options.days), "choose 45 to 400"))
    } else if options.org.is_empty() || !options.org.bytes().all(|c| c == b'-' || c.is_ascii_alphanumeric()) {
        Some((format!("\"{}\" is no organisation name", options.org), "use letters, digits and dashes"))
    } else {
        let logged = options.last_day - i32::try_from(options.days).unwrap_or(0) + 1..=options.last_day;
        options.list_days.iter().find(|day| !logged.contains(day)).map(|day| {
            (
                format!("{} is no day of the log", day_text(*day)),
                "choose days from its first to its last: it ends on 2026-10-31, --days says how long it is",
            )
        })
    };
    if let Some((what, hint)) = problem {
        return Err(LabError::Options { what, hint });
    }
    let org = options.org.to_ascii_lowercase();
    let mut world = World::new(options.seed, &org, options.tokens, options.days, options.last_day);
    let (tokens, attacks) = population::populate(&mut world, options.tokens);
    let mut log = Log::new(options.seed);
    routine::write(&world, &tokens, &mut log);
    office::write_lives(&world, &tokens, &mut log);
    office::write_leavers(&world, &mut log);
    office::write_people_and_service(&world, tokens.len(), &mut log);
    let mut truth = scenarios::play(&mut world, &tokens, &attacks, &mut log);
    truth.extend(weakenings::play(&world, tokens.len(), &mut log));
    let events = log.finish(&world);
    let usage = options.usage.then(|| Usage::new(&world, &tokens, &events));
    truth.extend(labels::standing(&world, &tokens, &events, usage.as_ref()));
    truth.sort_by(|a, b| {
        (a.family, &a.scenario, a.from, &a.token_id).cmp(&(b.family, &b.scenario, b.from, &b.token_id))
    });
    let files = files::write(&world, options, &tokens, &events, &truth, usage.as_ref(), out)?;
    Ok(SimulateSummary { tokens: tokens.len(), events: events.len(), labels: truth.len(), files })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::Family;
    use crate::model::identity::{cuid_of_descriptor, org_name, person_key};
    use crate::model::mechanism::Mechanism;
    use crate::model::time::{day_text, parse_time};
    use serde_json::Value;
    use std::collections::{BTreeMap, BTreeSet};
    use std::io::Read as _;
    use std::path::PathBuf;

    fn committed(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
    }

    /// Holds a committed folder against what its options make; returns what was made.
    fn unchanged(name: &str, options: &SimulateOptions) -> SimulateSummary {
        let home = committed(name);
        if std::env::var("PATWATCH_WRITE_SAMPLE").is_ok_and(|v| v == "1") {
            simulate(options, &home).expect("simulate");
        }
        let (folder, summary) = simulated(options);
        for name in &summary.files {
            let fresh = std::fs::read(folder.path().join(name)).expect(name);
            let kept = std::fs::read(home.join(name)).expect(name);
            assert!(fresh == kept, "{name} differs: run the tests with PATWATCH_WRITE_SAMPLE=1 and commit");
        }
        let kept = std::fs::read_dir(&home).expect("folder").count();
        assert_eq!(kept, summary.files.len(), "a file in {name} is nobody's");
        summary
    }

    fn read(folder: &Path, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(folder.join(name)).expect(name)).expect(name)
    }

    /// Every audit record of a folder, by shape, under PascalCase names.
    fn records(folder: &Path, files: &[String]) -> BTreeMap<&'static str, Vec<Value>> {
        let mut all: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
        for name in files {
            if name.starts_with("audit-api") {
                let page = read(folder, name);
                all.entry("api")
                    .or_default()
                    .extend(page["decoratedAuditLogEntries"].as_array().expect("page").clone());
            } else if name.starts_with("audit-event-grid") {
                let list = read(folder, name);
                all.entry("grid")
                    .or_default()
                    .extend(list.as_array().expect("list").iter().map(|r| r["data"].clone()));
            } else if name == "audit-export.json" {
                all.entry("export").or_default().extend(read(folder, name).as_array().expect("list").clone());
            } else if name.ends_with(".gz") {
                let file = std::fs::File::open(folder.join(name)).expect("file");
                let mut text = String::new();
                flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("gzip");
                all.entry("analytics")
                    .or_default()
                    .extend(text.lines().map(|l| serde_json::from_str(l).expect("row")));
            }
        }
        all
    }

    fn text<'a>(record: &'a Value, name: &str) -> &'a str {
        let mut camel = name.to_owned();
        camel[..1].make_ascii_lowercase();
        record[name].as_str().or_else(|| record[&camel].as_str()).unwrap_or("")
    }

    fn bare_id(record: &Value) -> String {
        text(record, "Id").rsplit(';').next().unwrap_or("").to_owned()
    }

    fn simulated(options: &SimulateOptions) -> (tempfile::TempDir, SimulateSummary) {
        let folder = tempfile::tempdir().expect("folder");
        let summary = simulate(options, folder.path()).expect("simulate");
        (folder, summary)
    }

    #[test]
    fn the_committed_sample_is_what_its_options_make() {
        let summary = unchanged("sample-data", &SAMPLE);
        assert_eq!(day_text(SAMPLE.last_day), "2026-10-31");
        assert!((1_500..3_500).contains(&summary.events), "{}", summary.events);
    }

    #[test]
    fn the_labelled_corpus_is_what_its_options_make_and_holds_every_attack() {
        unchanged("tests/labelled-data", &labelled());
        let truth = read(&committed("tests/labelled-data"), "truth.json");
        let names: BTreeSet<&str> =
            truth.as_array().expect("labels").iter().filter_map(|l| l["scenario"].as_str()).collect();
        for scenario in scenarios::Scenario::ALL {
            assert!(names.contains(scenario.name()), "{}", scenario.name());
        }
    }

    #[test]
    fn shapes_agree_on_every_event_they_share() {
        let (folder, summary) = simulated(&SAMPLE);
        let by_shape = records(folder.path(), &summary.files);
        let api: BTreeMap<String, &Value> = by_shape["api"].iter().map(|r| (bare_id(r), r)).collect();
        for shape in ["export", "analytics", "grid"] {
            let mut shared = 0;
            for record in &by_shape[shape] {
                let Some(other) = api.get(&bare_id(record)) else { continue };
                shared += 1;
                for name in [
                    "CorrelationId",
                    "ActorCUID",
                    "ActorUPN",
                    "AuthenticationMechanism",
                    "IpAddress",
                    "UserAgent",
                    "Details",
                    "ProjectName",
                    "Area",
                ] {
                    assert_eq!(text(record, name), text(other, name), "{shape} {name}");
                }
                assert_eq!(record["Data"], other["data"]);
                assert_eq!(org_name(text(record, "ScopeDisplayName")), "larkmoor-sample");
                let time = text(record, if shape == "analytics" { "TimeGenerated" } else { "Timestamp" });
                let (one, two) =
                    (parse_time(time).expect("time"), parse_time(text(other, "Timestamp")).expect("time"));
                assert!((0..1_000).contains(&(two - one)), "{time}");
            }
            assert!(shared > 10, "{shape} shares {shared}");
        }
    }

    #[test]
    fn entries_have_the_form_of_the_facts() {
        let (folder, summary) = simulated(&SAMPLE);
        let all = records(folder.path(), &summary.files);
        let ids: BTreeSet<String> = all.values().flatten().map(bare_id).collect();
        assert_eq!(ids.len(), summary.events);
        let (mut cut, mut service) = (0, 0);
        for entry in &all["api"] {
            let ticks: i64 = text(entry, "Id").split(';').next().and_then(|t| t.parse().ok()).expect("ticks");
            let micros = (3_155_378_975_999_999_999 - ticks - 621_355_968_000_000_000) / 10;
            assert_eq!(Some(micros), parse_time(text(entry, "Timestamp")));
            let mechanism = text(entry, "AuthenticationMechanism");
            assert!(mechanism.len() <= 64);
            cut += usize::from(Mechanism::parse(mechanism).credential.len() == 34);
            if mechanism.is_empty() {
                service += 1;
                assert!(entry["ipAddress"].is_null());
            }
        }
        assert!(cut > 0 && service > 0, "{cut} {service}");
        for page in summary.files.iter().filter(|name| name.starts_with("audit-api")) {
            let page = read(folder.path(), page);
            let entries = page["decoratedAuditLogEntries"].as_array().expect("page");
            let ids: Vec<&str> = entries.iter().map(|e| text(e, "id")).collect();
            assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "newest first");
            assert_eq!(page["continuationToken"].as_str(), ids.last().copied());
        }
    }

    #[test]
    fn users_join_the_actors_of_events() {
        let (folder, summary) = simulated(&SAMPLE);
        let users = read(folder.path(), "users.json");
        let known: BTreeSet<String> = users["value"]
            .as_array()
            .expect("users")
            .iter()
            .filter_map(|u| cuid_of_descriptor(u["descriptor"].as_str()?))
            .collect();
        let all = records(folder.path(), &summary.files);
        let actors: BTreeSet<&str> = all["api"].iter().map(|e| text(e, "ActorCUID")).collect();
        assert!(actors.iter().filter(|a| known.contains(**a)).count() > 5);
        let same = all["api"].iter().filter(|e| {
            person_key(text(e, "ActorCUID")).is_some_and(|k| Some(k) == person_key(text(e, "ActorUserId")))
        });
        assert!(same.count() > 100);
    }

    #[test]
    fn labels_are_sane() {
        let options = SimulateOptions { seed: 5, tokens: 120, org: "labels".into(), ..SAMPLE };
        let (folder, summary) = simulated(&options);
        let mut tokens = BTreeSet::new();
        for name in summary.files.iter().filter(|n| n.starts_with("inventory")) {
            for row in read(folder.path(), name)["value"].as_array().expect("rows") {
                tokens.insert(row["authorizationId"].as_str().expect("id").to_owned());
            }
        }
        let truth = read(folder.path(), "truth.json");
        let labels = truth.as_array().expect("labels");
        assert_eq!(labels.len(), summary.labels);
        let mut families = BTreeSet::new();
        let mut scenarios = BTreeSet::new();
        let all = records(folder.path(), &summary.files);
        for label in labels {
            let family: Family = label["family"].as_str().expect("family").parse().expect("family");
            families.insert(family);
            scenarios.insert((family, label["scenario"].as_str().expect("scenario").to_owned()));
            let (from, to) = (
                parse_time(text(label, "from")).expect("time"),
                parse_time(text(label, "to")).expect("time"),
            );
            assert!(from <= to, "{label}");
            match label["token_id"].as_str() {
                None => assert_eq!(family, Family::Posture),
                Some(id) => assert!(tokens.contains(id) || label["scenario"] == "used-not-listed", "{label}"),
            }
            if family == Family::Anomaly
                && !["minted-before-departure", "found-in-public"].contains(&text(label, "scenario"))
            {
                let id = &label["token_id"].as_str().expect("id")[..28];
                let inside =
                    all.values().flatten().filter(|e| text(e, "AuthenticationMechanism").contains(id)).any(
                        |e| {
                            let time = text(e, "Timestamp").to_owned() + text(e, "TimeGenerated");
                            parse_time(&time).is_some_and(|t| from <= t + 1_000 && t <= to + 1_000_000)
                        },
                    );
                assert!(inside, "no event of {label}");
            }
        }
        assert_eq!(families.len(), 5);
        assert!(scenarios.iter().filter(|(f, _)| *f == Family::Anomaly).count() >= 20, "{scenarios:?}");
        let per_day = summary.events as f64 / 90.0 / 1.2;
        assert!((100.0..300.0).contains(&per_day), "{per_day} events a day per 100 tokens");
    }

    #[test]
    fn another_seed_is_another_organisation() {
        let (one, summary) = simulated(&SAMPLE);
        let (two, _) = simulated(&SimulateOptions { seed: 1, ..SAMPLE });
        let name = &summary.files[0];
        assert_ne!(std::fs::read(one.path().join(name)).ok(), std::fs::read(two.path().join(name)).ok());
    }

    #[test]
    fn refuses_options_that_make_nothing() {
        for options in [
            SimulateOptions { tokens: 1, ..SAMPLE },
            SimulateOptions { days: 3, ..SAMPLE },
            SimulateOptions { org: "a/b".into(), ..SAMPLE },
        ] {
            assert!(matches!(simulate(&options, Path::new("/nowhere")), Err(LabError::Options { .. })));
        }
    }
}
