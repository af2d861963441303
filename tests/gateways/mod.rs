//! The recipes of `deploy/gateways`, each with the real gateway, the real service and a service to protect.

mod cases;
mod gateway;
mod tap;
mod upstream;

use gateway::Kind;

use crate::support::{TestDatabase, TestServer};

/// The cases behind one gateway. What depends on the answers of the service runs on both databases.
macro_rules! behind {
    ($($module:ident $kind:ident;)*) => {$(
        mod $module {
            use super::*;

            behind!(@ $kind
                a_good_token_reaches_the_service_with_its_identity
                what_is_refused_never_reaches_the_service
                an_outage_stays_a_503);

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs the gateways that cargo xtask test installs"]
            async fn an_identity_that_the_client_claims_is_dropped() {
                on_sqlite(async |server| cases::an_identity_that_the_client_claims_is_dropped(server, Kind::$kind).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs the gateways that cargo xtask test installs"]
            async fn large_bodies_and_websockets_go_to_the_service_alone() {
                on_sqlite(async |server| cases::large_bodies_and_websockets_go_to_the_service_alone(server, Kind::$kind).await)
                    .await;
            }

            #[tokio::test]
            #[ignore = "needs the gateways that cargo xtask test installs"]
            async fn nobody_passes_when_jeton_is_stopped() {
                cases::nobody_passes_when_jeton_is_stopped(Kind::$kind).await;
            }

            #[tokio::test]
            #[ignore = "needs the gateways that cargo xtask test installs"]
            async fn nobody_passes_when_jeton_does_not_answer() {
                cases::nobody_passes_when_jeton_does_not_answer(Kind::$kind).await;
            }
        }
    )*};
    (@ $kind:ident $($case:ident)*) => {$(
        mod $case {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs the gateways that cargo xtask test installs"]
            async fn on_sqlite() {
                super::on_sqlite(async |server| cases::$case(server, Kind::$kind).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs PostgreSQL and the gateways: cargo xtask test"]
            async fn on_postgres() {
                on(TestDatabase::postgres().await, async |server| cases::$case(server, Kind::$kind).await).await;
            }
        }
    )*};
}

behind! {
    nginx Nginx;
    caddy Caddy;
    haproxy Haproxy;
    traefik Traefik;
    envoy Envoy;
}

async fn on_sqlite(case: impl AsyncFnOnce(&TestServer)) {
    on(TestDatabase::sqlite(), case).await;
}

async fn on(database: TestDatabase, case: impl AsyncFnOnce(&TestServer)) {
    let server = TestServer::start(database).await;
    case(&server).await;
    server.finish().await;
}
