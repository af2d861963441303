//! `/admin/v1/apis`: the workspace's protected resources.

use serde::Serialize;

use super::Service;
use super::caller::Caller;
use super::catalog::Deletion;
use super::edit::IfMatch;
use super::error::{ApiFailure, FieldError};
use crate::domain::api::{Api, Audience};
use crate::domain::catalog_name::CatalogName;
use crate::domain::clock::Timestamp;
use crate::domain::ids::ApiId;
use crate::domain::scope::Scopes;
use crate::store::api::ApiCursor;
use crate::store::catalog::Change;
use crate::store::naming::{Kind, Named};

/// An API to register.
#[derive(Debug)]
pub struct CreateApi {
    pub name: String,
    pub audience: String,
    pub scopes: Vec<String>,
}

/// An edit; `None` leaves a field as it is.
#[derive(Debug)]
pub struct EditApi {
    pub audience: Option<String>,
    pub scopes: Option<Vec<String>>,
}

/// An API as REST shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Api)]
pub struct ApiView<'a> {
    pub id: ApiId,
    pub name: &'a CatalogName,
    pub workspace: &'a str,
    pub audience: &'a Audience,
    pub scopes: &'a Scopes,
    pub created_at: Timestamp,
    pub version: i64,
}

impl<'a> ApiView<'a> {
    #[must_use]
    pub fn of(api: &'a Api, workspace: &'a str) -> Self {
        Self {
            id: api.id,
            name: &api.name,
            workspace,
            audience: &api.audience,
            scopes: &api.scopes,
            created_at: api.created_at,
            version: api.version,
        }
    }
}

impl Service {
    /// # Errors
    /// [`ApiFailure::Invalid`] with every field that can't be accepted, [`ApiFailure::Conflict`] for a name that is or
    /// was in use, or the store's.
    pub async fn create_api(&self, caller: &Caller, request: &CreateApi) -> Result<Api, ApiFailure> {
        let mut errors = Vec::new();
        let name = request.name.parse::<CatalogName>();
        let name = name.map_err(|error| errors.push(FieldError::new("/name", error)));
        let audience = read_audience(&request.audience, &mut errors);
        let scopes = read_scopes(&request.scopes, &mut errors);
        let (Ok(name), Some(audience), Some(scopes)) = (name, audience, scopes) else {
            return Err(ApiFailure::Invalid(errors));
        };
        let now = self.clock.now();
        let id = ApiId::generate(now, &self.entropy);
        let api = Api { id, workspace: caller.workspace.id, name, audience, scopes, created_at: now, version: 1 };
        self.edit_catalog(caller, "api.create", id.to_string(), Change::AddApi(api.clone())).await?;
        Ok(api)
    }

    /// A page of the workspace's APIs, newest first, and where the next page starts.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_apis(
        &self,
        caller: &Caller,
        after: ApiCursor,
        limit: u32,
    ) -> Result<(Vec<Api>, Option<ApiCursor>), ApiFailure> {
        let mut apis = self.store.list_apis(caller.workspace.id, after, limit + 1).await?;
        let more = apis.len() > limit as usize;
        apis.truncate(limit as usize);
        let next = apis.last().filter(|_| more).map(|last| ApiCursor { created_at: last.created_at, id: last.id });
        Ok((apis, next))
    }

    /// # Errors
    /// [`ApiFailure::NotFound`], also for another workspace's API, or the store's.
    pub async fn find_api(&self, caller: &Caller, id: ApiId) -> Result<Api, ApiFailure> {
        self.store.find_api(caller.workspace.id, id).await?.ok_or(ApiFailure::NotFound("API"))
    }

    /// Changes an API; validations that begin after the answer see it.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], [`ApiFailure::PreconditionFailed`], [`ApiFailure::Invalid`], or the store's.
    pub async fn edit_api(
        &self,
        caller: &Caller,
        id: ApiId,
        versions: &IfMatch,
        edit: EditApi,
    ) -> Result<Api, ApiFailure> {
        let mut api = self.find_api(caller, id).await?;
        versions.check(api.version)?;
        let mut errors = Vec::new();
        if let Some(text) = edit.audience {
            api.audience = read_audience(&text, &mut errors).unwrap_or(api.audience);
        }
        if let Some(words) = edit.scopes {
            api.scopes = read_scopes(&words, &mut errors).unwrap_or(api.scopes);
        }
        if !errors.is_empty() {
            return Err(ApiFailure::Invalid(errors));
        }
        let change = Change::EditApi(api.clone());
        if self.edit_catalog(caller, "api.update", id.to_string(), change).await?.is_none() {
            // Somebody else was faster: it is gone, or in another version.
            let current = self.find_api(caller, id).await?.version;
            return Err(ApiFailure::PreconditionFailed { current });
        }
        Ok(Api { version: api.version + 1, ..api })
    }

    /// Deletes an API: tokens that name it no longer cover it. A dry run tells how many there are.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], or the store's.
    pub async fn delete_api(&self, caller: &Caller, id: ApiId, dry_run: bool) -> Result<Deletion, ApiFailure> {
        let api = self.find_api(caller, id).await?;
        let named = Named { workspace: caller.workspace.id, kind: Kind::Api, name: api.name.to_string() };
        self.drop_from_catalog(caller, dry_run, (id.to_string(), named), Change::DropApi(id)).await
    }
}

fn read_audience(text: &str, errors: &mut Vec<FieldError>) -> Option<Audience> {
    text.parse()
        .map_err(|error: crate::domain::api::NotAnAudience| {
            errors.push(FieldError::new("/audience", error));
        })
        .ok()
}

fn read_scopes(words: &[String], errors: &mut Vec<FieldError>) -> Option<Scopes> {
    Scopes::from_words(words).map_err(|error| errors.push(FieldError::new("/scopes", error))).ok()
}
