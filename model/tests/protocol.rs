//! The protocol has no violation in its full state space; each wrong order has one, and it is found.

use jeton_model::{Mutant, Protocol};
use stateright::{Checker as _, Model as _};

fn is_sound(protocol: Protocol) {
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    assert!(checker.is_done());
    checker.assert_properties();
}

fn is_caught(protocol: Protocol) {
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    let violation = checker.discovery("revoked means revoked");
    assert!(violation.is_some(), "{:?} was not noticed in {} states", protocol.mutant, checker.unique_state_count());
}

#[test]
fn no_request_is_answered_active_on_the_node_that_revokes() {
    is_sound(Protocol::sound(0));
}

#[test]
fn no_request_is_answered_active_on_another_node() {
    is_sound(Protocol::sound(1));
}

#[test]
fn a_retry_returns_no_earlier_than_the_revocation_is_in_force() {
    is_sound(Protocol { retries: true, until: 1, ..Protocol::sound(0) });
    is_sound(Protocol { retries: true, until: 1, ..Protocol::sound(1) });
}

#[test]
fn crashes_and_the_removal_of_nodes_change_nothing() {
    is_sound(Protocol { faults: true, until: 1, ..Protocol::sound(0) });
    is_sound(Protocol { faults: true, until: 1, ..Protocol::sound(1) });
}

#[test]
fn all_of_it_together_is_sound_for_one_lease() {
    is_sound(Protocol { retries: true, faults: true, until: 1, ..Protocol::sound(1) });
}

#[test]
fn a_second_revocation_at_the_same_time_changes_nothing() {
    is_sound(Protocol { two_writers: true, until: 1, ..Protocol::sound(1) });
}

#[test]
fn a_read_may_be_joined_while_the_lease_runs_and_nothing_was_applied() {
    is_sound(Protocol { joins: true, until: 1, ..Protocol::sound(1) });
}

#[test]
fn an_acknowledgement_before_applying_is_caught() {
    is_caught(Protocol::with(Mutant::AckBeforeApply, 1));
}

#[test]
fn a_lease_that_is_counted_from_receipt_is_caught() {
    is_caught(Protocol::with(Mutant::LeaseFromReceipt, 1));
}

#[test]
fn a_cache_that_is_read_before_the_lease_is_caught() {
    is_caught(Protocol::with(Mutant::CacheBeforeLease, 1));
}

#[test]
fn a_fill_without_a_fence_is_caught_on_both_nodes() {
    is_caught(Protocol::with(Mutant::UnfencedFill, 0));
    is_caught(Protocol::with(Mutant::UnfencedFill, 1));
}

#[test]
fn an_unconditional_join_of_a_read_is_caught() {
    is_caught(Protocol::with(Mutant::UnconditionalJoin, 1));
}

#[test]
fn members_that_are_read_before_the_commit_are_caught() {
    is_caught(Protocol::with(Mutant::MembershipBeforeCommit, 1));
}

#[test]
fn a_fast_path_on_retry_is_caught_on_both_nodes() {
    is_caught(Protocol { retries: true, ..Protocol::with(Mutant::FastPathOnRetry, 0) });
    is_caught(Protocol { retries: true, ..Protocol::with(Mutant::FastPathOnRetry, 1) });
}

#[test]
fn numbers_that_are_not_in_commit_order_are_caught() {
    is_caught(Protocol { two_writers: true, ..Protocol::with(Mutant::NumbersNotInCommitOrder, 1) });
}

#[test]
fn a_node_that_is_reaped_while_its_lease_runs_is_caught() {
    is_caught(Protocol { faults: true, ..Protocol::with(Mutant::ReapAtOnce, 1) });
}

#[test]
fn a_renewal_that_does_not_catch_up_is_caught() {
    is_caught(Protocol::with(Mutant::RenewalWithoutCatchUp, 1));
}
