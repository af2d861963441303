//! Puts the parts together and runs them: store, cache, use cases, two listeners, background work, shutdown.

mod assemble;
mod files;
mod first_run;
mod head_timer;
mod listener;
mod places;
mod record;
mod restored;
mod run;
mod tls;

pub use assemble::{Assembly, Purpose, assemble, open_store};
pub use files::ensure_directory;
pub use first_run::announce;
pub use record::WENT_BACK;
pub use restored::{back_up, declare_restored};
pub use run::{Running, Sockets, bind, start};
