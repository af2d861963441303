//! What the tests stand on: a server in the process or as a process of its own, on a database of its own.

pub mod answer;
pub mod certificates;
pub mod cluster;
pub mod database;
pub mod deaf;
pub mod events;
pub mod legacy;
pub mod logs;
pub mod pooler;
pub mod process;
pub mod proxy;
pub mod receiver;
pub mod server;

pub use answer::Answer;
pub use database::TestDatabase;
pub use server::{TestClient, TestServer};

/// One case, as a test on each database. The case gets a server of its own; afterwards neither the database nor the
/// logs may hold a secret that was handed out.
macro_rules! on_both_databases {
    // With this of the configuration changed.
    (with $options:expr; $($cases:tt)*) => { on_both_databases!(@ $options; $($cases)*); };
    (@ $options:expr; $($(#[$meta:meta])* async fn $name:ident($server:ident: &TestServer) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every case needs all of its file's names")]
            use super::*;

            $(#[$meta])*
            async fn case($server: &$crate::support::TestServer) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                let database = $crate::support::TestDatabase::sqlite();
                let server = $crate::support::TestServer::start_with(database, $options).await;
                case(&server).await;
                server.finish().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs PostgreSQL: cargo xtask test"]
            async fn on_postgres() {
                let database = $crate::support::TestDatabase::postgres().await;
                let server = $crate::support::TestServer::start_with(database, $options).await;
                case(&server).await;
                server.finish().await;
            }
        }
    )*};
    ($($cases:tt)*) => { on_both_databases!(@ Vec::new(); $($cases)*); };
}
