//! Which grants are meant: the one condition that lists, counts and bulk acts share, so that what is shown before an act
//! is what the act changes.
//!
//! Filters that are not set are `NULL`; the keyset keeps a page as cheap at the end of a list as at its beginning, and a
//! window bounds what is looked at for a page that few of many grants match.

use super::database::Db;
use super::grant::{Row, grant_columns, grant_end, grant_joins};
use super::statement::Statement;
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Origin, Status};
use crate::domain::ids::{ClientId, GrantId, UserId, WorkspaceId};
use crate::store::grant::GrantCursor;

/// Whose grants may be seen at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    pub workspace: WorkspaceId,
    /// Only this user's.
    pub user: Option<UserId>,
}

impl Extent {
    #[must_use]
    pub fn holds(&self, grant: &Grant) -> bool {
        let own = self.user.is_none_or(|user| grant.owner.user_id() == Some(user));
        own && grant.workspace.id == self.workspace && grant.deleted_at.is_none()
    }
}

/// From a moment (inclusive) to a moment (exclusive).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub after: Option<Timestamp>,
    pub before: Option<Timestamp>,
}

/// What grants must be like: each filter that is not empty must hold, by any of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantFilter {
    pub code: Option<GrantId>,
    pub statuses: Vec<Status>,
    pub policies: Vec<String>,
    pub origins: Vec<Origin>,
    pub owner_users: Vec<UserId>,
    pub owner_clients: Vec<ClientId>,
    pub clients: Vec<ClientId>,
    pub apis: Vec<String>,
    pub plans: Vec<String>,
    pub created: Span,
    pub expires: Span,
    pub last_used: Span,
    /// Part of a name, of the grant or of its owner or client.
    pub text: Option<String>,
}

/// A page of grants, newest first.
#[derive(Clone, Debug)]
pub struct GrantQuery {
    pub extent: Extent,
    pub filter: GrantFilter,
    pub now: Timestamp,
    pub after: GrantCursor,
    pub limit: u32,
    /// How many grants are looked at, whether they match or not; `None`: all.
    pub window: Option<u32>,
}

/// What was found, and how far it was looked for.
#[derive(Clone, Debug)]
pub struct Listed {
    pub grants: Vec<Grant>,
    /// The last that was looked at; `None` where all were.
    pub looked_to: Option<GrantCursor>,
}

/// How many grants match, and how many of them were used since a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Summary {
    pub matched: i64,
    pub used: i64,
    /// Whether all were looked at.
    #[sqlx(skip)]
    pub whole: bool,
}

/// The status that people see, as [`Grant::status`] has it.
macro_rules! status {
    () => {
        concat!(
            "(CASE WHEN g.state = 'revoked' OR g.revision < COALESCE((SELECT MAX(k.revision) FROM cutoff k \
         WHERE k.subject IN (g.workspace_id, g.user_id, g.client_key, g.import_id) AND k.policy IN ('', g.policy)), 0) \
         OR (g.parent_id IS NOT NULL AND (p.id IS NULL OR p.state <> 'active' OR p.revision < COALESCE((SELECT \
         MAX(k.revision) FROM cutoff k WHERE k.subject IN (p.workspace_id, p.user_id, p.client_key) \
         AND k.policy IN ('', p.policy)), 0))) THEN 'revoked' \
         WHEN g.state = 'disabled' THEN 'disabled' \
         WHEN ",
            grant_end!(),
            " <= $5 THEN 'expired' ELSE 'active' END)"
        )
    };
}

/// The condition, for SQLite and for PostgreSQL: they differ in how a list in JSON is opened and how bytes are spelled.
macro_rules! condition {
    (sqlite) => {
        condition!(@text "", "(SELECT value FROM json_each(", "))", "lower(hex(g.user_id))",
            "EXISTS (SELECT 1 FROM json_each(", ") x WHERE instr(", ", json_quote(x.value)) > 0)")
    };
    (postgres) => {
        condition!(@text "::text", "(SELECT json_array_elements_text(", "::json))", "encode(g.user_id, 'hex')",
            "EXISTS (SELECT 1 FROM json_array_elements_text(", "::json) x (value) WHERE strpos(", ", to_json(x.value)::text) > 0)")
    };
    (@text $cast:literal, $open:literal, $close:literal, $user:literal, $any:literal, $of:literal, $end:literal) => {
        concat!(
            " AND g.deleted_at IS NULL AND (g.created_at, g.id) < ($2, $3) AND (g.created_at, g.id) >= ($22, $23)",
            " AND ($6", $cast, " IS NULL OR ", status!(), " IN ", $open, "$6", $close, ")",
            " AND ($7", $cast, " IS NULL OR g.policy IN ", $open, "$7", $close, ")",
            " AND ($8", $cast, " IS NULL OR g.origin IN ", $open, "$8", $close, ")",
            " AND ($9", $cast, " IS NULL OR ", $user, " IN ", $open, "$9", $close,
            " OR (g.user_id IS NULL AND c.client_id IN ", $open, "$9", $close, "))",
            " AND ($10", $cast, " IS NULL OR c.client_id IN ", $open, "$10", $close, ")",
            " AND ($11", $cast, " IS NULL OR ", $any, "$11", $of, "g.apis", $end, ")",
            " AND ($12", $cast, " IS NULL OR ", $any, "$12", $of, "g.plans", $end, ")",
            " AND g.created_at >= $13 AND g.created_at < $14",
            " AND ($15 = 0 OR (", grant_end!(), " >= $16 AND ", grant_end!(), " < $17))",
            " AND ($18 = 0 OR (g.last_used_at >= $19 AND g.last_used_at < $20))",
            " AND ($21", $cast, " IS NULL OR LOWER(COALESCE(g.name, '') || ' ' || COALESCE(u.username, '') || ' ' || ",
            "COALESCE(c.name, '')) LIKE $21 ESCAPE '\\')"
        )
    };
}

macro_rules! select {
    ($backend:ident, $key:literal) => {
        concat!(
            "SELECT ",
            grant_columns!(),
            " FROM grant_ g ",
            grant_joins!(),
            " WHERE ",
            $key,
            " = $1",
            condition!($backend),
            " ORDER BY g.created_at DESC, g.id DESC LIMIT $4"
        )
    };
}

macro_rules! summarize {
    ($backend:ident, $key:literal) => {
        concat!(
            "SELECT COUNT(*) AS matched, COUNT(used) AS used FROM (SELECT CASE WHEN g.last_used_at >= $24 THEN 1 END AS used \
             FROM grant_ g ", grant_joins!(), " WHERE ", $key, " = $1", condition!($backend), " LIMIT $4) AS counted"
        )
    };
}

/// The grant where a window ends, by the index alone.
macro_rules! window_end {
    ($key:literal) => {
        concat!(
            "SELECT created_at, id FROM grant_ WHERE ",
            $key,
            " = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET $4"
        )
    };
}

static WINDOW_END: Statement = Statement::both("grant.window_end", window_end!("workspace_id"));
static WINDOW_END_OF_USER: Statement = Statement::both("grant.window_end_of_user", window_end!("user_id"));
static LIST: Statement =
    Statement::each("grant.list", select!(sqlite, "g.workspace_id"), select!(postgres, "g.workspace_id"));
static LIST_OF_USER: Statement =
    Statement::each("grant.list_of_user", select!(sqlite, "g.user_id"), select!(postgres, "g.user_id"));
static LIST_ONE: Statement = Statement::each("grant.list_one", select!(sqlite, "g.id"), select!(postgres, "g.id"));
static LOCK_LIST: Statement = Statement::each(
    "grant.lock_list",
    select!(sqlite, "g.workspace_id"),
    concat!(select!(postgres, "g.workspace_id"), " FOR UPDATE OF g"),
);
static LOCK_LIST_OF_USER: Statement = Statement::each(
    "grant.lock_list_of_user",
    select!(sqlite, "g.user_id"),
    concat!(select!(postgres, "g.user_id"), " FOR UPDATE OF g"),
);
static SUMMARIZE: Statement =
    Statement::each("grant.summarize", summarize!(sqlite, "g.workspace_id"), summarize!(postgres, "g.workspace_id"));
static SUMMARIZE_OF_USER: Statement =
    Statement::each("grant.summarize_of_user", summarize!(sqlite, "g.user_id"), summarize!(postgres, "g.user_id"));

pub(super) const STATEMENTS: &[&Statement] = &[
    &WINDOW_END,
    &WINDOW_END_OF_USER,
    &LIST,
    &LIST_OF_USER,
    &LIST_ONE,
    &LOCK_LIST,
    &LOCK_LIST_OF_USER,
    &SUMMARIZE,
    &SUMMARIZE_OF_USER,
];

impl GrantFilter {
    /// Whether grants are left out by more than whose they are and when they were made, which the index knows.
    #[must_use]
    pub fn is_selective(&self) -> bool {
        let plain =
            Self { code: self.code, owner_users: self.owner_users.clone(), created: self.created, ..Self::default() };
        self.owner_users.len() > 1 || *self != plain
    }
}

impl GrantQuery {
    /// The one user whose grants are meant, if it is one: their own index is then read, not the workspace's.
    fn user(&self) -> Option<UserId> {
        match (self.extent.user, self.filter.owner_users.as_slice(), self.filter.owner_clients.is_empty()) {
            (Some(user), ..) => Some(user),
            (None, [user], true) => Some(*user),
            _ => None,
        }
    }

    /// Where the search begins.
    fn key(&self) -> [u8; 16] {
        match (self.filter.code, self.user()) {
            (Some(code), _) => *code.as_bytes(),
            (None, Some(user)) => *user.as_bytes(),
            (None, None) => *self.extent.workspace.as_bytes(),
        }
    }

    const fn by<'s>(
        &self,
        one: &'s Statement,
        user: &'s Statement,
        workspace: &'s Statement,
        is_user: bool,
    ) -> &'s Statement {
        match (self.filter.code, is_user) {
            (Some(_), _) => one,
            (None, true) => user,
            (None, false) => workspace,
        }
    }
}

/// Binds the parameters of [`condition`], $1 to $23.
macro_rules! bound {
    ($query:expr, $request:expr, $key:expr, $last:expr, $end:expr) => {{
        let filter = &$request.filter;
        let end = $end.unwrap_or(OLDEST);
        let owners = filter.owner_users.iter().map(|id| hex(id.as_bytes()));
        let owners = owners.chain(filter.owner_clients.iter().map(ToString::to_string));
        let texts = |values: &[String]| json_list(values.iter().cloned());
        let ms = |moment: Option<Timestamp>, default: i64| moment.map_or(default, Timestamp::ms);
        let given = |span: Span| i64::from(span.after.is_some() || span.before.is_some());
        $query
            .bind($key)
            .bind($request.after.created_at.ms())
            .bind($last)
            .bind(i64::from($request.limit))
            .bind($request.now.ms())
            .bind(json_list(filter.statuses.iter().map(ToString::to_string)))
            .bind(texts(&filter.policies))
            .bind(json_list(filter.origins.iter().map(|origin| origin.as_str().to_owned())))
            .bind(json_list(owners))
            .bind(json_list(filter.clients.iter().map(ToString::to_string)))
            .bind(texts(&filter.apis))
            .bind(texts(&filter.plans))
            .bind(ms(filter.created.after, i64::MIN))
            .bind(ms(filter.created.before, i64::MAX))
            .bind(given(filter.expires))
            .bind(ms(filter.expires.after, i64::MIN))
            .bind(ms(filter.expires.before, i64::MAX))
            .bind(given(filter.last_used))
            .bind(ms(filter.last_used.after, i64::MIN))
            .bind(ms(filter.last_used.before, i64::MAX))
            .bind(filter.text.as_deref().map(pattern))
            .bind(end.created_at.ms())
            .bind(end.id.as_bytes().to_vec())
    }};
}

/// Behind the last, that is oldest, grant.
const OLDEST: GrantCursor = GrantCursor { created_at: Timestamp::from_ms(i64::MIN), id: GrantId::from_bytes([0; 16]) };

/// Where the window of `query` ends; `None` where it has none, or one that is not filled.
async fn window_end(db: &mut Db<'_>, query: &GrantQuery) -> Result<Option<GrantCursor>, StoreError> {
    let (Some(window), None) = (query.window, query.filter.code) else { return Ok(None) };
    let sql = db.sql(if query.user().is_some() { &WINDOW_END_OF_USER } else { &WINDOW_END });
    let (key, after) = (query.key(), query.after);
    let end: Option<(i64, Vec<u8>)> = on_conn!(db, |conn| {
        let bound = sqlx::query_as(sql).bind(&key[..]).bind(after.created_at.ms()).bind(&after.id.as_bytes()[..]);
        bound.bind(i64::from(window.saturating_sub(1))).fetch_optional(&mut **conn).await
    })?;
    let cursor = end.map(|(created_at, id)| {
        let id = GrantId::from_bytes(decode::id_bytes(&id)?);
        Ok(GrantCursor { created_at: Timestamp::from_ms(created_at), id })
    });
    cursor.transpose()
}

async fn fetch(db: &mut Db<'_>, statement: &'static Statement, query: &GrantQuery) -> Result<Listed, StoreError> {
    let looked_to = window_end(db, query).await?;
    let sql = db.sql(statement);
    let (key, last) = (query.key(), *query.after.id.as_bytes());
    let rows: Vec<Row> = on_conn!(db, |conn| {
        bound!(sqlx::query_as(sql), query, &key[..], &last[..], looked_to).fetch_all(&mut **conn).await
    })?;
    let grants: Result<Vec<Grant>, StoreError> = rows.into_iter().map(TryInto::try_into).collect();
    let grants = grants?.into_iter().filter(|grant| query.extent.holds(grant)).collect();
    Ok(Listed { grants, looked_to })
}

/// Reads the grants that match and holds their rows until the transaction ends.
pub(super) async fn lock_matching(db: &mut Db<'_>, query: &GrantQuery) -> Result<Vec<Grant>, StoreError> {
    let is_user = query.user().is_some();
    Ok(fetch(db, query.by(&LIST_ONE, &LOCK_LIST_OF_USER, &LOCK_LIST, is_user), query).await?.grants)
}

/// How many match, as far as `limit`, and how many of them were used since `used_since`.
pub(super) async fn summarize(
    db: &mut Db<'_>,
    query: &GrantQuery,
    used_since: Timestamp,
) -> Result<Summary, StoreError> {
    let looked_to = window_end(db, query).await?;
    let sql = db.sql(if query.user().is_some() { &SUMMARIZE_OF_USER } else { &SUMMARIZE });
    let (key, last) = (query.key(), *query.after.id.as_bytes());
    let summary: Summary = on_conn!(db, |conn| {
        let bound = bound!(sqlx::query_as(sql), query, &key[..], &last[..], looked_to);
        bound.bind(used_since.ms()).fetch_one(&mut **conn).await
    })?;
    Ok(Summary { whole: looked_to.is_none() && summary.matched < i64::from(query.limit), ..summary })
}

impl Store {
    /// A page of the grants that match, newest first.
    pub(crate) async fn list_grants(&self, query: GrantQuery) -> Result<Listed, StoreError> {
        let query = std::sync::Arc::new(query);
        self.database
            .read(move |mut db| {
                let query = std::sync::Arc::clone(&query);
                Box::pin(async move {
                    let is_user = query.user().is_some();
                    fetch(&mut db, query.by(&LIST_ONE, &LIST_OF_USER, &LIST, is_user), &query).await
                })
            })
            .await
    }
}

/// A list for the condition; `None` where anything goes.
fn json_list(values: impl Iterator<Item = String>) -> Option<String> {
    let values: Vec<String> = values.collect();
    (!values.is_empty()).then(|| serde_json::to_string(&values).expect("texts serialize"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        use std::fmt::Write as _;
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// `LIKE` for a part of a text, its own wildcards taken literally.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
