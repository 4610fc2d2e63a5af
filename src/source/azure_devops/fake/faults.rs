//! How the fake fails: by chance, as networks and busy services do, or always, as a missing right does.
//!
//! Source of statuses, headers and bodies: facts, section 8.

use super::super::error::Purpose;
use super::FakeOptions;
use super::http::{Delivery, Response};
use serde_json::json;

/// A failure by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// 429 with `Retry-After` and TF400733.
    Throttled,
    /// 200, late, with `Retry-After`.
    Delayed,
    /// 503.
    Unavailable,
    /// 502 with an HTML page of some proxy.
    BadGateway,
    /// The connection is reset in the middle of the body.
    Reset,
    /// The connection is closed before the announced length.
    Truncated,
    /// A body of unannounced length ends too early.
    CutSilently,
    /// The body trickles.
    Slow,
    /// 302 to a sign-in page.
    SignInRedirect,
    /// 203 with a sign-in page.
    SignInPage,
}

impl FaultKind {
    /// Those that pass.
    pub const TRANSIENT: [Self; 8] = [
        Self::Throttled,
        Self::Delayed,
        Self::Unavailable,
        Self::BadGateway,
        Self::Reset,
        Self::Truncated,
        Self::CutSilently,
        Self::Slow,
    ];

    /// Spoils a good answer.
    pub(super) fn spoil(self, good: Response, options: &FakeOptions) -> Response {
        match self {
            Self::Throttled => throttled(options),
            Self::Delayed => good
                .header("Retry-After", options.retry_after.to_string())
                .header("X-RateLimit-Delay", format!("{:.3}", options.retry_after)),
            Self::Unavailable => Refusal::Unavailable.response(Purpose::Audit, options),
            Self::BadGateway => Response::html(502, "<html><body>502 Bad Gateway</body></html>"),
            Self::Reset => good.by(Delivery::Reset),
            Self::Truncated => good.by(Delivery::Truncated),
            Self::CutSilently => good.by(Delivery::CutSilently),
            Self::Slow => good.by(Delivery::Slow),
            Self::SignInRedirect => Refusal::SignInRedirect.response(Purpose::Audit, options),
            Self::SignInPage => Refusal::SignInPage.response(Purpose::Audit, options),
        }
    }
}

/// An answer that a call always gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 401.
    Unauthorized,
    /// 401 with TF400813.
    NotAMember,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 302 to a sign-in page.
    SignInRedirect,
    /// 203 with a sign-in page.
    SignInPage,
    /// 200 with HTML.
    Html,
    /// 429 with TF400733.
    Throttled,
    /// 503.
    Unavailable,
    /// 400.
    BadRequest,
    /// 200 with JSON of another shape.
    OtherShape,
}

impl Refusal {
    pub(super) fn response(self, purpose: Purpose, options: &FakeOptions) -> Response {
        const PAGE: &str = "<!DOCTYPE html><html><head><title>Sign In</title></head><body>Sign in to your account</body></html>";
        let permission = match purpose {
            Purpose::Audit => "TF401444: the identity needs the permission View audit log.",
            _ => "TF50309: the identity does not have the required permissions.",
        };
        match self {
            Self::Unauthorized => Response { status: 401, ..Response::html(401, "") }
                .header("WWW-Authenticate", "Bearer, Basic realm=\"fake\"".to_owned()),
            Self::NotAMember => error(
                401,
                "TF400813: The user 'aaaaaaaa-0000-0000-0000-000000000000' is not authorized to access this resource.",
            ),
            Self::Forbidden => error(403, permission),
            Self::NotFound => error(
                404,
                "VS800075: The resource cannot be found, or you do not have permission to access it.",
            ),
            Self::SignInRedirect => Response::html(302, "<html><body>Object moved</body></html>").header(
                "Location",
                "https://spsprodweu1.vssps.visualstudio.com/_signin?realm=fake&reply_to=https%3A%2F%2Ffake"
                    .to_owned(),
            ),
            Self::SignInPage => Response::html(203, PAGE),
            Self::Html => Response::html(200, PAGE),
            Self::Throttled => throttled(options),
            Self::Unavailable => error(503, "The service is unavailable."),
            Self::BadRequest => error(400, "VS403357: the request is not understood."),
            Self::OtherShape => Response::json(200, &json!({ "records": { "moved": true } })),
        }
    }
}

fn throttled(options: &FakeOptions) -> Response {
    let text = "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource \
                'Concurrency' in namespace 'User'.";
    error(429, text)
        .header("Retry-After", options.retry_after.to_string())
        .header("X-RateLimit-Resource", "fake/Concurrency".to_owned())
        .header("X-RateLimit-Limit", "200".to_owned())
        .header("X-RateLimit-Remaining", "0".to_owned())
}

/// An error body as the services write it.
pub(super) fn error(status: u16, message: &str) -> Response {
    Response::json(
        status,
        &json!({
            "$id": "1",
            "innerException": null,
            "message": message,
            "typeName": "Fake.Exception, Fake",
            "typeKey": "FakeException",
            "errorCode": 0,
            "eventId": 3000,
        }),
    )
}
