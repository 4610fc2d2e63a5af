//! What can go wrong at the live services, each with what is wrong and how to mend it.
//!
//! In: statuses, bodies and network failures as the client saw them. Out: one variant a cause; the text
//! says what is wrong, [`ApiError::hint`] which permission or scope is missing and how to get it. No text
//! here holds an address with a query, a header or a credential.

use std::time::Duration;

/// What a request is for; it decides which scope and permission an error asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Reading the audit log.
    Audit,
    /// Listing users.
    Graph,
    /// Listing everybody's tokens.
    TokenAdmin,
    /// Listing the caller's own tokens.
    OwnTokens,
    /// Listing user entitlements.
    Entitlements,
    /// Reading the usage summary.
    Usage,
}

impl Purpose {
    /// What the request reads, in words.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Audit => "the audit log",
            Self::Graph => "the users (Graph)",
            Self::TokenAdmin => "everybody's tokens (token administration)",
            Self::OwnTokens => "your own tokens",
            Self::Entitlements => "the user entitlements",
            Self::Usage => "the usage summary",
        }
    }

    /// The least scope a PAT or an Entra application needs.
    #[must_use]
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Audit => "vso.auditlog (in the portal: Audit Log, Read audit log)",
            Self::Graph => "vso.graph (Graph, Read)",
            Self::TokenAdmin => "vso.tokenadministration (Token Administration, Read & manage)",
            Self::OwnTokens => {
                "vso.pats, by Entra sign-in of a person; this API takes neither PATs nor service principals"
            }
            Self::Entitlements => "vso.memberentitlementmanagement (Member Entitlement Management, Read)",
            Self::Usage => "app_token (full access), or Entra sign-in; the call is undocumented",
        }
    }

    /// The permission the account needs, and who gives it.
    #[must_use]
    pub const fn permission(self) -> &'static str {
        match self {
            Self::Audit => {
                "\"View audit log\" = Allow (Organization settings > Permissions > the group or user > \
                 Auditing), or membership of Project Collection Administrators"
            }
            Self::TokenAdmin => {
                "membership of Project Collection Administrators (Organization settings > Permissions)"
            }
            Self::Graph => "membership of the organisation without \"Project-Scoped Users\"",
            Self::OwnTokens => "nothing but your own sign-in",
            Self::Entitlements | Self::Usage => {
                "membership of Project Collection Administrators (Organization settings > Permissions)"
            }
        }
    }
}

/// Why a request to a live service came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// An override of a service address is not usable.
    #[error("{variable} cannot be used: {why}")]
    Endpoint {
        /// Variable that holds it.
        variable: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The organisation's name cannot be one.
    #[error("\"{org}\" cannot be an organisation's name")]
    Organisation {
        /// What was given.
        org: String,
    },
    /// The identity library got no token.
    #[error("sign-in failed ({how}): {message}")]
    SignIn {
        /// Which way of signing in.
        how: &'static str,
        /// What the library says.
        message: String,
    },
    /// The service answered with its sign-in page: 203 or HTML.
    #[error("{} refused the credential: it answered {status} with a sign-in page instead of data", purpose.what())]
    SignInPage {
        /// What was asked for.
        purpose: Purpose,
        /// HTTP status.
        status: u16,
    },
    /// The service sent the client elsewhere; it did not follow.
    #[error("{} refused the credential: it answered {status} and points to {to}; redirects are not followed", purpose.what())]
    Redirected {
        /// What was asked for.
        purpose: Purpose,
        /// HTTP status.
        status: u16,
        /// Host it points to.
        to: String,
    },
    /// 401.
    #[error("{} refused the credential (401){}", purpose.what(), said(message))]
    Unauthorized {
        /// What was asked for.
        purpose: Purpose,
        /// What the service says.
        message: String,
    },
    /// TF400813: the credential is real, but its owner may not enter.
    #[error("{}: this account is not authorised in the organisation (TF400813){}", purpose.what(), said(message))]
    NotAMember {
        /// What was asked for.
        purpose: Purpose,
        /// What the service says.
        message: String,
    },
    /// 403.
    #[error("{}: the account is signed in but lacks the permission (403){}", purpose.what(), said(message))]
    Forbidden {
        /// What was asked for.
        purpose: Purpose,
        /// What the service says.
        message: String,
    },
    /// 404.
    #[error("{}: not found (404){}", purpose.what(), said(message))]
    NotFound {
        /// What was asked for.
        purpose: Purpose,
        /// What the service says.
        message: String,
    },
    /// 429 or TF400733, and patience ran out.
    #[error("{}: still throttled (TF400733) after {tries} tries and {} s of waiting{}", purpose.what(), waited.as_secs(), said(message))]
    Throttled {
        /// What was asked for.
        purpose: Purpose,
        /// How often it was asked.
        tries: u32,
        /// How long it waited in all.
        waited: Duration,
        /// What the service says.
        message: String,
    },
    /// 5xx, and patience ran out.
    #[error("{}: the service failed {tries} times, last with {status}{}", purpose.what(), said(message))]
    Server {
        /// What was asked for.
        purpose: Purpose,
        /// HTTP status.
        status: u16,
        /// How often it was asked.
        tries: u32,
        /// What the service says.
        message: String,
    },
    /// Any other refusal.
    #[error("{}: the service refused the request ({status}){}", purpose.what(), said(message))]
    Rejected {
        /// What was asked for.
        purpose: Purpose,
        /// HTTP status.
        status: u16,
        /// What the service says.
        message: String,
    },
    /// No connection, or it broke, and patience ran out.
    #[error("{}: no whole answer from {host} in {tries} tries: {message}", purpose.what())]
    Unreachable {
        /// What was asked for.
        purpose: Purpose,
        /// Host and port.
        host: String,
        /// How often it was asked.
        tries: u32,
        /// What the network layer says.
        message: String,
    },
    /// The answer is not what the API promises.
    #[error("{}: the answer cannot be read after {tries} tries: {message}", purpose.what())]
    Unreadable {
        /// What was asked for.
        purpose: Purpose,
        /// How often it was asked.
        tries: u32,
        /// What is wrong with it.
        message: String,
    },
    /// A page led back to a page that was already read, said there was more and not where, or the pages bring nothing new.
    #[error("{}: the pages do not end: {why}", purpose.what())]
    EndlessPages {
        /// What was asked for.
        purpose: Purpose,
        /// What was seen.
        why: String,
    },
    /// The answer is larger than any that this request can have.
    #[error("{}: the answer is larger than {} MB unpacked; it was not read", purpose.what(), limit >> 20)]
    TooLarge {
        /// What was asked for.
        purpose: Purpose,
        /// Bytes that are taken at most.
        limit: usize,
    },
    /// Whoever takes the pages has stopped.
    #[error("stopped: the pages are no longer taken")]
    Stopped,
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

impl ApiError {
    /// Says how to mend it, in one or two sentences.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Endpoint { variable, .. } => format!("unset {variable}, or give an https address"),
            Self::Organisation { .. } => {
                "give the name as it stands in the address dev.azure.com/NAME, without slashes".to_owned()
            }
            Self::SignIn { .. } => "run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET \
                 (or AZURE_FEDERATED_TOKEN_FILE), or use --auth pat with AZURE_DEVOPS_EXT_PAT"
                .to_owned(),
            Self::SignInPage { purpose, .. } | Self::Redirected { purpose, .. } => format!(
                "the credential is expired, revoked, malformed or of another organisation; renew it with the scope {}",
                purpose.scope()
            ),
            Self::Unauthorized { purpose, .. } => format!(
                "check that the credential is not expired or revoked, belongs to this organisation and has the scope {}",
                purpose.scope()
            ),
            Self::NotAMember { .. } => "add the account to the organisation (Organization settings > Users), or sign in \
                 with one that is a member; check the organisation's name and the tenant"
                .to_owned(),
            Self::Forbidden { purpose, .. } => {
                format!("needed: {}; and the scope {}", purpose.permission(), purpose.scope())
            }
            Self::NotFound { purpose: Purpose::Audit, .. } => "check the organisation's name; auditing exists only for \
                 organisations linked to Microsoft Entra, and must be on (Organization settings > Policies > Log Audit \
                 Events)"
                .to_owned(),
            Self::NotFound { purpose: Purpose::Usage, .. } => {
                "the usage summary is undocumented and may be gone; run without --usage".to_owned()
            }
            Self::NotFound { purpose, .. } => format!(
                "check the organisation's name; the services also answer 404 to hide what an account may not see: {}",
                purpose.permission()
            ),
            Self::Throttled { .. } => "the account's budget of requests is spent; run again later (what is finished is \
                 kept), or pull with an account that nothing else uses"
                .to_owned(),
            Self::Server { .. } => "run again later (what is finished is kept); see https://status.dev.azure.com".to_owned(),
            Self::Rejected { .. } => "this looks like a change of the API or a wrong setting; run again with -v and report it".to_owned(),
            Self::Unreachable { .. } => {
                "check network, proxy (HTTPS_PROXY) and firewall; what is finished is kept, run again".to_owned()
            }
            Self::Unreadable { .. } => "run again later; if it stays, keep the answer with --keep-raw and report it".to_owned(),
            Self::EndlessPages { purpose: Purpose::Audit, .. } => "run again later; if it stays, try another --batch-size, \
                 and report it to Microsoft with the answers that --keep-raw DIR keeps"
                .to_owned(),
            Self::EndlessPages { .. } => "run again later; if it stays, report it to Microsoft with the answers that \
                 --keep-raw DIR keeps"
                .to_owned(),
            Self::TooLarge { purpose: Purpose::Audit, .. } => "ask for fewer events at once with --batch-size; if it \
                 stays, check what stands between this machine and the service (HTTPS_PROXY)"
                .to_owned(),
            Self::TooLarge { .. } => "check what stands between this machine and the service (HTTPS_PROXY); run again \
                 with -v and report it"
                .to_owned(),
            Self::Stopped => "see the error that stopped it".to_owned(),
        }
    }

    /// Tells whether the credential itself is at fault, so that no other request can do better.
    #[must_use]
    pub const fn is_sign_in(&self) -> bool {
        matches!(self, Self::SignIn { .. } | Self::SignInPage { .. } | Self::Redirected { .. })
    }

    /// Tells whether a permission or scope is missing for this one purpose.
    #[must_use]
    pub const fn is_permission(&self) -> bool {
        matches!(self, Self::Unauthorized { .. } | Self::NotAMember { .. } | Self::Forbidden { .. })
    }

    /// Tells whether going on with other requests is pointless.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        self.is_sign_in()
            || self.is_permission()
            || matches!(self, Self::Endpoint { .. } | Self::Organisation { .. } | Self::Stopped)
    }
}

/// The error body of the services; every field may be missing.
#[derive(serde::Deserialize, Default)]
struct ErrorBody {
    #[serde(default)]
    message: String,
}

/// Returns the service's own sentence from an error body, as it stands: to be redacted by whoever knows the
/// credential.
pub(super) fn service_message(body: &[u8]) -> String {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if let Ok(parsed) = serde_json::from_slice::<ErrorBody>(body) {
        return parsed.message.trim().to_owned();
    }
    // TF codes also arrive in plain text and HTML; only the sentence around the code is worth showing.
    let text = String::from_utf8_lossy(&body[..body.len().min(64 * 1024)]);
    let sentence = text.find("TF400").map(|at| text[at..].split(['<', '\n', '"']).next().unwrap_or_default());
    sentence.unwrap_or_default().trim().to_owned()
}
