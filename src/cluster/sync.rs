//! The primitives that the fence and the index are made of: `model/` runs the same code on those of loom.

pub(super) use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
pub(super) use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
