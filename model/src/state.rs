//! What the processes and the database know.

/// Everything. Small, because there are millions of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    pub now: u8,
    pub log: Log,
    pub nodes: [Node; 2],
    pub revoke: Revoke,
    pub retry: Retry,
    /// Some revocation of the token has returned.
    pub returned: bool,
    pub request: Option<Request>,
    /// A read whose request has gone away. It goes on, and fills the cache.
    pub orphan: Option<Read>,
    pub crashed: bool,
    pub violated: bool,
    /// A request was answered active from memory: without it the model would prove nothing.
    pub served: bool,
}

/// The revocation log. Numbers are given out from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Log {
    /// The number of the revocation that is looked at, once it is committed.
    pub target: Option<u8>,
    /// Of another one, which somebody else makes.
    pub other: Option<u8>,
    /// Numbers that were drawn before their commit, by the mutant that does so.
    pub drawn: [Option<u8>; 2],
}

impl Log {
    /// The newest number that a reader sees.
    pub fn head(self) -> u8 {
        self.target.max(self.other).unwrap_or(0)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Node {
    /// `applied_seq` of its row, if it has one.
    pub row: Option<u8>,
    /// When the row's counter last moved.
    pub moved: u8,
    /// The row of a process that has crashed.
    pub dead_row: bool,
    /// Believes that it has a row.
    pub seated: bool,
    pub applied: u8,
    pub renewal: Renewal,
    /// Has acknowledged what it is about to apply: only the mutant does so.
    pub pending: Option<u8>,
    pub lease: u8,
    /// The token is kept as alive.
    pub cached: bool,
}

/// A renewal under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Renewal {
    #[default]
    Idle,
    Sent {
        at: u8,
    },
    /// Committed; the answer is on its way.
    Read {
        at: u8,
        head: u8,
        target: bool,
    },
}

/// The revocation, on node 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Revoke {
    #[default]
    Idle,
    /// Has read the members before its commit: only the mutant does so.
    Counted {
        nobody: bool,
    },
    Committed {
        at: u8,
        nobody: bool,
    },
    /// What was kept on this node is dropped.
    Applied {
        at: u8,
        nobody: bool,
    },
    Returned,
    /// Its process has crashed.
    Gone,
}

/// A second call, on node 1, that finds the token revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Retry {
    #[default]
    Idle,
    Found {
        at: u8,
        revision: u8,
    },
    Returned,
}

/// A request on the observed node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// It has begun after the revocation had returned.
    pub after: bool,
    pub stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    Begun,
    /// The lease was running.
    Trusted,
    /// The token was in the cache, and the lease is still to be looked at: only the mutant does so.
    Found,
    /// The database is to be asked.
    Missed,
    Reading(Read),
    /// Waits for the orphan's read: only mutants do so.
    Joined,
}

/// A read of the database that is to fill the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Read {
    /// What it has found, once it has.
    pub alive: Option<bool>,
    /// Something was applied since it began.
    pub fenced: bool,
}
