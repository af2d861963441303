//! What one measurement has found, and what several of them say together.

use std::fmt;
use std::time::Duration;

/// One measurement.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Answered requests, or transactions.
    pub requests: f64,
    /// How many asked at the same time, each as soon as it had its answer.
    pub connections: usize,
    pub elapsed: Duration,
    /// CPU time of the server process.
    pub server: Option<Duration>,
    /// CPU time of all database processes.
    pub database: Option<Duration>,
    pub latency: Option<Latency>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Latency {
    pub p50: Duration,
    pub p99: Duration,
}

impl Sample {
    pub(crate) fn per_second(&self) -> f64 {
        self.requests / self.elapsed.as_secs_f64()
    }

    /// How long an answer took on average: so many were waiting for one all the time.
    pub(crate) fn mean(&self) -> Duration {
        self.elapsed.mul_f64(self.connections as f64 / self.requests)
    }

    /// Microseconds of the server's CPU per request.
    pub(crate) fn server_us(&self) -> Option<f64> {
        self.server.map(|time| self.us_each(time))
    }

    /// Microseconds of the database's CPU per request.
    pub(crate) fn database_us(&self) -> Option<f64> {
        self.database.map(|time| self.us_each(time))
    }

    fn us_each(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / self.requests
    }
}

impl Latency {
    /// `None` without a single request.
    pub(crate) fn of(mut nanoseconds: Vec<u32>) -> Option<Self> {
        nanoseconds.sort_unstable();
        let at = |percent: usize| {
            let index = (nanoseconds.len() * percent / 100).min(nanoseconds.len().checked_sub(1)?);
            Some(Duration::from_nanos(nanoseconds[index].into()))
        };
        Some(Self { p50: at(50)?, p99: at(99)? })
    }
}

/// A number that was found several times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// `None` if any of them is missing: the rest would tell something else.
    pub(crate) fn of(values: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect::<Option<_>>()?;
        values.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) };
        Some(Self { median, min, max })
    }
}

/// With as many decimals as the format asks for: median (min to max).
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, min, max } = self;
        let decimals = f.precision().unwrap_or(0);
        write!(f, "{median:.decimals$} ({min:.decimals$} to {max:.decimals$})")
    }
}
