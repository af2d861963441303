//! `/.well-known/…`

use reqwest::Method;

on_both_databases! {
    async fn the_metadata_names_only_what_is_served(server: &TestServer) {
        let answer = server.send(server.request(Method::GET, "/.well-known/oauth-authorization-server")).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/json");
        let body = answer.json();
        assert_eq!(body["issuer"], "https://auth.test");
        assert!(body["response_types_supported"].is_array());
        for name in ["token_endpoint", "revocation_endpoint", "introspection_endpoint"] {
            let url = body[name].as_str().unwrap();
            let path = url.strip_prefix("https://auth.test").unwrap();
            assert_eq!(server.post_form(path, None, &[]).await.status, 401, "{name} is served");
        }
        for method in body["grant_types_supported"].as_array().unwrap() {
            let form = [("grant_type", method.as_str().unwrap())];
            let client = server.client(&[]).await;
            let answer = server.post_form("/oauth20/token", Some(&client), &form).await;
            assert_ne!(answer.json()["error"], "unsupported_grant_type");
        }
    }

    async fn the_protected_resource_metadata_names_this_server(server: &TestServer) {
        let answer = server.send(server.request(Method::GET, "/.well-known/oauth-protected-resource")).await.expect(200);
        assert_eq!(answer.json()["resource"], "https://auth.test");
        assert_eq!(answer.json()["authorization_servers"][0], "https://auth.test");
    }
}
