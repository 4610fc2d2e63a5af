//! The four services' answers: audit log, Graph, token administration, own tokens, entitlements, usage.

use super::super::error::Purpose;
use super::events::id_of;
use super::faults::{Refusal, error};
use super::http::{Request, Response};
use super::{Envelope, FakeOrganisation, Shared, locked};
use crate::model::time::{Micros, parse_time};
use base64::Engine as _;
use rand::seq::SliceRandom as _;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

const USER_ID: &str = "queryCriteria[userId]";

/// A user whose usage records nobody gets.
const REFUSED: &str = "refused";

/// What page tokens begin with; the position follows.
const PAGE_TOKEN: &str = "5f3a7c10-0000-4000-8000-";

/// Answers a request, before any chance of failure.
pub(super) fn answer(request: &Request, shared: &Shared) -> Response {
    let options = &shared.options;
    let path: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    let (org, purpose) = match path.as_slice() {
        [org, "_apis", "audit", "auditlog"] => (*org, Purpose::Audit),
        [org, "_apis", "graph", "users"] => (*org, Purpose::Graph),
        [org, "_apis", "tokenadmin", "personalaccesstokens", _] => (*org, Purpose::TokenAdmin),
        [org, "_apis", "tokens", "pats"] => (*org, Purpose::OwnTokens),
        [org, "_apis", "userentitlements"] => (*org, Purpose::Entitlements),
        [org, "_apis", "utilization", "usagesummary"] => (*org, Purpose::Usage),
        _ => return error(404, &format!("nothing of the fake is at {}", request.path)),
    };
    if !let_in(request, shared) {
        // As the real services do for a browserless client that asks for it, and for one that does not.
        let asked =
            request.header("x-tfs-fedauthredirect").is_some_and(|v| v.eq_ignore_ascii_case("suppress"));
        return if asked { Refusal::Unauthorized } else { Refusal::SignInPage }.response(purpose, options);
    }
    if let Some((_, refusal)) = options.refusals.iter().find(|(p, _)| *p == purpose) {
        return refusal.response(purpose, options);
    }
    let Some(org) = shared.organisations.iter().find(|o| o.name.eq_ignore_ascii_case(org)) else {
        return Refusal::NotFound.response(purpose, options);
    };
    match purpose {
        Purpose::Audit => audit(request, org, shared),
        Purpose::Graph => {
            let rows: Vec<&Value> = org.users.iter().map(|user| &user.row).collect();
            let (rows, next) = page(&rows, request, shared);
            with_token(Response::json(200, &json!({ "count": rows.len(), "value": rows })), next)
        }
        Purpose::TokenAdmin => {
            let descriptor = path.last().copied().unwrap_or_default();
            match org.users.iter().find(|user| user.row["descriptor"] == descriptor) {
                Some(user) => {
                    let (rows, next) = page(&user.tokens, request, shared);
                    Response::json(200, &json!({ "value": rows, "continuationToken": next }))
                }
                None => Refusal::NotFound.response(purpose, options),
            }
        }
        Purpose::OwnTokens => {
            if request.header("authorization").is_some_and(|v| v.starts_with("Basic")) {
                return Refusal::Unauthorized.response(purpose, options);
            }
            let (rows, next) = page(&org.own_tokens, request, shared);
            Response::json(200, &json!({ "continuationToken": next.unwrap_or_default(), "patTokens": rows }))
        }
        Purpose::Entitlements => {
            let (rows, next) = page(&org.entitlements, request, shared);
            let total = org.entitlements.len();
            Response::json(
                200,
                &json!({ "members": rows, "continuationToken": next, "totalCount": total, "items": rows }),
            )
        }
        Purpose::Usage => {
            let Some(usage) = &org.usage else { return Refusal::NotFound.response(purpose, options) };
            let user = request.query(USER_ID).unwrap_or_default();
            if user == REFUSED {
                return error(400, "the user is not known");
            }
            let time = |name: &str| request.query(&format!("queryCriteria[{name}]")).and_then(parse_time);
            let (from, to) = (time("startTime"), time("endTime"));
            let within = |row: &Value| {
                let start = row["startTime"].as_str().and_then(parse_time);
                start.is_none_or(|s| from.is_none_or(|from| from <= s) && to.is_none_or(|to| s < to))
            };
            let rows: Vec<&Value> =
                usage.iter().filter(|r| (user.is_empty() || r["vsid"] == user) && within(r)).collect();
            let (rows, next) = page(&rows, request, shared);
            with_token(Response::json(200, &json!({ "count": rows.len(), "value": rows })), next)
        }
    }
}

fn let_in(request: &Request, shared: &Shared) -> bool {
    let options = &shared.options;
    let Some(given) = request.header("authorization") else { return false };
    let named = match given.split_once(' ') {
        Some(("Basic", code)) => {
            let pair = base64::engine::general_purpose::STANDARD.decode(code).unwrap_or_default();
            let pair = String::from_utf8(pair).unwrap_or_default();
            let pat = pair.split_once(':').map_or("", |(_, pat)| pat);
            options.pats.iter().any(|known| known == pat)
        }
        Some(("Bearer", token)) => options.bearers.iter().any(|known| known == token),
        _ => return false,
    };
    let anybody = options.pats.is_empty() && options.bearers.is_empty();
    let mut uses = locked(&shared.uses);
    let uses = uses.entry(given.to_owned()).or_default();
    *uses += 1;
    (named || anybody) && options.credential_lasts.is_none_or(|most| *uses <= most)
}

/// Cuts a list into pages; the token is the position of the next row, written as a GUID as token administration
/// writes its own.
fn page<'a, T>(rows: &'a [T], request: &Request, shared: &Shared) -> (&'a [T], Option<String>) {
    let start = request
        .query("continuationToken")
        .and_then(|t| usize::from_str_radix(t.strip_prefix(PAGE_TOKEN)?, 16).ok());
    if shared.options.endless {
        let next = start.unwrap_or(0) + 1;
        let end = shared.options.list_page.clamp(1, rows.len().max(1)).min(rows.len());
        return (&rows[..end], Some(format!("{PAGE_TOKEN}{next:012x}")));
    }
    let start = start.unwrap_or(0).min(rows.len());
    let end = (start + shared.options.list_page.max(1)).min(rows.len());
    (&rows[start..end], (end < rows.len()).then(|| format!("{PAGE_TOKEN}{end:012x}")))
}

fn with_token(response: Response, next: Option<String>) -> Response {
    match next {
        Some(token) => response.header("X-MS-ContinuationToken", token),
        None => response,
    }
}

fn audit(request: &Request, org: &FakeOrganisation, shared: &Shared) -> Response {
    let options = &shared.options;
    let time = |name, default| request.query(name).map_or(Some(default), parse_time);
    let (Some(from), Some(to)) = (time("startTime", Micros::MIN), time("endTime", Micros::MAX)) else {
        return error(400, "startTime or endTime cannot be read");
    };
    let size = request.query("batchSize").and_then(|t| t.parse::<usize>().ok()).unwrap_or(options.audit_page);
    let size = size.clamp(1, options.audit_page.max(1));
    let window = org.events.between(from, to);
    let start = match request.query("continuationToken") {
        None => window.start,
        Some(token) => match locked(&shared.tokens).get(token) {
            Some(at) => (*at).clamp(window.start, window.end),
            None => return error(400, "the continuation token is not known"),
        },
    };
    let follows = request.query("continuationToken").is_some();
    if start < window.end && shared.chance(options.empty_pages) {
        let token = format!("empty-{start}-{}", shared.audit_pages.load(Ordering::Relaxed));
        return envelope(&[], &token, true, start, shared);
    }
    let end = (start + size).min(window.end);
    // Entries of the page before come again; the page still leads on.
    let back = if follows && shared.chance(options.duplicates) { 1 + shared.below(3) } else { 0 };
    let first = start.saturating_sub(back).max(window.start);
    let mut rows = match org.events.rows(first..end) {
        Ok(rows) => rows,
        Err(problem) => return error(500, &problem.to_string()),
    };
    let last = rows.last().and_then(|row| id_of(row)).unwrap_or_else(|| format!("row-{end}"));
    if options.out_of_order {
        rows.shuffle(&mut *locked(&shared.rng));
    }
    for row in &mut rows {
        if shared.chance(options.stray_escapes) {
            *row = row.replacen("\"details\":\"", r#""details":"[Fabrikam]\Group "#, 1);
        }
    }
    if options.repeat_token {
        return envelope(&rows, "again", true, window.start, shared);
    }
    if options.endless {
        let token = format!("endless-{}", shared.audit_pages.load(Ordering::Relaxed));
        return envelope(&rows, &token, true, window.start, shared);
    }
    // A token comes even at the end, as in the official example.
    envelope(&rows, &last, end < window.end, end, shared)
}

fn envelope(rows: &[String], token: &str, has_more: bool, next: usize, shared: &Shared) -> Response {
    let options = &shared.options;
    locked(&shared.tokens).insert(token.to_owned(), next);
    let number = shared.audit_pages.fetch_add(1, Ordering::Relaxed);
    let wrapped = match options.envelope {
        Envelope::Bare => false,
        Envelope::Wrapped => true,
        Envelope::Alternating => number % 2 == 1,
    };
    let mut body = String::with_capacity(rows.iter().map(|row| row.len() + 1).sum::<usize>() + 256);
    if options.byte_order_mark {
        body.push('\u{feff}');
    }
    body.push_str(if wrapped { "{\"value\":{" } else { "{" });
    body.push_str("\"decoratedAuditLogEntries\":[");
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            body.push(',');
        }
        body.push_str(row);
    }
    body.push_str(&format!("],\"continuationToken\":{},\"hasMore\":{has_more}}}", json!(token)));
    if wrapped {
        body.push('}');
    }
    Response::json_bytes(200, body.into_bytes())
}
