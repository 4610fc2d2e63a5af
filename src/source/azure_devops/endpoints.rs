//! Where the four services are: Microsoft's hosts, or what the user put in their place.
//!
//! In: overrides as text (the command line reads them from `PATWATCH_*_URL`). Out: checked addresses. A
//! credential goes to these addresses, so plain http is taken to loopback only, and an address that
//! carries a user name, a query or a fragment is refused.

use super::error::ApiError;
use reqwest::Url;

/// One of the services that patwatch talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// The audit log.
    Audit,
    /// Graph, token administration, own tokens.
    Vssps,
    /// User entitlements.
    Vsaex,
    /// The organisation itself; usage records.
    Dev,
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 4] = [Self::Audit, Self::Vssps, Self::Vsaex, Self::Dev];

    /// The variable by which a user points the service elsewhere.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Audit => "PATWATCH_AUDIT_URL",
            Self::Vssps => "PATWATCH_VSSPS_URL",
            Self::Vsaex => "PATWATCH_VSAEX_URL",
            Self::Dev => "PATWATCH_DEV_URL",
        }
    }

    /// Microsoft's address of the service.
    #[must_use]
    pub const fn default_url(self) -> &'static str {
        match self {
            Self::Audit => "https://auditservice.dev.azure.com",
            Self::Vssps => "https://vssps.dev.azure.com",
            Self::Vsaex => "https://vsaex.dev.azure.com",
            Self::Dev => "https://dev.azure.com",
        }
    }
}

/// The checked addresses of the four services.
#[derive(Debug, Clone)]
pub struct Endpoints {
    urls: [Url; 4],
}

impl Endpoints {
    /// Takes the default of each service, or what `override_of` gives for it.
    ///
    /// # Errors
    /// [`ApiError::Endpoint`] when an address is no URL, is plain http to another machine, or carries more
    /// than scheme, host, port and path.
    pub fn new(override_of: impl Fn(Service) -> Option<String>) -> Result<Self, ApiError> {
        let of = |service: Service| match override_of(service).filter(|text| !text.trim().is_empty()) {
            Some(text) => check(service.variable(), text.trim()),
            None => check(service.variable(), service.default_url()),
        };
        let [audit, vssps, vsaex, dev] = Service::ALL;
        Ok(Self { urls: [of(audit)?, of(vssps)?, of(vsaex)?, of(dev)?] })
    }

    /// Points all four services at one server, as the fake and some proxies want it.
    ///
    /// # Errors
    /// As [`Endpoints::new`].
    pub fn all_at(url: &str) -> Result<Self, ApiError> {
        Self::new(|_| Some(url.to_owned()))
    }

    pub(super) fn base(&self, service: Service) -> &Url {
        match service {
            Service::Audit => &self.urls[0],
            Service::Vssps => &self.urls[1],
            Service::Vsaex => &self.urls[2],
            Service::Dev => &self.urls[3],
        }
    }
}

fn check(variable: &'static str, text: &str) -> Result<Url, ApiError> {
    let refuse = |why: &str| ApiError::Endpoint { variable, why: why.to_owned() };
    let url = Url::parse(text).map_err(|error| refuse(&format!("it is no URL ({error})")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it carries a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("it carries a query or a fragment; give scheme, host, port and path only"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(refuse(
            "plain http would show the credential to the network; use https, or a loopback address",
        )),
        _ => Err(refuse("it is neither https nor http")),
    }
}

/// Returns true if the address is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.to_canonical().is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_microsofts() {
        let endpoints = Endpoints::new(|_| None).expect("defaults");
        assert_eq!(endpoints.base(Service::Audit).as_str(), "https://auditservice.dev.azure.com/");
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        for good in
            ["http://127.0.0.1:8080", "http://localhost:1/x", "http://[::1]:9", "https://proxy.example/ado"]
        {
            assert!(Endpoints::all_at(good).is_ok(), "{good}");
        }
        for bad in [
            "http://example.org",
            "http://127.0.0.1.example.org",
            "ftp://localhost",
            "nonsense",
            "https://user:hunter22@example.org",
            "https://example.org/?token=hunter22",
        ] {
            let error = Endpoints::all_at(bad).expect_err(bad);
            let text = format!("{error} {error:?} {}", error.hint());
            assert!(text.contains("PATWATCH_AUDIT_URL"), "{text}");
            assert!(!text.contains("hunter22"), "{text}");
        }
    }
}
