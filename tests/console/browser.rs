//! A browser as far as the server can tell: cookies, forms, and the headers that say where a form comes from.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::{Method, RequestBuilder};

use crate::support::{Answer, TestServer};

pub struct Browser<'s> {
    server: &'s TestServer,
    cookies: Mutex<BTreeMap<String, String>>,
    pub language: &'static str,
}

pub const PASSWORD: &str = "correct horse battery";

impl<'s> Browser<'s> {
    pub fn new(server: &'s TestServer) -> Self {
        Self { server, cookies: Mutex::default(), language: "en" }
    }

    /// Somebody who has set the first operator's password and is signed in.
    pub async fn operator(server: &'s TestServer) -> Self {
        let browser = Self::new(server);
        browser.set_up(PASSWORD).await.expect(303);
        browser
    }

    /// Opens the first link and sets a password.
    pub async fn set_up(&self, password: &str) -> Answer {
        let link = self.server.service().first_password_link().await.unwrap().expect("nobody has a password");
        let opened = self.get(&format!("/console/setup?code={}", link.expose_secret())).await.expect(303);
        assert_eq!(opened.header("location"), "/console/setup");
        self.get("/console/setup").await.expect(200);
        self.post("/console/setup", &[("new-password", password), ("new-password-again", password)]).await
    }

    pub async fn sign_in(&self, username: &str, password: &str) -> Answer {
        self.post("/console/sign-in", &[("username", username), ("password", password)]).await
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub fn session(&self) -> String {
        self.cookie("__Host-jeton_session").expect("signed in")
    }

    pub fn set_session(&self, value: &str) {
        self.cookies.lock().unwrap().insert("__Host-jeton_session".to_owned(), value.to_owned());
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.server
            .request(method, path)
            .header("accept-language", self.language)
            .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36")
            .header("cookie", cookies.join("; "))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.keep_cookies(self.server.send(self.request(Method::GET, path)).await)
    }

    /// A form of this site.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.post_from("same-origin", path, form).await
    }

    pub async fn post_from(&self, site: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.request(Method::POST, path).header("sec-fetch-site", site);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        self.keep_cookies(self.server.send(request).await)
    }

    fn keep_cookies(&self, answer: Answer) -> Answer {
        let mut cookies = self.cookies.lock().unwrap();
        for line in answer.headers.get_all("set-cookie") {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap();
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}
