//! Slows down who guesses passwords, and who reports leaks: a bounded number of attempts per account and per address.
//!
//! Kept in the memory of the process: each node of a cluster allows its own attempts.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::domain::clock::Timestamp;

/// The attempts of everybody.
#[derive(Debug)]
pub struct Throttle {
    accounts: Limiter,
    addresses: Limiter,
    reports: Limiter,
}

/// Too many attempts; the next one is heard after this many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    pub retry_after_s: u32,
}

/// Enough for a person who has forgotten which password it was; then two a minute, which is no way to guess.
const ACCOUNT: (u32, Duration) = (8, Duration::from_secs(30));
/// Several people may share an address.
const ADDRESS: (u32, Duration) = (40, Duration::from_secs(3));
/// A scanner that has found something sends it in few reports.
const REPORTS: (u32, Duration) = (20, Duration::from_secs(3));
/// Accounts and addresses that are remembered; about a megabyte each.
const MAX_KEYS: usize = 20_000;

impl Default for Throttle {
    fn default() -> Self {
        Self { accounts: Limiter::new(ACCOUNT), addresses: Limiter::new(ADDRESS), reports: Limiter::new(REPORTS) }
    }
}

impl Throttle {
    /// Counts one attempt.
    ///
    /// # Errors
    /// [`Throttled`]: the attempt must not be looked at.
    pub(super) fn attempt(&self, account: &str, address: Option<IpAddr>, now: Timestamp) -> Result<(), Throttled> {
        self.visit(address, now)?;
        self.accounts.take(key(account.as_bytes()), now)
    }

    /// Counts one report of leaked tokens.
    ///
    /// # Errors
    /// [`Throttled`]: the report must not be looked at.
    pub(super) fn report(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), Throttled> {
        let from = address.map_or_else(|| "unknown".to_owned(), network);
        self.reports.take(key(from.as_bytes()), now)
    }

    /// Counts one attempt of somebody who has not said who they are.
    ///
    /// # Errors
    /// [`Throttled`].
    pub(super) fn visit(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), Throttled> {
        address.map_or(Ok(()), |address| self.addresses.take(key(network(address).as_bytes()), now))
    }

    /// The account's owner is in: their attempts no longer count.
    pub(super) fn succeeded(&self, account: &str) {
        self.accounts.forget(key(account.as_bytes()));
    }
}

/// A generic cell rate algorithm: one number a key.
#[derive(Debug)]
struct Limiter {
    burst: i64,
    interval_ms: i64,
    /// When all attempts of a key will have been worked off.
    due: Mutex<HashMap<[u8; 16], i64>>,
}

impl Limiter {
    fn new((burst, interval): (u32, Duration)) -> Self {
        let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
        Self { burst: burst.into(), interval_ms, due: Mutex::default() }
    }

    fn take(&self, key: [u8; 16], now: Timestamp) -> Result<(), Throttled> {
        let now = now.ms();
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let start = due.get(&key).copied().unwrap_or(now).max(now);
        let wait = start + self.interval_ms - now - self.burst * self.interval_ms;
        if wait > 0 {
            return Err(Throttled { retry_after_s: u32::try_from(wait / 1000 + 1).unwrap_or(u32::MAX) });
        }
        if due.len() >= MAX_KEYS && !due.contains_key(&key) {
            due.retain(|_, due| *due > now);
            // Still full: whoever has the least to wait for is forgotten.
            if due.len() >= MAX_KEYS
                && let Some(least) = due.iter().min_by_key(|(_, due)| **due).map(|(key, _)| *key)
            {
                due.remove(&least);
            }
        }
        due.insert(key, start + self.interval_ms);
        Ok(())
    }

    fn forget(&self, key: [u8; 16]) {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

/// One customer of a provider: an IPv4 address, or the /64 of an IPv6 address.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{:x?}", &address.segments()[..4]),
    }
}

/// Of equal size however long a name somebody types.
fn key(text: &[u8]) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(text).into();
    let (head, _) = digest.split_first_chunk().expect("32 bytes hold 16");
    *head
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000_000);

    #[test]
    fn an_account_gets_a_burst_and_then_one_attempt_per_interval() {
        let throttle = Throttle::default();
        for _ in 0..8 {
            assert_eq!(throttle.attempt("ada", None, NOW), Ok(()));
        }
        assert_eq!(throttle.attempt("ada", None, NOW), Err(Throttled { retry_after_s: 31 }));
        assert_eq!(throttle.attempt("bob", None, NOW), Ok(()));
        let later = NOW.plus(Duration::from_secs(30));
        assert_eq!(throttle.attempt("ada", None, later), Ok(()));
        assert!(throttle.attempt("ada", None, later).is_err());
        throttle.succeeded("ada");
        assert_eq!(throttle.attempt("ada", None, later), Ok(()));
    }

    #[test]
    fn an_address_is_slowed_down_whatever_names_it_tries_and_its_whole_network_with_it() {
        let throttle = Throttle::default();
        let address = |text: &str| Some(text.parse().unwrap());
        for name in 0..40 {
            assert_eq!(throttle.attempt(&name.to_string(), address("2001:db8::1"), NOW), Ok(()));
        }
        assert!(throttle.attempt("new", address("2001:db8::2"), NOW).is_err());
        assert_eq!(throttle.attempt("new", address("2001:db8:0:1::2"), NOW), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_who_waits_longest_is_remembered() {
        let throttle = Throttle::default();
        while throttle.attempt("victim", None, NOW).is_ok() {}
        for name in 0..MAX_KEYS + 10 {
            let _heard = throttle.attempt(&format!("user {name}"), None, NOW);
        }
        assert!(throttle.accounts.due.lock().unwrap().len() <= MAX_KEYS);
        assert!(throttle.attempt("victim", None, NOW).is_err());
    }
}
