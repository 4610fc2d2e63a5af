//! What an answer means: data, a refusal that no repetition mends, or trouble that may pass.
//!
//! In: status, headers and the service's own words. Out: nothing where it is data, else a [`Failure`].

use super::error::{ApiError, Purpose};
use super::redact::redact;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{StatusCode, Url};

/// One try's failure.
pub(super) enum Failure {
    /// Nothing else will help.
    Final(ApiError),
    /// The credential was refused; another one may do. Holds what to say if none does.
    Credential(ApiError),
    Throttled(String),
    Server(u16, String),
    Connect(String),
    Broken(String),
    Wrong(String),
}

/// Returns what is wrong with a good answer that brings no data.
///
/// Source: facts, section 8: a bad credential gives 203, and any other type than JSON is a sign-in page.
pub(super) fn not_data(
    purpose: Purpose,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Option<Failure> {
    let status = status.as_u16();
    let data = status != 203 && is_json(headers, body);
    (!data).then_some(Failure::Credential(ApiError::SignInPage { purpose, status }))
}

/// Returns what a bad answer means; a code in the message tells more than the status.
pub(super) fn refusal(purpose: Purpose, status: StatusCode, headers: &HeaderMap, message: String) -> Failure {
    let status = status.as_u16();
    match status {
        300..=399 => {
            Failure::Credential(ApiError::Redirected { purpose, status, to: redirect_host(headers) })
        }
        _ if message.contains("TF400733") => Failure::Throttled(message),
        429 => Failure::Throttled(message),
        _ if message.contains("TF400813") => Failure::Credential(ApiError::NotAMember { purpose, message }),
        401 => Failure::Credential(ApiError::Unauthorized { purpose, message }),
        403 => Failure::Final(ApiError::Forbidden { purpose, message }),
        404 => Failure::Final(ApiError::NotFound { purpose, message }),
        408 | 500.. => Failure::Server(status, message),
        _ => Failure::Final(ApiError::Rejected { purpose, status, message }),
    }
}

fn is_json(headers: &HeaderMap, body: &[u8]) -> bool {
    match headers.get(CONTENT_TYPE).map(HeaderValue::to_str) {
        Some(Ok(kind)) => kind.to_ascii_lowercase().contains("json"),
        Some(Err(_)) => false,
        None => {
            body.iter().find(|c| !c.is_ascii_whitespace() && c.is_ascii()).is_some_and(|c| b"{[".contains(c))
        }
    }
}

/// Only the host: the rest of a sign-in address holds ids and reply addresses.
fn redirect_host(headers: &HeaderMap) -> String {
    headers
        .get(LOCATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| Url::parse(text).ok())
        .and_then(|url| url.host_str().map(redact))
        .unwrap_or_else(|| "another page".to_owned())
}
