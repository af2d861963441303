//! `/admin/v1/plans…`: plans, of the vocabulary of the product.

use serde_json::{Value, json};

use super::apis;
use crate::support::Answer;

/// Makes a plan that allows so many requests a minute, on these APIs.
pub async fn make(server: &crate::support::TestServer, name: &str, requests: u32, apis: &[&str]) -> Answer {
    let body = json!({ "name": name, "requests": requests, "period": "1m", "apis": apis });
    server.post_json("/admin/v1/plans", &server.admin_key, &body).await.expect(201)
}

on_both_databases! {
    async fn a_plan_is_made_listed_shown_edited_and_deleted(server: &TestServer) {
        apis::make(server, "orders").await;
        let made = make(server, "gold", 100, &["orders"]).await;
        let path = format!("/admin/v1/plans/{}", made.text("id"));
        assert_eq!((made.header("location"), made.header("etag")), (path.as_str(), "\"1\""));
        assert_eq!((&made.json()["requests"], made.text("period").as_str()), (&json!(100), "1m"));
        let shown = server.get(&path, &server.admin_key).await.expect(200);
        assert_eq!(shown.json(), made.json());
        let listed = server.get("/admin/v1/plans", &server.admin_key).await.expect(200);
        assert_eq!(listed.json()["data"], json!([made.json()]));

        let edit = json!({ "requests": 5, "apis": [] });
        let edited = server.patch_json(&path, &server.admin_key, "\"1\"", &edit).await.expect(200);
        assert_eq!((&edited.json()["requests"], &edited.json()["apis"]), (&json!(5), &json!([])));
        assert_eq!((edited.text("period").as_str(), edited.header("etag")), ("1m", "\"2\""));
        assert_eq!(server.get(&path, &server.admin_key).await.json(), edited.json());
        server.patch_json(&path, &server.admin_key, "\"1\"", &edit).await.expect(412);

        let told = server.delete(&format!("{path}?dry_run=true"), &server.admin_key).await.expect(200);
        assert_eq!((&told.json()["dry_run"], &told.json()["reach"]["tokens"]), (&json!(true), &json!(0)));
        server.delete(&path, &server.admin_key).await.expect(200);
        server.get(&path, &server.admin_key).await.expect(404);
        let again = json!({ "name": "gold", "requests": 1, "period": 60 });
        server.post_json("/admin/v1/plans", &server.admin_key, &again).await.expect(409);
        for action in ["plan.create", "plan.update", "plan.delete"] {
            assert_eq!(crate::store::audit_rows(&server.database, action).await.len(), 1, "{action}");
        }
    }

    async fn bad_fields_of_a_plan_are_all_named(server: &TestServer) {
        let make = async |change: Value| {
            let mut body = json!({ "name": "p", "requests": 1, "period": 1 });
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            server.post_json("/admin/v1/plans", &server.admin_key, &body).await
        };
        make(json!({ "name": "P" })).await.expect_field_error("/name");
        for requests in [json!(0), json!(1_000_000_001), json!(-1), json!(1.5), json!("9"), json!(4_294_967_296_u64)] {
            make(json!({ "requests": requests })).await.expect_field_error("/requests");
        }
        for period in [json!(0), json!("32d"), json!("1w"), json!(-1), json!(null)] {
            make(json!({ "period": period })).await.expect_field_error("/period");
        }
        make(json!({ "apis": ["nowhere"] })).await.expect_field_error("/apis/0");
        make(json!({ "scopes": [] })).await.expect_field_error("/scopes");
        let all = make(json!({ "name": "", "requests": 0, "period": 0, "apis": ["x"] })).await.expect(400);
        assert_eq!(all.json()["errors"].as_array().unwrap().len(), 4);
        let path = format!("/admin/v1/plans/{}", make(json!({ "period": "31d" })).await.expect(201).text("id"));
        for (edit, pointer) in [
            (json!({ "name": "b" }), "/name"),
            (json!({ "requests": null }), "/requests"),
            (json!({ "period": 0 }), "/period"),
            (json!({ "apis": ["x"] }), "/apis/0"),
        ] {
            server.patch_json(&path, &server.admin_key, "\"1\"", &edit).await.expect_field_error(pointer);
        }
    }
}
