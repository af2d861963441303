//! Texts of request bodies that the use cases read: what they must be, for `#[schema(value_type = …)]`.

use std::borrow::Cow;

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::values::{text, values, words};
use crate::domain::email::Email;
use crate::domain::identity::Subject;
use crate::domain::legacy::Scheme;
use crate::domain::name::{MAX_NAME_CHARS, MAX_REASON_CHARS};
use crate::domain::password::{MAX_CHARS, MIN_CHARS};
use crate::domain::webhook::WebhookUrl;
use crate::service::leaks::{MAX_SOURCE_CHARS, MAX_TOKEN_CHARS};

/// A name that people give ([`crate::domain::name::shown_text`]).
pub(crate) enum ShownName {}
/// A reason that is kept with an act.
pub(crate) enum Reason {}
/// An address of a person.
pub(crate) enum EmailAddress {}
/// A password that a person chooses.
pub(crate) enum NewPassword {}
/// The `sub` of a person at an OpenID Connect provider ([`crate::domain::identity::Subject`]).
pub(crate) enum SubjectText {}
/// The name of a policy of the configuration.
pub(crate) enum PolicyName {}
/// A value of a filter of a list ([`crate::http::list_query`]).
pub(crate) enum FilterText {}
/// How an older system kept its tokens.
pub(crate) enum SchemeName {}
/// A string that may be a token ([`crate::service::leaks::LeakReport`]).
pub(crate) enum FoundToken {}
/// Where one was found.
pub(crate) enum FoundAt {}
/// Where events are sent ([`crate::domain::webhook::WebhookUrl`]).
pub(crate) enum WebhookAddress {}
/// The value of an `Idempotency-Key` header ([`crate::service::idempotency::IdempotencyKey`]).
pub(crate) enum RepeatKey {}

values! {
    ShownName: text("A name that people read")
        .pattern(Some(SHOWN))
        .min_length(Some(1))
        .max_length(Some(MAX_NAME_CHARS))
        .examples([json!("orders")]);
    Reason: text("Why; kept with the act")
        .pattern(Some(SHOWN))
        .min_length(Some(1))
        .max_length(Some(MAX_REASON_CHARS))
        .examples([json!("lost")]);
    EmailAddress: text("An e-mail address")
        .pattern(Some("^[!#-+./0-:=?A-Z^-~\\[\\]-]+@[!#-+./0-:=?A-Z^-~\\[\\]-]*[!#-+/0-:=?A-Z^-~\\[\\]-][!#-+./0-:=?A-Z^-~\\[\\]-]*$"))
        .max_length(Some(Email::MAX_CHARS))
        .examples([json!("ada@acme.example")]);
    NewPassword: text("At least three different characters")
        .min_length(Some(MIN_CHARS))
        .max_length(Some(MAX_CHARS))
        .examples([json!("correct horse battery staple")]);
    SubjectText: text("The sub of a person at the provider")
        .pattern(Some("^[!-~]([ -~]*[!-~])?$"))
        .max_length(Some(Subject::MAX_CHARS))
        .examples([json!("248289761001")]);
    PolicyName: text("A policy of the configuration")
        .pattern(Some("^[a-z][a-z0-9_-]*$"))
        .max_length(Some(64))
        .examples([json!("access")]);
    FilterText: text("What is looked for").pattern(Some("^[^\\u0000-\\u001f\\u007f-\\u009f]*$")).max_length(Some(500));
    FoundToken: text("A string that may be a token").pattern(Some("^[!-~]+$")).min_length(Some(1)).max_length(Some(MAX_TOKEN_CHARS));
    FoundAt: text("Where it was found, for instance a URL")
        .pattern(Some(SHOWN))
        .min_length(Some(1))
        .max_length(Some(MAX_SOURCE_CHARS))
        .examples([json!("https://git.example/acme/app/blob/1f2e3d/config.env#L7")]);
    WebhookAddress: text("An https URL, or an http one where the operator allows it; at a public address, unless the operator allows others")
        .pattern(Some("^https?://[!-~]+$"))
        .max_length(Some(WebhookUrl::MAX_CHARS))
        .examples([json!("https://hooks.acme.example/jeton")]);
    SchemeName: words(&Scheme::NAMES);
    RepeatKey: text("1 to 255 visible ASCII characters, with or without quotes: a call that is sent again with it within a day gets \
        the same answer, and makes nothing new")
        .pattern(Some("^(\"[!-~]{1,255}\"|[!#-~][!-~]{0,254})$"))
        .examples([json!("3f0c9a52-7a1e-4f38-9b0b-2b8f1d6a0c11")]);
}

/// Those that only parameters have, which name their types and don't bring them.
pub(super) fn of_parameters() -> [(String, RefOr<Schema>); 2] {
    [(RepeatKey::name().into_owned(), RepeatKey::schema()), (FilterText::name().into_owned(), FilterText::schema())]
}

/// Something visible, and nothing that misleads who reads it.
const SHOWN: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]*\
    [^\\s\\u0000-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]\
    [^\\u0000-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]*$";
