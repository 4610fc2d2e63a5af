//! A made-up report for the tests of this folder: every verdict, every advice, and names that attack.

mod token;

use super::bundle::ChartFile;
use crate::model::coverage::{Basis, Coverage, Gap};
use crate::model::decision::{Approval, Choice, Decision, Fixed};
use crate::model::finding::{
    Blind, Confidence, DetectionMeta, Family, Finding, NotRun, Severity, Subject, SubjectKind, Suppression,
};
use crate::model::policy::Policy;
use crate::model::time::{DAY, HOUR, Micros, Span, Window, parse_time};
use crate::report::compare::{Comparison, Difference, FindingChange, Kind, TokenChange};
use crate::report::review::{Approved, Standing, Status};
use crate::report::series::Series;
use crate::report::{Input, Population, Report, TokenReport, Unattributed};
use serde_json::json;
use token::{ROWS, token};

/// Names that try to become something else in one format or another.
pub const HOSTILE: &[&str] = &[
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a|b `c` [d](http://evil.example) @all #1 **e**",
    "\u{1b}[31mred\u{7}\u{202e}gnp.exe",
    "two\r\nlines\tand \u{2028}more",
    "{{ 7*7 }} {% raw %} {# x #}",
    "@SUM(1)",
];

/// The instant of the sample.
pub fn as_of() -> Micros {
    parse_time("2026-03-31T10:00:00Z").expect("a time")
}

fn detection(id: &str, slug: &str, family: Family, title: &str, severity: Severity) -> DetectionMeta {
    DetectionMeta {
        rests_on: Vec::new(),
        id: id.to_owned(),
        slug: slug.to_owned(),
        family,
        title: title.to_owned(),
        severity,
        confidence: Confidence::Medium,
        subject: SubjectKind::Token,
        message: "{name}".to_owned(),
        fix: "Ask the owner, then rotate the token.".to_owned(),
        rationale: "A network that a token never used before is rare once it is past its first weeks."
            .to_owned(),
        references: vec![
            "https://learn.microsoft.com/azure/devops/organizations/audit/azure-devops-auditing".into(),
        ],
        controls: vec!["NIST AC-2(3)".into(), "CIS 5.3".into()],
        attack: vec!["T1528".into()],
        equivalents: vec!["SEN-A01".into()],
        keys: Vec::new(),
    }
}

fn finding(n: usize, d: &DetectionMeta, severity: Severity, token: &TokenReport, message: String) -> Finding {
    let mut evidence = serde_json::Map::new();
    evidence.insert("network".into(), json!("198.51.100.0/24"));
    evidence.insert("address".into(), json!("198.51.100.77"));
    evidence.insert("past_networks".into(), json!(["203.0.113.0/24"]));
    evidence.insert("group_name".into(), json!("Release Managers"));
    evidence.insert("actions".into(), json!(n * 7));
    Finding {
        fingerprint: format!("{:064x}", n + 1),
        detection: d.id.clone(),
        slug: d.slug.clone(),
        family: d.family,
        severity,
        confidence: [Confidence::High, Confidence::Medium, Confidence::Low][n % 3],
        org: token.token.org.clone(),
        subject: Subject {
            kind: SubjectKind::Token,
            id: token.token.token_id.clone(),
            name: token.token.name.clone(),
        },
        owner: token.token.owner.clone(),
        first_time: Some(as_of() - 9 * DAY),
        last_time: Some(as_of() - (n as i64 % 5) * DAY - HOUR),
        count: 3 + n as u64,
        message,
        evidence,
        event_ids: (0..4).map(|i| format!("22222222-0000-4000-8000-{n:06}{i:06}").as_str().into()).collect(),
        fix: d.fix.as_str().into(),
        controls: d.controls.as_slice().into(),
        attack: d.attack.as_slice().into(),
        suppressed: None,
        claims: Vec::new(),
        list: Vec::new(),
    }
}

/// The sample report.
pub fn report() -> Report {
    let as_of = as_of();
    let window = Window::ending(as_of, 90);
    let detections = vec![
        detection(
            "PAT-A003",
            "first-network",
            Family::Anomaly,
            "First use from a new network",
            Severity::High,
        ),
        detection(
            "PAT-A009",
            "used-after-revoke",
            Family::Anomaly,
            "Used after it was revoked",
            Severity::Critical,
        ),
        detection(
            "PAT-H002",
            "long-lived",
            Family::Hygiene,
            "Lives longer than the policy allows",
            Severity::Low,
        ),
        detection(
            "PAT-P001",
            "stream-disabled",
            Family::Posture,
            "An audit stream was disabled",
            Severity::High,
        ),
        detection(
            "PAT-S001",
            "wider-than-use",
            Family::Scope,
            "Holds a scope that was not seen in use",
            Severity::Medium,
        ),
        detection(
            "PAT-U004",
            "usage-only",
            Family::Use,
            "No PAT call by the owner in usage records",
            Severity::Medium,
        ),
    ];
    let mut tokens: Vec<TokenReport> = ROWS.iter().enumerate().map(|(i, r)| token(i, r, "contoso")).collect();
    let base = tokens.len();
    for (i, name) in HOSTILE.iter().enumerate() {
        let mut t = token(base + i, &ROWS[3 + i % 4], "fabrikam");
        t.token.name = Some((*name).to_owned());
        tokens.push(t);
    }
    tokens[base + 1].token.owner = Some("<b>mallory</b>@evil.example".to_owned());
    tokens[base + 2].token.scopes = None;
    tokens[base + 2].token.name = None;
    tokens[base + 2].verdicts.proposed_scopes = None;
    let mut findings = vec![
        finding(0, &detections[1], Severity::Critical, &tokens[0],
            "release-agent made 14 audited events after it was revoked on 2026-03-12, the last on 2026-03-30".into()),
        finding(1, &detections[0], Severity::High, &tokens[0],
            "release-agent was used from 198.51.100.0/24 (198.51.100.77) for the first time by ana.ruiz@contoso.example".into()),
        finding(2, &detections[0], Severity::High, &tokens[base + 1],
            format!("{} was used from a new network, see http://evil.example/?q=1&x=<y>", HOSTILE[1])),
        finding(3, &detections[4], Severity::Medium, &tokens[3],
            "terraform-prod holds vso.graph_manage and was not seen using it in 84 covered days".into()),
        finding(4, &detections[2], Severity::Low, &tokens[1], "old laptop lives 545 days; the policy allows 90".into()),
        finding(5, &detections[2], Severity::Low, &tokens[base + 4], format!("{} lives 545 days", HOSTILE[4])),
    ];
    findings[4].suppressed = Some(Suppression {
        decision: "exception".into(),
        reviewer: "olga.berg@contoso.example".into(),
        until: Some(as_of + 30 * DAY),
        decided_on: Some(window.last_day() - 3),
        reason: "replaced in May".into(),
        reviewer_is_owner: false,
    });
    let mut posture = finding(
        6,
        &detections[3],
        Severity::High,
        &tokens[0],
        "audit stream Splunk was disabled by ana.ruiz@contoso.example".into(),
    );
    posture.subject = Subject { kind: SubjectKind::Org, id: "contoso".into(), name: None };
    posture.owner = None;
    findings.insert(2, posture);
    for t in &mut tokens {
        t.findings = findings
            .iter()
            .filter(|f| f.org == t.token.org && f.subject.id == t.token.token_id)
            .map(|f| f.fingerprint.clone())
            .collect();
    }
    tokens[3].decision = Some(standing(&tokens[3]));
    let gap = Gap {
        span: Span { from: window.from + 20 * DAY, to: window.from + 25 * DAY },
        reason: "auditing was switched off".into(),
    };
    let days = |from: i32, to: i32| (from..to).map(|d| window.first_day() + d).collect::<Vec<_>>();
    let mut covered = days(0, 20);
    covered.extend(days(25, 89));
    Report {
        as_of,
        window,
        pack_sha256: "5f".repeat(32),
        config_sha256: "c0".repeat(32),
        policy: Policy::default(),
        coverage: vec![
            Coverage {
                org: "contoso".into(),
                span: Span { from: window.from, to: as_of },
                basis: Basis::Pulled,
                gaps: vec![gap],
                covered,
                areas: 14,
                events: 48_211,
            },
            Coverage {
                org: "fabrikam".into(),
                span: Span { from: window.from + 50 * DAY, to: as_of },
                basis: Basis::Inferred,
                gaps: vec![],
                covered: days(51, 89),
                areas: 2,
                events: 902,
            },
        ],
        population: vec![
            Population {
                org: "contoso".into(),
                inventory_taken: Some("2026-03-31T09:00:00Z".into()),
                complete: true,
                users_listed: 212,
                users_failed: 0,
                tokens: 8,
                not_pats: 3,
            },
            Population {
                org: "fabrikam".into(),
                inventory_taken: None,
                complete: false,
                users_listed: 0,
                users_failed: 4,
                tokens: 0,
                not_pats: 0,
            },
        ],
        events: 49_113,
        tokens,
        unattributed: vec![Unattributed {
            org: "fabrikam".into(),
            credential: "a7c10009".into(),
            candidates: vec!["a7c10009-1".into(), "a7c10009-2".into()],
            events: 12,
        }],
        findings,
        not_run: vec![
            NotRun {
                detection: "PAT-U004".into(),
                reason: "no usage records were imported for fabrikam".into(),
                failed: false,
            },
            NotRun { detection: "PAT-X001".into(), reason: "column <nope> is unknown".into(), failed: true },
        ],
        blind: vec![Blind {
            detection: "PAT-P014".into(),
            org: "fabrikam".into(),
            fields: vec!["d_variables".into()],
            events: 412,
        }],
        detections,
        series: Series { as_of, ..Series::default() },
        inputs: vec![
            Input {
                name: "audit <1>.json.gz".into(),
                sha256: "ab".repeat(32),
                kind: "audit".into(),
                read: 50_000,
                kept: 49_113,
                duplicate: 880,
                rejected: 7,
                reasons: [("no time".to_owned(), 7)].into_iter().collect(),
                ..Input::default()
            },
            Input {
                name: "inventory.json".into(),
                sha256: "cd".repeat(32),
                kind: "inventory".into(),
                read: 11,
                kept: 8,
                duplicate: 3,
                ..Input::default()
            },
        ],
        decisions_elsewhere: Vec::new(),
        review_period: None,
        approved: vec![Approved {
            approval: Approval {
                detection: "PAT-H002".into(),
                subject: "a7c10001-0000-4000-8000-000000000001".into(),
                org: Some("contoso".into()),
                owner: "Zelda <b>Platform</b>".into(),
                reason: "asked by contoso-bank".into(),
                approved_on: None,
                end_date: window.last_day() + 30,
            },
            holds: true,
            covers: 1,
            passes: 0,
        }],
        evidence: Vec::new(),
        digests: detection_digests(),
        settings: crate::report::settings::Settings::default(),
        comparison: Some(comparison()),
    }
}

fn detection_digests() -> std::collections::BTreeMap<String, String> {
    ["PAT-A003", "PAT-A009", "PAT-H002", "PAT-P001", "PAT-S001", "PAT-U004"]
        .map(|id| (id.to_owned(), format!("{:0>16}", id.to_lowercase())))
        .into()
}

fn standing(token: &TokenReport) -> Standing {
    Standing {
        decision: Decision {
            org: token.token.org.clone(),
            token_id: token.token.token_id.clone(),
            choice: Choice::Revoke,
            reviewer: "Zelda Ruiz".into(),
            decided_on: Window::ending(as_of(), 90).last_day() - 5,
            reason: "contoso-bank asked </script><script>alert(1)</script>".into(),
            end_date: None,
            seen_until: as_of(),
            detections: None,
            state: Fixed::of(&token.token),
        },
        holds: true,
        status: Status::NotDone,
        note: "Decided but not done: no revoke event in 5 days since.".into(),
        changed: Vec::new(),
        reviewer_is_owner: false,
        until: None,
        overdue: false,
    }
}

fn comparison() -> Comparison {
    let of = |kind, message: &str| FindingChange {
        kind,
        fingerprint: "99".repeat(32),
        detection: "PAT-A003".into(),
        severity: "high".into(),
        org: "contoso".into(),
        subject: ("token".into(), "a7c10009-0000-4000-8000-000000000009".into(), Some(HOSTILE[2].into())),
        owner: Some("zelda@contoso-bank.example".into()),
        message: message.into(),
        why: "It is no longer found.".into(),
        differences: Vec::new(),
        missing: None,
        open: false,
        of_changed_detection: false,
        added: Vec::new(),
    };
    Comparison {
        earlier_as_of: "2026-02-28T10:00:00Z".into(),
        earlier_sha256: ["aa".repeat(32), "bb".repeat(32)],
        notes: vec!["The configuration differs between the two runs.".into()],
        findings: vec![of(Kind::Resolved, "a token of contoso-bank, <b>long gone</b>, was used")],
        findings_same: 3,
        findings_again: 1,
        tokens: vec![TokenChange {
            kind: Kind::Changed,
            org: "contoso".into(),
            token_id: "a7c10009-0000-4000-8000-000000000009".into(),
            name: Some(HOSTILE[1].into()),
            owner: Some("zelda@contoso-bank.example".into()),
            differences: vec![Difference {
                field: "owner".into(),
                before: "Zelda Before".into(),
                after: "zelda@contoso-bank.example".into(),
            }],
            why: String::new(),
            missing: None,
            needs: Some("ask the owner".into()),
            eased: false,
        }],
        tokens_same: 9,
    }
}

/// Adds tokens until there are `n`.
pub fn grow(report: &mut Report, n: usize) {
    for i in report.tokens.len()..n {
        let mut t = token(i, &ROWS[i % ROWS.len()], "contoso");
        t.token.name = Some(format!("{} {i}", ROWS[i % ROWS.len()].0));
        report.tokens.push(t);
    }
}

/// Two charts, one of them hostile.
pub fn charts() -> Vec<ChartFile> {
    let bars: String = (0..30)
        .map(|i| {
            format!(
                r##"<rect x="{}" y="{}" width="14" height="{}" fill="#3b6ea5"/>"##,
                20 + i * 20,
                180 - i * 5,
                20 + i * 5
            )
        })
        .collect();
    let svg = format!(
        r#"<svg width="640" height="220" viewBox="0 0 640 220" xmlns="http://www.w3.org/2000/svg">{bars}<text x="20" y="20" font-size="14">events a day</text></svg>"#
    );
    vec![
        ChartFile {
            name: "activity".into(),
            caption: "Events a day by mechanism; gaps shaded".into(),
            png: vec![1, 2],
            svg: svg.clone(),
        },
        ChartFile {
            name: "hostile".into(),
            caption: "A chart <b>with</b> script".into(),
            png: vec![],
            svg: svg.replace("</svg>", "<script>alert(1)</script></svg>"),
        },
    ]
}
