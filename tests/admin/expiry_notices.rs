//! Notices before tokens end, as events.

use jeton::domain::clock::Timestamp;
use serde_json::{Value, json};

use crate::support::TestServer;

const DAY: u64 = 86_400;

struct Key {
    id: String,
    secret: String,
}

/// A token of policy `managed`.
async fn token(server: &TestServer, name: &str, lifetime: &str) -> Key {
    let body = json!({ "policy": "managed", "name": name, "lifetime": lifetime });
    let made = server.post_json("/admin/v1/tokens", &server.admin_key, &body).await.expect(201);
    Key { id: made.json()["token"]["id"].as_str().unwrap().to_owned(), secret: made.text("access_token") }
}

async fn uses(server: &TestServer, key: &Key) {
    server.verify(&key.secret).await.expect(200);
    server.service().flush_uses().await.unwrap();
}

/// All notices so far, of tokens and imports, in their order.
async fn notices(server: &TestServer) -> Vec<Value> {
    server.service().give_expiry_notices().await.unwrap();
    let types = ["token.expiring", "token.expired", "legacy_import.expiring", "legacy_import.expired"];
    let query = types.map(|name| format!("type={name}")).join("&");
    let page = server.get(&format!("/admin/v1/events?{query}&limit=200"), &server.admin_key).await.expect(200);
    page.json()["data"].as_array().unwrap().clone()
}

/// Type, subject and days of each.
fn said(notices: &[Value]) -> Vec<(String, String, Value)> {
    let text = |notice: &Value, name: &str| notice[name].as_str().unwrap().to_owned();
    notices.iter().map(|one| (text(one, "type"), text(one, "subject"), one["data"]["notice_days"].clone())).collect()
}

fn expiring(subject: &str, days: u32) -> (String, String, Value) {
    ("token.expiring".to_owned(), subject.to_owned(), json!(days))
}

on_both_databases! {
    async fn a_token_in_use_is_told_a_month_a_week_and_a_day_before_and_when_it_has_ended(server: &TestServer) {
        let key = token(server, "orders", "90d").await;
        assert_eq!(notices(server).await, Vec::<Value>::new());
        let mut expected = Vec::new();
        for (days, notice) in [(59, None), (1, Some(30)), (1, None), (21, None), (1, Some(7)), (5, None), (1, Some(1))] {
            server.advance(days * DAY);
            uses(server, &key).await;
            expected.extend(notice.map(|days| expiring(&key.id, days)));
            for _again in 0..2 {
                assert_eq!(said(&notices(server).await), expected, "after {days} days");
            }
        }
        server.advance(DAY);
        let all = notices(server).await;
        expected.push(("token.expired".to_owned(), key.id.clone(), Value::Null));
        assert_eq!(said(&all), expected);
        let me = server.get("/api/v1/me", &server.admin_key).await.json()["user"]["id"].clone();
        let (first, last) = (&all[0], all.last().unwrap());
        assert_eq!((&first["actor"], &first["workspace"]), (&json!("system"), &json!("default")));
        for (name, value) in [("policy", json!("managed")), ("name", json!("orders")), ("owner", me), ("expires_at", json!("2027-02-19T12:00:00Z")), ("expires_in", json!(30 * DAY))] {
            assert_eq!(first["data"][name], value, "{name}");
        }
        assert_eq!((&last["data"]["last_used_at"], &last["data"]["expires_in"]), (&json!("2027-02-18T12:00:00Z"), &Value::Null));
        // It stays in the list until it is purged.
        let listed = server.get("/admin/v1/tokens?status=expired", &server.admin_key).await.expect(200);
        assert!(listed.body.contains(&key.id));
    }

    async fn of_what_nobody_uses_or_is_dead_nothing_is_told(server: &TestServer) {
        let unused = token(server, "unused", "40d").await;
        let (revoked, disabled, deleted, cut) =
            (token(server, "revoked", "40d").await, token(server, "disabled", "40d").await, token(server, "deleted", "40d").await, token(server, "cut", "40d").await);
        let alice = server.user("alice", "member").await;
        crate::store::give(&server.database, &cut.id, &alice.id).await;
        let good = token(server, "good", "40d").await;
        server.service().give_expiry_notices().await.unwrap();
        server.advance(9 * DAY);
        for key in [&revoked, &disabled, &deleted, &cut, &good] {
            uses(server, key).await;
        }
        server.post_json(&format!("/admin/v1/tokens/{}/revoke", revoked.id), &server.admin_key, &json!({})).await.expect(200);
        server.post_json(&format!("/admin/v1/tokens/{}/disable", disabled.id), &server.admin_key, &json!({})).await.expect(200);
        server.delete(&format!("/admin/v1/tokens/{}", deleted.id), &server.admin_key).await.expect(200);
        server.delete(&alice.path, &server.admin_key).await.expect(200);
        server.advance(2 * DAY);
        assert_eq!(said(&notices(server).await), [expiring(&good.id, 30)]);
        // Used last longer ago than a month: not in use any more.
        server.advance(29 * DAY);
        let seen = said(&notices(server).await);
        assert!(!seen.iter().any(|(_, subject, _)| [&unused.id, &revoked.id, &disabled.id, &deleted.id, &cut.id].contains(&subject)), "{seen:?}");
    }

    async fn after_a_time_without_a_process_there_is_one_notice_and_the_most_urgent_one(server: &TestServer) {
        let (soon, later) = (token(server, "soon", "40d").await, token(server, "later", "60d").await);
        server.service().give_expiry_notices().await.unwrap();
        server.advance(39 * DAY + DAY / 2);
        for key in [&soon, &later] {
            uses(server, key).await;
        }
        let seen = said(&notices(server).await);
        assert_eq!(seen, [expiring(&soon.id, 1), expiring(&later.id, 30)]);
        assert_eq!(said(&notices(server).await), seen);
    }

    async fn of_a_token_that_was_just_made_nothing_is_told_and_sessions_are_not_looked_at(server: &TestServer) {
        server.service().give_expiry_notices().await.unwrap();
        let (week, hours) = (token(server, "week", "7d").await, token(server, "hours", "3h").await);
        uses(server, &week).await;
        uses(server, &hours).await;
        server.access_token(&server.client(&[]).await).await;
        assert_eq!(notices(server).await, Vec::<Value>::new());
        server.advance(DAY / 4);
        assert_eq!(notices(server).await, Vec::<Value>::new());
        server.advance(5 * DAY + DAY * 3 / 4 + 60);
        uses(server, &week).await;
        assert_eq!(said(&notices(server).await), [expiring(&week.id, 1)]);
    }

    async fn an_import_is_told_once_at_each_stage_and_a_moved_deadline_counts(server: &TestServer) {
        let secret = "an-old-token-of-an-older-system";
        let import = server.legacy_token(secret).await;
        let token = Key { id: String::new(), secret: secret.to_owned() };
        server.service().give_expiry_notices().await.unwrap();
        let mut deadline = server.clock.now().plus(std::time::Duration::from_secs(40 * DAY));
        let extend = async |to: Timestamp| {
            let path = format!("/admin/v1/legacy-imports/{import}/extend");
            server.post_json(&path, &server.admin_key, &json!({ "deadline": to.to_string() })).await.expect(200);
        };
        extend(deadline).await;
        let of_import = |kind: &str, days: Value| (kind.to_owned(), import.clone(), days);
        let mut expected = Vec::new();
        server.advance(15 * DAY);
        assert_eq!(said(&notices(server).await), expected, "nobody uses any of its tokens");
        server.advance(18 * DAY);
        uses(server, &token).await;
        expected.push(of_import("legacy_import.expiring", json!(7)));
        assert_eq!(said(&notices(server).await), expected);
        deadline = deadline.plus(std::time::Duration::from_secs(60 * DAY));
        extend(deadline).await;
        server.advance(38 * DAY);
        uses(server, &token).await;
        expected.push(of_import("legacy_import.expiring", json!(30)));
        assert_eq!(said(&notices(server).await), expected);
        server.advance(29 * DAY);
        expected.push(of_import("legacy_import.expired", Value::Null));
        assert_eq!(said(&notices(server).await), expected);
    }
}
