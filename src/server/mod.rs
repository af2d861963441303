//! Puts the parts together and runs them: store, cache, use cases, two listeners, background work, shutdown.

mod assemble;
mod files;
mod first_run;
mod listener;
mod run;

pub use assemble::{Assembly, assemble, open_store};
pub use files::ensure_directory;
pub use first_run::announce;
pub use run::{Running, Sockets, bind, start};
