//! Cookies: reading them, and the lines that set them (RFC 6265).

use axum::http::{HeaderMap, HeaderValue, header};

use crate::domain::secret::Secret;

/// Over https: bound to this very host, and never sent without TLS.
const SECURE_SESSION: &str = "__Host-jeton_session";
const PLAIN_SESSION: &str = "jeton_session";
const SECURE_ATTEMPT: &str = "__Host-jeton_oidc";
const PLAIN_ATTEMPT: &str = "jeton_oidc";
pub(super) const LANGUAGE: &str = "jeton_language";
pub(super) const THEME: &str = "jeton_theme";
pub(super) const SETUP: &str = "jeton_setup";

/// What the session's cookie is called under this public URL.
pub(in crate::http) fn session_name(issuer: &str) -> &'static str {
    if is_secure(issuer) { SECURE_SESSION } else { PLAIN_SESSION }
}

/// The value of a cookie; of several with one name the first, which is the one with the longest path.
pub(in crate::http) fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// Signs in: gone when the browser is closed, and before that when the session ends.
pub(super) fn session(issuer: &str, value: &Secret<String>) -> Option<HeaderValue> {
    line(&format!(
        "{}={}; Path=/; HttpOnly; SameSite=Lax{}",
        session_name(issuer),
        value.expose_secret(),
        secure(issuer)
    ))
}

/// Signs out.
pub(super) fn no_session(issuer: &str) -> Option<HeaderValue> {
    line(&format!("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{}", session_name(issuer), secure(issuer)))
}

/// What the cookie of a sign-in is called that has begun at a provider.
pub(super) fn attempt_name(issuer: &str) -> &'static str {
    if is_secure(issuer) { SECURE_ATTEMPT } else { PLAIN_ATTEMPT }
}

/// Kept while somebody is at the provider. It must come along when they are sent back from there: not `Strict`.
pub(super) fn attempt(issuer: &str, value: &Secret<String>) -> Option<HeaderValue> {
    line(&format!(
        "{}={}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax{}",
        attempt_name(issuer),
        value.expose_secret(),
        secure(issuer)
    ))
}

pub(super) fn no_attempt(issuer: &str) -> Option<HeaderValue> {
    line(&format!("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{}", attempt_name(issuer), secure(issuer)))
}

/// Keeps the code of a set-up link out of the address bar while its form is filled in.
pub(super) fn setup(issuer: &str, code: &str) -> Option<HeaderValue> {
    // It comes from a URL: nothing else may get into the line.
    if !code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return None;
    }
    line(&format!("{SETUP}={code}; Path=/console/setup; Max-Age=900; HttpOnly; SameSite=Strict{}", secure(issuer)))
}

pub(super) fn no_setup(issuer: &str) -> Option<HeaderValue> {
    line(&format!("{SETUP}=; Path=/console/setup; Max-Age=0; HttpOnly; SameSite=Strict{}", secure(issuer)))
}

/// A choice that is kept for a year.
pub(super) fn preference(issuer: &str, name: &str, value: &'static str) -> Option<HeaderValue> {
    line(&format!("{name}={value}; Path=/console; Max-Age=31536000; HttpOnly; SameSite=Lax{}", secure(issuer)))
}

fn line(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn secure(issuer: &str) -> &'static str {
    if is_secure(issuer) { "; Secure" } else { "" }
}

fn is_secure(issuer: &str) -> bool {
    issuer.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; jeton_session=x=y;b=2"));
        headers.append(header::COOKIE, HeaderValue::from_static("c=3"));
        assert_eq!(read(&headers, "jeton_session"), Some("x=y"));
        assert_eq!(read(&headers, "c"), Some("3"));
        assert_eq!(read(&headers, "session"), None);
    }

    #[test]
    fn over_https_the_session_is_bound_to_the_host() {
        let secret = Secret::new("v".to_owned());
        let line = session("https://a.test", &secret).unwrap();
        assert_eq!(line, "__Host-jeton_session=v; Path=/; HttpOnly; SameSite=Lax; Secure");
        let line = session("http://127.0.0.1:8080", &secret).unwrap();
        assert_eq!(line, "jeton_session=v; Path=/; HttpOnly; SameSite=Lax");
    }
}
