//! Why something can't be taken, in the reader's language.

use super::page::Page;
use crate::service::detail::{Detail, Reason};

impl Page {
    /// What is wrong. Without a reason of its own it is said in English: no form of these pages leads there.
    pub(super) fn says(&self, detail: &Detail) -> String {
        let Some(reason) = detail.reason() else {
            return detail.to_string();
        };
        let plain = |key| self.t(key).into_owned();
        let up_to = |key, max: &dyn std::fmt::Display| self.with(key, "max", max).into_owned();
        match reason {
            Reason::Empty => plain("bad-empty"),
            Reason::TooLong { max } => up_to("bad-too-long", max),
            Reason::TooMany { max } => up_to("bad-too-many", max),
            Reason::MisleadingCharacters => plain("bad-characters"),
            Reason::ScopeCharacters => plain("bad-scope"),
            Reason::TooManyScopes { words, characters } => {
                self.with_two("bad-scopes", "words", words, "characters", characters).into_owned()
            }
            Reason::CatalogName { max } => up_to("bad-catalog-name", max),
            Reason::Audience { max } => up_to("bad-audience", max),
            Reason::Email { max } => up_to("bad-email", max),
            Reason::Subject { max } => up_to("bad-subject", max),
            Reason::Lifetime => plain("bad-lifetime"),
            Reason::WholeNumber { max } => self.with("bad-number", "max", self.number(max)).into_owned(),
            Reason::Period { max } => up_to("bad-period", max),
            Reason::UnknownApi => plain("bad-api"),
            Reason::UnknownPlan => plain("bad-plan"),
            Reason::UnknownOwner => plain("bad-owner"),
            Reason::OwnerAboveOneself => plain("bad-owner-role"),
            Reason::ExtraFieldsTooLarge { max } => up_to("bad-extra-fields", max),
            Reason::RedirectCharacters { max } => up_to("bad-redirect-characters", max),
            Reason::RedirectNotAbsolute => plain("bad-redirect-relative"),
            Reason::RedirectUserOrWildcard => plain("bad-redirect-wildcard"),
            Reason::RedirectFragment => plain("bad-redirect-fragment"),
            Reason::RedirectNotHttps => plain("bad-redirect-http"),
            Reason::RedirectScheme => plain("bad-redirect-scheme"),
            Reason::PublicClientCredentials => plain("bad-public-credentials"),
            Reason::PublicAnonymous => plain("bad-public-anonymous"),
            Reason::PublicIntrospects => plain("bad-public-introspects"),
            Reason::DeadlineEarlier { present } => self.with("bad-deadline-earlier", "present", present).into_owned(),
            Reason::DeadlineLater { latest } => self.with("bad-deadline-later", "latest", latest).into_owned(),
            Reason::DeadlinePassed => plain("bad-deadline-passed"),
            Reason::NameTaken => plain("bad-name-taken"),
            Reason::SubjectTaken => plain("bad-subject-taken"),
            Reason::ClientIdTaken => plain("bad-client-id-taken"),
            Reason::CatalogFull { max } => up_to("bad-catalog-full", max),
            Reason::LastOfRole { role } => {
                let role = if *role == "operator" { "role-operator" } else { "role-admin" };
                self.with("bad-last-of-role", "role", self.t(role)).into_owned()
            }
            Reason::NotActive => plain("bad-not-active"),
            Reason::CountChanged => plain("count-changed"),
            Reason::OverHttpOnly => plain("bad-over-http"),
        }
    }
}
