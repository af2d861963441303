//! A server in this process: the real listeners, the real router, a clock that the test moves.

use std::sync::Mutex;
use std::time::Duration;

use jeton::config::Sources;
use jeton::domain::clock::{Clock, Timestamp};
use jeton::server::{Assembly, Running};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Answer, TestDatabase, logs};

/// 2026-11-21T12:00:00Z
const START: Timestamp = Timestamp::from_ms(1_795_262_400_000);

pub struct TestServer {
    pub url: String,
    pub management: String,
    pub clock: Clock,
    pub admin_key: String,
    pub database: TestDatabase,
    pub http: reqwest::Client,
    running: Option<Running>,
    secrets: Mutex<Vec<String>>,
    log_start: usize,
    _data_dir: TempDir,
}

/// What a test changes of the configuration.
pub type Options = Vec<(&'static str, String)>;

/// An OAuth client that a test has registered.
#[derive(Clone, Debug)]
pub struct TestClient {
    pub id: String,
    pub secret: String,
}

/// A user that a test has made, or a workspace, with a key of theirs or of its administrator.
#[derive(Clone, Debug)]
pub struct TestUser {
    pub id: String,
    pub key: String,
    pub path: String,
}

impl TestServer {
    pub async fn start(database: TestDatabase) -> Self {
        Self::start_with(database, Vec::new()).await
    }

    pub async fn start_with(database: TestDatabase, options: Options) -> Self {
        let data_dir = tempfile::tempdir().expect("a temporary directory");
        Self::start_in(database, data_dir, Clock::manual(START), options).await
    }

    /// As [`TestServer::start_with`], at another time of day.
    pub async fn start_at(database: TestDatabase, clock: Clock, options: Options) -> Self {
        let data_dir = tempfile::tempdir().expect("a temporary directory");
        Self::start_in(database, data_dir, clock, options).await
    }

    async fn start_in(database: TestDatabase, data_dir: TempDir, clock: Clock, options: Options) -> Self {
        Self::try_start_in(database, data_dir, clock, options).await.expect("the service starts")
    }

    async fn try_start_in(
        database: TestDatabase,
        data_dir: TempDir,
        clock: Clock,
        options: Options,
    ) -> anyhow::Result<Self> {
        logs::capture();
        let log_start = logs::position();
        let mut overrides = vec![
            ("data_dir".to_owned(), data_dir.path().display().to_string()),
            ("http.listen".to_owned(), "127.0.0.1:0".to_owned()),
            ("management.listen".to_owned(), "127.0.0.1:0".to_owned()),
            ("public_url".to_owned(), "https://auth.test".to_owned()),
            ("database.url".to_owned(), database.url()),
            ("database.connections".to_owned(), "8".to_owned()),
        ];
        overrides.extend(options.into_iter().map(|(key, value)| (key.to_owned(), value)));
        let file = data_dir.path().join("empty.toml");
        std::fs::write(&file, "").expect("a writable directory");
        let sources = Sources { file: Some(file), environment: Vec::new(), overrides };
        let mut config = jeton::config::load(&sources).expect("a good configuration").config;
        let sockets =
            jeton::server::bind(&mut config, jeton::server::Inherited::default()).expect("the listeners bind");
        let assembly = Assembly { clock: clock.clone(), ..Assembly::default() };
        let service = jeton::server::assemble(&config, assembly).await?;
        jeton::server::announce(&config, &service).await.expect("the first run succeeds");
        let running = jeton::server::start(&config, sockets, service)?;
        let key = std::fs::read_to_string(data_dir.path().join("admin.key")).expect("the first run writes the key");
        let admin_key = key.trim().to_owned();
        Ok(Self {
            url: format!("http://{}", running.public),
            management: format!("http://{}", running.management),
            clock,
            secrets: Mutex::new(vec![admin_key.clone()]),
            admin_key,
            database,
            http: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .expect("a client"),
            running: Some(running),
            log_start,
            _data_dir: data_dir,
        })
    }

    /// Stops this server and starts another on the same database and data directory, at the same time of day.
    pub async fn restart(self) -> Self {
        self.restart_with(Vec::new()).await
    }

    /// As [`TestServer::restart`], with another configuration.
    pub async fn restart_with(mut self, options: Options) -> Self {
        self.running.take().expect("it runs").shut_down().await;
        let secrets = self.secrets.lock().expect("not poisoned").clone();
        let again = Self::start_in(self.database, self._data_dir, self.clock, options).await;
        again.secrets.lock().expect("not poisoned").extend(secrets);
        again
    }

    /// Another node on the same database, with the same master key and a clock of its own.
    pub async fn beside(&self, options: Options) -> Self {
        self.try_beside(options).await.expect("the service starts")
    }

    /// As [`TestServer::beside`], for a node that may be refused.
    pub async fn try_beside(&self, mut options: Options) -> anyhow::Result<Self> {
        let data_dir = tempfile::tempdir().expect("a temporary directory");
        for file in ["master.key", "admin.key"] {
            std::fs::copy(self._data_dir.path().join(file), data_dir.path().join(file)).expect("a file to copy");
        }
        options.push(("validation.node_name", "beside".to_owned()));
        Self::try_start_in(TestDatabase::Own(self.database.url()), data_dir, Clock::manual(START), options).await
    }

    pub fn data_dir(&self) -> &std::path::Path {
        self._data_dir.path()
    }

    /// Asks the management listener.
    pub async fn management(&self, path: &str) -> Answer {
        Answer::of(self.http.get(format!("{}{path}", self.management)).send().await.expect("the server answers")).await
    }

    pub fn service(&self) -> &jeton::service::Service {
        self.running.as_ref().expect("it runs").service()
    }

    /// Empties the validation cache, as an unknown outcome does.
    pub fn forget(&self) {
        use jeton::store::RevocationSink as _;
        self.service().cache.outcome_unknown();
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = Answer::of(request.send().await.expect("the server answers")).await;
        let headers = answer.headers.values().filter_map(|value| value.to_str().ok());
        let texts = headers.chain([answer.body.as_str()]);
        self.secrets.lock().expect("not poisoned").extend(texts.flat_map(logs::secrets_in));
        answer
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(self.request(Method::GET, path).bearer_auth(token)).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> Answer {
        self.send(self.request(Method::DELETE, path).bearer_auth(token)).await
    }

    pub async fn post_json(&self, path: &str, token: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).bearer_auth(token);
        self.send(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// A create that may be repeated.
    pub async fn post_once(&self, path: &str, token: &str, key: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).bearer_auth(token).header("idempotency-key", key);
        self.send(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// A merge patch, made on the version that `etag` names.
    pub async fn patch_json(&self, path: &str, token: &str, etag: &str, body: &Value) -> Answer {
        let request = self.request(Method::PATCH, path).bearer_auth(token).header("if-match", etag);
        self.send(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// Makes a user of the administrator's workspace.
    pub async fn user(&self, username: &str, role: &str) -> TestUser {
        let body = json!({ "username": username, "email": format!("{username}@example.test"), "role": role });
        let made = self.post_json("/admin/v1/users", &self.admin_key, &body).await.expect(201);
        let id = made.text("id");
        TestUser { key: self.key_of(&id).await, path: format!("/admin/v1/users/{id}"), id }
    }

    /// Another workspace, with a key of its administrator.
    pub async fn workspace(&self, name: &str) -> TestUser {
        let made = self.post_json("/admin/v1/workspaces", &self.admin_key, &json!({ "name": name })).await.expect(201);
        let id = made.json()["workspace"]["id"].as_str().expect("an id").to_owned();
        TestUser { key: made.text("api_key"), path: format!("/admin/v1/workspaces/{id}"), id }
    }

    /// A key of this user's own.
    async fn key_of(&self, user: &str) -> String {
        let made = self.own_token(&json!({ "policy": "key", "name": user })).await;
        crate::store::give(&self.database, made.json()["token"]["id"].as_str().expect("an id"), user).await;
        made.text("api_key")
    }

    /// A form request of a client that authenticates by Basic; of nobody when `client` is `None`.
    pub async fn post_form(&self, path: &str, client: Option<&TestClient>, form: &[(&str, &str)]) -> Answer {
        let mut request = self.request(Method::POST, path);
        if let Some(client) = client {
            let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            request = request.basic_auth(encode(&client.id), Some(encode(&client.secret)));
        }
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    /// Registers a confidential client with these scopes that may introspect.
    pub async fn client(&self, scopes: &[&str]) -> TestClient {
        self.client_with(json!({
            "name": "test", "grant_types": ["client_credentials", "refresh_token"], "scopes": scopes, "introspect": true,
        }))
        .await
    }

    pub async fn client_with(&self, body: Value) -> TestClient {
        let made = self.post_json("/admin/v1/clients", &self.admin_key, &body).await.expect(201);
        let secret = made.json()["client_secret"].as_str().unwrap_or_default().to_owned();
        TestClient { id: made.text("client_id"), secret }
    }

    /// An access token of the client's own.
    pub async fn access_token(&self, client: &TestClient) -> String {
        let form = [("grant_type", "client_credentials")];
        self.post_form("/oauth20/token", Some(client), &form).await.expect(200).text("access_token")
    }

    /// Makes a token of the administrator's own.
    pub async fn own_token(&self, body: &Value) -> Answer {
        self.post_json("/api/v1/tokens", &self.admin_key, body).await.expect(201)
    }

    /// A pair of policy `api`: access token, refresh token, and the id of the client to refresh with.
    pub async fn pair(&self) -> (String, String, String) {
        let pair = self
            .own_token(&json!({ "policy": "api", "name": "pair", "lifetime": "30d", "scopes": ["read", "write"] }))
            .await;
        (pair.text("access_token"), pair.text("refresh_token"), pair.text("client_id"))
    }

    pub async fn refresh(&self, client_id: &str, refresh_token: &str) -> Answer {
        let form = [("grant_type", "refresh_token"), ("client_id", client_id), ("refresh_token", refresh_token)];
        self.post_form("/oauth20/token", None, &form).await
    }

    pub async fn introspect(&self, client: &TestClient, token: &str) -> Answer {
        self.post_form("/oauth20/introspect", Some(client), &[("token", token)]).await
    }

    pub async fn is_active(&self, client: &TestClient, token: &str) -> bool {
        let answer = self.introspect(client, token).await.expect(200);
        answer.json()["active"].as_bool().expect("active is a boolean")
    }

    pub async fn verify(&self, token: &str) -> Answer {
        self.get("/oauth20/verify", token).await
    }

    /// Stops the server and looks for handed-out secrets where none may be.
    pub async fn finish(mut self) {
        self.running.take().expect("it runs").shut_down().await;
        let secrets = self.secrets.lock().expect("not poisoned").clone();
        assert!(!secrets.is_empty());
        logs::assert_no_secret(&self.database.dump().await, &secrets, "the database");
        logs::assert_no_secret(&logs::captured_since(self.log_start), &secrets, "the log");
        self.database.remove().await;
    }
}
