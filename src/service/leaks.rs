//! `POST /leaks`: whoever has found a token where it must not be hands it in, and it is revoked. Possession is the proof.
//!
//! The answer tells nothing of the token: it is the same for a live one, a dead one and any other string, and it is given at
//! the same time after the report was taken in. A revocation normally is in force on every node by then; one that takes
//! longer goes on behind the answer, also when the reporter hangs up.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::error::{ApiFailure, FieldError};
use super::{RequestContext, Service};
use crate::domain::grant::TokenOf;
use crate::domain::name::shown_text;
use crate::domain::secret::Secret;
use crate::store::StoreError;
use crate::store::lookup::StoredToken;
use crate::store::revoke::Revoke;

/// What somebody has found.
#[derive(Debug)]
pub struct LeakReport {
    /// Strings that look like tokens.
    pub tokens: Vec<Secret<String>>,
    /// Where they were found.
    pub source: Option<String>,
}

/// The reports that are being worked on.
#[derive(Debug)]
pub struct Reports(Arc<Semaphore>);

/// Strings of one report.
pub const MAX_TOKENS: usize = 100;
/// Longer than any token: ours have 83 characters with the usual brand, those of an older system up to this many.
pub const MAX_TOKEN_CHARS: usize = 512;
/// What a source is cut off at: a URL of a file in a repository fits.
pub const MAX_SOURCE_CHARS: usize = 500;

/// When a report is answered, counted from when it was taken in: longer than a revocation takes where all nodes are well.
const ANSWER_AFTER: Duration = Duration::from_secs(1);
/// Reports that are worked on at once; each costs a task, and a few hundred rows at most.
const MAX_REPORTS: usize = 64;
/// Tokens of one report that are looked at at once.
const MAX_PARALLEL: usize = 16;
/// How often, and after what pause, a revocation is tried that the database does not take: five minutes of outage.
const ATTEMPTS: u32 = 60;
const PAUSE: Duration = Duration::from_secs(5);
/// Who revokes what was handed in.
const ACTOR: &str = "system";
const REASON: &str = "leaked";

impl Default for Reports {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_REPORTS)))
    }
}

impl LeakReport {
    /// # Errors
    /// [`ApiFailure::Invalid`] naming what is empty or too long. Says nothing about what the strings are.
    pub fn read(tokens: Vec<String>, source: Option<String>) -> Result<Self, ApiFailure> {
        let mut errors = Vec::new();
        if !(1..=MAX_TOKENS).contains(&tokens.len()) {
            errors.push(FieldError::new("/tokens", format!("has from 1 to {MAX_TOKENS} strings")));
        }
        for (index, token) in tokens.iter().enumerate().take(MAX_TOKENS) {
            let visible = token.bytes().all(|byte| byte.is_ascii_graphic());
            if !visible || !(1..=MAX_TOKEN_CHARS).contains(&token.len()) {
                let detail = format!("has from 1 to {MAX_TOKEN_CHARS} visible ASCII characters");
                errors.push(FieldError::new(format!("/tokens/{index}"), detail));
            }
        }
        let source = source.map(|source| shown_text(&source, MAX_SOURCE_CHARS)).transpose().unwrap_or_else(|error| {
            errors.push(FieldError::new("/source", error.to_string()));
            None
        });
        if !errors.is_empty() {
            return Err(ApiFailure::Invalid(errors));
        }
        Ok(Self { tokens: tokens.into_iter().map(Secret::new).collect(), source })
    }
}

impl Service {
    /// Revokes what is alive among the strings of a report. Returns a fixed time after it was taken in.
    ///
    /// # Errors
    /// [`ApiFailure::Throttled`], and the store's where it does not answer at all; neither depends on what was handed in.
    pub async fn take_leak_report(&self, report: LeakReport, context: RequestContext) -> Result<(), ApiFailure> {
        let throttled = self.throttle.report(context.client_ip, self.clock.now());
        throttled.map_err(|throttled| ApiFailure::Throttled { retry_after_s: throttled.retry_after_s })?;
        let permit = Arc::clone(&self.leaks.0).try_acquire_owned().ok().ok_or(StoreError::Overloaded)?;
        // For every report, so that an outage is told to all alike.
        self.store.head().await?;
        let answer_at = Instant::now() + ANSWER_AFTER;
        tokio::spawn(self.clone().work_on(report, context, permit));
        sleep_until(answer_at).await;
        Ok(())
    }

    async fn work_on(self, report: LeakReport, context: RequestContext, permit: OwnedSemaphorePermit) {
        let LeakReport { tokens, source } = report;
        let each = stream::iter(tokens).for_each_concurrent(MAX_PARALLEL, |token| {
            let (service, source, context) = (&self, source.as_deref(), &context);
            async move { service.revoke_until_done(&token, source, context).await }
        });
        each.await;
        drop(permit);
    }

    async fn revoke_until_done(&self, token: &Secret<String>, source: Option<&str>, context: &RequestContext) {
        for _ in 0..ATTEMPTS {
            match self.revoke_leaked(token.expose_secret(), source, context).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(request.id = context.request_id, error = ?error, "a leaked token will be revoked later");
                }
            }
            sleep_until(Instant::now() + PAUSE).await;
        }
        tracing::error!(request.id = context.request_id, "a token that was reported as leaked could not be revoked");
    }

    async fn revoke_leaked(
        &self,
        token: &str,
        source: Option<&str>,
        context: &RequestContext,
    ) -> Result<(), StoreError> {
        let stored = match self.codec.parse(token) {
            Ok(presented) => {
                self.store.find_token(presented.id).await?.filter(|stored| stored.is_proven_by(&presented))
            }
            Err(_) => self.find_foreign(token).await?,
        };
        let now = self.clock.now();
        let ended = |stored: &StoredToken| stored.id.expires_at().is_some_and(|end| end <= now);
        let Some(stored) = stored.filter(|stored| !ended(stored)) else {
            return Ok(());
        };
        let which = TokenOf { kind: stored.kind, generation: stored.generation };
        let (id, kind) = (stored.id, stored.kind);
        let Ok(grant) = stored.grant.live_for(which, now) else {
            return Ok(());
        };
        let target = self.revocation_target(&grant).await?;
        let event = self.audit_event(context, grant.workspace.id, ACTOR.to_owned(), "token.leak", grant.id.to_string());
        let audit = event.with_detail(&json!({
            "token_id": id, "kind": kind.to_string(), "source": source,
            "reported_from": context.client_ip.map(|ip| ip.to_string()),
        }));
        let revoke = Revoke { target, at: now, by: ACTOR.to_owned(), reason: Some(REASON.to_owned()), audit };
        let (_, receipt) = self.write_revocation(revoke).await?;
        tracing::warn!(grant = %grant.id, revision = receipt.revision.value(), "a leaked token was revoked");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_bounded_and_says_which_string_is_not() {
        let read = |tokens: &[&str], source: Option<&str>| {
            LeakReport::read(tokens.iter().map(|text| (*text).to_owned()).collect(), source.map(ToOwned::to_owned))
        };
        assert_eq!(read(&["a"], Some("https://example.test/x")).unwrap().tokens[0].expose_secret(), "a");
        let pointers = |read: Result<LeakReport, ApiFailure>| match read {
            Err(ApiFailure::Invalid(errors)) => errors.into_iter().map(|error| error.pointer).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(pointers(read(&[], None)), ["/tokens"]);
        assert_eq!(pointers(read(&["a"; 101], None)), ["/tokens"]);
        assert_eq!(pointers(read(&["a", " ", &"x".repeat(513)], None)), ["/tokens/1", "/tokens/2"]);
        assert_eq!(pointers(read(&["a"], Some("a\nb"))), ["/source"]);
        assert_eq!(pointers(read(&["a"], Some(&"x".repeat(501)))), ["/source"]);
    }
}
