//! A time limit for what is mostly done at once.

use std::pin::pin;
use std::time::Duration;

use futures_util::poll;
use tokio::time::error::Elapsed;

/// As [`tokio::time::timeout`], but a timer is made only for a future that has to wait: most requests never do.
///
/// # Errors
/// [`Elapsed`] when `future` is not done in time.
pub(super) async fn time_limit<F: Future>(limit: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    match poll!(future.as_mut()) {
        std::task::Poll::Ready(output) => Ok(output),
        std::task::Poll::Pending => tokio::time::timeout(limit, future).await,
    }
}
