//! Which user somebody is whom the provider knows: the one that is tied to their subject; else whoever the configuration
//! lets be recognized; else a new one, where that is allowed.

use serde_json::json;

use super::id_token::Claims;
use super::sign_in::OidcFailure;
use super::{MatchBy, OidcSettings};
use crate::domain::email::Email;
use crate::domain::identity::Identity;
use crate::domain::ids::UserId;
use crate::domain::name::{MAX_NAME_CHARS, shown_text};
use crate::service::error::ApiFailure;
use crate::service::{RequestContext, Service};
use crate::store::StoreError;
use crate::store::identity::Mark;
use crate::store::user::{LinkedIdentity, NewUser, Role, User};
use crate::store::user_change::{UpdateUser, UserChange};

/// Why somebody whom the provider knows is nobody here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAccount {
    #[error("no user is tied to this subject, and none may be recognized or made")]
    Unknown,
    #[error("several users fit")]
    Several,
    #[error("the user who fits is tied to another subject of the provider")]
    SomebodyElse,
    #[error("a user with this name exists, and may not be recognized by it")]
    NameTaken,
}

impl From<NoAccount> for OidcFailure {
    fn from(reason: NoAccount) -> Self {
        Self::NoAccount(reason)
    }
}

/// The claims that finding an account, and its role, may need.
pub(super) fn wanted(settings: &OidcSettings) -> Vec<&str> {
    let mut wanted = match settings.match_by {
        MatchBy::Subject => Vec::new(),
        MatchBy::Email => vec!["email"],
        MatchBy::Username => vec!["preferred_username"],
    };
    if settings.create_users {
        wanted.push("preferred_username");
    }
    if !settings.admin_group.is_empty() {
        wanted.push(&settings.groups_claim);
    }
    wanted
}

impl Service {
    /// The user who signs in, with the role that the provider's groups give them.
    pub(super) async fn account_of(
        &self,
        settings: &OidcSettings,
        claims: &Claims,
        context: &RequestContext,
    ) -> Result<UserId, OidcFailure> {
        let identity = Identity { issuer: settings.issuer.clone(), subject: claims.subject.clone() };
        let user = match self.store.find_identified(&settings.workspace, &identity).await.map_err(ApiFailure::from)? {
            Some(user) => user,
            None => match self.recognized(settings, claims).await? {
                Some(user) => self.link(user, &identity, context).await?,
                None if settings.create_users => {
                    return self.create_identified(settings, identity, claims, context).await;
                }
                None => return Err(NoAccount::Unknown.into()),
            },
        };
        self.follow_group(settings, user, claims, context).await?;
        Ok(user)
    }

    /// The one user whom the configuration lets be recognized.
    async fn recognized(&self, settings: &OidcSettings, claims: &Claims) -> Result<Option<User>, OidcFailure> {
        let mark = match settings.match_by {
            MatchBy::Subject => None,
            // An address that nobody has verified may be anybody's.
            MatchBy::Email => verified_email(claims).map(Mark::Email),
            MatchBy::Username => claims.text("preferred_username").map(|name| Mark::Username(name.to_owned())),
        };
        let Some(mark) = mark else {
            return Ok(None);
        };
        let found = self.store.find_marked(&settings.workspace, &mark).await.map_err(ApiFailure::from)?;
        match found.as_slice() {
            [] => Ok(None),
            [user] => Ok(self.store.find_user(*user).await.map_err(ApiFailure::from)?),
            _ => Err(NoAccount::Several.into()),
        }
    }

    /// Ties a user to who they are from now on. An address or a name may go to somebody else one day, a subject does not.
    async fn link(&self, user: User, identity: &Identity, context: &RequestContext) -> Result<UserId, OidcFailure> {
        let actor = format!("user:{}", user.id);
        let event = self.audit_event(context, user.workspace, actor, "user.link_identity", user.id.to_string());
        let event = event.with_detail(&json!({ "issuer": identity.issuer, "subject": identity.subject.as_str() }));
        match self.store.link_identity(user.id, identity.clone(), self.clock.now(), event).await {
            Ok(true) => Ok(user.id),
            Ok(false) | Err(StoreError::Duplicate(_)) => {
                // Twice at the same moment is once.
                let now = self.store.find_user(user.id).await.map_err(ApiFailure::from)?;
                let same = now.and_then(|user| user.identity).is_some_and(|linked| linked.identity == *identity);
                if same { Ok(user.id) } else { Err(NoAccount::SomebodyElse.into()) }
            }
            Err(error) => Err(ApiFailure::from(error).into()),
        }
    }

    async fn create_identified(
        &self,
        settings: &OidcSettings,
        identity: Identity,
        claims: &Claims,
        context: &RequestContext,
    ) -> Result<UserId, OidcFailure> {
        let workspace = self.store.find_workspace_named(&settings.workspace).await.map_err(ApiFailure::from)?;
        let Some(workspace) = workspace else {
            tracing::warn!(workspace = settings.workspace, "console.oidc.workspace names no workspace that there is");
            return Err(NoAccount::Unknown.into());
        };
        let email = verified_email(claims);
        let names = [claims.text("preferred_username"), email.as_deref(), Some(claims.subject.as_str())];
        let username = names.into_iter().flatten().find_map(|name| shown_text(name, MAX_NAME_CHARS).ok());
        let now = self.clock.now();
        let user = User {
            id: UserId::generate(now, &self.entropy),
            workspace,
            username: username.ok_or(NoAccount::Unknown)?,
            email,
            role: role_by_group(settings, claims).unwrap_or(Role::Member),
            tokens_allowed: true,
            has_password: false,
            created_at: now,
            version: 1,
            identity: Some(LinkedIdentity { identity: identity.clone(), linked_at: now }),
        };
        let detail = json!({
            "username": user.username, "role": user.role, "email": user.email, "password": false,
            "identity": { "issuer": identity.issuer, "subject": identity.subject.as_str() },
        });
        let (id, actor) = (user.id, format!("user:{}", user.id));
        let event = self.audit_event(context, workspace, actor, "user.create", id.to_string()).with_detail(&detail);
        match self.store.insert_user(NewUser { user, password_hash: None }, event).await {
            Ok(()) => Ok(id),
            Err(StoreError::Duplicate(_)) => {
                let found = self.store.find_identified(&settings.workspace, &identity).await;
                found.map_err(ApiFailure::from)?.ok_or_else(|| NoAccount::NameTaken.into())
            }
            Err(error) => Err(ApiFailure::from(error).into()),
        }
    }

    /// Where a group makes administrators, being in it decides, each time that somebody signs in. Operators stay, and so does
    /// the last administrator.
    async fn follow_group(
        &self,
        settings: &OidcSettings,
        id: UserId,
        claims: &Claims,
        context: &RequestContext,
    ) -> Result<(), OidcFailure> {
        let Some(role) = role_by_group(settings, claims) else {
            return Ok(());
        };
        let Some(user) = self.store.find_user(id).await.map_err(ApiFailure::from)? else {
            return Ok(());
        };
        if user.role == role || user.role == Role::Operator {
            return Ok(());
        }
        let detail = json!({ "changed": { "role": { "from": user.role, "to": role } }, "group": settings.admin_group });
        let event = self.audit_event(context, user.workspace, "system".to_owned(), "user.update", id.to_string());
        let user = User { role, ..user };
        let update = UpdateUser { user, password_hash: None, ends_sessions: false, audit: event.with_detail(&detail) };
        match self.store.update_user(update).await.map_err(ApiFailure::from)? {
            UserChange::Last(_) => {
                tracing::warn!(user = %id, "the last administrator is not in console.oidc.admin_group, and stays one");
                Ok(())
            }
            // Somebody edits them at this moment: what is decided then counts.
            UserChange::Done(_) | UserChange::Gone => Ok(()),
            UserChange::Stale => {
                let message = "the user was changed at the same moment; sign in again".to_owned();
                Err(ApiFailure::Conflict(message.into()).into())
            }
        }
    }
}

/// `None` where roles are given here.
fn role_by_group(settings: &OidcSettings, claims: &Claims) -> Option<Role> {
    let group = settings.admin_group.as_str();
    let is_in = !group.is_empty() && claims.lists(&settings.groups_claim, group);
    (!group.is_empty()).then_some(if is_in { Role::Admin } else { Role::Member })
}

fn verified_email(claims: &Claims) -> Option<String> {
    let email = claims.text("email").filter(|_| claims.is_true("email_verified"))?;
    email.parse::<Email>().ok().map(Email::into_string)
}
