//! Introspection (RFC 7662): the state of a token, for those who may ask about it.

use jeton_guard::{Limits, Outcome, Refusal};
use serde::Serialize;

use super::Service;
use super::client_auth::AuthenticatedClient;
use super::refusals::rule_of;
use super::validate::Validated;
use crate::domain::base62;
use crate::domain::catalog::Catalog;
use crate::domain::grant::{Grant, Revision, WorkspaceRef};
use crate::domain::ids::{ClientKey, GrantId, ImportId, UserId, WorkspaceId};
use crate::domain::refusal::Rule;
use crate::domain::token_string::TokenKind;
use crate::store::StoreError;
use crate::store::user::Role;

/// Who asks about a token.
#[derive(Clone, Debug)]
pub struct Asker {
    workspace: WorkspaceRef,
    client: Option<ClientKey>,
    /// May ask about every token of the workspace.
    all: bool,
}

impl Asker {
    /// A confidential client: its own tokens, or all of the workspace's where it is registered to introspect.
    #[must_use]
    pub fn client(client: &AuthenticatedClient) -> Self {
        Self { workspace: client.workspace.clone(), client: Some(client.key), all: client.introspect }
    }

    /// The workspace whose revocations this caller may follow: that of which it may ask about every token.
    #[must_use]
    pub fn follows(&self) -> Option<WorkspaceId> {
        self.all.then_some(self.workspace.id)
    }

    /// Why this token is not shown. Refresh tokens are shown to their own client only: to a resource server they are no
    /// credential.
    fn hidden(&self, kind: TokenKind, grant: &Grant) -> Option<Rule> {
        let own = self.client.is_some() && grant.client.as_ref().map(|client| client.key) == self.client;
        if grant.workspace.id != self.workspace.id {
            return Some(Rule::OtherWorkspace);
        }
        if own || (self.all && kind != TokenKind::Refresh) { None } else { Some(Rule::NotAllowed) }
    }
}

/// What is asked.
#[derive(Debug)]
pub struct Question<'a> {
    pub token: &'a str,
    /// The answer is as of this revision or newer.
    pub at_least: Revision,
    /// The caller follows the revocations and wants to know which of them concern the token.
    pub follows: bool,
}

/// RFC 7662 §2.2: nothing but this for a token that is not active, or not for this caller.
const INACTIVE: &[u8] = br#"{"active":false}"#;

/// What is told of a token.
#[derive(Debug)]
pub struct Introspected {
    /// The answer as JSON.
    pub body: Vec<u8>,
    /// What the question was counted against: a resource server asks because somebody uses the token there.
    pub limits: Limits,
    /// The token, where it is active and may be seen; else why it is not.
    pub token: Result<Validated, Rule>,
}

impl Service {
    /// A bearer whose token has the scope `introspect`: a client, or a user while they are an administrator. Read at each
    /// question, because what a user may do is not kept with their tokens.
    ///
    /// # Errors
    /// The store's.
    pub async fn bearer_asker(&self, validated: &Validated) -> Result<Option<Asker>, StoreError> {
        let grant = &validated.token().grant;
        if let Some(user) = grant.owner.user_id() {
            let user = self.store.find_user(user).await?;
            if !user.is_some_and(|user| user.workspace == grant.workspace.id && user.role >= Role::Admin) {
                return Ok(None);
            }
        }
        Ok(Some(Asker { workspace: grant.workspace.clone(), client: None, all: true }))
    }

    /// The answer to whoever asks. A used-up limit does not make a token inactive; the answer then has `retry_after`.
    ///
    /// # Errors
    /// The store's: an outage is never an inactive token.
    pub async fn introspect(&self, asker: &Asker, question: &Question<'_>) -> Result<Introspected, StoreError> {
        let Question { token, at_least, follows } = *question;
        // Before the token: under this history, what is found then reflects at least the revision that it comes with.
        let history = if follows { self.cache.lineage().label() } else { None };
        let hidden = |rule| Introspected { body: INACTIVE.to_vec(), limits: Limits::none(), token: Err(rule) };
        match self.examine_at(token, at_least).await {
            Outcome::Active(validated) => {
                if let Some(rule) = asker.hidden(validated.token().kind, &validated.token().grant) {
                    return Ok(hidden(rule));
                }
                let used = validated.token().kind != TokenKind::Refresh;
                if used {
                    self.note_use(&validated);
                }
                let counted = if used && asker.all { self.count_use(&validated, &[]) } else { Ok(Limits::none()) };
                let revision = validated.as_of.value();
                let mut body = validated.token().introspection(validated.now, self.cache_max_age.seconds(), revision);
                if let Some(catalog) = validated.catalog() {
                    write_associations(&mut body, catalog, &validated.token().grant);
                }
                if let Some(history) = history {
                    write_member(&mut body, "history", &history);
                    write_member(&mut body, "revocation_keys", &revocation_keys(&validated.token().grant));
                }
                let limits = match counted {
                    Ok(limits) => limits,
                    Err(refusal) => {
                        write_member(&mut body, "retry_after", &refusal.retry_after_s());
                        if let Refusal::LimitExceeded { limits, .. } = refusal { limits } else { Limits::none() }
                    }
                };
                body.push(b'}');
                Ok(Introspected { body, limits, token: Ok(validated) })
            }
            Outcome::Inactive(inactive) => Ok(hidden(rule_of(inactive))),
            Outcome::Unavailable(_) => Err(StoreError::Unavailable(None)),
        }
    }
}

/// What the token covers now: an API or plan that was deleted is not among it. `aud` (RFC 7662 §2.2) is who the APIs are.
fn write_associations(body: &mut Vec<u8>, catalog: &Catalog, grant: &Grant) {
    let apis: Vec<_> = catalog.covered(grant).collect();
    let plans: Vec<_> = catalog.plans_of(grant).map(|plan| &plan.name).collect();
    if !apis.is_empty() {
        let mut audiences: Vec<_> = apis.iter().map(|api| &api.audience).collect();
        audiences.dedup();
        write_member(body, "aud", &audiences);
    }
    write_member(body, "apis", &apis.iter().map(|api| &api.name).collect::<Vec<_>>());
    write_member(body, "plans", &plans);
}

/// The keys of all revocations that end or change what rests on this grant.
fn revocation_keys(grant: &Grant) -> Vec<String> {
    let user = grant.owner.user_id();
    let client = grant.client.as_ref().map(|client| client.key);
    let parent = grant.parent.as_ref().map(|parent| parent.id);
    let keys = [
        Some(grant.id.as_bytes()),
        parent.as_ref().map(GrantId::as_bytes),
        Some(grant.workspace.id.as_bytes()),
        user.as_ref().map(UserId::as_bytes),
        client.as_ref().map(ClientKey::as_bytes),
        grant.import.as_ref().map(ImportId::as_bytes),
    ];
    let digits = |key: &[u8; 16]| {
        let mut digits = String::with_capacity(22);
        base62::push_16(&mut digits, key);
        digits
    };
    keys.into_iter().flatten().map(digits).collect()
}

/// Adds a member to an object that is not closed yet.
fn write_member<T: Serialize>(body: &mut Vec<u8>, name: &str, value: &T) {
    body.extend_from_slice(b",\"");
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(b"\":");
    serde_json::to_writer(body, value).expect("plain data goes into memory");
}
