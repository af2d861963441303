//! Who is signed in to the console: by a password, for as long as the session lasts.

use std::time::Duration;

use super::caller::Caller;
use super::error::ApiFailure;
use super::throttle::Throttled;
use super::{RequestContext, Service};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConsoleSessionId, UserId};
use crate::domain::random_secret::{Purpose, RandomSecret, presented};
use crate::domain::secret::Secret;
use crate::store::StoreError;
use crate::store::console_session::{ConsoleSession, NewSession, SessionsAt};

/// How long people stay signed in.
#[derive(Clone, Copy, Debug)]
pub struct ConsoleSettings {
    /// A session that was not used for so long has ended.
    pub idle: Duration,
    /// A session ends after so long, used or not.
    pub end: Duration,
    /// Whether people sign in with passwords.
    pub passwords: bool,
}

/// Who says they are whom.
#[derive(Debug)]
pub struct SignIn {
    pub username: String,
    /// Empty: whichever the user is in.
    pub workspace: String,
    pub password: Secret<String>,
    pub user_agent: Option<String>,
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInFailure {
    /// Nobody signs in with passwords here.
    #[error("sign-in with passwords is switched off")]
    Off,
    /// Unknown name or wrong password: nobody is told which.
    #[error("unknown name or wrong password")]
    Refused,
    #[error("too many attempts")]
    Throttled(Throttled),
    #[error(transparent)]
    Failed(#[from] ApiFailure),
}

/// A session and its user.
#[derive(Debug)]
pub struct SignedIn {
    pub caller: Caller,
    pub session: ConsoleSession,
}

/// A session's last use is written at most this often.
const TOUCH_EVERY: Duration = Duration::from_secs(60);
/// Longer ones are cut: they are shown, and nothing depends on them.
const MAX_USER_AGENT_CHARS: usize = 200;

impl Service {
    /// Checks a password and opens a session; the secret is for the cookie.
    ///
    /// # Errors
    /// [`SignInFailure`].
    pub async fn sign_in(&self, request: SignIn, context: &RequestContext) -> Result<Secret<String>, SignInFailure> {
        if !self.settings.console.passwords {
            return Err(SignInFailure::Off);
        }
        let account = account_name(&request.workspace, &request.username);
        let now = self.clock.now();
        self.throttle.attempt(&account, context.client_ip, now).map_err(SignInFailure::Throttled)?;
        let found = self.store.find_credentials(&request.username, &request.workspace).await;
        let found = found.map_err(ApiFailure::from)?;
        let (user, hash) = found.map_or((None, None), |found| (Some(found.user), found.password_hash));
        let matches = self.passwords.matches(request.password, hash).await.map_err(ApiFailure::from)?;
        let Some(user) = user.filter(|_| matches) else {
            tracing::info!(request.id = context.request_id, client.address = ?context.client_ip, "sign-in refused");
            return Err(SignInFailure::Refused);
        };
        self.throttle.succeeded(&account);
        Ok(self.open_session(user, "password", request.user_agent, context).await?)
    }

    /// A new session of a user who has proven who they are, by what the audit says; always with a new secret.
    pub(super) async fn open_session(
        &self,
        user: UserId,
        by: &'static str,
        user_agent: Option<String>,
        context: &RequestContext,
    ) -> Result<Secret<String>, ApiFailure> {
        let Some(account) = self.store.find_user(user).await? else {
            return Err(ApiFailure::Forbidden("the user has no account any more"));
        };
        let now = self.clock.now();
        let secret = RandomSecret::draw(Purpose::Session, &self.entropy);
        let session = NewSession {
            id: ConsoleSessionId::generate(now, &self.entropy),
            digest: secret.digest,
            user,
            created_at: now,
            expires_at: now.plus(self.settings.console.end),
            ip: context.client_ip.map(|ip| ip.to_string()),
            user_agent: user_agent.map(|text| text.chars().take(MAX_USER_AGENT_CHARS).collect()),
        };
        let actor = format!("user:{user}");
        let target = session.id.to_string();
        let event = self.audit_event(context, account.workspace, actor, "session.open", target);
        let event = event.with_detail(&serde_json::json!({ "by": by }));
        self.store.open_console_session(session, self.sessions_at(now), event).await?;
        Ok(secret.text)
    }

    /// The live session of a cookie.
    ///
    /// # Errors
    /// The store's.
    pub async fn find_session(&self, cookie: &str, context: RequestContext) -> Result<Option<SignedIn>, StoreError> {
        let now = self.clock.now();
        let Some(digest) = presented(Purpose::Session, cookie) else {
            return Ok(None);
        };
        let Some(found) = self.store.find_console_session(digest, self.sessions_at(now)).await? else {
            return Ok(None);
        };
        let Some(user) = self.store.find_user(found.user).await? else {
            return Ok(None);
        };
        if found.session.last_seen_at <= now.minus(TOUCH_EVERY) {
            self.store.touch_console_session(found.session.id, now).await?;
        }
        let caller = Caller::signed_in(user, found.workspace, found.as_of, context);
        Ok(Some(SignedIn { caller, session: found.session }))
    }

    /// The caller's live sessions, the one used last first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_sessions(&self, caller: &Caller) -> Result<Vec<ConsoleSession>, ApiFailure> {
        Ok(self.store.list_console_sessions(caller.user.id, self.sessions_at(self.clock.now())).await?)
    }

    /// Ends one session of the caller's.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], or the store's.
    pub async fn end_session(&self, caller: &Caller, id: ConsoleSessionId) -> Result<(), ApiFailure> {
        let event = self.session_event(caller, "session.end", id.to_string());
        let ended = self.store.end_console_session(caller.user.id, id, event).await?;
        if ended { Ok(()) } else { Err(ApiFailure::NotFound("session")) }
    }

    /// Ends all sessions of the caller's but `kept`; returns how many.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_other_sessions(&self, caller: &Caller, kept: ConsoleSessionId) -> Result<u64, ApiFailure> {
        let event = self.session_event(caller, "session.end_others", caller.user.id.to_string());
        Ok(self.store.end_other_console_sessions(caller.user.id, kept, event).await?)
    }

    fn session_event(&self, caller: &Caller, action: &'static str, target: String) -> crate::store::audit::AuditEvent {
        self.audit_event(&caller.context, caller.workspace.id, caller.actor(), action, target)
    }

    fn sessions_at(&self, now: Timestamp) -> SessionsAt {
        SessionsAt { now, idle_since: now.minus(self.settings.console.idle) }
    }
}

/// What attempts are counted under.
pub(super) fn account_name(workspace: &str, username: &str) -> String {
    format!("{workspace}\0{username}")
}
