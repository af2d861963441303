//! As much of WebDriver (W3C) as the tests need.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// A browser window of a test's own, with a profile of its own.
pub struct Browser {
    http: reqwest::Client,
    session: String,
    driver: Child,
    _profile: TempDir,
}

/// How a window looks and behaves.
#[derive(Clone, Copy)]
pub struct Window {
    pub script: bool,
    pub dark: bool,
    pub size: (u32, u32),
    pub language: &'static str,
}

pub const DESKTOP: Window = Window { script: true, dark: false, size: (1280, 900), language: "en" };
pub const PHONE: Window = Window { size: (360, 740), ..DESKTOP };

/// A browser that starts on a busy machine.
const START: Duration = Duration::from_secs(120);
/// A page that comes on a busy machine.
const LOOK: Duration = Duration::from_secs(60);
/// One answer of the driver. Longer than what it waits for itself: a page (five minutes) is never so slow here, a script ends after 30 s.
const CALL: Duration = Duration::from_secs(90);
/// This machine, as if it were another one.
pub const REMOTE: &str = "jeton.test";
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Browser {
    pub async fn start(window: Window) -> Self {
        let chromium = std::env::var("JETON_TEST_CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
        let program = std::env::var("JETON_TEST_CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new(program)
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed: cargo xtask test does it");
        let profile = tempfile::tempdir().unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(CALL).build().unwrap();
        let base = format!("http://127.0.0.1:{port}");
        let answers = async {
            while http.get(format!("{base}/status")).send().await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(START, answers).await.expect("chromedriver answers");
        let (width, height) = window.size;
        let mut args = vec![
            "--headless".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--hide-scrollbars".to_owned(),
            // A name that is no local one: without TLS, a browser trusts it less than 127.0.0.1.
            format!("--host-resolver-rules=MAP {REMOTE} 127.0.0.1"),
            format!("--user-data-dir={}", profile.path().display()),
            format!("--window-size={width},{height}"),
            format!("--lang={}", window.language),
        ];
        if window.dark {
            args.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        let mut prefs = json!({ "intl.accept_languages": window.language });
        if !window.script {
            prefs["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        let mut options = json!({ "binary": chromium, "args": args, "prefs": prefs });
        if width < 500 {
            // A window can't be so narrow; a phone can.
            options["mobileEmulation"] =
                json!({ "deviceMetrics": { "width": width, "height": height, "pixelRatio": 1.5 } });
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": options, "timeouts": { "implicit": 500, "pageLoad": 60_000 } } } });
        let made = call(&http, reqwest::Method::POST, &format!("{base}/session"), &wanted).await;
        let id = made["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {made}")).to_owned();
        Self { http, session: format!("{base}/session/{id}"), driver, _profile: profile }
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        call(&self.http, reqwest::Method::POST, &format!("{}{path}", self.session), body).await
    }

    async fn get(&self, path: &str) -> Value {
        call(&self.http, reqwest::Method::GET, &format!("{}{path}", self.session), &Value::Null).await
    }

    pub async fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url })).await;
    }

    pub async fn address(&self) -> String {
        self.get("/url").await.as_str().unwrap().to_owned()
    }

    pub async fn back(&self) {
        self.post("/back", &json!({})).await;
    }

    pub async fn reload(&self) {
        self.post("/refresh", &json!({})).await;
    }

    /// What a reader sees.
    pub async fn text(&self) -> String {
        self.text_of("body").await
    }

    pub async fn text_of(&self, selector: &str) -> String {
        let read = async {
            loop {
                let element = self.find(selector).await;
                // The page may have been replaced in between.
                if let Some(text) = self.get(&format!("/element/{element}/text")).await.as_str() {
                    return text.to_owned();
                }
            }
        };
        tokio::time::timeout(START, read).await.expect("the page comes to rest")
    }

    /// Waits until the address has this in it: a press returns before the next page is there.
    pub async fn is_at(&self, part: &str) {
        let mut address = String::new();
        let look = async {
            while !address.contains(part) {
                address = self.address().await;
            }
        };
        let found = tokio::time::timeout(LOOK, look).await.is_ok();
        assert!(found, "not at {part:?} but at {address}");
    }

    /// Waits until a reader sees this.
    pub async fn sees(&self, part: &str) {
        self.sees_in("body", part).await;
    }

    /// Waits until a reader sees this in an element.
    pub async fn sees_in(&self, selector: &str, part: &str) {
        let mut seen = String::new();
        let look = async {
            while !seen.contains(part) {
                seen = self.text_of(selector).await;
            }
        };
        let found = tokio::time::timeout(LOOK, look).await.is_ok();
        assert!(found, "no {part:?} in {seen}");
    }

    pub async fn source(&self) -> String {
        self.get("/source").await.as_str().unwrap().to_owned()
    }

    /// Waits until the page has an element. A press returns before the next page is there, and what is asked of a page that is
    /// going may never be answered: so first wait for something that only the next one has.
    pub async fn has(&self, selector: &str) {
        self.find(selector).await;
    }

    async fn find(&self, selector: &str) -> String {
        let look = async {
            loop {
                let found = self.post("/element", &json!({ "using": "css selector", "value": selector })).await;
                if let Some(element) = found[ELEMENT].as_str() {
                    return element.to_owned();
                }
            }
        };
        match tokio::time::timeout(LOOK, look).await {
            Ok(element) => element,
            Err(_) => panic!("no {selector} on {}: {}", self.address().await, self.source().await),
        }
    }

    /// Acts on an element; again if the page was replaced after it was found.
    async fn do_with(&self, selector: &str, act: &str, body: &Value) {
        let tried = async {
            loop {
                let element = self.find(selector).await;
                if self.post(&format!("/element/{element}/{act}"), body).await.get("error").is_none() {
                    return;
                }
            }
        };
        assert!(tokio::time::timeout(LOOK, tried).await.is_ok(), "{act} is not possible on {selector}");
    }

    /// Has no session any more, and no choice of language or theme.
    pub async fn forget_cookies(&self) {
        let url = format!("{}/cookie", self.session);
        call(&self.http, reqwest::Method::DELETE, &url, &Value::Null).await;
    }

    pub async fn press(&self, selector: &str) {
        self.do_with(selector, "click", &json!({})).await;
    }

    /// Types into the field of this name, in place of what is there.
    pub async fn fill(&self, name: &str, text: &str) {
        let selector = format!("[name='{name}']");
        self.do_with(&selector, "clear", &json!({})).await;
        self.do_with(&selector, "value", &json!({ "text": text })).await;
    }

    /// Keys to whatever has the focus.
    pub async fn keys(&self, text: &str) {
        let element = self.get("/element/active").await[ELEMENT].as_str().unwrap().to_owned();
        self.post(&format!("/element/{element}/value"), &json!({ "text": text })).await;
    }

    pub async fn value_of(&self, selector: &str) -> String {
        let element = self.find(selector).await;
        self.get(&format!("/element/{element}/property/value")).await.as_str().unwrap_or_default().to_owned()
    }

    pub async fn attribute_of(&self, selector: &str, name: &str) -> String {
        let element = self.find(selector).await;
        self.get(&format!("/element/{element}/attribute/{name}")).await.as_str().unwrap_or_default().to_owned()
    }

    pub async fn cookie(&self, name: &str) -> String {
        self.get(&format!("/cookie/{name}")).await["value"].as_str().expect("the cookie is set").to_owned()
    }

    /// Has the browser live in another time zone, by its IANA name.
    pub async fn live_in(&self, zone: &str) {
        let set = json!({ "cmd": "Emulation.setTimezoneOverride", "params": { "timezoneId": zone } });
        self.post("/goog/cdp/execute", &set).await;
    }

    pub async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] })).await
    }

    /// As [`Browser::run`], for a script that calls its last argument when it is done.
    pub async fn run_async(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({ "script": script, "args": [] })).await
    }

    /// The whole page as a PNG, however long it is.
    pub async fn picture(&self) -> Vec<u8> {
        use base64::Engine as _;
        let shot = json!({ "cmd": "Page.captureScreenshot", "params": { "captureBeyondViewport": true } });
        let shot = self.post("/goog/cdp/execute", &shot).await;
        base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap()).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver takes its browser with it.
        let _gone = Command::new("kill").arg(self.driver.id().to_string()).status();
        let _reaped = self.driver.wait();
    }
}

async fn call(http: &reqwest::Client, method: reqwest::Method, url: &str, body: &Value) -> Value {
    let mut request = http.request(method.clone(), url);
    if method == reqwest::Method::POST {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = async { request.send().await?.text().await }.await;
    let answer = answer.unwrap_or_else(|error| panic!("the driver does not answer to {method} {url}: {error:?}"));
    let mut answer: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
    answer["value"].take()
}
