//! Every route declares who may call it, and refuses everybody else.

use jeton::http::routes::{self, Access};
use reqwest::Method;

on_both_databases! {
    async fn every_route_refuses_who_may_not_call_it(server: &TestServer) {
        let client = server.client(&["read"]).await;
        for route in routes::public().into_iter().chain(routes::pages()) {
            // A new one each time: one of the routes revokes it.
            let clients_token = server.access_token(&client).await;
            let method = route.method.clone().unwrap_or(Method::GET);
            let path = route.path.replace("{id}", "grt_0000000000000000000000").replace("{client_id}", "x").replace("{revision}", "1").replace("{*path}", "x").replace("{file}", "swagger-ui.css").replace("{import}", "imp_0000000000000000000000");
            let request = || {
                let request = server.request(method.clone(), &path);
                if method == Method::POST && route.access == Access::Client {
                    request.header("content-type", "application/x-www-form-urlencoded").body("token=x&grant_type=client_credentials")
                } else {
                    request
                }
            };
            let anonymous = server.send(request()).await;
            let forged = server.send(request().bearer_auth("jtn_a_forged")).await;
            let underprivileged = server.send(request().bearer_auth(&clients_token)).await;
            let named = format!("{method} {path}");
            match route.access {
                Access::Public if method == Method::POST => assert_eq!(anonymous.status, 415, "{named}"),
                Access::Public => assert_eq!(anonymous.status, 200, "{named}"),
                Access::Client => assert_eq!((anonymous.status, forged.status), (401, 401), "{named}"),
                Access::Bearer | Access::Presented => assert_eq!((anonymous.status, forged.status), (401, 401), "{named}"),
                Access::User | Access::Admin | Access::Operator => {
                    assert_eq!((anonymous.status, forged.status, underprivileged.status), (401, 401, 403), "{named}");
                }
                Access::Visitor => assert!(anonymous.status < 500, "{named}: {}", anonymous.status),
                Access::Session | Access::AdminSession => {
                    let expected = if method == Method::GET { 303 } else { 401 };
                    assert_eq!((anonymous.status, forged.status, underprivileged.status), (expected, expected, expected), "{named}");
                    continue;
                }
                Access::Network => panic!("{named} is on the public listener"),
            }
            if anonymous.status == 401 {
                assert!(!anonymous.header("www-authenticate").is_empty(), "{named}");
            }
        }
    }

    async fn a_member_is_no_admin(server: &TestServer) {
        crate::store::demote(&server.database, "member").await;
        server.get("/api/v1/tokens", &server.admin_key).await.expect(200);
        for route in routes::public().into_iter().filter(|route| matches!(route.access, Access::Admin | Access::Operator)) {
            let path = route.path.replace("{client_id}", "x").replace("{revision}", "1");
            let request = server.request(route.method.unwrap(), &path).bearer_auth(&server.admin_key);
            server.send(request).await.expect(403);
        }
    }

    async fn an_administrator_is_no_operator(server: &TestServer) {
        crate::store::demote(&server.database, "admin").await;
        server.get("/admin/v1/clients", &server.admin_key).await.expect(200);
        let routes = routes::public().into_iter().filter(|route| route.access == Access::Operator).collect::<Vec<_>>();
        assert!(routes.len() >= 5);
        for route in routes {
            let request = server.request(route.method.unwrap(), route.path).bearer_auth(&server.admin_key);
            server.send(request).await.expect(403);
        }
    }
}
