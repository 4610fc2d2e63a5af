//! Tries everything that a pull needs and says what is missing.
//!
//! In: a client (best with [`RetryPolicy::for_probes`](super::retry::RetryPolicy::for_probes)), an organisation,
//! the present. Out: one [`Check`] a need, in the order in which to mend them. One small request each; nothing
//! is kept.

use super::client::Client;
use super::entitlements::entitlement_page;
use super::error::{ApiError, Purpose};
use super::inventory::{own_token_page, token_page, user_page};
use crate::model::noun::counted;
use crate::model::time::{DAY, Micros, Span};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// It is there.
    Ok,
    /// It is not there; `mend` says how to get it.
    Missing,
    /// It could not be tried, or the answer does not tell.
    Unknown,
}

/// One thing that a pull needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Short name.
    pub name: &'static str,
    /// Whether a pull comes to little without it; what is not needed only makes the answers better.
    pub needed: bool,
    /// How it came out.
    pub state: CheckState,
    /// What was seen.
    pub detail: String,
    /// What to do about it.
    pub mend: Option<String>,
    /// Other checks that fail, or cannot be tried, for the same cause.
    pub affects: Vec<&'static str>,
}

/// A check with what failed it, where that may fail others too.
type Caused = (Check, Option<String>);

/// Days in which an audited organisation has at least one event, if only the reading of its log.
const LOOK_BACK_DAYS: i64 = 30;

/// Tries sign-in, audit permission, auditing, Graph, token administration and entitlements.
pub async fn examine(client: &Client, org: &str, now: Micros) -> Vec<Check> {
    let span = Span { from: now - LOOK_BACK_DAYS * DAY, to: now };
    let audit = client.audit_page(org, span, 1, None).await.map(|reply| reply.parsed.entries);
    let users = user_page(client, org, None).await.map(|reply| reply.parsed.value.unwrap_or_default());
    let somebody = users.as_ref().ok().and_then(|users| {
        let person = |d: &str| ["aad.", "msa."].iter().any(|prefix| d.starts_with(prefix));
        users.iter().map(|user| user.descriptor.clone()).find(|descriptor| person(descriptor))
    });
    let tokens = match &somebody {
        Some(descriptor) => Some(token_page(client, org, descriptor, None).await.map(drop)),
        None => None,
    };
    let entitlements = entitlement_page(client, org, None).await.map(drop);

    let (sign_in, failed_by) = sign_in(
        client,
        [&audit.as_ref().map(drop), &users.as_ref().map(drop), &entitlements.as_ref().map(drop)],
    );
    let let_in = sign_in.state == CheckState::Ok;
    let audit_cause = audit.as_ref().err().and_then(|e| cause(e, let_in));
    let users_cause = users.as_ref().err().and_then(|e| cause(e, let_in));
    let mut checks: Vec<Caused> = vec![
        (sign_in, failed_by),
        (
            of_answer("audit log", &audit, |entries| match entries {
                0 => "readable".to_owned(),
                _ => "readable, with entries".to_owned(),
            }),
            audit_cause.clone(),
        ),
        (auditing(&audit), audit_cause),
        (
            of_answer("users (Graph)", &users, |users| {
                format!("readable; {} on the first page", counted(users.len(), "user"))
            }),
            users_cause.clone(),
        ),
    ];
    checks.push(match &tokens {
        Some(answer) => (
            of_answer("token administration", answer, |()| "everybody's tokens can be listed".to_owned()),
            answer.as_ref().err().and_then(|e| cause(e, let_in)),
        ),
        None => (
            Check {
                name: "token administration",
                needed: true,
                state: CheckState::Unknown,
                detail: "not tried: it needs a user from Graph".to_owned(),
                mend: Some(format!(
                    "needed later: {}; scope {}",
                    Purpose::TokenAdmin.permission(),
                    Purpose::TokenAdmin.scope()
                )),
                affects: Vec::new(),
            },
            users_cause,
        ),
    });
    if !matches!(tokens, Some(Ok(()))) && client.auth().may_be_person() {
        let own = own_token_page(client, org, None).await;
        let failed_by = own.as_ref().err().and_then(|e| cause(e, let_in));
        let check =
            of_answer("own tokens", &own.map(drop), |()| "your own tokens can be listed instead".to_owned());
        checks.push((optional(check), failed_by));
    }
    let failed_by = entitlements.as_ref().err().and_then(|e| cause(e, let_in));
    let check =
        of_answer("user entitlements", &entitlements, |()| "state and last access can be read".to_owned());
    checks.push((optional(check), failed_by));
    once(checks)
}

/// Each cause once: a later check that failed by the cause of an earlier one becomes a name in that one.
fn once(checks: Vec<Caused>) -> Vec<Check> {
    let mut said: Vec<Caused> = Vec::new();
    for (check, cause) in checks {
        let same = said.iter_mut().find(|(_, earlier)| cause.is_some() && *earlier == cause);
        match same {
            Some((earlier, _)) => {
                earlier.affects.push(check.name);
                earlier.needed |= check.needed;
            }
            None => said.push((check, cause)),
        }
    }
    said.into_iter().map(|(check, _)| check).collect()
}

/// What failed a request, without what was asked for and of whom, where it may fail the other requests as well. A permission
/// is needed for each purpose by itself, and so is a scope, unless the credential is refused by all.
fn cause(error: &ApiError, let_in: bool) -> Option<String> {
    match error {
        ApiError::SignIn { message, .. } => Some(format!("sign-in: {message}")),
        ApiError::SignInPage { .. } | ApiError::Redirected { .. } => Some("refused".to_owned()),
        ApiError::Unauthorized { .. } if !let_in => Some("refused".to_owned()),
        ApiError::NotAMember { .. } => Some("not a member".to_owned()),
        ApiError::Throttled { .. } => Some("throttled".to_owned()),
        ApiError::Server { status, .. } => Some(format!("status {status}")),
        ApiError::Unreachable { message, .. } => Some(format!("no connection: {message}")),
        ApiError::Organisation { .. } => Some("organisation".to_owned()),
        _ => None,
    }
}

fn optional(check: Check) -> Check {
    Check { needed: false, ..check }
}

fn of_answer<T>(name: &'static str, answer: &Result<T, ApiError>, good: impl Fn(&T) -> String) -> Check {
    match answer {
        Ok(value) => Check {
            name,
            needed: true,
            state: CheckState::Ok,
            detail: good(value),
            mend: None,
            affects: Vec::new(),
        },
        Err(error) => Check {
            name,
            needed: true,
            state: if tells(error) { CheckState::Missing } else { CheckState::Unknown },
            detail: error.to_string(),
            mend: Some(error.hint()),
            affects: Vec::new(),
        },
    }
}

/// Tells whether the failure is an answer about rights, rather than trouble on the way.
const fn tells(error: &ApiError) -> bool {
    error.is_sign_in()
        || error.is_permission()
        || matches!(error, ApiError::NotFound { .. } | ApiError::Organisation { .. })
}

/// A credential is good when any service let it in, be it only to say that a permission is missing.
fn sign_in(client: &Client, answers: [&Result<(), &ApiError>; 3]) -> Caused {
    let how = client.auth().how();
    let check = |state, detail, mend| Check {
        name: "sign-in",
        needed: true,
        state,
        detail,
        mend,
        affects: Vec::new(),
    };
    let let_in = |answer: &&Result<(), &ApiError>| matches!(answer, Ok(()) | Err(ApiError::Forbidden { .. }));
    if answers.iter().any(let_in) {
        return (check(CheckState::Ok, format!("accepted ({how})"), None), None);
    }
    let errors = || answers.iter().filter_map(|answer| answer.as_ref().err());
    let refused = errors().find(|e| e.is_sign_in() || e.is_permission());
    match refused.or_else(|| errors().next()) {
        Some(error) => {
            let state = if refused.is_some() { CheckState::Missing } else { CheckState::Unknown };
            (check(state, format!("{error} ({how})"), Some(error.hint())), cause(error, false))
        }
        None => (check(CheckState::Unknown, "not tried".to_owned(), None), None),
    }
}

/// Auditing is off by default; an empty log means that, since reading the log is itself audited.
fn auditing(answer: &Result<u64, ApiError>) -> Check {
    let name = "auditing";
    let mend = Some(
        "switch it on: Organization settings > Policies > Log Audit Events; it exists only for organisations linked \
         to Microsoft Entra, and keeps 90 days"
            .to_owned(),
    );
    let (state, detail, mend) = match answer {
        Ok(0) => (
            CheckState::Missing,
            format!(
                "the log is empty for {LOOK_BACK_DAYS} days, without even a reading of the log: auditing is off or new"
            ),
            mend,
        ),
        Ok(_) => (CheckState::Ok, "on: the log has entries".to_owned(), None),
        Err(ApiError::NotFound { .. }) => (
            CheckState::Unknown,
            "no log found: auditing is off, or the organisation is not there".to_owned(),
            mend,
        ),
        Err(_) => (CheckState::Unknown, "the log cannot be read, so it cannot be told".to_owned(), None),
    };
    Check { name, needed: true, state, detail, mend, affects: Vec::new() }
}
