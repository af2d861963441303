//! Resource indicators (RFC 8707): a client asks for a token for protected resources, named by their audience.

use crate::domain::catalog::Catalog;
use crate::domain::grant::WorkspaceRef;
use crate::domain::scope::Scopes;
use crate::service::Service;
use crate::service::catalog::MAX_APIS;
use crate::service::error::{OAuthCode, OAuthFailure, refused};

/// What a token is asked for.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// The names of the APIs; none where no resource was asked for.
    pub apis: Vec<String>,
    scopes: Option<Scopes>,
}

impl Service {
    /// The APIs of these resources. One URI may stand for several APIs of a resource server.
    pub(super) async fn targets(
        &self,
        workspace: &WorkspaceRef,
        resources: &[String],
        asked: Option<&Scopes>,
        registered: &Scopes,
    ) -> Result<Targets, OAuthFailure> {
        if resources.is_empty() {
            return Ok(Targets::default());
        }
        let catalog = self.catalog(workspace.id).await?;
        let mut apis: Vec<String> = Vec::new();
        for resource in resources {
            let found: Vec<String> = catalog.apis_of(resource).map(|api| api.name.to_string()).collect();
            if found.is_empty() {
                return refused(OAuthCode::InvalidTarget, "no protected resource of this name is registered");
            }
            apis.extend(found);
        }
        apis.sort_unstable();
        apis.dedup();
        if apis.len() > MAX_APIS {
            return refused(OAuthCode::InvalidTarget, "a token is for fewer resources than these");
        }
        let scopes = match asked {
            Some(asked) if asked.words().all(|word| takes(&catalog, &apis, word)) => None,
            Some(_) => {
                return refused(OAuthCode::InvalidScope, "not all of these are scopes of the resources asked for");
            }
            // The scope is that of the client, as far as it means something to the resources (section 2 of the RFC).
            None => Scopes::from_words(registered.words().filter(|word| takes(&catalog, &apis, word))).ok(),
        };
        Ok(Targets { apis, scopes })
    }
}

impl Targets {
    /// The scopes of the token where none were asked for.
    pub(super) fn default_scopes(&mut self, registered: &Scopes) -> Scopes {
        self.scopes.take().unwrap_or_else(|| registered.clone())
    }
}

/// Whether a scope means something to one of the APIs.
fn takes(catalog: &Catalog, apis: &[String], scope: &str) -> bool {
    apis.iter().filter_map(|name| catalog.api(name)).any(|api| api.takes_scope(scope))
}
