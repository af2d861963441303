//! `jeton health`: for container health checks.

use super::exit::{Exit, Failed};
use crate::config::Config;

/// Asks the management listener of this machine.
pub(super) fn check(config: &Config) -> Result<(), Failed> {
    let mut address = config.management.listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv6() {
            std::net::Ipv6Addr::LOCALHOST.into()
        } else {
            std::net::Ipv4Addr::LOCALHOST.into()
        });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failed::internal)?;
    let ready = runtime.block_on(async {
        let client = reqwest::Client::builder()
            .timeout(std::time::Duration::from_secs(5))
            .no_proxy()
            // The certificate is made out to the name that others use. Nothing secret is sent or told.
            .tls_danger_accept_invalid_certs(true)
            .build()?;
        let scheme = if config.management.tls.is_on() { "https" } else { "http" };
        let response = client.get(format!("{scheme}://{address}/health/ready")).send().await?;
        Ok::<_, reqwest::Error>(response.status())
    });
    match ready {
        Ok(status) if status.is_success() => Ok(()),
        Ok(status) => Err(Failed::new(Exit::Unavailable, format!("not ready: {status}"))),
        Err(error) => Err(Failed::new(Exit::Unavailable, format!("{address} can't be reached: {error}"))),
    }
}
