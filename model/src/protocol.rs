//! The steps of the protocol, and of its mutants.

use stateright::{Model, Property};

use crate::actions::Action;
use crate::state::{Node, Read, Renewal, Request, Retry, Revoke, Stage, State};

/// One order that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    AckBeforeApply,
    LeaseFromReceipt,
    CacheBeforeLease,
    UnfencedFill,
    UnconditionalJoin,
    MembershipBeforeCommit,
    FastPathOnRetry,
    NumbersNotInCommitOrder,
    /// The row of a node that still has a lease is removed.
    ReapAtOnce,
    /// The renewal does not bring what was missed.
    RenewalWithoutCatchUp,
}

/// The protocol with two nodes, one of which is observed.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    pub mutant: Option<Mutant>,
    pub observed: usize,
    /// Another revocation is made at the same time.
    pub two_writers: bool,
    /// A second call finds the token revoked.
    pub retries: bool,
    /// The observed node may crash and start again, and rows of nodes that may be dead are removed.
    pub faults: bool,
    /// A request may join a read that is under way, while its lease is running and nothing was applied since.
    pub joins: bool,
    pub until: u8,
}

/// In ticks.
const LEASE: u8 = 1;

impl Protocol {
    #[must_use]
    pub const fn sound(observed: usize) -> Self {
        Self { mutant: None, observed, two_writers: false, retries: false, faults: false, joins: false, until: 2 }
    }

    #[must_use]
    pub const fn with(mutant: Mutant, observed: usize) -> Self {
        Self { mutant: Some(mutant), ..Self::sound(observed) }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    fn leased(&self, state: &State) -> bool {
        state.now < state.nodes[self.observed].lease
    }

    /// Whether the row of `node` shows `revision`; a node without a row is waited for by nobody.
    fn shows(node: &Node, revision: u8) -> bool {
        !node.dead_row && node.row.is_none_or(|applied| applied >= revision)
    }

    fn revocation_may_return(&self, state: &State) -> bool {
        let Revoke::Applied { at, nobody } = state.revoke else { return false };
        let seen = state.log.target.unwrap_or(0);
        // Node 0 knows of itself that it has applied it; its dead predecessor does not.
        let all = Self::shows(&state.nodes[1], seen) && !state.nodes[0].dead_row;
        all || nobody || state.now >= at + LEASE
    }

    fn retry_may_return(&self, state: &State) -> bool {
        let Retry::Found { at, revision } = state.retry else { return false };
        let here = state.nodes[1].applied >= revision && !state.nodes[1].dead_row;
        let all = Self::shows(&state.nodes[0], revision) && here;
        all || state.now >= at + LEASE || self.is(Mutant::FastPathOnRetry)
    }

    /// Drops what the observed node keeps of the token.
    fn drop_cached(&self, state: &mut State, node: usize) {
        if node == self.observed {
            state.nodes[node].cached = false;
            self.fence(state);
        }
    }

    fn fence(&self, state: &mut State) {
        if let Some(read) = &mut state.orphan {
            read.fenced = true;
        }
        if let Some(Request { stage: Stage::Reading(read), .. }) = &mut state.request {
            read.fenced = true;
        }
    }

    fn apply(&self, state: &mut State, node: usize, head: u8, target: bool) {
        if target {
            self.drop_cached(state, node);
        }
        state.nodes[node].applied = state.nodes[node].applied.max(head);
    }

    fn node_actions(&self, state: &State, index: usize, actions: &mut Vec<Action>) {
        let node = &state.nodes[index];
        if !node.seated {
            actions.push(Action::Join(index));
            return;
        }
        match node.renewal {
            Renewal::Idle => actions.push(Action::SendRenewal(index)),
            Renewal::Sent { .. } => actions.push(Action::CommitRenewal(index)),
            Renewal::Read { .. } if self.is(Mutant::AckBeforeApply) && node.pending.is_none() => {
                actions.push(Action::AcknowledgeUnapplied(index));
            }
            Renewal::Read { .. } => actions.push(Action::ApplyRenewal(index)),
        }
        if node.row.is_some_and(|row| row < node.applied) {
            actions.push(Action::Acknowledge(index));
        }
        let still = state.now >= node.moved + LEASE || self.is(Mutant::ReapAtOnce);
        if node.row.is_some() && still && self.faults {
            actions.push(Action::Reap(index));
        }
    }

    fn writer_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let serial = self.is(Mutant::NumbersNotInCommitOrder);
        for writer in 0..if serial { 2 } else { 0 } {
            if state.log.drawn[writer].is_none() {
                actions.push(Action::DrawNumber(writer));
            }
        }
        let may_commit = |writer: usize| !serial || state.log.drawn[writer].is_some();
        if self.two_writers && state.log.other.is_none() && may_commit(1) {
            actions.push(Action::CommitOther);
        }
        match state.revoke {
            Revoke::Idle if self.is(Mutant::MembershipBeforeCommit) => actions.push(Action::CountMembers),
            Revoke::Idle | Revoke::Counted { .. } if may_commit(0) => actions.push(Action::CommitRevocation),
            Revoke::Committed { .. } => actions.push(Action::ApplyHere),
            Revoke::Applied { .. } if self.revocation_may_return(state) => actions.push(Action::ReturnRevocation),
            _ => {}
        }
        match state.retry {
            Retry::Idle if self.retries && state.log.target.is_some() => actions.push(Action::FindRevoked),
            Retry::Found { .. } if self.retry_may_return(state) => actions.push(Action::ReturnRetry),
            _ => {}
        }
    }

    fn request_actions(&self, state: &State, actions: &mut Vec<Action>) {
        if let Some(read) = state.orphan {
            let orphan = true;
            actions.push(if read.alive.is_none() {
                Action::AnswerRead { orphan }
            } else {
                Action::FinishRead { orphan }
            });
        }
        let Some(request) = state.request else {
            actions.push(Action::BeginRequest);
            return;
        };
        let cache_first = self.is(Mutant::CacheBeforeLease);
        match request.stage {
            Stage::Begun => actions.push(if cache_first { Action::ReadCache } else { Action::CheckLease }),
            Stage::Trusted => actions.push(Action::ReadCache),
            Stage::Found => actions.push(Action::CheckLease),
            Stage::Missed => {
                actions.push(Action::BeginRead);
                let fresh = state.orphan.is_some_and(|read| !read.fenced) && self.leased(state) && self.joins;
                if state.orphan.is_some() && (fresh || self.is(Mutant::UnconditionalJoin)) {
                    actions.push(Action::JoinRead);
                }
            }
            Stage::Reading(read) => {
                let orphan = false;
                actions.push(if read.alive.is_none() {
                    Action::AnswerRead { orphan }
                } else {
                    Action::FinishRead { orphan }
                });
                if state.orphan.is_none() {
                    actions.push(Action::GiveUp);
                }
            }
            Stage::Joined => {}
        }
    }

    fn step_node(&self, state: &mut State, action: Action) {
        let now = state.now;
        let head = state.log.head();
        match action {
            Action::Join(index) => {
                self.drop_cached(state, index);
                let node = &mut state.nodes[index];
                (node.row, node.seated, node.applied, node.moved) = (Some(head), true, head, now);
            }
            Action::SendRenewal(index) => state.nodes[index].renewal = Renewal::Sent { at: now },
            Action::CommitRenewal(index) => {
                let applied = state.nodes[index].applied;
                let target = state.log.target.is_some_and(|number| number > applied);
                let node = &mut state.nodes[index];
                let Renewal::Sent { at } = node.renewal else { return };
                if node.row.is_some() {
                    node.moved = now;
                    node.renewal = Renewal::Read { at, head, target };
                } else {
                    (node.seated, node.lease, node.renewal) = (false, 0, Renewal::Idle);
                }
            }
            Action::AcknowledgeUnapplied(index) => {
                let node = &mut state.nodes[index];
                let Renewal::Read { head, .. } = node.renewal else { return };
                node.pending = Some(head);
                if node.row.is_some() {
                    node.row = Some(head);
                }
            }
            Action::ApplyRenewal(index) => {
                let Renewal::Read { at, head, target } = state.nodes[index].renewal else { return };
                if !self.is(Mutant::RenewalWithoutCatchUp) {
                    self.apply(state, index, head, target);
                }
                let sent = if self.is(Mutant::LeaseFromReceipt) { now } else { at };
                let node = &mut state.nodes[index];
                (node.renewal, node.pending, node.lease) = (Renewal::Idle, None, sent + LEASE);
            }
            Action::Acknowledge(index) => {
                let node = &mut state.nodes[index];
                node.row = node.row.map(|_| node.applied);
            }
            Action::Crash => {
                let index = self.observed;
                state.crashed = true;
                (state.request, state.orphan) = (None, None);
                let had_row = state.nodes[index].row.is_some();
                state.nodes[index] = Node { dead_row: had_row, ..Node::default() };
                match (index, state.revoke, state.retry) {
                    (0, Revoke::Committed { .. } | Revoke::Applied { .. }, _) => state.revoke = Revoke::Gone,
                    (1, _, Retry::Found { .. }) => state.retry = Retry::Idle,
                    _ => {}
                }
            }
            Action::Reap(index) => state.nodes[index].row = None,
            _ => {}
        }
        // Of the node that is not observed only the row counts.
        let other = &mut state.nodes[1 - self.observed];
        (other.lease, other.cached, other.moved) = (0, false, 0);
        if let Renewal::Sent { at } | Renewal::Read { at, .. } = &mut other.renewal {
            *at = 0;
        }
    }

    fn step_writer(&self, state: &mut State, action: Action) {
        let now = state.now;
        let next = |state: &State, writer: usize| state.log.drawn[writer].unwrap_or(state.log.head() + 1);
        match action {
            Action::DrawNumber(writer) => {
                let drawn = state.log.drawn.iter().flatten().max().copied().unwrap_or(0);
                state.log.drawn[writer] = Some(drawn + 1);
            }
            Action::CommitOther => state.log.other = Some(next(state, 1)),
            Action::CountMembers => {
                let nobody = state.nodes.iter().all(|node| node.row.is_none() && !node.dead_row);
                state.revoke = Revoke::Counted { nobody };
            }
            Action::CommitRevocation => {
                let nobody = matches!(state.revoke, Revoke::Counted { nobody: true });
                state.log.target = Some(next(state, 0));
                state.revoke = Revoke::Committed { at: now, nobody };
            }
            Action::ApplyHere => {
                let Revoke::Committed { at, nobody } = state.revoke else { return };
                self.drop_cached(state, 0);
                state.revoke = Revoke::Applied { at, nobody };
            }
            Action::ReturnRevocation => (state.revoke, state.returned) = (Revoke::Returned, true),
            Action::FindRevoked => state.retry = Retry::Found { at: now, revision: state.log.head() },
            Action::ReturnRetry => (state.retry, state.returned) = (Retry::Returned, true),
            _ => {}
        }
    }

    fn step_request(&self, state: &mut State, action: Action) {
        let stage = |state: &mut State, stage: Stage| {
            if let Some(request) = &mut state.request {
                request.stage = stage;
            }
        };
        match action {
            Action::BeginRequest => state.request = Some(Request { after: state.returned, stage: Stage::Begun }),
            Action::CheckLease => {
                let found = matches!(state.request, Some(Request { stage: Stage::Found, .. }));
                match (self.leased(state), found) {
                    (true, true) => self.answer(state, true, true),
                    (true, false) => stage(state, Stage::Trusted),
                    (false, _) => stage(state, Stage::Missed),
                }
            }
            Action::ReadCache => {
                let cached = state.nodes[self.observed].cached;
                match (cached, self.is(Mutant::CacheBeforeLease)) {
                    (true, false) => self.answer(state, true, true),
                    (true, true) => stage(state, Stage::Found),
                    (false, _) => stage(state, Stage::Missed),
                }
            }
            Action::BeginRead => stage(state, Stage::Reading(Read { alive: None, fenced: false })),
            Action::JoinRead => stage(state, Stage::Joined),
            Action::AnswerRead { orphan } => {
                let alive = Some(state.log.target.is_none());
                match (&mut state.orphan, &mut state.request) {
                    (Some(read), _) if orphan => read.alive = alive,
                    (_, Some(Request { stage: Stage::Reading(read), .. })) => read.alive = alive,
                    _ => {}
                }
            }
            Action::FinishRead { orphan } => {
                let read = match (state.orphan, state.request) {
                    (Some(read), _) if orphan => read,
                    (_, Some(Request { stage: Stage::Reading(read), .. })) => read,
                    _ => return,
                };
                let alive = read.alive == Some(true);
                if alive && (!read.fenced || self.is(Mutant::UnfencedFill)) {
                    state.nodes[self.observed].cached = true;
                }
                let joined = matches!(state.request, Some(Request { stage: Stage::Joined, .. }));
                if orphan {
                    state.orphan = None;
                }
                if !orphan || joined {
                    self.answer(state, alive, false);
                }
            }
            Action::GiveUp => {
                if let Some(Request { stage: Stage::Reading(read), .. }) = state.request {
                    (state.orphan, state.request) = (Some(read), None);
                }
            }
            _ => {}
        }
    }

    fn answer(&self, state: &mut State, active: bool, from_memory: bool) {
        if let Some(request) = state.request.take() {
            state.violated |= active && request.after;
            state.served |= active && from_memory;
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.violated {
            return;
        }
        if state.now < self.until {
            actions.push(Action::Tick);
        }
        if self.faults && !state.crashed && state.nodes[self.observed].seated {
            actions.push(Action::Crash);
        }
        for index in 0..2 {
            self.node_actions(state, index, actions);
        }
        self.writer_actions(state, actions);
        self.request_actions(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        if action == Action::Tick {
            state.now += 1;
        }
        self.step_node(&mut state, action);
        self.step_writer(&mut state, action);
        self.step_request(&mut state, action);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let promise = Property::always("revoked means revoked", |_, state: &State| !state.violated);
        if self.mutant.is_some() {
            return vec![promise];
        }
        let mut properties = vec![
            promise,
            Property::sometimes("the revocation returns", |_, state: &State| state.revoke == Revoke::Returned),
            Property::sometimes("a request is served from memory", |_, state: &State| state.served),
            Property::sometimes("served from memory, then revoked", |_, state: &State| state.served && state.returned),
        ];
        if self.retries {
            let returns = |_: &Self, state: &State| state.retry == Retry::Returned;
            properties.push(Property::sometimes("the retry returns", returns));
        }
        properties
    }
}
