//! A made-up report for the tests of this folder: every verdict, every advice, and names that attack.

use super::bundle::ChartFile;
use crate::model::coverage::{Basis, Coverage, Gap};
use crate::model::finding::{
    Confidence, DetectionMeta, Family, Finding, NotRun, Severity, Subject, SubjectKind, Suppression,
};
use crate::model::policy::Policy;
use crate::model::time::{DAY, HOUR, Micros, Span, Window, day_of, parse_time};
use crate::model::token::{Grant, KnownFrom, LifeEvent, OwnerState, Token, TokenState};
use crate::model::verdict::{
    Action, Advice, RiskPart, ScopeState, ScopeVerdict, UseState, UseVerdict, Verdicts, Visibility,
};
use crate::report::series::Series;
use crate::report::{Activity, Input, Population, Report, TokenReport, Unattributed};
use serde_json::json;

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

/// A row of the sample: name, owner, state, verdict, advice with reason, risk.
type Row = (&'static str, &'static str, TokenState, UseState, Action, &'static str, f64);

const ROWS: &[Row] = &[
    (
        "release-agent",
        "ana.ruiz@contoso.example",
        TokenState::Active,
        UseState::Observed,
        Action::Revoke,
        "used after it was revoked on 2026-03-12",
        96.0,
    ),
    (
        "old laptop",
        "removed.user@contoso.example",
        TokenState::Active,
        UseState::NotObserved,
        Action::Revoke,
        "owner removed on 2026-02-02; the token is valid until 2026-12-01",
        88.0,
    ),
    (
        "wiki-export",
        "ben.osei@contoso.example",
        TokenState::Active,
        UseState::RuledOut,
        Action::Revoke,
        "unused: no PAT call by ben.osei@contoso.example in the Usage records of contoso, 2026-01-01 to 2026-03-31",
        61.0,
    ),
    (
        "terraform-prod",
        "carla.neri@contoso.example",
        TokenState::Active,
        UseState::Observed,
        Action::Reduce,
        "vso.graph_manage would have been seen and was not, in 84 covered days",
        58.0,
    ),
    (
        "build-cache",
        "dev.patel@contoso.example",
        TokenState::Active,
        UseState::NotObserved,
        Action::AskOwner,
        "no audited change in 84 covered days; vso.packaging and vso.code would not have been seen",
        44.0,
    ),
    (
        "nightly-sync",
        "eva.lind@contoso.example",
        TokenState::Active,
        UseState::Possible,
        Action::AskOwner,
        "usage records show the owner calling with a PAT of this class; 3 tokens share it",
        37.0,
    ),
    (
        "new-starter",
        "finn.moore@contoso.example",
        TokenState::Active,
        UseState::NotJudged,
        Action::Watch,
        "12 covered days are fewer than 30",
        21.0,
    ),
    (
        "legacy",
        "gil.adams@contoso.example",
        TokenState::Expired,
        UseState::NotObserved,
        Action::None,
        "",
        5.0,
    ),
];

fn token(i: usize, row: &Row, org: &str) -> TokenReport {
    let (name, owner, state, verdict, action, reason, risk) = *row;
    let as_of = as_of();
    let observed = verdict == UseState::Observed;
    let scopes: Vec<String> =
        ["vso.build_execute", "vso.code", "vso.graph_manage"].iter().map(|s| (*s).to_owned()).collect();
    let ids: Vec<String> = (0..7).map(|n| format!("00000000-0000-4000-8000-{i:06}{n:06}")).collect();
    let scope = |scope: &str, state, visibility| ScopeVerdict {
        scope: scope.to_owned(),
        state,
        visibility,
        confidence: Confidence::Medium,
        event_ids: if state == ScopeState::Used { ids.clone() } else { Vec::new() },
        unseen_operations: if visibility == Visibility::Full {
            Vec::new()
        } else {
            vec!["Git pull and clone".to_owned(), "Pull Requests: list".to_owned()]
        },
        actions: if state == ScopeState::Used {
            vec![("Pipelines.PipelineModified".to_owned(), 41), ("Pipelines.PipelineCreated".to_owned(), 3)]
        } else {
            Vec::new()
        },
    };
    let life = vec![
        LifeEvent {
            time: as_of - 300 * DAY,
            event_id: format!("11111111-0000-4000-8000-{i:012}"),
            action: "Token.PatCreateEvent".to_owned(),
            text: format!("created as {name}, valid until 2026-12-01"),
            actor: owner.to_owned(),
            network: "203.0.113.0/24".to_owned(),
            client: "browser".to_owned(),
        },
        LifeEvent {
            time: as_of - 40 * DAY,
            event_id: format!("11111111-0000-4000-9000-{i:012}"),
            action: "Token.PatUpdateEvent".to_owned(),
            text: "extended or regenerated: the log does not tell".to_owned(),
            actor: owner.to_owned(),
            network: "198.51.100.0/24".to_owned(),
            client: "az devops CLI".to_owned(),
        },
    ];
    let activity = if observed {
        let days = (0..84)
            .filter(|d| (d + i as i32) % 7 < 5)
            .map(|d| (day_of(as_of) - 83 + d, (d as u64 * 7 + i as u64 * 3) % 23 + 1));
        Activity {
            per_day: days.collect(),
            actions: vec![
                ("Pipelines.PipelineModified".into(), 1041),
                ("Git.RefUpdatePoliciesBypassed".into(), 3),
            ],
            networks: vec![("203.0.113.0/24".into(), 1000), ("2001:db8:12::/48".into(), 44)],
            clients: vec![("Terraform provider".into(), 1000), ("curl".into(), 44)],
            projects: vec![("Payments".into(), 900), (HOSTILE[3].into(), 144)],
            hours: (0..168).map(|h| if h % 24 > 7 && h % 24 < 18 { 6 } else { 0 }).collect(),
        }
    } else {
        Activity::default()
    };
    let used = if observed { ScopeState::Used } else { ScopeState::NotSeen };
    TokenReport {
        token: Token {
            org: org.to_owned(),
            token_id: format!("a7c1{i:04x}-0000-4000-8000-00000000{i:04x}"),
            name: Some(name.to_owned()),
            owner: Some(owner.to_owned()),
            owner_id: Some(format!("b0000000-0000-4000-8000-00000000{i:04x}")),
            owner_state: if owner.starts_with("removed") { OwnerState::Removed } else { OwnerState::Active },
            owner_gone_at: owner.starts_with("removed").then(|| as_of - 57 * DAY),
            known_from: vec![KnownFrom::Inventory, KnownFrom::Ledger],
            state,
            scopes: Some(scopes.clone()),
            grants: vec![Grant { since: as_of - 300 * DAY, scopes: Some(scopes.clone()), valid_to: None }],
            all_orgs: Some(i % 3 == 0),
            reaches_unseen_orgs: i % 3 == 0,
            valid_from: Some(as_of - 300 * DAY),
            valid_to: Some(as_of + (i as i64 * 40 - 30) * DAY),
            revoked_at: (i == 0).then(|| as_of - 19 * DAY),
            leaked_at: None,
            life,
        },
        verdicts: Verdicts {
            usage: UseVerdict {
                verdict,
                confidence: Confidence::Medium,
                reason: reason.to_owned(),
                last_observed: observed.then(|| as_of - DAY - 3 * HOUR),
                last_observed_ever: (i % 2 == 0).then(|| as_of - DAY - 3 * HOUR),
                events: if observed { 1044 } else { 0 },
                event_ids: if observed { ids.clone() } else { Vec::new() },
                covered_days: if verdict == UseState::NotJudged { 12 } else { 84 },
            },
            scope: vec![
                scope("vso.build_execute", used, Visibility::Partial),
                scope("vso.code", ScopeState::CannotBeSeen, Visibility::None),
                scope("vso.graph_manage", ScopeState::NotSeen, Visibility::Full),
            ],
            observed_scopes: Some(vec!["vso.build_execute".into()]),
            proposed_scopes: Some(vec!["vso.build_execute".into(), "vso.code".into()]),
            reduced_scopes: Some(vec!["vso.build".into(), "vso.code".into()]),
            advice: Advice { action, reason: reason.to_owned() },
            risk,
            risk_parts: vec![
                RiskPart { points: risk * 0.6, reason: "high-privilege scope vso.graph_manage".into() },
                RiskPart { points: risk * 0.4, reason: "longer life than the policy allows".into() },
            ],
        },
        findings: Vec::new(),
        activity,
    }
}

fn detection(id: &str, slug: &str, family: Family, title: &str, severity: Severity) -> DetectionMeta {
    DetectionMeta {
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
        event_ids: (0..4).map(|i| format!("22222222-0000-4000-8000-{n:06}{i:06}")).collect(),
        fix: d.fix.clone(),
        controls: d.controls.clone(),
        attack: d.attack.clone(),
        suppressed: None,
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
            "release-agent made 14 audited changes after it was revoked on 2026-03-12, the last on 2026-03-30".into()),
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
            },
            Input {
                name: "inventory.json".into(),
                sha256: "cd".repeat(32),
                kind: "inventory".into(),
                read: 11,
                kept: 8,
                duplicate: 3,
                rejected: 0,
                reasons: Default::default(),
            },
        ],
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
