//! Whole lists: users, clients, workspaces, APIs and plans as CSV and as lines of JSON.

use reqwest::Method;
use serde_json::{Value, json};

use super::{apis, plans};
use crate::support::{Answer, TestServer};

async fn whole(server: &TestServer, list: &str, accept: &str) -> Answer {
    let request = server.request(Method::GET, &format!("/admin/v1/{list}")).bearer_auth(&server.admin_key);
    server.send(request.header("accept", accept)).await
}

fn rows(text: &str) -> Vec<csv::StringRecord> {
    csv::Reader::from_reader(text.as_bytes()).into_records().map(Result::unwrap).collect()
}

on_both_databases! {
    async fn lists_are_whole_as_csv_and_as_lines_of_json(server: &TestServer) {
        server.user("=ada", "member").await;
        server.client(&["read", "write"]).await;
        server.workspace("acme").await;
        apis::make(server, "orders").await;
        plans::make(server, "gold", 100, &["orders"]).await;
        for (list, header, cell) in [
            ("users", "id,username,email,role,tokens_allowed,has_password,identity_subject,workspace,created_at,version", (1, "'=ada")),
            ("clients", "client_id,name,workspace,grant_types,scopes,redirect_uris,token_endpoint_auth_method,introspect,previous_secret_expires_at,created_at,version", (4, "read write")),
            ("workspaces", "id,name,admin_override,created_at,version", (1, "acme")),
            ("apis", "id,name,workspace,audience,scopes,created_at,version", (3, "https://orders.test")),
            ("plans", "id,name,workspace,requests,period,apis,created_at,version", (5, "orders")),
        ] {
            let page = whole(server, list, "application/json").await.expect(200).json();
            let page = page["data"].as_array().unwrap();
            let lines = whole(server, list, "application/x-ndjson").await.expect(200);
            assert_eq!(lines.header("content-type"), "application/x-ndjson");
            let lines: Vec<Value> = lines.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(&lines, page, "{list}: what a page shows");
            let csv = whole(server, list, "text/csv").await.expect(200);
            assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8; header=present");
            assert_eq!(csv.header("content-disposition"), format!("attachment; filename=\"{list}.csv\""));
            assert_eq!(csv.body.lines().next(), Some(header), "{list}");
            let rows = rows(&csv.body);
            assert_eq!(rows.len(), page.len(), "{list}");
            assert!(rows.iter().any(|row| &row[cell.0] == cell.1), "{list}: {}", csv.body);
        }
    }

    async fn a_whole_list_is_longer_than_a_page_and_keeps_its_filter(server: &TestServer) {
        for number in 0..3 {
            server.client_with(json!({ "name": format!("shop {number}"), "grant_types": [] })).await;
            server.advance(1);
        }
        let csv = whole(server, "clients?q=shop&limit=1", "text/csv").await.expect(200);
        let names: Vec<String> = rows(&csv.body).iter().map(|row| row[1].to_owned()).collect();
        assert_eq!(names, ["shop 2", "shop 1", "shop 0"]);
        whole(server, "clients?name=shop", "text/csv").await.expect_field_error("?name");
        let request = server.request(Method::GET, "/admin/v1/users").header("accept", "text/csv");
        server.send(request).await.expect(401);
    }
}
