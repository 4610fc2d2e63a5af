//! Loopback never goes through a proxy, whichever of the four services are on this machine.

use super::super::client::Request;
use super::super::endpoints::Service;
use super::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A proxy that keeps the head of every request, and passes none on.
async fn recording_proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listener");
    let address = format!("http://{}", listener.local_addr().expect("address"));
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let kept = Arc::clone(&kept);
            tokio::spawn(async move {
                let mut head = vec![0; 16 << 10];
                let n = stream.read(&mut head).await.unwrap_or(0);
                kept.lock().expect("heads").push(String::from_utf8_lossy(&head[..n]).into_owned());
                let answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                let _ = stream.write_all(answer).await;
            });
        }
    });
    (address, heads)
}

#[tokio::test]
async fn a_proxy_sees_nothing_that_is_sent_to_loopback() {
    let pat = secret_pat();
    let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!(":{pat}"));
    let (proxy, heads) = recording_proxy().await;
    for set in 1_u8..16 {
        let server = FakeServer::start(vec![populated()], FakeOptions::default(), 0).await.expect("server");
        let port = server.url().rsplit_once(':').expect("a port").1.to_owned();
        let hosts = ["127.0.0.1", "localhost"];
        let here = |service: Service| set >> (service as u8) & 1 == 1;
        let endpoints = Endpoints::new(|service| {
            here(service).then(|| format!("http://{}:{port}", hosts[usize::from(set) % hosts.len()]))
        })
        .expect("endpoints");
        let settings = Settings {
            retry: RetryPolicy::for_probes(),
            ..Settings::new(Arc::new(TestTimer::default()), Arc::new(Log::default()))
        };
        let auth = Auth::Pat(SecretString::from(pat.clone()));
        let client = Client::with_proxies(auth, endpoints, settings, |builder| {
            builder.proxy(reqwest::Proxy::all(&proxy).expect("a proxy"))
        })
        .expect("client");
        for service in Service::ALL {
            heads.lock().expect("heads").clear();
            let before = server.requests().len();
            let request = Request {
                purpose: Purpose::Audit,
                service,
                org: ORG,
                path: &["graph", "users"],
                query: &[("api-version", "7.1")],
            };
            let _ = client.get(&request, |_| Ok(())).await;
            let seen = heads.lock().expect("heads").join("\n");
            assert!(
                !seen.to_lowercase().contains("authorization") && !seen.contains(&basic),
                "set {set}: {seen}"
            );
            assert_eq!(seen.is_empty(), here(service), "set {set}, {service:?}: {seen}");
            assert_eq!(server.requests().len() > before, here(service), "set {set}, {service:?}");
        }
    }
}
