//! Floor 2: what this process keeps in memory of the store, and how revocations reach it.

mod applied;
pub mod cache;
mod catalogs;
mod cutoffs;
pub mod feed;
mod fence;
pub mod figures;
pub mod fingerprint;
pub mod follower;
pub mod history;
pub mod imports;
mod index;
pub mod lease;
pub mod lineage;
pub mod membership;
pub mod probe;
pub mod pump;
mod reaper;
pub mod refusals;
mod sync;
pub mod tally;
pub mod usage;
pub mod waiting;
