//! Users, tokens, entitlements, usage, and the doctor that tries them.

use super::*;
use crate::source::azure_devops::doctor::Check;

#[tokio::test]
async fn the_inventory_counts_everybody() {
    for fault_rate in [0.0, 0.3] {
        let options = FakeOptions { list_page: 2, fault_rate, ..FakeOptions::default() };
        let bench = bench(populated(), options).await;
        let (summary, kept) = inventory(&bench).await;
        let summary = summary.expect("inventory");
        assert!(summary.complete && !summary.own_only && summary.reason.is_none());
        assert_eq!((summary.users, summary.service_principals), (8, 1));
        assert_eq!((summary.users_listed, summary.users_failed), (8, 0));
        // 0 to 6 tokens and 1; the fourth of each user is an OAuth authorisation, the fifth an SSH key.
        assert_eq!((summary.tokens, summary.not_pats), (17, 5));
        let of_six: Vec<_> = kept
            .pages
            .iter()
            .filter(|page| page.subject.as_deref() == Some("aad.user6"))
            .map(|p| p.number)
            .collect();
        assert_eq!(of_six, [1, 2, 3]);
        assert!(!bench.server.requests().iter().any(|request| request.path.contains("aadsp.")));
    }
}

#[tokio::test]
async fn lists_whose_pages_bring_nothing_new_end_with_a_reason() {
    let mut org = populated();
    org.usage = Some(vec![json!({ "vsid": "key1", "count": 1 })]);
    let bench = bench(org, FakeOptions { endless: true, list_page: 2, ..FakeOptions::default() }).await;
    let (outlet, taker) = deliver(Kept::default(), 2);
    let asked = async {
        let inventory = read_inventory(&bench.client, ORG, &outlet).await.map(drop);
        let entitlements = read_entitlements(&bench.client, ORG, &outlet).await.map(drop);
        let usage = read_usage(&bench.client, ORG, &["key1".to_owned()], span(1), &outlet).await;
        (inventory, entitlements, usage)
    };
    let asked = tokio::time::timeout(Duration::from_secs(60), asked);
    let (inventory, entitlements, usage) = asked.await.expect("the lists end");
    finish(outlet, taker).await;
    for (error, what) in [(inventory, "the users (Graph)"), (entitlements, "the user entitlements")] {
        let error = error.expect_err("no end");
        let text = format!("{error}; {}", error.hint());
        assert!(matches!(error, ApiError::EndlessPages { .. }) && text.starts_with(what), "{text}");
        assert!(text.contains("no new row") && text.contains("--keep-raw"), "{text}");
    }
    let warning = usage.expect("best effort").warning.expect("a warning");
    assert!(warning.contains("no new row"), "{warning}");
}

#[tokio::test]
async fn users_that_are_gone_do_not_make_it_partial() {
    let mut org = populated();
    org.users[2].row["isDeletedInOrigin"] = json!(true);
    let gone = org.users[2].row["descriptor"].clone();
    org.users[3].row["descriptor"] = json!("svc.build");
    let bench = bench(org, FakeOptions::default()).await;
    let (summary, _) = inventory(&bench).await;
    assert!(summary.expect("inventory").complete, "{gone} is listed after all");
}

#[tokio::test]
async fn without_the_right_to_list_all_a_person_gets_the_own_tokens() {
    let refusals = vec![(Purpose::TokenAdmin, Refusal::Forbidden)];
    let options = FakeOptions { refusals, list_page: 2, ..FakeOptions::default() };
    let bench = bench_with(populated(), options.clone(), Auth::Bearer(numbered(3_600))).await;
    let (summary, kept) = inventory(&bench).await;
    let summary = summary.expect("own tokens");
    assert!(summary.own_only && !summary.complete);
    assert_eq!((summary.tokens, summary.users), (5, 8));
    assert!(matches!(summary.reason, Some(ApiError::Forbidden { purpose: Purpose::TokenAdmin, .. })));
    assert_eq!(kept.pages.iter().filter(|page| page.kind == PageKind::OwnTokens).count(), 3);

    // A PAT cannot ask for its owner's tokens.
    let bench = self::bench(populated(), options).await;
    let (summary, _) = inventory(&bench).await;
    let error = summary.expect_err("forbidden");
    assert!(error.hint().contains("Project Collection Administrators"), "{}", error.hint());
}

#[tokio::test]
async fn entitlements_and_usage() {
    let mut org = populated();
    org.usage = Some((0..5).map(|n| json!({ "vsid": format!("key{}", n % 2), "count": 1 })).collect());
    let options = FakeOptions { list_page: 2, ..FakeOptions::default() };
    let bench = bench(org, options.clone()).await;
    let (outlet, taker) = deliver(Kept::default(), 2);
    let users = read_entitlements(&bench.client, ORG, &outlet).await.expect("entitlements");
    assert_eq!((users.user_ids.len(), users.pages), (9, 5));
    let usage = read_usage(&bench.client, ORG, &users.user_ids, span(28), &outlet).await.expect("usage");
    assert!(usage.is_complete());
    assert_eq!((usage.records, usage.users_read), (5, 9));
    let kept = finish(outlet, taker).await;
    let page = kept.pages.iter().find(|page| page.kind == PageKind::Usage).expect("usage page");
    assert_eq!((page.subject.as_deref(), page.span), (Some("key0"), Some(span(28))));

    // Gone, closed or of another shape: a warning, after a few users.
    for refusal in [Refusal::NotFound, Refusal::Forbidden, Refusal::OtherShape] {
        let refusals = vec![(Purpose::Usage, refusal)];
        let bench = self::bench(populated(), FakeOptions { refusals, ..options.clone() }).await;
        let (outlet, taker) = deliver(Kept::default(), 2);
        let usage =
            read_usage(&bench.client, ORG, &users.user_ids, span(28), &outlet).await.expect("best effort");
        finish(outlet, taker).await;
        assert_eq!((usage.users_read, usage.users_failed), (0, 9));
        assert!(usage.warning.is_some_and(|text| text.contains("best effort")));
        assert_eq!(bench.server.requests().iter().filter(|r| r.path.contains("usagesummary")).count() % 3, 0);
    }
}

#[tokio::test]
async fn one_user_without_usage_records_does_not_stop_the_others() {
    let mut org = populated();
    org.usage = Some((0..9).map(|n| json!({ "vsid": format!("key{n}"), "count": 1 })).collect());
    let bench = bench(org, FakeOptions::default()).await;
    // The fake takes no such id for a value of the query.
    let users: Vec<String> = ["key0", "refused", "key2", "key3"].map(str::to_owned).to_vec();
    let (outlet, taker) = deliver(Kept::default(), 2);
    let usage = read_usage(&bench.client, ORG, &users, span(28), &outlet).await.expect("usage");
    finish(outlet, taker).await;
    assert_eq!((usage.records, usage.users_read, usage.users_failed), (3, 3, 1));
    assert!(!usage.is_complete());
    assert!(usage.warning.is_some_and(|text| text.contains("1 of 4 users")));
}

#[tokio::test]
async fn the_doctor_names_what_is_missing() {
    use CheckState::{Missing, Ok, Unknown};
    let states = |checks: &[Check]| -> Vec<(&'static str, CheckState)> {
        checks.iter().map(|check| (check.name, check.state)).collect()
    };
    let (org, _) = audited(10, 1);
    let org = FakeOrganisation { events: org.events, ..populated() };
    let bench = bench(org, FakeOptions::default()).await;
    let checks = examine(&bench.client, ORG, time(TODAY)).await;
    assert!(checks.iter().all(|check| check.state == Ok && check.mend.is_none()), "{checks:?}");
    assert_eq!(checks.len(), 6);

    // Signed in, but without rights; and nothing in the log.
    let refusals =
        vec![(Purpose::TokenAdmin, Refusal::Unauthorized), (Purpose::Entitlements, Refusal::Forbidden)];
    let bench = self::bench(populated(), FakeOptions { refusals, ..FakeOptions::default() }).await;
    let checks = examine(&bench.client, ORG, time(TODAY)).await;
    assert_eq!(
        states(&checks),
        [
            ("sign-in", Ok),
            ("audit log", Ok),
            ("auditing", Missing),
            ("users (Graph)", Ok),
            ("token administration", Missing),
            ("user entitlements", Missing),
        ]
    );
    assert!(checks[4].mend.as_ref().is_some_and(|mend| mend.contains("vso.tokenadministration")));

    // A dead credential.
    let bench =
        self::bench(populated(), FakeOptions { pats: vec!["other".to_owned()], ..FakeOptions::default() })
            .await;
    let checks = examine(&bench.client, ORG, time(TODAY)).await;
    // One cause is one check.
    assert_eq!(states(&checks), [("sign-in", Missing)]);
    let affected = ["audit log", "auditing", "users (Graph)", "token administration", "user entitlements"];
    assert_eq!(checks[0].affects, affected);
    assert!(checks[0].needed);

    // A scope that one service misses is a cause of its own, and what depends on it is named with it.
    let refusals =
        vec![(Purpose::Graph, Refusal::Unauthorized), (Purpose::Entitlements, Refusal::Unauthorized)];
    let bench = self::bench(populated(), FakeOptions { refusals, ..FakeOptions::default() }).await;
    let checks = examine(&bench.client, ORG, time(TODAY)).await;
    let missing: Vec<&str> = checks.iter().filter(|c| c.state == Missing).map(|c| c.name).collect();
    assert_eq!(missing, ["auditing", "users (Graph)", "user entitlements"]);
    assert!(checks.iter().any(|c| c.name == "token administration" && c.state == Unknown));
}
