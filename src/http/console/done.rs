//! What was done before a page is shown: a word in its address, so that a form can be answered with a redirect.

use axum::http::Uri;

/// The word, if it is one of those that this page knows.
pub(super) fn of(uri: &Uri, known: &[&'static str]) -> Option<&'static str> {
    let query = uri.query()?.as_bytes();
    let (_, word) = form_urlencoded::parse(query).find(|(name, _)| name == "done")?;
    known.iter().copied().find(|known| *known == word)
}
