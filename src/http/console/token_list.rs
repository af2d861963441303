//! What the lists of tokens share: filters in the address, rows, and the way to the next page.

use axum::http::Uri;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::domain::clock::Timestamp;
use crate::domain::expiry_notice::Stage;
use crate::domain::grant::{Grant, Owner, Status};
use crate::domain::ids::{ClientId, GrantId, UserId};
use crate::http::page;
use crate::service::tokens::TokenFilter;
use crate::store::grant::GrantCursor;

/// Rows of one page: as many as are looked through at a time.
pub(super) const PER_PAGE: u32 = 50;

/// The filters as they stand in the address. What can't be read filters nothing, and stays in its field.
#[derive(Clone, Debug)]
pub(super) struct TokenQuery {
    pub q: String,
    pub code: String,
    pub owner: String,
    pub client: String,
    pub status: String,
    pub policy: String,
    pub api: String,
    pub created_after: String,
    pub created_before: String,
    pub expires_after: String,
    pub expires_before: String,
    pub after: GrantCursor,
}

impl TokenQuery {
    pub(super) fn read(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default().as_bytes();
        let text = |wanted: &str| {
            let found = form_urlencoded::parse(query).find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.trim().chars().take(MAX_CHARS).collect::<String>()).unwrap_or_default()
        };
        let after = page::read_cursor(&text("cursor"));
        Self {
            q: text("q"),
            code: text("code"),
            owner: text("owner"),
            client: text("client"),
            status: text("status"),
            policy: text("policy"),
            api: text("api"),
            created_after: text("created-after"),
            created_before: text("created-before"),
            expires_after: text("expires-after"),
            expires_before: text("expires-before"),
            after: after
                .map_or(GrantCursor::START, |(created_at, id)| GrantCursor { created_at, id: GrantId::from_bytes(id) }),
        }
    }

    pub(super) fn filter(&self) -> TokenFilter {
        let list = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
        let status = STATUSES.into_iter().find(|status| status.to_string() == self.status);
        let user: Option<UserId> = self.owner.parse().ok();
        let client: Option<ClientId> = self.owner.parse().ok().filter(|_| user.is_none() && !self.owner.is_empty());
        let mut filter = TokenFilter {
            code: self.code.parse().ok(),
            statuses: status.into_iter().collect(),
            policies: list(&self.policy),
            owner_users: user.into_iter().collect(),
            owner_clients: client.into_iter().collect(),
            clients: self.client.parse().ok().filter(|_| !self.client.is_empty()).into_iter().collect(),
            apis: list(&self.api),
            text: Some(self.q.clone()).filter(|text| !text.is_empty()),
            ..TokenFilter::default()
        };
        filter.created.after = day(&self.created_after, 0);
        filter.created.before = day(&self.created_before, 1);
        filter.expires.after = day(&self.expires_after, 0);
        filter.expires.before = day(&self.expires_before, 1);
        filter
    }

    /// Whether anything is filtered.
    pub(super) fn is_filtered(&self) -> bool {
        self.pairs().next().is_some()
    }

    /// Whether a filter is used that is not always shown.
    pub(super) fn has_details(&self) -> bool {
        self.pairs().any(|(name, _)| !matches!(name, "q" | "status" | "policy"))
    }

    fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("q", &self.q),
            ("code", &self.code),
            ("owner", &self.owner),
            ("client", &self.client),
            ("status", &self.status),
            ("policy", &self.policy),
            ("api", &self.api),
            ("created-after", &self.created_after),
            ("created-before", &self.created_before),
            ("expires-after", &self.expires_after),
            ("expires-before", &self.expires_before),
        ];
        all.into_iter().map(|(name, value)| (name, value.as_str())).filter(|(_, value)| !value.is_empty())
    }
}

const STATUSES: [Status; 4] = [Status::Active, Status::Expired, Status::Disabled, Status::Revoked];
/// Longer than any name.
const MAX_CHARS: usize = 200;

/// The start of a day (UTC) as a date field gives it, or of one `later`.
pub(super) fn day(text: &str, later: u64) -> Option<Timestamp> {
    let start = OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339).ok()?;
    let start = Timestamp::from_ms(start.unix_timestamp().checked_mul(1000)?);
    Some(start.plus(std::time::Duration::from_secs(later * 86_400)))
}

/// One page of tokens.
pub(super) struct Listing<'a> {
    pub rows: Vec<Row<'a>>,
    pub query: &'a TokenQuery,
    pub path: &'static str,
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub continued: bool,
}

/// A token as a row.
pub(super) struct Row<'a> {
    pub grant: &'a Grant,
    pub status: &'static str,
    pub status_key: &'static str,
    pub is_active: bool,
    /// Seconds until it ends, where that is soon for a token of its kind.
    pub ends_in: Option<u64>,
    pub owner: &'a str,
    pub client: &'a str,
}

impl<'a> Listing<'a> {
    pub(super) fn new(
        grants: &'a [Grant],
        next: Option<GrantCursor>,
        query: &'a TokenQuery,
        path: &'static str,
        now: Timestamp,
    ) -> Self {
        let next = next.map(|cursor| {
            let mut link = form_urlencoded::Serializer::new(String::new());
            link.extend_pairs(query.pairs());
            link.append_pair("cursor", &page::write_cursor(cursor.created_at, *cursor.id.as_bytes()));
            format!("{path}?{}", link.finish())
        });
        let rows = grants.iter().map(|grant| Row::new(grant, now)).collect();
        Self { rows, query, path, next, continued: query.after != GrantCursor::START }
    }

    /// Where the whole list is, with the same filters, as a file of this kind.
    pub(super) fn export(&self, kind: &str) -> String {
        let mut link = form_urlencoded::Serializer::new(String::new());
        link.extend_pairs(self.query.pairs()).append_pair("as", kind);
        format!("/console/admin/export/tokens?{}", link.finish())
    }

    pub(super) fn statuses(&self) -> [(&'static str, &'static str); 4] {
        STATUSES.map(|status| (status_name(status), status_key(status)))
    }
}

impl<'a> Row<'a> {
    pub(super) fn new(grant: &'a Grant, now: Timestamp) -> Self {
        let status = grant.status(now);
        Self {
            grant,
            status: status_name(status),
            status_key: status_key(status),
            is_active: status == Status::Active,
            ends_in: ends_soon(grant, now).filter(|_| status == Status::Active),
            owner: owner_name(&grant.owner),
            client: grant.client.as_ref().map_or("", |client| client.name.as_str()),
        }
    }

    /// What the row is called: its name, or where there is none its code.
    pub(super) fn title(&self) -> String {
        self.grant.name.clone().unwrap_or_else(|| self.grant.id.to_string())
    }
}

/// Within a week, of a token that was made for longer: of one that lives for hours there is nothing to warn.
fn ends_soon(grant: &Grant, now: Timestamp) -> Option<u64> {
    let soon = Stage::Week.ahead();
    let end = grant.expires_at.filter(|end| *end <= now.plus(soon) && *end > grant.created_at.plus(soon));
    end.map(|end| end.seconds_left(now).unsigned_abs())
}

pub(super) fn owner_name(owner: &Owner) -> &str {
    match owner {
        Owner::User { name, .. } => name,
        Owner::Client(client) => &client.name,
    }
}

pub(super) const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Expired => "expired",
        Status::Disabled => "disabled",
        Status::Revoked => "revoked",
    }
}

pub(super) const fn status_key(status: Status) -> &'static str {
    match status {
        Status::Active => "status-active",
        Status::Expired => "status-expired",
        Status::Disabled => "status-disabled",
        Status::Revoked => "status-revoked",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> TokenQuery {
        TokenQuery::read(&format!("/console/tokens?{query}").parse().unwrap())
    }

    #[test]
    fn filters_are_read_from_the_address_and_nonsense_filters_nothing() {
        let filter = read("status=active&q=caf%C3%A9&created-before=2026-11-24&api=orders").filter();
        assert_eq!(filter.statuses, [Status::Active]);
        assert_eq!(filter.text.as_deref(), Some("caf\u{e9}"));
        assert_eq!(filter.created.before, Some(Timestamp::from_ms(1_795_564_800_000)), "the whole day");
        assert_eq!(filter.apis, ["orders"]);
        let nothing = read("status=nonsense&code=x&created-after=yesterday&cursor=x&unknown=1");
        assert_eq!(nothing.filter(), TokenFilter::default());
        assert!(nothing.is_filtered() && !read("").is_filtered());
    }
}
