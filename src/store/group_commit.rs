//! Group commit: writes of one kind that wait at the same moment share one transaction.
//!
//! Each caller is answered only after the commit. While a batch is being written the next one gathers, so the
//! batch size follows the load without a timer. A batch that fails is taken apart and each member tried alone, so
//! that one bad member does not fail its neighbours. Where the outcome of a commit is not known nothing is tried
//! again, and every member learns that it is not known.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};

use super::StoreError;
use super::database::{Backend, Database, Db};
use super::tx::{ATTEMPTS, within};

/// A kind of write that can share a transaction with others of its kind.
pub(super) trait Batch: Send + Sync + Sized + 'static {
    type Output: Send + 'static;

    /// Names the transaction.
    const NAME: &'static str;
    /// Batches that are written at the same time where the database takes several writers.
    const WRITERS: usize;
    /// Whether `write` of these is a single statement on PostgreSQL. It is a transaction by itself then: one round trip, where
    /// BEGIN and COMMIT would make it three.
    fn one_statement(_database: &Database, _members: &[&Self]) -> bool {
        false
    }

    /// Writes all members, in order, and returns as many outputs.
    fn write(db: &mut Db<'_>, members: &[&Self]) -> impl Future<Output = Result<Vec<Self::Output>, StoreError>> + Send;

    /// Called between the commit and the answers.
    fn committed(_database: &Database, _outputs: &[Self::Output]) {}

    /// Called when nobody knows whether the batch was committed.
    fn outcome_unknown(_database: &Database) {}
}

/// Callers beyond this are told to come back: at the slowest commit rate worth serving it is seconds of work.
const QUEUE: usize = 8192;
/// Beyond about a hundred rows a transaction the cost per row no longer falls.
const MAX_BATCH: usize = 128;
/// Longer than a transaction may take, so that its own error is the one that is seen.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

struct Waiting<B: Batch> {
    member: B,
    answer: oneshot::Sender<Result<B::Output, StoreError>>,
}

/// The queue of one kind of write.
pub(super) struct Lane<B: Batch> {
    queue: mpsc::Sender<Waiting<B>>,
}

impl<B: Batch> Lane<B> {
    pub(super) fn start(database: Database) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(gather(database, waiting));
        Self { queue }
    }

    /// Queues `member` and waits until it is committed.
    pub(super) async fn submit(&self, member: B) -> Result<B::Output, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { member, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StoreError::Unavailable(None),
        })?;
        match tokio::time::timeout(ANSWER_TIMEOUT, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(StoreError::OutcomeUnknown(None)),
        }
    }
}

async fn gather<B: Batch>(database: Database, mut waiting: mpsc::Receiver<Waiting<B>>) {
    let writers = match database.backend {
        Backend::Sqlite { .. } => 1,
        Backend::Postgres(_) => B::WRITERS,
    };
    let permits = Arc::new(Semaphore::new(writers));
    // The permit first: while all writers are busy the batch grows.
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        let mut batch = Vec::new();
        if waiting.recv_many(&mut batch, MAX_BATCH).await == 0 {
            return;
        }
        let database = database.clone();
        tokio::spawn(async move {
            settle(&database, batch).await;
            drop(permit);
        });
    }
}

async fn settle<B: Batch>(database: &Database, batch: Vec<Waiting<B>>) {
    let members: Vec<&B> = batch.iter().map(|waiting| &waiting.member).collect();
    match commit_together(database, &members).await {
        Ok(outputs) => {
            for (waiting, output) in batch.into_iter().zip(outputs) {
                // A caller that has gone away does not undo what was committed.
                let _gone = waiting.answer.send(Ok(output));
            }
        }
        Err(error @ (StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_))) => {
            tracing::warn!(tx = B::NAME, members = batch.len(), error = ?error, "a batch could not be committed");
            let unknown = matches!(error, StoreError::OutcomeUnknown(_));
            for waiting in batch {
                let own = if unknown { StoreError::OutcomeUnknown(None) } else { StoreError::Unavailable(None) };
                let _gone = waiting.answer.send(Err(own));
            }
        }
        Err(error) if batch.len() == 1 => {
            let only = batch.into_iter().next();
            let _gone = only.map(|waiting| waiting.answer.send(Err(error)));
        }
        Err(error) => {
            tracing::debug!(tx = B::NAME, members = batch.len(), error = ?error, "a batch is taken apart");
            for waiting in batch {
                let alone = commit_together(database, &[&waiting.member]).await;
                let alone = alone.and_then(|mut outputs| outputs.pop().ok_or(StoreError::OutcomeUnknown(None)));
                let _gone = waiting.answer.send(alone);
            }
        }
    }
}

async fn commit_together<B: Batch>(database: &Database, members: &[&B]) -> Result<Vec<B::Output>, StoreError> {
    let mut attempt = 1;
    loop {
        match try_commit(database, members).await {
            Err(StoreError::Contended(_)) if attempt < ATTEMPTS => attempt += 1,
            Err(error @ StoreError::OutcomeUnknown(_)) => {
                B::outcome_unknown(database);
                return Err(error);
            }
            Ok(outputs) => {
                B::committed(database, &outputs);
                return Ok(outputs);
            }
            Err(error) => return Err(error),
        }
    }
}

async fn try_commit<B: Batch>(database: &Database, members: &[&B]) -> Result<Vec<B::Output>, StoreError> {
    if let (true, Backend::Postgres(pool)) = (B::one_statement(database, members), &database.backend) {
        let lone = within(database.lone(pool)).await?;
        return lone.settle(async |mut db| B::write(&mut db, members).await).await;
    }
    let (tx, outputs) = within(async {
        let mut tx = database.begin().await?;
        let outputs = B::write(&mut tx.db(), members).await?;
        Ok((tx, outputs))
    })
    .await?;
    tx.commit().await?;
    Ok(outputs)
}

impl<B: Batch> Clone for Lane<B> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<B: Batch> fmt::Debug for Lane<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lane({})", B::NAME)
    }
}
