//! Just enough HTTP/1.1: requests without a body in, answers out, whole or broken on purpose.

use super::{SeenRequest, Shared, locked, services};
use chrono::{DateTime, Utc};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const LONGEST_HEAD: usize = 64 * 1024;

/// A request's head.
pub(super) struct Request {
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// How a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    Whole,
    Reset,
    Truncated,
    CutSilently,
    Slow,
}

/// An answer.
pub(super) struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub delivery: Delivery,
}

impl Response {
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::json_bytes(status, body.to_string().into_bytes())
    }

    pub fn json_bytes(status: u16, body: Vec<u8>) -> Self {
        let kind = "application/json; charset=utf-8; api-version=7.1".to_owned();
        Self { status, headers: vec![("Content-Type", kind)], body, delivery: Delivery::Whole }
    }

    pub fn html(status: u16, body: &str) -> Self {
        let kind = "text/html; charset=utf-8".to_owned();
        Self {
            status,
            headers: vec![("Content-Type", kind)],
            body: body.as_bytes().to_vec(),
            delivery: Delivery::Whole,
        }
    }

    pub fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn by(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }
}

/// Serves connections until the task is aborted.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with the server, or a dropped fake would go on answering.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let shared = shared.clone();
                    connections.spawn(async move {
                        // A client that goes away is nobody's error here.
                        drop(serve(stream, &shared).await);
                    });
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await? {
        let started = tokio::time::Instant::now();
        let at_once = shared.at_once.fetch_add(1, Ordering::Relaxed) + 1;
        shared.most_at_once.fetch_max(at_once, Ordering::Relaxed);
        let response = answer(&request, shared).await;
        let delivery = response.delivery;
        let Request { path, query, mut headers } = request;
        headers.retain(|(name, _)| name != "authorization");
        locked(&shared.seen).push(SeenRequest { path, query, headers, status: response.status });
        // Before sending, since the client may ask again before the last write returns.
        shared.at_once.fetch_sub(1, Ordering::Relaxed);
        let sent = send(&mut stream, response, shared).await;
        let busy = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        shared.busy.fetch_add(busy, Ordering::Relaxed);
        sent?;
        match delivery {
            Delivery::Whole | Delivery::Slow => {}
            Delivery::Reset => return stream.set_zero_linger(),
            Delivery::Truncated | Delivery::CutSilently => return stream.shutdown().await,
        }
    }
    Ok(())
}

async fn answer(request: &Request, shared: &Shared) -> Response {
    let options = &shared.options;
    tokio::time::sleep(options.latency).await;
    let good = services::answer(request, shared);
    if good.status == 200 && !options.faults.is_empty() && shared.chance(options.fault_rate) {
        shared.faults.fetch_add(1, Ordering::Relaxed);
        return options.faults[shared.below(options.faults.len())].spoil(good, options);
    }
    good
}

async fn send(stream: &mut TcpStream, response: Response, shared: &Shared) -> io::Result<()> {
    let Response { status, headers, body, delivery } = response;
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    for (name, value) in &headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(date) =
        shared.options.clock.and_then(|clock| DateTime::<Utc>::from_timestamp_micros(clock.now()))
    {
        head.push_str(&format!("Date: {}\r\n", date.format("%a, %d %b %Y %H:%M:%S GMT")));
    }
    if delivery == Delivery::CutSilently {
        head.push_str("Connection: close\r\n\r\n");
    } else {
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    }
    stream.write_all(head.as_bytes()).await?;
    match delivery {
        Delivery::Whole => stream.write_all(&body).await?,
        Delivery::Slow => {
            for piece in body.chunks((body.len() / 4).max(1)) {
                stream.write_all(piece).await?;
                stream.flush().await?;
                tokio::time::sleep(shared.options.slow_piece).await;
            }
        }
        Delivery::Reset | Delivery::Truncated | Delivery::CutSilently => {
            stream.write_all(&body[..body.len() / 2]).await?;
        }
    }
    stream.flush().await
}

/// Reads one request; nothing when the client has closed the connection.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if buffer.len() > LONGEST_HEAD || stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let target = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or("/");
    let url =
        reqwest::Url::parse("http://fake").and_then(|base| base.join(target)).map_err(io::Error::other)?;
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    Ok(Some(Request {
        path: decode(url.path()),
        query: url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
    }))
}

const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        203 => "Non-Authoritative Information",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Other",
    }
}
