//! The management listener.

on_both_databases! {
    async fn health_version_and_metrics_are_served_apart_from_the_public_listener(server: &TestServer) {
        let token = server.access_token(&server.client(&[]).await).await;
        server.verify(&token).await.expect(200);
        server.management("/health/live").await.expect(200);
        assert_eq!(server.management("/health/ready").await.expect(200).json()["status"], "ready");
        let version = server.management("/version").await.expect(200);
        assert_eq!(version.text("version"), env!("CARGO_PKG_VERSION"));
        assert_eq!(version.text("started_at").parse(), Ok(server.clock.now()));
        let metrics = server.management("/metrics").await.expect(200).body;
        for line in [
            "jeton_http_requests_total{path=\"/oauth20/verify\",status=\"2xx\"} 1",
            "jeton_http_request_duration_seconds_bucket{le=\"+Inf\",path=\"/oauth20/verify\"} 1",
            "jeton_db_statements_total{statement=\"client.insert\"}",
            "# EOF",
        ] {
            assert!(metrics.contains(line), "{line} in {metrics}");
        }
        for path in ["/health/live", "/health/ready", "/metrics", "/version"] {
            server.get(path, &server.admin_key).await.expect(404);
        }
    }
}
