//! What has come of the deliveries of events.

use std::fmt;
use std::sync::atomic::Ordering;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use super::float_gauge;
use crate::service::Service;

pub(super) fn encode(service: &Service, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let figures = &service.webhooks.figures;
    let help = "Deliveries of events to webhooks, by what came of them";
    let mut family = encoder.encode_descriptor("webhook_deliveries", help, None, MetricType::Counter)?;
    let outcomes =
        [("delivered", &figures.delivered), ("failed", &figures.failed), ("switched_off", &figures.switched_off)];
    for (outcome, count) in outcomes {
        let labels = [("outcome", outcome)];
        let count = count.load(Ordering::Relaxed);
        family.encode_family(&labels)?.encode_counter::<[(&str, &str); 0], _, u64>(&count, None)?;
    }
    let age = figures.oldest_age(service.clock.now()).as_secs_f64();
    let help = "How long the oldest event waits that is to be delivered to somebody";
    float_gauge(encoder, "webhook_oldest_undelivered_seconds", help, age)
}
