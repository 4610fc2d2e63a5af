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

/// Answers every request with these bytes and counts the requests.
async fn answering(answer: Vec<u8>) -> (String, Arc<AtomicU32>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listener");
    let address = format!("http://{}", listener.local_addr().expect("address"));
    let requests = Arc::new(AtomicU32::new(0));
    let counted = requests.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            // A client that has heard enough hangs up.
            let _ = stream.write_all(&answer).await;
        }
    });
    (address, requests)
}

#[tokio::test]
async fn an_answer_that_is_too_large_unpacked_is_refused_at_once() {
    use std::io::Write as _;
    const UNPACKED: usize = 64 << 20;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(br#"{"hasMore":false,"decoratedAuditLogEntries":["#).expect("pack");
    for _ in 0..UNPACKED >> 16 {
        packer.write_all(&[b' '; 1 << 16]).expect("pack");
    }
    packer.write_all(b"]}").expect("pack");
    let packed = packer.finish().expect("pack");
    assert!(packed.len() < 1 << 20);
    let head = |more: &str, length: usize| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        )
    };
    let bomb = [head("Content-Encoding: gzip\r\n", packed.len()).as_bytes(), &packed].concat();
    // Announced and never sent.
    let announced = head("", UNPACKED).into_bytes();
    for answer in [bomb, announced] {
        let (address, requests) = answering(answer).await;
        let mut settings = Settings::new(Arc::new(TestTimer::default()), Arc::new(Log::default()));
        assert!(settings.largest_body > 140 << 20, "a hundred thousand events fit");
        settings.largest_body = 8 << 20;
        let auth = Auth::Pat(SecretString::from(secret_pat()));
        let client =
            Client::new(auth, Endpoints::all_at(&address).expect("loopback"), settings).expect("client");
        let (outlet, taker) = deliver(Kept::default(), 2);
        let summary =
            read_days(&client, ORG, &day_windows(span(1), 0)[..1], 10, &outlet).await.expect("summary");
        assert!(finish(outlet, taker).await.pages.is_empty());
        let error = &summary.failed[0].1;
        assert!(matches!(error, ApiError::TooLarge { purpose: Purpose::Audit, .. }), "{error}");
        let text = format!("{error}; {}", error.hint());
        assert!(text.contains("larger than 8 MB") && text.contains("--batch-size"), "{text}");
        assert_eq!(requests.load(Ordering::Relaxed), 1, "it is not asked for again");
    }
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
