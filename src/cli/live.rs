//! What `pull` and `doctor` share: a runtime, a client made from arguments and environment, errors with their mend.

use super::args::LiveArgs;
use super::error::CliError;
use crate::source::azure_devops::auth::{Auth, EntraValues};
use crate::source::azure_devops::client::{Client, Settings};
use crate::source::azure_devops::endpoints::Endpoints;
use crate::source::azure_devops::error::ApiError;
use crate::source::azure_devops::progress::Progress;
use crate::source::azure_devops::retry::{RealTimer, RetryPolicy};
use std::path::PathBuf;
use std::sync::Arc;

/// A runtime for the client; everything else in patwatch is plain threads.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Builds the client; must be called inside the runtime. Secrets go from the environment into secret types at once.
pub(super) fn client(
    args: &LiveArgs,
    retry: RetryPolicy,
    progress: Arc<dyn Progress>,
) -> Result<Client, CliError> {
    let text = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let values = EntraValues {
        tenant_id: text("AZURE_TENANT_ID"),
        client_id: text("AZURE_CLIENT_ID"),
        client_secret: text("AZURE_CLIENT_SECRET").map(Into::into),
        federated_token_file: text("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from),
        offers_managed_identity: text("IDENTITY_ENDPOINT").or_else(|| text("MSI_ENDPOINT")).is_some(),
    };
    let auth =
        Auth::from_mode(&args.auth, text("AZURE_DEVOPS_EXT_PAT").map(Into::into), values).map_err(api)?;
    let endpoints = Endpoints::new(|service| text(service.variable())).map_err(api)?;
    let settings = Settings { retry, ..Settings::new(Arc::new(RealTimer::new(super::now)), progress) };
    Client::new(auth, endpoints, settings).map_err(api)
}

/// An error of the services with its mend.
pub(super) fn api(error: ApiError) -> CliError {
    let hint = error.hint();
    let error = CliError::from(error);
    if hint.is_empty() { error } else { error.hint(hint) }
}
