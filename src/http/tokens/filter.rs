//! The filters of token lists: in the query of a list, and in the body of a bulk act, by the same names.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::{IntoParams, ToSchema};

use crate::domain::clock::Timestamp;
use crate::domain::grant::{Origin, Status};
use crate::domain::ids::{ClientId, GrantId, UserId};
use crate::http::list_query::Filters;
use crate::http::openapi::texts::{FilterText, PolicyName};
use crate::service::error::{ApiFailure, FieldError};
use crate::service::tokens::TokenFilter;
use crate::store::grant_query::Span;

/// What tokens must be like: each filter that is given must hold, by any of its values.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
#[schema(as = TokenFilter)]
pub(crate) struct FilterBody {
    /// The token's public id
    #[param(value_type = Option<GrantId>)]
    #[schema(value_type = Option<GrantId>)]
    code: Option<String>,
    #[param(value_type = Vec<Status>)]
    #[schema(value_type = Vec<Status>)]
    status: Vec<String>,
    #[param(value_type = Vec<PolicyName>)]
    #[schema(value_type = Vec<PolicyName>)]
    policy: Vec<String>,
    #[param(value_type = Vec<Origin>)]
    #[schema(value_type = Vec<Origin>)]
    origin: Vec<String>,
    /// User ids and client ids
    #[param(value_type = Vec<ClientId>)]
    #[schema(value_type = Vec<ClientId>)]
    owner: Vec<String>,
    /// Client ids of the linked apps
    #[param(value_type = Vec<ClientId>)]
    #[schema(value_type = Vec<ClientId>)]
    client: Vec<String>,
    #[param(value_type = Vec<FilterText>)]
    api: Vec<String>,
    #[param(value_type = Vec<FilterText>)]
    plan: Vec<String>,
    /// RFC 3339, inclusive
    #[param(value_type = Option<Timestamp>)]
    #[schema(value_type = Option<Timestamp>)]
    created_after: Option<String>,
    /// RFC 3339, exclusive
    #[param(value_type = Option<Timestamp>)]
    #[schema(value_type = Option<Timestamp>)]
    created_before: Option<String>,
    /// RFC 3339, inclusive
    #[param(value_type = Option<Timestamp>)]
    #[schema(value_type = Option<Timestamp>)]
    expires_after: Option<String>,
    /// RFC 3339, exclusive
    #[param(value_type = Option<Timestamp>)]
    #[schema(value_type = Option<Timestamp>)]
    expires_before: Option<String>,
    /// RFC 3339, inclusive
    #[param(value_type = Option<Timestamp>)]
    #[schema(value_type = Option<Timestamp>)]
    last_used_after: Option<String>,
    /// RFC 3339, exclusive
    #[param(value_type = Option<Timestamp>)]
    #[schema(value_type = Option<Timestamp>)]
    last_used_before: Option<String>,
    /// Part of the name of the token, of its owner or of its client
    #[param(value_type = Option<FilterText>)]
    q: Option<String>,
}

/// The names of the filters in a query.
pub(crate) const NAMES: &[&str] = &[
    "code",
    "status",
    "policy",
    "origin",
    "owner",
    "client",
    "api",
    "plan",
    "created_after",
    "created_before",
    "expires_after",
    "expires_before",
    "last_used_after",
    "last_used_before",
    "q",
];

impl FilterBody {
    /// # Errors
    /// [`ApiFailure::Invalid`] for a filter that is repeated and takes one value.
    pub(crate) fn of_query(query: &Filters) -> Result<Self, ApiFailure> {
        Ok(Self {
            code: query.text("code")?,
            status: query.all("status"),
            policy: query.all("policy"),
            origin: query.all("origin"),
            owner: query.all("owner"),
            client: query.all("client"),
            api: query.all("api"),
            plan: query.all("plan"),
            created_after: query.text("created_after")?,
            created_before: query.text("created_before")?,
            expires_after: query.text("expires_after")?,
            expires_before: query.text("expires_before")?,
            last_used_after: query.text("last_used_after")?,
            last_used_before: query.text("last_used_before")?,
            q: query.text("q")?,
        })
    }

    /// Reads the values. `place` is what stands before the name of a filter in an error: `?`, or `/filter/`.
    ///
    /// # Errors
    /// [`ApiFailure::Invalid`] with every value that can't be read.
    pub(crate) fn read(&self, place: &str) -> Result<TokenFilter, ApiFailure> {
        let mut reader = Reader { place, errors: Vec::new() };
        let (mut owner_users, mut owner_clients) = (Vec::new(), Vec::new());
        for owner in &self.owner {
            match (owner.parse::<UserId>(), owner.parse::<ClientId>()) {
                (Ok(user), _) => owner_users.push(user),
                (_, Ok(client)) => owner_clients.push(client),
                _ => reader.bad("owner", "is neither a user id nor a client id"),
            }
        }
        let filter = TokenFilter {
            code: reader.all("code", self.code.as_slice(), |text| text.parse::<GrantId>().ok(), "is no token id").pop(),
            statuses: reader.all("status", &self.status, Status::from_name, "is active, expired, disabled or revoked"),
            policies: self.policy.clone(),
            origins: reader.all("origin", &self.origin, Origin::from_name, "is api, admin, console, oauth or import"),
            owner_users,
            owner_clients,
            clients: reader.all("client", &self.client, |text| text.parse().ok(), "is no client id"),
            apis: self.api.clone(),
            plans: self.plan.clone(),
            created: reader.span("created", self.created_after.as_deref(), self.created_before.as_deref()),
            expires: reader.span("expires", self.expires_after.as_deref(), self.expires_before.as_deref()),
            last_used: reader.span("last_used", self.last_used_after.as_deref(), self.last_used_before.as_deref()),
            text: self.q.clone(),
        };
        if reader.errors.is_empty() { Ok(filter) } else { Err(ApiFailure::Invalid(reader.errors)) }
    }
}

struct Reader<'a> {
    place: &'a str,
    errors: Vec<FieldError>,
}

impl Reader<'_> {
    fn bad(&mut self, name: &str, detail: &str) {
        self.errors.push(FieldError::new(format!("{}{name}", self.place), detail));
    }

    fn all<T>(&mut self, name: &str, values: &[String], read: impl Fn(&str) -> Option<T>, detail: &str) -> Vec<T> {
        let read: Vec<Option<T>> = values.iter().map(|value| read(value)).collect();
        if read.iter().any(Option::is_none) {
            self.bad(name, detail);
        }
        read.into_iter().flatten().collect()
    }

    fn span(&mut self, name: &str, after: Option<&str>, before: Option<&str>) -> Span {
        let mut moment = |side: &str, text: Option<&str>| {
            let read = text.map(timestamp);
            if matches!(read, Some(None)) {
                self.bad(&format!("{name}_{side}"), "is a time as in 2026-11-21T12:00:00Z (RFC 3339)");
            }
            read.flatten()
        };
        Span { after: moment("after", after), before: moment("before", before) }
    }
}

fn timestamp(text: &str) -> Option<Timestamp> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok().map(Timestamp::from_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_value_is_named() {
        let filter = FilterBody {
            code: Some("grt_x".to_owned()),
            status: vec!["alive".to_owned()],
            created_after: Some("yesterday".to_owned()),
            ..FilterBody::default()
        };
        let Err(ApiFailure::Invalid(errors)) = filter.read("/filter/") else { panic!("it is read") };
        let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/filter/code", "/filter/status", "/filter/created_after"]);
    }

    #[test]
    fn times_are_read_with_any_offset() {
        let read = |text: &str| timestamp(text).map(Timestamp::ms);
        assert_eq!(read("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(read("1970-01-01T00:00:00.5Z"), Some(500));
        assert_eq!(read("1970-01-01"), None);
    }
}
