//! Series for the tests: usual, small, large and hostile ones, made without chance.

use crate::model::time::{DAY, Micros, Span, day_start, parse_day, parse_time};
use crate::report::series::{Lane, Lifetime, ScopeCount, Series, TokenTimeline};

/// Text that tries to break pictures.
pub const HOSTILE: &str = "<script>alert('x')</script> & \"]]>\u{202e}\u{0}\u{1b}[31m\n\u{feff}漢字 a\u{301}\u{301}\u{301}\u{301} WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW";

fn as_of() -> Micros {
    parse_time("2026-03-31T10:00:00Z").expect("time")
}

fn window() -> (i32, i32) {
    (parse_day("2026-01-01").expect("day"), parse_day("2026-03-31").expect("day"))
}

/// A number that looks like chance and is the same for ever.
fn noise(i: u64) -> u64 {
    let x = i.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40
}

fn life(i: i64, to: i64) -> Lifetime {
    let names = ["build-agent", "nightly export", "terraform", "anna laptop", "grafana", "release bot"];
    let length = [30, 90, 180, 365][(noise(i as u64) % 4) as usize];
    Lifetime {
        label: format!("{} {i}", names[(i % 6) as usize]),
        from: as_of() + (to - length).min(-1 - i % 40) * DAY,
        to: as_of() + to * DAY,
        last_observed: (i % 3 == 0).then(|| as_of() - (i * 7 % 80) * DAY),
        all_orgs: i % 7 == 2,
        over_policy: length > 90,
    }
}

/// What a middling organisation looks like.
pub fn usual() -> Series {
    let days = window();
    let kinds =
        [("pat", 90), ("interactive", 400), ("entra", 150), ("session", 60), ("service", 900), ("ssh", 12)];
    let gap = |from: &str, to: &str| Span {
        from: parse_time(from).expect("time"),
        to: parse_time(to).expect("time"),
    };
    let (gap_a, gap_b) = (gap("2026-02-03", "2026-02-06"), gap("2026-03-14", "2026-03-15"));
    let held = |skip: Span| {
        (days.0..=days.1)
            .filter(|d| !skip.overlaps(&Span { from: day_start(*d), to: day_start(d + 1) }))
            .collect()
    };
    let all = Span { from: day_start(days.0), to: as_of() };
    let scopes = [
        "vso.code",
        "vso.build_execute",
        "vso.work_write",
        "vso.packaging_manage",
        "vso.graph",
        "vso.profile",
        "vso.release_manage",
        "app_token",
        "vso.variablegroups_manage",
        "vso.auditlog",
    ];
    Series {
        days,
        activity: kinds
            .iter()
            .enumerate()
            .map(|(k, (kind, most))| {
                let at = |d: i32| {
                    let quiet = (d + 4).rem_euclid(7) < 2 || gap_a.contains(day_start(d));
                    noise(d as u64 * 31 + k as u64) % most / if quiet { 9 } else { 1 }
                };
                ((*kind).to_owned(), (days.0..=days.1).map(at).collect())
            })
            .collect(),
        gaps: vec![
            ("contoso".into(), gap_a, "auditing switched off".into()),
            ("fabrikam".into(), gap_b, "quiet, 140 events expected".into()),
        ],
        findings: vec![
            ("use".into(), [2, 5, 9, 3, 1]),
            ("scope".into(), [0, 4, 11, 2, 0]),
            ("anomaly".into(), [1, 2, 4, 5, 2]),
            ("hygiene".into(), [12, 9, 3, 0, 0]),
            ("posture".into(), [0, 1, 2, 1, 0]),
        ],
        verdicts: vec![
            ("observed".into(), 14),
            ("possible".into(), 3),
            ("ruled-out".into(), 2),
            ("not-observed".into(), 17),
            ("not-judged".into(), 4),
        ],
        lifetimes: (0..24).map(|i| life(i, i * i - 20)).collect(),
        scopes: scopes
            .iter()
            .enumerate()
            .map(|(i, scope)| ScopeCount {
                scope: (*scope).into(),
                used: noise(i as u64) % 12,
                not_seen: noise(i as u64 + 50) % 9,
                cannot_be_seen: if i % 3 == 0 { 7 } else { 0 },
                beyond_grant: u64::from(i == 4) * 2,
            })
            .collect(),
        ages: vec![(30, 6), (60, 4), (90, 9), (180, 12), (365, 5), (i64::MAX, 4)],
        hours: (0..168)
            .map(|h| {
                let (day, hour) = (h / 24, h % 24);
                let work = day < 5 && (7..18).contains(&hour);
                noise(h)
                    % if work {
                        220
                    } else if hour == 2 {
                        1500
                    } else {
                        4
                    }
            })
            .collect(),
        risks: (0..40)
            .map(|i| (noise(i) % 1000) as f64 / 11.0 * if i % 4 == 0 { 1.0 } else { 0.4 })
            .collect(),
        coverage: vec![
            ("contoso".into(), all, held(gap_a)),
            ("fabrikam".into(), all, held(gap_b)),
            ("tailspin".into(), all, (days.0..=days.1).collect()),
        ],
        review: vec![
            ("contoso".into(), [180, 9, 2, 11]),
            ("fabrikam".into(), [34, 2, 0, 4]),
            ("tailspin".into(), [0, 0, 0, 7]),
        ],
        review_sentence: Some(
            "227 of 249 tokens in force decided since 2026-01-01 (91 %), 22 open, 11 not done, 2 not known"
                .into(),
        ),
        as_of: as_of(),
        max_lifetime_days: Some(90),
    }
}

/// One of everything.
pub fn small() -> Series {
    let days = window();
    let mut series = usual();
    series.days = (days.1, days.1);
    series.activity = vec![("pat".into(), vec![1])];
    series.gaps.clear();
    series.findings = vec![("use".into(), [0, 0, 0, 0, 1])];
    series.verdicts = vec![("observed".into(), 1)];
    series.lifetimes.truncate(1);
    series.scopes.truncate(1);
    series.ages = vec![(i64::MAX, 1)];
    series.hours = (0..168).map(|h| u64::from(h == 33)).collect();
    series.risks = vec![0.0];
    series.coverage = vec![("contoso".into(), series.coverage[0].1, vec![days.1])];
    series.review = vec![("contoso".into(), [0, 0, 0, 1])];
    series.max_lifetime_days = None;
    series
}

/// Thousands of everything.
pub fn large() -> Series {
    let mut series = usual();
    let days = (window().1 - 1_999, window().1);
    series.days = days;
    series.activity = (0..12)
        .map(|k| {
            let name = if k == 0 { "pat".to_owned() } else { format!("kind-{k}") };
            (name, (0..2_000).map(|d| noise(d * 13 + k) % 100_000).collect())
        })
        .collect();
    series.gaps = (0..500)
        .map(|i| {
            let from = day_start(days.0) + i * 4 * DAY;
            (format!("org-{}", i % 60), Span { from, to: from + DAY }, "stream off".into())
        })
        .collect();
    series.findings =
        (0..30).map(|i| (format!("family-{i}"), [40_000, 9_999, 123_456, 77, 5_000_000])).collect();
    series.verdicts = vec![("observed".into(), 3_210_987), ("not-observed".into(), 1), ("newer".into(), 77)];
    series.lifetimes = (0..5_000).map(|i| life(i, i % 900 - 300)).collect();
    series.scopes = (0..300)
        .map(|i| ScopeCount {
            scope: format!("vso.scope_{i}"),
            used: noise(i) % 5_000,
            not_seen: noise(i + 900) % 5_000,
            cannot_be_seen: noise(i + 1_800) % 5_000,
            beyond_grant: noise(i) % 3,
        })
        .collect();
    series.ages = (1..=30).map(|i| (i * 30, noise(i as u64) % 4_000)).collect();
    series.hours = (0..168).map(|h| noise(h) * 100).collect();
    series.risks = (0..5_000).map(|i| (noise(i) % 101) as f64).collect();
    series.review =
        (0..60).map(|i| (format!("org-{i}"), [noise(i) % 5_000, i, i % 3, noise(i + 9) % 900])).collect();
    series.coverage = (0..60)
        .map(|i| {
            let span = Span { from: day_start(days.0), to: as_of() };
            (
                format!("org-{i}"),
                span,
                (days.0..=days.1).filter(|d| !noise(*d as u64 + i).is_multiple_of(5)).collect(),
            )
        })
        .collect();
    series
}

/// Labels that attack, numbers that overflow, spans that lie.
pub fn hostile() -> Series {
    let bad = || HOSTILE.repeat(20);
    let lie = Span { from: Micros::MAX, to: Micros::MIN };
    let wide = Span { from: Micros::MIN, to: Micros::MAX };
    let broken = |from, to| Lifetime {
        label: bad(),
        from,
        to,
        last_observed: Some(Micros::MIN),
        all_orgs: true,
        over_policy: true,
    };
    Series {
        days: (i32::MAX, i32::MIN),
        activity: vec![
            (bad(), vec![u64::MAX; 3]),
            ("pat".into(), vec![u64::MAX; 400]),
            (String::new(), vec![0, 1]),
        ],
        gaps: vec![(bad(), lie, bad()), (bad(), wide, bad())],
        findings: vec![(bad(), [u64::MAX; 5]), (String::new(), [0, 0, 0, 1, 0]), ("\u{0}".into(), [1; 5])],
        verdicts: vec![(bad(), u64::MAX), ("observed".into(), u64::MAX), ("observed".into(), 1)],
        lifetimes: vec![
            broken(Micros::MIN, Micros::MAX),
            broken(Micros::MAX, Micros::MIN),
            broken(0, 0),
            broken(as_of(), as_of()),
        ],
        scopes: vec![
            ScopeCount {
                scope: bad(),
                used: u64::MAX,
                not_seen: u64::MAX,
                cannot_be_seen: 1,
                beyond_grant: u64::MAX,
            },
            ScopeCount { scope: String::new(), used: 1, ..ScopeCount::default() },
        ],
        ages: vec![(i64::MIN, u64::MAX), (5, 1), (-3, 2), (i64::MAX, 3)],
        hours: vec![u64::MAX; 500],
        risks: vec![f64::NAN, f64::INFINITY, -1.0, 50.0, 1e300],
        coverage: vec![(bad(), lie, vec![i32::MIN, i32::MAX, 0, 0]), (bad(), wide, Vec::new())],
        review: vec![(bad(), [u64::MAX; 4]), (String::new(), [0, 1, 0, 0]), ("\u{0}".into(), [0; 4])],
        review_sentence: Some(bad()),
        as_of: Micros::MAX,
        max_lifetime_days: Some(i64::MAX),
    }
}

/// A token's timeline as usual.
pub fn timeline() -> TokenTimeline {
    let days = window();
    let lane = |label: &str, seed: u64, share: u64, from: i32, to: i32| {
        let held: Vec<_> = (from..=to)
            .filter(|d| noise(*d as u64 * 7 + seed) % 100 < share)
            .map(|d| (d, noise(d as u64) % 30 + 1))
            .collect();
        Lane { label: label.into(), events: held.iter().map(|(_, n)| n).sum(), days: held }
    };
    let time = |text: &str| parse_time(text).expect("time");
    let networks = vec![
        lane("20.40.10.0/24", 1, 70, days.0, days.1),
        lane("2001:db8:42::/48", 2, 15, days.0, days.1),
        lane("185.220.101.0/24", 3, 80, days.1 - 6, days.1 - 3),
    ];
    TokenTimeline {
        label: "build-agent".into(),
        days,
        per_day: networks[0].days.clone(),
        clients: vec![
            lane("azure-devops-cli", 4, 60, days.0, days.1),
            lane("curl", 5, 90, days.1 - 6, days.1 - 3),
            Lane { label: "browser".into(), events: 3, days: Vec::new() },
        ],
        networks,
        life: vec![
            (time("2025-09-30"), "created".into()),
            (time("2026-02-01"), "scopes changed".into()),
            (time("2026-02-03"), "extended or regenerated".into()),
            (time("2026-03-25"), "first network".into()),
            (time("2026-03-26"), "burst".into()),
            (time("2026-09-30"), "ends".into()),
        ],
        gaps: usual().gaps[..1].to_vec(),
        as_of: as_of(),
    }
}

/// Timelines that attack, overflow or hold thousands.
pub fn hard_timelines() -> Vec<TokenTimeline> {
    let lanes = |label: &str| -> Vec<Lane> {
        let lane = |i| Lane {
            label: format!("{label}{i}"),
            events: u64::MAX,
            days: vec![(i32::MIN, 1), (i32::MAX, 1), (20_500, u64::MAX)],
        };
        (0..1_000).map(lane).collect()
    };
    let bad = HOSTILE.repeat(20);
    vec![
        TokenTimeline::default(),
        TokenTimeline { label: bad.clone(), days: window(), as_of: as_of(), ..TokenTimeline::default() },
        TokenTimeline {
            label: bad.clone(),
            days: (i32::MAX, i32::MIN),
            per_day: vec![(i32::MIN, u64::MAX), (i32::MAX, u64::MAX), (0, 0)],
            networks: lanes(&bad),
            clients: lanes("c"),
            life: (0..2_000).map(|i| (Micros::MAX - i, bad.clone())).collect(),
            gaps: hostile().gaps,
            as_of: Micros::MIN,
        },
        TokenTimeline {
            label: "busy".into(),
            days: window(),
            per_day: (window().0..=window().1).map(|d| (d, noise(d as u64))).collect(),
            networks: lanes("10.0.0."),
            life: (0..400).map(|i| (as_of() - i * DAY / 2, "extended or regenerated".into())).collect(),
            as_of: as_of(),
            ..TokenTimeline::default()
        },
    ]
}
