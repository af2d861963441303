//! What the lists of administration have as rows of CSV.

use crate::domain::client::GrantType;
use crate::http::export::Record;
use crate::service::apis::ApiView;
use crate::service::clients::ClientView;
use crate::service::plans::PlanView;
use crate::service::users::UserView;
use crate::service::workspaces::WorkspaceView;

impl Record for UserView<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "username",
        "email",
        "role",
        "tokens_allowed",
        "has_password",
        "identity_subject",
        "workspace",
        "created_at",
        "version",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.username.to_owned(),
            self.email.unwrap_or_default().to_owned(),
            self.role.as_str().to_owned(),
            self.tokens_allowed.to_string(),
            self.has_password.to_string(),
            self.identity.as_ref().map(|identity| identity.subject.to_owned()).unwrap_or_default(),
            self.workspace.to_owned(),
            self.created_at.to_string(),
            self.version.to_string(),
        ]
    }
}

impl Record for ClientView<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "client_id",
        "name",
        "workspace",
        "grant_types",
        "scopes",
        "redirect_uris",
        "token_endpoint_auth_method",
        "introspect",
        "previous_secret_expires_at",
        "created_at",
        "version",
    ];

    fn cells(&self) -> Vec<String> {
        let grant_types: Vec<&str> = self.grant_types.iter().copied().map(GrantType::as_str).collect();
        vec![
            self.client_id.to_string(),
            self.name.to_owned(),
            self.workspace.to_owned(),
            grant_types.join(" "),
            self.scopes.to_string(),
            self.redirect_uris.join(" "),
            self.token_endpoint_auth_method.as_str().to_owned(),
            self.introspect.to_string(),
            self.previous_secret_expires_at.map(|end| end.to_string()).unwrap_or_default(),
            self.created_at.to_string(),
            self.version.to_string(),
        ]
    }
}

impl Record for WorkspaceView<'_> {
    const COLUMNS: &'static [&'static str] = &["id", "name", "admin_override", "created_at", "version"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.to_owned(),
            self.admin_override.to_string(),
            self.created_at.to_string(),
            self.version.to_string(),
        ]
    }
}

impl Record for ApiView<'_> {
    const COLUMNS: &'static [&'static str] =
        &["id", "name", "workspace", "audience", "scopes", "created_at", "version"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.to_string(),
            self.workspace.to_owned(),
            self.audience.to_string(),
            self.scopes.to_string(),
            self.created_at.to_string(),
            self.version.to_string(),
        ]
    }
}

impl Record for PlanView<'_> {
    const COLUMNS: &'static [&'static str] =
        &["id", "name", "workspace", "requests", "period", "apis", "created_at", "version"];

    fn cells(&self) -> Vec<String> {
        let apis: Vec<String> = self.apis.iter().map(ToString::to_string).collect();
        vec![
            self.id.to_string(),
            self.name.to_string(),
            self.workspace.to_owned(),
            self.requests.to_string(),
            self.period.to_string(),
            apis.join(" "),
            self.created_at.to_string(),
            self.version.to_string(),
        ]
    }
}
