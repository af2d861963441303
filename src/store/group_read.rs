//! Group read: look-ups of one kind that wait at the same moment share one statement.
//!
//! A read begins only after everyone whom it answers has asked, so that sharing it shows nobody an older state than a
//! read of their own would. While one batch is read the next one gathers.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot};

use super::StoreError;
use super::database::{Database, Db};

/// A kind of look-up by key that can be made for many keys at once.
pub(super) trait Lookup: Send + Sync + 'static {
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    type Value: Clone + Send + Sync + 'static;

    /// Reads of this kind at the same time.
    const READERS: usize = 2;

    /// Reads what there is of `keys`. A row that can't be read is an error of its own key only.
    fn read(db: &mut Db<'_>, keys: &[Self::Key]) -> impl Future<Output = Result<Found<Self>, StoreError>> + Send;
}

/// What was found, by key.
pub(super) type Found<L> = HashMap<<L as Lookup>::Key, Result<<L as Lookup>::Value, StoreError>>;

/// Callers beyond this are told to come back.
const QUEUE: usize = 8192;
/// Beyond this the cost per key no longer falls.
const MAX_BATCH: usize = 128;

struct Waiting<L: Lookup> {
    key: L::Key,
    answer: oneshot::Sender<Result<Option<L::Value>, StoreError>>,
}

/// The queue of one kind of look-up.
pub(super) struct ReadLane<L: Lookup> {
    queue: mpsc::Sender<Waiting<L>>,
}

impl<L: Lookup> ReadLane<L> {
    pub(super) fn start(database: Database) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(gather::<L>(database, waiting));
        Self { queue }
    }

    /// Looks `key` up by a read that begins after this call.
    pub(super) async fn find(&self, key: L::Key) -> Result<Option<L::Value>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { key, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StoreError::Unavailable(None),
        })?;
        answered.await.unwrap_or(Err(StoreError::Unavailable(None)))
    }
}

async fn gather<L: Lookup>(database: Database, mut waiting: mpsc::Receiver<Waiting<L>>) {
    let permits = Arc::new(Semaphore::new(L::READERS));
    // The permit first: while all readers are busy the batch grows.
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        let mut batch = Vec::new();
        if waiting.recv_many(&mut batch, MAX_BATCH).await == 0 {
            return;
        }
        let database = database.clone();
        tokio::spawn(async move {
            answer::<L>(&database, batch).await;
            drop(permit);
        });
    }
}

async fn answer<L: Lookup>(database: &Database, batch: Vec<Waiting<L>>) {
    let mut keys: Vec<L::Key> = Vec::with_capacity(batch.len());
    for waiting in &batch {
        if !keys.contains(&waiting.key) {
            keys.push(waiting.key.clone());
        }
    }
    let keys: Arc<[L::Key]> = keys.into();
    let found = database.read(move |mut db| {
        let keys = Arc::clone(&keys);
        Box::pin(async move { L::read(&mut db, &keys).await })
    });
    let found = found.await.inspect_err(|error| tracing::debug!(error = ?error, "a group of look-ups failed"));
    for waiting in batch {
        let own = match found.as_ref().map(|found| found.get(&waiting.key)) {
            Ok(None) => Ok(None),
            Ok(Some(Ok(value))) => Ok(Some(value.clone())),
            Ok(Some(Err(_))) => Err(StoreError::Corrupt("row")),
            Err(_) => Err(StoreError::Unavailable(None)),
        };
        // A caller that has gone away needs no answer.
        let _gone = waiting.answer.send(own);
    }
}

impl<L: Lookup> Clone for ReadLane<L> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<L: Lookup> fmt::Debug for ReadLane<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadLane")
    }
}
