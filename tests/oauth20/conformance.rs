//! Requirements of the RFCs that no other test is about; docs/conformance.md names the section of each.

use reqwest::Method;
use serde_json::json;

const FORM: &str = "application/x-www-form-urlencoded";

on_both_databases! {
    async fn the_token_endpoint_reads_its_parameters_from_the_body_only(server: &TestServer) {
        let client = server.client(&["a"]).await;
        let path = "/oauth20/token?grant_type=client_credentials";
        server.post_form(path, Some(&client), &[]).await.expect_oauth_error(400, "invalid_request");
        let path = "/oauth20/token?scope=beyond";
        let form = [("grant_type", "client_credentials")];
        assert_eq!(server.post_form(path, Some(&client), &form).await.expect(200).text("scope"), "a");
    }

    async fn a_second_authorization_header_is_an_invalid_request(server: &TestServer) {
        let client = server.client(&[]).await;
        for path in ["/oauth20/token", "/oauth20/revoke"] {
            let request = server.request(Method::POST, path).basic_auth(&client.id, Some(&client.secret));
            let request = request.header("authorization", "Bearer x").header("content-type", FORM);
            let request = request.body("grant_type=client_credentials&token=x");
            server.send(request).await.expect_oauth_error(400, "invalid_request");
        }
    }

    async fn a_way_to_authenticate_that_is_not_offered_is_an_invalid_client(server: &TestServer) {
        let client = server.client(&[]).await;
        let form = [("grant_type", "client_credentials"), ("client_assertion", "x"), ("client_assertion_type", "y")];
        for client in [None, Some(&client)] {
            let refused = server.post_form("/oauth20/token", client, &form).await;
            refused.expect_oauth_error(401, "invalid_client");
        }
    }

    async fn a_public_client_gets_no_token_of_its_own(server: &TestServer) {
        let (_, _, client_id) = server.pair().await;
        let form = [("grant_type", "client_credentials"), ("client_id", client_id.as_str())];
        server.post_form("/oauth20/token", None, &form).await.expect_oauth_error(400, "unauthorized_client");
    }

    async fn the_order_of_scopes_does_not_matter_and_their_case_does(server: &TestServer) {
        let client = server.client(&["a", "b"]).await;
        let ask = async |scope: &str| {
            let form = [("grant_type", "client_credentials"), ("scope", scope)];
            server.post_form("/oauth20/token", Some(&client), &form).await
        };
        assert_eq!(ask("b a").await.expect(200).text("scope"), "a b");
        ask("a B").await.expect_oauth_error(400, "invalid_scope");
    }

    async fn a_token_in_a_body_or_a_cookie_is_not_presented(server: &TestServer) {
        let token = server.access_token(&server.client(&[]).await).await;
        let request = server.request(Method::POST, "/oauth20/verify").header("content-type", FORM);
        let answer = server.send(request.body(format!("access_token={token}"))).await.expect(401);
        assert!(!answer.header("www-authenticate").contains("error="));
        let request = server.request(Method::GET, "/oauth20/verify").header("cookie", format!("access_token={token}"));
        assert!(!server.send(request).await.expect(401).header("www-authenticate").contains("error="));
    }

    async fn a_challenge_has_each_parameter_at_most_once(server: &TestServer) {
        let token = server.access_token(&server.client(&["a"]).await).await;
        for answer in [
            server.send(server.request(Method::GET, "/oauth20/verify")).await.expect(401),
            server.verify("garbage").await.expect(401),
            server.verify("a,b").await.expect(400),
            server.get("/oauth20/verify?scope=b&scope=c", &token).await.expect(403),
            server.get("/api/v1/tokens", "garbage").await.expect(401),
        ] {
            assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 1);
            let challenge = answer.header("www-authenticate");
            assert!(challenge.starts_with("Bearer realm=\"jeton\""), "{challenge}");
            for name in [" realm=", " error=", " error_description=", " scope=", " resource_metadata="] {
                assert!(challenge.matches(name).count() <= 1, "{name} in {challenge}");
            }
        }
    }

    async fn a_token_is_introspected_by_post_only(server: &TestServer) {
        let client = server.client(&[]).await;
        let token = server.access_token(&client).await;
        let path = format!("/oauth20/introspect?token={token}");
        let request = server.request(Method::GET, &path).basic_auth(&client.id, Some(&client.secret));
        assert_eq!(server.send(request).await.expect(405).header("allow"), "POST");
        server.post_form(&path, Some(&client), &[]).await.expect_oauth_error(400, "invalid_request");
    }

    async fn an_introspection_answer_is_json_and_names_the_issuer_of_the_metadata(server: &TestServer) {
        let client = server.client(&[]).await;
        let token = server.access_token(&client).await;
        let answer = server.introspect(&client, &token).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/json");
        let request = server.request(Method::GET, "/.well-known/oauth-authorization-server");
        assert_eq!(answer.json()["iss"], server.send(request).await.expect(200).json()["issuer"]);
    }

    async fn the_metadata_names_the_ways_to_authenticate_that_work(server: &TestServer) {
        let request = server.request(Method::GET, "/.well-known/oauth-authorization-server");
        let body = server.send(request).await.expect(200).json();
        let all = json!(["client_secret_basic", "client_secret_post", "none"]);
        assert_eq!(body["token_endpoint_auth_methods_supported"], all);
        assert_eq!(body["revocation_endpoint_auth_methods_supported"], all);
        let confidential = json!(["client_secret_basic", "client_secret_post"]);
        assert_eq!(body["introspection_endpoint_auth_methods_supported"], confidential);
        for (name, member) in body.as_object().unwrap() {
            assert!(!member.is_null(), "{name} is left out where it has no value");
        }
        let request = server.request(Method::POST, "/.well-known/oauth-authorization-server");
        server.send(request).await.expect(405);
    }

    async fn the_resource_metadata_of_a_challenge_is_served(server: &TestServer) {
        let challenge = server.verify("garbage").await.expect_invalid_token();
        let (_, url) = challenge.header("www-authenticate").split_once("resource_metadata=\"https://auth.test").unwrap();
        let path = url.split('"').next().unwrap().to_owned();
        let answer = server.send(server.request(Method::GET, &path)).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.json()["resource"], "https://auth.test");
        assert_eq!(answer.json()["bearer_methods_supported"], json!(["header"]));
    }

    async fn an_error_description_has_only_the_characters_of_rfc_6749(server: &TestServer) {
        let client = server.client(&["a"]).await;
        let ask = async |form: &[(&str, &str)]| server.post_form("/oauth20/token", Some(&client), form).await;
        let (grant, long) = (("grant_type", "client_credentials"), "x".repeat(129));
        for answer in [
            ask(&[grant, ("scope", "a\"b")]).await,
            ask(&[grant, ("scope", "\u{1f600}")]).await,
            ask(&[grant, ("scope", long.as_str())]).await,
            ask(&[grant, ("resource", "\"\\")]).await,
            ask(&[("grant_type", "\"\\\u{1f600}")]).await,
            ask(&[("\"\\", "1"), ("\"\\", "2")]).await,
            ask(&[("grant_type", "refresh_token"), ("refresh_token", "\"\\")]).await,
        ] {
            let description = answer.expect(400).text("error_description");
            let allowed = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(description.bytes().all(allowed), "{description}");
        }
    }

    async fn a_challenge_names_scopes_in_the_characters_of_rfc_6750(server: &TestServer) {
        let token = server.access_token(&server.client(&["a"]).await).await;
        for demanded in ["%22%5C", "%00", "%F0%9F%98%80", "b%0D%0Ac"] {
            let answer = server.get(&format!("/oauth20/verify?scope={demanded}"), &token).await.expect(403);
            let challenge = answer.header("www-authenticate");
            let (_, scope) = challenge.split_once(" scope=\"").unwrap_or(("", "none\""));
            let (scope, _) = scope.split_once('"').unwrap();
            assert!(!scope.is_empty() && !scope.contains('\\'), "{challenge}");
        }
    }

    async fn a_redirect_uri_with_control_characters_is_refused(server: &TestServer) {
        for uri in ["https://a.test/\u{0}", "https://a.test/\r\nx: y", "ht\ttps://a.test/", " https://a.test/"] {
            let body = json!({ "name": "x", "grant_types": [], "redirect_uris": [uri] });
            let refused = server.post_json("/admin/v1/clients", &server.admin_key, &body).await;
            refused.expect_field_error("/redirect_uris/0");
        }
    }
}
