//! `/admin/v1/users`: the people of the workspace.

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::Service;
use super::caller::Caller;
use super::detail::{Detail, Reason};
use super::error::{ApiFailure, FieldError};
use super::idempotency::IdempotencyKey;
use crate::domain::clock::Timestamp;
use crate::domain::email::Email;
use crate::domain::identity::Identity;
use crate::domain::ids::UserId;
use crate::domain::name::{MAX_NAME_CHARS, shown_text};
use crate::domain::password::Password;
use crate::domain::secret::Secret;
use crate::store::StoreError;
use crate::store::user::{LinkedIdentity, NewUser, Role, User, UserCursor, UserFilter};

/// A user to make.
#[derive(Debug)]
pub struct CreateUser {
    pub username: String,
    pub email: Option<String>,
    /// Member where none is named.
    pub role: Option<String>,
    pub password: Option<Secret<String>>,
}

/// A user to make, read and allowed.
struct CheckedUser {
    username: String,
    email: Option<String>,
    role: Role,
    password: Option<Password>,
}

/// A user as REST shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView<'a> {
    pub id: UserId,
    pub username: &'a str,
    pub email: Option<&'a str>,
    pub role: Role,
    /// Whether they may make tokens of their own.
    pub tokens_allowed: bool,
    /// Whether they can sign in to the console by a password.
    pub has_password: bool,
    /// Who they are to the provider that they sign in by, if they have or may.
    pub identity: Option<IdentityView<'a>>,
    pub workspace: &'a str,
    pub created_at: Timestamp,
    pub version: i64,
}

/// A person at an OpenID Connect provider.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = UserIdentity)]
pub struct IdentityView<'a> {
    pub issuer: &'a str,
    pub subject: &'a str,
    pub linked_at: Timestamp,
}

impl<'a> IdentityView<'a> {
    #[must_use]
    pub fn of(linked: &'a LinkedIdentity) -> Self {
        let Identity { issuer, subject } = &linked.identity;
        Self { issuer, subject: subject.as_str(), linked_at: linked.linked_at }
    }
}

impl<'a> UserView<'a> {
    #[must_use]
    pub fn of(user: &'a User, caller: &'a Caller) -> Self {
        Self::within(user, &caller.workspace.name)
    }

    /// Of a user of the workspace with this name.
    #[must_use]
    pub fn within(user: &'a User, workspace: &'a str) -> Self {
        Self {
            id: user.id,
            username: &user.username,
            email: user.email.as_deref(),
            role: user.role,
            tokens_allowed: user.tokens_allowed,
            has_password: user.has_password,
            identity: user.identity.as_ref().map(IdentityView::of),
            workspace,
            created_at: user.created_at,
            version: user.version,
        }
    }
}

impl Service {
    /// # Errors
    /// [`ApiFailure::Invalid`] with every field that can't be accepted, [`ApiFailure::Forbidden`] for a role above the
    /// caller's, [`ApiFailure::Conflict`] for a name that is or was in use, [`ApiFailure::KeyReused`], or the store's. True
    /// beside a user that an earlier call with this key has made.
    pub async fn create_user(
        &self,
        caller: &Caller,
        request: CreateUser,
        key: Option<&IdempotencyKey>,
    ) -> Result<(User, bool), ApiFailure> {
        // Not of the password: what is stored of it must stay expensive to guess.
        let asked = ("user", &request.username, &request.email, &request.role, request.password.is_some());
        let own = *UserId::generate(self.clock.now(), &self.entropy).as_bytes();
        let checked = self.read_user(caller, &request)?;
        let origination = self.originate(caller, key, &asked, own).await?;
        let id = UserId::from_bytes(origination.id(own));
        if let Some(user) = self.store.find_user(id).await? {
            return Ok((user, true));
        }
        let new = self.prepare_user(caller, id, checked).await?;
        let user = new.user.clone();
        let detail =
            json!({ "username": user.username, "role": user.role, "email": user.email, "password": user.has_password });
        let audit = self.admin_event(caller, "user.create", user.id.to_string()).with_detail(&detail);
        match self.store.insert_user(new, audit).await {
            Ok(()) => Ok((user, false)),
            // Of two equal calls at the same moment one is the repeat.
            Err(StoreError::Duplicate(_)) => match self.store.find_user(id).await? {
                Some(user) => Ok((user, true)),
                None => {
                    let taken = "this username is or was in use in the workspace; choose another";
                    Err(ApiFailure::Conflict(Detail::new(Reason::NameTaken, taken)))
                }
            },
            Err(error) => Err(error.into()),
        }
    }

    fn read_user(&self, caller: &Caller, request: &CreateUser) -> Result<CheckedUser, ApiFailure> {
        let mut errors = Vec::new();
        let username = read_username(&request.username, "/username", &mut errors);
        let email = request.email.as_deref().and_then(|text| read_email(text, "/email", &mut errors));
        let role = request.role.as_deref().map_or(Some(Role::Member), |word| read_role(word, &mut errors));
        let password = request.password.clone().and_then(|text| read_password(text, "/password", &mut errors));
        let (Some(username), Some(role), true) = (username, role, errors.is_empty()) else {
            return Err(ApiFailure::Invalid(errors));
        };
        caller.may_give(role)?;
        Ok(CheckedUser { username, email, role, password })
    }

    async fn prepare_user(&self, caller: &Caller, id: UserId, checked: CheckedUser) -> Result<NewUser, ApiFailure> {
        let password_hash = match checked.password {
            Some(password) => Some(self.passwords.hash(password, &self.entropy).await?),
            None => None,
        };
        let user = User {
            id,
            workspace: caller.workspace.id,
            username: checked.username,
            email: checked.email,
            role: checked.role,
            tokens_allowed: true,
            has_password: password_hash.is_some(),
            created_at: self.clock.now(),
            version: 1,
            identity: None,
        };
        Ok(NewUser { user, password_hash })
    }

    /// A page of the workspace's users, newest first, and where the next page starts.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_users(
        &self,
        caller: &Caller,
        filter: UserFilter,
        after: UserCursor,
        limit: u32,
    ) -> Result<(Vec<User>, Option<UserCursor>), ApiFailure> {
        let mut users = self.store.list_users(caller.workspace.id, filter, after, limit + 1).await?;
        let more = users.len() > limit as usize;
        users.truncate(limit as usize);
        let next = users.last().filter(|_| more);
        let next = next.map(|last| UserCursor { created_at: last.created_at, id: last.id });
        Ok((users, next))
    }

    /// # Errors
    /// [`ApiFailure::NotFound`], also for another workspace's user, or the store's.
    pub async fn find_workspace_user(&self, caller: &Caller, id: &str) -> Result<User, ApiFailure> {
        let Ok(id) = id.parse::<UserId>() else {
            return Err(ApiFailure::NotFound("user"));
        };
        let user = self.store.find_user(id).await?;
        user.filter(|user| user.workspace == caller.workspace.id).ok_or(ApiFailure::NotFound("user"))
    }
}

impl Caller {
    /// Nobody makes anybody more than they are.
    pub(super) fn may_give(&self, role: Role) -> Result<(), ApiFailure> {
        if role > self.user.role {
            return Err(ApiFailure::Forbidden("a role above one's own can't be given"));
        }
        Ok(())
    }

    /// Nobody edits or deletes somebody who is more than they are: it would be a way to become them.
    pub(super) fn may_change(&self, user: &User) -> Result<(), ApiFailure> {
        if user.role > self.user.role {
            return Err(ApiFailure::Forbidden("a user with a role above one's own can't be changed"));
        }
        Ok(())
    }
}

pub(super) fn read_username(text: &str, pointer: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    shown_text(text, MAX_NAME_CHARS).map_err(|error| errors.push(FieldError::new(pointer, error))).ok()
}

pub(super) fn read_email(text: &str, pointer: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    let email = text.parse::<Email>().map(Email::into_string);
    email.map_err(|error| errors.push(FieldError::new(pointer, error))).ok()
}

pub(super) fn read_role(word: &str, errors: &mut Vec<FieldError>) -> Option<Role> {
    let role = Role::from_name(word);
    if role.is_none() {
        errors.push(FieldError::new("/role", format!("is one of: {}", Role::ALL.map(Role::as_str).join(", "))));
    }
    role
}

pub(super) fn read_password(text: Secret<String>, pointer: &str, errors: &mut Vec<FieldError>) -> Option<Password> {
    Password::choose(text).map_err(|error| errors.push(FieldError::new(pointer, error.to_string()))).ok()
}
