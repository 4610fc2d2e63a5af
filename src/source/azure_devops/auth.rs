//! Who asks: a personal access token, or a Microsoft Entra sign-in through the official identity library.
//!
//! In: values that the command line read. Out: the `Authorization` header of one request, marked sensitive.
//! Secrets are kept in secret types; nothing here prints one, and errors of the library pass the redactor.

use super::BoxFuture;
use super::error::ApiError;
use super::network::Network;
use super::redact::redact_known;
use super::retry::Timer;
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::error::ErrorKind;
use azure_core::http::{ClientOptions, Transport};
use azure_identity::{
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use base64::Engine as _;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The Azure DevOps resource in Entra. Source: facts, section 8.
pub const ENTRA_SCOPE: &str = "499b84ac-1321-427f-aa17-267ca6975798/.default";

/// How long before its end a token is renewed, so that it cannot end under a slow request.
const MARGIN: Duration = Duration::from_secs(300);

/// A bearer token and when it ends.
pub struct Bearer {
    /// The token.
    pub token: SecretString,
    /// End in seconds since 1970; nothing where unknown.
    pub expires: Option<i64>,
}

/// Gets bearer tokens; implemented over the identity library, and by tests.
pub trait BearerSource: Send + Sync {
    /// Which way of signing in this is, for messages.
    fn how(&self) -> &'static str;
    /// Gets a fresh token.
    fn bearer(&self) -> BoxFuture<'_, Result<Bearer, ApiError>>;
}

/// How patwatch signs in.
#[derive(Clone)]
pub enum Auth {
    /// A personal access token, as Basic with an empty user name.
    Pat(SecretString),
    /// Microsoft Entra.
    Entra(Entra),
    /// Any other source of bearer tokens.
    Bearer(Arc<dyn BearerSource>),
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Auth").field(&self.how()).finish()
    }
}

impl Auth {
    /// Which way of signing in this is.
    #[must_use]
    pub fn how(&self) -> &'static str {
        match self {
            Self::Pat(_) => "personal access token",
            Self::Entra(entra) => entra.how(),
            Self::Bearer(source) => source.how(),
        }
    }

    /// Tells whether a person may be behind it, who can list the own tokens.
    #[must_use]
    pub const fn may_be_person(&self) -> bool {
        matches!(self, Self::Entra(Entra::DeveloperTools) | Self::Bearer(_))
    }

    /// Chooses by the word that a user gives to `--auth`: `entra`, `pat`, `azure-cli`, `managed-identity`,
    /// `workload-identity` or `client-secret`.
    ///
    /// `entra` takes the first for which `values` suffice: client secret, workload identity, managed
    /// identity where the host offers one, else the developer tools (Azure CLI, Azure Developer CLI).
    ///
    /// # Errors
    /// [`ApiError::SignIn`] when a value is missing or the word is unknown.
    pub fn from_mode(mode: &str, pat: Option<SecretString>, values: EntraValues) -> Result<Self, ApiError> {
        let missing = |how, what: &str| ApiError::SignIn { how, message: what.to_owned() };
        let some = |text: Option<String>| text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        let EntraValues {
            tenant_id,
            client_id,
            client_secret,
            federated_token_file,
            offers_managed_identity,
        } = values;
        let (tenant, client) = (some(tenant_id), some(client_id));
        let secret = client_secret.filter(|s| !s.expose_secret().is_empty());
        let mode = match mode {
            "entra" if secret.is_some() && tenant.is_some() && client.is_some() => "client-secret",
            "entra" if federated_token_file.is_some() && tenant.is_some() && client.is_some() => {
                "workload-identity"
            }
            "entra" if offers_managed_identity => "managed-identity",
            "entra" => "azure-cli",
            other => other,
        };
        Ok(Self::Entra(match mode {
            "pat" => {
                let pat = pat.map(|p| SecretString::from(p.expose_secret().trim()));
                return pat.filter(|p| !p.expose_secret().is_empty()).map(Self::Pat).ok_or_else(|| {
                    missing("personal access token", "the variable AZURE_DEVOPS_EXT_PAT is not set")
                });
            }
            "azure-cli" => Entra::DeveloperTools,
            "managed-identity" => Entra::ManagedIdentity { client },
            "workload-identity" => {
                Entra::WorkloadIdentity { tenant, client, token_file: federated_token_file }
            }
            "client-secret" => {
                let lacks = || {
                    missing(
                        "client secret",
                        "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET must all be set",
                    )
                };
                Entra::ClientSecret {
                    tenant: tenant.ok_or_else(lacks)?,
                    client: client.ok_or_else(lacks)?,
                    secret: secret.ok_or_else(lacks)?,
                }
            }
            _ => {
                return Err(missing(
                    "--auth",
                    "the mode is none of entra, pat, azure-cli, managed-identity, workload-identity, client-secret",
                ));
            }
        }))
    }
}

/// What the command line found in the environment, by the identity library's own names.
#[derive(Debug, Default)]
pub struct EntraValues {
    /// `AZURE_TENANT_ID`.
    pub tenant_id: Option<String>,
    /// `AZURE_CLIENT_ID`.
    pub client_id: Option<String>,
    /// `AZURE_CLIENT_SECRET`.
    pub client_secret: Option<SecretString>,
    /// `AZURE_FEDERATED_TOKEN_FILE`.
    pub federated_token_file: Option<PathBuf>,
    /// Whether `IDENTITY_ENDPOINT` or `MSI_ENDPOINT` is set.
    pub offers_managed_identity: bool,
}

/// The ways of signing in to Entra.
#[derive(Debug, Clone)]
pub enum Entra {
    /// Azure CLI, then Azure Developer CLI.
    DeveloperTools,
    /// The identity of the machine or service this runs on.
    ManagedIdentity {
        /// Client id of a user-assigned identity.
        client: Option<String>,
    },
    /// A federated token, as Kubernetes and pipelines offer it. Missing values are read by the library.
    WorkloadIdentity {
        /// Tenant.
        tenant: Option<String>,
        /// Application.
        client: Option<String>,
        /// File that holds the federated token.
        token_file: Option<PathBuf>,
    },
    /// An application with a secret.
    ClientSecret {
        /// Tenant.
        tenant: String,
        /// Application.
        client: String,
        /// Its secret.
        secret: SecretString,
    },
}

impl Entra {
    const fn how(&self) -> &'static str {
        match self {
            Self::DeveloperTools => "Azure CLI",
            Self::ManagedIdentity { .. } => "managed identity",
            Self::WorkloadIdentity { .. } => "workload identity",
            Self::ClientSecret { .. } => "client secret",
        }
    }

    fn credential(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
        Ok(match self {
            Self::DeveloperTools => DeveloperToolsCredential::new(None)?,
            Self::ManagedIdentity { client } => {
                ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                    user_assigned_id: client.clone().map(UserAssignedId::ClientId),
                    client_options: client_options()?,
                }))?
            }
            Self::WorkloadIdentity { tenant, client, token_file } => {
                WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                    tenant_id: tenant.clone(),
                    client_id: client.clone(),
                    token_file_path: token_file.clone(),
                    credential_options: ClientAssertionCredentialOptions {
                        client_options: client_options()?,
                    },
                }))?
            }
            Self::ClientSecret { tenant, client, secret } => ClientSecretCredential::new(
                tenant,
                client.clone(),
                Secret::new(secret.expose_secret().to_owned()),
                Some(ClientSecretCredentialOptions { client_options: client_options()? }),
            )?,
        })
    }

    /// Asks the library anew each time: its credentials cache on their own or not at all, and a token that
    /// the service has just refused must not come back from a cache.
    async fn bearer(&self) -> Result<Bearer, ApiError> {
        let failed = |error: azure_core::Error| {
            let secret = match self {
                Self::ClientSecret { secret, .. } => secret.expose_secret(),
                _ => "",
            };
            ApiError::SignIn { how: self.how(), message: redact_known(&error.to_string(), &[secret]) }
        };
        let token =
            self.credential().map_err(failed)?.get_token(&[ENTRA_SCOPE], None).await.map_err(failed)?;
        Ok(Bearer {
            token: SecretString::from(token.token.secret()),
            expires: Some(token.expires_on.unix_timestamp()),
        })
    }
}

/// Options of the library's own requests: they go the same way as those of the client, with the library's time limits.
fn client_options() -> azure_core::Result<ClientOptions> {
    let limits = |builder: reqwest::ClientBuilder| {
        builder.connect_timeout(Duration::from_secs(20)).read_timeout(Duration::from_secs(60))
    };
    let network = Network::new(limits).map_err(|error| {
        azure_core::Error::with_error(ErrorKind::Other, error, "the network layer cannot be set up")
    })?;
    Ok(ClientOptions { transport: Some(Transport::new(Arc::new(network))), ..ClientOptions::default() })
}

/// Hands out `Authorization` headers and renews what is behind them.
pub(super) struct Authoriser {
    auth: Auth,
    held: tokio::sync::Mutex<Option<Held>>,
}

struct Held {
    header: HeaderValue,
    secret: SecretString,
    renew_at: Option<Duration>,
}

impl Authoriser {
    pub fn new(auth: Auth) -> Self {
        Self { auth, held: tokio::sync::Mutex::new(None) }
    }

    pub const fn auth(&self) -> &Auth {
        &self.auth
    }

    /// Returns the header for the next request, from a token that will outlive it.
    pub async fn header(&self, timer: &dyn Timer) -> Result<HeaderValue, ApiError> {
        let mut held = self.held.lock().await;
        if let Some(now) = held.as_ref().filter(|h| h.renew_at.is_none_or(|at| timer.now() < at)) {
            return Ok(now.header.clone());
        }
        let fresh = self.fresh(timer).await?;
        let header = fresh.header.clone();
        *held = Some(fresh);
        Ok(header)
    }

    /// Forgets a token that was refused; tells whether asking again can bring another.
    pub async fn refused(&self, header: &HeaderValue) -> bool {
        let mut held = self.held.lock().await;
        // Another request may have renewed it meanwhile.
        if held.as_ref().is_some_and(|h| h.header == *header) {
            *held = None;
        }
        !matches!(self.auth, Auth::Pat(_))
    }

    /// Returns `text` without the credential, whatever its shape.
    pub async fn redact(&self, text: &str) -> String {
        let held = self.held.lock().await;
        let secret = held.as_ref().map_or("", |h| h.secret.expose_secret());
        let header = held.as_ref().and_then(|h| h.header.to_str().ok()).and_then(|h| h.split(' ').nth(1));
        redact_known(text, &[secret, header.unwrap_or("")])
    }

    async fn fresh(&self, timer: &dyn Timer) -> Result<Held, ApiError> {
        let (text, secret, expires) = match &self.auth {
            Auth::Pat(pat) => {
                let pair = SecretString::from(format!(":{}", pat.expose_secret()));
                let code = base64::engine::general_purpose::STANDARD.encode(pair.expose_secret());
                (SecretString::from(format!("Basic {code}")), pat.clone(), None)
            }
            Auth::Entra(entra) => bearer_parts(entra.bearer().await?),
            Auth::Bearer(source) => bearer_parts(source.bearer().await?),
        };
        let mut header = HeaderValue::from_str(text.expose_secret()).map_err(|_| ApiError::SignIn {
            how: self.auth.how(),
            message: "the token holds characters that no token has".to_owned(),
        })?;
        header.set_sensitive(true);
        let renew_at = expires.map(|expires| {
            let left = expires - timer.wall() / crate::model::time::SECOND;
            let left = Duration::from_secs(u64::try_from(left).unwrap_or(0));
            // A token with little left is used for half of that, rather than fetched anew for each request.
            timer.now() + left.saturating_sub(MARGIN).max(left / 2)
        });
        Ok(Held { header, secret, renew_at })
    }
}

fn bearer_parts(bearer: Bearer) -> (SecretString, SecretString, Option<i64>) {
    (SecretString::from(format!("Bearer {}", bearer.token.expose_secret())), bearer.token, bearer.expires)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(secret: bool, file: bool, managed: bool) -> EntraValues {
        EntraValues {
            tenant_id: Some("tenant".to_owned()),
            client_id: Some("client".to_owned()),
            client_secret: secret.then(|| SecretString::from("hunter22")),
            federated_token_file: file.then(|| PathBuf::from("/token")),
            offers_managed_identity: managed,
        }
    }

    #[test]
    fn chooses_by_what_is_at_hand() {
        let how =
            |mode, values| Auth::from_mode(mode, None, values).map(|a| a.how()).map_err(|e| e.to_string());
        assert_eq!(how("entra", values(true, true, true)), Ok("client secret"));
        assert_eq!(how("entra", values(false, true, true)), Ok("workload identity"));
        assert_eq!(how("entra", values(false, false, true)), Ok("managed identity"));
        assert_eq!(how("entra", values(false, false, false)), Ok("Azure CLI"));
        assert!(how("client-secret", values(false, false, false)).is_err());
        assert!(how("pat", values(true, true, true)).is_err_and(|e| e.contains("AZURE_DEVOPS_EXT_PAT")));
        assert!(how("guess", values(true, true, true)).is_err());
    }

    #[test]
    fn nothing_secret_in_debug() {
        for mode in ["pat", "client-secret"] {
            let auth =
                Auth::from_mode(mode, Some(SecretString::from("hunter22\n")), values(true, true, true));
            let text = format!("{auth:?} {:?}", values(true, true, true));
            assert!(!text.contains("hunter22"), "{text}");
        }
    }
}
