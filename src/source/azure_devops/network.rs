//! Which way a request goes: through the proxy that the environment names, or straight to an address nearby.
//!
//! In: how to build an HTTP client, then addresses. Out: the client for each of them. A proxy must never see what is sent
//! to this machine: it would receive a credential that was not meant to leave, and could not pass the request on. The
//! choice is made for each address, since one service may be on this machine and the others at Microsoft.

use super::endpoints::is_loopback;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use reqwest::{ClientBuilder, Url};
use std::fmt;
use std::sync::Once;

/// Two HTTP clients that differ in the proxy alone.
pub(super) struct Network {
    direct: reqwest::Client,
    proxied: reqwest::Client,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The proxy's address may carry a password.
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

impl Network {
    /// Builds the clients; makes no request.
    ///
    /// # Errors
    /// When the network layer cannot be set up, for example for lack of trusted roots.
    pub fn new(configure: impl Fn(ClientBuilder) -> ClientBuilder) -> reqwest::Result<Self> {
        static PROVIDER: Once = Once::new();
        // A provider that somebody else installed serves as well.
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let builder = || configure(reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()));
        Ok(Self { direct: builder().no_proxy().build()?, proxied: builder().build()? })
    }

    /// Returns the client for an address.
    pub fn client(&self, url: &Url) -> &reqwest::Client {
        if is_loopback(url) || is_link_local(url) { &self.direct } else { &self.proxied }
    }
}

/// The identity library asks for tokens this way: the endpoint of a managed identity is on this machine or next to it,
/// speaks plain http, and its answer is a bearer token.
#[async_trait::async_trait]
impl HttpClient for Network {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.client(request.url()).execute_request(request).await
    }
}

/// Returns true for addresses that no router passes on, such as the metadata service of a virtual machine.
fn is_link_local(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_link_local(),
        Some(url::Host::Ipv6(ip)) => ip.is_unicast_link_local(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_nearby_are_never_behind_a_proxy() {
        let nearby = |text: &str| {
            let url = Url::parse(text).expect(text);
            is_loopback(&url) || is_link_local(&url)
        };
        for url in [
            "http://localhost",
            "https://LOCALHOST:8443/x",
            "http://localhost.:1",
            "http://127.0.0.1:80",
            "http://127.255.3.4",
            "http://127.1",
            "http://0x7f000001/",
            "http://[::1]:9",
            "https://[::ffff:127.0.0.1]",
            "http://169.254.169.254/metadata",
            "http://[fe80::1]",
        ] {
            assert!(nearby(url), "{url}");
        }
        for url in [
            "https://dev.azure.com",
            "https://localhost.example.org",
            "https://10.0.0.1",
            "https://[2001:db8::1]",
        ] {
            assert!(!nearby(url), "{url}");
        }
    }
}
