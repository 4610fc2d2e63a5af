//! Nothing secret in anything that can be shown.

use super::*;

/// Everything that could be printed, in every way it can fail, holds no secret.
#[tokio::test]
async fn nothing_secret_is_ever_shown() {
    let pat = secret_pat();
    let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!(":{pat}"));
    let mut shown = String::new();
    let refusals = [
        Refusal::Unauthorized,
        Refusal::NotAMember,
        Refusal::Forbidden,
        Refusal::NotFound,
        Refusal::SignInRedirect,
        Refusal::SignInPage,
        Refusal::Html,
        Refusal::Throttled,
        Refusal::Unavailable,
        Refusal::BadRequest,
        Refusal::OtherShape,
    ];
    for refusal in refusals {
        let purposes =
            [Purpose::Audit, Purpose::Graph, Purpose::TokenAdmin, Purpose::Entitlements, Purpose::Usage];
        for auth in [Auth::Pat(SecretString::from(pat.clone())), Auth::Bearer(numbered(3_600))] {
            let options =
                FakeOptions { refusals: purposes.map(|p| (p, refusal)).to_vec(), ..FakeOptions::default() };
            let bench = bench_with(populated(), options, auth.clone()).await;
            let (audit, kept) = pull(&bench, 1, 10).await;
            let (listed, _) = inventory(&bench).await;
            let checks = examine(&bench.client, ORG, time(TODAY)).await;
            shown.push_str(&format!(
                "{auth:?} {audit:?} {listed:?} {checks:?} {:?} {:?}",
                kept.days, bench.client
            ));
            if let Err(error) = &audit {
                shown.push_str(&format!("{error} {}", error.hint()));
            }
            shown.push_str(&bench.log.0.lock().expect("log").join("\n"));
        }
    }
    // No server at all.
    let bench = bench(populated(), FakeOptions::default()).await;
    let Bench { server, client, timer, log } = bench;
    drop(server);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let (outlet, taker) = deliver(Kept::default(), 1);
    let outcome = read_days(&client, ORG, &day_windows(span(1), 0), 10, &outlet).await;
    finish(outlet, taker).await;
    let text = format!("{outcome:?} {:?} {:?}", timer.sleeps(), log.0.lock().expect("log"));
    assert!(text.contains("Unreachable"), "{text}");
    shown.push_str(&text);
    assert!(shown.len() > 5_000);
    for secret in [pat.as_str(), &basic, "eyJhbGciOiJub25lIn0"] {
        assert!(!shown.contains(secret));
    }
}

#[tokio::test]
async fn a_server_that_echoes_the_credential_is_not_echoed() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listener");
    let address = format!("http://{}", listener.local_addr().expect("address"));
    let short = "hunter22";
    let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!(":{short}"));
    let body = json!({ "message": format!("PAT {short} sent as Basic {basic} is refused") }).to_string();
    let answering = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = listener.accept().await.expect("accept");
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).await;
        let answer = format!(
            "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.expect("write");
    });
    let settings = Settings::new(Arc::new(TestTimer::default()), Arc::new(Log::default()));
    let auth = Auth::Pat(SecretString::from(short));
    let client = Client::new(auth, Endpoints::all_at(&address).expect("loopback"), settings).expect("client");
    let (outlet, taker) = deliver(Kept::default(), 2);
    let error = read_days(&client, ORG, &day_windows(span(1), 0), 10, &outlet).await.expect_err("refused");
    finish(outlet, taker).await;
    answering.await.expect("answered");
    let text = format!("{error} {error:?}");
    assert!(text.contains("is refused") && !text.contains(short) && !text.contains(&basic), "{text}");
}
