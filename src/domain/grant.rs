//! The grant: one authorization, its states, and the proof that one is alive.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::clock::Timestamp;
use super::ids::{ClientId, ClientKey, GrantId, ImportId, UserId, WorkspaceId};
use super::policy::PolicyVersion;
use super::scope::Scopes;
use super::token_string::TokenKind;

/// A position in the commit-ordered log of revocations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Revision(i64);

impl Revision {
    /// Before the first revocation.
    pub const ZERO: Self = Self(0);

    #[must_use]
    pub const fn new(value: i64) -> Self {
        Self(value)
    }

    #[must_use]
    pub const fn value(self) -> i64 {
        self.0
    }
}

/// The tenant that a grant belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceRef {
    pub id: WorkspaceId,
    pub name: Arc<str>,
}

/// The client that a grant was issued to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRef {
    pub key: ClientKey,
    pub client_id: ClientId,
    pub name: String,
}

/// Whom a grant acts for: the OAuth `sub`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    User { id: UserId, name: String },
    Client(ClientRef),
}

impl Owner {
    /// The `sub` claim. A user's id and a client's id never look alike (RFC 9700 §4.15).
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::User { id, .. } => id.to_string(),
            Self::Client(client) => client.client_id.to_string(),
        }
    }

    #[must_use]
    pub const fn user_id(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Client(_) => None,
        }
    }
}

impl Serialize for Owner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (kind, name) = match self {
            Self::User { name, .. } => ("user", name),
            Self::Client(client) => ("client", &client.name),
        };
        let mut owner = serializer.serialize_struct("Owner", 3)?;
        owner.serialize_field("type", kind)?;
        owner.serialize_field("id", &self.subject())?;
        owner.serialize_field("name", name)?;
        owner.end()
    }
}

/// What is stored of a grant's state. Expiry is not stored: it follows from the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Active,
    Disabled,
    Revoked,
}

impl State {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Disabled, Self::Revoked].into_iter().find(|state| state.as_str() == name)
    }

    /// The state after a revocation. Revoked is terminal.
    #[must_use]
    pub const fn revoked(self) -> Changed {
        match self {
            Self::Revoked => Changed::Already,
            Self::Active | Self::Disabled => Changed::To(Self::Revoked),
        }
    }
}

/// What a transition does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    To(State),
    Already,
}

/// What people see of a grant's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Active,
    Expired,
    Disabled,
    Revoked,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
        })
    }
}

impl Status {
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Active, Self::Expired, Self::Disabled, Self::Revoked];
        all.into_iter().find(|status| status.to_string() == name)
    }
}

/// Which door a grant came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Api,
    Admin,
    Console,
    Oauth,
    Import,
}

impl Origin {
    const ALL: [Self; 5] = [Self::Api, Self::Admin, Self::Console, Self::Oauth, Self::Import];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Admin => "admin",
            Self::Console => "console",
            Self::Oauth => "oauth",
            Self::Import => "import",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == name)
    }
}

/// What is known of the request that opened a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionDetails {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ip_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    #[serde(flatten)]
    pub references: SessionReferences,
    /// Nobody has signed in: the session acts for whoever holds it, with the scopes that it was opened with.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anonymous: bool,
}

/// What the client calls a session by in its own systems.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionReferences {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_reference_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_tag: Option<String>,
}

impl SessionReferences {
    /// These, and the earlier ones where there are none.
    #[must_use]
    pub fn or(self, earlier: &Self) -> Self {
        Self {
            external_reference_id: self.external_reference_id.or_else(|| earlier.external_reference_id.clone()),
            session_tag: self.session_tag.or_else(|| earlier.session_tag.clone()),
        }
    }
}

/// One authorization.
#[derive(Clone, Debug)]
pub struct Grant {
    pub id: GrantId,
    pub workspace: WorkspaceRef,
    pub policy: String,
    /// The rules that it was issued under; `None`: those in force.
    pub policy_version: Option<PolicyVersion>,
    pub origin: Origin,
    pub name: Option<String>,
    pub owner: Owner,
    pub client: Option<ClientRef>,
    pub state: State,
    pub scopes: Scopes,
    pub apis: Vec<String>,
    pub plans: Vec<String>,
    pub extra_fields: Map<String, Value>,
    pub session: SessionDetails,
    /// The key that opened this session, if one did: a session dies with its key.
    pub parent: Option<Parent>,
    /// The import that it came with, whose deadline is its end.
    pub import: Option<ImportId>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub revoked_by: Option<String>,
    pub revoke_reason: Option<String>,
    pub disabled_at: Option<Timestamp>,
    pub disabled_by: Option<String>,
    /// Where it is disabled: whether its access tokens live on to their own end.
    pub spares_access: bool,
    pub deleted_at: Option<Timestamp>,
    /// Tokens of a generation below this one are accepted until `overlap_until` only.
    pub current_from: i64,
    pub overlap_until: Option<Timestamp>,
    pub version: i64,
    /// The log position at which the issuer knew its parents to be alive.
    pub revision: Revision,
    /// The highest cut-off that applies to it, and whether its parent is dead, as the store read them.
    pub cut_off: CutOff,
}

/// The grant of the key that opened a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    pub id: GrantId,
    pub policy: String,
    pub revision: Revision,
    pub current_from: i64,
    pub overlap_until: Option<Timestamp>,
}

/// Which of a grant's tokens is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenOf {
    pub kind: TokenKind,
    pub generation: i64,
}

/// What kills a grant from outside its own row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CutOff {
    /// The highest revision of a mass revocation that reaches this grant.
    pub revision: Option<Revision>,
    pub parent_dead: bool,
}

/// Why a grant is not alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dead {
    Expired,
    Disabled,
    Revoked,
}

impl Grant {
    /// The `sub` of its tokens. An anonymous session is its own subject: a resource server must not take it for the client
    /// that has opened it, nor for another session.
    #[must_use]
    pub fn subject(&self) -> String {
        if self.session.anonymous { self.id.to_string() } else { self.owner.subject() }
    }

    /// The state that people see. A revocation outranks everything, disabling outranks expiry.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        let cut = self.cut_off.parent_dead || self.cut_off.revision.is_some_and(|cut| self.revision < cut);
        match self.state {
            State::Revoked => Status::Revoked,
            _ if cut => Status::Revoked,
            State::Disabled => Status::Disabled,
            State::Active if self.expires_at.is_some_and(|end| end <= now) => Status::Expired,
            State::Active => Status::Active,
        }
    }

    /// Until when a token of this generation is accepted, where a newer one has taken its place. A session lives by the
    /// generation of the key that opened it.
    #[must_use]
    pub fn superseded(&self, generation: i64) -> Option<Superseded> {
        let (current_from, until) = match &self.parent {
            Some(parent) => (parent.current_from, parent.overlap_until),
            None => (self.current_from, self.overlap_until),
        };
        (generation < current_from).then_some(Superseded { until })
    }

    /// As [`Grant::live`], for one of its tokens: disabling may spare access tokens, and a token may have been replaced.
    ///
    /// # Errors
    /// Why the token is not good at `now`.
    pub fn live_for(self, token: TokenOf, now: Timestamp) -> Result<Live<Self>, Dead> {
        // Of two refresh tokens that both worked one would look like a replay of the other.
        let replaced = self.superseded(token.generation);
        if replaced.is_some_and(|replaced| token.kind == TokenKind::Refresh || !replaced.accepted_at(now)) {
            return Err(Dead::Revoked);
        }
        match self.status(now) {
            Status::Disabled if self.spares_access && token.kind == TokenKind::Access => Ok(Live(self)),
            _ => self.live(now),
        }
    }

    /// # Errors
    /// Why the grant is not alive at `now`.
    pub fn live(self, now: Timestamp) -> Result<Live<Self>, Dead> {
        match self.status(now) {
            Status::Active => Ok(Live(self)),
            Status::Expired => Err(Dead::Expired),
            Status::Disabled => Err(Dead::Disabled),
            Status::Revoked => Err(Dead::Revoked),
        }
    }
}

/// A newer token has taken the place of this one, which is accepted until the given time; `None`: no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Superseded {
    pub until: Option<Timestamp>,
}

impl Superseded {
    #[must_use]
    pub fn accepted_at(self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

/// Proof that a grant was alive when it was read. Only [`Grant::live`] makes one.
#[derive(Clone, Debug)]
pub struct Live<T>(T);

impl<T> Deref for Live<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Live<T> {
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::entropy::Entropy;

    pub(crate) fn grant() -> Grant {
        let (now, entropy) = (Timestamp::from_ms(1_000), Entropy::seeded(1));
        Grant {
            id: GrantId::generate(None, &entropy),
            workspace: WorkspaceRef { id: WorkspaceId::generate(now, &entropy), name: "acme".into() },
            policy: "short".to_owned(),
            policy_version: None,
            origin: Origin::Api,
            name: None,
            owner: Owner::User { id: UserId::generate(now, &entropy), name: "ada".to_owned() },
            client: None,
            state: State::Active,
            scopes: Scopes::default(),
            apis: Vec::new(),
            plans: Vec::new(),
            extra_fields: Map::new(),
            session: SessionDetails::default(),
            parent: None,
            import: None,
            created_at: now,
            expires_at: Some(Timestamp::from_ms(2_000)),
            last_used_at: None,
            revoked_at: None,
            revoked_by: None,
            revoke_reason: None,
            disabled_at: None,
            disabled_by: None,
            spares_access: false,
            deleted_at: None,
            current_from: 0,
            overlap_until: None,
            version: 1,
            revision: Revision::new(5),
            cut_off: CutOff::default(),
        }
    }

    #[test]
    fn a_grant_is_dead_at_its_end_and_alive_the_millisecond_before() {
        assert!(grant().live(Timestamp::from_ms(1_999)).is_ok());
        assert_eq!(grant().live(Timestamp::from_ms(2_000)).unwrap_err(), Dead::Expired);
    }

    #[test]
    fn a_cut_off_reaches_what_was_issued_before_it_only() {
        let status = |cut| {
            let grant = Grant { cut_off: CutOff { revision: Some(Revision::new(cut)), parent_dead: false }, ..grant() };
            grant.status(Timestamp::from_ms(1_500))
        };
        assert_eq!(status(4), Status::Active);
        assert_eq!(status(5), Status::Active);
        assert_eq!(status(6), Status::Revoked);
    }

    #[test]
    fn a_revocation_outranks_disabling_and_expiry() {
        let now = Timestamp::from_ms(9_000);
        assert_eq!(Grant { state: State::Revoked, ..grant() }.status(now), Status::Revoked);
        assert_eq!(Grant { state: State::Disabled, ..grant() }.status(now), Status::Disabled);
        let orphan = CutOff { revision: None, parent_dead: true };
        assert_eq!(Grant { cut_off: orphan, ..grant() }.status(now), Status::Revoked);
    }

    #[test]
    fn disabling_may_spare_access_tokens_and_nothing_else() {
        let now = Timestamp::from_ms(1_500);
        let live = |grant: Grant, kind| grant.live_for(TokenOf { kind, generation: 0 }, now).err();
        let spared = Grant { state: State::Disabled, spares_access: true, ..grant() };
        assert_eq!(live(spared.clone(), TokenKind::Access), None);
        assert_eq!(live(spared.clone(), TokenKind::Refresh), Some(Dead::Disabled));
        let all = Grant { spares_access: false, ..spared.clone() };
        assert_eq!(live(all, TokenKind::Access), Some(Dead::Disabled));
        let revoked = Grant { state: State::Revoked, ..spared };
        assert_eq!(live(revoked, TokenKind::Access), Some(Dead::Revoked));
    }

    #[test]
    fn a_replaced_token_is_good_until_the_overlap_ends() {
        let rotated = Grant { current_from: 2, overlap_until: Some(Timestamp::from_ms(1_600)), ..grant() };
        let live = |generation, at| {
            let token = TokenOf { kind: TokenKind::Access, generation };
            rotated.clone().live_for(token, Timestamp::from_ms(at)).is_ok()
        };
        assert!(live(1, 1_599) && !live(1, 1_600));
        assert!(live(2, 1_600));
        let at_once = Grant { overlap_until: None, ..rotated.clone() };
        assert!(at_once.live_for(TokenOf { kind: TokenKind::Access, generation: 1 }, Timestamp::from_ms(0)).is_err());
    }

    #[test]
    fn revoked_is_terminal() {
        assert_eq!(State::Active.revoked(), Changed::To(State::Revoked));
        assert_eq!(State::Disabled.revoked(), Changed::To(State::Revoked));
        assert_eq!(State::Revoked.revoked(), Changed::Already);
    }
}
