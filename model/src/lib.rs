//! The revocation protocol as a model: two nodes, one revocation, its retry, and requests that are answered meanwhile.
//!
//! Time is discrete. Between any two steps of a process any other may go on, which is what a pause, a lost notification
//! or a slow network comes to: a node may renew its lease at any moment or never. The property is the promise: a request
//! that begins after a revocation has returned is not answered active.
//!
//! One node is observed: it has a cache, requests and reads. The other one is a member whose acknowledgement is waited
//! for. The revocation runs on node 0, its retry on node 1; either can be the observed one.

mod actions;
mod protocol;
mod state;

pub use actions::Action;
pub use protocol::{Mutant, Protocol};
pub use state::State;
