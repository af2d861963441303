//! One step of one process.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Tick,
    /// The row is made, what was kept is dropped.
    Join(usize),
    SendRenewal(usize),
    /// The database commits the renewal.
    CommitRenewal(usize),
    /// The node has the answer: it applies it and has its lease.
    ApplyRenewal(usize),
    /// The mutant writes the acknowledgement before it applies.
    AcknowledgeUnapplied(usize),
    Acknowledge(usize),
    Crash,
    Reap(usize),
    CountMembers,
    DrawNumber(usize),
    CommitOther,
    CommitRevocation,
    ApplyHere,
    ReturnRevocation,
    FindRevoked,
    ReturnRetry,
    BeginRequest,
    CheckLease,
    ReadCache,
    BeginRead,
    JoinRead,
    /// The database answers the read of the request, or the orphaned one.
    AnswerRead {
        orphan: bool,
    },
    FinishRead {
        orphan: bool,
    },
    GiveUp,
}
