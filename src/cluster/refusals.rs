//! Refusals of this process, gathered in memory until the next batch is written.
//!
//! Whatever is sent to the service, memory and writes are bounded: of one token, and of everything that proves no token
//! at all, a few are kept each time, and the others are counted on the last one that was.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::ids::TokenId;
use crate::domain::refusal::Rule;
use crate::store::refusal::Refusal;

/// Gathers refusals. Never blocks on I/O.
#[derive(Debug, Default)]
pub struct RefusalRecorder {
    pending: Mutex<Pending>,
    /// Held while a batch is written: what was taken before is in the store once this is free.
    pub writing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Pending {
    refusals: Vec<Refusal>,
    /// How many of each kind are kept, and where the last one is.
    kept: HashMap<(Option<TokenId>, Rule), (usize, usize)>,
}

/// Rows of one batch.
const MAX_PENDING: usize = 500;
/// Rows of one token and rule: enough to find each request of a person who tries again.
const MAX_OF_TOKEN: usize = 20;
/// Rows of one rule for requests that prove no token; anybody can send as many as they like.
const MAX_UNPROVEN: usize = 50;

impl RefusalRecorder {
    pub fn note(&self, refusal: Refusal) {
        let pending = &mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (refusal.token, refusal.rule);
        let most = if refusal.token.is_some() { MAX_OF_TOKEN } else { MAX_UNPROVEN };
        match pending.kept.get_mut(&key) {
            Some((kept, last)) if *kept >= most || pending.refusals.len() >= MAX_PENDING => {
                pending.refusals[*last].occurrences += refusal.occurrences;
            }
            Some((kept, last)) => {
                (*kept, *last) = (*kept + 1, pending.refusals.len());
                pending.refusals.push(refusal);
            }
            None if pending.refusals.len() < MAX_PENDING => {
                pending.kept.insert(key, (1, pending.refusals.len()));
                pending.refusals.push(refusal);
            }
            // A diagnosis is lost, not a decision.
            None => {}
        }
    }

    /// Everything gathered so far.
    pub fn take(&self) -> Vec<Refusal> {
        std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner)).refusals
    }

    /// What could not be written, for the next time.
    pub fn give_back(&self, refusals: Vec<Refusal>) {
        refusals.into_iter().for_each(|refusal| self.note(refusal));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::entropy::Entropy;
    use crate::domain::ids::RefusalId;

    fn refusal(token: Option<TokenId>, rule: Rule, request: usize) -> Refusal {
        let at = Timestamp::from_ms(1);
        Refusal {
            id: RefusalId::generate(at, &Entropy::seeded(request as u64)),
            at,
            workspace: None,
            request_id: request.to_string(),
            token,
            grant: None,
            endpoint: "GET /x".to_owned(),
            rule,
            detail: None,
            occurrences: 1,
        }
    }

    #[test]
    fn a_flood_is_counted_and_a_few_of_it_are_kept() {
        let recorder = RefusalRecorder::default();
        for request in 0..100_000 {
            recorder.note(refusal(None, Rule::Tag, request));
        }
        let token = TokenId::from_bytes([1; 16]);
        for request in 0..30 {
            recorder.note(refusal(Some(token), Rule::Expired, request));
        }
        let refusals = recorder.take();
        assert_eq!(refusals.len(), MAX_UNPROVEN + MAX_OF_TOKEN);
        let sum = |rule| refusals.iter().filter(|own| own.rule == rule).map(|own| own.occurrences).sum::<i64>();
        assert_eq!((sum(Rule::Tag), sum(Rule::Expired)), (100_000, 30));
        assert!(recorder.take().is_empty());
    }

    #[test]
    fn memory_is_bounded_however_many_tokens_are_refused() {
        let recorder = RefusalRecorder::default();
        for number in 0..10_000_u16 {
            let mut id = [0; 16];
            id[..2].copy_from_slice(&number.to_be_bytes());
            recorder.note(refusal(Some(TokenId::from_bytes(id)), Rule::Revoked, usize::from(number)));
        }
        let refusals = recorder.take();
        assert_eq!(refusals.len(), MAX_PENDING);
        recorder.give_back(refusals);
        assert_eq!(recorder.take().len(), MAX_PENDING);
    }
}
