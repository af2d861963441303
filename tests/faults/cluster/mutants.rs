//! The suite itself is proven: of each wrong order of the protocol (`src/domain/mutant.rs`) an answer is found that breaks the promise,
//! and of the right order none, in the same build and by the same faults. `cargo xtask mutants` runs these.

use super::{Fault, Run, now};

/// Clusters that are tried before a mutant counts as one that survives, and how often the fault happens to each.
const SEEDS: u64 = 5;
const TURNS: usize = 3;

async fn is_found(mutant: &str, fault: Fault) {
    let started = now();
    for seed in 1..=SEEDS {
        let mut run = Run::start(seed, Some(mutant)).await;
        for turn in 1..=TURNS {
            run.strike(fault).await;
            let stale = run.load.stale();
            if let Some(first) = stale.first() {
                let (took, more) = (started.elapsed().as_secs(), stale.len() - 1);
                eprintln!("{mutant}: {fault:?}, seed {seed}, turn {turn}, {took} s: {first}, and {more} more");
                return;
            }
        }
        run.end().await;
    }
    panic!("{mutant} survives {fault:?} with {SEEDS} seeds");
}

macro_rules! each_is_found {
    ($($name:ident: $mutant:literal by $fault:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        #[ignore = "cargo xtask mutants"]
        async fn $name() {
            is_found($mutant, $fault).await;
        }
    )*};
}

each_is_found! {
    ack_before_apply: "ack-before-apply" by Fault::SlowDatabase;
    lease_from_receipt: "lease-from-receipt" by Fault::ToldLate;
    cache_before_lease: "cache-before-lease" by Fault::Paused;
    unfenced_fill: "unfenced-fill" by Fault::Overtaken;
    unconditional_join: "unconditional-join" by Fault::Overtaken;
    membership_before_commit: "membership-before-commit" by Fault::TakenForDead;
    fast_path_on_retry: "fast-path-on-retry" by Fault::RetryStorm;
    numbers_not_in_commit_order: "numbers-not-in-commit-order" by Fault::SlowDatabase;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "cargo xtask mutants"]
async fn right_order() {
    let mut run = Run::start(1, None).await;
    for fault in
        [Fault::SlowDatabase, Fault::Overtaken, Fault::ToldLate, Fault::Paused, Fault::TakenForDead, Fault::RetryStorm]
    {
        for _ in 0..TURNS {
            run.strike(fault).await;
            let stale = run.load.stale();
            assert!(stale.is_empty(), "{fault:?}: {stale:?}");
        }
    }
    run.end().await;
}
