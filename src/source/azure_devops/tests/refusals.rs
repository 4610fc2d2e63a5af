//! Refusals: what each says, and which of them another credential mends.

use super::*;

/// What a user reads of a refusal: the error and its hint.
async fn told(refusal: Refusal) -> (ApiError, String, usize) {
    let (org, _) = audited(10, 1);
    let options = FakeOptions { refusals: vec![(Purpose::Audit, refusal)], ..FakeOptions::default() };
    let bench = bench(org, options).await;
    let (summary, _) = pull(&bench, 1, 10).await;
    let error = match summary {
        Err(error) => error,
        Ok(mut summary) => summary.failed.remove(0).1,
    };
    let text = format!("{error}; {}", error.hint());
    (error, text, bench.server.requests().len())
}

#[tokio::test]
async fn each_refusal_has_its_own_words() {
    let cases: [(Refusal, &[&str]); 9] = [
        (Refusal::Unauthorized, &["401", "vso.auditlog", "expired"]),
        (Refusal::NotAMember, &["TF400813", "Organization settings > Users"]),
        (Refusal::Forbidden, &["403", "View audit log", "vso.auditlog"]),
        (Refusal::NotFound, &["404", "Microsoft Entra", "Log Audit Events"]),
        (Refusal::SignInRedirect, &["302", "visualstudio.com", "not followed", "expired"]),
        (Refusal::SignInPage, &["203", "sign-in page", "vso.auditlog"]),
        (Refusal::Html, &["200", "sign-in page"]),
        (Refusal::Unavailable, &["503", "20 times", "later"]),
        (Refusal::OtherShape, &["cannot be read", "decoratedAuditLogEntries"]),
    ];
    let mut texts = BTreeSet::new();
    for (refusal, words) in cases {
        let (error, text, requests) = told(refusal).await;
        for word in words {
            assert!(text.contains(word), "{refusal:?}: {text} lacks {word}");
        }
        // A refusal is no matter of trying again.
        if error.is_final() {
            assert_eq!(requests, 1, "{refusal:?}");
        }
        texts.insert(text);
    }
    assert_eq!(texts.len(), 9);
    let (error, text, _) = told(Refusal::BadRequest).await;
    assert!(matches!(error, ApiError::Rejected { status: 400, .. }) && text.contains("VS403357"), "{text}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    // The redirect's target would answer; nothing must ask it.
    let (target, _) = audited(5, 1);
    let target = FakeServer::start(vec![target], FakeOptions::default(), 0).await.expect("target");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listener");
    let address = format!("http://{}", listener.local_addr().expect("address"));
    let location = format!("{}/{ORG}/_apis/audit/auditlog?secret=1", target.url());
    let answering = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = listener.accept().await.expect("accept");
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).await;
        let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.expect("write");
    });
    let settings = Settings::new(Arc::new(TestTimer::default()), Arc::new(Log::default()));
    let auth = Auth::Pat(SecretString::from(secret_pat()));
    let client = Client::new(auth, Endpoints::all_at(&address).expect("loopback"), settings).expect("client");
    let (outlet, taker) = deliver(Kept::default(), 2);
    let error = read_days(&client, ORG, &day_windows(span(1), 0), 10, &outlet).await.expect_err("redirect");
    finish(outlet, taker).await;
    answering.await.expect("answered");
    assert!(matches!(error, ApiError::Redirected { status: 302, .. }));
    assert!(!error.to_string().contains("secret=1"), "{error}");
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn tokens_that_expire_midway_are_renewed() {
    let (org, ids) = audited(300, 3);
    let source = numbered(3_600);
    let options = FakeOptions { audit_page: 20, credential_lasts: Some(5), ..FakeOptions::default() };
    let bench = bench_with(org, options, Auth::Bearer(source.clone())).await;
    let (summary, kept) = pull(&bench, 3, 20).await;
    assert!(summary.expect("pull").failed.is_empty());
    assert_eq!(set(kept.ids()), ids);
    assert!(source.given.load(Ordering::Relaxed) > 2);

    // By their date, before the service refuses them.
    let (org, _) = audited(300, 3);
    let source = numbered(900);
    let options = FakeOptions {
        audit_page: 20,
        fault_rate: 1.0,
        faults: vec![FaultKind::Delayed],
        retry_after: 200.0,
        ..FakeOptions::default()
    };
    let bench = bench_with(org, options, Auth::Bearer(source.clone())).await;
    pull(&bench, 1, 20).await.0.expect("pull");
    assert!(source.given.load(Ordering::Relaxed) >= 2);
    assert!(bench.server.requests().iter().all(|request| request.status == 200));
}

#[tokio::test]
async fn a_pat_that_expires_midway_keeps_what_is_whole() {
    let (org, _) = audited(300, 3);
    let options = FakeOptions { audit_page: 20, credential_lasts: Some(12), ..FakeOptions::default() };
    let bench = bench(org, options).await;
    let (summary, kept) = pull(&bench, 3, 20).await;
    assert!(matches!(summary, Err(ApiError::Unauthorized { purpose: Purpose::Audit, .. })));
    assert!(!kept.days.is_empty());
    assert_eq!(bench.server.requests().len(), 13, "no second try with a dead PAT");
}
