//! What a form has sent. A name may come several times: checkboxes do.

use axum::extract::{FromRequest, Request};
use axum::response::Response;

use super::{failure, gate};
use crate::domain::ids::NotAnId;
use crate::domain::secret::Secret;
use crate::http::{AppState, form, media_type};

/// The fields of one form.
#[derive(Default)]
pub(crate) struct Fields(Vec<(String, Secret<String>)>);

/// More than the largest form has: a page of checkboxes and some.
const MAX_FIELDS: usize = 600;

impl FromRequest<AppState> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let expired = || failure::expired_form(&gate::page_of(&parts));
        if !media_type::is(&parts.headers, "application/x-www-form-urlencoded") {
            return Err(expired());
        }
        let body = form::read_body(body, state.wire.limits.max_body_bytes()).await.map_err(|_unreadable| expired())?;
        Self::parse(&body).ok_or_else(expired)
    }
}

impl Fields {
    fn parse(body: &[u8]) -> Option<Self> {
        let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).take(MAX_FIELDS + 1);
        let fields: Option<Vec<_>> = pairs
            .map(|pair| {
                let mut halves = pair.splitn(2, |byte| *byte == b'=');
                let name = form::decode(halves.next()?)?;
                let value = form::decode(halves.next().unwrap_or_default())?;
                Some((name, Secret::new(value)))
            })
            .collect();
        fields.filter(|fields| fields.len() <= MAX_FIELDS).map(Self)
    }

    /// The first value of a name without the white space around it; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default().trim()
    }

    /// A value as it was typed, white space and all.
    pub(super) fn secret(&self, name: &str) -> Secret<String> {
        Secret::new(self.all(name).next().unwrap_or_default().to_owned())
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.expose_secret().as_str())
    }

    /// All values of a name as ids.
    pub(super) fn ids<T: std::str::FromStr<Err = NotAnId>>(&self, name: &str) -> Result<Vec<T>, NotAnId> {
        self.all(name).map(str::parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_repeat_and_texts_are_trimmed_but_secrets_are_not() {
        let fields = Fields::parse(b"id=a&id=b&name=+caf%C3%A9+&password=+x+&&empty=").unwrap();
        assert_eq!(fields.all("id").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(fields.text("name"), "caf\u{e9}");
        assert_eq!(fields.secret("password").expose_secret(), " x ");
        assert_eq!((fields.text("empty"), fields.text("missing")), ("", ""));
    }

    #[test]
    fn what_is_not_text_or_too_much_is_no_form() {
        assert!(Fields::parse(b"a=%ff").is_none());
        assert!(Fields::parse("a=1&".repeat(MAX_FIELDS + 1).as_bytes()).is_none());
    }
}
