//! A proxy in the environment and addresses on this machine: the program as users run it.

use crate::live::{Fake, event, now, organisation, secret};
use crate::support::Place;
use patwatch::source::azure_devops::fake::FakeOptions;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// A server that keeps the head of every request and gives one answer.
fn recording(answer: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    // It ends with the process of the tests.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), kept, answer) = (stream, Arc::clone(&kept), answer.clone()) else {
                continue;
            };
            std::thread::spawn(move || {
                let mut head = vec![0; 16 << 10];
                let n = stream.read(&mut head).unwrap_or(0);
                kept.lock().expect("heads").push(String::from_utf8_lossy(&head[..n]).into_owned());
                let _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    (url, heads)
}

fn refusing() -> (String, Arc<Mutex<Vec<String>>>) {
    recording("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned())
}

#[test]
fn no_set_of_services_on_this_machine_sends_a_credential_to_the_proxy() {
    let fake = Fake::start(vec![organisation(&[event(1, now())], 1)], FakeOptions::default());
    let (proxy, heads) = refusing();
    let all = fake.variables();
    let (services, pat) = all.split_at(4);
    std::thread::scope(|scope| {
        for set in 1..16_usize {
            let (proxy, heads) = (&proxy, &heads);
            scope.spawn(move || {
                let here = services.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1).map(|(_, v)| *v);
                // Both spellings are followed.
                let names = if set % 2 == 0 {
                    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
                } else {
                    ["http_proxy", "https_proxy", "all_proxy"]
                };
                let variables: Vec<(&str, &str)> =
                    here.chain(pat.iter().copied()).chain(names.map(|name| (name, proxy.as_str()))).collect();
                let place = Place::new();
                let ran = place.run_with(&variables, &["doctor", "--org", "contoso", "--auth", "pat"]);
                let seen = heads.lock().expect("heads").join("\n");
                assert!(!seen.to_lowercase().contains("authorization"), "set {set}: {seen}");
                assert!(!seen.contains("127.0.0.1"), "set {set}: {seen}");
                if set == 15 {
                    assert!(ran.stdout.contains("ok       contoso"), "{}{}", ran.stdout, ran.stderr);
                }
            });
        }
    });
    // Microsoft's hosts were asked through it, as a tunnel.
    let seen = heads.lock().expect("heads").join("\n");
    assert!(seen.contains("CONNECT auditservice.dev.azure.com:443"), "{seen}");
    assert!(!seen.contains(&secret()));
}

#[test]
fn the_endpoint_of_a_managed_identity_is_not_asked_through_the_proxy() {
    let (proxy, heads) = refusing();
    let body = r#"{"access_token":"eyJhbGciOiJub25lIn0.eyJuIjoiMSJ9.c2ln","expires_on":"4102444800","resource":"x","token_type":"Bearer"}"#;
    let (identity, asked) = recording(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ));
    let (services, _) = refusing();
    let variables = [
        ("IDENTITY_ENDPOINT", identity.as_str()),
        ("IDENTITY_HEADER", "header-of-the-machine"),
        ("HTTP_PROXY", proxy.as_str()),
        ("ALL_PROXY", proxy.as_str()),
        ("PATWATCH_AUDIT_URL", services.as_str()),
        ("PATWATCH_VSSPS_URL", services.as_str()),
        ("PATWATCH_VSAEX_URL", services.as_str()),
        ("PATWATCH_DEV_URL", services.as_str()),
    ];
    let place = Place::new();
    let ran = place.run_with(&variables, &["doctor", "--org", "contoso", "--auth", "managed-identity"]);
    let asked = asked.lock().expect("heads").join("\n");
    assert!(asked.contains("header-of-the-machine"), "{asked}{}{}", ran.stdout, ran.stderr);
    assert_eq!(*heads.lock().expect("heads"), Vec::<String>::new());
}
