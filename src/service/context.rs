//! What a use case knows of the request that called it.

use std::net::IpAddr;

use crate::domain::grant::SessionDetails;

/// Facts about one request.
#[derive(Clone, Debug, Default)]
pub struct RequestContext {
    pub request_id: String,
    pub client_ip: Option<IpAddr>,
    pub domain: Option<String>,
    pub locale: Option<String>,
}

impl RequestContext {
    /// What a session remembers of the request that opened it.
    #[must_use]
    pub fn session_details(&self) -> SessionDetails {
        SessionDetails {
            locale: self.locale.clone(),
            client_ip_address: self.client_ip.map(|ip| ip.to_string()),
            domain: self.domain.clone(),
            ..SessionDetails::default()
        }
    }
}
