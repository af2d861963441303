//! What values of the domain look like in JSON. They write themselves; this says it of them.

use std::borrow::Cow;

use serde_json::json;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::api::Audience;
use crate::domain::catalog_name::CatalogName;
use crate::domain::client::{AuthMethod, GrantType};
use crate::domain::clock::Timestamp;
use crate::domain::event::EventKind;
use crate::domain::grant::{Owner, Revision};
use crate::domain::ids::{
    ApiId, AuditId, ClientId, GrantId, ImportId, NodeId, PlanId, TokenId, UserId, WebhookId, WorkspaceId,
};
use crate::domain::legacy::Hashed;
use crate::domain::lifetime::Lifetime;
use crate::domain::moment::Moment;
use crate::domain::refusal::Rule;
use crate::domain::scope::Scopes;
use crate::domain::webhook::{Condition, WebhookUrl};

macro_rules! values {
    ($($name:ident: $schema:expr;)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}
pub(super) use values;

values! {
    WorkspaceId: id(WorkspaceId::PREFIX, "A workspace");
    UserId: id(UserId::PREFIX, "A person with an account");
    GrantId: id(GrantId::PREFIX, "A token (a grant); public, no secret");
    TokenId: id(TokenId::PREFIX, "One secret of a token (jti); public");
    ApiId: id(ApiId::PREFIX, "An API: a protected resource");
    PlanId: id(PlanId::PREFIX, "A plan: a usage limit");
    ImportId: id(ImportId::PREFIX, "An import of tokens of an older system");
    NodeId: id(NodeId::PREFIX, "A node of the cluster; another one each time it starts");
    WebhookId: id(WebhookId::PREFIX, "A receiver of events");
    WebhookUrl: text("An http or https URL")
        .format(Some(SchemaFormat::Custom("uri".to_owned())))
        .max_length(Some(WebhookUrl::MAX_CHARS))
        .examples([json!("https://hooks.acme.example/jeton")]);
    Condition: words(&Condition::ALL.map(Condition::as_str));
    AuditId: id(AuditId::PREFIX, "A line of the audit log");
    ClientId: text("What an OAuth client calls itself")
        .pattern(Some("^[!-~]([ -~]*[!-~])?$"))
        .min_length(Some(1))
        .max_length(Some(ClientId::MAX_CHARS))
        .examples([json!("cli_6KzH2ZVZ0aVb3Tg1kYb7fD")]);
    CatalogName: text("The name of an API or a plan; it never changes")
        .pattern(Some("^[a-z0-9._-]{1,64}$"))
        .examples([json!("orders")]);
    Audience: text("An absolute URI without fragment (RFC 8707 section 2)")
        .format(Some(SchemaFormat::Custom("uri".to_owned())))
        .max_length(Some(Audience::MAX_CHARS))
        .examples([json!("https://orders.example")]);
    Timestamp: text("RFC 3339, UTC")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .examples([json!("2026-11-21T12:00:00Z")]);
    Scopes: ArrayBuilder::new()
        .items(text("A scope (RFC 6749 section 3.3)").pattern(Some("^[!#-\\[\\]-~]+$")))
        .examples([json!(["orders:read"])]);
    Revision: ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
        .description(Some("A position in the log of revocations"))
        .examples([json!(41)]);
    Lifetime: OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(Lifetime::MAX.as_secs())))
        .item(text("A number with s, m, h or d").pattern(Some("^[0-9]{1,9}[smhd]?$")))
        .description(Some("A length of time: 30m, 6h, 365d, or a whole number of seconds"))
        .examples([json!("6h")]);
    Moment: OneOfBuilder::new()
        .item(text("RFC 3339").format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))))
        .item(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)))
        .description(Some("A moment: RFC 3339, or whole seconds since 1970"))
        .examples([json!("2027-03-01T00:00:00Z")]);
    Hashed: words(&[Hashed::Token.as_str(), Hashed::Secret.as_str()]);
    GrantType: words(&GrantType::ALL.map(GrantType::as_str));
    AuthMethod: words(&AuthMethod::ALL.map(AuthMethod::as_str));
    EventKind: words(&EventKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
    Rule: words(&Rule::ALL.iter().map(|rule| rule.code()).collect::<Vec<_>>());
    Owner: ObjectBuilder::new()
        .property("type", words(&["user", "client"]))
        .property("id", text("A user's or a client's id"))
        .property("name", text("As people read it"))
        .required("type")
        .required("id")
        .required("name")
        .description(Some("Whom a token acts for"));
}

pub(super) fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

/// Two numbers of 64 bits in base 62: none begins with a digit above L.
fn id(prefix: &str, description: &str) -> ObjectBuilder {
    text(description)
        .pattern(Some(format!("^{prefix}([0-9A-L][0-9A-Za-z]{{10}}){{2}}$")))
        .examples([json!(format!("{prefix}0Rkq1fAqCa7Dq2ZtYb5m3C"))])
}

pub(super) fn words(words: &[&'static str]) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.iter().copied()))
}
