//! `POST /admin/v1/legacy-imports/{id}/rows`: streamed, resumed, repeated, tried.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::legacy::sha256_hex;

fn rows(range: std::ops::Range<usize>) -> Vec<Value> {
    range.map(|number| json!({ "token": format!("token-number-{number}"), "user": "admin" })).collect()
}

fn ndjson(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

/// The codes of the errors, by line.
fn errors(summary: &Value) -> Vec<(u64, String)> {
    let errors = summary["errors"].as_array().unwrap();
    errors.iter().map(|error| (error["line"].as_u64().unwrap(), error["code"].as_str().unwrap().to_owned())).collect()
}

/// A file in which everything goes wrong that can.
fn bad_file(own_token: &str) -> String {
    let hash = sha256_hex("token-number-1");
    [
        r#"{"hash":"HASH","user":"admin","name":"good","scopes":"read"}"#,
        r#"{"hash":"HASH","user":"admin"}"#,
        "",
        "not json",
        r#"[1]"#,
        r#"{"hash":"HASH","usr":"admin"}"#,
        r#"{"hash":"abc","user":"admin"}"#,
        r#"{"token":"token-number-1","user":"admin"}"#,
        r#"{"hash":"HASH","hint":"x","user":"admin"}"#,
        r#"{"hash":"0000000000000000000000000000000000000000000000000000000000000001","user":"nobody"}"#,
        r#"{"hash":"0000000000000000000000000000000000000000000000000000000000000002"}"#,
        r#"{"hash":"0000000000000000000000000000000000000000000000000000000000000003","user":"admin","client":"x"}"#,
        r#"{"hash":"0000000000000000000000000000000000000000000000000000000000000004","user":"admin","scopes":["a\"b"]}"#,
        "{\"hash\":\"0000000000000000000000000000000000000000000000000000000000000005\",\"user\":\"admin\",\"name\":\"a\\u202eb\"}",
        r#"{"hash":"0000000000000000000000000000000000000000000000000000000000000006","user":"admin","created_at":"2027-01-01T00:00:00Z"}"#,
        r#"{"hash":"0000000000000000000000000000000000000000000000000000000000000007","user":"admin","expires_at":"2026-01-01T00:00:00Z"}"#,
        r#"{"hash":"0000000000000000000000000000000000000000000000000000000000000008","user":"admin","created_at":1700000000}"#,
        r#"{"token":"OWN","user":"admin"}"#,
    ]
    .join("\n")
    .replace("HASH", &hash)
    .replace("OWN", own_token)
}

on_both_databases! {
    async fn every_line_is_judged_alone_and_told_by_its_number(server: &TestServer) {
        let import = server.import("sha256", json!({})).await;
        let sent = server.upload_text(&import, "", "application/x-ndjson", bad_file(&server.admin_key)).await.expect(200).json();
        let expected = [
            (4, "malformed"), (5, "malformed"), (6, "malformed"), (7, "bad_credential"), (8, "bad_credential"),
            (9, "bad_credential"), (10, "unknown_owner"), (11, "unknown_owner"), (12, "two_owners"), (13, "bad_scopes"),
            (14, "bad_name"), (15, "in_future"), (16, "ended"), (18, "bad_credential"),
        ];
        assert_eq!(errors(&sent), expected.map(|(line, code)| (line, code.to_owned())));
        let counts = ["rows", "imported", "skipped", "refused", "position"].map(|name| sent[name].as_i64().unwrap());
        assert_eq!(counts, [17, 2, 1, 14, 18]);
        let view = server.import_view(&import).await;
        let counts = ["imported", "skipped", "refused", "position"].map(|name| view[name].as_i64().unwrap());
        assert_eq!((counts, view["status"].as_str()), ([2, 1, 14, 18], Some("complete")));
    }

    async fn a_token_of_this_service_is_not_imported(server: &TestServer) {
        let import = server.import("plain", json!({})).await;
        let sent = server.upload(&import, "", &[json!({ "token": server.admin_key, "user": "admin" })]).await.expect(200);
        assert_eq!(errors(&sent.json()), [(1, "own_token".to_owned())]);
    }

    async fn a_dry_run_tells_what_the_real_run_does_and_changes_nothing(server: &TestServer) {
        let (first, second) = (server.import("sha256", json!({})).await, server.import("sha512", json!({})).await);
        let taken = server.import("bcrypt", json!({})).await;
        let hash = |text: &str| bcrypt::hash(text, 4).unwrap();
        let (one, two) = (hash("one.secret-secret"), hash("one.another-secret"));
        server.upload(&taken, "", &[json!({ "hash": one, "hint": "held", "user": "admin" })]).await.expect(200);
        let bcrypts = server.import("bcrypt", json!({ "source": "another" })).await;
        let mut file = bad_file(&server.admin_key);
        // Repeats far apart, beyond the size of a batch.
        let filler: String = (0..2_500).map(|number| format!("\n{{\"hash\":\"{number:064x}\",\"user\":\"admin\"}}")).collect();
        file.push_str(&filler);
        file.push_str(&filler);
        let hints = ndjson(&[
            json!({ "hash": one, "hint": "one", "user": "admin" }),
            json!({ "hash": one, "hint": "one", "user": "admin" }),
            json!({ "hash": two, "hint": "one", "user": "admin" }),
            json!({ "hash": one, "hint": "held", "user": "admin" }),
            json!({ "hash": two, "hint": "held", "user": "admin" }),
            json!({ "hash": two, "user": "admin" }),
        ]);
        for (import, file) in [(&first, &file), (&second, &file), (&bcrypts, &hints)] {
            let before = server.import_view(import).await;
            let send = async |query: &str| {
                let sent = server.upload_text(import, query, "application/x-ndjson", file.clone()).await.expect(200).json();
                let counts = ["rows", "imported", "skipped", "refused"].map(|name| sent[name].as_i64().unwrap());
                (counts, errors(&sent))
            };
            let dry = send("?dry_run=true").await;
            assert_eq!(server.import_view(import).await, before);
            assert_eq!(crate::store::count(&server.database, "SELECT COUNT(*) FROM legacy_dry_run").await, 0);
            assert_eq!(dry, send("").await);
        }
        let told = server.upload_text(&bcrypts, "?dry_run=true", "application/x-ndjson", hints).await.expect(200).json();
        let codes = [(3, "hint_in_use"), (4, "in_use"), (5, "hint_in_use"), (6, "hint_missing")];
        assert_eq!(errors(&told), codes.map(|(line, code)| (line, code.to_owned())));
    }

    async fn sending_a_file_again_changes_nothing(server: &TestServer) {
        let import = server.import("plain", json!({})).await;
        let file = rows(0..1_500);
        let sent = server.upload(&import, "", &file).await.expect(200).json();
        assert_eq!((&sent["imported"], &sent["skipped"]), (&json!(1_500), &json!(0)));
        server.verify("token-number-7").await.expect(200);
        server.service().flush_upgrades().await.unwrap();
        let again = server.upload(&import, "", &file).await.expect(200).json();
        assert_eq!((&again["imported"], &again["skipped"]), (&json!(0), &json!(1_500)));
        assert_eq!(server.import_view(&import).await["imported"], 1_500);
        assert_eq!(crate::store::count(&server.database, "SELECT COUNT(*) FROM grant_ WHERE origin = 'import'").await, 1_500);
        let other = server.import("plain", json!({ "source": "another" })).await;
        let held = server.upload(&other, "", &file[..2]).await.expect(200).json();
        assert_eq!(errors(&held), [(1, "in_use".to_owned()), (2, "in_use".to_owned())]);
    }

    async fn a_cut_upload_goes_on_where_it_was_cut(server: &TestServer) {
        let import = server.import("plain", json!({})).await;
        let file = rows(0..3_700);
        let head = format!(
            "POST /admin/v1/legacy-imports/{import}/rows HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n",
            server.admin_key
        );
        let address = server.url.strip_prefix("http://").unwrap().to_owned();
        let piece = ndjson(&file[..2_300]);
        tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).unwrap();
            // Half of the connection is closed: the end of the body never comes, and the answer says so.
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
        })
        .await
        .unwrap();
        let position = async || server.import_view(&import).await["position"].as_u64().unwrap();
        // Whole batches are written before the answer; which of them is the server's affair.
        let at = usize::try_from(position().await).unwrap();
        assert!((1_000..=2_300).contains(&at), "{at}");
        assert_eq!(server.import_view(&import).await["status"], "open");
        server.verify("token-number-500").await.expect(200);
        let gap = server.upload(&import, &format!("?from_line={}", at + 2), &file[at + 1..]).await.expect(409);
        assert!(gap.text("detail").contains(&format!("line {}", at + 1)));
        // A little of what is written already, and the rest.
        let rest = server.upload(&import, &format!("?from_line={}", at - 9), &file[at - 10..]).await.expect(200).json();
        assert_eq!((rest["imported"].as_u64(), rest["skipped"].as_u64()), (Some((3_700 - at) as u64), Some(10)));
        let view = server.import_view(&import).await;
        let counts = ["imported", "skipped", "refused", "position"].map(|name| view[name].as_i64().unwrap());
        assert_eq!((counts, view["status"].as_str()), ([3_700, 0, 0, 3_700], Some("complete")));
    }

    async fn csv_is_read_like_ndjson(server: &TestServer) {
        let import = server.import("plain", json!({})).await;
        let file = "token,user,name,scopes,created_at\r\ncsv-token-1,admin,\"one, \"\"two\"\"\",read write,2020-01-01T00:00:00Z\r\n\
                    csv-token-2,admin,\"a\nb\",,\r\n\r\ncsv-token-3,,,,\r\ncsv-token-4,admin,,,yesterday\r\n";
        let sent = server.upload_text(&import, "", "text/csv; charset=utf-8", file.to_owned()).await.expect(200).json();
        let expected = [(3, "bad_name"), (6, "unknown_owner"), (7, "malformed")];
        assert_eq!(errors(&sent), expected.map(|(line, code)| (line, code.to_owned())));
        let session = server.get("/oauth20/access-token", "csv-token-1").await.expect(200).json();
        assert_eq!(session["scope"], "read write");
        assert_eq!(session["session"]["name"], "one, \"two\"");
        assert_eq!(session["session"]["created_at"], "2020-01-01T00:00:00Z");
        let bad = server.upload_text(&import, "", "text/csv", "tokken,user\nx,y\n".to_owned()).await.expect(400);
        assert!(bad.body.contains("tokken") || bad.body.contains("header"), "{}", bad.body);
    }

    async fn an_upload_in_another_form_is_refused(server: &TestServer) {
        let import = server.import("plain", json!({})).await;
        for media_type in ["application/json", "text/plain", "application/octet-stream"] {
            server.upload_text(&import, "", media_type, "{}".to_owned()).await.expect(415);
        }
        for (query, pointer) in [("?from_line=0", "?from_line"), ("?from_line=x", "?from_line"), ("?dry_run=1", "?dry_run"), ("?x=1", "?x"), ("?dry_run=true&dry_run=true", "?dry_run")] {
            server.upload(&import, query, &[]).await.expect_field_error(pointer);
        }
        let empty = server.upload(&import, "", &[]).await.expect(200).json();
        assert_eq!((&empty["rows"], &empty["position"]), (&json!(0), &json!(0)));
    }

    async fn a_long_line_is_refused_alone(server: &TestServer) {
        let import = server.import("plain", json!({})).await;
        let long = json!({ "token": "x".repeat(20_000), "user": "admin" });
        let sent = server.upload(&import, "", &[long, json!({ "token": "token-after-it", "user": "admin" })]).await.expect(200);
        assert_eq!(errors(&sent.json()), [(1, "too_long".to_owned())]);
        server.verify("token-after-it").await.expect(200);
    }

    async fn owners_are_found_by_id_and_by_name_or_are_who_is_said(server: &TestServer) {
        let (one, other) = (server.client(&[]).await, server.client(&[]).await);
        let admin = server.get("/oauth20/access-token", &server.admin_key).await.expect(200).json();
        let import = server.import("plain", json!({ "unmapped_owner": { "type": "client", "id": other.id } })).await;
        let rows = [
            json!({ "token": "by-user-name", "user": "admin" }),
            json!({ "token": "by-user-id-x", "user": admin["session"]["user_id"] }),
            json!({ "token": "by-client-id", "client": one.id }),
            json!({ "token": "unmapped-one", "user": "nobody" }),
            // Two clients have this name: it names neither.
            json!({ "token": "unmapped-two", "client": "test" }),
        ];
        server.upload(&import, "", &rows).await.expect(200);
        let subject = async |token: &str| server.verify(token).await.expect(200).header("x-auth-subject").to_owned();
        let user = admin["session"]["user_id"].as_str().unwrap();
        assert_eq!(subject("by-user-name").await, user);
        assert_eq!(subject("by-user-id-x").await, user);
        assert_eq!(subject("by-client-id").await, one.id);
        assert_eq!(subject("unmapped-one").await, other.id);
        assert_eq!(subject("unmapped-two").await, other.id);
        // Who is deleted takes their tokens along, and gets no more.
        server.delete(&format!("/admin/v1/clients/{}", other.id), &server.admin_key).await.expect(200);
        server.verify("unmapped-one").await.expect_invalid_token();
        let sent = server.upload(&import, "", &[json!({ "token": "unmapped-three" })]).await.expect(200);
        assert_eq!(errors(&sent.json()), [(1, "unknown_owner".to_owned())]);
    }

    async fn nobody_imports_tokens_for_somebody_above_them(server: &TestServer) {
        let member = json!({ "username": "mallory", "email": "m@example.com", "role": "admin", "password": "correct horse battery staple" });
        let made = server.post_json("/admin/v1/users", &server.admin_key, &member).await.expect(201);
        let import = server.import("plain", json!({})).await;
        let key = json!({ "token": "mallorys-own-key", "user": "mallory", "scopes": ["jeton:manage"] });
        server.upload(&import, "", &[key]).await.expect(200);
        let path = format!("/admin/v1/legacy-imports/{import}/rows");
        let row = json!({ "token": "to-become-operator", "user": "admin", "scopes": ["jeton:manage"] });
        let request = server.request(reqwest::Method::POST, &path).bearer_auth("mallorys-own-key");
        let request = request.header("content-type", "application/x-ndjson").body(row.to_string());
        let sent = server.send(request).await.expect(200);
        assert_eq!(errors(&sent.json()), [(1, "owner_above".to_owned())], "{}", made.body);
        let body = json!({ "source": "x", "scheme": "plain", "deadline": crate::support::legacy::DEADLINE, "unmapped_owner": { "type": "user", "id": "admin" } });
        let refused = server.post_json("/admin/v1/legacy-imports", "mallorys-own-key", &body).await;
        refused.expect_field_error("/unmapped_owner/id");
    }
}
