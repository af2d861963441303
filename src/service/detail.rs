//! What a refusal tells its caller: in English, and as a reason that can be said in other languages.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::domain::api::{Audience, NotAnAudience};
use crate::domain::catalog_name::{CatalogName, NotAName};
use crate::domain::email::{Email, NotAnEmail};
use crate::domain::identity::{NotASubject, Subject};
use crate::domain::lifetime::NotALifetime;
use crate::domain::name::BadText;
use crate::domain::scope::{BadScope, Scopes};

/// A sentence or the end of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    text: Cow<'static, str>,
    reason: Option<Reason>,
}

/// Why a person's input can't be taken. What no page lets a person send has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    Empty,
    TooLong { max: usize },
    TooMany { max: usize },
    MisleadingCharacters,
    ScopeCharacters,
    TooManyScopes { words: usize, characters: usize },
    CatalogName { max: usize },
    Audience { max: usize },
    Email { max: usize },
    Subject { max: usize },
    Lifetime,
    WholeNumber { max: u64 },
    Period { max: String },
    UnknownApi,
    UnknownPlan,
    UnknownOwner,
    OwnerAboveOneself,
    ExtraFieldsTooLarge { max: usize },
    RedirectCharacters { max: usize },
    RedirectNotAbsolute,
    RedirectUserOrWildcard,
    RedirectFragment,
    RedirectNotHttps,
    RedirectScheme,
    PublicClientCredentials,
    PublicAnonymous,
    PublicIntrospects,
    DeadlineEarlier { present: String },
    DeadlineLater { latest: String },
    DeadlinePassed,
    NameTaken,
    SubjectTaken,
    ClientIdTaken,
    CatalogFull { max: usize },
    LastOfRole { role: &'static str },
    NotActive,
    CountChanged,
    OverHttpOnly,
}

impl Detail {
    pub fn new(reason: Reason, text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), reason: Some(reason) }
    }

    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        self.reason.as_ref()
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Detail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl From<&str> for Detail {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned().into(), reason: None }
    }
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self { text: text.into(), reason: None }
    }
}

macro_rules! said {
    ($($error:ty, $this:ident => $reason:expr;)*) => {$(
        impl From<$error> for Detail {
            fn from($this: $error) -> Self {
                Self::new($reason, $this.to_string())
            }
        }
    )*};
}

said! {
    BadText, bad => match bad {
        BadText::Empty => Reason::Empty,
        BadText::TooLong(max) => Reason::TooLong { max },
        BadText::Character => Reason::MisleadingCharacters,
    };
    BadScope, bad => match bad {
        BadScope::Character => Reason::ScopeCharacters,
        BadScope::TooLong => Reason::TooManyScopes { words: Scopes::MAX_WORDS, characters: Scopes::MAX_WORD_CHARS },
    };
    NotAName, bad => Reason::CatalogName { max: CatalogName::MAX_CHARS };
    NotAnAudience, bad => Reason::Audience { max: Audience::MAX_CHARS };
    NotAnEmail, bad => Reason::Email { max: Email::MAX_CHARS };
    NotASubject, bad => Reason::Subject { max: Subject::MAX_CHARS };
    NotALifetime, bad => Reason::Lifetime;
}
