//! Floor 2: what this process keeps in memory of the store, and how revocations reach it.

mod applied;
pub mod cache;
mod catalogs;
mod cutoffs;
pub mod imports;
mod index;
pub mod refusals;
pub mod usage;
