//! Puts the parts together and runs them: store, cache, use cases, two listeners, background work, shutdown.

mod assemble;
mod files;
mod first_run;
mod head_timer;
mod inherited;
mod listener;
mod places;
pub(crate) mod record;
mod restored;
mod run;
mod tls;

pub(crate) use assemble::database_options;
pub use assemble::{Assembly, Purpose, assemble, open_store};
pub use files::ensure_directory;
pub(crate) use files::{MASTER_KEY, find_master_key};
pub use first_run::announce;
pub use inherited::Inherited;
pub use record::WENT_BACK;
pub use restored::{back_up, declare_restored};
pub use run::{Running, Sockets, bind, start};
pub(crate) use tls::{Certificate, Files};
