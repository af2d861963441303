//! The query string of a request that has known parameters: each at most once, no other.

use std::str::FromStr;

use axum::http::Uri;

use crate::service::error::{ApiFailure, FieldError};

/// The parameters that were given.
#[derive(Debug)]
pub(super) struct Query(Vec<(&'static str, String)>);

impl Query {
    /// # Errors
    /// [`ApiFailure::Invalid`] naming the first parameter that is unknown or repeated.
    pub(super) fn read(uri: &Uri, known: &[&'static str]) -> Result<Self, ApiFailure> {
        let mut given: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            let Some(known) = known.iter().find(|known| **known == name) else {
                let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_ECHO_CHARS).collect();
                return Err(bad(&name, "is not a parameter of this request"));
            };
            if given.iter().any(|(name, _)| name == known) {
                return Err(bad(known, "is given more than once"));
            }
            given.push((known, value.into_owned()));
        }
        Ok(Self(given))
    }

    /// A value; an empty one counts as none.
    ///
    /// # Errors
    /// [`ApiFailure::Invalid`] for a text that is not one.
    pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, ApiFailure> {
        let given = self.0.iter().find(|(known, value)| *known == name && !value.is_empty());
        given.map(|(_, value)| value.parse().map_err(|error: T::Err| bad(name, &error.to_string()))).transpose()
    }

    /// `true` or `false`; false where it is not given.
    ///
    /// # Errors
    /// [`ApiFailure::Invalid`] for anything else.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, ApiFailure> {
        match self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str()) {
            None | Some("" | "false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(bad(name, "is true or false")),
        }
    }
}

fn bad(name: &str, detail: &str) -> ApiFailure {
    ApiFailure::Invalid(vec![FieldError::new(format!("?{name}"), detail)])
}

/// How much of what a caller sent is repeated back.
const MAX_ECHO_CHARS: usize = 100;
