//! How a user's password comes to be: by a one-time link, or by the one before it.

use std::time::Duration;

use super::caller::Caller;
use super::error::ApiFailure;
use super::sign_in::{SignInFailure, account_name};
use super::{RequestContext, Service};
use crate::domain::ids::{ConsoleSessionId, UserId};
use crate::domain::password::Password;
use crate::domain::random_secret::{Purpose, RandomSecret, presented};
use crate::domain::secret::{Digest, Secret};
use crate::store::password::SetPassword;
use crate::store::user::User;

/// A link that is still good, and whose password it sets.
#[derive(Debug)]
pub struct GoodLink {
    pub user: User,
    digest: Digest,
}

/// The first link: printed at the start, for whoever sits at the terminal.
const FIRST_LINK: Duration = Duration::from_secs(15 * 60);

/// A link that is handed over by some other way than this service.
const INVITATION: Duration = Duration::from_secs(24 * 3600);

impl Service {
    /// A link that sets the first operator's password, as long as nobody can sign in.
    ///
    /// # Errors
    /// The store's.
    pub async fn first_password_link(&self) -> Result<Option<Secret<String>>, ApiFailure> {
        if !self.settings.console.passwords {
            return Ok(None);
        }
        let Some(user) = self.store.find_first_without_password(self.oidc.is_some()).await? else {
            return Ok(None);
        };
        let context = RequestContext::default();
        self.password_link(user, FIRST_LINK, "system".to_owned(), &context).await.map(Some)
    }

    /// A link that sets the first operator's password, whether or not there is one; `None` without an operator, and where
    /// passwords are switched off.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn operators_link(&self) -> Result<Option<Secret<String>>, ApiFailure> {
        let found = self.store.find_first_operator().await?;
        let Some(user) = found.filter(|_| self.settings.console.passwords) else {
            return Ok(None);
        };
        let context = RequestContext::default();
        self.password_link(user, INVITATION, "system".to_owned(), &context).await.map(Some)
    }

    /// A link with which somebody else of the workspace sets their password: an invitation, or help for who forgot it.
    ///
    /// # Errors
    /// [`ApiFailure::Forbidden`] for a user above the caller, or the store's.
    pub async fn user_password_link(&self, caller: &Caller, user: &User) -> Result<Secret<String>, ApiFailure> {
        if !self.settings.console.passwords {
            return Err(ApiFailure::Forbidden("sign-in with passwords is switched off"));
        }
        caller.may_change(user)?;
        self.password_link(user.id, INVITATION, caller.actor(), &caller.context).await
    }

    async fn password_link(
        &self,
        user: UserId,
        lifetime: Duration,
        actor: String,
        context: &RequestContext,
    ) -> Result<Secret<String>, ApiFailure> {
        let Some(account) = self.store.find_user(user).await? else {
            return Err(ApiFailure::NotFound("user"));
        };
        let now = self.clock.now();
        let link = RandomSecret::draw(Purpose::PasswordLink, &self.entropy);
        let event = self.audit_event(context, account.workspace, actor, "user.password_link", user.to_string());
        self.store.insert_password_link(link.digest, user, now, now.plus(lifetime), event).await?;
        Ok(link.text)
    }

    /// # Errors
    /// The store's.
    pub async fn find_link(&self, code: &str) -> Result<Option<GoodLink>, ApiFailure> {
        let Some(digest) = presented(Purpose::PasswordLink, code).filter(|_| self.settings.console.passwords) else {
            return Ok(None);
        };
        let Some(user) = self.store.find_password_link(digest, self.clock.now()).await? else {
            return Ok(None);
        };
        Ok(self.store.find_user(user).await?.map(|user| GoodLink { user, digest }))
    }

    /// Sets the password that a link allows, ends all sessions of its user, and opens one. `None`: the link was used in
    /// the meantime.
    ///
    /// # Errors
    /// The store's, or that of hashing.
    pub async fn set_password_by_link(
        &self,
        link: GoodLink,
        password: Password,
        user_agent: Option<String>,
        context: &RequestContext,
    ) -> Result<Option<Secret<String>>, ApiFailure> {
        let hash = self.passwords.hash(password, &self.entropy).await?;
        let user = link.user.id;
        let actor = format!("user:{user}");
        let set = SetPassword {
            user,
            hash,
            at: self.clock.now(),
            link: Some(link.digest),
            kept: None,
            audit: self.audit_event(context, link.user.workspace, actor, "user.password", user.to_string()),
        };
        if !self.store.set_password(set).await? {
            return Ok(None);
        }
        self.open_session(user, "link", user_agent, context).await.map(Some)
    }

    /// Changes the caller's password; every other session of theirs ends.
    ///
    /// # Errors
    /// [`SignInFailure::Refused`] for a wrong old password, [`SignInFailure::Throttled`] after several of them,
    /// [`SignInFailure::Off`] where nobody signs in with one.
    pub async fn change_password(
        &self,
        caller: &Caller,
        kept: ConsoleSessionId,
        old: Secret<String>,
        new: Password,
    ) -> Result<(), SignInFailure> {
        if !self.settings.console.passwords {
            return Err(SignInFailure::Off);
        }
        let user = caller.user.id;
        // Under the id, so that somebody who guesses at the sign-in page can't keep the user from this.
        let account = account_name("id", &user.to_string());
        self.throttle.attempt(&account, None, self.clock.now()).map_err(SignInFailure::Throttled)?;
        let found = self.store.find_credentials_of_user(user).await.map_err(ApiFailure::from)?;
        let hash = found.and_then(|found| found.password_hash);
        if !self.passwords.matches(old, hash).await.map_err(ApiFailure::from)? {
            return Err(SignInFailure::Refused);
        }
        self.throttle.succeeded(&account);
        let hash = self.passwords.hash(new, &self.entropy).await.map_err(ApiFailure::from)?;
        let audit =
            self.audit_event(&caller.context, caller.workspace.id, caller.actor(), "user.password", user.to_string());
        let set = SetPassword { user, hash, at: self.clock.now(), link: None, kept: Some(kept), audit };
        let changed = self.store.set_password(set).await.map_err(ApiFailure::from)?;
        if changed { Ok(()) } else { Err(ApiFailure::NotFound("user").into()) }
    }
}
