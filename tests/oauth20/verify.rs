//! `/oauth20/verify`

use reqwest::Method;

on_both_databases! {
    async fn a_good_token_is_described_in_headers(server: &TestServer) {
        let client = server.client(&["orders:read"]).await;
        let token = server.access_token(&client).await;
        let answer = server.verify(&token).await.expect(200);
        assert_eq!(answer.body, "");
        assert_eq!(answer.header("x-auth-subject"), client.id);
        assert_eq!(answer.header("x-auth-client"), client.id);
        assert_eq!(answer.header("x-auth-workspace"), "default");
        assert_eq!(answer.header("x-auth-scope"), "orders:read");
        assert_eq!(answer.header("x-auth-expires"), "1795266000");
        assert!(token.contains(answer.header("x-auth-token-id")));
        assert_eq!(answer.header("cache-control"), "no-store");
    }

    async fn headers_that_do_not_apply_are_set_and_empty(server: &TestServer) {
        let answer = server.verify(&server.admin_key).await.expect(200);
        for name in ["x-auth-client", "x-auth-scope", "x-auth-expires"] {
            assert_eq!(answer.headers.get(name).map(reqwest::header::HeaderValue::len), Some(0), "{name}");
        }
    }

    async fn any_method_and_path_below_and_any_body_will_do(server: &TestServer) {
        let token = server.access_token(&server.client(&[]).await).await;
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            for path in ["/oauth20/verify", "/oauth20/verify/", "/oauth20/verify/orders/1?x=1&page=2"] {
                let request = server.request(method.clone(), path).bearer_auth(&token).body("x".repeat(1000));
                server.send(request).await.expect(200);
            }
        }
        server.send(server.request(Method::HEAD, "/oauth20/verify").bearer_auth(&token)).await.expect(200);
    }

    async fn everything_that_is_demanded_must_hold(server: &TestServer) {
        let client = server.client(&["a", "b"]).await;
        let token = server.access_token(&client).await;
        let ask = async |query: &str| server.get(&format!("/oauth20/verify?{query}"), &token).await;
        ask("scope=a&scope=b&workspace=default").await.expect(200);
        ask("scope=a%20b").await.expect(200);
        let refused = ask("scope=a&scope=c").await.expect_oauth_error(403, "insufficient_scope");
        assert!(refused.header("www-authenticate").contains("scope=\"a c\""), "{:?}", refused.headers);
        ask("api=orders").await.expect_oauth_error(403, "insufficient_scope");
        ask("workspace=other").await.expect_invalid_token();
        ask("workspace=default&workspace=other").await.expect_invalid_token();
    }

    async fn two_credentials_or_one_in_the_url_are_an_invalid_request(server: &TestServer) {
        let token = server.access_token(&server.client(&[]).await).await;
        let both = server.request(Method::GET, "/oauth20/verify").bearer_auth(&token).header("api-key", &token);
        let answer = server.send(both).await.expect_oauth_error(400, "invalid_request");
        assert!(answer.header("www-authenticate").contains("error=\"invalid_request\""));
        let query = server.request(Method::GET, &format!("/oauth20/verify?access_token={token}"));
        server.send(query).await.expect_oauth_error(400, "invalid_request");
        let empty = server.request(Method::GET, "/oauth20/verify").header("authorization", "Bearer ");
        server.send(empty).await.expect_oauth_error(400, "invalid_request");
    }

    async fn a_second_authorization_header_is_an_invalid_request(server: &TestServer) {
        let client = server.client(&["introspect"]).await;
        let token = server.access_token(&client).await;
        let (basic, bearer) = ("Basic dTpw", format!("Bearer {token}"));
        for [first, second] in [[basic, &bearer], [&bearer, basic], [basic, basic]] {
            let twice = |method, path| server.request(method, path).header("authorization", first).header("authorization", second);
            for path in ["/oauth20/verify", "/oauth20/access-token"] {
                server.send(twice(Method::GET, path)).await.expect_oauth_error(400, "invalid_request");
            }
            server.send(twice(Method::GET, "/api/v1/tokens")).await.expect(400);
            let asked = twice(Method::POST, "/oauth20/introspect");
            let asked = asked.header("content-type", "application/x-www-form-urlencoded").body(format!("token={token}"));
            server.send(asked).await.expect_oauth_error(400, "invalid_request");
        }
    }

    async fn nothing_presented_is_a_401_without_an_error_code(server: &TestServer) {
        let answer = server.send(server.request(Method::GET, "/oauth20/verify")).await.expect(401);
        let challenge = answer.header("www-authenticate");
        assert!(!challenge.contains("error="), "{challenge}");
        assert!(challenge.contains("resource_metadata=\"https://auth.test/.well-known/oauth-protected-resource\""));
        let basic = server.request(Method::GET, "/oauth20/verify").basic_auth("a", Some("b"));
        assert!(!server.send(basic).await.expect(401).header("www-authenticate").contains("error="));
    }

    async fn an_unproven_token_learns_nothing_about_why(server: &TestServer) {
        let token = server.access_token(&server.client(&[]).await).await;
        let mut forged = token.clone();
        let last = forged.pop().unwrap();
        forged.push(if last == '0' { '1' } else { '0' });
        let words = async |token: &str| server.verify(token).await.expect_invalid_token().text("error_description");
        assert_eq!(words(&forged).await, words("garbage").await);
        server.delete("/oauth20/access-token", &token).await.expect(200);
        assert_ne!(words(&token).await, words(&forged).await);
    }
}
