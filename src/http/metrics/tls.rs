//! What is counted where TLS begins.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::domain::clock::Timestamp;

/// How a handshake has ended.
#[derive(Clone, Copy, Debug)]
pub enum Ended {
    Done,
    /// The client and we did not agree, or it left.
    Failed,
    TimedOut,
    /// Its place was needed for another.
    GivenUp,
    /// Something else than TLS was spoken.
    NotTls,
}

/// The label of each [`Ended`], in its order.
const RESULTS: [&str; 5] = ["done", "failed", "timed_out", "given_up", "not_tls"];

/// The TLS of one listener.
#[derive(Debug)]
pub struct TlsFigures {
    listener: &'static str,
    handshakes: [AtomicU64; RESULTS.len()],
    expires_s: AtomicI64,
}

impl TlsFigures {
    #[must_use]
    pub fn new(listener: &'static str) -> Self {
        Self { listener, handshakes: Default::default(), expires_s: AtomicI64::new(0) }
    }

    pub fn ended(&self, how: Ended) {
        self.handshakes[how as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The certificate that is shown from now on ends then.
    pub fn expires(&self, at: Timestamp) {
        self.expires_s.store(at.seconds(), Ordering::Relaxed);
    }
}

/// Nothing, where no listener speaks TLS.
pub(super) fn encode<'a>(
    listeners: impl Iterator<Item = &'a TlsFigures> + Clone,
    encoder: &mut DescriptorEncoder<'_>,
) -> fmt::Result {
    if listeners.clone().next().is_none() {
        return Ok(());
    }
    let help = "TLS handshakes, by how they have ended";
    let mut family = encoder.encode_descriptor("tls_handshakes", help, None, MetricType::Counter)?;
    for tls in listeners.clone() {
        for (result, count) in RESULTS.iter().zip(&tls.handshakes) {
            let (labels, count) = ([("listener", tls.listener), ("result", result)], count.load(Ordering::Relaxed));
            family.encode_family(&labels)?.encode_counter::<[(&str, &str); 0], _, u64>(&count, None)?;
        }
    }
    let help = "When the certificate that is shown ends, in seconds since 1970";
    let mut family =
        encoder.encode_descriptor("tls_certificate_expires_timestamp_seconds", help, None, MetricType::Gauge)?;
    for tls in listeners {
        let end = ConstGauge::new(tls.expires_s.load(Ordering::Relaxed));
        end.encode(family.encode_family(&[("listener", tls.listener)])?)?;
    }
    Ok(())
}
